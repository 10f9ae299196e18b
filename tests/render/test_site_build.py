"""The site: same records, same bytes; nothing foreign touched; only what changed is written."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from btv_report.atomic import write_atomic
from btv_report.errors import IntegrityError, LocalEnvironmentError, UsageError
from btv_report.record import RunRecord
from btv_report.render import site as site_module
from btv_report.render.links import check_links, check_site_links
from btv_report.render.pages import dossier_files
from btv_report.render.site import MANIFEST, build_site, read_manifest

Entry = tuple[str, str, RunRecord]
HEAD = "12" * 32


def tree(folder: Path) -> dict[str, str]:
    """SHA-256 of every file, by path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_site_has_the_layout_of_the_contract(site: Path) -> None:
    names = set(tree(site))
    assert {"index.html", "404.html", ".nojekyll", MANIFEST, "methods/index.html", "audit/index.html"} <= names
    assert {"tic/188646744/index.html", "tic/188646744/dossier.json", "tic/301/index.html"} <= names
    assert any(name.startswith("tic/188646744/files/") and name.endswith(".csv") for name in names)
    assert sum(name.startswith("assets/plotly.min.") for name in names) == 1


def test_manifest_names_every_other_file_with_hash_and_size(site: Path) -> None:
    manifest = read_manifest(site)
    assert manifest is not None
    found = {name: digest for name, digest in tree(site).items() if name != MANIFEST}
    assert {name: entry["sha256"] for name, entry in manifest.items()} == found
    assert all(entry["bytes"] == (site / name).stat().st_size for name, entry in manifest.items())


def test_f163_two_builds_give_equal_bytes(site: Path, entries: list[Entry], tmp_path: Path) -> None:
    build_site(list(reversed(entries)), tmp_path / "again", ledger_head=HEAD)
    assert tree(tmp_path / "again") == tree(site)


@pytest.mark.parametrize("seed", ["1", "4242"])
def test_f160_f163_bytes_do_not_depend_on_hash_seed_locale_or_zone(
    site: Path, entries: list[Entry], tmp_path: Path, seed: str
) -> None:
    (tmp_path / "records.json").write_text(json.dumps(entries))
    script = (
        "import json, sys, pathlib; from btv_report.render.site import build_site; folder = pathlib.Path(sys.argv[1]);"
        "build_site([tuple(e) for e in json.loads((folder / 'records.json').read_text())], folder / 'site',"
        f" ledger_head={HEAD!r})"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Apia"}
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, env=environment)
    assert tree(tmp_path / "site") == tree(site)


def test_second_build_writes_nothing(entries: list[Entry], tmp_path: Path) -> None:
    build_site(entries, tmp_path / "site", ledger_head=HEAD)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "site").rglob("*")}
    second = build_site(entries, tmp_path / "site", ledger_head=HEAD)
    assert second.written == ()
    assert second.removed == ()
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "site").rglob("*")} == before


def test_only_changed_pages_are_rewritten(entries: list[Entry], tmp_path: Path) -> None:
    build_site(entries, tmp_path / "site", ledger_head=HEAD)
    changed = copy.deepcopy(entries)
    changed[1][2]["warnings"].append("One more.")
    changed[1] = (changed[1][0], "99" * 32, changed[1][2])
    written = build_site(changed, tmp_path / "site", ledger_head=HEAD).written
    assert written == ("tic/301/dossier.json", "audit/index.html", "tic/301/index.html", MANIFEST)


