"""
The pictures of the four pixel checks, from a check result.

Each function takes the `CheckResult` of one sector (or the check as a run record or `check --json` holds it), draws the stamps
that the result stores, and falls back on the median of the pixels, `tpf_data`, where it stores none (V10 is a curve, and
takes none). Without `ax` it returns a Plotly figure; with matplotlib axes it draws on them and returns them.

Rows and columns are 0-based in the stamp, pixel centres at integers, row 0 at the bottom. What the stamps cannot show needs
the pixel file again: animations of the centroid cadence by cadence, light curves of single pixels, other apertures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from btv_report.checks.registry import CHECKS
from btv_report.checks.result import CheckResult
from btv_report.dossier.figures import stamp_scene as words
from btv_report.dossier.figures.centroid import DISTANCES
from btv_report.dossier.figures.colours import diverging, sequential_asinh
from btv_report.dossier.figures.pixels import FloatImage
from btv_report.dossier.figures.svg import ACCENT_COLOUR, INK_COLOUR
from btv_report.dossier.figures.text import fixed
from btv_report.errors import PlotError
from btv_report.plotting.growth import curve_panel, growth_curves
from btv_report.plotting.overlays import ellipses, mark, neighbour_marks, outline, polygon
from btv_report.plotting.panel import Heatmap, Line, Panel, Points
from btv_report.plotting.stored import image_to_draw, place_of, place_words, result_of, stored_mask, why_not_run
from btv_report.record import CheckValue

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from plotly.graph_objects import Figure

COLUMN, ROW = "column (px)", "row (px)"
FLUX = "flux (e⁻/s)"
DIFFERENCE = "control minus in transit (e⁻/s)"
MEDIAN = "median flux (unit of tpf_data)"
MEDIAN_NOTE = "median of tpf_data; the stamps were not stored"
SINGLE_TRANSITS, MEAN_SHIFT, SHIFT_ERRORS = "single transits", "mean shift", "errors of the mean, 1σ and 3σ"
MILLI = 1e3  # shifts are drawn in thousandths of a pixel, as the sentence of V08 says them


def plot_centroid_shift(
    result: CheckResult | CheckValue, *, tpf_data: ArrayLike | None = None, ax: Axes | None = None
) -> Figure | Axes:
    """
    Draw V08: the control and the in-transit centroid on the control image, and the shifts in a plane of their own.

    Shifts are control minus in transit, so they point from the centre of light towards the source of the signal. The plane
    (a second panel; on matplotlib axes an inset) holds each transit, the mean, and the ellipses that hold 68.27 % and
    99.73 % of its probability.

    Parameters
    ----------
    result : of V08
    tpf_data : shape (n_cadence, n_row, n_column); its median is the reference image where the result stores none
    ax : matplotlib axes to draw on

    Returns
    -------
    plotly.graph_objects.Figure, or `ax`

    Raises
    ------
    PlotError
        (a ValueError) If the result is of another check, there is neither a stored stamp nor `tpf_data`, or `tpf_data` has
        other rows and columns than the stored stamps.
    """
    one = result_of(result, "V08", "plot_centroid_shift")
    image, stored = image_to_draw(one, "reference_image", tpf_data)
    details = one.details
    stamp = _stamp_panel(
        one,
        _reference(image, stored),
        notes=() if stored else (MEDIAN_NOTE,),
        lines=_in_transit_errors(details),
        points=_in_transit_points(details)
        + mark(words.CONTROL_CENTROID, details.get("control_centroid"))
        + mark(words.IN_TRANSIT_CENTROID, details.get("in_transit_centroid")),
    )
    plane = _shift_plane(details)
    if ax is None:
        return _plotly([stamp] if plane is None else [stamp, plane])
    return _axes(ax, stamp, plane, details.get("control_centroid"))


def plot_difference_image(
    result: CheckResult | CheckValue,
    *,
    tpf_data: ArrayLike | None = None,
    ax: Axes | None = None,
    cmap: str | None = None,
) -> Figure | Axes:
    """
    Draw V09: the difference image, the fitted source with its 99.73 % region, the catalogue position and the neighbours.

    Parameters
    ----------
    result : of V09
    tpf_data : shape (n_cadence, n_row, n_column); its median is drawn where the result stores no difference image, which
        cannot be made without the times
    ax : matplotlib axes to draw on
    cmap : name of a colour map that Plotly or matplotlib knows, such as `RdBu_r`; the dossier's own by default

    Returns
    -------
    plotly.graph_objects.Figure, or `ax`

    Raises
    ------
    PlotError
        (a ValueError) If the result is of another check, there is neither a stored stamp nor `tpf_data`, `tpf_data` has other
        rows and columns than the stored stamps, or nobody knows `cmap`.
    """
    one = result_of(result, "V09", "plot_difference_image")
    image, stored = image_to_draw(one, "difference_image", tpf_data)
    heatmap = Heatmap(image, diverging(image), DIFFERENCE, cmap) if stored else _reference(image, stored, cmap)
    details = one.details
    panel = _stamp_panel(
        one,
        heatmap,
        notes=() if stored else (MEDIAN_NOTE,),
        lines=outline(words.APERTURE, stored_mask(one, "aperture_mask", image.shape))
        + polygon(words.REGION, details.get("region_3sigma")),
        points=neighbour_marks(details.get("neighbours"), image.shape)
        + mark(words.TARGET, place_of(one, "target"))
        + mark(words.SOURCE, place_of(one, "source")),
    )
    return _plotly([panel]) if ax is None else _axes(ax, panel)


def plot_aperture_curve(result: CheckResult | CheckValue, *, ax: Axes | None = None) -> Figure | Axes:
    """
    Draw V10: depth against aperture radius, and what a signal on the target or on a neighbour would give.

    The curve is small and part of every result that has one: neither stamps nor pixels are needed.

    Raises
    ------
    PlotError
        (a ValueError) If the result is of another check, or measured no depth.
    """
    one = result_of(result, "V10", "plot_aperture_curve")
    curves = growth_curves(one)
    if curves is None:
        hint = "" if one.sector is not None else "Give the result of one sector."
        raise PlotError(f"The V10 result of {place_words(one)} holds no depths.{why_not_run(one)}", hint=hint)
    panel = curve_panel(one, curves, _title(one))
    return _plotly([panel]) if ax is None else _axes(ax, panel)


def plot_ghost(
    result: CheckResult | CheckValue, *, tpf_data: ArrayLike | None = None, ax: Axes | None = None
) -> Figure | Axes:
    """
    Draw V20: the outlines of core and halo over the difference image.

    Parameters
    ----------
    result : of V20
    tpf_data : shape (n_cadence, n_row, n_column); its median is drawn where the result stores no difference image
    ax : matplotlib axes to draw on

    Returns
    -------
    plotly.graph_objects.Figure, or `ax`

    Raises
    ------
    PlotError
        (a ValueError) If the result is of another check, there is neither a stored stamp nor `tpf_data`, or `tpf_data` has
        other rows and columns than the stored stamps.
    """
    one = result_of(result, "V20", "plot_ghost")
    image, stored = image_to_draw(one, "difference_image", tpf_data)
    core, halo = (stored_mask(one, f"{name}_mask", image.shape) for name in ("core", "halo"))
    core = core if core is not None else stored_mask(one, "aperture_mask", image.shape)
    # Core and halo share edges: around both together the halo's line has only its own, and the core's lies on top.
    whole = halo | core if halo is not None and core is not None else halo
    panel = _stamp_panel(
        one,
        Heatmap(image, diverging(image), DIFFERENCE) if stored else _reference(image, stored),
        notes=_ghost_numbers(one) + (() if stored else (MEDIAN_NOTE,)),
        lines=outline(words.HALO, whole) + outline(words.CORE, core),
    )
    return _plotly([panel]) if ax is None else _axes(ax, panel)


def _plotly(panels: Sequence[Panel]) -> Figure:
    from btv_report.plotting.plotly_surface import plotly_figure

    return plotly_figure(panels)


def _axes(ax: Axes, panel: Panel, inset: Panel | None = None, busy: Mapping[str, float] | None = None) -> Axes:
    """Draw on matplotlib axes, the inset in the corner that is farthest from what is to be seen."""
    from btv_report.plotting.matplotlib_surface import draw_on_axes

    if busy is None:
        return draw_on_axes(ax, panel, inset)
    right = float(busy["column"]) < sum(panel.x_range) / 2
    top = float(busy["row"]) < sum(panel.y_range) / 2
    return draw_on_axes(ax, panel, inset, corner=(int(right), int(top)))


def _title(result: CheckResult, *notes: str) -> tuple[str, ...]:
    """What is shown, of whom, and what it came to."""
    verdict = str(result.verdict).replace("_", " ")
    return f"{result.check_id} {CHECKS[result.check_id].title}", f"{place_words(result)}: {verdict}", *notes


def _reference(image: FloatImage, stored: bool, cmap: str | None = None) -> Heatmap:
    """A control image, stretched so that faint stars show."""
    return Heatmap(image, sequential_asinh(image), FLUX if stored else MEDIAN, cmap)


def _stamp_panel(
    result: CheckResult,
    heatmap: Heatmap,
    *,
    notes: tuple[str, ...] = (),
    lines: tuple[Line, ...] = (),
    points: tuple[Points, ...] = (),
) -> Panel:
    """A stamp and what lies over it."""
    return Panel(
        _title(result, *notes),
        COLUMN,
        ROW,
        heatmap.x_range,
        heatmap.y_range,
        heatmap=heatmap,
        lines=lines,
        points=points,
    )


def _in_transit_errors(details: Mapping[str, Any]) -> tuple[Line, ...]:
    """The errors of the in-transit centroid about the control one, at their true size."""
    place = details.get("in_transit_centroid")
    if place is None:
        return ()
    centre = (float(place["column"]), float(place["row"]))
    return ellipses(SHIFT_ERRORS, centre, details.get("covariance_px2"), DISTANCES, ACCENT_COLOUR)


def _in_transit_points(details: Mapping[str, Any]) -> tuple[Points, ...]:
    """The in-transit centroid of each transit: the control centroid minus its shift."""
    control, singles = details.get("control_centroid"), details.get("transit_points")
    if control is None or not singles:
        return ()
    x = tuple(float(control["column"]) - float(point["shift_column_px"]) for point in singles)
    y = tuple(float(control["row"]) - float(point["shift_row_px"]) for point in singles)
    return (_transits(x, y, singles, 3.0),)


def _transits(x: tuple[float, ...], y: tuple[float, ...], singles: Sequence[Mapping[str, Any]], size: float) -> Points:
    """One dot a transit."""
    hover = tuple(
        f"transit {point['number']}: shift {MILLI * point['shift_row_px']:.3g} millipixel in row, "
        f"{MILLI * point['shift_column_px']:.3g} in column"
        for point in singles
    )
    return Points(SINGLE_TRANSITS, x, y, INK_COLOUR, "dot", (size,) * len(x), hover)


def _shift_plane(details: Mapping[str, Any]) -> Panel | None:
    """Control minus in-transit centroid of each transit, the mean and its errors; None where no shift was measured."""
    if details.get("shift_row_px") is None or details.get("shift_column_px") is None:
        return None
    mean = (MILLI * float(details["shift_column_px"]), MILLI * float(details["shift_row_px"]))
    singles = details.get("transit_points") or []
    x = tuple(MILLI * float(point["shift_column_px"]) for point in singles)
    y = tuple(MILLI * float(point["shift_row_px"]) for point in singles)
    covariance = details.get("covariance_px2")
    scaled = None if covariance is None else (MILLI**2 * np.array(covariance)).tolist()
    errors = ellipses(SHIFT_ERRORS, mean, scaled, DISTANCES, ACCENT_COLOUR)
    values = [*mean, *x, *y, *(value for line in errors for value in (*line.x, *line.y)), 1e-3]
    reach = 1.15 * float(np.nanmax(np.abs(values)))
    return Panel(
        ("Control minus in transit (millipixel)", "points towards the source of the signal"),
        "shift in column (millipixel)",
        "shift in row (millipixel)",
        (-reach, reach),
        (-reach, reach),
        zero_lines=True,
        lines=errors,
        points=(
            _transits(x, y, singles, 7.0),
            Points(MEAN_SHIFT, mean[:1], mean[1:], ACCENT_COLOUR, "cross", (12.0,)),
        ),
    )


def _ghost_numbers(result: CheckResult) -> tuple[str, ...]:
    """Core and halo in numbers, as far as they were measured."""
    named = (("core", "core_correlation"), ("halo", "halo_correlation"), ("excess", "halo_excess_sigma"))
    parts = [f"{name} {fixed(result.metrics[key].value, 1)}σ" for name, key in named if key in result.metrics]
    return (", ".join(parts),) if parts else ()
