"""SPOC's DV reports of the target in the mirrors: found by content, matched with our candidates, compared image by image."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from btv_report.archive.product_cache import CachedProduct
from btv_report.checks.dv_comparison import compare_image
from btv_report.checks.prf_grid import PrfGrid
from btv_report.ephemeris import Ephemeris
from btv_report.errors import BtvReportError, LocalEnvironmentError, ProductCorruptError
from btv_report.fits.local_file import GZIP_MAGIC, read_file
from btv_report.fits.model import FitsSum, ProductHeader, ProductKind
from btv_report.products.dv_model import DvPlanet, DvReport
from btv_report.products.dv_report import MAX_DV_BYTES, ROOT_ELEMENT, parse_dv_report
from btv_report.products.model import ProductFile, ProductState
from btv_report.record import DvImageValue, SpocDvValue
from btv_report.stages.dv_values import comparison_value, measured_value, offset_value
from btv_report.time_systems import TimeReference

HEAD_BYTES = 4096
PERIOD_TOLERANCE = 0.005
MAX_PERIOD_RATIO = 5
NOT_COMPARED = "its signals are none of the candidates of this run"
_TIC_ID = re.compile(rb"""\bticId\s*=\s*["']\s*(\d+)\s*["']""")
_IMAGE_FIELDS = ("sector", "status", "reason", "overlapped_transits", "spoc", "ours", "distance_px", "prf", "flags")


@dataclass(frozen=True)
class DvFinds:
    """
    DV reports of the target.

    Attributes
    ----------
    products : every file that is one, sound or not
    reports : the sound ones, read
    warnings : a sentence for each that is not used
    """

    products: tuple[ProductFile, ...] = ()
    reports: tuple[DvReport, ...] = ()
    warnings: tuple[str, ...] = ()


def find_dv_reports(files: Sequence[Path], tic_id: int) -> DvFinds:
    """
    The DV reports of a target among XML files, told by their first element, not by name.

    A file counts when its head holds SPOC's root element with this TIC number; what lies behind may be damaged all the same. The
    same bytes under two names count once.
    """
    products: list[ProductFile] = []
    reports: dict[str, DvReport] = {}
    warnings: list[str] = []
    for path in files:
        if not _is_report_of(path, tic_id):
            continue
        try:
            product, report = _read(path)
        except BtvReportError as error:
            warnings.append(f"TIC {tic_id}: {error}")
            continue
        if product.sha256 in reports:
            product, report = _unused(product, "the same bytes as another file"), None
        elif report is None or report.tic_id != tic_id:
            warnings.append(f"TIC {tic_id}: {path.name}: {product.reason}. The dossier was made without it.")
        products.append(product)
        if report is not None:
            reports[product.sha256] = report
    return DvFinds(tuple(products), tuple(reports.values()), tuple(warnings))


def with_origins(finds: DvFinds, fetched: Sequence[CachedProduct]) -> DvFinds:
    """The same, with the archive's address, host and time for those that it gave."""
    by_path = {file.path: file for file in fetched}
    products = (
        replace(product, uri=file.uri, retrieved=file.retrieved_at, host=file.host)
        if (file := by_path.get(product.path)) is not None
        else product
        for product in finds.products
    )
    return replace(finds, products=tuple(products))


def _is_report_of(path: Path, tic_id: int) -> bool:
    """Whether the head of a file, plain or gzip, opens a DV report of the target; what cannot be opened is none."""
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError:
        return False
    if head.startswith(GZIP_MAGIC):
        try:
            head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, HEAD_BYTES)
        except zlib.error:
            return False
    start = head.find(ROOT_ELEMENT.encode())
    number = _TIC_ID.search(head, start) if start >= 0 else None
    return number is not None and int(number[1]) == tic_id


def _read(path: Path) -> tuple[ProductFile, DvReport | None]:
    """
    One file as a product, with the report in it when it is sound.

    Raises
    ------
    BtvReportError
        If there are no bytes to hash (no permission, too large).
    """
    source = read_file(path, max_bytes=MAX_DV_BYTES)
    product = ProductFile(
        path=path,
        header=_header(None),
        sha256=source.sha256,
        n_bytes=len(source.raw),
        fits_sum=FitsSum.NOT_CHECKABLE,
        state=ProductState.OK,
        used=True,
        reason="",
    )
    try:
        report = parse_dv_report(source)
    except LocalEnvironmentError:
        raise
    except BtvReportError as error:
        state = ProductState.CORRUPT if isinstance(error, ProductCorruptError) else ProductState.REJECTED
        reason = error.message.rstrip(".").removeprefix(f"{path.name} is refused: ").removeprefix(f"{path.name} is ")
        return replace(product, state=state, used=False, reason=reason), None
    return replace(product, header=_header(report)), report


