"""
How far the times of two light curves of one star and sector lie apart.

Pipelines have stamped the same exposures about 2 s apart (early full-frame images against 2-minute data, and older
processing against newer). The difference is measured and shown, never corrected.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SECONDS_PER_DAY = 86400.0
LARGEST_SPREAD_S = 5.0
"""Interquartile range above which the cadences of the two files do not stand in a fixed relation."""
FEWEST_PAIRS = 10


@dataclass(frozen=True)
class TimeOffset:
    """
    Times of one light curve minus those of another.

    Attributes
    ----------
    offset_s : median difference of the nearest mid-times, seconds
    spread_s : interquartile range of the differences, seconds
    n_pairs : pairs of cadences
    """

    offset_s: float
    spread_s: float
    n_pairs: int


def measure_time_offset(
    time_btjd: NDArray[np.float64], reference_btjd: NDArray[np.float64], cadence_s: float
) -> TimeOffset | None:
    """
    Measure the offset of one time axis against another.

    The middle of a long exposure falls on the middle of one of the short ones it is made of when it holds an odd number of
    them (15 of 120 s in 1800 s, 5 in 600 s); then the nearest mid-times differ by the offset alone. Where it does not (200 s
    against 120 s) the differences scatter, and nothing is measured.

    Parameters
    ----------
    time_btjd, reference_btjd : float64, days; not finite ones are left out
    cadence_s : the shorter of the two cadences, seconds: pairs further apart than half of it are none

    Returns
    -------
    TimeOffset or None
        None with fewer than ten pairs, or where the differences have no common value.
    """
    mine = np.sort(time_btjd[np.isfinite(time_btjd)])
    other = np.sort(reference_btjd[np.isfinite(reference_btjd)])
    if mine.size == 0 or other.size == 0:
        return None
    after = np.clip(np.searchsorted(other, mine), 1, max(other.size - 1, 1))
    before = other[after - 1]
    following = other[np.minimum(after, other.size - 1)]
    nearest = np.where(np.abs(mine - before) <= np.abs(following - mine), before, following)
    differences_s = (mine - nearest) * SECONDS_PER_DAY
    differences_s = differences_s[np.abs(differences_s) < 0.5 * cadence_s]
    if differences_s.size < FEWEST_PAIRS:
        return None
    low, middle, high = np.percentile(differences_s, (25, 50, 75))
    if high - low > LARGEST_SPREAD_S:
        return None
    return TimeOffset(float(middle), float(high - low), int(differences_s.size))
