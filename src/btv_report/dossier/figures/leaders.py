"""Labels beside curves that end close together: spread until none touches another, each led to by a line of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from btv_report.dossier.figures.plotly_json import label
from btv_report.dossier.figures.svg import MUTED_COLOUR, Drawing, Frame, join

AWAY, SPACING = 16, 21
"""Units of the picture: from the end of a curve to its label, and between labels, whose text is 22 high on a phone."""


@dataclass(frozen=True)
class Leader:
    """A label: its text, the end of its curve, and the left middle of the text; places in the picture."""

    text: str
    start: tuple[float, float]
    end: tuple[float, float]


def place_leaders(frame: Frame, curves: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> list[Leader]:
    """
    Labels for curves, each at its last point within the frame; curves without one have none.

    Parameters
    ----------
    frame : the plot area
    curves : text of the label, and (x, y) of the curve's points, data values
    """
    low, high = frame.y_range
    by_x: dict[float, list[tuple[float, str]]] = {}
    for text, points in curves:
        inside = [(x, y) for x, y in points if low <= y <= high]
        if inside:
            x, y = inside[-1]
            by_x.setdefault(frame.x(x), []).append((frame.y(y), text))
    return [leader for x, ends in sorted(by_x.items()) for leader in _column(frame, x, sorted(ends))]


def _column(frame: Frame, x: float, ends: list[tuple[float, str]]) -> list[Leader]:
    """The labels of curves that end at the same x, from above; lines to them do not cross."""
    places = spread([y for y, _ in ends], frame.top + SPACING / 2, frame.bottom - SPACING / 2)
    return [Leader(text, (x, y), (x + AWAY, place)) for (y, text), place in zip(ends, places, strict=True)]


def spread(places: Sequence[float], first: float, last: float) -> list[float]:
    """
    Ascending places moved apart to at least `SPACING`, between `first` and `last` where there is room for all.

    Those that are too close share the way: their middle stays where it was.
    """
    clusters: list[tuple[float, int]] = []  # middle, and how many labels stand about it
    for place in places:
        middle, size = min(max(place, first), last), 1
        while clusters and middle - clusters[-1][0] < SPACING * (size + clusters[-1][1]) / 2:
            other, more = clusters.pop()
            middle, size = (middle * size + other * more) / (size + more), size + more
            half = SPACING * (size - 1) / 2
            middle = max(min(middle, last - half), first + half)
        clusters.append((middle, size))
    return [middle + SPACING * (k - (size - 1) / 2) for middle, size in clusters for k in range(size)]


def draw_leaders(drawing: Drawing, leaders: Sequence[Leader]) -> None:
    """Labels and their lines, in the colour of secondary text."""
    if not leaders:
        return
    lines = "".join(f"M{join(leader.start)}L{join(leader.end)}" for leader in leaders)
    drawing.add(f'<g class="live muted"><path stroke="currentColor" stroke-width=".8" fill="none" d="{lines}"/>')
    for leader in leaders:
        drawing.text(leader.end[0] + 3, leader.end[1], leader.text, attributes='dy=".35em" fill="currentColor"')
    drawing.add("</g>")


def leader_traces(frame: Frame, leaders: Sequence[Leader]) -> list[dict[str, Any]]:
    """The same as Plotly traces, at the same places in data values."""
    return [
        {
            "type": "scatter",
            "mode": "lines+text",
            "x": [frame.x_value(x) for x, _ in (leader.start, leader.end)],
            "y": [frame.y_value(y) for _, y in (leader.start, leader.end)],
            "text": ["", label(leader.text)],
            "textposition": "middle right",
            "textfont": {"color": MUTED_COLOUR},
            "cliponaxis": False,
            "hoverinfo": "skip",
            "line": {"width": 0.8, "color": MUTED_COLOUR},
        }
        for leader in leaders
    ]
