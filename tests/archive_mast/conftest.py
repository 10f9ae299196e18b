"""A loopback MAST to which the real lightkurve and astroquery talk, and a connection that waits for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random

import pytest
from tests.archive_fetch.conftest import FakeClock
from tests.doubles.command import Run, run_command
from tests.doubles.mast_double import MastDouble, Product, TicRow
from tests.doubles.nine_sectors import Holdings, all_holdings, fill, write_star

from btv_report.archive.fetch import Fetcher
from btv_report.archive.limits import Limits
from btv_report.archive.mast_session import MastConnection, connect

TIC_ID = 365938305
STAR = TicRow(TIC_ID, 180.7265, 74.060997, 9.5966, gaia="1690000000000000001")
LC = Product(TIC_ID, 14, "SPOC", 120, f"tess2019198215352-s0014-{TIC_ID:016d}-0150-s_lc.fits", b"L" * 2880)
TPF = Product(TIC_ID, 14, "SPOC", 120, f"tess2019198215352-s0014-{TIC_ID:016d}-0150-s_tp.fits", b"T" * 5760)


@pytest.fixture
def mast() -> Iterator[MastDouble]:
    with MastDouble() as running:
        running.add_star(STAR)
        running.add_product(LC, TPF)
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def connection(mast: MastDouble, clock: FakeClock) -> Iterator[MastConnection]:
    limits = Limits(read_timeout_s=1.0)
    made = connect(mast.url, limits=limits, fetcher=Fetcher(limits=limits, clock=clock), clock=clock, random=Random(1))
    yield made
    made.session.close()


@pytest.fixture(scope="session")
def nine_sectors(tmp_path_factory: pytest.TempPathFactory) -> Holdings:
    return all_holdings(write_star(tmp_path_factory.mktemp("nine-sectors")))


@pytest.fixture
def archive(nine_sectors: Holdings) -> Iterator[MastDouble]:
    """An archive that holds the nine sectors."""
    with MastDouble() as running:
        fill(running, nine_sectors)
        yield running


@pytest.fixture
def report(archive: MastDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`btv-report` without ExoFOP, in a workspace of its own; waits between tries would only cost time."""
    monkeypatch.setenv("BTV_REPORT_MAST_URL", archive.url)
    monkeypatch.setattr("btv_report.stages.target.LIMITS", Limits(backoff_s=0.001, read_timeout_s=2.0))
    return partial(run_command, "report", "--no-exofop", workspace=tmp_path / "workspace")
