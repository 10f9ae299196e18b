"""SPOC's difference images fitted by us: SPOC's answer and ours, image by image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from btv_report.checks.dv_images import UNUSABLE, WEAK, DvFit, DvStamp, choose_dv_prf, fit_dv_image, local_sky
from btv_report.checks.prf import Prf
from btv_report.checks.prf_choice import candidates_at, lacking_at, why_lacking
from btv_report.checks.prf_grid import PrfGrid
from btv_report.products.dv_model import DvCentroid, DvDifferenceImage, DvPlanet, DvReport

NO_TARGET = "the report gives no catalogue position on the detector, so there is no place to search about"
NO_STAR = "the control image holds no star to choose the point response by"


@dataclass(frozen=True)
class DvComparison:
    """
    One difference image, SPOC's numbers beside ours.

    Attributes
    ----------
    image : as SPOC prints it
    fit : our fit, None where there is none; positions 0-based on the stamp
    prf : the point response of our fit, None without a fit
    reason : why there is no fit, or why it is not judged, and which PRF sets could not be used for it; empty otherwise
    """

    image: DvDifferenceImage
    fit: DvFit | None
    prf: Prf | None
    reason: str

    @property
    def distance_px(self) -> float | None:
        """Distance of our position from SPOC's, None where one of them is missing."""
        spoc = self.image.difference_centroid
        if self.fit is None or spoc is None:
            return None
        return math.hypot(
            self.fit.row + self.image.corner_row - spoc.row.value,
            self.fit.column + self.image.corner_column - spoc.column.value,
        )


def compare_image(image: DvDifferenceImage, tmag: float | None, prf_sets: Sequence[PrfGrid]) -> DvComparison:
    """Choose a point response among the sets at hand (or a Gaussian) on the control image, and fit the difference image."""
    stamp = stamp_of(image, tmag)
    if stamp is None:
        return DvComparison(image, None, None, NO_TARGET)
    place = (stamp.target_row + image.corner_row, stamp.target_column + image.corner_column)
    detector = (image.camera, image.ccd)
    prf = choose_dv_prf(stamp, candidates_at(prf_sets, detector, place, stamp.shape))
    fit = None if prf is None else fit_dv_image(stamp, prf)
    lacking = why_lacking(lacking_at(prf_sets, detector, place))
    return DvComparison(image, fit, prf, "; ".join(filter(None, (_not_judged(stamp, prf, fit), lacking))))


def _not_judged(stamp: DvStamp, prf: Prf | None, fit: DvFit | None) -> str:
    """Why there is no fit, or why it is not judged; empty where it is judged."""
    if prf is None:
        return NO_STAR
    if fit is None:
        return WEAK if stamp.valid.any() else UNUSABLE
    return fit.reason


def compare_report(report: DvReport, prf_sets: Sequence[PrfGrid]) -> list[tuple[DvPlanet, DvComparison]]:
    """All difference images of a report, planet by planet, in the order of the file."""
    return [
        (planet, compare_image(image, report.tmag, prf_sets))
        for planet in report.planets
        for image in planet.difference_images
    ]


def stamp_of(image: DvDifferenceImage, tmag: float | None) -> DvStamp | None:
    """What the fit takes; None where SPOC gives no position of the target."""
    target = image.tic_reference or image.control_centroid
    if target is None:
        return None
    return DvStamp(
        control=image.control,
        control_err=image.control_err,
        difference=image.difference,
        difference_err=image.difference_err,
        target_row=target.row.value - image.corner_row,
        target_column=target.column.value - image.corner_column,
        sky=_sky(image, target),
        tmag=tmag,
    )


def _sky(image: DvDifferenceImage, target: DvCentroid) -> complex | None:
    """Local scale and rotation from the places that SPOC gives both on the detector and on the sky."""
    pairs = []
    for other in (image.difference_centroid, image.control_centroid):
        if (
            other is None
            or other.ra_deg is None
            or other.dec_deg is None
            or target.ra_deg is None
            or target.dec_deg is None
        ):
            continue
        turn = (other.ra_deg - target.ra_deg + 180) % 360 - 180
        east = turn * 3600 * math.cos(math.radians(target.dec_deg))
        north = (other.dec_deg - target.dec_deg) * 3600
        pixels = complex(other.column.value - target.column.value, other.row.value - target.row.value)
        pairs.append((pixels, complex(east, north)))
    return local_sky(pairs) if pairs else None
