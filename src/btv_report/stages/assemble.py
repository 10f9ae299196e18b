"""Puts everything a run asked, found, measured and decided into one run record."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

from btv_report._version import __version__
from btv_report.answer_states import AnswerState
from btv_report.code_version import code_sha256
from btv_report.ephemeris import Ephemeris
from btv_report.record import SCHEMA_VERSION, AnswerValue, RunInfo, RunRecord
from btv_report.stages import values
from btv_report.stages.archive import FILES
from btv_report.stages.checking import NO_PIXELS, CheckedPixels
from btv_report.stages.dv_reports import SpocComparison
from btv_report.stages.exofop import ExoFopLook
from btv_report.stages.faults import FROM_MIRROR, fault_state, mirror_state, missing_sectors
from btv_report.stages.follow_up import FollowUp
from btv_report.stages.prf_sets import prf_parameters
from btv_report.stages.reduce import bin_light_curve, bin_width_hours, fold_light_curves
from btv_report.stages.request import ReportRequest
from btv_report.stages.sectors import FoundProducts
from btv_report.utc import utc_now, utc_text

# The packages whose version can change a number on the page.
RECORDED_PACKAGES = ("numpy", "scipy", "astropy", "astroquery", "lightkurve", "duckdb", "plotly", "jinja2")
"""What a number, a search of the archive, or a byte of store and page depends on."""


def assemble_record(
    request: ReportRequest,
    found: FoundProducts,
    exofop: ExoFopLook,
    follow_up: FollowUp,
    checked: CheckedPixels,
    *,
    spoc: SpocComparison,
) -> RunRecord:
    """
    Build the record of a run.

    Its status is `gaps` when an answer or a product leaves one, else `complete`.
    """
    asked_at = run_time()
    candidates = follow_up.candidates
    answers = _answers(request, found, exofop, asked_at)
    record: RunRecord = {
        "schema_version": SCHEMA_VERSION,
        "run": _run_info(request, found, asked_at),
        "target": values.target_value(found.target),
        "status": "gaps" if any(AnswerState(answer["state"]).is_gap for answer in answers) else "complete",
        "candidates": [values.candidate_value(candidate) for candidate in candidates],
        "answers": answers,
        "products": [*_products(found, checked), *(values.product_value(product, {}) for product in spoc.products)],
        "light_curves": _light_curves(found, candidates),
        "folds": _folds(found, candidates, checked),
        "pixel_views": checked.views,
        "checks": [values.check_value(result, inputs) for result, inputs in checked.results],
        "mask_sensitivity": [values.mask_sensitivity_value(comparison) for comparison in checked.masks],
        "transits": [values.transit_value(row) for row in checked.transits],
        "exofop": values.exofop_value(str(exofop.state), exofop.detail, exofop.manifest, follow_up.values),
        "warnings": [*_doubts(request), *found.warnings, *exofop.warnings, *follow_up.warnings],
    }
    if found.time_offsets:
        record["time_offsets"] = found.time_offsets
    if spoc.values:
        record["spoc_dv"] = list(spoc.values)
    return cast(RunRecord, _encodable(record))


def _doubts(request: ReportRequest) -> list[str]:
    """What is doubtful about the star that a name or position was resolved to."""
    return [request.resolved.warning] if request.resolved and request.resolved.warning else []


def _encodable(value: Any) -> Any:
    """A JSON value whose texts are Unicode: bytes of a file name that are none are written as escapes."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {key: _encodable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    return value


def run_time() -> str:
    """UTC to the second; `SOURCE_DATE_EPOCH` stands for the clock where it is set, so that records can be made again."""
    stated = os.environ.get("SOURCE_DATE_EPOCH", "")
    return utc_text(datetime.fromtimestamp(int(stated), UTC)) if stated.isdigit() else utc_now()


def _run_info(request: ReportRequest, found: FoundProducts, started_at: str) -> RunInfo:
    versions = {
        "btv-report": __version__,
        "btv-report code, SHA-256": code_sha256(),
        "python": platform.python_version(),
    }
    for package in RECORDED_PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # vendored by a distributor under another name
            versions[package] = "unknown"
    used = [product for product in found.products if product.used and product.header]
    return {
        "started_at": started_at,
        "command": request.published_command(),
        "parameters": {**request.parameters(), **_neighbour_table(found), **prf_parameters(found.prf_sets)},
        "versions": versions,
        "simulated": any(product.header.simulated for product in used if product.header),
    }


