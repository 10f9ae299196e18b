"""
Tables of numbers in observers' text files, whatever their delimiter, suffix, comments and headings.

A file is taken apart into blocks: lines of numbers that have the same number of cells and stand together, each with the lines
above it. What the columns mean is left to those who know contrast curves and light curves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from btv_report.errors import ProductRefusedError
from btv_report.fits.local_file import read_file

MAX_TEXT_BYTES = 16 * 2**20
MAX_LINES = 200_000
LEAST_ROWS = 3
"""Fewer rows than this are no table: free text has lines that look like numbers."""

MAX_FACT_LENGTH = 80
_HEADING_LINES = 3  # a line of names stands at most this far above its numbers (names, units, nulls)
_ODD_LINES = 2
_LINE_END = re.compile(r"\r\n|\n|\r")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_MISSING = frozenset({"nan", "null", "none", "--", "n/a"})
_COMMENT = ("#", "%", "!", "\\")
_FACT = re.compile(r"\W{0,4}([A-Za-z][\w .\[\]()/-]{0,40}?)\s{0,4}[:=]\s{0,4}(\S.{0,200})")
_NUMBERED = re.compile(r"(?:[Cc]ol(?:umn)? ?)?([0-9]{1,3})[.):] ?(\S.{0,100})")
_BINARY_STARTS = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"SIMPLE  =",
    b"II*\x00",
    b"MM\x00*",
)
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|\?xml|svg|head|body|script)", re.IGNORECASE)


@dataclass(frozen=True)
class Block:
    """
    Rows of numbers that stand together.

    Attributes
    ----------
    names : of the columns as the file writes them; None where no line above names all of them
    units : of the columns from a line of units below the names; empty texts where there is none
    heading : the lines since the block before, comment marks taken off, nearest last
    rows : cells as text, all rows with as many
    n_rejected : lines among them that do not fit, such as rows that have lost a cell
    """

    names: tuple[str, ...] | None
    units: tuple[str, ...]
    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    n_rejected: int = 0

    @property
    def n_columns(self) -> int:
        """Cells of a row."""
        return len(self.rows[0])

    def numbers(self, column: int) -> list[float]:
        """A column as floats; NaN where a cell is no finite number."""
        return [to_number(row[column]) for row in self.rows]


@dataclass(frozen=True)
class TextTable:
    """
    A text file with numbers in it.

    Attributes
    ----------
    path, sha256 : of the file as it lies
    blocks : those with at least `LEAST_ROWS` rows, in the order of the file
    lines : all other lines, comment marks taken off
    facts : what lines such as `Filter = Hcont` state, by key in small letters without punctuation; the first of a key counts
    last_line_left_out : the file does not end with a line end, so that its last line may be cut and is not used
    """

    path: Path
    sha256: str
    blocks: tuple[Block, ...]
    lines: tuple[str, ...]
    facts: dict[str, str]
    last_line_left_out: bool

    def refused(self, reason: str, what: str, hint: str) -> ProductRefusedError:
        """The error that says why this file is no `what`; `reason` is a clause or several."""
        return ProductRefusedError(f"{self.path.name} is not read as a {what}: {reason}.", hint=hint, path=self.path)

    def fact(self, *keys: str) -> str | None:
        """What the first known of these keys states; None where the file states none."""
        return next((self.facts[key] for key in keys if key in self.facts), None)


def read_text_table(path: Path, *, what: str, hint: str) -> TextTable:
    """
    Take a text file apart.

    Parameters
    ----------
    path : a file of this machine, with foreign bytes
    what, hint : for messages: what the file should be, such as `contrast curve`, and what to do when it is none

    Raises
    ------
    ProductRefusedError
        If the file is too large or long, empty, a web page or no text.
    LocalEnvironmentError
        If it cannot be read.
    """
    file = read_file(path, max_bytes=MAX_TEXT_BYTES)
    reason = _why_no_text(file.raw)
    if reason:
        raise ProductRefusedError(f"{path.name} is not read as a {what}: {reason}.", hint=hint, path=path)
    *lines, last = _LINE_END.split(_decode(file.raw))
    blocks, others = _blocks(lines)
    return TextTable(path, file.sha256, blocks, others, _facts(others), bool(last.strip()))


def to_number(text: str) -> float:
    """A cell as a float; NaN where it is no finite number (`.386554`, `1e-3` and `-4.` are numbers, `1_000` is none)."""
    text = text.strip()
    value = float(text) if _NUMBER.fullmatch(text) else float("nan")
    return value if abs(value) < float("inf") else float("nan")


def words_of(name: str) -> list[str]:
    """The words of a column's name or key in small letters: `Delta_Mag (5 sigma)` gives delta, mag, 5, sigma."""
    return re.findall(r"[a-zδ]+|[0-9]+", name.casefold())


def listed(names: Sequence[str]) -> str:
    """The first names of columns for a message, quoted and cut: they are foreign text."""
    shown = [repr(name[:40]) for name in names[:6]]
    return ", ".join(shown) + (" ..." if len(names) > 6 else "")


