"""The part of a run record that anyone may see: what `dossier.json` holds and what pages are made from."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, cast

from btv_report.dossier.shared_values import restore_values, share_values
from btv_report.dossier.text import without_paths
from btv_report.dossier.thumbnails import without_thumbnails
from btv_report.record import ExoFopFileValue, ExoFopValue, RunRecord

DOSSIER_SCHEMA_VERSION = 2
_RESTRICTED_STATES = frozenset({"AUTH_REQUIRED"})
_EXOFOP_FIELDS = ("state", "detail", "n_files", "generated_at", "manifest_sha256", "files", "answers")
_EXOFOP_LISTS = ("tables", "notes", "candidates", "disagreements", "contrast_curves", "light_curves")
_PRIVATE = "private"
_PIXELS = ({"dtype", "shape", "data"}, {"width", "height", "png"})
"""Fields of what holds base64, in which letters may look like a path."""


def publishable(record: RunRecord) -> RunRecord:
    """
    A copy of the record without what must not be published.

    Absolute paths in any text are reduced to their last name and e-mail addresses masked; of ExoFOP only what an anonymous
    fetch gave is kept: an entry marked `private`, or one that needs a login, leaves no name and no count (F-060, F-061).
    Numbers that are not finite become null (F-129).
    """
    public = cast("RunRecord", _clean(record))
    public["exofop"] = _public_exofop(public["exofop"])
    return public


def dossier_json(run_id: str, record_sha256: str, public: RunRecord) -> bytes:
    """
    `dossier.json`: the publishable record with the id and hash of the whole one, less thumbnails; same record, same bytes.

    A stamp that several checks used and a threshold that several were held against stand once, under `shared`, and are named
    where they belong; see `shared_values`. `read_dossier` puts them back. All else, numbers and hashes above all, stands at its
    place, for whoever reads the file years later without this tool.
    """
    record: dict[str, Any] = {"run_id": run_id, "record_sha256": record_sha256, **without_thumbnails(public)}
    record_version = record.pop("schema_version")
    shared, named = share_values([check[name] for check, name in _places(record)])
    checks = [dict(check) for check in record["checks"]]
    for (check, name), value in zip(_places({"checks": checks}), named, strict=True):
        check[name] = value
    versions = {"schema_version": DOSSIER_SCHEMA_VERSION, "record_schema_version": record_version}
    content = {**record, "checks": checks, **versions, "shared": shared}
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return (text + "\n").encode("ascii")


def read_dossier(data: bytes | str) -> RunRecord:
    """
    The record in a `dossier.json`, each value at its place, whichever release wrote it.

    Returns
    -------
    RunRecord
        The publishable part of a run record, with `run_id` and `record_sha256` besides.

    Raises
    ------
    ValueError
        If it is no `dossier.json`, or one of a later schema.
    """
    content = json.loads(data)
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version == 1:  # every value stands at its place
        return cast("RunRecord", content)
    if version != DOSSIER_SCHEMA_VERSION:
        raise ValueError(
            f"This is no dossier.json that this release can read: its schema_version is {version!r}, not 1 or "
            f"{DOSSIER_SCHEMA_VERSION}. A newer btv-report may have written it."
        )
    shared = content.pop("shared")
    for check, name in _places(content):
        check[name] = restore_values(shared, check[name])
    content["schema_version"] = content.pop("record_schema_version")
    return cast("RunRecord", content)


def _places(record: Mapping[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """The checks of a record, each with a field whose values may be shared."""
    return [(check, name) for check in record["checks"] for name in ("stamps", "thresholds") if name in check]


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return without_paths(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        if set(value) in _PIXELS:
            return dict(value)
        return {str(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def _public_exofop(exofop: ExoFopValue) -> ExoFopValue:
    whole: Mapping[str, Any] = exofop
    if whole.get(_PRIVATE):
        return {
            "state": "SKIPPED",
            "detail": "No anonymous answer of ExoFOP belongs to this run.",
            "n_files": 0,
            "generated_at": None,
            "manifest_sha256": None,
            "files": [],
            "answers": {},
        }
    kept = {key: whole[key] for key in _EXOFOP_FIELDS if key in whole}
    kept["files"] = [file for file in exofop["files"] if not _restricted(file)]
    kept["n_files"] = len(kept["files"]) if exofop["files"] else exofop["n_files"]
    kept["answers"] = {name: answer for name, answer in exofop["answers"].items() if not answer.get(_PRIVATE)}
    locked = {file["file_id"] for file in exofop["files"] if _restricted(file)}
    if "n_listed" in exofop:
        kept["n_listed"] = max(exofop["n_listed"] - len(locked), len(kept["files"]))
    for key in _EXOFOP_LISTS:
        if key in whole:
            kept[key] = [item for item in whole[key] if not _is_private(item, locked)]
    return cast("ExoFopValue", kept)


def _is_private(item: Any, locked: set[int]) -> bool:
    """Whether a part is marked private, or was made from the bytes of a file that is (F-061)."""
    return isinstance(item, Mapping) and (bool(item.get(_PRIVATE)) or item.get("file_id") in locked)


def _restricted(file: ExoFopFileValue) -> bool:
    entry: Mapping[str, Any] = file
    return bool(entry.get(_PRIVATE)) or file["state"] in _RESTRICTED_STATES
