"""The figure of contrast curves, and what a depth requires of a companion."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btv_report.dossier.figures.contrast import MAX_DRAWN, contrast_figures
from btv_report.dossier.figures.figure import Figure
from btv_report.dossier.figures.sensitivity import (
    Sensitivity,
    covered,
    depth_of,
    required_contrast,
    required_contrasts,
    sensitivities,
)


def figure_of(record: Any) -> Figure:
    (figure,) = contrast_figures(record)
    return figure


def curve(separation: list[float], contrast: list[float]) -> Sensitivity:
    return Sensitivity("a curve", 1, np.array(separation), np.array(contrast))


@given(st.floats(-3, 18))
@settings(derandomize=True, deadline=None)
def test_a_wholly_eclipsed_companion_of_the_required_contrast_makes_the_depth(delta_mag: float) -> None:
    light = 10 ** (-0.4 * delta_mag)
    found = required_contrast(1e6 * light / (1 + light))
    assert found == pytest.approx(delta_mag, abs=1e-6)


@pytest.mark.parametrize("depth_ppm", [0.0, -5.0, 1e6, 2e6])
def test_a_depth_that_is_none_requires_nothing(depth_ppm: float) -> None:
    assert required_contrast(depth_ppm) is None


def test_deeper_signals_need_brighter_companions() -> None:
    values = [required_contrast(depth) for depth in (100.0, 1e4, 4e5)]
    assert values == sorted(values, reverse=True)  # type: ignore[type-var]
    assert required_contrast(1e4) == pytest.approx(4.989, abs=1e-3)


def test_range_of_a_curve_is_interpolated_between_its_points() -> None:
    assert curve([0, 1, 2], [0, 4, 8]).reaches(6.0) == pytest.approx((1.5, 2.0))
    assert curve([0, 1, 2, 3], [5, 5, 1, 1]).reaches(3.0) == pytest.approx((0.0, 1.5))
    assert curve([0, 1], [1, 2]).reaches(3.0) is None
    assert curve([0, 1], [4, 5]).reaches(3.0) == (0.0, 1.0)


def test_the_widest_of_several_ranges_counts() -> None:
    dipping = curve([0, 1, 2, 3, 4, 5], [5, 5, 1, 5, 5, 5])
    inner, outer = dipping.reaches(3.0) or (math.nan, math.nan)
    assert (inner, outer) == pytest.approx((2.5, 5.0))


def test_contrast_at_a_separation_is_unknown_outside_the_curve() -> None:
    short = curve([0.1, 1.0], [1.0, 5.5])
    assert short.at(0.55) == pytest.approx(3.25)
    assert short.at(0.05) is None
    assert short.at(1.01) is None


def test_overlapping_ranges_are_told_as_one() -> None:
    assert covered([(2.0, 4.0), (0.5, 1.2), (1.0, 1.5)]) == [(0.5, 1.5), (2.0, 4.0)]
    assert covered([]) == []


def test_points_are_sorted_finite_and_once_each(record: Any) -> None:
    value = record["exofop"]["contrast_curves"][2]
    value |= {"separation_arcsec": [1.0, 0.5, 0.5, -1.0, math.nan, 2.0], "delta_mag": [5, 3, 4, 9, 9, None]}
    record["exofop"]["contrast_curves"] = [value]
    (only,) = sensitivities(record)
    assert only.separation_arcsec.tolist() == [0.5, 1.0]
    assert only.delta_mag.tolist() == [4.0, 5.0]


@pytest.mark.parametrize("points", [([], []), ([1.0], [2.0]), ([1.0, 2.0], [3.0]), ([math.nan] * 3, [1.0] * 3)])
def test_curves_without_two_points_are_not_drawn(record: Any, points: Any) -> None:
    for value in record["exofop"]["contrast_curves"]:
        value["separation_arcsec"], value["delta_mag"] = points
    assert contrast_figures(record) == ()


def test_depth_comes_from_exofop_and_else_from_the_folded_light_curves(record: Any) -> None:
    assert depth_of(record, "1262.01") == (2050.0, "by ExoFOP")
    del record["exofop"]["candidates"][0]["depth_ppm"]
    assert depth_of(record, "1262.01") == (None, "")
    record["folds"][0] |= {"odd_depth_ppm": 2000.0, "even_depth_ppm": 2090.0}
    depth_ppm, source = depth_of(record, "1262.01")
    assert depth_ppm == pytest.approx(2050.0)
    assert source == "by the folded light curves"
    (line,) = required_contrasts(record)
    assert line.delta_mag == pytest.approx(6.718, abs=1e-3)


def test_one_figure_has_a_line_for_each_curve_and_for_the_depth(record: Any) -> None:
    figure = figure_of(record)
    spec = json.loads(figure.plotly_json)
    assert [trace["line"]["dash"] for trace in spec["data"]] == ["solid", "solid", "solid", "dash"]
    assert [trace.get("name") for trace in spec["data"][1:]] == [
        "832 nm, Speckle camera, 2022-03-17",
        "cc_by_hand.tbl",
        "562 nm, Speckle camera, 2022-03-17",
    ]
    assert spec["data"][0]["y"] == [pytest.approx(6.718, abs=1e-3)] * 2
    assert "faintest host of 1262.01 (2050 ppm): Δm 6.7" in figure.picture
    assert "the curves together rule such companions out from 0.47 to 4.00 arcsec" in figure.caption


def test_magnitudes_grow_downwards_in_picture_and_plot(record: Any) -> None:
    figure = figure_of(record)
    first, last = json.loads(figure.plotly_json)["layout"]["yaxis"]["range"]
    assert first > last
    ticks = re.findall(r'y="([\d.]+)" dy="\.35em">(\d)</text>', figure.picture)
    places = {label: float(y) for y, label in ticks}
    assert places["0"] < places["2"] < places["4"] < places["6"]


def test_a_curve_that_never_gets_there_rules_nothing_out(record: Any) -> None:
    record["exofop"]["candidates"][0]["depth_ppm"] = 40.0
    figure = figure_of(record)
    assert "no curve reaches that" in figure.caption
    assert {row[-1] for row in figure.table.rows} == {"—"}
    first, _ = json.loads(figure.plotly_json)["layout"]["yaxis"]["range"]
    assert first > 11  # the line is in view all the same


def test_without_a_depth_there_is_no_line(record: Any) -> None:
    record["candidates"] = []
    figure = figure_of(record)
    assert "host" not in figure.picture
    assert len(json.loads(figure.plotly_json)["data"]) == 3


def test_known_neighbours_are_marked_where_they_are_inside_the_plot(record: Any) -> None:
    assert "known neighbours" not in figure_of(record).picture
    assert "Gaia" not in figure_of(record).caption
    star = record["pixel_views"][0]["neighbours"][0]
    star["separation_arcsec"] = 3.1
    figure = figure_of(record)
    assert "known neighbours" in figure.picture
    marks = json.loads(figure.plotly_json)["data"][-1]
    assert (marks["x"], marks["y"]) == ([3.1], [pytest.approx(12.9 - 9.874, abs=1e-3)])
    assert marks["text"] == ["1"]
    for words in (figure.picture, figure.caption):  # the record does not say which of the two it is
        assert "TESS" in words
        assert "Gaia G" in words
    record["target"]["tmag"] = None
    assert "known neighbours" not in figure_of(record).picture


def test_many_curves_are_all_in_table_and_csv_though_not_all_are_drawn(record: Any) -> None:
    record["exofop"]["contrast_curves"] = record["exofop"]["contrast_curves"] * 4
    figure = figure_of(record)
    assert len(json.loads(figure.plotly_json)["data"]) == 1 + MAX_DRAWN
    assert len(figure.table.rows) == 12
    assert f"The {MAX_DRAWN} that reach deepest are drawn; all 12 are in the table." in figure.caption
    rows = list(csv.reader(io.StringIO(figure.csv)))
    assert rows[0] == ["curve", "ExoFOP file", "separation (arcsec)", "contrast (mag)"]
    assert len(rows) == 1 + 4 * (120 + 120 + 6)


def test_csv_holds_the_values_as_they_were(record: Any) -> None:
    value = record["exofop"]["contrast_curves"][2]
    record["exofop"]["contrast_curves"] = [value]
    rows = list(csv.reader(io.StringIO(figure_of(record).csv)))[1:]
    assert [[float(x), float(y)] for _, _, x, y in rows] == [
        list(pair) for pair in zip(value["separation_arcsec"], value["delta_mag"], strict=True)
    ]


def test_a_curve_without_an_instrument_is_named_by_its_file(record: Any) -> None:
    record["exofop"]["contrast_curves"][0]["instrument"] = None
    labels = {curve.label for curve in sensitivities(record)}
    assert "562 nm, 2022-03-17, curve_562.dat" in labels
    assert "cc_by_hand.tbl" in labels


def test_the_plot_ends_where_catalogues_know_the_stars_and_the_table_does_not(record: Any) -> None:
    value = record["exofop"]["contrast_curves"][2]
    value["separation_arcsec"], value["delta_mag"] = [0.2, 2.0, 3.9, 4.1, 6.0, 9.0], [1.0, 6.0, 7.0, 7.0, 7.1, 7.2]
    record["exofop"]["contrast_curves"] = [value]
    figure = figure_of(record)
    assert json.loads(figure.plotly_json)["layout"]["xaxis"]["range"] == [0, 4]
    assert "The plot ends at 4 arcsec" in figure.caption
    assert figure.table.rows[0][1] == "0.20 to 9.00"
    assert len(figure.csv.splitlines()) == 7
