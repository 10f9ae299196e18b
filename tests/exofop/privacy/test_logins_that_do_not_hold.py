"""Logins that are wrong, over or refused: what is public comes whole, and it is said what did not."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from tests.canaries import cookie_line, write_cookie_jar
from tests.doubles.exofop_double import ExoFopDouble, RestrictedAnswer
from tests.doubles.exofop_pages import wrong_password
from tests.doubles.scripted_server import Reply, Request
from tests.exofop.privacy.conftest import (
    CURVE,
    HIDDEN_IMAGE,
    TIC_ID,
    MakeClient,
    Report,
    files_in,
    manifest_in,
    tree_of,
    without_times,
)  # fmt: skip

from btv_report.errors import UsageError


def write_jar(path: Path, **fields: object) -> Path:
    return write_cookie_jar(path, cookie_line("127.0.0.1", is_secure=False, **fields))  # type: ignore[arg-type]


@pytest.fixture
def wrong_jar(tmp_path: Path) -> Path:
    return write_jar(tmp_path / "wrong.jar", value="nobodyssession00")


def test_wrong_cookie_is_told_and_the_public_part_is_whole(
    make_client: MakeClient, exofop: ExoFopDouble, cache: Path, wrong_jar: Path, tmp_path: Path, kind: RestrictedAnswer
) -> None:
    result = make_client(wrong_jar).fetch(target=TIC_ID)
    assert manifest_in(tree_of(cache, private=True))["auth"]["accepted"] is False
    (sentence,) = [words for words in result.warnings if "did not take the cookie" in words]
    assert "Log in anew" in sentence
    assert sentence in result.private_words
    assert sentence not in result.public_warnings
    make_client(cache_dir=tmp_path / "alone").fetch(target=TIC_ID)
    assert without_times(tree_of(cache)) == without_times(tree_of(tmp_path / "alone"))
    assert len(result.files_downloaded) == 6
    entries = files_in(tree_of(cache, private=True))
    assert not any(entry.get("restricted") for entry in entries.values())
    assert {entries[number]["state"] for number in (CURVE, HIDDEN_IMAGE) if number in entries} <= {
        "AUTH_REQUIRED",
        "THROTTLED",
    }


def test_login_that_was_ended_loses_nothing_that_it_had_brought(
    make_client: MakeClient, exofop: ExoFopDouble, cache: Path, jar: Path, kind: RestrictedAnswer
) -> None:
    held = make_client(jar).fetch(target=TIC_ID).files_downloaded
    notes = tree_of(cache, private=True) / "summaries/obsnotes.csv"
    before, public = [path.read_bytes() for path in held], without_times(tree_of(cache))
    exofop.logout()
    result = make_client(jar).fetch(target=TIC_ID, force_refresh=True)
    assert manifest_in(tree_of(cache, private=True))["auth"]["accepted"] is False
    assert any("did not take the cookie" in words for words in result.warnings)
    assert [path.read_bytes() for path in held] == before
    kept = [notes, *(notes.parent / "superseded").glob("*obsnotes.csv")]
    assert sum(b"not public yet" in path.read_bytes() for path in kept) == 1
    assert without_times(tree_of(cache)) == public
    # With a new login all of it is there again.
    assert write_jar(jar) == jar
    exofop.login(jar.read_text(encoding="utf-8").split()[-1])
    again = make_client(jar).fetch(target=TIC_ID, force_refresh=True)
    assert (again.files_downloaded, again.errors) == (held, [])
    assert manifest_in(tree_of(cache, private=True))["auth"]["accepted"] is True


def test_f051_expired_login_is_told_and_the_public_part_is_fetched(
    make_client: MakeClient, exofop: ExoFopDouble, cache: Path, tmp_path: Path, kind: RestrictedAnswer
) -> None:
    result = make_client(write_jar(tmp_path / "old.jar", expires=1_700_000_000)).fetch(target=TIC_ID)
    assert any("expired on 2023-11-14 22:13:20 UTC" in words for words in result.warnings)
    assert "restricted items were not asked for" in result.errors[0]
    assert all("cookie" not in request.headers for request in exofop.asked())
    assert not (cache / "exofop-private").exists()
    assert len(result.files_downloaded) == 6
    make_client(cache_dir=tmp_path / "alone").fetch(target=TIC_ID)
    assert without_times(tree_of(cache)) == without_times(tree_of(tmp_path / "alone"))


@pytest.mark.parametrize(("left_s", "is_sent"), [(-1, False), (0, False), (1, True)])
def test_f051_login_ends_at_its_second(
    make_client: MakeClient,
    exofop: ExoFopDouble,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    left_s: int,
    is_sent: bool,
) -> None:
    now = int(time.time())
    monkeypatch.setattr("btv_report.exofop.client.time", lambda: float(now))
    client = make_client(write_jar(tmp_path / "soon.jar", expires=now + left_s))
    client.file_list(tic_id=TIC_ID)
    assert any("cookie" in request.headers for request in exofop.asked()) is is_sent


def test_f051_expired_login_packs_no_zip_into_the_members_tree(
    make_client: MakeClient, cache: Path, tmp_path: Path
) -> None:
    client = make_client(write_jar(tmp_path / "old.jar", expires=1_700_000_000))
    assert client.download_all_files_zip(tic_id=TIC_ID).is_relative_to(tree_of(cache))


@pytest.mark.parametrize("expires", [0, ""])
def test_f050_session_cookie_without_a_date_is_sent_and_opens_what_is_restricted(
    make_client: MakeClient, exofop: ExoFopDouble, cache: Path, tmp_path: Path, expires: int | str
) -> None:
    result = make_client(write_jar(tmp_path / "session.jar", expires=expires, http_only=True)).fetch(target=TIC_ID)
    auth = manifest_in(tree_of(cache, private=True))["auth"]
    assert (auth["accepted"], "expires_at" in auth) == (True, False)
    assert files_in(tree_of(cache, private=True))[CURVE]["restricted"] is True
    (words,) = result.warnings
    assert "states no expiry" in words


WORDS = "Invalid username or password"
SPELT = {"as it is": WORDS, "lower": WORDS.lower(), "upper": WORDS.upper(), "title": WORDS.title()}
REFUSALS = {
    **{f"words, {how}": words.encode() for how, words in SPELT.items()},
    **{f"page, {how}": f"<html><body><p>{words}</p></body></html>".encode() for how, words in SPELT.items()},
    "the page of the form": wrong_password(),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_f065_refused_login_with_status_200_is_no_login(
    make_client: MakeClient, exofop: ExoFopDouble, cache: Path, jar: Path, refusal: str
) -> None:
    """Every question that carries the cookie is answered 200 and refused in words."""

    def refuse(request: Request) -> Reply:
        return Reply(REFUSALS[refusal]) if "cookie" in request.headers else exofop.answer(request)

    exofop.server.play("GET", "/tess/.*", refuse)
    result = make_client(jar).fetch(target=TIC_ID)
    members = manifest_in(tree_of(cache, private=True))
    assert members["auth"]["accepted"] is False
    assert (
        members["answers"].pop("download_toi.php")["state"] == "UNREACHABLE"
    )  # the page that names the TOI was not had
    assert {answer["state"] for answer in members["answers"].values()} == {"AUTH_REQUIRED"}
    assert any("did not take the cookie" in words for words in result.warnings)
    assert {entry["state"] for entry in files_in(tree_of(cache)).values()} == {"OK"}
    assert len(files_in(tree_of(cache))) == 6


def test_f065_page_that_does_not_tell_leaves_it_open(
    make_client: MakeClient, exofop: ExoFopDouble, cache: Path, wrong_jar: Path
) -> None:
    def plain_page(request: Request) -> Reply:
        return exofop.answer(request) if "json" in request.query else Reply(b"<html><body>TIC</body></html>")

    exofop.play("target.php", plain_page)
    make_client(wrong_jar).fetch(target=TIC_ID)
    assert "accepted" not in manifest_in(tree_of(cache, private=True))["auth"]


def test_f065_more_rows_than_anybody_sees_prove_a_login_where_the_page_does_not_tell(
    make_client: MakeClient, exofop: ExoFopDouble, cache: Path, jar: Path, kind: RestrictedAnswer
) -> None:
    def plain_page(request: Request) -> Reply:
        return exofop.answer(request) if "json" in request.query else Reply(b"<html><body>TIC</body></html>")

    exofop.play("target.php", plain_page)
    make_client(jar).fetch(target=TIC_ID)
    # No byte where others are refused is also what a busy server gives: it proves nothing.
    expected = None if kind is RestrictedAnswer.EMPTY_BODY else True
    assert manifest_in(tree_of(cache, private=True))["auth"].get("accepted") is expected
    # What an earlier login brought does not speak for a later one.
    exofop.logout()
    make_client(jar).fetch(target=TIC_ID, force_refresh=True)
    assert "accepted" not in manifest_in(tree_of(cache, private=True))["auth"]


def test_f052_f055_jar_that_may_not_be_used_stops_before_anything_is_asked(
    make_client: MakeClient, exofop: ExoFopDouble, jar: Path
) -> None:
    with pytest.raises(UsageError, match="holds no PHPSESSID"):
        make_client(write_cookie_jar(jar, host="exofop.example.org")).fetch(target=TIC_ID)
    assert exofop.n_connections == 0


def test_f051_report_with_an_expired_login_goes_on_and_ends_with_exit_3(
    report: Report, exofop: ExoFopDouble, tmp_path: Path
) -> None:
    jar = write_jar(tmp_path / "old.jar", expires=1_700_000_000)
    ran = report("workspace", "--cookie-jar", jar, "--json")
    assert ran.code == 3
    assert "expired on 2023-11-14" in ran.stderr
    assert "restricted items were not asked for" in ran.stderr
    assert all("cookie" not in request.headers for request in exofop.asked())
    site = tmp_path / "workspace/site"
    assert (site / f"tic/{TIC_ID}/index.html").is_file()
    record = next((tmp_path / f"workspace/runs/{TIC_ID}").glob("*.json")).read_text(encoding="utf-8")
    assert json.loads(record)["status"] == "complete"  # of what is public nothing is missing
    for text in (record, ran.stdout, (site / f"tic/{TIC_ID}/dossier.json").read_text(encoding="utf-8")):
        assert "cookie" not in text.lower()
        assert "old.jar" not in text


def test_report_with_a_wrong_login_says_so_on_the_terminal_alone(
    report: Report, exofop: ExoFopDouble, wrong_jar: Path, tmp_path: Path
) -> None:
    ran = report("workspace", "--cookie-jar", wrong_jar, "--json", "-v")
    assert "did not take the cookie for a login" in ran.stderr
    assert "cookie" not in ran.stdout
    assert ran.answer["status"] == "complete"
    assert "cookie" not in (tmp_path / f"workspace/site/tic/{TIC_ID}/index.html").read_text(encoding="utf-8").lower()
