"""Light curves as they are drawn: binned in time, and folded on a candidate with odd and even transits apart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from btv_report.ephemeris import HOURS_PER_DAY, Ephemeris
from btv_report.products.model import LightCurve

PPM = 1e6
MAD_TO_SIGMA = 1.4826
LONGEST_BIN_HOURS = 1.0
SHORTEST_BIN_HOURS = 0.5
FOLD_HALF_WIDTH_DURATIONS = 2.5
FOLD_BINS_PER_DURATION = 10
# Out of transit starts here, in durations from mid-transit, so that an ephemeris a little off does not bite the baseline.
BASELINE_STARTS_DURATIONS = 0.75
MIN_BASELINE_CADENCES = 5
IN_TRANSIT_DURATIONS = 0.45
MIN_TRANSITS_FOR_ERROR = 3


@dataclass(frozen=True)
class BinnedLightCurve:
    """
    A light curve in equal bins of time.

    Attributes
    ----------
    start_btjd : left edge of the first bin
    bin_days : width of a bin
    flux_ppm : float32, shape (n_bins,), (flux / median - 1) x 1e6; NaN in empty bins
    scatter_ppm : of a cadence, point to point: 1.4826 x MAD of the differences of neighbouring used cadences / sqrt 2
    """

    start_btjd: float
    bin_days: float
    flux_ppm: NDArray[np.float32]
    scatter_ppm: float


@dataclass(frozen=True)
class FoldedLightCurve:
    """
    All light curves of a target folded on one candidate.

    Each transit is divided by the median of its own out-of-transit cadences within the window, so slow variability and
    offsets between sectors drop out. `hours` counts from mid-transit; series are float32 of shape (n_bins,), NaN where empty.
    `odd_depths_ppm` and `even_depths_ppm` hold one depth a transit, shape (n_transits,): minus the mean in |dt| <= 0.45 T.
    """

    start_hours: float
    bin_hours: float
    odd_ppm: NDArray[np.float32]
    odd_err_ppm: NDArray[np.float32]
    even_ppm: NDArray[np.float32]
    even_err_ppm: NDArray[np.float32]
    odd_depths_ppm: NDArray[np.float64]
    even_depths_ppm: NDArray[np.float64]
    sectors: tuple[int, ...]

    @property
    def n_odd_transits(self) -> int:
        """Transits of odd number."""
        return int(self.odd_depths_ppm.size)

    @property
    def n_even_transits(self) -> int:
        """Transits of even number."""
        return int(self.even_depths_ppm.size)

    def depths(self) -> dict[str, float | None]:
        """Mean depths, ppm, and their errors from the scatter of the single transits; None where there are too few."""
        values: dict[str, float | None] = {}
        for name, depths in (("odd", self.odd_depths_ppm), ("even", self.even_depths_ppm)):
            known = depths[np.isfinite(depths)]
            values[f"{name}_depth_ppm"] = float(known.mean()) if known.size else None
            enough = known.size >= MIN_TRANSITS_FOR_ERROR
            values[f"{name}_depth_err_ppm"] = float(known.std(ddof=1) / np.sqrt(known.size)) if enough else None
        return values


def point_to_point_scatter(ppm: NDArray[np.float64]) -> float:
    """Scatter of one cadence, blind to slow variation, of values in the order of time; 0 with fewer than two cadences."""
    steps = np.diff(ppm)
    return MAD_TO_SIGMA * float(np.median(np.abs(steps - np.median(steps)))) / np.sqrt(2.0) if steps.size else 0.0


def bin_width_hours(candidates: Sequence[Ephemeris]) -> float:
    """A quarter of the shortest transit, kept between half an hour and an hour so that pages stay light."""
    if not candidates:
        return LONGEST_BIN_HOURS
    quarter = min(candidate.duration_hours for candidate in candidates) / 4
    return min(max(quarter, SHORTEST_BIN_HOURS), LONGEST_BIN_HOURS)


def bin_light_curve(curve: LightCurve, *, bin_hours: float) -> BinnedLightCurve | None:
    """
    Average the used cadences of a light curve in bins of `bin_hours`.

    Returns None when there is no used cadence or their median flux is not positive (a ratio would flip its sign).
    """
    order = np.argsort(curve.time_btjd[curve.used], kind="stable")
    time, flux = curve.time_btjd[curve.used][order], curve.flux[curve.used][order]
    median = float(np.median(flux)) if flux.size else 0.0
    if not median > 0:
        return None
    ppm = (flux / median - 1.0) * PPM
    bin_days = bin_hours / HOURS_PER_DAY
    start = float(np.floor(time.min() / bin_days) * bin_days)
    index = ((time - start) / bin_days).astype(np.int64)
    mean, _, _ = _bin_means(index, ppm, int(index.max()) + 1)
    return BinnedLightCurve(start, bin_days, mean.astype(np.float32), point_to_point_scatter(ppm))


def fold_light_curves(
    curves: Sequence[LightCurve], candidate: Ephemeris, *, dropped: Collection[tuple[int, int]] = ()
) -> FoldedLightCurve | None:
    """
    Fold all used cadences on a candidate; odd and even transit numbers apart.

    Parameters
    ----------
    curves : light curves of the target
    candidate : what to fold on
    dropped : (sector, transit number) of the transits that the pixel checks set aside; they are not folded either

    Returns
    -------
    FoldedLightCurve or None
        None when no transit has enough out-of-transit cadences beside it.
    """
    windows = [
        _Window(number, sector, *cut)
        for curve in curves
        for sector in (curve.product.header.sector or 0 if curve.product.header else 0,)
        for number in _numbers(curve, candidate)
        if (sector, number) not in dropped and (cut := _one_transit(curve, candidate, number)) is not None
    ]
    return _fold_bins(windows, candidate) if windows else None


class _Window(NamedTuple):
    """One transit: number and sector, hours from mid-transit, flux in ppm about its own baseline."""

    number: int
    sector: int
    hours: NDArray[np.float64]
    ppm: NDArray[np.float64]

    def depth_ppm(self, candidate: Ephemeris) -> float:
        """Minus the mean in transit; NaN without a cadence there."""
        inside = np.abs(self.hours) <= IN_TRANSIT_DURATIONS * candidate.duration_hours
        return -float(self.ppm[inside].mean()) if inside.any() else float("nan")


def _numbers(curve: LightCurve, candidate: Ephemeris) -> range:
    time = curve.time_btjd[curve.used]
    return candidate.numbers_between(float(time.min()), float(time.max())) if time.size else range(0)


def _one_transit(
    curve: LightCurve, candidate: Ephemeris, number: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Hours from mid-transit and flux in ppm about the transit's own baseline."""
    half_days = min(FOLD_HALF_WIDTH_DURATIONS * candidate.duration_days, candidate.period_days / 2)
    offset = curve.time_btjd - candidate.mid_btjd(number)
    inside = curve.used & (np.abs(offset) < half_days)
    baseline = inside & (np.abs(offset) > BASELINE_STARTS_DURATIONS * candidate.duration_days)
    if np.count_nonzero(baseline) < MIN_BASELINE_CADENCES:
        return None
    level = float(np.median(curve.flux[baseline]))
    if not level > 0:
        return None
    return offset[inside] * HOURS_PER_DAY, (curve.flux[inside] / level - 1.0) * PPM


