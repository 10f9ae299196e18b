"""`btv-report TIC ... --cookie-jar`: records, site and answers are those of a run without the jar."""

from __future__ import annotations

import getpass
import hashlib
import json
import logging
import platform
from pathlib import Path

import duckdb
import pytest
from tests.canaries import COMMON, cookie_value
from tests.doubles.exofop_double import ExoFopDouble, RestrictedAnswer
from tests.doubles.scripted_server import Reply
from tests.exofop.privacy.conftest import (
    CURVE,
    EMBARGOED_AT,
    HIDDEN_IMAGE,
    LOCKED_NAME,
    NOTE_ID,
    TAG,
    TIC_ID,
    Report,
    files_in,
    tree_of,
)  # fmt: skip

from btv_report.dossier.publish import read_dossier
from btv_report.stages.request import ReportRequest


def below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def published(workspace: Path) -> dict[str, bytes]:
    """Records, ledger and site: what is published or may be."""
    return {f"{room}/{name}": content for room in ("runs", "site") for name, content in below(workspace / room).items()}


def rows_of(workspace: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the store by table."""
    with duckdb.connect(workspace / "btv-report.duckdb", read_only=True) as store:
        tables = [name for (name,) in store.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        return {name: store.execute(f'SELECT * FROM "{name}" ORDER BY ALL').fetchall() for name in tables}


def secrets_of(kind: RestrictedAnswer) -> list[str]:
    """Words that no publication may hold; a name and number that anybody is told of in the list are checked apart."""
    told = () if kind is not RestrictedAnswer.ROW_MISSING else (str(CURVE), str(HIDDEN_IMAGE), TAG)
    return [COMMON, cookie_value(), EMBARGOED_AT, "exofop-private", "exofop.jar", "cookie-jar", "PHPSESSID", *told]


def test_f058_f060_f061_run_with_a_login_publishes_what_a_run_without_publishes(
    report: Report, exofop: ExoFopDouble, tmp_path: Path, jar: Path, kind: RestrictedAnswer
) -> None:
    members = report("members", "--cookie-jar", jar, "--publish-files", "--json")
    exofop.logout()  # nobody is logged in when the other one runs
    anonymous = report("anonymous", "--publish-files", "--json")
    assert members.code == anonymous.code
    # The login did bring what is kept back.
    held = files_in(tree_of(tmp_path / "members/.btv-report/cache", private=True))
    assert {held[number]["restricted"] for number in (CURVE, HIDDEN_IMAGE)} == {True}

    assert published(tmp_path / "members") == published(tmp_path / "anonymous")
    assert rows_of(tmp_path / "members") == rows_of(tmp_path / "anonymous")
    said, alone = members.answer, anonymous.answer
    assert said["exofop"].pop("manifest") == str(tree_of(tmp_path / "members/.btv-report/cache") / "manifest.json")
    alone["exofop"].pop("manifest")
    assert said == alone

    kept_back = {hashlib.sha256(file.content).digest() for file in exofop.stars[TIC_ID].files if file.restricted}
    for name, content in published(tmp_path / "members").items():
        assert hashlib.sha256(content).digest() not in kept_back, name
        for secret in secrets_of(kind):
            assert name.startswith("site/assets/") or secret.encode() not in content, name
    assert not (tmp_path / "members/site-private").exists()
    _locked_items_leave_nothing(tmp_path / "members" / said["page"], kind)
    exofop_of_page = json.loads((tmp_path / "members" / said["page"]).with_name("dossier.json").read_bytes())["exofop"]
    for name in ("n_files", "n_listed"):  # the terminal counts what the page counts
        assert said["exofop"][name] == exofop_of_page[name]


def _locked_items_leave_nothing(page: Path, kind: RestrictedAnswer) -> None:
    """Of items that are listed and locked the page has no name and no count."""
    dossier = page.with_name("dossier.json").read_text(encoding="utf-8")
    exofop = read_dossier(dossier)["exofop"]
    if kind is RestrictedAnswer.EMPTY_BODY:  # a busy server answers like that, and the list is public
        assert {file["filename"] for file in exofop["files"]} >= {LOCKED_NAME}
    else:
        for text in (page.read_text(encoding="utf-8"), dossier):
            assert LOCKED_NAME not in text
            assert str(CURVE) not in text
        assert (exofop["n_files"], exofop["n_listed"]) == (6, 6)
    assert len(exofop["contrast_curves"]) == 1
    assert NOTE_ID not in json.dumps(exofop["notes"])


@pytest.mark.parametrize("words", [("-v",), ("-v", "--dry-run")])
def test_f058_f061_terminal_shows_no_secret(
    report: Report, jar: Path, words: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ran = report("members", "--cookie-jar", jar, *words)
    for text in (ran.stdout, ran.stderr, caplog.text):
        assert [secret for secret in (COMMON, EMBARGOED_AT, TAG, "PHPSESSID") if secret in text] == []
    assert str(CURVE) not in ran.stdout + ran.stderr
    assert "8 files" not in ran.stdout + ran.stderr


def test_f061_what_goes_wrong_in_the_members_part_is_told_without_names(
    report: Report, exofop: ExoFopDouble, jar: Path, tmp_path: Path
) -> None:
    report("members", "--cookie-jar", jar)
    exofop.remove_file(HIDDEN_IMAGE)
    stored = next(file for file in exofop.stars[TIC_ID].files if file.file_id == CURVE)
    exofop.add_file(
        TIC_ID, stored.filename, stored.content + b"2.0 9.0\n", file_id=CURVE, type="Image", restricted=True
    )
    exofop.stars[TIC_ID].files.remove(stored)
    ran = report("members", "--cookie-jar", jar, "--refresh", "-v")
    assert ran.code == 0
    assert "What the login brought is not whole, or has changed" in ran.stderr
    assert f"exofop-private/tic_{TIC_ID}/manifest.json says how" in ran.stderr
    for secret in (COMMON, str(CURVE), str(HIDDEN_IMAGE)):
        assert secret not in ran.stdout + ran.stderr
    manifest = (tmp_path / f"members/.btv-report/cache/exofop-private/tic_{TIC_ID}/manifest.json").read_text(
        encoding="utf-8"
    )
    assert "has replaced file" in manifest
    assert "does not list any more" in manifest


def test_f058_failure_in_the_middle_shows_no_secret_with_a_traceback(
    report: Report, exofop: ExoFopDouble, jar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever breaks while the cookie is in use: neither the sentence nor the traceback of `-v` holds it."""
    exofop.play("get_file.php", Reply(b"x" * 100, cut_after=10, reset=True))
    ran = report("members", "--cookie-jar", jar, "-v")
    assert ran.code == 3
    monkeypatch.setattr("btv_report.exofop.asking.call._note_login", lambda *_: 1 / 0)
    broken = report("members", "--cookie-jar", jar, "-v", "--refresh", codes=[1])
    assert "ZeroDivisionError" in broken.stderr
    for secret in (COMMON, cookie_value(), EMBARGOED_AT):
        assert secret not in ran.stderr + broken.stderr


def test_f061_f063_second_run_in_a_workspace_does_not_tell_in_which_of_them_there_was_a_login(
    report: Report, tmp_path: Path, jar: Path
) -> None:
    login = ("--cookie-jar", jar)
    for workspace, runs in {"never": ((), ()), "first": (login, ()), "second": ((), login)}.items():
        for words in runs:
            report(workspace, *words)
        assert (tmp_path / workspace / ".btv-report/cache/exofop-private").is_dir() is (login in runs)
    expected = published(tmp_path / "never")
    assert published(tmp_path / "first") == expected
    assert published(tmp_path / "second") == expected


def test_f061_offline_run_with_a_login_that_was_never_used_says_nothing_of_it(
    report: Report, tmp_path: Path, jar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BTV_REPORT_CACHE_DIR", str(tmp_path / "cache"))
    report("warm")
    report("one", "--offline", "--cookie-jar", jar)
    report("other", "--offline")
    assert published(tmp_path / "one") == published(tmp_path / "other")


def test_f058_f060_jar_named_by_a_variable_or_a_file_leaves_no_trace_either(
    report: Report, tmp_path: Path, jar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report("anonymous")
    monkeypatch.setenv("BTV_REPORT_COOKIE_JAR", str(jar))
    report("variable")
    monkeypatch.delenv("BTV_REPORT_COOKIE_JAR")
    (tmp_path / "file").mkdir()
    (tmp_path / "file/btv-report.toml").write_text(f'cookie_jar = "{jar}"\n', encoding="utf-8")
    report("file")
    expected = published(tmp_path / "anonymous")
    for workspace in ("variable", "file"):
        assert (tmp_path / workspace / ".btv-report/cache/exofop-private").is_dir(), workspace
        assert published(tmp_path / workspace) == expected, workspace


@pytest.mark.parametrize("words", [("--cookie-jar", "my/exofop.jar"), ("--cookie-jar=my/exofop.jar",)])
def test_f058_command_in_the_record_names_no_login(words: tuple[str, ...]) -> None:
    command = ("btv-report", "TIC", "7", *words, "--refresh")
    request = ReportRequest(7, Path("somewhere"), command=command, cookie_jar=Path("my/exofop.jar"))
    assert request.published_command() == ["btv-report", "TIC", "7", "--refresh"]
    assert "jar" not in json.dumps(request.parameters())


def test_f059_f064_members_run_leaves_no_jar_no_machine_and_no_citation_of_restricted_bytes(
    report: Report, exofop: ExoFopDouble, tmp_path: Path, jar: Path
) -> None:
    import btv_report

    report("members", "--cookie-jar", jar)
    package = Path(btv_report.__file__).parents[2]
    for place in [tmp_path / "members", *(package / name for name in ("src", "templates", "site", "examples"))]:
        for name, content in below(place).items():
            assert cookie_value().encode() not in content, name
            assert b"PHPSESSID\t" not in content, name
            assert not name.endswith(".jar")

    home, host, user = str(Path.home()), platform.node(), getpass.getuser()
    for name, content in below(tmp_path / "members/site").items():
        if not name.startswith("assets/"):  # Plotly's own
            for private in (str(tmp_path), f"{home}/", f"/{user}/", *([host] if len(host) > 6 else [])):
                assert private.encode() not in content, name

    # What a record cites is kept from cleaning; to cite a restricted file would name its bytes.
    digests = {file.restricted: hashlib.sha256(file.content).hexdigest() for file in exofop.stars[TIC_ID].files}
    cache = below(tmp_path / "members/.btv-report/cache")
    texts = [content for name, content in cache.items() if not name.startswith("exofop-private/")]
    cited = [content for name, content in cache.items() if "tic_" not in name and digests[False].encode() in content]
    assert cited  # a public file is
    assert not any(digests[True].encode() in text for text in texts)
