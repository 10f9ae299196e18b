"""What ExoFOP has on a star, and what a cache of it holds, as values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from btv_report.answer_states import AnswerState
from btv_report.errors import UsageError


@dataclass(frozen=True)
class ExoFopTarget:
    """
    A star as ExoFOP knows it.

    Attributes
    ----------
    tic_id : TESS Input Catalog number
    toi : its first TOI, such as `1262.01`; None where it has none, or nobody was asked
    aliases : catalogue (`hd`, `gaia_dr3`, ...) to name
    """

    tic_id: int
    toi: str | None = None
    aliases: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ExoFopFileRow:
    """
    One row of the file list; all texts are foreign.

    Attributes
    ----------
    file_id : ExoFOP's number of the file
    tic_id : as listed, or as asked where the list does not say
    toi, date_utc, tag, description, user, group : as given, None where empty
    filename, type : as given; types (`Image`, `Spectrum`, `Light_Curve`, `Other`, ...) are an open set
    """

    file_id: int
    tic_id: int
    toi: str | None
    filename: str
    type: str
    date_utc: str | None
    tag: str | int | None
    description: str | None
    user: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class ExoFopSelectors:
    """
    Which files are wanted; None wants all.

    Attributes
    ----------
    types : as in the file list, compared without case
    filename_regex : searched for in the name
    tag_ids : numbers of tags
    max_files : at most so many, in the order of their File IDs

    Raises
    ------
    UsageError
        If the expression is none, or `max_files` is negative.
    """

    types: set[str] | frozenset[str] | None = None
    filename_regex: str | None = None
    tag_ids: set[int] | frozenset[int] | None = None
    max_files: int | None = None

    def __post_init__(self) -> None:
        """Refuse what selects nothing by mistake."""
        try:
            re.compile(self.filename_regex or "")
        except (re.error, RecursionError, OverflowError) as error:
            raise UsageError(
                f"{self.filename_regex!r} is no regular expression: {error}.",
                hint=r"An example: --regex 'sensitivity\.(dat|pdf)$'.",
            ) from error
        if self.max_files is not None and self.max_files < 0:
            raise UsageError(f"At most {self.max_files} files cannot be fetched.", hint="Give 0 or more.")

    def select(self, rows: tuple[ExoFopFileRow, ...]) -> tuple[ExoFopFileRow, ...]:
        """The wanted rows, in the order of their File IDs."""
        wanted = None if self.types is None else {name.casefold() for name in self.types}
        pattern = re.compile(self.filename_regex or "")
        chosen = [
            row
            for row in sorted(rows, key=lambda row: row.file_id)
            if (wanted is None or row.type.casefold() in wanted)
            and pattern.search(row.filename)
            and (self.tag_ids is None or _tag_number(row.tag) in self.tag_ids)
        ]
        return tuple(chosen if self.max_files is None else chosen[: self.max_files])


def _tag_number(tag: str | int | None) -> int | None:
    text = str(tag if tag is not None else "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


@dataclass(frozen=True)
class ExoFopFetchResult:
    """
    What a fetch came to.

    Attributes
    ----------
    target : the star
    cache_root : `.../exofop/tic_<id>`
    manifest_path : the manifest in it
    files_downloaded : paths of the wanted files that are in the cache now, fetched in this call or before
    files_skipped : names of wanted files that are not, each with the reason
    warnings, errors : sentences; errors are answers without which the picture is not whole
    answers : endpoint to its state
    public_manifest_path : of what anybody may see; the same as `manifest_path` but for a fetch with a login. None where a
        manifest lies there of which nothing was taken
    public_warnings : those of `warnings` that say nothing of what only a login shows
    private_words : about the login, for a terminal; they belong in no record and on no page, and name nothing that is restricted
    n_connections : requests that were sent
    n_unasked : questions that were left open, because nothing may be asked offline
    n_public_connections, n_public_unasked : those of them that were put as anybody
    holds_manifest : whether a manifest at `manifest_path` is of what is told here; not so where another host's or a damaged one
        lies there, which was left as it is because nothing was learnt
    n_listed : files that ExoFOP lists for this caller, wanted or not; None where their list was not had
    unmatched : sentences about a selection that takes none of them
    """

    target: ExoFopTarget
    cache_root: Path
    manifest_path: Path
    files_downloaded: list[Path]
    files_skipped: list[str]
    warnings: list[str]
    errors: list[str] = field(default_factory=list)
    answers: Mapping[str, AnswerState] = field(default_factory=dict)
    public_manifest_path: Path | None = None
    public_warnings: list[str] = field(default_factory=list)
    private_words: list[str] = field(default_factory=list)
    n_connections: int = 0
    n_unasked: int = 0
    n_public_connections: int = 0
    n_public_unasked: int = 0
    holds_manifest: bool = True
    n_listed: int | None = None
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExoFopFileListing:
    """
    A star's file list.

    Attributes
    ----------
    rows : in the order of their File IDs
    state : how the last question for the list ended; a gap where the rows are older than that
    detail : a clause about it; empty when all is well
    """

    rows: tuple[ExoFopFileRow, ...]
    state: AnswerState
    detail: str = ""


@dataclass(frozen=True)
class RejectedRow:
    """
    A row of a table that could not be read.

    Attributes
    ----------
    line : of the answer's text, from 1
    reason : a clause
    text : the row as it came
    """

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class ExoFopTable:
    """
    A table as it came: every cell is text, foreign and verbatim; no row is lost.

    Attributes
    ----------
    name : which table, such as `toi` or `obsnotes`
    columns : names in the order of the header, as written there
    rows : cells in the same order; as many as there are columns
    rejected : rows that could not be read; rows read = rows kept + rows rejected
    encoding : what the bytes were decoded as
    notes : sentences, such as columns that are new
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    rejected: tuple[RejectedRow, ...] = ()
    encoding: str = "utf-8"
    notes: tuple[str, ...] = ()

    @property
    def n_read(self) -> int:
        """Rows that the answer held."""
        return len(self.rows) + len(self.rejected)

    def records(self) -> list[dict[str, str]]:
        """Rows by column name, names stripped of spaces; of two columns of one name the first counts."""
        names = [name.strip() for name in self.columns]
        return [dict(reversed(list(zip(names, row, strict=True)))) for row in self.rows]


