"""Where pictures come from: stored stamps first, then the pixels; and the sentence when there is neither."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from btv_report.checks.inputs import PixelStack
from btv_report.checks.result import CheckResult, Metric, Verdict
from btv_report.checks.run import run_pixel_checks
from btv_report.ephemeris import Ephemeris
from btv_report.errors import BtvReportError, PlotError
from btv_report.plotting.pixel import plot_aperture_curve, plot_centroid_shift, plot_difference_image, plot_ghost
from btv_report.plotting.stored import median_image, result_from_record, stored_image
from btv_report.stages.answer import check_rows
from btv_report.stages.values import check_value

Make = Callable[..., CheckResult]
FUNCTIONS: dict[str, Any] = {
    "V08": plot_centroid_shift,
    "V09": plot_difference_image,
    "V10": plot_aperture_curve,
    "V20": plot_ghost,
}


def test_stored_stamp_goes_before_the_pixels(make_result: Make, cube: NDArray[np.float32]) -> None:
    result = make_result("V09")
    figure: Any = plot_difference_image(result, tpf_data=cube)
    np.testing.assert_array_equal(figure.data[0].z, result.details["plot_data"]["difference_image"])


@pytest.mark.parametrize("check_id", ["V08", "V09", "V20"])
def test_without_stamps_and_pixels_the_error_says_what_to_do(make_result: Make, check_id: str) -> None:
    with pytest.raises(PlotError) as caught:
        FUNCTIONS[check_id](make_result(check_id, stored=False))
    assert "Run the check with store_plot_data=True or give tpf_data" in str(caught.value)
    assert "candidate 1.01, sector 7" in str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, BtvReportError)


@pytest.mark.parametrize("check_id", FUNCTIONS)
def test_result_of_another_check_is_refused(make_result: Make, check_id: str) -> None:
    other = "V20" if check_id != "V20" else "V08"
    with pytest.raises(PlotError, match=f"draws results of {check_id}, and was given one of {other}"):
        FUNCTIONS[check_id](make_result(other))


def test_combination_of_sectors_is_named_as_such(make_result: Make) -> None:
    with pytest.raises(PlotError, match="Give the result of one sector"):
        plot_difference_image(make_result("V09", stored=False, sector=None))


def test_check_that_was_not_run_says_why_there_is_no_curve(make_result: Make) -> None:
    result = replace(make_result("V10", details={}), verdict=Verdict.NOT_RUN, reason="No transit is predicted.")
    with pytest.raises(PlotError, match="No transit is predicted"):
        plot_aperture_curve(result)


def test_depth_curve_needs_no_stamps(make_result: Make) -> None:
    figure: Any = plot_aperture_curve(make_result("V10", stored=False))
    assert "measured" in [trace.name for trace in figure.data]


@pytest.mark.parametrize("pixels", [np.zeros((9, 13)), np.full((3, 9, 13), np.nan), np.zeros((0, 9, 13))])
def test_pixels_that_are_no_cube_are_refused(make_result: Make, pixels: NDArray[Any]) -> None:
    with pytest.raises(PlotError, match="cadences x rows x columns"):
        plot_centroid_shift(make_result("V08", stored=False), tpf_data=pixels)


@pytest.mark.parametrize("check_id", ["V08", "V09", "V20"])
@pytest.mark.parametrize("shape", [(10, 3, 3), (9, 13), (5, 13, 9)])
def test_pixels_of_another_shape_than_the_stamps_are_refused(
    make_result: Make, check_id: str, shape: tuple[int, ...]
) -> None:
    result = make_result(check_id)
    n_row, n_column = next(iter(result.details["plot_data"].values())).shape
    with pytest.raises(PlotError) as caught:
        FUNCTIONS[check_id](result, tpf_data=np.ones(shape))
    assert f"tpf_data has the shape {shape}" in str(caught.value)
    assert f"have {n_row} rows x {n_column} columns" in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_median_leaves_out_nan_and_masked_pixels_and_keeps_dead_ones_as_gaps() -> None:
    cube = np.ones((5, 3, 4))
    cube[0, 0, 0] = np.nan
    cube[1, 0, 0] = np.inf
    cube[:, 2, 3] = np.nan
    masked = np.ma.masked_array(np.full((5, 3, 4), 7), mask=False)
    masked[0] = 1000
    masked[0] = np.ma.masked
    image = median_image(cube)
    assert image[0, 0] == 1.0
    assert np.isnan(image[2, 3])
    assert np.isfinite(image).sum() == 11
    assert (median_image(masked) == 7).all()


@pytest.mark.parametrize("surface", ["Plotly", "matplotlib"])
def test_unknown_colour_map_is_named(make_result: Make, surface: str) -> None:
    ax = None
    if surface == "matplotlib":
        from matplotlib.figure import Figure

        ax = Figure().subplots()
    with pytest.raises(PlotError, match=f"'no such map' is no colour map of {surface}"):
        plot_difference_image(make_result("V09"), ax=ax, cmap="no such map")


@pytest.mark.parametrize("shape", [(1, 1), (25, 1)])
@pytest.mark.parametrize("value", [7.0, -1e32, 1e32])
@pytest.mark.parametrize("surface", ["plotly", "matplotlib"])
def test_flat_and_narrow_images_of_any_size_are_drawn(
    make_result: Make, shape: tuple[int, int], value: float, surface: str
) -> None:
    from matplotlib.figure import Figure

    pixels = np.full((2, *shape), value)
    for check_id in ("V08", "V09", "V20"):
        ax = Figure().subplots() if surface == "matplotlib" else None
        stored = make_result(
            check_id, details={"plot_data": {"difference_image": pixels[0], "reference_image": pixels[0]}}
        )
        for result, cube in ((stored, None), (make_result(check_id, stored=False), pixels)):
            drawn: Any = FUNCTIONS[check_id](result, tpf_data=cube, ax=ax)
            if ax is None:
                assert shape in [part.z.shape for part in drawn.data if part.type == "heatmap"]
            else:
                ax.figure.canvas.draw()


def test_stamps_as_lists_are_taken_as_the_specification_writes_them(make_result: Make) -> None:
    result = make_result("V09")
    lists = {name: image.tolist() for name, image in result.details["plot_data"].items()}
    again = replace(result, details=dict(result.details) | {"plot_data": lists})
    np.testing.assert_array_equal(stored_image(again, "difference_image"), stored_image(result, "difference_image"))


@pytest.mark.parametrize("check_id", FUNCTIONS)
def test_check_of_a_run_record_draws_the_same_figure(make_result: Make, check_id: str) -> None:
    result = make_result(check_id)
    value: Any = json.loads(json.dumps(check_value(result, ["ab" * 32])))
    again = result_from_record(value)
    assert again.metrics == result.metrics
    for name, image in result.details["plot_data"].items():
        np.testing.assert_array_equal(again.details["plot_data"][name], image)
        assert again.details["plot_data"][name].dtype == image.dtype
    draw = FUNCTIONS[check_id]
    assert draw(value).to_json() == draw(again).to_json() == draw(result).to_json()


@pytest.fixture
def stack() -> PixelStack:
    """Twenty days of a star of 20,000 e-/s at row 5, column 5 with 1 % transits, in noise of 3 e-/s."""
    time = 2000.0 + np.arange(20 * 144) / 144
    rows, columns = np.indices((11, 11))
    star = 20000 * np.exp(-((rows - 5) ** 2 + (columns - 5) ** 2) / 1.6) / (1.6 * np.pi)
    dips = np.abs((time - 2001.5 + 1.5) % 3.0 - 1.5) < 1.5 / 24
    flux = star * np.where(dips, 0.99, 1.0)[:, None, None] + np.random.default_rng(5).normal(0, 3, (time.size, 11, 11))
    return PixelStack(
        sector=7,
        time_btjd=time,
        flux=flux.astype(np.float32),
        flux_err=None,
        used=np.ones(time.size, bool),
        quality=np.zeros(time.size, np.int32),
        cadence_s=600.0,
        aperture_mask=np.hypot(rows - 5, columns - 5) < 2,
        target_row=5.0,
        target_column=5.0,
    )


def arrays_in(value: Any) -> list[Any]:
    """Every numpy array anywhere within a value."""
    if isinstance(value, np.ndarray):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [array for child in children for array in arrays_in(child)]


def test_checks_store_float32_stamps_and_without_storing_numbers_only(stack: PixelStack) -> None:
    ephemeris = Ephemeris(3.0, 2001.5, 3.0)
    with_stamps = run_pixel_checks(stack, ephemeris).results
    without = run_pixel_checks(stack, ephemeris, store_plot_data=False).results
    for result, bare in zip(with_stamps, without, strict=True):
        FUNCTIONS[result.check_id](result)
        stamps = result.details["plot_data"].values()
        assert {image.dtype for image in stamps} <= {np.dtype(np.float32), np.dtype(bool)}
        assert {image.shape for image in stamps} == {(11, 11)}
        assert "plot_data" not in bare.details
        assert arrays_in(bare.details) == []
        assert bare.metrics == result.metrics
        assert bare.verdict is result.verdict


def as_metrics(values: dict[str, float]) -> dict[str, Metric]:
    return {name: Metric(value, "") for name, value in values.items()}


def row_of_check_json(result: CheckResult) -> Any:
    """An item of `checks` as `btv-report check FILE --json` prints it."""
    (row,) = check_rows([check_value(result, ["ab" * 32])], stamps=True)
    return json.loads(json.dumps(row))


@pytest.mark.parametrize(
    ("check_id", "stamp"),
    [("V08", "reference_image"), ("V09", "difference_image"), ("V20", "difference_image")],
)
def test_row_of_check_json_is_drawn_from_its_stamps(make_result: Make, check_id: str, stamp: str) -> None:
    from matplotlib.figure import Figure

    result = make_result(check_id)
    row = row_of_check_json(result)
    np.testing.assert_array_equal(FUNCTIONS[check_id](row).data[0].z, result.details["plot_data"][stamp])
    ax = Figure().subplots()
    FUNCTIONS[check_id](row, ax=ax)
    np.testing.assert_array_equal(ax.images[0].get_array(), result.details["plot_data"][stamp])


@pytest.mark.parametrize("check_id", ["V08", "V09", "V20"])
def test_row_of_check_json_without_stamps_says_what_to_do_or_takes_the_pixels(
    make_result: Make, cube: NDArray[np.float32], check_id: str
) -> None:
    row = row_of_check_json(make_result(check_id, stored=False))
    assert "stamps" not in row
    with pytest.raises(PlotError, match="Run the check with store_plot_data=True or give tpf_data"):
        FUNCTIONS[check_id](row)
    np.testing.assert_array_equal(FUNCTIONS[check_id](row, tpf_data=cube).data[0].z, median_image(cube))


def test_row_of_check_json_is_marked_and_drawn_with_what_its_metrics_say(make_result: Make) -> None:
    places = {"target_row": 5.0, "target_column": 6.0, "source_row": 7.0, "source_column": 3.0}
    image: Any = plot_difference_image(row_of_check_json(make_result("V09", metrics=as_metrics(places))))
    marks = {trace.name: (trace.y[0], trace.x[0]) for trace in image.data if trace.name and trace.x is not None}
    assert (5.0, 6.0) in marks.values()
    assert (7.0, 3.0) in marks.values()
    depths = {
        "depth_ppm_r1.0": 900.0,
        "depth_ppm_r1.0_err": 50.0,
        "depth_ppm_r10.5": 1100.0,
        "depth_ppm_r10.5_err": 70.0,
    }
    depths |= {"depth_ppm_r2.0": 1000.0, "depth_ppm_r2.0_err": 60.0}
    figure: Any = plot_aperture_curve(row_of_check_json(make_result("V10", metrics=as_metrics(depths))))
    (curve,) = [trace for trace in figure.data if trace.name == "measured"]
    assert list(zip(curve.x, curve.y, curve.error_y.array, strict=True)) == [
        (1.0, 900.0, 50.0), (2.0, 1000.0, 60.0), (10.5, 1100.0, 70.0),
    ]  # fmt: skip


def test_row_of_a_check_that_was_not_run_says_why(make_result: Make) -> None:
    for check_id, draw in FUNCTIONS.items():
        result = replace(
            make_result(check_id, metrics={}, details={}), verdict=Verdict.NOT_RUN, reason="No transit is predicted."
        )
        with pytest.raises(PlotError, match="No transit is predicted"):
            draw(row_of_check_json(result))


def test_what_is_no_check_result_is_a_sentence() -> None:
    with pytest.raises(PlotError, match="no check result"):
        plot_difference_image(cast(Any, {}))
