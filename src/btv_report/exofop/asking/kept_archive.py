"""The zip of all files that lies in the cache, and of which host it is: what another has packed is not given out as its."""

from __future__ import annotations

import json
from pathlib import Path

from btv_report.answer_states import AnswerState
from btv_report.archive.stored_files import description_of, has_bytes, read_description
from btv_report.atomic import write_atomic
from btv_report.exofop.asking.answers import GotFile


def why_not_kept(path: Path, base_url: str) -> tuple[AnswerState, str] | None:
    """
    Why a zip in the cache is not the one that a host gave, with a clause about it; None where it is.

    Parameters
    ----------
    path : of the zip
    base_url : of the host that it must come from
    """
    if not path.exists():
        return AnswerState.SKIPPED, "not there"
    described = _read(path)
    if described is None or described.get("base_url") != base_url:
        return AnswerState.SKIPPED, "of another host, or of none that is known,"
    sha256, n_bytes = described.get("sha256"), described.get("bytes")
    if not (isinstance(sha256, str) and isinstance(n_bytes, int) and has_bytes(path, sha256, n_bytes)):
        return AnswerState.CORRUPT, "damaged"
    return None


def describe_kept(path: Path, base_url: str, got: GotFile) -> None:
    """
    Write beside a zip which host gave it.

    The zip goes first: with the description of an older one it is taken for damaged and asked for again.
    """
    content = {"base_url": base_url, "asked_at": got.asked_at, "sha256": got.sha256, "bytes": got.n_bytes}
    write_atomic(description_of(path), json.dumps(content).encode("ascii") + b"\n", private=True)


def _read(path: Path) -> dict[str, object] | None:
    content = read_description(path)
    try:
        described = json.loads(content) if content is not None else None
    except (ValueError, RecursionError):
        return None
    return described if isinstance(described, dict) else None
