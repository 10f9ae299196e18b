"""TIC 365938305 in a loopback MAST with one sector and in a loopback ExoFOP, and `btv-report` in this process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.doubles.command import Run, run_command
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_toi_1262 import add_toi_1262
from tests.doubles.mast_double import MastDouble
from tests.doubles.nine_sectors import Holdings, fill, two_minute_holdings, write_star

from btv_report.archive.limits import Limits
from btv_report.exofop.client import ExoFopClient

SECTORS = (20,)
LIMITS = Limits(backoff_s=0.001, read_timeout_s=2.0, tries=2)


@pytest.fixture(scope="session")
def one_sector(tmp_path_factory: pytest.TempPathFactory) -> Holdings:
    return two_minute_holdings(write_star(tmp_path_factory.mktemp("one-sector"), SECTORS))


@pytest.fixture
def mast(one_sector: Holdings, monkeypatch: pytest.MonkeyPatch) -> Iterator[MastDouble]:
    with MastDouble() as running:
        fill(running, one_sector)
        monkeypatch.setenv("BTV_REPORT_MAST_URL", running.url)
        yield running


@pytest.fixture
def exofop(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExoFopDouble]:
    with ExoFopDouble() as running:
        add_toi_1262(running)
        monkeypatch.setenv("BTV_REPORT_EXOFOP_URL", running.url)
        yield running


@pytest.fixture
def run(mast: MastDouble, exofop: ExoFopDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `btv-report` on the star, with a workspace in the test's own folder and without waits."""
    for room in ("target", "exofop"):
        monkeypatch.setattr(f"btv_report.stages.{room}.LIMITS", LIMITS)
    monkeypatch.setattr("btv_report.exofop.client.ExoFopClient", partial(ExoFopClient, min_interval_s=0.0))
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    return partial(run_command, "TIC", "365938305", workspace=tmp_path / "workspace")