def test_unchanged_dossiers_are_not_rendered_again(
    entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, memory = tmp_path / "site", tmp_path / "memory.json"
    build_site(entries, site, ledger_head=HEAD, memory=memory)
    before = tree(site)
    rendered = []

    def watched(run_id: str, record_sha256: str, record: RunRecord) -> dict[str, bytes]:
        rendered.append(record["target"]["tic_id"])
        return dossier_files(run_id, record_sha256, record)

    monkeypatch.setattr(site_module, "dossier_files", watched)
    assert build_site(entries, site, ledger_head=HEAD, memory=memory).written == ()
    assert (rendered, tree(site)) == ([], before)
    other = [entries[0], (entries[1][0], "99" * 32, entries[1][2]), entries[2]]
    build_site(other, site, ledger_head=HEAD, memory=memory)
    assert rendered == [301]
    memory.write_text("damaged")
    build_site(entries, site, ledger_head=HEAD, memory=memory)
    assert sorted(rendered[1:]) == [301, 188646744, 9000000001]
    assert tree(site) == before


@pytest.mark.parametrize("harm", ["changed", "removed"])
def test_harmed_page_is_made_again(entries: list[Entry], tmp_path: Path, harm: str) -> None:
    site, memory = tmp_path / "site", tmp_path / "memory.json"
    build_site(entries, site, ledger_head=HEAD, memory=memory)
    before = tree(site)
    page = site / "tic/301/index.html"
    page.unlink() if harm == "removed" else page.write_text("harmed")
    assert build_site(entries, site, ledger_head=HEAD, memory=memory).written == ("tic/301/index.html",)
    assert tree(site) == before


def test_stale_pages_go_and_foreign_files_stay(entries: list[Entry], tmp_path: Path) -> None:
    folder = tmp_path / "site"
    build_site(entries, folder, ledger_head=HEAD)
    (folder / "CNAME").write_text("dossiers.example.org")
    (folder / "tic/301/notes.txt").write_text("mine")
    removed = build_site(entries[:1], folder, ledger_head=HEAD).removed
    assert "tic/301/index.html" in removed
    assert not (folder / "tic/9000000001").exists()
    assert (folder / "CNAME").read_text() == "dossiers.example.org"
    assert (folder / "tic/301/notes.txt").read_text() == "mine"
    assert check_site_links(folder) == []


def test_manifest_cannot_make_us_remove_files_elsewhere(entries: list[Entry], tmp_path: Path) -> None:
    folder = tmp_path / "site"
    build_site(entries[:1], folder, ledger_head=HEAD)
    victim = tmp_path / "victim.txt"
    victim.write_text("keep")
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"] |= {"../victim.txt": {}, str(victim): {}, "": {}, "tic/../../victim.txt": {}}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    assert build_site(entries[:1], folder, ledger_head=HEAD).removed == ()
    assert victim.read_text() == "keep"


@pytest.mark.parametrize("content", [None, "{}", "not json", '{"format": "other", "files": {}}'])
def test_f084_folder_of_other_files_is_refused(entries: list[Entry], tmp_path: Path, content: str | None) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    if content is not None:
        (tmp_path / MANIFEST).write_text(content)
    before = tree(tmp_path)
    with pytest.raises(UsageError, match="did not write"):
        build_site(entries, tmp_path, ledger_head=HEAD)
    assert tree(tmp_path) == before


def test_empty_folder_is_taken(entries: list[Entry], tmp_path: Path) -> None:
    build_site(entries[:1], tmp_path, ledger_head=None)
    assert check_site_links(tmp_path) == []


def test_place_that_is_a_file_is_refused(entries: list[Entry], tmp_path: Path) -> None:
    (tmp_path / "site").write_text("a file")
    with pytest.raises(UsageError, match="not a folder"):
        build_site(entries, tmp_path / "site", ledger_head=HEAD)


def test_two_runs_of_one_target_are_refused(entries: list[Entry], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two runs"):
        build_site([entries[0], entries[0]], tmp_path / "site", ledger_head=HEAD)
    assert not (tmp_path / "site").exists()


def test_empty_store_gives_a_site_that_says_what_to_do(tmp_path: Path) -> None:
    build_site([], tmp_path / "site", ledger_head=None)
    assert "No dossier has been recorded yet" in (tmp_path / "site/index.html").read_text()
    assert check_site_links(tmp_path / "site") == []


def test_f134_broken_link_stops_the_build_before_anything_is_written(
    entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_site(entries[1:], tmp_path / "site", ledger_head=HEAD)
    before = tree(tmp_path / "site")

    def without_json(*arguments: object) -> dict[str, bytes]:
        files = dossier_files(*arguments)  # type: ignore[arg-type]
        return {path: data for path, data in files.items() if not path.endswith(".json")}

    monkeypatch.setattr(site_module, "dossier_files", without_json)
    with pytest.raises(IntegrityError, match=r"dossier\.json"):
        build_site(entries, tmp_path / "site", ledger_head=HEAD)
    assert tree(tmp_path / "site") == before


def test_f134_failure_while_a_new_site_is_built_leaves_nothing(
    entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, calls = Path.write_bytes, []

    def failing(self: Path, data: bytes) -> int:
        calls.append(self)
        if len(calls) == 5:
            raise OSError(28, "No space left on device")
        return original(self, data)

    monkeypatch.setattr(Path, "write_bytes", failing)
    with pytest.raises(LocalEnvironmentError, match="No space left"):
        build_site(entries, tmp_path / "site", ledger_head=HEAD)
    assert list(tmp_path.iterdir()) == []


def test_f135_list_of_targets_is_written_after_what_it_leads_to(
    entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site"
    build_site(entries[:1], folder, ledger_head=HEAD)

    def watched(path: Path, data: bytes, *, private: bool) -> None:
        if path == folder / "index.html":
            assert (
                check_links({"index.html": data}, [p.relative_to(folder).as_posix() for p in folder.rglob("*")]) == []
            )
        write_atomic(path, data, private=private)

    monkeypatch.setattr(site_module, "write_atomic", watched)
    written = build_site(entries, folder, ledger_head=HEAD).written
    assert written[-2:] == ("index.html", MANIFEST)


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_f155_modes_are_for_a_web_server_whatever_the_umask(entries: list[Entry], tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        build_site(entries[:1], tmp_path / "site", ledger_head=HEAD)
        build_site(entries, tmp_path / "site", ledger_head=HEAD)
    finally:
        os.umask(before)
    for path in [tmp_path / "site", *(tmp_path / "site").rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path


def test_f136_no_two_paths_differ_only_in_case(site: Path) -> None:
    names = list(tree(site))
    assert len({name.lower() for name in names}) == len(names)


def test_f165_fault_in_the_figures_costs_the_figures_only(
    entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(record: RunRecord) -> None:
        raise ZeroDivisionError("fault")

    monkeypatch.setattr("btv_report.dossier.figures.collect.all_figures", broken)
    build_site(entries[:1], tmp_path / "site", ledger_head=HEAD)
    text = (tmp_path / "site/tic/188646744/index.html").read_text()
    assert "The figures could not be drawn (ZeroDivisionError)" in text
    assert "V09 Difference image" in text
    assert check_site_links(tmp_path / "site") == []
