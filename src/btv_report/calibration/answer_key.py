"""
Table 5: our positions held against SPOC's, fitted to the pixels that SPOC's own DV reports print.

Nothing is tuned to an image: which point response is used is decided by how it describes the pixels; SPOC's positions are
looked at only to measure the distance from them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from btv_report.calibration.prf_sets import prf_sets
from btv_report.calibration.table import Column, Row, Table, Value
from btv_report.calibration.trials import Effort, RealData
from btv_report.checks import thresholds
from btv_report.checks.dv_comparison import DvComparison, compare_image
from btv_report.errors import BtvReportError
from btv_report.products.dv_model import DvDifferenceImage, DvPlanet, DvReport
from btv_report.products.dv_report import read_dv_report

if TYPE_CHECKING:
    from btv_report.checks.prf_grid import PrfGrid

KEY = "answer-key"
TITLE = "SPOC's answer key"
HIGH_QUALITY = 0.9
QUALITY_TOLERANCE = 0.1
SATURATED_LIMIT_PX = 0.25
SAME_PERIOD = 0.005
ASKED = (
    "Where SPOC's quality is at least 0.7, our position is from SPOC's: with the PRF sets at hand 0.05 px in the median, 0.15 at "
    "90 % and at most 0.30 where its quality is at least 0.9; with the image's own camera and CCD 0.03, 0.05 and 0.10; with a "
    "Gaussian 0.10 in the median. Quality agrees within 0.1. Saturated stars are not judged; their position is within 0.25 px."
)
METHOD = (
    "Each difference image printed in an SPOC DV report is fitted with a point response and a constant background, weighted with "
    "SPOC's errors; the point response is the one among those allowed that describes control and difference image best by "
    "chi-squared (sets of other detectors also mirrored in columns, as the CCDs about a camera's axis see it; only its own where "
    "that is at hand). The same transits printed in several reports count once: the report with the most sectors is taken."
)
COLUMNS = (
    Column("what", "Images"),
    Column("prf", "Point response"),
    Column("n_images", "Number"),
    Column("median_px", "Median distance", "px"),
    Column("p90_px", "90 %", "px"),
    Column("worst_px", "Worst", "px"),
    Column("worst_high_quality_px", "Worst at quality 0.9", "px"),
    Column("quality_difference", "Largest difference of quality"),
    Column("spoc_quality", "SPOC's quality"),
    Column("chosen", "Point response used"),
    Column("status", "Judged"),
)


@dataclass(frozen=True)
class _Kind:
    """A choice of point responses: its words, which sets it allows, and limits (median, 90 %, worst at high quality) in px."""

    words: str
    allowed: Callable[[DvDifferenceImage, Sequence[PrfGrid]], Sequence[PrfGrid] | None]
    limits_px: tuple[float | None, float | None, float | None]


def _own(image: DvDifferenceImage, grids: Sequence[PrfGrid]) -> Sequence[PrfGrid] | None:
    return [grid for grid in grids if (grid.camera, grid.ccd) == (image.camera, image.ccd)] or None


KINDS = (
    _Kind("the PRF sets at hand", lambda image, grids: grids or None, (0.05, 0.15, 0.30)),
    _Kind("of its own camera and CCD", _own, (0.03, 0.05, 0.10)),
    _Kind("a Gaussian", lambda image, grids: (), (0.10, None, None)),
)


@dataclass(frozen=True)
class _Image:
    """A difference image and where it comes from."""

    report: DvReport
    planet: DvPlanet
    image: DvDifferenceImage

    @property
    def words(self) -> str:
        return f"TIC {self.report.tic_id}, {self.planet.period_days or 0:.2f} d, sector {self.image.sector}"


def answer_key_table(effort: Effort, data: RealData | None) -> Table:
    """Fit all images of the DV reports in the data folder; the effort is always whole: it takes seconds."""
    images = [] if data is None else _distinct(_images(data))
    if not images:
        missing = (
            "no folder of real data was given"
            if data is None
            else "the data folder holds no SPOC DV report with images"
        )
        return Table(KEY, TITLE, ASKED, METHOD, COLUMNS, (), missing=f"Not measured: {missing}.")
    grids = prf_sets(data)
    rows: list[Row] = []
    single: list[Row] = []
    for kind in KINDS:
        fitted = [
            (item, compare_image(item.image, item.report.tmag, allowed))
            for item in images
            if (allowed := kind.allowed(item.image, grids)) is not None
        ]
        rows += _summaries(kind, fitted)
        single += [_single(kind, item, comparison) for item, comparison in fitted]
    notes = (
        f"{len(images)} distinct images; PRF sets at hand: {', '.join(grid.name for grid in grids) or 'none'}.",
        "The zero point of a PRF set of another detector can be off by 0.1 px: it moves control and difference image alike.",
    )
    return Table(KEY, TITLE, ASKED, METHOD, COLUMNS, (*rows, *single), notes=notes)


def _images(data: RealData | None) -> list[_Image]:
    """All difference images of the DV reports in the tree, told by content; what is no sound report is passed over."""
    found = []
    for path in sorted(data.folder.rglob("*.xml*")) if data else ():
        try:
            report = read_dv_report(path)
        except BtvReportError:
            continue
        found += [_Image(report, planet, image) for planet in report.planets for image in planet.difference_images]
    return found


def _distinct(images: Sequence[_Image]) -> list[_Image]:
    """One image for each signal in each sector: that of the report with the most sectors."""
    kept: list[_Image] = []
    for item in sorted(images, key=lambda item: -len(item.report.sectors)):
        if not any(_same_signal(item, other) for other in kept):
            kept.append(item)
    return sorted(kept, key=lambda item: (item.report.tic_id, item.image.sector or 0, item.planet.period_days or 0.0))


def _same_signal(first: _Image, second: _Image) -> bool:
    if (first.report.tic_id, first.image.sector) != (second.report.tic_id, second.image.sector):
        return False
    one, other = first.planet.period_days or 0.0, second.planet.period_days or 0.0
    return abs(one - other) <= SAME_PERIOD * max(one, other)


_Fitted = Sequence[tuple[_Image, DvComparison]]


def _summaries(kind: _Kind, fitted: _Fitted) -> list[Row]:
    """A row over the images that count, and one for each saturated star."""
    judged = [pair for pair in fitted if _counts(*pair)]
    rows = [_summary(kind, judged)] if judged else []
    for item, comparison in fitted:
        if comparison.fit is not None and "SATURATED" in comparison.fit.flags:
            row = _single(kind, item, comparison)
            near = comparison.distance_px is not None and comparison.distance_px <= SATURATED_LIMIT_PX
            rows.append(
                Row({**row.values, "what": f"Saturated: {item.words}"}, met=near and comparison.fit.status == "not_run")
            )
    return rows


def _counts(item: _Image, comparison: DvComparison) -> bool:
    """Whether SPOC's quality is good; a saturated star stands by itself."""
    saturated = comparison.fit is not None and "SATURATED" in comparison.fit.flags
    return (item.image.quality.value or 0.0) >= thresholds.value("quality_good") and not saturated


