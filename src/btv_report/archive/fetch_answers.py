"""What an answer's headers, length and faults mean: one state each, and whether asking again can help."""

from __future__ import annotations

import re
import ssl
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, NameResolutionError

from btv_report.answer_states import AnswerState
from btv_report.archive.limits import Limits

_ENCODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:(?><!--.*?-->)\s*)*+"
    rb"<(?:!doctype\s+html|html|head|body|title|script|meta|form|center|div|h[1-6]|p|br)\b",
    re.IGNORECASE | re.DOTALL,
)
"""How a web page begins: also after a mark of its encoding or comments (read once each: the pattern must not be slow), and the
bare words of a server that fails half-way."""
_TRY_LATER = "Try again later; what is in the cache stays there."
_CHECK_PROXY = "Check HTTPS_PROXY and NO_PROXY, and the proxy's user and password."


class AttemptError(Exception):
    """
    Why an attempt did not give what was asked.

    Parameters
    ----------
    state : the state it would end in
    words : what happened, a clause
    again : whether another try can help; with `once` one more at most
    retry_after : the header's text
    """

    def __init__(
        self,
        state: AnswerState,
        words: str,
        *,
        again: bool,
        once: bool = False,
        retry_after: str | None = None,
        http_status: int | None = None,
        hint: str = _TRY_LATER,
    ) -> None:
        super().__init__(words)
        self.state = state
        self.words = words
        self.again = again
        self.once = once
        self.retry_after = retry_after
        self.http_status = http_status
        self.hint = hint

    def out_of_time(self, wait_s: float | None, cap_s: float, deadline_s: float) -> AttemptError:
        """The same, when there is no time for another try."""
        if wait_s is None:
            words = f"{self.words}, and the server asks to wait longer than {cap_s:g} s"
            return AttemptError(AnswerState.THROTTLED, words, again=False, http_status=self.http_status, hint=self.hint)
        words = f"{self.words}, and the {deadline_s:g} s given to it are over"
        return AttemptError(self.state, words, again=False, http_status=self.http_status, hint=self.hint)


@dataclass
class Attempt:
    """
    One answer whose headers hold.

    Attributes
    ----------
    response : still to be read
    number : which try it is
    end : when the time for it is over, by the fetcher's clock
    length : bytes that are to come, None when the server does not say
    raw_bytes : bytes that came over the wire so far
    """

    response: requests.Response
    number: int
    end: float
    length: int | None
    raw_bytes: int = 0
    expected: int | None = None

    @property
    def encoding(self) -> str:
        """The body's compression, empty when there is none."""
        named = str(self.response.headers.get("Content-Encoding", "")).strip().lower()
        return "" if named == "identity" else named

    @property
    def is_encoded(self) -> bool:
        """Whether the body is compressed on the way."""
        return bool(self.encoding)

    def expect(self, n_bytes: int | None) -> None:
        """
        Note the size that the file must have, before a byte is read.

        Raises
        ------
        AttemptError
            If the server already states another one.
        """
        self.expected = n_bytes
        if n_bytes is not None and self.length is not None and not self.is_encoded and self.length not in {0, n_bytes}:
            words = f"expected {n_bytes:,} bytes by the archive's list, and the server states {self.length:,}"
            raise AttemptError(AnswerState.CORRUPT, words, again=True, once=True)

    def body(self, piece_bytes: int, on_raw: Callable[[int], None] | None = None) -> Iterator[bytes]:
        """
        Decoded pieces of the body as they arrive.

        Parameters
        ----------
        piece_bytes : at most so many at once
        on_raw : called with the bytes that came over the wire so far, also where nothing comes of them; may raise

        Raises
        ------
        AttemptError
            If the connection breaks, the compression is damaged or ends early, or it is one that was not asked for.
        """
        decoder = self._decoder()
        try:
            # read1 gives what has come; read and stream would wait for a whole piece, past every deadline when bytes drip in.
            while data := self.response.raw.read1(piece_bytes, decode_content=False):
                self.raw_bytes += len(data)
                if on_raw is not None:
                    on_raw(self.raw_bytes)
                if decoder is None:
                    yield data
                else:
                    yield from decoder.feed(data, piece_bytes)
        except HTTPError as error:
            got = (
                f"after {self.raw_bytes:,} of {self.length:,} bytes"
                if self.length
                else f"after {self.raw_bytes:,} bytes"
            )
            words = f"the connection broke {got} ({_plain(error)})"
            raise AttemptError(AnswerState.UNREACHABLE, words, again=True) from error
        except zlib.error as error:
            raise AttemptError(
                AnswerState.CORRUPT, f"its compression is damaged ({error})", again=True, once=True
            ) from error
        if decoder is not None and not decoder.is_finished:
            raise AttemptError(
                AnswerState.CORRUPT, "its compression ends early: the answer was cut", again=True, once=True
            )

    def _decoder(self) -> _Decoder | None:
        if not self.is_encoded:
            return None
        if self.encoding not in _ENCODINGS:
            words = f"it is compressed as {self.encoding[:20]!r}, which was not asked for"
            raise AttemptError(AnswerState.REJECTED, words, again=False)
        return _Decoder(_ENCODINGS[self.encoding])

    def require_content(self, n_bytes: int) -> None:
        """
        Hold the length of what came against what was promised.

        Raises
        ------
        AttemptError
            If nothing came (an empty 200 is how a busy server says no), or not as much as was stated or listed.
        """
        if n_bytes == 0:
            words = "an empty answer came with status 200, which is how a busy server says no"
            raise AttemptError(AnswerState.THROTTLED, words, again=True, http_status=self.response.status_code)
        if self.length is not None and self.raw_bytes != self.length:
            words = f"expected {self.length:,} bytes, got {self.raw_bytes:,}"
            raise AttemptError(AnswerState.UNREACHABLE, words, again=True)
        if self.expected is not None and n_bytes != self.expected:
            words = f"expected {self.expected:,} bytes by the archive's list, got {n_bytes:,}"
            raise AttemptError(AnswerState.CORRUPT, words, again=True, once=True)

    def require_time(self, now: float) -> None:
        """
        Stop when the time for it is over.

        Raises
        ------
        AttemptError
            If it is.
        """
        if now >= self.end:
            words = f"the time for it was over after {self.raw_bytes:,} bytes"
            raise AttemptError(AnswerState.UNREACHABLE, words, again=False)

    def too_large(self, n_bytes: int, limit: int) -> AttemptError:
        """What to raise when more comes than is taken."""
        words = f"it is over the size limit ({n_bytes:,} bytes of at most {limit:,})"
        return AttemptError(AnswerState.REJECTED, words, again=False, hint="Nothing of it was kept.")


