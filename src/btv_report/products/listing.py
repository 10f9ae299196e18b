"""What an archive lists of a product, held against what its header says: bytes under a wrong name are no product of that name."""

from __future__ import annotations

from dataclasses import dataclass

from btv_report.fits.headers import PIPELINES
from btv_report.fits.model import ProductHeader, ProductKind
from btv_report.sky_distance import separation_arcsec
from btv_report.targets import SkyPosition

EXPTIME_RATIO = 2.0
"""Lists give the exposure of full-frame images now with the dead time (1800 s), now without (1426 s); other cadences of TESS
lie further apart than that."""

CENTRE_ARCSEC = 10.0
"""Half a pixel: TESScut writes the position that it was asked for into the header."""

_KINDS = {
    ProductKind.LIGHT_CURVE: "a light curve",
    ProductKind.TARGET_PIXEL_FILE: "a target pixel file",
    ProductKind.CUTOUT: "a cut-out",
    ProductKind.DV_REPORT: "a DV report",
}


@dataclass(frozen=True)
class Listing:
    """
    What an archive lists of a product; None where it does not say.

    Attributes
    ----------
    kind, sector, pipeline : as in its list
    exptime_s : exposure time, seconds
    camera, ccd : the detector that a cut-out is of
    centre : the position that a cut-out was asked for
    """

    kind: ProductKind
    sector: int | None
    pipeline: str
    exptime_s: float | None
    camera: int | None = None
    ccd: int | None = None
    centre: SkyPosition | None = None


def why_not_as_listed(header: ProductHeader, listed: Listing) -> str:
    """How a header contradicts the list, a phrase; empty where it does not. What either does not say is no contradiction."""
    if header.kind is not None and header.kind is not listed.kind:
        return f"the archive lists it as {_KINDS[listed.kind]}, and it is {_KINDS[header.kind]}"
    pairs = (
        ("sector", listed.sector, header.sector),
        ("camera", listed.camera, header.camera),
        ("CCD", listed.ccd, header.ccd),
        ("pipeline", _known(listed.pipeline), _known(header.pipeline)),
    )
    for name, theirs, its in pairs:
        if theirs is not None and its is not None and theirs != its:
            return f"the archive lists it as {name} {theirs}, its header says {its}"
    if listed.centre is not None and header.ra_deg is not None and header.dec_deg is not None:
        away = separation_arcsec(listed.centre, SkyPosition(header.ra_deg, header.dec_deg))
        if away > CENTRE_ARCSEC:
            return f"it was asked for about another position: its header says one {away:.1f} arcsec away"
    if _is_other_cadence(listed.exptime_s, header.exptime_s):
        return f"the archive lists it with an exposure time of {listed.exptime_s:g} s, its header says {header.exptime_s:g} s"
    return ""


def _known(pipeline: str) -> str | None:
    """A pipeline that headers name; None for those whose files do not say whose they are."""
    return next((name for name in PIPELINES[:-1] if name.lower() == pipeline.lower()), None)


def _is_other_cadence(listed_s: float | None, header_s: float | None) -> bool:
    if not listed_s or not header_s:
        return False
    return max(listed_s, header_s) > EXPTIME_RATIO * min(listed_s, header_s)
