"""
ExoFOP's tables from bytes: rows read = rows kept + rows rejected, and every cell as it came.

A table is known by its header line, which also tells how its cells are parted: what was asked for does not (F-048). A row has as
many cells as the header names, each fitting its column; a pipe or line end in the words at the end of a row belongs to them.
Whatever else comes is rejected with a reason, so that no cell ever stands under another column's name.
"""

from __future__ import annotations

import re

from btv_report.answer_states import AnswerState
from btv_report.archive.limits import MB, Limits
from btv_report.archive.web_pages import looks_like_html, safe_excerpt
from btv_report.exofop.tables.cells import text_or_none
from btv_report.exofop.tables.kinds import TABLE_KINDS, Fit, TableKind
from btv_report.exofop.tables.text import DELIMITERS, RawRow, decode, header_span, raw_rows, split_cells
from btv_report.exofop.types import ExoFopTable, RejectedRow

MAX_COLUMNS = 1000
MAX_ROWS = 500_000
_PAGE_BYTES = 200_000
_LOGIN = re.compile(rb"<form\b[^>]{0,300}\bpassword_check\.php|<input\b[^>]{0,300}\btype\s*=\s*[\"']?password\b", re.I)
_LOGIN_WORDS = re.compile(rb"invalid username or password|not authori[sz]ed|you must (?:be logged|log) in", re.I)
_SERVER_FAULT = re.compile(r"\s*(?:<br\s*/?>\s*)?<b>(?:Fatal error|Warning|Notice|Parse error|Deprecated)</b>:")
"""How a script that fails half-way goes on: such a line is no part of anybody's note."""


class TableError(Exception):
    """
    Bytes that are not the table or object that was asked for.

    Attributes
    ----------
    state : what became of the question
    words : a clause that begins with what came, such as `a web page came where the table toi was due`
    """

    def __init__(self, state: AnswerState, words: str) -> None:
        super().__init__(words)
        self.state = state
        self.words = words


def looks_like_login(content: bytes) -> bool:
    """Whether an answer is a page that asks for a login, or a page or line that says that there is none (F-015, F-065)."""
    page = content[:_PAGE_BYTES]
    if looks_like_html(content):
        return _LOGIN.search(page) is not None or _LOGIN_WORDS.search(page) is not None
    return len(content) <= 300 and _LOGIN_WORDS.search(page) is not None


def refuse_other_than_data(content: bytes, what: str, most_bytes: int) -> None:
    """
    Go on with an answer of sensible size that is no web page.

    Parameters
    ----------
    content : the answer
    what : was due, such as `the table toi`
    most_bytes : it may have

    Raises
    ------
    TableError
        THROTTLED when nothing came (that is how a busy server says no), REJECTED when too much did, AUTH_REQUIRED for a login
        page, CORRUPT for another page.
    """
    if not content.strip(b"\xef\xbb\xbf \t\r\n\0"):
        words = f"an empty answer came where {what} was due, which is how a busy server says no"
        raise TableError(AnswerState.THROTTLED, words)
    if len(content) > most_bytes:
        words = f"{len(content):,d} bytes came where {what} was due, more than the limit of {most_bytes // MB} MB"
        raise TableError(AnswerState.REJECTED, words)
    if looks_like_login(content):
        raise TableError(AnswerState.AUTH_REQUIRED, f"a login page came where {what} was due")
    if looks_like_html(content):
        raise TableError(AnswerState.CORRUPT, f"a web page came where {what} was due ({safe_excerpt(content)!r})")


def read_table(content: bytes, name: str) -> ExoFopTable:
    """
    Read one of ExoFOP's tables.

    Parameters
    ----------
    content : bytes
        The whole answer: csv or pipe, UTF-8, Latin-1 or both.
    name : str
        A key of `TABLE_KINDS`.

    Returns
    -------
    ExoFopTable
        Without rows when only a header came, which is ExoFOP's way to say that there is nothing; rows that could not be read
        stand in `rejected`, so that a table without rows may still not be an empty one.

    Raises
    ------
    TableError
        When the bytes are no such table.
    """
    kind, what = TABLE_KINDS[name], f"the table {name}"
    refuse_other_than_data(content, what, Limits.table_bytes)
    text, encoding = decode(content)
    begin, end = header_span(text)
    delimiter, columns = _header(text[begin:end], kind, what)
    layout = _Layout(kind, columns, delimiter)
    assembly = _Assembly(layout)
    for raw in raw_rows(text, end, delimiter, len(columns), layout.is_row):
        assembly.take(raw)
        if assembly.n_read > MAX_ROWS:
            raise TableError(AnswerState.REJECTED, f"more than {MAX_ROWS:,d} rows came where {what} was due")
    assembly.close()
    is_ended = text.endswith(("\n", "\r"))
    if not is_ended and not assembly.n_read:
        words = (
            f"the answer ends in the middle of the header where {what} was due, so that it is not known what follows"
        )
        raise TableError(AnswerState.CORRUPT, words)
    return ExoFopTable(
        name=name,
        columns=columns,
        rows=tuple(tuple(cells) for cells in assembly.rows),
        rejected=tuple(assembly.rejected),
        encoding=encoding,
        notes=tuple(_sentences(layout, assembly, is_ended=is_ended)),
    )


