"""The same bytes come out on one core or many, however little memory, time and priority a machine gives."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable

import pytest

from btv_report.simulation.fits_files import WrittenScene

EPHEMERIS = ("--period", "1.3", "--epoch", "2100.9", "--duration", "2.0")
GIB = 1 << 30


def one_core() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def little_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (4 * GIB, 4 * GIB))


def low_priority() -> None:
    os.nice(19)


def one_thread() -> None:
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))


def answer(star: WrittenScene, limit: Callable[[], None] | None) -> bytes:
    (path,) = star.target_pixel_files
    command = [sys.executable, "-m", "btv_report", "check", str(path), "--json", *EPHEMERIS]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, preexec_fn=limit)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def unlimited(star: WrittenScene) -> bytes:
    return answer(star, None)


@pytest.mark.parametrize("limit", [one_core, little_memory, low_priority, one_thread])
def test_f161_limits_of_a_machine_do_not_change_a_number(
    star: WrittenScene, unlimited: bytes, limit: Callable[[], None]
) -> None:
    assert answer(star, limit) == unlimited


def test_f161_too_little_memory_is_no_wrong_number(star: WrittenScene) -> None:
    def hardly_any() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (GIB // 8, GIB // 8))

    (path,) = star.target_pixel_files
    command = [sys.executable, "-m", "btv_report", "check", str(path), "--json", *EPHEMERIS]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, preexec_fn=hardly_any)
    assert done.returncode != 0
    assert done.stdout == b""
