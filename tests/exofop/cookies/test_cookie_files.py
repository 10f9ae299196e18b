"""Jars that are not as curl and wget write them, or lie where others can reach them."""

from __future__ import annotations

import os
import re
import socket
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.canaries import HEADING, allow_jar, cookie_value, write_cookie_jar, write_jar_bytes
from tests.exofop.cookies.conftest import HOST, NOW, URL, line, shows_the_secret

from btv_report.errors import BtvReportError, LocalEnvironmentError, UsageError
from btv_report.exofop.cookies import ExoFopCookies, read_cookie_jar

GOOD = f"{HEADING}\n\n{line()}\n".encode()

MALFORMED = {
    "no heading": (line().encode(), 1, "heading"),
    "byte order mark": (b"\xef\xbb\xbf" + GOOD, 1, "byte order mark"),
    "UTF-16": (GOOD.decode().encode("utf-16"), 1, "byte order mark"),
    "spaces for tabs": (GOOD.replace(b"\t", b"    "), 3, "no tabs"),
    "six fields": (GOOD.replace(b"\tPHPSESSID", b""), 3, "6 fields"),
    "eight fields": (GOOD.replace(b"PHPSESSID\t", b"PHPSESSID\tx\t"), 3, "8 fields"),
    "expiry in words": (re.sub(rb"\t\d{9,}\t", b"\tMon, 28 Sep 2026\t", GOOD), 3, "no number of seconds"),
    "expiry with a sign": (re.sub(rb"\t\d{9,}\t", b"\t-1\t", GOOD), 3, "no number of seconds"),
    "expiry in microseconds": (re.sub(rb"\t\d{9,}\t", b"\t1790000000000000\t", GOOD), 3, "no number of seconds"),
    "expiry beyond the calendar": (re.sub(rb"\t\d{9,}\t", b"\t999999999999\t", GOOD), 3, "no number of seconds"),
    "value in place of the expiry": (
        re.sub(rb"\t\d{9,}\t", b"\t" + cookie_value().encode() + b"\t", GOOD), 3, "no number of seconds",
    ),
    "dot without flag": (GOOD.replace(HOST.encode(), b"." + HOST.encode()), 3, "contradicts itself"),
    "flag without dot": (GOOD.replace(b"FALSE", b"TRUE"), 3, "contradicts itself"),
    "flag that is none": (GOOD.replace(b"FALSE", b"no"), 3, "TRUE or FALSE"),
    "no host": (GOOD.replace(HOST.encode(), b"."), 3, "names no host"),
    "another site's line": (GOOD + b"www.example.org\tFALSE\t/\n", 4, "3 fields"),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_f052_f053_malformed_jar_is_told_by_line_number_without_the_line(tmp_path: Path, name: str) -> None:
    content, number, what = MALFORMED[name]
    path = write_jar_bytes(tmp_path / "jar.txt", content)
    with pytest.raises(UsageError, match=rf"Line {number} of the cookie jar .*{what}") as caught:
        read_cookie_jar(path, URL, now=NOW)
    assert not shows_the_secret(caught.value)
    assert caught.value.hint
    assert caught.value.path == path


@pytest.mark.parametrize("content", [b"", b"\n", HEADING.encode(), b"<html>log in</html>", bytes(range(256)) * 9])
def test_f052_file_that_is_no_jar_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UsageError, match=r"line|holds no PHPSESSID|heading|Line 1"):
        read_cookie_jar(write_jar_bytes(tmp_path / "jar.txt", content), URL, now=NOW)


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(at=st.integers(0, len(GOOD)), taken=st.integers(0, 30), put=st.binary(max_size=8))
def test_f052_f053_any_mutation_gives_a_login_or_a_sentence_without_the_secret(
    tmp_path: Path, at: int, taken: int, put: bytes
) -> None:
    content = GOOD[:at] + put + GOOD[at + taken :]
    path = write_jar_bytes(tmp_path / "jar.txt", content)
    cookies, error = outcome(path)
    assert error is None or not shows_the_secret(error)
    if cookies is not None:
        assert len(cookies.jar) == (0 if cookies.is_expired else 1)
        assert all(cookie.domain == HOST and cookie.name == "PHPSESSID" for cookie in cookies.jar)


