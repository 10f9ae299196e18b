"""Stamps of a record: row 0 at the bottom, marks where they belong, the same values in picture, Plotly and CSV."""

from __future__ import annotations

import base64
import copy
import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from btv_report.dossier.figures.figure import Figure
from btv_report.dossier.figures.stamps import control_figures, stamp_figures
from btv_report.record import RunRecord

SVG = "{http://www.w3.org/2000/svg}"
CANDIDATE = "1262.01"
Encode = Callable[..., dict[str, Any]]


def _difference(figures: tuple[Figure, ...]) -> Figure:
    return next(figure for figure in figures if figure.figure_id.endswith("-difference"))


def _root(figure: Figure) -> ET.Element:
    return ET.fromstring(figure.picture)  # noqa: S314 - our own markup


def _png(figure: Figure) -> NDArray[np.uint8]:
    """RGBA pixels of the stamp, top row first."""
    image = next(_root(figure).iter(f"{SVG}image"), None)
    assert image is not None
    return np.array(Image.open(io.BytesIO(base64.b64decode(image.attrib["href"].split(",")[1]))).convert("RGBA"))


def _frame(figure: Figure) -> tuple[float, float, float, float]:
    """x, y, width and height of the stamp in the picture."""
    box = next(element for element in _root(figure).iter(f"{SVG}svg") if "x" in element.attrib)
    x, y, width, height = (float(box.attrib[key]) for key in ("x", "y", "width", "height"))
    return x, y, width, height


def _heatmap(figure: Figure) -> tuple[dict[str, Any], NDArray[np.float32]]:
    trace = json.loads(figure.plotly_json)["data"][0]
    z = np.frombuffer(base64.b64decode(trace["z"]["bdata"]), "<f4")
    return trace, z.reshape([int(n) for n in trace["z"]["shape"].split(",")])


def _csv_image(figure: Figure, shape: tuple[int, int]) -> NDArray[np.float32]:
    image = np.full(shape, np.nan, np.float32)
    for row, column, value in list(csv.reader(io.StringIO(figure.csv)))[1:]:
        image[int(row), int(column)] = np.float32(value) if value else np.nan
    return image


def _with_difference(record: RunRecord, image: NDArray[Any], encode: Encode) -> RunRecord:
    record["checks"][1]["stamps"]["difference_image"] = encode(image)  # type: ignore[assignment]
    return record


def test_five_stamps_in_the_order_of_reading(planet: RunRecord) -> None:
    titles = [figure.title for figure in stamp_figures(planet, CANDIDATE, 83)]
    assert titles == [
        "Control mean",
        "In-transit mean",
        "Difference image",
        "Signal-to-noise of the difference",
        "Depth of each pixel",
    ]


def test_row_0_is_at_the_bottom_and_column_0_on_the_left(own_planet: RunRecord, encode: Encode) -> None:
    image = np.zeros((11, 13))
    image[0, 2] = 50.0
    png = _png(_difference(stamp_figures(_with_difference(own_planet, image, encode), CANDIDATE, 83)))
    assert png.shape[:2] == (11, 13)
    background = png[0, 0, :3]
    different = np.argwhere((png[..., :3] != background).any(axis=-1))
    assert different.tolist() == [[10, 2]]  # the last row of the PNG is row 0


def test_pixels_without_a_value_are_gaps_everywhere(own_planet: RunRecord, encode: Encode) -> None:
    image = np.arange(143.0).reshape(11, 13)
    image[3, 4] = np.nan
    figure = _difference(stamp_figures(_with_difference(own_planet, image, encode), CANDIDATE, 83))
    transparent = np.argwhere(_png(figure)[..., 3] == 0)
    assert transparent.tolist() == [[7, 4]]
    assert np.argwhere(np.isnan(_heatmap(figure)[1])).tolist() == [[3, 4]]
    assert "3,4,\n" in figure.csv


def test_plotly_and_csv_hold_the_recorded_values(planet: RunRecord) -> None:
    for figure, name in zip(
        stamp_figures(planet, CANDIDATE, 83),
        ("reference_image", "in_transit_mean", "difference_image", "difference_snr", "depth_map_ppm"),
        strict=True,
    ):
        stamp = planet["checks"][1]["stamps"][name]
        recorded = np.frombuffer(base64.b64decode(stamp["data"]), "<f4").reshape(stamp["shape"])
        np.testing.assert_array_equal(_heatmap(figure)[1], recorded)
        np.testing.assert_array_equal(_csv_image(figure, (11, 13)), recorded)


