"""
JSON in which a value that stands several times stands once, in a list of shared values, and is named where it belongs.

`{"$": 3}` is the fourth shared value; with more keys, `{"$": 3, "sector": 20}`, it is that object with these fields besides.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

NAME = "$"
_LEAST_GAIN = 8  # bytes; below, a shared value is not worth its place
_NAME_SIZE = len('{"$":999}')


def share_values(value: Any, *, split: Callable[[Mapping[str, Any]], set[str]] | None = None) -> tuple[list[Any], Any]:
    """
    Find what stands several times.

    Parameters
    ----------
    value : a JSON value
    split : callable, optional
        Fields of an object which, taken together, other objects may have, too; the rest is its own.

    Returns
    -------
    shared : list
        Values by number; they may name others before them.
    value : the same value in which they are named

    Raises
    ------
    ValueError
        If an object has the field `$`.
    """
    return _Sharing(split or (lambda _: set())).share(value)


def restore_values(shared: list[Any], value: Any) -> Any:
    """The value in full; the inverse of `share_values`."""
    if isinstance(value, list):
        return [restore_values(shared, item) for item in value]
    if not isinstance(value, dict):
        return value
    own = {key: restore_values(shared, item) for key, item in value.items() if key != NAME}
    if NAME not in value:
        return own
    base = restore_values(shared, shared[value[NAME]])
    return {**base, **own} if own else base


class _Sharing:
    """Counts values by their text and numbers those that are worth it, what lies within before what it lies in."""

    def __init__(self, split: Callable[[Mapping[str, Any]], set[str]]) -> None:
        self._split = split
        self._counts: Counter[str] = Counter()
        self._numbers: dict[str, int] = {}
        self._shared: list[Any] = []

    def share(self, value: Any) -> tuple[list[Any], Any]:
        self._count(value)
        return self._shared, self._inside(value)

    def _count(self, value: Any) -> None:
        """What lies in a value that stands several times is counted once."""
        if isinstance(value, dict) and NAME in value:
            raise ValueError(f"An object with the field {NAME!r} cannot be told from the name of a shared value.")
        text = _text(value)
        self._counts[text] += 1
        if self._counts[text] > 1 or not isinstance(value, dict | list):
            return
        base, own = self._parts(value) if isinstance(value, dict) else ({}, {})
        for item in (base, *own.values()) if base else _items(value):
            self._count(item)

    def _parts(self, value: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The fields that other objects may have, too, and an object's own; no base where it is not split."""
        common = self._split(value)
        if not common or common >= set(value):
            return {}, value
        return {k: v for k, v in value.items() if k in common}, {k: v for k, v in value.items() if k not in common}

    def _named(self, value: Any) -> Any:
        return {NAME: self._number(value)} if self._is_worth_it(value) else self._inside(value)

    def _is_worth_it(self, value: Any) -> bool:
        text = _text(value)
        count = self._counts[text]
        return count > 1 and (count - 1) * len(text) - count * _NAME_SIZE > _LEAST_GAIN

    def _number(self, value: Any) -> int:
        """The number of a shared value, which is written down at its first appearance."""
        text = _text(value)
        if text not in self._numbers:
            inner = self._inside(value)
            self._numbers[text] = len(self._shared)
            self._shared.append(inner)
        return self._numbers[text]

    def _inside(self, value: Any) -> Any:
        """A value whose parts are named."""
        if isinstance(value, dict):
            base, own = self._parts(value)
            named = {key: self._named(item) for key, item in own.items()}
            return self._named(base) | named if base else named
        return [self._named(item) for item in value] if isinstance(value, list) else value


def _items(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
