"""
Files of a cache: names that lead nowhere else, bytes that are read from files of our own only, and moves that survive a crash.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from btv_report.atomic import environment_error, make_folder, rename_durable
from btv_report.errors import LocalEnvironmentError

DESCRIPTION_SUFFIX = ".json"
MAX_DESCRIPTION_BYTES = 1_000_000
_SAFE = re.compile(r"[^A-Za-z0-9._+-]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_NAME_LENGTH = 150
_PLACES = 5  # attempts to put a file into a folder that somebody else may be cleaning away at the same time
NOT_OURS = frozenset({errno.ELOOP, errno.EINVAL, errno.EPERM, errno.EISDIR, errno.ENXIO})
"""What `open_regular` says of a link, a pipe, a folder or somebody else's file: it will not get better by trying again."""

_SETTLED_NS = 2_000_000_000
"""A file that was changed so shortly ago may change again within one tick of its clock: its digest is not remembered."""
_MOST_DIGESTS = 10_000
_digests: dict[tuple[int, ...], str] = {}
"""What this process has hashed, by device, inode, size and both times of change."""

_ABSENT = {errno.ENOENT, errno.ENOTDIR}
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}


def safe_name(name: str) -> str:
    """
    A file name of a name from elsewhere: no folder, no dot in front, nothing that any system reserves, at most 160 letters.

    Different names give different ones, and none ends as a description does.
    """
    cleaned = _SAFE.sub("_", name).lstrip(".-")[:_NAME_LENGTH].rstrip(". ")
    if cleaned.lower().endswith(DESCRIPTION_SUFFIX):
        cleaned += "_"
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    if not cleaned or _RESERVED.fullmatch(cleaned):
        return f"_{digest[:16]}"
    # Two names must not meet in one file because of what was taken out of them.
    return cleaned if cleaned == name else f"{digest[:8]}-{cleaned}"


def description_of(path: Path) -> Path:
    """Where the description of a file lies: beside it."""
    return path.with_name(f"{path.name}{DESCRIPTION_SUFFIX}")


@contextmanager
def open_regular(path: Path) -> Iterator[BufferedReader]:
    """
    Open a file for reading, if it is a plain file of our own: no link, no pipe that would never end, nobody else's.

    Raises
    ------
    OSError
        ELOOP, EINVAL or EPERM if it is none, or what the system says.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        opened = os.fdopen(handle, "rb")
    except OSError:  # a folder: Python refuses it, and leaves the handle to us
        os.close(handle)
        raise
    with opened as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no plain file")
        if status.st_uid not in {os.geteuid(), 0}:
            raise OSError(errno.EPERM, "it belongs to another user")
        yield file


def read_description(path: Path) -> bytes | None:
    """The bytes of a file's description; None when there is none that may be believed."""
    try:
        with open_regular(description_of(path)) as file:
            content = file.read(MAX_DESCRIPTION_BYTES + 1)
    except OSError:
        return None
    return content if len(content) <= MAX_DESCRIPTION_BYTES else None


def hash_file(path: Path) -> tuple[str, int]:
    """
    sha256 and size of a plain file; a file that has not changed since is read once in the life of a process.

    Raises
    ------
    OSError
        As `open_regular`.
    """
    with open_regular(path) as file:
        identity = _identity(file)
        known = _digests.get(identity)
        if known is not None:
            return known, identity[2]
        began_ns = time.time_ns()
        digest, n_bytes = hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
        is_settled = began_ns - max(identity[3:]) > _SETTLED_NS and _identity(file) == identity
    if is_settled and len(_digests) < _MOST_DIGESTS:
        _digests[identity] = digest
    return digest, n_bytes


def _identity(file: BufferedReader) -> tuple[int, ...]:
    """What changes when the bytes do."""
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def has_bytes(path: Path, sha256: str, n_bytes: int) -> bool:
    """
    Whether a file is there and holds exactly these bytes.

    Raises
    ------
    LocalEnvironmentError
        If the machine does not let it be read: then nothing is known of its bytes.
    """
    try:
        if path.lstat().st_size != n_bytes:
            return False
        return hash_file(path) == (sha256, n_bytes)
    except OSError as error:
        if error.errno in _ABSENT | NOT_OURS:
            return False
        raise environment_error(error, "read", path) from error


def put_in_place(source: Path, target: Path) -> None:
    """
    Rename a file to where it belongs, making the folder, and wait until that is on the disk.

    Raises
    ------
    LocalEnvironmentError
        If the machine refuses; the file at `target` is then the old one.
    """
    for attempt in range(1, _PLACES + 1):
        make_folder(target.parent, private=True)
        try:
            rename_durable(source, target)
            return
        except LocalEnvironmentError as error:
            if attempt == _PLACES or not isinstance(error.__cause__, FileNotFoundError):
                raise  # else the folder was cleaned away between the two


def keep_copy(path: Path, spare: Path) -> None:
    """
    Give a file a second name: a hard link, or a copy on a disk that has none. The file itself stays where it is.

    Raises
    ------
    LocalEnvironmentError
        If the machine refuses.
    """
    try:
        os.link(path, spare, follow_symlinks=False)
        return
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise environment_error(error, "keep a second name of", path) from error
    try:
        with open_regular(path) as source, spare.open("xb") as copy:
            spare.chmod(0o600)
            shutil.copyfileobj(source, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())
    except OSError as error:
        raise environment_error(error, "copy", path) from error
