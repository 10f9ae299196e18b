"""What every truth table is given: how much effort, which real data, and seeds fixed by the method's version."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from btv_report.checks.thresholds import METHOD_VERSION

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Effort:
    """
    How much to compute.

    Attributes
    ----------
    share : of the full number of trials; 1 for a release, less for the tests
    processes : how many work side by side
    """

    share: float = 1.0
    processes: int = 1

    def trials(self, full: int, least: int = 2) -> int:
        """Number of trials where the full table has `full`."""
        return max(least, round(full * self.share))


@dataclass(frozen=True)
class RealData:
    """Folder tree of real files (`--data`); a table finds what it needs in it by content."""

    folder: Path


def generator(*names: str | int | float) -> np.random.Generator:
    """Random numbers of one trial: the seed is made of the method's version and the trial's names, and of nothing else."""
    text = "/".join([METHOD_VERSION, "calibration", *(str(name) for name in names)])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def run_trials(
    work: Callable[[_Item], _Answer], items: Iterable[_Item], effort: Effort, *, chunk: int = 4
) -> Sequence[_Answer]:
    """
    `work` on each item, side by side where effort allows; answers come in the order of the items.

    `work` and items must be picklable: a module-level function (or a `functools.partial` of one) and plain values.
    """
    todo = list(items)
    if effort.processes <= 1 or len(todo) <= chunk:
        return [work(item) for item in todo]
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(effort.processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(work, todo, chunksize=chunk))