class _Decoder:
    """gzip or deflate in bounded pieces, members one after the other."""

    def __init__(self, window_bits: int) -> None:
        self._window_bits = window_bits
        self._stream = zlib.decompressobj(window_bits)
        self._any = False

    @property
    def is_finished(self) -> bool:
        """Whether the last member came to its end."""
        return self._any and self._stream.eof

    def feed(self, data: bytes, piece_bytes: int) -> Iterator[bytes]:
        """Decoded pieces of at most `piece_bytes`."""
        while data:
            if self._stream.eof:
                if not data.strip(b"\0"):
                    return
                self._stream = zlib.decompressobj(self._window_bits)
            piece = self._stream.decompress(data, piece_bytes)
            self._any = True
            if piece:
                yield piece
            data = self._stream.unconsumed_tail or self._stream.unused_data
        while piece := self._stream.decompress(b"", piece_bytes):
            yield piece


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
    words = f"its TLS certificate or protocol is not accepted ({_plain(error)})"
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
    return AttemptError(AnswerState.UNREACHABLE, f"the connection failed ({_plain(error)})", again=True)


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


def _plain(error: BaseException) -> str:
    """The innermost reason in a few words, without addresses."""
    seen: list[Any] = [error]
    for one in seen:
        reasons = [getattr(one, "reason", None), one.__cause__, *one.args]
        seen += [reason for reason in reasons if isinstance(reason, BaseException) and reason not in seen]
    innermost = seen[-1]
    words = getattr(innermost, "verify_message", "") or getattr(innermost, "strerror", "") or type(innermost).__name__
    return re.sub(r"[^\x20-\x7e]", "?", str(words))[:120]


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
    return None if named is None else named.strftime("%Y-%m-%dT%H:%M:%SZ")


def stated_file_name(response: requests.Response) -> str | None:
    """The name in Content-Disposition, printable and short; it is shown, and never used as a path."""
    stated = str(response.headers.get("Content-Disposition", ""))[:1000]
    message = Message()
    message["Content-Disposition"] = re.sub(r"[^\x20-\x7e]", "?", stated)
    name = message.get_filename()
    return re.sub(r"[^\x20-\x7e]", "?", name)[: Limits.shown_name_length] if name else None


def looks_like_html(content: bytes) -> bool:
    """Whether bytes begin as a web page does; a table whose first cell is a page is for its parser to tell."""
    return _HTML.match(content[:4096]) is not None


def safe_excerpt(content: bytes, length: int = 80) -> str:
    """The first printable characters of an answer, on one line, for a message."""
    text = content[: 8 * length].decode("utf-8", errors="replace")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:length]
