"""Data classes of the rooms as the JSON values of a run record; nothing is computed here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

import numpy as np

from btv_report.checks.inputs import PixelStack
from btv_report.checks.mask_sensitivity import MaskComparison
from btv_report.checks.result import CheckResult, Metric, TransitRow
from btv_report.ephemeris import Ephemeris
from btv_report.exofop.types import ExoFopFile, ExoFopManifest
from btv_report.products.model import LightCurve, ProductFile, TargetPixelFile
from btv_report.record import (
    CandidateValue,
    CheckValue,
    ExoFopFileValue,
    ExoFopValue,
    FoldValue,
    LightCurveValue,
    MaskSensitivityValue,
    MetricValue,
    PixelView,
    PositionValue,
    ProductValue,
    StarOnStamp,
    TargetValue,
    TransitValue,
)
from btv_report.stages.fetching import OfferedProduct
from btv_report.stages.reduce import BinnedLightCurve, FoldedLightCurve
from btv_report.stamps import encode_stamp
from btv_report.targets import Target

STAMPS = "plot_data"
# Pictures mark a dozen stars; a crowded field has a thousand, which would be most of the page's bytes.
MAX_LISTED_STARS = 40


def target_value(target: Target) -> TargetValue:
    """The star."""
    return {
        "tic_id": target.tic_id,
        "position": cast(PositionValue, asdict(target.position)) if target.position else None,
        "tmag": target.tmag,
        "stellar": asdict(target.stellar),
        "source": target.source,
        "aliases": dict(target.aliases),
    }


def candidate_value(ephemeris: Ephemeris) -> CandidateValue:
    """One ephemeris."""
    return {
        "name": ephemeris.name,
        "period_days": ephemeris.period_days,
        "epoch_btjd": ephemeris.epoch_btjd,
        "duration_hours": ephemeris.duration_hours,
        "source": ephemeris.source,
    }


def product_value(product: ProductFile, provenance: Mapping[str, Any]) -> ProductValue:
    """One product with what its header says; a file whose header cannot be read has only its bytes."""
    header = product.header
    return {
        "kind": str(header.kind) if header and header.kind else "unknown",
        "sector": header.sector if header else None,
        "pipeline": header.pipeline if header else "unknown",
        "exptime_s": header.exptime_s if header else None,
        "uri": product.uri,
        "file": product.path.name,
        "sha256": product.sha256,
        "fits_sum": str(product.fits_sum),
        "state": str(product.state),
        "used": product.used,
        "reason": product.reason,
        "bytes": product.n_bytes,
        "mission": header.mission if header else None,
        "camera": header.camera if header else None,
        "ccd": header.ccd if header else None,
        "obs_id": header.obs_id if header else None,
        "origin": header.origin if header else None,
        "creator": header.creator if header else None,
        "procver": header.procver if header else None,
        "date": header.date if header else None,
        "simulated": header.simulated if header else False,
        "retrieved": f"{product.retrieved}, from {product.host}" if product.host else product.retrieved,
        "provenance": dict(provenance),
    }


def offered_value(offer: OfferedProduct) -> ProductValue:
    """A product that the archive offers and whose bytes are not here."""
    product = offer.product
    return {
        "kind": product.kind,
        "sector": product.sector,
        "pipeline": product.pipeline,
        "exptime_s": product.exptime_s,
        "uri": product.uri,
        "file": product.file,
        "sha256": None,
        "fits_sum": None,
        "state": str(offer.state),
        "used": False,
        "reason": offer.reason,
        "bytes": product.n_bytes,
        "mission": "TESS",
        "camera": None,
        "ccd": None,
        "obs_id": product.obs_id or None,
        "origin": None,
        "creator": None,
        "procver": None,
        "date": None,
        "simulated": False,
        "retrieved": "not fetched",
        "provenance": {},
    }


def light_curve_provenance(curve: LightCurve) -> dict[str, Any]:
    """How a light curve was made from its file."""
    values = asdict(curve.provenance)
    values["removed_by_bit"] = _by_bit(curve.provenance.removed_by_bit)
    values["flagged_by_bit"] = _by_bit(curve.provenance.flagged_by_bit)
    return values


def pixel_file_provenance(tpf: TargetPixelFile) -> dict[str, Any]:
    """How a stack of pixels was made from its file."""
    return {
        "quality_mask": tpf.quality_mask,
        "quality_column": tpf.quality_column,
        "removed_by_bit": _by_bit(tpf.removed_by_bit),
        "flagged_by_bit": _by_bit(tpf.flagged_by_bit),
        "n_cadences": int(tpf.time_btjd.size),
        "n_used": int(np.count_nonzero(tpf.used)),
        "cadence_measured_s": tpf.cadence_measured_s,
        "n_nonfinite_time": int(np.count_nonzero(~np.isfinite(tpf.time_btjd))) - tpf.n_impossible_times,
        "n_nonfinite_flux": int(np.count_nonzero(~np.isfinite(tpf.flux).reshape(tpf.flux.shape[0], -1).any(axis=1))),
        "n_absent_cadences": tpf.n_absent_cadences,
        "n_repeated_times": tpf.n_repeated_times,
        "n_impossible_times": tpf.n_impossible_times,
        "times_in_order": tpf.times_in_order,
        "n_empty_cadences": tpf.n_empty_cadences,
        "repacked": tpf.repacked,
        "flux_column": "FLUX",
        "flux_unit": tpf.flux_unit,
        "flux_err_source": "FLUX_ERR" if tpf.flux_err is not None else "none in the file",
        "n_row": int(tpf.flux.shape[1]),
        "n_column": int(tpf.flux.shape[2]),
        "crowdsap": tpf.crowdsap,
        "flfrcsap": tpf.flfrcsap,
        "time_reference": asdict(tpf.time_reference),
    }


def _by_bit(counts: Mapping[int, int]) -> dict[str, int]:
    return {str(bit): count for bit, count in sorted(counts.items())}


def light_curve_value(curve: LightCurve, binned: BinnedLightCurve) -> LightCurveValue:
    """A light curve as it is drawn."""
    header = curve.product.header
    return {
        "product_sha256": curve.product.sha256,
        "sector": header.sector or 0 if header else 0,
        "pipeline": header.pipeline if header else "unknown",
        "flux_column": curve.provenance.flux_column,
        "exptime_s": header.exptime_s if header else None,
        "start_btjd": binned.start_btjd,
        "bin_days": binned.bin_days,
        "flux_ppm": encode_stamp(binned.flux_ppm[np.newaxis, :]),
        "scatter_ppm": binned.scatter_ppm,
        "n_used": curve.provenance.n_used,
    }


def fold_value(candidate: Ephemeris, fold: FoldedLightCurve) -> FoldValue:
    """All light curves of a target folded on one candidate."""
    return {
        "candidate": candidate.name,
        "start_hours": fold.start_hours,
        "bin_hours": fold.bin_hours,
        "odd_ppm": encode_stamp(fold.odd_ppm[np.newaxis, :]),
        "odd_err_ppm": encode_stamp(fold.odd_err_ppm[np.newaxis, :]),
        "even_ppm": encode_stamp(fold.even_ppm[np.newaxis, :]),
        "even_err_ppm": encode_stamp(fold.even_err_ppm[np.newaxis, :]),
        "n_odd_transits": fold.n_odd_transits,
        "n_even_transits": fold.n_even_transits,
        **{name: value for name, value in fold.depths().items() if value is not None},  # type: ignore[typeddict-item]
        "sectors": list(fold.sectors),
    }


def pixel_view(tpf: TargetPixelFile, stack: PixelStack, control_image: np.ndarray) -> PixelView:
    """What the pixels of one sector look like; of the neighbours the brightest are listed, all are counted."""
    sky = stack.sky_per_pixel_arcsec
    ranked = sorted(stack.neighbours, key=lambda star: math.inf if star.magnitude is None else star.magnitude)
    listed = set(ranked[:MAX_LISTED_STARS])
    stars = [star for star in stack.neighbours if star in listed]
    return {
        "sector": stack.sector,
        "product_sha256": tpf.product.sha256,
        "control_image": encode_stamp(control_image),
        "image_unit": "e-/s",
        "aperture_mask": encode_stamp(stack.aperture_mask) if stack.aperture_mask is not None else None,
        "corner_row": tpf.corner_row,
        "corner_column": tpf.corner_column,
        "target_row": stack.target_row,
        "target_column": stack.target_column,
        "sky_per_pixel_arcsec": [[float(value) for value in line] for line in sky] if sky is not None else None,
        "neighbours": [cast(StarOnStamp, asdict(star)) for star in stars],
        "n_neighbours": len(stack.neighbours),
        "neighbours_known": stack.neighbours_known,
        "wcs_note": stack.wcs_disagrees,
        "crowdsap": tpf.crowdsap,
        "n_used": int(np.count_nonzero(stack.used)),
    }


def check_value(result: CheckResult, inputs: list[str]) -> CheckValue:
    """One check result; its stamps leave the details."""
    details = {key: _shortened(value) for key, value in result.details.items() if key != STAMPS}
    return {
        "check_id": result.check_id,
        "candidate": result.candidate,
        "sector": result.sector,
        "verdict": str(result.verdict),
        "summary": result.summary,
        "reason": result.reason,
        "metrics": metric_values(result.metrics),
        "flags": list(result.flags),
        "thresholds": {name: dict(value) for name, value in result.thresholds.items()},
        "parameters": dict(result.parameters),
        "method_version": result.method_version,
        "inputs": inputs,
        "details": details,
        "stamps": {name: encode_stamp(image) for name, image in result.details.get(STAMPS, {}).items()},
    }


def mask_sensitivity_value(comparison: MaskComparison) -> MaskSensitivityValue:
    """One candidate in one sector under several quality masks."""
    return {
        "candidate": comparison.candidate,
        "sector": comparison.sector,
        "quality_mask": comparison.quality_mask,
        "sentence": comparison.sentence,
        "rows": [
            {
                "masks": list(row.masks),
                "n_cadences": row.n_cadences,
                "n_transits": row.n_transits,
                "verdicts": {check_id: str(verdict) for check_id, verdict in row.verdicts.items()},
                "metrics": metric_values(row.metrics),
            }
            for row in comparison.rows
        ],
    }


def metric_values(metrics: Mapping[str, Metric]) -> dict[str, MetricValue]:
    """Metrics by name."""
    return {name: {"value": metric.value, "unit": metric.unit} for name, metric in metrics.items()}


def _shortened(value: Any) -> Any:
    """A JSON value with its floats to nine significant digits: what lies beyond is rounding of the computation."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, Mapping):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shortened(item) for item in value]
    return value


