"""Typed rows of ExoFOP's file list, from its table or from the JSON of a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from btv_report.exofop.payloads.file_names import name_of_nameless
from btv_report.exofop.tables.cells import text_or_none, whole_number
from btv_report.exofop.tables.kinds import column_key
from btv_report.exofop.types import ExoFopFileRow, ExoFopTable, RejectedRow

TABLE_NAMES: Mapping[str, tuple[str, ...]] = {
    "file_id": ("File ID",),
    "tic_id": ("TIC ID", "TIC"),
    "toi": ("TOI",),
    "filename": ("File Name", "Filename"),
    "type": ("Type", "File Type"),
    "date_utc": ("Date", "Date (UT)"),
    "tag": ("Tag", "TAG ID"),
    "description": ("Description",),
    "user": ("User", "Username"),
    "group": ("Group", "Groupname"),
}
"""Field of a file row to the names that its column has."""


def file_rows(table: ExoFopTable, tic_id: int) -> tuple[tuple[ExoFopFileRow, ...], tuple[RejectedRow, ...]]:
    """
    The files of a file list.

    Parameters
    ----------
    table : ExoFopTable
        Read as `filelist`; with or without a column of TIC numbers.
    tic_id : int
        The star that was asked for; files of others are rejected (F-043).

    Returns
    -------
    (tuple of ExoFopFileRow, tuple of RejectedRow)
        Each row of the table is in exactly one of them; those that the table itself rejected come first among the rejected.
        Line numbers of the others are exact where no row above them has several lines.
    """
    wanted = {field: _first_column(table.columns, names) for field, names in TABLE_NAMES.items()}
    cells = [
        {field: row[index] for field, index in wanted.items() if index is not None and index < len(row)}
        for row in table.rows
    ]
    rows, rejected = rows_of_files(cells, tic_id, [" | ".join(row) for row in table.rows], first_line=2)
    return rows, (*table.rejected, *rejected)


def rows_of_files(
    entries: Sequence[Mapping[str, str]], tic_id: int, texts: Sequence[str], *, first_line: int = 1
) -> tuple[tuple[ExoFopFileRow, ...], tuple[RejectedRow, ...]]:
    """
    File rows from fields as text; an entry without a File ID, of another star, or given twice is rejected.

    One without a name is called by its File ID, which is all that is needed to fetch it.

    Parameters
    ----------
    entries : fields of ExoFopFileRow by name
    tic_id : of the star that was asked for
    texts : the entries as they came
    first_line : number of the first entry
    """
    rows: dict[int, ExoFopFileRow] = {}
    rejected: list[RejectedRow] = []
    for line, (entry, text) in enumerate(zip(entries, texts, strict=True), start=first_line):
        row = _file_row(entry, tic_id)
        if isinstance(row, ExoFopFileRow) and row.file_id in rows:
            row = f"File ID {row.file_id} stands in the list before, as {rows[row.file_id].filename[:80]!r}"
        if isinstance(row, str):
            rejected.append(RejectedRow(line, row, text))
        else:
            rows[row.file_id] = row
    return tuple(rows.values()), tuple(rejected)


def _file_row(entry: Mapping[str, str], tic_id: int) -> ExoFopFileRow | str:
    """One row, or the reason why it is none."""
    file_id = whole_number(entry.get("file_id"))
    if file_id is None:
        return "it has no File ID"
    listed = text_or_none(entry.get("tic_id"))
    if listed is not None and whole_number(listed) != tic_id:
        return f"it is of TIC {listed[:20]}, and TIC {tic_id} was asked for"
    tag = text_or_none(entry.get("tag"))
    tag_number = whole_number(tag)
    return ExoFopFileRow(
        file_id=file_id,
        tic_id=tic_id,
        toi=text_or_none(entry.get("toi")),
        filename=text_or_none(entry.get("filename")) or name_of_nameless(file_id),
        type=text_or_none(entry.get("type")) or "",
        date_utc=text_or_none(entry.get("date_utc")),
        tag=tag if tag_number is None else tag_number,
        description=text_or_none(entry.get("description")),
        user=text_or_none(entry.get("user")),
        group=text_or_none(entry.get("group")),
    )


def _first_column(columns: Sequence[str], names: Sequence[str]) -> int | None:
    keys = [column_key(column) for column in columns]
    return next((keys.index(column_key(name)) for name in names if column_key(name) in keys), None)
