"""A file is there whole and checked, or not at all."""

from __future__ import annotations

import errno
import gzip
import os
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.archive_fetch.conftest import MakeFetcher
from tests.doubles.scripted_server import Reply, ScriptedServer

from btv_report.answer_states import AnswerState
from btv_report.archive.fetch import Fetcher
from btv_report.archive.limits import Limits
from btv_report.errors import FetchError, LocalEnvironmentError

BODY = bytes(range(256)) * 12
SIZES: dict[str, Any] = {"limit_bytes": 1_000_000, "deadline_s": 300.0}


def state_of(fetcher: Fetcher, url: str, path: Path, **options: object) -> AnswerState:
    with pytest.raises(FetchError) as caught:
        fetcher.to_file(url, path, **{**SIZES, **options})
    return caught.value.state


def test_file_appears_whole_private_and_hashed(server: ScriptedServer, fetcher: Fetcher, tmp_path: Path) -> None:
    server.play("GET", "/x", Reply(BODY, headers={"Content-Disposition": 'attachment; filename="../../evil"'}))
    seen: list[tuple[int, int | None]] = []
    path = tmp_path / "file"
    answer = fetcher.to_file(f"{server.url}/x", path, on_bytes=lambda n, m: seen.append((n, m)), **SIZES)
    assert path.read_bytes() == BODY
    assert path.stat().st_mode & 0o777 == 0o600
    assert seen[-1] == (len(BODY), len(BODY))
    assert (answer.n_bytes, answer.server_date, answer.file_name) == (len(BODY), "2026-11-26T10:00:00Z", "../../evil")
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("reset", [False, True])
def test_f007_connection_that_breaks_anywhere_leaves_no_file(
    server: ScriptedServer, make_fetcher: MakeFetcher, tmp_path: Path, reset: bool
) -> None:
    fetcher = make_fetcher(limits=Limits(tries=1))
    small = BODY[:24]
    for cut in range(len(small)):
        server.play("GET", "/x", Reply(small, cut_after=cut, reset=reset))
        assert state_of(fetcher, f"{server.url}/x", tmp_path / "file") is AnswerState.UNREACHABLE
        assert list(tmp_path.iterdir()) == []


def test_f007_broken_transfer_is_begun_again_from_zero(
    server: ScriptedServer, fetcher: Fetcher, tmp_path: Path
) -> None:
    server.play("GET", "/x", Reply(BODY, cut_after=1000, reset=True), Reply(BODY, cut_after=2000), Reply(BODY))
    answer = fetcher.to_file(f"{server.url}/x", tmp_path / "file", **SIZES)
    assert (tmp_path / "file").read_bytes() == BODY
    assert answer.tries == 3
    assert all("range" not in request.headers for request in server.requests)


@pytest.mark.parametrize("length", [len(BODY) + 1, len(BODY) - 1, 1])
def test_f008_body_of_another_length_than_stated_is_refused(
    server: ScriptedServer, make_fetcher: MakeFetcher, tmp_path: Path, length: int
) -> None:
    server.play("GET", "/x", Reply(BODY, length=length, cut_after=len(BODY)))
    fetcher = make_fetcher(limits=Limits(tries=2, read_timeout_s=1))
    if length < len(BODY):  # what follows the stated length is not the body's any more
        assert fetcher.to_file(f"{server.url}/x", tmp_path / "f", **SIZES).n_bytes == length
    else:
        assert state_of(fetcher, f"{server.url}/x", tmp_path / "file") is AnswerState.UNREACHABLE


def test_size_that_the_archive_lists_is_held(server: ScriptedServer, fetcher: Fetcher, tmp_path: Path) -> None:
    server.play("GET", "/x", Reply(BODY))
    state = state_of(fetcher, f"{server.url}/x", tmp_path / "file", expected_bytes=len(BODY) + 2880)
    assert state is AnswerState.CORRUPT
    assert len(server.requests) == 2  # one more try, then it is given up


