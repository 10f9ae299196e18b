"""
Do the same in children that are killed at the n-th change of the disk, for every n.

For processes of their own, run as `python -m`: they import everything once and fork before any thread exists, so that a child
costs milliseconds.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Steps:
    """
    Counts steps in a child and kills it at one of them.

    Parameters
    ----------
    fatal : the number of the last step, from 1; it is not done
    name : told the name of that step before the end
    """

    def __init__(self, fatal: int, name: Callable[[str], None]) -> None:
        self._fatal, self._name, self._n = fatal, name, 0

    def step(self, what: str) -> None:
        """One step further."""
        self._n += 1
        if self._n == self._fatal:
            self._name(what)
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, owner: Any, attribute: str, what: str = "") -> None:
        """Make each call of a function a step, before it."""
        real = getattr(owner, attribute)

        def call(*args: Any, **keywords: Any) -> Any:
            self.step(f"before {what or attribute}")
            return real(*args, **keywords)

        setattr(owner, attribute, call)

    def watch_writes(self) -> None:
        """Make each larger `os.write` a step, half-way through it."""
        real_write = os.write

        def half_write(handle: int, data: Any) -> int:
            if len(data) > 100:
                done = real_write(handle, bytes(data[: len(data) // 2]))
                self.step("half-way through write")
                return done
            return real_write(handle, bytes(data))

        vars(os)["write"] = half_write


def kill_at_every_step(start: Path, copies: Path, job: Callable[[Path, Steps], object]) -> None:
    """
    Copy the folder `start` to `copies`/n and do a job there until its n-th step, for n = 1, 2, ... until a child lives.

    Prints one line a child: n, and `killed <step>` or `done <exit code>`.

    Parameters
    ----------
    job : watches its steps, and does its work in the folder that it is given
    """
    write = os.write
    for fatal in range(1, 1000):
        root = copies / str(fatal)
        if start.exists():
            shutil.copytree(start, root)
            root.chmod(0o700)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                job(root, Steps(fatal, lambda what, pipe=writer: (write(pipe, what.encode()), None)[1]))  # type: ignore[misc]
                os._exit(0)
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