def _fold_bins(windows: Sequence[_Window], candidate: Ephemeris) -> FoldedLightCurve:
    bin_hours = candidate.duration_hours / FOLD_BINS_PER_DURATION
    n_half = int(FOLD_HALF_WIDTH_DURATIONS * FOLD_BINS_PER_DURATION)
    start = -n_half * bin_hours
    series: dict[int, tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]] = {}
    for parity in (1, 0):
        chosen = [window for window in windows if window.number % 2 == parity]
        hours = np.concatenate([np.empty(0), *(window.hours for window in chosen)])
        ppm = np.concatenate([np.empty(0), *(window.ppm for window in chosen)])
        index = np.clip(((hours - start) / bin_hours).astype(np.int64), 0, 2 * n_half - 1)
        mean, error, _ = _bin_means(index, ppm, 2 * n_half)
        depths = np.array([window.depth_ppm(candidate) for window in chosen], dtype=np.float64)
        series[parity] = mean.astype(np.float32), error.astype(np.float32), depths
    sectors = tuple(sorted({window.sector for window in windows}))
    return FoldedLightCurve(start, bin_hours, *series[1][:2], *series[0][:2], series[1][2], series[0][2], sectors)


def _bin_means(
    index: NDArray[np.int64], values: NDArray[np.float64], n_bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Mean, standard error of the mean and count in each bin; NaN where a bin is empty (or holds one value, for errors)."""
    count = np.bincount(index, minlength=n_bins)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(index, weights=values, minlength=n_bins) / count
        squares = np.bincount(index, weights=(values - mean[index]) ** 2, minlength=n_bins)
        error = np.sqrt(squares / (count - 1) / count)
    error[count < 2] = np.nan
    return mean, error, count
