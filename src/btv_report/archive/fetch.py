"""
The one function that fetches bytes: streamed beside their final place, held against every promise, then renamed.

There is no resuming. A server may ignore the Range that resuming asks for, or have other bytes by now, and what was kept of the
first attempt may be an error page; each has been seen to make a file that looks whole. A second attempt begins at byte zero.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from random import Random
from typing import Any, Protocol

import requests

from btv_report.answer_states import AnswerState
from btv_report.archive.addresses import public_url, require_allowed_url
from btv_report.archive.fetch_answers import (
    Attempt,
    AttemptError,
    judge_failure,
    judge_headers,
    moment,
    server_date,
    stated_file_name,
    stated_length,
)
from btv_report.archive.limits import Limits
from btv_report.archive.transport import open_session
from btv_report.atomic import environment_error, sync_folder
from btv_report.errors import FetchError, LocalEnvironmentError

PIECE_BYTES = 1 << 16

OnBytes = Callable[[int, int | None], None]
Check = Callable[[Path], str]


class Clock(Protocol):
    """Time as the fetch function sees it; tests give their own."""

    def monotonic(self) -> float:
        """Seconds since some moment."""

    def now(self) -> float:
        """Seconds since 1970, for dates that servers state."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's own time."""

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(frozen=True)
class Fetched:
    """
    Bytes that hold what was promised of them.

    Attributes
    ----------
    url, final_url : asked, and where redirects led; without query
    path, content : where the bytes are: a file, or here
    sha256, n_bytes : of the bytes as they are kept
    http_status, content_type : of the last answer
    server_date : ISO UTC, as the server dates its answer; None when it does not
    tries : requests that it took
    file_name : what the server would call the file; to be shown, never to be used as a path
    """

    url: str
    final_url: str
    path: Path | None
    content: bytes | None
    sha256: str
    n_bytes: int
    http_status: int
    content_type: str
    server_date: str | None
    tries: int
    file_name: str | None


