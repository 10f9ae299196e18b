"""Which of the products that an archive offers are fetched, and why each of the others is not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from btv_report.archive.mast_types import ArchiveProduct, cutout_place
from btv_report.fits.model import ProductKind
from btv_report.products.listing import Listing
from btv_report.products.preference import GROUP, Described, best_by_slot, pipeline_order, preference, why_not_asked
from btv_report.targets import SkyPosition

PUBLIC = {None, "", "PUBLIC"}
"""Values of `dataRights` of what anyone may have; TESS products are public, anything else is not fetched."""
_DETECTOR = re.compile(r"tess-s\d{4}-([1-4])-([1-4])", re.ASCII)


@dataclass(frozen=True)
class Choice:
    """An offered product: fetched when `wanted`, else not, for a reason (a phrase)."""

    product: ArchiveProduct
    wanted: bool
    reason: str = ""


def choose_products(
    offered: Iterable[ArchiveProduct],
    *,
    sectors: Sequence[int] = (),
    pipelines: Sequence[str] = (),
    exptime_s: float | None = None,
    at_hand: Sequence[Described] = (),
) -> tuple[Choice, ...]:
    """
    Choose one light curve and one pixel file per sector, by the rule of `products.preference`.

    Parameters
    ----------
    offered : light curves, pixel files and cut-outs of one target
    sectors, pipelines, exptime_s : what was asked for, as for `products.select.select_products`
    at_hand : sound products of the mirrors; nothing is fetched that is not preferred to what is at hand, by kind, pipeline or
        exposure time

    Returns
    -------
    tuple of Choice
        All offered products, by sector, kind and name.

    Raises
    ------
    UsageError
        If a pipeline is unknown.
    """
    order = pipeline_order(pipelines)
    served = _served(at_hand, sectors, order, exptime_s)
    decided: list[Choice] = []
    open_ones: list[tuple[ArchiveProduct, Described]] = []
    for product in offered:
        what = describe_offer(product)
        reason = _why_not_public(product) or why_not_asked(what, sectors, order, exptime_s, source="the archive")
        if reason is None and what.slot in served and not _is_better(what, served[what.slot], order):
            reason = f"{served[what.slot].name} of the mirror serves the sector"
        if reason is None:
            open_ones.append((product, what))
        else:
            decided.append(Choice(product, wanted=False, reason=reason))
    for product, second in best_by_slot(open_ones, order):
        decided.append(Choice(product, wanted=not second, reason=second))
    return tuple(sorted(decided, key=_listing_key))


def describe_offer(product: ArchiveProduct) -> Described:
    """What the archive says of a product."""
    kind = ProductKind(product.kind)
    return Described(kind, product.sector, product.pipeline, product.exptime_s, product.file, product.uri)


def listing_of(product: ArchiveProduct) -> Listing:
    """What the header of a product must not contradict; of a cut-out detector and position are known, and no exposure time."""
    kind = ProductKind(product.kind)
    if kind is not ProductKind.CUTOUT:
        return Listing(kind, product.sector, product.pipeline, product.exptime_s)
    detector = _DETECTOR.fullmatch(product.obs_id)
    camera, ccd = (int(detector[1]), int(detector[2])) if detector else (None, None)
    ra_deg, dec_deg, _ = cutout_place(product)
    return Listing(kind, product.sector, product.pipeline, None, camera, ccd, SkyPosition(ra_deg, dec_deg))


def sectors_without_pixels(
    offered: Iterable[ArchiveProduct], at_hand: Iterable[Described], observed: Iterable[int]
) -> tuple[int, ...]:
    """Observed sectors of which neither archive nor mirror has a target pixel file: cut-outs of the images serve those."""
    have = {product.sector for product in offered if product.kind == ProductKind.TARGET_PIXEL_FILE}
    have |= {what.sector for what in at_hand if what.kind in {ProductKind.TARGET_PIXEL_FILE, ProductKind.CUTOUT}}
    return tuple(sorted(set(observed) - have))


def _served(
    at_hand: Sequence[Described], sectors: Sequence[int], order: Sequence[str], exptime_s: float | None
) -> dict[tuple[int, str], Described]:
    """The slots that a product at hand serves, by the best that does; simulated ones serve no sector of a real star."""
    usable = [what for what in at_hand if why_not_asked(what, sectors, order, exptime_s) is None and not what.simulated]
    return {what.slot: what for what in sorted(usable, key=lambda item: preference(item, order), reverse=True)}


def _is_better(offer: Described, mine: Described, order: Sequence[str]) -> bool:
    """Whether an offer is of a preferred kind, pipeline or exposure time; dates and names are no reason to fetch."""
    return preference(offer, order)[:4] < preference(mine, order)[:4]


def _why_not_public(product: ArchiveProduct) -> str | None:
    if product.data_rights in PUBLIC:
        return None
    return f"the archive says that it is not public (dataRights {product.data_rights})"


def _listing_key(choice: Choice) -> tuple[int, str, bool, str]:
    product = choice.product
    group = GROUP.get(ProductKind(product.kind), "")
    return product.sector if product.sector is not None else 10**6, group, not choice.wanted, product.file
