"""Contrast curves of high-resolution imaging in one figure, with what each candidate's depth requires and known neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from btv_report.dossier.figures.figure import Figure, FigureTable
from btv_report.dossier.figures.plotly_json import figure_json, label, layout_of, literal, typed
from btv_report.dossier.figures.sensitivity import (
    RequiredContrast,
    Sensitivity,
    covered,
    required_contrasts,
    sensitivities,
)
from btv_report.dossier.figures.svg import (
    ACCENT,
    ACCENT_COLOUR,
    END,
    INK_COLOUR,
    MODEL,
    MODEL_COLOUR,
    WIDE,
    Drawing,
    Frame,
    draw_axes,
    join,
    label_margin,
    num,
    path_data,
)
from btv_report.dossier.figures.text import DASH, count_of, csv_text, fixed, grouped, significant
from btv_report.dossier.figures.ticks import nice_ticks, tick_labels
from btv_report.dossier.stars import star_numbers
from btv_report.record import RunRecord

FIGURE_ID = "exofop-contrast"
PLOT_TOP, PLOT_HEIGHT, FOOT, KEY_ROW = 26, 230, 76, 27
MAX_DRAWN, MAX_REQUIRED, MAX_POINTS = 6, 3, 60
OUTERMOST_ARCSEC = 4.0
"""Where the plot ends at the latest: farther out catalogues know the stars, and speckle curves would shrink to its edge."""
STYLES = (
    ('class="ink"', INK_COLOUR, "", "solid"),
    (ACCENT, ACCENT_COLOUR, "", "solid"),
    ('class="ink"', INK_COLOUR, "8 5", "dash"),
    (ACCENT, ACCENT_COLOUR, "8 5", "dash"),
    ('class="ink"', INK_COLOUR, "2 4", "dot"),
    (ACCENT, ACCENT_COLOUR, "2 4", "dot"),
)
"""Paint of the picture, colour and dashes of each curve: told apart without colour, too."""
REQUIRED_DASHES = (("", "solid"), ("8 5", "dash"), ("2 4", "dot"))
"""Dashes of the picture and of Plotly for the lines of the candidates."""
READ_AT_ARCSEC = (0.1, 0.5, 1.0)


@dataclass(frozen=True)
class KnownStar:
    """A catalogued neighbour inside the plot: its number on the page, separation in arcsec, magnitudes fainter."""

    number: int
    star_id: str
    separation_arcsec: float
    delta_mag: float


@dataclass(frozen=True)
class Scene:
    """What the figure shows: the curves that are drawn, all curves, required contrasts and neighbours."""

    drawn: tuple[Sensitivity, ...]
    curves: tuple[Sensitivity, ...]
    required: tuple[RequiredContrast, ...]
    stars: tuple[KnownStar, ...]


def contrast_figures(record: RunRecord) -> tuple[Figure, ...]:
    """The figure of all contrast curves; () when the record has none that can be drawn."""
    curves = sensitivities(record)
    if not curves:
        return ()
    required = required_contrasts(record)[:MAX_REQUIRED]
    drawn = curves[:MAX_DRAWN]
    x_range, y_range = _ranges(drawn, required)
    scene = Scene(drawn, curves, required, _stars_within(record, x_range[1], y_range[0]))
    rows = len(drawn) + len(required) + bool(scene.stars)
    alt = f"{count_of(len(drawn), 'contrast curve')}: faintest companion that would be seen, against separation."
    drawing = Drawing(FIGURE_ID, WIDE, PLOT_TOP + PLOT_HEIGHT + FOOT + KEY_ROW * rows, alt)
    frame = _draw(drawing, scene, x_range, y_range)
    return (
        Figure(
            figure_id=FIGURE_ID,
            title="Contrast curves",
            caption=_finding(scene),
            alt=alt,
            picture=drawing.render(),
            width=WIDE,
            height=int(drawing.height),
            plotly_json=_json(drawing, frame, scene),
            table=_table(scene),
            csv=_csv(curves),
        ),
    )


def _ranges(
    drawn: Sequence[Sensitivity], required: Sequence[RequiredContrast]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ranges of both axes; magnitudes grow downwards."""
    deepest = max([float(curve.delta_mag.max()) for curve in drawn] + [line.delta_mag for line in required] + [0.5])
    highest = min([float(curve.delta_mag.min()) for curve in drawn] + [line.delta_mag for line in required] + [0.0])
    outermost = min(max(float(curve.separation_arcsec[-1]) for curve in drawn), OUTERMOST_ARCSEC)
    room = 0.05 * (deepest - highest)
    return (0.0, max(outermost, 0.01)), (deepest + room, highest - room)


def _stars_within(record: RunRecord, outermost: float, deepest: float) -> tuple[KnownStar, ...]:
    """
    Neighbours that the plot has room for, by their catalogue magnitudes; none where the target's is not known.

    A record does not say which of them are TESS magnitudes and which Gaia's G, so key and caption name both.
    """
    tmag = record["target"]["tmag"]
    if tmag is None:
        return ()
    numbers = star_numbers(record)
    found: dict[str, KnownStar] = {}
    for view in record.get("pixel_views", []):
        for star in view["neighbours"]:
            name, magnitude, separation = star["star_id"], star["magnitude"], star["separation_arcsec"]
            if magnitude is not None and 0 < separation <= outermost and 0 <= magnitude - tmag <= deepest:
                found.setdefault(name, KnownStar(numbers.get(name, 0), name, separation, magnitude - tmag))
    return tuple(sorted(found.values(), key=lambda star: (star.number, star.star_id)))


