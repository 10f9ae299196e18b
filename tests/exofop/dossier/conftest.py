"""Records with what ExoFOP itself said, made of the factory of the dossier tests and of `follow_up_factory`."""

from __future__ import annotations

import copy
from typing import Any, cast

import pytest
from tests.dossier.record_factory import make_record
from tests.exofop.dossier import follow_up_factory

from btv_report.record import RunRecord


@pytest.fixture(scope="session")
def whole() -> RunRecord:
    """A record with every part of ExoFOP; not to be changed."""
    record: Any = make_record()
    record["exofop"] |= {**follow_up_factory.follow_up(), "files": follow_up_factory.files(), "n_files": 3}
    return cast(RunRecord, record)


@pytest.fixture
def record(whole: RunRecord) -> Any:
    """A record with every part of ExoFOP that a test may change."""
    return copy.deepcopy(whole)


@pytest.fixture
def before() -> RunRecord:
    """A record from before ExoFOP was asked itself."""
    return make_record()
