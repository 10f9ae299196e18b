"""Rows of the TOI, CTOI and planet tables as values: whose they are, what they are called and what they give."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from btv_report.exofop.candidates.quantities import Measured, Quantity, QuantityColumns, find_quantities, keyed_records
from btv_report.exofop.tables.cells import text_or_none, whole_number
from btv_report.exofop.tables.kinds import column_key
from btv_report.exofop.types import ExoFopTable
from btv_report.targets import MAX_SECTOR
from btv_report.time_systems import BTJD_REFERENCE_DAYS

JUPITER_RADIUS_EARTH = 71492.0 / 6378.1
"""Nominal equatorial radii of IAU 2015 resolution B3."""
MAX_TEXT = 4000
_TOI_NUMBER = re.compile(r"(?:TOI)?[\s-]*(\d{1,12})\.(\d{1,20})", re.ASCII | re.IGNORECASE)
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .+-]{0,38}[A-Za-z0-9]?")

BJD_ZERO_POINTS = {
    "bjd": 0,
    "bjd_tdb": 0,
    "bjdtdb": 0,
    "btjd": BTJD_REFERENCE_DAYS,
    "bjd-2457000": BTJD_REFERENCE_DAYS,
}
"""BJD of time 0 by what a column says; a bare BJD is TDB, as everywhere in the TESS tables."""
PERIOD = Quantity(
    "period_days",
    "period",
    frozenset({"period", "orbital period"}),
    {"days": 1.0, "day": 1.0, "d": 1.0},
    "d",
)
DURATION = Quantity(
    "duration_hours",
    "duration",
    frozenset({"duration", "transit duration"}),
    {
        "hours": 1.0,
        "hour": 1.0,
        "hrs": 1.0,
        "hr": 1.0,
        "h": 1.0,
        "days": 24.0,
        "d": 24.0,
        "minutes": 1 / 60,
        "min": 1 / 60,
    },
    "h",
)
EPOCH = Quantity("epoch", "epoch", frozenset({"epoch", "transit epoch"}), {}, "d")
"""As the column has it, in whatever scale; `candidate_checks.epoch_btjd` judges it."""
DEPTH_PPM = Quantity(
    "depth_ppm",
    "depth",
    frozenset({"depth", "transit depth"}),
    {"ppm": 1.0, "ppt": 1e3, "%": 1e4, "percent": 1e4},
    "ppm",
)
DEPTH_MMAG = Quantity("depth_mmag", "depth", frozenset({"depth", "transit depth"}), {"mmag": 1.0, "mag": 1e3}, "mmag")
RADIUS = Quantity(
    "radius_earth",
    "planet radius",
    frozenset({"planet radius", "radius"}),
    {"r_earth": 1.0, "r_jup": JUPITER_RADIUS_EARTH, "r_jupiter": JUPITER_RADIUS_EARTH},
    "R_Earth",
)
STAR_RADIUS = Quantity("star_radius", "stellar radius", frozenset({"stellar radius"}), {"r_sun": 1.0}, "R_Sun")
STAR_MASS = Quantity("star_mass", "stellar mass", frozenset({"stellar mass"}), {"m_sun": 1.0}, "M_Sun")
QUANTITIES = (PERIOD, EPOCH, DURATION, DEPTH_PPM, DEPTH_MMAG, RADIUS, STAR_RADIUS, STAR_MASS)


@dataclass(frozen=True)
class CandidateTable:
    """
    Which table rows come from.

    Attributes
    ----------
    words : as a reader calls it
    prefix : of its names in a sentence
    source : of `Ephemeris`
    name_columns : the candidate's name: the first that holds a number such as `1262.01`, else what the last holds
    toi_columns : the TOI that a row is about
    updated_columns : when it was changed
    asked_by_tic : it was asked for one TIC number, so that a table without a TIC column is of that star
    """

    words: str
    prefix: str
    source: str
    name_columns: tuple[str, ...]
    toi_columns: tuple[str, ...]
    updated_columns: tuple[str, ...]
    asked_by_tic: bool = False


TOI_TABLE = CandidateTable(
    "TOI table",
    "TOI ",
    "exofop_toi",
    ("TOI",),
    ("TOI",),
    ("Date TOI Updated (UTC)", "Date TOI Alerted (UTC)", "Date Modified"),
)
CTOI_TABLE = CandidateTable(
    "CTOI table", "CTOI ", "exofop_ctoi", ("CTOI",), ("Promoted to TOI",), ("CTOI lastmod", "Lastmod")
)
PLANET_TABLE = CandidateTable(
    "planet table", "", "exofop_planet", ("TOI", "Name"), ("TOI", "Name"), ("Date",), asked_by_tic=True
)


@dataclass(frozen=True)
class CandidateRow:
    """
    One row of a table.

    Attributes
    ----------
    table : where it stands
    place : which row of the table, from 1
    name : of the candidate, such as `1262.01`; safe to print
    toi : the TOI that it is about, None where it says none
    label : which of a table's sources it is, such as `Exoplanet Archive`; empty where there is one
    foreign : why it is not the target's; empty when it is
    given : quantity name to what the row gives
    texts : field of `record.ExoFopCandidateValue` to foreign text
    sectors : as listed; None where not listed, or not as numbers
    cells : the row, verbatim
    """

    table: CandidateTable
    place: int
    name: str
    toi: str | None
    label: str
    foreign: str
    given: Mapping[str, Measured]
    texts: Mapping[str, str]
    sectors: tuple[int, ...] | None
    cells: tuple[str, ...]

    @property
    def updated(self) -> str:
        """When the row was changed, as written; empty where it does not say."""
        return self.texts.get("updated", "")

    @property
    def whose(self) -> str:
        """`TOI 1262.01 (TOI table, row 1)`, `HD 104654 b (planet table, Exoplanet Archive, row 2)`."""
        place = ", ".join(part for part in (self.table.words, self.label, f"row {self.place}") if part)
        return f"{self.table.prefix}{self.name} ({place})"


def read_rows(table: ExoFopTable, kind: CandidateTable, tic_id: int) -> tuple[list[CandidateRow], list[str]]:
    """
    Every row of a table, in its order, and sentences about columns that could not be read.

    Parameters
    ----------
    table : as it came
    kind : which table it is
    tic_id : whose rows are wanted; rows of others say so in `foreign`
    """
    columns = find_quantities(table, QUANTITIES)
    rows = [
        _row(place, record, columns, kind, tic_id=tic_id, cells=cells)
        for place, (record, cells) in enumerate(zip(keyed_records(table), table.rows, strict=True), start=1)
    ]
    notes = [
        f"The column {name[:60]!r} of the {kind.words} is in a unit that is not known here, so that it was not read."
        for name in columns.unread
    ]
    return rows, notes


def filled(record: Mapping[str, str], *columns: str) -> str:
    """
    The first of some cells of a row that says something, stripped and bounded; empty when none does.

    Parameters
    ----------
    record : of `keyed_records`
    columns : names as ExoFOP writes them
    """
    for column in columns:
        if text := text_or_none(record.get(column_key(column), "")[:MAX_TEXT]):
            return text
    return ""


def plain(text: str) -> str:
    """Foreign text that is a plain name of letters, digits and few signs; empty for any other."""
    return text if _PLAIN_NAME.fullmatch(text) else ""


def toi_name(text: str) -> str | None:
    """
    The number of a TOI's candidate in its one spelling; None for what is none, such as a star's number alone.

    `1262.01`, `TOI 1262.01`, `TOI-1262.01` and `1262.010000000001` are `1262.01`; a number that lost its last zero on its way
    through a float, `1262.1`, is `1262.10`, since candidates have two digits.
    """
    match = _TOI_NUMBER.fullmatch(text.strip())
    if match is None:
        return None
    whole = int(match[1])
    hundredths = round(Decimal(f"0.{match[2]}") * 100, 6)
    if hundredths != hundredths.to_integral_value():
        return None
    return f"{whole}.{int(hundredths):02d}" if hundredths < 100 else None


def tic_number(text: str) -> int | None:
    """A TIC number as the tables write it (`365938305`, `TIC 365938305`, `365938305.0`); None for what is none."""
    return whole_number(re.sub(r"^TIC\b", "", text.strip(), flags=re.IGNORECASE))


def foreign_reason(record: Mapping[str, str], tic_id: int, *, asked_by_tic: bool) -> str:
    """Why a row is not of the star, as a sentence; empty when it is."""
    column = "TIC ID" if column_key("TIC ID") in record else "TIC"
    if column_key(column) not in record:
        return "" if asked_by_tic else "The table has no column of TIC numbers, so that whose row it is is not known."
    text = filled(record, column)
    found = tic_number(text)
    if found == tic_id:
        return ""
    if found is not None:
        return f"The row is of TIC {found}, not of TIC {tic_id}."
    given = f"its TIC number ({text[:20]!r}) cannot be read" if text else "it gives no TIC number"
    return f"Whose row it is is not known: {given}."


def sector_list(text: str) -> tuple[int, ...] | None:
    """`14,20,21` as numbers, each once and in order; None when the text is empty or something else stands in it."""
    words = text.replace(",", " ").split()
    if not words or not all(word.isascii() and word.isdecimal() and len(word) < 5 for word in words):
        return None
    sectors = sorted({int(word) for word in words})
    return tuple(sectors) if sectors[0] > 0 and sectors[-1] <= MAX_SECTOR else None


def _row(
    place: int,
    record: Mapping[str, str],
    columns: QuantityColumns,
    kind: CandidateTable,
    *,
    tic_id: int,
    cells: tuple[str, ...],
) -> CandidateRow:
    measured = {quantity.name: columns.measured(quantity, record) for quantity in QUANTITIES}
    texts = {
        "disposition_tess": filled(record, "TESS Disposition"),
        "disposition_tfopwg": filled(record, "TFOPWG Disposition"),
        "updated": filled(record, *kind.updated_columns),
        "comments": filled(record, "Comments", "Notes"),
    }
    toi = next((name for column in kind.toi_columns if (name := toi_name(filled(record, column)))), None)
    return CandidateRow(
        table=kind,
        place=place,
        name=_name(record, kind, place),
        toi=toi,
        label=plain(filled(record, "Table")) if kind is PLANET_TABLE else "",
        foreign=foreign_reason(record, tic_id, asked_by_tic=kind.asked_by_tic),
        given={name: value for name, value in measured.items() if value is not None},
        texts={name: text for name, text in texts.items() if text},
        sectors=sector_list(filled(record, "Sectors")),
        cells=cells,
    )


def _name(record: Mapping[str, str], kind: CandidateTable, place: int) -> str:
    """A TOI number in its one spelling, else the name as it is while it is plain, else the row's place."""
    numbers = (toi_name(filled(record, column)) for column in kind.name_columns)
    return next(filter(None, numbers), "") or plain(filled(record, kind.name_columns[-1])) or f"row {place}"
