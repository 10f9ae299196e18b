"""What the figures of a page share: see `picture_parts` for the pictures and `islands` for their interactive versions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain

from btv_report.dossier.results import Figures
from btv_report.render.islands import share_islands
from btv_report.render.picture_parts import share_parts


@dataclass(frozen=True)
class SharedParts:
    """Parts that stand once on a page: markup for the `<defs>` of its pictures, and JSON for its interactive figures."""

    pictures: str = ""
    values: str = "[]"


def share_figures(figures: Figures) -> tuple[SharedParts, Figures]:
    """The figures of a page with what they share taken out; they belong into one page together with those parts."""
    flat = list(chain.from_iterable(figures.values()))
    parts, pictures = share_parts([figure.picture for figure in flat])
    values, islands = share_islands([figure.plotly_json for figure in flat])
    short = iter(
        replace(figure, picture=picture, plotly_json=island)
        for figure, picture, island in zip(flat, pictures, islands, strict=True)
    )
    return SharedParts(parts, values), {key: tuple(next(short) for _ in found) for key, found in figures.items()}
