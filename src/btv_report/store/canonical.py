"""
One value, one sequence of bytes: canonical JSON, and the hashes and run ids that follow from it.

Canonical means: UTF-8, keys sorted by code point, no spaces, floats in the shortest form that reads back to the same
float, -0.0 written as 0.0. NaN, infinity, lone surrogates and keys that are not text are refused, because other readers
of JSON would refuse or change them. A record file is its canonical bytes and one newline, and the hash of a record is the
hash of that file: `sha256sum` alone can verify it.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from datetime import UTC, datetime
from typing import Any

from btv_report.record import RunRecord

RUN_ID_PATTERN = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}", re.ASCII)


def canonical_value(value: Any, where: str = "value") -> Any:
    """
    Copy a JSON value into plain Python types, with -0.0 turned into 0.0.

    Parameters
    ----------
    value : None, bool, int, float, str, list or tuple of such, or dict of str to such
        Subclasses such as `numpy.float64` or string enumerations become the plain type.
    where : str
        How an error names the place, such as `checks[2].metrics.snr.value`.

    Raises
    ------
    ValueError
        If a number is not finite or a text holds half a surrogate pair.
    TypeError
        If the value is of another type.
    """
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return _canonical_text(value, where)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{where} is {value}; what was not measured is left out, never written as {value}")
        return float(value) + 0.0  # -0.0 + 0.0 is 0.0
    if isinstance(value, list | tuple):
        return [canonical_value(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {_canonical_key(key, where): canonical_value(item, f"{where}.{key}") for key, item in value.items()}
    raise TypeError(f"{where} is a {type(value).__name__}, which JSON does not know")


def _canonical_text(text: str, where: str) -> str:
    """Plain text that UTF-8 can hold."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"{where} holds a lone surrogate at character {error.start}: {text!a}") from error
    return str.__str__(text)


def _canonical_key(key: Any, where: str) -> str:
    """Keys are text: json would silently turn 1 and True into texts, two of which may be the same."""
    if not isinstance(key, str):
        raise TypeError(f"{where} has the key {key!r}, which is not text")
    return _canonical_text(key, f"a key of {where}")


def canonical_text(value: Any) -> str:
    """Canonical JSON of a value, see `canonical_value` for what is refused."""
    plain = canonical_value(value)
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def canonical_bytes(value: Any) -> bytes:
    """Canonical JSON of a value as UTF-8, without a newline."""
    return canonical_text(value).encode("utf-8")


def sha256_hex(data: bytes) -> str:
    """SHA-256 of bytes, 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def record_bytes(record: RunRecord) -> bytes:
    """The bytes of a record file: canonical JSON and one newline."""
    return canonical_bytes(record) + b"\n"


def record_sha256(record: RunRecord) -> str:
    """SHA-256 of the record file; the content hash of the run."""
    return sha256_hex(record_bytes(record))


def run_id(record: RunRecord) -> str:
    """
    Identify a run by its start and content, such as `20261121T014500Z-1a2b3c4d`.

    Raises
    ------
    ValueError
        If `run.started_at` is not of the form `2026-11-21T01:45:00Z`.
    """
    return run_id_of(record["run"]["started_at"], record_sha256(record))


def run_id_of(started_at: str, content_sha256: str) -> str:
    """Join the start of a run and the hash of its record into its id; see `run_id`."""
    start = datetime.strptime(started_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return f"{start:%Y%m%dT%H%M%SZ}-{content_sha256[:8]}"
