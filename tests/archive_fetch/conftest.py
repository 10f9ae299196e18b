"""A scripted server, a fetcher that waits for nothing, and a clock that does not tick by itself."""

from __future__ import annotations

import http.cookiejar
import threading
from collections.abc import Callable, Iterator
from random import Random

import pytest
from tests.doubles.scripted_server import ScriptedServer

from btv_report.archive.clock import SystemClock
from btv_report.archive.fetch import Fetcher
from btv_report.archive.limits import Limits


class FakeClock(SystemClock):
    """Ticks with the machine, and jumps instead of sleeping."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self._ahead = 0.0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        return super().monotonic() + self._ahead

    def now(self) -> float:
        return super().now() + self._ahead

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.waits.append(seconds)
            self._ahead += seconds


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


MakeFetcher = Callable[..., Fetcher]


@pytest.fixture
def make_fetcher(clock: FakeClock) -> MakeFetcher:
    def make(*, limits: Limits | None = None, **options: object) -> Fetcher:
        return Fetcher(limits=limits or Limits(), clock=clock, random=Random(1), **options)  # type: ignore[arg-type]

    return make


@pytest.fixture
def fetcher(make_fetcher: MakeFetcher) -> Fetcher:
    return make_fetcher()


def cookie(domain: str, *, is_secure: bool = False) -> http.cookiejar.CookieJar:
    """A jar with one cookie of a host."""
    jar = http.cookiejar.CookieJar()
    jar.set_cookie(
        http.cookiejar.Cookie(
            version=0,
            name="PHPSESSID",
            value="canary",
            port=None,
            port_specified=False,
            domain=domain,
            domain_specified=False,
            domain_initial_dot=False,
            path="/",
            path_specified=True,
            secure=is_secure,
            expires=None,
            discard=True,
            comment=None,
            comment_url=None,
            rest={},
        )
    )
    return jar
