"""What MAST says, as values: products, catalogue stars, sectors of images, and what a name stands for."""

from __future__ import annotations

from dataclasses import dataclass

TIC_EPOCH_YEAR = 2000.0
NO_STAR = frozenset({"ARTIFACT", "DUPLICATE", "SPLIT"})
"""Dispositions of TIC rows that are no stars of their own."""


@dataclass(frozen=True)
class ArchiveProduct:
    """
    A product that the archive offers.

    Attributes
    ----------
    kind : `light_curve`, `target_pixel_file`, `cutout` or `dv_report`
    tic_id, sector : sector None where a product spans several
    pipeline : SPOC, TESS-SPOC, QLP, TGLC, TESScut, or the archive's name of another
    exptime_s : exposure time, seconds, None when not stated
    file, uri : name, and the address by which the archive knows it
    n_bytes : size as listed, None when not listed
    obs_id, obsid : the observation's name, and its number at MAST
    data_rights : `PUBLIC`, or what else the archive says
    description : the archive's words
    t_min_mjd : begin of the observation, MJD (UTC)
    """

    kind: str
    tic_id: int
    sector: int | None
    pipeline: str
    exptime_s: float | None
    file: str
    uri: str
    n_bytes: int | None = None
    obs_id: str = ""
    obsid: str | None = None
    data_rights: str | None = None
    description: str = ""
    t_min_mjd: float | None = None


def cutout_place(product: ArchiveProduct) -> tuple[float, float, int]:
    """Right ascension and declination (degrees) and sector of a cut-out, from its own uri."""
    parts = dict(item.split("=", 1) for item in product.uri.removeprefix("tesscut:").split(";"))
    return float(parts["ra"]), float(parts["dec"]), int(parts["sector"])


@dataclass(frozen=True)
class SearchResult:
    """
    One row of a search, by the names that lightkurve's users know.

    Attributes
    ----------
    tic_id, sector : the target and the sector
    author : the pipeline
    exptime : exposure time, seconds
    product : everything that the archive says of it
    mission : `TESS`
    distance : of the product's target from the one asked for, arcsec; 0, because other targets are left out
    """

    tic_id: int
    sector: int | None
    author: str
    exptime: float | None
    product: ArchiveProduct
    mission: str = "TESS"
    distance: float | None = 0.0

    @classmethod
    def of(cls, product: ArchiveProduct) -> SearchResult:
        """The row of a product."""
        return cls(product.tic_id, product.sector, product.pipeline, product.exptime_s, product)


@dataclass(frozen=True)
class CutoutSector:
    """A sector whose full-frame images hold a position, and on which detector."""

    sector: int
    camera: int
    ccd: int


@dataclass(frozen=True)
class TicStar:
    """
    A row of the TESS Input Catalog; what it does not give is None.

    Attributes
    ----------
    tic_id : int
    ra, dec : ICRS, degrees, at `ref_epoch`
    pmra, pmdec : proper motion, mas/yr (RA times cos Dec)
    tmag, gmag : TESS and Gaia G magnitude
    gaia_id : Gaia DR2 source id as text: it has 19 digits
    ruwe : Gaia's renormalised unit weight error, where the archive joins it
    teff, logg, radius, mass, luminosity, metallicity, distance_pc, contamination : K, dex (cgs), solar units, dex, parsec, flux
        of neighbours over flux of the star
    object_type : STAR or EXTENDED
    disposition : ARTIFACT, DUPLICATE, SPLIT or None
    duplicate_of : the TIC number that stands for it, None when it stands for itself
    separation_arcsec : from the position that was asked, None where none was
    ref_epoch : Julian year of the position
    """

    tic_id: int
    ra: float
    dec: float
    pmra: float | None = None
    pmdec: float | None = None
    tmag: float | None = None
    gmag: float | None = None
    gaia_id: str | None = None
    ruwe: float | None = None
    teff: float | None = None
    logg: float | None = None
    radius: float | None = None
    mass: float | None = None
    luminosity: float | None = None
    metallicity: float | None = None
    distance_pc: float | None = None
    contamination: float | None = None
    object_type: str | None = None
    disposition: str | None = None
    duplicate_of: int | None = None
    separation_arcsec: float | None = None
    ref_epoch: float = TIC_EPOCH_YEAR

    @property
    def is_own_star(self) -> bool:
        """Whether the row is a star of its own, and not an artefact, a duplicate or one that was split."""
        return (self.disposition or "").upper() not in NO_STAR


@dataclass(frozen=True)
class NearbyMatch:
    """A star that answers to a name or position."""

    tic_id: int
    separation_arcsec: float
    tmag: float | None


@dataclass(frozen=True)
class ResolvedTarget:
    """
    The star that a name or position stands for.

    Attributes
    ----------
    tic_id : int
    target_input : the text that was given
    separation_arcsec : of the star from the position that the text stands for; None where it was found by its number
    ra, dec : of the star, degrees; None where only its number is known
    tmag : TESS magnitude
    warning : a sentence where the answer deserves doubt, None where it does not
    matches : every star within the radius, nearest first
    accepted_nearest : whether several answered and the nearest was taken because the user said so
    """

    tic_id: int
    target_input: str
    separation_arcsec: float | None
    ra: float | None = None
    dec: float | None = None
    tmag: float | None = None
    warning: str | None = None
    matches: tuple[NearbyMatch, ...] = ()
    accepted_nearest: bool = False
