"""The Plotly figures: what is in them, and where."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import btv_report
from btv_report.checks.result import CheckResult
from btv_report.plotting.pixel import plot_aperture_curve, plot_centroid_shift, plot_difference_image, plot_ghost

Make = Callable[..., CheckResult]
FUNCTIONS: dict[str, Any] = {
    "V08": plot_centroid_shift,
    "V09": plot_difference_image,
    "V10": plot_aperture_curve,
    "V20": plot_ghost,
}


def traces(figure: Any, name: str) -> list[Any]:
    """The visible traces of a name, without their casings."""
    return [trace for trace in figure.data if trace.name == name and trace.hoverinfo != "skip"]


def heatmap(figure: Any) -> Any:
    (image,) = [trace for trace in figure.data if trace.type == "heatmap"]
    return image


def shown_place(figure: Any, x: float, y: float, axis: str = "") -> tuple[float, float]:
    """Where a point is drawn: fractions of the plot from the left and from the bottom, by the ranges of the axes."""
    x_range, y_range = figure.layout[f"xaxis{axis}"].range, figure.layout[f"yaxis{axis}"].range
    return (x - x_range[0]) / (x_range[1] - x_range[0]), (y - y_range[0]) / (y_range[1] - y_range[0])


def test_public_names_are_those_of_the_package() -> None:
    for function in FUNCTIONS.values():
        assert getattr(btv_report, function.__name__) is function


@pytest.mark.parametrize("check_id", ["V08", "V09", "V20"])
def test_pixels_are_square_row_0_is_at_the_bottom_and_axes_have_names(make_result: Make, check_id: str) -> None:
    figure = FUNCTIONS[check_id](make_result(check_id))
    assert heatmap(figure).z.shape == (9, 13)
    assert heatmap(figure).z.dtype == np.float32
    assert figure.layout.xaxis.range == (-0.5, 12.5)
    assert figure.layout.yaxis.range == (-0.5, 8.5)
    assert figure.layout.yaxis.scaleanchor == "x"
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("column (px)", "row (px)")


def test_star_at_row_2_is_drawn_below_and_right_of_the_source_at_row_7(make_result: Make) -> None:
    figure: Any = plot_difference_image(make_result("V09"))
    assert int(np.nanargmax(heatmap(figure).z)) == 7 * 13 + 3
    (source,), (stars,) = traces(figure, "transit source (V09)"), traces(figure, "neighbours, by magnitude")
    assert (source.x[0], source.y[0]) == (3, 7)
    low = shown_place(figure, stars.x[0], stars.y[0])
    high = shown_place(figure, source.x[0], source.y[0])
    assert low[0] > high[0]
    assert low[1] < high[1]


def test_difference_image_shows_region_catalogue_position_and_stars_on_the_stamp_by_brightness(
    make_result: Make,
) -> None:
    figure: Any = plot_difference_image(make_result("V09"))
    (target,) = traces(figure, "catalogue position")
    assert (target.x[0], target.y[0]) == (6, 5)
    (region,) = traces(figure, "99.73 % region")
    assert (min(region.x), max(region.x), min(region.y), max(region.y)) == (2.0, 4.5, 6.5, 7.8)
    (stars,) = traces(figure, "neighbours, by magnitude")
    assert [text.split(",")[0] for text in stars.hovertext] == ["TIC 7", "TIC 8"]  # neither the target nor what is off
    assert stars.marker.size[0] > stars.marker.size[1]


def test_colours_are_symmetric_about_no_difference_and_the_bar_has_a_unit(make_result: Make) -> None:
    figure: Any = plot_difference_image(make_result("V09"))
    assert heatmap(figure).zmin == -heatmap(figure).zmax
    (bar,) = [trace for trace in figure.data if trace.type == "scatter" and trace.marker.showscale]
    assert bar.marker.colorbar.title.text == "control minus in transit (e⁻/s)"
    assert bar.marker.colorbar.ticktext[list(bar.marker.colorbar.tickvals).index(0.5)] == "0"


def test_named_colour_map_replaces_ours(make_result: Make) -> None:
    figure: Any = plot_difference_image(make_result("V09"), cmap="RdBu_r")
    assert heatmap(figure).colorscale[0][1] == "rgb(5,48,97)"
    assert heatmap(figure).colorbar.title.text == "control minus in transit (e⁻/s)"


def test_both_centroids_single_transits_and_ellipses_stand_where_they_were_measured(make_result: Make) -> None:
    figure: Any = plot_centroid_shift(make_result("V08"))
    (control,), (inside,) = traces(figure, "control centroid (V08)"), traces(figure, "in-transit centroid (V08)")
    assert (control.x[0], control.y[0]) == (5.9, 5.1)
    assert (inside.x[0], inside.y[0]) == (5.903, 5.095)
    on_stamp, in_plane = traces(figure, "single transits")
    assert on_stamp.x == pytest.approx((5.902, 5.904))
    assert on_stamp.y == pytest.approx((5.096, 5.094))
    assert in_plane.x == pytest.approx((-2.0, -4.0))  # millipixels, columns
    assert in_plane.y == pytest.approx((4.0, 6.0))
    assert (figure.layout.xaxis2.title.text, figure.layout.yaxis2.title.text) == (
        "shift in column (millipixel)",
        "shift in row (millipixel)",
    )
    (mean,) = traces(figure, "mean shift")
    assert (mean.x[0], mean.y[0]) == pytest.approx((-3.0, 5.0))
    ellipse = traces(figure, "errors of the mean, 1σ and 3σ")[1]
    # 99.73 % in two dimensions lie within 3.44 sigma: 2 millipixel in row, 1 in column.
    assert np.nanmax(ellipse.y) - np.nanmin(ellipse.y) == pytest.approx(2 * 3.44 * 2, rel=0.01)
    assert np.nanmax(ellipse.x) - np.nanmin(ellipse.x) == pytest.approx(2 * 3.44 * 1, rel=0.01)
    assert figure.layout.yaxis2.scaleanchor == "x2"


def test_legend_names_each_thing_once(make_result: Make) -> None:
    figure: Any = plot_centroid_shift(make_result("V08"))
    shown = [trace.name for trace in figure.data if trace.name and trace.showlegend]
    assert len(shown) == len(set(shown)) == 5


def test_depth_curve_in_ppm_with_errors_predictions_and_the_pipeline_aperture(make_result: Make) -> None:
    figure: Any = plot_aperture_curve(make_result("V10"))
    (points,) = traces(figure, "measured")
    assert points.x == (1.0, 2.0, 3.0)
    assert points.y == (900.0, 1000.0, 1100.0)
    assert points.error_y.array == (50.0, 60.0, 70.0)
    (target,), (star) = traces(figure, "predicted on the target"), traces(figure, "predicted on TIC 7")
    assert target.y == (1000.0, 990.0, 980.0)
    assert star[0].y == (10.0, 500.0, 1500.0)
    (band,) = figure.layout.shapes
    assert (band.y0, band.y1) == (970.0, 1050.0)
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("aperture radius (px)", "depth (ppm)")


def test_ghost_shows_core_and_halo_about_the_difference(make_result: Make) -> None:
    figure: Any = plot_ghost(make_result("V20"))
    (core,), (halo,) = traces(figure, "core"), traces(figure, "halo, outer edge")
    assert (np.nanmin(core.x), np.nanmax(core.x), np.nanmin(core.y), np.nanmax(core.y)) == (1.5, 3.5, 5.5, 7.5)
    assert (np.nanmin(halo.x), np.nanmax(halo.x), np.nanmin(halo.y), np.nanmax(halo.y)) == (0.5, 4.5, 4.5, 8.5)
    assert "core 5.2σ, halo 0.5σ, excess −3.0σ" in figure.layout.annotations[0].text


def test_markup_in_a_name_is_shown_and_not_obeyed(make_result: Make) -> None:
    figure: Any = plot_difference_image(make_result("V09", candidate="<a href='x'>1.01</a>"))
    title = figure.layout.annotations[0].text
    assert "<a" not in title
    assert "&lt;a" in title


@pytest.mark.parametrize("check_id", FUNCTIONS)
def test_figures_are_plain_json_without_webgl(make_result: Make, check_id: str) -> None:
    figure = json.loads(FUNCTIONS[check_id](make_result(check_id)).to_json())
    assert {trace["type"] for trace in figure["data"]} <= {"heatmap", "scatter"}


@pytest.mark.parametrize("check_id", ["V08", "V09", "V20"])
def test_median_of_the_pixels_stands_in_for_stamps_that_were_not_stored(
    make_result: Make, cube: NDArray[np.float32], check_id: str
) -> None:
    figure = FUNCTIONS[check_id](make_result(check_id, stored=False), tpf_data=cube)
    np.testing.assert_array_equal(heatmap(figure).z, np.median(cube, axis=0))
    assert "median of tpf_data" in figure.layout.annotations[0].text
