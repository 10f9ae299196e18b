"""
Small non-linear least squares (Levenberg 1944, Marquardt 1963), a few parameters, numpy only.

scipy's does the same; importing `scipy.optimize` takes longer than the whole of the checks, in every process.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from btv_report.checks.apertures import FloatArray

MAX_STEPS = 60
STEP = 1e-5
FIRST_DAMPING, LARGEST_DAMPING = 1e-3, 1e12
SMALLEST_GAIN, SMALLEST_MOVE = 1e-9, 1e-5


def minimise(residual: Callable[[FloatArray], FloatArray], start: FloatArray) -> FloatArray:
    """
    Parameters that make the sum of squared residuals least, near `start`.

    Parameters
    ----------
    residual : parameters, shape (k,), to residuals, shape (n,); both of order 1
    start : shape (k,)

    Returns
    -------
    ndarray, shape (k,)
        The best found; `start` itself where the residuals are not finite there.
    """
    here = np.array(start, dtype=np.float64)
    rest = residual(here)
    cost = float(rest @ rest)
    damping = FIRST_DAMPING
    for _ in range(MAX_STEPS):
        if not np.isfinite(cost) or damping > LARGEST_DAMPING:
            break
        slope = _jacobian(residual, here, rest)
        if not np.isfinite(slope).all():
            break
        normal, gradient = slope.T @ slope, slope.T @ rest
        diagonal = np.maximum(np.diag(normal), 1e-30)
        moved = False
        while not moved and damping <= LARGEST_DAMPING:
            try:
                move = -np.linalg.solve(normal + damping * np.diag(diagonal), gradient)
            except np.linalg.LinAlgError:
                return here
            new_rest = residual(here + move)
            new_cost = float(new_rest @ new_rest)
            moved = bool(np.isfinite(new_cost)) and new_cost <= cost
            damping = damping / 10 if moved else damping * 10
        if not moved:
            break
        gain, cost = cost - new_cost, new_cost
        here, rest = here + move, new_rest
        if gain <= SMALLEST_GAIN * cost or float(np.abs(move).max()) < SMALLEST_MOVE:
            break
    return here


def _jacobian(residual: Callable[[FloatArray], FloatArray], here: FloatArray, rest: FloatArray) -> FloatArray:
    """Forward differences, shape (n, k)."""
    steps = STEP * np.maximum(np.abs(here), 1.0)
    return np.stack(
        [(residual(here + step) - rest) / size for step, size in zip(np.diag(steps), steps, strict=True)], axis=1
    )
