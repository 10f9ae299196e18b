"""Light against time and pointing against time: the transits, the scattered light, the jitter."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from btv_report.simulation.scene import MomentumDumps, Noise, ScatteredLight, Signal

Times = NDArray[np.float64]

HOURS_PER_DAY = 24.0


def dip_shape(time_btjd: Times, mid_btjd: float, period_days: float, duration_days: float, ingress: float) -> Times:
    """
    Trapezoid of unit depth repeated every period: 0 outside, 1 at the bottom.

    Sampled at mid-cadence; a two-minute cadence smears an ingress of twenty minutes by less than 1e-3 of the depth.
    """
    phase_days = np.mod(time_btjd - mid_btjd + 0.5 * period_days, period_days) - 0.5 * period_days
    return np.clip((0.5 * duration_days - np.abs(phase_days)) / (ingress * duration_days), 0.0, 1.0)


def relative_brightness(time_btjd: Times, signals: tuple[Signal, ...]) -> Times:
    """
    Brightness of a source relative to out of transit, shape (n,).

    Several signals on one source multiply; a secondary eclipse lies half a period after the primary.
    """
    brightness = np.ones_like(time_btjd)
    for signal in signals:
        ephemeris = signal.ephemeris
        for depth, shift in ((signal.depth, 0.0), (signal.secondary_depth, 0.5)):
            if depth > 0.0:
                mid = ephemeris.epoch_btjd + shift * ephemeris.period_days
                shape = dip_shape(
                    time_btjd, mid, ephemeris.period_days, ephemeris.duration_days, signal.ingress_fraction
                )
                brightness *= 1.0 - depth * shape
    return brightness


def scattered_light(time_btjd: Times, light: ScatteredLight) -> Times:
    """Scattered light at the stamp's centre, electron/s per pixel: a smooth hump over its span, zero elsewhere."""
    span = light.span
    fraction = (time_btjd - span.start_btjd) / (span.end_btjd - span.start_btjd)
    inside = (fraction >= 0.0) & (fraction < 1.0)
    return np.where(inside, light.peak_e_per_s * np.sin(np.pi * fraction) ** 2, 0.0)


def dump_cadences(start_btjd: float, cadence_days: float, n: int, dumps: MomentumDumps) -> list[int]:
    """Index of the first cadence of each momentum dump within a sector of `n` cadences."""
    end_btjd = start_btjd + n * cadence_days
    number = max(0, math.ceil((start_btjd - dumps.first_btjd) / dumps.every_days))
    firsts = []
    while (when := dumps.first_btjd + number * dumps.every_days) < end_btjd:
        firsts.append(int((when - start_btjd) / cadence_days))
        number += 1
    return firsts


def slow_jitter(rng: np.random.Generator, n: int, cadence_days: float, noise: Noise) -> NDArray[np.float64]:
    """
    Stationary first-order autoregression per axis, px, shape (n, 2) as (row, column).

    The recursion runs in plain Python floats: no filter routine whose rounding depends on the machine.
    """
    memory = math.exp(-cadence_days * HOURS_PER_DAY / noise.jitter_hours)
    innovation = math.sqrt(1.0 - memory * memory)
    kicks = rng.standard_normal((n, 2)).tolist()
    row, column = kicks[0] if kicks else (0.0, 0.0)
    path = []
    for index, (kick_row, kick_column) in enumerate(kicks):
        if index:
            row, column = memory * row + innovation * kick_row, memory * column + innovation * kick_column
        path.append((row, column))
    return noise.jitter_px * np.array(path, dtype=np.float64).reshape(n, 2)
