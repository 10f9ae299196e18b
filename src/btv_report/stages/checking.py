"""Runs the pixel checks of every candidate in every sector, one pixel file in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from btv_report.checks.combine import combine_sectors
from btv_report.checks.inputs import PixelStack
from btv_report.checks.mask_sensitivity import MaskComparison, compare_masks, flag_mask_sensitive
from btv_report.checks.result import CheckResult, TransitRow
from btv_report.checks.run import SectorChecks, not_run_results, run_pixel_checks
from btv_report.ephemeris import Ephemeris
from btv_report.record import PixelView
from btv_report.stages.prf_sets import unused_sets
from btv_report.stages.request import ReportRequest
from btv_report.stages.sectors import FoundProducts, PixelSector, read_pixels
from btv_report.stages.values import pixel_file_provenance, pixel_view

NO_PIXELS = "there is no pixel file of this sector"
NO_PIXELS_AT_ALL = "there is no usable pixel file in any sector"


@dataclass
class CheckedPixels:
    """
    What the pixels said.

    Attributes
    ----------
    results : pairs of a result and the sha256 of the pixel files it was made from; by candidate, sectors in order, the
        combination last
    transits : every predicted transit in the data of a sector; without pixels it is listed as not used
    masks : each candidate in each sector with pixels under several quality masks
    views : how each sector looks, with or without a candidate
    provenance : sha256 of a pixel file to how its pixels were read
    """

    results: list[tuple[CheckResult, list[str]]] = field(default_factory=list)
    transits: list[TransitRow] = field(default_factory=list)
    masks: list[MaskComparison] = field(default_factory=list)
    views: list[PixelView] = field(default_factory=list)
    provenance: dict[str, dict[str, Any]] = field(default_factory=dict)


def check_pixels(
    request: ReportRequest,
    found: FoundProducts,
    candidates: Sequence[Ephemeris],
    *,
    tell: Callable[[str], None] = lambda step: None,
) -> CheckedPixels:
    """
    Read each pixel file and run V08, V09, V10 and V20 for each candidate; cadences in another's transit are left out.

    A sector that has products but no pixels is listed as not run, never left out. A pixel file that turns out unusable is
    marked so in `found`.
    """
    checked = CheckedPixels()
    names = [candidate.name for candidate in candidates]
    by_candidate: dict[str, list[tuple[int, str, SectorChecks]]] = {candidate.name: [] for candidate in candidates}
    sectors = found.sectors
    for product in found.pixel_products:
        tell(f"TIC {request.tic_id}: checking the pixels of {product.path.name}")
        pixels = read_pixels(request, found, product)
        if pixels is None:
            continue
        checked.views.append(pixel_view(pixels.tpf, pixels.stack, control_image(pixels.stack, candidates)))
        checked.provenance[product.sha256] = pixel_file_provenance(pixels.tpf)
        for candidate in candidates:
            done, comparison = check_sector(pixels, candidate, candidates, store_plot_data=request.store_plot_data)
            checked.masks.append(comparison)
            found.warnings += [note for note in unused_sets(done) if note not in found.warnings]
            by_candidate[candidate.name].append((pixels.stack.sector, product.sha256, done))
    for candidate in candidates:
        _collect(checked, candidate, by_candidate[candidate.name], sectors)
        checked.transits += _transits_without_pixels(found, candidate, by_candidate[candidate.name])
    checked.masks.sort(key=lambda comparison: (names.index(comparison.candidate), comparison.sector))
    checked.transits.sort(key=lambda row: (names.index(row.candidate), row.number, row.sector))
    return checked


def _transits_without_pixels(
    found: FoundProducts, candidate: Ephemeris, done: Sequence[tuple[int, str, SectorChecks]]
) -> list[TransitRow]:
    """Transits predicted within the light curve of a sector whose pixels are not at hand."""
    have = {sector for sector, _, _ in done}
    rows = []
    for curve in found.light_curves:
        header, time = curve.product.header, curve.time_btjd[curve.used]
        if header is None or header.sector is None or header.sector in have:
            continue
        rows += [
            TransitRow(candidate.name, header.sector, number, candidate.mid_btjd(number), False, NO_PIXELS)
            for number in candidate.numbers_between(float(time.min()), float(time.max()))
        ]
    return rows


def check_sector(
    pixels: PixelSector, candidate: Ephemeris, candidates: Sequence[Ephemeris], *, store_plot_data: bool
) -> tuple[SectorChecks, MaskComparison]:
    """
    Run the checks of one candidate in one sector, and again under other quality masks where those leave other cadences.

    A verdict that depends on the mask carries the flag `MASK_SENSITIVE`.
    """
    others = tuple(other for other in candidates if other is not candidate)
    done = run_pixel_checks(pixels.stack, candidate, others=others, store_plot_data=store_plot_data)
    comparison = compare_masks(pixels.stack, candidate, done, quality_mask=pixels.tpf.quality_mask, others=others)
    return replace(done, results=flag_mask_sensitive(done.results, comparison)), comparison


def _collect(
    checked: CheckedPixels, candidate: Ephemeris, done: Sequence[tuple[int, str, SectorChecks]], sectors: Sequence[int]
) -> None:
    """Line up the results of one candidate: sectors with pixels, sectors without, the combination."""
    rows: list[tuple[CheckResult, list[str]]] = []
    have = set()
    for sector, sha256, sector_checks in done:
        rows += [(result, [sha256]) for result in sector_checks.results]
        have.add(sector)
        checked.transits += sector_checks.transits
    for sector in sectors:
        if sector not in have:
            rows += [(result, []) for result in not_run_results(candidate.name, sector, NO_PIXELS)]
    rows.sort(key=lambda row: row[0].sector or 0)
    combined = (
        combine_sectors({sector: sector_checks.results for sector, _, sector_checks in done})
        if done
        else not_run_results(candidate.name, None, NO_PIXELS_AT_ALL)
    )
    checked.results += [*rows, *((result, [sha256 for _, sha256, _ in done]) for result in combined)]


def control_image(stack: PixelStack, candidates: Sequence[Ephemeris]) -> NDArray[np.float32]:
    """
    Mean of the used cadences outside every candidate's transits, electron/s, shape (n_row, n_column).

    A pixel without a finite value is NaN. Where nothing lies outside the transits, all used cadences are averaged.
    """
    outside = stack.used.copy()
    for candidate in candidates:
        phase = (stack.time_btjd - candidate.epoch_btjd) / candidate.period_days
        distance_days = np.abs(phase - np.round(phase)) * candidate.period_days
        outside &= ~(distance_days < candidate.duration_days)
    pixels = stack.flux[outside if outside.any() else stack.used]
    finite = np.isfinite(pixels)
    count = finite.sum(axis=0)
    total = np.where(finite, pixels, np.float32(0)).sum(axis=0, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total / np.where(count > 0, count, np.nan), dtype=np.float32)
