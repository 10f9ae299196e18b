"""
Difference images: control minus in transit, formed per transit and then averaged, without detrending.

One pass over the flux serves all windows: sums between the sorted edges of all windows, then float64 prefix sums over those
blocks, so that a window is a few look-ups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from btv_report.checks import thresholds
from btv_report.checks.apertures import background_pixels, distance_px
from btv_report.checks.inputs import PixelStack
from btv_report.checks.matched_windows import effective_number, place_matched_windows
from btv_report.checks.result import TransitRow
from btv_report.checks.transits import (
    MAX_LISTED_TRANSITS,
    BoolArray,
    Cadences,
    FloatArray,
    WindowSet,
    WindowShape,
    place_windows,
    reason_dropped_in_time,
    reason_no_control_time,
    select_cadences,
    transit_numbers,
    window_shape,
)
from btv_report.ephemeris import Ephemeris

MIN_WINDOWS_FOR_SIDE_CUT = 20
MAD_TO_SIGMA = 1.4826
FALLBACK_APERTURE_PX = 2.0
PPM = 1e6


@dataclass(frozen=True)
class WindowMeans:
    """
    Mean images of windows, over the valid pixels.

    `control` is the average of the two sides, so that a linear trend cancels; `difference` is control minus in transit;
    `sides` is left minus right control. Each has shape (m, n_pixel) and the unit of the flux.
    """

    control: FloatArray
    difference: FloatArray
    sides: FloatArray

    def select(self, which: BoolArray) -> WindowMeans:
        """The windows where `which` is true."""
        return WindowMeans(self.control[which], self.difference[which], self.sides[which])


@dataclass(frozen=True)
class PixelMeasurement:
    """
    What the four checks share: the windows of one candidate in one sector, measured.

    Attributes
    ----------
    stack, ephemeris, cadences, shape : inputs and window geometry
    rows : every predicted transit, kept or dropped and why
    kept : WindowMeans of the usable transits
    free : WindowMeans of the matched windows
    slot : place of each matched window on the grid of T/4
    formal_variance : variance of the mean difference image from flux_err, shape (n_pixel,); None without errors
    aperture : bool, shape (n_row, n_column): pipeline aperture within the valid pixels, or a circle of 2 px
    aperture_source : `pipeline`, or how it was chosen
    background : bool, shape (n_row, n_column): pixels that hold only background
    nu : effective number of independent matched windows, of the aperture flux
    reason : why nothing can be measured, empty otherwise
    """

    stack: PixelStack
    ephemeris: Ephemeris
    cadences: Cadences
    shape: WindowShape
    rows: tuple[TransitRow, ...]
    kept: WindowMeans
    free: WindowMeans
    slot: NDArray[np.int64]
    formal_variance: FloatArray | None
    aperture: BoolArray
    aperture_source: str
    background: BoolArray
    nu: float
    reason: str

    @property
    def n_transits(self) -> int:
        """Number of usable transits."""
        return len(self.kept.difference)

    @property
    def valid(self) -> BoolArray:
        """Valid pixels, shape (n_row, n_column)."""
        return self.cadences.valid

    @property
    def difference(self) -> FloatArray:
        """Mean difference image over the valid pixels."""
        return np.asarray(self.kept.difference.mean(axis=0), dtype=np.float64)

    @property
    def control(self) -> FloatArray:
        """Mean control image over the valid pixels."""
        return np.asarray(self.kept.control.mean(axis=0), dtype=np.float64)

    @property
    def sigma(self) -> FloatArray:
        """Error of the mean difference per valid pixel: the larger of formal and matched-window error."""
        variance = (self.free.difference**2).mean(axis=0) / self.n_transits
        if self.formal_variance is not None:
            variance = np.maximum(variance, self.formal_variance)
        return np.asarray(np.sqrt(variance), dtype=np.float64)

    def image(self, values: FloatArray) -> FloatArray:
        """Values of the valid pixels as a stamp, NaN elsewhere."""
        full = np.full(self.valid.shape, np.nan)
        full[self.valid] = values
        return full

    def over(self, weights: FloatArray | BoolArray) -> FloatArray:
        """Weights of a stamp at the valid pixels."""
        return np.asarray(weights[self.valid], dtype=np.float64)


def measure_pixels(stack: PixelStack, ephemeris: Ephemeris, others: Sequence[Ephemeris] = ()) -> PixelMeasurement:
    """Choose cadences, transits and matched windows of one candidate, and measure their mean images."""
    cadences = select_cadences(stack, others)
    shape = window_shape(ephemeris, cadences.cadence_days)
    numbers = transit_numbers(ephemeris, cadences)
    if reason_no_control_time(ephemeris, shape) or cadences.flux.size == 0:
        return _nothing_measured(stack, ephemeris, cadences, shape, numbers)
    mid = np.array([ephemeris.mid_btjd(number) for number in numbers], dtype=np.float64)
    predicted = place_windows(mid, shape, cadences)
    matched = place_matched_windows(ephemeris, shape, cadences)
    transits = predicted.select(predicted.usable)
    mean_image, (kept, free) = _window_means(cadences.flux, (transits, matched.windows))
    aperture, aperture_source = _choose_aperture(stack, cadences.valid, mean_image)
    kept_side, free_side = _side_cut(kept, free, aperture, cadences.valid)
    reasons = [reason_dropped_in_time(predicted, i, shape, cadences) for i in range(len(mid))]
    usable = np.flatnonzero(predicted.usable)
    for i, fits in zip(usable, kept_side, strict=True):
        if not fits:
            reasons[i] = "the levels before and after it differ far more than they do elsewhere (side cut)"
    kept, free, slot = kept.select(kept_side), free.select(free_side), matched.slot[free_side]
    full_image = np.full(stack.shape, np.nan)
    full_image[cadences.valid] = mean_image
    measurement = PixelMeasurement(
        stack=stack,
        ephemeris=ephemeris,
        cadences=cadences,
        shape=shape,
        rows=(),
        kept=kept,
        free=free,
        slot=slot,
        formal_variance=_formal_variance(cadences, transits.select(kept_side)),
        aperture=aperture,
        aperture_source=aperture_source,
        background=background_pixels(full_image, aperture),
        nu=effective_number(free.difference @ aperture[cadences.valid].astype(float), slot),
        reason="" if len(kept.difference) else _reason_no_transit(len(numbers), stack.sector),
    )
    return replace(measurement, rows=_transit_rows(measurement, numbers, reasons))


def _window_means(flux: NDArray[np.float32], sets: tuple[WindowSet, ...]) -> tuple[FloatArray, tuple[WindowMeans, ...]]:
    """The mean over all cadences, and the mean images of each set of windows, from one pass over the flux."""
    index = np.concatenate([windows.index.ravel() for windows in sets])
    edges = np.unique(np.append(index, 0))
    inner = edges[edges < len(flux)]
    blocks = np.add.reduceat(flux, inner, axis=0, dtype=np.float64)
    prefix = np.concatenate([np.zeros((1, flux.shape[1])), np.cumsum(blocks, axis=0)])
    # prefix[k] is the sum over all cadences before edge k; an edge past the last cadence has position len(inner).
    means = []
    for windows in sets:
        place = np.searchsorted(inner, windows.index)
        count = (windows.index[..., 1] - windows.index[..., 0])[..., None]
        left, inside, right = np.moveaxis((prefix[place[..., 1]] - prefix[place[..., 0]]) / count, 1, 0)
        control = 0.5 * (left + right)
        means.append(WindowMeans(control, control - inside, left - right))
    return prefix[-1] / len(flux), tuple(means)


def _formal_variance(cadences: Cadences, transits: WindowSet) -> FloatArray | None:
    """Variance of the mean difference image by flux_err: sum sigma^2 / N^2 of each stretch; None without errors."""
    if cadences.flux_err is None or len(transits.mid_btjd) == 0:
        return None
    total = np.zeros(cadences.flux_err.shape[1])
    for stretches in transits.index:
        for (start, end), weight in zip(stretches, (0.25, 1.0, 0.25), strict=True):
            squares = cadences.flux_err[start:end].astype(np.float64) ** 2
            finite = np.isfinite(squares)
            number = finite.sum(axis=0)
            mean = np.where(finite, squares, 0.0).sum(axis=0) / np.maximum(number, 1)
            total += weight * mean / (end - start)
    variance = total / len(transits.mid_btjd) ** 2
    return variance if (variance > 0).any() else None


def _choose_aperture(stack: PixelStack, valid: BoolArray, mean_image: FloatArray) -> tuple[BoolArray, str]:
    """The pipeline's aperture, else a circle of 2 px about the catalogue position or the brightest pixel."""
    if stack.aperture_mask is not None and (stack.aperture_mask & valid).any():
        return stack.aperture_mask & valid, "pipeline"
    if stack.target_row is not None and stack.target_column is not None:
        row, column = stack.target_row, stack.target_column
        circle = (distance_px(stack.shape, row, column) <= FALLBACK_APERTURE_PX) & valid
        if circle.any():
            return circle, f"pixels within {FALLBACK_APERTURE_PX:g} px of the catalogue position"
    brightest = np.argwhere(valid)[int(np.argmax(mean_image))]
    circle = (distance_px(stack.shape, float(brightest[0]), float(brightest[1])) <= FALLBACK_APERTURE_PX) & valid
    return circle, f"pixels within {FALLBACK_APERTURE_PX:g} px of the brightest pixel"


