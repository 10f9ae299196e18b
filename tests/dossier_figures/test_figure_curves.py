"""Light curves, folds, growth curves and centroid shifts: numbers, gaps and marks."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from btv_report.dossier.figures.centroid import centroid_figures
from btv_report.dossier.figures.curves import aperture_figures
from btv_report.dossier.figures.folds import fold_figures
from btv_report.dossier.figures.ghost import ghost_figures
from btv_report.dossier.figures.light_curves import light_curve_figures
from btv_report.dossier.stars import star_numbers
from btv_report.record import RunRecord

CANDIDATE = "1262.01"
Encode = Callable[..., dict[str, Any]]


def _dots(picture: str) -> tuple[list[list[tuple[float, float]]], tuple[float, float, float, float]]:
    """The runs of dots in bin numbers and half units, and the matrix (a, d, e, f) that places them."""
    path = re.search(r'<path transform="matrix\(([^)]*)\)"[^>]* d="([^"]*)"', picture)
    assert path is not None
    a, _, _, d, e, f = (float(n) for n in re.findall(r"-?[\d.]+", path[1]))
    runs, here = [], np.zeros(2)
    for piece in path[2].split("m")[1:]:
        numbers = [float(n) for n in re.findall(r"-?\d+", piece)]
        run = []
        for move in np.reshape(numbers, (-1, 2)):
            here = here + move
            run.append((float(here[0]), float(here[1])))
        runs.append(run)
    return runs, (a, d, e, f)


def _set_flux(record: RunRecord, flux: Any, encode: Encode) -> RunRecord:
    record["light_curves"][0]["flux_ppm"] = encode(np.asarray(flux, float))  # type: ignore[typeddict-item]
    return record


def test_each_dot_stands_at_its_time_and_flux(own_planet: RunRecord, encode: Encode) -> None:
    flux = [0.0, 100.0, np.nan, np.nan, -300.0, 50.0]
    (figure,) = light_curve_figures(_set_flux(own_planet, flux, encode), 83)
    runs, (a, d, e, f) = _dots(figure.picture)
    assert [[int(x) for x, _ in run] for run in runs] == [[0, 1], [4, 5]]
    heights = {int(x): d * y + f for run in runs for x, y in run}
    scale = (heights[4] - heights[1]) / 400  # units per ppm, downwards
    assert scale > 0
    for index, value in ((0, 0.0), (5, 50.0)):
        assert heights[index] == pytest.approx(heights[1] + (100 - value) * scale, abs=0.6)
    assert e > 0
    assert a * 5 + e < 640


@pytest.mark.parametrize("first", [0, 1, 3])
def test_a_light_curve_that_begins_with_empty_bins_keeps_its_places(
    own_planet: RunRecord, encode: Encode, first: int
) -> None:
    flux = np.full(9, np.nan)
    flux[first : first + 2] = (1.0, 2.0)
    flux[8] = 3.0
    runs, _ = _dots(light_curve_figures(_set_flux(own_planet, flux, encode), 83)[0].picture)
    assert [[int(x) for x, _ in run] for run in runs] == [[first, first + 1], [8]]


def test_plotly_has_every_bin_and_the_times_in_double_precision(planet: RunRecord) -> None:
    (figure,) = light_curve_figures(planet, 83)
    trace = json.loads(figure.plotly_json)["data"][0]
    recorded = base64.b64decode(planet["light_curves"][0]["flux_ppm"]["data"])
    assert base64.b64decode(trace["y"]["bdata"]) == recorded
    assert trace["x0"] == pytest.approx(3538.6 + 0.5 / 48, abs=1e-6)
    assert trace["dx"] == 1 / 48
    assert ">BTJD (TDB), days<" in figure.picture


def test_kept_and_dropped_transits_have_different_marks_at_their_times(planet: RunRecord) -> None:
    (figure,) = light_curve_figures(planet, 83)
    traces = {trace.get("name"): trace for trace in json.loads(figure.plotly_json)["data"]}
    assert traces["1262.01, kept"]["x"] == [3540.3, 3545.3, 3555.3, 3560.3]
    assert traces["1262.01, dropped"]["x"] == [3550.3]
    assert traces["1262.01, kept"]["marker"]["symbol"] != traces["1262.01, dropped"]["marker"]["symbol"]
    assert traces["1262.01, kept"]["marker"]["color"] == traces["1262.01, dropped"]["marker"]["color"]
    assert "Transits of candidate 1262.01: 4 kept, 1 dropped." in figure.caption
    assert figure.picture.count("l3.5-7 3.5 7z") == 4
    assert figure.picture.count("l6 6m0-6l-6 6") == 1


def test_without_checked_transits_the_predicted_ones_are_marked_as_such(own_planet: RunRecord) -> None:
    own_planet["transits"] = []
    (figure,) = light_curve_figures(own_planet, 83)
    traces = {trace.get("name"): trace for trace in json.loads(figure.plotly_json)["data"]}
    assert traces["1262.01, predicted"]["x"] == [3540.3, 3545.3, 3550.3, 3555.3, 3560.3]


def test_transits_of_a_sector_without_pixels_are_predicted_not_dropped(own_planet: RunRecord) -> None:
    own_planet["pixel_views"] = []
    for transit in own_planet["transits"]:
        transit |= {"used": False, "reason": "no pixel file of this sector is at hand"}
    (figure,) = light_curve_figures(own_planet, 83)
    assert "Transits of candidate 1262.01: 5 predicted." in figure.caption
    assert "dropped" not in figure.picture


def test_the_depths_of_odd_and_even_transits_are_those_injected(own_planet: RunRecord, encode: Encode) -> None:
    hours = -8.0 + 0.25 * (np.arange(64) + 0.5)
    fold: Any = own_planet["folds"][0]
    fold["odd_ppm"] = encode(np.where(np.abs(hours) < 1.6, -500.0, 40.0))
    fold["even_ppm"] = encode(np.where(np.abs(hours) < 1.6, -900.0, 40.0))
    (figure,) = fold_figures(own_planet, CANDIDATE)
    rows = {row[0]: row for row in figure.table.rows}
    assert rows["odd"][1:] == ("2", "540")
    assert rows["even"][1:] == ("3", "940")
    assert rows["odd minus even"][2] == "−400"
    assert "Odd and even: too few transits for an error." in figure.caption
    assert "sigma" not in figure.caption


def test_recorded_depths_and_errors_are_used_and_compared(own_planet: RunRecord) -> None:
    fold: Any = own_planet["folds"][0]
    fold |= {"odd_depth_ppm": 540.0, "odd_depth_err_ppm": 30.0, "even_depth_ppm": 940.0, "even_depth_err_ppm": 40.0}
    (figure,) = fold_figures(own_planet, CANDIDATE)
    assert "Odd depth 540 ± 30 ppm (2 transits). Even depth 940 ± 40 ppm (3 transits)." in figure.caption
    assert "They differ by 8.0 sigma." in figure.caption
    assert "PDCSAP_FLUX divided by its median, in bins of 15 min." in figure.caption
    assert {row[0]: row[2] for row in figure.table.rows}["odd minus even"] == "−400 ± 50"


def test_one_error_alone_gives_no_sigma(own_planet: RunRecord) -> None:
    fold: Any = own_planet["folds"][0]
    fold |= {"odd_depth_ppm": 540.0, "even_depth_ppm": 940.0, "even_depth_err_ppm": 40.0, "n_odd_transits": 1}
    (figure,) = fold_figures(own_planet, CANDIDATE)
    assert "(1 transit)" in figure.caption
    assert "Odd: too few transits for an error." in figure.caption
    assert "sigma" not in figure.caption


def test_odd_and_even_differ_in_shape_and_colour(planet: RunRecord) -> None:
    (figure,) = fold_figures(planet, CANDIDATE)
    assert figure.picture.count("<marker ") == 2
    odd, even = re.findall(r"<marker .*?<path ([^>]*)/>", figure.picture)
    assert 'class="ink"' in odd
    assert 'class="accent"' in even
    assert re.search(r' d="(.*?)"', odd)[1] != re.search(r' d="(.*?)"', even)[1]  # type: ignore[index]
    symbols = [trace["marker"]["symbol"] for trace in json.loads(figure.plotly_json)["data"] if "marker" in trace]
    assert symbols == ["circle-open", "square"]


def test_one_series_alone_is_drawn(own_planet: RunRecord, encode: Encode) -> None:
    own_planet["folds"][0]["odd_ppm"] = encode(np.full(64, np.nan))  # type: ignore[typeddict-item]
    (figure,) = fold_figures(own_planet, CANDIDATE)
    assert [row[0] for row in figure.table.rows] == ["even"]


def test_a_fold_without_its_ephemeris_has_no_depth(own_planet: RunRecord) -> None:
    own_planet["candidates"] = []
    (figure,) = fold_figures(own_planet, CANDIDATE)
    assert {row[2] for row in figure.table.rows} == {"—"}
    assert "band" not in figure.picture


def test_growth_curves_are_rounded_to_their_errors(planet: RunRecord) -> None:
    (figure,) = aperture_figures(planet, CANDIDATE, 83)
    assert [row[0] for row in figure.table.rows][:2] == ["1.0", "1.5"]
    assert figure.table.rows[-1][:2] == ("pipeline aperture", "2050 ± 64")
    assert all("±" in row[1] for row in figure.table.rows)
    header = figure.csv.splitlines()[0]
    assert header.endswith("predicted on TIC 1000001 (ppm),predicted on TIC 1000002 (ppm)")


def test_a_radius_without_a_depth_is_left_out(own_planet: RunRecord) -> None:
    own_planet["checks"][2]["details"]["depth_ppm"][0] = None
    (figure,) = aperture_figures(own_planet, CANDIDATE, 83)
    assert json.loads(figure.plotly_json)["data"][-1]["y"][0] is None
    assert figure.table.rows[0][1] == "—"


def test_the_shift_plane_has_zero_in_the_middle_and_rows_upwards(own_planet: RunRecord) -> None:
    details = own_planet["checks"][0]["details"]
    details["shift_row_px"], details["shift_column_px"] = 0.01, 0.0
    details["transit_points"] = []
    details["covariance_px2"] = None
    figure = centroid_figures(own_planet, CANDIDATE, 83)[1]
    mean = re.search(r'stroke-width="2" d="M([\d.]+) ([\d.]+)h10M', figure.picture)
    zero = re.search(r'd="M([\d.]+) 24v212M[\d.]+ ([\d.]+)h212"', figure.picture)
    assert mean is not None
    assert zero is not None
    assert float(mean[1]) + 5 == pytest.approx(float(zero[1]), abs=0.2)
    assert float(mean[2]) < float(zero[2])  # towards larger rows is up
    assert float(zero[2]) == pytest.approx(24 + 212 / 2, abs=0.1)


def test_the_mean_shift_carries_its_error(planet: RunRecord) -> None:
    figure = centroid_figures(planet, CANDIDATE, 83)[1]
    what, row, column = figure.table.rows[0]
    assert what == "mean"
    assert row.endswith("± 0.00071")
    assert column.endswith("± 0.00055")
    assert len(figure.csv.splitlines()) == 1 + 5 + 1


def test_the_enlarged_stamp_keeps_its_row_and_column_numbers(planet: RunRecord) -> None:
    figure = centroid_figures(planet, CANDIDATE, 83)[0]
    lines = [line.split(",")[:2] for line in figure.csv.splitlines()[1:]]
    assert lines[0] == ["2", "4"]
    trace = json.loads(figure.plotly_json)["data"][0]
    assert (trace["y0"], trace["x0"]) == (2, 4)
    full = base64.b64decode(planet["checks"][0]["stamps"]["reference_image"]["data"])
    image = np.frombuffer(full, "<f4").reshape(11, 13)
    assert f"2,4,{image[2, 4]!s}" in figure.csv.splitlines()


def test_ellipses_hold_68_and_99_7_per_cent_in_two_dimensions(planet: RunRecord) -> None:
    figure = centroid_figures(planet, CANDIDATE, 83)[1]
    details = planet["checks"][0]["details"]
    inverse = np.linalg.inv(details["covariance_px2"])
    mean = np.array([details["shift_row_px"], details["shift_column_px"]])
    rings = [trace for trace in json.loads(figure.plotly_json)["data"] if trace["mode"] == "lines"]
    for trace, squared in zip(rings, (2.2957, 11.829), strict=True):
        offsets = np.stack([trace["y"], trace["x"]], axis=1) - mean
        distance = np.einsum("ni,ij,nj->n", offsets, inverse, offsets)
        np.testing.assert_allclose(distance, squared, rtol=0.03)
    assert "68.27 % and 99.73 % of its probability in two dimensions" in figure.caption


def test_one_star_has_one_number_everywhere(planet: RunRecord) -> None:
    (curves,) = aperture_figures(planet, CANDIDATE, 83)
    numbers = star_numbers(planet)
    assert numbers == {
        "TIC 1000001": 1, "TIC 1000002": 2, "Gaia DR3 4611686018427387904": 3, "TIC 1000003": 4,
    }  # fmt: skip
    assert "1 (TIC 1000001)" in curves.caption
    assert "2 (TIC 1000002)" in curves.caption
    names = [trace["name"] for trace in json.loads(curves.plotly_json)["data"] if "name" in trace]
    assert names[0] == "predicted on the target"
    shown = {text for trace in json.loads(curves.plotly_json)["data"] for text in trace.get("text", []) if text}
    assert shown == {"1", "2"}
    assert sorted(names[1:]) == ["predicted on 1: TIC 1000001", "predicted on 2: TIC 1000002"]


def test_the_pipeline_band_has_its_error_in_both_versions(planet: RunRecord) -> None:
    (figure,) = aperture_figures(planet, CANDIDATE, 83)
    (shape,) = json.loads(figure.plotly_json)["layout"]["shapes"]
    assert (shape["y0"], shape["y1"]) == (1986.0, 2114.0)
    assert 'class="band"' in figure.picture


def test_the_halo_is_an_outline_around_core_and_ring(planet: RunRecord) -> None:
    core, _ = ghost_figures(planet, CANDIDATE, 83)
    lines = [trace for trace in json.loads(core.plotly_json)["data"] if trace.get("mode") == "lines"]
    halo, inner = lines
    assert halo["line"]["color"] != inner["line"]["color"]
    assert max(x for x in halo["x"] if x is not None) > max(x for x in inner["x"] if x is not None)
    assert min(y for y in halo["y"] if y is not None) < min(y for y in inner["y"] if y is not None)
    assert "h.24" not in core.picture


def test_core_and_halo_come_with_the_numbers_of_the_check(planet: RunRecord) -> None:
    core, gradient = ghost_figures(planet, CANDIDATE, 83)
    rows = {row[0]: row[1] for row in core.table.rows}
    assert rows["core depth"] == "21.3 ± 1.5 e⁻/s"
    assert rows["excess of halo over core, sigma"] == "−4.10"
    assert "core 0.91 sigma, halo 0.35 sigma" in core.caption
    assert gradient.figure_id.endswith("-gradient")
