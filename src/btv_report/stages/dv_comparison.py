"""SPOC's difference images fitted by us: one DV report in, one JSON value a difference image out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from btv_report.checks.dv_images import UNUSABLE, WEAK, DvFit, DvStamp, choose_dv_prf, fit_dv_image, local_sky
from btv_report.checks.prf import Prf
from btv_report.checks.prf_choice import candidates_at
from btv_report.checks.prf_grid import PrfGrid
from btv_report.errors import BtvReportError, ProductCorruptError, ProductRefusedError
from btv_report.products.dv_model import DvCentroid, DvDifferenceImage, DvOffset, DvPlanet, DvReport, Measured

SCHEMA_VERSION = 1
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
    reason : why there is no fit, or why it is not judged; empty otherwise
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
    candidates = candidates_at(prf_sets, (image.camera, image.ccd), place, stamp.shape)
    prf = choose_dv_prf(stamp, candidates)
    if prf is None:
        return DvComparison(image, None, None, NO_STAR)
    fit = fit_dv_image(stamp, prf)
    if fit is None:
        return DvComparison(image, None, prf, WEAK if stamp.valid.any() else UNUSABLE)
    return DvComparison(image, fit, prf, fit.reason)


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


def comparison_value(report: DvReport, planet: DvPlanet, comparison: DvComparison) -> dict[str, Any]:
    """One line of `dv --json`; what was not measured is absent."""
    image, fit = comparison.image, comparison.fit
    value: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "file": report.file,
        "sha256": report.sha256,
        "tic_id": report.tic_id,
        "planet_number": planet.planet_number,
        "toi": planet.toi,
        "sector": image.sector,
        "camera": image.camera,
        "ccd": image.ccd,
        "period_days": planet.period_days,
        "n_transits": image.n_transits,
        "overlapped_transits": image.overlapped_transits,
        "status": "not_run" if fit is None else fit.status,
        "reason": comparison.reason or None,
        "spoc": _spoc_value(image),
    }
    if fit is not None and comparison.prf is not None:
        value["ours"] = _our_value(image, fit)
        value["distance_px"] = None if comparison.distance_px is None else _rounded(comparison.distance_px)
        value["prf"] = {"kind": comparison.prf.kind, "description": comparison.prf.description}
        value["saturated"] = "SATURATED" in fit.flags
        value["flags"] = list(fit.flags)
    return _present(value)


def _spoc_value(image: DvDifferenceImage) -> dict[str, float]:
    """SPOC's centroid of the difference image, its quality and its offset from the catalogue position."""
    centroid = image.difference_centroid
    value = {
        "row": centroid.row.value if centroid else None,
        "column": centroid.column.value if centroid else None,
        "row_err": centroid.row.error if centroid else None,
        "column_err": centroid.column.error if centroid else None,
        "quality": image.quality.value,
        **offset_value("tic_offset", image.tic_offset),
        **offset_value("control_offset", image.control_offset),
    }
    return _present(value)


def _our_value(image: DvDifferenceImage, fit: DvFit) -> dict[str, float]:
    """The same of ours, in the same coordinates."""
    return {
        "row": _rounded(fit.row + image.corner_row),
        "column": _rounded(fit.column + image.corner_column),
        "row_err": _rounded(fit.row_err),
        "column_err": _rounded(fit.column_err),
        "quality": _rounded(fit.quality),
        **_our_offset(image, fit),
        "snr": _rounded(fit.snr),
        "reduced_chi2": _rounded(fit.reduced_chi2),
    }


def _our_offset(image: DvDifferenceImage, fit: DvFit) -> dict[str, float]:
    """Our offset from the catalogue position; none where the control image's centroid stood in for that position."""
    if image.tic_reference is None:
        return {}
    return {
        "tic_offset_arcsec": _rounded(fit.tic_offset_arcsec),
        "tic_offset_arcsec_err": _rounded(fit.tic_offset_err_arcsec),
    }


def measured_value(name: str, measured: Measured | None) -> dict[str, float | None]:
    """A number under `name` and its error under `name`_err; None where there is none."""
    return {name: measured.value if measured else None, f"{name}_err": measured.error if measured else None}


def offset_value(name: str, offset: DvOffset) -> dict[str, float | None]:
    """An offset on the sky: its size, east and north parts, each with its error; arcsec."""
    return {
        **measured_value(f"{name}_arcsec", offset.sky_arcsec),
        **measured_value(f"{name}_ra_arcsec", offset.ra_arcsec),
        **measured_value(f"{name}_dec_arcsec", offset.dec_arcsec),
    }


def _present(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if item is not None}


def _rounded(value: float) -> float:
    """To a millionth: what lies beyond is rounding of the computation."""
    return round(value, 6)


def compare_report(report: DvReport, prf_sets: Sequence[PrfGrid]) -> list[tuple[DvPlanet, DvComparison]]:
    """All difference images of a report, planet by planet, in the order of the file."""
    return [
        (planet, compare_image(image, report.tmag, prf_sets))
        for planet in report.planets
        for image in planet.difference_images
    ]


def without_images_value(report: DvReport) -> dict[str, Any]:
    """The line of a report that holds no difference image."""
    return {
        "schema_version": SCHEMA_VERSION,
        "file": report.file,
        "sha256": report.sha256,
        "tic_id": report.tic_id,
        "status": "not_run",
        "reason": "the report holds no difference image",
    }


def refusal_value(file: str, error: BtvReportError) -> dict[str, Any]:
    """The line of a file that is not used."""
    status = next((word for kind, word in _REFUSALS if isinstance(error, kind)), "unreadable")
    return {"schema_version": SCHEMA_VERSION, "file": file, "status": status, "error": str(error)}


_REFUSALS = ((ProductCorruptError, "corrupt"), (ProductRefusedError, "rejected"))
