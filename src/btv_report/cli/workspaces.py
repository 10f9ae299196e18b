"""Finds the workspace of commands that work on what is already there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from btv_report.cli.outcome import say

if TYPE_CHECKING:
    from btv_report.store.workspace import Workspace


def existing_workspace(given: Path | None) -> Workspace:
    """
    The workspace that is meant, which must hold something.

    Raises
    ------
    UsageError
        If the folder holds neither run records nor a store.
    """
    from btv_report.errors import UsageError
    from btv_report.store.workspace import locate_workspace

    place, note = locate_workspace(given, Path.cwd())
    if note:
        say(note)
    if not (place.runs.is_dir() or place.database.exists()):
        raise UsageError(
            f"{place.root} is no workspace of btv-report: it holds neither `runs` nor `{place.database.name}`.",
            hint="Name the folder with --workspace, such as `--workspace demo` after `make demo`.",
            path=place.root,
        )
    return place
