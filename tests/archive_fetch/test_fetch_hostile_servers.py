"""A server that means harm, or is broken in an odd way, can neither hold us up nor fill the memory."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.doubles.scripted_server import Reply, ScriptedServer

from btv_report.answer_states import AnswerState
from btv_report.archive.fetch import Fetcher
from btv_report.archive.limits import MB, Limits
from btv_report.archive.web_pages import looks_like_html
from btv_report.errors import FetchError, UsageError

SIZES: dict[str, Any] = {"limit_bytes": 1_000_000, "deadline_s": 300.0}
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
DRIPS = {
    "one large chunk": Reply(b"x" * 10_000, raw=CHUNKED + b"2710\r\n", piece=1, pause_s=0.05),
    "the length of a chunk": Reply(b"0" * 10_000, raw=CHUNKED, piece=1, pause_s=0.05),
    "trailers without end": Reply(b"X: y\r\n" * 1000, raw=CHUNKED + b"1\r\nx\r\n0\r\n", piece=6, pause_s=0.01),
    "zeros after the compressed body": Reply(
        gzip.compress(b"x", mtime=0) + b"\0" * 10_000,
        length=False,
        headers={"Content-Encoding": "gzip"},
        piece=20,
        pause_s=0.01,
    ),
    "empty compressed members": Reply(
        gzip.compress(b"", mtime=0) * 500,
        length=False,
        headers={"Content-Encoding": "gzip"},
        piece=20,
        pause_s=0.01,
    ),
    "a body without length": Reply(b"x" * 10_000, length=False, piece=1, pause_s=0.05),
    "headers": Reply(b"x" * 10_000, header_pause_s=0.05),
}


@pytest.mark.parametrize("what", DRIPS)
def test_f006_whatever_drips_in_the_deadline_holds(server: ScriptedServer, what: str) -> None:
    server.play("GET", "/x", DRIPS[what])
    began = time.monotonic()
    with pytest.raises(FetchError) as caught:
        Fetcher(limits=Limits(backoff_s=0.01)).to_bytes(f"{server.url}/x", limit_bytes=100_000, deadline_s=0.4)
    assert caught.value.state is AnswerState.UNREACHABLE
    assert time.monotonic() - began < 2


def test_f006_chunk_that_drips_in_is_held_to_the_least_rate(server: ScriptedServer) -> None:
    server.play("GET", "/x", DRIPS["one large chunk"])
    fetcher = Fetcher(limits=Limits(tries=1, rate_window_s=0.3))
    with pytest.raises(FetchError, match="too slow to wait for"):
        fetcher.to_bytes(f"{server.url}/x", limit_bytes=100_000, deadline_s=60)


def test_whole_answer_whose_last_piece_was_late_is_kept(server: ScriptedServer) -> None:
    server.play("GET", "/x", Reply(b"xy", piece=1, pause_s=0.2))
    fetcher = Fetcher(limits=Limits(tries=1, rate_window_s=0.1))
    assert fetcher.to_bytes(f"{server.url}/x", limit_bytes=100, deadline_s=60).content == b"xy"


def test_f006_proxy_that_drips_meets_the_deadline(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.play("CONNECT", ".*", Reply(b"X: y\r\n" * 1000, raw=b"HTTP/1.1 200 OK\r\n", piece=1, pause_s=0.05))
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    began = time.monotonic()
    with pytest.raises(FetchError) as caught:
        Fetcher(limits=Limits(backoff_s=0.01)).to_bytes("https://archive.invalid/x", limit_bytes=100, deadline_s=0.4)
    assert caught.value.state is AnswerState.UNREACHABLE
    assert time.monotonic() - began < 2


BOMB = gzip.compress(b"\0" * 50_000_000, mtime=0)


@pytest.mark.parametrize("kind", ["drip", "bomb"])
def test_f018_body_of_a_redirect_is_not_read(server: ScriptedServer, fetcher: Fetcher, kind: str) -> None:
    there = {"Location": "/there"}
    drip = Reply(b"x" * 1000, status=302, headers=there, piece=1, pause_s=0.05)
    bomb = Reply(BOMB, status=302, headers={**there, "Content-Encoding": "gzip"})
    server.play("GET", "/x", drip if kind == "drip" else bomb)
    server.play("GET", "/there", Reply(b"there"))
    began = time.monotonic()
    assert fetcher.to_bytes(f"{server.url}/x", **SIZES).content == b"there"
    assert time.monotonic() - began < 2


def test_cookie_of_a_redirect_is_brought_along(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.play("GET", "/x", Reply(status=302, headers={"Location": "/there", "Set-Cookie": "turn=1; Path=/"}))
    server.play("GET", "/there", Reply(b"there"))
    fetcher.to_bytes(f"{server.url}/x", **SIZES)
    assert server.requests[1].headers["cookie"] == "turn=1"


FETCH_BOMB = """
import resource, sys
from pathlib import Path
from btv_report.archive.fetch import Fetcher
from btv_report.errors import FetchError
url, path, limit = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, 1_500_000_000))
for fetch in (
    lambda: Fetcher().to_bytes(url, limit_bytes=limit, deadline_s=60),
    lambda: Fetcher().to_file(url, path, limit_bytes=limit, deadline_s=60),
):
    try:
        fetch()
    except FetchError as error:
        print(error.state, "over the size limit" in str(error))
