"""The states in which every answer of a mirror, an archive or a service ends: exactly one each."""

from __future__ import annotations

from enum import StrEnum


class AnswerState(StrEnum):
    """
    What became of one question.

    OK and EMPTY are knowledge (EMPTY: it was proved that there is nothing), NOT_FOUND says the thing asked for does not
    exist there, SKIPPED that the user asked not to ask. All others leave a gap: we do not know, or may not use what came.
    """

    OK = "OK"
    EMPTY = "EMPTY"
    NOT_FOUND = "NOT_FOUND"
    AUTH_REQUIRED = "AUTH_REQUIRED"
    THROTTLED = "THROTTLED"
    UNREACHABLE = "UNREACHABLE"
    CORRUPT = "CORRUPT"
    REJECTED = "REJECTED"
    STALE = "STALE"
    SKIPPED = "SKIPPED"

    @property
    def is_gap(self) -> bool:
        """Whether a dossier with this answer has a gap (exit code 3)."""
        return self in _GAPS


_GAPS = frozenset(
    {
        AnswerState.AUTH_REQUIRED,
        AnswerState.THROTTLED,
        AnswerState.UNREACHABLE,
        AnswerState.CORRUPT,
        AnswerState.REJECTED,
        AnswerState.STALE,
    }
)
