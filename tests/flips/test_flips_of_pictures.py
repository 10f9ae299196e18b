# ruff: noqa: E501 - a flip is a row
"""From results to pictures: which way is up, north, east and right; each convention is turned round once and must be noticed."""

from __future__ import annotations

import base64
import io
import json
import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from btv_report.checks.result import CheckResult, Metric, Verdict
from btv_report.dossier.figures.colours import diverging
from btv_report.dossier.figures.overlay import compass, ellipse_points, outline_runs, thin_polygon
from btv_report.dossier.figures.stamp_picture import draw_stamp
from btv_report.dossier.figures.stamp_plotly import stamp_json
from btv_report.dossier.figures.stamp_scene import IN_TRANSIT_CENTROID, TARGET, Mark, StampScene
from btv_report.dossier.figures.svg import Frame
from btv_report.plotting.pixel import plot_aperture_curve, plot_centroid_shift, plot_difference_image, plot_ghost
from btv_report.plotting.stored import median_image
from btv_report.stamps import decode_stamp, encode_stamp

Truth = Callable[[Any], None]
SHAPE, BRIGHT, STAR = (6, 9), (4, 7), (1, 2)  # rows and columns; the brightest pixel; a star below and left of it
ON_SKY = [[-21.0, 0.0], [0.0, 21.0]]  # north up, east to the left


def image() -> Any:
    values = np.zeros(SHAPE, np.float32)
    values[BRIGHT] = 10.0
    return values


def scene() -> StampScene:
    star: Any = {"star_id": "TIC 7", "row": 1.0, "column": 2.0, "magnitude": 9.0, "separation_arcsec": 80.0}
    return StampScene(
        image(),
        diverging(image()),
        "e-/s",
        marks=(Mark(TARGET, 4.0, 7.0),),
        neighbours=(star,),
        numbers={"TIC 7": 1},
        sky_per_pixel_arcsec=ON_SKY,
    )


def markup() -> str:
    return draw_stamp("figure", "a stamp", scene()).render()


def numbers_in(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", text)]


def stamp_box(text: str) -> tuple[float, float, float, float, float]:
    """Left, top and size of a pixel of the stamp in the drawing; the column and the negative row at that corner."""
    found = re.search(r'<svg (x="[^>]*?") preserveAspectRatio="none" viewBox="([^"]+)"><image ([^>]*?) preserve', text)
    assert found
    (left, top, width, height), units, placed = (numbers_in(part) for part in found.groups())
    assert units[2:] == [SHAPE[1], SHAPE[0]]
    assert placed == units  # one unit a pixel
    assert width / SHAPE[1] == pytest.approx(height / SHAPE[0])
    return left, top, width / SHAPE[1], units[0], units[1]


def centre_of_pixel(text: str, row: float, column: float) -> tuple[float, float]:
    """Where a place must be drawn: row 0 is the lowest line of the stamp."""
    left, top, size, _, _ = stamp_box(text)
    return left + (column + 0.5) * size, top + (SHAPE[0] - row - 0.5) * size


def stamp_has_row_0_at_the_bottom(workshop: Any) -> None:
    from PIL import Image

    found = re.search(r"data:image/png;base64,([^\"]+)", markup())
    assert found
    red = np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))).convert("RGB"))[..., 0].astype(int)
    # All pixels are the pale middle of the scale but one, which is dark: fourth row from the bottom.
    odd = np.argwhere(red != np.median(red)).tolist()
    assert odd == [[SHAPE[0] - 1 - BRIGHT[0], BRIGHT[1]]]


def marks_lie_on_their_pixels(workshop: Any) -> None:
    text = markup()
    left, top, size, first_column, first_line = stamp_box(text)
    turned = re.search(r'<g class="over" transform="scale\(1([- ]1)\)"', text)
    assert turned
    drawn = re.search(r'<g class="dark"[^>]*><g><path d="(M[^h]+h[\d.]+)', text)
    assert drawn
    start, row, length = numbers_in(drawn[1])
    x = left + size * (start + length / 2 - first_column)
    y = top + size * (float(turned[1]) * row - first_line)
    assert (x, y) == pytest.approx(centre_of_pixel(text, *BRIGHT), abs=0.5)


