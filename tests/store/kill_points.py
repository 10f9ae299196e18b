"""
Record a run in children that are killed at the n-th step, for every n.

A process of its own: it imports everything once and forks before any thread exists, so that a child costs milliseconds.
Called as `kill_points.py WORKSPACE COPIES RECORD`: for n = 1, 2, ... the workspace is copied to COPIES/n and a child
records there until its n-th step. Prints one line a child: n, and `killed <step>` or `done`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import btv_report.stamps  # noqa: F401 - numpy and the rest are imported before the forks
from btv_report.store import store
from btv_report.store.ledger import Ledger
from btv_report.store.recording import record_run
from btv_report.store.workspace import Workspace


def install(fatal: int, name: Callable[[str], None]) -> None:
    """Wrap every step that changes the disk: killed before it, or half-way through a write."""
    steps = [0]

    def step(what: str) -> None:
        steps[0] += 1
        if steps[0] == fatal:
            name(what)
            os.kill(os.getpid(), signal.SIGKILL)

    def wrap(owner: Any, attribute: str, what: str) -> None:
        real = getattr(owner, attribute)

        def call(*args: Any, **keywords: Any) -> Any:
            step(f"before {what}")
            return real(*args, **keywords)

        setattr(owner, attribute, call)

    real_write = os.write

    def half_write(handle: int, data: Any) -> int:
        if len(data) > 100:
            done = real_write(handle, bytes(data[: len(data) // 2]))
            step("half-way through write")
            return done
        return real_write(handle, bytes(data))

    os.write = half_write
    wrap(os, "replace", "replace")  # fsync changes nothing that a process killed right after it could leave behind
    wrap(Path, "unlink", "unlink")
    wrap(store.Store, "add", "add")
    wrap(store.Store, "close", "close")
    wrap(Ledger, "append", "ledger line")

    class Connection:
        """DuckDB's connection, killed before and after each statement that ends a transaction."""

        def __init__(self, real: Any) -> None:
            self._real = real

        def __getattr__(self, attribute: str) -> Any:
            return getattr(self._real, attribute)

        def execute(self, sql: str, *rest: Any) -> Any:
            if sql == "COMMIT":
                step("before COMMIT")
            result = self._real.execute(sql, *rest)
            if sql == "COMMIT":
                step("after COMMIT")
            return result

    real_open = vars(store)["open_database"]
    vars(store)["open_database"] = lambda *args, **keywords: Connection(real_open(*args, **keywords))


def child(root: Path, record: Any, fatal: int, pipe: int) -> None:
    """Record, and die at the step `fatal`."""
    write = os.write
    install(fatal, lambda what: (write(pipe, what.encode()), None)[1])
    record_run(Workspace(root), record)
    os._exit(0)


def main() -> None:
    """Kill at every step until a child lives."""
    workspace, copies = Path(sys.argv[1]), Path(sys.argv[2])
    record = json.loads(Path(sys.argv[3]).read_bytes())
    for fatal in range(1, 1000):
        root = copies / str(fatal)
        if workspace.exists():
            shutil.copytree(workspace, root)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                child(root, record, fatal, writer)
            finally:
                os._exit(99)
        os.close(writer)
        _, status = os.waitpid(pid, 0)
        what = os.read(reader, 200).decode()
        os.close(reader)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print(fatal, f"killed {what}" if killed else f"done {os.waitstatus_to_exitcode(status)}", flush=True)
        if not killed:
            return


main()