class Fetcher:
    """
    Fetches, politely.

    Parameters
    ----------
    limits : see `Limits`
    clock, random : for tests
    min_interval_s : at least so long between the beginnings of two requests
    max_parallel : at most so many requests at once, over all threads that share this object
    """

    def __init__(
        self,
        *,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        clock: Clock | None = None,
        random: Random | None = None,
        min_interval_s: float = 0.0,
        max_parallel: int = 2,
    ) -> None:
        self.limits = limits
        self.clock: Clock = clock or SystemClock()
        self.random = random or Random()  # noqa: S311 - jitter, no secret
        self.min_interval_s = min_interval_s
        self._slots = threading.BoundedSemaphore(max_parallel)
        self._beginning = threading.Lock()
        self._last_begin = float("-inf")

    def to_bytes(
        self,
        url: str,
        *,
        limit_bytes: int,
        deadline_s: float,
        params: Mapping[str, Any] | None = None,
        method: str = "GET",
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        cookies: CookieJar | None = None,
    ) -> Fetched:
        """
        Fetch an answer into memory.

        Parameters
        ----------
        url, params, method, data, headers : the request
        limit_bytes : more than this is refused
        deadline_s : for all tries together; waiting behind other requests of this fetcher does not count
        cookies : sent where their domain and path allow it

        Raises
        ------
        FetchError
            With the state that the attempt ended in.
        UsageError
            If the address is not one that may be asked.
        """
        asked = {"Accept-Encoding": "gzip", **(headers or {})}
        request = {"method": method, "url": url, "params": params, "data": data, "headers": asked}

        def keep(attempt: Attempt) -> Fetched:
            pieces = list(self._pieces(attempt, limit_bytes, None))
            content = b"".join(pieces)
            attempt.require_content(len(content))
            return _fetched(attempt, url, content, hashlib.sha256(content).hexdigest())

        return self._try(request, cookies, deadline_s, keep)

    def to_file(
        self,
        url: str,
        destination: Path,
        *,
        limit_bytes: int,
        deadline_s: float,
        params: Mapping[str, Any] | None = None,
        cookies: CookieJar | None = None,
        expected_bytes: int | None = None,
        check: Check | None = None,
        on_bytes: OnBytes | None = None,
    ) -> Fetched:
        """
        Fetch a file; it appears at `destination` whole and checked, or not at all.

        Parameters
        ----------
        destination : its folder must exist; an old file there stays until the new one holds
        expected_bytes : size that the archive lists, None when it lists none
        check : says what is wrong with the bytes at a path; empty when nothing is. A file that fails is fetched once more
        on_bytes : called with bytes so far and bytes in all (None when the server does not say)
        limit_bytes, deadline_s, params, cookies : as for `to_bytes`

        Raises
        ------
        FetchError
            With the state that the attempt ended in.
        LocalEnvironmentError
            If the disk or a permission is in the way.
        """
        # Compression on the way would hide how many bytes are to come; FITS files gain little from it.
        request = {"method": "GET", "url": url, "params": params, "headers": {"Accept-Encoding": "identity"}}

        def keep(attempt: Attempt) -> Fetched:
            attempt.expect(expected_bytes)
            with _part_file(destination) as (handle, part):
                digest, size = hashlib.sha256(), 0
                for piece in self._pieces(attempt, limit_bytes, on_bytes):
                    digest.update(piece)
                    size += len(piece)
                    _write(handle, piece, destination, attempt.length)
                attempt.require_content(size)
                _settle(handle, part, destination)
                if reason := check(part) if check else "":
                    raise AttemptError(
                        AnswerState.CORRUPT, f"what came is not the file: {reason}", again=True, once=True
                    )
                _rename(part, destination)
            return _fetched(attempt, url, None, digest.hexdigest(), path=destination, n_bytes=size)

        return self._try(request, cookies, deadline_s, keep)

    def _try(
        self,
        request: Mapping[str, Any],
        cookies: CookieJar | None,
        deadline_s: float,
        keep: Callable[[Attempt], Fetched],
    ) -> Fetched:
        """One request after the other until one holds, a fault is final, or tries and time are used up."""
        require_allowed_url(request["url"])
        end = self.clock.monotonic() + deadline_s
        spent_once = False
        trouble = AttemptError(AnswerState.UNREACHABLE, "it was not asked", again=False)
        number = 0
        for number in range(1, self.limits.tries + 1):
            try:
                with self._turn() as waited:
                    end += waited
                    with self._request(request, cookies, number, end) as attempt:
                        return keep(attempt)
            except AttemptError as found:
                trouble = found
            except requests.RequestException as error:
                trouble = judge_failure(error)
            if not trouble.again or (trouble.once and spent_once) or number == self.limits.tries:
                break
            spent_once = spent_once or trouble.once
            wait = self._wait(trouble, number)
            if wait is None or self.clock.monotonic() + wait >= end:
                trouble = trouble.out_of_time(wait, self.limits.retry_after_cap_s, deadline_s)
                break
            self.clock.sleep(wait)
        raise _error(trouble, request["url"], number)

    @contextlib.contextmanager
    def _turn(self) -> Iterator[float]:
        """A place among the requests at once, apart from the one before; gives the seconds that were waited for it."""
        began = self.clock.monotonic()
        with self._slots:
            with self._beginning:
                pause = self._last_begin + self.min_interval_s - self.clock.monotonic()
                if pause > 0:
                    self.clock.sleep(pause)
                self._last_begin = self.clock.monotonic()
            yield self.clock.monotonic() - began

    @contextlib.contextmanager
    def _request(
        self, request: Mapping[str, Any], cookies: CookieJar | None, number: int, end: float
    ) -> Iterator[Attempt]:
        """One request in a session of its own; gives the answer once its headers hold."""
        remaining = max(end - self.clock.monotonic(), 0.1)
        timeouts = (min(self.limits.connect_timeout_s, remaining), min(self.limits.read_timeout_s, remaining))
        secret = bool(cookies) or _has_secret(request["headers"])
        with open_session(self.limits, lambda: end - self.clock.monotonic(), keeps_secret=secret) as session:
            if cookies is not None:
                session.cookies.update(cookies)
            try:
                response = session.request(**request, stream=True, timeout=timeouts)
            except requests.RequestException:
                raise
            except OSError as error:  # of the certificates: a broken connection is a RequestException
                raise LocalEnvironmentError(
                    f"{public_url(request['url'])} was not asked: {error}.",
                    hint="Check REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and SSL_CERT_FILE: TLS is verified with what they name.",
                ) from error
            try:
                judge_headers(response)
                yield Attempt(response, number, end, stated_length(response))
            finally:
                response.close()

    def _pieces(self, attempt: Attempt, limit_bytes: int, on_bytes: OnBytes | None) -> Iterator[bytes]:
        """
        The body piece by piece, decoded.

        Stops at the size limit, the deadline and the least rate, also when bytes drip in one by one.
        """
        if attempt.length is not None and attempt.length > limit_bytes:
            raise attempt.too_large(attempt.length, limit_bytes)
        most = limit_bytes * (self.limits.decoded_ratio if attempt.is_encoded else 1)
        rate = _RateGuard(self.limits, self.clock)
        size = 0

        def on_raw(n_bytes: int) -> None:
            if n_bytes > limit_bytes:
                raise attempt.too_large(n_bytes, limit_bytes)
            attempt.require_time(self.clock.monotonic())
            if n_bytes != attempt.length:  # a last piece that came late is no reason to ask for all of it again
                rate.require(n_bytes)

        for piece in attempt.body(PIECE_BYTES, on_raw):
            size += len(piece)
            if size > most:
                raise attempt.too_large(size, most)
            if on_bytes is not None:
                on_bytes(size, attempt.length)
            yield piece
        attempt.require_time(self.clock.monotonic())  # an end may be ours: a connection is shut when its time is over

    def _wait(self, trouble: AttemptError, number: int) -> float | None:
        """Seconds to wait before the next try; None when the server asks for more than is given."""
        jitter = self.random.uniform(0.0, self.limits.backoff_s * 2 ** (number - 1))
        asked = None if trouble.retry_after is None else retry_after_s(trouble.retry_after, self.clock.now())
        if asked is None:
            return jitter
        return max(asked, jitter) if asked <= self.limits.retry_after_cap_s else None


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


