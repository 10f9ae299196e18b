"""
The one place that writes files of a workspace.

A reader sees the old file or the new one, never a part, also when the process is killed or the power fails: the bytes go
to a temporary file in the same folder, reach the disk, and are renamed. What the machine refuses becomes a sentence.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from btv_report.errors import IntegrityError, LocalEnvironmentError

TEMPORARY_SUFFIX = ".tmp"
PIECE_BYTES = 1 << 20
_NAME_LENGTH_KEPT = 60  # of the final name in the temporary one: long names must not grow beyond what folders allow

_ELSEWHERE = "choose another place: --workspace names it, and BTV_REPORT_CACHE_DIR that of the cache"
_HINTS = {
    errno.ENOSPC: f"Free some space on that disk and run the command again, or {_ELSEWHERE}.",
    errno.EDQUOT: f"Your disk quota is used up: free some space, or {_ELSEWHERE}.",
    errno.EFBIG: "A limit on file sizes (`ulimit -f`, or the file system's own) is in the way: raise it, or "
    f"{_ELSEWHERE}.",
    errno.EACCES: f"Give yourself the right to write there, or {_ELSEWHERE}.",
    errno.EPERM: f"Give yourself the right to write there, or {_ELSEWHERE}.",
    errno.EROFS: f"That file system is mounted read-only: {_ELSEWHERE}.",
    errno.ENAMETOOLONG: "Choose a workspace with a shorter path.",
    errno.EMFILE: "Too many files are open: raise the limit (`ulimit -n`) or run fewer jobs at once.",
    errno.ENFILE: "Too many files are open on this machine: run fewer jobs at once.",
    errno.EIO: "The disk reports an error: check it before anything else is written there.",
    errno.ENOTDIR: f"A part of that path is a file, not a folder: {_ELSEWHERE}.",
    errno.EEXIST: f"Something else stands at that path: move it away, or {_ELSEWHERE}.",
    errno.EXDEV: "Temporary file and target lie on different devices: make the folder a plain folder of one disk.",
}
_HINT_ELSE = f"Check the disk and the rights of that folder, or {_ELSEWHERE}."


def environment_error(error: OSError, doing: str, path: Path) -> LocalEnvironmentError:
    """
    Turn a refusal of the operating system into a sentence.

    Parameters
    ----------
    error : OSError
    doing : str
        What was tried, such as `write 1,024 bytes to`; the path follows.
    path : Path
    """
    words = error.strerror or type(error).__name__
    name = errno.errorcode.get(error.errno or 0, "no error number")
    hint = _HINTS.get(error.errno or 0, _HINT_ELSE)
    return LocalEnvironmentError(f"Could not {doing} {path}: {words} ({name}).", hint=hint, path=path)


@contextlib.contextmanager
def sentences(doing: str, path: Path) -> Iterator[None]:
    """Let every OSError of the block leave as a LocalEnvironmentError about `path`."""
    try:
        yield
    except OSError as error:
        raise environment_error(error, doing, path) from error


def make_folder(path: Path, *, private: bool) -> None:
    """
    Make a folder and its parents; those made here get mode 0700 when private, else 0755, whatever the umask is.

    Folders that exist keep their mode.
    """
    with sentences("make the folder", path):
        missing = []
        while not path.is_dir():
            missing.append(path)
            path = path.parent
        for folder in reversed(missing):
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=0o700)
                folder.chmod(0o700 if private else 0o755)
            if not folder.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            sync_folder(folder.parent)


def write_atomic(path: Path, data: bytes, *, private: bool) -> None:
    """
    Write a whole file so that readers see the old or the new bytes, and a crash leaves one of them.

    Parameters
    ----------
    path : Path
        Target; its folder must exist.
    data : bytes
    private : bool
        Mode 0600 for the store; otherwise 0644 for a site that a web server reads. The umask does not matter.

    Raises
    ------
    LocalEnvironmentError
        If the machine refuses; the old file is then untouched and the temporary one is gone.
    """
    with sentences(f"write {len(data):,} bytes to", path), _taking_the_place_of(path, private=private) as handle:
        write_all(handle, data)


def copy_atomic(source: BinaryIO, path: Path, *, private: bool, sha256: str) -> None:
    """
    Copy an open file as `write_atomic` writes one, piece by piece, if it holds the bytes that it should.

    Raises
    ------
    IntegrityError
        If it holds others; the old file is then untouched.
    LocalEnvironmentError
        As `write_atomic`.
    """
    digest = hashlib.sha256()
    with sentences("copy a file to", path), _taking_the_place_of(path, private=private) as handle:
        while piece := source.read(PIECE_BYTES):
            digest.update(piece)
            write_all(handle, piece)
        if digest.hexdigest() != sha256:
            raise IntegrityError(
                f"What should be copied to {path} does not have its recorded sha256 {sha256}.",
                hint="Run the command again; if it stays so, `btv-report verify` names what was changed.",
                path=path,
            )


@contextlib.contextmanager
def _taking_the_place_of(path: Path, *, private: bool) -> Iterator[int]:
    """The handle of a temporary file that is renamed to `path` when the block ends well, and is gone when it does not."""
    prefix = f".{path.name[:_NAME_LENGTH_KEPT]}."
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=TEMPORARY_SUFFIX)
    try:
        try:
            yield handle
            os.fchmod(handle, 0o600 if private else 0o644)
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(temporary, path)  # noqa: PTH105 - one call that tests can watch
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise
    sync_folder(path.parent)


def append_durable(path: Path, data: bytes) -> None:
    """
    Append to a private file (mode 0600) and wait until the bytes are on the disk.

    When the machine refuses half-way, the file is cut back to its old length, and LocalEnvironmentError is raised.
    """
    with sentences(f"append {len(data):,} bytes to", path):
        is_new = not path.exists()
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            length = os.fstat(handle).st_size
            try:
                write_all(handle, data)
                os.fsync(handle)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, length)
                raise
        finally:
            os.close(handle)
        if is_new:
            sync_folder(path.parent)


def cut_durable(path: Path, length: int) -> None:
    """Cut a file to `length` bytes and wait until that is on the disk."""
    with sentences("repair the end of", path):
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            os.ftruncate(handle, length)
            os.fsync(handle)
        finally:
            os.close(handle)


def rename_durable(source: Path, target: Path, doing: str = "") -> None:
    """Rename and wait until that is on the disk; a file at `target` is replaced. `doing` is what a refusal says was tried."""
    with sentences(doing or f"rename {source.name} to", target):
        os.replace(source, target)  # noqa: PTH105
        sync_folder(target.parent)


def remove_durable(path: Path) -> None:
    """Remove a file, if it is there, and wait until that is on the disk."""
    with sentences("remove", path):
        path.unlink(missing_ok=True)
        sync_folder(path.parent)


def write_all(handle: int, data: bytes) -> None:
    """Write every byte: the system may take fewer at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; file systems that cannot do it (some network ones) say EINVAL."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
    finally:
        os.close(handle)
