"""The same pictures on matplotlib axes that the caller hands over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from btv_report.checks.result import CheckResult
from btv_report.plotting.pixel import plot_aperture_curve, plot_centroid_shift, plot_difference_image, plot_ghost

matplotlib_figure = pytest.importorskip("matplotlib.figure")
Make = Callable[..., CheckResult]
FUNCTIONS: dict[str, Any] = {
    "V08": plot_centroid_shift,
    "V09": plot_difference_image,
    "V10": plot_aperture_curve,
    "V20": plot_ghost,
}


@pytest.fixture
def ax() -> Any:
    """Axes of a figure that no window shows."""
    return matplotlib_figure.Figure(figsize=(6, 6), layout="constrained").subplots()


def marked(ax: Any, name: str) -> NDArray[np.float64]:
    """Places (x, y) of the marks of a name."""
    (found,) = [collection for collection in ax.collections if collection.get_label() == name]
    return np.asarray(found.get_offsets())


@pytest.mark.parametrize("check_id", FUNCTIONS)
def test_the_axes_come_back_and_can_be_rendered(make_result: Make, ax: Any, check_id: str) -> None:
    assert FUNCTIONS[check_id](make_result(check_id), ax=ax) is ax
    ax.figure.canvas.draw()
    assert ax.get_title(loc="left").startswith(check_id)
    assert ax.get_legend() is not None


@pytest.mark.parametrize("check_id", ["V08", "V09", "V20"])
def test_row_0_is_at_the_bottom_and_pixels_are_square(make_result: Make, ax: Any, check_id: str) -> None:
    FUNCTIONS[check_id](make_result(check_id), ax=ax)
    (image,) = ax.images
    assert image.origin == "lower"
    assert tuple(image.get_extent()) == (-0.5, 12.5, -0.5, 8.5)
    assert ax.get_ylim() == (-0.5, 8.5)
    assert ax.get_aspect() == 1.0
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("column (px)", "row (px)")


def test_star_at_row_2_is_rendered_below_the_source_at_row_7(make_result: Make, ax: Any) -> None:
    plot_difference_image(make_result("V09"), ax=ax)
    ax.figure.canvas.draw()
    source, stars = marked(ax, "transit source (V09)"), marked(ax, "neighbours, by magnitude")
    assert source.tolist() == [[3, 7]]
    low, high = ax.transData.transform(stars[0]), ax.transData.transform(source[0])
    assert low[1] < high[1]
    assert low[0] > high[0]


def rendered(ax: Any) -> NDArray[np.uint8]:
    """The picture as pixels, top line first."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(ax.figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def test_brightest_pixel_is_painted_where_the_source_is_marked(make_result: Make, ax: Any) -> None:
    result = make_result("V09")
    bare = {"plot_data": result.details["plot_data"]}
    plot_difference_image(make_result("V09", details=bare), ax=ax)
    picture = rendered(ax)
    x, y = (round(float(value)) for value in ax.transData.transform((3, 7)))
    assert picture[picture.shape[0] - 1 - y, x].tolist() == pytest.approx([0x71, 0x26, 0x19], abs=3)


def test_shifts_have_an_inset_of_their_own(make_result: Make, ax: Any) -> None:
    plot_centroid_shift(make_result("V08"), ax=ax)
    (inset,) = ax.child_axes
    assert marked(inset, "mean shift").tolist() == [[pytest.approx(-3.0), pytest.approx(5.0)]]
    assert marked(inset, "single transits")[:, 1] == pytest.approx([4.0, 6.0])
    assert marked(ax, "control centroid (V08)")[0] == pytest.approx([5.9, 5.1])


def test_depths_have_error_bars(make_result: Make, ax: Any) -> None:
    plot_aperture_curve(make_result("V10"), ax=ax)
    (bars,) = ax.containers
    assert bars.lines[0].get_ydata().tolist() == [900.0, 1000.0, 1100.0]
    low, high = bars.lines[2][0].get_segments()[2][:, 1]
    assert (low, high) == (1030.0, 1170.0)
    assert ax.get_ylabel() == "depth (ppm)"


@pytest.mark.parametrize("name", ["$\\frac{", "_hidden"])
def test_odd_names_are_shown_as_they_are(make_result: Make, ax: Any, name: str) -> None:
    plot_aperture_curve(make_result("V10", candidate=name), ax=ax)
    ax.figure.canvas.draw()
    assert name in ax.get_title(loc="left")


def test_no_window_library_is_loaded_by_the_package(make_result: Make) -> None:
    import subprocess
    import sys

    code = "import sys, btv_report.plotting.pixel; print('matplotlib' in sys.modules, 'plotly' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
