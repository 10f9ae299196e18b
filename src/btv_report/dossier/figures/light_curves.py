"""The light curve of a sector, with the predicted transits marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from btv_report.dossier.figures.context import SectorContext
from btv_report.dossier.figures.figure import Figure, FigureTable
from btv_report.dossier.figures.pixels import series
from btv_report.dossier.figures.plotly_json import Trace, figure_json, label, layout_of, typed
from btv_report.dossier.figures.svg import (
    ACCENT,
    ACCENT_COLOUR,
    END,
    INK_COLOUR,
    LIVE,
    WIDE,
    Drawing,
    Frame,
    draw_axes,
    join,
    label_margin,
    num,
)
from btv_report.dossier.figures.text import count_of, csv_text, fixed, grouped, plain_text, significant
from btv_report.dossier.figures.ticks import nice_ticks, tick_labels
from btv_report.ephemeris import Ephemeris
from btv_report.record import LightCurveValue, RunRecord

PLOT_TOP, PLOT_HEIGHT, FOOT = 26, 176, 62
MAX_DOTS = 700  # one dot a unit of width
ROW = 11  # height of a row of transit marks
MAX_MARKS = 200  # beyond, the marks of a candidate would be a solid line
KEPT, DROPPED, PREDICTED = "kept", "dropped", "predicted"
SIGNS = {KEPT: "▲", DROPPED: "×", PREDICTED: "△"}
TIME_TITLE = "BTJD (TDB), days"


@dataclass(frozen=True)
class TransitMarks:
    """Mid-times (BTJD) of one candidate's transits in a sector, by what became of them."""

    candidate: str
    times: dict[str, list[float]]


def light_curve_figures(record: RunRecord, sector: int) -> tuple[Figure, ...]:
    """One figure for each recorded light curve of the sector that holds a finite value."""
    found = [value for value in record.get("light_curves", []) if value["sector"] == sector]
    figures = []
    for number, value in enumerate(found):
        flux = series(value.get("flux_ppm"))
        if flux is not None:
            suffix = "" if len(found) == 1 else f"-{number + 1}"
            figures.append(_figure(record, value, flux, f"light-curve-s{sector}{suffix}"))
    return tuple(figures)


