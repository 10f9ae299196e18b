"""
Catalogues of neighbours: csv, ecsv or VOTable files to `Neighbour`s.

Identifiers are text from the first byte to the last: a Gaia source id has 19 digits, and a float keeps 16.
"""

from __future__ import annotations

import csv
import io
import math
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from btv_report.errors import BtvReportError, UsageError
from btv_report.fits.local_file import read_file
from btv_report.products.neighbour_columns import (
    NO_STAR,
    REQUIRED,
    TIC_EPOCH_YEAR,
    can_be_magnitude,
    find_columns,
    stated_epoch_year,
)
from btv_report.sky_distance import separation_arcsec
from btv_report.targets import MAX_TIC_ID, Neighbour, SkyPosition, can_be_proper_motion

MAX_CATALOGUE_BYTES = 64_000_000
TARGET_RADIUS_ARCSEC = 1.0
EARLIEST_EPOCH_YEAR, LATEST_EPOCH_YEAR = 1850.0, 2150.0
_HINT = (
    "Columns: id, ra, dec (deg), tmag and/or gmag, and optionally pmra, pmdec (mas/yr), ref_epoch (Julian year), or those of the "
    "TIC (ID, Tmag, pmRA ...) or of Gaia (source_id, phot_g_mean_mag ...)."
)
_BLANK = {"", "nan", "null", "none", "--", "masked"}
_LOST_DIGITS = re.compile(r"[+-]?\d*\.?\d*e[+-]?\d+", re.IGNORECASE)
_REMOTE_DATA = re.compile(rb"<[^>]*\bSTREAM\b[^>]*\bhref", re.IGNORECASE)
_LARGEST_EXACT = 2**53


@dataclass(frozen=True)
class _Rows:
    """
    A table as text: known columns by our names, cells stripped, blanks None; `where` names each row for messages.

    `epoch_year` is that of the positions where the headings say it without a column ref_epoch.
    """

    columns: tuple[str, ...]
    cells: tuple[Mapping[str, str | None], ...]
    where: tuple[str, ...]
    epoch_year: float | None


@dataclass(frozen=True)
class StarCatalogue:
    """
    A table of stars as read.

    Attributes
    ----------
    sha256 : of the file's bytes as they lie, the very ones that were parsed
    stars : in the order of the file, the target included if it is listed (see `without_target`)
    n_left_out : rows that the TIC marks as artefacts, duplicates or stars that were split: they are no stars of their own
    n_repeated : rows with the identifier of an earlier row; the first one counts
    n_odd_magnitudes : magnitudes that no star has, such as 99 or -99.9, taken as unknown
    n_odd_motions : stars with a proper motion that no star has, such as -9999, taken as unknown
    """

    sha256: str
    stars: tuple[Neighbour, ...]
    n_left_out: int = 0
    n_repeated: int = 0
    n_odd_magnitudes: int = 0
    n_odd_motions: int = 0


def read_neighbours(path: Path) -> StarCatalogue:
    """
    Read a catalogue of stars.

    Parameters
    ----------
    path : csv (with a header line), ecsv, or VOTable (XML). Columns carry our names, those of the TIC or those of Gaia (see
        `neighbour_columns`), in any case; other columns are ignored

    Returns
    -------
    StarCatalogue

    Raises
    ------
    UsageError
        If the file cannot be read, has not the columns, or a row has no usable id or position.
    """
    try:
        file = read_file(path, max_bytes=MAX_CATALOGUE_BYTES)
        raw = file.content()
    except BtvReportError as error:
        reason = error.message.removeprefix(f"{path.name} ").rstrip(".")
        raise UsageError(f"The catalogue {path.name} cannot be used: it {reason}.", hint=_HINT, path=path) from error
    rows = _read_votable(raw, path) if raw.lstrip()[:1] == b"<" else _read_text(raw, path)
    missing = [name for name in REQUIRED if name not in rows.columns]
    if missing:
        found = ", ".join(rows.columns) or "none that is known"
        raise UsageError(
            f"The catalogue {path.name} has no column {' and no column '.join(missing)} (known columns in it: {found}).",
            hint=_HINT,
            path=path,
        )
    _require_epoch(rows, path)
    odd = _OddValues()
    listed = tuple(
        _neighbour(cells, f"{where} of the catalogue {path.name}", path, rows.epoch_year, odd)
        for cells, where in zip(rows.cells, rows.where, strict=True)
        if _is_star(cells)
    )
    stars = {star.star_id: star for star in reversed(listed)}
    once = tuple(star for star in listed if stars[star.star_id] is star)
    return StarCatalogue(
        file.sha256,
        once,
        len(rows.cells) - len(listed),
        len(listed) - len(once),
        odd.n_magnitudes,
        odd.n_motions,
    )


