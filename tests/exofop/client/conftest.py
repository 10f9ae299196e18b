"""A loopback ExoFOP that holds TOI 1262, clients that wait for nothing, and a look into the manifest that they write."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.archive_fetch.conftest import FakeClock
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_toi_1262 import add_toi_1262

from btv_report.archive.limits import Limits
from btv_report.exofop.client import ExoFopClient
from btv_report.exofop.types import ExoFopFetchResult

LIMITS = Limits(connect_timeout_s=2.0, read_timeout_s=1.0, backoff_s=0.001, tries=3)
OTHER = 9000000007
"""A star with nothing but its page; tests put in what they need."""

CURVE, PLOT, TRES_2019, TRES_2020, LIGHT_CURVE, NOTES = range(441891, 441897)
"""The files of TOI 1262."""

MakeClient = Callable[..., ExoFopClient]


@pytest.fixture(autouse=True)
def disk_that_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the time of these tests would be spent on waiting for the disk; no power fails here."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def exofop() -> Iterator[ExoFopDouble]:
    with ExoFopDouble() as running:
        add_toi_1262(running)
        running.add_target(OTHER)
        yield running


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def make_client(exofop: ExoFopDouble, cache: Path) -> MakeClient:
    def make(**options: Any) -> ExoFopClient:
        given: dict[str, Any] = {"cache_dir": cache, "base_url": exofop.url, "limits": LIMITS, "min_interval_s": 0.0}
        return ExoFopClient(**{**given, **options})

    return make


@pytest.fixture
def client(make_client: MakeClient) -> ExoFopClient:
    return make_client()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """The clock of every fetcher that is made from here on."""
    made = FakeClock()
    monkeypatch.setattr("btv_report.archive.fetch.SystemClock", lambda: made)
    return made


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Called, it makes every later connection and every look-up of a name fail the test."""

    def guard() -> None:
        def refuse(*_: object, **__: object) -> None:
            pytest.fail("a socket was opened")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket.socket, "connect_ex", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)

    return guard


def manifest_of(result: ExoFopFetchResult) -> dict[str, Any]:
    """The manifest as strict JSON."""
    content = json.loads(
        result.manifest_path.read_bytes(), parse_constant=lambda name: pytest.fail(f"{name} in the manifest")
    )
    assert isinstance(content, dict)
    return content


def entries_of(result: ExoFopFetchResult) -> dict[int, dict[str, Any]]:
    """The entries of files by File ID."""
    return {entry["file_id"]: entry for entry in manifest_of(result)["files"]}


def answer_of(result: ExoFopFetchResult, endpoint: str) -> dict[str, Any]:
    """What the manifest says of one service."""
    answer = manifest_of(result)["answers"][endpoint]
    assert isinstance(answer, dict)
    return answer


def tree(folder: Path) -> Mapping[str, tuple[bytes, int]]:
    """Every file below a folder with bytes and time of change; locks left out."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "locks" not in path.parts
    }


def asked_files(exofop: ExoFopDouble) -> list[int]:
    """The File IDs that were asked for one by one, in order."""
    return [int(request.query["id"]) for request in exofop.asked("get_file.php")]
