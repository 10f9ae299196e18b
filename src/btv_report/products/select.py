"""Which product of a sector feeds the dossier, and why each of the others does not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from btv_report.products.model import ProductFile, ProductState
from btv_report.products.preference import (
    GROUP,
    Described,
    best_by_slot,
    pipeline_order,
    why_not_asked,
)


def select_products(
    products: Iterable[ProductFile],
    *,
    sectors: Sequence[int] = (),
    pipelines: Sequence[str] = (),
    exptime_s: float | None = None,
) -> tuple[ProductFile, ...]:
    """
    Choose one light curve and one pixel file per sector among sound products, by the rule of `preference`.

    The same products are chosen whatever the order in which they were found.

    Parameters
    ----------
    products : inspected files of one target
    sectors : the only sectors wanted; all when empty
    pipelines : the only pipelines wanted, best first; all in the default order when empty
    exptime_s : the only exposure time wanted, +- 1 s

    Returns
    -------
    tuple of ProductFile
        All products, ordered by sector, kind and file name, with `used` set and, where they are not used, a `reason`.

    Raises
    ------
    UsageError
        If a pipeline is unknown.
    """
    order = pipeline_order(pipelines)
    listed = sorted(products, key=lambda product: (product.path.name, str(product.path)))
    first_path: dict[str, str] = {}
    decided: list[ProductFile] = []
    open_ones: list[tuple[ProductFile, Described]] = []
    for product in listed:
        reason = _why_unusable(product, first_path)
        what = describe(product)
        if reason is None:
            reason = why_not_asked(what, sectors, order, exptime_s)
        if reason is None:
            open_ones.append((product, what))
        else:
            decided.append(replace(product, used=False, reason=reason))
        first_path.setdefault(product.sha256, product.path.name)
    for product, second in best_by_slot(open_ones, order):
        decided.append(replace(product, used=not second, reason=second or product.reason))
    return tuple(sorted(decided, key=_listing_key))


def describe(product: ProductFile) -> Described:
    """What the header of a file says of it; a file without a readable header is of no kind."""
    header = product.header
    if header is None:
        return Described(None, None, "unknown", None, product.path.name, product.sha256)
    return Described(
        kind=header.kind,
        sector=header.sector,
        pipeline=header.pipeline,
        exptime_s=header.exptime_s,
        name=product.path.name,
        key=product.sha256,
        date=header.date,
        simulated=header.simulated,
    )


def _why_unusable(product: ProductFile, first_path: dict[str, str]) -> str | None:
    """Why a file is out of the question, whatever was asked; None when it may be chosen."""
    twin = first_path.get(product.sha256)
    if twin is not None:
        same_name = " (the same name in another folder)" if twin == product.path.name else ""
        return f"the same bytes as {twin}{same_name}: one product, found twice"
    if product.state is not ProductState.OK or product.header is None:
        return product.reason
    return None


def _listing_key(product: ProductFile) -> tuple[int, str, bool, str, str]:
    header = product.header
    sector = header.sector if header is not None and header.sector is not None else 10**6
    group = GROUP.get(header.kind, "") if header is not None and header.kind is not None else ""
    return sector, group, not product.used, product.path.name, str(product.path)