def transit_value(row: TransitRow) -> TransitValue:
    """One predicted transit; what was not measured is absent."""
    return cast(TransitValue, {key: value for key, value in asdict(row).items() if value is not None})


def exofop_value(state: str, detail: str, manifest: ExoFopManifest | None, follow_up: Mapping[str, Any]) -> ExoFopValue:
    """What is known of ExoFOP; of a manifest made with a cookie jar only its existence, since its rows may be restricted."""
    public = manifest is not None and not manifest.private
    value: ExoFopValue = {
        "state": state,
        "detail": detail,
        "n_files": len(manifest.open_files) if manifest and public else 0,
        "generated_at": manifest.generated_at if manifest and public else None,
        "manifest_sha256": manifest.sha256 if manifest and public else None,
        "files": [exofop_file_value(file) for file in manifest.files] if manifest and public else [],
        "answers": {name: dict(answer) for name, answer in manifest.answers.items()} if manifest and public else {},
    }
    return cast(ExoFopValue, {**value, **follow_up})


def exofop_file_value(file: ExoFopFile) -> ExoFopFileValue:
    """One file of the manifest; what is not recorded of it is absent."""
    value: ExoFopFileValue = {
        "file_id": file.file_id,
        "filename": file.filename,
        "type": file.type,
        "date": file.date,
        "group": file.group,
        "bytes": file.n_bytes,
        "sha256": file.sha256,
        "description": file.description,
        "state": str(file.state),
        "tag": file.tag,
        "user": file.user,
    }
    if file.reason:
        value["reason"] = file.reason
    if file.content is not None:
        value["content"] = file.content
    if file.older_sha256:
        value["older_versions"] = list(file.older_sha256)
    return value
