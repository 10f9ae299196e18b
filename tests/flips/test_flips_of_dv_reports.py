# ruff: noqa: E501 - a flip is a row
"""SPOC's DV reports: detector rows and columns, offsets on the sky; each convention is turned round once and must be noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from btv_report.products.dv_report import ROOT_ELEMENT, read_dv_report

Truth = Callable[[Any], None]


def measured(name: str, value: float) -> str:
    return f'<{name} value="{value}" uncertainty="0.1"/>'


def pixel(row: int, column: int, difference: float) -> str:
    flux = measured("meanFluxOutOfTransit", 500.0) + measured("meanFluxInTransit", 500.0 - difference)
    flux += measured("meanFluxDifference", difference)
    return f'<differenceImagePixelData ccdRow="{row}" ccdColumn="{column}">{flux}</differenceImagePixelData>'


def report(workshop: Any) -> Any:
    """Three rows x four columns of pixels, the largest difference at detector row 902, column 301."""
    pixels = "".join(
        pixel(row, column, 90.0 if (row, column) == (902, 301) else 1.0)
        for row in range(900, 903)
        for column in range(300, 304)
    )
    centroid = "".join(
        measured(name, value)
        for name, value in (("row", 902.1), ("column", 301.2), ("raDegrees", 120.5), ("decDegrees", -60.25))
    )
    parts = ("rowOffset", 1.5), ("columnOffset", -0.5), ("raOffset", 20.0), ("decOffset", -30.0), ("skyOffset", 36.0)
    offsets = "".join(measured(name, value) for name, value in parts)
    text = (
        f'<{ROOT_ELEMENT} ticId="42"><planetResults planetNumber="1">'
        '<planetCandidate orbitalPeriodInDays="3.5" epochTjd="1500.25" trialTransitPulseDurationInHours="2.5"/>'
        f'<differenceImageResults sector="7">{pixels}<differenceImageCentroid>{centroid}</differenceImageCentroid>'
        f"<ticCentroidOffsets>{offsets}</ticCentroidOffsets></differenceImageResults></planetResults></{ROOT_ELEMENT}>"
    )
    path = workshop.folder / "dvr.xml"
    path.write_text(text, encoding="utf-8")
    return read_dv_report(path).planets[0]


def pixels_stand_at_their_rows_and_columns(workshop: Any) -> None:
    (image,) = report(workshop).difference_images
    assert image.difference.shape == (3, 4)
    assert divmod(int(np.argmax(image.difference)), 4) == (2, 1)
    assert (image.corner_row, image.corner_column) == (900, 300)


def difference_is_control_minus_in_transit(workshop: Any) -> None:
    (image,) = report(workshop).difference_images
    assert image.control[2, 1] - image.in_transit[2, 1] == pytest.approx(image.difference[2, 1])
    assert image.difference[2, 1] == 90.0


def centroids_are_rows_and_columns(workshop: Any) -> None:
    (image,) = report(workshop).difference_images
    place = image.difference_centroid
    assert place is not None
    values = (place.row.value, place.column.value, place.ra_deg, place.dec_deg)
    assert values == (902.1, 301.2, 120.5, -60.25)


def offsets_are_east_and_north(workshop: Any) -> None:
    (image,) = report(workshop).difference_images
    offset = image.tic_offset
    found = [
        part.value for part in (offset.row_px, offset.column_px, offset.ra_arcsec, offset.dec_arcsec, offset.sky_arcsec)
    ]
    assert found == [1.5, -0.5, 20.0, -30.0, 36.0]


def ephemeris_is_days_btjd_and_hours(workshop: Any) -> None:
    planet = report(workshop)
    assert (planet.period_days, planet.epoch_btjd, planet.duration_hours) == (3.5, 1500.25, 2.5)


DV = "btv_report.products.dv_report"
FLIPS: list[tuple[str, str, str, str, Truth]] = [
    ("row-column in the pixels of a DV report", f"{DV}:_image", '("ccdRow", "ccdColumn")', '("ccdColumn", "ccdRow")', pixels_stand_at_their_rows_and_columns),
    ("0-1-based in the corner of a DV report", f"{DV}:_image", "corner_row=corner_row", "corner_row=corner_row - 1", pixels_stand_at_their_rows_and_columns),
    ("row-column in the corner of a DV report", f"{DV}:_image", "corner_row=corner_row", "corner_row=corner_column", pixels_stand_at_their_rows_and_columns),
    ("row 0 last in the pixels of a DV report", f"{DV}:_image", "rows - corner_row,", "rows.max() - rows,", pixels_stand_at_their_rows_and_columns),
    ("per-second-per-cadence in a DV report", f"{DV}:_image", "= measured.value,", "= measured.value / 120,", difference_is_control_minus_in_transit),
    ("row-column in the centroids of a DV report", f"{DV}:_centroid", '("row", "column")', '("column", "row")', centroids_are_rows_and_columns),
    ("RA-Dec in the centroids of a DV report", f"{DV}:_centroid", '("raDegrees", "decDegrees")', '("decDegrees", "raDegrees")', centroids_are_rows_and_columns),
    ("RA-Dec in the offsets of a DV report", f"{DV}:_offset", 'ra_arcsec=part("RaOffset")', 'ra_arcsec=part("DecOffset")', offsets_are_east_and_north),
    ("row-column in the offsets of a DV report", f"{DV}:_offset", 'row_px=part("RowOffset")', 'row_px=part("ColumnOffset")', offsets_are_east_and_north),
    ("hours-days in the duration of a DV report", f"{DV}:_signal", 'candidate.number("trialTransitPulseDurationInHours")', 'candidate.number("trialTransitPulseDurationInHours") / 24', ephemeris_is_days_btjd_and_hours),
    ("BTJD-BJD in the epoch of a DV report", f"{DV}:_signal", 'candidate.number("epochTjd")', 'candidate.number("epochTjd") + 2457000', ephemeris_is_days_btjd_and_hours),
]  # fmt: skip


@pytest.mark.parametrize(("where", "old", "new", "truth"), [pytest.param(*row[1:], id=row[0]) for row in FLIPS])
def test_flip_is_caught(workshop: Any, flip: Any, where: str, old: str, new: str, truth: Truth) -> None:
    truth(workshop)
    flip(where, old, new)
    with pytest.raises(AssertionError):
        truth(workshop)
