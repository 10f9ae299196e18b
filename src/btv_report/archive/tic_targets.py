"""Rows of the TESS Input Catalog as the vocabulary of the rest: a target, and its neighbours."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

from btv_report.archive.mast_types import TicStar
from btv_report.targets import Neighbour, SkyPosition, StellarParameters, Target

SOURCE = "TESS Input Catalog (MAST)"


def target_of(star: TicStar) -> Target:
    """A target from its row; what the TIC gives as 0, negative or not at all is unknown."""
    contamination = star.contamination if star.contamination is not None and star.contamination >= 0 else None
    return Target(
        star.tic_id,
        position_of(star),
        star.tmag,
        StellarParameters(
            teff_k=_positive(star.teff),
            logg_cgs=star.logg,
            radius_rsun=_positive(star.radius),
            mass_msun=_positive(star.mass),
            luminosity_lsun=_positive(star.luminosity),
            metallicity_dex=star.metallicity,
            distance_pc=_positive(star.distance_pc),
            contamination=contamination,
        ),
        SOURCE,
        {"Gaia DR2": star.gaia_id} if star.gaia_id else {},
    )


def position_of(star: TicStar) -> SkyPosition:
    """Where a star is and how it moves; a motion of which one part is missing is unknown."""
    known = star.pmra is not None and star.pmdec is not None
    pmra, pmdec = (star.pmra or 0.0, star.pmdec or 0.0) if known else (0.0, 0.0)
    return SkyPosition(star.ra, star.dec, pmra, pmdec, star.ref_epoch, known)


def neighbours_of(stars: Sequence[TicStar]) -> tuple[Neighbour, ...]:
    """Rows as stars; what the TIC marks as artefact, duplicate or split is no star of its own."""
    return tuple(
        Neighbour(f"TIC {star.tic_id}", position_of(star), star.tmag, star.gmag) for star in stars if star.is_own_star
    )


def rows_sha256(stars: Sequence[TicStar]) -> str:
    """A digest of rows, so that two runs can be told to have used the same ones."""
    rows = json.dumps([asdict(star) for star in stars], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(rows.encode()).hexdigest()


def _positive(value: float | None) -> float | None:
    return value if value is not None and value > 0 else None
