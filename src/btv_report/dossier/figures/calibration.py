"""Pictures of the calibration page: how even p values are without a signal, and how the power grows with depth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from btv_report.dossier.figures.figure import Figure, FigureTable
from btv_report.dossier.figures.svg import MODEL, WIDE, Drawing, Frame, draw_axes, num, path_data

HEIGHT, TOP, PLOT_HEIGHT = 330, 34, 230
LEFT, RIGHT = 74, 110
SHARES = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


def calibration_figures(table: Mapping[str, Any]) -> tuple[Figure, ...]:
    """The pictures of one truth table of a calibration record; () where its samples hold nothing to draw."""
    samples, key = table["samples"], table["key"]
    figures = []
    if samples.get("p_histograms"):
        figures.append(_uniformity(f"{key}-p-values", samples["p_histograms"]))
    if samples.get("curve"):
        figures.append(_power(f"{key}-curve", samples["curve"]))
    return tuple(figures)


def _uniformity(figure_id: str, histograms: Mapping[str, Sequence[int]]) -> Figure:
    """Fraction of trials below p, against p: the diagonal where p is what it says."""
    alt = f"Fraction of signal-free trials with a p value below p, for {len(histograms)} cells, against the diagonal."
    drawing = Drawing(figure_id, WIDE, HEIGHT, alt)
    frame = Frame(LEFT, TOP, WIDE - LEFT - RIGHT, PLOT_HEIGHT, (0.0, 1.0), (0.0, 1.0))
    draw_axes(drawing, frame, x_ticks=SHARES, y_ticks=SHARES, x_title="p", y_title="Fraction of trials below p")
    for counts in histograms.values():
        total = sum(counts)
        if total:
            below = [0.0, *(count / total for count in accumulate(counts))]
            points = frame.points([i / len(counts) for i in range(len(below))], below)
            drawing.add(
                f'<path class="ink" fill="none" stroke="currentColor" stroke-opacity=".35" d="{path_data(points)}"/>'
            )
    diagonal = path_data(frame.points([0, 1], [0, 1]))
    drawing.add(f'<path {MODEL} fill="none" stroke="currentColor" stroke-width="2" d="{diagonal}"/>')
    drawing.text(frame.right + 6, frame.top, "uniform", attributes='class="muted" dy=".35em"')
    caption = (
        f"Distribution of V08's p without a signal, one line for each of {len(histograms)} cells of noise, cadence, transits and "
        "duration. On the straight line a p of 0.05 happens once in twenty; below it the check is cautious."
    )
    return _figure(drawing, "p values without a signal", caption)


def _power(figure_id: str, curves: Sequence[Mapping[str, Any]]) -> Figure:
    """Fraction found against depth, one curve for each distance."""
    depths = curves[0]["depth_ppm"]
    alt = f"Fraction of injected signals found beyond 3 sigma against depth, at {len(curves)} distances from the star."
    drawing = Drawing(figure_id, WIDE, HEIGHT, alt)
    ends = (math.log10(depths[0]), math.log10(depths[-1]))
    frame = Frame(LEFT, TOP, WIDE - LEFT - RIGHT, PLOT_HEIGHT, ends, (0.0, 1.0))
    draw_axes(drawing, frame, x_ticks=[], y_ticks=SHARES, x_title="Depth (ppm)", y_title="Fraction beyond 3 sigma")
    for depth in depths:
        x = frame.x(math.log10(depth))
        drawing.text(x, frame.bottom + 5, f"{depth:g}", attributes='class="muted" text-anchor="middle" dy="1em"')
    for number, curve in enumerate(curves):
        seen = [(math.log10(d), f) for d, f in zip(curve["depth_ppm"], curve["found"], strict=True) if f is not None]
        if seen:
            points = frame.points(*zip(*seen, strict=True))
            dash = "" if number == 0 else f' stroke-dasharray="{num(8 / number)} {num(1.5 + number / 2)}"'
            drawing.add(f'<path class="ink" fill="none" stroke="currentColor"{dash} d="{path_data(points)}"/>')
    _key(drawing, frame, curves)
    caption = (
        "Injected signals that V08 finds beyond 3 sigma, by depth and distance of their source from the star. From 3 px on "
        "part of the source's light falls outside the aperture."
    )
    return _figure(drawing, "Power by depth and distance", caption)


def _key(drawing: Drawing, frame: Frame, curves: Sequence[Mapping[str, Any]]) -> None:
    """Line style of each distance, right of the plot."""
    for number, curve in enumerate(curves):
        y = frame.top + 12 + 34 * number
        dash = "" if number == 0 else f' stroke-dasharray="{num(8 / number)} {num(1.5 + number / 2)}"'
        drawing.add(f'<path class="ink" stroke="currentColor"{dash} d="M{num(frame.right + 8)} {num(y)}h30"/>')
        drawing.text(frame.right + 44, y, f"{curve['distance_px']:g} px", attributes='class="muted" dy=".35em"')


def _figure(drawing: Drawing, title: str, caption: str) -> Figure:
    """A picture without an interactive twin: its values stand in the table beside it and in the record."""
    return Figure(
        figure_id=drawing.figure_id,
        title=title,
        caption=caption,
        alt=drawing.title,
        picture=drawing.render(),
        width=WIDE,
        height=HEIGHT,
        plotly_json="",
        table=FigureTable((), ()),
        csv="",
    )
