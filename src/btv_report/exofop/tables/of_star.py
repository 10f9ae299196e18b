"""A table about one star: rows of others, which a service that mixed its targets up would give, are told apart."""

from __future__ import annotations

from dataclasses import replace

from btv_report.exofop.tables.reading import read_table
from btv_report.exofop.types import ExoFopTable, RejectedRow


def read_star_table(content: bytes, name: str, tic_id: int) -> ExoFopTable:
    """
    A table about one star; rows of another count as rejected, and none is lost.

    Raises
    ------
    TableError
        If the bytes are no such table.
    """
    table = read_table(content, name)
    names = [name.strip() for name in table.columns]
    if "TIC ID" not in names:
        return table
    place = names.index("TIC ID")
    kept, rejected = [], list(table.rejected)
    for number, row in enumerate(table.rows, start=1):
        stated = row[place].strip()
        if stated.isascii() and stated.isdecimal() and stated.lstrip("0") != str(tic_id):
            rejected.append(RejectedRow(number + 1, f"it is of TIC {stated[:12]}", " | ".join(row)))
        else:
            kept.append(row)
    return replace(table, rows=tuple(kept), rejected=tuple(rejected))
