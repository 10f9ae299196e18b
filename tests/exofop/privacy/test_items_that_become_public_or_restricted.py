"""
F-062: an embargo ends, or begins anew. What ExoFOP's last anonymous answer gave is public; no date and no cache decides.

The cache keeps bytes that it was given, also of what is restricted again. No page shows them, or says that they were there, from
the next refreshing run on.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.canaries import COMMON
from tests.doubles.exofop_double import ExoFopDouble, RestrictedAnswer
from tests.doubles.exofop_toi_1262 import contrast_curve
from tests.doubles.scripted_server import Reply
from tests.exofop.privacy.conftest import (
    TIC_ID,
    MakeClient,
    Report,
    files_in,
    manifest_in,
    tree_of,
    without_times,
)

from btv_report.dossier.publish import read_dossier

NAME = "TOI1262I-embargoed_sensitivity.dat"
NOTE = "A companion at 0.3 arcsec, once told to everybody."
PLACE = "Palomar (5.1 m) once told"
MINE, MINE_ID = 443001, "20999"


def set_restricted(exofop: ExoFopDouble, *, restricted: bool) -> None:
    """Let an embargo of the file, the note and the image begin or end."""
    star = exofop.stars[TIC_ID]
    star.files = [replace(file, restricted=restricted) if file.file_id == MINE else file for file in star.files]
    for table in ("obsnotes", "imaging"):
        rows = star.tables[table]
        star.tables[table] = [
            replace(entry, restricted=restricted) if {NOTE, PLACE} & set(entry.values.values()) else entry
            for entry in rows
        ]


@pytest.fixture
def own(exofop: ExoFopDouble) -> ExoFopDouble:
    """A star of whose items one file, one note and one image change their state; words of ours, because they were public."""
    star = exofop.stars[TIC_ID]
    star.files = [file for file in star.files if not file.restricted]
    star.tables = {name: [entry for entry in rows if not entry.restricted] for name, rows in star.tables.items()}
    exofop.add_file(TIC_ID, NAME, contrast_curve() + b"1.30 6.000000\n", type="Image", file_id=MINE, restricted=True)
    exofop.add_note(TIC_ID, NOTE, row={"ID": MINE_ID}, restricted=True)
    exofop.add_rows(TIC_ID, "imaging", [{"Telescope": PLACE, "Obs Date": "2022-02-02 02:02:02"}], restricted=True)
    return exofop


def test_f062_item_that_has_become_public_comes_into_the_public_tree(
    make_client: MakeClient, own: ExoFopDouble, cache: Path, jar: Path, tmp_path: Path, kind: RestrictedAnswer
) -> None:
    make_client(jar).fetch(target=TIC_ID)
    assert files_in(tree_of(cache, private=True))[MINE]["restricted"] is True
    set_restricted(own, restricted=False)
    make_client(jar).fetch(target=TIC_ID, force_refresh=True)
    entry = files_in(tree_of(cache))[MINE]
    assert entry["state"] == "OK"
    assert (tree_of(cache) / entry["path"]).read_bytes().endswith(b"1.30 6.000000\n")
    assert NOTE in (tree_of(cache) / "summaries/obsnotes.csv").read_text(encoding="utf-8")
    assert files_in(tree_of(cache, private=True))[MINE]["restricted"] is False
    # To the byte as if nobody had ever logged in, but for older answers that are kept.
    make_client(cache_dir=tmp_path / "alone").fetch(target=TIC_ID)
    found, alone = without_times(tree_of(cache)), without_times(tree_of(tmp_path / "alone"))
    kept = {name: content for name, content in found.items() if "superseded" not in name and name != "manifest.json"}
    assert kept == {name: content for name, content in alone.items() if name != "manifest.json"}


def test_f062_item_whose_date_has_come_stays_restricted_until_exofop_gives_it(
    make_client: MakeClient, own: ExoFopDouble, cache: Path, jar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve months later by the clock, and with the members' bytes at hand: an embargo may have been extended."""
    make_client(jar).fetch(target=TIC_ID)
    monkeypatch.setattr("btv_report.exofop.client.time", lambda: 4_000_000_000.0)
    make_client().fetch(target=TIC_ID, force_refresh=True)
    assert MINE not in files_in(tree_of(cache))
    assert not any(NOTE.encode() in content for content in without_times(tree_of(cache)).values())


