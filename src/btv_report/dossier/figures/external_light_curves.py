"""Light curves of other telescopes, each folded on the candidate whose transit it was taken for: one small panel each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from btv_report.dossier.figures.context import find_candidate
from btv_report.dossier.figures.figure import Figure, FigureTable
from btv_report.dossier.figures.plotly_json import BAND_SHAPE, figure_json, layout_of, typed
from btv_report.dossier.figures.sensitivity import depth_of
from btv_report.dossier.figures.svg import (
    BAND,
    END,
    INK_COLOUR,
    LIVE,
    MODEL,
    MODEL_COLOUR,
    NARROW,
    Drawing,
    Frame,
    draw_axes,
    join,
    label_margin,
    num,
)
from btv_report.dossier.figures.text import DASH, MINUS, count_of, csv_text, plain_text, with_error
from btv_report.dossier.figures.ticks import nice_ticks, tick_labels
from btv_report.record import ExternalLightCurveValue, RunRecord

PLOT_TOP, PLOT_HEIGHT, FOOT = 40, 170, 44
MAX_PANELS = 6
MAX_HOURS, MAX_FLUX = 1e5, 1e4  # from mid-transit, and over the median: beyond, a bin is no measurement
IN_TRANSIT, OUTSIDE = 0.45, 0.6  # of the duration from mid-transit

Mean = tuple[float, float | None]  # and its error


@dataclass(frozen=True)
class Panel:
    """
    One folded light curve.

    Attributes
    ----------
    hours, flux : float arrays of one length (3 or more), hours from the predicted mid-transit, flux over its median
    error : of flux, NaN where unknown
    duration_hours, depth : predicted transit, depth as a fraction; None where unknown
    """

    value: ExternalLightCurveValue
    hours: NDArray[np.float64]
    flux: NDArray[np.float64]
    error: NDArray[np.float64]
    duration_hours: float | None
    depth: float | None

    @property
    def predicted(self) -> float | None:
        """Flux in the transit by the depth in TESS, below the mean outside it; None where one of the two is unknown."""
        outside = self.means()[1]
        return None if self.depth is None or outside is None else outside[0] * (1 - self.depth)

    def means(self) -> tuple[Mean | None, Mean | None]:
        """Mean flux inside and outside the predicted transit, each with its error."""
        if self.duration_hours is None:
            return None, None
        away = np.abs(self.hours) / self.duration_hours
        return self._mean(away <= IN_TRANSIT), self._mean(away >= OUTSIDE)

    def _mean(self, chosen: NDArray[np.bool_]) -> Mean | None:
        """Mean flux of the chosen bins and the scatter over the square root of their number; None without a bin."""
        flux = self.flux[chosen]
        if not flux.size:
            return None
        return float(flux.mean()), float(flux.std(ddof=1) / math.sqrt(flux.size)) if flux.size > 2 else None


def is_folded(value: ExternalLightCurveValue) -> bool:
    """Whether the record holds a light curve folded on a candidate, with bins enough to be drawn."""
    return "candidate" in value and len(_bins(value)) >= 3


def panels(record: RunRecord) -> tuple[ExternalLightCurveValue, ...]:
    """The light curves that are drawn: the first `MAX_PANELS` that are folded."""
    values = record.get("exofop", {}).get("light_curves", [])
    return tuple(value for value in values if is_folded(value))[:MAX_PANELS]


def external_light_curve_figures(record: RunRecord) -> tuple[Figure, ...]:
    """One figure a folded light curve of another telescope; () where there is none."""
    return tuple(_figure(_panel(record, value), number) for number, value in enumerate(panels(record), start=1))


def _bins(value: ExternalLightCurveValue) -> list[tuple[float, float, float]]:
    """Hours, flux and its error (NaN where unknown) of the bins that can be one, in order of time."""
    hours, flux = value.get("hours_from_mid", []), value.get("flux_relative", [])
    errors: list[float] = value.get("flux_relative_err", [])
    errors = errors if len(errors) == len(flux) else [math.nan] * len(flux)
    bins = (
        (float(h), float(f), float(e) if e is not None and 0 < e <= MAX_FLUX else math.nan)
        for h, f, e in zip(hours, flux, errors, strict=False)
        if h is not None and f is not None and abs(h) <= MAX_HOURS and abs(f) <= MAX_FLUX
    )
    return sorted(bins, key=lambda values: values[:2])


def _panel(record: RunRecord, value: ExternalLightCurveValue) -> Panel:
    hours, flux, error = np.array(_bins(value), dtype=float).T
    candidate = find_candidate(record, value["candidate"])
    duration = candidate["duration_hours"] if candidate and 1e-3 <= candidate["duration_hours"] <= MAX_HOURS else None
    depth_ppm, _ = depth_of(record, value["candidate"])
    return Panel(value, hours, flux, error, duration, None if depth_ppm is None else depth_ppm / 1e6)


def _figure(panel: Panel, number: int) -> Figure:
    """The figure of a light curve; the number keeps ids apart where a file is folded on several candidates."""
    value = panel.value
    title = _title(value)
    candidate = plain_text(value["candidate"], limit=20)
    alt = f"Light curve of {title}: flux over its median against hours from the predicted mid-transit of {candidate}."
    drawing = Drawing(
        f"exofop-lc-{value['file_id']}-{number}", NARROW, PLOT_TOP + PLOT_HEIGHT + FOOT, plain_text(alt, limit=300)
    )
    frame = _draw(drawing, panel)
    return Figure(
        figure_id=drawing.figure_id,
        title=title,
        caption=_finding(panel),
        alt=drawing.title,
        picture=drawing.render(),
        width=NARROW,
        height=int(drawing.height),
        plotly_json=_json(drawing, frame, panel),
        table=_table(panel),
        csv=csv_text(
            ["hours from mid-transit (h)", "flux (relative)", "flux_err (relative)"],
            zip(panel.hours.tolist(), panel.flux.tolist(), panel.error.tolist(), strict=True),
        ),
    )


def _title(value: ExternalLightCurveValue) -> str:
    """Instrument and filter as far as they are stated, else the file's name."""
    stated = [part for part in (value["instrument"], value["filter"]) if part]
    return plain_text(", ".join(stated) or value["filename"], limit=60)


