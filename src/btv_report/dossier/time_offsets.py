"""The times of the light curves of one sector held against each other, as a table."""

from __future__ import annotations

from btv_report.dossier.numbers import Quantity, integer, quantity, unknown
from btv_report.dossier.tables import Cell, CellKind, Column, Table, code_cell, number_cell, text_cell
from btv_report.record import RunRecord, TimeOffsetValue

_NO_RELATION = "the cadences of the two stand in no fixed relation"


def build_time_offsets(record: RunRecord) -> Table | None:
    """Offsets between the pipelines of a sector; None where no sector has two light curves at hand."""
    offsets = record.get("time_offsets", [])
    if not offsets:
        return None
    columns = (
        Column("Sector", CellKind.NUMBER),
        Column("Light curve"),
        Column("Against the one used"),
        Column("Offset (s)", CellKind.NUMBER),
        Column("Spread (s)", CellKind.NUMBER),
        Column("Pairs", CellKind.NUMBER),
        Column("File", CellKind.CODE),
    )
    rows = tuple(
        (
            Cell(str(offset["sector"]), CellKind.NUMBER),
            text_cell(_named(offset["pipeline"], offset["procver"])),
            text_cell(_named(offset["against_pipeline"], offset["against_procver"])),
            number_cell(_seconds(offset, "offset_s")),
            number_cell(_seconds(offset, "spread_s")),
            number_cell(_pairs(offset)),
            code_cell(offset["file"]),
        )
        for offset in offsets
    )
    note = (
        "Median difference of the nearest mid-times; about 0 and about 2 s are known between pipelines and their versions. "
        "Nothing is corrected: the transit times of a dossier are those of the light curve used."
    )
    return Table("time-offsets", "Times of the light curves of one sector", columns, rows, note)


def _named(pipeline: str, procver: str | None) -> str:
    return f"{pipeline} ({procver})" if procver else f"{pipeline} (states no PROCVER)"


def _seconds(offset: TimeOffsetValue, name: str) -> Quantity:
    value = offset.get(name)
    return quantity(float(value), "", digits=3) if isinstance(value, int | float) else unknown(_NO_RELATION)


def _pairs(offset: TimeOffsetValue) -> Quantity:
    pairs = offset.get("n_pairs")
    return Quantity(integer(pairs), value=pairs) if pairs is not None else unknown(_NO_RELATION)