def _neighbour_table(found: FoundProducts) -> dict[str, str | None]:
    """The table of neighbours that was read; one from a mirror is named, because no option names it."""
    table = found.neighbours
    named = {"neighbours_from_mirror": table.file} if table.from_mirror else {}
    if table.from_archive:
        named = {"neighbours_from_archive": f"{table.file}, {found.archive.stars_asked_at}"}
    return {"neighbours_sha256": table.sha256, **named}


def _answers(request: ReportRequest, found: FoundProducts, exofop: ExoFopLook, asked_at: str) -> list[AnswerValue]:
    answers = [*_mirror_answers(request, found, asked_at), *_archive_answers(request, found, asked_at)]
    follow_up: AnswerValue = {
        "service": "exofop",
        "endpoint": "manifest.json",
        "state": str(exofop.state),
        "asked_at": asked_at,
        "detail": exofop.detail,
    }
    gaps = [_answer("exofop", name, state, asked_at, detail) for name, state, detail in exofop.gaps]
    return [*answers, follow_up, *gaps]


def _mirror_answers(request: ReportRequest, found: FoundProducts, asked_at: str) -> list[AnswerValue]:
    """What the mirrors answered; a sector that was asked for and is nowhere is a gap of its own."""
    answers: list[AnswerValue] = []
    if request.mirrors:
        state, detail = mirror_state(request, found.mirror, (*found.products, *found.dv.products))
        answers.append(_answer("mirror", f"products of TIC {request.tic_id}", state, asked_at, detail))
    if missing := missing_sectors(request, found.products, found.archive):
        where = "mirror" if request.mirrors else "mast"
        answers.append(_answer(where, "sectors asked for", AnswerState.STALE, asked_at, " ".join(missing)))
    return answers


def _archive_answers(request: ReportRequest, found: FoundProducts, asked_at: str) -> list[AnswerValue]:
    """What the archive answered, question by question."""
    replies = found.archive.replies
    if all(reply.state is AnswerState.SKIPPED for reply in replies):
        detail = "The archive was not asked (--offline); it may hold more sectors."
        return [_answer("mast", f"products of TIC {request.tic_id}", AnswerState.SKIPPED, asked_at, detail)]
    fetched = [product for product in found.products if product.retrieved != FROM_MIRROR]
    answers = []
    for reply in replies:
        state, detail = reply.state, reply.detail
        fault = fault_state(request, fetched) if reply.endpoint == FILES else None
        if fault is not None and not state.is_gap:
            verb = "is damaged" if fault is AnswerState.CORRUPT else "was refused"
            state, detail = fault, f"{detail} At least one of them {verb}."
        answers.append(_answer("mast", reply.endpoint, state, reply.asked_at or asked_at, detail))
    return answers


def _answer(service: str, endpoint: str, state: AnswerState, asked_at: str, detail: str) -> AnswerValue:
    return {"service": service, "endpoint": endpoint, "state": str(state), "asked_at": asked_at, "detail": detail}


def _products(found: FoundProducts, checked: CheckedPixels) -> list[Any]:
    curves = {curve.product.sha256: values.light_curve_provenance(curve) for curve in found.light_curves}
    provenance = curves | checked.provenance
    return [
        values.product_value(product, provenance.get(product.sha256, {}) if product.used else {})
        for product in found.products
    ] + [values.offered_value(offer) for offer in found.archive.offered]


def _light_curves(found: FoundProducts, candidates: Sequence[Ephemeris]) -> list[Any]:
    width = bin_width_hours(candidates)
    drawn = [(curve, bin_light_curve(curve, bin_hours=width)) for curve in found.light_curves]
    return [
        values.light_curve_value(curve, binned)
        for curve, binned in drawn
        if binned is not None and math.isfinite(binned.scatter_ppm)
    ]


def _folds(found: FoundProducts, candidates: Sequence[Ephemeris], checked: CheckedPixels) -> list[Any]:
    """Without the transits that the pixel checks dropped; where there are no pixels, all."""
    folded = []
    for candidate in candidates:
        rows = [row for row in checked.transits if row.candidate == candidate.name and not row.used]
        dropped = {(row.sector, row.number) for row in rows if row.reason != NO_PIXELS}
        folded.append((candidate, fold_light_curves(found.light_curves, candidate, dropped=dropped)))
    return [values.fold_value(candidate, fold) for candidate, fold in folded if fold is not None]
