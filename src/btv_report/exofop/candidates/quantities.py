"""Columns of ExoFOP's tables as quantities: found by name and unit, since both change with the table and over the years."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from btv_report.exofop.tables.cells import number
from btv_report.exofop.tables.kinds import column_key
from btv_report.exofop.types import ExoFopTable

_ERROR = re.compile(r"\s*\(?\b(?:err|error)\)?$")
_UNIT_IN_BRACKETS = re.compile(r"^(.*?)\s*\(([^()]*(?:\([^()]*\)[^()]*)?)\)$")
_BARE_UNITS = frozenset({"mmag", "ppm", "ppt"})
_LONGEST_NAME = 200
_FLOAT_DIGITS = 12
"""More significant digits than these are the tail of a binary number that somebody saved again, not a precision."""


@dataclass(frozen=True)
class Quantity:
    """
    What a column may state.

    Attributes
    ----------
    name : with the unit that values are given in, such as `duration_hours`
    words : as a reader calls it
    stems : names of the column without its unit, in small letters
    units : unit of the column, in small letters and without spaces, to the factor that brings it to ours; an empty one is no
        unit at all. Where there are none, every unit is taken as it is
    unit_words : our unit, as a reader writes it
    zero_is_missing : a 0 stands for a missing value
    may_be_negative : other values below 0 are no fault
    """

    name: str
    words: str
    stems: frozenset[str]
    units: Mapping[str, float]
    unit_words: str = ""
    zero_is_missing: bool = True
    may_be_negative: bool = False

    def factor(self, unit: str) -> float | None:
        """What brings a unit to ours; None for a unit that is not known."""
        return self.units.get(unit) if self.units else 1.0


@dataclass(frozen=True)
class Measured:
    """
    A value of a row.

    Attributes
    ----------
    value : in our unit
    error : one sigma, None where the row gives none
    rounding : half a unit in the last digit that is written
    unit : as the column has it, in small letters
    """

    value: float
    error: float | None
    rounding: float
    unit: str

    @property
    def reach(self) -> float:
        """How far the true value may lie off: the error, or the rounding where no error is given."""
        return self.error if self.error is not None else self.rounding

    def agrees_with(self, other: Measured) -> bool:
        """Whether two values lie within their errors of each other."""
        return abs(self.value - other.value) <= 1.001 * (self.reach + other.reach)

    def written(self, unit_words: str) -> str:
        """`20.8774413 ± 0.00011 d`."""
        error = f" ± {self.error:.2g}" if self.error else ""
        return f"{self.value:.9g}{error} {unit_words}".rstrip()


@dataclass(frozen=True)
class _Column:
    stem: str
    unit: str
    is_error: bool


@dataclass(frozen=True)
class QuantityColumns:
    """
    Where a table states which quantity.

    Attributes
    ----------
    found : quantity name to its column and unit, and the column of its error, as `keyed_records` calls them
    unread : columns that are named like a quantity and are in a unit that is not known
    """

    found: Mapping[str, tuple[str, str, str | None]]
    unread: tuple[str, ...]

    def measured(self, quantity: Quantity, record: Mapping[str, str]) -> Measured | None:
        """
        The value of a row of `keyed_records`, in our unit; None when the row does not give one.

        A 0 that stands for a missing value, and what is not finite, is none.
        """
        if quantity.name not in self.found:
            return None
        column, unit, error_column = self.found[quantity.name]
        factor = quantity.factor(unit) or 1.0
        value = number(record[column])
        if value is None or (value == 0 and quantity.zero_is_missing) or not math.isfinite(value * factor):
            return None
        error = number(record[error_column]) if error_column else None
        error = error * factor if error and error > 0 and math.isfinite(error * factor) else None
        return Measured(value * factor, error, _rounding(record[column], value) * factor, unit)


def keyed_records(table: ExoFopTable) -> list[dict[str, str]]:
    """Rows by `column_key` of their columns, which differ in capitals and spaces over the years; the first of a key counts."""
    keys = [column_key(name) for name in table.columns]
    return [dict(reversed(list(zip(keys, row, strict=True)))) for row in table.rows]


def find_quantities(table: ExoFopTable, quantities: Sequence[Quantity]) -> QuantityColumns:
    """
    Find the columns of a table that state quantities; of two for one quantity the first counts.

    Parameters
    ----------
    table : as it came
    quantities : what is looked for; two may have a stem in common and differ by their units
    """
    stems = frozenset().union(*(quantity.stems for quantity in quantities))
    columns: dict[str, _Column] = {}
    for name in (column.strip() for column in table.columns):
        columns.setdefault(name, _taken_apart(name, stems))
    errors = {(column.stem, column.unit): name for name, column in reversed(columns.items()) if column.is_error}
    found: dict[str, tuple[str, str, str | None]] = {}
    unread = []
    for name, column in columns.items():
        if column.is_error or column.stem not in stems:
            continue
        quantity = next((one for one in quantities if column.stem in one.stems and one.factor(column.unit)), None)
        if quantity is None:
            unread.append(name)
        else:
            error = errors.get((column.stem, column.unit))
            found.setdefault(quantity.name, (column_key(name), column.unit, column_key(error) if error else None))
    return QuantityColumns(found, tuple(unread))


def _taken_apart(name: str, stems: frozenset[str]) -> _Column:
    """`Depth (ppm) err` and `Depth ppm Error` are errors of `depth` in `ppm`; `log(g)` has no unit."""
    words = " ".join(name[:_LONGEST_NAME].casefold().split())
    bare = _ERROR.sub("", words)
    is_error, words = bare != words, bare
    if words in stems:
        return _Column(words, "", is_error)
    if match := _UNIT_IN_BRACKETS.match(words):
        return _Column(match[1], match[2].replace(" ", ""), is_error)
    stem, _, last = words.rpartition(" ")
    return _Column(stem, last, is_error) if last in _BARE_UNITS else _Column(words, "", is_error)


def _rounding(text: str, value: float) -> float:
    """Half a unit in the last written digit; digits beyond the twelfth are none."""
    digits = Decimal(text.strip())
    if len(digits.as_tuple().digits) > _FLOAT_DIGITS:
        digits = Decimal(f"{value:.{_FLOAT_DIGITS}g}")
    return 0.5 * 10.0 ** int(digits.as_tuple().exponent)
