"""
lightkurve and astroquery, pointed at one archive, with our patience: the only modules that import them are `mast_*`.

astroquery's requests have no time-outs, no bound on what they read, and a cache of pickles; a server that says EXECUTING is
asked again without a pause. Its session is replaced by one that bounds all of this, its cache is off, and every fault becomes
one error with one state.
"""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any, TypeVar

import requests

from btv_report.answer_states import AnswerState
from btv_report.archive.addresses import require_allowed_url
from btv_report.archive.fetch import Clock, Fetcher, SystemClock, retry_after_s
from btv_report.archive.fetch_answers import (
    Attempt,
    AttemptError,
    judge_failure,
    judge_status,
    looks_like_html,
    safe_excerpt,
    stated_length,
)
from btv_report.archive.limits import Limits
from btv_report.archive.transport import HonestSession, require_honest_tls
from btv_report.errors import ArchiveUnreachableError, BtvReportError

POLL_S = 1.0
LONGEST_POLL_S = 10.0
_SMALL = 4096

T = TypeVar("T")


class MastSession(HonestSession):
    """A session for astroquery: answers are read at once, within bounds; polling pauses, and ends."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        super().__init__(limits)
        self.limits = limits
        self.clock = clock
        self._began: float | None = None
        self._poll_s = POLL_S

    def begin(self) -> None:
        """A new question: its time starts now."""
        self._began = self.clock.monotonic()
        self._poll_s = POLL_S

    def request(self, *args: Any, **options: Any) -> requests.Response:
        """
        Send, and read the answer within size and time.

        Raises
        ------
        AttemptError
            If it is too large, cut, or the question has taken too long.
        """
        end = (self._began if self._began is not None else self.clock.monotonic()) + self.limits.table_deadline_s
        response = super().request(*args, **{**options, "stream": True})
        try:
            response._content = self._read(response, end)
        finally:
            response.close()
        if self._is_executing(response.content):
            if self.clock.monotonic() + self._poll_s > end:
                words = f"the archive was still working on the answer after {self.limits.table_deadline_s:g} s"
                raise AttemptError(AnswerState.UNREACHABLE, words, again=False)
            self.clock.sleep(self._poll_s)
            self._poll_s = min(2 * self._poll_s, LONGEST_POLL_S)
        return response

    def _read(self, response: requests.Response, end: float) -> bytes:
        attempt = Attempt(response, 1, end, stated_length(response))
        pieces, size = [], 0
        for piece in attempt.body(1 << 16):
            size += len(piece)
            if size > self.limits.table_bytes:
                raise attempt.too_large(size, self.limits.table_bytes)
            attempt.require_time(self.clock.monotonic())
            pieces.append(piece)
        if attempt.length is not None and attempt.raw_bytes != attempt.length:
            words = f"expected {attempt.length:,} bytes, got {attempt.raw_bytes:,}"
            raise AttemptError(AnswerState.UNREACHABLE, words, again=True)
        return b"".join(pieces)

    @staticmethod
    def _is_executing(content: bytes) -> bool:
        return len(content) < _SMALL and b'"EXECUTING"' in content


@dataclass
class MastConnection:
    """
    The libraries, pointed at one archive.

    Attributes
    ----------
    base_url : of the archive
    session : what astroquery sends with
    fetcher : for questions that no library asks
    clock, random : of the waits between tries
    """

    base_url: str
    session: MastSession
    fetcher: Fetcher
    clock: Clock = field(default_factory=SystemClock)
    random: Random = field(default_factory=Random)

    @property
    def observations(self) -> Any:
        """astroquery's `Observations`."""
        return _libraries().observations

    @property
    def catalogs(self) -> Any:
        """astroquery's `Catalogs`."""
        return _libraries().catalogs

    @property
    def tesscut(self) -> Any:
        """astroquery's `Tesscut`."""
        return _libraries().tesscut

    @property
    def lightkurve(self) -> Any:
        """lightkurve."""
        return _libraries().lightkurve

    def ask(self, service: str, question: Callable[[], T]) -> T:
        """
        Put a question through a library, with bounded tries.

        Parameters
        ----------
        service : which part of the archive, for messages
        question : calls the library; it is called again after a fault that may pass

        Raises
        ------
        ArchiveUnreachableError
            With the state that the last try ended in.
        """
        limits = self.session.limits
        self._point_libraries()
        self.session.begin()
        end = self.clock.monotonic() + limits.table_deadline_s
        for number in range(1, limits.tries + 1):
            try:
                with quiet():
                    return question()
            except (NothingFound, BtvReportError):
                raise
            except AttemptError as error:
                trouble = error
            except Exception as error:
                trouble = judge_library(error)
            wait = self._wait(trouble, number, limits)
            if not trouble.again or number == limits.tries or wait is None or self.clock.monotonic() + wait > end:
                break
            self.clock.sleep(wait)
        raise self._unreachable(service, trouble, number)

    def _wait(self, trouble: AttemptError, number: int, limits: Limits) -> float | None:
        asked = retry_after_s(trouble.retry_after, self.clock.now()) if trouble.retry_after else None
        if asked is None:
            return self.random.uniform(0.0, limits.backoff_s * 2 ** (number - 1))
        return asked if asked <= limits.retry_after_cap_s else None

    def _unreachable(self, service: str, trouble: AttemptError, tries: int) -> ArchiveUnreachableError:
        times = "once" if tries == 1 else f"{tries} times"
        return ArchiveUnreachableError(
            f"MAST ({service}) gave no usable answer (asked {times}): {trouble.words}.",
            hint=trouble.hint,
            state=trouble.state,
            service=service,
            url=self.base_url,
            tries=tries,
        )

    def _point_libraries(self) -> None:
        """Point the libraries here: another connection of this process may have pointed them elsewhere."""
        _libraries().point_at(self.base_url, self.session)


