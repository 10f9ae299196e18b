"""The cache folder: where it is, and whether it may be trusted with bytes that others will believe."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from btv_report.atomic import make_folder, sentences
from btv_report.errors import LocalEnvironmentError

VARIABLES = (
    ("BTV_REPORT_CACHE_DIR", ""),
    ("BITTR_TESS_VETTER_CACHE_DIR", ""),
    ("BITTR_TESS_VETTER_CACHE_ROOT", "persistent_cache"),
)
"""Variables that name the cache, the first that is set counts, and the folder below what they name."""

WORKSPACE_CACHE = Path(".btv-report") / "cache"


def named_cache_folder(environment: Mapping[str, str]) -> tuple[Path, str] | None:
    """The folder that a variable names, and the variable; None where none is set. One that is set to nothing is unset."""
    for variable, below in VARIABLES:
        if environment.get(variable):
            return (Path(environment[variable]).expanduser() / below).resolve(), variable
    return None


def default_cache_folder(environment: Mapping[str, str], workspace: Path) -> Path:
    """The folder that a variable names, else `.btv-report/cache` in the workspace."""
    named = named_cache_folder(environment)
    return named[0] if named is not None else workspace / WORKSPACE_CACHE


def ensure_private_folder(folder: Path) -> Path:
    """
    Make a folder for nobody but us, or make sure that the one that is there can be trusted.

    What lies in a cache is believed, so a folder that somebody else can write to would let them choose what we publish.

    Raises
    ------
    LocalEnvironmentError
        If it is somebody else's, open to a group or to everybody for writing, or cannot be made.
    """
    make_folder(folder, private=True)
    return require_trusted(folder)


def require_trusted(folder: Path) -> Path:
    """
    Make sure of an existing folder's owner and mode; nothing is made or changed.

    Raises
    ------
    LocalEnvironmentError
        If it is somebody else's, or others may write to it.
    """
    with sentences("look at the cache folder", folder):
        status = folder.stat()
    if status.st_uid not in {os.geteuid(), 0}:
        raise LocalEnvironmentError(
            f"The cache folder {folder} belongs to another user (uid {status.st_uid}).",
            hint="Name a folder of your own with BTV_REPORT_CACHE_DIR.",
            path=folder,
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        who = "everybody" if status.st_mode & stat.S_IWOTH else "its group"
        raise LocalEnvironmentError(
            f"The cache folder {folder} may be written to by {who} (mode {stat.S_IMODE(status.st_mode):04o}), so that "
            "what lies in it cannot be believed.",
            hint=f"Take that right away with `chmod go-w {folder}`, or name another folder with BTV_REPORT_CACHE_DIR.",
            path=folder,
        )
    return folder