def _draw(drawing: Drawing, panel: Panel) -> Frame:
    """The picture; the frame of its axes."""
    y_range = _y_range(panel)
    y_ticks = nice_ticks(*y_range, 5)
    left = label_margin(tick_labels(y_ticks), wide=False)
    room = max(0.04 * (panel.hours[-1] - panel.hours[0]), 0.05)
    x_range = (float(panel.hours[0] - room), float(panel.hours[-1] + room))
    frame = Frame(left, PLOT_TOP, NARROW - left - 8, PLOT_HEIGHT, x_range, y_range)
    drawing.add(frame.clip(drawing.figure_id))
    edges = _transit(panel, frame)
    if edges is not None:
        x = frame.x(edges[0])
        drawing.add(
            f'{LIVE}<rect {BAND} fill="currentColor" x="{num(x)}" y="{num(frame.top)}" '
            f'width="{num(frame.x(edges[1]) - x)}" height="{num(frame.height)}"/>{END}'
        )
    draw_axes(
        drawing,
        frame,
        x_ticks=nice_ticks(*x_range, 6),
        y_ticks=y_ticks,
        x_title="hours from mid-transit",
        y_title="flux over its median",
    )
    drawing.add(f'<g class="live" clip-path="url(#{drawing.figure_id}-c)">')
    _draw_points(drawing, frame, panel)
    if edges is not None and panel.predicted is not None:
        x, y = frame.x(edges[0]), frame.y(panel.predicted)
        width = num(frame.x(edges[1]) - x)
        drawing.add(f'<path {MODEL} stroke="currentColor" stroke-width="2" d="M{join((x, y))}h{width}"/>')
    drawing.add(END)
    _draw_key(drawing, frame, panel, edges)
    return frame


def _y_range(panel: Panel) -> tuple[float, float]:
    """All fluxes with a usual error, and the predicted depth."""
    known = panel.error[np.isfinite(panel.error)]
    usual = float(np.median(known)) if known.size else 0.0
    low, high = float(panel.flux.min()) - usual, float(panel.flux.max()) + usual
    if panel.predicted is not None:
        low = min(low, panel.predicted)
    room = max(0.05 * (high - low), 1e-6)
    return low - room, high + room


def _transit(panel: Panel, frame: Frame) -> tuple[float, float] | None:
    """First and last contact within the plot, hours; None where the duration is unknown or no part of it is in view."""
    if panel.duration_hours is None:
        return None
    half = panel.duration_hours / 2
    first, last = max(-half, frame.x_range[0]), min(half, frame.x_range[1])
    return (first, last) if first < last else None


