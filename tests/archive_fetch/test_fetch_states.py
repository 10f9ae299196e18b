"""Every answer of a server ends in one state, and is asked again only where that can help."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.archive_fetch.conftest import FakeClock, MakeFetcher
from tests.doubles.scripted_server import Reply, ScriptedServer

from btv_report.answer_states import AnswerState
from btv_report.archive.fetch import Fetcher
from btv_report.archive.limits import Limits
from btv_report.archive.patience import retry_after_s
from btv_report.archive.web_pages import looks_like_html, safe_excerpt
from btv_report.errors import FetchError, UsageError

SIZES: dict[str, Any] = {"limit_bytes": 1_000_000, "deadline_s": 300.0}


def fault(fetcher: Fetcher, url: str) -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetcher.to_bytes(url, limit_bytes=1_000_000, deadline_s=300.0)
    return caught.value


@pytest.mark.parametrize("failures", range(5))
def test_f001_service_that_is_back_after_some_503_is_read(
    server: ScriptedServer, fetcher: Fetcher, clock: FakeClock, failures: int
) -> None:
    server.play("GET", "/x", *[Reply(status=503)] * failures, Reply(b"content"))
    answer = fetcher.to_bytes(f"{server.url}/x", limit_bytes=100, deadline_s=300.0)
    assert (answer.content, answer.tries, len(clock.waits)) == (b"content", failures + 1, failures)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_f001_service_that_stays_down_is_unreachable_after_five_tries(
    server: ScriptedServer, fetcher: Fetcher, clock: FakeClock, status: int
) -> None:
    server.play("GET", "/x", Reply(status=status))
    error = fault(fetcher, f"{server.url}/x")
    assert (error.state, error.tries, error.http_status) == (AnswerState.UNREACHABLE, 5, status)
    assert len(server.requests) == 5
    assert str(status) in str(error)
    assert "5 times" in str(error)
    assert all(0 <= wait <= 2 * 2**number for number, wait in enumerate(clock.waits))


def test_f002_retry_after_in_seconds_is_waited_for(server: ScriptedServer, fetcher: Fetcher, clock: FakeClock) -> None:
    server.play("GET", "/x", Reply(status=429, headers={"Retry-After": "17"}), Reply(b"now"))
    assert fetcher.to_bytes(f"{server.url}/x", **SIZES).content == b"now"
    assert clock.waits == [17.0]


@pytest.mark.parametrize("text", ["121", "21600", "9" * 400, "Thu, 26 Nov 2099 10:00:00 GMT"])
def test_f002_server_that_asks_for_more_than_two_minutes_throttles(
    server: ScriptedServer, fetcher: Fetcher, clock: FakeClock, text: str
) -> None:
    server.play("GET", "/x", Reply(status=429, headers={"Retry-After": text}))
    error = fault(fetcher, f"{server.url}/x")
    assert error.state is AnswerState.THROTTLED
    assert "120 s" in str(error)
    assert (len(server.requests), clock.waits) == (1, [])


@pytest.mark.parametrize("text", ["-5", "--5", "soon", "", "0", "1e3", "Thu, 32 Foo 2026 10:00:00 GMT"])
def test_f002_senseless_retry_after_is_not_obeyed_blindly(
    server: ScriptedServer, fetcher: Fetcher, clock: FakeClock, text: str
) -> None:
    server.play("GET", "/x", Reply(status=429, headers={"Retry-After": text}), Reply(b"now"))
    assert fetcher.to_bytes(f"{server.url}/x", **SIZES).content == b"now"
    assert 0 <= clock.waits[0] <= 2


@given(st.text(max_size=40))
def test_f002_any_retry_after_gives_no_negative_wait_and_no_exception(text: str) -> None:
    wait = retry_after_s(text, now=1.8e9)
    assert wait is None or wait >= 0


def test_f002_retry_after_as_a_date_is_the_time_until_then() -> None:
    assert retry_after_s("Thu, 26 Nov 2026 10:00:30 GMT", now=1795687200.0) == pytest.approx(30.0)
    assert retry_after_s("Thu, 26 Nov 2026 09:00:00 GMT", now=1795687200.0) == 0.0
    assert retry_after_s("Thu, 26 Nov 2026 12:00:30 +0200", now=1795687200.0) == pytest.approx(30.0)


@pytest.mark.parametrize("date", ["Thu, 26 Nov 2026 10:00:00 GMT", "Thu, 26 Nov 2026 12:00:00 +0200"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_f157_date_of_the_server_is_utc_wherever_we_are(
    server: ScriptedServer, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, zone: str, date: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        server.play("GET", "/x", Reply(b"content", headers={"Date": date}))
        assert fetcher.to_bytes(f"{server.url}/x", **SIZES).server_date == "2026-11-26T10:00:00Z"
        assert retry_after_s("Thu, 26 Nov 2026 10:00:30 -0000", now=1795687200.0) == pytest.approx(30.0)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_f003_service_that_accepts_and_never_answers_is_unreachable(
    server: ScriptedServer, make_fetcher: MakeFetcher
) -> None:
    server.play("GET", "/x", Reply(silent=True))
    fetcher = make_fetcher(limits=Limits(read_timeout_s=0.1))
    error = fault(fetcher, f"{server.url}/x")
    assert (error.state, error.tries) == (AnswerState.UNREACHABLE, 5)
    assert "no answer came in time" in str(error)


def test_f004_empty_200_is_throttling_and_never_an_answer(
    server: ScriptedServer, fetcher: Fetcher, tmp_path: Path
) -> None:
    server.play("GET", "/x", Reply(b""))
    with pytest.raises(FetchError) as caught:
        fetcher.to_file(f"{server.url}/x", tmp_path / "file", **SIZES)
    assert caught.value.state is AnswerState.THROTTLED
    assert list(tmp_path.iterdir()) == []


def test_f004_empty_200_is_asked_again(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.play("GET", "/x", Reply(b"480 bytes"), Reply(b""), Reply(b"480 bytes"))
    for tries in (1, 2):
        assert fetcher.to_bytes(f"{server.url}/x", **SIZES).tries == tries


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (400, AnswerState.REJECTED),
        (401, AnswerState.AUTH_REQUIRED),
        (403, AnswerState.AUTH_REQUIRED),
        (404, AnswerState.NOT_FOUND),
        (410, AnswerState.NOT_FOUND),
        (418, AnswerState.REJECTED),
        (206, AnswerState.REJECTED),
        (304, AnswerState.REJECTED),
    ],
)
def test_f024_what_asking_again_cannot_change_is_asked_once(
    server: ScriptedServer, fetcher: Fetcher, status: int, state: AnswerState
) -> None:
    server.play("GET", "/x", Reply(b"words", status=status))
    assert fault(fetcher, f"{server.url}/x").state is state
    assert len(server.requests) == 1


def test_f014_web_page_is_told_from_a_table() -> None:
    pages = [b"<!DOCTYPE html><html>", b"\n <html lang=en>", b"<!-- x --> <HTML>", b"<head><title>503</title>"]
    tables = [b"ID|TIC ID|notes\n1|2|<html>\n", b"TOI,Comments\n1,<b>x</b>", b'{"status": "OK"}', b"", b"SIMPLE  ="]
    assert all(looks_like_html(page) for page in pages)
    assert not any(looks_like_html(table) for table in tables)


@given(st.binary(max_size=400))
def test_f131_excerpt_of_any_answer_is_one_printable_line(content: bytes) -> None:
    excerpt = safe_excerpt(content)
    assert len(excerpt) <= 80
    assert all(letter.isprintable() for letter in excerpt)


def test_f021_name_that_cannot_be_resolved_says_so(fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = fault(fetcher, "https://archive.invalid/x")
    assert error.state is AnswerState.UNREACHABLE
    assert "cannot be resolved" in str(error)
    assert "--offline" in str(error)


@pytest.mark.parametrize(("status", "words"), [(407, "login (407)"), (503, "does not pass the request on")])
def test_f021_proxy_that_refuses_is_named_and_its_password_is_not(
    server: ScriptedServer, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, status: int, words: str
) -> None:
    server.play("*", ".*", Reply(status=status))
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:canary-secret@127.0.0.1:{server.port}")
    error = fault(fetcher, "https://archive.invalid/x")
    assert error.state is AnswerState.UNREACHABLE
    assert words in str(error)
    assert "canary-secret" not in str(error)


def test_f021_number_of_a_target_is_not_taken_for_a_status_of_the_proxy(
    server: ScriptedServer, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.play("*", ".*", Reply(status=502))
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    assert "does not pass the request on" in str(fault(fetcher, "https://archive.invalid/tic/140740700"))


@pytest.mark.parametrize("proxy", ["foo://user:canary-secret@127.0.0.1:1", "http://[bad", "garbage:::"])
def test_f021_setting_that_names_no_proxy_says_so(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    error = fault(fetcher, "https://archive.invalid/x")
    assert (error.state, error.tries) == (AnswerState.UNREACHABLE, 1)
    assert "HTTPS_PROXY" in str(error)
    assert "canary-secret" not in str(error)


@pytest.mark.parametrize(
    "url", ["http://archive.example/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "https://", "x"]
)
def test_only_https_and_loopback_are_asked(fetcher: Fetcher, url: str) -> None:
    with pytest.raises(UsageError, match="not an address"):
        fetcher.to_bytes(url, **SIZES)


def test_no_message_shows_the_query_of_an_address(server: ScriptedServer, fetcher: Fetcher) -> None:
    error = fault(fetcher, f"{server.url}/x?token=canary-secret")
    assert "canary-secret" not in str(error)
    assert "canary-secret" not in error.url
