"""Reads `manifest.json` (schema version 1) of an ExoFOP cache folder and holds its entries against the bytes beside it."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from btv_report.answer_states import AnswerState
from btv_report.archive.stored_files import NOT_OURS, hash_file
from btv_report.atomic import environment_error
from btv_report.errors import ProductCorruptError
from btv_report.exofop.payloads.file_names import shown_name
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
    try:
        raw = _read_bytes(path, tic_id)
    except OSError as error:
        raise _unreadable(error, path, tic_id) from error
    content = _parse(raw, path, tic_id)
    files: list[ExoFopFile] = []
    warnings: list[str] = []
    for number, entry in enumerate(_list(content.get("files")), start=1):
        file = _file_entry(entry, path.parent) if isinstance(entry, dict) else None
        if file is None:
            warnings.append(f"ExoFOP manifest of TIC {tic_id}: entry {number} has no file id or name and is not shown.")
            continue
        files.append(file)
        if file.is_listed and file.sha256 is not None and file.path is None:
            fault = file.reason or f"it was not had ({file.state})"
            warnings.append(f"ExoFOP file {file.file_id} ({file.filename}) of TIC {tic_id} is not used: {fault}.")
    auth = content.get("auth")
    return ExoFopManifest(
        path=path,
        sha256=hashlib.sha256(raw).hexdigest(),
        generated_at=_text(content.get("generated_at")),
        private=not isinstance(auth, dict) or bool(auth.get("cookie_jar_used")),
        files=tuple(sorted(files, key=lambda file: file.file_id)),
        answers=_answers(content.get("answers")),
        warnings=tuple(warnings),
        n_listed=_count(_dict(content.get("filelist")).get("n_rows")),
    )


def parse_manifest(path: Path, *, tic_id: int) -> dict[str, Any]:
    """
    A manifest of our own as JSON values, its fields of the kinds that they must be; no file beside it is looked at.

    Raises
    ------
    ProductCorruptError
        If it is no such manifest.
    LocalEnvironmentError
        If the machine does not let it be read: then nothing is known of what it says.
    """
    try:
        raw = _read_bytes(path, tic_id)
    except OSError as error:
        if error.errno in NOT_OURS | {errno.ENOENT}:
            raise _unreadable(error, path, tic_id) from error
        raise environment_error(error, "read", path) from error
    content = _parse(raw, path, tic_id)
    entries = content.get("files")
    kinds = (content.get("answers"), content.get("auth"), content.get("sources"))
    if not (all(isinstance(value, dict) for value in kinds) and isinstance(entries, list)):
        raise _damaged(path, tic_id, "lacks a part that it must have")
    if not all(isinstance(entry, dict) and _is_named(entry) for entry in entries):
        raise _damaged(path, tic_id, "has a file without a number or a name")
    states = [item.get("state") for item in (*content["answers"].values(), *entries) if isinstance(item, dict)]
    n_items = len(content["answers"]) + len(entries)
    if not (len(states) == n_items and all(_known_state(state) is not None for state in states)):
        raise _damaged(path, tic_id, "has an answer without a state")
    if not (_is_target(content["target"]) and all(map(_is_item, (*content["answers"].values(), *entries)))):
        raise _damaged(path, tic_id, "has a field of another kind than it must be")
    return content


def _is_target(target: Mapping[str, Any]) -> bool:
    toi, aliases = target.get("toi"), target.get("aliases")
    return (toi is None or isinstance(toi, str)) and (aliases is None or isinstance(aliases, dict))


def _is_item(item: Mapping[str, Any]) -> bool:
    """Whether the fields of an answer or file that are worked with later are what they must be, where they are there."""
    texts = (item.get(name) for name in ("source", "asked_at", "answered_at", "empty_since", "fetched_at", "detail"))
    counts = (item.get(name) for name in ("n_rows", "n_rejected"))
    last = item.get("last_state")
    return (
        all(text is None or isinstance(text, str) for text in texts)
        and all(count is None or _count(count) is not None for count in counts)
        and (last is None or _known_state(last) is not None)
    )


def _is_named(entry: Mapping[str, Any]) -> bool:
    number = entry.get("file_id")
    return isinstance(number, int) and not isinstance(number, bool) and isinstance(entry.get("filename"), str)


def _damaged(path: Path, tic_id: int, what: str) -> ProductCorruptError:
    return ProductCorruptError(
        f"The ExoFOP manifest of TIC {tic_id} {what}.", hint="Fetch it again.", path=path, tic_id=tic_id
    )


def _read_bytes(path: Path, tic_id: int) -> bytes:
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise ProductCorruptError(
            f"The ExoFOP manifest {path.name} of TIC {tic_id} is larger than {MAX_MANIFEST_BYTES // 2**20} MiB.",
            hint="Fetch it again.",
            path=path,
            tic_id=tic_id,
        )
    return path.read_bytes()


def _unreadable(error: OSError, path: Path, tic_id: int) -> ProductCorruptError:
    return ProductCorruptError(
        f"The ExoFOP manifest of TIC {tic_id} cannot be read: {error.strerror or error}.", path=path, tic_id=tic_id
    )


def _parse(raw: bytes, path: Path, tic_id: int) -> dict[str, Any]:
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, tic_id, "is no JSON") from error
    if not isinstance(content, dict):
        raise _damaged(path, tic_id, "is no JSON object")
    if content.get("schema_version") != MANIFEST_SCHEMA_VERSION:
        raise _damaged(
            path, tic_id, f"has schema version {content.get('schema_version')!r}, not {MANIFEST_SCHEMA_VERSION}"
        )
    stated = _dict(content.get("target")).get("tic_id")
    if stated != tic_id:
        raise _damaged(path, tic_id, f"is of TIC {stated!r}")
    return content


def _file_entry(entry: Mapping[str, Any], folder: Path) -> ExoFopFile | None:
    file_id, filename = entry.get("file_id"), _text(entry.get("filename"))
    if isinstance(file_id, bool) or not isinstance(file_id, int) or filename is None:
        return None
    sha256 = _text(entry.get("sha256"))
    state, path, reason = _state_of(folder, entry, sha256)
    return ExoFopFile(
        file_id=file_id,
        filename=filename,
        type=_text(entry.get("type")) or "",
        date=_text(entry.get("date_utc")) or _text(entry.get("date")),
        group=_text(entry.get("group")),
        n_bytes=_count(entry.get("bytes")),
        sha256=sha256,
        description=_text(entry.get("description")),
        state=state,
        path=path,
        user=_text(entry.get("user")),
        tag=_text(str(entry["tag"])) if isinstance(entry.get("tag"), str | int) else None,
        content=_text(entry.get("content")),
        older_sha256=tuple(
            old["sha256"]
            for old in _list(entry.get("superseded"))
            if isinstance(old, dict) and isinstance(old.get("sha256"), str)
        ),
        is_listed=entry.get("listed") is not False,
        last_state=_known_state(entry.get("last_state")),
        reason=reason,
    )


def _state_of(folder: Path, entry: Mapping[str, Any], sha256: str | None) -> tuple[AnswerState, Path | None, str]:
    """Hold the bytes in the cache against the recorded hash; a path that leads out of the folder is never opened."""
    relative = _text(entry.get("path"))
    if relative is None:
        stated = str(entry.get("state"))
        if stated in {*AnswerState} - {AnswerState.OK}:
            return AnswerState(stated), None, ""
        return AnswerState.NOT_FOUND, None, f"the manifest in {folder_words(folder)} does not say where its bytes are"
    root = folder.resolve()
    try:
        path = (root / relative).resolve()
        if not path.is_relative_to(root):
            return AnswerState.REJECTED, None, f"{shown_name(relative)} leads out of {folder_words(folder)}"
        digest, _ = hash_file(path)
    except (OSError, ValueError):
        return AnswerState.NOT_FOUND, None, f"there is no file {shown_name(relative)} in {folder_words(folder)}"
    if digest != sha256:
        words = f"{shown_name(relative)} in {folder_words(folder)} does not have its recorded sha256"
        return AnswerState.CORRUPT, None, words
    return (AnswerState.STALE if entry.get("state") == AnswerState.STALE else AnswerState.OK), path, ""


def folder_words(folder: Path) -> str:
    """The folder of a manifest by its last two names, such as `exofop/tic_365938305`: more would tell whose machine it is."""
    return "/".join(folder.resolve().parts[-2:])


def _answers(value: object) -> dict[str, dict[str, Any]]:
    """Recorded answers by service; fields of a wrong kind are left out, and answers of an unknown state whole."""
    found = {}
    for name, answer in _dict(value).items():
        if isinstance(answer, dict) and (answer.get("state") is None or _known_state(answer["state"]) is not None):
            found[name] = {
                field: item for field, item in answer.items() if _is_item({field: item}) and item is not None
            }
    return found


def _known_state(value: object) -> AnswerState | None:
    return AnswerState(value) if isinstance(value, str) and value in {*AnswerState} else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _text(value: object) -> str | None:
    return value.strip()[:MAX_TEXT] if isinstance(value, str) and value.strip() else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
