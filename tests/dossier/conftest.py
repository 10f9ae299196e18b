"""The record factory as fixtures."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from btv_report.record import RunRecord

RecordMaker = Callable[..., RunRecord]


@pytest.fixture(scope="session")
def make_record() -> RecordMaker:
    """Makes run records; see record_factory.make_record."""
    path = Path(__file__).with_name("record_factory.py")
    spec = importlib.util.spec_from_file_location("dossier_record_factory", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    maker: RecordMaker = module.make_record
    return maker


@pytest.fixture
def record(make_record: RecordMaker) -> RunRecord:
    """A whole record of two sectors that a test may change."""
    return make_record()
