"""
Change a cache in children that are killed at every step.

Called as `python -m tests.archive_cache.kill_cache SCENARIO START COPIES`; see `kill_at_every_step`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import filelock  # noqa: F401 - imported before the forks
import numpy  # noqa: F401
from tests.doubles.kill_steps import Steps, kill_at_every_step

from btv_report.archive.cache_cleaning import plan_cleaning, remove
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


def job(scenario: str, root: Path, steps: Steps) -> None:
    """A scenario, each step of which changes the disk."""
    steps.watch_writes()
    # fsync and chmod change nothing that a process killed right after them could leave behind.
    for attribute in ("replace", "link", "unlink", "mkdir", "rmdir"):
        steps.watch(os, attribute)
    SCENARIOS[scenario](root)


if __name__ == "__main__":
    kill_at_every_step(Path(sys.argv[2]), Path(sys.argv[3]), partial(job, sys.argv[1]))
