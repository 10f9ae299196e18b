"""Who is looked at: the target, its stellar parameters and its neighbours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

FASTEST_MAS_PER_YR = 11_000.0
"""Barnard's star has 10,393 mas/yr and is the fastest."""
_UNKNOWN_MOTION = -9999.0
MAX_TIC_ID = 10**11
MAX_SECTOR = 999
"""Sector 100 began in 2026, and a year has thirteen or fourteen."""


def can_be_proper_motion(pmra_mas_per_yr: float, pmdec_mas_per_yr: float) -> bool:
    """Whether a star can move so; -9999 in one component alone is no motion either (no known star has it)."""
    stated = _UNKNOWN_MOTION not in {pmra_mas_per_yr, pmdec_mas_per_yr}
    return stated and math.hypot(pmra_mas_per_yr, pmdec_mas_per_yr) <= FASTEST_MAS_PER_YR


@dataclass(frozen=True)
class StellarParameters:
    """
    Stellar parameters, each None when unknown.

    Attributes
    ----------
    teff_k : effective temperature, K
    logg_cgs : log10 of the surface gravity, cm/s2
    radius_rsun, mass_msun : solar units
    luminosity_lsun : solar units
    metallicity_dex : [M/H], dex
    distance_pc : parsec
    contamination : TIC contamination ratio (flux of neighbours over flux of the star)

    Raises
    ------
    ValueError
        If a value that cannot be negative is, or a value is not finite.
    """

    teff_k: float | None = None
    logg_cgs: float | None = None
    radius_rsun: float | None = None
    mass_msun: float | None = None
    luminosity_lsun: float | None = None
    metallicity_dex: float | None = None
    distance_pc: float | None = None
    contamination: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no star has."""
        for item in fields(self):
            value = getattr(self, item.name)
            if value is None:
                continue
            if not math.isfinite(value):
                raise ValueError(f"{item.name} is not finite ({value})")
            if value < 0 and item.name not in {"logg_cgs", "metallicity_dex"}:
                raise ValueError(f"{item.name} is negative ({value})")


@dataclass(frozen=True)
class SkyPosition:
    """
    A catalogue position with its motion.

    Attributes
    ----------
    ra_deg, dec_deg : ICRS, degrees, at `ref_epoch_year`
    pmra_mas_per_yr : proper motion in RA times cos(Dec), mas/yr; 0 with `pm_known` False when unknown
    pmdec_mas_per_yr : proper motion in Dec, mas/yr
    ref_epoch_year : Julian year of the position (TIC 2000.0, Gaia DR2 2015.5, DR3 2016.0)
    """

    ra_deg: float
    dec_deg: float
    pmra_mas_per_yr: float = 0.0
    pmdec_mas_per_yr: float = 0.0
    ref_epoch_year: float = 2000.0
    pm_known: bool = False

    def at_year(self, year: float) -> SkyPosition:
        """The position moved linearly to a Julian year; RA in [0, 360)."""
        if not self.pm_known:
            return self
        years = year - self.ref_epoch_year
        dec_deg = self.dec_deg + years * self.pmdec_mas_per_yr / 3.6e6
        ra_deg = self.ra_deg + years * self.pmra_mas_per_yr / 3.6e6 / math.cos(math.radians(self.dec_deg))
        return SkyPosition(ra_deg % 360.0, dec_deg, self.pmra_mas_per_yr, self.pmdec_mas_per_yr, year, self.pm_known)


@dataclass(frozen=True)
class Neighbour:
    """
    A catalogued star near the target.

    Attributes
    ----------
    star_id : identifier as given, such as `TIC 123` or a Gaia source id; text, so that no digit is lost
    position : SkyPosition
    tmag, gmag : magnitudes, None when unknown
    """

    star_id: str
    position: SkyPosition
    tmag: float | None = None
    gmag: float | None = None

    @property
    def magnitude(self) -> float | None:
        """TESS magnitude, else Gaia G (about 0.4 mag fainter for a Sun-like star), else None."""
        return self.tmag if self.tmag is not None else self.gmag


@dataclass(frozen=True)
class Target:
    """
    The star a dossier is about.

    Attributes
    ----------
    tic_id : int
    position : SkyPosition or None
        None when neither a product nor a catalogue gave one.
    tmag : float or None
        TESS magnitude.
    stellar : StellarParameters
    source : str
        Where position and parameters came from, such as `header of tess..._tp.fits`.
    aliases : mapping of catalogue to name
    """

    tic_id: int
    position: SkyPosition | None = None
    tmag: float | None = None
    stellar: StellarParameters = field(default_factory=StellarParameters)
    source: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """`TIC n`."""
        return f"TIC {self.tic_id}"

    @classmethod
    def from_header(cls, header: Mapping[str, Any], *, tic_id: int, source: str) -> Target:
        """
        Read the target from the primary header of a SPOC product.

        TESScut and re-packed files write 0 where a value is unknown; such zeros are not taken for values. The scene of a
        simulated star (SCENE) becomes its alias.
        """

        def number(key: str, *, zero_is_unknown: bool = True) -> float | None:
            value = header.get(key)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                return None
            return None if zero_is_unknown and value == 0 else float(value)

        def positive(key: str) -> float | None:
            value = number(key)
            return value if value is not None and value > 0 else None

        ra_deg, dec_deg = number("RA_OBJ", zero_is_unknown=False), number("DEC_OBJ", zero_is_unknown=False)
        position = None
        if ra_deg is not None and dec_deg is not None:
            pmra, pmdec = (number(key, zero_is_unknown=False) for key in ("PMRA", "PMDEC"))
            if not can_be_proper_motion(pmra or 0.0, pmdec or 0.0):
                pmra = pmdec = None
            moved = pmra is not None and pmdec is not None and (pmra != 0 or pmdec != 0)
            position = SkyPosition(ra_deg, dec_deg, pmra or 0.0, pmdec or 0.0, 2000.0, moved)
        stellar = StellarParameters(
            teff_k=positive("TEFF"),
            logg_cgs=number("LOGG"),
            radius_rsun=positive("RADIUS"),
            metallicity_dex=number("MH"),
        )
        scene = header.get("SCENE")
        aliases = {"simulated scene": scene.strip()} if isinstance(scene, str) and scene.strip() else {}
        return cls(tic_id, position, number("TESSMAG"), stellar, source, aliases)
