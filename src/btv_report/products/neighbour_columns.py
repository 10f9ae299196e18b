"""
How tables of stars call their columns, and what the columns say without words: our names, those of the TIC, those of Gaia.

Sources: TIC v8.2 as MAST and astroquery's `Catalogs.query_region(catalog="TIC")` give it (`ID, ra, dec, Tmag, GAIAmag, pmRA,
pmDEC, disposition`), Stassun et al. 2019, AJ 158, 138 and Paegert et al. 2021, arXiv:2108.04778; `gaia_source` of the Gaia
archive (`source_id, ra, dec, phot_g_mean_mag, pmra, pmdec, ref_epoch`), Gaia DR2, EDR3 and DR3 documentation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

REQUIRED = ("id", "ra", "dec")

ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "id": ("id", "source_id", "tic_id", "ticid"),
        "ra": ("ra", "ra_deg"),
        "dec": ("dec", "dec_deg"),
        "tmag": ("tmag",),
        "gmag": ("gmag", "phot_g_mean_mag", "gaiamag"),
        "pmra": ("pmra",),
        "pmdec": ("pmdec",),
        "ref_epoch": ("ref_epoch",),
        "disposition": ("disposition",),
    }
)
"""Our name to the names that are understood, in lower case; the first that a table has counts."""

NO_STAR = frozenset({"artifact", "duplicate", "split"})
"""TIC dispositions of rows that are no star of their own: artefacts, second entries, stars that Gaia resolved into others."""

TIC_EPOCH_YEAR = 2000.0
"""Epoch of TIC positions; assumed when a table has TESS magnitudes and no `ref_epoch`."""

GAIA_EDR3_EPOCH_YEAR = 2016.0
BRIGHTEST_MAG, FAINTEST_MAG = -2.0, 25.0
"""Sirius, the brightest star, has about -1.4; the TIC and Gaia end at 21 to 22. Beyond, a table means "unknown" (99, -99.9)."""

_ONLY_SINCE_GAIA_EDR3 = frozenset({"ruwe", "non_single_star"})


def find_columns(names: Sequence[str]) -> dict[str, int]:
    """
    Which column of a table holds what.

    Parameters
    ----------
    names : headings in lower case

    Returns
    -------
    dict
        Our name to the number of the column.

    Raises
    ------
    ValueError
        With the heading, if one that is needed occurs twice.
    """
    found = {}
    for name, aliases in ALIASES.items():
        heading = next((alias for alias in aliases if alias in names), None)
        if heading is None:
            continue
        if names.count(heading) > 1:
            raise ValueError(heading)
        found[name] = names.index(heading)
    return found


def stated_epoch_year(names: Collection[str]) -> float | None:
    """
    Julian year of the positions as the headings alone say it; None when they do not.

    `gaia_source` holds `ruwe` since EDR3 and `non_single_star` since DR3, both with positions of 2016.0; before, or in a table
    without those columns, the release is not known.
    """
    if "tmag" in names:
        return TIC_EPOCH_YEAR
    return GAIA_EDR3_EPOCH_YEAR if "source_id" in names and _ONLY_SINCE_GAIA_EDR3 & set(names) else None


def can_be_magnitude(magnitude: float) -> bool:
    """Whether a star can have this magnitude. Some tables write 0 for "unknown": that cannot be told from Vega."""
    return BRIGHTEST_MAG <= magnitude <= FAINTEST_MAG