def _side_cut(
    kept: WindowMeans, free: WindowMeans, aperture: BoolArray, valid: BoolArray
) -> tuple[BoolArray, BoolArray]:
    """
    Windows whose left-minus-right control difference lies within its distribution, for transits and draws alike.

    Three differences are held against their distributions in the matched windows (median and scaled MAD): that of the
    aperture flux, and those of its row and column moments, which see a step of the pointing that the flux does not.
    """
    if len(free.sides) < MIN_WINDOWS_FOR_SIDE_CUT:
        return np.ones(len(kept.sides), bool), np.ones(len(free.sides), bool)
    rows, columns = np.argwhere(valid).T - np.argwhere(aperture).mean(axis=0)[:, None]
    inside = aperture[valid].astype(np.float64)
    weights = np.stack([inside, inside * rows, inside * columns], axis=1)
    free_sides, kept_sides = free.sides @ weights, kept.sides @ weights
    centre = np.median(free_sides, axis=0)
    spread = MAD_TO_SIGMA * np.median(np.abs(free_sides - centre), axis=0)
    # Data without noise have no spread; their rounding errors are no reason to drop a window.
    rounding = 1e-6 * float((np.abs(free.control) @ inside).max())
    limit = thresholds.value("side_cut_sigma") * np.maximum(spread, rounding)
    kept_fits, free_fits = ((np.abs(sides - centre) <= limit).all(axis=1) for sides in (kept_sides, free_sides))
    return np.asarray(kept_fits, dtype=np.bool_), np.asarray(free_fits, dtype=np.bool_)


