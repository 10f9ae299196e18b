"""ExoFOP states no limit, so it is asked slowly, and by few at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from tests.archive_fetch.conftest import FakeClock
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_toi_1262 import TIC_ID
from tests.doubles.scripted_server import Reply, Request
from tests.exofop.client.conftest import (
    OTHER,
    MakeClient,
)

from btv_report.exofop.asking.endpoints import MIN_INTERVAL_S
from btv_report.exofop.client import ExoFopClient


def test_f025_by_default_requests_begin_half_a_second_apart(
    clock: FakeClock, exofop: ExoFopDouble, make_client: MakeClient
) -> None:
    begun: list[float] = []

    def answer(request: Request) -> Reply:
        begun.append(clock.monotonic())
        return exofop.answer(request)

    exofop.server.play("GET", ".*", answer)
    result = make_client(min_interval_s=MIN_INTERVAL_S).fetch(target=TIC_ID)
    assert MIN_INTERVAL_S == 0.5
    assert len(begun) == result.n_connections == 16
    # Between the beginning of a request and its arrival pass some milliseconds, more of them on a busy machine.
    gaps = [later - earlier for earlier, later in pairwise(begun)]
    assert sum(gaps) > 0.5 * 15 - 0.2
    assert min(gaps) > 0.35
    assert len(clock.waits) == 15


def test_f025_default_interval_is_the_clients_own(cache: Any, exofop: ExoFopDouble, clock: FakeClock) -> None:
    ExoFopClient(cache_dir=cache, base_url=exofop.url).fetch(target=OTHER, include_summaries=False)
    (wait,) = clock.waits
    assert 0.2 < wait <= 0.5


def test_f025_at_most_two_requests_at_once_over_all_threads_of_a_client(
    client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def answer(request: Request) -> Reply:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1
        return exofop.answer(request)

    exofop.server.play("GET", ".*", answer)
    stars = range(9000000100, 9000000106)
    for tic_id in stars:
        exofop.add_target(tic_id)
    run: Callable[[int], Any] = lambda tic_id: client.fetch(target=tic_id)  # noqa: E731
    threads = [threading.Thread(target=run, args=(tic_id,)) for tic_id in stars]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == [2]
    assert len(exofop.server.requests) == 6 * 9
