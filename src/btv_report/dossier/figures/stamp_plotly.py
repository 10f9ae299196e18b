"""A stamp as Plotly JSON: a heatmap with its true values and the same overlay as traces, in the place of the picture's."""

from __future__ import annotations

import math
from typing import Any

from btv_report.dossier.figures import stamp_scene as scene_words
from btv_report.dossier.figures.overlay import outline_runs, star_radius
from btv_report.dossier.figures.pixels import BoolImage
from btv_report.dossier.figures.plotly_json import Trace, figure_json, label, layout_of, literal, typed
from btv_report.dossier.figures.stamp_picture import DARK, HOT, HOT_KINDS, PEAK_HALF, stamp_frame
from btv_report.dossier.figures.stamp_scene import Mark, StampScene
from btv_report.dossier.figures.svg import Drawing

SYMBOLS = {
    scene_words.TARGET: ("cross-thin-open", 14),
    scene_words.SOURCE: ("x-thin-open", 10),
    scene_words.CONTROL_CENTROID: ("circle-open", 7),
    scene_words.IN_TRANSIT_CENTROID: ("diamond-open", 9),
}
CASED = "cased"  # the page's script draws a light casing below, so that a mark shows on any colour


def stamp_json(scene: StampScene, drawing: Drawing, unit: str) -> str:
    """JSON of the scene; pixels without a value are gaps, scales are equal, row 0 is at the bottom."""
    traces = [_heatmap(scene, unit)]
    for kind, mask in reversed(scene.outlines()):  # the first on top, as it shares edges
        traces.append(_line(*_broken(mask), _colour(kind)))
    if scene.region:
        ring = [*scene.region, scene.region[0]]
        traces.append(_line([c for c, _ in ring], [r for _, r in ring], HOT))
    traces += [_line(*_box(mark), _colour(mark.kind)) for mark in scene.marks if mark.kind == scene_words.PEAK]
    if scene.neighbours:
        traces.append(_stars(scene))
    marks = [mark for mark in scene.marks if mark.kind in SYMBOLS]
    if marks:
        traces.append(_marks(marks))
    layout = layout_of(drawing, stamp_frame(scene))
    layout["yaxis"]["scaleanchor"] = "x"
    return figure_json(traces, layout)


def _colour(kind: str) -> str:
    """The colour of a kind of thing, as in the picture."""
    return HOT if kind in HOT_KINDS else DARK


def _heatmap(scene: StampScene, unit: str) -> Trace:
    """The image."""
    scale = scene.scale
    largest = max(abs(scale.minimum), abs(scale.maximum))
    decimals = max(0, 3 - math.floor(math.log10(largest)))
    trace: Trace = {
        "type": "heatmap",
        "z": typed(scene.image),
        "zmin": float(f"{scale.minimum:.7g}"),
        "zmax": float(f"{scale.maximum:.7g}"),
        "colorscale": scale.plotly(),
        "showscale": False,
        "hovertemplate": f"row %{{y}}, column %{{x}}: %{{z:,.{decimals}f}} {literal(unit)}<extra></extra>",
    }
    if scene.origin != (0, 0):
        trace |= {"y0": scene.origin[0], "x0": scene.origin[1], "dx": 1, "dy": 1}
    return trace


def _broken(mask: BoolImage) -> tuple[list[float | None], list[float | None]]:
    """The outline of a mask as x and y with breaks."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for x1, y1, x2, y2 in outline_runs(mask):
        xs += [x1, x2, None]
        ys += [y1, y2, None]
    return xs, ys


def _box(mark: Mark) -> tuple[list[float | None], list[float | None]]:
    """The box of the largest value, in its pixel."""
    left, right = mark.column - PEAK_HALF, mark.column + PEAK_HALF
    low, high = mark.row - PEAK_HALF, mark.row + PEAK_HALF
    return [left, right, right, left, left], [low, low, high, high, low]


def _line(xs: list[Any], ys: list[Any], colour: str) -> Trace:
    """A line without hover label."""
    return {
        "type": "scatter",
        "meta": CASED,
        "mode": "lines",
        "x": [x if x is None else round(x, 2) for x in xs],
        "y": [y if y is None else round(y, 2) for y in ys],
        "line": {"color": colour, "width": 2},
        "hoverinfo": "skip",
    }


def _stars(scene: StampScene) -> Trace:
    """The neighbours, with the numbers of the picture, named when pointed at."""
    stars = scene.neighbours
    names = []
    for star in stars:
        number = f"{scene.numbers[star['star_id']]}: " if star["star_id"] in scene.numbers else ""
        magnitude = "magnitude unknown" if star["magnitude"] is None else f"{star['magnitude']:.1f} mag"
        away = f"{star['separation_arcsec']:.1f} arcsec away"
        names.append(f"{number}{label(star['star_id'])}, {magnitude}, {away}")
    return {
        "type": "scatter",
        "meta": CASED,
        "mode": "markers+text",
        "x": [round(star["column"], 3) for star in stars],
        "y": [round(star["row"], 3) for star in stars],
        "text": [str(scene.numbers.get(star["star_id"], "")) for star in stars],
        "textposition": "top right",
        "hovertext": names,
        "hoverinfo": "text",
        "marker": {
            "symbol": "circle-open",
            "color": DARK,
            "size": [round(2 * star_radius(star["magnitude"]), 1) for star in stars],
            "line": {"width": 2},
        },
    }


def _marks(marks: list[Mark]) -> Trace:
    """The marked places, named when pointed at."""
    return {
        "type": "scatter",
        "meta": CASED,
        "mode": "markers",
        "x": [round(mark.column, 3) for mark in marks],
        "y": [round(mark.row, 3) for mark in marks],
        "hovertext": [f"{mark.kind}: row {mark.row:.2f}, column {mark.column:.2f}" for mark in marks],
        "hoverinfo": "text",
        "marker": {
            "symbol": [SYMBOLS[mark.kind][0] for mark in marks],
            "size": [SYMBOLS[mark.kind][1] for mark in marks],
            "color": [_colour(mark.kind) for mark in marks],
            "line": {"width": 2},
        },
    }
