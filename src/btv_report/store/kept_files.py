"""
Copies of observers' public files, for the site: `runs/<tic>/files/<sha256>`, private to the owner, never changed.

The record says which of them its page shows; `render` takes them from here, so that it needs no cache and no network.
"""

from __future__ import annotations

import re
from pathlib import Path

from btv_report.archive.stored_files import has_bytes, hash_file, open_regular
from btv_report.atomic import copy_atomic, make_folder, sentences
from btv_report.store.workspace import Workspace

FOLDER = "files"
_SHA256 = re.compile(r"[0-9a-f]{64}")


def kept_file(workspace: Workspace, tic_id: int, sha256: str) -> Path:
    """
    Where the copy of a file lies.

    Raises
    ------
    ValueError
        If that is no sha256, and so might be a path.
    """
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"{sha256!r} is no sha256")
    return workspace.runs / str(tic_id) / FOLDER / sha256


def keep_file(workspace: Workspace, tic_id: int, source: Path, sha256: str) -> None:
    """
    Keep a copy of a file; one that is there is left alone.

    Raises
    ------
    IntegrityError
        If the file does not hold the bytes that it should.
    LocalEnvironmentError
        If the machine refuses.
    """
    target = kept_file(workspace, tic_id, sha256)
    with sentences("read", source), open_regular(source) as file:
        if has_bytes(target, sha256, file.seek(0, 2)):
            return
        file.seek(0)
        make_folder(target.parent, private=True)
        copy_atomic(file, target, private=True, sha256=sha256)


def is_kept(workspace: Workspace, tic_id: int, sha256: str) -> bool:
    """Whether the copy of a file is there; its bytes are not looked at."""
    return bool(_SHA256.fullmatch(sha256)) and kept_file(workspace, tic_id, sha256).is_file()


def verify_kept_files(workspace: Workspace) -> list[str]:
    """Name every copy that is not what its name says, sentences."""
    problems = []
    for file in sorted(workspace.runs.glob(f"*/{FOLDER}/*")):
        try:
            found, _ = hash_file(file)
        except OSError as error:
            problems.append(f"The kept copy {file} cannot be read: {error.strerror or error}.")
            continue
        if found != file.name:
            problems.append(
                f"The kept copy {file} was changed: its sha256 is {found}. "
                "Remove it and run the report with --publish-files again."
            )
    return problems
