"""What a pixel file holds in place of measurements: cadences of zeros, pixels of zeros, and values that stand still."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STUCK_CADENCES = 20
"""
Cadences in a row with exactly the same value that are no measurement.

Fluxes are float32 with noise far above their last digit: even two that agree are rare. Fluxes rounded to whole numbers agree by
chance, and where the noise is smaller than a step they stand still for days. So a pixel counts as stuck only if at most a tenth
of the pairs of its other values agree. No single value then takes up more than sqrt(0.1) of them, and 20 in a row have a
probability below 0.1^10: 3e-4 in all 2.5 million values of a file. (A pixel of one value but for single cadences is stuck.)
"""

MOST_EQUAL_PAIRS = 0.1

# A run of 20 covers three samples in a row when every sixth cadence is looked at: most pixels are done after that.
_STRIDE = 6


def blank_empty_cadences(flux: NDArray[np.float32], kept: NDArray[np.bool_]) -> int:
    """
    Put NaN, in place, into the cadences whose every pixel is exactly 0 (or not finite, and one at least is 0).

    Parameters
    ----------
    flux : float32, shape (n, n_row, n_column), changed
    kept : bool, shape (n,): cadences that would be used

    Returns
    -------
    int
        How many of the kept cadences that are.
    """
    pixels = flux.reshape(flux.shape[0], -1)
    # One pixel that holds light in the middle of the file tells nearly all cadences apart.
    middle = np.flatnonzero(kept)[np.count_nonzero(kept) // 2] if kept.any() else 0
    probe = int(np.nan_to_num(np.abs(pixels[middle]), posinf=0.0).argmax())
    suspects = np.flatnonzero(~(np.isfinite(pixels[:, probe]) & (pixels[:, probe] != 0)))
    values = pixels[suspects]
    empty = ~(np.isfinite(values) & (values != 0)).any(axis=1) & (values == 0).any(axis=1)
    pixels[suspects[empty]] = np.nan
    return int(np.count_nonzero(kept[suspects[empty]]))


def blank_dead_pixels(flux: NDArray[np.float32], kept: NDArray[np.bool_]) -> None:
    """
    Put NaN, in place, where a pixel holds one value for `STUCK_CADENCES` kept cadences in a row or longer.

    That is done only where at least half of the pixels that hold values do vary throughout: a cube without noise is no cube of
    dead pixels. A pixel that is zero (or not finite) in every cadence is dead in any case: TESScut writes zeros where a cut-out
    leaves the detector's exposed columns, which may be most of it.

    Parameters
    ----------
    flux : float32, shape (n, n_row, n_column), changed
    kept : bool, shape (n,); a cadence in between that is not kept breaks no run, and is not changed
    """
    pixels = flux.reshape(flux.shape[0], -1)
    places = np.flatnonzero(kept)
    if places.size == 0:
        places = np.arange(kept.size)
    sample = pixels[::_STRIDE] if places.size == kept.size else pixels[places[::_STRIDE]]
    same = sample[1:] == sample[:-1]
    seen = (same[1:] & same[:-1]).any(axis=0)
    ends = pixels[places[[0, -1]]]
    silent = ~(np.isfinite(ends) & (ends != 0)).any(axis=0)
    suspects = np.flatnonzero(seen | silent)
    if suspects.size == 0:
        return
    values = pixels[:, suspects]
    dead = ~(np.isfinite(values) & (values != 0)).any(axis=0)
    pixels[:, suspects[dead]] = np.nan
    suspects, values = suspects[~dead], values[places][:, ~dead]
    runs = _long_runs(values)
    stuck = runs.any(axis=0)
    n_alive = np.count_nonzero(np.isfinite(pixels[places]).any(axis=0)) if stuck.any() else 0
    if 2 * np.count_nonzero(stuck) > n_alive:
        return
    for number in np.flatnonzero(stuck):
        pixels[places[runs[:, number]], suspects[number]] = np.nan


def _long_runs(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which of the values, shape (n, n_pixel), are part of a run; none in pixels whose other values agree often."""
    same = values[1:] == values[:-1]
    found = np.zeros(values.shape, dtype=np.bool_)
    for number in range(values.shape[1]):
        changes = np.concatenate(([0], np.flatnonzero(~same[:, number]) + 1, [values.shape[0]]))
        lengths = np.diff(changes)
        inside = np.repeat(lengths >= STUCK_CADENCES, lengths)
        if inside.any() and _equal_pairs(values[~inside, number]) <= MOST_EQUAL_PAIRS:
            found[:, number] = inside
    return found


def _equal_pairs(values: NDArray[np.float32]) -> float:
    """Share of the pairs of finite values that agree; 0 with fewer than two."""
    finite = values[np.isfinite(values)]
    counts = np.unique(finite, return_counts=True)[1].astype(np.float64)
    pairs = finite.size * (finite.size - 1)
    return float((counts * (counts - 1)).sum() / pairs) if pairs else 0.0
