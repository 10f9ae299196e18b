"""
Which of several products of a sector is preferred, and the words for why the others are not.

The same rule decides among files at hand (`products.select`) and among products an archive offers (`archive.product_choice`):
real before simulated, target pixel file before cut-out, then pipelines in order of preference, then the exposure time
nearest 120 s, then the newest date, then the name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from btv_report.errors import UsageError
from btv_report.fits.headers import PIPELINES
from btv_report.fits.model import ProductKind

PREFERRED_EXPTIME_S = 120.0
EXPTIME_TOLERANCE_S = 1.0
_PIXEL_RANK = {ProductKind.TARGET_PIXEL_FILE: 0, ProductKind.CUTOUT: 1}
GROUP = {
    ProductKind.LIGHT_CURVE: "light curve",
    ProductKind.TARGET_PIXEL_FILE: "pixel file",
    ProductKind.CUTOUT: "pixel file",
}
"""What one of is used per sector."""

T = TypeVar("T")
Preference = tuple[bool, int, int, float, tuple[int, ...], str, str]


@dataclass(frozen=True)
class Described:
    """
    What is known of a product, by its header or by the archive's words.

    Attributes
    ----------
    kind, sector, pipeline, exptime_s : None where unknown
    name : file name
    key : breaks the last tie; the same for the same product
    date : when it was written, ISO; None when unknown
    simulated : whether it is no observation
    where : where it lies, when that is not where the reader is, such as ` in the mirror`; empty otherwise
    """

    kind: ProductKind | None
    sector: int | None
    pipeline: str
    exptime_s: float | None
    name: str
    key: str = ""
    date: str | None = None
    simulated: bool = False
    where: str = ""

    @property
    def slot(self) -> tuple[int, str]:
        """Sector and group: what it competes for."""
        return self.sector or 0, GROUP[self.kind or ProductKind.LIGHT_CURVE]


def pipeline_order(pipelines: Sequence[str]) -> tuple[str, ...]:
    """
    Pipelines as spelled here, in order of preference; the default order when none is named.

    Raises
    ------
    UsageError
        If a name is unknown.
    """
    known = {name.lower(): name for name in PIPELINES}
    for name in pipelines:
        if name.lower() not in known:
            raise UsageError(f"{name!r} is not a pipeline.", hint=f"Known pipelines: {', '.join(PIPELINES)}.")
    return tuple(dict.fromkeys(known[name.lower()] for name in pipelines)) or PIPELINES


def why_not_asked(
    product: Described,
    sectors: Sequence[int],
    order: Sequence[str],
    exptime_s: float | None,
    *,
    source: str = "its header",
) -> str | None:
    """Why a product is not what was asked for; None when it is. `source` is who describes it."""
    exposure = (
        "no exposure time is stated" if product.exptime_s is None else f"its exposure time is {product.exptime_s:g} s"
    )
    reasons = (
        (product.kind not in GROUP, "neither a light curve nor a pixel file"),
        (product.sector is None, f"{source} states no sector"),
        (bool(sectors) and product.sector not in sectors, f"sector {product.sector} was not asked for"),
        (product.pipeline not in order, f"pipeline {product.pipeline} was not asked for"),
        (
            exptime_s is not None and not _has_exptime(product, exptime_s),
            f"{exposure}; {exptime_s or 0:g} s was asked for",
        ),
    )
    return next((reason for holds, reason in reasons if holds), None)


def preference(product: Described, order: Sequence[str]) -> Preference:
    """Sorts products, best first."""
    kind_rank = _PIXEL_RANK.get(product.kind, 0) if product.kind is not None else 0
    distance_s = abs(product.exptime_s - PREFERRED_EXPTIME_S) if product.exptime_s is not None else float("inf")
    newest_first = (0 if product.date else 1, *(-ord(letter) for letter in product.date or ""))
    return (
        product.simulated,
        kind_rank,
        order.index(product.pipeline),
        distance_s,
        newest_first,
        product.name,
        product.key,
    )


def best_by_slot(candidates: Iterable[tuple[T, Described]], order: Sequence[str]) -> list[tuple[T, str]]:
    """Candidates, best first, each with why another of its sector and group is used in its stead; empty for those used."""
    best: dict[tuple[int, str], Described] = {}
    judged: list[tuple[T, str]] = []
    for candidate, what in sorted(candidates, key=lambda item: preference(item[1], order)):
        first = best.setdefault(what.slot, what)
        judged.append((candidate, "" if first is what else why_second(what, first)))
    return judged


def why_second(mine: Described, best: Described) -> str:
    """Why `best` is used and not this one."""
    name = f"{best.name}{best.where}"
    if mine.simulated != best.simulated:
        return f"simulated; {name} is real"
    if mine.kind is not best.kind:
        return f"a cut-out; {name} is the target pixel file of the sector"
    if mine.pipeline != best.pipeline:
        return f"{best.pipeline} is preferred to {mine.pipeline}; {name} is used"
    if mine.exptime_s != best.exptime_s:
        return f"{_seconds(best)} is nearer to {PREFERRED_EXPTIME_S:g} s than {_seconds(mine)}; {name} is used"
    if (mine.date or "") != (best.date or ""):
        return f"written {mine.date or 'at an unstated date'}; {name} is newer ({best.date})"
    return f"a second product of the same sector, pipeline, exposure time and date as {name}, which is used"


def _has_exptime(product: Described, exptime_s: float) -> bool:
    return product.exptime_s is not None and abs(product.exptime_s - exptime_s) <= EXPTIME_TOLERANCE_S


def _seconds(product: Described) -> str:
    return "an unstated exposure time" if product.exptime_s is None else f"{product.exptime_s:g} s"
