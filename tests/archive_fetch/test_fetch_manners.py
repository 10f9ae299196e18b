"""Manners: TLS that is verified, redirects that lose nothing, few connections, an honest name."""

from __future__ import annotations

import http.cookiejar
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.archive_fetch.conftest import FakeClock, MakeFetcher
from tests.doubles.scripted_server import Reply, ScriptedServer

from btv_report.answer_states import AnswerState
from btv_report.archive.fetch import Fetcher
from btv_report.archive.limits import Limits
from btv_report.archive.transport import open_session, require_honest_tls
from btv_report.errors import FetchError, LocalEnvironmentError

SIZES: dict[str, Any] = {"limit_bytes": 1_000_000, "deadline_s": 300.0}


@pytest.fixture(scope="session")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody has signed, with its key."""
    path = tmp_path_factory.mktemp("tls") / "self-signed.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(path), "-out", str(path.with_suffix(".crt"))]
    kind = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    made = subprocess.run([*kind, *names, *files], capture_output=True, check=False)
    if made.returncode != 0:
        pytest.skip("openssl cannot make a certificate here")
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


@pytest.fixture
def tls_server(self_signed: Path) -> Iterator[ScriptedServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed)
    with ScriptedServer(tls=context) as running:
        yield running


def test_f022_certificate_that_nobody_signed_is_refused_once_and_for_all(
    tls_server: ScriptedServer, fetcher: Fetcher
) -> None:
    tls_server.play("GET", "/x", Reply(b"content"))
    jar = http.cookiejar.CookieJar()
    with pytest.raises(FetchError, match="TLS certificate") as caught:
        fetcher.to_bytes(f"{tls_server.url}/x", cookies=jar, **SIZES)
    assert (caught.value.state, caught.value.tries) == (AnswerState.UNREACHABLE, 1)
    assert tls_server.requests == []  # no request was sent, and no cookie with it


def test_f017_redirect_out_of_https_is_refused(
    tls_server: ScriptedServer,
    server: ScriptedServer,
    fetcher: Fetcher,
    self_signed: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(self_signed.with_suffix(".crt")))
    tls_server.play("GET", "/x", Reply(status=302, headers={"Location": f"{server.url}/y"}))
    with pytest.raises(FetchError, match="leaves https") as caught:
        fetcher.to_bytes(f"{tls_server.url}/x", **SIZES)
    assert caught.value.state is AnswerState.REJECTED
    assert server.requests == []


def test_f016_redirects_in_a_circle_are_named_by_host(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.play("GET", "/x", Reply(status=302, headers={"Location": "/x?token=canary-secret"}))
    with pytest.raises(FetchError, match=r"sent on and on \(127\.0\.0\.1 -> ") as caught:
        fetcher.to_bytes(f"{server.url}/x", **SIZES)
    assert caught.value.state is AnswerState.REJECTED
    assert len(server.requests) == Limits().redirects + 1
    assert "canary-secret" not in str(caught.value)


def test_redirect_within_a_host_is_followed(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.play("GET", "/x", Reply(status=302, headers={"Location": "/y"}))
    server.play("GET", "/y", Reply(b"there"))
    answer = fetcher.to_bytes(f"{server.url}/x", **SIZES)
    assert (answer.content, answer.final_url) == (b"there", f"{server.url}/y")


def cookie(domain: str) -> http.cookiejar.CookieJar:
    jar = http.cookiejar.CookieJar()
    jar.set_cookie(
        http.cookiejar.Cookie(
            0, "PHPSESSID", "canary", None, False, domain, False, False, "/", True, False, None, True, None, None, {}
        )
    )
    return jar


def test_cookie_goes_to_its_own_host(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.play("GET", "/x", Reply(b"content"))
    fetcher.to_bytes(f"{server.url}/x", cookies=cookie("127.0.0.1"), **SIZES)
    assert server.requests[0].headers["cookie"] == "PHPSESSID=canary"


def test_redirect_to_another_host_is_refused_while_a_cookie_is_at_stake(
    server: ScriptedServer, fetcher: Fetcher
) -> None:
    elsewhere = f"http://localhost:{server.port}/y"
    server.play("GET", "/x", Reply(status=302, headers={"Location": elsewhere}))
    with pytest.raises(FetchError, match="cookie"):
        fetcher.to_bytes(f"{server.url}/x", cookies=cookie("127.0.0.1"), **SIZES)
    assert [request.path for request in server.requests] == ["/x"]


PATCHES = {
    "request": "old = requests.Session.request\nrequests.Session.request = lambda self, *a, **k: old(self, *a, **k)",
    "verify": "old = requests.Session.__init__\n"
    "def init(self):\n    old(self)\n    self.verify = False\nrequests.Session.__init__ = init",
    "context": "import ssl\nssl._create_default_https_context = ssl._create_unverified_context",
    "default": "import ssl\nold = ssl.create_default_context\n"
    "def make(*a, **k):\n    context = old(*a, **k)\n    context.check_hostname = False\n"
    "    context.verify_mode = ssl.CERT_NONE\n    return context\n"
    "ssl.create_default_context = ssl._create_default_https_context = make",
}


@pytest.mark.parametrize("patch", PATCHES)
def test_f023_import_that_took_tls_away_stops_the_run(patch: str) -> None:
    code = (
        f"import requests\n{PATCHES[patch]}\n"
        "from btv_report.archive.transport import require_honest_tls\n"
        "from btv_report.errors import LocalEnvironmentError\n"
        "try:\n    require_honest_tls()\nexcept LocalEnvironmentError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "TLS verification away" in done.stdout
    assert "nothing was sent" in done.stdout


def test_f023_untouched_libraries_pass() -> None:
    require_honest_tls()


def test_f023_no_session_is_opened_once_tls_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    request = requests.Session.request

    def patched(self: requests.Session, *args: Any, **options: Any) -> requests.Response:
        return request(self, *args, **options)

    monkeypatch.setattr(requests.Session, "request", patched)
    with pytest.raises(LocalEnvironmentError, match=r"requests\.Session\.request"):
        open_session()


def test_f025_requests_of_many_threads_keep_their_number_and_their_distance(
    server: ScriptedServer, make_fetcher: MakeFetcher, clock: FakeClock
) -> None:
    server.play("GET", "/x", Reply(b"content", delay_s=0.05))
    fetcher = make_fetcher(min_interval_s=100.0, max_parallel=2)

    def ask() -> None:
        fetcher.to_bytes(f"{server.url}/x", limit_bytes=100, deadline_s=6000)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.requests) == 8
    assert server.most_at_once <= 2
    assert len(clock.waits) == 7
    assert all(wait > 90 for wait in clock.waits)


def test_user_agent_says_who_asks(server: ScriptedServer, make_fetcher: MakeFetcher) -> None:
    server.play("GET", "/x", Reply(b"content"))
    make_fetcher().to_bytes(f"{server.url}/x", limit_bytes=100, deadline_s=60)
    assert server.requests[0].headers["user-agent"].startswith("btv-report/")
