"""
What anybody is given of a star now.

A file or table that was public may be restricted again. The cache keeps what it holds; but what ExoFOP's last anonymous answer
left out or refused is not public any more, and goes on no page. A question that nobody answered says nothing of that kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from btv_report.answer_states import AnswerState
from btv_report.exofop.asking.endpoints import CTOI, FILE_LIST, TARGET, TOI
from btv_report.exofop.types import ExoFopFile, ExoFopManifest

_ANSWERED = frozenset({AnswerState.AUTH_REQUIRED, AnswerState.EMPTY, AnswerState.NOT_FOUND})
_NEVER_RESTRICTED = frozenset({TOI, CTOI, TARGET})
"""Objects of interest are announced, and every star has a page; that they are missing is the fault of a moment."""


def as_given(manifest: ExoFopManifest) -> ExoFopManifest:
    """
    An anonymous manifest without what ExoFOP has refused, or left out, when it was asked the last time.

    Every answer of it has a state; one that states none that there is counts as CORRUPT.
    """
    answers = {name: _answer(name, answer) for name, answer in manifest.answers.items()}
    is_list_given = answers.get(FILE_LIST) == manifest.answers.get(FILE_LIST)
    files = tuple(_file(file) for file in manifest.files if file.is_listed)
    withheld = [file for file in manifest.files if not file.is_listed or _is_refused(file)]
    return replace(
        manifest,
        files=files,
        answers=answers,
        warnings=tuple(words for words in manifest.warnings if not any(_names(words, file) for file in withheld)),
        n_listed=manifest.n_listed if is_list_given else None,
    )


def _answer(name: str, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    if _state(answer.get("state")) is None:
        return {"state": str(AnswerState.CORRUPT), "detail": "the manifest does not say how the question ended"}
    last = _state(answer.get("last_state"))
    if name in _NEVER_RESTRICTED or last is None or last not in _ANSWERED:
        return answer
    # Nothing where there was something is also what a busy server answers.
    state = AnswerState.THROTTLED if last is AnswerState.EMPTY else last
    words = "ExoFOP gave rows of it earlier and none when it was asked the last time, so that none is shown"
    kept = {key: answer[key] for key in ("asked_at", "http_status") if key in answer}
    return {"state": str(state), **kept, "detail": words}


def _state(value: object) -> AnswerState | None:
    """A state as a foreign manifest gives it; None where it is none."""
    return AnswerState(value) if isinstance(value, str) and value in {*AnswerState} else None


def _file(file: ExoFopFile) -> ExoFopFile:
    if file.last_state is None or file.last_state not in _ANSWERED:
        return file
    return replace(
        file, state=file.last_state, path=None, sha256=None, n_bytes=None, content=None, older_sha256=(), reason=""
    )


def _is_refused(file: ExoFopFile) -> bool:
    """Whether ExoFOP did not give the file to anybody when it was asked the last time."""
    return file.last_state in _ANSWERED or file.state is AnswerState.AUTH_REQUIRED


def _names(words: str, file: ExoFopFile) -> bool:
    return f"file {file.file_id} " in words or file.filename in words
