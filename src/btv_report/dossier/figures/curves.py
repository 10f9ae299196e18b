"""V10: depth against aperture radius, with the growth curves predicted for a signal on the target and on its neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from btv_report.dossier.figures.context import find_check, metric
from btv_report.dossier.figures.figure import Figure, FigureTable
from btv_report.dossier.figures.leaders import Leader, draw_leaders, leader_traces, place_leaders
from btv_report.dossier.figures.plotly_json import BAND_SHAPE, figure_json, label, layout_of
from btv_report.dossier.figures.stamp_figure import sector_pixels
from btv_report.dossier.figures.svg import (
    BAND,
    END,
    INK_COLOUR,
    LIVE,
    MODEL,
    MODEL_COLOUR,
    MUTED_COLOUR,
    WIDE,
    Drawing,
    Frame,
    draw_axes,
    join,
    label_margin,
    num,
    path_data,
)
from btv_report.dossier.figures.text import DASH, csv_text, plain_text, significant, slug, with_error
from btv_report.dossier.figures.ticks import nice_ticks, tick_labels
from btv_report.dossier.numbers import p_equals
from btv_report.dossier.stars import star_numbers
from btv_report.record import CheckValue, RunRecord

HEIGHT, PLOT_TOP, PLOT_HEIGHT = 350, 34, 190
MAX_DRAWN = 3  # neighbours whose curves are drawn: those nearest to the measured depths


@dataclass(frozen=True)
class GrowthCurves:
    """
    Depths in circular apertures; all lists are as long as `radii_px`.

    Attributes
    ----------
    radii_px : px
    depth_ppm, error_ppm : measured; None where not measured
    target_ppm : predicted for a signal on the target, or None
    neighbours : (number on the page, star, predicted ppm), those nearest to the measured depths first
    pipeline_ppm, pipeline_error_ppm : depth in the pipeline aperture, or None
    """

    radii_px: list[float]
    depth_ppm: list[float | None]
    error_ppm: list[float | None]
    target_ppm: list[float | None] | None
    neighbours: list[tuple[int, str, list[float | None]]]
    pipeline_ppm: float | None
    pipeline_error_ppm: float | None

    def measured(self) -> list[tuple[float, float, float]]:
        """(radius, depth, error) where there is a depth; an unknown error is 0."""
        rows = zip(self.radii_px, self.depth_ppm, self.error_ppm, strict=True)
        return [(radius, depth, error or 0.0) for radius, depth, error in rows if depth is not None]

    def y_range(self) -> tuple[float, float]:
        """Depths that the picture shows: measurements, the prediction on the target and 0; neighbours may leave it."""
        values = [0.0] + [d + s * e for _, d, e in self.measured() for s in (-1, 1)]
        values += [ppm for ppm in self.target_ppm or [] if ppm is not None]
        if self.pipeline_ppm is not None:
            values += [self.pipeline_ppm + s * (self.pipeline_error_ppm or 0.0) for s in (-1, 1)]
        low, high = min(values), max(values)
        room = 0.06 * (high - low or 1.0)
        return low - room, high + room


def aperture_figures(record: RunRecord, candidate: str, sector: int) -> tuple[Figure, ...]:
    """Depth against aperture radius; () when V10 recorded no depth."""
    check = find_check(record, "V10", candidate, sector)
    curves = None if check is None else _curves(check, star_numbers(record))
    if check is None or curves is None:
        return ()
    words = sector_pixels(record, candidate, sector).context.words
    alt = f"Transit depth against aperture radius from {curves.radii_px[0]:g} to {curves.radii_px[-1]:g} px."
    drawing = Drawing(f"v10-{slug(candidate)}-s{sector}", WIDE, HEIGHT, alt)
    frame = _draw(drawing, curves)
    return (
        Figure(
            figure_id=drawing.figure_id,
            title="Depth against aperture radius",
            caption=f"{_finding(check, curves)} {words}",
            alt=alt,
            picture=drawing.render(),
            width=WIDE,
            height=HEIGHT,
            plotly_json=_json(drawing, frame, curves),
            table=_table(curves),
            csv=_csv(curves),
        ),
    )


def _curves(check: CheckValue, numbers: Mapping[str, int]) -> GrowthCurves | None:
    """The curves of a check; None without radii and at least one depth."""
    details = check.get("details", {})
    radii = details.get("radii_px") or []
    depths = _numbers(details.get("depth_ppm"), len(radii))
    if depths is None or all(depth is None for depth in depths):
        return None
    curves = GrowthCurves(
        [float(radius) for radius in radii],
        depths,
        _numbers(details.get("depth_ppm_err"), len(radii)) or [None] * len(radii),
        _numbers(details.get("predicted_on_target_ppm"), len(radii)),
        [],
        metric(check, "depth_ppm_pipeline"),
        metric(check, "depth_ppm_pipeline_err"),
    )
    curves.neighbours.extend(_neighbours(details.get("predicted_neighbours") or [], curves, numbers))
    return curves


def _numbers(values: Sequence[float | None] | None, length: int) -> list[float | None] | None:
    """A list of that many numbers, None where one is missing or not finite; None when there is no such list."""
    if values is None or len(values) != length or not length:
        return None
    return [float(v) if v is not None and np.isfinite(v) else None for v in values]


def _neighbours(
    values: Sequence[Mapping[str, Any]], curves: GrowthCurves, numbers: Mapping[str, int]
) -> list[tuple[int, str, list[float | None]]]:
    """Predicted curves of neighbours, those nearest to the measured depths first."""
    found = []
    for value in values:
        ppm = _numbers(value.get("ppm"), len(curves.radii_px))
        if ppm is None or all(p is None for p in ppm):
            continue
        pairs = [(p, d) for p, d in zip(ppm, curves.depth_ppm, strict=True) if p is not None and d is not None]
        star = str(value.get("star_id", ""))
        found.append((sum(abs(p - d) for p, d in pairs), numbers.get(star, 0), plain_text(star), ppm))
    return [(number, star, ppm) for _, number, star, ppm in sorted(found, key=lambda row: row[:2])]


def _draw(drawing: Drawing, curves: GrowthCurves) -> Frame:
    """The picture; the frame of its axes."""
    low, high = curves.y_range()
    y_ticks = nice_ticks(low, high, 7)
    left = label_margin(tick_labels(y_ticks), wide=True)
    step = (curves.radii_px[-1] - curves.radii_px[0]) / max(len(curves.radii_px) - 1, 1) or 1.0
    x_range = (curves.radii_px[0] - step / 2, curves.radii_px[-1] + step / 2)
    frame = Frame(left, PLOT_TOP, WIDE - left - 24, PLOT_HEIGHT, x_range, (low, high))
    drawing.add(frame.clip(drawing.figure_id))
    if curves.pipeline_ppm is not None:
        drawing.add(LIVE)
        _draw_band(drawing, frame, curves.pipeline_ppm, curves.pipeline_error_ppm or 0.0)
        drawing.add(END)
    draw_axes(
        drawing,
        frame,
        x_ticks=nice_ticks(*x_range, 6),
        y_ticks=y_ticks,
        x_title="aperture radius, px",
        y_title="depth, ppm",
    )
    drawing.add(f'<g class="live" clip-path="url(#{drawing.figure_id}-c)" fill="none">')
    for _, _, ppm in curves.neighbours[:MAX_DRAWN]:
        drawing.add(
            f'<path stroke="currentColor" stroke-opacity=".55" stroke-dasharray="3 3" d="{_line(frame, curves, ppm)}"/>'
        )
    if curves.target_ppm is not None:
        drawing.add(
            f'<path {MODEL} stroke="currentColor" stroke-width="2" d="{_line(frame, curves, curves.target_ppm)}"/>'
        )
    bars = dots = ""
    for radius, depth, error in curves.measured():
        x, y, half = frame.x(radius), frame.y(depth), frame.y(depth) - frame.y(depth + error)
        bars += f"M{join((x, y - half))}v{num(2 * half)}"
        dots += f"M{join((x - 3, y))}a3 3 0 1 0 6 0a3 3 0 1 0-6 0"
    drawing.add(
        f'<g class="ink" stroke="currentColor" stroke-width="1.4"><path d="{bars}"/>'
        f'<path fill="currentColor" d="{dots}"/></g></g>'
    )
    draw_leaders(drawing, _leaders(frame, curves))
    _draw_key(drawing, curves)
    return frame


def _line(frame: Frame, curves: GrowthCurves, ppm: list[float | None]) -> str:
    """A predicted curve as path data; far values are cut so that no coordinate grows beyond use."""
    span = frame.y_range[1] - frame.y_range[0]
    known = [(r, min(max(p, frame.y_range[0] - 9 * span), frame.y_range[1] + 9 * span))
             for r, p in zip(curves.radii_px, ppm, strict=True) if p is not None]  # fmt: skip
    return path_data(frame.points(*zip(*known, strict=True)))


def _leaders(frame: Frame, curves: GrowthCurves) -> list[Leader]:
    """The numbers of the neighbours that are drawn, beside their curves."""
    drawn = [
        (str(number), [(r, p) for r, p in zip(curves.radii_px, ppm, strict=True) if p is not None])
        for number, _, ppm in curves.neighbours[:MAX_DRAWN]
    ]
    return place_leaders(frame, drawn)


def _draw_band(drawing: Drawing, frame: Frame, depth: float, error: float) -> None:
    """The depth in the pipeline aperture with its error."""
    top = frame.y(depth + error)
    height = max(frame.y(depth - error) - top, 1.0)
    box = f"M{join((frame.left, top))}h{num(frame.width)}v{num(height)}h-{num(frame.width)}z"
    drawing.add(f'<path {BAND} fill="currentColor" d="{box}"/>')


def _draw_key(drawing: Drawing, curves: GrowthCurves) -> None:
    """What the marks and lines are."""
    top, right = PLOT_TOP + PLOT_HEIGHT + 82, 330
    drawing.add(
        f'<path class="ink" stroke="currentColor" fill="currentColor" d="M8 {top}a3 3 0 1 0 6 0a3 3 0 1 0-6 0"/>'
    )
    drawing.text(26, top + 6, "measured")
    if curves.target_ppm is not None:
        drawing.add(f'<path {MODEL} stroke="currentColor" stroke-width="2" d="M{right} {top}h14"/>')
        drawing.text(right + 22, top + 6, "predicted on the target")
    if curves.pipeline_ppm is not None:
        drawing.add(f'<path {BAND} fill="currentColor" d="M4 {top + 22}h14v9h-14z"/>')
        drawing.text(26, top + 32, "pipeline aperture")
    if curves.neighbours:
        drawing.add(
            f'<path stroke="currentColor" stroke-opacity=".55" stroke-dasharray="3 3" d="M{right} {top + 26}h14"/>'
        )
        drawing.text(right + 22, top + 32, "predicted on a neighbour")


def _finding(check: CheckValue, curves: GrowthCurves) -> str:
    """The finding in words."""
    words = "Depth in circular apertures about the catalogue position, local background removed, errors from matched windows."
    p_value, slope = metric(check, "chi2_p_value"), metric(check, "slope_ppm_per_px")
    if p_value is not None:
        words += f" Agreement with a signal on the target: {p_equals(p_value)}."
    if slope is not None:
        words += f" Slope of measured minus predicted: {significant(slope, 2)} ppm per px."
    if curves.neighbours:
        shown = [f"{number} ({star})" for number, star, _ in curves.neighbours[:MAX_DRAWN]]
        words += f" Dashed: predicted on {', '.join(shown)}; numbers as on the stamps."
        if len(curves.neighbours) > MAX_DRAWN:
            words += f" They come closest to the measured depths; all {len(curves.neighbours)} predicted curves are in the CSV."
    return words


def _table(curves: GrowthCurves) -> FigureTable:
    """Depth at each radius, the predictions that are drawn, and the pipeline aperture."""
    drawn = curves.neighbours[:MAX_DRAWN]
    predicted = [curves.target_ppm or [None] * len(curves.radii_px), *(ppm for _, _, ppm in drawn)]
    rows = [
        (f"{radius:.1f}", with_error(depth, error), *(_like(curve[place], error) for curve in predicted))
        for place, (radius, depth, error) in enumerate(
            zip(curves.radii_px, curves.depth_ppm, curves.error_ppm, strict=True)
        )
    ]
    if curves.pipeline_ppm is not None:
        depth = with_error(curves.pipeline_ppm, curves.pipeline_error_ppm)
        rows.append(("pipeline aperture", depth, *([DASH] * len(predicted))))
    stars = [f"predicted on {number} ({star}), ppm" for number, star, _ in drawn]
    return FigureTable(("radius, px", "depth, ppm", "predicted on the target, ppm", *stars), tuple(rows))


def _like(value: float | None, error: float | None) -> str:
    """A prediction with the decimals that the measurement's error deserves."""
    return with_error(value, error).split(" ", maxsplit=1)[0] if value is not None else DASH


