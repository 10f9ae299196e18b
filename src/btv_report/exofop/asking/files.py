"""
The wanted files of a star, one by one: each asked for by its number, judged, put in place; the zip of all files where that fails.

What anybody may have and what only members may have is never mixed. The anonymous pass goes first. In the members' pass a file
whose bytes anybody was given takes those bytes, and only the rest is asked for with the login.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from btv_report.answer_states import AnswerState
from btv_report.archive.stored_files import keep_copy
from btv_report.exofop.asking import endpoints
from btv_report.exofop.asking.answers import GotFile
from btv_report.exofop.asking.holdings import Holdings
from btv_report.exofop.asking.round import Round
from btv_report.exofop.payloads.file_names import shown_name, stored_name
from btv_report.exofop.types import ExoFopFileRow
from btv_report.utc import utc_now

if TYPE_CHECKING:
    from btv_report.exofop.payloads.zip_archive import ZipContents, ZipMember

_TRY_ARCHIVE = frozenset({AnswerState.CORRUPT, AnswerState.REJECTED, AnswerState.THROTTLED})
"""Where the zip may have what the file's own address did not give; a login or a network that is missing is missing there, too."""


class FileFetching:
    """
    Fetches the files of one pass.

    Parameters
    ----------
    holdings : of the tree that they go to
    public : of the anonymous tree, for a members' pass; None for an anonymous one
    """

    def __init__(self, holdings: Holdings, public: Holdings | None = None) -> None:
        self.holdings = holdings
        self.public = public

    def fetch(self, asking: Round, rows: Sequence[ExoFopFileRow], listed: Sequence[ExoFopFileRow]) -> None:
        """Every wanted file that is not held; the manifest is written after each, so that a killed run loses nothing."""
        failed = []
        for number, row in enumerate(rows, start=1):
            if self._is_held(asking, row):
                continue
            if asking.wants.offline:
                asking.n_unasked += 1
                if not self.holdings.folder.holds(self.holdings.files.get(row.file_id, {})):
                    asking.lost.add(row.file_id)
                continue
            if self.public is None:
                asking.wants.tell(f"ExoFOP file {number} of {len(rows)}: {row.file_id}")
            else:  # how many members see is not for every terminal
                asking.wants.tell("ExoFOP files, with the login")
            if self._take_public(row):
                continue
            got = self._ask(asking, row)
            if _may_be_in_archive(got) and not self._is_full(asking, row):
                failed.append(row)
            self._note(row, got, endpoints.ONE_FILE)
            self.holdings.save()
        if failed and not asking.is_over():
            self._from_archive(asking, failed, listed)

    def _is_held(self, asking: Round, row: ExoFopFileRow) -> bool:
        """Whether nothing has to be asked, because the bytes are here, or in the members' tree."""
        known = self.holdings.files.get(row.file_id)
        if known is not None:
            self.holdings.note_row(row)
        if asking.wants.refresh or known is None:
            return False
        if row.file_id in asking.wants.settled:
            return True
        return known.get("state") == AnswerState.OK and self.holdings.folder.holds(known)

    def _ask(self, asking: Round, row: ExoFopFileRow) -> GotFile:
        """Ask for one file, within what a target may hold."""
        limits = asking.limits
        if asking.is_over():
            state, words = asking.why_over()
            return GotFile(state, utc_now(), words)
        if self._is_full(asking, row):
            words = f"not asked, because the files that are held have more than {limits.target_files_bytes:,} bytes"
            return GotFile(AnswerState.REJECTED, utc_now(), words)
        got = asking.ask.file(row.file_id, row.filename, self._arrival(row))
        asking.count(got.state, got.http_status)
        return got

    def _is_full(self, asking: Round, row: ExoFopFileRow) -> bool:
        """Whether a star's files may not become more, counted over all runs; one that is held already is no more."""
        n_bytes = {number: entry["bytes"] for number, entry in self.holdings.files.items() if "sha256" in entry}
        return row.file_id not in n_bytes and sum(n_bytes.values()) > asking.limits.target_files_bytes

    def _arrival(self, row: ExoFopFileRow) -> Path:
        return self.holdings.folder.incoming(str(row.file_id))

    def _take_public(self, row: ExoFopFileRow) -> bool:
        """Take the bytes that anybody was given; whether there are such."""
        if self.public is None:
            return False
        theirs = self.public.files.get(row.file_id)
        if theirs is None or theirs.get("state") != AnswerState.OK or theirs.get("listed") is False:
            return False  # nobody else is given it, or not any more
        if not self.public.folder.holds(theirs):
            return False
        arrival = self._arrival(row)
        arrival.unlink(missing_ok=True)
        keep_copy(self.public.folder.root / theirs["path"], arrival)
        entry = self.holdings.note_row(row)
        names = ("path", "sha256", "bytes", "fetched_at", "content", "source")
        self._replace(entry, {name: theirs[name] for name in names if name in theirs}, arrival)
        entry |= {"restricted": False}
        return True

    def _note(self, row: ExoFopFileRow, got: GotFile, source: str) -> None:
        """Take down what came of a file. Where nothing came, older bytes stay, and the state says that they are old."""
        entry = self.holdings.note_row(row)
        if got.state is AnswerState.OK and got.sha256 is not None and got.n_bytes is not None:
            new = {
                "path": f"files/{stored_name(row.file_id, row.filename)}",
                "sha256": got.sha256,
                "bytes": got.n_bytes,
                "fetched_at": got.asked_at,
                "source": source,
            }
            if got.payload is not None:
                new |= {"content": got.payload.words}
            self._replace(entry, new, self._arrival(row))
            self.holdings.answered.add(row.file_id)
            if self.public is not None:
                entry |= {"restricted": True}
            return
        detail = got.words
        if self.holdings.folder.restore(entry):
            entry |= {"state": str(AnswerState.STALE), "last_state": str(got.state), "asked_at": got.asked_at}
            detail = f"{got.state}: {got.words}; the bytes of {entry.get('fetched_at', 'an earlier run')} are kept"
        else:
            for name in ("path", "sha256", "bytes", "fetched_at", "content", "source", "last_state"):
                entry.pop(name, None)
            entry |= {"state": str(got.state), "asked_at": got.asked_at}
        entry |= {"detail": detail}

    def _replace(self, entry: dict[str, Any], new: Mapping[str, Any], arrival: Path) -> None:
        """Put bytes in their place; other bytes that stand there are kept beside them, and both are listed."""
        sha256, place = new["sha256"], new["path"]
        folder, old = self.holdings.folder, entry.get("sha256")
        if old is None:
            folder.keep_stranger(place, sha256)
        elif old != sha256 and (kept := folder.supersede(entry)) is not None:
            replaced = {"path": kept, "sha256": old, "bytes": entry["bytes"], "replaced_at": utc_now()}
            older = [item for item in entry.get("superseded", []) if item["sha256"] != old]
            entry |= {"superseded": [*older, replaced]}
            since = entry.get("fetched_at", "an earlier run")
            self.holdings.warnings.append(
                f"ExoFOP has replaced file {entry['file_id']} ({shown_name(entry['filename'])}) since {since}: SHA-256 "
                f"{old[:12]}… then, {sha256[:12]}… now; both are kept."
            )
            self.holdings.save()  # a run that is killed once the new bytes are there must not forget the old ones
        former = entry.get("path")
        folder.place(arrival, place)
        entry |= {**new, "state": str(AnswerState.OK)}
        for name in ("detail", "asked_at", "last_state"):
            entry.pop(name, None)
        if former not in {None, place}:  # its name has changed at ExoFOP
            self.holdings.save()
            (folder.root / former).unlink(missing_ok=True)

    def _from_archive(self, asking: Round, rows: Sequence[ExoFopFileRow], listed: Sequence[ExoFopFileRow]) -> None:
        """Look for files in the zip of all files; what it holds too much or too little is said."""
        from btv_report.exofop.payloads.zip_archive import open_archive_members
        from btv_report.exofop.payloads.zip_reading import ArchiveError

        archive = self.holdings.folder.incoming("files.zip")
        asking.wants.tell(f"asking ExoFOP: {endpoints.ALL_FILES}")
        got = asking.ask.all_files(asking.tic_id, archive)
        asking.count(got.state, got.http_status)
        if got.state is not AnswerState.OK:
            words = f"{endpoints.ALL_FILES} was asked for what {endpoints.ONE_FILE} did not give, and did not help: {got.words}."
            self.holdings.warnings.append(words)
            return
        room = self.holdings.folder.incoming("members")
        room.mkdir(mode=0o700)
        by_id = {row.file_id: row for row in rows}
        names = {_unified(row.filename) for row in rows}
        # With all rows of a name: of a member it must be known whose it is, whoever came already.
        same_names = [row for row in listed if _unified(row.filename) in names]
        try:
            contents = open_archive_members(archive, room, asking.limits, same_names)
        except ArchiveError as error:
            self.holdings.warnings.append(f"{endpoints.ALL_FILES}: {error.words}.")
            return
        for member in contents.members:
            row = by_id.get(member.file_id) if member.file_id is not None else None
            if row is not None and not self._is_full(asking, row):
                self._take_member(row, member, got.asked_at)
        self._warn_of_differences(contents, {row.filename for row in listed}, got.asked_at)
        self.holdings.save()

    def _take_member(self, row: ExoFopFileRow, member: ZipMember, asked_at: str) -> None:
        """A file out of the archive, whose own sums were held against its bytes."""
        from btv_report.exofop.payloads.judging import judge_payload

        payload = judge_payload(member.path, row.filename)
        if payload.fault and member.n_bytes:
            self._note(row, GotFile(payload.state, asked_at, f"in {endpoints.ALL_FILES}: {payload.fault}"), "")
            return
        member.path.replace(self._arrival(row))
        found = GotFile(AnswerState.OK, asked_at, sha256=member.sha256, n_bytes=member.n_bytes, payload=payload)
        self._note(row, found, endpoints.ALL_FILES)

    def _warn_of_differences(self, contents: ZipContents, listed: set[str], asked_at: str) -> None:
        """Name what list and archive do not have in common, with the times at which each was asked."""
        listed_at = self.holdings.answers.get(endpoints.FILE_LIST, {}).get("asked_at", "an earlier run")
        unknown = [name for name in contents.members_without if PurePosixPath(name).name not in listed]
        names = {
            "the list names and the archive lacks": [row.filename for row in contents.rows_without],
            "the archive holds and the list does not name": unknown,
            "share a name, so that the archive does not tell which is which": [
                f"{item.filename} (files {', '.join(map(str, item.rows))})" for item in contents.ambiguous
            ],
            "were not taken out of the archive": [f"{item.name} ({item.reason})" for item in contents.rejected],
        }
        for what, found in names.items():
            if found:
                shown = ", ".join(map(shown_name, found[:10])) + (
                    f" and {len(found) - 10} more" if len(found) > 10 else ""
                )
                self.holdings.warnings.append(
                    f"Files that {what}: {shown} (list of {listed_at}, archive of {asked_at})."
                )


def _may_be_in_archive(got: GotFile) -> bool:
    """Also where the script for single files is not there; where nobody answered, the archive would not come, either."""
    return got.state in _TRY_ARCHIVE or (got.state is AnswerState.UNREACHABLE and got.http_status in {404, 410})


def _unified(filename: str) -> str:
    """A name as names are compared with those in an archive."""
    return unicodedata.normalize("NFC", filename)
