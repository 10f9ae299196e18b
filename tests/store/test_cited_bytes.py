"""`verify` holds the bytes that runs cite against their hashes, wherever they are at hand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from btv_report.errors import UsageError
from btv_report.record import RunRecord
from btv_report.stages.cited_bytes import CitedBytes, find_cited_bytes
from btv_report.store.store import Store
from btv_report.store.workspace import Workspace

MakeRecord = Callable[..., RunRecord]
CONTENT = b"the bytes that were read" * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def workspace(tmp_path: Path, make_record: MakeRecord) -> Workspace:
    """A workspace with one run that cites one product and one file of ExoFOP."""
    record = make_record()
    product = record["products"][0]
    product["file"], product["sha256"], product["bytes"], product["used"] = "star_tp.fits", SHA256, len(CONTENT), True
    record["products"] = [product]
    file = record["exofop"]["files"][0]
    file["filename"], file["sha256"], file["bytes"] = "image.png", hashlib.sha256(b"picture").hexdigest(), 7
    record["exofop"]["files"] = [file]
    place = Workspace(tmp_path / "workspace")
    place.ensure_writable()
    with Store(place.database, write=True) as store:
        store.record(record)
    return place


def look(workspace: Workspace, cache: Path, *mirrors: Path) -> CitedBytes:
    return find_cited_bytes(workspace, cache, mirrors)


def test_what_is_not_here_is_told_and_is_no_violation(workspace: Workspace, tmp_path: Path) -> None:
    found = look(workspace, tmp_path / "none")
    assert found.problems == []
    assert found.summary.startswith("Bytes: 0 of 2 cited files are at hand and as cited")
    assert "star_tp.fits" in found.summary
    assert "image.png" in found.summary


def test_cited_bytes_are_found_under_their_own_and_under_cache_names(workspace: Workspace, tmp_path: Path) -> None:
    cache, mirror = tmp_path / "cache", tmp_path / "mirror" / "deep"
    (cache / "exofop" / "tic_1" / "files").mkdir(parents=True)
    (cache / "exofop" / "tic_1" / "files" / "77_image.png").write_bytes(b"picture")
    mirror.mkdir(parents=True)
    (mirror / "renamed.fits").write_bytes(CONTENT)
    found = look(workspace, cache, mirror.parent)
    assert found.problems == []
    assert found.summary == f"Bytes: 2 of 2 cited files are at hand and as cited ({cache}, {mirror.parent})."


def test_a_changed_byte_is_a_violation(workspace: Workspace, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "star_tp.fits").write_bytes(CONTENT[:-1] + b"!")
    found = look(workspace, cache)
    (problem,) = found.problems
    assert "star_tp.fits has the name of a file that runs cite and other bytes" in problem
    assert SHA256 in problem


@pytest.mark.parametrize("how", ["description", "manifest"])
def test_a_newer_version_that_the_cache_describes_is_none(workspace: Workspace, tmp_path: Path, how: str) -> None:
    newer = b"newer bytes"
    words = json.dumps({"sha256": hashlib.sha256(newer).hexdigest()}).encode()
    if how == "description":
        path = tmp_path / "cache" / "products" / "star_tp.fits"
        described = path.with_name("star_tp.fits.json")
    else:
        path = tmp_path / "cache" / "exofop" / "tic_1" / "files" / "77_image.png"
        described = path.parent.parent / "manifest.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(newer)
    described.write_bytes(words)
    found = look(workspace, tmp_path / "cache")
    assert found.problems == []
    assert "0 of 2" in found.summary
    described.write_bytes(b"{}")
    assert len(look(workspace, tmp_path / "cache").problems) == 1


def test_a_mirror_that_is_no_folder_is_a_usage_error(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder"):
        look(workspace, tmp_path / "cache", tmp_path / "nowhere")


def test_without_a_sound_database_nothing_is_cited(workspace: Workspace, tmp_path: Path) -> None:
    workspace.database.write_bytes(b"no database")
    assert look(workspace, tmp_path).summary == ""
    workspace.database.unlink()
    assert look(workspace, tmp_path).summary == ""
