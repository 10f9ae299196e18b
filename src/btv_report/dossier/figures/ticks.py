"""Round tick values and their labels."""

from __future__ import annotations

import math
from itertools import pairwise

from btv_report.dossier.figures.text import grouped


def nice_step(span: float, count: int) -> float:
    """The round step (1, 2 or 5 times a power of ten) that cuts `span` (> 0) into at most `count` pieces."""
    raw = span / max(count, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= raw * (1 - 1e-9))


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round values in [low, high], lowest first."""
    step = nice_step(high - low, count)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    decimals = max(0, -math.floor(math.log10(step)))
    return [round(k * step, decimals) + 0.0 for k in range(first, last + 1)]


def tick_labels(ticks: list[float]) -> list[str]:
    """Labels with the decimals that tell the ticks apart, and no more; from 100 000 on in thousands (k) or millions (M)."""
    largest = max((abs(t) for t in ticks), default=0.0)
    for size, letter in ((1e8, "M"), (1e5, "k")):
        if largest >= size:
            return [label + letter * (label != "0") for label in _plain_labels([t / size * 100 for t in ticks])]
    return _plain_labels(ticks)


def _plain_labels(ticks: list[float]) -> list[str]:
    """Labels of values as they are."""
    distances = [abs(b - a) for a, b in pairwise(ticks) if b != a]
    smallest = min([*distances, *(abs(t) for t in ticks if t)], default=1.0)
    decimals = max(0, -math.floor(math.log10(smallest) + 1e-9))
    while decimals and all(float(f"{t:.{decimals - 1}f}") == round(t, decimals) for t in ticks):
        decimals -= 1
    return [grouped(t, decimals) if t else "0" for t in ticks]
