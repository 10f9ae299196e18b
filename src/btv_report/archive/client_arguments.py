"""What a program hands to `MASTClient`, as the archive wants it; a text would find nothing, which would read as nothing there."""

from __future__ import annotations

import operator
from typing import Any

from btv_report.errors import UsageError
from btv_report.quality import MAX_QUALITY_MASK
from btv_report.targets import MAX_SECTOR, MAX_TIC_ID

MAX_RADIUS_ARCSEC = 3600.0


def tic_number(value: object) -> int:
    """
    A TIC number; whole numbers of numpy are taken.

    Raises
    ------
    UsageError
        Here and below, if it is none.
    """
    return _whole(value, "TIC number", MAX_TIC_ID - 1, "Give a whole number; `resolve_target` finds that of a name.")


def sector_number(value: object) -> int:
    """A sector."""
    return _whole(value, "sector", MAX_SECTOR, "Give a whole number; `search_lightcurve` lists the sectors there are.")


def mask_number(value: object) -> int:
    """A quality mask."""
    hint = "Give a whole number of bits, such as `btv_report.DEFAULT_QUALITY_MASK`."
    return _whole(value, "quality mask", MAX_QUALITY_MASK, hint, least=0)


def require_radius(radius_arcsec: float) -> None:
    """A radius to search within, arcsec."""
    if not 0 < radius_arcsec <= MAX_RADIUS_ARCSEC:
        raise UsageError(
            f"{radius_arcsec!r} is no radius to search within.", hint=f"Give arcsec, up to {MAX_RADIUS_ARCSEC:g}."
        )


def _whole(value: Any, what: str, most: int, hint: str, *, least: int = 1) -> int:
    try:
        number = least - 1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = least - 1
    if not least <= number <= most:
        raise UsageError(f"{value!r} is no {what}.", hint=hint)
    return number
