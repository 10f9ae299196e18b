"""The cache folder: where it is, whether it may be trusted with bytes that others will believe, and its locks."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping
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
            # Links are not resolved: whose link it is decides whether the folder behind it may be trusted.
            return (Path(environment[variable]).expanduser() / below).absolute(), variable
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

    A link in its place must be ours, too: whoever owns it can point it elsewhere at any time.

    Raises
    ------
    LocalEnvironmentError
        If it is somebody else's, others may write to it, or it is no folder.
    """
    with sentences("look at the cache folder", folder):
        itself, behind = folder.lstat(), folder.stat()
    if stat.S_ISLNK(itself.st_mode) and not _is_ours(itself):
        raise _refusal(folder, f"is a link that belongs to another user (uid {itself.st_uid})")
    if not stat.S_ISDIR(behind.st_mode):
        raise _refusal(folder, "is no folder")
    if not _is_ours(behind):
        raise _refusal(folder, f"belongs to another user (uid {behind.st_uid})")
    if behind.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        who = "everybody" if behind.st_mode & stat.S_IWOTH else "its group"
        raise LocalEnvironmentError(
            f"The cache folder {folder} may be written to by {who} (mode {stat.S_IMODE(behind.st_mode):04o}), so that "
            "what lies in it cannot be believed.",
            hint=f"Empty it if others may have used it, and take that right away with `chmod go-w {folder}`; or name "
            "another folder with BTV_REPORT_CACHE_DIR.",
            path=folder,
        )
    return folder


def _is_ours(status: os.stat_result) -> bool:
    """Whether it is ours, or the machine's own: an administrator could change anything anyway."""
    return status.st_uid in {os.geteuid(), 0}


def _refusal(folder: Path, what: str) -> LocalEnvironmentError:
    hint = "Name a folder of your own with BTV_REPORT_CACHE_DIR."
    return LocalEnvironmentError(f"The cache folder {folder} {what}.", hint=hint, path=folder)


@contextlib.contextmanager
def kernel_lock(path: Path, *, timeout_s: float, busy: str) -> Iterator[None]:
    """
    Hold a lock for the block: one of the kernel, which ends with the process that holds it, however that process ends.

    Parameters
    ----------
    path : the lock's file; its folder must exist. It is never removed, because others may be waiting at it
    timeout_s : how long to wait for another holder, seconds
    busy : what to say when it is still held then

    Raises
    ------
    LockBusyError
        If it is still held after that time.
    LocalEnvironmentError
        If it cannot be locked at all.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path, timeout=timeout_s, mode=0o600)
    with sentences("lock", path):
        try:
            lock.acquire()
        except Timeout as error:
            hint = "Wait until it has ended and run the command again."
            raise LockBusyError(f"{busy} (it holds {path}).", hint=hint, path=path) from error
    try:
        yield
    finally:
        lock.release()


class LockBusyError(LocalEnvironmentError):
    """Another process is at work on the same thing."""
