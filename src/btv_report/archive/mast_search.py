"""What MAST holds of a target: light curves, pixel files, DV reports, and sectors whose images show its position."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from btv_report.archive.mast_rows import number, text
from btv_report.archive.mast_session import MastConnection, NothingFound, forget_searches
from btv_report.archive.mast_types import ArchiveProduct, CutoutSector
from btv_report.fits.model import ProductKind

_DV_NAME = re.compile(r".*-s(\d{4})-s(\d{4})-\d{16}-\d{5}_dvr\.xml", re.IGNORECASE)
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

    def search() -> Any:
        lightkurve = mast.lightkurve
        forget_searches(lightkurve)
        by_kind = {
            ProductKind.LIGHT_CURVE: lightkurve.search_lightcurve,
            ProductKind.TARGET_PIXEL_FILE: lightkurve.search_targetpixelfile,
        }
        return by_kind[kind](f"TIC {tic_id}", mission="TESS", sector=sector).table

    try:
        table = mast.ask(f"search for {kind.replace('_', ' ')}s", search)
    except NothingFound:
        return ()
    return _distinct(_product(row, tic_id, kind) for row in _rows(table) if _is_of(row, tic_id))


def search_dv_reports(mast: MastConnection, tic_id: int) -> tuple[ArchiveProduct, ...]:
    """
    SPOC's Data Validation reports of a target, as XML.

    Raises
    ------
    ArchiveUnreachableError
        If no usable answer came.
    """

    def search() -> Any:
        observations = mast.observations.query_criteria(
            target_name=str(tic_id), project=["TESS"], provenance_name=["SPOC"], dataproduct_type=["timeseries"]
        )
        return mast.observations.get_product_list(observations) if len(observations) else ()

    products = []
    for row in _rows(mast.ask("search for DV reports", search)):
        name = text(row, "productFilename") or ""
        match = _DV_NAME.fullmatch(name)
        if match is None or f"{tic_id:016d}" not in name:
            continue
        first, last = int(match[1]), int(match[2])
        products.append(
            ArchiveProduct(
                kind=str(ProductKind.DV_REPORT),
                tic_id=tic_id,
                sector=first if first == last else None,
                pipeline="SPOC",
                exptime_s=None,
                file=name,
                uri=text(row, "dataURI") or "",
                n_bytes=_size(row),
                obs_id=text(row, "obs_id") or "",
                obsid=text(row, "obsID"),
                data_rights=text(row, "dataRights"),
                description=text(row, "description") or "",
            )
        )
    return _distinct(products)


def cutout_sectors(mast: MastConnection, ra_deg: float, dec_deg: float) -> tuple[CutoutSector, ...]:
    """
    Sectors whose full-frame images hold a position, in order.

    Raises
    ------
    ArchiveUnreachableError
        If no usable answer came.
    """

    def search() -> Any:
        from astropy.coordinates import SkyCoord

        return mast.tesscut.get_sectors(coordinates=SkyCoord(ra_deg, dec_deg, unit="deg"))

    table = mast.ask("sectors of full-frame images", search)
    found = {int(row["sector"]): (int(row["camera"]), int(row["ccd"])) for row in table}
    return tuple(CutoutSector(sector, *found[sector]) for sector in sorted(found))


def cutout_request(
    base_url: str, ra_deg: float, dec_deg: float, sector: int, size_px: int
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


def _rows(table: Any) -> Iterable[Any]:
    return () if table is None else table


def _is_of(row: Any, tic_id: int) -> bool:
    """Whether a row's target is the one asked for, and it names a file."""
    name = text(row, "target_name") or ""
    return name.isascii() and name.isdecimal() and int(name) == tic_id and bool(text(row, "dataURI"))


def _product(row: Any, tic_id: int, kind: ProductKind) -> ArchiveProduct:
    author = text(row, "provenance_name") or "unknown"
    sector = number(row, "sequence_number")
    return ArchiveProduct(
        kind=str(kind),
        tic_id=tic_id,
        sector=int(sector) if sector is not None else None,
        pipeline=_PIPELINES.get(author.lower(), author),
        exptime_s=number(row, "exptime"),
        file=text(row, "productFilename") or "",
        uri=text(row, "dataURI") or "",
        n_bytes=_size(row),
        obs_id=text(row, "obs_id") or "",
        obsid=text(row, "obsid"),
        data_rights=text(row, "dataRights") or text(row, "dataRights_products"),
        description=text(row, "description") or "",
        t_min_mjd=number(row, "t_min"),
    )


def _distinct(products: Iterable[ArchiveProduct]) -> tuple[ArchiveProduct, ...]:
    """Each address once, in a stable order."""
    by_uri = {product.uri: product for product in products if product.uri and product.file}
    return tuple(sorted(by_uri.values(), key=lambda item: (item.sector or 0, item.kind, item.file, item.uri)))


def _size(row: Any) -> int | None:
    size = number(row, "size")
    return int(size) if size is not None and size > 0 else None
