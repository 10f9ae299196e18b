"""Files and rows that ExoFOP replaces, renames and takes away: both versions are kept and listed."""

from __future__ import annotations

from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_toi_1262 import TIC_ID
from tests.exofop.client.conftest import (
    NOTES,
    answer_of,
    entries_of,
    manifest_of,
)  # fmt: skip

from btv_report.exofop.client import ExoFopClient
from btv_report.exofop.manifest import read_manifest


def replace(exofop: ExoFopDouble, content: bytes, name: str = "TIC365938305-01_notes.txt") -> None:
    """Another upload under the number of the notes."""
    exofop.remove_file(NOTES)
    exofop.add_file(TIC_ID, name, content, file_id=NOTES, date="2024-01-19")


def test_f042_replaced_file_is_kept_beside_the_old_one_and_both_are_listed(
    client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    old = entries_of(client.fetch(target=TIC_ID))[NOTES]
    replace(exofop, b"Clouds after all.\n")
    result = client.fetch(target=TIC_ID, force_refresh=True)
    entry = entries_of(result)[NOTES]
    assert (result.cache_root / entry["path"]).read_bytes() == b"Clouds after all.\n"
    (older,) = entry["superseded"]
    assert older["sha256"] == old["sha256"] != entry["sha256"]
    assert older.keys() >= {"path", "sha256", "replaced_at"}
    assert (result.cache_root / older["path"]).read_bytes() == b"Clear night, no gaps.\n"
    (warning,) = result.warnings
    for words in (str(NOTES), old["sha256"][:12], entry["sha256"][:12], "both are kept"):
        assert words in warning
    shown = next(file for file in read_manifest(result.manifest_path, tic_id=TIC_ID).files if file.file_id == NOTES)
    assert shown.older_sha256 == (old["sha256"],)


def test_f042_file_that_is_replaced_again_and_put_back_keeps_every_version_once(
    client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    client.fetch(target=TIC_ID)
    for content in (b"second\n", b"third\n", b"Clear night, no gaps.\n", b"second\n"):
        replace(exofop, content)
        result = client.fetch(target=TIC_ID, force_refresh=True)
    entry = entries_of(result)[NOTES]
    kept = {(result.cache_root / old["path"]).read_bytes() for old in entry["superseded"]}
    assert {b"third\n", b"Clear night, no gaps.\n"} <= kept
    assert (result.cache_root / entry["path"]).read_bytes() == b"second\n"
    hashes = [old["sha256"] for old in entry["superseded"]]
    assert len(hashes) == len(set(hashes))


def test_f042_replaced_table_is_kept_beside_the_old_one(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    first = client.fetch(target=TIC_ID)
    old = (first.cache_root / "summaries/obsnotes.csv").read_bytes()
    exofop.add_note(TIC_ID, "one more")
    result = client.fetch(target=TIC_ID, force_refresh=True)
    answer = answer_of(result, "download_obsnotes.php")
    assert (answer["n_rows"], answer["state"]) == (4, "OK")
    (older,) = answer["superseded"]
    assert (result.cache_root / older["path"]).read_bytes() == old


def test_renamed_file_is_found_under_its_new_name_only(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    old = entries_of(client.fetch(target=TIC_ID))[NOTES]
    replace(exofop, b"Clear night, no gaps.\n", "renamed.txt")
    result = client.fetch(target=TIC_ID, force_refresh=True)
    entry = entries_of(result)[NOTES]
    assert (entry["filename"], entry["path"], entry["sha256"]) == (
        "renamed.txt", f"files/{NOTES}_renamed.txt", old["sha256"],
    )  # fmt: skip
    assert [path.name for path in (result.cache_root / "files").glob(f"{NOTES}_*")] == [f"{NOTES}_renamed.txt"]


def test_renamed_and_replaced_file_keeps_the_old_bytes(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    client.fetch(target=TIC_ID)
    replace(exofop, b"other\n", "renamed.txt")
    result = client.fetch(target=TIC_ID, force_refresh=True)
    (older,) = entries_of(result)[NOTES]["superseded"]
    assert (result.cache_root / older["path"]).read_bytes() == b"Clear night, no gaps.\n"


def test_row_that_vanished_from_the_list_is_named_and_its_file_stays(
    client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    first = client.fetch(target=TIC_ID)
    gone = exofop.stars[TIC_ID].files[-1]
    exofop.remove_file(NOTES)
    result = client.fetch(target=TIC_ID, force_refresh=True)
    assert any("does not list any more" in warning and str(NOTES) in warning for warning in result.warnings)
    entry = entries_of(result)[NOTES]
    assert entry["listed"] is False
    assert (result.cache_root / entry["path"]).read_bytes() == b"Clear night, no gaps.\n"
    assert manifest_of(result)["filelist"]["n_rows"] == 5
    assert first.files_downloaded[-1] not in result.files_downloaded
    exofop.stars[TIC_ID].files.append(gone)
    assert "listed" not in entries_of(client.fetch(target=TIC_ID, force_refresh=True))[NOTES]
