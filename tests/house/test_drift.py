"""Numbers do not change with the libraries: what this environment makes of a scene is what the committed record holds."""

from __future__ import annotations

import copy
import importlib.metadata
import json
from pathlib import Path

import pytest
from tests.house.drift import RECORDS_DATED, ROOT, RUNS, differences, drift_between, load_records, oldest_constraints

from btv_report.demo import scene_request
from btv_report.pipeline import run_report
from btv_report.simulation.request import simulate_scene


def test_f162_a_scene_gives_the_numbers_of_the_committed_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", RECORDS_DATED)
    written = simulate_scene("single-transit", tmp_path / "mirror" / "single-transit")
    outcome = run_report(scene_request(written, tmp_path))
    tic_id = str(written.scene.target.tic_id)
    again = json.loads((tmp_path / "runs" / tic_id / f"{outcome.run_id}.json").read_bytes())
    assert list(differences(load_records(RUNS)[tic_id], again)) == []


def test_f162_a_record_names_the_versions_that_its_numbers_depend_on() -> None:
    record = next(iter(load_records(RUNS).values()))
    named = record["run"]["versions"]
    assert {"astropy", "astroquery", "duckdb", "lightkurve", "numpy", "plotly", "python", "scipy"} <= set(named)
    assert all(named.values())


def test_drift_is_a_changed_digit_a_changed_word_and_a_missing_place() -> None:
    record = next(iter(load_records(RUNS).values()))
    assert list(differences(record, copy.deepcopy(record))) == []
    metric = record["checks"][0]["metrics"]["p_value"]
    changed = copy.deepcopy(record)
    changed["checks"][0]["metrics"]["p_value"]["value"] = metric["value"] * (1 + 1e-12)
    changed["run"]["versions"] = {}
    assert list(differences(record, changed)) == []
    changed["checks"][0]["metrics"]["p_value"]["value"] = metric["value"] * (1 + 1e-6)
    changed["checks"][1]["verdict"] = "other"
    del changed["checks"][2]["metrics"]
    assert [line.partition(":")[0] for line in differences(record, changed)] == [
        "checks.0.metrics.p_value.value",
        "checks.1.verdict",
        "checks.2.metrics",
    ]


def test_versions_that_a_record_names_are_no_drift_and_a_missing_star_is() -> None:
    records = load_records(RUNS)
    other = copy.deepcopy(records)
    for record in other.values():
        record["run"]["versions"]["numpy"] = "0.0"
    assert drift_between(records, other) == []
    tic_id, record = next(iter(other.items()))
    record["checks"][0]["verdict"] = "other"
    (line,) = drift_between(records, other)
    assert line.startswith(f"TIC {tic_id}, checks.0.verdict")
    del other[tic_id]
    assert len(drift_between(records, other)) == 1


def test_oldest_set_holds_every_direct_dependency_to_its_lower_bound() -> None:
    held = dict(line.split("==") for line in oldest_constraints(ROOT / "pyproject.toml"))
    required = [line for line in importlib.metadata.requires("btv-report") or () if "extra ==" not in line]
    assert len(held) == len(required)
    assert held["numpy"] == "2.0.*"
