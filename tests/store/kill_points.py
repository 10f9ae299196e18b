"""
Record a run in children that are killed at every step.

Called as `python -m tests.store.kill_points WORKSPACE COPIES RECORD`; see `kill_at_every_step`.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

from tests.doubles.kill_steps import Steps, kill_at_every_step

import btv_report.stamps  # noqa: F401 - numpy and the rest are imported before the forks
from btv_report.store import store
from btv_report.store.ledger import Ledger
from btv_report.store.recording import record_run
from btv_report.store.workspace import Workspace


def job(record: Any, root: Path, steps: Steps) -> None:
    """Record a run, each step of which changes the disk."""
    steps.watch_writes()
    steps.watch(os, "replace")  # fsync changes nothing that a process killed right after it could leave behind
    steps.watch(Path, "unlink")
    steps.watch(store.Store, "add")
    steps.watch(store.Store, "close")
    steps.watch(Ledger, "append", "ledger line")

    class Connection:
        """DuckDB's connection, killed before and after each statement that ends a transaction."""

        def __init__(self, real: Any) -> None:
            self._real = real

        def __getattr__(self, attribute: str) -> Any:
            return getattr(self._real, attribute)

        def execute(self, sql: str, *rest: Any) -> Any:
            if sql == "COMMIT":
                steps.step("before COMMIT")
            result = self._real.execute(sql, *rest)
            if sql == "COMMIT":
                steps.step("after COMMIT")
            return result

    real_open = vars(store)["open_database"]
    vars(store)["open_database"] = lambda *args, **keywords: Connection(real_open(*args, **keywords))
    record_run(Workspace(root), record)


if __name__ == "__main__":
    recorded = json.loads(Path(sys.argv[3]).read_bytes())
    kill_at_every_step(Path(sys.argv[1]), Path(sys.argv[2]), partial(job, recorded))