with open("/proc/self/status") as file:
    print(dict(line.split(":") for line in file)["VmHWM"].split()[0])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc")
@pytest.mark.parametrize("length", [None, False])
def test_f018_five_gigabytes_in_five_megabytes_are_stopped_while_they_unfold(
    server: ScriptedServer, tmp_path: Path, length: bool | None
) -> None:
    bomb = BOMB * 100
    limit = 5 * MB
    assert len(bomb) < limit  # so that nothing but the unfolding can give it away
    server.play("GET", "/x", Reply(bomb, length=length, headers={"Content-Encoding": "gzip"}))
    command = [sys.executable, "-c", FETCH_BOMB, f"{server.url}/x", str(tmp_path / "file"), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    *states, peak_kb = done.stdout.splitlines()
    assert states == ["REJECTED True", "REJECTED True"]
    assert int(peak_kb) < 250_000
    assert list(tmp_path.iterdir()) == []


NOWHERE = (b"http://\xff\xfe/", b"http://[bad/", b"http://127.0.0.1:99999/", b"https://", b"mailto:x@y", b"\xff")


@pytest.mark.parametrize("target", NOWHERE)
def test_f016_redirect_to_no_address_is_refused(server: ScriptedServer, fetcher: Fetcher, target: bytes) -> None:
    server.play("GET", "/x", Reply(status=302, headers={"Location": target.decode("latin-1")}))
    with pytest.raises(FetchError, match="leads to no address") as caught:
        fetcher.to_bytes(f"{server.url}/x", **SIZES)
    assert caught.value.state is AnswerState.REJECTED
    assert len(server.requests) == 1


@pytest.mark.parametrize("target", ["http://archive.invalid/x", "ftp://127.0.0.1/x", "file://127.0.0.1/etc/passwd"])
def test_f017_redirect_to_what_may_not_be_asked_is_refused(
    server: ScriptedServer, fetcher: Fetcher, target: str
) -> None:
    server.play("GET", "/x", Reply(status=302, headers={"Location": target}))
    with pytest.raises(FetchError, match="it is not https"):
        fetcher.to_bytes(f"{server.url}/x", **SIZES)


@pytest.mark.parametrize("url", ["https://[bad/x", "https://127.0.0.1:99999/x", "http://127.0.0.1:x/"])
def test_address_that_nobody_can_have_is_a_usage_error(fetcher: Fetcher, url: str) -> None:
    with pytest.raises(UsageError, match="not an address"):
        fetcher.to_bytes(url, **SIZES)


HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)


@settings(max_examples=60, deadline=None)
@given(length=HEADER, disposition=HEADER, date=HEADER, again=HEADER, status=st.sampled_from([200, 302, 429, 503]))
def test_no_header_is_too_odd_to_end_in_a_state(
    length: str, disposition: str, date: str, again: str, status: int
) -> None:
    headers = {"Content-Disposition": disposition, "Date": date, "Retry-After": again, "Location": disposition}
    with ScriptedServer() as server:
        server.play(
            "GET", "/x", Reply(b"content", status=status, length=False, headers=headers | {"Content-Length": length})
        )
        limits = Limits(tries=2, backoff_s=0.0, retry_after_cap_s=0.0, read_timeout_s=1.0)
        state, name = AnswerState.OK, None
        try:
            name = Fetcher(limits=limits).to_bytes(f"{server.url}/x", limit_bytes=1000, deadline_s=5).file_name
        except FetchError as error:
            state = error.state
        assert state is not AnswerState.OK or status == 200
        assert name is None or name.isprintable()


def test_f014_page_of_comments_is_told_quickly() -> None:
    began = time.monotonic()
    assert not looks_like_html(b"<!---->" * 580 + b"x")
    assert looks_like_html(b"<!---->" * 500 + b"<html>")
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    "page",
    [
        b"\xef\xbb\xbf<!DOCTYPE html>",
        b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN">',
        b"<br />\n<b>Warning</b>:  mysqli_connect()",
        b"<p>Sorry",
    ],
)
def test_f014_pages_of_other_kinds_are_told(page: bytes) -> None:
    assert looks_like_html(page)


@pytest.mark.parametrize(
    "report", [b'<?xml version="1.0"?>\n<dv:dvTargetResults xmlns:dv="x">', b"<planets>", b"<bravo"]
)
def test_f014_reports_in_xml_are_no_pages(report: bytes) -> None:
    assert not looks_like_html(report)


def test_requests_of_others_do_not_use_up_the_time_of_one(server: ScriptedServer) -> None:
    server.play("GET", "/x", Reply(b"x" * 20, piece=1, pause_s=0.02))
    fetcher = Fetcher(max_parallel=1)
    sizes: list[int] = []

    def ask() -> None:
        sizes.append(fetcher.to_bytes(f"{server.url}/x", limit_bytes=100, deadline_s=0.9).n_bytes)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [20] * 4


@pytest.mark.parametrize("raised", [{"product_bytes": 10**12}, {"redirects": 50}, {"retry_after_cap_s": 3600.0}])
def test_limits_that_keep_a_machine_safe_cannot_be_raised(raised: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not raised"):
        Limits(**raised)


def test_patience_may_be_chosen() -> None:
    assert Limits(read_timeout_s=600.0, tries=9).tries == 9
