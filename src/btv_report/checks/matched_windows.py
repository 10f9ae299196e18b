"""
The noise that counts: windows of the transit's own shape, laid where no transit is.

A single window gives the statistic of a fake transit. Combining as many at random as there are usable transits, thousands
of times, gives the distribution that the measured statistic is held against: with all correlated noise that the star, the
pointing and the background really had.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from btv_report.checks import thresholds
from btv_report.checks.transits import Cadences, FloatArray, WindowSet, WindowShape, place_windows
from btv_report.ephemeris import Ephemeris

N_DRAWS = 2000
STEPS_PER_DURATION = 4
SMALLEST_P = 1e-300
LOG_P_OF_SERIES = -600.0


@dataclass(frozen=True)
class FreeWindows:
    """Matched windows in time: the windows that pass the cuts, and their places on the regular grid of T/4."""

    windows: WindowSet
    slot: NDArray[np.int64]


def place_matched_windows(ephemeris: Ephemeris, shape: WindowShape, cadences: Cadences) -> FreeWindows:
    """
    Lay single windows every T/4 (at least a cadence apart) wherever no transit, gap or cut forbids.

    No part of a window comes closer to a predicted mid-transit than T/2.
    """
    if len(cadences.time_btjd) == 0:
        return FreeWindows(place_windows(np.empty(0), shape, cadences), np.empty(0, np.int64))
    step = max(ephemeris.duration_days / STEPS_PER_DURATION, cadences.cadence_days)
    first, last = cadences.time_btjd[0] + shape.outer_days, cadences.time_btjd[-1] - shape.outer_days
    slot = np.arange(max(0, int(np.floor((last - first) / step)) + 1), dtype=np.int64)
    mid = first + slot * step
    period = ephemeris.period_days
    distance = np.abs((mid - ephemeris.epoch_btjd + period / 2) % period - period / 2)
    free = distance >= shape.outer_days + ephemeris.duration_days / 2
    windows = place_windows(mid[free], shape, cadences)
    return FreeWindows(windows.select(windows.usable), slot[free][windows.usable])


def effective_number(statistic: FloatArray, slot: NDArray[np.int64]) -> float:
    """
    Number of independent windows, nu = N / (1 + 2 sum rho^2), over the lags at which windows overlap.

    Parameters
    ----------
    statistic : shape (N,) or (N, k): a component that never varies is left out; rho^2 is averaged over the others
    slot : shape (N,): place of each window on the regular grid
    """
    if len(statistic) < 2:
        return float(len(statistic))
    table = statistic.reshape(len(statistic), -1)
    table = table - table.mean(axis=0)
    variance = (table**2).mean(axis=0)
    table = table[:, variance > 0]
    if table.shape[1] == 0:
        return 0.0
    table = table / np.sqrt(variance[variance > 0])
    grid = np.zeros((int(slot[-1] - slot[0]) + 1, table.shape[1]))
    filled = np.zeros(len(grid))
    grid[slot - slot[0]] = table
    filled[slot - slot[0]] = 1.0
    total = 0.0
    for lag in range(1, min(4 * STEPS_PER_DURATION, len(grid) - 1) + 1):
        pairs = float(filled[lag:] @ filled[:-lag])
        if pairs >= 2:
            rho = np.einsum("ij,ij->j", grid[lag:], grid[:-lag]) / pairs
            total += float(np.mean(np.minimum(rho**2, 1.0)))
    return len(statistic) / (1.0 + 2.0 * total)


def generator(label: str) -> np.random.Generator:
    """A random generator whose seed follows from the method version and a label: the same everywhere, every time."""
    digest = hashlib.sha256(f"{thresholds.METHOD_VERSION}/{label}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def draw_means(statistic: FloatArray, n_transits: int, label: str, n_draws: int = N_DRAWS) -> FloatArray:
    """Means of `n_transits` windows taken at random, shape (n_draws, k); `statistic` has shape (N, k)."""
    chosen = generator(label).integers(len(statistic), size=(n_transits, n_draws))
    total = np.zeros((n_draws, statistic.shape[1]))
    for row in chosen:
        total += statistic[row]
    return total / n_transits


@dataclass(frozen=True)
class Significance:
    """Probability that noise alone reaches the measured statistic; `kind` is `rank`, or `hotelling` beyond its floor."""

    p_value: float
    kind: str

    @property
    def sigma(self) -> float:
        """The two-sided Gaussian equivalent."""
        return sigma_of_p(self.p_value)


def sigma_of_p(p_value: float) -> float:
    """Two-sided Gaussian equivalent of a probability."""
    return abs(NormalDist().inv_cdf(max(min(p_value, 1.0), SMALLEST_P) / 2))


def sigma_of_log_p(log_p: float) -> float:
    """Two-sided Gaussian equivalent of a probability given by its natural logarithm, however small."""
    if log_p > LOG_P_OF_SERIES:
        return sigma_of_p(math.exp(min(log_p, 0.0)))
    # Far out the tail is exp(-x^2 / 2) / (x sqrt(2 pi)); solving it for x by substitution gains two digits a turn.
    sigma = math.sqrt(-2 * log_p)
    for _ in range(6):
        sigma = math.sqrt(-2 * (log_p - math.log(2) + math.log(sigma) + 0.5 * math.log(2 * math.pi)))
    return sigma


def rank_significance(observed: float, draws: FloatArray, dimensions: int, nu: float) -> Significance:
    """
    Probability of a squared distance at least as large as `observed`.

    The rank among the draws; where no draw reaches it, Hotelling's T^2 with F(dimensions, nu - dimensions + 1), which for
    two dimensions is F(2, nu - 1). Never 0.

    The draws share their windows, so the rank alone does not know how uncertain a covariance from few independent windows
    is; Hotelling's T^2 does. Where it says more than the rank, it counts: with nu = 40 the rank alone calls 1.0 % of
    594 signal-free trials 3 sigma, the larger of both 0.2 %.
    """
    reached = int(np.count_nonzero(draws >= observed))
    by_rank, by_theory = (1 + reached) / (1 + len(draws)), hotelling_p(observed, dimensions, nu)
    if reached and by_rank >= by_theory:
        return Significance(by_rank, "rank")
    return Significance(by_theory, "hotelling")


def hotelling_p(t_squared: float, dimensions: int, nu: float) -> float:
    """Upper tail of Hotelling's T^2 for a known (zero) mean and a covariance from `nu` independent windows."""
    from scipy.special import fdtrc

    free = nu - dimensions + 1
    if free <= 0:
        return 1.0
    tail = float(fdtrc(dimensions, free, t_squared * free / (dimensions * nu)))
    return min(1.0, max(tail, SMALLEST_P)) if np.isfinite(tail) else SMALLEST_P


def mahalanobis_squared(vectors: FloatArray, covariance: FloatArray) -> FloatArray:
    """Squared distances of rows of `vectors` (m, k) from zero; directions without variance do not count."""
    values, axes = np.linalg.eigh(covariance)
    good = values > max(float(values.max(initial=0.0)), 0.0) * 1e-12
    projected = vectors @ axes[:, good]
    return np.asarray((projected**2 / values[good]).sum(axis=-1), dtype=np.float64)
