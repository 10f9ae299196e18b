"""What the headers and faults of an answer mean: one state each, and whether asking again can help."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import NameResolutionError

from btv_report.answer_states import AnswerState
from btv_report.archive.attempt import AttemptError, plain_reason
from btv_report.archive.limits import Limits
from btv_report.utc import utc_text

_CHECK_PROXY = "Check HTTPS_PROXY and NO_PROXY, and the proxy's user and password."


def judge_headers(response: requests.Response) -> None:
    """
    Go on with a plain 200 only.

    Raises
    ------
    AttemptError
        With the state of any other status.
    """
    status = response.status_code
    if status == 200:
        return
    raise judge_status(status, response.headers.get("Retry-After"))


def judge_status(status: int, retry_after: str | None) -> AttemptError:
    """What a status other than 200 means."""
    words = f"the server says {status}{_MEANINGS.get(status, '')}"
    if status == 429 or (status == 503 and retry_after is not None):
        return AttemptError(AnswerState.THROTTLED, words, again=True, retry_after=retry_after, http_status=status)
    if status >= 500:
        return AttemptError(AnswerState.UNREACHABLE, words, again=True, retry_after=retry_after, http_status=status)
    if status in {401, 403}:
        hint = "It is not public, or the login has run out."
        return AttemptError(AnswerState.AUTH_REQUIRED, words, again=False, http_status=status, hint=hint)
    if status in {404, 410}:
        hint = "The archive may have replaced it: ask again with --refresh."
        return AttemptError(AnswerState.NOT_FOUND, words, again=False, http_status=status, hint=hint)
    if status == 204:
        return AttemptError(AnswerState.THROTTLED, words, again=True, http_status=status)
    hint = "Please report this with the address."
    return AttemptError(AnswerState.REJECTED, words, again=False, http_status=status, hint=hint)


_MEANINGS = {
    204: " (no content)",
    206: " (a part, which was not asked for)",
    400: " (bad request)",
    401: " (a login is needed)",
    403: " (forbidden)",
    404: " (not found)",
    410: " (gone)",
    429: " (too many requests)",
    500: " (internal error)",
    502: " (bad gateway)",
    503: " (service unavailable)",
    504: " (gateway time-out)",
}


def judge_failure(error: requests.RequestException) -> AttemptError:
    """What a failed request means; nothing of a proxy's or server's secrets stands in the words."""
    for kinds, judge in _FAILURES:
        if isinstance(error, kinds):
            return judge(error)
    words = f"the request could not be made ({type(error).__name__})"
    return AttemptError(AnswerState.REJECTED, words, again=False, hint="Please report this with the address.")


def _tls(error: requests.RequestException) -> AttemptError:
    if _caused_by(error, ssl.SSLEOFError):
        words = "the connection broke while TLS was being set up"
        return AttemptError(AnswerState.UNREACHABLE, words, again=True)
    hint = "Check this machine's clock and certificates, and whether a proxy breaks TLS open; verification stays on."
    words = f"its TLS certificate or protocol is not accepted ({plain_reason(error)})"
    return AttemptError(AnswerState.UNREACHABLE, words, again=False, hint=hint)


def _proxy(error: requests.RequestException) -> AttemptError:
    asks = "asks for a login (407)" if "connection failed: 407" in str(error) else "does not pass the request on"
    return AttemptError(AnswerState.UNREACHABLE, f"the proxy {asks}", again=False, hint=_CHECK_PROXY)


def _no_address(error: requests.RequestException) -> AttemptError:
    """Hops are looked at before they are taken, so it is ours, or the proxy's."""
    words = f"the address, or that of the proxy, cannot be used ({type(error).__name__})"
    hint = f"{_CHECK_PROXY} A proxy by SOCKS needs the package PySocks."
    return AttemptError(AnswerState.UNREACHABLE, words, again=False, hint=hint)


def _redirects(error: requests.RequestException) -> AttemptError:
    hops = [*error.response.history, error.response] if error.response is not None else []
    hosts = " -> ".join(urlsplit(hop.url).hostname or "?" for hop in hops[:6])
    words = f"it is sent on and on ({hosts})" if hosts else "it is sent on and on"
    return AttemptError(AnswerState.REJECTED, words, again=False)


def _timeout(error: requests.RequestException) -> AttemptError:
    connecting = isinstance(error, requests.exceptions.ConnectTimeout)
    words = "no connection came about in time" if connecting else "no answer came in time"
    return AttemptError(AnswerState.UNREACHABLE, words, again=True)


def _connection(error: requests.RequestException) -> AttemptError:
    if _caused_by(error, NameResolutionError):
        hint = "Check the network of this machine, or use --offline."
        return AttemptError(AnswerState.UNREACHABLE, "its name cannot be resolved", again=True, hint=hint)
    return AttemptError(AnswerState.UNREACHABLE, f"the connection failed ({plain_reason(error)})", again=True)


_FAILURES: tuple[tuple[Any, Callable[[requests.RequestException], AttemptError]], ...] = (
    (requests.exceptions.SSLError, _tls),
    (requests.exceptions.ProxyError, _proxy),
    (requests.exceptions.TooManyRedirects, _redirects),
    (requests.exceptions.Timeout, _timeout),
    (requests.exceptions.ConnectionError, _connection),
    (requests.exceptions.ChunkedEncodingError, _connection),
    ((requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema), _no_address),
)
"""Kinds of failure and what each means; the first that fits counts."""


def _caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether an exception of a kind stands anywhere among the reasons."""
    seen: list[Any] = [error]
    for one in seen:
        if isinstance(one, kind):
            return True
        reasons = [getattr(one, "reason", None), one.__cause__, one.__context__, *one.args]
        seen += [reason for reason in reasons if isinstance(reason, BaseException) and reason not in seen]
    return False


def stated_length(response: requests.Response) -> int | None:
    """Content-Length; None when it is absent, senseless, or void because the body comes in chunks."""
    text = str(response.headers.get("Content-Length", "")).strip()
    if response.headers.get("Transfer-Encoding") or not (text.isascii() and text.isdecimal() and len(text) <= 18):
        return None
    return int(text)


def moment(text: str) -> datetime | None:
    """The moment that a header's date names; None when it names none."""
    try:
        named = parsedate_to_datetime(text)
        return named.replace(tzinfo=UTC) if named.tzinfo is None else named.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def server_date(response: requests.Response) -> str | None:
    """The answer's Date, UTC in ISO; None when it is absent or senseless."""
    named = moment(response.headers.get("Date", ""))
    return None if named is None else utc_text(named)


def stated_file_name(response: requests.Response) -> str | None:
    """The name in Content-Disposition, printable and short; it is shown, and never used as a path."""
    stated = str(response.headers.get("Content-Disposition", ""))[:1000]
    message = Message()
    message["Content-Disposition"] = re.sub(r"[^\x20-\x7e]", "?", stated)
    name = message.get_filename()
    return re.sub(r"[^\x20-\x7e]", "?", name)[: Limits.shown_name_length] if name else None
