"""
What the archive answered, kept until somebody asks to ask again.

One JSON file an answer, under `answers/tic_<id>/` (or `answers/names/` for questions that are not of one star), with the
time it was asked at. Only knowledge is kept (OK, EMPTY, NOT_FOUND); every other state is asked again by the next run.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btv_report.answer_states import AnswerState
from btv_report.atomic import make_folder, write_atomic

SCHEMA_VERSION = 1
FINAL_STATES = frozenset({AnswerState.OK, AnswerState.EMPTY, AnswerState.NOT_FOUND})
MAX_ANSWER_BYTES = 64_000_000


@dataclass(frozen=True)
class Answer:
    """
    One answer.

    Attributes
    ----------
    state : OK, EMPTY or NOT_FOUND
    asked_at : UTC, ISO to the second
    value : JSON value; None where there is nothing
    from_cache : whether it was read from the disk now
    """

    state: AnswerState
    asked_at: str
    value: Any
    from_cache: bool = False


class AnswerCache:
    """
    Answers below one cache folder.

    Parameters
    ----------
    folder : the cache folder; `answers/` is made in it when the first answer is kept
    base_url : of the archive that answers; answers of one host are never given for another's
    """

    def __init__(self, folder: Path, base_url: str) -> None:
        self.folder = folder / "answers"
        self.base_url = base_url

    def get(self, tic_id: int | None, question: str) -> Answer | None:
        """The kept answer to a question; None when there is none, or what lies there is not one."""
        path = self._path(tic_id, question)
        try:
            if path.stat().st_size > MAX_ANSWER_BYTES:
                return None
            kept = json.loads(path.read_bytes())
            if kept["schema_version"] != SCHEMA_VERSION or kept["question"] != self._question(question):
                return None
            state = AnswerState(kept["state"])
            asked_at, value = str(kept["asked_at"]), kept["value"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None  # damaged, foreign or of another version: it is asked again and written anew
        return Answer(state, asked_at, value, from_cache=True) if state in FINAL_STATES else None

    def put(self, tic_id: int | None, question: str, answer: Answer) -> None:
        """
        Keep an answer that is knowledge; others are not kept.

        Raises
        ------
        LocalEnvironmentError
            If the machine does not let it be written.
        """
        if answer.state not in FINAL_STATES:
            return
        path = self._path(tic_id, question)
        make_folder(path.parent, private=True)
        content = {
            "schema_version": SCHEMA_VERSION,
            "question": self._question(question),
            "state": str(answer.state),
            "asked_at": answer.asked_at,
            "value": answer.value,
        }
        data = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        write_atomic(path, data, private=True)

    def _question(self, question: str) -> str:
        return f"{self.base_url} {question}"

    def _path(self, tic_id: int | None, question: str) -> Path:
        # The words stand in the name for people, the hash keeps questions apart that differ in what names may not hold.
        words = re.sub(r"[^a-z0-9]+", "-", question.lower()).strip("-")[:48]
        digest = hashlib.sha256(self._question(question).encode()).hexdigest()[:16]
        return self.folder / ("names" if tic_id is None else f"tic_{tic_id}") / f"{words}-{digest}.json"
