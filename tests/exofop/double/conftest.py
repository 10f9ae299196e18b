"""A loopback ExoFOP with two stars that share a name, and somebody who asks it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.doubles.exofop_caller import Caller
from tests.doubles.exofop_double import ExoFopDouble

TIC_ID = 9000000001
OTHER = 9000000002


@pytest.fixture
def double() -> Iterator[ExoFopDouble]:
    with ExoFopDouble() as exofop:
        exofop.add_target(TIC_ID, toi="5001.01", names=["HD 1", "Gaia DR2 1234567890123456789", "Twin"])
        exofop.add_target(OTHER, names=["twin"], notes=["of another star"])
        yield exofop


@pytest.fixture
def caller(double: ExoFopDouble) -> Caller:
    return Caller(double)
