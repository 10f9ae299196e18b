"""
Zip archives from elsewhere, looked at without trust: a bounded list of members, a reason for each that must not be unpacked,
and the bytes of the others piece by piece.
"""

from __future__ import annotations

import errno
import re
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from btv_report.answer_states import AnswerState
from btv_report.archive.cutout_zip import ZIP_DAMAGES, ZIP_PACKINGS
from btv_report.archive.limits import Limits
from btv_report.archive.stored_files import open_regular
from btv_report.atomic import environment_error

PIECE_BYTES = 1 << 16
_LIST_BYTES_A_MEMBER = 1024  # of the directory at an archive's end: 46 bytes and a name
_END_BYTES = 1 << 17  # in which the record at the end of an archive, with its comment, is looked for
_ENCRYPTED = 0x1 | 0x40
_DRIVE = re.compile(r"[A-Za-z]:")
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_LOCAL_MAGIC = b"PK\x03\x04"
_NO_FILE_MODES = {stat.S_IFLNK: "a symbolic link", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}


class ArchiveError(Exception):
    """
    An archive as a whole is of no use.

    Parameters
    ----------
    state : CORRUPT, REJECTED, AUTH_REQUIRED or THROTTLED
    words : a clause
    """

    def __init__(self, state: AnswerState, words: str) -> None:
        super().__init__(words)
        self.state = state
        self.words = words


@dataclass(frozen=True)
class Listed:
    """
    A member as the archive's directory lists it.

    Attributes
    ----------
    info : zipfile's description
    name : as written in the archive; foreign, and never a path of ours
    state, reason : why it must not be unpacked; OK and empty where nothing speaks against it
    """

    info: zipfile.ZipInfo
    name: str
    state: AnswerState = AnswerState.OK
    reason: str = ""

    @property
    def is_folder(self) -> bool:
        """Whether it only names a folder."""
        return self.name.endswith("/") and self.info.file_size == 0


