"""What goes into the store comes out of it, to the bit."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from btv_report.errors import IntegrityError
from btv_report.record import RunRecord
from btv_report.store.canonical import canonical_bytes, run_id
from btv_report.store.rows import rows_of_record, stamp_unit
from btv_report.store.store import Store
from btv_report.store.workspace import Workspace

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ODD_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def store(workspace: Workspace) -> Iterator[Store]:
    """Return an empty store that can be written."""
    workspace.ensure_writable()
    with Store(workspace.database, write=True) as store:
        yield store


def test_a_record_comes_back_exactly(store: Store, any_record: RunRecord) -> None:
    before = copy.deepcopy(any_record)
    assert store.record(any_record) == run_id(any_record)
    back = store.load(run_id(any_record))
    assert back == any_record == before
    assert canonical_bytes(back) == canonical_bytes(any_record)


def test_several_runs_do_not_mix(store: Store, three_records: list[RunRecord]) -> None:
    for record in three_records:
        store.record(record)
    found = dict(store.load_many([run_id(record) for record in reversed(three_records)]))
    assert list(found) == [run_id(record) for record in reversed(three_records)]
    assert [found[run_id(record)] for record in three_records] == three_records


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of everything inside a record."""
    inner: list[tuple[Any, ...]] = []
    if isinstance(value, dict):
        inner = [place for key, item in value.items() for place in places(item, (*path, key))]
    elif isinstance(value, list):
        inner = [place for key, item in enumerate(value) for place in places(item, (*path, key))]
    return [path, *inner]


def put(record: RunRecord, place: tuple[Any, ...], value: Any) -> Any:
    """Replace what stands at a place."""
    changed: Any = copy.deepcopy(record)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return changed


# The skeleton of a record: without it there is no telling which rows there are. All else may be anything.
_KEYS_OF_ROWS = {("run", "started_at"), ("target", "tic_id")}


def is_free(record: RunRecord, place: tuple[Any, ...]) -> bool:
    inner: Any = record
    for key in place:
        inner = inner[key]
    holds_rows = isinstance(inner, dict | list) and place[-1] not in {
        "aliases", "command", "details", "inputs", "parameters", "position", "provenance", "sectors", "shape",
        "sky_per_pixel_arcsec", "stellar", "thresholds", "versions", "warnings", "flags",
    }  # fmt: skip
    names_rows = place[-1] in {"sector", "check_id", "candidate"}
    return place not in _KEYS_OF_ROWS and not holds_rows and not names_rows


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), value=ODD_VALUES)
def test_any_value_at_any_place_comes_back_exactly(
    store: Store, make_record: Callable[..., RunRecord], data: st.DataObject, value: Any
) -> None:
    changed = make_record()
    free = [place for place in places(changed) if place and is_free(changed, place)]
    for place in data.draw(st.lists(st.sampled_from(free), min_size=1, max_size=8, unique=True)):
        if place in places(changed):  # an earlier change may have taken it away
            changed = put(changed, place, value)
    assert canonical_bytes(store.load(store.record(changed))) == canonical_bytes(changed)


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), value=ODD_VALUES, key=TEXTS.map(lambda text: f"new {text}"))
def test_fields_that_this_version_does_not_know_come_back_exactly(
    store: Store, make_record: Callable[..., RunRecord], data: st.DataObject, value: Any, key: str
) -> None:
    record = make_record()
    rooms = [
        (),
        ("run",),
        ("target",),
        ("target", "stellar"),
        ("exofop",),
        ("checks", 1),
        ("checks", 1, "metrics", "p_value"),
    ]
    rooms += [("products", 0), ("pixel_views", 0), ("pixel_views", 0, "neighbours", 1), ("transits", 1), ("folds", 0)]
    rooms += [
        ("checks", 1, "stamps", "difference_image"),
        ("exofop", "files", 0),
        ("light_curves", 0),
        ("candidates", 0),
    ]
    changed = record
    for room in data.draw(st.lists(st.sampled_from(rooms), min_size=1, max_size=6, unique=True)):
        changed = put(changed, (*room, key), value)
    assert canonical_bytes(store.load(store.record(changed))) == canonical_bytes(changed)


