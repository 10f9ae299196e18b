"""What an ExoFOP cache holds, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from btv_report.answer_states import AnswerState


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
    state : OK when the bytes in the cache have the recorded sha256, CORRUPT when they have not, NOT_FOUND when there are none
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
    """

    path: Path
    sha256: str
    generated_at: str | None
    private: bool
    files: tuple[ExoFopFile, ...]
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
