"""Which files of a manifest are contrast curves: by type, name, hash, and by what loads."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from tests.exofop.follow_up.conftest import GEMINI, HAND_MADE, MUSCAT, PHARO

from btv_report.errors import ProductCorruptError
from btv_report.exofop.contrast_curves import find_contrast_curves

TIC_ID = 9000000001


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cache folder of one target."""
    root = tmp_path / f"tic_{TIC_ID}"
    (root / "files").mkdir(parents=True)
    return root


def entry(folder: Path, file_id: int, filename: str, content: str, **changes: Any) -> dict[str, Any]:
    """Put a file into the cache; give back its entry in the manifest."""
    path = f"files/{file_id}_{filename}"
    (folder / path).write_text(content)
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    file = {"file_id": file_id, "filename": filename, "type": "Image", "path": path, "sha256": sha256, "state": "OK"}
    return {**file, "bytes": len(content), **changes}


def found(folder: Path, *entries: dict[str, Any]) -> list[str]:
    manifest = {
        "schema_version": 1,
        "generated_at": "2026-01-02T03:04:05Z",
        "target": {"tic_id": TIC_ID, "toi": None, "aliases": {}},
        "auth": {"cookie_jar_used": False},
        "sources": {},
        "answers": {},
        "files": list(entries),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return [path.name for path in find_contrast_curves(folder / "manifest.json")]


def test_curves_are_found_in_the_order_of_their_file_ids(folder: Path) -> None:
    entries = [
        entry(folder, 30, "TOI9000I-dc20230608-Hcont_plot.tbl", PHARO),
        entry(folder, 4, "TOI9000_20240219_832_sensitivity.dat", GEMINI),
        entry(folder, 12, "hand_made_cc.csv", HAND_MADE, type="Other"),
    ]
    assert found(folder, *entries) == [
        "4_TOI9000_20240219_832_sensitivity.dat",
        "12_hand_made_cc.csv",
        "30_TOI9000I-dc20230608-Hcont_plot.tbl",
    ]


def test_what_does_not_load_is_none(folder: Path) -> None:
    entries = [
        entry(folder, 1, "notes.txt", "We saw no companion.\n"),
        entry(folder, 2, "night.csv", MUSCAT),
        entry(folder, 3, "sensitivity.pdf", HAND_MADE),
        entry(folder, 4, "curve.dat", HAND_MADE),
    ]
    assert found(folder, *entries) == ["4_curve.dat"]


def test_a_file_of_another_type_counts_only_where_its_name_says_so(folder: Path) -> None:
    entries = [
        entry(folder, 1, "measurements.dat", HAND_MADE, type="Light_Curve"),
        entry(folder, 2, "sensitivity.dat", HAND_MADE, type="Light_Curve"),
        entry(folder, 3, "TOI9000_cc.dat", HAND_MADE, type="Spectrum"),
        entry(folder, 4, "account.dat", HAND_MADE, type="spectrum"),
    ]
    assert found(folder, *entries) == ["2_sensitivity.dat", "3_TOI9000_cc.dat"]


def test_bytes_that_do_not_have_the_recorded_hash_are_left_out(folder: Path) -> None:
    changed = entry(folder, 1, "one.dat", HAND_MADE)
    (folder / "files" / "1_one.dat").write_text(HAND_MADE.replace("6.50", "9.50"))
    absent = entry(folder, 2, "two.dat", HAND_MADE)
    (folder / "files" / "2_two.dat").unlink()
    unhashed = entry(folder, 3, "three.dat", HAND_MADE, sha256=None)
    assert found(folder, changed, absent, unhashed, entry(folder, 4, "four.dat", HAND_MADE)) == ["4_four.dat"]


def test_a_path_that_leads_out_of_the_folder_is_not_followed(folder: Path) -> None:
    outside = folder.parent / "outside.dat"
    outside.write_text(HAND_MADE)
    leading_out = [
        entry(folder, number, "curve.dat", HAND_MADE, path=path)
        for number, path in enumerate(("../outside.dat", str(outside), "files/../../outside.dat", "a\0b", "", 7))
    ]
    assert found(folder, *leading_out) == []


DAMAGED = {
    "empty": b"",
    "list": b"[]",
    "bare": b"{}",
    "null": b"null",
    "number": b'{"target": 1}',
    "text": b'{"target": {"tic_id": "1"}}',
    "bool": b'{"target": {"tic_id": true}}',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_manifest_is_a_sentence(folder: Path, content: bytes) -> None:
    path = folder / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(ProductCorruptError, match=r"manifest.* Fetch it again\."):
        find_contrast_curves(path)
