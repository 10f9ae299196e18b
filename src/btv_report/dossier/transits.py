"""The table of predicted transits: kept, or dropped and why."""

from __future__ import annotations

from btv_report.dossier.labels import candidate_title
from btv_report.dossier.numbers import fixed, integer, quantity
from btv_report.dossier.tables import Cell, CellKind, Column, Table, number_cell
from btv_report.dossier.text import plural, sentence_case, slug
from btv_report.record import RunRecord, TransitValue

_DEPTHS = (
    "Depths are those in the pipeline aperture, from the pixel file as it is: the background is the file's own, and light of "
    "neighbours is not corrected for."
)
_DROPPED = "not measured: the transit was dropped"


def build_transit_tables(record: RunRecord) -> tuple[Table, ...]:
    """One table a candidate; a candidate without a predicted transit gets a table without rows that says so."""
    tables = []
    for candidate in record["candidates"]:
        name = candidate["name"]
        transits = [transit for transit in record["transits"] if transit["candidate"] == name]
        transits.sort(key=lambda transit: (transit["mid_btjd"], transit["sector"]))
        kept = sum(transit["used"] for transit in transits)
        caption = f"{candidate_title(name)}: {plural(len(transits), 'predicted transit')}, {kept} kept"
        note = _DEPTHS if transits else "No transit is predicted in the sectors at hand: 0 expected, 0 used."
        columns = (
            Column("Transit", CellKind.NUMBER),
            Column("Sector", CellKind.NUMBER),
            Column("Mid-time (BTJD, TDB)", CellKind.NUMBER),
            Column("Used"),
            Column("Why dropped"),
            Column("Depth (ppm)", CellKind.NUMBER),
            Column("Peak pixel (row, column)", CellKind.NUMBER),
        )
        rows = tuple(_row(transit) for transit in transits)
        tables.append(Table(f"transits-{slug(name)}", caption, columns, rows, note, sortable=len(rows) > 5))
    return tuple(tables)


def _row(transit: TransitValue) -> tuple[Cell, ...]:
    depth = quantity(transit.get("depth_ppm"), error=transit.get("depth_ppm_err"), digits=3, reason=_DROPPED)
    row, column = transit.get("peak_row"), transit.get("peak_column")
    peak = Cell("—", CellKind.NUMBER, reason=_DROPPED)
    if row is not None and column is not None:
        peak = Cell(f"{row}, {column}", CellKind.NUMBER, sort=repr(row + column / 1000))
    return (
        Cell(integer(transit["number"]), CellKind.NUMBER, sort=str(transit["number"])),
        Cell(str(transit["sector"]), CellKind.NUMBER),
        Cell(fixed(transit["mid_btjd"], 4), CellKind.NUMBER, sort=repr(transit["mid_btjd"])),
        Cell("kept" if transit["used"] else "dropped"),
        Cell(sentence_case(transit["reason"]) or "—", reason="" if transit["reason"] else "it was kept"),
        number_cell(depth),
        peak,
    )
