"""Single cells of ExoFOP's tables: blanks, numbers, whole numbers and dates, read without guessing."""

from __future__ import annotations

import math
import re

_BLANK = frozenset({"", "none", "nan", "null"})
_NUMBER = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"(\d{1,18})(?:\.0{1,6})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}", re.ASCII)


def text_or_none(text: str | None) -> str | None:
    """A cell without the spaces around it; None where it is empty or only says `None`, `nan` or `null` (F-038)."""
    stripped = (text or "").strip()
    return None if stripped.casefold() in _BLANK else stripped


def number(text: str | None) -> float | None:
    """
    A cell as a number; None where it is blank, or no finite number in plain decimal notation.

    Leading zeros may be missing (`.386554`). A 0 is returned as 0: whether it stands for a missing value depends on the column.
    """
    stripped = (text or "").strip()
    if not _NUMBER.fullmatch(stripped):
        return None
    value = float(stripped)
    return value if math.isfinite(value) else None


def whole_number(text: str | None) -> int | None:
    """A cell as a whole number >= 0 of at most 18 digits, exact; `123.0` of a table that was saved again counts; else None."""
    match = _WHOLE.fullmatch((text or "").strip())
    return int(match[1]) if match else None


def begins_with_date(text: str) -> bool:
    """Whether a cell begins with `YYYY-MM-DD`, whatever form its time of day has."""
    return _DATE.match(text.strip()) is not None