def _figure(record: RunRecord, value: LightCurveValue, flux: NDArray[np.float32], figure_id: str) -> Figure:
    """The figure of one light curve."""
    sector, width = value["sector"], value["bin_days"]
    time: NDArray[np.float64] = value["start_btjd"] + width * (np.arange(flux.size, dtype=float) + 0.5)
    marks = _marks(record, sector, float(time[0]), float(time[-1]))
    context = SectorContext(sector, value["pipeline"], value["exptime_s"], _simulated(record, value))
    n_together = max(1, -(-flux.size // MAX_DOTS))
    alt = f"Light curve of sector {sector}, BTJD {time[0]:.1f} to {time[-1]:.1f}, with {_mark_words(marks)}."
    drawing = Drawing(figure_id, WIDE, PLOT_TOP + PLOT_HEIGHT + FOOT + ROW * max(len(marks), 1), alt)
    axes = _draw(drawing, time, flux, n_together, marks)
    together = f", drawn {n_together} bins to a dot" if n_together > 1 else ""
    caption = (
        f"{plain_text(value['flux_column'])} divided by its median, {count_of(value['n_used'], 'cadence')} in bins of "
        f"{_minutes(width)}{together}; point-to-point scatter of a cadence {significant(value['scatter_ppm'])} ppm "
        f"(1.4826 MAD of the differences of neighbours, over √2). {_sentence(_mark_words(marks))} {context.words}"
    )
    n_filled = int(np.isfinite(flux).sum())
    table = [
        ("cadences used", f"{value['n_used']:,d}"),
        ("bins with data", f"{n_filled} of {flux.size}"),
        ("bin", _minutes(width)),
        ("point-to-point scatter of a cadence", f"{significant(value['scatter_ppm'])} ppm"),
        ("first and last bin", f"{fixed(time[0], 3)} to {fixed(time[-1], 3)} BTJD"),
        (
            "faintest and brightest bin",
            f"{grouped(float(np.nanmin(flux)), 0)} and {grouped(float(np.nanmax(flux)), 0)} ppm",
        ),
    ]
    return Figure(
        figure_id=figure_id,
        title=f"Light curve, sector {sector}",
        caption=caption,
        alt=alt,
        picture=drawing.render(),
        width=WIDE,
        height=int(drawing.height),
        plotly_json=_json(drawing, axes, (float(time[0]), width), flux, marks),
        table=FigureTable(("what", "value"), tuple(table)),
        csv=csv_text(
            ("bin middle (BTJD TDB d)", "flux (ppm from the median)"),
            ((round(float(t), 6), f) for t, f in zip(time, flux, strict=True) if np.isfinite(f)),
        ),
    )


def _simulated(record: RunRecord, value: LightCurveValue) -> bool:
    """Whether the run or the product is simulated."""
    if record.get("run", {}).get("simulated", False):
        return True
    return any(p["simulated"] for p in record.get("products", []) if p["sha256"] == value["product_sha256"])


def _minutes(days: float) -> str:
    """A bin width in words."""
    minutes = days * 1440
    return f"{minutes:.3g} min" if minutes < 120 else f"{minutes / 60:.3g} h"


def _marks(record: RunRecord, sector: int, first: float, last: float) -> list[TransitMarks]:
    """
    The transits of each candidate in the sector, as the checks saw them.

    Where no pixel file was checked nothing was kept or dropped: those transits are merely predicted, whether the record lists
    them or only the ephemeris does.
    """
    found = []
    checked = any(view["sector"] == sector for view in record.get("pixel_views", []))
    for candidate in record.get("candidates", []):
        name = candidate["name"]
        rows = [t for t in record.get("transits", []) if (t["candidate"], t["sector"]) == (name, sector)]
        times: dict[str, list[float]] = {KEPT: [t["mid_btjd"] for t in rows if t["used"]]}
        times[DROPPED] = [t["mid_btjd"] for t in rows if not t["used"]]
        if rows and not checked:
            times = {PREDICTED: [t["mid_btjd"] for t in rows]}
        if not rows:
            ephemeris = Ephemeris(candidate["period_days"], candidate["epoch_btjd"], candidate["duration_hours"], name)
            times[PREDICTED] = [ephemeris.mid_btjd(n) for n in ephemeris.numbers_between(first, last)]
        times = {kind: mids for kind, mids in times.items() if mids}
        if times:
            found.append(TransitMarks(name, times))
    return found


def _mark_words(marks: Sequence[TransitMarks]) -> str:
    """How many transits are marked, in words."""
    if not marks:
        return "no predicted transit"
    parts = []
    for mark in marks:
        counts = [f"{len(mids)} {kind}" for kind, mids in mark.times.items()]
        parts.append(f"transits of candidate {plain_text(mark.candidate)}: {', '.join(counts)}")
    return "; ".join(parts)


def _sentence(words: str) -> str:
    """Words with a capital at the front and a full stop."""
    return f"{words[0].upper()}{words[1:]}."


def _draw(
    drawing: Drawing, time: NDArray[np.float64], flux: NDArray[np.float32], n_together: int, marks: list[TransitMarks]
) -> Frame:
    """Dots, axes and transit marks; the frame of the axes."""
    low, high = float(np.nanmin(flux)), float(np.nanmax(flux))
    room = 0.05 * (high - low) or 1.0
    y_range = (low - room, high + room)
    y_ticks = nice_ticks(*y_range, 5)
    left = label_margin(tick_labels(y_ticks), wide=True)
    half = (time[-1] - time[0]) / (2 * max(time.size - 1, 1)) or 0.5
    x_range = (float(time[0] - half), float(time[-1] + half))
    frame = Frame(left, PLOT_TOP, WIDE - left - 10, PLOT_HEIGHT, x_range, y_range)
    # The marks stand between the dots and the time axis.
    axes = Frame(
        left, PLOT_TOP, frame.width, PLOT_HEIGHT + ROW * max(len(marks), 1), x_range, _stretched(frame, len(marks))
    )
    draw_axes(
        drawing,
        axes,
        x_ticks=nice_ticks(*x_range, 6),
        y_ticks=y_ticks,
        x_title=TIME_TITLE,
        y_title="flux, ppm",
    )
    drawing.add(LIVE)
    _draw_dots(drawing, frame, _together(flux, n_together))
    for row, mark in enumerate(marks):
        _draw_marks(drawing, frame, mark, frame.bottom + ROW * (row + 0.5), named=len(marks) > 1)
    drawing.add(END)
    kinds = [kind for kind in SIGNS if any(kind in mark.times for mark in marks)]
    if kinds:
        words = "&#8195;".join(f"{SIGNS[kind]} {kind}" for kind in kinds)
        drawing.add(
            f'<text x="{num(frame.right)}" y="20" text-anchor="end">transits: '
            f'<tspan {ACCENT} fill="currentColor">{words}</tspan></text>'
        )
    return axes


def _stretched(frame: Frame, n_rows: int) -> tuple[float, float]:
    """The y range of a frame that reaches so many rows of marks further down."""
    low, high = frame.y_range
    return low - (high - low) * ROW * max(n_rows, 1) / frame.height, high


def _together(flux: NDArray[np.float32], n_together: int) -> NDArray[np.float64]:
    """Means of `n_together` neighbouring bins, NaN where all are empty."""
    padded = np.pad(flux.astype(float), (0, -flux.size % n_together), constant_values=np.nan).reshape(-1, n_together)
    filled = np.isfinite(padded)
    count = filled.sum(axis=1)
    return np.where(count > 0, np.where(filled, padded, 0).sum(axis=1) / np.maximum(count, 1), np.nan)


def _draw_dots(drawing: Drawing, frame: Frame, flux: NDArray[np.float64]) -> None:
    """
    A dot a bin: one path whose corners carry a marker, one unit a bin to the right and half units upwards.

    Steps of one unit keep the path to some four characters a bin; the marker undoes the unequal scales.
    """
    step = frame.width / flux.size
    heights = np.where(np.isfinite(flux), 2 * (frame.bottom - np.array([frame.y(f) for f in flux])), np.nan)
    filled = np.flatnonzero(np.isfinite(heights))
    places = np.stack([filled, np.round(heights[filled]).astype(int)], axis=1)
    moves = np.diff(places, axis=0, prepend=[[0, 0]])
    runs = np.split(moves, np.flatnonzero(moves[:, 0] > 1)[int(filled[0] > 1) :])
    # An empty bin is a gap: a new move; the corners after a move are lines to without a letter.
    data = "".join("m" + join(run.ravel(), 0) for run in runs)
    ident = f"{drawing.figure_id}-d"
    drawing.add(
        f'<marker id="{ident}" viewBox="-1 -1 2 2" markerUnits="userSpaceOnUse" markerWidth="{num(2.6 / step, 2)}" '
        f'markerHeight="5.2" preserveAspectRatio="none"><circle class="ink" fill="currentColor" r="1"/></marker>'
        f'<path transform="matrix({num(step, 4)} 0 0-.5 {num(frame.left + step / 2, 2)} {num(frame.bottom)})" fill="none" '
        f'marker-start="url(#{ident})" marker-mid="url(#{ident})" marker-end="url(#{ident})" d="{data}"/>'
    )


def _draw_marks(drawing: Drawing, frame: Frame, mark: TransitMarks, y: float, *, named: bool) -> None:
    """Kept transits as filled triangles, dropped ones as crosses, merely predicted ones as open triangles."""
    shapes = {KEPT: "m-3.5 4l3.5-7 3.5 7z", DROPPED: "m-3-3l6 6m0-6l-6 6", PREDICTED: "m-3.5 4l3.5-7 3.5 7z"}
    for kind, mids in mark.times.items():
        data = "".join(f"M{join((frame.x(t), y))}{shapes[kind]}" for t in mids[:MAX_MARKS])
        fill = "currentColor" if kind == KEPT else "none"
        drawing.add(f'<path {ACCENT} fill="{fill}" stroke="currentColor" d="{data}"/>')
    if named:
        drawing.text(frame.left + 3, y, mark.candidate, attributes='dy=".35em" class="muted"')


def _json(
    drawing: Drawing,
    axes: Frame,
    first_and_step: tuple[float, float],
    flux: NDArray[np.float32],
    marks: list[TransitMarks],
) -> str:
    """The light curve as Plotly JSON; empty bins are gaps, and the marks stand in their rows below."""
    traces: list[Trace] = [
        {
            "type": "scatter",
            "mode": "markers",
            "x0": round(first_and_step[0], 6),
            "dx": first_and_step[1],
            "y": typed(flux),
            "hovertemplate": "BTJD %{x:.4f}: %{y:,.0f} ppm<extra></extra>",
            "marker": {"size": 3, "color": INK_COLOUR},
        }
    ]
    symbols = {KEPT: "triangle-up", DROPPED: "x-thin-open", PREDICTED: "triangle-up-open"}
    low, high = axes.y_range
    for row, mark in enumerate(marks):
        y = round(low + (high - low) * ROW * (len(marks) - row - 0.5) / axes.height, 1)
        for kind, mids in mark.times.items():
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": label(f"{mark.candidate}, {kind}"),
                    "x": [round(t, 5) for t in mids],
                    "y": [y] * len(mids),
                    "hovertemplate": "transit of %{fullData.name}: BTJD %{x:.4f}<extra></extra>",
                    "marker": {"symbol": symbols[kind], "size": 8, "color": ACCENT_COLOUR, "line": {"width": 1}},
                }
            )
    return figure_json(traces, layout_of(drawing, axes))