@pytest.mark.parametrize("sixteenth", range(1, 16))
def test_f009_cut_without_a_stated_length_is_caught_by_the_check(
    server: ScriptedServer, fetcher: Fetcher, tmp_path: Path, sixteenth: int
) -> None:
    def check(path: Path) -> str:
        return "" if path.read_bytes() == BODY else "it is cut"

    server.play("GET", "/x", Reply(BODY, length=False, cut_after=len(BODY) * sixteenth // 16))
    assert state_of(fetcher, f"{server.url}/x", tmp_path / "file", check=check) is AnswerState.CORRUPT
    assert list(tmp_path.iterdir()) == []


def test_f010_f011_leftover_of_an_earlier_attempt_is_never_continued(
    server: ScriptedServer, fetcher: Fetcher, tmp_path: Path
) -> None:
    (tmp_path / ".file.part-1-00000000").write_bytes(b"<html>error page</html>")
    server.play("GET", "/x", Reply(BODY, headers={"Accept-Ranges": "bytes"}))
    fetcher.to_file(f"{server.url}/x", tmp_path / "file", **SIZES)
    assert (tmp_path / "file").read_bytes() == BODY
    assert "range" not in server.requests[0].headers


def test_f012_nothing_of_a_failed_request_reaches_the_next(
    server: ScriptedServer, make_fetcher: MakeFetcher, tmp_path: Path
) -> None:
    fetcher = make_fetcher(limits=Limits(tries=1))
    server.play("GET", "/a", Reply(BODY, status=503))
    server.play("GET", "/b", Reply(BODY))
    state_of(fetcher, f"{server.url}/a", tmp_path / "a")
    fetcher.to_file(f"{server.url}/b", tmp_path / "b", **SIZES)
    assert (tmp_path / "b").read_bytes() == BODY
    first, second = (dict(request.headers) for request in server.requests)
    assert first == second


def test_old_file_stays_until_the_new_one_holds(server: ScriptedServer, fetcher: Fetcher, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    server.play("GET", "/x", Reply(BODY))
    assert state_of(fetcher, f"{server.url}/x", path, check=lambda part: "it is wrong") is AnswerState.CORRUPT
    assert path.read_bytes() == b"old"
    fetcher.to_file(f"{server.url}/x", path, **SIZES)
    assert path.read_bytes() == BODY


@pytest.mark.parametrize("stated", [True, False])
def test_more_than_the_limit_is_refused(server: ScriptedServer, fetcher: Fetcher, tmp_path: Path, stated: bool) -> None:
    server.play("GET", "/x", Reply(BODY, length=None if stated else False))
    state = state_of(fetcher, f"{server.url}/x", tmp_path / "file", limit_bytes=1000)
    assert state is AnswerState.REJECTED
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keep", [10, 0.3, 0.9, -9, -1])
def test_f019_truncated_compression_is_corrupt(server: ScriptedServer, fetcher: Fetcher, keep: float) -> None:
    whole = gzip.compress(Random(1).randbytes(50_000), mtime=0)
    cut = whole[: int(keep)] if abs(keep) >= 1 else whole[: int(keep * len(whole))]
    server.play("GET", "/x", Reply(cut, length=False, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(FetchError) as caught:
        fetcher.to_bytes(f"{server.url}/x", limit_bytes=1_000_000, deadline_s=300.0)
    assert caught.value.state is AnswerState.CORRUPT


def test_compressed_answer_of_several_members_is_read_whole(server: ScriptedServer, fetcher: Fetcher) -> None:
    body = gzip.compress(b"one,", mtime=0) + gzip.compress(b"two", mtime=0) + b"\0" * 20
    server.play("GET", "/x", Reply(body, headers={"Content-Encoding": "gzip"}))
    assert fetcher.to_bytes(f"{server.url}/x", limit_bytes=100, deadline_s=60).content == b"one,two"


def test_compression_that_was_not_asked_for_is_refused(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.play("GET", "/x", Reply(b"xyz", headers={"Content-Encoding": "br"}))
    with pytest.raises(FetchError, match="not asked for"):
        fetcher.to_bytes(f"{server.url}/x", limit_bytes=100, deadline_s=60)


def test_answer_in_chunks_is_read_whole(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.play("GET", "/x", Reply(BODY, chunked=True, piece=77))
    assert fetcher.to_bytes(f"{server.url}/x", limit_bytes=10_000, deadline_s=60).content == BODY


def test_f005_no_byte_ever_meets_the_deadline(server: ScriptedServer) -> None:
    server.play("GET", "/x", Reply(silent=True))
    fetcher = Fetcher(limits=Limits(backoff_s=0.01))
    began = time.monotonic()
    with pytest.raises(FetchError) as caught:
        fetcher.to_bytes(f"{server.url}/x", limit_bytes=100, deadline_s=0.5)
    assert caught.value.state is AnswerState.UNREACHABLE
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("reply", [Reply(BODY, piece=1, pause_s=0.05), Reply(BODY, header_pause_s=0.05)])
def test_f006_bytes_that_drip_in_meet_the_deadline(server: ScriptedServer, reply: Reply) -> None:
    server.play("GET", "/x", reply)
    fetcher = Fetcher(limits=Limits(backoff_s=0.01))
    began = time.monotonic()
    with pytest.raises(FetchError) as caught:
        fetcher.to_bytes(f"{server.url}/x", limit_bytes=10_000, deadline_s=0.5)
    assert caught.value.state is AnswerState.UNREACHABLE
    assert time.monotonic() - began < 3


def test_f006_transfer_below_the_least_rate_is_given_up(server: ScriptedServer) -> None:
    server.play("GET", "/x", Reply(BODY, piece=1, pause_s=0.02))
    fetcher = Fetcher(limits=Limits(tries=1, rate_window_s=0.3))
    with pytest.raises(FetchError, match="too slow to wait for"):
        fetcher.to_bytes(f"{server.url}/x", limit_bytes=10_000, deadline_s=60)


def test_f027_slow_table_within_its_deadline_is_read(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.play("GET", "/x", Reply(BODY, piece=300, pause_s=0.02))
    assert fetcher.to_bytes(f"{server.url}/x", limit_bytes=10_000, deadline_s=300).content == BODY


@pytest.mark.parametrize("nth", [1, 2])
def test_f142_full_disk_is_a_sentence_with_path_and_bytes(
    server: ScriptedServer, fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    server.play("GET", "/x", Reply(b"x" * 200_000))
    writes, write = [], os.write

    def full(handle: int, data: bytes) -> int:
        writes.append(handle)
        if len(writes) == nth:
            raise OSError(28, "No space left on device")
        return write(handle, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(LocalEnvironmentError, match=r"200,000 bytes.*file.*No space left"):
        fetcher.to_file(f"{server.url}/x", tmp_path / "file", **SIZES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "number", "words"),
    [
        ("open", errno.EACCES, "make a file for the download"),
        ("open", errno.EMFILE, "make a file for the download"),
        ("write", errno.EDQUOT, "write the download"),
        ("write", errno.EIO, "write the download"),
        ("fsync", errno.ENOSPC, "finish the download"),
        ("replace", errno.EROFS, "put the download in its place"),
    ],
)
def test_f142_f143_refusal_of_the_machine_is_a_sentence_and_leaves_the_old_file(
    server: ScriptedServer,
    fetcher: Fetcher,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    number: int,
    words: str,
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    server.play("GET", "/x", Reply(BODY))
    call = getattr(os, name)

    def refuse(*arguments: Any, **options: Any) -> Any:
        if name == "open" and ".part-" not in str(arguments[0]):
            return call(*arguments, **options)
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, name, refuse)
        with pytest.raises(LocalEnvironmentError, match=words):
            fetcher.to_file(f"{server.url}/x", path, **SIZES)
    assert len(server.requests) == 1
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


def test_short_writes_lose_nothing(
    server: ScriptedServer, fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.play("GET", "/x", Reply(BODY))
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: write(handle, data[:7]))
        fetcher.to_file(f"{server.url}/x", tmp_path / "file", **SIZES)
    assert (tmp_path / "file").read_bytes() == BODY


def test_f154_link_at_the_destination_is_replaced_and_not_followed(
    server: ScriptedServer, fetcher: Fetcher, tmp_path: Path
) -> None:
    victim, path = tmp_path / "victim", tmp_path / "file"
    victim.write_bytes(b"precious")
    path.symlink_to(victim)
    server.play("GET", "/x", Reply(BODY))
    fetcher.to_file(f"{server.url}/x", path, **SIZES)
    assert victim.read_bytes() == b"precious"
    assert not path.is_symlink()
    assert path.read_bytes() == BODY


def test_f156_bytes_reach_the_disk_before_the_name_does(
    server: ScriptedServer, fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.play("GET", "/x", Reply(BODY))
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def watched_fsync(handle: int) -> None:
        steps.append("fsync")
        fsync(handle)

    def watched_replace(source: str, target: str) -> None:
        steps.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    fetcher.to_file(f"{server.url}/x", tmp_path / "file", **SIZES)
    assert steps == ["fsync", "rename", "fsync"]


def test_f156_rename_across_devices_is_a_sentence(
    server: ScriptedServer, fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def across(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    server.play("GET", "/x", Reply(BODY))
    monkeypatch.setattr(os, "replace", across)
    with pytest.raises(LocalEnvironmentError, match="put the download in its place"):
        fetcher.to_file(f"{server.url}/x", tmp_path / "file", **SIZES)
    assert list(tmp_path.iterdir()) == []
