"""Which cookie is taken from a jar, and until when."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import subprocess
from pathlib import Path

import pytest
from tests.canaries import cookie_value
from tests.exofop.cookies.conftest import HOST, NOW, URL, WEEK_S, ReadLines, line, shows_the_secret

from btv_report.errors import UsageError

ROOT = Path(__file__).resolve().parents[3]


def test_login_is_taken_from_a_jar_as_curl_writes_it(read_lines: ReadLines) -> None:
    cookies = read_lines(line())
    (cookie,) = cookies.jar
    assert (cookie.name, cookie.value, cookie.domain, cookie.path) == ("PHPSESSID", cookie_value(), HOST, "/")
    assert cookie.secure
    assert not cookies.is_expired
    assert cookies.expires_at == "2026-09-28T14:13:20Z"
    assert cookies.sentences == ()
    assert cookies.expiry_sentence == "The ExoFOP login in jar.txt lasts until 2026-09-28 14:13:20 UTC."


@pytest.mark.parametrize("heading", ["# HTTP Cookie File", "# HTTP cookie file.", "# Netscape HTTP Cookie File"])
def test_headings_of_curl_and_of_old_and_new_wget_are_known(read_lines: ReadLines, heading: str) -> None:
    assert len(read_lines(line(), heading=heading).jar) == 1


@pytest.mark.parametrize("expiry", ["0", ""])
def test_f050_cookie_without_expiry_is_taken_and_said_to_have_none(read_lines: ReadLines, expiry: str) -> None:
    cookies = read_lines(line(expires=expiry))
    assert [cookie.value for cookie in cookies.jar] == [cookie_value()]
    assert cookies.expires_at is None
    assert not cookies.is_expired
    assert "states no expiry" in cookies.sentences[0]


@pytest.mark.parametrize(("after_s", "is_expired"), [(-1, False), (0, True), (1, True)])
def test_f051_login_ends_at_its_second(read_lines: ReadLines, after_s: int, is_expired: bool) -> None:
    cookies = read_lines(line(expires=int(NOW)), now=NOW + after_s)
    assert cookies.is_expired is is_expired
    assert len(cookies.jar) == (0 if is_expired else 1)
    assert cookies.expires_at == "2026-09-21T14:13:20Z"
    assert "2026-09-21 14:13:20 UTC" in cookies.sentences[0]
    assert ("only what is public" in cookies.sentences[0]) is is_expired


def test_f051_login_that_ends_within_a_day_is_said_to(read_lines: ReadLines) -> None:
    assert "expires soon" in read_lines(line(), now=NOW + WEEK_S - 3600).sentences[0]


def test_f051_clock_that_runs_on_does_not_make_a_run_anonymous(read_lines: ReadLines) -> None:
    (cookie,) = read_lines(line(expires=1000), now=999.0).jar
    assert not cookie.is_expired()


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_f054_cookie_that_scripts_may_not_see_is_a_cookie(read_lines: ReadLines, ending: str) -> None:
    lines = ["# https://curl.se/docs/http-cookies.html", "", line(http_only=True), "   ", "# the end"]
    (cookie,) = read_lines(ending.join(lines)).jar
    assert cookie.value == cookie_value()


OTHERS = (
    "www.example.org\tFALSE\t/\tTRUE\t0\tPHPSESSID\tsomebody-elses-1",
    ".caltech.edu\tTRUE\t/\tFALSE\t0\tPHPSESSID\tsomebody-elses-2",
    "ipac.caltech.edu\tTRUE\t/\tFALSE\t0\tPHPSESSID\tsomebody-elses-3",  # wget writes domains without a dot
    f"www.{HOST}\tFALSE\t/\tFALSE\t0\tPHPSESSID\tsomebody-elses-4",
    f"{HOST}.example.org\tFALSE\t/\tFALSE\t0\tPHPSESSID\tsomebody-elses-5",
    f".{HOST}\tTRUE\t/\tTRUE\t0\tPHPSESSID\tsomebody-elses-6",
    f"{HOST}\tFALSE\t/\tTRUE\t0\ttracker\tsomebody-elses-7",
)


def test_f056_only_the_session_of_exactly_that_host_is_taken(read_lines: ReadLines) -> None:
    cookies = read_lines(*OTHERS[:3], line(HOST.upper()), *OTHERS[3:])
    assert [(cookie.domain, cookie.value) for cookie in cookies.jar] == [(HOST, cookie_value())]


def test_f056_jar_of_other_hosts_is_refused_by_their_number_only(read_lines: ReadLines) -> None:
    with pytest.raises(UsageError, match=rf"no PHPSESSID cookie of exactly {HOST}; .* 7 domains") as caught:
        read_lines(*OTHERS)
    assert "somebody-elses" not in str(caught.value)
    assert "example.org" not in str(caught.value)


def test_f056_host_of_another_address_takes_its_own_cookie(read_lines: ReadLines) -> None:
    (cookie,) = read_lines(line(), line("127.0.0.1", value="loopback"), url="http://127.0.0.1:8080").jar
    assert cookie.value == "loopback"


def test_port_that_wget_writes_after_an_unusual_host_is_understood(read_lines: ReadLines) -> None:
    assert len(read_lines(line("127.0.0.1:8080"), url="http://127.0.0.1:8080").jar) == 1
    with pytest.raises(UsageError, match="no PHPSESSID"):
        read_lines(line("127.0.0.1:8081"), url="http://127.0.0.1:8080")


def test_two_sessions_of_the_host_are_refused(read_lines: ReadLines) -> None:
    with pytest.raises(UsageError, match=r"2 PHPSESSID cookies .* \(lines 3, 4\)") as caught:
        read_lines(line(), line(value="another", expires="0"))
    assert not shows_the_secret(caught.value)


@pytest.mark.parametrize("url", ["http://exofop.example.org/tess/", "ftp://127.0.0.1/", "tess"])
def test_address_that_is_not_safe_takes_no_cookie(read_lines: ReadLines, url: str) -> None:
    with pytest.raises(UsageError, match="not an address"):
        read_lines(line("exofop.example.org"), url=url)


@pytest.mark.parametrize("value", ["", "two words", "x;y", 'x"y', "caf\u00e9", "x\x00y", "x\ry"])
def test_value_that_no_header_can_carry_is_refused(read_lines: ReadLines, value: str) -> None:
    with pytest.raises(UsageError, match=r"Line 3 .* cannot be sent"):
        read_lines(line(value=value))


@pytest.mark.parametrize("path", ["/kepler/", "/tess/x/", "/tes", "tess"])
def test_cookie_that_would_silently_not_be_sent_is_refused(read_lines: ReadLines, path: str) -> None:
    with pytest.raises(UsageError, match=r"Line 3 .* does not apply to /tess/"):
        read_lines(line().replace("\t/\t", f"\t{path}\t"))
    assert len(read_lines(line().replace("\t/\t", "\t/tess\t")).jar) == 1


def test_f058_no_form_of_a_login_shows_its_value(read_lines: ReadLines) -> None:
    cookies = read_lines(line())
    (cookie,) = cookies.jar
    twin = copy.copy(cookie)  # as requests takes it into its own jar
    assert twin.value == cookie_value()
    for thing in (cookies, cookies.jar, cookie, twin, list(cookies.jar), vars(cookies)):
        assert cookie_value() not in f"{thing!r} {thing!s} {thing}"
        assert cookie_value() not in json.dumps(thing, default=str)
    for thing in (cookies, cookies.jar, cookie, twin):
        for write in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError, match="neither pickled nor copied") as caught:
                write(thing)
            assert not shows_the_secret(caught.value)
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        dataclasses.asdict(cookies)


def test_f059_no_jar_lies_in_the_checkout() -> None:
    """The end of a session's line, in anything that is committed or would be; here its tabs are written as `\\t`."""
    command = ["git", "grep", "--untracked", "-lF", "\tPHPSESSID\t"]
    found = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if found.returncode > 1:
        pytest.skip("not a git checkout")
    assert found.stdout == ""


def test_address_without_a_folder_means_the_folder_of_tess(read_lines: ReadLines) -> None:
    assert len(read_lines(line().replace("\t/\t", "\t/tess\t"), url=URL.removesuffix("/tess/")).jar) == 1
