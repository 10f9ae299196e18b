"""
lightkurve and astroquery, pointed at one archive, with our patience: the only modules that import them are `mast_*`.

astroquery's requests have no time-outs, no bound on what they read, and a cache of pickles; a server that says EXECUTING is
asked again without a pause. While we ask, its session is replaced by one that bounds all of this, and every fault becomes one
error with one state; afterwards it is as it was, for whoever uses it beside us. Its cache stays off.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests

from btv_report.answer_states import AnswerState
from btv_report.archive.addresses import require_allowed_url
from btv_report.archive.attempt import Attempt, AttemptError
from btv_report.archive.clock import Clock, SystemClock
from btv_report.archive.fetch import Fetcher
from btv_report.archive.fetch_answers import judge_failure, judge_headers, stated_length
from btv_report.archive.limits import Limits
from btv_report.archive.mast_answers import is_still_working, no_form
from btv_report.archive.patience import Deadline, GivenUp, Patience, times
from btv_report.archive.transport import HonestSession, require_honest_tls
from btv_report.archive.web_pages import safe_excerpt
from btv_report.errors import ArchiveUnreachableError, BtvReportError, FetchError

POLL_S = 1.0
LONGEST_POLL_S = 10.0
_TURN = threading.RLock()
"""The libraries are one for the whole process: one question at a time."""

T = TypeVar("T")


class MastSession(HonestSession):
    """A session for astroquery: answers are read and judged at once, within bounds; polling pauses, and ends."""

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
        Send, read the answer within size and time, and judge it.

        Raises
        ------
        AttemptError
            If its status is not 200, it is too large, cut, no answer, or the question has taken too long.
        """
        end = (self._began if self._began is not None else self.clock.monotonic()) + self.limits.table_deadline_s
        response = super().request(*args, **{**options, "stream": True})
        try:
            judge_headers(response)
            response._content = self._read(response, end)
        finally:
            response.close()
        if is_still_working(urlsplit(response.url).path, response.content):
            if self.clock.monotonic() + self._poll_s > end:
                words = f"the archive was still working on the answer after {self.limits.table_deadline_s:g} s"
                raise AttemptError(AnswerState.UNREACHABLE, words, again=False)
            self.clock.sleep(self._poll_s)
            self._poll_s = min(2 * self._poll_s, LONGEST_POLL_S)
        return response

    def _read(self, response: requests.Response, end: float) -> bytes:
        attempt = Attempt(response, 1, end, stated_length(response))
        content = b"".join(attempt.pieces(self.limits, self.clock, limit_bytes=self.limits.table_bytes))
        attempt.require_length()
        return content


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
    column_types : what the archive says of its columns, as astroquery keeps it; each archive has its own
    unread_rows : rows by service that concern the question and could not be read
    """

    base_url: str
    session: MastSession
    fetcher: Fetcher
    clock: Clock = field(default_factory=SystemClock)
    random: Random = field(default_factory=Random)
    column_types: dict[str, Any] = field(default_factory=dict, repr=False)
    unread_rows: Counter[str] = field(default_factory=Counter)

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

        def once(number: int, deadline: Deadline) -> T:
            try:
                return question()
            except Exception:
                self.column_types.clear()  # they may have come from the answer that was none
                raise

        with _TURN, _libraries().lent(self.base_url, self.session, self.column_types), quiet():
            self.session.begin()
            try:
                return Patience(limits, self.clock, self.random).ask(once, judge_library, limits.table_deadline_s)
            except GivenUp as given_up:
                raise self.no_answer(service, given_up.trouble, given_up.tries) from given_up

    def no_answer(self, service: str, trouble: AttemptError, tries: int) -> ArchiveUnreachableError:
        """The error for a question to which no usable answer came."""
        # A service that is not there says nothing about the target: that must not read as "the archive has none".
        is_elsewhere = trouble.state is AnswerState.NOT_FOUND
        return ArchiveUnreachableError(
            f"MAST ({service}) gave no usable answer (asked {times(tries)}): {trouble.words.rstrip('.')}.",
            hint="Check BTV_REPORT_MAST_URL: no such service is at that address." if is_elsewhere else trouble.hint,
            state=AnswerState.UNREACHABLE if is_elsewhere else trouble.state,
            service=service,
            url=self.base_url,
            tries=tries,
        )


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
    names: Any

    @contextlib.contextmanager
    def lent(self, base_url: str, session: requests.Session, column_types: dict[str, Any]) -> Iterator[None]:
        """The singletons with our addresses, session and column types; as they were afterwards."""
        singletons = (self.observations, self.catalogs, self.tesscut)
        with contextlib.ExitStack() as stack:
            # See the installed sources for the names: addresses are made at import, and configuration comes too late.
            for portal in (self.portal, *(one._portal_api_connection for one in singletons)):
                stack.enter_context(_set(portal, "MAST_REQUEST_URL", f"{base_url}/api/v0/invoke"))
                stack.enter_context(
                    _set(portal, "COLUMNS_CONFIG_URL", f"{base_url}/portal/Mashup/Mashup.asmx/columnsconfig")
                )
                stack.enter_context(_set(portal, "MAST_DOWNLOAD_URL", f"{base_url}/api/v0.1/Download/file"))
                stack.enter_context(_set(portal, "MAST_BUNDLE_URL", f"{base_url}/api/v0.1/Download/bundle"))
                stack.enter_context(_set(portal, "_column_configs", column_types))
            for one in singletons:
                for owner in (one, one._portal_api_connection, one._service_api_connection):
                    stack.enter_context(_set(owner, "_session", session))
            sectors = self.tesscut._service_api_connection
            stack.enter_context(_set(sectors, "REQUEST_URL", f"{base_url}/tesscut/api/v0.1/"))
            stack.enter_context(_set(self.names, "_simple_request", _ask_no_resolver))
            yield


@contextlib.contextmanager
def _set(owner: Any, name: str, value: Any) -> Iterator[None]:
    """An attribute with another value for a while; one that only its class has is taken away again."""
    own = name in vars(owner)
    before = vars(owner).get(name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if own:
            setattr(owner, name, before)
        else:
            delattr(owner, name)


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
    return _Libraries(lightkurve, Observations, Catalogs, Tesscut, PortalAPI, utils)


class NothingFound(Exception):  # noqa: N818 - an answer, not a fault
    """A search by the target's number found nothing, and the library would now search by its name's position instead."""


def _ask_no_resolver(*args: Any, **options: Any) -> Any:
    """Stands for astroquery's name resolver: its address is fixed, and plain http; a position may be another star's."""
    raise NothingFound


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
    """
    What an exception out of lightkurve or astroquery means.

    Raises
    ------
    NothingFound, BtvReportError
        What is no fault of the archive's answer goes on as it is.
    """
    if isinstance(error, AttemptError):
        return error
    if isinstance(error, FetchError):  # a hop that must not be followed
        return AttemptError(error.state, error.message, again=False, hint=error.hint)
    if isinstance(error, NothingFound | BtvReportError):
        raise error
    if isinstance(error, requests.RequestException) and not isinstance(error, requests.exceptions.JSONDecodeError):
        return judge_failure(error)
    name, said = type(error).__name__, safe_excerpt(str(error).encode("utf-8", "replace"), 160)
    if name == "TimeoutError":
        return AttemptError(AnswerState.UNREACHABLE, "the archive took too long to answer", again=False)
    return no_form(f"{name}: {said}")
