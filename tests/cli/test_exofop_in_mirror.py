"""An ExoFOP cache folder inside a mirror: shown file by file, held against its hashes, private when it may be."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from btv_report.simulation.fits_files import WrittenScene

TIC_ID = 9000000077
CURVE = b"separation delta_mag\n0.1 2.5\n"


@pytest.fixture
def mirror(star: WrittenScene, tmp_path: Path) -> Path:
    return Path(shutil.copytree(star.folder, tmp_path / "mirror"))


def add_exofop(mirror: Path, *, cookie: bool = False, content: bytes = CURVE) -> Path:
    folder = mirror / "cache" / "exofop" / f"tic_{TIC_ID}"
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "441891_speckle.dat").write_bytes(content)
    manifest = {
        "schema_version": 1,
        "generated_at": "2026-10-02T03:04:05Z",
        "target": {"tic_id": TIC_ID, "toi": None, "aliases": {}},
        "auth": {"cookie_jar_used": cookie},
        "files": [
            {
                "file_id": 441891,
                "filename": "<b>speckle</b>.dat",
                "type": "Image",
                "path": "files/441891_speckle.dat",
                "sha256": hashlib.sha256(CURVE).hexdigest(),
                "bytes": len(CURVE),
                "description": "contrast curve, 832 nm",
            }
        ],
    }
    path = folder / "manifest.json"
    path.write_text(json.dumps(manifest))
    return path


def page_of(ran: Any, tmp_path: Path) -> str:
    return Path(tmp_path, "workspace", str(ran.answer["page"])).read_text(encoding="utf-8")


def test_manifest_is_shown_and_its_text_stays_text(run: Any, mirror: Path, tmp_path: Path) -> None:
    path = add_exofop(mirror)
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", "--json")
    assert ran.code == 0
    assert ran.answer["exofop"] == {"state": "OK", "n_files": 1, "manifest": str(path)}
    page = page_of(ran, tmp_path)
    assert "&lt;b&gt;speckle&lt;/b&gt;.dat" in page
    assert "contrast curve, 832 nm" in page
    assert hashlib.sha256(CURVE).hexdigest()[:12] in page
    assert str(mirror) not in page


def test_f013_changed_file_in_the_cache_is_named(run: Any, mirror: Path) -> None:
    add_exofop(mirror, content=b"changed")
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", "--json")
    assert any("441891" in warning and "sha256" in warning for warning in ran.answer["warnings"])


def test_file_that_the_mirror_lacks_is_named_with_its_place(run: Any, mirror: Path, tmp_path: Path) -> None:
    manifest = add_exofop(mirror)
    (manifest.parent / "files" / "441891_speckle.dat").unlink()
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", "--json")
    words = f"there is no file files/441891_speckle.dat in exofop/tic_{TIC_ID}"
    assert any(words in warning for warning in ran.answer["warnings"])
    assert f"NOT_FOUND: {words}" in page_of(ran, tmp_path)
    assert "not known there" not in page_of(ran, tmp_path)


def test_f060_manifest_made_with_a_cookie_is_not_published(run: Any, mirror: Path, tmp_path: Path) -> None:
    add_exofop(mirror, cookie=True)
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", "--json")
    assert ran.code == 0
    assert (ran.answer["exofop"]["state"], ran.answer["exofop"]["n_files"]) == ("SKIPPED", 0)
    for path in (tmp_path / "workspace").rglob("*"):
        if path.is_file() and "plotly" not in path.name:
            assert b"speckle" not in path.read_bytes(), path


def test_no_exofop_leaves_it_out(run: Any, mirror: Path, tmp_path: Path) -> None:
    add_exofop(mirror)
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", "--no-exofop", "--json")
    assert ran.answer["exofop"]["state"] == "SKIPPED"
    assert "speckle" not in page_of(ran, tmp_path)


def test_damaged_manifest_leaves_a_gap(run: Any, mirror: Path) -> None:
    add_exofop(mirror).write_text("{")
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", "--json")
    assert ran.code == 3
    assert ran.answer["exofop"]["state"] == "CORRUPT"
