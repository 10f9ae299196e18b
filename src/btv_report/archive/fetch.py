"""
The one function that fetches bytes: streamed beside their final place, held against every promise, then renamed.

There is no resuming. A server may ignore the Range that resuming asks for, or have other bytes by now, and what was kept of the
first attempt may be an error page; each has been seen to make a file that looks whole. A second attempt begins at byte zero.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from random import Random
from typing import Any

import requests

from btv_report.answer_states import AnswerState
from btv_report.archive.addresses import public_url, require_allowed_url
from btv_report.archive.attempt import Attempt, AttemptError, OnBytes
from btv_report.archive.clock import Clock, SystemClock
from btv_report.archive.fetch_answers import (
    judge_failure,
    judge_headers,
    server_date,
    stated_file_name,
    stated_length,
)
from btv_report.archive.limits import Limits
from btv_report.archive.patience import Deadline, GivenUp, Patience, times
from btv_report.archive.transport import open_session
from btv_report.atomic import rename_durable, sentences, write_all
from btv_report.errors import FetchError, LocalEnvironmentError

Check = Callable[[Path], str]


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
    is_end_stated : whether the server said where the bytes end; else a cut answer looks like a whole one
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
    is_end_stated: bool = True


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
            content = b"".join(attempt.pieces(self.limits, self.clock, limit_bytes=limit_bytes))
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
        headers: Mapping[str, str] | None = None,
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
        limit_bytes, deadline_s, params, headers, cookies : as for `to_bytes`

        Raises
        ------
        FetchError
            With the state that the attempt ended in.
        LocalEnvironmentError
            If the disk or a permission is in the way.
        """
        # Compression on the way would hide how many bytes are to come; FITS files gain little from it.
        asked = {"Accept-Encoding": "identity", **(headers or {})}
        request = {"method": "GET", "url": url, "params": params, "headers": asked}

        def keep(attempt: Attempt) -> Fetched:
            attempt.expect(expected_bytes)
            writing = (
                f"write the download ({attempt.length:,} bytes in all) to"
                if attempt.length
                else "write the download to"
            )
            with _part_file(destination) as (handle, part):
                digest, size = hashlib.sha256(), 0
                for piece in attempt.pieces(self.limits, self.clock, limit_bytes=limit_bytes, on_bytes=on_bytes):
                    digest.update(piece)
                    size += len(piece)
                    with sentences(writing, destination):
                        write_all(handle, piece)
                attempt.require_content(size)
                with sentences(f"finish the download {part.name} for", destination):
                    os.fsync(handle)  # bytes on the disk before anybody looks at them
                if reason := check(part) if check else "":
                    raise AttemptError(
                        AnswerState.CORRUPT, f"what came is not the file: {reason}", again=True, once=True
                    )
                rename_durable(part, destination, "put the download in its place")
            return _fetched(attempt, url, None, digest.hexdigest(), path=destination, n_bytes=size)

        return self._try(request, cookies, deadline_s, keep)

    def _try(
        self,
        request: Mapping[str, Any],
        cookies: CookieJar | None,
        deadline_s: float,
        keep: Callable[[Attempt], Fetched],
    ) -> Fetched:
        """Requests until one holds; see `Patience`."""
        require_allowed_url(request["url"])

        def once(number: int, deadline: Deadline) -> Fetched:
            with self._turn() as waited:
                deadline.put_off(waited)
                with self._request(request, cookies, number, deadline) as attempt:
                    return keep(attempt)

        try:
            return Patience(self.limits, self.clock, self.random).ask(once, _judge, deadline_s)
        except GivenUp as given_up:
            raise _error(given_up, request["url"]) from given_up

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
        self, request: Mapping[str, Any], cookies: CookieJar | None, number: int, deadline: Deadline
    ) -> Iterator[Attempt]:
        """One request in a session of its own; gives the answer once its headers hold."""
        remaining = max(deadline.left(), 0.1)
        timeouts = (min(self.limits.connect_timeout_s, remaining), min(self.limits.read_timeout_s, remaining))
        secret = bool(cookies) or _has_secret(request["headers"])
        with open_session(self.limits, deadline.left, keeps_secret=secret) as session:
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
                yield Attempt(response, number, deadline.end, stated_length(response))
            finally:
                response.close()


def _has_secret(headers: Mapping[str, str]) -> bool:
    return any(name.lower() in {"cookie", "authorization"} for name in headers)


@contextlib.contextmanager
def _part_file(destination: Path) -> Iterator[tuple[int, Path]]:
    """A new private file beside the destination, gone at the end whatever happens."""
    part = destination.with_name(f".{destination.name[:40]}.part-{os.getpid()}-{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with sentences("make a file for the download", part):
        handle = os.open(part, flags, 0o600)
    try:
        yield handle, part
    finally:
        with contextlib.suppress(OSError):
            os.close(handle)
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


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
        is_end_stated=attempt.is_end_stated,
    )


def _judge(error: Exception) -> AttemptError:
    """What an exception of a request means; what is no fault of the answer goes on as it is."""
    if isinstance(error, AttemptError):
        return error
    if isinstance(error, requests.RequestException):
        return judge_failure(error)
    raise error


def _error(given_up: GivenUp, url: str) -> FetchError:
    trouble, tries = given_up.trouble, given_up.tries
    return FetchError(
        f"{public_url(url)} (asked {times(tries)}): {trouble.words}.",
        hint=trouble.hint,
        state=trouble.state,
        url=public_url(url),
        http_status=trouble.http_status,
        tries=tries,
    )
