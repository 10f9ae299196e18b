"""Kept answers whose bytes have changed, and runs that were killed before the manifest: told, and mended where it can be."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_toi_1262 import TIC_ID
from tests.doubles.scripted_server import Reply
from tests.exofop.client.conftest import NOTES, MakeClient, answer_of, entries_of, manifest_of
from tests.exofop.client.test_replaced_files import replace

from btv_report.answer_states import AnswerState
from btv_report.errors import FetchError
from btv_report.exofop.asking.files import FileFetching
from btv_report.exofop.client import ExoFopClient
from btv_report.exofop.outcome import status_of

OBSNOTES, LIST, TOI = "download_obsnotes.php", "download_filelist.php", "download_toi.php"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def killed_fetch(client: ExoFopClient, monkeypatch: pytest.MonkeyPatch, attribute: str, *, after: bool) -> None:
    """A refresh in a child that is killed at, or right after, a step of the files."""
    real = getattr(FileFetching, attribute)

    def step(*words: Any) -> None:
        if after:
            real(*words)
        os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        try:
            monkeypatch.setattr(FileFetching, attribute, step)
            client.fetch(target=TIC_ID, force_refresh=True)
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


@pytest.mark.parametrize(
    ("name", "file"), [(LIST, "filelist.csv"), (TOI, "summaries/toi.csv"), ("target.php", "target.json")]
)
def test_kept_answer_that_was_cut_is_an_error_offline_and_asked_again_online(
    make_client: MakeClient, name: str, file: str
) -> None:
    first = make_client().fetch(target=TIC_ID)
    cut(first.cache_root / file)
    result = make_client(offline=True).fetch(target=TIC_ID)
    assert result.answers[name] is AnswerState.CORRUPT
    (error,) = result.errors
    assert name in error
    assert status_of(result) == "gaps"
    again = make_client().fetch(target=TIC_ID)
    assert (again.errors, again.answers[name]) == ([], AnswerState.OK)


def test_kept_file_that_was_cut_is_an_error_offline(make_client: MakeClient) -> None:
    first = make_client().fetch(target=TIC_ID)
    cut(first.files_downloaded[-1])
    (error,) = make_client(offline=True).fetch(target=TIC_ID).errors
    assert str(NOTES) in error
    assert "CORRUPT" in error


def test_cut_file_list_is_no_list_without_files(make_client: MakeClient) -> None:
    cut(make_client().fetch(target=TIC_ID).cache_root / "filelist.csv")
    with pytest.raises(FetchError, match="CORRUPT"):
        make_client(offline=True).file_list(tic_id=TIC_ID)


def test_header_alone_after_a_full_list_gives_the_kept_list(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    root = client.fetch(target=TIC_ID).cache_root
    page = json.loads((root / "target.json").read_bytes()) | {"files": []}
    exofop.play(LIST, Reply((root / "filelist.csv").read_bytes().splitlines(keepends=True)[0]))
    exofop.play("target.php", Reply(json.dumps(page).encode()))
    assert len(client.fetch(target=TIC_ID, force_refresh=True).files_downloaded) == 6
    listing = client.list_files(tic_id=TIC_ID)
    assert (len(listing.rows), listing.state) == (6, AnswerState.STALE)
    assert "is kept" in listing.detail


def test_lost_bytes_are_not_called_kept_when_nobody_answers(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    cut(client.fetch(target=TIC_ID).cache_root / "summaries/obsnotes.csv")
    exofop.play(OBSNOTES, Reply(status=503))
    result = client.fetch(target=TIC_ID)
    assert result.answers[OBSNOTES] is AnswerState.UNREACHABLE
    assert not any("is kept" in error for error in result.errors)


def test_nothing_where_rows_were_lost_is_no_proof_of_nothing(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    path = client.fetch(target=TIC_ID).cache_root / "summaries/obsnotes.csv"
    header = path.read_bytes().splitlines(keepends=True)[0]
    cut(path)
    exofop.play(OBSNOTES, Reply(header))
    result = client.fetch(target=TIC_ID)
    assert result.answers[OBSNOTES] is AnswerState.THROTTLED


def test_reader_finds_new_tables_while_the_files_are_asked_for(
    client: ExoFopClient, make_client: MakeClient, exofop: ExoFopDouble
) -> None:
    client.fetch(target=TIC_ID)
    exofop.add_note(TIC_ID, "one more")
    seen: list[Any] = []

    def look(request: Any) -> Reply:
        if not seen:
            reader = make_client(offline=True).fetch(target=TIC_ID)
            seen.append((reader.errors, answer_of(reader, OBSNOTES)["n_rows"]))
        return exofop.answer(request)

    exofop.play("get_file.php", look)
    client.fetch(target=TIC_ID, force_refresh=True)
    assert seen == [([], 4)]


def test_run_killed_before_its_files_leaves_tables_that_can_be_read(
    client: ExoFopClient, make_client: MakeClient, exofop: ExoFopDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.fetch(target=TIC_ID)
    exofop.add_note(TIC_ID, "one more")
    killed_fetch(client, monkeypatch, "fetch", after=False)
    offline = make_client(offline=True).fetch(target=TIC_ID)
    assert (offline.errors, answer_of(offline, OBSNOTES)["n_rows"]) == ([], 4)
    exofop.play(OBSNOTES, Reply(b""))
    result = client.fetch(target=TIC_ID, force_refresh=True)
    assert any(OBSNOTES in error and "is kept" in error for error in result.errors)
    assert make_client(offline=True).fetch(target=TIC_ID).answers[OBSNOTES] is AnswerState.STALE


def test_table_whose_manifest_was_never_written_is_read_from_its_second_name(
    client: ExoFopClient, make_client: MakeClient, exofop: ExoFopDouble
) -> None:
    first = client.fetch(target=TIC_ID)
    before = first.manifest_path.read_bytes()
    old = (first.cache_root / "summaries/obsnotes.csv").read_bytes()
    exofop.add_note(TIC_ID, "one more")
    client.fetch(target=TIC_ID, force_refresh=True)
    first.manifest_path.write_bytes(before)
    assert make_client(offline=True).fetch(target=TIC_ID).errors == []
    exofop.play(OBSNOTES, Reply(status=503))
    result = client.fetch(target=TIC_ID, force_refresh=True)
    assert result.answers[OBSNOTES] is AnswerState.STALE
    assert (first.cache_root / "summaries/obsnotes.csv").read_bytes() == old


def test_run_killed_after_a_replaced_file_forgets_neither_version(
    client: ExoFopClient, exofop: ExoFopDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client.fetch(target=TIC_ID)
    old = entries_of(first)[NOTES]
    exofop.stars[TIC_ID].files[:] = [file for file in exofop.stars[TIC_ID].files if file.file_id == NOTES]
    replace(exofop, b"Clouds after all.\n")
    killed_fetch(client, monkeypatch, "_replace", after=True)
    assert entries_of(first)[NOTES]["superseded"][0]["sha256"] == old["sha256"]
    exofop.play("get_file.php", Reply(status=503))
    entry = entries_of(client.fetch(target=TIC_ID))[NOTES]
    assert (entry["state"], entry["sha256"]) == ("STALE", old["sha256"])
    assert (first.cache_root / entry["path"]).read_bytes() == b"Clear night, no gaps.\n"
    exofop.play("get_file.php", exofop.answer)
    result = client.fetch(target=TIC_ID)
    assert (first.cache_root / entries_of(result)[NOTES]["path"]).read_bytes() == b"Clouds after all.\n"
    assert manifest_of(result)["errors"] == []


def test_cut_zip_in_the_cache_is_fetched_again_and_refused_offline(
    client: ExoFopClient, make_client: MakeClient
) -> None:
    path = client.download_all_files_zip(tic_id=TIC_ID)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FetchError, match="damaged") as caught:
        make_client(offline=True).download_all_files_zip(tic_id=TIC_ID)
    assert caught.value.state is AnswerState.CORRUPT
    assert client.download_all_files_zip(tic_id=TIC_ID).read_bytes() == whole