def numbers_stand_beside_their_rows_and_stars(workshop: Any) -> None:
    text = markup()
    rows = {int(number): float(y) for y, number in re.findall(r'<text x="29" y="([\d.]+)">(\d)</text>', text)}
    assert set(rows) == {0, 2, 4}
    assert all(abs(y - centre_of_pixel(text, row, 0)[1]) < 6 for row, y in rows.items())
    group = re.search(r'font-weight="600"><text x="([\d.]+)" y="([\d.]+)">1</text>', text)
    assert group
    x, y = centre_of_pixel(text, *STAR)
    assert 0 < float(group[1]) - x < 15
    assert abs(float(group[2]) - y) < 8


def compass_points_north_up_and_east_left(workshop: Any) -> None:
    arrows = compass(ON_SKY)
    assert arrows is not None
    assert arrows[0] == pytest.approx((0, 1))
    assert arrows[1] == pytest.approx((-1, 0))
    cos, sin = 0.8, 0.6
    turned = compass([[-21 * cos, 30 * sin], [21 * sin, 30 * cos]])
    assert turned is not None
    # Along the arrow to north nothing changes in east: -21 cos dc + 30 sin dr = 0.
    assert -21 * cos * turned[0][0] + 30 * sin * turned[0][1] == pytest.approx(0)
    letters = {
        name: (float(x), float(y))
        for x, y, name in re.findall(r'<text x="([\d.]+)" y="([\d.]+)">([NE])</text>', markup())
    }
    assert letters["N"][1] < letters["E"][1]
    assert letters["E"][0] < letters["N"][0]


def interactive_stamp_holds_rows_of_columns(workshop: Any) -> None:
    drawing = draw_stamp("figure", "a stamp", scene())
    figure = json.loads(stamp_json(scene(), drawing, "e-/s"))
    heat = figure["data"][0]
    assert heat["z"]["shape"] == "6, 9"
    values = np.frombuffer(base64.b64decode(heat["z"]["bdata"]), "<f4").reshape(SHAPE)
    assert divmod(int(values.argmax()), SHAPE[1]) == BRIGHT
    assert figure["layout"]["yaxis"]["range"] == [-0.5, 5.5]
    assert figure["layout"]["xaxis"]["range"] == [-0.5, 8.5]
    stars, marks = (trace for trace in figure["data"] if "markers" in trace.get("mode", ""))
    assert (marks["x"], marks["y"]) == ([7.0], [4.0])
    assert (stars["x"], stars["y"]) == ([2.0], [1.0])


def outlines_lie_between_pixels(workshop: Any) -> None:
    mask = np.zeros(SHAPE, bool)
    mask[4, 5:8] = True
    assert set(outline_runs(mask)) == {
        (4.5, 3.5, 7.5, 3.5),
        (4.5, 4.5, 7.5, 4.5),
        (4.5, 3.5, 4.5, 4.5),
        (7.5, 3.5, 7.5, 4.5),
    }


def ellipses_and_regions_have_rows_upwards(workshop: Any) -> None:
    points = np.array(ellipse_points((7.0, 4.0), [[4.0, 0.0], [0.0, 1.0]], 1.0))
    assert np.ptp(points[:, 1]) == pytest.approx(4, rel=0.01)
    assert np.ptp(points[:, 0]) == pytest.approx(2, rel=0.01)
    assert points.mean(axis=0) == pytest.approx((7.0, 4.0))
    corners = thin_polygon([[1.0, 5.0], [1.0, 8.0], [2.0, 8.0], [2.0, 5.0]])
    assert np.max(corners, axis=0).tolist() == [8.0, 2.0]


