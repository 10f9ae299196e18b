"""Data classes from JSON values that somebody may have damaged: every field is held against its type."""

from __future__ import annotations

import math
import types
from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def from_plain(kind: type[T], value: Any) -> T:
    """
    A data class of simple fields (numbers, texts, truth values, None, tuples) from a JSON object.

    Raises
    ------
    TypeError
        If a field is missing, unknown, of another type, or a number that is not finite.
    """
    if not isinstance(value, dict):
        raise TypeError(f"{kind.__name__} is an object, not {type(value).__name__}")
    hints = _hints(kind)  # type: ignore[arg-type]  # a class is hashable
    for name, item in value.items():
        if name not in hints or not _fits(item, hints[name]):
            raise TypeError(f"{name} of {kind.__name__} cannot be {str(item)[:40]!r}")
    return kind(**value)


@cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)


def _fits(item: Any, hint: Any) -> bool:
    if isinstance(hint, types.UnionType):
        return any(_fits(item, one) for one in get_args(hint))
    if hint is types.NoneType:
        return item is None
    if hint is float:
        return isinstance(item, int | float) and not isinstance(item, bool) and math.isfinite(item)
    if get_origin(hint) is tuple:
        return isinstance(item, tuple | list)
    return isinstance(item, hint) and (hint is bool or not isinstance(item, bool))
