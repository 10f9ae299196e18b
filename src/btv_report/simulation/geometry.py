"""
Where a star falls on a stamp: the gnomonic projection that the files' WCS keywords state.

Written out here rather than asked of astropy, so that placing stars is exact, light and independent of the code that
later reads the files; a test holds it against `astropy.wcs`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

ARCSEC_PER_DEGREE = 3600.0


@dataclass(frozen=True)
class StampProjection:
    """
    A tangent plane through a sky position, laid on a stamp.

    TESS stamps are mirrored with respect to the sky as seen: with rows upwards and columns to the right, north is
    90 degrees *counter-clockwise* from east (PC determinant as in SPOC products).

    Attributes
    ----------
    ra_deg, dec_deg : ICRS position of the tangent point
    row, column : 0-based stamp position of the tangent point, pixel centres at integers
    east_angle_deg : direction of east, counter-clockwise from increasing column
    pixel_scale_arcsec : arcsec per pixel
    """

    ra_deg: float
    dec_deg: float
    row: float
    column: float
    east_angle_deg: float
    pixel_scale_arcsec: float

    def pc_matrix(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """PC matrix that goes with CDELT1 = -scale, CDELT2 = +scale, the signs SPOC writes."""
        cos, sin = self._direction()
        return ((-cos, -sin), (-sin, cos))

    def pixel_to_plane(self, row: float, column: float) -> tuple[float, float]:
        """Offsets (east, north) in the tangent plane, arcsec, of a stamp position."""
        cos, sin = self._direction()
        d_column, d_row = column - self.column, row - self.row
        scale = self.pixel_scale_arcsec
        return scale * (d_column * cos + d_row * sin), scale * (-d_column * sin + d_row * cos)

    def plane_to_pixel(self, east_arcsec: float, north_arcsec: float) -> tuple[float, float]:
        """Stamp position (row, column) of offsets in the tangent plane."""
        cos, sin = self._direction()
        east, north = east_arcsec / self.pixel_scale_arcsec, north_arcsec / self.pixel_scale_arcsec
        return self.row + east * sin + north * cos, self.column + east * cos - north * sin

    def plane_to_sky(self, east_arcsec: float, north_arcsec: float) -> tuple[float, float]:
        """RA in [0, 360) and Dec, degrees, of offsets in the tangent plane (inverse gnomonic projection)."""
        xi = math.radians(east_arcsec / ARCSEC_PER_DEGREE)
        eta = math.radians(north_arcsec / ARCSEC_PER_DEGREE)
        dec_0 = math.radians(self.dec_deg)
        denominator = math.cos(dec_0) - eta * math.sin(dec_0)
        ra = math.atan2(xi, denominator)
        dec = math.atan2(math.sin(dec_0) + eta * math.cos(dec_0), math.hypot(xi, denominator))
        return (self.ra_deg + math.degrees(ra)) % 360.0, math.degrees(dec)

    def sky_to_plane(self, ra_deg: float, dec_deg: float) -> tuple[float, float]:
        """Offsets (east, north) in the tangent plane, arcsec, of a sky position (gnomonic projection)."""
        d_ra = math.radians(ra_deg - self.ra_deg)
        dec, dec_0 = math.radians(dec_deg), math.radians(self.dec_deg)
        cosine = math.sin(dec_0) * math.sin(dec) + math.cos(dec_0) * math.cos(dec) * math.cos(d_ra)
        xi = math.cos(dec) * math.sin(d_ra) / cosine
        eta = (math.cos(dec_0) * math.sin(dec) - math.sin(dec_0) * math.cos(dec) * math.cos(d_ra)) / cosine
        return math.degrees(xi) * ARCSEC_PER_DEGREE, math.degrees(eta) * ARCSEC_PER_DEGREE

    def sky_to_pixel(self, ra_deg: float, dec_deg: float) -> tuple[float, float]:
        """Stamp position (row, column), 0-based, of a sky position."""
        return self.plane_to_pixel(*self.sky_to_plane(ra_deg, dec_deg))

    def _direction(self) -> tuple[float, float]:
        angle = math.radians(self.east_angle_deg)
        return math.cos(angle), math.sin(angle)
