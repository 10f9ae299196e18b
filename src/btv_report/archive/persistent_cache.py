"""
A cache on disk that survives the process: values by key, without pickle, bounded, repairing itself.

    v1/data/<sha256 of the key>.json|npz|bin     the value
    v1/meta/<sha256 of the key>.json             key, kind, sha256 of the value, times, pins
    v1/locks/                                    locks of the kernel, shared by keys whose hashes begin alike

What does not agree with its own description (cut, swapped, foreign) is moved to `v1/quarantine/` and counts as absent; another
version has another folder. Ages come from the description, never from the file system's times, which copying and restoring
change. While a value is replaced the description names both, so that a process killed meanwhile leaves one of them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from btv_report.archive.cache_folder import default_cache_folder, ensure_private_folder, kernel_lock, require_trusted
from btv_report.archive.cached_values import SUFFIXES, decode_value, encode_value
from btv_report.archive.stored_files import NOT_OURS
from btv_report.archive.value_descriptions import (
    NOT_SOUND,
    SCHEMA_VERSION,
    Meta,
    either,
    read_bytes,
    read_meta,
    require_plain,
    size_of,
)
from btv_report.atomic import make_folder, sentences, write_atomic
from btv_report.errors import BtvReportError

LOCK_TIMEOUT_S = 60.0


class PersistentCache:
    """
    Values by key below one folder.

    Parameters
    ----------
    cache_dir : the folder; that of the cache variables, else `.btv-report/cache` here, and `values` in it
    max_entries : beyond it the entry that was not used for longest leaves; pinned ones stay
    clock : seconds since 1970, for tests

    Raises
    ------
    LocalEnvironmentError
        If the folder is somebody else's, or others may write to it.
    ValueError
        If `max_entries` is below 1.
    """

    DEFAULT_MAX_ENTRIES: ClassVar[int] = 100
    _default: ClassVar[PersistentCache | None] = None

    def __init__(
        self,
        cache_dir: Path | str | None = None,
        max_entries: int = DEFAULT_MAX_ENTRIES,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if isinstance(max_entries, bool) or not isinstance(max_entries, int) or max_entries < 1:
            raise ValueError(f"a cache holds a whole number of entries, at least one, not {max_entries!r}")
        given = Path(cache_dir) if cache_dir is not None else default_cache_folder(os.environ, Path.cwd()) / "values"
        self.cache_dir = given.expanduser().absolute()
        self.max_entries = max_entries
        self._clock = clock
        self._root = self.cache_dir / f"v{SCHEMA_VERSION}"
        if self.cache_dir.exists():
            require_trusted(self.cache_dir)

    @classmethod
    def get_default(cls) -> PersistentCache:
        """The process's own cache in the default folder."""
        if cls._default is None:
            cls._default = cls()
        return cls._default

    def get(self, key: str, default: Any = None) -> Any:
        """
        The value of a key, which counts as used now; `default` when there is none, or it was damaged.

        A cache that cannot be written to, or locked, is read all the same.

        Raises
        ------
        LocalEnvironmentError
            If the folder is somebody else's, or others may write to it.
        """
        if not self._root.is_dir():
            return default
        require_trusted(self.cache_dir)
        with self._read_locked(key) as is_locked:
            try:
                meta, value = self._read(key)
            except FileNotFoundError:
                return default
            except OSError as error:
                if is_locked and error.errno in NOT_OURS:
                    self._quarantine(key)
                return default
            except MemoryError:  # says nothing about the entry
                return default
            except Exception:  # whatever a foreign file makes a parser say, it is damage
                if is_locked:
                    self._quarantine(key)
                return default
            if is_locked:
                with contextlib.suppress(BtvReportError):
                    self._write_meta(key, {**meta, "accessed_at": self._now()})
            return value

    def put(self, key: str, value: Any) -> None:
        """
        Keep a value.

        Raises
        ------
        TypeError
            If it is of no kind that can be kept without pickle.
        LocalEnvironmentError
            If the machine does not let it be written.
        """
        require_plain(value)
        kind, data = encode_value(value)
        ensure_private_folder(self.cache_dir)
        for name in ("data", "meta", "locks"):
            make_folder(self._root / name, private=True)
        with self._locked(key):
            self._exchange(key, self._new_meta(key, kind, data, value), data)
        self._evict(spare=key)

    def set(self, key: str, value: Any) -> None:
        """The same as `put`."""
        self.put(key, value)

    def has(self, key: str) -> bool:
        """Whether there is a description and a value of its size; the value is not read."""
        meta = self._meta(key)
        return meta is not None and any(size_of(self._data_path(key, item)) == item["n_bytes"] for item in either(meta))

    def keys(self) -> list[str]:
        """All keys, sorted."""
        return sorted(meta["key"] for meta in self._metas())

    def metadata(self, key: str) -> Meta | None:
        """The description of a key's value; None when there is none."""
        return self._meta(key)

    def remove(self, key: str) -> None:
        """Forget a key, pinned or not."""
        with self._locked(key):
            self._remove_files(key)

    def clear(self) -> None:
        """Forget every key, pinned or not."""
        for key in self.keys():
            self.remove(key)

    def pin(self, key: str, reason: str) -> None:
        """Let a key stay whatever the capacity, for a reason such as a run id; unknown keys are ignored."""
        self._change_pins(key, lambda pins: sorted({*pins, reason}))

    def unpin(self, key: str, reason: str) -> None:
        """Take a reason back; a key without any may leave."""
        self._change_pins(key, lambda pins: [pin for pin in pins if pin != reason])

    def _change_pins(self, key: str, change: Callable[[list[str]], list[str]]) -> None:
        with self._locked(key):
            meta = self._meta(key)
            if meta is not None:
                self._write_meta(key, {**meta, "pins": change(meta["pins"])})

    def _new_meta(self, key: str, kind: str, data: bytes, value: Any) -> Meta:
        old = self._meta(key)
        now = self._now()
        return {
            "schema_version": SCHEMA_VERSION,
            "key": key,
            "kind": kind,
            "sha256": hashlib.sha256(data).hexdigest(),
            "n_bytes": len(data),
            "created_at": now,
            "accessed_at": now,
            "tic_id": _number_of(value, "tic_id"),
            "sector": _number_of(value, "sector"),
            "pins": old["pins"] if old else [],
        }

    def _exchange(self, key: str, meta: Meta, data: bytes) -> None:
        """Put new data in the place of old ones, if any; killed at any point, the one or the other can be read."""
        path, old = self._data_path(key, meta), self._meta(key)
        if old is not None and self._data_path(key, old) == path:
            before = next((item for item in either(old) if size_of(path) == item["n_bytes"]), old)
            self._write_meta(key, {**meta, "replaces": {name: before[name] for name in ("kind", "sha256", "n_bytes")}})
        write_atomic(path, data, private=True)
        self._write_meta(key, meta)
        for suffix in set(SUFFIXES.values()):
            other = path.with_suffix(f".{suffix}")
            if other != path:
                _unlink(other)

    def _read(self, key: str) -> tuple[Meta, Any]:
        """
        Description and value of a key.

        Raises
        ------
        OSError, and whatever damaged bytes lead to
        """
        meta = read_meta(self._meta_path(key))
        if meta["key"] != key:
            raise ValueError("it describes another key")
        for item in either(meta):
            data = read_bytes(self._data_path(key, item), item["n_bytes"])
            if len(data) == item["n_bytes"] and hashlib.sha256(data).hexdigest() == item["sha256"]:
                return item, decode_value(item["kind"], data)
        raise ValueError("its bytes are not those that were kept")

    def _evict(self, *, spare: str) -> None:
        """Let the entries go that were not used for longest, down to the capacity; what was just put is spared."""
        metas = list(self._metas())
        surplus = len(metas) - self.max_entries
        if surplus <= 0:
            return
        now = self._now()

        def age_order(meta: Meta) -> tuple[float, str]:
            # "Used in the future" is the trace of a clock that was wrong: such an entry must not outlive all others.
            used = meta["accessed_at"]
            return (used if used <= now else -math.inf), meta["key"]

        free = [meta for meta in metas if not meta["pins"] and meta["key"] != spare]
        for meta in sorted(free, key=age_order)[:surplus]:
            with self._locked(meta["key"]):
                if self._meta(meta["key"]) == meta:  # else it was pinned or used since
                    self._remove_files(meta["key"])

    def _now(self) -> float:
        return float(self._clock())

    def _metas(self) -> Iterator[Meta]:
        try:
            names = sorted(item.name for item in (self._root / "meta").iterdir() if item.suffix == ".json")
        except OSError:
            return
        for name in names:
            with contextlib.suppress(OSError, *NOT_SOUND):
                meta = read_meta(self._root / "meta" / name)
                if f"{_hash(meta['key'])}.json" == name:
                    yield meta

    def _meta(self, key: str) -> Meta | None:
        with contextlib.suppress(OSError, *NOT_SOUND):
            meta = read_meta(self._meta_path(key))
            return meta if meta["key"] == key else None
        return None

    def _write_meta(self, key: str, meta: Meta) -> None:
        data = json.dumps(meta, sort_keys=True, ensure_ascii=True, allow_nan=False).encode() + b"\n"
        write_atomic(self._meta_path(key), data, private=True)

    def _meta_path(self, key: str) -> Path:
        return self._root / "meta" / f"{_hash(key)}.json"

    def _data_path(self, key: str, meta: Meta) -> Path:
        return self._root / "data" / f"{_hash(key)}.{SUFFIXES[meta['kind']]}"

    def _remove_files(self, key: str) -> None:
        """The description first: a value without one is nothing, a description without value a damage."""
        _unlink(self._meta_path(key))
        for suffix in set(SUFFIXES.values()):
            _unlink(self._root / "data" / f"{_hash(key)}.{suffix}")

    def _quarantine(self, key: str) -> None:
        """Move what is damaged out of the way; where it cannot be moved it stays, and stays unused."""
        with contextlib.suppress(OSError, BtvReportError):
            folder = self._root / "quarantine"
            make_folder(folder, private=True)
            for path in (self._root / "data").glob(f"{_hash(key)}.*"):
                os.replace(path, folder / path.name)  # noqa: PTH105
            os.replace(self._meta_path(key), folder / f"{_hash(key)}.meta.json")  # noqa: PTH105

    @contextlib.contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        """The lock of a key; none where nothing was ever kept."""
        folder = self._root / "locks"
        if not folder.is_dir():
            yield
            return
        busy = f"Another process has been at work on the cache {self.cache_dir} for more than {LOCK_TIMEOUT_S:g} s"
        with kernel_lock(folder / f"{_hash(key)[:4]}.lock", timeout_s=LOCK_TIMEOUT_S, busy=busy):
            yield

    @contextlib.contextmanager
    def _read_locked(self, key: str) -> Iterator[bool]:
        """The lock of a key where it can be had, and whether it was."""
        with contextlib.ExitStack() as stack:
            is_locked = os.access(self._root / "locks", os.W_OK)
            try:
                if is_locked:
                    stack.enter_context(self._locked(key))
            except BtvReportError:
                is_locked = False
            yield is_locked


def _unlink(path: Path) -> None:
    with sentences("remove", path):
        path.unlink(missing_ok=True)


def make_light_curve_key(
    *,
    tic_id: int,
    sector: int,
    pipeline: str,
    exptime_s: float | None,
    flux: str,
    quality_mask: int,
    normalise: bool,
    product_sha256: str,
) -> str:
    """A key that differs whenever the light curve could; a list in JSON, so that no two spellings meet."""
    parts = ["lc", tic_id, sector, pipeline, exptime_s, flux, quality_mask, normalise, product_sha256]
    return json.dumps(parts, ensure_ascii=True, separators=(",", ":"))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _number_of(value: Any, name: str) -> int | None:
    """TIC number or sector of a value that has one, for listings."""
    header = getattr(getattr(value, "product", None), "header", None)
    found = getattr(header, name, None)
    return found if isinstance(found, int) else None
