"""TLS is verified, whatever goes wrong with it; nothing is sent to whom it does not hold for."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.archive_fetch.conftest import cookie
from tests.doubles.scripted_server import Reply, ScriptedServer
from tests.doubles.throwaway_tls import Authority

from btv_report.answer_states import AnswerState
from btv_report.archive.fetch import Fetcher
from btv_report.archive.limits import Limits
from btv_report.errors import FetchError, LocalEnvironmentError

SIZES: dict[str, Any] = {"limit_bytes": 1_000_000, "deadline_s": 300.0}
BAD: dict[str, dict[str, Any]] = {
    "signed by itself": {"is_self_signed": True},
    "expired": {"ends": timedelta(days=-1)},
    "for another host": {"host": "archive.invalid"},
    "of an old protocol": {"is_old": True},
}

Serve = Callable[..., ScriptedServer]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def serve(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Begin a server whose authority this process trusts, and whose certificate may be bad."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca_file))
    running: list[ScriptedServer] = []

    def begin(**faults: Any) -> ScriptedServer:
        running.append(ScriptedServer(tls=authority.context(**faults)))
        return running[-1]

    yield begin
    for server in running:
        server.close()


def test_certificate_that_holds_is_accepted(serve: Serve, fetcher: Fetcher) -> None:
    server = serve()
    server.play("GET", "/x", Reply(b"content"))
    assert fetcher.to_bytes(f"{server.url}/x", **SIZES).content == b"content"


@pytest.mark.parametrize("fault", BAD)
def test_f022_certificate_that_does_not_hold_is_refused_once_and_for_all(
    serve: Serve, fetcher: Fetcher, fault: str
) -> None:
    server = serve(**BAD[fault])
    server.play("GET", "/x", Reply(b"content"))
    with pytest.raises(FetchError, match="verification stays on") as caught:
        fetcher.to_bytes(f"{server.url}/x", cookies=cookie("127.0.0.1", is_secure=True), **SIZES)
    assert (caught.value.state, caught.value.tries) == (AnswerState.UNREACHABLE, 1)
    assert server.requests == []  # no request was sent, and no cookie with it


@contextlib.contextmanager
def listener(says: bytes) -> Iterator[int]:
    """A port where every connection gets these bytes, and its end."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.recv(1 << 16)
                connection.sendall(says)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def test_f022_server_that_speaks_no_tls_is_refused(fetcher: Fetcher) -> None:
    with listener(b"HTTP/1.1 200 OK\r\n\r\n") as port, pytest.raises(FetchError, match="TLS") as caught:
        fetcher.to_bytes(f"https://127.0.0.1:{port}/x", **SIZES)
    assert (caught.value.state, caught.value.tries) == (AnswerState.UNREACHABLE, 1)


def test_connection_that_breaks_while_tls_is_set_up_is_tried_again(fetcher: Fetcher) -> None:
    with listener(b"") as port, pytest.raises(FetchError, match="broke while TLS was being set up") as caught:
        fetcher.to_bytes(f"https://127.0.0.1:{port}/x", **SIZES)
    assert (caught.value.state, caught.value.tries) == (AnswerState.UNREACHABLE, 5)


def test_f022_certificates_that_cannot_be_read_are_named(
    fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with pytest.raises(LocalEnvironmentError, match=r"was not asked: .*missing\.pem.*REQUESTS_CA_BUNDLE"):
        fetcher.to_bytes("https://127.0.0.1:9/x", **SIZES)


def test_f017_redirect_out_of_https_is_refused(serve: Serve, server: ScriptedServer, fetcher: Fetcher) -> None:
    secure = serve()
    secure.play("GET", "/x", Reply(status=302, headers={"Location": f"{server.url}/y"}))
    with pytest.raises(FetchError, match="leaves https") as caught:
        fetcher.to_bytes(f"{secure.url}/x", **SIZES)
    assert caught.value.state is AnswerState.REJECTED
    assert server.requests == []


def test_file_comes_through_tls_whole(serve: Serve, fetcher: Fetcher, tmp_path: Path) -> None:
    body = bytes(range(256)) * 2000
    server = serve()
    server.play("GET", "/x", Reply(body))
    fetcher.to_file(f"{server.url}/x", tmp_path / "file", **SIZES)
    assert (tmp_path / "file").read_bytes() == body


def test_f006_body_that_drips_in_through_tls_meets_the_deadline(serve: Serve) -> None:
    server = serve()
    server.play("GET", "/x", Reply(b"x" * 10_000, length=False, piece=1, pause_s=0.05))
    began = time.monotonic()
    with pytest.raises(FetchError) as caught:
        Fetcher(limits=Limits(backoff_s=0.01)).to_bytes(f"{server.url}/x", limit_bytes=100_000, deadline_s=0.4)
    assert caught.value.state is AnswerState.UNREACHABLE
    assert time.monotonic() - began < 2


def test_f003_silence_while_tls_is_set_up_meets_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:  # accepts by itself, and never says a word
        port = listening.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(FetchError) as caught:
            Fetcher(limits=Limits(backoff_s=0.01)).to_bytes(
                f"https://127.0.0.1:{port}/x", limit_bytes=9, deadline_s=0.4
            )
    assert caught.value.state is AnswerState.UNREACHABLE
    assert time.monotonic() - began < 2
