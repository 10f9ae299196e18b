"""
A cache on disk that survives the process: values by key, without pickle, bounded, repairing itself.

    v1/data/<sha256 of the key>.json|npz|bin     the value
    v1/meta/<sha256 of the key>.json             key, kind, sha256 of the value, times, pins

What does not agree with its own description (cut, swapped, foreign, of another version) is moved to `v1/quarantine/` and counts
as absent. Ages come from the description, never from the file system's times, which copying and restoring change.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from btv_report.archive.cache_folder import default_cache_folder, ensure_private_folder, require_trusted
from btv_report.archive.cached_values import SUFFIXES, decode_value, encode_value
from btv_report.atomic import make_folder, sentences, write_atomic
from btv_report.errors import BtvReportError

SCHEMA_VERSION = 1
_DAMAGE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, RecursionError)


class PersistentCache:
    """
    Values by key below one folder.

    Parameters
    ----------
    cache_dir : the folder; that of the cache variables, else `.btv-report/cache/values` here
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
        if max_entries < 1:
            raise ValueError(f"a cache holds at least one entry, not {max_entries}")
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

        A cache that cannot be written to is read all the same.
        """
        with self._locked(key):
            meta = self._meta(key)
            if meta is None:
                return default
            try:
                data = self._data_path(key, meta["kind"]).read_bytes()
                if hashlib.sha256(data).hexdigest() != meta["sha256"]:
                    raise ValueError("its bytes are not those that were kept")
                value = decode_value(meta["kind"], data)
            except _DAMAGE:
                self._quarantine(key)
                return default
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
        kind, data = encode_value(value)
        ensure_private_folder(self.cache_dir)
        for name in ("data", "meta", "locks"):
            make_folder(self._root / name, private=True)
        with self._locked(key):
            old = self._meta(key)
            self._remove_files(key, keep=kind)
            write_atomic(self._data_path(key, kind), data, private=True)
            now = self._now()
            meta = {
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
            self._write_meta(key, meta)
        self._evict(spare=key)

    def set(self, key: str, value: Any) -> None:
        """The same as `put`."""
        self.put(key, value)

    def has(self, key: str) -> bool:
        """Whether there is a description and a value of a key; the value is not read."""
        meta = self._meta(key)
        return meta is not None and self._data_path(key, meta["kind"]).is_file()

    def keys(self) -> list[str]:
        """All keys, sorted."""
        return sorted(meta["key"] for meta in self._metas())

    def metadata(self, key: str) -> dict[str, Any] | None:
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

    def _evict(self, *, spare: str) -> None:
        """Let the entries go that were not used for longest, down to the capacity; what was just put is spared."""
        metas = list(self._metas())
        surplus = len(metas) - self.max_entries
        free = [meta for meta in metas if not meta["pins"] and meta["key"] != spare]
        for meta in sorted(free, key=lambda item: (item["accessed_at"], item["key"]))[: max(surplus, 0)]:
            self.remove(meta["key"])

    def _now(self) -> float:
        return float(self._clock())

    def _metas(self) -> Iterator[dict[str, Any]]:
        try:
            names = sorted(item.name for item in (self._root / "meta").iterdir() if item.suffix == ".json")
        except OSError:
            return
        for name in names:
            meta = self._read_meta(self._root / "meta" / name)
            if meta is not None and f"{_hash(meta['key'])}.json" == name:
                yield meta

    def _meta(self, key: str) -> dict[str, Any] | None:
        meta = self._read_meta(self._root / "meta" / f"{_hash(key)}.json")
        return meta if meta is not None and meta["key"] == key else None

    @staticmethod
    def _read_meta(path: Path) -> dict[str, Any] | None:
        try:
            meta = json.loads(path.read_bytes())
            is_sound = (
                meta["schema_version"] == SCHEMA_VERSION
                and isinstance(meta["key"], str)
                and meta["kind"] in SUFFIXES
                and isinstance(meta["sha256"], str)
                and isinstance(meta["accessed_at"], int | float)
                and isinstance(meta["pins"], list)
            )
        except _DAMAGE:
            return None
        return meta if is_sound else None

    def _write_meta(self, key: str, meta: dict[str, Any]) -> None:
        data = json.dumps(meta, sort_keys=True, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        write_atomic(self._root / "meta" / f"{_hash(key)}.json", data, private=True)

    def _data_path(self, key: str, kind: str) -> Path:
        return self._root / "data" / f"{_hash(key)}.{SUFFIXES[kind]}"

    def _remove_files(self, key: str, *, keep: str | None = None) -> None:
        """The description first: a value without one is nothing, a description without value a damage."""
        paths = [self._root / "meta" / f"{_hash(key)}.json"]
        paths += [self._data_path(key, kind) for kind in SUFFIXES if keep is None or SUFFIXES[kind] != SUFFIXES[keep]]
        for path in paths:
            with sentences("remove", path):
                path.unlink(missing_ok=True)

    def _quarantine(self, key: str) -> None:
        """Move what is damaged out of the way; where it cannot be moved it stays, and stays unused."""
        with contextlib.suppress(OSError, BtvReportError):
            make_folder(self._root / "quarantine", private=True)
            for path in (self._root / "data").glob(f"{_hash(key)}.*"):
                os.replace(path, self._root / "quarantine" / path.name)  # noqa: PTH105
            (self._root / "meta" / f"{_hash(key)}.json").unlink(missing_ok=True)

    @contextlib.contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        """A lock of the kernel for one key; none where the folder is not there, or cannot be written to."""
        from filelock import FileLock

        folder = self._root / "locks"
        if not os.access(folder, os.W_OK):
            yield
            return
        with FileLock(folder / f"{_hash(key)[:4]}.lock", mode=0o600):
            yield


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