def connect(
    base_url: str,
    *,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    fetcher: Fetcher | None = None,
    clock: Clock | None = None,
    random: Random | None = None,
) -> MastConnection:
    """
    A connection to MAST or to a mirror of its services; nothing is imported or sent yet.

    Raises
    ------
    UsageError
        If the address may not be asked.
    LocalEnvironmentError
        If TLS verification has been taken away in this process.
    """
    require_allowed_url(base_url)
    require_honest_tls()
    timer = clock or SystemClock()
    session = MastSession(limits, timer)
    owner = fetcher or Fetcher(limits=limits, clock=timer)
    return MastConnection(base_url.rstrip("/"), session, owner, timer, random or Random())  # noqa: S311 - jitter


@dataclass
class _Libraries:
    lightkurve: Any
    observations: Any
    catalogs: Any
    tesscut: Any
    portal: Any

    def point_at(self, base_url: str, session: requests.Session) -> None:
        """Every address and session of the singletons; see the installed sources for the names."""
        for portal in (self.portal, *(one._portal_api_connection for one in (self.observations, self.catalogs))):
            portal.MAST_REQUEST_URL = f"{base_url}/api/v0/invoke"
            portal.COLUMNS_CONFIG_URL = f"{base_url}/portal/Mashup/Mashup.asmx/columnsconfig"
            portal.MAST_DOWNLOAD_URL = f"{base_url}/api/v0.1/Download/file"
            portal.MAST_BUNDLE_URL = f"{base_url}/api/v0.1/Download/bundle"
        for one in (self.observations, self.catalogs, self.tesscut):
            one._session = session
            one._portal_api_connection._session = session
            one._service_api_connection._session = session
        self.tesscut._service_api_connection.REQUEST_URL = f"{base_url}/tesscut/api/v0.1/"


@cache
def _libraries() -> _Libraries:
    """Import lightkurve and astroquery, once, with astroquery's cache of pickles off."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lightkurve
        from astroquery import cache_conf
        from astroquery.mast import Catalogs, Observations, Tesscut, utils
        from astroquery.mast.discovery_portal import PortalAPI

    cache_conf.cache_active = False
    utils._simple_request = _ask_no_resolver
    return _Libraries(lightkurve, Observations, Catalogs, Tesscut, PortalAPI)


class NothingFound(Exception):  # noqa: N818 - an answer, not a fault
    """A search by the target's number found nothing, and the library would now search by its name's position instead."""


def _ask_no_resolver(*args: Any, **options: Any) -> Any:
    """Stands for astroquery's name resolver: its address is fixed, and plain http; a position may be another star's."""
    raise NothingFound


def forget_searches(lightkurve: Any) -> None:
    """Make lightkurve ask again: it keeps every search for as long as the process lives."""
    for search in (lightkurve.search_lightcurve, lightkurve.search_targetpixelfile):
        search.cache_clear()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No warnings and no log lines of the libraries: what matters becomes a state and a sentence of ours."""
    import logging

    loggers = [logging.getLogger(name) for name in ("astroquery", "lightkurve", "astropy")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def judge_library(error: Exception) -> AttemptError:
    """What an exception out of lightkurve or astroquery means."""
    if isinstance(error, requests.exceptions.JSONDecodeError | json.JSONDecodeError):
        return _not_json(error.doc)
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return judge_status(error.response.status_code, error.response.headers.get("Retry-After"))
    if isinstance(error, requests.RequestException):
        return judge_failure(error)
    name, said = type(error).__name__, safe_excerpt(str(error).encode("utf-8", "replace"), 160)
    state, words, again = {
        "TimeoutError": (AnswerState.UNREACHABLE, "the archive took too long to answer", False),
        "RemoteServiceError": (AnswerState.UNREACHABLE, f"the archive reports an error: {said or 'no words'}", True),
        "InvalidQueryError": (AnswerState.REJECTED, f"the archive does not take the question: {said}", False),
    }.get(name, (AnswerState.CORRUPT, f"its answer has not the form that was expected ({name}: {said})", True))
    return AttemptError(state, words, again=again, once=state is AnswerState.CORRUPT)


def _not_json(text: str | bytes) -> AttemptError:
    content = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if not content.strip():
        words = "an empty answer came with status 200, which is how a busy server says no"
        return AttemptError(AnswerState.THROTTLED, words, again=True)
    what = "a web page" if looks_like_html(content) else "something"
    words = f"it sent {what} where a table in JSON was due ({safe_excerpt(content)!r})"
    return AttemptError(AnswerState.CORRUPT, words, again=True, once=True)
