"""Manifests that are JSON and yet not ours, and one that may not be read: a sentence each, and no crash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_toi_1262 import TIC_ID
from tests.doubles.other_users import without_rights
from tests.exofop.client.conftest import MakeClient, manifest_of

from btv_report.errors import LocalEnvironmentError
from btv_report.exofop.manifest import read_manifest

LIST = "download_filelist.php"
ODD: dict[str, tuple[tuple[str | int, ...], Any]] = {
    "aliases": (("target", "aliases"), ["x"]),
    "toi": (("target", "toi"), {"x": 1}),
    "last state of an answer": (("answers", LIST, "last_state"), []),
    "state of an answer": (("answers", LIST, "state"), []),
    "rows of an answer": (("answers", LIST, "n_rows"), "6"),
    "time of an answer": (("answers", LIST, "asked_at"), {}),
    "last state of a file": (("files", 0, "last_state"), {"x": 1}),
    "source of a file": (("files", 0, "source"), []),
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_manifest_is_put_aside_and_read_without_what_is_odd(make_client: MakeClient, odd: str) -> None:
    first = make_client().fetch(target=TIC_ID)
    content = manifest_of(first)
    (*way, last), value = ODD[odd]
    place: Any = content
    for step in way:
        place = place[step]
    place[last] = value
    first.manifest_path.write_text(json.dumps(content), encoding="utf-8")
    manifest = read_manifest(first.manifest_path, tic_id=TIC_ID)
    assert all(isinstance(answer["state"], str) for answer in manifest.answers.values())
    assert isinstance(manifest.answers.get(LIST, {}).get("last_state", ""), str)
    offline = make_client(offline=True).fetch(target=TIC_ID)
    assert (offline.holds_manifest, offline.public_manifest_path, offline.answers) == (False, None, {})
    assert any("Nothing of what it says is taken" in words for words in offline.warnings)
    again = make_client().fetch(target=TIC_ID)
    assert (again.errors, again.holds_manifest, len(again.files_downloaded)) == ([], True, 6)


def test_folder_in_the_place_of_the_manifest_is_put_aside(make_client: MakeClient) -> None:
    first = make_client().fetch(target=TIC_ID)
    first.manifest_path.unlink()
    first.manifest_path.mkdir()
    assert make_client().fetch(target=TIC_ID).errors == []
    assert first.manifest_path.is_file()


@pytest.mark.parametrize("offline", [True, False])
def test_manifest_that_may_not_be_read_is_no_damaged_one(
    make_client: MakeClient, exofop: ExoFopDouble, everybodys_folder: Path, *, offline: bool
) -> None:
    folder = everybodys_folder / "cache"

    def work() -> None:
        first = make_client(cache_dir=folder).fetch(target=TIC_ID)
        first.manifest_path.chmod(0)
        with pytest.raises(LocalEnvironmentError, match="EACCES"):
            make_client(cache_dir=folder, offline=offline).fetch(target=TIC_ID)
        assert [path.name for path in first.cache_root.glob("manifest*")] == ["manifest.json"]

    everybodys_folder.chmod(0o777)
    make_client(cache_dir=everybodys_folder / "other").fetch(target=TIC_ID)  # what the child needs is imported here
    assert without_rights(work) == 0