def test_f062_member_is_given_what_is_restricted_again_as_restricted(
    make_client: MakeClient, own: ExoFopDouble, cache: Path, jar: Path, kind: RestrictedAnswer
) -> None:
    set_restricted(own, restricted=False)
    make_client(jar).fetch(target=TIC_ID)
    assert files_in(tree_of(cache, private=True))[MINE]["restricted"] is False
    set_restricted(own, restricted=True)
    n_asked = len(own.asked("get_file.php"))
    result = make_client(jar).fetch(target=TIC_ID, force_refresh=True)
    entry = files_in(tree_of(cache, private=True))[MINE]
    assert (entry["state"], entry["restricted"]) == ("OK", True)
    fetched = [request for request in own.asked("get_file.php")[n_asked:] if "cookie" in request.headers]
    assert [request.query["id"] for request in fetched] == [str(MINE)]
    assert any(path.name.endswith(NAME) for path in result.files_downloaded)


def test_f062_cache_keeps_what_was_public_and_says_that_it_is_not_given_any_more(
    make_client: MakeClient, own: ExoFopDouble, cache: Path, kind: RestrictedAnswer
) -> None:
    set_restricted(own, restricted=False)
    make_client().fetch(target=TIC_ID)
    set_restricted(own, restricted=True)
    result = make_client().fetch(target=TIC_ID, force_refresh=True)
    entry = files_in(tree_of(cache))[MINE]
    assert (tree_of(cache) / entry["path"]).read_bytes().endswith(b"1.30 6.000000\n")
    if kind is RestrictedAnswer.ROW_MISSING:
        assert entry["listed"] is False
        assert any(f"does not list any more: {MINE}" in words for words in result.warnings)
        assert not any(str(MINE) in words for words in (*result.public_warnings, *result.private_words))
    else:
        refusal = "THROTTLED" if kind is RestrictedAnswer.EMPTY_BODY else "AUTH_REQUIRED"
        assert (entry["state"], entry["last_state"]) == ("STALE", refusal)
    # Once it is given again, nothing is left of that.
    set_restricted(own, restricted=False)
    make_client().fetch(target=TIC_ID, force_refresh=True)
    assert {"listed", "last_state", "detail"}.isdisjoint(files_in(tree_of(cache))[MINE])