def _transit_rows(measurement: PixelMeasurement, numbers: range, reasons: list[str]) -> tuple[TransitRow, ...]:
    """One row per predicted transit, with depth and peak of the kept ones."""
    aperture = measurement.over(measurement.aperture)
    scatter = np.sqrt(np.mean((measurement.free.difference @ aperture) ** 2)) if len(measurement.slot) else 0.0
    rows = []
    place = 0
    for number, reason in zip(numbers, reasons, strict=True):
        depth = error = None
        peak: tuple[int, int] | None = None
        if not reason:
            difference, control = measurement.kept.difference[place], measurement.kept.control[place]
            place += 1
            level = float(control @ aperture)
            if level > 0:
                depth = PPM * float(difference @ aperture) / level
                error = PPM * float(scatter) / level if scatter > 0 else None
            peak = peak_pixel(measurement, difference)
        rows.append(
            TransitRow(
                candidate=measurement.ephemeris.name,
                sector=measurement.stack.sector,
                number=number,
                mid_btjd=measurement.ephemeris.mid_btjd(number),
                used=not reason,
                reason=reason,
                depth_ppm=depth,
                depth_ppm_err=error,
                peak_row=None if peak is None else peak[0],
                peak_column=None if peak is None else peak[1],
            )
        )
    return tuple(rows)


SEARCH_RADIUS_PX = 4.5
"""How far from the target a transit source is looked for: the reach of the checks in practice, and far enough from the
stamp's faint edge, where one pixel moving in one transit can outshine a shallow transit."""


def centre_of_search(measurement: PixelMeasurement) -> tuple[float, float]:
    """Catalogue position, else the flux-weighted centre of the aperture pixels' control image (row, column)."""
    stack = measurement.stack
    if stack.target_row is not None and stack.target_column is not None:
        return stack.target_row, stack.target_column
    where = np.argwhere(measurement.valid)
    weight = np.maximum(measurement.control, 0.0) * measurement.over(measurement.aperture)
    if weight.sum() <= 0:
        weight = measurement.over(measurement.aperture)
    row, column = (where * weight[:, None]).sum(axis=0) / weight.sum()
    return float(row), float(column)


def peak_pixel(measurement: PixelMeasurement, difference: FloatArray) -> tuple[int, int]:
    """Brightest pixel of a difference image within the search radius of the target (row, column)."""
    row, column = centre_of_search(measurement)
    far = measurement.over(distance_px(measurement.valid.shape, row, column)) > SEARCH_RADIUS_PX
    values = difference if far.all() else np.where(far, -np.inf, difference)
    peak = np.argwhere(measurement.valid)[int(np.argmax(values))]
    return int(peak[0]), int(peak[1])


def _reason_no_transit(n_predicted: int, sector: int) -> str:
    if n_predicted == 0:
        return f"No transit is predicted within the data of sector {sector}."
    return f"None of the {n_predicted} predicted transit(s) in sector {sector} is usable; the transit table says why."


def _nothing_measured(
    stack: PixelStack,
    ephemeris: Ephemeris,
    cadences: Cadences,
    shape: WindowShape,
    numbers: range,
) -> PixelMeasurement:
    """A measurement that says why there is none; predicted transits are listed unless they are beyond counting."""
    no_control = reason_no_control_time(ephemeris, shape)
    reason = no_control or f"Sector {stack.sector} holds no usable cadence."
    row_reason = "the period leaves no control time" if no_control else "no usable cadence"
    n_pixel = cadences.flux.shape[1]
    empty = WindowMeans(*(np.empty((0, n_pixel)) for _ in range(3)))
    rows = tuple(
        TransitRow(ephemeris.name, stack.sector, number, ephemeris.mid_btjd(number), False, row_reason)
        for number in numbers[:MAX_LISTED_TRANSITS]
    )
    nothing = np.zeros(stack.shape, bool)
    return PixelMeasurement(
        stack,
        ephemeris,
        cadences,
        shape,
        rows,
        empty,
        empty,
        np.empty(0, np.int64),
        None,
        nothing,
        "",
        nothing,
        0.0,
        reason,
    )