def test_a_mark_lies_on_the_middle_of_its_pixel(own_planet: RunRecord) -> None:
    own_planet["pixel_views"][0]["target_row"] = 2.0
    own_planet["pixel_views"][0]["target_column"] = 9.0
    figure = _difference(stamp_figures(own_planet, CANDIDATE, 83))
    box = next(element for element in _root(figure).iter(f"{SVG}svg") if "x" in element.attrib)
    (image,) = box.iter(f"{SVG}image")
    view = [float(number) for number in re.findall(r"-?\d*\.?\d+", box.attrib["viewBox"])]
    assert view == [float(image.attrib[name]) for name in ("x", "y", "width", "height")] == [-0.5, -10.5, 13, 11]
    # Rows grow upwards from the lower edge of the image, which is that of row 0, at 0.5.
    (group,) = (g for g in box if g.attrib.get("transform") == "scale(1-1)")
    paths = "".join(path.attrib["d"] for path in group.iter(f"{SVG}path"))
    cross = re.search(r"M([\d.]+) 2h([\d.]+)", paths)
    assert cross is not None
    assert float(cross[1]) + float(cross[2]) / 2 == pytest.approx(9.0, abs=0.01)


def test_the_axes_have_equal_scales(planet: RunRecord) -> None:
    _, _, width, height = _frame(_difference(stamp_figures(planet, CANDIDATE, 83)))
    assert width / 13 == height / 11
    layout = json.loads(_difference(stamp_figures(planet, CANDIDATE, 83)).plotly_json)["layout"]
    assert layout["yaxis"]["scaleanchor"] == "x"
    assert layout["yaxis"]["range"] == [-0.5, 10.5]
    assert layout["xaxis"]["range"] == [-0.5, 12.5]


def test_the_caption_says_finding_and_data(eclipsing_neighbour: RunRecord) -> None:
    caption = _difference(stamp_figures(eclipsing_neighbour, CANDIDATE, 83)).caption
    assert "62.1 ± 3.1 arcsec from the catalogue position (20.0 sigma in two dimensions" in caption
    assert "largest at row 7, column 8" in caption
    assert "Sector 83, SPOC, 120 s exposures." in caption
    assert "Pixel (0, 0) is detector row 1204, column 377." in caption


def test_simulated_data_are_called_so(own_planet: RunRecord) -> None:
    own_planet["products"][0]["simulated"] = True
    for figure in stamp_figures(own_planet, CANDIDATE, 83):
        assert "SIMULATED" in figure.caption


def test_neighbours_are_numbered_by_brightness_and_named_in_the_table(planet: RunRecord) -> None:
    figure = stamp_figures(planet, CANDIDATE, 83)[0]
    numbered = [row for row in figure.table.rows if row[0][0].isdigit()]
    assert [row[0] for row in numbered] == [
        "1: TIC 1000001",
        "2: TIC 1000002",
        "3: Gaia DR3 4611686018427387904",
    ]
    assert numbered[0] == ("1: TIC 1000001", "7.10", "8.20", "12.9 mag, 61.3 arcsec away")
    assert "TIC 1000003" not in figure.plotly_json  # off the stamp


def test_the_source_carries_its_error_in_the_table(planet: RunRecord) -> None:
    rows = {row[0]: row for row in _difference(stamp_figures(planet, CANDIDATE, 83)).table.rows}
    assert rows["transit source (V09)"][1:3] == ("4.830 ± 0.050", "6.260 ± 0.060")


def test_the_single_transits_are_listed_with_their_own_peaks(eclipsing_neighbour: RunRecord) -> None:
    rows = {row[0]: row for row in _difference(stamp_figures(eclipsing_neighbour, CANDIDATE, 83)).table.rows}
    assert rows["largest value of transit 2"][1:3] == ("7", "8")


def test_a_stamp_as_big_endian_bytes_would_be_is_typed_little_endian(planet: RunRecord) -> None:
    trace, _ = _heatmap(_difference(stamp_figures(planet, CANDIDATE, 83)))
    assert trace["z"]["dtype"] == "f4"
    assert isinstance(trace["z"]["bdata"], str)


def test_the_depth_map_names_no_value_outside_the_aperture(own_planet: RunRecord, encode: Encode) -> None:
    image = np.zeros((11, 13))
    image[5, 6], image[10, 12] = 300.0, 7_844_267.0
    own_planet["checks"][1]["stamps"]["depth_map_ppm"] = encode(image)  # type: ignore[assignment]
    figure = stamp_figures(own_planet, CANDIDATE, 83)[-1]
    assert figure.table.rows[0] == ("largest value in the aperture", "5", "6", "300.0 ppm")
    assert "7,844,267" not in figure.caption
    assert json.loads(figure.plotly_json)["data"][0]["zmax"] == 300.0


def test_a_signal_to_noise_has_two_decimals(planet: RunRecord) -> None:
    figure = stamp_figures(planet, CANDIDATE, 83)[3]
    assert re.fullmatch(r"\d+\.\d{2} sigma", figure.table.rows[0][3])
    assert "the larger of the formal and the matched-window error" in figure.caption


