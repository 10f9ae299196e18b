"""The manifest over several calls: complete, stable, never rewritten for nothing, and never believed against the bytes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_toi_1262 import TIC_ID, add_toi_1262
from tests.doubles.scripted_server import Reply
from tests.exofop.client.conftest import (
    CURVE,
    NOTES,
    OTHER,
    PLOT,
    TRES_2019,
    TRES_2020,
    MakeClient,
    answer_of,
    asked_files,
    entries_of,
    manifest_of,
    tree,
)  # fmt: skip

from btv_report.answer_states import AnswerState
from btv_report.exofop.client import ExoFopClient
from btv_report.exofop.manifest import read_manifest
from btv_report.exofop.types import ExoFopSelectors

SPECTRA = ExoFopSelectors(types={"Spectrum"})
_TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def without_times(path: Path, url: str) -> str:
    return _TIMES.sub("T", path.read_text(encoding="utf-8")).replace(url, "URL")


def test_manifest_has_every_field_of_its_schema(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    content = manifest_of(client.fetch(target=TIC_ID))
    assert content["schema_version"] == 1
    assert _TIMES.fullmatch(content["generated_at"])
    assert content["target"]["tic_id"] == TIC_ID
    assert content["auth"] == {"cookie_jar_used": False}
    assert content["sources"]["base_url"] == f"{exofop.url}/tess/"
    assert {"download_filelist.php", "get_file.php"} <= set(content["sources"]["endpoints"])
    assert content["filelist"] == {"path": "filelist.csv", "n_rows": 6}
    assert content["summaries"]["spect"] == "summaries/spect.csv"
    assert (content["warnings"], content["errors"]) == ([], [])
    assert content["answers"]["download_spect.php"].keys() >= {
        "state", "asked_at", "http_status", "bytes", "n_rows", "n_rejected",
    }  # fmt: skip
    for entry in content["files"]:
        assert entry.keys() >= {"file_id", "filename", "type", "path", "sha256", "bytes", "state", "tag", "date_utc"}
        assert re.fullmatch(rf"files/{entry['file_id']}_[A-Za-z0-9._+-]+", entry["path"])


def test_our_own_reader_takes_the_manifest_whole(client: ExoFopClient) -> None:
    result = client.fetch(target=TIC_ID)
    manifest = read_manifest(result.manifest_path, tic_id=TIC_ID)
    assert {file.state for file in manifest.files} == {AnswerState.OK}
    assert (manifest.private, manifest.warnings, manifest.n_listed) == (False, (), 6)


def test_two_caches_hold_the_same_paths_and_the_same_manifest(
    make_client: MakeClient, exofop: ExoFopDouble, tmp_path: Path
) -> None:
    one, two = (make_client(cache_dir=tmp_path / name).fetch(target=TIC_ID) for name in ("one", "two"))
    assert tree(one.cache_root).keys() == tree(two.cache_root).keys()
    assert without_times(one.manifest_path, exofop.url) == without_times(two.manifest_path, exofop.url)


def test_narrower_call_takes_nothing_out_of_the_manifest(client: ExoFopClient) -> None:
    first = client.fetch(target=TIC_ID)
    written = tree(first.cache_root)
    narrow = client.fetch(target=TIC_ID, selectors=SPECTRA, include_summaries=False)
    assert [path.name[:6] for path in narrow.files_downloaded] == [str(TRES_2019), str(TRES_2020)]
    assert narrow.n_connections == 0
    assert tree(first.cache_root) == written


def test_narrower_refresh_keeps_what_it_did_not_ask_for(client: ExoFopClient) -> None:
    first = client.fetch(target=TIC_ID)
    before = manifest_of(first)
    after = manifest_of(client.fetch(target=TIC_ID, selectors=SPECTRA, include_summaries=False, force_refresh=True))
    assert len(after["files"]) == 6
    assert {entry["state"] for entry in after["files"]} == {"OK"}
    assert after["summaries"] == before["summaries"]
    assert after["answers"]["download_spect.php"] == before["answers"]["download_spect.php"]


def test_wider_call_adds_only_what_is_missing(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    client.fetch(target=TIC_ID, selectors=SPECTRA, include_summaries=False)
    result = client.fetch(target=TIC_ID)
    assert len(entries_of(result)) == 6
    assert sorted(asked_files(exofop)) == sorted([CURVE, PLOT, TRES_2019, TRES_2020, CURVE + 4, NOTES])
    assert len(exofop.asked("download_filelist.php")) == 1


@pytest.mark.parametrize("damage", ["changed", "longer", "removed", "a link"])
def test_f013_f092_file_whose_bytes_are_not_those_recorded_is_fetched_again(
    client: ExoFopClient, exofop: ExoFopDouble, tmp_path: Path, damage: str
) -> None:
    path = client.fetch(target=TIC_ID).files_downloaded[-1]
    content = path.read_bytes()
    if damage in {"removed", "a link"}:
        path.unlink()
    if damage == "a link":
        elsewhere = tmp_path / "elsewhere.txt"
        elsewhere.write_bytes(content)
        path.symlink_to(elsewhere)
    elif damage != "removed":
        path.write_bytes({"changed": bytes([content[0] ^ 1]) + content[1:], "longer": content + b"x"}[damage])
    before = len(exofop.asked(""))
    result = client.fetch(target=TIC_ID)
    assert (len(exofop.asked("")) - before, asked_files(exofop)[-1]) == (1, NOTES)
    assert path.read_bytes() == content
    assert not path.is_symlink()
    assert entries_of(result)[NOTES]["state"] == "OK"


def test_f013_file_whose_bytes_have_changed_is_not_given_out_offline(
    client: ExoFopClient, make_client: MakeClient
) -> None:
    path = client.fetch(target=TIC_ID).files_downloaded[-1]
    path.write_bytes(b"something else")
    result = make_client(offline=True).fetch(target=TIC_ID)
    assert path not in result.files_downloaded
    assert result.n_unasked == 1


@pytest.mark.parametrize("name", ["summaries/spect.csv", "filelist.csv", "target.json"])
def test_f092_answer_whose_bytes_have_changed_is_asked_again(
    client: ExoFopClient, exofop: ExoFopDouble, name: str
) -> None:
    path = client.fetch(target=TIC_ID).cache_root / name
    content = path.read_bytes()
    path.write_bytes(content[:-40])
    before = len(exofop.asked(""))
    assert client.fetch(target=TIC_ID).errors == []
    assert len(exofop.asked("")) - before == 1
    assert path.read_bytes() == content


DAMAGES: dict[str, Any] = {
    "empty": b"",
    "cut": None,
    "no JSON": b"\x00\xff not JSON",
    "a list": b"[]",
    "deep": b"[" * 100_000,
    "another schema": b'{"schema_version": 99}',
    "another star": b'{"schema_version": 1, "target": {"tic_id": 5}, "files": [], "answers": {}, "auth": {}, "sources": {}}',
    "a part of another kind": b'{"schema_version": 1, "target": {"tic_id": 365938305}, "files": {}, "answers": [], "auth": 1}',
    "entry without number": b'{"schema_version": 1, "target": {"tic_id": 365938305}, "files": [{"filename": "x", "state": "OK"}],'
    b' "answers": {}, "auth": {}, "sources": {}}',
    "unknown state": b'{"schema_version": 1, "target": {"tic_id": 365938305}, "files": [],'
    b' "answers": {"target.php": {"state": "FINE"}}, "auth": {}, "sources": {}}',
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_manifest_is_put_aside_and_everything_asked_again(
    client: ExoFopClient, exofop: ExoFopDouble, damage: str
) -> None:
    first = client.fetch(target=TIC_ID, include_summaries=False)
    whole = first.manifest_path.read_bytes()
    bad = whole[: len(whole) // 2] if DAMAGES[damage] is None else DAMAGES[damage]
    first.manifest_path.write_bytes(bad)
    result = client.fetch(target=TIC_ID, include_summaries=False)
    assert len(asked_files(exofop)) == 12
    assert result.errors == []
    assert len(entries_of(result)) == 6
    (aside,) = first.cache_root.glob("manifest-damaged-*.json")
    assert aside.read_bytes() == bad
    assert any(aside.name in warning for warning in result.warnings)
    assert any(aside.name in warning for warning in manifest_of(result)["warnings"])


def test_damaged_manifest_stays_where_it_is_offline(client: ExoFopClient, make_client: MakeClient) -> None:
    path = client.fetch(target=TIC_ID, include_summaries=False).manifest_path
    path.write_bytes(b"{")
    result = make_client(offline=True).fetch(target=TIC_ID)
    assert path.read_bytes() == b"{"
    assert (result.answers, result.files_downloaded) == ({}, [])
    assert any("manifest" in warning and "no JSON" in warning for warning in result.warnings)


@pytest.mark.parametrize("fields", [{"path": 5}, {"sha256": 5}, {"sha256": None}, {"bytes": "22"}, {"superseded": [5]}])
def test_entry_that_says_nothing_usable_of_its_bytes_is_fetched_again(
    client: ExoFopClient, exofop: ExoFopDouble, fields: dict[str, Any]
) -> None:
    path = client.fetch(target=TIC_ID, include_summaries=False).manifest_path
    content = json.loads(path.read_bytes())
    content["files"][-1] |= {"sha256": "0" * 64, **fields}
    path.write_text(json.dumps(content), encoding="utf-8")
    result = client.fetch(target=TIC_ID, include_summaries=False)
    assert asked_files(exofop).count(NOTES) == 2
    assert entries_of(result)[NOTES]["path"].startswith(f"files/{NOTES}_")
    assert result.files_downloaded[-1].read_bytes() == b"Clear night, no gaps.\n"


@pytest.mark.parametrize("is_absolute", [True, False])
def test_path_of_a_manifest_that_leads_out_of_the_tree_touches_nothing_there(
    client: ExoFopClient, tmp_path: Path, is_absolute: bool
) -> None:
    path = client.fetch(target=TIC_ID, include_summaries=False).manifest_path
    mine = tmp_path / "mine.txt"
    mine.write_bytes(b"Clear night, no gaps.\n")
    content = json.loads(path.read_bytes())
    content["files"][-1]["path"] = str(mine) if is_absolute else "../../../mine.txt"
    path.write_text(json.dumps(content), encoding="utf-8")
    result = client.fetch(target=TIC_ID, include_summaries=False)
    assert mine.read_bytes() == b"Clear night, no gaps.\n"
    assert entries_of(result)[NOTES]["path"].startswith(f"files/{NOTES}_")


def test_answers_of_another_host_are_not_mixed_in(
    client: ExoFopClient, make_client: MakeClient, exofop: ExoFopDouble
) -> None:
    client.fetch(target=TIC_ID)
    with ExoFopDouble() as mirror:
        add_toi_1262(mirror)
        mirror.remove_file(CURVE)
        mirror.add_note(TIC_ID, "only here")
        result = make_client(base_url=mirror.url).fetch(target=TIC_ID)
        assert manifest_of(result)["sources"]["base_url"] == f"{mirror.url}/tess/"
        assert CURVE not in entries_of(result)
        assert answer_of(result, "download_obsnotes.php")["n_rows"] == 4
        assert len(asked_files(mirror)) == 5
        assert any("another host" in warning for warning in result.warnings)


def test_offline_answers_of_another_host_are_not_given_out(client: ExoFopClient, make_client: MakeClient) -> None:
    client.fetch(target=TIC_ID)
    result = make_client(base_url="http://127.0.0.1:9", offline=True).fetch(target=TIC_ID)
    assert (result.answers, result.files_downloaded) == ({}, [])


def test_manifest_says_nothing_new_when_a_refresh_brings_the_same(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    first = client.fetch(target=TIC_ID)
    before = without_times(first.manifest_path, "")
    again = client.fetch(target=TIC_ID, force_refresh=True)
    assert without_times(again.manifest_path, "") == before


def test_manifest_tells_gaps_in_its_errors_and_the_next_run_closes_them(
    client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    exofop.play("download_spect.php", Reply(status=503), Reply(status=503), Reply(status=503), exofop.answer)
    result = client.fetch(target=OTHER)
    (error,) = manifest_of(result)["errors"]
    assert error.startswith("download_spect.php: UNREACHABLE")
    assert result.errors == [error]
    before = len(exofop.asked(""))
    assert client.fetch(target=OTHER).errors == []
    assert len(exofop.asked("")) == before + 1


def test_manifest_is_not_written_again_where_nothing_has_changed(
    client: ExoFopClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in ("service", "one_pass", "files", "holdings"):
        monkeypatch.setattr(f"btv_report.exofop.asking.{room}.utc_now", lambda: "2026-11-26T10:00:00Z")
    path = client.fetch(target=OTHER).manifest_path
    before = (path.stat().st_ino, path.stat().st_mtime_ns)
    result = client.fetch(target=OTHER, force_refresh=True)
    assert result.n_connections > 0
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == before
