"""A table as a value: headings with units, and cells that know how they are to be set."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from btv_report.dossier.numbers import Quantity


class CellKind(StrEnum):
    """How a cell is set: prose, right-aligned digits, a hash or name in fixed width, or a verdict."""

    TEXT = "text"
    NUMBER = "num"
    CODE = "code"
    VERDICT = "verdict"


@dataclass(frozen=True)
class Badge:
    """A verdict as word, symbol and colour; `key` names the colour, `href` leads to its explanation."""

    key: str
    word: str
    symbol: str
    href: str | None = None
    hint: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture of the site and the size that it is shown at; it says nothing that the text beside it does not."""

    src: str
    width: int
    height: int


@dataclass(frozen=True)
class Cell:
    """
    One cell; `sort` is what a reader sorts by when it is not the text, `reason` explains an em dash.

    A link with a picture shows it below the text; one that is a download is saved, not opened.
    """

    text: str
    kind: CellKind = CellKind.TEXT
    href: str | None = None
    reason: str = ""
    sort: str = ""
    badge: Badge | None = None
    picture: Picture | None = None
    download: bool = False


@dataclass(frozen=True)
class Column:
    """A heading; `kind` tells how its cells are aligned."""

    title: str
    kind: CellKind = CellKind.TEXT


@dataclass(frozen=True)
class Table:
    """
    Rows under headings; the first cell of a row is its heading.

    `table_id` is unique on the page; `note` stands under the table; `sortable` lets a reader sort and filter it; with `listed`
    each row becomes a list of headings and values on a narrow screen, as befits a table with many columns.
    """

    table_id: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    sortable: bool = False
    listed: bool = False

    @property
    def numeric(self) -> bool:
        """Whether most cells after the first of their row are numbers."""
        kinds = [cell.kind for row in self.rows for cell in row[1:]]
        return 2 * kinds.count(CellKind.NUMBER) > len(kinds)


def without_empty(table: Table, *, only: Collection[str] | None = None) -> Table:
    """
    The table without the columns in which every cell is an em dash; the first column stays.

    With `only`, no other columns than these are left out.
    """
    kept = [
        place
        for place, column in enumerate(table.columns)
        if not place
        or (only is not None and column.title not in only)
        or any(not row[place].reason for row in table.rows)
    ]
    return replace(
        table,
        columns=tuple(table.columns[place] for place in kept),
        rows=tuple(tuple(row[place] for place in kept) for row in table.rows),
    )


def number_cell(quantity: Quantity, *, with_unit: bool = False) -> Cell:
    """A right-aligned number; the unit stands in the heading unless asked for."""
    error = f" ± {quantity.error}" if quantity.error else ""
    unit = f" {quantity.unit}" if with_unit and quantity.unit and not quantity.reason else ""
    sort = "" if quantity.value is None else repr(quantity.value)
    return Cell(f"{quantity.text}{error}{unit}", CellKind.NUMBER, reason=quantity.reason, sort=sort)


def code_cell(text: str | None, *, reason: str = "not stated", href: str | None = None) -> Cell:
    """A name, hash or file in fixed width; an em dash with a reason when there is none."""
    return Cell(text, CellKind.CODE, href) if text else Cell("—", reason=reason)


def text_cell(text: str | None, *, reason: str = "not stated", href: str | None = None) -> Cell:
    """Prose; an em dash with a reason when there is none."""
    return Cell(text, CellKind.TEXT, href) if text else Cell("—", reason=reason)
