"""Several processes at one star, and processes that die in the middle: each file is asked for once, and none is half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_toi_1262 import TIC_ID
from tests.doubles.scripted_server import Reply, Request
from tests.exofop.client.conftest import OTHER, MakeClient, asked_files, entries_of, tree

from btv_report.exofop.client import ExoFopClient

ROOT = Path(__file__).resolve().parents[3]


def start(exofop: ExoFopDouble, cache: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.exofop.client.fetch_once", exofop.url, str(cache)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def slowly(exofop: ExoFopDouble) -> Callable[[Request], Reply]:
    """The usual answer after a moment, so that the others come in between."""

    def answer(request: Request) -> Reply:
        time.sleep(0.05)
        return exofop.answer(request)

    return answer


def test_f145_four_processes_ask_for_each_file_once(exofop: ExoFopDouble, cache: Path) -> None:
    exofop.server.play("GET", ".*", slowly(exofop))
    running = [start(exofop, cache) for _ in range(4)]
    told = []
    for process in running:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
        told.append(tuple(map(int, out.split())))
    assert sorted(told) == [(0, 6, 0)] * 3 + [(16, 6, 0)]
    assert set(Counter(asked_files(exofop)).values()) == {1}
    assert len(exofop.server.requests) == 16
    assert not list(cache.rglob(".incoming*"))


def test_f140_process_that_is_killed_in_the_middle_leaves_no_half_file_and_the_next_run_finishes(
    exofop: ExoFopDouble, cache: Path, client: ExoFopClient
) -> None:
    def answer(request: Request) -> Reply:
        whole = exofop.answer(request)
        is_fourth = len(asked_files(exofop)) == 4
        return Reply(whole.body, piece=20, pause_s=0.2) if is_fourth else whole

    exofop.play("get_file.php", answer)
    process = start(exofop, cache)
    ends = time.monotonic() + 30
    while len(asked_files(exofop)) < 4 and time.monotonic() < ends:
        time.sleep(0.01)
    time.sleep(0.3)  # some of its bytes are there
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    sent = {f"{file.file_id}": file.content for file in exofop.stars[TIC_ID].files}
    placed = list((cache / f"exofop/tic_{TIC_ID}/files").glob("*_*"))
    assert len(placed) == 3
    assert all(path.read_bytes() == sent[path.name.split("_")[0]] for path in placed)
    exofop.play("get_file.php", exofop.answer)
    result = client.fetch(target=TIC_ID)
    assert (result.n_connections, result.errors) == (3, [])  # the three that were there are not asked for again
    assert [path.read_bytes() for path in result.files_downloaded] == [*sent.values()]
    assert not list(cache.rglob("*.part*"))


def killed(exofop: ExoFopDouble, scenario: str, begin: Path, copies: Path) -> Iterator[Path]:
    """The folders that a fetch leaves behind, killed at step 1, 2, ... and finally not at all."""
    begin.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.exofop.client.kill_fetch", scenario, str(begin), str(copies), exofop.url]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = ended.stdout.splitlines()
    assert len(lines) > 20
    assert lines[-1].endswith("done 0"), ended.stdout + ended.stderr
    yield from (copies / line.split()[0] for line in lines)


def assert_whole(cache: Path, contents: dict[int, set[bytes]]) -> None:
    """Every file under a final name has bytes that its number has had."""
    for path in cache.glob("exofop/tic_*/files/*_*"):
        assert path.read_bytes() in contents[int(path.name.split("_")[0])], path


def assert_tidy(cache: Path) -> None:
    assert not [name for name in tree(cache) if "/." in name or name.startswith(".")]


def test_f140_first_fetch_that_is_killed_at_any_step_is_finished_by_the_next(
    exofop: ExoFopDouble, make_client: MakeClient, tmp_path: Path
) -> None:
    contents = {exofop.add_file(OTHER, f"{name}.txt", name.encode() * 60): {name.encode() * 60} for name in "ab"}
    for root in killed(exofop, "first", tmp_path / "start", tmp_path / "copies"):
        assert_whole(root / "cache", contents)
        result = make_client(cache_dir=root / "cache").fetch(target=OTHER, include_summaries=False)
        assert (len(result.files_downloaded), result.errors) == (2, [])
        assert_whole(root / "cache", contents)
        assert_tidy(root / "cache")


def test_f042_f140_refresh_that_is_killed_at_any_step_loses_no_version(
    exofop: ExoFopDouble, make_client: MakeClient, tmp_path: Path
) -> None:
    old, new = b"old " * 60, b"new " * 60
    number = exofop.add_file(OTHER, "a.txt", old)
    make_client(cache_dir=tmp_path / "start" / "cache").fetch(target=OTHER, include_summaries=False)
    exofop.remove_file(number)
    exofop.add_file(OTHER, "a.txt", new, file_id=number)
    for root in killed(exofop, "refresh", tmp_path / "start", tmp_path / "copies"):
        cache = root / "cache"
        assert_whole(cache, {number: {old, new}})
        assert old in {content for content, _ in tree(cache).values()}
        result = make_client(cache_dir=cache).fetch(target=OTHER, include_summaries=False, force_refresh=True)
        entry = entries_of(result)[number]
        assert (result.cache_root / entry["path"]).read_bytes() == new
        (older,) = entry["superseded"]
        assert (result.cache_root / older["path"]).read_bytes() == old
        assert_tidy(cache)


def test_f147_lock_of_a_process_that_was_killed_holds_nobody_up(
    exofop: ExoFopDouble, cache: Path, client: ExoFopClient
) -> None:
    exofop.play("get_file.php", Reply(silent=True))
    process = start(exofop, cache)
    ends = time.monotonic() + 30
    while not asked_files(exofop) and time.monotonic() < ends:
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=30)
    exofop.play("get_file.php", exofop.answer)
    began = time.monotonic()
    assert client.fetch(target=TIC_ID).errors == []
    assert time.monotonic() - began < 10


def test_f155_everything_is_for_nobody_else_whatever_the_umask_is(client: ExoFopClient, cache: Path) -> None:
    before = os.umask(0)
    try:
        client.fetch(target=TIC_ID)
        client.download_all_files_zip(tic_id=TIC_ID)
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in cache.rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert {path.stat().st_mode & 0o777 for path in [cache, *cache.rglob("*")] if path.is_dir()} == {0o700}


@pytest.mark.parametrize("n_seconds", [0.0])
def test_run_that_is_out_of_time_leaves_the_rest_to_the_next(
    make_client: MakeClient, exofop: ExoFopDouble, n_seconds: float
) -> None:
    from btv_report.archive.limits import Limits

    result = make_client(limits=Limits(run_deadline_s=n_seconds)).fetch(target=TIC_ID)
    assert exofop.n_connections == 0
    assert set(map(str, result.answers.values())) == {"UNREACHABLE"}
    assert make_client().fetch(target=TIC_ID).errors == []
