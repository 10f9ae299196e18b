"""What a look at ExoFOP comes to where a mirror holds a manifest, and what may be said to be empty."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_toi_1262 import TIC_ID, add_toi_1262
from tests.doubles.scripted_server import Reply

from btv_report.answer_states import AnswerState
from btv_report.archive.limits import Limits
from btv_report.exofop.client import ExoFopClient
from btv_report.stages.exofop import ExoFopLook, look_at_exofop
from btv_report.stages.request import ReportRequest

LIMITS = Limits(connect_timeout_s=2.0, read_timeout_s=1.0, backoff_s=0.001, tries=2)
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def disk_that_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    monkeypatch.setattr("btv_report.stages.exofop.LIMITS", LIMITS)
    monkeypatch.setattr("btv_report.exofop.asking.endpoints.MIN_INTERVAL_S", 0.0)
    monkeypatch.delenv("BTV_REPORT_CACHE_DIR", raising=False)


def filled(folder: Path, url: str, **options: Any) -> Path:
    """The manifest of a tree that was filled from this address."""
    client = ExoFopClient(cache_dir=folder, base_url=url, limits=LIMITS, min_interval_s=0.0)
    return client.fetch(target=TIC_ID, **options).manifest_path


def look(tmp_path: Path, *manifests: Path, **options: Any) -> ExoFopLook:
    request = ReportRequest(tic_id=TIC_ID, workspace=tmp_path / "workspace", offline=True)
    return look_at_exofop(replace(request, **options), manifests)


def of_another_tool(folder: Path, **parts: Any) -> Path:
    """A manifest without answers."""
    folder.mkdir()
    content = {"schema_version": 1, "generated_at": "2026-01-02T03:04:05Z", "target": {"tic_id": TIC_ID}}
    path = folder / "manifest.json"
    path.write_text(json.dumps({**content, "auth": {"cookie_jar_used": False}, "files": [], **parts}))
    return path


def test_mirror_of_a_fetch_that_nobody_answered_is_a_gap_and_no_empty_exofop(tmp_path: Path) -> None:
    found = look(tmp_path, filled(tmp_path / "mirror", NOWHERE))
    assert found.state is AnswerState.UNREACHABLE
    assert {state for _, state, _ in found.gaps} == {AnswerState.UNREACHABLE}
    assert "not known" in found.detail


def test_mirror_in_which_nothing_was_answered_does_not_keep_exofop_from_being_asked(tmp_path: Path) -> None:
    mirrored = filled(tmp_path / "mirror", NOWHERE)
    with ExoFopDouble() as running:
        add_toi_1262(running)
        found = look(tmp_path, mirrored, offline=False, exofop_url=running.url)
        assert (found.state, found.gaps, running.n_connections > 0) == (AnswerState.OK, (), True)
    assert found.manifest is not None
    assert len(found.manifest.files) == 6


def test_questions_that_a_mirror_has_no_answer_to_are_gaps(tmp_path: Path) -> None:
    with ExoFopDouble() as running:
        add_toi_1262(running)
        running.play("get_file.php", Reply(b"", 503))
        running.play("download_obsnotes.php", Reply(b""))
        running.play("download_files_zip.php", Reply(b"", 503))
        found = look(tmp_path, filled(tmp_path / "mirror", running.url))
    assert found.state is AnswerState.OK
    assert {"get_file.php", "download_obsnotes.php"} <= {name for name, _, _ in found.gaps}


def test_star_without_uploads_is_empty_by_the_answer_of_the_list_alone(tmp_path: Path) -> None:
    with ExoFopDouble() as running:
        running.add_target(TIC_ID)
        path = filled(tmp_path / "mirror", running.url)
    content = json.loads(path.read_bytes())
    del content["answers"]["download_uploads.php"]  # it counts to nought
    path.write_text(json.dumps(content))
    assert (look(tmp_path, path).state, look(tmp_path, path).gaps) == (AnswerState.EMPTY, ())
    del content["answers"]["download_filelist.php"]
    path.write_text(json.dumps(content))
    assert look(tmp_path, path).state is AnswerState.SKIPPED


def test_empty_list_alone_does_not_prove_that_exofop_has_nothing(tmp_path: Path) -> None:
    """`exofop files` asks for nothing else: notes and tables may be there."""
    cache = tmp_path / "workspace/.btv-report/cache"
    with ExoFopDouble() as running:
        running.add_target(TIC_ID, notes=["A companion at 0.3 arcsec."])
        client = ExoFopClient(cache_dir=cache, base_url=running.url, limits=LIMITS, min_interval_s=0.0)
        assert client.file_list(tic_id=TIC_ID) == []
        found = look(tmp_path, exofop_url=running.url)
        assert (found.state, found.gaps) == (AnswerState.SKIPPED, ())
        assert "what it knows is unknown" in found.detail
        assert "of it there is only: 0 files, listed" in found.detail
        assert look(tmp_path, exofop_url=running.url, offline=False).state is AnswerState.OK


def test_manifest_of_another_tool_without_files_proves_nothing(tmp_path: Path) -> None:
    assert look(tmp_path, of_another_tool(tmp_path / "tic")).state is AnswerState.SKIPPED
    file = {"file_id": 1, "filename": "a.dat", "type": "Image"}
    listed = look(tmp_path, of_another_tool(tmp_path / "full", files=[file]))
    assert listed.state is AnswerState.OK
    assert "by a manifest of 2026-01-02T03:04:05Z" in listed.detail


def test_second_mirror_is_read_where_the_first_proves_nothing(tmp_path: Path) -> None:
    with ExoFopDouble() as running:
        add_toi_1262(running)
        good = filled(tmp_path / "mirror", running.url)
    found = look(tmp_path, of_another_tool(tmp_path / "tic"), filled(tmp_path / "down", NOWHERE), good)
    assert (found.state, found.gaps) == (AnswerState.OK, ())


def test_files_are_called_listed_when_their_list_was_asked_for(tmp_path: Path) -> None:
    with ExoFopDouble() as running:
        add_toi_1262(running)
        path = filled(tmp_path / "mirror", running.url)
    content = json.loads(path.read_bytes())
    content["generated_at"] = "2031-01-01T00:00:00Z"
    content["answers"]["download_filelist.php"]["asked_at"] = "2026-02-02T00:00:00Z"
    path.write_text(json.dumps(content))
    assert look(tmp_path, path).detail == "Read from a mirror: 6 files, listed 2026-02-02T00:00:00Z."
    content["answers"]["download_filelist.php"]["answered_at"] = "2026-01-01T00:00:00Z"
    path.write_text(json.dumps(content))
    assert look(tmp_path, path).detail.endswith("listed 2026-01-01T00:00:00Z.")
    content["answers"]["download_filelist.php"] = {"state": "THROTTLED", "asked_at": "2026-02-02T00:00:00Z"}
    path.write_text(json.dumps(content))
    assert look(tmp_path, path).detail == "Read from a mirror: 6 files, and their list was not had."


@pytest.mark.parametrize("name", ["summaries/toi.csv", "summaries/planet.pipe", "filelist.csv", "target.json"])
@pytest.mark.parametrize("is_gone", [False, True], ids=["changed", "gone"])
def test_kept_answer_that_does_not_hold_is_a_gap(tmp_path: Path, name: str, is_gone: bool) -> None:
    with ExoFopDouble() as running:
        add_toi_1262(running)
        path = filled(tmp_path / "mirror", running.url)
    place = path.parent / name
    if is_gone:
        place.unlink()
    else:
        place.write_bytes(place.read_bytes()[:-2])
    found = look(tmp_path, path)
    ((_, state, words),) = found.gaps
    assert (found.state, state) == (AnswerState.OK, AnswerState.CORRUPT)
    assert name in words
    assert ("missing" if is_gone else "sha256") in words


def test_answers_of_another_host_are_not_shown_offline(tmp_path: Path) -> None:
    with ExoFopDouble() as running:
        add_toi_1262(running)
        assert look(tmp_path, offline=False, exofop_url=running.url).state is AnswerState.OK
        assert look(tmp_path, exofop_url=running.url).state is AnswerState.OK
    found = look(tmp_path, exofop_url=NOWHERE)
    assert (found.state, found.manifest) == (AnswerState.SKIPPED, None)


def test_another_host_that_is_down_leaves_gaps_and_shows_nothing_of_the_first(tmp_path: Path) -> None:
    with ExoFopDouble() as running:
        add_toi_1262(running)
        look(tmp_path, offline=False, exofop_url=running.url)
        found = look(tmp_path, offline=False, exofop_url=NOWHERE)
        assert (found.state, found.manifest) == (AnswerState.UNREACHABLE, None)
        assert {state for _, state, _ in found.gaps} == {AnswerState.UNREACHABLE}
        kept = look(tmp_path, exofop_url=running.url)
    assert kept.manifest is not None
    assert len(kept.manifest.files) == 6


def test_mirror_made_with_a_login_does_not_hide_a_second_mirror(tmp_path: Path) -> None:
    private = of_another_tool(tmp_path / "members", auth={"cookie_jar_used": True}, files=[])
    with ExoFopDouble() as double:
        add_toi_1262(double)
        public = filled(tmp_path / "everybody", double.url)
    found = look(tmp_path, private, public, offline=True)
    assert (found.state, found.manifest and found.manifest.path) == (AnswerState.OK, public)


def test_mirror_made_with_a_login_is_withheld_where_there_is_nothing_else(tmp_path: Path) -> None:
    found = look(tmp_path, of_another_tool(tmp_path / "members", auth={"cookie_jar_used": True}), offline=True)
    assert found.state is AnswerState.SKIPPED
    assert "cookie jar" in found.detail
