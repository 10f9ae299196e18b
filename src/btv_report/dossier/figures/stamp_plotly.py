"""A stamp as Plotly JSON: a heatmap with its true values and the same overlay as traces."""

from __future__ import annotations

from typing import Any

from btv_report.dossier.figures import stamp_scene as scene_words
from btv_report.dossier.figures.colours import SEQUENTIAL
from btv_report.dossier.figures.overlay import outline_runs, star_radius
from btv_report.dossier.figures.pixels import BoolImage
from btv_report.dossier.figures.plotly_json import Trace, axis, figure_json, label, typed
from btv_report.dossier.figures.stamp_picture import DARK, HOT, HOT_KINDS, LIGHT
from btv_report.dossier.figures.stamp_scene import StampScene

SYMBOLS = {
    scene_words.TARGET: "cross",
    scene_words.SOURCE: "x",
    scene_words.CONTROL_CENTROID: "circle",
    scene_words.IN_TRANSIT_CENTROID: "diamond",
    scene_words.PEAK: "square-open",
}


def stamp_json(scene: StampScene) -> str:
    """JSON of the scene; pixels without a value are gaps, axes are equal, row 0 is at the bottom."""
    n_row, n_column = scene.image.shape
    row, column = scene.origin[0] - 0.5, scene.origin[1] - 0.5
    traces = [_heatmap(scene)]
    line_colour = LIGHT if scene.scale.anchors is SEQUENTIAL else DARK
    for kind, mask in reversed(scene.outlines()):  # the first on top, as it shares edges
        traces.append(_line(*_broken(mask), HOT if kind in HOT_KINDS else line_colour, kind))
    if scene.region:
        ring = [*scene.region, scene.region[0]]
        traces.append(_line([c for c, _ in ring], [r for _, r in ring], HOT, scene_words.REGION))
    if scene.neighbours:
        traces.append(_stars(scene, line_colour))
    if scene.marks:
        traces.append(_marks(scene))
    layout: dict[str, Any] = {
        "showlegend": False,
        "xaxis": axis("column, px", column, column + n_column, constrain="domain", showgrid=False, zeroline=False),
        "yaxis": axis("row, px", row, row + n_row, constrain="domain", showgrid=False, zeroline=False, scaleanchor="x"),
    }
    return figure_json(traces, layout)


def _heatmap(scene: StampScene) -> Trace:
    """The image."""
    trace: Trace = {
        "type": "heatmap",
        "z": typed(scene.image),
        "zmin": float(f"{scene.scale.minimum:.7g}"),
        "zmax": float(f"{scene.scale.maximum:.7g}"),
        "colorscale": scene.scale.plotly(),
        "colorbar": {"title": {"text": label(scene.unit), "side": "right"}, "thickness": 12},
        "hovertemplate": "row %{y}, column %{x}: %{z:.5~g}<extra></extra>",
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


def _line(xs: list[Any], ys: list[Any], colour: str, name: str) -> Trace:
    """A line without hover label."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x if x is None else round(x, 2) for x in xs],
        "y": [y if y is None else round(y, 2) for y in ys],
        "line": {"color": colour, "width": 2},
        "name": name,
        "hoverinfo": "skip",
    }


def _stars(scene: StampScene, colour: str) -> Trace:
    """The neighbours, named when pointed at."""
    stars = scene.neighbours
    names = [
        label(star["star_id"]) + ("" if star["magnitude"] is None else f", {star['magnitude']:.1f} mag")
        for star in stars
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [round(star["column"], 3) for star in stars],
        "y": [round(star["row"], 3) for star in stars],
        "text": names,
        "hoverinfo": "text",
        "marker": {
            "symbol": "circle-open",
            "color": colour,
            "size": [round(2 * star_radius(star["magnitude"])) for star in stars],
        },
    }


def _marks(scene: StampScene) -> Trace:
    """The marked places, named when pointed at."""
    marks = scene.marks
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [round(mark.column, 3) for mark in marks],
        "y": [round(mark.row, 3) for mark in marks],
        "text": [mark.kind for mark in marks],
        "hoverinfo": "text",
        "marker": {
            "symbol": [SYMBOLS[mark.kind] for mark in marks],
            "size": 11,
            "color": [HOT if mark.kind in HOT_KINDS else LIGHT for mark in marks],
            "line": {"color": DARK, "width": 1.5},
        },
    }
