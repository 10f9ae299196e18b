"""One answer of an archive while it is read: within its size and time, unpacked in bounded pieces, held against its promises."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from urllib3.exceptions import HTTPError

from btv_report.answer_states import AnswerState
from btv_report.archive.clock import Clock
from btv_report.archive.limits import Limits
from btv_report.archive.web_pages import looks_like_html, safe_excerpt

if TYPE_CHECKING:
    import requests

PIECE_BYTES = 1 << 16
HEAD_BYTES = 4096

OnBytes = Callable[[int, int | None], None]

_ENCODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_TRY_LATER = "Try again later; what is in the cache stays there."


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
    expected : size that the file must have, where it is known
    head : the beginning of the body, decoded
    """

    response: requests.Response
    number: int
    end: float
    length: int | None
    raw_bytes: int = 0
    expected: int | None = None
    head: bytes = b""

    @property
    def encoding(self) -> str:
        """The body's compression, empty when there is none."""
        named = str(self.response.headers.get("Content-Encoding", "")).strip().lower()
        return "" if named == "identity" else named

    @property
    def is_encoded(self) -> bool:
        """Whether the body is compressed on the way."""
        return bool(self.encoding)

    @property
    def is_end_stated(self) -> bool:
        """Whether the answer says where it ends: by its length, its chunks, or the end of its compression."""
        chunked = "chunked" in str(self.response.headers.get("Transfer-Encoding", "")).lower()
        return self.length is not None or chunked or self.is_encoded

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
            raise self._other_length(words, self._beginning())

    def pieces(
        self, limits: Limits, clock: Clock, *, limit_bytes: int, on_bytes: OnBytes | None = None
    ) -> Iterator[bytes]:
        """
        The body piece by piece, decoded.

        Stops at the size limit, the deadline and the least rate, also when bytes drip in one by one.

        Parameters
        ----------
        limits, clock : of the rate and of the growth of what is compressed
        limit_bytes : more than this over the wire is refused
        on_bytes : called with bytes so far and bytes in all (None when the server does not say)

        Raises
        ------
        AttemptError
            If it stops there, the connection breaks, or the compression is damaged, ends early, or is one that was not asked for.
        """
        if self.length is not None and self.length > limit_bytes:
            raise self.too_large(self.length, limit_bytes)
        most = limit_bytes * (limits.decoded_ratio if self.is_encoded else 1)
        rate = _RateGuard(limits, clock)
        size = 0

        def on_raw(n_bytes: int) -> None:
            if n_bytes > limit_bytes:
                raise self.too_large(n_bytes, limit_bytes)
            self.require_time(clock.monotonic())
            if n_bytes != self.length:  # a last piece that came late is no reason to ask for all of it again
                rate.require(n_bytes)

        for piece in self._body(on_raw):
            if not size:
                self.head = piece[:HEAD_BYTES]
            size += len(piece)
            if size > most:
                raise self.too_large(size, most)
            if on_bytes is not None:
                on_bytes(size, self.length)
            yield piece
        self.require_time(clock.monotonic())  # an end may be ours: a connection is shut when its time is over

    def _body(self, on_raw: Callable[[int], None]) -> Iterator[bytes]:
        """
        Decoded pieces of the body as they arrive.

        Parameters
        ----------
        on_raw : called with the bytes that came over the wire so far, also where nothing comes of them; may raise

        Raises
        ------
        AttemptError
            If the connection breaks, the compression is damaged or ends early, or it is one that was not asked for.
        """
        decoder = self._decoder()
        try:
            # read1 gives what has come; read and stream would wait for a whole piece, past every deadline when bytes drip in.
            while data := self.response.raw.read1(PIECE_BYTES, decode_content=False):
                self.raw_bytes += len(data)
                on_raw(self.raw_bytes)
                if decoder is None:
                    yield data
                else:
                    yield from decoder.feed(data, PIECE_BYTES)
        except HTTPError as error:
            got = (
                f"after {self.raw_bytes:,} of {self.length:,} bytes"
                if self.length
                else f"after {self.raw_bytes:,} bytes"
            )
            words = f"the connection broke {got} ({plain_reason(error)})"
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
        self.require_length()
        if self.expected is not None and n_bytes != self.expected:
            words = f"expected {self.expected:,} bytes by the archive's list, got {n_bytes:,}"
            raise self._other_length(words, self.head)

    def _beginning(self) -> bytes:
        """What has come first of a body that is not read further."""
        try:
            return bytes(self.response.raw.read1(HEAD_BYTES, decode_content=False))
        except HTTPError:
            return b""

    @staticmethod
    def _other_length(words: str, head: bytes) -> AttemptError:
        """What to raise where another length than the listed one comes; a web page is named as one."""
        hint = _TRY_LATER
        if looks_like_html(head):
            words = f"a web page came instead of the file ({safe_excerpt(head)!r}); {words}"
            hint = "The archive may be closed for a while, or this network asks for a login first: try again later."
        return AttemptError(AnswerState.CORRUPT, words, again=True, once=True, hint=hint)

    def require_length(self) -> None:
        """
        Hold what came over the wire against the stated length.

        Raises
        ------
        AttemptError
            If it is another.
        """
        if self.length is not None and self.raw_bytes != self.length:
            words = f"expected {self.length:,} bytes, got {self.raw_bytes:,}"
            raise AttemptError(AnswerState.UNREACHABLE, words, again=True)

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


class _RateGuard:
    """Gives up a transfer that was slower than the least rate over a whole window."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits, self._clock = limits, clock
        self._began, self._bytes = clock.monotonic(), 0

    def require(self, n_bytes: int) -> None:
        elapsed = self._clock.monotonic() - self._began
        if elapsed < self._limits.rate_window_s:
            return
        rate = (n_bytes - self._bytes) / elapsed
        if rate < self._limits.least_rate_bytes_per_s:
            words = f"it came at {rate:.0f} bytes/s over {elapsed:.0f} s, too slow to wait for"
            raise AttemptError(AnswerState.UNREACHABLE, words, again=True)
        self._began, self._bytes = self._clock.monotonic(), n_bytes


def plain_reason(error: BaseException) -> str:
    """The innermost reason in a few words, without addresses."""
    seen: list[Any] = [error]
    for one in seen:
        reasons = [getattr(one, "reason", None), one.__cause__, *one.args]
        seen += [reason for reason in reasons if isinstance(reason, BaseException) and reason not in seen]
    innermost = seen[-1]
    words = getattr(innermost, "verify_message", "") or getattr(innermost, "strerror", "") or type(innermost).__name__
    return re.sub(r"[^\x20-\x7e]", "?", str(words))[:120]
