"""A fetch with a login fills two trees: what members see in one, and in the other to the byte what anybody would be given."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.canaries import COMMON, cookie_value, restricted_file_name, restricted_note
from tests.doubles.exofop_double import ExoFopDouble, RestrictedAnswer
from tests.exofop.privacy.conftest import (
    CURVE,
    EMBARGOED_AT,
    HIDDEN_IMAGE,
    NOTE_ID,
    TIC_ID,
    MakeClient,
    files_in,
    manifest_in,
    tree_of,
    without_times,
)  # fmt: skip

from btv_report.exofop.contrast_curves import find_contrast_curves
from btv_report.exofop.types import ExoFopSelectors

PUBLIC_FILES = [*range(441891, 441897)]


def test_f060_login_gives_files_rows_and_notes_in_the_members_tree(
    make_client: MakeClient, exofop: ExoFopDouble, cache: Path, jar: Path, kind: RestrictedAnswer
) -> None:
    result = make_client(jar).fetch(target=TIC_ID)
    members = tree_of(cache, private=True)
    assert (result.manifest_path, result.cache_root) == (members / "manifest.json", members)
    assert (result.errors, result.files_skipped) == ([], [])
    entries = files_in(members)
    assert list(entries) == [*PUBLIC_FILES, CURVE, HIDDEN_IMAGE]
    assert {number for number, entry in entries.items() if entry["restricted"]} == {CURVE, HIDDEN_IMAGE}
    sent = {file.file_id: file.content for file in exofop.stars[TIC_ID].files}
    assert {number: (members / entry["path"]).read_bytes() for number, entry in entries.items()} == sent
    assert len(result.files_downloaded) == len(sent)
    assert restricted_note() in (members / "summaries/obsnotes.csv").read_text(encoding="utf-8")
    for table in ("spect", "imaging"):
        assert EMBARGOED_AT in (members / f"summaries/{table}.csv").read_text(encoding="utf-8")
    assert {entry["state"] for entry in manifest_in(members)["answers"].values()} <= {"OK", "EMPTY"}
    assert len(find_contrast_curves(result.manifest_path)) == 2


def test_f060_manifest_of_the_members_tree_says_whose_it_is(
    make_client: MakeClient, cache: Path, jar: Path, kind: RestrictedAnswer
) -> None:
    result = make_client(jar).fetch(target=TIC_ID)
    auth = manifest_in(tree_of(cache, private=True))["auth"]
    assert (auth["cookie_jar_used"], auth["accepted"]) == (True, True)
    assert auth["expires_at"].endswith("Z")
    public = manifest_in(tree_of(cache))["auth"]
    assert (public["cookie_jar_used"], "accepted" in public, "expires_at" in public) == (False, False, False)
    assert (result.warnings, result.private_words) == (result.public_warnings, [])


def test_f060_f061_public_tree_is_what_a_purely_anonymous_fetch_gives(
    make_client: MakeClient, cache: Path, jar: Path, tmp_path: Path, kind: RestrictedAnswer
) -> None:
    make_client(jar).fetch(target=TIC_ID)
    make_client(cache_dir=tmp_path / "anonymous").fetch(target=TIC_ID)
    found, alone = without_times(tree_of(cache)), without_times(tree_of(tmp_path / "anonymous"))
    assert list(found) == list(alone)
    assert found == alone
    assert not (tmp_path / "anonymous" / "exofop-private").exists()
    # The same after a second and a refreshing fetch of either.
    for refresh in (False, True):
        make_client(jar).fetch(target=TIC_ID, force_refresh=refresh)
        make_client(cache_dir=tmp_path / "anonymous").fetch(target=TIC_ID, force_refresh=refresh)
        assert without_times(tree_of(cache)) == without_times(tree_of(tmp_path / "anonymous"))


def test_f061_public_tree_holds_no_restricted_name_row_note_or_count(
    make_client: MakeClient, cache: Path, jar: Path, kind: RestrictedAnswer
) -> None:
    make_client(jar).fetch(target=TIC_ID)
    for name, content in without_times(tree_of(cache)).items():
        for secret in (
            COMMON,
            EMBARGOED_AT,
            NOTE_ID,
            *(() if kind is not RestrictedAnswer.ROW_MISSING else (str(CURVE),)),
        ):
            assert secret.encode() not in content, name
            assert secret not in name
    manifest = manifest_in(tree_of(cache))
    n_listed = 6 if kind is RestrictedAnswer.ROW_MISSING else 8  # where rows are listed, anybody is told of them
    assert manifest["filelist"]["n_rows"] == n_listed
    states = {number: entry["state"] for number, entry in files_in(tree_of(cache)).items()}
    assert {number for number, state in states.items() if state == "OK"} == set(PUBLIC_FILES)
    counts = {name: answer.get("n_rows") for name, answer in manifest["answers"].items()}
    is_refused = kind in {RestrictedAnswer.LOGIN_PAGE, RestrictedAnswer.EMPTY_BODY}
    for endpoint, number in (("download_obsnotes.php", 3), ("download_spect.php", 5), ("download_imaging.php", 2)):
        assert counts[endpoint] == (None if is_refused else number)


def test_f060_names_are_told_in_the_members_tree_only(make_client: MakeClient, cache: Path, jar: Path) -> None:
    make_client(jar).fetch(target=TIC_ID)
    stored = [path.name for path in tree_of(cache, private=True).rglob("*") if restricted_file_name("") in path.name]
    assert len(stored) == 2
    assert [path for path in cache.rglob("*") if COMMON in path.name and "exofop-private" not in path.parts] == []


OPENED: list[str] = []
_IS_WATCHED = [False]


def _note_opened(event: str, words: tuple[Any, ...]) -> None:
    if _IS_WATCHED[0] and event in {"open", "os.listdir", "os.scandir", "os.rename", "os.link", "os.remove"}:
        OPENED.extend(str(word) for word in words if isinstance(word, str | Path))


sys.addaudithook(_note_opened)


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Paths that are opened, listed, linked or moved from here on."""
    OPENED.clear()
    _IS_WATCHED[0] = True
    yield OPENED
    _IS_WATCHED[0] = False