def _unused(product: ProductFile, reason: str) -> ProductFile:
    return replace(product, used=False, reason=reason)


def _header(report: DvReport | None) -> ProductHeader:
    """What a DV report says of itself in the terms of a FITS header; a report over several sectors is of none."""
    single = report.sectors[0] if report and len(report.sectors) == 1 else None
    return ProductHeader(
        kind=ProductKind.DV_REPORT,
        mission="TESS",
        tic_id=report.tic_id if report else None,
        sector=single,
        camera=None,
        ccd=None,
        pipeline="SPOC",
        exptime_s=None,
        origin=None,
        creator=None,
        procver=None,
        date=None,
        object_name=None,
        obs_id=None,
        ra_deg=None,
        dec_deg=None,
        simulated=False,
        time_reference=TimeReference(None, None, None, None),
    )


def match_of(planet: DvPlanet, candidate: Ephemeris) -> str:
    """
    How an event of SPOC is one of our candidates, a phrase; empty when it is not.

    The periods agree within 0.5 %, or one is up to five times the other within 0.5 %; and near SPOC's epoch the mid-transits
    predicted by the candidate agree with it, modulo the shorter period, within half of the longer duration.
    """
    if planet.period_days is None or planet.epoch_btjd is None:
        return ""
    ratio = max(planet.period_days, candidate.period_days) / min(planet.period_days, candidate.period_days)
    times = round(ratio)
    if times > MAX_PERIOD_RATIO or abs(ratio / times - 1) > PERIOD_TOLERANCE:
        return ""
    nearest = candidate.mid_btjd(round((planet.epoch_btjd - candidate.epoch_btjd) / candidate.period_days))
    shorter = min(planet.period_days, candidate.period_days)
    apart = (planet.epoch_btjd - nearest + shorter / 2) % shorter - shorter / 2
    duration_days = max((planet.duration_hours or 0.0) / 24, candidate.duration_days)
    if abs(apart) > duration_days / 2:
        return ""
    how = "the same period" if times == 1 else f"a period {times} times as {_longer(planet, candidate)}"
    return f"{how}, mid-transits {abs(apart) * 1440:.0f} min apart"


def _longer(planet: DvPlanet, candidate: Ephemeris) -> str:
    return "long" if (planet.period_days or 0.0) > candidate.period_days else "short"


@dataclass(frozen=True)
class SpocComparison:
    """Events of SPOC that are candidates of this run, as the record holds them, and every DV report as a product."""

    values: tuple[SpocDvValue, ...]
    products: tuple[ProductFile, ...]


def compare_with_spoc(finds: DvFinds, candidates: Sequence[Ephemeris], prf_sets: Sequence[PrfGrid]) -> SpocComparison:
    """Match SPOC's events with the candidates and fit each of their difference images; reports that match none are not used."""
    values = tuple(
        _event_value(report, planet, candidate, match, prf_sets)
        for candidate in candidates
        for report in finds.reports
        for planet in report.planets
        if (match := match_of(planet, candidate))
    )
    matched = {value["sha256"] for value in values}
    products = (
        _unused(product, NOT_COMPARED) if product.used and product.sha256 not in matched else product
        for product in finds.products
    )
    return SpocComparison(values, tuple(products))


def _event_value(
    report: DvReport, planet: DvPlanet, candidate: Ephemeris, match: str, prf_sets: Sequence[PrfGrid]
) -> SpocDvValue:
    images = [
        comparison_value(report, planet, compare_image(image, report.tmag, prf_sets))
        for image in planet.difference_images
    ]
    value: dict[str, Any] = {
        "candidate": candidate.name,
        "match": match,
        "file": report.file,
        "sha256": report.sha256,
        "planet_number": planet.planet_number,
        "toi": planet.toi,
        "sectors": list(report.sectors),
        "period_days": planet.period_days,
        "epoch_btjd": planet.epoch_btjd,
        "duration_hours": planet.duration_hours,
        "fit": planet.fit,
        "numbers": _numbers(planet),
        "images": [
            cast(DvImageValue, {name: image[name] for name in _IMAGE_FIELDS if name in image}) for image in images
        ],
    }
    return cast(SpocDvValue, {name: item for name, item in value.items() if item is not None})


def _numbers(planet: DvPlanet) -> dict[str, float]:
    """What SPOC says of the event over all its sectors."""
    found: dict[str, float | None] = {"mes": planet.mes, **measured_value("depth_ppm", planet.depth_ppm)}
    for name, ghost in (("ghost_core", planet.ghost_core), ("ghost_halo", planet.ghost_halo)):
        found[name] = ghost.value if ghost else None
        found[f"{name}_significance"] = ghost.significance if ghost else None
    found |= offset_value("tic_offset", planet.tic_offset) | offset_value("control_offset", planet.control_offset)
    return {name: number for name, number in found.items() if number is not None}
