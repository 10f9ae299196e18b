"""The TESS Input Catalog at MAST: a target's own row, and the stars around a position."""

from __future__ import annotations

import math
from typing import Any

from btv_report.archive.mast_rows import digits, number, text
from btv_report.archive.mast_session import MastConnection
from btv_report.archive.mast_types import TicStar
from btv_report.errors import TargetNotFoundError


def target_row(mast: MastConnection, tic_id: int) -> TicStar:
    """
    The row of a TIC number.

    Raises
    ------
    TargetNotFoundError
        If the TIC has no such number.
    ArchiveUnreachableError
        If no usable answer came.
    """
    table = mast.ask("TIC", lambda: mast.catalogs.query_criteria(catalog="TIC", ID=tic_id))
    for row in table:
        star = _star(row)
        if star is not None and star.tic_id == tic_id:
            return star
    raise TargetNotFoundError(f"The TESS Input Catalog has no TIC {tic_id}.", hint="Check the number.", tic_id=tic_id)


def stars_around(mast: MastConnection, ra_deg: float, dec_deg: float, radius_arcsec: float) -> tuple[TicStar, ...]:
    """
    The stars of the TIC within a radius, nearest first; a row without number or position is none.

    Raises
    ------
    ArchiveUnreachableError
        If no usable answer came.
    """

    def search() -> Any:
        from astropy import units
        from astropy.coordinates import SkyCoord

        place = SkyCoord(ra_deg, dec_deg, unit="deg")
        return mast.catalogs.query_region(place, radius=radius_arcsec * units.arcsec, catalog="TIC")

    stars = [star for row in mast.ask("TIC cone search", search) if (star := _star(row)) is not None]
    unique = {star.tic_id: star for star in reversed(stars)}
    return tuple(sorted(unique.values(), key=lambda star: (_separation(star), star.tic_id)))


def _separation(star: TicStar) -> float:
    return star.separation_arcsec if star.separation_arcsec is not None else math.inf


def _star(row: Any) -> TicStar | None:
    """A star from a row; None where it has no number or no position."""
    tic_id = digits(row, "ID")
    ra_deg, dec_deg = number(row, "ra"), number(row, "dec")
    if tic_id is None or ra_deg is None or dec_deg is None:
        return None
    duplicate = digits(row, "duplicate_id")
    return TicStar(
        tic_id=int(tic_id),
        ra=ra_deg,
        dec=dec_deg,
        pmra=number(row, "pmRA"),
        pmdec=number(row, "pmDEC"),
        tmag=number(row, "Tmag"),
        gmag=number(row, "GAIAmag"),
        gaia_id=digits(row, "GAIA"),
        ruwe=number(row, "RUWE"),
        teff=number(row, "Teff"),
        logg=number(row, "logg"),
        radius=number(row, "rad"),
        mass=number(row, "mass"),
        luminosity=number(row, "lum"),
        metallicity=number(row, "MH"),
        distance_pc=number(row, "d"),
        contamination=number(row, "contratio"),
        object_type=text(row, "objType"),
        disposition=text(row, "disposition"),
        duplicate_of=int(duplicate) if duplicate else None,
        separation_arcsec=number(row, "dstArcSec"),
    )
