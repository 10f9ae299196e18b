"""The TESS Input Catalog at MAST: a target's own row, and the stars around a position."""

from __future__ import annotations

from typing import Any

from btv_report.archive.mast_answers import no_form
from btv_report.archive.mast_rows import digits, number, text, whole
from btv_report.archive.mast_session import MastConnection
from btv_report.archive.mast_types import TicStar
from btv_report.errors import TargetNotFoundError
from btv_report.sky_distance import separation_arcsec
from btv_report.targets import SkyPosition


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

    def search() -> TicStar | None:
        table = mast.catalogs.query_criteria(catalog="TIC", ID=tic_id)
        stars = [star for star in _readable(mast, "TIC", table) if star.tic_id == tic_id]
        if len(table) and not stars:
            raise no_form(f"{len(table)} rows, and none is of TIC {tic_id}")
        return stars[0] if stars else None

    star = mast.ask("TIC", search)
    if star is None:
        words = f"The TESS Input Catalog has no TIC {tic_id}."
        raise TargetNotFoundError(words, hint="Check the number.", tic_id=tic_id)
    return star


def stars_around(mast: MastConnection, ra_deg: float, dec_deg: float, radius_arcsec: float) -> tuple[TicStar, ...]:
    """
    The stars of the TIC within a radius, nearest first; rows without number or position are counted.

    Raises
    ------
    ArchiveUnreachableError
        If no usable answer came.
    """

    service = "TIC cone search"
    place = SkyPosition(ra_deg, dec_deg)

    def search() -> list[TicStar]:
        from astropy import units
        from astropy.coordinates import SkyCoord

        centre = SkyCoord(ra_deg, dec_deg, unit="deg")
        table = mast.catalogs.query_region(centre, radius=radius_arcsec * units.arcsec, catalog="TIC")
        return _readable(mast, service, table, place)

    unique = {star.tic_id: star for star in reversed(mast.ask(service, search))}
    return tuple(sorted(unique.values(), key=lambda star: (star.separation_arcsec or 0.0, star.tic_id)))


def _readable(mast: MastConnection, service: str, table: Any, place: SkyPosition | None = None) -> list[TicStar]:
    """
    The stars of a table's rows.

    Raises
    ------
    AttemptError
        If there are rows, and none has a number and a position.
    """
    stars = [star for row in table if (star := _star(row, place)) is not None]
    if len(table) and not stars:
        raise no_form(f"none of {len(table)} rows has a number and a position")
    mast.unread_rows[service] += len(table) - len(stars)
    return stars


def _star(row: Any, place: SkyPosition | None = None) -> TicStar | None:
    """A star from a row, and how far it is from a place; None where it has no number or no position."""
    tic_id = whole(row, "ID")
    ra_deg, dec_deg = number(row, "ra"), number(row, "dec")
    if tic_id is None or ra_deg is None or dec_deg is None:
        return None
    # Of our own reckoning: the order of the stars decides which is taken, and not every answer states its distances.
    apart = separation_arcsec(place, SkyPosition(ra_deg, dec_deg)) if place is not None else None
    return TicStar(
        tic_id=tic_id,
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
        duplicate_of=whole(row, "duplicate_id") or None,
        separation_arcsec=apart,
    )
