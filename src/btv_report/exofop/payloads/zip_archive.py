"""
The archive of all files of a star: its members matched to rows of the file list, and unpacked under names of ours.

Every row and every member is accounted for, and nothing is guessed: where a name alone does not say which bytes are which file's,
all of them are kept and called ambiguous.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import unicodedata
import zipfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from btv_report.answer_states import AnswerState
from btv_report.archive.limits import Limits
from btv_report.atomic import sentences, write_all
from btv_report.exofop.payloads.judging import PayloadKind, judge_payload
from btv_report.exofop.payloads.zip_reading import ArchiveError, Listed, member_pieces, opened_zip
from btv_report.exofop.types import ExoFopFileRow


@dataclass(frozen=True)
class ZipMember:
    """
    A member that was unpacked.

    Attributes
    ----------
    name : as in the archive; foreign
    path : where its bytes lie now, under a name of ours
    sha256, n_bytes : of the bytes
    file_id : of the row that it belongs to; None where it is one of several that could
    """

    name: str
    path: Path
    sha256: str
    n_bytes: int
    file_id: int | None = None


@dataclass(frozen=True)
class RejectedMember:
    """
    A member that was not unpacked.

    Attributes
    ----------
    name : as in the archive; foreign
    state, reason : REJECTED where it is not safe, CORRUPT where it is damaged; a clause
    file_ids : of the rows that its name belongs to
    """

    name: str
    state: AnswerState
    reason: str
    file_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class AmbiguousName:
    """
    Rows and members of one name, of which it is not known which is which.

    Attributes
    ----------
    filename : of the rows
    rows : File IDs
    members : all bytes that came under the name
    """

    filename: str
    rows: tuple[int, ...]
    members: tuple[ZipMember, ...]


@dataclass(frozen=True)
class ZipContents:
    """
    What came of an archive.

    Wanted rows are those of `members`, of `ambiguous` and of `rejected` (in part twice, where a name came more than once) and
    `rows_without`. Members are `members`, those in `ambiguous`, `rejected`, `members_without`, `repeats` and folders.

    Attributes
    ----------
    members : unpacked, each with the row that it belongs to
    rejected : not unpacked, with the reason
    rows_without : wanted rows of which the archive has nothing
    members_without : names of sound members that no wanted row has
    ambiguous : names that do not tell which member is which row's
    repeats : names of members that had the same name and bytes as another one
    n_members, n_folders : listed in the archive; of them folders
    """

    members: tuple[ZipMember, ...]
    rejected: tuple[RejectedMember, ...]
    rows_without: tuple[ExoFopFileRow, ...]
    members_without: tuple[str, ...]
    ambiguous: tuple[AmbiguousName, ...]
    repeats: tuple[str, ...]
    n_members: int
    n_folders: int


def open_archive_members(archive: Path, folder: Path, limits: Limits, wanted: Sequence[ExoFopFileRow]) -> ZipContents:
    """
    Unpack the members of a zip that wanted rows name, whether they lie in one top folder or in none.

    Parameters
    ----------
    archive : the zip as it came
    folder : an existing folder of our own; only new files with names of ours are written into it, mode 0600
    limits : `zip_members`, `zip_ratio`, `zip_bytes`, `file_bytes`
    wanted : rows of the file list; no member of another name is unpacked

    Returns
    -------
    ZipContents
        What the bytes of a member are is for `judge_payload` to say.

    Raises
    ------
    ArchiveError
        If the archive as a whole is of no use: a web page, zero bytes, cut, or too many members.
    LocalEnvironmentError
        If the machine refuses; what was unpacked is gone then.
    """
    try:
        with opened_zip(archive, limits) as (opened, listed), _Unpacker(opened, folder, limits) as unpacker:
            return _sorted_out(listed, wanted, unpacker)
    except ArchiveError as error:
        raise _explained(error, archive) from error


def _explained(error: ArchiveError, archive: Path) -> ArchiveError:
    """The same with what the bytes are, where they are something else."""
    payload = judge_payload(archive, "files.zip")
    if payload.fault and payload.kind is not PayloadKind.ZIP:
        return ArchiveError(payload.state, payload.fault)
    return error


def _sorted_out(listed: Sequence[Listed], wanted: Sequence[ExoFopFileRow], unpacker: _Unpacker) -> ZipContents:
    files = [member for member in listed if not member.is_folder or member.reason]
    rows_of = _rows_by_name(wanted)
    members_of, others = _members_by_name(files, rows_of)
    settled = [_settle(rows, members_of[name], unpacker) for name, rows in rows_of.items() if name in members_of]
    return ZipContents(
        members=tuple(member for one in settled for member in one.members),
        rejected=tuple(member for one in settled for member in one.rejected)
        + tuple(RejectedMember(member.name, member.state, member.reason) for member in others if member.reason),
        rows_without=tuple(row for name, rows in rows_of.items() if name not in members_of for row in rows),
        members_without=tuple(member.name for member in others if not member.reason),
        ambiguous=tuple(one.ambiguous for one in settled if one.ambiguous),
        repeats=tuple(name for one in settled for name in one.repeats),
        n_members=len(listed),
        n_folders=len(listed) - len(files),
    )


def _rows_by_name(wanted: Sequence[ExoFopFileRow]) -> dict[str, list[ExoFopFileRow]]:
    rows_of: dict[str, list[ExoFopFileRow]] = {}
    for row in sorted(wanted, key=lambda row: row.file_id):
        rows_of.setdefault(unicodedata.normalize("NFC", row.filename), []).append(row)
    return rows_of


def _members_by_name(files: Sequence[Listed], names: Collection[str]) -> tuple[dict[str, list[Listed]], list[Listed]]:
    """Members by the wanted name that they have, and those that have none."""
    members_of: dict[str, list[Listed]] = {}
    others = []
    for member in files:
        name = next((name for name in _names_of(member) if name in names), None)
        if name is None:
            others.append(member)
        else:
            members_of.setdefault(name, []).append(member)
    return members_of, others


def _names_of(member: Listed) -> Iterator[str]:
    """Names that a row may have for a member: with and without a top folder, and as UTF-8 where the archive does not say so."""
    spellings = [member.name]
    with contextlib.suppress(UnicodeError):
        spellings.append(member.name.encode("cp437").decode("utf-8"))
    for spelling in spellings:
        name = unicodedata.normalize("NFC", spelling)
        yield name
        yield name.partition("/")[2]


@dataclass(frozen=True)
class _Settled:
    """What came of one name."""

    members: tuple[ZipMember, ...] = ()
    rejected: tuple[RejectedMember, ...] = ()
    ambiguous: AmbiguousName | None = None
    repeats: tuple[str, ...] = ()


def _settle(rows: Sequence[ExoFopFileRow], found: Sequence[Listed], unpacker: _Unpacker) -> _Settled:
    """Unpack the members of one name, and say whose they are where that is certain."""
    ids = tuple(row.file_id for row in rows)
    members: list[ZipMember] = []
    rejected: list[RejectedMember] = []
    for listed in found:
        try:
            members.append(unpacker.unpack(listed))
        except ArchiveError as error:
            rejected.append(RejectedMember(listed.name, error.state, error.words, ids))
    are_one = not rejected and len({member.sha256 for member in members}) == 1
    if members and not (len(rows) == len(found) == 1 or (are_one and len(found) >= len(rows))):
        ambiguous = AmbiguousName(rows[0].filename, ids, tuple(members))
        return _Settled(rejected=tuple(rejected), ambiguous=ambiguous)
    repeats = members[len(rows) :]
    for member in repeats:
        member.path.unlink(missing_ok=True)
    return _Settled(
        members=tuple(replace(member, file_id=file_id) for member, file_id in zip(members, ids, strict=False)),
        rejected=tuple(rejected),
        repeats=tuple(member.name for member in repeats),
    )


class _Unpacker:
    """Writes members into a folder under names of ours; what it wrote is gone again when the block fails."""

    def __init__(self, archive: zipfile.ZipFile, folder: Path, limits: Limits) -> None:
        self._archive = archive
        self._folder = folder
        self._limits = limits
        self._left = limits.zip_bytes
        self._written: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            _remove(self._written)

    def unpack(self, member: Listed) -> ZipMember:
        """
        Put the bytes of a member into a new file.

        Raises
        ------
        ArchiveError
            If the member must not be unpacked or is damaged; nothing is left of it then.
        LocalEnvironmentError
            If the machine refuses.
        """
        if member.reason:
            raise ArchiveError(member.state, member.reason)
        if member.info.file_size > self._left:
            words = f"all wanted members together would have more than {self._limits.zip_bytes:,} bytes"
            raise ArchiveError(AnswerState.REJECTED, words)
        # A new name that nobody can foresee: what stands in the folder, a link above all, is never written through.
        with sentences("make a file in", self._folder):
            handle, name = tempfile.mkstemp(dir=self._folder, prefix="member-")
        path = Path(name)
        try:
            sha256 = self._write(member, handle, path)
        except BaseException:
            _remove([path])
            raise
        self._written.append(path)
        self._left -= member.info.file_size
        return ZipMember(member.name, path, sha256, member.info.file_size)

    def _write(self, member: Listed, handle: int, path: Path) -> str:
        digest = hashlib.sha256()
        try:
            with sentences(f"unpack {member.info.file_size:,} bytes to", path):
                for piece in member_pieces(self._archive, member):
                    digest.update(piece)
                    write_all(handle, piece)
                os.fsync(handle)
        finally:
            os.close(handle)
        return digest.hexdigest()


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
