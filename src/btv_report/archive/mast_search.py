"""What MAST holds of a target: light curves, pixel files, DV reports, and sectors whose images show its position."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any

from btv_report.archive.mast_answers import no_form
from btv_report.archive.mast_rows import number, text, whole
from btv_report.archive.mast_session import MastConnection, NothingFound
from btv_report.archive.mast_types import ArchiveProduct, CutoutSector
from btv_report.fits.model import ProductKind

CUTOUT_SIZE_PX = 11
_DV_NAME = re.compile(r".*-s(\d{4})-s(\d{4})-(\d{16})-\d{5}_dvr\.xml", re.IGNORECASE | re.ASCII)
_PUBLIC = "PUBLIC"
_SEARCHES = {
    ProductKind.LIGHT_CURVE: "search_lightcurve",
    ProductKind.TARGET_PIXEL_FILE: "search_targetpixelfile",
}
_PIPELINES = {name.lower(): name for name in ("SPOC", "TESS-SPOC", "QLP", "TGLC", "TESScut")}


def search_products(
    mast: MastConnection, tic_id: int, *, kind: ProductKind | str, sector: int | None = None
) -> tuple[ArchiveProduct, ...]:
    """
    Search light curves or target pixel files of a target through lightkurve.

    Parameters
    ----------
    mast : the archive
    tic_id : rows of another target are left out: lightkurve searches by position when a number matches nothing
    kind : `light_curve` or `target_pixel_file`
    sector : the only sector wanted, None for all

    Returns
    -------
    tuple of ArchiveProduct
        Of every pipeline and exposure time, each address once; empty when the archive has none.

    Raises
    ------
    ArchiveUnreachableError
        If no usable answer came.
    """
    kind = ProductKind(kind)
    service = f"search for {kind.replace('_', ' ')}s"

    # lightkurve keeps every search for as long as the process lives; the function beneath asks each time.
    ask = inspect.unwrap(getattr(mast.lightkurve, _SEARCHES[kind]))

    def search() -> tuple[ArchiveProduct, ...]:
        table = ask(f"TIC {tic_id}", mission="TESS", sector=sector).table
        rows = _rows_of(tic_id, table)
        return _distinct(mast, service, rows, [_product(row, tic_id, kind) for row in rows])

    try:
        return mast.ask(service, search)
    except NothingFound:
        return ()


def search_dv_reports(mast: MastConnection, tic_id: int) -> tuple[ArchiveProduct, ...]:
    """
    SPOC's Data Validation reports of a target, as XML.

    Raises
    ------
    ArchiveUnreachableError
        If no usable answer came.
    """

    service = "search for DV reports"

    def search() -> tuple[ArchiveProduct, ...]:
        observations = mast.observations.query_criteria(
            target_name=str(tic_id), project=["TESS"], provenance_name=["SPOC"], dataproduct_type=["timeseries"]
        )
        rows = mast.observations.get_product_list(observations) if len(observations) else ()
        named = [(row, _DV_NAME.fullmatch(text(row, "productFilename") or "")) for row in rows]
        ours = [(row, match) for row, match in named if match is not None and int(match[3]) == tic_id]
        return _distinct(mast, service, ours, [_dv_report(row, match, tic_id) for row, match in ours])

    return mast.ask(service, search)


def cutout_sectors(mast: MastConnection, ra_deg: float, dec_deg: float) -> tuple[CutoutSector, ...]:
    """
    Sectors whose full-frame images hold a position, in order.

    Raises
    ------
    ArchiveUnreachableError
        If no usable answer came.
    """

    def search() -> dict[int, tuple[int, int]]:
        from astropy.coordinates import SkyCoord

        table = mast.tesscut.get_sectors(coordinates=SkyCoord(ra_deg, dec_deg, unit="deg"))
        seen = sorted((int(row["sector"]), int(row["camera"]), int(row["ccd"])) for row in table)
        # At the edge of a detector a sector can be listed twice: the first of them, whatever the order of the answer.
        return {sector: (camera, ccd) for sector, camera, ccd in reversed(seen)}

    found = mast.ask("sectors of full-frame images", search)
    return tuple(CutoutSector(sector, *found[sector]) for sector in sorted(found))


def cutout_request(
    base_url: str, ra_deg: float, dec_deg: float, sector: int, size_px: int = CUTOUT_SIZE_PX
) -> tuple[str, dict[str, str]]:
    """Address and parameters of a cut-out of the full-frame images."""
    params = {
        "ra": f"{ra_deg:.6f}",
        "dec": f"{dec_deg:.6f}",
        "y": str(size_px),
        "x": str(size_px),
        "units": "px",
        "sector": str(sector),
    }
    return f"{base_url}/tesscut/api/v0.1/astrocut", params


def _rows_of(tic_id: int, table: Any) -> list[Any]:
    """
    The rows of a target.

    Raises
    ------
    AttemptError
        If there are rows, and all are of other targets: then the question was not answered.
    """
    names = [(row, text(row, "target_name") or "") for row in (() if table is None else table)]
    ours = [row for row, name in names if name.isascii() and name.isdecimal() and int(name) == tic_id]
    if names and not ours:
        raise no_form(f"{len(names)} rows, and none is of TIC {tic_id}")
    return ours


def _product(row: Any, tic_id: int, kind: ProductKind) -> ArchiveProduct:
    author = text(row, "provenance_name") or "unknown"
    return ArchiveProduct(
        kind=str(kind),
        tic_id=tic_id,
        sector=whole(row, "sequence_number"),
        pipeline=_PIPELINES.get(author.lower(), author),
        exptime_s=number(row, "exptime"),
        file=text(row, "productFilename") or "",
        uri=text(row, "dataURI") or "",
        n_bytes=_size(row),
        obs_id=text(row, "obs_id") or "",
        obsid=text(row, "obsid"),
        data_rights=_rights(row),
        description=text(row, "description") or "",
        t_min_mjd=number(row, "t_min"),
    )


def _dv_report(row: Any, match: re.Match[str], tic_id: int) -> ArchiveProduct:
    first, last = int(match[1]), int(match[2])
    return ArchiveProduct(
        kind=str(ProductKind.DV_REPORT),
        tic_id=tic_id,
        sector=first if first == last else None,
        pipeline="SPOC",
        exptime_s=None,
        file=match[0],
        uri=text(row, "dataURI") or "",
        n_bytes=_size(row),
        obs_id=text(row, "obs_id") or "",
        obsid=text(row, "obsID"),
        data_rights=_rights(row),
        description=text(row, "description") or "",
    )


def _distinct(
    mast: MastConnection, service: str, rows: Sequence[Any], products: Iterable[ArchiveProduct]
) -> tuple[ArchiveProduct, ...]:
    """
    Each address once, in a stable order; rows that name no file are counted.

    Raises
    ------
    AttemptError
        If there are rows, and none names a file.
    """
    named = [product for product in products if product.uri and product.file]
    if rows and not named:
        raise no_form(f"none of {len(rows)} rows names a file")
    mast.unread_rows[service] += len(rows) - len(named)
    by_uri = {product.uri: product for product in named}
    return tuple(sorted(by_uri.values(), key=lambda item: (item.sector or 0, item.kind, item.file, item.uri)))


def _rights(row: Any) -> str | None:
    """Who may see a product, by its observation and by itself: the stricter counts."""
    stated = [words for name in ("dataRights", "dataRights_products") if (words := text(row, name))]
    return next((words for words in stated if words.upper() != _PUBLIC), stated[0] if stated else None)


def _size(row: Any) -> int | None:
    size = whole(row, "size")
    return size or None
