"""What came of one question to ExoFOP, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from btv_report.answer_states import AnswerState
from btv_report.exofop.types import ExoFopTable

if TYPE_CHECKING:
    from btv_report.exofop.payloads.judging import Payload


@dataclass(frozen=True)
class Asked:
    """
    What came of asking a service.

    Attributes
    ----------
    endpoint : the service
    state : how it ended
    asked_at : UTC, ISO to the second
    words : a clause about what happened; empty when all is well
    http_status : None where there was none
    content : the answer as it came, where it is one
    table : the same, read
    """

    endpoint: str
    state: AnswerState
    asked_at: str
    words: str = ""
    http_status: int | None = None
    content: bytes = b""
    table: ExoFopTable | None = None


@dataclass(frozen=True)
class GotFile:
    """
    What came of asking for a file.

    Attributes
    ----------
    state, asked_at, words, http_status : as of `Asked`
    sha256, n_bytes, payload : of what was put at the path; None unless the state is OK
    """

    state: AnswerState
    asked_at: str
    words: str = ""
    http_status: int | None = None
    sha256: str | None = None
    n_bytes: int | None = None
    payload: Payload | None = None
