"""From a manifest to the record: which files have a thumbnail, which are kept for the site, and why others are not."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from tests.exofop.publish import pictures
from tests.exofop.publish.conftest import FILES, TIC_ID, Desk, write_manifest

from btv_report.answer_states import AnswerState
from btv_report.errors import LocalEnvironmentError
from btv_report.exofop.payloads.thumbnails import is_plain_png, png_size
from btv_report.stages.observers_files import observers_files
from btv_report.store.kept_files import kept_file, verify_kept_files

LOGIN = b"<html><body><form action='login.php'><input type='password' name='password'></form></body></html>"


def kept(desk: Desk) -> dict[str, bytes]:
    folder = desk.workspace.runs / str(TIC_ID) / "files"
    return {path.name: path.read_bytes() for path in folder.glob("*")} if folder.is_dir() else {}


def test_pictures_and_documents_have_thumbnails_and_nothing_is_kept_unasked(desk: Desk, tmp_path: Path) -> None:
    values, warnings = observers_files(desk.request(publish=False), write_manifest(tmp_path / "exofop", FILES))
    assert [value["file_id"] for value in values if "thumbnail" in value] == [11, 12]
    content = base64.b64decode(values[0]["thumbnail"]["png"])
    assert is_plain_png(content)
    assert (values[0]["thumbnail"]["width"], values[0]["thumbnail"]["height"]) == png_size(content) == (200, 150)
    assert not any("published" in value or "published_as" in value for value in values)
    assert (warnings, kept(desk)) == ([], {})


def test_asked_for_each_public_file_is_kept_once_privately_under_its_hash(desk: Desk, tmp_path: Path) -> None:
    files = {**FILES, 16: FILES[13]}
    values, warnings = observers_files(desk.request(publish=True), write_manifest(tmp_path / "exofop", files))
    assert kept(desk) == {hashlib.sha256(content).hexdigest(): content for _, content in FILES.values()}
    assert [value["published_as"] for value in values] == [
        "11_TIC188646744_plot.png", "12_spectrum.pdf", "13_curve_832.dat", "14_overview_html.txt", "15_finder_svg.txt",
        "16_curve_832.dat",
    ]  # fmt: skip
    assert all(value["published"] for value in values)
    assert warnings == []
    place = kept_file(desk.workspace, TIC_ID, values[0]["sha256"] or "")
    assert place.stat().st_mode & 0o777 == 0o600
    assert place.parent.stat().st_mode & 0o777 == 0o700
    before = place.stat()
    observers_files(desk.request(publish=True), write_manifest(tmp_path / "again", files))
    assert (place.stat().st_ino, place.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert verify_kept_files(desk.workspace) == []


def test_f060_nothing_of_a_manifest_made_with_a_login_is_opened_or_kept(desk: Desk, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "exofop", FILES, login=True)
    values, _ = observers_files(desk.request(publish=True), manifest)
    assert not any("thumbnail" in value or "published" in value for value in values)
    assert kept(desk) == {}


def test_a_dry_run_writes_nothing(desk: Desk, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "exofop", FILES)
    values, _ = observers_files(desk.request(publish=True, dry_run=True), manifest)
    assert not any("thumbnail" in value or "published" in value for value in values)
    assert not desk.workspace.root.exists()


def test_f013_bytes_that_are_not_those_of_the_manifest_are_neither_drawn_nor_kept(desk: Desk, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "exofop", FILES)
    (tmp_path / "exofop" / "files" / "12_stored").write_bytes(pictures.pdf(b"0 g"))
    late, warnings = observers_files(desk.request(publish=True), manifest)
    assert [value["file_id"] for value in late if "published" in value] == [11, 13, 14, 15]
    assert "ExoFOP file 12 (spectrum.pdf)" in warnings[0]
    changed = [
        replace(file, state=AnswerState.CORRUPT, path=None) if file.file_id == 11 else file for file in manifest.files
    ]
    values, _ = observers_files(desk.request(publish=True), replace(manifest, files=tuple(changed)))
    assert "thumbnail" not in values[0]
    assert "published" not in values[0]


@pytest.mark.parametrize("content", [LOGIN, b"", b"<!doctype html><p>404</p>"], ids=["login", "nothing", "error page"])
def test_f021_pages_that_came_in_place_of_a_file_are_named_and_not_copied(
    desk: Desk, tmp_path: Path, content: bytes
) -> None:
    manifest = write_manifest(tmp_path / "exofop", {11: ("plot.png", content)})
    values, warnings = observers_files(desk.request(publish=True), manifest)
    assert "published" not in values[0]
    assert warnings[0].startswith("ExoFOP file 11 (plot.png) of TIC 188646744 is not copied into the site: ")
    assert kept(desk) == {}


def test_of_two_entries_of_one_file_id_the_first_counts(desk: Desk, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "exofop", FILES)
    twice = replace(manifest, files=(manifest.files[0], replace(manifest.files[1], file_id=11)))
    values, _ = observers_files(desk.request(publish=True), twice)
    assert ["published_as" in value for value in values] == [True, False]


def test_f080_a_workspace_that_takes_no_copy_is_said_to(desk: Desk, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "exofop", FILES)
    desk.workspace.root.write_text("a file in its place")
    with pytest.raises(LocalEnvironmentError):
        observers_files(desk.request(publish=True), manifest)


def test_a_changed_copy_is_named(desk: Desk, tmp_path: Path) -> None:
    values, _ = observers_files(desk.request(publish=True), write_manifest(tmp_path / "exofop", FILES))
    place = kept_file(desk.workspace, TIC_ID, values[2]["sha256"] or "")
    place.write_bytes(b"changed")
    problems = verify_kept_files(desk.workspace)
    assert len(problems) == 1
    assert str(place) in problems[0]


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "AB" * 32, "ab" * 31])
def test_only_a_hash_names_a_copy(desk: Desk, name: str) -> None:
    with pytest.raises(ValueError, match="no sha256"):
        kept_file(desk.workspace, TIC_ID, name)


def test_files_for_which_the_site_has_no_room_are_named_and_not_copied(desk: Desk, tmp_path: Path) -> None:
    """By File ID, each that still fits: the second is too large, the third is not."""
    files = {11: ("a.txt", b"1" * 400_000), 12: ("b.txt", b"2" * 700_000), 13: ("c.txt", b"3" * 500_000)}
    manifest = write_manifest(tmp_path / "exofop", files)
    values, warnings = observers_files(desk.request(publish=True, publish_files_mb=1.0), manifest)
    assert [value["file_id"] for value in values if value.get("published")] == [11, 13]
    assert len(kept(desk)) == 2
    (sentence,) = warnings
    assert "1 ExoFOP file of TIC 188646744 is not copied into the site, which may have 1 MB: 12 (b.txt)." in sentence
    assert "0.9 MB of observers' files" in sentence
    assert "--publish-files-mb" in sentence


def test_site_that_becomes_large_is_told(desk: Desk, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "exofop", {11: ("a.txt", b"1" * 600_000)})
    values, (sentence,) = observers_files(desk.request(publish=True, publish_files_mb=1.0), manifest)
    assert values[0]["published"]
    assert sentence.startswith("The site has 0.6 MB with the 0.6 MB of observers' files of TIC 188646744")
    assert observers_files(desk.request(publish=True, publish_files_mb=2.0), manifest)[1] == []


def test_room_of_a_site_is_what_its_other_files_leave(desk: Desk, tmp_path: Path) -> None:
    """The target's own copies are made anew, so that a second run has the room of the first."""
    files = {11: ("a.txt", b"1" * 600_000)}
    desk.run(files, publish=True)
    site = sum(path.stat().st_size for path in desk.site.rglob("*") if path.is_file() and path.parent != desk.folder)
    manifest = write_manifest(tmp_path / "again", files)
    for spare, is_copied in ((650_000, True), (550_000, False)):
        request = desk.request(publish=True, publish_files_mb=(site + spare) / 1e6)
        values, _ = observers_files(request, manifest)
        assert values[0].get("published", False) is is_copied