def _why_no_text(raw: bytes) -> str:
    if not raw.strip():
        return "it is empty"
    if _MARKUP.match(raw[:256]):
        return "it is a web page or XML"
    if raw.startswith(_BINARY_STARTS) or b"\0" in raw:
        return "its bytes are no text"
    if raw.count(b"\n") + raw.count(b"\r") > 2 * MAX_LINES:
        return f"it has more than {MAX_LINES:,d} lines"
    return ""


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _blocks(lines: Sequence[str]) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    """The blocks of numbers, and the lines that are in none."""
    blocks: list[Block] = []
    others: list[str] = []
    heading: list[str] = []
    start = 0
    while start < len(lines):
        rows, n_rejected, end = _rows_from(lines, start)
        if len(rows) >= LEAST_ROWS:
            blocks.append(_block(heading, rows, n_rejected))
            heading = []
        else:
            end = start + 1
            heading.append(lines[start])
            others.append(_without_mark(lines[start]))
        start = end
    return tuple(blocks), tuple(line for line in others if line)


def _rows_from(lines: Sequence[str], start: int) -> tuple[list[tuple[str, ...]], int, int]:
    """
    The rows of numbers that begin at a line, the odd lines among them, and where they end.

    Up to `_ODD_LINES` lines in a row that do not fit (a cell lost, words) are rejected, so that one bad row costs one row; a
    comment, or more of them, ends the rows.
    """
    split = _splitter(lines[start])
    rows: list[tuple[str, ...]] = []
    n_rejected = 0
    odd: list[str] = []
    end = start
    for index in range(start, len(lines)):
        cells = split(lines[index])
        if lines[index].lstrip().startswith(_COMMENT):
            break
        if _are_numbers(cells) and (not rows or len(cells) == len(rows[0])):
            rows.append(tuple(cells))
            n_rejected += sum(1 for line in odd if line.strip())
            odd, end = [], index + 1
        else:
            odd.append(lines[index])
            if not rows or len(odd) > _ODD_LINES:
                break
    return rows, n_rejected, end


def _are_numbers(cells: Sequence[str]) -> bool:
    """Whether a line is a row: at least two numbers, and more numbers than words (AstroImageJ rows begin with a file's name)."""
    n_numbers = n_words = 0
    for cell in cells:
        if _NUMBER.fullmatch(cell):
            n_numbers += 1
        elif cell and cell.casefold() not in _MISSING:
            n_words += 1
    return n_numbers >= 2 and n_numbers > n_words


def _splitter(line: str) -> Callable[[str], list[str]]:
    for mark in "\t,;|":
        if mark in line:
            return lambda text, mark=mark: [cell.strip() for cell in text.split(mark)]  # type: ignore[misc]
    return str.split


def _block(heading: Sequence[str], rows: list[tuple[str, ...]], n_rejected: int) -> Block:
    while len(rows[0]) > 1 and not any(row[-1] for row in rows):
        rows = [row[:-1] for row in rows]
    while len(rows[0]) > 1 and not any(row[0] for row in rows):
        rows = [row[1:] for row in rows]
    heading = [line for line in heading if _without_mark(line)]
    names, units = _names(heading, len(rows[0]))
    return Block(names, units, tuple(_without_mark(line) for line in heading), tuple(rows), n_rejected)


def _names(heading: Sequence[str], n_columns: int) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """The line that names the columns, and the line of units below it: those that have as many cells as the rows."""
    near = [cells for line in heading[-_HEADING_LINES:] if (cells := _cells_of_heading(line, n_columns))]
    if not near:
        return _numbered_names(heading, n_columns), ("",) * n_columns
    units = next(iter(near[1:]), ("",) * n_columns)
    return near[0], units


def _numbered_names(heading: Sequence[str], n_columns: int) -> tuple[str, ...] | None:
    """Names given as a list of lines, `1. BJD`, `2. Flux` ...; None where not every column has exactly one."""
    entries = [match.groups() for line in heading if (match := _NUMBERED.fullmatch(_without_mark(line)))]
    numbers = [int(number) for number, _ in entries]
    return tuple(name for _, name in entries) if numbers == list(range(1, n_columns + 1)) else None


def _cells_of_heading(line: str, n_columns: int) -> tuple[str, ...] | None:
    """A line as the names of so many columns; None where it has another number of cells, or is numbers itself."""
    bare = line.strip(" ")
    marked = bare[1:] if bare.startswith(_COMMENT) else bare
    for text in (marked.strip(" "), marked.strip(), marked.strip().strip("|")):
        for mark in ("\t", ",", ";", "|", None):
            cells = [cell.strip() for cell in text.split(mark)]
            if len(cells) == n_columns and any(cells) and not _are_numbers(cells):
                return tuple(cells)
    return None


def _without_mark(line: str) -> str:
    return line.strip().lstrip("".join(_COMMENT)).strip()


def _facts(lines: Sequence[str]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for line in lines:
        match = _FACT.fullmatch(line[:300])
        value = " ".join(match[2].split()) if match else ""
        if match and value.isprintable():
            facts.setdefault(" ".join(words_of(match[1])), value[:MAX_FACT_LENGTH])
    return facts