def curves_grow_upwards(workshop: Any) -> None:
    frame = Frame(10, 20, 100, 50, (0.0, 10.0), (0.0, 1.0))
    assert frame.y(1.0) == 20
    assert frame.y(0.0) == 70
    assert frame.x(10.0) == 110


def stamps_are_bytes_of_row_0_first(workshop: Any) -> None:
    stamp = encode_stamp(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    assert stamp["shape"] == [2, 3]
    assert struct.unpack("<6f", base64.b64decode(stamp["data"])) == (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
    mask = encode_stamp(np.array([[True, False, False]]))
    assert base64.b64decode(mask["data"]) == b"\1\0\0"


def stamps_are_read_row_0_first(workshop: Any) -> None:
    data = base64.b64encode(struct.pack("<6f", 1, 2, 3, 4, 5, 6)).decode()
    assert decode_stamp({"dtype": "<f4", "shape": [2, 3], "data": data}).tolist() == [[1, 2, 3], [4, 5, 6]]


def result(check_id: str, details: dict[str, Any], **metrics: float) -> CheckResult:
    numbers = {name: Metric(value, "") for name, value in metrics.items()}
    return CheckResult(check_id, "1.01", 7, Verdict.PASS, "", metrics=numbers, details=details)


def trace(figure: Any, name: str) -> Any:
    found = [part for part in figure.data if part.name == name and part.hoverinfo != "skip"]
    assert found, name
    return found[0]


V09_DETAILS: dict[str, Any] = {
    "plot_data": {"difference_image": image()},
    "source": {"row": 4.0, "column": 7.0},
    "region_3sigma": [[3.0, 5.0], [3.0, 8.0], [4.5, 8.0], [3.0, 5.0]],
    "neighbours": [{"star_id": "TIC 7", "magnitude": 9.0, "row": 1.0, "column": 2.0}],
}


def plotted_difference_image_is_the_right_way_up(workshop: Any) -> None:
    figure: Any = plot_difference_image(result("V09", V09_DETAILS))
    heat = figure.data[0]
    assert np.shape(heat.z) == SHAPE
    assert divmod(int(np.argmax(heat.z)), SHAPE[1]) == BRIGHT
    assert figure.layout.yaxis.range == (-0.5, 5.5)
    assert figure.layout.xaxis.range == (-0.5, 8.5)
    source, star, region = (
        trace(figure, name) for name in ("transit source (V09)", "neighbours, by magnitude", "99.73 % region")
    )
    assert (source.x[0], source.y[0]) == (7.0, 4.0)
    assert (star.x[0], star.y[0]) == (2.0, 1.0)
    assert (max(region.x), max(region.y)) == (8.0, 4.5)


def drawn_difference_image_is_the_right_way_up(workshop: Any) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    ax = Figure(figsize=(4, 4)).subplots()
    plot_difference_image(result("V09", {"plot_data": {"difference_image": image()}}), ax=ax)
    canvas: Any = FigureCanvasAgg(ax.figure)  # type: ignore[arg-type]
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())
    x, y = (round(float(value)) for value in ax.transData.transform((7, 4)))
    assert picture[picture.shape[0] - 1 - y, x, 2] < 80  # the dark orange end of the colours
    x, y = (round(float(value)) for value in ax.transData.transform((7, 1)))
    assert picture[picture.shape[0] - 1 - y, x, 2] > 200
    assert ax.transData.transform((7, 1))[1] < ax.transData.transform((7, 4))[1]


def plotted_shifts_point_to_the_source(workshop: Any) -> None:
    details = {
        "plot_data": {"reference_image": image()},
        "control_centroid": {"row": 2.0, "column": 3.0},
        "in_transit_centroid": {"row": 1.99, "column": 3.02},
        "shift_row_px": 0.01,
        "shift_column_px": -0.02,
        "covariance_px2": [[4e-6, 0.0], [0.0, 1e-6]],
        "transit_points": [{"number": 0, "shift_row_px": 0.01, "shift_column_px": -0.02}],
    }
    figure: Any = plot_centroid_shift(result("V08", details))
    mean = trace(figure, "mean shift")
    assert (mean.x[0], mean.y[0]) == pytest.approx((-20.0, 10.0))
    single, inside = trace(figure, "single transits"), trace(figure, "in-transit centroid (V08)")
    assert (single.x[0], single.y[0]) == pytest.approx((inside.x[0], inside.y[0]))
    assert inside.name == IN_TRANSIT_CENTROID


def plotted_depths_are_ppm(workshop: Any) -> None:
    curve = {"radii_px": [1.0, 2.0], "depth_ppm": [900.0, 950.0], "depth_ppm_err": [50.0, 60.0]}
    figure: Any = plot_aperture_curve(result("V10", curve, depth_ppm_pipeline=1000.0, depth_ppm_pipeline_err=40.0))
    points = trace(figure, "measured")
    assert (points.x, points.y) == ((1.0, 2.0), (900.0, 950.0))
    assert figure.layout.shapes[0].y1 == 1040.0
    assert figure.layout.yaxis.range[1] > figure.layout.yaxis.range[0]


def plotted_core_lies_on_its_pixels(workshop: Any) -> None:
    core = np.zeros(SHAPE, bool)
    core[4, 5:8] = True
    figure: Any = plot_ghost(result("V20", {"plot_data": {"difference_image": image(), "core_mask": core}}))
    line = trace(figure, "core")
    assert (np.nanmin(line.x), np.nanmax(line.x), np.nanmin(line.y), np.nanmax(line.y)) == (4.5, 7.5, 3.5, 4.5)


def median_runs_over_cadences(workshop: Any) -> None:
    cube = np.zeros((5, *SHAPE))
    cube[:, BRIGHT[0], BRIGHT[1]] = [1, 2, 3, 4, 500]
    assert median_image(cube).shape == SHAPE
    assert median_image(cube)[BRIGHT] == 3.0


F, P = "btv_report.dossier.figures", "btv_report.plotting"
PICTURE, PLOTLY, OVERLAY = f"{F}.stamp_picture", f"{F}.stamp_plotly", f"{F}.overlay"
FLIPS: list[tuple[str, str, str, str, Truth]] = [
    ("row 0 at the top of the stamp's PNG", f"{PICTURE}:_draw_image", "levels(scene.image)[::-1]", "levels(scene.image)", stamp_has_row_0_at_the_bottom),
    ("east-west in the stamp's PNG", f"{PICTURE}:_draw_image", "levels(scene.image)[::-1]", "levels(scene.image)[::-1, ::-1]", stamp_has_row_0_at_the_bottom),
    ("row 0 at the top of the SVG overlay", f"{PICTURE}:_draw_overlay", "scale(1-1)", "scale(1 1)", marks_lie_on_their_pixels),
    ("half-pixel in the rows of the SVG overlay", f"{PICTURE}:_draw_image", "-frame.y_range[1]", "-frame.y_range[1] + 0.5", marks_lie_on_their_pixels),
    ("half-pixel in the columns of the SVG overlay", f"{PICTURE}:_draw_image", "frame.x_range[0]", "frame.x_range[0] + 0.5", marks_lie_on_their_pixels),
    ("0-1-based in the SVG overlay", f"{PICTURE}:_draw_image", "frame.x_range[0]", "frame.x_range[0] + 1", marks_lie_on_their_pixels),
    ("row-column in the signs of the SVG overlay", f"{PICTURE}:_mark_path", "mark.column, mark.row", "mark.row, mark.column", marks_lie_on_their_pixels),
    ("row 0 at the top of the row numbers", f"{PICTURE}:_draw_axes", "bottom - (row + 0.5)", "top + (row + 0.5)", numbers_stand_beside_their_rows_and_stars),
    ("0-1-based in the row numbers", f"{PICTURE}:_draw_axes", "str(first_row + row)", "str(first_row + row + 1)", numbers_stand_beside_their_rows_and_stars),
    ("row 0 at the top of the stars' numbers", f"{PICTURE}:_draw_star_numbers", 'frame.y(star["row"])', 'frame.top + frame.bottom - frame.y(star["row"])', numbers_stand_beside_their_rows_and_stars),
    ("north-east in the letters of the compass", f"{PICTURE}:_draw_compass", '"NE"', '"EN"', compass_points_north_up_and_east_left),
    ("south for north in the picture of the compass", f"{PICTURE}:_draw_compass", "y0 - row * (length + 8)", "y0 + row * (length + 8)", compass_points_north_up_and_east_left),
    ("east-west in the compass", f"{OVERLAY}:compass", "(float(east[0]), float(east[1]))", "(-float(east[0]), -float(east[1]))", compass_points_north_up_and_east_left),
    ("north-east in the compass", f"{OVERLAY}:compass", "to_east, to_north = ", "to_north, to_east = ", compass_points_north_up_and_east_left),
    ("row-column in the compass", f"{OVERLAY}:compass", "np.linalg.inv(matrix).T", "np.linalg.inv(matrix)", compass_points_north_up_and_east_left),
    ("row 0 at the top of the interactive stamp", f"{PLOTLY}:_heatmap", "typed(scene.image)", "typed(scene.image[::-1])", interactive_stamp_holds_rows_of_columns),
    ("row-column in the interactive stamp", f"{PLOTLY}:_heatmap", "typed(scene.image)", "typed(scene.image.T)", interactive_stamp_holds_rows_of_columns),
    ("row-column in the interactive marks", f"{PLOTLY}:_marks", '"x": [round(mark.column, 3)', '"x": [round(mark.row, 3)', interactive_stamp_holds_rows_of_columns),
    ("row-column in the interactive stars", f"{PLOTLY}:_stars", '"x": [round(star["column"], 3)', '"x": [round(star["row"], 3)', interactive_stamp_holds_rows_of_columns),
    ("half-pixel in the axes of the stamp", f"{PICTURE}:stamp_frame", "scene.origin[0] - 0.5", "scene.origin[0]", interactive_stamp_holds_rows_of_columns),
    ("row-column in outlines", f"{OVERLAY}:outline_runs", "(start - 0.5, i - 0.5, end - 0.5, i - 0.5)", "(i - 0.5, start - 0.5, i - 0.5, end - 0.5)", outlines_lie_between_pixels),
    ("half-pixel in outlines", f"{OVERLAY}:outline_runs", "(start - 0.5, i - 0.5, end - 0.5, i - 0.5)", "(start, i, end, i)", outlines_lie_between_pixels),
    ("row-column in ellipses", f"{OVERLAY}:ellipse_points", "for row, column in offsets.T", "for column, row in offsets.T", ellipses_and_regions_have_rows_upwards),
    ("row-column in regions", f"{OVERLAY}:thin_polygon", "for row, column in points", "for column, row in points", ellipses_and_regions_have_rows_upwards),
    ("curves upside down", f"{F}.svg:Frame.y", "self.bottom - ", "self.top + ", curves_grow_upwards),
    ("row-column in the bytes of a stamp", "btv_report.stamps:_float32_bytes", "single.astype(FLOAT32).tobytes()", 'single.astype(FLOAT32).tobytes(order="F")', stamps_are_bytes_of_row_0_first),
    ("row 0 last in the bytes of a stamp", "btv_report.stamps:_float32_bytes", "single.astype(FLOAT32).tobytes()", "single.astype(FLOAT32)[::-1].tobytes()", stamps_are_bytes_of_row_0_first),
    ("byte order of a stamp", "btv_report.stamps:_float32_bytes", "single.astype(FLOAT32).tobytes()", 'single.astype(">f4").tobytes()', stamps_are_bytes_of_row_0_first),
    ("row-column in the shape of a stamp", "btv_report.stamps:encode_stamp", "list(array.shape)", "list(array.shape[::-1])", stamps_are_bytes_of_row_0_first),
    ("row-column of a stamp that is read", "btv_report.stamps:decode_stamp", ".reshape(shape)", ".reshape(shape[::-1]).T", stamps_are_read_row_0_first),
    ("row 0 at the top of a plotted image", f"{P}.plotly_surface:_heatmap", '"z": heatmap.image', '"z": heatmap.image[::-1]', plotted_difference_image_is_the_right_way_up),
    ("row-column in a plotted image", f"{P}.plotly_surface:_heatmap", '"z": heatmap.image', '"z": heatmap.image.T', plotted_difference_image_is_the_right_way_up),
    ("upside-down axis of a plotted image", f"{P}.panel:Heatmap.y_range", "-0.5, self.image.shape[0] - 0.5", "self.image.shape[0] - 0.5, -0.5", plotted_difference_image_is_the_right_way_up),
    ("half-pixel in the axis of a plotted image", f"{P}.panel:Heatmap.x_range", "-0.5, ", "0.0, ", plotted_difference_image_is_the_right_way_up),
    ("row-column in a plotted mark", f"{P}.overlays:mark", "(column,), (row,)", "(row,), (column,)", plotted_difference_image_is_the_right_way_up),
    ("row-column in plotted stars", f"{P}.overlays:neighbour_marks", 'tuple(float(star["column"])', 'tuple(float(star["row"])', plotted_difference_image_is_the_right_way_up),
    ("row-column in a plotted region", f"{P}.overlays:polygon", "tuple(float(p[1]) for p in points), tuple(float(p[0]) for p in points)", "tuple(float(p[0]) for p in points), tuple(float(p[1]) for p in points)", plotted_difference_image_is_the_right_way_up),
    ("row 0 at the top of matplotlib axes", f"{P}.matplotlib_surface:_draw", "ax.set_ylim(panel.y_range)", "ax.set_ylim(panel.y_range[::-1])", drawn_difference_image_is_the_right_way_up),
    ("row 0 at the top of a matplotlib image", f"{P}.matplotlib_surface:_draw_heatmap", "ax.imshow(heatmap.image,", "ax.imshow(heatmap.image[::-1],", drawn_difference_image_is_the_right_way_up),
    ("row-column in the plotted shift", f"{P}.pixel:_shift_plane", 'mean = (MILLI * float(details["shift_column_px"]), MILLI * float(details["shift_row_px"]))', 'mean = (MILLI * float(details["shift_row_px"]), MILLI * float(details["shift_column_px"]))', plotted_shifts_point_to_the_source),
    ("pixel-millipixel in the plotted shift", f"{P}.pixel:MILLI", "1e3", "1", plotted_shifts_point_to_the_source),
    ("plus-minus in the plotted centroids of single transits", f"{P}.pixel:_in_transit_points", 'float(control["column"]) - ', 'float(control["column"]) + ', plotted_shifts_point_to_the_source),
    ("ppm-fraction in the plotted depths", f"{P}.growth:growth_curves", "list(depth),", "[d / 1e6 for d in depth],", plotted_depths_are_ppm),
    ("row-column in a plotted outline", f"{P}.overlays:outline", "return (Line(kind, x, y,", "return (Line(kind, y, x,", plotted_core_lies_on_its_pixels),
    ("cadences taken for rows in the median", f"{P}.stored:median_image", "axis=0", "axis=2", median_runs_over_cadences),
]  # fmt: skip


@pytest.mark.parametrize(("where", "old", "new", "truth"), [pytest.param(*row[1:], id=row[0]) for row in FLIPS])
def test_flip_is_caught(workshop: Any, flip: Any, where: str, old: str, new: str, truth: Truth) -> None:
    truth(workshop)
    flip(where, old, new)
    with pytest.raises(AssertionError):
        truth(workshop)