def _draw(drawing: Drawing, scene: Scene, x_range: tuple[float, float], y_range: tuple[float, float]) -> Frame:
    """The picture; the frame of its axes."""
    y_ticks = nice_ticks(y_range[1], y_range[0], 6)
    left = label_margin(tick_labels(y_ticks), wide=True)
    frame = Frame(left, PLOT_TOP, WIDE - left - 14, PLOT_HEIGHT, x_range, y_range)
    drawing.add(frame.clip(drawing.figure_id))
    draw_axes(
        drawing,
        frame,
        x_ticks=nice_ticks(*x_range, 6),
        y_ticks=y_ticks,
        x_title="separation, arcsec",
        y_title="magnitudes fainter than the star (Δm)",
    )
    drawing.add(f'<g class="live" clip-path="url(#{drawing.figure_id}-c)" fill="none">')
    for line, (dashes, _) in zip(scene.required, REQUIRED_DASHES, strict=False):
        d = f"M{join((frame.left, frame.y(line.delta_mag)))}h{num(frame.width)}"
        drawing.add(f'<path {MODEL} stroke="currentColor" stroke-width="2"{_dashed(dashes)} d="{d}"/>')
    for curve, (paint, _, dashes, _) in zip(scene.drawn, STYLES, strict=False):
        points = frame.points(*_thinned(curve))
        drawing.add(
            f'<path {paint} stroke="currentColor" stroke-width="1.6"{_dashed(dashes)} d="{path_data(points)}"/>'
        )
    drawing.add(END)
    _draw_stars(drawing, frame, scene.stars)
    _draw_key(drawing, frame, scene)
    return frame


def _dashed(dashes: str) -> str:
    return f' stroke-dasharray="{dashes}"' if dashes else ""


def _thinned(curve: Sensitivity) -> tuple[list[float], list[float]]:
    """At most `MAX_POINTS` points of a curve up to the first beyond the plot: all of them are in the CSV."""
    size = min(int(np.searchsorted(curve.separation_arcsec, OUTERMOST_ARCSEC)) + 1, curve.separation_arcsec.size)
    kept = np.unique(np.linspace(0, size - 1, min(size, MAX_POINTS)).round().astype(int))
    return curve.separation_arcsec[kept].tolist(), curve.delta_mag[kept].tolist()


def _draw_stars(drawing: Drawing, frame: Frame, stars: Sequence[KnownStar]) -> None:
    """Neighbours as open diamonds with their numbers."""
    if not stars:
        return
    drawing.add('<g class="live ink">')
    for star in stars:
        x, y = frame.x(star.separation_arcsec), frame.y(star.delta_mag)
        drawing.add(f'<path fill="none" stroke="currentColor" d="M{join((x - 5, y))}l5-5 5 5-5 5z"/>')
        flipped = x > frame.right - 40
        attributes = f'dy=".35em"{" text-anchor=" + chr(34) + "end" + chr(34) if flipped else ""}'
        drawing.text(x - 8 if flipped else x + 8, y, str(star.number), attributes=attributes)
    drawing.add(END)


def _draw_key(drawing: Drawing, frame: Frame, scene: Scene) -> None:
    """One line of the key for each curve and line, below the axis, with room for text of a phone's size."""
    y = frame.bottom + FOOT
    rows = [
        (paint, f'stroke-width="1.6"{_dashed(dashes)}', curve.label)
        for curve, (paint, _, dashes, _) in zip(scene.drawn, STYLES, strict=False)
    ]
    rows += [
        (MODEL, f'stroke-width="2"{_dashed(dashes)}', _required_label(line))
        for line, (dashes, _) in zip(scene.required, REQUIRED_DASHES, strict=False)
    ]
    for paint, stroke, text in rows:
        drawing.add(f'<path {paint} stroke="currentColor" {stroke} d="M4 {num(y)}h34"/>')
        drawing.text(48, y, text, attributes='dy=".35em"')
        y += KEY_ROW
    if scene.stars:
        drawing.add(f'<path class="ink" fill="none" stroke="currentColor" d="M16 {num(y)}l5-5 5 5-5 5z"/>')
        drawing.text(48, y, "known neighbours, by TESS or Gaia G magnitude", attributes='dy=".35em"')


def _required_label(line: RequiredContrast) -> str:
    """`faintest host of 1262.01 (1,930 ppm): Δm 6.8`."""
    return f"faintest host of {line.candidate} ({grouped(line.depth_ppm, 0)} ppm): Δm {fixed(line.delta_mag, 1)}"


