"""What lies over a stamp, out of the details of a check: x are columns, y are rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from btv_report.dossier.figures import stamp_scene as words
from btv_report.dossier.figures.overlay import ellipse_points, outline_runs, star_radius
from btv_report.dossier.figures.pixels import BoolImage
from btv_report.dossier.figures.stamp_picture import DARK, HOT, HOT_KINDS
from btv_report.dossier.figures.text import fixed
from btv_report.plotting.panel import Line, Points

SYMBOLS = {
    words.TARGET: ("cross", 14.0),
    words.SOURCE: ("x", 10.0),
    words.CONTROL_CENTROID: ("circle", 9.0),
    words.IN_TRANSIT_CENTROID: ("diamond", 12.0),
}
NEIGHBOURS = "neighbours, by magnitude"


def colour_of(kind: str) -> str:
    """The colour of a kind of thing, as on the dossier's stamps."""
    return HOT if kind in HOT_KINDS else DARK


def outline(kind: str, mask: BoolImage | None) -> tuple[Line, ...]:
    """The outline of a mask; nothing without one."""
    if mask is None:
        return ()
    runs = outline_runs(mask)
    x = tuple(value for x1, _, x2, _ in runs for value in (x1, x2, math.nan))
    y = tuple(value for _, y1, _, y2 in runs for value in (y1, y2, math.nan))
    return (Line(kind, x, y, colour_of(kind)),)


def polygon(kind: str, points: Sequence[Sequence[float]] | None) -> tuple[Line, ...]:
    """A polygon of [row, column]; nothing without one."""
    if not points:
        return ()
    return (Line(kind, tuple(float(p[1]) for p in points), tuple(float(p[0]) for p in points), colour_of(kind)),)


def mark(kind: str, value: Mapping[str, Any] | None) -> tuple[Points, ...]:
    """A place such as `{"row": ..., "column": ...}`; nothing where a coordinate is unknown."""
    if value is None or value.get("row") is None or value.get("column") is None:
        return ()
    row, column = float(value["row"]), float(value["column"])
    symbol, size = SYMBOLS[kind]
    hover = (f"{kind}: row {fixed(row, 4)}, column {fixed(column, 4)}",)
    return (Points(kind, (column,), (row,), colour_of(kind), symbol, (size,), hover),)


def neighbour_marks(stars: Iterable[Mapping[str, Any]] | None, shape: tuple[int, ...]) -> tuple[Points, ...]:
    """The catalogued stars on the stamp except the target, as circles that grow with brightness."""
    on_stamp = [
        star
        for star in stars or ()
        if star.get("row") is not None
        and star.get("star_id") != "target"
        and words.on_stamp(star["row"], star["column"], shape)
    ]
    if not on_stamp:
        return ()
    return (
        Points(
            NEIGHBOURS,
            tuple(float(star["column"]) for star in on_stamp),
            tuple(float(star["row"]) for star in on_stamp),
            DARK,
            "circle",
            tuple(2 * star_radius(star.get("magnitude")) for star in on_stamp),
            tuple(_star_words(star) for star in on_stamp),
        ),
    )


def _star_words(star: Mapping[str, Any]) -> str:
    """`TIC 1, 12.3 mag, 41.2 arcsec away`, and the probability of being the host where it was weighed."""
    magnitude = star.get("magnitude")
    parts = [str(star["star_id"]), "magnitude unknown" if magnitude is None else f"{fixed(float(magnitude), 1)} mag"]
    if star.get("separation_arcsec") is not None:
        parts.append(f"{fixed(float(star['separation_arcsec']), 1)} arcsec away")
    if star.get("probability") is not None:
        parts.append(f"host with probability {fixed(float(star['probability']), 3)}")
    return ", ".join(parts)


def ellipses(
    name: str,
    centre: tuple[float, float],
    covariance: Sequence[Sequence[float]] | None,
    distances: Sequence[float],
    colour: str,
) -> tuple[Line, ...]:
    """
    Error ellipses about a place as one broken line; nothing without a covariance that has one.

    Parameters
    ----------
    centre : (column, row)
    covariance : [[var_row, cov], [cov, var_column]], px2
    distances : Mahalanobis distances
    """
    rings = [ellipse_points(centre, covariance, distance) for distance in distances] if covariance else []
    closed = [[*ring, ring[0], (math.nan, math.nan)] for ring in rings if ring]
    points = [point for ring in closed for point in ring]
    return (Line(name, tuple(x for x, _ in points), tuple(y for _, y in points), colour),) if points else ()