def _draw_points(drawing: Drawing, frame: Frame, panel: Panel) -> None:
    """Error bars and dots."""
    bars = dots = ""
    for hour, flux, error in zip(panel.hours, panel.flux, panel.error, strict=True):
        x, y = frame.x(float(hour)), frame.y(float(flux))
        if np.isfinite(error) and error > 0:
            half = min(y - frame.y(float(flux + error)), 2 * frame.height)
            bars += f"M{join((x, y - half))}v{num(2 * half)}"
        dots += f"M{join((x - 2, y))}a2 2 0 1 0 4 0a2 2 0 1 0-4 0"
    drawing.add(
        f'<g class="ink" stroke="currentColor"><path stroke-opacity=".45" d="{bars}"/>'
        f'<path fill="currentColor" stroke="none" d="{dots}"/></g>'
    )


def _draw_key(drawing: Drawing, frame: Frame, panel: Panel, edges: tuple[float, float] | None) -> None:
    """What band and line are, above the title of y."""
    if edges is None:
        return
    words = "▮ predicted transit" + (" ━ its depth in TESS" if panel.predicted is not None else "")
    drawing.add(f'<text {MODEL} fill="currentColor" x="{num(frame.right)}" y="14" text-anchor="end">{words}</text>')


def _finding(panel: Panel) -> str:
    """What is drawn, of which file, and what the means say."""
    value = panel.value
    number = value.get("transit_number")
    which = f"Transit {str(number).replace('-', MINUS)}" if number is not None else "A transit"
    words = [f"{which} of candidate {plain_text(value['candidate'], limit=20)}, not detrended."]
    inside, outside = panel.means()
    if inside is not None and outside is not None:
        errors = (inside[1], outside[1])
        error = math.hypot(*(e for e in errors if e is not None)) if None not in errors else None
        depth = with_error(1e6 * (outside[0] - inside[0]), None if error is None else 1e6 * error, "ppm")
        words.append(f"Outside minus inside the predicted transit: {depth}.")
    else:
        words.append("It does not hold both the predicted transit and flux outside it.")
    n_folded = value.get("n_folded", value["n_points"])
    words.append(
        f"{count_of(n_folded, 'point')} in {count_of(panel.hours.size, 'bin')}; times are "
        f"{plain_text(value['time_system'], limit=20)}. File {plain_text(value['filename'], limit=80)}."
    )
    if n_folded < value["n_points"]:
        words.append(f"The file has {count_of(value['n_points'], 'point')}; the others are nearer to other transits.")
    return " ".join(words)


def _table(panel: Panel) -> FigureTable:
    """Mean flux inside and outside the predicted transit."""
    rows = []
    for name, mean in zip(("in the predicted transit", "outside it"), panel.means(), strict=True):
        rows.append((name, DASH if mean is None else with_error(*mean)))
    return FigureTable(("part", "mean flux over the median"), tuple(rows))


def _json(drawing: Drawing, frame: Frame, panel: Panel) -> str:
    """The light curve as Plotly JSON; float32 tells hours to a second and flux to 0.1 ppm."""
    points: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers",
        "x": typed(panel.hours.round(5)),
        "y": typed(panel.flux),
        "hovertemplate": "%{x:.2f} h: %{y:.5f}<extra></extra>",
        "marker": {"size": 4, "color": INK_COLOUR},
    }
    if np.isfinite(panel.error).any():
        points["error_y"] = {"array": typed(panel.error), "thickness": 1, "width": 0, "color": INK_COLOUR}
        points["hovertemplate"] = "%{x:.2f} h: %{y:.5f} ± %{customdata:.5f}<extra></extra>"
    traces = [points]
    layout = layout_of(drawing, frame)
    edges = _transit(panel, frame)
    if edges is not None:
        ends = {"x0": round(edges[0], 4), "x1": round(edges[1], 4)}
        layout["shapes"] = [{"type": "rect", "yref": "paper", **ends, "y0": 0, "y1": 1, **BAND_SHAPE}]
        if panel.predicted is not None:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": list(ends.values()),
                    "y": [round(panel.predicted, 6)] * 2,
                    "line": {"width": 2, "color": MODEL_COLOUR},
                    "hovertemplate": "predicted by the depth in TESS: %{y:.5f}<extra></extra>",
                }
            )
    return figure_json(traces, layout)
