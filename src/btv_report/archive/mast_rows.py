"""Cells of the tables that the libraries hand out: masked, absent, typed now so and now so."""

from __future__ import annotations

import math
from typing import Any

_BLANK = {"", "nan", "none", "null", "--"}


def cell(row: Any, name: str) -> Any:
    """A cell; None when the column is absent or the cell masked."""
    import numpy as np

    if name not in row.colnames:
        return None
    value = row[name]
    return None if value is None or np.ma.is_masked(value) else value


def text(row: Any, name: str) -> str | None:
    """A cell as text; None when it says nothing."""
    value = cell(row, name)
    words = "" if value is None else str(value).strip()
    return None if words.lower() in _BLANK else words


def number(row: Any, name: str) -> float | None:
    """A cell as a finite number, without its unit; None when it is none."""
    value = cell(row, name)
    try:
        found = float(getattr(value, "value", value)) if value is not None else math.nan
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def digits(row: Any, name: str) -> str | None:
    """An identifier, exactly: 19 digits survive as text or integer; a float has lost the last ones and is no identifier."""
    words = text(row, name) or ""
    return words if words.isascii() and words.isdecimal() else None


def whole(row: Any, name: str) -> int | None:
    """A number that counts or names something, however the column is typed; None when it is none, or too large to be exact."""
    if words := digits(row, name):
        return int(words)
    found = number(row, name)
    return int(found) if found is not None and found.is_integer() and 0 <= found < 2**53 else None
