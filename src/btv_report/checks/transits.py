"""
Which cadences and which transits are used, and why the others are not.

All windows are set in time. Around a transit of duration T centred on t they are: in transit, |dt| <= 0.45 T; control, one
T on each side, beyond T/2 and a buffer of max(3 cadences, 0.25 T). The same shapes and the same cuts serve the predicted
transits and the matched windows that measure the noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from btv_report.checks import thresholds
from btv_report.checks.inputs import PixelStack
from btv_report.ephemeris import Ephemeris
from btv_report.quality import ANOMALY_MASK, MOMENTUM_DUMP, flags_in

SECONDS_PER_DAY = 86400.0
MINUTES_PER_DAY = 1440.0
IN_TRANSIT_HALF_WIDTH = 0.45
PIXEL_COMPLETENESS = 0.9
MAX_LISTED_TRANSITS = 5000

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Cadences:
    """
    The cadences and pixels that the checks use.

    Attributes
    ----------
    time_btjd : float64, shape (n,), ascending
    flux : float32, shape (n, n_pixel): the valid pixels, all finite
    flux_err : same shape, or None
    valid : bool, shape (n_row, n_column): pixels with finite flux in at least 90 % of the cadences
    cadence_days : length of a cadence
    gaps : float64, shape (k, 2): start and end of each time gap, BTJD
    anomaly_btjd, anomaly_bits : times and quality words of cadences with an anomaly bit, ascending in time
    span_btjd : first and last finite time of the file, None when there is none
    counts : how many cadences were left out, by reason
    notes : sentences for readers
    """

    time_btjd: FloatArray
    flux: NDArray[np.float32]
    flux_err: NDArray[np.float32] | None
    valid: BoolArray
    cadence_days: float
    gaps: FloatArray
    anomaly_btjd: FloatArray
    anomaly_bits: NDArray[np.int32]
    span_btjd: tuple[float, float] | None
    counts: dict[str, int]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class WindowShape:
    """Edges of the five stretches of a window relative to mid-transit, days: left control, in transit, right control."""

    in_half_days: float
    inner_days: float
    outer_days: float

    @property
    def edges_days(self) -> FloatArray:
        """Start and end of left control, in transit, right control; shape (3, 2)."""
        return np.array(
            [
                [-self.outer_days, -self.inner_days],
                [-self.in_half_days, self.in_half_days],
                [self.inner_days, self.outer_days],
            ]
        )


def window_shape(ephemeris: Ephemeris, cadence_days: float) -> WindowShape:
    """The window of a transit observed at a given cadence."""
    duration = ephemeris.duration_days
    inner = duration / 2 + max(3 * cadence_days, 0.25 * duration)
    return WindowShape(IN_TRANSIT_HALF_WIDTH * duration, inner, inner + duration)


def select_cadences(stack: PixelStack, others: Sequence[Ephemeris] = ()) -> Cadences:
    """
    Choose the cadences and pixels that are used; nothing is dropped uncounted.

    A cadence is used when the quality mask leaves it, its time is finite, all valid pixels are finite, and no other
    candidate is in transit. If the other candidates leave nothing, their transits are kept, with a note.
    """
    time = stack.time_btjd
    n_cadence = len(time)
    n_pixel = stack.shape[0] * stack.shape[1]
    flux = stack.flux.reshape(n_cadence, n_pixel)
    timed = np.isfinite(time)
    finite = np.isfinite(flux)
    whole = finite.all(axis=1)
    base = stack.used & timed
    if (whole | ~base).all():
        valid = np.full(flux.shape[1], bool(base.any()))
    else:
        filled = base & finite.any(axis=1)
        valid = finite[filled].mean(axis=0) >= PIXEL_COMPLETENESS if filled.any() else np.zeros(flux.shape[1], bool)
        whole = finite[:, valid].all(axis=1) if valid.any() else np.zeros(n_cadence, bool)
    keep = base & whole
    counts = {
        "without_time": int(np.count_nonzero(~timed)),
        "not_used": int(np.count_nonzero(timed & ~stack.used)),
        "non_finite_flux": int(np.count_nonzero(base & ~whole)),
    }
    notes: tuple[str, ...] = ()
    blocked = keep & _in_transit_of(time, others)
    if blocked.any():
        if blocked.sum() < keep.sum():
            keep = keep & ~blocked
            counts["other_candidates_in_transit"] = int(blocked.sum())
        else:
            notes = ("Cadences in transit of other candidates were kept, because nothing else remains.",)
    counts["used"] = int(keep.sum())
    chosen = np.flatnonzero(keep)
    if len(chosen) > 1 and (np.diff(time[chosen]) < 0).any():
        chosen = chosen[np.argsort(time[chosen], kind="stable")]
    cadence_days = _cadence_days(stack)
    present = timed & (finite.any(axis=1) | ((stack.quality & MOMENTUM_DUMP) != 0))
    odd = np.flatnonzero(timed & ((stack.quality & ANOMALY_MASK) != 0))
    odd = odd[np.argsort(time[odd], kind="stable")]
    return Cadences(
        time_btjd=time[chosen],
        flux=_take(flux, chosen, valid),
        flux_err=None if stack.flux_err is None else _take(stack.flux_err.reshape(n_cadence, n_pixel), chosen, valid),
        valid=valid.reshape(stack.shape),
        cadence_days=cadence_days,
        gaps=_find_gaps(time[present], cadence_days),
        anomaly_btjd=time[odd],
        anomaly_bits=(stack.quality[odd] & ANOMALY_MASK).astype(np.int32),
        span_btjd=(float(time[timed].min()), float(time[timed].max())) if timed.any() else None,
        counts=counts,
        notes=notes,
    )


def _take(values: NDArray[np.float32], rows: NDArray[np.intp], columns: BoolArray) -> NDArray[np.float32]:
    """Rows and columns of a table, without a copy when all are wanted."""
    every_row = len(rows) == len(values) and (len(rows) < 2 or bool((np.diff(rows) == 1).all()))
    taken = values if every_row else values[rows]
    return taken if columns.all() else taken[:, columns]


def _in_transit_of(time: FloatArray, others: Sequence[Ephemeris]) -> BoolArray:
    """Cadences between first and last contact of any of the ephemerides; non-finite times are in none."""
    inside = np.zeros(len(time), bool)
    for other in others:
        phase = (time - other.epoch_btjd + other.period_days / 2) % other.period_days - other.period_days / 2
        inside |= np.abs(phase) <= other.duration_days / 2
    return inside


def _cadence_days(stack: PixelStack) -> float:
    """The measured cadence; without one (a single cadence), two minutes."""
    if np.isfinite(stack.cadence_s) and stack.cadence_s > 0:
        return stack.cadence_s / SECONDS_PER_DAY
    return 120.0 / SECONDS_PER_DAY


def _find_gaps(time: FloatArray, cadence_days: float) -> FloatArray:
    """
    Stretches without data longer than one cadence and ten minutes, shape (k, 2).

    With long cadences ten minutes is less than a single masked cadence, which is no gap: there, two must be missing.
    """
    ordered = np.sort(time)
    longest = cadence_days + max(thresholds.value("gap_minutes") / MINUTES_PER_DAY, 1.5 * cadence_days)
    where = np.flatnonzero(np.diff(ordered) > longest)
    return np.stack([ordered[where], ordered[where + 1]], axis=1)


@dataclass(frozen=True)
class WindowSet:
    """
    Windows centred on given times, before any flux is looked at.

    Attributes
    ----------
    mid_btjd : shape (m,)
    index : int64, shape (m, 3, 2): first cadence and one past the last, of left control, in transit, right control
    complete, gap_free, anomaly_free : bool, shape (m,)
    """

    mid_btjd: FloatArray
    index: IntArray
    complete: BoolArray
    gap_free: BoolArray
    anomaly_free: BoolArray

    @property
    def usable(self) -> BoolArray:
        """Windows that pass the cuts in time."""
        return self.complete & self.gap_free & self.anomaly_free

    def select(self, which: BoolArray) -> WindowSet:
        """The windows where `which` is true."""
        return WindowSet(
            self.mid_btjd[which],
            self.index[which],
            self.complete[which],
            self.gap_free[which],
            self.anomaly_free[which],
        )


def place_windows(mid_btjd: FloatArray, shape: WindowShape, cadences: Cadences) -> WindowSet:
    """Lay windows over the cadences and apply the cuts in time."""
    edges = mid_btjd[:, None, None] + shape.edges_days
    start = np.searchsorted(cadences.time_btjd, edges[..., 0], side="left")
    end = np.searchsorted(cadences.time_btjd, edges[..., 1], side="right")
    share = _shares(end - start, shape, cadences.cadence_days)
    first, last = mid_btjd - shape.outer_days, mid_btjd + shape.outer_days
    settled = cadences.gaps[:, 1] + thresholds.value("gap_settling_days")
    # Gaps are in order, so a window meets one exactly when a gap that starts before its end has not settled by its start.
    begun, settled_gaps = np.searchsorted(cadences.gaps[:, 0], last), np.searchsorted(settled, first, side="right")
    gap_free = np.asarray(begun == settled_gaps, dtype=np.bool_)
    anomalies = np.searchsorted(cadences.anomaly_btjd, last, side="right") - np.searchsorted(
        cadences.anomaly_btjd, first, side="left"
    )
    complete = np.asarray((share >= thresholds.value("window_completeness")).all(axis=1), dtype=np.bool_)
    index = np.stack([start, end], axis=-1).astype(np.int64)
    anomaly_free = np.asarray(anomalies == 0, dtype=np.bool_)
    return WindowSet(mid_btjd, index, complete, gap_free, anomaly_free)


def _shares(count: NDArray[np.intp], shape: WindowShape, cadence_days: float) -> FloatArray:
    """Cadences present over cadences expected, for the three stretches of each window."""
    edges = shape.edges_days
    expected = np.maximum(1.0, np.floor((edges[:, 1] - edges[:, 0]) / cadence_days + 1e-6))
    return np.asarray(count / expected, dtype=np.float64)


def transit_numbers(ephemeris: Ephemeris, cadences: Cadences) -> range:
    """Numbers of the transits predicted between the first and the last time of the file."""
    if cadences.span_btjd is None:
        return range(0)
    return ephemeris.numbers_between(*cadences.span_btjd)


def reason_no_control_time(ephemeris: Ephemeris, shape: WindowShape) -> str:
    """Why this ephemeris leaves no time to compare with, or empty when it does."""
    factor = thresholds.value("period_over_duration")
    if ephemeris.period_days < factor * ephemeris.duration_days:
        return (
            f"The period ({ephemeris.period_days:.4g} d) is shorter than {factor:g} transit durations "
            f"({ephemeris.duration_hours:.4g} h each): there is no free time to compare the transits with."
        )
    if ephemeris.period_days < 2 * shape.outer_days + ephemeris.duration_days:
        return (
            f"The period ({ephemeris.period_days:.4g} d) is too short for this cadence: transit, buffers and control "
            f"windows need {2 * shape.outer_days + ephemeris.duration_days:.4g} d."
        )
    return ""


def reason_dropped_in_time(windows: WindowSet, i: int, shape: WindowShape, cadences: Cadences) -> str:
    """Why transit `i` fails the cuts in time, in plain words; empty when it passes."""
    first, last = windows.mid_btjd[i] - shape.outer_days, windows.mid_btjd[i] + shape.outer_days
    if not windows.gap_free[i]:
        for start, end in cadences.gaps:
            if start < last and first < end + thresholds.value("gap_settling_days"):
                minutes = (end - start) * MINUTES_PER_DAY
                length = f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
                if end > first:
                    return f"a gap of {length} in the data falls into its windows"
                return f"it follows a gap of {length} by less than {thresholds.value('gap_settling_days'):g} d"
    if not windows.anomaly_free[i]:
        inside = (cadences.anomaly_btjd >= first) & (cadences.anomaly_btjd <= last)
        bits = int(np.bitwise_or.reduce(cadences.anomaly_bits[inside]))
        names = ", ".join(flag.meaning for flag in flags_in(bits))
        return f"cadences in its windows are flagged: {names}"
    if not windows.complete[i]:
        share = _shares(windows.index[i, :, 1] - windows.index[i, :, 0], shape, cadences.cadence_days)
        worst = int(np.argmin(share))
        part = ("before the transit", "in transit", "after the transit")[worst]
        need = thresholds.value("window_completeness")
        return f"only {100 * share[worst]:.0f} % of the cadences {part} are usable ({100 * need:.0f} % are needed)"
    return ""
