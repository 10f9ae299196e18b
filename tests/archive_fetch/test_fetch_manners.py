"""Manners: TLS that is verified, redirects that lose nothing, few connections, an honest name."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.archive_fetch.conftest import FakeClock, MakeFetcher, cookie
from tests.doubles.scripted_server import Reply, Request, ScriptedServer

from btv_report.answer_states import AnswerState
from btv_report.archive.fetch import Fetcher
from btv_report.archive.limits import Limits
from btv_report.archive.transport import open_session, require_honest_tls
from btv_report.errors import FetchError, LocalEnvironmentError

SIZES: dict[str, Any] = {"limit_bytes": 1_000_000, "deadline_s": 300.0}


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


@pytest.mark.parametrize("headers", [{"Cookie": "PHPSESSID=canary"}, {"authorization": "token canary"}])
def test_redirect_to_another_host_is_refused_while_a_header_is_secret(
    server: ScriptedServer, fetcher: Fetcher, headers: dict[str, str]
) -> None:
    server.play("GET", "/x", Reply(status=302, headers={"Location": f"http://localhost:{server.port}/y"}))
    with pytest.raises(FetchError, match="at stake"):
        fetcher.to_bytes(f"{server.url}/x", headers=headers, **SIZES)
    assert [request.path for request in server.requests] == ["/x"]


def test_cookie_that_a_server_sets_by_itself_does_not_forbid_to_go_on(server: ScriptedServer, fetcher: Fetcher) -> None:
    elsewhere = {"Location": f"http://localhost:{server.port}/y", "Set-Cookie": "balancer=1; Path=/"}
    server.play("GET", "/x", Reply(status=302, headers=elsewhere))
    server.play("GET", "/y", Reply(b"there"))
    assert fetcher.to_bytes(f"{server.url}/x", **SIZES).content == b"there"
    assert "cookie" not in server.requests[1].headers  # it stays with its host


def test_login_of_a_netrc_file_is_never_sent(
    server: ScriptedServer, fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password canary\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.play("GET", "/x", Reply(status=302, headers={"Location": "/y"}))
    server.play("GET", "/y", Reply(b"there"))
    fetcher.to_bytes(f"{server.url}/x", **SIZES)
    assert [request.path for request in server.requests] == ["/x", "/y"]
    assert not any("authorization" in request.headers for request in server.requests)


def test_what_is_asked_of_this_machine_goes_through_no_proxy(
    server: ScriptedServer, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server.play("GET", "/x", Reply(status=302, headers={"Location": "/y"}))
    server.play("GET", "/y", Reply(b"there"))
    assert fetcher.to_bytes(f"{server.url}/x", **SIZES).content == b"there"


PATCHES = {
    "request": "old = requests.Session.request\nrequests.Session.request = lambda self, *a, **k: old(self, *a, **k)",
    "partial": "import functools\n"
    "requests.Session.request = functools.partialmethod(requests.Session.request, verify=False)",
    "wrapped": "import functools\nold = requests.Session.merge_environment_settings\n@functools.wraps(old)\n"
    "def merge(*a, **k):\n    return old(*a, **k) | {'verify': False}\nrequests.Session.merge_environment_settings = merge",
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
    lock = threading.Lock()
    at_once = most = 0

    def answer(request: Request) -> Reply:
        # Counted here: that a connection was closed, the server learns late.
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.05)
        with lock:
            at_once -= 1
        return Reply(b"content")

    server.play("GET", "/x", answer)
    fetcher = make_fetcher(min_interval_s=100.0, max_parallel=2)

    def ask() -> None:
        fetcher.to_bytes(f"{server.url}/x", limit_bytes=100, deadline_s=6000)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.requests) == 8
    assert most == 2
    assert len(clock.waits) == 7
    assert all(wait > 90 for wait in clock.waits)


def test_user_agent_says_who_asks(server: ScriptedServer, make_fetcher: MakeFetcher) -> None:
    server.play("GET", "/x", Reply(b"content"))
    make_fetcher().to_bytes(f"{server.url}/x", limit_bytes=100, deadline_s=60)
    assert server.requests[0].headers["user-agent"].startswith("btv-report/")
