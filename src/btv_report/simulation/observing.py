"""What happens while observing, star or no star: pointing, scattered light, cadences flagged or lost."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from btv_report.quality import MOMENTUM_DUMP, QUALITY_FLAG_BITS
from btv_report.simulation import brightness
from btv_report.simulation.scene import Scene, SceneSector, Span

FloatVector = NDArray[np.float64]

SECONDS_PER_DAY = 86400.0
_SCATTERED_LIGHT_GRADIENT = 0.02
"""Relative change per column of scattered light across the stamp: it comes from one side."""


def pointing(rng: np.random.Generator, scene: Scene, sector: SceneSector, time_btjd: FloatVector) -> FloatVector:
    """Motion of all stars, px, shape (n, 2) as (row, column): drift, slow and fast jitter, kicks at momentum dumps."""
    cadence_days = sector.cadence_s / SECONDS_PER_DAY
    noise = scene.noise
    shift = brightness.slow_jitter(rng, time_btjd.size, cadence_days, noise)
    shift += noise.fast_jitter_px * rng.standard_normal(shift.shape)
    drift = np.array([noise.drift_row_px_per_day, noise.drift_column_px_per_day])
    shift += (time_btjd - sector.mid_btjd)[:, None] * drift
    for dumps in scene.dumps:
        for first in brightness.dump_cadences(sector.start_btjd, cadence_days, time_btjd.size, dumps):
            angle = rng.uniform(0.0, 2.0 * math.pi)
            settling = 1.0 - np.arange(dumps.n_cadences) / dumps.n_cadences
            kick = dumps.kick_px * settling[:, None] * np.array([math.sin(angle), math.cos(angle)])
            shift[first : first + dumps.n_cadences] += kick[: time_btjd.size - first]
    return shift


def scattered_light(scene: Scene, time_btjd: FloatVector) -> tuple[FloatVector, FloatVector]:
    """Scattered light per pixel, and what background subtraction leaves of it; each of shape (n, 1, n_column)."""
    light, left = np.zeros(time_btjd.size), np.zeros(time_btjd.size)
    for stretch in scene.scattered_light:
        hump = brightness.scattered_light(time_btjd, stretch)
        light += hump
        left += stretch.residual_fraction * hump
    gradient = _gradient(scene)
    return light[:, None, None] * gradient, left[:, None, None] * gradient


def _gradient(scene: Scene) -> FloatVector:
    columns = np.arange(scene.n_column) - 0.5 * (scene.n_column - 1)
    return np.asarray(1.0 + _SCATTERED_LIGHT_GRADIENT * columns, dtype=np.float64)[None, None, :]


def downlink_gap(sector: SceneSector, time_btjd: FloatVector) -> NDArray[np.bool_]:
    """Cadences in which the spacecraft looks at the Earth."""
    gap = sector.gap
    return _within(time_btjd, gap) if gap else np.zeros(time_btjd.size, dtype=bool)


def lost_cadences(scene: Scene, time_btjd: FloatVector) -> NDArray[np.bool_]:
    """Cadences of which no pixels came down, besides the gap."""
    lost = np.zeros(time_btjd.size, dtype=bool)
    for span in scene.missing:
        lost |= _within(time_btjd, span)
    return lost


def _within(time_btjd: FloatVector, span: Span) -> NDArray[np.bool_]:
    return (time_btjd >= span.start_btjd) & (time_btjd < span.end_btjd)


def _bits(numbers: tuple[int, ...]) -> int:
    value = 0
    for number in numbers:
        value |= 1 << (number - 1)
    return value


def quality_flags(scene: Scene, sector: SceneSector, time_btjd: FloatVector) -> NDArray[np.int32]:
    """QUALITY of each cadence: the gap, the dumps, the flagged stretches, the brighter half of scattered light."""
    quality = np.zeros(time_btjd.size, dtype=np.int32)
    quality[downlink_gap(sector, time_btjd)] |= QUALITY_FLAG_BITS["earth_point"].value
    cadence_days = sector.cadence_s / SECONDS_PER_DAY
    for dumps in scene.dumps:
        for first in brightness.dump_cadences(sector.start_btjd, cadence_days, time_btjd.size, dumps):
            quality[first : first + dumps.n_cadences] |= MOMENTUM_DUMP
    for stretch in scene.flagged:
        quality[_within(time_btjd, stretch.span)] |= _bits(stretch.bits)
    for light in scene.scattered_light:
        quality[brightness.scattered_light(time_btjd, light) > 0.5 * light.peak_e_per_s] |= _bits(light.bits)
    return quality
