"""
Columns of a FITS binary table as native numpy arrays, straight from the bytes.

Only the columns asked for are converted; the rest of a 50 MB pixel file is never touched. Any column order, TDIM, TSCAL,
TZERO and TNULL is honoured.

References
----------
FITS Standard 4.0, section 7.3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from btv_report.errors import ProductCorruptError, ProductRefusedError
from btv_report.fits.blocks import Hdu
from btv_report.fits.headers import header_values

_CODES = {"L": "u1", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}
_WIDTHS = {"L": 1, "B": 1, "I": 2, "J": 4, "K": 8, "E": 4, "D": 8, "A": 1, "C": 8, "M": 16, "P": 8, "Q": 16}
_FORM = re.compile(r"\s*(\d*)([LXBIJKAEDCMPQ])")


@dataclass(frozen=True)
class Column:
    """One column: `offset` in the row, bytes; `shape` of one cell in numpy order (rows, columns); `scale`, `zero`, `null`."""

    name: str
    number: int
    offset: int
    code: str
    shape: tuple[int, ...]
    unit: str
    scale: float
    zero: float
    null: int | None


@dataclass(frozen=True)
class BinaryTable:
    """
    A binary table of a file.

    Attributes
    ----------
    file_name : for messages
    values : header values by keyword
    columns : by upper-case name; of equal names the first
    n_row : number of rows
    row_bytes : width of a row
    data : the bytes of the rows
    """

    file_name: str
    values: Mapping[str, Any]
    columns: Mapping[str, Column]
    n_row: int
    row_bytes: int
    data: memoryview

    def rows(self, start: int, stop: int) -> BinaryTable:
        """The same table, restricted to rows start ... stop - 1."""
        data = self.data[start * self.row_bytes : stop * self.row_bytes]
        return replace(self, n_row=stop - start, data=data)

    def read(self, name: str) -> NDArray[Any]:
        """
        One column as a native, contiguous array of shape (n_row, *cell).

        Floating-point columns keep their width; scaled columns and integers with a null become float64 with NaN.

        Raises
        ------
        ProductRefusedError
            If the column is absent or of a kind that holds no numbers.
        """
        column = self.columns.get(name.upper())
        if column is None:
            raise ProductRefusedError(f"{self.file_name} has no column {name}.")
        if column.code not in _CODES:
            raise ProductRefusedError(f"Column {name} of {self.file_name} holds no numbers (format {column.code}).")
        cells: NDArray[Any] = np.ndarray(
            shape=(self.n_row, *column.shape),
            dtype=_CODES[column.code],
            buffer=self.data,
            offset=column.offset,
            strides=(self.row_bytes, *_strides(column)),
        )
        return _scaled(cells, column)


def read_table(content: bytes, hdu: Hdu, file_name: str) -> BinaryTable:
    """
    Lay out the binary table of an HDU without reading its data.

    Raises
    ------
    ProductRefusedError
        If the HDU is no binary table, or a compressed one.
    ProductCorruptError
        If the columns do not add up to the width of a row.
    """
    values = header_values(hdu.header.raw)
    if values.get("XTENSION") != "BINTABLE" or values.get("ZTABLE"):
        raise ProductRefusedError(f"{hdu} of {file_name} is no plain binary table.")
    row_bytes, n_row = int(values["NAXIS1"]), int(values["NAXIS2"])
    columns: dict[str, Column] = {}
    offset = 0
    for number in range(1, int(values.get("TFIELDS") or 0) + 1):
        column, width = _column(values, number, offset, file_name)
        columns.setdefault(column.name, column)
        offset += width
    if offset != row_bytes:
        raise ProductCorruptError(
            f"{file_name} is damaged: the columns of {hdu} are {offset} bytes wide, its rows {row_bytes}.",
            hint="Fetch the file again.",
        )
    data = memoryview(content)[hdu.data_start : hdu.data_start + row_bytes * n_row]
    return BinaryTable(file_name, values, columns, n_row, row_bytes, data)


def _column(values: Mapping[str, Any], number: int, offset: int, file_name: str) -> tuple[Column, int]:
    match = _FORM.match(str(values.get(f"TFORM{number}", "")))
    if match is None:
        raise ProductCorruptError(f"{file_name} is damaged: column {number} of its table has no usable TFORM.")
    repeat, code = int(match.group(1) or 1), match.group(2)
    width = -(-repeat // 8) if code == "X" else repeat * _WIDTHS[code]
    null = values.get(f"TNULL{number}")
    column = Column(
        name=str(values.get(f"TTYPE{number}") or "").strip().upper(),
        number=number,
        offset=offset,
        code=code,
        shape=_cell_shape(values.get(f"TDIM{number}"), repeat),
        unit=str(values.get(f"TUNIT{number}") or "").strip(),
        scale=float(values.get(f"TSCAL{number}") or 1.0),
        zero=float(values.get(f"TZERO{number}") or 0.0),
        null=null if isinstance(null, int) else None,
    )
    return column, width


def _cell_shape(tdim: object, repeat: int) -> tuple[int, ...]:
    """TDIM `(n_column, n_row)` in numpy order (n_row, n_column); () for a single value, (repeat,) without TDIM."""
    lengths = tuple(int(length) for length in re.findall(r"\d+", str(tdim or "")))
    if lengths and int(np.prod(lengths)) <= repeat:
        return lengths[::-1]
    return () if repeat == 1 else (repeat,)


def _strides(column: Column) -> tuple[int, ...]:
    strides: list[int] = []
    step = _WIDTHS[column.code]
    for length in reversed(column.shape):
        strides.insert(0, step)
        step *= length
    return tuple(strides)


def _scaled(cells: NDArray[Any], column: Column) -> NDArray[Any]:
    native = cells.astype(cells.dtype.newbyteorder("="))  # a contiguous copy, which the caller may change
    if column.code in "ED" and column.scale == 1.0 and column.zero == 0.0:
        return native
    is_null = native == column.null if column.null is not None and column.code not in "ED" else None
    if column.scale == 1.0 and column.zero == 0.0 and (is_null is None or not is_null.any()):
        return native
    values: NDArray[Any] = native.astype(np.float64) * column.scale + column.zero
    if is_null is not None:
        values[is_null] = np.nan
    return values
