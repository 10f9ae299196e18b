"""The star's parameters from ExoFOP's TOI and stellar tables: one row's where it says all, and what others say differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from btv_report.exofop.candidates.quantities import Measured, Quantity, find_quantities, keyed_records
from btv_report.exofop.candidates.rows import TOI_TABLE, filled, foreign_reason, plain, toi_name
from btv_report.exofop.types import ExoFopTable
from btv_report.targets import StellarParameters

STELLAR_QUANTITIES = (
    Quantity(
        "teff_k",
        "effective temperature",
        frozenset({"teff", "stellar eff temp", "effective temperature"}),
        {"k": 1.0},
        "K",
    ),
    Quantity(
        "logg_cgs",
        "log g",
        frozenset({"log(g)", "logg", "stellar log(g)"}),
        {"": 1.0, "cm/s^2": 1.0, "cgs": 1.0},
        may_be_negative=True,
    ),
    Quantity("radius_rsun", "radius", frozenset({"radius", "stellar radius"}), {"r_sun": 1.0}, "R_Sun"),
    Quantity("mass_msun", "mass", frozenset({"mass", "stellar mass"}), {"m_sun": 1.0}, "M_Sun"),
    Quantity("luminosity_lsun", "luminosity", frozenset({"luminosity", "stellar luminosity"}), {"l_sun": 1.0}, "L_Sun"),
    Quantity(
        "metallicity_dex",
        "metallicity",
        frozenset({"metallicity", "stellar metallicity", "[fe/h]", "[m/h]"}),
        {"": 1.0, "dex": 1.0},
        "dex",
        zero_is_missing=False,
        may_be_negative=True,
    ),
    Quantity("distance_pc", "distance", frozenset({"distance", "stellar distance"}), {"pc": 1.0, "kpc": 1e3}, "pc"),
)
MAX_ROWS = 100
_LABELS = ("toi", "tic")
"""Sources of the stellar table in order of preference: what the candidates rest on, then the catalogue, then observers."""


@dataclass(frozen=True)
class _StellarRow:
    """What one row gives, and what a reader calls the row."""

    whose: str
    given: Mapping[str, Measured]


def stellar_of(
    *, toi: ExoFopTable | None, stellar: ExoFopTable | None, tic_id: int
) -> tuple[StellarParameters | None, tuple[str, ...]]:
    """
    The star's parameters, and sentences about what the rows do not agree on.

    Each parameter is that of the first row that gives it: TOI rows, the last updated first, then the stellar table's. Nothing is
    averaged; where more than one row had to be used, a sentence says which gave what.

    Parameters
    ----------
    toi, stellar : the tables as they came; None where there is none
    tic_id : whose parameters are wanted; rows of other stars are never used

    Returns
    -------
    StellarParameters or None
        None when no row gives a parameter.
    tuple of str
        Sentences: values beyond each other's errors, values no star has, columns in an unknown unit, and where values come from.
    """
    notes: list[str] = []
    rows = [*_toi_rows(toi, tic_id, notes), *_stellar_rows(stellar, tic_id, notes)]
    if len(rows) > MAX_ROWS:
        notes.append(f"There are {len(rows):,d} rows on TIC {tic_id}; the first {MAX_ROWS} were looked at.")
        rows = rows[:MAX_ROWS]
    chosen: dict[str, float] = {}
    origin: dict[str, list[str]] = {}
    for quantity in STELLAR_QUANTITIES:
        giving = [row for row in rows if quantity.name in row.given]
        notes += [_impossible(quantity, row) for row in giving if not _possible(quantity, row)]
        giving = [row for row in giving if _possible(quantity, row)]
        if giving:
            chosen[quantity.name] = giving[0].given[quantity.name].value
            origin.setdefault(giving[0].whose, []).append(quantity.words)
            notes += _disagreements(quantity, giving, tic_id)
    if len(origin) > 1:
        parts = "; ".join(f"{', '.join(words)} from {whose}" for whose, words in origin.items())
        notes.append(f"The parameters of TIC {tic_id} come from more than one row: {parts}.")
    return (StellarParameters(**chosen) if chosen else None), tuple(dict.fromkeys(notes))


def _toi_rows(table: ExoFopTable | None, tic_id: int, notes: list[str]) -> list[_StellarRow]:
    """The target's TOI rows, the last updated first."""
    if table is None:
        return []
    found = []
    for record, given in _given(table, TOI_TABLE.words, tic_id, notes, asked_by_tic=False):
        updated = filled(record, *TOI_TABLE.updated_columns)
        found.append((updated, _StellarRow(f"TOI {toi_name(filled(record, 'TOI')) or 'without a number'}", given)))
    return [row for _, row in sorted(found, key=lambda item: item[0], reverse=True)]


def _stellar_rows(table: ExoFopTable | None, tic_id: int, notes: list[str]) -> list[_StellarRow]:
    """The rows of the stellar table in order of their sources."""
    if table is None:
        return []
    found = []
    for record, given in _given(table, "stellar table", tic_id, notes, asked_by_tic=True):
        label, date = plain(filled(record, "Table")), plain(filled(record, "Date")[:10])
        rank = _LABELS.index(label.casefold()) if label.casefold() in _LABELS else len(_LABELS)
        details = ", ".join(part for part in (label, date) if part)
        found.append((rank, _StellarRow(f"the stellar table{f' ({details})' if details else ''}", given)))
    return [row for _, row in sorted(found, key=lambda item: item[0])]


def _given(
    table: ExoFopTable, words: str, tic_id: int, notes: list[str], *, asked_by_tic: bool
) -> list[tuple[dict[str, str], dict[str, Measured]]]:
    """The target's rows as they came and as quantities; sentences about columns in a unit that is not known."""
    columns = find_quantities(table, STELLAR_QUANTITIES)
    notes += [
        f"The column {name[:60]!r} of the {words} is in a unit that is not known here, so that it was not read."
        for name in columns.unread[:MAX_ROWS]
    ]
    rows = []
    for record in keyed_records(table):
        if not foreign_reason(record, tic_id, asked_by_tic=asked_by_tic):
            measured = {quantity.name: columns.measured(quantity, record) for quantity in STELLAR_QUANTITIES}
            rows.append((record, {name: value for name, value in measured.items() if value is not None}))
    return rows


def _possible(quantity: Quantity, row: _StellarRow) -> bool:
    return quantity.may_be_negative or row.given[quantity.name].value > 0


def _impossible(quantity: Quantity, row: _StellarRow) -> str:
    value = row.given[quantity.name].written(quantity.unit_words)
    return f"The {quantity.words} in {row.whose} is {value}, which no star has; it was not used."


def _disagreements(quantity: Quantity, giving: Sequence[_StellarRow], tic_id: int) -> list[str]:
    """One sentence with every value that does not fit the one that is used; none when all do."""
    used = giving[0].given[quantity.name]
    others = [row for row in giving[1:] if not used.agrees_with(row.given[quantity.name])]
    if not others:
        return []
    unit = quantity.unit_words
    values = dict.fromkeys(f"{row.given[quantity.name].written(unit)} in {row.whose}" for row in others)
    return [
        f"The {quantity.words} of TIC {tic_id} is {used.written(unit)} in {giving[0].whose}, which is used, and "
        f"{', '.join(values)}."
    ]
