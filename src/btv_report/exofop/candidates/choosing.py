"""From the rows of ExoFOP's TOI, CTOI and planet tables to the candidates of a target."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from btv_report.ephemeris import Ephemeris
from btv_report.errors import EphemerisError
from btv_report.exofop.candidates.checks import (
    depth_disagreement,
    depth_ppm,
    differences,
    duration_doubt,
    epoch_btjd,
    same_signal,
)
from btv_report.exofop.candidates.rows import (
    CTOI_TABLE,
    DURATION,
    EPOCH,
    PERIOD,
    PLANET_TABLE,
    RADIUS,
    TOI_TABLE,
    CandidateRow,
    CandidateTable,
    plain,
    read_rows,
)
from btv_report.exofop.types import ExoFopTable
from btv_report.record import ExoFopCandidateValue

MAX_ROWS = 100
"""Rows of one table that are looked at; the star with most TOIs has a tenth of it."""
MAX_FOREIGN_ROWS = 10
"""Rows of other stars that are listed one by one; a whole TOI table has thousands, and they are counted."""
MAX_SENTENCES = 40
_PLANET_LABELS = ("exoplanet archive", "toi")
"""Sources of the planet table in order of preference; the others follow, the newest first."""


@dataclass(frozen=True)
class CandidateRows:
    """
    The candidates of a target.

    Attributes
    ----------
    ephemerides : those to look at, in the order of their names, each name once
    values : every row that was read, used or with the reason why not
    disagreements : sentences: rows that contradict each other or themselves, and rows left out
    """

    ephemerides: tuple[Ephemeris, ...]
    values: list[ExoFopCandidateValue]
    disagreements: tuple[str, ...]


@dataclass(frozen=True)
class _Judged:
    """A row, the ephemeris that it gives, and why it is not used; empty when it is."""

    row: CandidateRow
    ephemeris: Ephemeris | None
    reason: str


def candidates_of(
    *, tic_id: int, toi: ExoFopTable | None, planet: ExoFopTable | None, ctoi: ExoFopTable | None = None
) -> CandidateRows:
    """
    The candidates of a target: every TOI row; where it has none, its CTOI rows, else its rows of the planet table.

    A disposition is no reason to leave a row out: false positives are looked at, too.

    Parameters
    ----------
    tic_id : whose candidates are wanted; rows of other stars are never used
    toi, planet, ctoi : the tables as they came; None where there is none

    Returns
    -------
    CandidateRows
        Epochs in BTJD, exact to the digits given; durations in hours; depths in ppm.
    """
    notes: list[str] = []
    tables = []
    for table, kind in ((toi, TOI_TABLE), (ctoi, CTOI_TABLE), (planet, PLANET_TABLE)):
        if table is not None:
            rows, said = read_rows(table, kind, tic_id)
            kept, left_out = _bounded(rows, kind)
            tables.append([_judge(row) for row in kept])
            notes += [*said, *left_out]
    chosen = _choose(tables)
    judged = [item for rows in chosen for item in rows]
    return CandidateRows(
        tuple(item.ephemeris for item in judged if item.ephemeris and not item.reason),
        [_value(item) for item in judged],
        _first(dict.fromkeys([*notes, *_disagreements(judged)])),
    )


def _bounded(rows: Sequence[CandidateRow], kind: CandidateTable) -> tuple[list[CandidateRow], list[str]]:
    """The rows to look at, in the order of their names, and sentences about those left out."""
    own = sorted((row for row in rows if not row.foreign), key=_order)
    foreign = [row for row in rows if row.foreign]
    notes = []
    if len(own) > MAX_ROWS:
        notes.append(f"The {kind.words} has {len(own):,d} rows of the target; the first {MAX_ROWS} were looked at.")
    if len(foreign) > MAX_FOREIGN_ROWS:
        notes.append(f"{len(foreign):,d} rows of the {kind.words} are of other stars or of none, and were left aside.")
        foreign = []
    return [*own[:MAX_ROWS], *foreign], notes


def _order(row: CandidateRow) -> tuple[int, str, int]:
    """TOI 999.02 before TOI 1000.01, and numbers before names."""
    whole = row.name.partition(".")[0]
    return int(whole) if whole.isdecimal() else 10**13, row.name, row.place


def _judge(row: CandidateRow) -> _Judged:
    """Whether a row gives an ephemeris, whatever else there is."""
    if row.foreign:
        return _Judged(row, None, row.foreign)
    missing = [quantity.words for quantity in (PERIOD, EPOCH, DURATION) if quantity.name not in row.given]
    if missing:
        return _Judged(row, None, f"{_listed(missing)} not given: 0, nothing or no number stands there.")
    epoch, fault = epoch_btjd(row.given[EPOCH.name])
    if epoch is None:
        return _Judged(row, None, fault)
    try:
        ephemeris = Ephemeris(
            row.given[PERIOD.name].value, epoch, row.given[DURATION.name].value, row.name, row.table.source
        )
    except EphemerisError as error:
        return _Judged(row, None, error.message)
    doubt = duration_doubt(row)
    return _Judged(row, None if doubt else ephemeris, doubt)


def _choose(tables: Sequence[list[_Judged]]) -> list[list[_Judged]]:
    """Use the rows of one table, the first that is the target's own; say of the others that they are not used."""
    tables = [_one_a_name(rows) for rows in tables]
    of_target = [rows for rows in tables if any(not item.row.foreign for item in rows)]
    in_use = next((rows for rows in of_target if rows[0].row.table is TOI_TABLE or _used(rows)), None)
    if in_use is None:
        return list(tables)
    words = in_use[0].row.table.words
    if _used(in_use):
        reason = f"The rows of the {words} are used."
    else:
        reason = (
            f"The candidates are those of the {words}, which gives no usable ephemeris. "
            "Give --period, --epoch and --duration to use this row."
        )
    return [rows if rows is in_use else [_set_aside(item, reason) for item in rows] for rows in tables]


