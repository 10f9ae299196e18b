"""Panels on matplotlib axes that the caller made; matplotlib is imported only then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from btv_report.dossier.figures.text import plain_text
from btv_report.dossier.figures.ticks import tick_labels
from btv_report.errors import PlotError
from btv_report.plotting.panel import Heatmap, Line, Panel, Points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SYMBOLS = {"cross": "+", "x": "x", "circle": "o", "diamond": "D", "dot": "o"}
CASING_WIDTH = 3.0
INSET_SIDE = 0.34  # of the axes


def draw_on_axes(ax: Axes, panel: Panel, inset: Panel | None = None, *, corner: tuple[float, float] = (1, 1)) -> Axes:
    """
    Draw a panel on axes, and a second one small in a corner of them.

    Parameters
    ----------
    ax : what the caller gave; its figure gets a colour bar beside it
    panel, inset : what to draw
    corner : of the inset: (0 left or 1 right, 0 bottom or 1 top)

    Returns
    -------
    matplotlib.axes.Axes
        The axes that were given.
    """
    _draw(ax, panel)
    handles, names = ax.get_legend_handles_labels()
    if inset is not None:
        small = ax.inset_axes(_corner_box(corner))
        _draw(small, inset, small=True)
        more = dict(zip(*small.get_legend_handles_labels()[::-1], strict=True))
        handles += [handle for name, handle in more.items() if name not in names]
        names += [name for name in more if name not in names]
    if handles:
        legend = ax.legend(
            handles, names, loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2, fontsize="small", frameon=False
        )
        for text in legend.get_texts():
            text.set_parse_math(False)
    return ax


def _corner_box(corner: tuple[float, float]) -> tuple[float, float, float, float]:
    """Left, bottom, width, height of the inset in units of the axes, with room for its numbers."""
    left = 0.15 if corner[0] == 0 else 1 - INSET_SIDE - 0.02
    bottom = 0.11 if corner[1] == 0 else 1 - INSET_SIDE - 0.07
    return left, bottom, INSET_SIDE, INSET_SIDE


def _draw(ax: Axes, panel: Panel, *, small: bool = False) -> None:
    """Everything of a panel, row 0 at the bottom."""
    if panel.heatmap is not None:
        _draw_heatmap(ax, panel.heatmap)
    cased = panel.heatmap is not None
    for band in panel.bands:
        ax.axhspan(band.low, band.high, color=band.colour, alpha=0.16, linewidth=0, label=_literal(band.name))
    if panel.zero_lines:
        ax.axhline(0, color="0.6", linewidth=0.8, zorder=0.5)
        ax.axvline(0, color="0.6", linewidth=0.8, zorder=0.5)
    for line in panel.lines:
        _draw_line(ax, line, cased=cased)
    for points in panel.points:
        _draw_points(ax, points, cased=cased, scale=0.7 if small else 1.0)
    ax.set_xlim(panel.x_range)
    ax.set_ylim(panel.y_range)
    if panel.square:
        ax.set_aspect("equal")
    if small:
        ax.set_title(plain_text(panel.title[0]), fontsize="x-small", parse_math=False, pad=2)
        ax.tick_params(labelsize="xx-small", length=2, pad=1)
        ax.locator_params(nbins=4)
        ax.set_facecolor((1, 1, 1, 0.95))
        for text in (*ax.get_xticklabels(), *ax.get_yticklabels(), ax.title):
            text.set_path_effects(_casing(2.0))
        return
    ax.set_title("\n".join(plain_text(line) for line in panel.title), fontsize="medium", loc="left", parse_math=False)
    ax.set_xlabel(panel.x_title)
    ax.set_ylabel(panel.y_title)


def _draw_heatmap(ax: Axes, heatmap: Heatmap) -> None:
    """The image and its colour bar."""
    from matplotlib.colors import FuncNorm, LinearSegmentedColormap, Normalize

    scale = heatmap.scale
    ticks = None
    colours: Any = heatmap.cmap
    if heatmap.cmap is None:
        colours = LinearSegmentedColormap.from_list("btv_report", scale.anchors)
        ticks = scale.ticks(8)
    norm = (
        FuncNorm((scale.fraction, np.vectorize(scale.value, otypes=[float])), vmin=scale.minimum, vmax=scale.maximum)
        if heatmap.cmap is None and scale.asinh
        else Normalize(scale.minimum, scale.maximum)
    )
    try:
        image = ax.imshow(heatmap.image, origin="lower", interpolation="nearest", cmap=colours, norm=norm)
    except ValueError as error:
        hint = "Try 'RdBu_r' or 'viridis'."
        raise PlotError(f"{heatmap.cmap!r} is no colour map of matplotlib.", hint=hint) from error
    bar = ax.figure.colorbar(image, ax=ax, label=heatmap.label, fraction=0.046, pad=0.03)
    if ticks is not None:
        bar.set_ticks(ticks, labels=tick_labels(ticks))


def _draw_line(ax: Axes, line: Line, *, cased: bool) -> None:
    """A line, with a light casing over a stamp."""
    style = ":" if line.dashed else "-"
    effects = _casing(1.6) if cased else None
    ax.plot(line.x, line.y, style, color=line.colour, linewidth=1.6, label=_literal(line.name), path_effects=effects)


def _draw_points(ax: Axes, points: Points, *, cased: bool, scale: float) -> None:
    """Marks, open except dots; areas are squares of diameters."""
    if points.errors:
        ax.errorbar(
            points.x,
            points.y,
            yerr=points.errors,
            fmt="o",
            color=points.colour,
            markersize=points.sizes[0],
            label=_literal(points.name),
        )
        return
    thin = points.symbol in {"cross", "x"}
    look: dict[str, Any] = {"color": points.colour} if thin else {"edgecolors": points.colour, "facecolors": "none"}
    if points.symbol == "dot":
        look["facecolors"] = points.colour
    ax.scatter(
        points.x,
        points.y,
        s=[(size * scale) ** 2 * 0.7 for size in points.sizes],
        marker=SYMBOLS[points.symbol],
        linewidths=1.6 * scale,
        label=_literal(points.name),
        path_effects=_casing(1.6) if cased else None,
        zorder=3,
        **look,
    )


def _literal(name: str) -> str:
    """A name for the legend, which would leave out one that begins with an underscore."""
    text = plain_text(name)
    return f"\u200b{text}" if text.startswith("_") else text


def _casing(width: float) -> list[Any]:
    """A light stroke below a drawing of that width."""
    from matplotlib.patheffects import Normal, Stroke

    return [Stroke(linewidth=width + CASING_WIDTH, foreground="white", alpha=0.8), Normal()]
