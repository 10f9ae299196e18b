"""Finds the folders that commands work in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from btv_report.cli.outcome import folder_gone, say

if TYPE_CHECKING:
    from btv_report.store.workspace import Workspace


def current_folder() -> Path:
    """
    The current folder.

    Raises
    ------
    LocalEnvironmentError
        If it has been removed while we stand in it.
    """
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise folder_gone() from error


def named_workspace(given: Path | None) -> Path | None:
    """The folder that `--workspace` names, else the one of BTV_REPORT_WORKSPACE; None where neither names one."""
    named = os.environ.get("BTV_REPORT_WORKSPACE", "").strip()
    return given if given is not None else Path(named) if named else None


def settings_folder(given: Path | None) -> Path:
    """Where btv-report.toml stands: in the workspace that is named, else in the current folder."""
    workspace = named_workspace(given)
    return workspace.expanduser() if workspace is not None else current_folder()


def find_workspace(given: Path | None) -> tuple[Workspace, str]:
    """
    The workspace that is meant, and a note as of `store.workspace.locate_workspace`; it need not exist.

    Raises
    ------
    LocalEnvironmentError
        If it is to be found from the current folder, and that has been removed.
    """
    from btv_report.store.workspace import locate_workspace

    given = named_workspace(given)
    if given is not None and given.expanduser().is_absolute():
        return locate_workspace(given, given)
    return locate_workspace(given, current_folder())


def existing_workspace(given: Path | None) -> Workspace:
    """
    The workspace that is meant, which must hold something.

    Raises
    ------
    UsageError
        If the folder holds neither run records nor a store.
    """
    from btv_report.errors import UsageError

    place, note = find_workspace(given)
    if note:
        say(note)
    if not (place.runs.is_dir() or place.database.exists()):
        raise UsageError(
            f"{place.root} is no workspace of btv-report: it holds neither `runs` nor `{place.database.name}`.",
            hint="Name the folder with --workspace, such as `--workspace demo` after `make demo`.",
            path=place.root,
        )
    return place