def _finding(scene: Scene) -> str:
    """What the curves say of companions that could make the signals."""
    words = [
        "Faintest companion that each observation would have shown, as its file defines that limit.",
        *(
            f"The {significant(line.depth_ppm)} ppm of {line.candidate} ({line.source}) can be an eclipse of a companion "
            f"only if that is at most {fixed(line.delta_mag, 1)} mag fainter than the other light: {_ruled_out(scene, line)}."
            for line in scene.required
        ),
        "Each curve holds in its own filter, so in the TESS band the line is approximate; nothing is said of companions "
        "inside its innermost point.",
    ]
    if scene.stars:
        words.append(
            "Neighbours have their numbers on the stamps. Their magnitudes are TESS ones or, where a catalogue has none, "
            "Gaia G, which for a red star is up to about 1 mag more; the star's own is its TESS magnitude."
        )
    if any(curve.separation_arcsec[-1] > OUTERMOST_ARCSEC for curve in scene.drawn):
        words.append(f"The plot ends at {OUTERMOST_ARCSEC:g} arcsec, not the curves.")
    if len(scene.curves) > len(scene.drawn):
        words.append(f"The {len(scene.drawn)} that reach deepest are drawn; all {len(scene.curves)} are in the table.")
    return " ".join(words)


def _ruled_out(scene: Scene, line: RequiredContrast) -> str:
    """Where the curves together rule such companions out."""
    ranges = covered([ends for curve in scene.curves if (ends := curve.reaches(line.delta_mag)) is not None])
    if not ranges:
        return "no curve reaches that"
    words = " and ".join(f"from {_arcsec(inner)} to {_arcsec(outer)}" for inner, outer in ranges)
    which = "the curve rules" if len(scene.curves) == 1 else "the curves together rule"
    return f"{which} such companions out {words} arcsec"


def _arcsec(value: float) -> str:
    return fixed(value, 2)


def _table(scene: Scene) -> FigureTable:
    """Range and contrasts of each curve, and where it rules hosts out."""
    heads = ["curve", "from and to, arcsec", *(f"Δm at {at:g} arcsec" for at in READ_AT_ARCSEC)]
    heads += [f"no host of {line.candidate}, arcsec" for line in scene.required]
    rows = []
    for curve in scene.curves:
        ends = (curve.separation_arcsec[0], curve.separation_arcsec[-1])
        row = [curve.label, f"{_arcsec(float(ends[0]))} to {_arcsec(float(ends[1]))}"]
        row += [DASH if (value := curve.at(at)) is None else fixed(value, 2) for at in READ_AT_ARCSEC]
        for line in scene.required:
            reached = curve.reaches(line.delta_mag)
            row.append(DASH if reached is None else f"{_arcsec(reached[0])} to {_arcsec(reached[1])}")
        rows.append(tuple(row))
    return FigureTable(tuple(heads), tuple(rows))


def _csv(curves: Sequence[Sensitivity]) -> str:
    """All points of all curves."""
    rows = [
        (curve.label, curve.file_id, float(x), float(y))
        for curve in curves
        for x, y in zip(curve.separation_arcsec, curve.delta_mag, strict=True)
    ]
    return csv_text(["curve", "ExoFOP file", "separation (arcsec)", "contrast (mag)"], rows)


def _json(drawing: Drawing, frame: Frame, scene: Scene) -> str:
    """The curves as Plotly JSON."""
    traces = [
        _required_trace(line, frame, dash) for line, (_, dash) in zip(scene.required, REQUIRED_DASHES, strict=False)
    ]
    traces += [
        _curve_trace(curve, colour, dash) for curve, (_, colour, _, dash) in zip(scene.drawn, STYLES, strict=False)
    ]
    if scene.stars:
        traces.append(_stars_trace(scene.stars))
    return figure_json(traces, layout_of(drawing, frame))


def _required_trace(line: RequiredContrast, frame: Frame, dash: str) -> dict[str, Any]:
    """What a candidate's depth requires, from edge to edge."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(frame.x_range),
        "y": [round(line.delta_mag, 3)] * 2,
        "line": {"width": 2, "color": MODEL_COLOUR, "dash": dash},
        "hovertemplate": f"{literal(_required_label(line))}<extra></extra>",
    }


def _curve_trace(curve: Sensitivity, colour: str, dash: str) -> dict[str, Any]:
    """One contrast curve."""
    xs, ys = _thinned(curve)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label(curve.label),
        "x": typed(xs),
        "y": typed(ys),
        "line": {"width": 1.6, "color": colour, "dash": dash},
        "hovertemplate": "%{fullData.name}: Δm %{y:.2f} at %{x:.2f} arcsec<extra></extra>",
    }


def _stars_trace(stars: Sequence[KnownStar]) -> dict[str, Any]:
    """The known neighbours."""
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [round(star.separation_arcsec, 3) for star in stars],
        "y": [round(star.delta_mag, 3) for star in stars],
        "text": [str(star.number) for star in stars],
        "textposition": "middle right",
        "hovertext": [label(f"{star.number}: {star.star_id}") for star in stars],
        "marker": {"size": 9, "symbol": "diamond-open", "color": INK_COLOUR},
        "hovertemplate": "%{hovertext}, Δm %{y:.2f} at %{x:.2f} arcsec<extra></extra>",
    }