@dataclass
class _OddValues:
    """Counts of what tables write in place of an unknown value."""

    n_magnitudes: int = 0
    n_motions: int = 0

    def magnitude(self, value: float | None) -> float | None:
        """The magnitude, None where no star has such a one."""
        if value is None or can_be_magnitude(value):
            return value
        self.n_magnitudes += 1
        return None

    def motion(self, pmra: float | None, pmdec: float | None) -> tuple[float | None, float | None]:
        """The proper motion, (None, None) where no star has such a one."""
        if can_be_proper_motion(pmra or 0.0, pmdec or 0.0):
            return pmra, pmdec
        self.n_motions += 1
        return None, None


def _is_star(cells: Mapping[str, str | None]) -> bool:
    return (cells.get("disposition") or "").lower() not in NO_STAR


def without_target(
    neighbours: Sequence[Neighbour], *, tic_id: int, position: SkyPosition | None, year: float
) -> tuple[Neighbour, ...]:
    """
    The catalogue without the target itself.

    A star is the target when it carries its TIC number, or lies within 1 arcsec of it at `year`: a twentieth of a pixel, which
    no pixel check can tell apart.

    Parameters
    ----------
    neighbours : as read
    tic_id : the target
    position : its catalogue position, None when unknown
    year : Julian year of the observation
    """
    here = position.at_year(year) if position is not None else None
    return tuple(
        star
        for star in neighbours
        if _tic_number(star.star_id) != tic_id
        and (here is None or separation_arcsec(here, star.position.at_year(year)) > TARGET_RADIUS_ARCSEC)
    )


def _tic_number(star_id: str) -> int | None:
    match = re.fullmatch(r"(?:TIC[\s-]*)?0*(\d{1,11})", star_id, flags=re.IGNORECASE | re.ASCII)
    return int(match.group(1)) if match and int(match.group(1)) < MAX_TIC_ID else None