@dataclass(frozen=True)
class ExoFopFile:
    """
    One file entry of a manifest, held against the bytes in the cache.

    Attributes
    ----------
    file_id : ExoFOP's number of the file
    filename, type, description : as ExoFOP gives them; foreign text
    date, group : as given, None when absent
    n_bytes, sha256 : as recorded in the manifest, None when the manifest has none
    state : OK when the bytes in the cache have the recorded sha256, CORRUPT when they have not; where there are none, how
        asking for them ended, or NOT_FOUND
    path : of the bytes; None where they are not there or do not hold
    user, tag : as given, None when absent
    content : what the bytes are, in words; None when it is not recorded
    older_sha256 : of bytes that ExoFOP gave for this file before
    is_listed : whether the last list named it
    last_state : how the last question for it ended, where what is here is of an earlier one
    reason : what was found where its bytes should be, a clause; empty where they are there, and where none were ever had
    """

    file_id: int
    filename: str
    type: str
    date: str | None
    group: str | None
    n_bytes: int | None
    sha256: str | None
    description: str | None
    state: AnswerState
    path: Path | None = None
    user: str | None = None
    tag: str | None = None
    content: str | None = None
    older_sha256: tuple[str, ...] = ()
    is_listed: bool = True
    last_state: AnswerState | None = None
    reason: str = ""


@dataclass(frozen=True)
class ExoFopManifest:
    """
    A manifest as read from an ExoFOP cache folder of one target.

    Attributes
    ----------
    path : the manifest file (private)
    sha256 : of its bytes
    generated_at : as the manifest says, None when it does not
    private : it was made with a cookie jar, so nothing of it may be published
    files : its entries
    answers : endpoint name to its recorded answer
    warnings : sentences about entries that could not be read or do not hold
    n_listed : rows of the file list; None where it is not recorded, and so not known
    """

    path: Path
    sha256: str
    generated_at: str | None
    private: bool
    files: tuple[ExoFopFile, ...]
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    n_listed: int | None = None

    @property
    def open_files(self) -> tuple[ExoFopFile, ...]:
        """Files that no login is needed for, as far as is known: those that are named and counted wherever anybody may look."""
        return tuple(file for file in self.files if file.state is not AnswerState.AUTH_REQUIRED)
