"""A loopback ExoFOP that holds TOI 1262, and the command line in this process, which waits for nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.doubles.command import Run, run_command
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_toi_1262 import add_toi_1262
from tests.exofop.client.conftest import LIMITS

from btv_report.exofop.client import ExoFopClient


@pytest.fixture
def exofop(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExoFopDouble]:
    with ExoFopDouble() as running:
        add_toi_1262(running)
        monkeypatch.setenv("BTV_REPORT_EXOFOP_URL", running.url)
        monkeypatch.delenv("BTV_REPORT_COOKIE_JAR", raising=False)
        yield running


@pytest.fixture
def run(exofop: ExoFopDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `btv-report exofop` with a workspace in the test's own folder."""
    hurried = partial(ExoFopClient, limits=LIMITS, min_interval_s=0.0)
    monkeypatch.setattr("btv_report.exofop.client.ExoFopClient", hurried)
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    return partial(run_command, "exofop", workspace=tmp_path / "workspace")
