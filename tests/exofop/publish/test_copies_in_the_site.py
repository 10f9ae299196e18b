"""Copies of observers' files in the site: the same bytes, safe names, only while the latest run asked for them, never a crash."""

from __future__ import annotations

import base64
import hashlib
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.doubles.command import run_command
from tests.exofop.publish.conftest import FILES, TIC_ID, Desk

from btv_report.dossier.publish import read_dossier
from btv_report.errors import IntegrityError
from btv_report.render import copies as copies_module
from btv_report.render.links import check_site_links
from btv_report.render.site import read_manifest
from btv_report.render.verify import verify_site
from btv_report.store.kept_files import kept_file

NAMES = {
    11: "11_TIC188646744_plot.png",
    12: "12_spectrum.pdf",
    13: "13_curve_832.dat",
    14: "14_overview_html.txt",
    15: "15_finder_svg.txt",
}


def sha256(file_id: int) -> str:
    return hashlib.sha256(FILES[file_id][1]).hexdigest()


def tree(folder: Path) -> dict[str, str]:
    """SHA-256 of every file, by path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def copies(desk: Desk) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in desk.folder.iterdir() if path.name[0].isdigit()}


def test_asked_for_the_site_holds_the_bytes_under_inert_names_and_names_their_hashes(desk: Desk) -> None:
    desk.run(publish=True)
    assert copies(desk) == {NAMES[file_id]: content for file_id, (_, content) in FILES.items()}
    manifest = read_manifest(desk.site)
    assert manifest is not None
    for file_id, name in NAMES.items():
        size = len(FILES[file_id][1])
        assert manifest[f"tic/{TIC_ID}/files/{name}"] == {"sha256": sha256(file_id), "bytes": size}
        assert (desk.folder / name).stat().st_mode & 0o777 == 0o644
    assert verify_site(desk.site) == []
    assert check_site_links(desk.site) == []


def test_not_asked_for_nothing_is_copied(desk: Desk) -> None:
    desk.run(publish=False)
    assert copies(desk) == {}
    assert not (desk.workspace.runs / str(TIC_ID) / "files").exists()
    assert sorted(path.name for path in desk.folder.glob("*thumb*")) == ["exofop-11-thumb.png", "exofop-12-thumb.png"]
    for path in desk.site.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not any(content in data for _, content in FILES.values()), path


def test_a_later_run_without_the_option_takes_the_copies_away(desk: Desk) -> None:
    desk.run(publish=True)
    removed = desk.run(publish=False).removed
    assert sorted(removed) == sorted(f"tic/{TIC_ID}/files/{name}" for name in NAMES.values())
    assert copies(desk) == {}
    assert verify_site(desk.site) == []
    desk.run(publish=True)
    assert set(copies(desk)) == set(NAMES.values())


def test_f163_rendered_again_the_site_is_the_same_and_nothing_is_written(desk: Desk, tmp_path: Path) -> None:
    desk.run(publish=True)
    before = {path: path.stat().st_mtime_ns for path in desk.site.rglob("*")}
    assert desk.render().written == ()
    (desk.workspace.hidden / "site-memory.json").unlink()
    assert desk.render().written == ()
    assert {path: path.stat().st_mtime_ns for path in desk.site.rglob("*")} == before
    desk.render(tmp_path / "elsewhere")
    assert tree(tmp_path / "elsewhere") == tree(desk.site)


def test_store_rebuild_render_and_verify_hold(desk: Desk) -> None:
    desk.run(publish=True)
    before = tree(desk.site)
    root = desk.workspace.root
    assert run_command("store", "rebuild", workspace=root).code == 0
    assert run_command("render", workspace=root).code == 0
    assert tree(desk.site) == before
    ran = run_command("verify", workspace=root)
    assert ran.code == 0
    assert ran.stdout.startswith("Everything holds: records, ledger, store and site.\n")


@pytest.mark.parametrize("harm", ["removed", "changed", "changed at the same size", "a link"])
def test_a_kept_copy_that_is_missing_or_changed_is_a_sentence(desk: Desk, harm: str) -> None:
    desk.run(publish=True)
    place = kept_file(desk.workspace, TIC_ID, sha256(12))
    content = place.read_bytes()
    place.unlink()
    if harm == "a link":
        place.symlink_to(Path(__file__))
    elif harm != "removed":
        place.write_bytes(b"changed" if harm == "changed" else content[::-1])
    (desk.workspace.hidden / "site-memory.json").unlink()
    desk.render()
    assert set(copies(desk)) == set(NAMES.values()) - {NAMES[12]}
    assert "1 copy of this run is not in this workspace any more" in desk.page()
    assert f'href="files/{NAMES[12]}"' not in desk.page()
    assert check_site_links(desk.site) == []
    assert read_dossier((desk.folder.parent / "dossier.json").read_bytes())["exofop"]["files"][1]["published"] is False
    ran = run_command("verify", workspace=desk.workspace.root)
    assert ran.code == 5
    assert sha256(12) in ran.stdout
    place.unlink(missing_ok=True)
    place.write_bytes(content)
    desk.render()
    assert set(copies(desk)) == set(NAMES.values())
    assert run_command("verify", workspace=desk.workspace.root).code == 0


def test_a_copy_that_was_harmed_in_the_site_is_named_and_made_again(desk: Desk) -> None:
    desk.run(publish=True)
    (desk.folder / NAMES[13]).write_bytes(b"harmed")
    assert any(NAMES[13] in problem for problem in verify_site(desk.site))
    assert desk.render().written == (f"tic/{TIC_ID}/files/{NAMES[13]}",)
    assert verify_site(desk.site) == []


def test_a_copy_that_changes_while_it_is_copied_does_not_reach_the_site(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.run(publish=False)
    before = copies(desk)
    monkeypatch.setattr(copies_module.Copy, "is_at", lambda self, path: path == self.source)
    place = kept_file(desk.workspace, TIC_ID, sha256(13))

    def change(_: Any) -> None:
        place.write_bytes(b"changed")

    with pytest.raises(IntegrityError, match="recorded sha256"):
        desk.run({13: FILES[13]}, publish=True, change=change)
    assert copies(desk) == before
    assert [path.name for path in desk.folder.iterdir() if path.name.startswith(".")] == []


def locked(record: Any) -> None:
    record["exofop"]["files"][0]["state"] = "AUTH_REQUIRED"


def private(record: Any) -> None:
    record["exofop"]["files"][0]["private"] = True


def foreign_name(record: Any) -> None:
    record["exofop"]["files"][0]["published_as"] = "../../../index.html"


def foreign_hash(record: Any) -> None:
    record["exofop"]["files"][0]["sha256"] = "../../../../etc/hostname"


@pytest.mark.parametrize("change", [locked, private, foreign_name, foreign_hash])
def test_f060_what_is_not_public_or_not_ours_is_not_copied(desk: Desk, change: Callable[[Any], None]) -> None:
    desk.run(publish=True, change=change)
    assert set(copies(desk)) == set(NAMES.values()) - {NAMES[11]}
    assert verify_site(desk.site) == []
    if change in {locked, private}:
        for path in desk.site.rglob("*"):
            if path.is_file():
                assert b"188646744_plot" not in path.read_bytes(), path
                assert "exofop-11-" not in path.name


def test_f126_links_are_downloads_and_no_foreign_byte_is_shown_in_place(desk: Desk) -> None:
    desk.run(publish=True)
    page = desk.page()
    for name in NAMES.values():
        assert f'<a href="files/{name}" download>' in page
        assert f'src="files/{name}"' not in page
    assert "window.__pwned" not in page


def test_pages_show_thumbnails_that_lead_to_exofop_and_the_data_file_leaves_them_out(desk: Desk) -> None:
    desk.run(publish=False)
    link = '<a href="https://exofop.ipac.caltech.edu/tess/get_file.php?id=11">TIC188646744_plot.png<br>'
    picture = '<img src="files/exofop-11-thumb.png" width="100" height="75" alt="thumbnail" loading="lazy"></a>'
    assert link + picture in desk.page()
    files = read_dossier((desk.folder.parent / "dossier.json").read_bytes())["exofop"]["files"]
    assert not any("thumbnail" in file for file in files)
    assert desk.folder.joinpath("exofop-11-thumb.png").read_bytes().startswith(b"\x89PNG")


def test_foreign_names_stay_text_beside_thumbnails_and_links(desk: Desk) -> None:
    name = "\"><img src=x onerror='window.__pwned=1'>.png"
    desk.run({11: (name, FILES[11][1])}, publish=True)
    page = desk.page()
    assert "<img src=x" not in page
    assert page.count("<img ") == 1
    assert check_site_links(desk.site) == []


def test_f064_letters_of_a_thumbnail_that_look_like_a_path_stay(desk: Desk) -> None:
    """Paths and addresses are taken out of every text of a record before it is published."""
    letters = "AAAA+/data/user/file+AAA"

    def change(record: Any) -> None:
        record["exofop"]["files"][0]["thumbnail"]["png"] = letters

    desk.run(publish=False, change=change)
    assert (desk.folder / "exofop-11-thumb.png").read_bytes() == base64.b64decode(letters, validate=True)


def test_thumbnails_of_a_record_that_are_no_pictures_cost_no_page(desk: Desk) -> None:
    def change(record: Any) -> None:
        record["exofop"]["files"][0]["thumbnail"]["png"] = "no base64!"

    desk.run(publish=False, change=change)
    assert 'src="files/exofop-11-thumb.png"' not in desk.page()
    assert check_site_links(desk.site) == []


def test_memory_does_not_grow_with_the_size_of_the_copies(desk: Desk, tmp_path: Path) -> None:
    def peak_bytes(site: str) -> int:
        tracemalloc.start()
        try:
            desk.render(tmp_path / site)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    desk.run({**FILES, 20: ("large.dat", b"1.0 2.0\n" * 3_000_000)}, publish=True)
    large = peak_bytes("large")
    assert (tmp_path / "large" / "tic" / str(TIC_ID) / "files" / "20_large.dat").stat().st_size == 24_000_000
    desk.run(publish=True)
    assert large - peak_bytes("small") < 5_000_000
