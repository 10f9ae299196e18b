"""Which product of a sector feeds the dossier, and why each of the others does not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from btv_report.errors import UsageError
from btv_report.products.headers import PIPELINES
from btv_report.products.model import ProductFile, ProductHeader, ProductKind, ProductState

PREFERRED_EXPTIME_S = 120.0
EXPTIME_TOLERANCE_S = 1.0
_PIXEL_RANK = {ProductKind.TARGET_PIXEL_FILE: 0, ProductKind.CUTOUT: 1}
_GROUP = {
    ProductKind.LIGHT_CURVE: "light curve",
    ProductKind.TARGET_PIXEL_FILE: "pixel file",
    ProductKind.CUTOUT: "pixel file",
}


def select_products(
    products: Iterable[ProductFile],
    *,
    sectors: Sequence[int] = (),
    pipelines: Sequence[str] = (),
    exptime_s: float | None = None,
) -> tuple[ProductFile, ...]:
    """
    Choose one light curve and one pixel file per sector.

    Among sound products: real before simulated, target pixel file before cut-out, then pipelines in order of preference,
    then the exposure time nearest 120 s, then the newest DATE, then the file name: the same products are chosen whatever
    the order in which they were found.

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
    chosen: dict[tuple[int, str], ProductFile] = {}
    decided: list[ProductFile] = []
    open_ones: list[ProductFile] = []
    for product in listed:
        reason = _why_not(product, first_path, sectors, order, exptime_s)
        if reason is None:
            open_ones.append(product)
        else:
            decided.append(replace(product, used=False, reason=reason))
        first_path.setdefault(product.sha256, product.path.name)
    for product in sorted(open_ones, key=lambda item: _preference(item, order)):
        best = chosen.setdefault(_slot(product), product)
        if best is product:
            decided.append(replace(product, used=True))
        else:
            decided.append(replace(product, used=False, reason=_why_second(product, best, order)))
    return tuple(sorted(decided, key=_listing_key))


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


def _why_not(
    product: ProductFile,
    first_path: dict[str, str],
    sectors: Sequence[int],
    order: Sequence[str],
    exptime_s: float | None,
) -> str | None:
    """Why a product is out of the question; None when it may be chosen."""
    twin = first_path.get(product.sha256)
    if twin is not None:
        same_name = " (the same name in another folder)" if twin == product.path.name else ""
        return f"the same bytes as {twin}{same_name}: one product, found twice"
    if product.state is not ProductState.OK or product.header is None:
        return product.reason
    header = product.header
    exposure = (
        "no exposure time is stated" if header.exptime_s is None else f"its exposure time is {header.exptime_s:g} s"
    )
    reasons = (
        (header.kind not in _GROUP, "neither a light curve nor a pixel file"),
        (header.sector is None, "its header states no sector"),
        (bool(sectors) and header.sector not in sectors, f"sector {header.sector} was not asked for"),
        (header.pipeline not in order, f"pipeline {header.pipeline} was not asked for"),
        (
            exptime_s is not None and not _has_exptime(header, exptime_s),
            f"{exposure}; {exptime_s or 0:g} s was asked for",
        ),
    )
    return next((reason for holds, reason in reasons if holds), None)


def _has_exptime(header: ProductHeader, exptime_s: float) -> bool:
    return header.exptime_s is not None and abs(header.exptime_s - exptime_s) <= EXPTIME_TOLERANCE_S


def _slot(product: ProductFile) -> tuple[int, str]:
    header = _header(product)
    return header.sector or 0, _GROUP[header.kind or ProductKind.LIGHT_CURVE]


def _preference(product: ProductFile, order: Sequence[str]) -> tuple[bool, int, int, float, tuple[int, ...], str, str]:
    header = _header(product)
    kind_rank = _PIXEL_RANK.get(header.kind, 0) if header.kind is not None else 0
    distance_s = abs(header.exptime_s - PREFERRED_EXPTIME_S) if header.exptime_s is not None else float("inf")
    newest_first = (0 if header.date else 1, *(-ord(letter) for letter in header.date or ""))
    return (
        header.simulated,
        kind_rank,
        order.index(header.pipeline),
        distance_s,
        newest_first,
        product.path.name,
        product.sha256,
    )


def _why_second(product: ProductFile, best: ProductFile, order: Sequence[str]) -> str:
    mine, other = _header(product), _header(best)
    name = best.path.name
    if mine.simulated != other.simulated:
        return f"simulated; {name} is real"
    if mine.kind is not other.kind:
        return f"a cut-out; {name} is the target pixel file of the sector"
    if mine.pipeline != other.pipeline:
        return f"{other.pipeline} is preferred to {mine.pipeline}; {name} is used"
    if mine.exptime_s != other.exptime_s:
        return f"{_seconds(other)} is nearer to {PREFERRED_EXPTIME_S:g} s than {_seconds(mine)}; {name} is used"
    if (mine.date or "") != (other.date or ""):
        return f"written {mine.date or 'at an unstated date'}; {name} is newer ({other.date})"
    return f"a second product of the same sector, pipeline, exposure time and date as {name}, which is used"


def _seconds(header: ProductHeader) -> str:
    return "an unstated exposure time" if header.exptime_s is None else f"{header.exptime_s:g} s"


def _listing_key(product: ProductFile) -> tuple[int, str, bool, str, str]:
    header = product.header
    sector = header.sector if header is not None and header.sector is not None else 10**6
    group = _GROUP.get(header.kind, "") if header is not None and header.kind is not None else ""
    return sector, group, not product.used, product.path.name, str(product.path)


def _header(product: ProductFile) -> ProductHeader:
    if product.header is None:
        raise ValueError(f"{product.path.name} has no header")
    return product.header
