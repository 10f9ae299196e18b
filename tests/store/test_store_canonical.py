"""Canonical JSON: one value, one sequence of bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btv_report.record import RunRecord
from btv_report.store.canonical import RUN_ID_PATTERN, canonical_bytes, record_bytes, record_sha256, run_id

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=30,
)


@settings(derandomize=True, deadline=None)
@given(VALUES)
def test_reading_and_writing_again_gives_the_same_bytes(value: Any) -> None:
    data = canonical_bytes(value)
    assert canonical_bytes(json.loads(data)) == data
    assert json.loads(data) == value


@settings(derandomize=True, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_read_back_as_the_same_bits(value: float) -> None:
    read = json.loads(canonical_bytes(value))
    assert isinstance(read, float)
    assert np.float64(read).tobytes() == np.float64(value + 0.0).tobytes()


@settings(derandomize=True, deadline=None)
@given(st.dictionaries(TEXTS, st.integers(), min_size=2))
def test_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    turned = dict(reversed(value.items()))
    assert canonical_bytes(turned) == canonical_bytes(value)


def test_form_is_compact_sorted_utf8() -> None:
    assert canonical_bytes({"b": [1, 1.0, 0.1, 1e22], "a": "±é\n"}) == '{"a":"±é\\n","b":[1,1.0,0.1,1e+22]}'.encode()


def test_minus_zero_is_zero() -> None:
    assert canonical_bytes([-0.0, {"x": -0.0}]) == b'[0.0,{"x":0.0}]'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), np.float64("nan")])
def test_what_was_not_measured_is_refused_with_its_place(value: float) -> None:
    with pytest.raises(ValueError, match=r"value\.checks\[1\]\.snr is"):
        canonical_bytes({"checks": [{}, {"snr": value}]})


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, ["a\udc00b"]])
def test_lone_surrogates_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="lone surrogate"):
        canonical_bytes(value)


@pytest.mark.parametrize("value", [{1: "a"}, {None: 1}, {"a": {3}}, b"bytes", np.int64(3), object()])
def test_what_json_does_not_know_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical_bytes(value)


def test_string_enumerations_numpy_floats_and_tuples_become_plain() -> None:
    class Word(StrEnum):
        PASS = "pass"  # noqa: S105

    assert canonical_bytes((Word.PASS, np.float64(0.1), True)) == b'["pass",0.1,true]'


def test_run_id_names_start_and_content(record: RunRecord, make_record: Callable[..., RunRecord]) -> None:
    digest = hashlib.sha256(record_bytes(record)).hexdigest()
    assert record_sha256(record) == digest
    assert run_id(record) == f"20261121T014500Z-{digest[:8]}"
    assert RUN_ID_PATTERN.fullmatch(run_id(record))
    assert run_id(make_record(seed=2)) != run_id(record)
    assert record_bytes(record).endswith(b"}\n")


@pytest.mark.parametrize("start", ["2026-11-21 01:45:00", "2026-11-21T01:45:00+01:00", "2026-13-21T01:45:00Z", ""])
def test_run_id_refuses_a_start_that_is_not_utc_to_the_second(record: RunRecord, start: str) -> None:
    record["run"]["started_at"] = start
    with pytest.raises(ValueError, match="does not match format"):
        run_id(record)