def outcome(path: Path) -> tuple[ExoFopCookies | None, BtvReportError | None]:
    """What reading a jar comes to; an error of another kind is raised."""
    try:
        return read_cookie_jar(path, URL, now=NOW), None
    except (UsageError, LocalEnvironmentError) as error:
        return None, error


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o602, 0o644, 0o666, 0o700, 0o4600])
def test_f055_jar_that_others_can_reach_is_refused_with_the_chmod_to_run(tmp_path: Path, mode: int) -> None:
    path = write_jar_bytes(tmp_path / "my jar.txt", GOOD, mode=mode)
    with pytest.raises(LocalEnvironmentError) as caught:
        read_cookie_jar(path, URL, now=NOW)
    assert f"mode {mode:04o}" in caught.value.message
    assert f"`chmod 600 '{path}'`" in caught.value.hint
    path.chmod(0o600)
    assert len(read_cookie_jar(path, URL, now=NOW).jar) == 1
    path.chmod(0o400)
    assert len(read_cookie_jar(path, URL, now=NOW).jar) == 1


def test_f055_link_pipe_socket_device_and_folder_are_refused_at_once(tmp_path: Path) -> None:
    jar = write_jar_bytes(tmp_path / "jar.txt", GOOD)
    (tmp_path / "link").symlink_to(jar)
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as door:
        here = Path.cwd()
        os.chdir(tmp_path)  # addresses of sockets are short
        try:
            door.bind("door")
        finally:
            os.chdir(here)
        places = [tmp_path / name for name in ("link", "pipe", "folder", "door")]
        for path in [*places, Path("/dev/null"), Path("/dev/zero")]:
            with pytest.raises(BtvReportError, match=r"symbolic link|no plain file") as caught:
                read_cookie_jar(path, URL, now=NOW)
            assert isinstance(caught.value, UsageError), path


def test_f055_huge_file_is_refused_and_not_read(tmp_path: Path) -> None:
    path = write_jar_bytes(tmp_path / "jar.txt", GOOD)
    os.truncate(path, 5_000_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(UsageError, match="larger than 1 MB"):
            read_cookie_jar(path, URL, now=NOW)
        assert tracemalloc.get_traced_memory()[1] < 1_500_000
    finally:
        tracemalloc.stop()
        path.unlink()  # nobody need search five gigabytes of nothing


def test_largest_jar_is_read(tmp_path: Path) -> None:
    content = GOOD + b"#" * (1_000_000 - len(GOOD))
    assert len(read_cookie_jar(write_jar_bytes(tmp_path / "jar.txt", content), URL, now=NOW).jar) == 1
    with pytest.raises(UsageError, match="larger than 1 MB"):
        read_cookie_jar(write_jar_bytes(tmp_path / "jar.txt", content + b"#"), URL, now=NOW)


@pytest.mark.parametrize("path", ["missing.txt", "jar.txt/below"])
def test_missing_jar_is_a_usage_error(tmp_path: Path, path: str) -> None:
    write_cookie_jar(tmp_path / "jar.txt")
    with pytest.raises(UsageError, match="does not exist"):
        read_cookie_jar(tmp_path / path, URL, now=NOW)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_f055_jar_of_another_user_is_refused(tmp_path: Path) -> None:
    path = write_jar_bytes(tmp_path / "jar.txt", GOOD)
    os.chown(path, 65534, 65534)
    with pytest.raises(LocalEnvironmentError, match=r"another user|cannot be read"):
        read_cookie_jar(path, URL, now=NOW)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_jar_without_the_right_to_read_it_is_told(tmp_path: Path) -> None:
    path = write_jar_bytes(tmp_path / "jar.txt", GOOD, mode=0o200)
    with pytest.raises(LocalEnvironmentError, match="cannot be read"):
        read_cookie_jar(path, URL, now=NOW)


def test_f055_jar_is_judged_by_the_file_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who swaps the path after it was opened changes nothing."""
    path = write_jar_bytes(tmp_path / "jar.txt", GOOD, mode=0o644)
    private = write_jar_bytes(tmp_path / "private.txt", GOOD)
    genuine = os.fstat

    def swap_then_look(handle: int) -> os.stat_result:
        private.replace(path)
        monkeypatch.setattr(os, "fstat", genuine)
        return genuine(handle)

    allow_jar(path)
    monkeypatch.setattr(os, "fstat", swap_then_look)
    with pytest.raises(LocalEnvironmentError, match="mode 0644"):
        read_cookie_jar(path, URL, now=NOW)
