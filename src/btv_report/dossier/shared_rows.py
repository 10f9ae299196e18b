"""Thresholds and parameters that several checks of a candidate have in common, in one table instead of in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from btv_report.dossier.tables import Column, Table, text_cell


def share_rows(
    tables: Sequence[tuple[str, Table | None]], table_id: str, caption: str
) -> tuple[Table | None, list[Table | None]]:
    """
    Take the rows that several tables hold out of them.

    Parameters
    ----------
    tables : name of a check and its table, all with the same columns; None where a check has none
    table_id, caption : of the table of common rows

    Returns
    -------
    common : Table or None
        The common rows, each with the names of the checks that have it; None when there is none.
    own : list of Table or None
        What is left of each table.
    """
    counts = Counter(row for _, table in tables if table is not None for row in table.rows)
    common = [row for row, count in counts.items() if count > 1]
    own = [
        None
        if table is None
        else replace(table, rows=rows)
        if (rows := tuple(row for row in table.rows if counts[row] == 1))
        else None
        for _, table in tables
    ]
    if not common:
        return None, own
    owners = {
        row: ", ".join(name for name, table in tables if table is not None and row in table.rows) for row in common
    }
    columns = next(table.columns for _, table in tables if table is not None)
    rows = tuple((*row, text_cell(owners[row])) for row in common)
    return Table(table_id, caption, (*columns, Column("Checks")), rows), own
