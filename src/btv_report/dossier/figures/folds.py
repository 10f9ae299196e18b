"""All light curves folded on a candidate: odd and even transits apart, the transit's duration, and the depths of both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from btv_report.dossier.figures.context import find_candidate
from btv_report.dossier.figures.figure import Figure, FigureTable
from btv_report.dossier.figures.pixels import series
from btv_report.dossier.figures.plotly_json import BAND_SHAPE, figure_json, layout_of, typed
from btv_report.dossier.figures.svg import (
    ACCENT,
    ACCENT_COLOUR,
    END,
    INK_COLOUR,
    LIVE,
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
from btv_report.dossier.figures.text import DASH, count_of, csv_text, fixed, plain_text, significant, slug, with_error
from btv_report.dossier.figures.ticks import nice_ticks, tick_labels
from btv_report.record import FoldValue, RunRecord

PLOT_TOP, PLOT_HEIGHT, FOOT = 26, 220, 62
IN_TRANSIT = 0.45  # of the duration, either side of mid-transit: as the pixel checks take it
CONTROL = (0.75, 1.75)  # of the duration from mid-transit
TIME_TITLE = "hours from mid-transit"

Depths = dict[str, tuple[float, float | None] | None]


@dataclass(frozen=True)
class FoldSeries:
    """
    Odd or even transits: flux and its standard error in ppm for each bin, NaN in empty bins.

    `recorded_ppm` and `recorded_err_ppm` are the depth and its error by the record: the error is the scatter of the single
    transits' depths over sqrt(n), present from three transits on. Formal errors of bins know nothing of correlated noise.
    """

    name: str
    flux_ppm: NDArray[np.float32]
    err_ppm: NDArray[np.float32]
    n_transits: int
    recorded_ppm: float | None = None
    recorded_err_ppm: float | None = None

    def in_transit(self, hours: NDArray[np.float64], duration_hours: float) -> tuple[float, float] | None:
        """Weighted mean of the bins in transit and its formal error, ppm."""
        return self._mean(np.abs(hours) <= IN_TRANSIT * duration_hours)

    def depth(self, hours: NDArray[np.float64], duration_hours: float | None) -> tuple[float, float | None] | None:
        """Depth and its error, ppm: of the record; else the weighted mean of the control bins minus that in transit."""
        if self.recorded_ppm is not None:
            return self.recorded_ppm, self.recorded_err_ppm
        if not duration_hours:
            return None
        away = np.abs(hours) / duration_hours
        inside = self.in_transit(hours, duration_hours)
        control = self._mean((away >= CONTROL[0]) & (away <= CONTROL[1]))
        return None if inside is None or control is None else (control[0] - inside[0], None)

    def _mean(self, chosen: NDArray[np.bool_]) -> tuple[float, float] | None:
        """Weighted mean and its error over the chosen bins that have a value and an error."""
        usable = chosen & np.isfinite(self.flux_ppm) & np.isfinite(self.err_ppm) & (self.err_ppm > 0)
        if not usable.any():
            return None
        weight = 1 / self.err_ppm[usable].astype(float) ** 2
        return float(np.average(self.flux_ppm[usable], weights=weight)), float(1 / np.sqrt(weight.sum()))


def fold_figures(record: RunRecord, candidate: str) -> tuple[Figure, ...]:
    """The folded light curve of a candidate; () when there is none or nothing in it is finite."""
    value = next((fold for fold in record.get("folds", []) if fold["candidate"] == candidate), None)
    if value is None:
        return ()
    parts = [part for part in (_series(value, "odd"), _series(value, "even")) if part is not None]
    if not parts:
        return ()
    ephemeris = find_candidate(record, candidate)
    duration = ephemeris["duration_hours"] if ephemeris else None
    return (_figure(record, value, parts, duration),)


def _series(value: FoldValue, name: str) -> FoldSeries | None:
    """One of the two series."""
    stamps: Any = value
    flux, error = series(stamps.get(f"{name}_ppm")), series(stamps.get(f"{name}_err_ppm"))
    if flux is None:
        return None
    if error is None or error.shape != flux.shape:
        error = np.full(flux.shape, np.nan, np.float32)
    depth, depth_error = (stamps.get(f"{name}_{key}") for key in ("depth_ppm", "depth_err_ppm"))
    return FoldSeries(name, flux, error, int(stamps.get(f"n_{name}_transits", 0)), depth, depth_error)


def _figure(record: RunRecord, value: FoldValue, parts: list[FoldSeries], duration: float | None) -> Figure:
    """The figure of a fold."""
    bins = np.arange(parts[0].flux_ppm.size, dtype=float) + 0.5
    hours: NDArray[np.float64] = value["start_hours"] + value["bin_hours"] * bins
    name = plain_text(value["candidate"])
    depths = {part.name: part.depth(hours, duration) for part in parts}
    counts = " and ".join(f"{part.n_transits} {part.name}" for part in parts)
    alt = f"Light curves folded on candidate {name}: {counts} transits against hours from mid-transit."
    drawing = Drawing(f"fold-{slug(value['candidate'])}", WIDE, PLOT_TOP + PLOT_HEIGHT + FOOT, alt)
    frame, mean = _draw(drawing, hours, parts, duration)
    simulated = bool(record.get("run", {}).get("simulated", False))
    sectors = ", ".join(str(sector) for sector in value["sectors"])
    where = f"Sector{'s' if len(value['sectors']) != 1 else ''} {sectors}{', SIMULATED data' if simulated else ''}."
    return Figure(
        figure_id=drawing.figure_id,
        title=f"Folded on candidate {name}",
        caption=" ".join(text for text in (_flux(record, value), _finding(parts, depths), where) if text),
        alt=alt,
        picture=drawing.render(),
        width=WIDE,
        height=int(drawing.height),
        plotly_json=_json(drawing, frame, value, parts, duration=duration, mean=mean),
        table=_table(parts, depths),
        csv=_csv(hours, parts),
    )


def _flux(record: RunRecord, value: FoldValue) -> str:
    """Which flux is folded."""
    curves = [curve for curve in record.get("light_curves", []) if curve["sector"] in value["sectors"]]
    columns = " and ".join(sorted({plain_text(curve["flux_column"]) for curve in curves})) or "Flux"
    return f"{columns} divided by its median, in bins of {value['bin_hours'] * 60:.3g} min."


def _difference(depths: Depths) -> tuple[float, float | None] | None:
    """Odd minus even depth and its error, None where one of the two has none."""
    odd, even = depths.get("odd"), depths.get("even")
    if odd is None or even is None:
        return None
    errors = (odd[1], even[1])
    known = [error for error in errors if error is not None and error > 0]
    return odd[0] - even[0], math.hypot(*known) if len(known) == len(errors) else None


def _depth_words(depth: tuple[float, float | None]) -> str:
    """A depth with its error, or to three digits without one."""
    value, error = depth
    return with_error(value, error, "ppm") if error else f"{significant(value)} ppm"


def _finding(parts: list[FoldSeries], depths: Depths) -> str:
    """Depths of odd and even transits and whether they differ, in words."""
    words = []
    missing = []
    for part in parts:
        depth = depths[part.name]
        if depth is None:
            continue
        words.append(f"{part.name.capitalize()} depth {_depth_words(depth)} ({count_of(part.n_transits, 'transit')}).")
        missing += [part.name] if not depth[1] else []
    difference = _difference(depths)
    if difference is not None and difference[1]:
        words.append(f"They differ by {fixed(abs(difference[0]) / difference[1], 1)} sigma.")
    if missing:
        words.append(f"{' and '.join(missing).capitalize()}: too few transits for an error.")
    if any(depth is not None and depth[1] for depth in depths.values()):
        words.append("Errors are the scatter of the single transits' depths over √n.")
    return " ".join(words)


def _table(parts: list[FoldSeries], depths: Depths) -> FigureTable:
    """Depths and their difference."""
    rows = []
    for part in parts:
        depth = depths[part.name]
        rows.append((part.name, str(part.n_transits), _depth_words(depth).removesuffix(" ppm") if depth else DASH))
    difference = _difference(depths)
    if difference is not None:
        rows.append(("odd minus even", DASH, _depth_words(difference).removesuffix(" ppm")))
    return FigureTable(("transits", "number", "depth, ppm"), tuple(rows))


def _csv(hours: NDArray[np.float64], parts: list[FoldSeries]) -> str:
    """Both series."""
    header = ["bin middle (h from mid-transit)"]
    columns: list[Any] = [[round(float(h), 6) for h in hours]]
    for part in parts:
        header += [f"{part.name} flux (ppm)", f"{part.name} flux_err (ppm)"]
        columns += [part.flux_ppm, part.err_ppm]
    return csv_text(header, zip(*columns, strict=True))


def _y_range(parts: list[FoldSeries]) -> tuple[float, float]:
    """All values with their errors."""
    ends = [part.flux_ppm + sign * np.nan_to_num(part.err_ppm) for part in parts for sign in (-1, 1)]
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    room = 0.05 * (high - low) or 1.0
    return low - room, high + room


def _draw(
    drawing: Drawing,
    hours: NDArray[np.float64],
    parts: list[FoldSeries],
    duration: float | None,
) -> tuple[Frame, float | None]:
    """The picture; the frame of its axes and the mean in transit, ppm."""
    y_range = _y_range(parts)
    y_ticks = nice_ticks(*y_range, 6)
    left = label_margin(tick_labels(y_ticks), wide=True)
    half = (hours[-1] - hours[0]) / (2 * max(hours.size - 1, 1)) or 0.5
    frame = Frame(
        left, PLOT_TOP, WIDE - left - 10, PLOT_HEIGHT, (float(hours[0] - half), float(hours[-1] + half)), y_range
    )
    if duration:
        first, last = (min(max(frame.x(s * duration / 2), frame.left), frame.right) for s in (-1, 1))
        drawing.add(
            f'<rect class="live band" color="#0e749026" fill="currentColor" x="{num(first)}" y="{num(frame.top)}" '
            f'width="{num(last - first)}" height="{num(frame.height)}"/>'
        )
    draw_axes(
        drawing,
        frame,
        x_ticks=nice_ticks(*frame.x_range, 7),
        y_ticks=y_ticks,
        x_title=TIME_TITLE,
        y_title="flux, ppm",
    )
    drawing.add(LIVE)
    for part in parts:
        _draw_series(drawing, frame, hours, part)
    levels = [level for part in parts if duration and (level := part.in_transit(hours, duration)) is not None]
    mean = _draw_level(drawing, frame, duration, levels) if duration and levels else None
    drawing.add(END)
    _draw_key(drawing, frame, parts, bool(levels))
    return frame, mean


def _draw_series(drawing: Drawing, frame: Frame, hours: NDArray[np.float64], part: FoldSeries) -> None:
    """Error bars and marks: odd open circles in ink, even filled squares in the accent colour."""
    bars, places = "", []
    for hour, flux, error in zip(hours, part.flux_ppm, part.err_ppm, strict=True):
        if not np.isfinite(flux):
            continue
        x, y = frame.x(float(hour)), frame.y(float(flux))
        if np.isfinite(error):
            half = y - frame.y(float(flux + error))
            bars += f"M{join((x, y - half))}v{num(2 * half)}"
        places.append((x, y))
    ident = f"{drawing.figure_id}-{part.name}"
    paint = PAINTS[part.name]
    drawing.add(
        f'<marker id="{ident}" viewBox="-4 -4 8 8" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse">'
        f'<path {paint} fill="{FILLS[part.name]}" stroke="currentColor" d="{SHAPES[part.name]}"/></marker>'
        f'<path {paint} stroke="currentColor" stroke-opacity=".45" d="{bars}"/>'
        f'<path fill="none" marker-start="url(#{ident})" marker-mid="url(#{ident})" marker-end="url(#{ident})" '
        f'd="{path_data(places)}"/>'
    )


SHAPES = {"odd": "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0", "even": "M-2.5-2.5h5v5h-5z"}
PAINTS = {"odd": 'class="ink"', "even": ACCENT}
FILLS = {"odd": "none", "even": "currentColor"}


def _draw_level(drawing: Drawing, frame: Frame, duration: float, levels: list[tuple[float, float]]) -> float:
    """The weighted mean of all bins in transit as a line over the duration."""
    weights = [1 / error**2 for _, error in levels]
    mean = sum(weight * level for weight, (level, _) in zip(weights, levels, strict=True)) / sum(weights)
    x = frame.x(-duration / 2)
    width = num(frame.x(duration / 2) - x)
    drawing.add(f'<path {MODEL} stroke="currentColor" stroke-width="2" d="M{join((x, frame.y(mean)))}h{width}"/>')
    return mean


def _draw_key(drawing: Drawing, frame: Frame, parts: list[FoldSeries], with_depth: bool) -> None:
    """What the marks are, above the plot on the right, in em so that it grows with the text."""
    words = [f"{'○' if part.name == 'odd' else '■'} {part.name}" for part in parts]
    pieces = [
        f'<tspan {PAINTS[part.name]} fill="currentColor">{word}</tspan>'
        for part, word in zip(parts, words, strict=True)
    ]
    if with_depth:
        pieces.append(f'<tspan {MODEL} fill="currentColor">━ mean in transit</tspan>')
    drawing.add(f'<text x="{num(frame.right)}" y="20" text-anchor="end">{"&#8195;".join(pieces)}</text>')


def _json(
    drawing: Drawing,
    frame: Frame,
    value: FoldValue,
    parts: list[FoldSeries],
    *,
    duration: float | None,
    mean: float | None,
) -> str:
    """The fold as Plotly JSON."""
    symbols = {"odd": "circle-open", "even": "square"}
    colours = {"odd": INK_COLOUR, "even": ACCENT_COLOUR}
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "markers",
            "x0": round(value["start_hours"] + value["bin_hours"] / 2, 9),
            "dx": value["bin_hours"],
            "y": typed(part.flux_ppm),
            "error_y": {"array": typed(part.err_ppm), "thickness": 1, "width": 0, "color": colours[part.name]},
            "hovertemplate": f"{part.name}, %{{x:.2f}} h: %{{y:,.0f}} ± %{{customdata:,.0f}} ppm<extra></extra>",
            "marker": {"size": 6, "symbol": symbols[part.name], "color": colours[part.name]},
        }
        for part in parts
    ]
    layout = layout_of(drawing, frame)
    if duration and mean is not None:
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [-duration / 2, duration / 2],
                "y": [round(mean, 1)] * 2,
                "line": {"width": 2, "color": MODEL_COLOUR},
                "hovertemplate": "mean in transit: %{y:,.0f} ppm<extra></extra>",
            }
        )
    if duration:
        edges = {"x0": -duration / 2, "x1": duration / 2}
        layout["shapes"] = [{"type": "rect", "yref": "paper", **edges, "y0": 0, "y1": 1, **BAND_SHAPE}]
    return figure_json(traces, layout)
