"""SPOC's difference images and our fits of them as JSON values: one line of `btv-report dv --json` a difference image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btv_report.checks.dv_comparison import DvComparison
from btv_report.checks.dv_images import DvFit
from btv_report.errors import BtvReportError, ProductCorruptError, ProductRefusedError
from btv_report.products.dv_model import DvDifferenceImage, DvOffset, DvPlanet, DvReport, Measured

SCHEMA_VERSION = 1


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