def _one_a_name(rows: list[_Judged]) -> list[_Judged]:
    """Keep one row a candidate in use: one that gives an ephemeris, the newest of them."""
    best: dict[str, _Judged] = {}
    for item in sorted(rows, key=_preference):
        if not item.row.foreign:
            best.setdefault(item.row.name, item)
    winners = list(best.values())
    if rows and rows[0].row.table is PLANET_TABLE:
        winners = _without_repeats(winners)
    return [
        item
        if item.row.foreign or item.ephemeris is None or any(item is winner for winner in winners)
        else _set_aside(item, _why_another(item, best[item.row.name], winners))
        for item in rows
    ]


def _preference(item: _Judged) -> tuple[bool, int, tuple[int, ...], int]:
    label = item.row.label.casefold()
    rank = _PLANET_LABELS.index(label) if label in _PLANET_LABELS else len(_PLANET_LABELS)
    newest_first = tuple(-ord(character) for character in item.row.updated[:19])
    return item.ephemeris is None, rank, newest_first or (1,), item.row.place


def _without_repeats(winners: list[_Judged]) -> list[_Judged]:
    """Of rows under several names that predict the same transits, the preferred one."""
    kept: list[_Judged] = []
    for item in winners:
        if not any(item.ephemeris and same_signal(one.row, item.row) for one in kept if one.ephemeris):
            kept.append(item)
    return kept


def _why_another(item: _Judged, winner: _Judged, winners: Sequence[_Judged]) -> str:
    if not any(winner is one for one in winners):
        return "The row repeats the transits of another one, which is used."
    if winner.row.cells == item.row.cells:
        return f"The row repeats row {winner.row.place}."
    date = plain(winner.row.updated[:10])
    when = f", updated {date}" if date else ""
    return f"Row {winner.row.place} is of the same candidate{when}; it is used."


def _set_aside(item: _Judged, reason: str) -> _Judged:
    """Not used for another's sake; a row's own fault is told rather."""
    return item if item.reason else _Judged(item.row, item.ephemeris, reason)


def _used(rows: Iterable[_Judged]) -> list[_Judged]:
    return [item for item in rows if not item.reason]


def _disagreements(judged: Sequence[_Judged]) -> list[str]:
    """Depths that contradict each other, rows on one candidate that do, and two candidates that are one signal."""
    own = [item for item in judged if not item.row.foreign]
    found = [depth_disagreement(item.row) for item in own]
    by_name: dict[str, _Judged] = {item.row.toi or item.row.name: item for item in reversed(own)}
    by_name.update({item.row.toi or item.row.name: item for item in reversed(_used(own))})
    for item in own:
        first = by_name[item.row.toi or item.row.name]
        if first is not item:
            found.append(differences(first.row, item.row))
    used = _used(own)
    for place, one in enumerate(used):
        found += [
            f"{one.row.whose} and {other.row.whose} have the same period and mid-times: they are one signal."
            for other in used[place + 1 :]
            if same_signal(one.row, other.row)
        ]
    return [sentence for sentence in found if sentence]


def _value(item: _Judged) -> ExoFopCandidateValue:
    """The row for the record; what it does not give is absent."""
    row = item.row
    epoch = epoch_btjd(row.given[EPOCH.name])[0] if EPOCH.name in row.given else None
    numbers = {
        quantity.name: row.given[quantity.name].value
        for quantity in (PERIOD, DURATION, RADIUS)
        if quantity.name in row.given and row.given[quantity.name].value > 0
    }
    fields = {"name": row.name, "source": row.table.source, "used": not item.reason, "reason": item.reason}
    optional = {
        **numbers,
        "epoch_btjd": epoch,
        "depth_ppm": depth_ppm(row),
        **row.texts,
        "sectors": list(row.sectors) if row.sectors else None,
    }
    given = {name: value for name, value in optional.items() if value is not None}
    return cast(ExoFopCandidateValue, {**fields, **given})


def _first(sentences: Iterable[str]) -> tuple[str, ...]:
    sentences = list(sentences)
    if len(sentences) <= MAX_SENTENCES:
        return tuple(sentences)
    return (*sentences[:MAX_SENTENCES], f"{len(sentences) - MAX_SENTENCES} more disagreements are not told.")


def _listed(words: Sequence[str]) -> str:
    text = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return text[0].upper() + text[1:]
