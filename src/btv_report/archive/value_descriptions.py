"""What may be kept as a value, and the JSON file that describes a value that is: read only when it is sound in every part."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from btv_report.archive.cached_values import SUFFIXES
from btv_report.archive.stored_files import MAX_DESCRIPTION_BYTES, open_regular

SCHEMA_VERSION = 1
NOT_SOUND = (ValueError, KeyError, TypeError, OverflowError, RecursionError)
"""What reading a description raises that is none."""

_NPZ_WORDS = {"file", "allow_pickle"}  # names that numpy.savez takes for its own parameters

Meta = dict[str, Any]


def read_meta(path: Path) -> Meta:
    """
    A description.

    Raises
    ------
    OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError
        If there is none, or it is not sound.
    """
    with open_regular(path) as file:
        content = file.read(MAX_DESCRIPTION_BYTES + 1)
    meta = json.loads(content) if len(content) <= MAX_DESCRIPTION_BYTES else {}
    if not isinstance(meta, dict):
        raise TypeError("it is no object")
    for item in either(meta):
        if not (item["kind"] in SUFFIXES and isinstance(item["sha256"], str) and _is_count(item["n_bytes"])):
            raise ValueError("it does not say what it describes")
    times_are_sound = all(math.isfinite(meta[name]) for name in ("created_at", "accessed_at"))
    pins_are_sound = isinstance(meta["pins"], list) and all(isinstance(pin, str) for pin in meta["pins"])
    if not (meta["schema_version"] == SCHEMA_VERSION and isinstance(meta["key"], str)):
        raise ValueError("it is of another version")
    if not (times_are_sound and pins_are_sound):
        raise ValueError("its times or pins are none")
    return dict(meta)


def either(meta: Meta) -> tuple[Meta, ...]:
    """What may lie at a key's place: the value described, and, while it is being put there, the one that it replaces."""
    return (meta, {**meta, **meta["replaces"], "replaces": None}) if meta.get("replaces") else (meta,)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def size_of(path: Path) -> int | None:
    """Size of what lies at a path; None where nothing does."""
    try:
        return path.lstat().st_size
    except OSError:
        return None


def read_bytes(path: Path, n_bytes: int) -> bytes:
    """Bytes of a file, at most one more than there should be; none where there is no file."""
    try:
        with open_regular(path) as file:
            return file.read(n_bytes + 1)
    except FileNotFoundError:
        return b""


def require_plain(value: Any) -> None:
    """
    Refuse arrays of which a part would be lost: masks, units, and names that an npz cannot hold.

    Raises
    ------
    TypeError
        With the reason.
    """
    import numpy as np

    arrays = value if isinstance(value, Mapping) else {"": value}
    for name, array in arrays.items():
        if isinstance(array, np.ndarray) and type(array) is not np.ndarray:
            raise TypeError(
                f"a {type(array).__name__} cannot be kept: only its numbers would be; keep them as a plain array"
            )
        if isinstance(array, np.ndarray) and not (str(name).isprintable() and name not in _NPZ_WORDS):
            raise TypeError(f"an array cannot be kept under the name {name!r}: give it another")
