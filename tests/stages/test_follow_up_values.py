"""How much of ExoFOP's tables and curves a record holds, and that what is left out is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from btv_report.answer_states import AnswerState
from btv_report.archive.mirror import find_products
from btv_report.exofop.artefacts import Artefacts
from btv_report.exofop.contrast_curves import ContrastCurve
from btv_report.exofop.types import ExoFopFile, ExoFopManifest, ExoFopTable
from btv_report.stages.exofop import ExoFopLook
from btv_report.stages.follow_up import ALL_TABLES, CURVE_POINTS, SHOWN_ROWS, FollowUp, read_follow_up
from btv_report.stages.request import ReportRequest
from btv_report.stages.sectors import FoundProducts
from btv_report.targets import Target

TIC_ID = 9000000001


def taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, tables: Any = (), curve: Any = None) -> FollowUp:
    """What the report takes of these artefacts."""
    file = ExoFopFile(5, "cc.dat", "Image", None, None, 1, "0" * 64, None, AnswerState.NOT_FOUND)
    named = {table.name: table for table in tables}
    artefacts = Artefacts(named, [(file, curve)] if curve is not None else [], [], [])
    monkeypatch.setattr("btv_report.exofop.artefacts.read_artefacts", lambda *_: artefacts)
    manifest = ExoFopManifest(tmp_path / "manifest.json", "0" * 64, None, False, ())
    request = ReportRequest(tic_id=TIC_ID, workspace=tmp_path)
    found = FoundProducts(Target(TIC_ID), [], [], find_products((), TIC_ID), [])
    return read_follow_up(request, ExoFopLook(AnswerState.OK, "", manifest), found)


def curve_of(delta_mag: Any) -> ContrastCurve:
    separation = np.linspace(0.1, 3.0, len(delta_mag))
    return ContrastCurve(separation, np.array(delta_mag), None, None, None, "columns", "cc.dat", "0" * 64)


def table(name: str, n_rows: int, n_columns: int, length: int) -> ExoFopTable:
    columns = tuple(f"column {number}" for number in range(n_columns))
    return ExoFopTable(name, columns, (("x" * length,) * n_columns,) * n_rows)


def test_long_contrast_curve_is_thinned_to_its_shallowest_points_and_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    delta_mag = np.full(190_000, 6.0)
    delta_mag[77_777] = 1.5  # one point that rules out less must not get lost
    found = taken(monkeypatch, tmp_path, curve=curve_of(delta_mag))
    (value,) = found.values["contrast_curves"]
    assert len(value["separation_arcsec"]) == len(value["delta_mag"]) == CURVE_POINTS
    assert (value["separation_arcsec"][0], value["separation_arcsec"][-1]) == (0.1, 3.0)
    assert value["separation_arcsec"] == sorted(value["separation_arcsec"])
    assert min(value["delta_mag"]) == 1.5
    (words,) = found.warnings
    assert "190,000 points" in words
    assert f"{CURVE_POINTS} of them" in words


def test_curve_of_usual_length_is_kept_whole_without_a_word(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = taken(monkeypatch, tmp_path, curve=curve_of(np.linspace(1, 6, CURVE_POINTS)))
    assert len(found.values["contrast_curves"][0]["delta_mag"]) == CURVE_POINTS
    assert found.warnings == ()


def test_all_tables_together_are_bounded_and_what_is_cut_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tables = [table("spect", 200, 40, 2_000), table("imaging", 3, 4, 10), table("uploads", 200, 40, 2_000)]
    found = taken(monkeypatch, tmp_path, tables=tables)
    values = {value["name"]: value for value in found.values["tables"]}
    n_characters = sum(
        len(cell) for value in values.values() for row in [value["columns"], *value["rows"]] for cell in row
    )
    assert n_characters <= ALL_TABLES
    assert len(values["imaging"]["rows"]) == 3
    assert 0 < len(values["spect"]["rows"]) < len(values["uploads"]["rows"]) < 10
    assert values["spect"]["n_rows"] == 200
    assert ["spect" in words and "of its 200 rows" in words for words in found.warnings] == [True, False]


def test_table_of_nothing_but_names_of_columns_does_not_fill_the_record(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = taken(monkeypatch, tmp_path, tables=[table("spect", 2, 300_000, 1)])
    assert (found.values["tables"][0]["columns"], found.values["tables"][0]["rows"]) == ([], [])
    assert len(found.warnings) == 1


def test_rows_beyond_those_that_are_shown_need_no_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The page counts them."""
    found = taken(monkeypatch, tmp_path, tables=[table("spect", SHOWN_ROWS + 50, 4, 10)])
    assert (len(found.values["tables"][0]["rows"]), found.warnings) == (SHOWN_ROWS, ())
