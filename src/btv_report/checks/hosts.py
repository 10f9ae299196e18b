"""
Which star is the host: each catalogued star's delta-chi-squared, the depth it would need, and its probability.

Each star has the same prior weight, times the probability that the depth it would need is at most 1; a source in no
catalogue has a twentieth of the whole prior, spread evenly over the search circle, so that it grows with the crowding.
Equal weights mean that eclipses of any depth are as frequent as others of the same logarithmic range: nothing is taken from
the target's being a planet candidate, nor from the stars' colours or sizes, so that the answer rests on the pixels. The
likelihood of a position is exp(-delta-chi-squared / 2) with the systematic floor. This follows the positional probabilities
of Bryson & Morton 2017 (KSCI-19108, Kepler DR25) and Hadjigeorghiou & Armstrong 2024 (MNRAS 527, 4018: TESS), with the
measured region in place of a Gaussian.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from btv_report.checks.apertures import FloatArray

UNCATALOGUED_SHARE = 0.05
"""Prior probability that the host is in no catalogue: about one in twenty, whatever the number of catalogued stars."""
FLUX_RATIO_ERROR = 0.2
SMALLEST_PROBABILITY = 1e-9


@dataclass(frozen=True)
class HostInput:
    """A star's floored delta-chi-squared and the depth it would need with its relative error (None: flux not known)."""

    delta_chi2: float
    required_depth: float | None
    depth_relative_error: float


def host_probabilities(stars: Sequence[HostInput], uncatalogued_evidence: float) -> tuple[list[float], float]:
    """
    Probability of each star, and of none of them; they sum to 1.

    Parameters
    ----------
    stars : target and catalogued neighbours
    uncatalogued_evidence : mean of exp(-delta-chi-squared / 2) over the search circle
    """
    possible = [probability_possible(star) for star in stars]
    weights = [math.exp(-0.5 * min(star.delta_chi2, 1400.0)) * p for star, p in zip(stars, possible, strict=True)]
    # Where no star is possible the target still counts as one, or no weight would be left to anybody.
    prior = UNCATALOGUED_SHARE / (1 - UNCATALOGUED_SHARE) * max(sum(possible), 1.0)
    none = prior * max(uncatalogued_evidence, 1e-12)
    total = sum(weights) + none
    raw = [max(weight / total, SMALLEST_PROBABILITY) for weight in [*weights, none]]
    norm = sum(raw)
    return [value / norm for value in raw[:-1]], raw[-1] / norm


def probability_possible(star: HostInput) -> float:
    """Probability that the depth a star would need is at most 1, its flux being known to 20 %; 1 when it is not known."""
    if star.required_depth is None:
        return 1.0
    # Depth and flux are uncertain by factors, so the comparison is one of logarithms.
    sigma = math.hypot(star.depth_relative_error, FLUX_RATIO_ERROR)
    return NormalDist().cdf(-math.log(max(star.required_depth, 1e-12)) / sigma)


def uncatalogued_evidence(floored: FloatArray, step_px: float, search_radius_px: float) -> float:
    """Mean of exp(-delta-chi-squared / 2) over the search circle, from a grid that holds the region."""
    return float(np.exp(-0.5 * floored).sum()) * step_px**2 / (math.pi * search_radius_px**2)
