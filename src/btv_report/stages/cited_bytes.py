"""The bytes that records cite, looked for in the cache and in mirrors, and held against their sha256."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from btv_report.archive.stored_files import hash_file, read_description
from btv_report.errors import BtvReportError, UsageError
from btv_report.exofop.cache import MANIFEST
from btv_report.store.store import CitedFile, Store
from btv_report.store.workspace import Workspace

MAX_NAMED = 5
MAX_MANIFEST_BYTES = 64 * 2**20


@dataclass
class CitedBytes:
    """
    What was found of the files that the runs of a workspace cite.

    Attributes
    ----------
    cited : every cited file once
    places : the folders that were searched
    sound : sha256 of the files that are there as cited
    problems : files that are there under a cited name and size or description, with other bytes; sentences
    """

    cited: tuple[CitedFile, ...]
    places: tuple[Path, ...]
    sound: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """How many cited files were found as cited, and which were not; empty where nothing is cited."""
        if not self.cited:
            return ""
        missing = [file for file in self.cited if file.sha256 not in self.sound]
        where = (
            ", ".join(str(place) for place in self.places) or "no folder: there is no cache, and no --mirror is given"
        )
        text = f"Bytes: {len(self.cited) - len(missing)} of {len(self.cited)} cited files are at hand and as cited ({where})."
        if not missing:
            return text
        named = ", ".join(f"{file.name} of TIC {file.tic_id}" for file in missing[:MAX_NAMED])
        more = f" and {len(missing) - MAX_NAMED} more" if len(missing) > MAX_NAMED else ""
        return f"{text} Not at hand with these bytes: {named}{more}. --mirror DIR looks for them in a mirror, too."


def find_cited_bytes(workspace: Workspace, cache: Path, mirrors: Sequence[Path]) -> CitedBytes:
    """
    Look for every file that a run of the workspace cites; nothing is changed.

    A file is read when its name or its size is that of a cited one. One that has a cited name and other bytes is a problem,
    unless the cache itself describes those bytes: then it is a newer version that the archive has put in its place.

    Parameters
    ----------
    workspace : one with a database; without, nothing is cited
    cache : the cache folder; it need not exist
    mirrors : further folders, each with all below

    Raises
    ------
    UsageError
        If a mirror is no folder.
    """
    for mirror in mirrors:
        if not mirror.is_dir():
            raise UsageError(
                f"The mirror {mirror} is no folder.", hint="Name the folder that holds the files.", path=mirror
            )
    cited = _cited_by(workspace)
    places = tuple(place for place in (cache, *mirrors) if place.is_dir())
    found = CitedBytes(cited, places)
    if cited:
        for place in places:
            _search(place, found)
    return found


def _cited_by(workspace: Workspace) -> tuple[CitedFile, ...]:
    """What the database's runs cite; nothing where there is none, or a damaged one, which `verify_workspace` names."""
    if not workspace.database.exists():
        return ()
    try:
        with Store(workspace.database) as store:
            return tuple(store.cited_files())
    except BtvReportError:
        return ()


def _search(place: Path, found: CitedBytes) -> None:
    by_name: dict[str, set[str]] = {}
    for file in found.cited:
        by_name.setdefault(file.name, set()).add(file.sha256)
    sizes = {file.n_bytes for file in found.cited}
    known = {file.sha256 for file in found.cited}
    for path in _files_below(place):
        wanted = by_name.get(_cited_name(path))
        try:
            if wanted is None and path.stat().st_size not in sizes:
                continue
            sha256, _ = hash_file(path.resolve())
        except OSError as error:
            if wanted is not None:
                found.problems.append(f"{path}, a file that runs cite, cannot be read: {error.strerror or error}.")
            continue
        if sha256 in known:
            found.sound.add(sha256)
        elif wanted is not None and not _is_described(path, sha256):
            found.problems.append(
                f"{path} has the name of a file that runs cite and other bytes (sha256 {sha256}; cited "
                f"{', '.join(sorted(wanted))}). Fetch it again, or put the cited version back."
            )


def _files_below(place: Path) -> Iterator[Path]:
    """All files below a folder in a stable order; links to folders are not followed."""
    for folder, folders, names in os.walk(place):
        folders.sort()
        yield from (Path(folder) / name for name in sorted(names))


def _cited_name(path: Path) -> str:
    """The name that a record gives a file: ExoFOP's payloads carry their File ID before it in the cache."""
    number, _, name = path.name.partition("_")
    return name if path.parent.name == "files" and number.isdigit() and name else path.name


def _is_described(path: Path, sha256: str) -> bool:
    """Whether the file's own description, or ExoFOP's manifest above it, names these bytes."""
    description = read_description(path) or b""
    if sha256.encode() in description:
        return True
    manifest = path.parent.parent / MANIFEST
    try:
        with manifest.open("rb") as file:
            return sha256.encode() in file.read(MAX_MANIFEST_BYTES)
    except OSError:
        return False
