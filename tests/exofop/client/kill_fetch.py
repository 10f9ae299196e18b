"""
Fetch a star in children that are killed at every step.

Called as `python -m tests.exofop.client.kill_fetch first|refresh START COPIES URL`; see `kill_at_every_step`.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import filelock  # noqa: F401 - imported before the forks
from tests.doubles.kill_steps import Steps, kill_at_every_step
from tests.exofop.client.conftest import LIMITS, OTHER

from btv_report.exofop.asking import service  # noqa: F401
from btv_report.exofop.client import ExoFopClient


def job(scenario: str, url: str, root: Path, steps: Steps) -> None:
    """A fetch without the tables, each step of which changes the disk."""
    steps.watch_writes()
    for attribute in ("replace", "link", "unlink", "mkdir", "rmdir"):
        steps.watch(os, attribute)
    vars(os)["fsync"] = lambda handle: None  # changes nothing that a killed process could leave behind
    client = ExoFopClient(cache_dir=root / "cache", base_url=url, limits=LIMITS, min_interval_s=0.0)
    client.fetch(target=OTHER, include_summaries=False, force_refresh=scenario == "refresh")


if __name__ == "__main__":
    kill_at_every_step(Path(sys.argv[2]), Path(sys.argv[3]), partial(job, sys.argv[1], sys.argv[4]))
