"""Panels as a Plotly figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from btv_report.dossier.figures.plotly_json import label, literal
from btv_report.dossier.figures.ticks import tick_labels
from btv_report.errors import PlotError
from btv_report.plotting.panel import Band, Heatmap, Line, Panel, Points

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

CASING, CASING_WIDTH = "rgba(255,255,255,.8)", 3.5
SYMBOLS = {
    "cross": "cross-thin-open",
    "x": "x-thin-open",
    "circle": "circle-open",
    "diamond": "diamond-open",
    "dot": "circle",
}
PLOT_HEIGHT = 420
CURVE_WIDTH = 560
NARROWEST, WIDEST = 120, 700
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 84, 64
LEGEND_LINE = 21
BAR_SPACE = 100  # right of a stamp, for its colour bar


def plotly_figure(panels: Sequence[Panel]) -> Figure:
    """
    Draw panels side by side.

    Every trace carries the true values; row 0 is at the bottom and pixels are square.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    domains = _domains(panels)
    shown: set[str] = set()
    for number, (panel, domain) in enumerate(zip(panels, domains, strict=True), start=1):
        place = "" if number == 1 else str(number)
        axes = {"xaxis": f"x{place}", "yaxis": f"y{place}"}
        for trace in _traces(panel, domain):
            name = trace.get("name")
            if name is not None:
                trace["showlegend"] = trace.get("showlegend", True) and name not in shown
                if trace["showlegend"]:
                    shown.add(name)
            try:
                figure.add_trace(trace | axes)
            except ValueError as error:
                raise _bad_colour_map(panel, error) from error
        figure.update_layout({f"xaxis{place}": _x_axis(panel, domain), f"yaxis{place}": _y_axis(panel, place)})
        figure.add_annotation(_title(panel, domain))
        for band in panel.bands:
            figure.add_hrect(
                y0=band.low, y1=band.high, line_width=0, fillcolor=band.colour, opacity=0.16, layer="below"
            )
    legend_height = LEGEND_LINE * -(-len(shown) // 2)
    figure.update_layout(
        template="none",
        width=LEFT + RIGHT + _plot_width(panels),
        height=TOP + PLOT_HEIGHT + BOTTOM + legend_height,
        margin={"l": LEFT, "r": RIGHT, "t": TOP, "b": BOTTOM + legend_height},
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 0, "yref": "container", "yanchor": "bottom"},
    )
    return figure


def _width(panel: Panel) -> float:
    """Width of a panel, px: that of square pixels at the common height, within reason."""
    if not panel.square:
        return CURVE_WIDTH
    spans = [high - low for low, high in (panel.x_range, panel.y_range)]
    return min(max(PLOT_HEIGHT * spans[0] / spans[1], NARROWEST), WIDEST)


def _plot_width(panels: Sequence[Panel]) -> float:
    """Width between the margins: the panels, their colour bars, and room for the numbers of the axes between them."""
    bars = sum(BAR_SPACE for panel in panels if panel.heatmap is not None)
    return sum(_width(panel) for panel in panels) + bars + LEFT * (len(panels) - 1)


def _domains(panels: Sequence[Panel]) -> list[tuple[float, float]]:
    """The stretch of the plot width that each panel takes, as fractions."""
    whole, left, domains = _plot_width(panels), 0.0, []
    for panel in panels:
        width = _width(panel)
        domains.append((left / whole, (left + width) / whole))
        left += width + LEFT + (BAR_SPACE if panel.heatmap is not None else 0)
    return domains


def _x_axis(panel: Panel, domain: tuple[float, float]) -> dict[str, Any]:
    """The axis of columns, or of a curve."""
    return {
        "title": {"text": label(panel.x_title), "standoff": 8},
        "range": list(panel.x_range),
        "domain": list(domain),
        "constrain": "domain",
        "constraintoward": "left",
        **_axis_look(panel),
    }


def _y_axis(panel: Panel, place: str) -> dict[str, Any]:
    """The axis of rows, or of a curve; it grows upwards."""
    return {
        "title": {"text": label(panel.y_title)},
        "range": list(panel.y_range),
        "anchor": f"x{place}",
        **({"scaleanchor": f"x{place}", "constrain": "domain"} if panel.square else {}),
        **_axis_look(panel),
    }


def _axis_look(panel: Panel) -> dict[str, Any]:
    """What both axes share."""
    return {
        "zeroline": panel.zero_lines,
        "showgrid": panel.heatmap is None and not panel.zero_lines,
        "showline": True,
        "mirror": True,
        "ticks": "outside",
        "exponentformat": "none",
        "separatethousands": True,
    }