def _header(line: str, kind: TableKind, what: str) -> tuple[str, tuple[str, ...]]:
    """What parts the cells, and the names of the columns: of all readings the one with most of the needed columns."""
    readings = [
        (delimiter, tuple(cells))
        for delimiter in DELIMITERS
        if (cells := split_cells(line, delimiter, MAX_COLUMNS)) is not None and len(cells) <= MAX_COLUMNS
    ]
    excerpt = repr(safe_excerpt(line[:1000].encode("utf-8", "replace")))
    if not readings:
        raise TableError(AnswerState.CORRUPT, f"what came where {what} was due begins with no header ({excerpt})")
    delimiter, columns = min(readings, key=lambda reading: (len(kind.missing(reading[1])), -len(reading[1])))
    if missing := kind.missing(columns):
        words = f"what came where {what} was due has no column {' or '.join(missing)} in its first line ({excerpt})"
        raise TableError(AnswerState.CORRUPT, words)
    return delimiter, columns


class _Layout:
    """The form that a row must have."""

    def __init__(self, kind: TableKind, columns: tuple[str, ...], delimiter: str) -> None:
        self.kind = kind
        self.columns = columns
        self.delimiter = delimiter
        self.ends_with_words = kind.is_free_text(columns[-1])
        fits = [(index, kind.fit_of(column)) for index, column in enumerate(columns)]
        self._fits = [(index, fit) for index, fit in fits if fit is not None]

    def is_row(self, cells: list[str]) -> bool:
        """Whether there are cells for all columns, and each fits its own."""
        return len(cells) >= len(self.columns) and not self.fault(cells)

    def fault(self, cells: list[str]) -> str:
        """The first reason why cells are no row; empty when they are one."""
        if len(cells) < len(self.columns):
            return f"it has {len(cells)} cells where the header names {len(self.columns)} columns"
        for index, fit in self._fits:
            if not fit.takes(cells[index]):
                return f"{cells[index].strip()[:40]!r} stands under {self.columns[index].strip()}, which is {fit.value}"
        if len(cells) > len(self.columns) and not self.ends_with_words and cells[-1].strip():
            return f"it has more cells than the header names columns ({len(self.columns)})"
        return ""

    def begins_a_row(self, cells: list[str]) -> bool:
        """Whether cells that are no row were meant as one: what identifies a row stands at its place, or all cells are there."""
        keys = [index for index, fit in self._fits if fit is Fit.KEY]
        at_place = [text_or_none(cells[index]) is not None and fit.takes(cells[index])
                    for index, fit in self._fits if fit in {Fit.KEY, Fit.DATE} and index < len(cells)]  # fmt: skip
        if len(cells) >= len(self.columns):
            return any(at_place) or not self._fits
        return bool(keys) and len(cells) > max(1, *keys) and all(Fit.KEY.takes(cells[index]) for index in keys)

    def joined(self, cells: list[str]) -> list[str]:
        """Cells of a row, those beyond the columns put back into the words at its end; a blank one beyond them is none."""
        n_columns = len(self.columns)
        if len(cells) > n_columns and self.ends_with_words:
            return [*cells[: n_columns - 1], self.delimiter.join(cells[n_columns - 1 :])]
        return cells[:n_columns]


class _Assembly:
    """Rows as they are put together: each line that is not blank belongs to exactly one, kept or rejected."""

    def __init__(self, layout: _Layout) -> None:
        self.layout = layout
        self.rows: list[list[str]] = []
        self.rejected: list[RejectedRow] = []
        self.n_continued = 0
        self._open: RawRow | None = None
        self._reason = ""
        self._words: list[str] = []
        self._blank: list[str] = []

    @property
    def n_read(self) -> int:
        """Rows so far, the open one included."""
        return len(self.rows) + len(self.rejected) + (self._open is not None)

    def take(self, raw: RawRow) -> None:
        """Begin a row with it, or add it to the words at the end of the one above."""
        if not raw.text.strip():
            self._blank.append(raw.text)
            return
        fault = raw.fault or self.layout.fault(raw.cells)
        if fault and self._continues(raw):
            self._words.append("\n".join(["", *self._blank, raw.text]))
            self.n_continued += 1
        else:
            self.close()
            self._open, self._reason = raw, fault
            self._words = [raw.text if fault else self.layout.joined(raw.cells)[-1]]
        self._blank = []

    def close(self) -> None:
        """Put the open row where it belongs."""
        if self._open is None:
            return
        words = "".join(self._words)
        if self._reason:
            self.rejected.append(RejectedRow(self._open.line, self._reason, words))
        else:
            self.rows.append([*self.layout.joined(self._open.cells)[:-1], words])
        self._open = None

    def _continues(self, raw: RawRow) -> bool:
        if self._open is None or self._open.is_closed or not self.layout.ends_with_words:
            return False
        return not self.layout.begins_a_row(raw.cells) and not _SERVER_FAULT.match(raw.text)


def _sentences(layout: _Layout, assembly: _Assembly, *, is_ended: bool) -> list[str]:
    """What a reader should know of how the table was read."""
    new = layout.kind.unknown(layout.columns)
    sentences = []
    if new:
        names = ", ".join(repr(name[:80]) for name in new[:12]) + (" and others" if len(new) > 12 else "")
        sentences.append(f"The table has columns that are new here; they are kept as they came, and not used: {names}.")
    if assembly.n_continued:
        lines = "1 line" if assembly.n_continued == 1 else f"{assembly.n_continued:,d} lines"
        sentences.append(f"{lines} without the form of a row stand as part of the words of the row above.")
    if not is_ended:
        sentences.append("The table does not end with a line end, so that its last row may have been cut.")
    return sentences
