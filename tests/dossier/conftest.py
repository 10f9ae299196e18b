"""The record factory as fixtures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.dossier import record_factory

from btv_report.record import RunRecord

RecordMaker = Callable[..., RunRecord]


@pytest.fixture(scope="session")
def make_record() -> RecordMaker:
    """Makes run records; see record_factory.make_record."""
    return record_factory.make_record


@pytest.fixture
def record(make_record: RecordMaker) -> RunRecord:
    """A whole record of two sectors that a test may change."""
    return make_record()