def _summary(kind: _Kind, judged: _Fitted) -> Row:
    """Distances of all images of one kind; an image without a position counts as infinitely far."""
    distance = np.array([np.inf if item.distance_px is None else item.distance_px for _, item in judged])
    high = np.array([(item.image.quality.value or 0.0) >= HIGH_QUALITY for item, _ in judged])
    differences = [_quality_difference(comparison) for _, comparison in judged]
    measured = (
        float(np.median(distance)),
        float(np.quantile(distance, 0.9, method="higher")),
        float(distance[high].max()) if high.any() else 0.0,
    )
    within = [limit is None or value <= limit for value, limit in zip(measured, kind.limits_px, strict=True)]
    quality = max(difference for difference in differences if difference is not None)
    with_limits = kind.limits_px[1] is not None
    values: dict[str, Value] = {
        "what": "SPOC's quality at least 0.7",
        "prf": kind.words,
        "n_images": len(judged),
        "median_px": _finite(measured[0]),
        "p90_px": _finite(measured[1]),
        "worst_px": _finite(float(distance.max())),
        "worst_high_quality_px": _finite(measured[2]) if high.any() else None,
        "quality_difference": quality,
    }
    return Row(values, met=all(within) and (quality <= QUALITY_TOLERANCE or not with_limits))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _quality_difference(comparison: DvComparison) -> float | None:
    spoc = comparison.image.quality.value
    return None if comparison.fit is None or spoc is None else abs(comparison.fit.quality - spoc)


def _single(kind: _Kind, item: _Image, comparison: DvComparison) -> Row:
    """One image; nothing is asked of it by itself."""
    fit = comparison.fit
    return Row(
        {
            "what": item.words,
            "prf": kind.words,
            "n_images": 1,
            "worst_px": comparison.distance_px,
            "quality_difference": _quality_difference(comparison),
            "spoc_quality": item.image.quality.value,
            "chosen": comparison.prf.description if comparison.prf else None,
            "status": "no fit" if fit is None else fit.status.replace("_", " "),
        }
    )
