"""
Two colour maps and how values become colours, the same for the pictures (PNG palette) and for Plotly (colorscale).

Both maps were made in OKLab with steps of equal length, so that equal differences of value look equally large. `SEQUENTIAL`
rises in lightness from end to end; `DIVERGING` falls from its middle to both ends by the same amount, one end blue and one
orange. Neither needs red to be told from green.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from btv_report.dossier.figures.ticks import nice_ticks

Rgb = tuple[int, int, int]

SEQUENTIAL = (
    "#120e2d", "#1f1e50", "#253470", "#234f86", "#1a6c95", "#1988a3",
    "#27a4ae", "#4dbfb6", "#81d7bd", "#b7eac4", "#ecf9d9",
)  # fmt: skip
DIVERGING = (
    "#1e3f7f", "#2d64a8", "#458bcf", "#72b2e9", "#aed5f8", "#f0f4f9",
    "#f7c79d", "#e89659", "#cf652e", "#a3401f", "#712619",
)  # fmt: skip
N_LEVELS = 64  # colours of a picture: below what the eye tells apart, and a quarter of a full palette
ASINH_SOFTENING = 0.01  # of the range: linear for fainter pixels, logarithmic for brighter ones
MIN_TICK_DISTANCE = 0.11  # of the colour bar, so that labels do not touch


def rgb(colour: str) -> Rgb:
    """(red, green, blue) of `#rrggbb`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@dataclass(frozen=True)
class ColourScale:
    """
    How the values of one image become colours.

    Attributes
    ----------
    anchors : colours at equal distances along the scale; colours between them are interpolated linearly in sRGB, as Plotly does
    minimum, maximum : values at the two ends; values beyond take the colour of the end
    asinh : stretched by asinh((value - minimum) / softening) instead of linearly
    clipped : whether the image has values beyond the ends
    """

    anchors: tuple[str, ...]
    minimum: float
    maximum: float
    asinh: bool = False
    clipped: bool = False

    @property
    def _softening(self) -> float:
        return ASINH_SOFTENING * (self.maximum - self.minimum)

    def fraction(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Place of values along the scale, 0...1; NaN stays NaN."""
        above = np.asarray(values, float) - self.minimum
        span = self.maximum - self.minimum
        if self.asinh:
            place = np.arcsinh(np.maximum(above, 0.0) / self._softening) / math.asinh(1.0 / ASINH_SOFTENING)
        else:
            place = above / span
        return np.clip(place, 0.0, 1.0)

    def value(self, fraction: float) -> float:
        """The value at a place along the scale; the inverse of `fraction`."""
        if self.asinh:
            return self.minimum + self._softening * math.sinh(fraction * math.asinh(1.0 / ASINH_SOFTENING))
        return self.minimum + fraction * (self.maximum - self.minimum)

    def levels(self, values: NDArray[np.floating]) -> NDArray[np.int16]:
        """Palette level of each value, 0...N_LEVELS - 1; -1 for NaN."""
        place = self.fraction(values)
        levels = np.round(np.nan_to_num(place) * (N_LEVELS - 1))
        return np.where(np.isnan(place), -1, levels).astype(np.int16)

    def palette(self) -> list[Rgb]:
        """The colour of each level."""
        anchors = np.array([rgb(colour) for colour in self.anchors], float)
        at = np.linspace(0, len(anchors) - 1, N_LEVELS)
        channels = [np.interp(at, np.arange(len(anchors)), anchors[:, channel]) for channel in range(3)]
        return [(int(red), int(green), int(blue)) for red, green, blue in np.round(np.transpose(channels))]

    def plotly(self) -> list[list[float | str]]:
        """
        Plotly's `colorscale`.

        Plotly maps values to colours linearly between `zmin` and `zmax`; a stretch is put into the places of the anchors, so
        that the figure keeps the true values.
        """
        span = self.maximum - self.minimum
        last = len(self.anchors) - 1
        places = [(self.value(k / last) - self.minimum) / span for k in range(last + 1)]
        return [[round(place, 5), colour] for place, colour in zip(places, self.anchors, strict=True)]

    def ticks(self, count: int = 5) -> list[float]:
        """Round values to label along the colour bar, lowest first."""
        if not self.asinh:
            return nice_ticks(self.minimum, self.maximum, count)
        chosen: list[float] = []
        for value in _decades(self.minimum, self.maximum):
            place = float(self.fraction(np.array(value)))
            if all(abs(place - float(self.fraction(np.array(other)))) >= MIN_TICK_DISTANCE for other in chosen):
                chosen.append(value)
        return sorted(chosen)


def sequential_asinh(image: NDArray[np.floating]) -> ColourScale:
    """Scale of a control image: from its faintest to its brightest pixel, asinh stretched."""
    low, high = float(np.nanmin(image)), float(np.nanmax(image))
    # The range of an image of one value must not vanish beside that value.
    top = high if high > low else low + max(1.0, 1e-3 * abs(low))
    return ColourScale(SEQUENTIAL, low, top, asinh=True)


def diverging(image: NDArray[np.floating], limit: float | None = None) -> ColourScale:
    """Scale with 0 in the middle, symmetric to `limit`, or to the largest absolute value when None."""
    largest = float(np.nanmax(np.abs(image)))
    limit = largest if limit is None or limit <= 0 or limit > largest else limit
    limit = limit or 1.0
    return ColourScale(DIVERGING, -limit, limit, clipped=largest > limit)


def _decades(low: float, high: float) -> list[float]:
    """Candidate ticks of a stretched scale: powers of ten first, then 0, 3 x and 2 x, 5 x powers."""
    top = math.floor(math.log10(max(abs(low), abs(high))))
    powers = [10.0**k for k in range(top, top - 4, -1)]
    candidates = [*powers, 0.0, *(5 * p for p in powers), *(2 * p for p in powers), *(-p for p in powers)]
    return [value for value in candidates if low <= value <= high]