def _title(panel: Panel, domain: tuple[float, float]) -> dict[str, Any]:
    """The title above a panel, its first line bold."""
    first, *rest = (label(line) for line in panel.title)
    return {
        "text": "<br>".join([f"<b>{first}</b>", *rest]),
        "x": domain[0],
        "xanchor": "left",
        "xref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "yref": "paper",
        "yshift": 8,
        "align": "left",
        "showarrow": False,
        "font": {"size": 13},
    }


def _traces(panel: Panel, domain: tuple[float, float]) -> list[dict[str, Any]]:
    """The traces of a panel; over a stamp, lines and marks have a light casing, so that they show on any colour."""
    traces = _heatmap(panel.heatmap, domain) if panel.heatmap is not None else []
    cased = panel.heatmap is not None
    traces += [_band_key(band) for band in panel.bands]
    drawn = [_line(line) for line in panel.lines] + [_points(points) for points in panel.points]
    for trace in drawn:
        traces += [_casing(trace), trace] if cased else [trace]
    return traces


def _heatmap(heatmap: Heatmap, domain: tuple[float, float]) -> list[dict[str, Any]]:
    """The image with its true values, and its colour bar."""
    scale = heatmap.scale
    image: dict[str, Any] = {
        "type": "heatmap",
        "z": heatmap.image,
        "zmin": scale.minimum,
        "zmax": scale.maximum,
        "hovertemplate": f"row %{{y}}, column %{{x}}: %{{z:.5~g}} {literal(heatmap.label)}<extra></extra>",
    }
    bar = {"x": domain[1], "xpad": 8, "thickness": 12, "title": {"text": label(heatmap.label), "side": "right"}}
    if heatmap.cmap is not None:
        return [image | {"colorscale": heatmap.cmap, "colorbar": bar}]
    # The stretch of the colours stands in the places of the anchors; the bar of such a scale would be all one colour, so
    # the bar belongs to an empty trace whose colours are spread evenly and whose ticks tell the true values.
    ticks = scale.ticks(8)
    even = [[k / (len(scale.anchors) - 1), colour] for k, colour in enumerate(scale.anchors)]
    places = [float(place) for place in scale.fraction(np.array(ticks))]
    marker = {
        "color": [0],
        "cmin": 0,
        "cmax": 1,
        "colorscale": even,
        "showscale": True,
        "colorbar": bar | {"tickvals": places, "ticktext": tick_labels(ticks)},
    }
    key = {"type": "scatter", "x": [None], "y": [None], "mode": "markers", "marker": marker}
    quiet = {"showlegend": False, "hoverinfo": "skip"}
    return [image | {"colorscale": scale.plotly(), "showscale": False}, key | quiet]


def _line(line: Line) -> dict[str, Any]:
    name = label(line.name)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "legendgroup": name,
        "x": line.x,
        "y": line.y,
        "line": {"color": line.colour, "width": 2, "dash": "dot" if line.dashed else "solid"},
        "hoverinfo": "name",
    }


def _points(points: Points) -> dict[str, Any]:
    name = label(points.name)
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "legendgroup": name,
        "x": points.x,
        "y": points.y,
        "marker": {
            "symbol": SYMBOLS[points.symbol],
            "size": points.sizes,
            "color": points.colour,
            "line": {"width": 2, "color": points.colour},
        },
    }
    if points.hover:
        trace |= {"hovertext": [label(text) for text in points.hover], "hoverinfo": "text"}
    if points.errors:
        trace["error_y"] = {"array": points.errors, "width": 0, "thickness": 1.4, "color": points.colour}
    return trace


def _casing(trace: dict[str, Any]) -> dict[str, Any]:
    """The same trace, white and wider, without a place in the legend of its own."""
    casing = {**trace, "showlegend": False, "hoverinfo": "skip"}
    if trace["mode"] == "lines":
        return casing | {"line": {"color": CASING, "width": 2 + CASING_WIDTH}}
    line = {"width": 2 + CASING_WIDTH, "color": CASING}
    return casing | {"marker": {**trace["marker"], "color": CASING, "line": line}}


def _band_key(band: Band) -> dict[str, Any]:
    """The legend's entry of a band."""
    marker = {"symbol": "square", "size": 12, "color": band.colour, "opacity": 0.3}
    return {"type": "scatter", "mode": "markers", "name": label(band.name), "x": [None], "y": [None], "marker": marker}


def _bad_colour_map(panel: Panel, error: ValueError) -> Exception:
    """What is wrong when Plotly refuses a trace: only a colour map comes from the caller."""
    if panel.heatmap is None or panel.heatmap.cmap is None:
        return error
    return PlotError(f"{panel.heatmap.cmap!r} is no colour map of Plotly.", hint="Try 'RdBu_r' or 'viridis'.")
