"""The stars around a target: from the table that was given, from one in the mirror, or from the TIC at the archive."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from btv_report.archive.mast_types import TicStar
from btv_report.archive.tic_targets import SOURCE, neighbours_of, rows_sha256
from btv_report.errors import UsageError
from btv_report.products.neighbour_columns import BRIGHTEST_MAG, FAINTEST_MAG
from btv_report.products.neighbours import StarCatalogue, read_neighbours, stars_near, without_target
from btv_report.targets import FASTEST_MAS_PER_YR, Neighbour, Target

# A table without a single star so close, the target included, is of another field: half the width of a usual stamp.
FIELD_RADIUS_ARCSEC = 120.0


@dataclass(frozen=True)
class FoundNeighbours:
    """
    The neighbours of a target, or that none are known.

    Attributes
    ----------
    stars : without the target; None when no catalogue is at hand, or it is of another field
    file, sha256 : the table that was read; None when none was
    from_mirror : whether it was found in a mirror, and not named by the user
    from_archive : whether they are the TIC's, as MAST gave them; `sha256` is then that of the rows
    warnings : sentences
    """

    stars: tuple[Neighbour, ...] | None = None
    file: str | None = None
    sha256: str | None = None
    from_mirror: bool = False
    from_archive: bool = False
    warnings: tuple[str, ...] = ()


def given_table(path: Path | None) -> tuple[Path, StarCatalogue] | None:
    """
    The table of `--neighbours`, read before anybody is asked for anything.

    Raises
    ------
    UsageError
        If it cannot be used.
    """
    require_table(path)
    return (path, read_neighbours(path)) if path is not None else None


def require_table(path: Path | None) -> None:
    """
    See that the table of `--neighbours` is there.

    Raises
    ------
    UsageError
        If it is not.
    """
    if path is not None and not os.path.exists(path):  # noqa: PTH110 - Path.exists raises where a folder may not be entered
        raise UsageError(
            f"The table of neighbours {path} does not exist.", hint="Check the path that --neighbours names.", path=path
        )


def find_neighbours(
    given: tuple[Path, StarCatalogue] | None,
    in_mirror: Sequence[Path],
    at_archive: Sequence[TicStar] | None,
    target: Target,
    year: float | None,
) -> FoundNeighbours:
    """
    Read the table of neighbours that was given, else the first one of the mirrors, else take the TIC's stars.

    Parameters
    ----------
    given : `--neighbours`, and the stars in it
    in_mirror : tables of the target in the mirrors, in order; a table that cannot be used costs the neighbours, not the run
    at_archive : the TIC's stars around the target; None where the archive was not asked or did not answer
    target : whose neighbours; it is left out of them
    year : Julian year of the observations, None when unknown (2000.0 is taken)
    """
    if given is not None:
        table, catalogue = given
        return _around(catalogue, table, target, year, from_mirror=False, before=())
    if not in_mirror:
        return _of_archive(at_archive, target, year)
    table, others = in_mirror[0], in_mirror[1:]
    before = []
    if others:
        names = ", ".join(dict.fromkeys(other.name for other in others))
        before.append(f"The mirrors hold {len(in_mirror)} tables of neighbours; {table.name} is used, not {names}.")
    try:
        catalogue = read_neighbours(table)
    except UsageError as error:
        return FoundNeighbours(warnings=(*before, f"{error} The neighbours count as unknown."))
    return _around(catalogue, table, target, year, from_mirror=True, before=before)


def _of_archive(stars: Sequence[TicStar] | None, target: Target, year: float | None) -> FoundNeighbours:
    """The TIC's stars without the target; rows that are no stars of their own are counted."""
    if stars is None:
        return FoundNeighbours()
    listed = neighbours_of(stars)
    warnings: tuple[str, ...] = ()
    if len(listed) < len(stars):
        number = len(stars) - len(listed)
        warnings = (
            f"{number} row{'' if number == 1 else 's'} of the TIC around {target.name} left out, because it marks them as "
            "artefacts, duplicates or split stars, which are no stars of their own.",
        )
    kept = without_target(listed, tic_id=target.tic_id, position=target.position, year=year or 2000.0)
    return FoundNeighbours(kept, SOURCE, rows_sha256(stars), from_archive=True, warnings=warnings)


def _around(
    catalogue: StarCatalogue,
    table: Path,
    target: Target,
    year: float | None,
    *,
    from_mirror: bool,
    before: Sequence[str],
) -> FoundNeighbours:
    """The stars of a table that is of the target's field."""
    warnings = list(before)
    if catalogue.n_repeated:
        warnings.append(
            f"{table.name}: {catalogue.n_repeated} rows repeat the identifier of an earlier row; each star counts once."
        )
    if catalogue.n_left_out:
        rows = "1 row is" if catalogue.n_left_out == 1 else f"{catalogue.n_left_out} rows are"
        warnings.append(
            f"{table.name}: {rows} left out, because the TIC marks them as artefacts, duplicates or split stars, which are no "
            "stars of their own."
        )
    if odd := _odd_values(catalogue):
        warnings.append(f"{table.name}: {odd}.")
    position = target.position
    stars: tuple[Neighbour, ...] | None = None
    if position is not None and not stars_near(catalogue.stars, position, FIELD_RADIUS_ARCSEC):
        warnings.append(
            f"{table.name} lists {len(catalogue.stars)} stars, none within {FIELD_RADIUS_ARCSEC:g} arcsec of "
            f"{target.name}: it is not used, and the neighbours count as unknown. Is it the table of this field?"
        )
    else:
        stars = without_target(catalogue.stars, tic_id=target.tic_id, position=position, year=year or 2000.0)
    return FoundNeighbours(stars, table.name, catalogue.sha256, from_mirror=from_mirror, warnings=tuple(warnings))


def _odd_values(catalogue: StarCatalogue) -> str:
    """How many values of a table no star has, and what was made of them; empty when there are none."""
    n_magnitudes, n_motions = catalogue.n_odd_magnitudes, catalogue.n_odd_motions
    parts = []
    if n_magnitudes:
        parts.append(
            f"{n_magnitudes:,} magnitude{'' if n_magnitudes == 1 else 's'} outside {BRIGHTEST_MAG:g} ... {FAINTEST_MAG:g}"
        )
    if n_motions:
        parts.append(
            f"{n_motions:,} proper motion{'' if n_motions == 1 else 's'} of -9999 or above {FASTEST_MAS_PER_YR:,.0f} mas/yr"
        )
    if not parts:
        return ""
    verb = "counts" if n_magnitudes + n_motions == 1 else "count"
    return f"{' and '.join(parts)} {verb} as unknown, because no star has such values"
