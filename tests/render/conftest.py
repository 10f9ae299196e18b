"""Built sites."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.dossier import record_factory

from btv_report.record import RunRecord
from btv_report.render.site import build_site

RecordMaker = Callable[..., RunRecord]
Entry = tuple[str, str, RunRecord]


@pytest.fixture(scope="session")
def make_record() -> RecordMaker:
    """Makes run records: the factory of the dossier tests."""
    return record_factory.make_record


@pytest.fixture(scope="session")
def entries(make_record: RecordMaker) -> list[Entry]:
    """Three targets: with two sectors, without an ephemeris, and simulated; not to be changed."""
    return [
        ("20261121T014500Z-1a2b3c4d", "ab" * 32, make_record()),
        ("20261121T014502Z-1a2b3c4f", "ef" * 32, make_record(tic_id=301, ephemeris=False, sectors=(83,))),
        ("20261121T014501Z-1a2b3c4e", "cd" * 32, make_record(tic_id=9000000001, simulated=True, sectors=(90,))),
    ]


@pytest.fixture(scope="session")
def site(entries: list[Entry], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built site of three targets; not to be changed."""
    folder = tmp_path_factory.mktemp("built") / "site"
    build_site(entries, folder, ledger_head="12" * 32)
    return folder
