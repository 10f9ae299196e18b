"""Where the session cookie goes, and where it does not: asked of a real server, and with jars that curl and wget wrote."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import requests
from requests.cookies import RequestsCookieJar, get_cookie_header
from tests.canaries import allow_jar, cookie_line, cookie_value, write_cookie_jar
from tests.doubles.scripted_server import Reply, ScriptedServer

from btv_report.archive.fetch import Fetcher
from btv_report.archive.limits import Limits
from btv_report.errors import FetchError
from btv_report.exofop.cookies import ExoFopCookies, read_cookie_jar

SIZES: dict[str, Any] = {"limit_bytes": 10_000, "deadline_s": 20.0}
SENT = f"PHPSESSID={cookie_value()}"
ADDRESSES = (
    "https://exofop.ipac.caltech.edu",
    "https://exofop.example.org:8443",
    "http://[::1]:8080",
    "https://localhost",
)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(default=Reply(b"TIC ID|notes\n")) as running:
        yield running


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher(limits=Limits(tries=1), random=Random(1))


def login(path: Path, url: str, *lines: str, host: str = "127.0.0.1") -> ExoFopCookies:
    return read_cookie_jar(write_cookie_jar(path, *lines, host=host), url, now=time.time())


def header(cookies: ExoFopCookies, url: str) -> str | None:
    """The Cookie header that requests would send to an address; nothing is sent."""
    jar = RequestsCookieJar()
    jar.update(cookies.jar)
    sent: str | None = get_cookie_header(jar, requests.Request("GET", url).prepare())  # type: ignore[no-untyped-call]
    return sent


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("expires", [None, 0, ""])
def test_f050_session_cookie_is_sent_whatever_its_expiry_says(
    server: ScriptedServer, fetcher: Fetcher, tmp_path: Path, host: str, expires: int | str | None
) -> None:
    url = f"http://{host}:{server.port}/tess/"
    cookies = login(tmp_path / "jar.txt", url, cookie_line(host, expires=expires, http_only=True))
    fetcher.to_bytes(f"{url}x.php", cookies=cookies.jar, **SIZES)
    assert server.requests[0].headers["cookie"] == SENT


def test_f051_expired_cookie_is_not_sent(server: ScriptedServer, fetcher: Fetcher, tmp_path: Path) -> None:
    cookies = login(tmp_path / "jar.txt", server.url, cookie_line("127.0.0.1", expires=1_700_000_000))
    fetcher.to_bytes(f"{server.url}/tess/x.php", cookies=cookies.jar, **SIZES)
    assert "cookie" not in server.requests[0].headers


@pytest.mark.parametrize("url", ADDRESSES)
def test_cookie_goes_to_its_own_address(tmp_path: Path, url: str) -> None:
    host = url.split("://")[1].removesuffix(":8443").removesuffix(":8080").strip("[]")
    assert header(login(tmp_path / "jar.txt", url, host=host), f"{url}/tess/x.php?id=1") == SENT


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://ipac.caltech.edu/tess/", "https://example.org/tess/", "http://exofop.ipac.caltech.edu/tess/",
        "https://exofop.ipac.caltech.edu:8443/tess/", "https://exofop.ipac.caltech.edu.example.org/tess/",
    ],
)  # fmt: skip
def test_f056_f057_cookie_goes_nowhere_else(tmp_path: Path, elsewhere: str) -> None:
    assert header(login(tmp_path / "jar.txt", ADDRESSES[0], host="exofop.ipac.caltech.edu"), elsewhere) is None


def test_f057_redirect_to_another_host_is_refused(server: ScriptedServer, fetcher: Fetcher, tmp_path: Path) -> None:
    server.play("GET", "/tess/x.php", Reply(status=302, headers={"Location": f"http://localhost:{server.port}/y"}))
    with pytest.raises(FetchError, match="cookie"):
        fetcher.to_bytes(f"{server.url}/tess/x.php", cookies=login(tmp_path / "jar.txt", server.url).jar, **SIZES)
    assert len(server.requests) == 1


def test_f057_redirect_to_another_port_brings_no_cookie(
    server: ScriptedServer, fetcher: Fetcher, tmp_path: Path
) -> None:
    with ScriptedServer(default=Reply(b"stranger")) as stranger:
        server.play("GET", "/tess/x.php", Reply(status=302, headers={"Location": f"{stranger.url}/tess/y"}))
        fetcher.to_bytes(f"{server.url}/tess/x.php", cookies=login(tmp_path / "jar.txt", server.url).jar, **SIZES)
        assert server.requests[0].headers["cookie"] == SENT
        assert "cookie" not in stranger.requests[0].headers


def test_f053_f058_nothing_is_logged_and_no_error_shows_it(
    server: ScriptedServer, fetcher: Fetcher, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.play("GET", "/tess/ok.php", Reply(status=302, headers={"Location": "/tess/there.php"}))
    server.play("GET", "/tess/bad.php", Reply(b"x" * 100, cut_after=10, reset=True))
    cookies = login(tmp_path / "jar.txt", server.url)
    fetcher.to_bytes(f"{server.url}/tess/ok.php", cookies=cookies.jar, **SIZES)
    with pytest.raises(FetchError) as caught:
        fetcher.to_bytes(f"{server.url}/tess/bad.php", cookies=cookies.jar, **SIZES)
    assert [request.headers["cookie"] for request in server.requests] == [SENT] * 3
    assert cookie_value() not in "".join(traceback.format_exception(caught.value))
    assert "DEBUG" in caplog.text  # it was listened to
    assert cookie_value() not in caplog.text


COMMANDS = {
    "curl": "--disable --silent --output {answer} --cookie-jar {jar} {url}",
    "wget": "--no-config --no-hsts --quiet -O {answer} --save-cookies {jar} --keep-session-cookies {url}",
}
SET_COOKIES = {"session": "; path=/; HttpOnly", "a week": "; Max-Age=604800; path=/; HttpOnly"}


@pytest.mark.parametrize("lasting", SET_COOKIES)
@pytest.mark.parametrize("command", COMMANDS)
def test_f050_f054_jar_that_curl_or_wget_writes_is_sent(
    server: ScriptedServer, fetcher: Fetcher, tmp_path: Path, command: str, lasting: str
) -> None:
    if shutil.which(command) is None:
        pytest.skip(f"{command} is not installed")
    server.play("GET", "/tess/login.php", Reply(b"in", headers={"Set-Cookie": SENT + SET_COOKIES[lasting]}))
    jar = allow_jar(tmp_path / "jar.txt")
    words = COMMANDS[command].format(answer="answer", jar="jar.txt", url=f"{server.url}/tess/login.php").split()
    plain = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    subprocess.run([command, *words], check=True, env=plain, cwd=tmp_path)
    jar.chmod(0o600)
    cookies = read_cookie_jar(jar, server.url, now=time.time())
    assert (cookies.expires_at is None) == (lasting == "session")
    fetcher.to_bytes(f"{server.url}/tess/x.php", cookies=cookies.jar, **SIZES)
    assert server.requests[-1].headers["cookie"] == SENT
