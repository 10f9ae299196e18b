"""An in-memory cache of one process: light curves and computed products, apart by session, the least used ones leave."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

T = TypeVar("T")
_MISSING = object()


class SessionCache:
    """
    A session's view of the two stores that all sessions of the process share.

    Sessions do not see each other's entries, and none loses entries because of another: capacity is of a session.

    Parameters
    ----------
    session_id : any text
    max_entries, max_computed : entries of this session in the store of data, and of computed products; at least 1

    Raises
    ------
    ValueError
        If a capacity is below 1.
    """

    DEFAULT_MAX_ENTRIES: ClassVar[int] = 100
    DEFAULT_MAX_COMPUTED: ClassVar[int] = 256
    # A key is (session, name), so no spelling of one can be taken for another.
    _data: ClassVar[OrderedDict[tuple[str, str], Any]] = OrderedDict()
    _computed: ClassVar[OrderedDict[tuple[str, str], Any]] = OrderedDict()
    _lock: ClassVar[threading.RLock] = threading.RLock()

    def __init__(
        self, session_id: str, max_entries: int = DEFAULT_MAX_ENTRIES, max_computed: int = DEFAULT_MAX_COMPUTED
    ) -> None:
        if max_entries < 1 or max_computed < 1:
            raise ValueError(f"a cache holds at least one entry, not {min(max_entries, max_computed)}")
        self.session_id = session_id
        self.max_entries = max_entries
        self.max_computed = max_computed

    def get(self, data_ref: str, default: Any = None) -> Any:
        """An entry, which counts as used now; `default` when there is none."""
        return self._get(self._data, data_ref, default)

    def put(self, data_ref: str, data: Any) -> None:
        """Keep an entry; its least recently used one leaves a full session."""
        self._put(self._data, data_ref, data, self.max_entries)

    def get_or_load(self, data_ref: str, loader: Callable[[], T]) -> T:
        """An entry, made by `loader` when there is none."""
        return self._get_or_make(self._data, data_ref, loader, self.max_entries)

    def has(self, data_ref: str) -> bool:
        """Whether there is an entry; it does not count as used."""
        return self._has(self._data, data_ref)

    def keys(self) -> list[str]:
        """Names of this session's entries, least recently used first."""
        return self._keys(self._data)

    def get_computed(self, product_ref: str, default: Any = None) -> Any:
        """A computed product, as `get`."""
        return self._get(self._computed, product_ref, default)

    def put_computed(self, product_ref: str, product: Any) -> None:
        """Keep a computed product, as `put`."""
        self._put(self._computed, product_ref, product, self.max_computed)

    def get_or_compute(self, product_ref: str, compute: Callable[[], T]) -> T:
        """A computed product, made by `compute` when there is none; None counts as one."""
        return self._get_or_make(self._computed, product_ref, compute, self.max_computed)

    def has_computed(self, product_ref: str) -> bool:
        """Whether there is a computed product."""
        return self._has(self._computed, product_ref)

    def computed_keys(self) -> list[str]:
        """Names of this session's computed products."""
        return self._keys(self._computed)

    def clear(self) -> None:
        """Forget this session's entries of both stores."""
        with self._lock:
            for store in (self._data, self._computed):
                for key in [key for key in store if key[0] == self.session_id]:
                    del store[key]

    @classmethod
    def clear_all(cls) -> None:
        """Forget every session."""
        with cls._lock:
            cls._data.clear()
            cls._computed.clear()

    @classmethod
    def global_stats(cls) -> dict[str, int]:
        """How many entries all sessions hold."""
        with cls._lock:
            return {"data_entries": len(cls._data), "computed_entries": len(cls._computed)}

    def _get(self, store: OrderedDict[tuple[str, str], Any], name: str, default: Any) -> Any:
        key = (self.session_id, name)
        with self._lock:
            if key not in store:
                return default
            store.move_to_end(key)
            return store[key]

    def _put(self, store: OrderedDict[tuple[str, str], Any], name: str, value: Any, capacity: int) -> None:
        key = (self.session_id, name)
        with self._lock:
            store[key] = value
            store.move_to_end(key)
            mine = [known for known in store if known[0] == self.session_id]
            for oldest in mine[: max(len(mine) - capacity, 0)]:
                del store[oldest]

    def _get_or_make(
        self, store: OrderedDict[tuple[str, str], Any], name: str, make: Callable[[], T], capacity: int
    ) -> T:
        # Made outside of the lock: a slow one must not stop other sessions. Two threads may both make it; the last counts.
        found = self._get(store, name, _MISSING)
        if found is not _MISSING:
            return found  # type: ignore[no-any-return]
        made = make()
        self._put(store, name, made, capacity)
        return made

    def _has(self, store: OrderedDict[tuple[str, str], Any], name: str) -> bool:
        with self._lock:
            return (self.session_id, name) in store

    def _keys(self, store: OrderedDict[tuple[str, str], Any]) -> list[str]:
        with self._lock:
            return [name for session, name in store if session == self.session_id]