def test_the_interactive_stamp_stands_in_the_place_of_the_picture(planet: RunRecord) -> None:
    for figure in stamp_figures(planet, CANDIDATE, 83):
        x, y, width, height = _frame(figure)
        margin = json.loads(figure.plotly_json)["layout"]["margin"]
        assert (margin["l"], margin["t"]) == pytest.approx((x, y))
        assert figure.width - margin["r"] == pytest.approx(x + width)
        assert figure.height - margin["b"] == pytest.approx(y + height, abs=0.5)


def test_what_stays_around_the_plot_is_not_drawn_twice(planet: RunRecord) -> None:
    root = _root(_difference(stamp_figures(planet, CANDIDATE, 83)))
    live = {
        text.text for group in root.iter(f"{SVG}g") if group.get("class") == "live" for text in group.iter(f"{SVG}text")
    }
    everything = {text.text for text in root.iter(f"{SVG}text")}
    assert {"N", "E", "column, px", "neighbours, numbered"} <= everything - live
    assert {"1", "2", "3"} <= live


def test_hover_names_place_value_and_unit(planet: RunRecord) -> None:
    trace, _ = _heatmap(_difference(stamp_figures(planet, CANDIDATE, 83)))
    assert trace["hovertemplate"].startswith("row %{y}, column %{x}: %{z:,.")
    assert trace["hovertemplate"].endswith(" e⁻/s<extra></extra>")


def test_the_depth_map_is_coloured_by_the_aperture_and_says_so(planet: RunRecord) -> None:
    figure = stamp_figures(planet, CANDIDATE, 83)[-1]
    limit = json.loads(figure.plotly_json)["data"][0]["zmax"]
    stamp = planet["checks"][1]["stamps"]["depth_map_ppm"]
    image = np.frombuffer(base64.b64decode(stamp["data"]), "<f4")
    mask = np.frombuffer(base64.b64decode(planet["checks"][3]["stamps"]["aperture_mask"]["data"]), "|u1") > 0
    assert limit == pytest.approx(np.nanmax(np.abs(image[mask])), rel=1e-6)
    assert limit < np.nanmax(np.abs(image))
    assert "Colours end at ±" in figure.caption


def test_without_an_ephemeris_the_control_image_stands_alone(planet: RunRecord) -> None:
    (figure,) = control_figures(planet, 83)
    assert figure.figure_id == "control-s83"
    assert "Mean of 15,012 used cadences" in figure.caption
    assert control_figures(planet, 84) == ()


@pytest.mark.parametrize("shape", [(1, 1), (1, 25), (25, 1), (3, 2), (25, 25), (2, 60)])
def test_f105_every_shape_is_drawn(own_planet: RunRecord, encode: Encode, shape: tuple[int, int]) -> None:
    image = np.linspace(-1, 5, shape[0] * shape[1]).reshape(shape)
    figure = _difference(stamp_figures(_with_difference(own_planet, image, encode), CANDIDATE, 83))
    assert _png(figure).shape[:2] == shape
    x, y, width, height = _frame(figure)
    assert x >= 0
    assert y >= 0
    assert x + width <= figure.width
    assert y + height <= figure.height


def test_an_unknown_orientation_has_no_compass(own_planet: RunRecord) -> None:
    def letters(record: RunRecord) -> set[str | None]:
        return {t.text for t in _root(stamp_figures(record, CANDIDATE, 83)[0]).iter(f"{SVG}text")} & {"N", "E"}

    assert letters(own_planet) == {"N", "E"}
    own_planet["pixel_views"][0]["sky_per_pixel_arcsec"] = None
    assert letters(own_planet) == set()


@pytest.mark.parametrize(("handedness", "east_is_left"), [(-1, True), (1, False)])
def test_the_compass_is_drawn_as_the_wcs_says(own_planet: RunRecord, handedness: int, east_is_left: bool) -> None:
    record = copy.deepcopy(own_planet)
    record["pixel_views"][0]["sky_per_pixel_arcsec"] = [[21.0 * handedness, 0.0], [0.0, 21.0]]
    root = _root(stamp_figures(record, CANDIDATE, 83)[0])
    place = {
        t.text: (float(t.attrib["x"]), float(t.attrib["y"])) for t in root.iter(f"{SVG}text") if t.text in ("N", "E")
    }
    assert place["N"][1] < place["E"][1]  # north is up: smaller y in SVG
    assert (place["E"][0] < place["N"][0]) is east_is_left


def test_a_caption_says_how_many_of_the_stars_its_circles_show(own_planet: RunRecord) -> None:
    (view,) = own_planet["pixel_views"][:1]
    view["neighbours"] = view["neighbours"][:2]
    (figure,) = control_figures(own_planet, view["sector"])
    assert "Circles: catalogued stars, larger is brighter." in figure.caption
    view["n_neighbours"] = 1000
    (figure,) = control_figures(own_planet, view["sector"])
    assert re.search(r"Circles: the \d+ brightest of 1,000 catalogued stars, larger is brighter\.", figure.caption)
    view["neighbours"] = []
    (figure,) = control_figures(own_planet, view["sector"])
    assert "Circles" not in figure.caption