def retry_after_s(text: str, now: float) -> float | None:
    """Seconds that a Retry-After header asks for (a number or a date); None when it says neither. Never negative."""
    stripped = text.strip()
    if re.fullmatch(r"-?[0-9]+", stripped):
        return max(0.0, float(stripped))
    named = moment(stripped)
    return None if named is None else max(0.0, named.timestamp() - now)


def _has_secret(headers: Mapping[str, str]) -> bool:
    return any(name.lower() in {"cookie", "authorization"} for name in headers)


@contextlib.contextmanager
def _part_file(destination: Path) -> Iterator[tuple[int, Path]]:
    """A new private file beside the destination, gone at the end whatever happens."""
    part = destination.with_name(f".{destination.name[:40]}.part-{os.getpid()}-{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        handle = os.open(part, flags, 0o600)
    except OSError as error:
        raise environment_error(error, "make a file for the download", part) from error
    try:
        yield handle, part
    finally:
        with contextlib.suppress(OSError):
            os.close(handle)
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _write(handle: int, piece: bytes, destination: Path, expected: int | None) -> None:
    view = memoryview(piece)
    try:
        while view:
            view = view[os.write(handle, view) :]
    except OSError as error:
        size = f" ({expected:,} bytes in all)" if expected else ""
        raise environment_error(error, f"write the download{size} to", destination) from error


def _settle(handle: int, part: Path, destination: Path) -> None:
    """Bytes on the disk before anybody looks at them."""
    try:
        os.fsync(handle)
    except OSError as error:
        raise environment_error(error, f"finish the download {part.name} for", destination) from error


def _rename(part: Path, destination: Path) -> None:
    try:
        os.replace(part, destination)  # noqa: PTH105 - one call that tests can watch
        sync_folder(destination.parent)
    except OSError as error:
        raise environment_error(error, "put the download in its place", destination) from error


def _fetched(
    attempt: Attempt, url: str, content: bytes | None, sha256: str, *, path: Path | None = None, n_bytes: int = 0
) -> Fetched:
    response = attempt.response
    return Fetched(
        url=public_url(url),
        final_url=public_url(response.url),
        path=path,
        content=content,
        sha256=sha256,
        n_bytes=len(content) if content is not None else n_bytes,
        http_status=response.status_code,
        content_type=response.headers.get("Content-Type", ""),
        server_date=server_date(response),
        tries=attempt.number,
        file_name=stated_file_name(response),
    )


def _error(trouble: AttemptError, url: str, tries: int) -> FetchError:
    times = "once" if tries == 1 else f"{tries} times"
    return FetchError(
        f"{public_url(url)} (asked {times}): {trouble.words}.",
        hint=trouble.hint,
        state=trouble.state,
        url=public_url(url),
        http_status=trouble.http_status,
        tries=tries,
    )
