"""
How the parts of a run record become rows, and rows become parts again, without losing a bit.

Columns hold what people query. What a column cannot hold exactly (a field this version does not know, a whole number in a
column of floats, a stamp of an unusual form) also goes to the row's `other`, as JSON, and wins when the row is read back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from btv_report.store.canonical import canonical_text

Item = dict[str, Any]
Row = tuple[Any, ...]


class Kind(StrEnum):
    """Types of columns, as DuckDB names them."""

    TEXT = "VARCHAR"
    INTEGER = "INTEGER"
    BIGINT = "BIGINT"
    REAL = "DOUBLE"
    TRUTH = "BOOLEAN"
    TEXTS = "VARCHAR[]"
    INTEGERS = "INTEGER[]"
    REALS = "DOUBLE[]"
    PIXELS = "FLOAT[]"
    MASK = "UTINYINT[]"
    JSON = "JSON"


@dataclass(frozen=True)
class Column:
    """
    One column.

    Attributes
    ----------
    name : name in the table
    kind : its type
    key : name of the field it holds; empty for columns that say where the row belongs
    optional : whether NULL means that the field is absent, rather than null
    """

    name: str
    kind: Kind
    key: str = ""
    optional: bool = False


def _same(item: Item) -> Item:
    """Most parts have one field a column."""
    return item


@dataclass(frozen=True)
class Table:
    """
    One table of the store and the part of the record it holds.

    Attributes
    ----------
    name : name of the table
    columns : in the order of the schema, without `other`, which is last in every table
    flatten : from a part of the record to one value a key
    unflatten : back again
    """

    name: str
    columns: tuple[Column, ...]
    flatten: Callable[[Item], Item] = _same
    unflatten: Callable[[Item], Item] = _same

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in the order of a row."""
        return (*(column.name for column in self.columns), "other")

    def encode(self, item: Mapping[str, Any], place: Mapping[str, Any]) -> Row:
        """
        Make a row.

        Parameters
        ----------
        item : mapping
            A part of a canonical record.
        place : mapping
            Values of the columns that have no key, such as `run_id`.

        Raises
        ------
        ValueError
            If the part lacks a field.
        """
        flat = self.flatten(dict(item))
        values = {
            column.name: _to_column(column.kind, flat.get(column.key) if column.key else place[column.name])
            for column in self.columns
        }
        stands = self._decode_columns(values)
        lacking = sorted(stands.keys() - item.keys())
        if lacking:
            raise ValueError(f"{self.name} lacks {', '.join(lacking)}")
        other = {
            key: value
            for key, value in item.items()
            if key not in stands or canonical_text(stands[key]) != canonical_text(value)
        }
        return (*values.values(), canonical_text(other) if other else None)

    def decode(self, row: Mapping[str, Any]) -> Item:
        """Read the part of the record that a row (column name to value) holds."""
        item = self._decode_columns(row)
        if row["other"] is not None:
            item.update(json.loads(row["other"]))
        return item

    def _decode_columns(self, values: Mapping[str, Any]) -> Item:
        """What the columns alone say."""
        flat = {}
        for column in self.columns:
            value = values[column.name]
            if column.key and not (column.optional and value is None):
                flat[column.key] = json.loads(value) if column.kind is Kind.JSON and value is not None else value
        return self.unflatten(flat)


def _to_column(kind: Kind, value: Any) -> Any:
    """The value as the column takes it; None when it cannot; close to it when a float column gets a whole number."""
    if kind is Kind.JSON:
        return None if value is None else canonical_text(value)
    if not _FITS[kind](value):
        return None
    if kind is Kind.REALS:
        return [float(item) for item in value]
    return float(value) if kind is Kind.REAL else value


def _is_real(value: Any) -> bool:
    """Floats fit whatever their size; whole numbers only where a float has every one of them."""
    return isinstance(value, float) or _is_integer(value, 2**53)


def _is_integer(value: Any, limit: int) -> bool:
    """Whether a value is a whole number (not a truth value) that a column of that limit holds."""
    return isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit


def _is_list(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(fits(item) for item in value)


_FITS: dict[Kind, Callable[[Any], bool]] = {
    Kind.TEXT: lambda value: isinstance(value, str),
    Kind.INTEGER: lambda value: _is_integer(value, 2**31),
    Kind.BIGINT: lambda value: _is_integer(value, 2**63),
    Kind.REAL: _is_real,
    Kind.TRUTH: lambda value: isinstance(value, bool),
    Kind.TEXTS: lambda value: _is_list(value, lambda item: isinstance(item, str)),
    Kind.INTEGERS: lambda value: _is_list(value, lambda item: _is_integer(item, 2**31)),
    Kind.REALS: lambda value: _is_list(value, _is_real),
    Kind.PIXELS: lambda value: isinstance(value, list),
    Kind.MASK: lambda value: isinstance(value, list),
}


def columns_of(*names: str, **kinds: str) -> tuple[Column, ...]:
    """Columns without a key, then `name="kind"` columns; a `?` after the kind: optional; `kind:key` where they differ."""
    places = tuple(Column(name, _PLACES[name]) for name in names)
    return (*places, *(_column(name, text) for name, text in kinds.items()))


_PLACES = {
    "run_id": Kind.TEXT,
    "record_sha256": Kind.TEXT,
    "ordinal": Kind.INTEGER,
    "view_ordinal": Kind.INTEGER,
    "check_ordinal": Kind.INTEGER,
    "check_id": Kind.TEXT,
    "candidate": Kind.TEXT,
    "sector": Kind.INTEGER,
    "name": Kind.TEXT,
    "unit": Kind.TEXT,
    "corner_row": Kind.INTEGER,
    "corner_column": Kind.INTEGER,
    "tic_id": Kind.BIGINT,
}


def _column(name: str, text: str) -> Column:
    kind, _, key = text.rstrip("?").partition(":")
    return Column(name, Kind[kind.upper()], key or name, optional=text.endswith("?"))