@pytest.mark.parametrize("refresh", [False, True])
def test_f063_anonymous_fetch_after_a_members_one_reads_nothing_of_theirs(
    make_client: MakeClient,
    cache: Path,
    jar: Path,
    tmp_path: Path,
    kind: RestrictedAnswer,
    opened: list[str],
    refresh: bool,
) -> None:
    make_client(jar).fetch(target=TIC_ID)
    assert any("exofop-private" in path for path in opened)  # the watch sees it
    before = without_times(tree_of(cache, private=True))
    opened.clear()
    result = make_client().fetch(target=TIC_ID, force_refresh=refresh)
    assert [path for path in opened if "exofop-private" in path] == []
    assert any("/exofop/" in path for path in opened)
    assert without_times(tree_of(cache, private=True)) == before
    make_client(cache_dir=tmp_path / "alone").fetch(target=TIC_ID)
    assert without_times(tree_of(cache)) == without_times(tree_of(tmp_path / "alone"))
    assert result.manifest_path == tree_of(cache) / "manifest.json"
    told = json.dumps([result.files_skipped, result.warnings, result.errors, [*map(str, result.files_downloaded)]])
    assert COMMON not in told


def test_f063_members_fetch_after_an_anonymous_one_asks_nothing_again_as_anybody(
    make_client: MakeClient, exofop: ExoFopDouble, cache: Path, jar: Path
) -> None:
    make_client().fetch(target=TIC_ID)
    before, n_asked = without_times(tree_of(cache)), len(exofop.asked())
    result = make_client(jar).fetch(target=TIC_ID)
    assert without_times(tree_of(cache)) == before
    assert {request.headers.get("cookie") for request in exofop.asked()[n_asked:]} == {f"PHPSESSID={cookie_value()}"}
    # Bytes that anybody was given are not asked for a second time.
    fetched = [int(request.query["id"]) for request in exofop.asked("get_file.php") if "cookie" in request.headers]
    assert fetched == [CURVE, HIDDEN_IMAGE]
    assert len(result.files_downloaded) == 8


def test_f060_narrower_members_fetch_takes_nothing_from_either_manifest(
    make_client: MakeClient, cache: Path, jar: Path
) -> None:
    make_client(jar).fetch(target=TIC_ID)
    trees = [tree_of(cache), tree_of(cache, private=True)]
    before = [files_in(tree) for tree in trees]
    result = make_client(jar).fetch(target=TIC_ID, selectors=ExoFopSelectors(types={"Spectrum"}), force_refresh=True)
    assert [list(files_in(tree)) for tree in trees] == [list(files) for files in before]
    assert len(result.files_downloaded) == 2


@pytest.mark.parametrize("kind", [RestrictedAnswer.ROW_MISSING, RestrictedAnswer.ZIP_WITHOUT_MEMBER])
def test_warm_members_cache_opens_no_connection_and_writes_nothing(
    make_client: MakeClient,
    exofop: ExoFopDouble,
    cache: Path,
    jar: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: RestrictedAnswer,
) -> None:
    """Where every anonymous question about a table has a final answer; one that was refused is asked again."""
    first = make_client(jar).fetch(target=TIC_ID)
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("a socket was opened"))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("a name was looked up"))
    n_connections = exofop.n_connections
    again = make_client(jar).fetch(target=TIC_ID)
    assert (again.n_connections, exofop.n_connections) == (0, n_connections)
    assert (again.files_downloaded, again.answers) == (first.files_downloaded, first.answers)
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()} == before
    offline = make_client(jar, offline=True).fetch(target=TIC_ID)
    assert (offline.files_downloaded, offline.n_unasked) == (first.files_downloaded, 0)


def test_warm_members_cache_asks_no_restricted_file_again_in_any_way_of_refusing(
    make_client: MakeClient, exofop: ExoFopDouble, jar: Path, kind: RestrictedAnswer
) -> None:
    make_client(jar).fetch(target=TIC_ID)
    n_files = len(exofop.asked("get_file.php"))
    make_client(jar).fetch(target=TIC_ID)
    assert len(exofop.asked("get_file.php")) == n_files


def test_f060_zip_of_a_member_is_kept_in_the_members_tree(make_client: MakeClient, cache: Path, jar: Path) -> None:
    theirs = make_client(jar).download_all_files_zip(tic_id=TIC_ID)
    ours = make_client().download_all_files_zip(tic_id=TIC_ID)
    assert theirs.is_relative_to(cache / "exofop-private")
    assert ours.is_relative_to(cache / "exofop")
    assert theirs.read_bytes() != ours.read_bytes()
    assert [row.file_id for row in make_client(jar).file_list(tic_id=TIC_ID)][-2:] == [CURVE, HIDDEN_IMAGE]
    assert [row.file_id for row in make_client().file_list(tic_id=TIC_ID)] == PUBLIC_FILES
