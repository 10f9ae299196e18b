"""Reading an ExoFOP manifest that somebody's cache holds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from btv_report.answer_states import AnswerState
from btv_report.errors import ProductCorruptError
from btv_report.exofop.manifest import read_manifest

TIC_ID = 9000000001


def manifest(files: list[Any], **changes: Any) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "generated_at": "2026-01-02T03:04:05Z",
        "target": {"tic_id": TIC_ID, "toi": None, "aliases": {}},
        "auth": {"cookie_jar_used": False},
        "files": files,
        "warnings": [],
        "errors": [],
        **changes,
    }


def entry(file_id: int, content: bytes, **changes: Any) -> dict[str, Any]:
    return {
        "file_id": file_id,
        "filename": f"plot-{file_id}.dat",
        "type": "Image",
        "path": f"files/{file_id}_plot.dat",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        **changes,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    return tmp_path


def write(folder: Path, content: object) -> Path:
    path = folder / "manifest.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_each_entry_is_held_against_its_bytes(folder: Path) -> None:
    (folder / "files" / "2_plot.dat").write_bytes(b"good")
    (folder / "files" / "3_plot.dat").write_bytes(b"changed")
    path = write(folder, manifest([entry(3, b"original"), entry(2, b"good"), entry(4, b"absent")]))
    read = read_manifest(path, tic_id=TIC_ID)
    assert [(file.file_id, file.state) for file in read.files] == [
        (2, AnswerState.OK),
        (3, AnswerState.CORRUPT),
        (4, AnswerState.NOT_FOUND),
    ]
    assert len(read.warnings) == 2
    assert not read.private


def test_bytes_that_are_not_there_are_told_with_the_place_that_was_looked_at(folder: Path) -> None:
    (folder / "files" / "3_plot.dat").write_bytes(b"changed")
    (folder / "files" / "6_plot.dat").mkdir()
    without_path = {name: value for name, value in entry(5, b"").items() if name != "path"}
    entries = [
        entry(3, b"original"),
        entry(4, b"absent"),
        without_path,
        entry(6, b""),
        entry(7, b"", path="../7_plot.dat"),
    ]
    read = read_manifest(write(folder, manifest(entries)), tic_id=TIC_ID)
    place = f"{folder.parent.name}/{folder.name}"
    assert [file.reason for file in read.files] == [
        f"files/3_plot.dat in {place} does not have its recorded sha256",
        f"there is no file files/4_plot.dat in {place}",
        f"the manifest in {place} does not say where its bytes are",
        f"there is no file files/6_plot.dat in {place}",
        f"../7_plot.dat leads out of {place}",
    ]
    assert read.warnings[1] == (
        f"ExoFOP file 4 (plot-4.dat) of TIC {TIC_ID} is not used: there is no file files/4_plot.dat in {place}."
    )
    assert not any(str(folder) in words for words in read.warnings)


def test_f070_path_out_of_the_folder_is_never_opened(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret"
    secret.write_bytes(b"secret")
    outside = f"../{secret.parent.name}/secret"
    read = read_manifest(write(folder, manifest([entry(1, b"secret", path=outside)])), tic_id=TIC_ID)
    assert read.files[0].state is AnswerState.REJECTED


def test_manifest_made_with_a_cookie_is_private_and_so_is_one_that_does_not_say(folder: Path) -> None:
    assert read_manifest(write(folder, manifest([], auth={"cookie_jar_used": True})), tic_id=TIC_ID).private
    assert read_manifest(write(folder, manifest([], auth=None)), tic_id=TIC_ID).private


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("not json", "no JSON"),
        ("[1]", "no JSON object"),
        (manifest([], schema_version=2), "schema version"),
        (manifest([], target={"tic_id": 5}), "TIC 5"),
    ],
)
def test_unusable_manifests_are_named_with_their_fault(folder: Path, content: object, words: str) -> None:
    with pytest.raises(ProductCorruptError, match=words):
        read_manifest(write(folder, content), tic_id=TIC_ID)


def test_entries_without_id_are_counted_not_dropped_silently(folder: Path) -> None:
    read = read_manifest(write(folder, manifest([{"filename": "x"}, "nonsense", entry(1, b"")])), tic_id=TIC_ID)
    assert len(read.files) == 1
    assert [warning for warning in read.warnings if "entry 1" in warning or "entry 2" in warning]
