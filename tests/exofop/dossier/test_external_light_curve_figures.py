"""Panels of light curves from other telescopes."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import numpy as np
import pytest
from defusedxml import ElementTree

from btv_report.dossier.figures.external_light_curves import MAX_PANELS, external_light_curve_figures, panels


def only(record: Any, **more: Any) -> Any:
    """A record with one light curve, changed."""
    value = {**record["exofop"]["light_curves"][0], **more}
    record["exofop"]["light_curves"] = [{key: item for key, item in value.items() if item is not None}]
    return record


def test_one_panel_a_folded_light_curve_and_none_for_unlabelled_times(record: Any) -> None:
    figures = external_light_curve_figures(record)
    assert [figure.figure_id for figure in figures] == ["exofop-lc-8001-1", "exofop-lc-8002-2"]
    assert [figure.title for figure in figures] == ["LCO 1m0, zs", "LCO 1m0"]


def test_caption_names_transit_file_time_system_and_depth(record: Any) -> None:
    caption = external_light_curve_figures(record)[0].caption
    assert caption.startswith("Transit −41 of candidate 1262.01, not detrended.")
    assert "times are BJD_TDB" in caption
    assert "File measurements_1.tbl." in caption
    depth, error = (float(word) for word in caption.split("predicted transit: ")[1].split(" ppm")[0].split(" ± "))
    assert abs(depth - 2100) < 4 * error
    assert error < 300


def test_caption_says_that_points_near_other_transits_are_left_out(record: Any) -> None:
    n_points = record["exofop"]["light_curves"][0]["n_points"]
    assert "other transits" not in external_light_curve_figures(record)[0].caption
    (figure,) = external_light_curve_figures(only(record, n_folded=n_points - 7))
    assert f"{n_points - 7} points in 36 bins" in figure.caption
    assert f"The file has {n_points} points; the others are nearer to other transits." in figure.caption


def test_predicted_transit_is_marked_over_its_duration(record: Any) -> None:
    spec = json.loads(external_light_curve_figures(record)[0].plotly_json)
    (band,) = spec["layout"]["shapes"]
    assert (band["x0"], band["x1"]) == (-1.605, 1.605)
    line = spec["data"][1]
    hours = np.array(record["exofop"]["light_curves"][0]["hours_from_mid"])
    flux = np.array(record["exofop"]["light_curves"][0]["flux_relative"])
    outside = flux[np.abs(hours) >= 0.6 * 3.21].mean()
    assert line["y"] == [pytest.approx(outside * (1 - 2050e-6), abs=2e-6)] * 2


def test_a_light_curve_beside_the_transit_has_no_band_and_no_depth(record: Any) -> None:
    hours = [3.0 + 0.1 * k for k in range(36)]
    (figure,) = external_light_curve_figures(only(record, hours_from_mid=hours))
    spec = json.loads(figure.plotly_json)
    assert "shapes" not in spec["layout"]
    assert len(spec["data"]) == 1
    assert "does not hold both" in figure.caption
    assert "predicted transit" not in figure.picture


def test_without_a_candidate_of_that_name_the_flux_is_drawn_alone(record: Any) -> None:
    record["candidates"] = []
    spec = json.loads(external_light_curve_figures(record)[0].plotly_json)
    assert "shapes" not in spec["layout"]


def test_errors_are_bars_where_the_file_has_them(record: Any) -> None:
    first, second = (json.loads(figure.plotly_json)["data"][0] for figure in external_light_curve_figures(record))
    assert "error_y" in first
    assert "error_y" not in second


@pytest.mark.parametrize(
    "more",
    [
        {"hours_from_mid": [], "flux_relative": []},
        {"hours_from_mid": [0.0, 1.0], "flux_relative": [1.0, 1.0]},
        {"hours_from_mid": [math.nan] * 5, "flux_relative": [1.0] * 5},
        {"hours_from_mid": None},
        {"candidate": None},
    ],
)
def test_what_has_no_three_bins_or_no_candidate_is_not_drawn(record: Any, more: dict[str, Any]) -> None:
    assert external_light_curve_figures(only(record, **more)) == ()


@pytest.mark.parametrize(
    "flux", [[1.0, 1.0, 1.0], [1.0, math.inf, 1.0, 1.0, None], [-4e9, 0.0, 4e3, 1.0, 1.0], [1e-12, 1.0, 1.0]]
)
def test_any_flux_gives_a_picture_without_a_number_that_is_none(record: Any, flux: list[Any]) -> None:
    hours = [float(k) for k in range(len(flux))]
    (figure,) = external_light_curve_figures(only(record, hours_from_mid=hours, flux_relative=flux))
    ElementTree.fromstring(figure.picture)
    assert "nan" not in figure.picture.lower()
    json.loads(figure.plotly_json, parse_constant=pytest.fail)


def test_bins_are_in_order_of_time(record: Any) -> None:
    changed = only(record, hours_from_mid=[2.0, -2.0, 0.0], flux_relative=[1.2, 0.8, 1.0], flux_relative_err=None)
    rows = list(csv.reader(io.StringIO(external_light_curve_figures(changed)[0].csv)))[1:]
    assert [[float(hour), float(flux)] for hour, flux, _ in rows] == [[-2.0, 0.8], [0.0, 1.0], [2.0, 1.2]]


def test_one_file_on_two_candidates_and_many_files_keep_ids_apart(record: Any) -> None:
    record["exofop"]["light_curves"] = [record["exofop"]["light_curves"][0]] * 30
    figures = external_light_curve_figures(record)
    assert len(figures) == MAX_PANELS == len(panels(record))
    assert len({figure.figure_id for figure in figures}) == MAX_PANELS
