"""The angle between two positions."""

from __future__ import annotations

import math

from btv_report.targets import SkyPosition


def separation_arcsec(one: SkyPosition, other: SkyPosition) -> float:
    """Angle between two positions as they stand, whatever their epochs, arcsec (haversine: exact for small angles too)."""
    d_dec = math.radians(other.dec_deg - one.dec_deg)
    d_ra = math.radians(other.ra_deg - one.ra_deg)
    cosines = math.cos(math.radians(one.dec_deg)) * math.cos(math.radians(other.dec_deg))
    half = math.sin(d_dec / 2) ** 2 + cosines * math.sin(d_ra / 2) ** 2
    return math.degrees(2 * math.asin(min(1.0, math.sqrt(half)))) * 3600.0
