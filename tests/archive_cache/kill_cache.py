"""
Change a cache in children that are killed at the n-th step, for every n.

A process of its own that forks before any thread exists. Called as `kill_cache.py SCENARIO START COPIES`: for n = 1, 2, ... the
folder START is copied to COPIES/n and a child does the scenario there until its n-th change of the disk. Prints one line a
child: n, and `killed <step>` or `done <exit code>`.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import filelock  # noqa: F401 - imported before the forks
import numpy  # noqa: F401

from btv_report.archive.cache_listing import plan_cleaning, remove
from btv_report.archive.mast_types import ArchiveProduct
from btv_report.archive.persistent_cache import PersistentCache
from btv_report.archive.product_cache import ProductCache

PRODUCT = ArchiveProduct("light_curve", 7, 1, "SPOC", 120.0, "a_lc.fits", "mast:TESS/product/a_lc.fits", obs_id="a")
OLD, NEW = b"old bytes " * 100, b"new bytes " * 100
OLD_VALUE, NEW_VALUE = {"value": "old" * 100}, {"value": "new" * 100}


def fetch(content: bytes) -> Callable[[Path], Any]:
    def put(path: Path) -> Any:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        view = memoryview(content)
        while view:
            view = view[os.write(handle, view) :]
        os.close(handle)
        return SimpleNamespace(server_date=None)

    return put


SCENARIOS: dict[str, Callable[[Path], object]] = {
    "first": lambda root: ProductCache(root).get_or_fetch(PRODUCT, fetch(NEW)),
    "refresh": lambda root: ProductCache(root).get_or_fetch(PRODUCT, fetch(NEW), refresh=True),
    "repair": lambda root: ProductCache(root).get_or_fetch(PRODUCT, fetch(NEW)),
    "clean": lambda root: remove(plan_cleaning(ProductCache(root), everything=True)),
    "value": lambda root: PersistentCache(root).put("key", NEW_VALUE),
    "other kind": lambda root: PersistentCache(root).put("key", b"new" * 100),
}


def install(fatal: int, name: Callable[[str], None]) -> None:
    """Wrap every step that changes the disk: killed before it, or half-way through a write."""
    steps = [0]

    def step(what: str) -> None:
        steps[0] += 1
        if steps[0] == fatal:
            name(what)
            os.kill(os.getpid(), signal.SIGKILL)

    def wrap(attribute: str) -> None:
        real = getattr(os, attribute)

        def call(*args: Any, **keywords: Any) -> Any:
            step(f"before {attribute}")
            return real(*args, **keywords)

        setattr(os, attribute, call)

    real_write = os.write

    def half_write(handle: int, data: Any) -> int:
        if len(data) > 100:
            done = real_write(handle, bytes(data[: len(data) // 2]))
            step("half-way through write")
            return done
        return real_write(handle, bytes(data))

    vars(os)["write"] = half_write
    # fsync and chmod change nothing that a process killed right after them could leave behind.
    for attribute in ("replace", "link", "unlink", "mkdir", "rmdir"):
        wrap(attribute)


def main() -> None:
    """Kill at every step until a child lives."""
    scenario, start, copies = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    write = os.write
    for fatal in range(1, 1000):
        root = copies / str(fatal)
        shutil.copytree(start, root)
        root.chmod(0o700)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                install(fatal, lambda what, pipe=writer: (write(pipe, what.encode()), None)[1])  # type: ignore[misc]
                SCENARIOS[scenario](root)
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


if __name__ == "__main__":
    main()
