# ruff: noqa: E501 - a flip is a row
"""Our fit beside SPOC's, in SPOC's detector coordinates; each convention is turned round once and must be noticed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from btv_report.checks.dv_comparison import compare_image
from btv_report.products.dv_report import ROOT_ELEMENT, read_dv_report
from btv_report.stages.dv_values import comparison_value

Truth = Callable[[Any], None]
TARGET, SOURCE = (905.3, 304.1), (906.6, 305.4)  # detector row, column
DEC, SCALE = -40.0, 20.0 / 3600  # neither the nominal scale nor so far from it that it would be refused


def measured(name: str, value: float, error: float = 0.5) -> str:
    return f'<{name} value="{value!r}" uncertainty="{error!r}"/>'


def star(row: int, column: int, place: tuple[float, float]) -> float:
    return 1000.0 * math.exp(-((row - place[0]) ** 2 + (column - place[1]) ** 2) / (2 * 0.9**2))


def centroid(name: str, place: tuple[float, float]) -> str:
    """A place on the detector and on the sky: east along columns, north along rows, 20 arcsec a pixel, about Dec -40."""
    ra = 120.0 + (place[1] - TARGET[1]) * SCALE / math.cos(math.radians(DEC))
    dec = DEC + (place[0] - TARGET[0]) * SCALE
    numbers = ("row", place[0]), ("column", place[1]), ("raDegrees", ra), ("decDegrees", dec)
    return f"<{name}>{''.join(measured(*number) for number in numbers)}</{name}>"


def compared(workshop: Any) -> dict[str, Any]:
    """A DV report of a star whose neighbour, 1.3 px up and to the right, carries the signal: our line of it."""
    pixels = ""
    for row in range(900, 912):
        for column in range(300, 310):
            control, difference = 5 * star(row, column, TARGET) + 20, star(row, column, SOURCE)
            flux = measured("meanFluxOutOfTransit", control) + measured("meanFluxInTransit", control - difference)
            flux += measured("meanFluxDifference", difference)
            pixels += f'<differenceImagePixelData ccdRow="{row}" ccdColumn="{column}">{flux}</differenceImagePixelData>'
    places = ("controlImageCentroid", TARGET), ("differenceImageCentroid", SOURCE), ("ticReferenceCentroid", TARGET)
    path = workshop.folder / "dvr.xml"
    path.write_text(
        f'<{ROOT_ELEMENT} ticId="42"><planetResults planetNumber="1"><differenceImageResults sector="7">{pixels}'
        f"{''.join(centroid(*place) for place in places)}</differenceImageResults></planetResults></{ROOT_ELEMENT}>",
        encoding="utf-8",
    )
    report = read_dv_report(path)
    planet = report.planets[0]
    value = comparison_value(report, planet, compare_image(planet.difference_images[0], 10.0, []))
    assert "ours" in value, value.get("reason")
    return value


def our_position_is_in_detector_coordinates(workshop: Any) -> None:
    value = compared(workshop)
    assert (value["ours"]["row"], value["ours"]["column"]) == pytest.approx(SOURCE, abs=0.05)
    assert (value["spoc"]["row"], value["spoc"]["column"]) == pytest.approx(SOURCE)
    assert value["distance_px"] < 0.1


def our_offset_is_in_arcsec(workshop: Any) -> None:
    assert compared(workshop)["ours"]["tic_offset_arcsec"] == pytest.approx(20 * math.hypot(1.3, 1.3), abs=0.8)


DV, VALUES = "btv_report.checks.dv_comparison", "btv_report.stages.dv_values"
FLIPS: list[tuple[str, str, str, str, Truth]] = [
    ("row-column of our position beside SPOC's", f"{VALUES}:_our_value", '"row": _rounded(fit.row + image.corner_row)', '"row": _rounded(fit.column + image.corner_column)', our_position_is_in_detector_coordinates),
    ("0-1-based of our position beside SPOC's", f"{VALUES}:_our_value", '"row": _rounded(fit.row + image.corner_row)', '"row": _rounded(fit.row + image.corner_row + 1)', our_position_is_in_detector_coordinates),
    ("half-pixel of our position beside SPOC's", f"{VALUES}:_our_value", '"row": _rounded(fit.row + image.corner_row)', '"row": _rounded(fit.row + image.corner_row + 0.5)', our_position_is_in_detector_coordinates),
    ("row-column of SPOC's position", f"{VALUES}:_spoc_value", '"row": centroid.row.value', '"row": centroid.column.value', our_position_is_in_detector_coordinates),
    ("0-1-based in the distance from SPOC's position", f"{DV}:DvComparison.distance_px", "self.fit.row + self.image.corner_row", "self.fit.row + 1 + self.image.corner_row", our_position_is_in_detector_coordinates),
    ("0-1-based of the target on SPOC's stamp", f"{DV}:stamp_of", "target.row.value - image.corner_row", "target.row.value + 1 - image.corner_row", our_offset_is_in_arcsec),
    ("half-pixel of the target on SPOC's stamp", f"{DV}:stamp_of", "target.row.value - image.corner_row", "target.row.value + 0.5 - image.corner_row", our_offset_is_in_arcsec),
    ("row-column of the target on SPOC's stamp", f"{DV}:stamp_of", "target_column=target.column.value - image.corner_column", "target_column=target.row.value - image.corner_row", our_offset_is_in_arcsec),
    ("cos Dec left out of SPOC's sky", f"{DV}:_sky", " * math.cos(math.radians(target.dec_deg))", "", our_offset_is_in_arcsec),
    ("in transit minus control in SPOC's difference", f"{DV}:stamp_of", "difference=image.difference,", "difference=-image.difference,", our_position_is_in_detector_coordinates),
]  # fmt: skip


@pytest.mark.parametrize(("where", "old", "new", "truth"), [pytest.param(*row[1:], id=row[0]) for row in FLIPS])
def test_flip_is_caught(workshop: Any, flip: Any, where: str, old: str, new: str, truth: Truth) -> None:
    truth(workshop)
    flip(where, old, new)
    with pytest.raises(AssertionError):
        truth(workshop)