def test_absent_and_null_are_kept_apart(store: Store, record: RunRecord) -> None:
    assert "depth_ppm" not in record["transits"][1]
    changed = put(record, ("transits", 1, "depth_ppm"), None)
    assert "depth_ppm" not in store.load(store.record(record))["transits"][1]
    assert store.load(store.record(changed))["transits"][1]["depth_ppm"] is None


def test_whole_numbers_stay_whole_and_can_be_queried(store: Store, record: RunRecord) -> None:
    loaded = store.load(store.record(record))
    value = loaded["checks"][0]["metrics"]["n_transits_used"]["value"]
    assert type(value) is int
    rows = store.query("SELECT DISTINCT value FROM metric WHERE name = 'n_transits_used'").rows
    assert rows == [(9.0,)]


@pytest.mark.parametrize(
    "place",
    [("products", 2, "sha256"), ("run", "versions"), ("checks", 0, "metrics"), ("exofop", "files"), ("warnings",)],
)
def test_a_record_without_a_needed_field_is_refused_and_leaves_nothing(
    store: Store, record: RunRecord, place: tuple[Any, ...]
) -> None:
    inner: Any = record
    for key in place[:-1]:
        inner = inner[key]
    del inner[place[-1]]
    with pytest.raises(ValueError, match=f"{place[-1]}"):
        store.record(record)
    assert store.run_ids() == []


def test_values_that_were_not_measured_are_refused(store: Store, record: RunRecord) -> None:
    changed = put(record, ("checks", 3, "metrics", "offset_arcsec", "value"), float("nan"))
    with pytest.raises(ValueError, match=r"record\.checks\[3\]\.metrics\.offset_arcsec\.value is nan"):
        store.record(changed)


def test_pixels_can_be_read_by_anyone_row_by_row(store: Store, record: RunRecord) -> None:
    from btv_report.stamps import decode_stamp

    store.record(record)
    check = next(check for check in record["checks"] if check["stamps"])
    image = decode_stamp(check["stamps"]["difference_image"])
    sql = (
        "SELECT pixels, n_row, n_column, corner_row, corner_column, unit FROM stamp "
        "WHERE check_id = ? AND sector = ? AND name = 'difference_image'"
    )
    [(pixels, n_row, n_column, corner_row, corner_column, unit)] = store.query(sql, ["V09", check["sector"]]).rows
    np.testing.assert_array_equal(np.array(pixels, dtype=np.float32).reshape(n_row, n_column), image)
    assert (corner_row, corner_column, unit) == (1201, 544, "electron / s")
    assert store.query(
        "SELECT unit, corner_row FROM stamp WHERE sector IS NULL AND name = 'difference_image'"
    ).rows == [(None, None)]


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("difference_image", "electron / s"),
        ("gradient_magnitude", "electron / s / pixel"),
        ("depth_map_ppm", "ppm"),
        ("aperture_mask", "1"),
        ("some_new_stamp", None),
    ],
)
def test_stamps_have_the_unit_of_their_name(name: str, unit: str | None) -> None:
    assert stamp_unit(name, "electron / s") == unit


def test_pixels_lie_in_the_database_as_floats_of_four_bytes(store: Store, record: RunRecord) -> None:
    store.record(record)
    assert store.query("SELECT DISTINCT typeof(pixels) FROM stamp").rows == [("FLOAT[]",)]


def test_recording_twice_changes_nothing(store: Store, record: RunRecord) -> None:
    store.record(record)
    before = store.query("SELECT count(*) FROM metric").rows
    store.record(record)
    assert store.query("SELECT count(*) FROM metric").rows == before
    assert store.run_ids() == [run_id(record)]


def test_an_error_in_the_middle_rolls_the_whole_run_back(store: Store, record: RunRecord) -> None:
    rows = rows_of_record(record)
    rows.rows["transit"].append(("too", "short"))
    with pytest.raises(IntegrityError):
        store.add([rows], [])
    for table in ("run", "metric", "stamp"):
        assert store.query(f"SELECT count(*) FROM {table}").rows == [(0,)]
    store.record(record)
    assert store.load(run_id(record)) == record