def _read_text(raw: bytes, path: Path) -> _Rows:
    """csv or ecsv: an ecsv file is a delimited table behind `#` lines, which say its delimiter."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"The catalogue {path.name} is not UTF-8 text.", hint="Save it as csv in UTF-8.", path=path
        ) from error
    lines = text.splitlines()
    n_comment = next(
        (number for number, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines)
    )
    comments = lines[:n_comment]
    is_ecsv = any(line.startswith("# %ECSV") for line in comments)
    commas = not is_ecsv or any(re.match(r"#\s*delimiter:\s*['\"]?,", line) for line in comments)
    body = io.StringIO("\n".join(lines[n_comment:]))
    reader = csv.reader(body, delimiter="," if commas else " ", skipinitialspace=True, strict=True)
    table: list[tuple[int, list[str]]] = []
    try:
        table.extend((n_comment + reader.line_num, row) for row in reader if any(cell.strip() for cell in row))
    except csv.Error as error:
        line = n_comment + reader.line_num
        raise UsageError(
            f"The catalogue {path.name} is no csv table: line {line}, {error}.", hint=_HINT, path=path
        ) from error
    if not table:
        raise UsageError(f"The catalogue {path.name} is empty.", hint=_HINT, path=path)
    names = [name.strip().lower() for name in table[0][1]]
    for line, row in table[1:]:
        if len(row) != len(names):
            raise UsageError(
                f"Line {line} of the catalogue {path.name} has {len(row)} cells, its header {len(names)}.", path=path
            )
    return _rows(names, [row for _, row in table[1:]], [f"Line {line}" for line, _ in table[1:]], path)


def _read_votable(raw: bytes, path: Path) -> _Rows:
    # No VOTable needs a document type, and entities are what expands without bound or reads other files. A declaration in
    # another encoding would not be seen here, so only ASCII-compatible XML is taken.
    if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw or b"\0" in raw:
        raise UsageError(
            f"The catalogue {path.name} is refused: its XML declares a document type or entities, or is not UTF-8.",
            hint="Save it as csv.",
            path=path,
        )
    if _REMOTE_DATA.search(raw):
        raise UsageError(
            f"The catalogue {path.name} is refused: its data lie elsewhere (STREAM href), and are not fetched.",
            hint="Save it with its data, or as csv.",
            path=path,
        )
    from astropy.io.votable import parse_single_table

    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # astropy warns of every deviation from the standard; what it can read is fine
            table = parse_single_table(io.BytesIO(raw), verify="ignore").to_table(use_names_over_ids=True)
    except Exception as error:  # the parser raises errors of many kinds for what is no VOTable
        raise UsageError(
            f"The catalogue {path.name} is no VOTable ({type(error).__name__}).", hint=_HINT, path=path
        ) from error
    names = [str(name).strip().lower() for name in table.colnames]
    rows = [["" if _is_masked(cell) else _cell_text(cell) for cell in row] for row in table.iterrows()]
    return _rows(names, rows, [f"Row {number}" for number in range(1, len(rows) + 1)], path)


def _is_masked(cell: object) -> bool:
    return bool(getattr(cell, "mask", False)) if getattr(cell, "shape", ()) == () else False


def _cell_text(cell: object) -> str:
    return cell.decode() if isinstance(cell, bytes) else str(cell)


def _rows(names: Sequence[str], rows: Sequence[Sequence[str]], where: Sequence[str], path: Path) -> _Rows:
    try:
        places = find_columns(names)
    except ValueError as error:
        raise UsageError(f"The catalogue {path.name} has the column {error} twice.", hint=_HINT, path=path) from error
    cells = tuple({name: _blank_to_none(row[place]) for name, place in places.items()} for row in rows)
    return _Rows(tuple(places), cells, tuple(where), stated_epoch_year(names))


def _blank_to_none(text: str) -> str | None:
    stripped = text.strip()
    return None if stripped.lower() in _BLANK else stripped


def _require_epoch(rows: _Rows, path: Path) -> None:
    moving = any(cells.get("pmra") and cells.get("pmdec") for cells in rows.cells)
    if moving and "ref_epoch" not in rows.columns and rows.epoch_year is None:
        raise UsageError(
            f"The catalogue {path.name} has proper motions, but no column ref_epoch says the year of its positions.",
            hint="Add ref_epoch: 2016.0 for Gaia DR3, 2015.5 for DR2, 2000.0 for the TIC.",
            path=path,
        )


def stars_near(stars: Sequence[Neighbour], position: SkyPosition, radius_arcsec: float) -> int:
    """How many stars lie within a radius of a position, as both are listed."""
    return sum(separation_arcsec(position, star.position) <= radius_arcsec for star in stars)


def _neighbour(
    cells: Mapping[str, str | None], where: str, path: Path, epoch_year: float | None, odd: _OddValues
) -> Neighbour:
    star_id = cells["id"]
    if star_id is None:
        raise UsageError(f"{where} has no id.", path=path)
    ra_deg, dec_deg = _number(cells, "ra", where, path), _number(cells, "dec", where, path)
    if ra_deg is None or dec_deg is None or not -90.0 <= dec_deg <= 90.0 or not -360.0 <= ra_deg <= 360.0:
        raise UsageError(
            f"{where} (id {star_id}) has no usable position: ra {cells['ra']}, dec {cells['dec']}.",
            hint="Positions are in degrees.",
            path=path,
        )
    pmra, pmdec = odd.motion(_number(cells, "pmra", where, path), _number(cells, "pmdec", where, path))
    epoch = _number(cells, "ref_epoch", where, path)
    if epoch is not None and not EARLIEST_EPOCH_YEAR <= epoch <= LATEST_EPOCH_YEAR:
        raise UsageError(
            f"{where} (id {star_id}) has ref_epoch {epoch:g}, which is no Julian year.",
            hint="ref_epoch is a year such as 2016.0.",
            path=path,
        )
    position = SkyPosition(
        ra_deg=ra_deg % 360.0,
        dec_deg=dec_deg,
        pmra_mas_per_yr=pmra or 0.0,
        pmdec_mas_per_yr=pmdec or 0.0,
        ref_epoch_year=epoch if epoch is not None else epoch_year if epoch_year is not None else TIC_EPOCH_YEAR,
        # A star whose row gives no epoch, in a file that has the column, cannot be moved from anywhere.
        pm_known=pmra is not None and pmdec is not None and ("ref_epoch" not in cells or epoch is not None),
    )
    return Neighbour(
        _exact_id(star_id, where, path),
        position,
        odd.magnitude(_number(cells, "tmag", where, path)),
        odd.magnitude(_number(cells, "gmag", where, path)),
    )


def _exact_id(star_id: str, where: str, path: Path) -> str:
    """An identifier as given; refuses one that has been through a float and has lost digits."""
    decimal = re.fullmatch(r"(\d+)\.0*", star_id)
    if _LOST_DIGITS.fullmatch(star_id) or (decimal and int(decimal.group(1)) > _LARGEST_EXACT):
        raise UsageError(
            f"{where}: the id {star_id} has lost digits (it was saved as a decimal number).",
            hint="Save the id column as text or as integers.",
            path=path,
        )
    return decimal.group(1) if decimal else star_id


def _number(cells: Mapping[str, str | None], name: str, where: str, path: Path) -> float | None:
    text = cells.get(name)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise UsageError(f"{where}: {name} is {text!r}, not a number.", hint=_HINT, path=path) from error
    return value if math.isfinite(value) else None
