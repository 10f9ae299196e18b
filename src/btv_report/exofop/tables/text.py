"""
Bytes of a table to lines, and lines to raw rows.

ExoFOP writes csv (cells with a comma stand in quotation marks) and pipe (no cell is ever quoted, so that a quotation mark is a
character like others). What is broken costs its own line, and never those that follow: the csv reader of the standard library
would take all lines after an unclosed quotation mark for one cell, and refuses cells over 128 kB.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from btv_report.archive.limits import Limits

DELIMITERS = (",", "|", "\t", ";", "^")
_UNQUOTED_DELIMITER = "|"
_MAX_QUOTED = 8 * Limits.note_bytes
_MAX_BROKEN_QUOTES = 100
"""Of one table; beyond it no cell goes on over the end of its line, so that a hostile table takes no more time than others."""
_BOM = b"\xef\xbb\xbf"


def decode(content: bytes) -> tuple[str, str]:
    """
    Decode an answer that may be UTF-8, Latin-1 (as Windows extends it), or a mixture of both (F-020).

    Returns
    -------
    (str, str)
        The text, and `utf-8`, `latin-1` or `mixed`. Each byte that is not part of a UTF-8 character is read as Windows-1252,
        and as Latin-1 where that has none: no byte is lost.
    """
    content = content.removeprefix(_BOM)
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    escaped = content.decode("utf-8", errors="surrogateescape")
    encoding = "mixed" if re.search("[\x80-\ud7ff\ue000-\U0010ffff]", escaped) else "latin-1"
    return re.sub("[\udc80-\udcff]", lambda match: _WINDOWS[ord(match[0]) - 0xDC00], escaped), encoding


def _windows_letter(code: int) -> str:
    raw = bytes([code])
    letter = raw.decode("cp1252", errors="ignore")
    return letter or raw.decode("latin-1")


_WINDOWS = {code: _windows_letter(code) for code in range(0x80, 0x100)}


@dataclass(frozen=True, slots=True)
class RawRow:
    """
    A row as it stands in the text.

    Attributes
    ----------
    line : of its beginning, from 1
    cells : unquoted; those beyond the columns of the table are one, as they came
    text : as it came
    is_closed : its last cell ended with a quotation mark, so that no further line can belong to it
    fault : why it could not be taken apart; empty when it could
    """

    line: int
    cells: list[str]
    text: str
    is_closed: bool = False
    fault: str = ""


def header_span(text: str) -> tuple[int, int]:
    """Where the first line that is not blank begins and ends; (n, n) when there is none."""
    letter = len(text) - len(text.lstrip())
    begin = max(text.rfind("\r", 0, letter), text.rfind("\n", 0, letter)) + 1
    ends = [end for end in (text.find("\r", letter), text.find("\n", letter)) if end >= 0]
    return begin, min(ends, default=len(text))


def split_cells(line: str, delimiter: str, n_columns: int) -> list[str] | None:
    """The cells of one line, those beyond the columns as one; None where a quotation mark is not closed in it."""
    if delimiter == _UNQUOTED_DELIMITER or '"' not in line:
        return line.split(delimiter, n_columns)
    parsed = _Quoted(delimiter).cells(line, 0, n_columns)
    return None if parsed is None or parsed.end < len(line) else parsed.cells


def raw_rows(
    text: str, start: int, delimiter: str, n_columns: int, is_row: Callable[[list[str]], bool]
) -> Iterator[RawRow]:
    """
    All rows of a text after its header, blank lines included (as rows of one blank cell).

    Parameters
    ----------
    text, delimiter, n_columns : the whole text; what parts its cells; names in its header
    start : where the header ends; lines end as the header does, so that the other kind of line end is part of a cell
    is_row : whether cells have the form of a row, which tells a cell of several lines from an unclosed quotation mark
    """
    newline = "\r" if text[start : start + 1] == "\r" and text[start + 1 : start + 2] != "\n" else "\n"
    quoted = None if delimiter == _UNQUOTED_DELIMITER else _Quoted(delimiter, newline)
    line = text.count(newline, 0, start) + 1
    position = text.find(newline, start) + 1 or len(text)
    n_broken = 0

    def holds_row(lines: str) -> bool:
        """Whether lines that were read as the rest of a row hold one of their own: then a quotation mark was left open."""
        parts = (split_cells(part.strip("\r\n"), delimiter, n_columns) for part in lines.split(newline))
        return any(cells is not None and len(cells) == n_columns and is_row(cells) for cells in parts)

    while position < len(text):
        line += 1
        end = text.find(newline, position)
        end = len(text) if end < 0 else end
        raw = text[position:end].strip("\r\n")
        if quoted is None or '"' not in raw:
            yield RawRow(line, raw.split(delimiter, n_columns), raw)
            position = end + 1
            continue
        begin = text.index(raw, position)
        parsed = quoted.cells(text, begin, n_columns, limit=end if n_broken >= _MAX_BROKEN_QUOTES else None)
        if parsed is None or (end < parsed.end and holds_row(text[end + 1 : parsed.end])):
            n_broken += 1
            yield RawRow(line, raw.split(delimiter, n_columns), raw, fault="a quotation mark is not closed in it")
            position = end + 1
            continue
        yield RawRow(line, parsed.cells, text[begin : parsed.end].strip("\r\n"), parsed.is_closed)
        line += text.count(newline, position, parsed.end)
        position = parsed.end + 1


@dataclass(frozen=True, slots=True)
class _Parsed:
    cells: list[str]
    end: int
    is_closed: bool


class _Quoted:
    """
    Cells of which some are quoted.

    A quotation mark closes a cell only before a delimiter or the end of a line; elsewhere it is a character, as in a remark
    on `a star 2" away` whose writer did not double it.
    """

    def __init__(self, delimiter: str, newline: str = "\n") -> None:
        d = re.escape(delimiter)
        close = rf"(?={d}|[\r\n]|\Z)"
        self._delimiter = delimiter
        self._quoted = re.compile(rf'"((?:[^"]++|""|"(?!{d}|[\r\n]|\Z))*+)"{close}')
        self._plain = re.compile(rf"[^{d}{newline}]*")

    def cells(self, text: str, start: int, n_columns: int, limit: int | None = None) -> _Parsed | None:
        """The cells of the row that begins at `start`; None where a quotation mark is not closed."""
        cells: list[str] = []
        starts: list[int] = []
        position = start
        while True:
            starts.append(position)
            is_quoted = text.startswith('"', position)
            if is_quoted:
                stop = min(position + _MAX_QUOTED, len(text)) if limit is None else limit
                match = self._quoted.match(text, position, stop)
                if match is None or (match.end() == stop < len(text) and text[stop] not in "\r\n" + self._delimiter):
                    return None
                cells.append(match[1].replace('""', '"'))
            else:
                match = self._plain.match(text, position)
                cells.append(match[0] if match else "")
            position = match.end() if match else position
            if text[position : position + 1] != self._delimiter:
                break
            position += 1
        if is_quoted:
            while text[position : position + 1] == "\r" and text[position + 1 : position + 2] in {"\r", "\n"}:
                position += 1
        else:
            cells[-1] = cells[-1].strip("\r\n")
        if len(cells) > n_columns:
            cells[n_columns:] = [text[starts[n_columns] : position].strip("\r\n")]
        return _Parsed(cells, position, is_quoted)
