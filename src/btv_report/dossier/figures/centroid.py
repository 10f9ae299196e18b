"""V08 in two pictures: the centroids on the control stamp, and the shifts of the single transits in their own plane."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from btv_report.dossier.figures.colours import sequential_asinh
from btv_report.dossier.figures.context import find_check, metric, stamp_of
from btv_report.dossier.figures.figure import Figure, FigureTable
from btv_report.dossier.figures.overlay import ellipse_points
from btv_report.dossier.figures.plotly_json import figure_json, layout_of
from btv_report.dossier.figures.stamp_figure import SectorPixels, StampText, sector_pixels, stamp_figure
from btv_report.dossier.figures.stamp_scene import (
    CONTROL_CENTROID,
    IN_TRANSIT_CENTROID,
    StampScene,
    target_mark,
)
from btv_report.dossier.figures.svg import (
    ACCENT,
    ACCENT_COLOUR,
    END,
    INK_COLOUR,
    LIVE,
    NARROW,
    Drawing,
    Frame,
    draw_axes,
    join,
    label_margin,
    num,
    path_data,
)
from btv_report.dossier.figures.text import count_of, csv_text, fixed, significant, slug, with_error
from btv_report.dossier.figures.ticks import nice_ticks, tick_labels
from btv_report.record import RunRecord

REACH = 2  # pixels about the centroids that the enlarged stamp shows
SHARES = (68.27, 99.73)  # per cent of the probability that the drawn ellipses hold
# In two dimensions a share P lies within sqrt(-2 ln(1 - P)) standard deviations: 1.52 and 3.44.
DISTANCES = tuple(math.sqrt(-2 * math.log(1 - share / 100)) for share in SHARES)
SIDE = 212  # of the shift plane, units: equal scales both ways


def centroid_figures(record: RunRecord, candidate: str, sector: int) -> tuple[Figure, ...]:
    """The centroids on the stamp and the plane of shifts, each where V08 recorded what it needs."""
    check = find_check(record, "V08", candidate, sector)
    if check is None:
        return ()
    shared = sector_pixels(record, candidate, sector)
    figures = [_stamp(shared)]
    shifts = _shifts(check.get("details", {}))
    if shifts is not None:
        figures.append(_plane(shared, *shifts))
    return tuple(figure for figure in figures if figure is not None)


def _stamp(shared: SectorPixels) -> Figure | None:
    """The control stamp with both centroids."""
    image = stamp_of(shared.v08, "reference_image")
    image = image if image is not None else stamp_of(shared.v09, "reference_image")
    if image is None:
        return None
    shape = image.shape
    centroids = shared.centroid(CONTROL_CENTROID, shape) + shared.centroid(IN_TRANSIT_CENTROID, shape)
    if not centroids:
        return None
    first_row, last_row = _window([mark.row for mark in centroids], shape[0])
    first_column, last_column = _window([mark.column for mark in centroids], shape[1])
    part = image[first_row:last_row, first_column:last_column]
    if not np.isfinite(part).any():
        return None
    scene = StampScene(
        part,
        sequential_asinh(part),
        f"{shared.unit}, asinh",
        shared.aperture(shape),
        target_mark(shared.view, shape) + centroids,
        sky_per_pixel_arcsec=shared.sky,
        origin=(first_row, first_column),
    )
    shift = metric(shared.v08, "centroid_shift_px")
    finding = "Flux-weighted centroids of the aperture pixels over the control mean, enlarged"
    if shift is not None:
        finding += f"; they lie {significant(shift, 2)} px apart, which at this scale may not show"
    text = StampText(
        f"v08-{slug(shared.candidate)}-s{shared.context.sector}", "Centroids", finding + ".", "flux", shared.unit
    )
    return stamp_figure(text, scene, shared)


def _window(places: list[float], size: int) -> tuple[int, int]:
    """First pixel and the one after the last of a window that reaches REACH beyond the places, within the stamp."""
    return max(math.floor(min(places) - REACH), 0), min(math.ceil(max(places) + REACH) + 1, size)


def _shifts(details: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]] | None:
    """Details with a mean shift, and the single transits; None without a mean shift."""
    if details.get("shift_row_px") is None or details.get("shift_column_px") is None:
        return None
    return details, list(details.get("transit_points") or [])


def _plane(shared: SectorPixels, details: Mapping[str, Any], points: list[Mapping[str, Any]]) -> Figure:
    """
    Control minus in-transit centroid: each transit, the mean and its error ellipses, about a cross at no shift.

    With this sign the shift points towards the source of the signal.
    """
    mean = (float(details["shift_column_px"]), float(details["shift_row_px"]))
    covariance = details.get("covariance_px2")
    ellipses = [ellipse_points(mean, covariance, distance) for distance in DISTANCES] if covariance else []
    ellipses = [ellipse for ellipse in ellipses if ellipse]
    singles = [(float(p["shift_column_px"]), float(p["shift_row_px"])) for p in points]
    reach = 1.15 * max(
        abs(v) for place in (mean, (1e-6, 0.0), *singles, *(e for ring in ellipses for e in ring)) for v in place
    )
    figure_id = f"v08-{slug(shared.candidate)}-s{shared.context.sector}-shift"
    errors = _errors(covariance) if covariance and ellipses else (None, None)
    finding = _finding(shared, len(singles), bool(ellipses))
    alt = f"Centroid shifts in the plane of column and row: {len(singles)} transits and their mean, about a cross at no shift."
    drawing = Drawing(figure_id, NARROW, SIDE + 84, alt)
    frame = _draw_plane(drawing, reach, mean, singles, ellipses)
    rows = [("mean", with_error(mean[1], errors[0]), with_error(mean[0], errors[1]))]
    rows += [
        (f"transit {p['number']}", significant(float(p["shift_row_px"])), significant(float(p["shift_column_px"])))
        for p in points
    ]
    header = ("transit", "mid_btjd (BTJD TDB d)", "shift_row (px)", "shift_column (px)")
    lines = [(p["number"], p.get("mid_btjd"), p["shift_row_px"], p["shift_column_px"]) for p in points]
    return Figure(
        figure_id=figure_id,
        title="Centroid shift of each transit",
        caption=f"{finding} {shared.context.words}",
        alt=alt,
        picture=drawing.render(),
        width=NARROW,
        height=int(drawing.height),
        plotly_json=_plane_json(drawing, frame, mean, points, ellipses),
        table=FigureTable(("what", "shift in row, px", "shift in column, px"), tuple(rows)),
        csv=csv_text(header, [*lines, ("mean", None, mean[1], mean[0])]),
    )


def _finding(shared: SectorPixels, count: int, with_errors: bool) -> str:
    """The finding in words; a small shift is not called "on target"."""
    words = (
        f"Control minus in-transit centroid, which points towards the source, in {count_of(count, 'transit')}, "
        "with their mean"
    )
    words += (
        " and the ellipses that hold 68.27 % and 99.73 % of its probability in two dimensions (1 and 3 sigma)."
        if with_errors
        else "."
    )
    shift, sigma = metric(shared.v08, "centroid_shift_px"), metric(shared.v08, "significance_sigma")
    if shift is not None:
        words += f" Shift {significant(shift, 2)} px"
        words += f", {fixed(sigma, 1)} sigma." if sigma is not None else "."
    return words


def _errors(covariance: Sequence[Sequence[float]]) -> tuple[float, float]:
    """1-sigma errors of (row, column)."""
    return float(np.sqrt(covariance[0][0])), float(np.sqrt(covariance[1][1]))


def _draw_plane(
    drawing: Drawing,
    reach: float,
    mean: tuple[float, float],
    singles: list[tuple[float, float]],
    ellipses: list[list[tuple[float, float]]],
) -> Frame:
    """The plane, equal scales, zero in the middle; its frame."""
    ticks = nice_ticks(-reach, reach, 5)
    left = label_margin(tick_labels(ticks), wide=False)
    frame = Frame(left, 24, SIDE, SIDE, (-reach, reach), (-reach, reach))
    draw_axes(drawing, frame, x_ticks=ticks, y_ticks=ticks, x_title="shift in column, px", y_title="shift in row, px")
    zero = f"M{join((frame.x(0), frame.top))}v{SIDE}M{join((frame.left, frame.y(0)))}h{SIDE}"
    drawing.add(f'{LIVE}<path class="axis" stroke="currentColor" stroke-opacity=".6" fill="none" d="{zero}"/>')
    for ring in ellipses:
        data = path_data([(frame.x(x), frame.y(y)) for x, y in ring[::2]], closed=True)
        drawing.add(f'<path {ACCENT} fill="currentColor" fill-opacity=".12" stroke="currentColor" d="{data}"/>')
    dots = "".join(f"M{join((frame.x(x) - 3, frame.y(y)))}a3 3 0 1 0 6 0a3 3 0 1 0-6 0" for x, y in singles)
    drawing.add(f'<path class="ink" fill="none" stroke="currentColor" stroke-width="1.4" d="{dots}"/>')
    x, y = frame.x(mean[0]), frame.y(mean[1])
    drawing.add(
        f'<path {ACCENT} fill="none" stroke="currentColor" stroke-width="2" d="M{join((x - 5, y))}h10M{join((x, y - 5))}v10"/>'
    )
    drawing.add(END)
    base = frame.bottom + 44
    drawing.add(
        f'<path class="ink" fill="none" stroke="currentColor" stroke-width="1.4" d="M{num(left)} {num(base)}'
        f'a3 3 0 1 0 6 0a3 3 0 1 0-6 0"/><path {ACCENT} fill="none" stroke="currentColor" stroke-width="2" '
        f'd="M{num(left + 105)} {num(base)}h10m-5-5v10"/>'
    )
    drawing.text(left + 12, base + 4, "one transit")
    drawing.text(left + 121, base + 4, "mean" + (", 1σ and 3σ (2-D)" if ellipses else ""))
    return frame


def _plane_json(
    drawing: Drawing,
    frame: Frame,
    mean: tuple[float, float],
    points: list[Mapping[str, Any]],
    ellipses: list[list[tuple[float, float]]],
) -> str:
    """The plane as Plotly JSON."""
    place = "row %{y:.5~f} px, column %{x:.5~f} px<extra></extra>"
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [p["shift_column_px"] for p in points],
            "y": [p["shift_row_px"] for p in points],
            "text": [f"transit {p['number']}" for p in points],
            "hovertemplate": f"%{{text}}: {place}",
            "marker": {"size": 7, "symbol": "circle-open", "color": INK_COLOUR, "line": {"width": 1.4}},
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": [mean[0]],
            "y": [mean[1]],
            "hovertemplate": f"mean: {place}",
            "marker": {"size": 10, "symbol": "cross-thin-open", "color": ACCENT_COLOUR, "line": {"width": 2}},
        },
    ]
    for ring in ellipses:
        closed = [*ring[::2], ring[0]]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [float(f"{x:.3g}") for x, _ in closed],
                "y": [float(f"{y:.3g}") for _, y in closed],
                "line": {"width": 1, "color": ACCENT_COLOUR},
                "hoverinfo": "skip",
            }
        )
    layout = layout_of(drawing, frame)
    layout["xaxis"]["zeroline"] = True
    layout["yaxis"] |= {"zeroline": True, "scaleanchor": "x"}
    return figure_json(traces, layout)