def _csv(curves: GrowthCurves) -> str:
    """All curves."""
    header = ["radius (px)", "depth (ppm)", "depth_err (ppm)", "predicted_on_target (ppm)"]
    header += [f"predicted on {star} (ppm)" for _, star, _ in curves.neighbours]
    target = curves.target_ppm or [None] * len(curves.radii_px)
    columns = [curves.radii_px, curves.depth_ppm, curves.error_ppm, target, *(ppm for _, _, ppm in curves.neighbours)]
    return csv_text(header, zip(*columns, strict=True))


def _json(drawing: Drawing, frame: Frame, curves: GrowthCurves) -> str:
    """The curves as Plotly JSON."""
    at = "at %{x:.1f} px<extra></extra>"
    traces: list[dict[str, Any]] = []
    if curves.target_ppm is not None:
        line = _trace("predicted on the target", curves.radii_px, curves.target_ppm, at)
        traces.append(line | {"line": {"width": 2, "color": MODEL_COLOUR}})
    for number, star, ppm in curves.neighbours[:MAX_DRAWN]:
        line = _trace(f"predicted on {number}: {star}", curves.radii_px, ppm, at)
        traces.append(line | {"line": {"width": 1, "dash": "dot", "color": MUTED_COLOUR}})
    traces += leader_traces(frame, _leaders(frame, curves))
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": curves.radii_px,
            "y": [None if depth is None else round(depth, 1) for depth in curves.depth_ppm],
            "error_y": {
                "array": [None if error is None else round(error, 1) for error in curves.error_ppm],
                "thickness": 1.4,
                "width": 0,
                "color": INK_COLOUR,
            },
            "hovertemplate": f"measured: %{{y:,.0f}} ± %{{customdata:,.0f}} ppm {at}",
            "marker": {"size": 6, "color": INK_COLOUR},
        }
    )
    layout = layout_of(drawing, frame)
    if curves.pipeline_ppm is not None:
        error = curves.pipeline_error_ppm or 0.0
        band = {"y0": round(curves.pipeline_ppm - error, 1), "y1": round(curves.pipeline_ppm + error, 1)}
        layout["shapes"] = [{"type": "rect", "xref": "paper", "x0": 0, "x1": 1, **band, **BAND_SHAPE}]
    return figure_json(traces, layout)


def _trace(name: str, xs: list[float], ys: Sequence[float | None], at: str) -> dict[str, Any]:
    """A named line, values to 0.1 ppm."""
    rounded = [None if y is None else round(y, 1) for y in ys]
    template = f"%{{fullData.name}}: %{{y:,.0f}} ppm {at}"
    return {"type": "scatter", "mode": "lines", "name": label(name), "x": xs, "y": rounded, "hovertemplate": template}