def test_f062_page_shows_nothing_of_what_is_restricted_again(
    report: Report, own: ExoFopDouble, tmp_path: Path, jar: Path, kind: RestrictedAnswer
) -> None:
    with_login = kind in {RestrictedAnswer.ROW_MISSING, RestrictedAnswer.EMPTY_BODY}
    words = ("--publish-files", *(("--cookie-jar", jar) if with_login else ()))
    set_restricted(own, restricted=False)
    answer = report("workspace", "--json", *words).answer
    page = tmp_path / "workspace" / answer["page"]
    for word in (NAME, NOTE, PLACE, str(MINE)):
        assert word in page.read_text(encoding="utf-8"), word
    set_restricted(own, restricted=True)
    again = report("workspace", "--json", "--refresh", *words)
    latest = max((tmp_path / f"workspace/runs/{TIC_ID}").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    site = [path for path in (tmp_path / "workspace/site").rglob("*") if path.is_file()]
    shown = {path.name: path.read_bytes() for path in (*site, latest)}
    if kind is RestrictedAnswer.EMPTY_BODY:
        # A busy server answers like that: what was public stays, and is called old.
        exofop = json.loads(latest.read_bytes())["exofop"]
        assert {file["filename"]: file["state"] for file in exofop["files"]}[NAME] == "STALE"
        return
    named = (NAME, str(MINE)) if kind is RestrictedAnswer.ROW_MISSING else ()
    for name, content in shown.items():
        for word in (NOTE, PLACE, MINE_ID, *named):
            assert word.encode() not in content, (name, word)
    digests = {hashlib.sha256(path.read_bytes()).digest() for path in site}
    assert not digests & {hashlib.sha256(file.content).digest() for file in own.stars[TIC_ID].files if file.restricted}
    dossier = read_dossier(page.with_name("dossier.json").read_bytes())["exofop"]
    assert NAME not in json.dumps(dossier)
    assert (len(dossier["contrast_curves"]), dossier["n_files"], dossier["n_listed"]) == (1, 6, 6)
    assert NAME not in page.read_text(encoding="utf-8")
    assert str(MINE) not in page.read_text(encoding="utf-8")
    assert str(MINE) not in again.stderr + again.stdout


def test_f062_page_of_a_service_that_is_silent_keeps_what_was_public(
    report: Report, own: ExoFopDouble, tmp_path: Path
) -> None:
    """A question without an answer takes nothing back."""
    set_restricted(own, restricted=False)
    page = tmp_path / "workspace" / report("workspace", "--json").answer["page"]
    own.server.play("GET", "/tess/.*", Reply(status=503))
    ran = report("workspace", "--refresh")
    assert ran.code == 3
    for word in (NAME, NOTE, PLACE):
        assert word in page.read_text(encoding="utf-8")


def test_f062_only_note_that_is_restricted_again_leaves_no_note_on_the_page(
    report: Report, own: ExoFopDouble, tmp_path: Path
) -> None:
    """A table with nothing but its header, where it had a row."""
    star = own.stars[TIC_ID]
    star.tables["obsnotes"] = star.tables["obsnotes"][-1:]
    set_restricted(own, restricted=False)
    page = tmp_path / "workspace" / report("workspace", "--json").answer["page"]
    assert NOTE in page.read_text(encoding="utf-8")
    set_restricted(own, restricted=True)
    assert report("workspace", "--refresh").code == 3  # that it is gone is not proved
    assert NOTE not in page.read_text(encoding="utf-8")
    assert NOTE in (tree_of(tmp_path / "workspace/.btv-report/cache") / "summaries/obsnotes.csv").read_text(
        encoding="utf-8"
    )


def test_f062_candidates_stay_while_the_table_of_objects_is_suddenly_empty(
    report: Report, own: ExoFopDouble, tmp_path: Path
) -> None:
    """Objects of interest are announced, so that an empty table is a fault of the moment."""
    before = report("workspace", "--json").answer["candidates"]
    header = own.answer(own.asked("download_toi.php")[0]).body.split(b"\n")[0] + b"\n"
    own.play("download_toi.php", Reply(header))
    again = report("workspace", "--json", "--refresh").answer
    assert [candidate["name"] for candidate in before] == ["1262.01"]
    assert again["candidates"] == before


def test_f062_rerun_without_refresh_publishes_nothing_that_only_members_were_given(
    report: Report, own: ExoFopDouble, tmp_path: Path, jar: Path
) -> None:
    report("workspace", "--cookie-jar", jar)
    set_restricted(own, restricted=False)
    page = tmp_path / "workspace" / report("workspace", "--cookie-jar", jar, "--json").answer["page"]
    assert NAME not in page.read_text(encoding="utf-8")  # nobody was asked whether it is public now
    report("workspace", "--refresh")
    assert NAME in page.read_text(encoding="utf-8")
    assert manifest_in(tree_of(tmp_path / "workspace/.btv-report/cache"))["auth"] == {"cookie_jar_used": False}
    assert COMMON not in page.read_text(encoding="utf-8")