class _Bounded:
    """A file that gives no more at once than a list of members may have: zipfile reads it whole before anybody can count."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file = file
        self._most = most
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        """As of a file."""
        if size > self._most:
            raise ArchiveError(
                AnswerState.REJECTED, f"its list of members alone has {size:,} bytes, and {self._most:,} are the most"
            )
        return self._file.read(_END_BYTES if size < 0 else size)


@contextmanager
def opened_zip(path: Path, limits: Limits) -> Iterator[tuple[zipfile.ZipFile, list[Listed]]]:
    """
    Open an archive and judge its members by what its directory says.

    Parameters
    ----------
    path : the archive
    limits : `zip_members`, `zip_ratio`, `file_bytes`

    Raises
    ------
    ArchiveError
        If it is no zip file, is cut, or lists more members than are taken.
    LocalEnvironmentError
        If the machine does not let it be read.
    """
    try:
        with open_regular(path) as file:
            archive = _opened(file, limits)
            overlapping = _overlapping(archive, file)
            yield archive, [_listed(info, limits, overlaps=id(info) in overlapping) for info in archive.infolist()]
    except OSError as error:
        raise environment_error(error, "read", path) from error


def _opened(file: BinaryIO, limits: Limits) -> zipfile.ZipFile:
    """The archive of an open file; closing that closes it."""
    bounded = _Bounded(file, limits.zip_members * _LIST_BYTES_A_MEMBER + _END_BYTES)
    with _damage_told():
        archive = zipfile.ZipFile(bounded)
    n_members = len(archive.infolist())
    if n_members > limits.zip_members:
        words = f"it lists {n_members:,} members, and {limits.zip_members:,} are the most"
        raise ArchiveError(AnswerState.REJECTED, words)
    if 0 not in {info.header_offset for info in archive.infolist()} and (n_members or archive.start_dir):
        # Else a cut archive passes for the one that lies packed inside it: zipfile takes what lies before for a program's stub.
        raise ArchiveError(AnswerState.CORRUPT, "it is no whole zip file (no member lies at its beginning)")
    return archive


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except ZIP_DAMAGES as error:
        raise ArchiveError(AnswerState.CORRUPT, f"it is no whole zip file ({error})") from error
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        words = "it is no whole zip file (it points to before its own beginning)"
        raise ArchiveError(AnswerState.CORRUPT, words) from error


def member_pieces(archive: zipfile.ZipFile, member: Listed) -> Iterator[bytes]:
    """
    The bytes of a member, never more than its directory entry announces.

    Raises
    ------
    ArchiveError
        At damage: another length or CRC than announced, or bytes that do not unpack. What came before is then of no use.
    """
    size = 0
    try:
        with archive.open(member.info) as opened:
            while piece := opened.read(PIECE_BYTES):
                size += len(piece)
                yield piece
    except ZIP_DAMAGES as error:
        raise ArchiveError(AnswerState.CORRUPT, f"it is damaged ({error})") from error
    if size != member.info.file_size:
        words = f"it has {size:,} bytes where {member.info.file_size:,} are announced"
        raise ArchiveError(AnswerState.CORRUPT, words)


def _listed(info: zipfile.ZipInfo, limits: Limits, *, overlaps: bool) -> Listed:
    name = info.orig_filename
    for reason in (_name_fault(name), _kind_fault(info), _size_fault(info, limits)):
        if reason:
            return Listed(info, name, AnswerState.REJECTED, reason)
    if overlaps:
        words = "its bytes lie over those of another member, outside the archive or behind no header of their own"
        return Listed(info, name, AnswerState.REJECTED, words)
    return Listed(info, name)


def _name_fault(name: str) -> str:
    """Why a name is that of an attack; none is used as a path anyway."""
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")):
        return "its path is absolute"
    if _DRIVE.match(name):
        return "its path names a drive"
    if ".." in parts:
        return "its path leads out of the archive"
    if "\\" in name:
        return "its path has backslashes"
    if any(letter < " " or letter == "\x7f" for letter in name):
        return "its path has control characters"
    return ""


def _kind_fault(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    is_folder = info.orig_filename.endswith("/")
    if (is_folder and info.file_size) or (kind == stat.S_IFDIR and not is_folder):
        return "it is a folder and a file at once"
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return f"it is {_NO_FILE_MODES.get(kind, 'a device')}, not a file"
    if info.flag_bits & _ENCRYPTED:
        return "it is encrypted"
    if info.compress_type not in ZIP_PACKINGS:
        return f"it is packed by method {info.compress_type}, which is not unpacked here"
    return ""


def _size_fault(info: zipfile.ZipInfo, limits: Limits) -> str:
    if info.file_size > limits.file_bytes:
        return f"it would have {info.file_size:,} bytes, and {limits.file_bytes:,} are the most for a file"
    if info.file_size > limits.zip_ratio * max(info.compress_size, 1):
        return f"it would grow from {info.compress_size:,} to {info.file_size:,} bytes, more than {limits.zip_ratio}:1"
    return ""


def _overlapping(archive: zipfile.ZipFile, file: BinaryIO) -> set[int]:
    """Ids of members whose bytes are not theirs alone: shared bytes make a small archive unpack to any size."""
    wrong: set[int] = set()
    last_end, last = 0, 0
    for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
        end = _end_of(info, file)
        if end is None or end > archive.start_dir:
            wrong.add(id(info))
            continue
        if info.header_offset < last_end:
            wrong |= {id(info), last}
        if end > last_end:
            last_end, last = end, id(info)
    return wrong


def _end_of(info: zipfile.ZipInfo, file: BinaryIO) -> int | None:
    """Where the bytes of a member end; None where no header stands at its beginning."""
    try:
        file.seek(info.header_offset)
        head = file.read(_LOCAL_HEADER.size)
    except (OSError, OverflowError, ValueError):
        return None
    if len(head) < _LOCAL_HEADER.size:
        return None
    magic, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(head)
    if magic != _LOCAL_MAGIC:
        return None
    return info.header_offset + len(head) + int(name_bytes) + int(extra_bytes) + info.compress_size
