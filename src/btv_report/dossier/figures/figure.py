"""The figure as a value: what a template needs to place it, and nothing of the template."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FigureTable:
    """Key values of a figure: `columns` are headings with units, `rows` are texts already rounded to their errors."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Figure:
    """
    One figure of a page.

    Attributes
    ----------
    figure_id : slug, unique on the page and stable between releases, such as `v09-s83-difference`
    title : a short heading
    caption : the finding in words, with sector, pipeline and exposure time where they apply
    alt : text alternative of the picture, one sentence
    picture : an SVG document fragment (`<svg ...>`; a stamp embeds a PNG as data URI); our own markup, safe to place.
        Colours come from CSS custom properties through classes, so that one picture serves light and dark
    width, height : intrinsic size of the picture, CSS pixels, so that nothing shifts
    plotly_json : JSON text of {"data": [...], "layout": {...}} with `<` escaped, template None, SVG traces only
    table : FigureTable
    csv : all values as CSV text (header line with units)
    """

    figure_id: str
    title: str
    caption: str
    alt: str
    picture: str
    width: int
    height: int
    plotly_json: str
    table: FigureTable
    csv: str
