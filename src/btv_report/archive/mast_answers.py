"""
Whether the content of an answer is an answer.

astroquery takes what it gets: a table of no rows from a service that failed, a list of columns that is an error report. Taken as
said, each of them would become "the archive holds nothing of it", be kept as final, and be wrong.
"""

from __future__ import annotations

import json
from typing import Any

from btv_report.answer_states import AnswerState
from btv_report.archive.attempt import AttemptError
from btv_report.archive.web_pages import looks_like_html, safe_excerpt

_EXCERPT = 160


def is_still_working(path: str, content: bytes) -> bool:
    """
    Judge the content of an answer with status 200.

    Parameters
    ----------
    path : of the service's address: what the content must hold depends on it
    content : as it came

    Returns
    -------
    bool
        Whether the archive is still working on the answer, so that it is to be asked again; False when it is there.

    Raises
    ------
    AttemptError
        If the content proves nothing: no JSON, a report of an error, a form that the service does not have.
    """
    answer = as_object(content)
    if answer.get("status") == "EXECUTING":
        return True
    require_no_error(answer)
    if path.endswith("/invoke"):
        _require_table(answer)
    elif path.endswith("/sector") and not isinstance(answer.get("results"), list):
        raise no_form("a list of sectors is missing")
    return False


def as_object(content: bytes) -> dict[str, Any]:
    """
    An answer that is a JSON object.

    Raises
    ------
    AttemptError
        If it is empty (THROTTLED: that is how a busy server says no), a web page, or something else.
    """
    if not content.strip():
        words = "an empty answer came with status 200, which is how a busy server says no"
        raise AttemptError(AnswerState.THROTTLED, words, again=True)
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        what = "a web page" if looks_like_html(content) else "something"
        words = f"it sent {what} where a table in JSON was due ({safe_excerpt(content)!r})"
        raise AttemptError(AnswerState.CORRUPT, words, again=True, once=True) from None
    if not isinstance(answer, dict):
        raise no_form(f"a {type(answer).__name__} stands where an object was due")
    return answer


def require_no_error(answer: dict[str, Any]) -> None:
    """
    An answer that reports an error is none, whatever its status line says.

    Raises
    ------
    AttemptError
        With the archive's words.
    """
    if answer.get("status") == "ERROR":
        said = safe_excerpt(str(answer.get("msg") or "no words").encode("utf-8", "replace"), _EXCERPT)
        raise AttemptError(AnswerState.UNREACHABLE, f"the archive reports an error: {said}", again=True)


def no_form(what: str) -> AttemptError:
    """For an answer that is not in the form that its service has; one more try may help."""
    return AttemptError(
        AnswerState.CORRUPT, f"its answer has not the form that was expected ({what})", again=True, once=True
    )


def _require_table(answer: dict[str, Any]) -> None:
    """Only a complete table of no rows proves that there is nothing."""
    if answer.get("status") != "COMPLETE":
        said = safe_excerpt(str(answer.get("status")).encode("utf-8", "replace"), 40)
        raise no_form(f"its status is {said!r}, not 'COMPLETE'")
    if not isinstance(answer.get("data"), list | dict):
        raise no_form("a table is missing")
