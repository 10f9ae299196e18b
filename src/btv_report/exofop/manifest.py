"""Reads `manifest.json` (schema version 1) of an ExoFOP cache folder and holds its entries against the bytes beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from btv_report.answer_states import AnswerState
from btv_report.errors import ProductCorruptError
from btv_report.exofop.types import ExoFopFile, ExoFopManifest

MANIFEST_SCHEMA_VERSION = 1
MAX_MANIFEST_BYTES = 32 * 2**20
MAX_TEXT = 20_000


def read_manifest(path: Path, *, tic_id: int) -> ExoFopManifest:
    """
    Read one manifest and check each entry's file against its recorded sha256.

    Parameters
    ----------
    path : Path
        `.../exofop/tic_<id>/manifest.json`; the files it lists are relative to its folder.
    tic_id : int
        The target asked for.

    Raises
    ------
    ProductCorruptError
        If the manifest is no JSON object of schema version 1, too large, or of another target.
    """
    raw = _read_bytes(path, tic_id)
    content = _parse(raw, path, tic_id)
    files: list[ExoFopFile] = []
    warnings: list[str] = []
    for number, entry in enumerate(_list(content.get("files")), start=1):
        file = _file_entry(entry, path.parent) if isinstance(entry, dict) else None
        if file is None:
            warnings.append(f"ExoFOP manifest of TIC {tic_id}: entry {number} has no file id or name and is not shown.")
            continue
        files.append(file)
        if file.state is not AnswerState.OK:
            fault = "is missing" if file.state is AnswerState.NOT_FOUND else "does not have its recorded sha256"
            warnings.append(f"ExoFOP file {file.file_id} ({file.filename}) of TIC {tic_id} {fault} in the cache.")
    auth = content.get("auth")
    return ExoFopManifest(
        path=path,
        sha256=hashlib.sha256(raw).hexdigest(),
        generated_at=_text(content.get("generated_at")),
        private=not isinstance(auth, dict) or bool(auth.get("cookie_jar_used")),
        files=tuple(sorted(files, key=lambda file: file.file_id)),
        answers={name: answer for name, answer in _dict(content.get("answers")).items() if isinstance(answer, dict)},
        warnings=tuple(warnings),
    )


def _read_bytes(path: Path, tic_id: int) -> bytes:
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise ProductCorruptError(
                f"The ExoFOP manifest {path.name} of TIC {tic_id} is larger than {MAX_MANIFEST_BYTES // 2**20} MiB.",
                hint="Fetch it again.",
                path=path,
                tic_id=tic_id,
            )
        return path.read_bytes()
    except OSError as error:
        raise ProductCorruptError(
            f"The ExoFOP manifest of TIC {tic_id} cannot be read: {error.strerror or error}.", path=path, tic_id=tic_id
        ) from error


def _parse(raw: bytes, path: Path, tic_id: int) -> dict[str, Any]:
    def damaged(what: str) -> ProductCorruptError:
        return ProductCorruptError(
            f"The ExoFOP manifest of TIC {tic_id} {what}.", hint="Fetch it again.", path=path, tic_id=tic_id
        )

    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise damaged("is no JSON") from error
    if not isinstance(content, dict):
        raise damaged("is no JSON object")
    if content.get("schema_version") != MANIFEST_SCHEMA_VERSION:
        raise damaged(f"has schema version {content.get('schema_version')!r}, not {MANIFEST_SCHEMA_VERSION}")
    stated = _dict(content.get("target")).get("tic_id")
    if stated != tic_id:
        raise damaged(f"is of TIC {stated!r}")
    return content


def _file_entry(entry: Mapping[str, Any], folder: Path) -> ExoFopFile | None:
    file_id, filename = entry.get("file_id"), _text(entry.get("filename"))
    if isinstance(file_id, bool) or not isinstance(file_id, int) or filename is None:
        return None
    n_bytes = entry.get("bytes")
    sha256 = _text(entry.get("sha256"))
    return ExoFopFile(
        file_id=file_id,
        filename=filename,
        type=_text(entry.get("type")) or "",
        date=_text(entry.get("date_utc")) or _text(entry.get("date")),
        group=_text(entry.get("group")),
        n_bytes=n_bytes if isinstance(n_bytes, int) and not isinstance(n_bytes, bool) else None,
        sha256=sha256,
        description=_text(entry.get("description")),
        state=_state_of(folder, _text(entry.get("path")), sha256),
    )


def _state_of(folder: Path, relative: str | None, sha256: str | None) -> AnswerState:
    """Hold the bytes in the cache against the recorded hash; a path that leads out of the folder is never opened."""
    if relative is None:
        return AnswerState.NOT_FOUND
    root = folder.resolve()
    try:
        path = (root / relative).resolve()
        if not path.is_relative_to(root):
            return AnswerState.REJECTED
        if not path.is_file():
            return AnswerState.NOT_FOUND
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, ValueError):
        return AnswerState.NOT_FOUND
    return AnswerState.OK if digest == sha256 else AnswerState.CORRUPT


def _text(value: object) -> str | None:
    return value.strip()[:MAX_TEXT] if isinstance(value, str) and value.strip() else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
