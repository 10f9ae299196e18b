"""Observers' files that stand in a site: found among the kept copies, held against their hashes, and copied piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from btv_report.archive.stored_files import has_bytes, open_regular
from btv_report.atomic import copy_atomic, sentences
from btv_report.exofop.payloads.published_names import is_published_name
from btv_report.record import ExoFopFileValue, RunRecord

KeptFile = Callable[[int, str], Path]
"""Where the copy of a target's file of some sha256 is kept; ValueError where that is no sha256."""


@dataclass(frozen=True)
class Copy:
    """A file of the site that is a copy: of what, and the bytes that it must have."""

    source: Path
    sha256: str
    n_bytes: int

    def is_at(self, path: Path) -> bool:
        """Whether a file has these bytes."""
        return has_bytes(path, self.sha256, self.n_bytes)

    def put_at(self, path: Path) -> None:
        """Copy it, atomically; IntegrityError when the kept copy has been changed meanwhile."""
        with sentences("read", self.source), open_regular(self.source) as file:
            copy_atomic(file, path, private=False, sha256=self.sha256)


def find_copies(public: RunRecord, kept_file: KeptFile | None) -> dict[str, Copy]:
    """
    The copies that a dossier's page shows, by path in the site.

    Parameters
    ----------
    public : the publishable part of a record
    kept_file : None where nothing is kept

    Returns
    -------
    dict of str to Copy
        Those whose kept copy is there; its bytes have not been looked at.
    """
    tic_id = public["target"]["tic_id"]
    found: dict[str, Copy] = {}
    for file in public["exofop"]["files"]:
        path = _site_path(tic_id, file)
        source = _kept(tic_id, file, kept_file)
        if path is not None and source is not None and path not in found:
            found[path] = Copy(source, file["sha256"] or "", source.stat().st_size)
    return found


def _site_path(tic_id: int, file: ExoFopFileValue) -> str | None:
    name = file.get("published_as", "")
    return f"tic/{tic_id}/files/{name}" if file.get("published") and is_published_name(name) else None


def _kept(tic_id: int, file: ExoFopFileValue, kept_file: KeptFile | None) -> Path | None:
    try:
        source = kept_file(tic_id, file["sha256"] or "") if kept_file is not None else None
    except ValueError:
        return None
    return source if source is not None and source.is_file() else None


def sound(copies: Mapping[str, Copy]) -> dict[str, Copy]:
    """Those whose kept copy has the bytes that it should have."""
    return {path: copy for path, copy in copies.items() if copy.is_at(copy.source)}


def with_copies(record: RunRecord, paths: Collection[str]) -> RunRecord:
    """The record, in which only the files that stand in the site under these paths are said to; the others keep their name."""
    exofop = record["exofop"]
    tic_id = record["target"]["tic_id"]
    files = [
        {**file, "published": False} if file.get("published") and _site_path(tic_id, file) not in paths else file
        for file in exofop["files"]
    ]
    return cast(RunRecord, {**record, "exofop": {**exofop, "files": files}})
