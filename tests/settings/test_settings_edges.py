"""Settings in odd places and of odd kinds: every slip is a sentence, no secret is shown, every command finds the workspace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from btv_report.archive.cache_folder import VARIABLES
from btv_report.cli.main import cli
from btv_report.errors import UsageError
from btv_report.settings import MAX_FILE_BYTES, SETTINGS, load_settings


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for variable in [setting.variable for setting in SETTINGS] + [variable for variable, _ in VARIABLES]:
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def invoke(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words), prog_name="btv-report")


def config(*words: str) -> dict[str, dict[str, str]]:
    ran = invoke("config", "--json", *words)
    assert ran.exit_code == 0, ran.output
    settings = json.loads(ran.stdout)["settings"]
    assert isinstance(settings, dict)
    return settings


@pytest.fixture
def workspace(here: Path) -> Path:
    """A workspace elsewhere, with settings of its own."""
    folder = here / "elsewhere"
    folder.mkdir()
    (folder / "btv-report.toml").write_text('offline = true\nflux = "sap"\nmirror = "fits"\n', encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "text",
    [
        f"sector = {'9' * 5000}",
        f"exptime = 1{'0' * 400}",
        "exptime = nan",
        "exptime = -inf",
        f"flux = {'[' * 20_000}",
        'mirror = ["a\\u0000b"]',
        'prf = "a\\u0000b"',
        'prf = ""',
        'prf = ["a"]',
        'mirror = ["~nobody-of-that-name/x"]',
    ],
)
def test_odd_value_in_the_file_is_a_sentence(here: Path, text: str) -> None:
    (here / "btv-report.toml").write_text(text + "\n", encoding="utf-8")
    for words in (("123", "--offline"), ("config",)):
        ran = invoke(*words)
        assert ran.exit_code == 2
        assert "btv-report.toml" in ran.output
        assert "bug" not in ran.output


def test_number_of_thousands_of_digits_in_a_variable_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BTV_REPORT_SECTOR", "9" * 5000)
    ran = invoke("config")
    assert ran.exit_code == 2
    assert "BTV_REPORT_SECTOR" in ran.output


def test_file_that_is_too_long_is_refused_and_not_read_in_part(here: Path) -> None:
    text = "offline = true\n" + "#\n" * (MAX_FILE_BYTES // 2) + 'flux = "sap"\n'
    (here / "btv-report.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="holds more than 1,000,000 bytes"):
        load_settings({}, here)


@pytest.mark.parametrize("text", ['flux = "nonsense"', 'pipeline = ["nonsense"]'])
def test_value_that_the_option_refuses_names_the_file(here: Path, text: str) -> None:
    (here / "btv-report.toml").write_text(f"\n{text}\n", encoding="utf-8")
    ran = invoke("123", "--offline")
    assert ran.exit_code == 2
    assert "btv-report.toml, line 2" in ran.output
    assert "It comes from" not in invoke("123", "--offline", "--flux", "wrong", "--pipeline", "SPOC").output


def test_relative_path_in_the_file_starts_at_the_file(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config("--workspace", str(workspace))["mirror"]["value"] == str(workspace / "fits")
    assert f"{workspace}/fits does not exist" in invoke("123", "--workspace", str(workspace)).output
    monkeypatch.setenv("HOME", str(workspace))
    (workspace / "btv-report.toml").write_text('prf = "~/prf"\n', encoding="utf-8")
    assert config("--workspace", str(workspace))["prf"]["value"] == str(workspace / "prf")


def test_last_workspace_counts_as_it_does_for_click(here: Path, workspace: Path) -> None:
    (here / "other").mkdir()
    assert (
        f"{workspace}/fits does not exist"
        in invoke("123", "--workspace", "other", "--workspace", str(workspace)).output
    )


@pytest.mark.parametrize("variable", ["BTV_REPORT_WORKSPACE", "flag"])
def test_every_command_looks_into_the_workspace_that_is_named(
    here: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    words = ("--workspace", str(workspace)) if variable == "flag" else ()
    if variable != "flag":
        monkeypatch.setenv(variable, f" {workspace} ")
    assert config(*words)["flux"]["value"] == "sap"
    for command in ("verify", "render", "store rebuild"):
        assert f"{workspace} is no workspace" in invoke(*command.split(), *words).output
    findings = {
        item["topic"]: item["finding"] for item in json.loads(invoke("doctor", "--json", *words).stdout)["findings"]
    }
    assert findings["workspace"].startswith(f"{workspace}, writable")
    assert str(workspace / "btv-report.toml") in findings["settings"]
    assert findings["cache"].startswith(str(workspace / ".btv-report"))


@pytest.mark.parametrize("command", ["123 --offline", "config", "doctor", "verify"])
def test_home_of_nobody_is_a_sentence(command: str) -> None:
    ran = invoke(*command.split(), "--workspace", "~nobody-of-that-name/x")
    assert ran.exit_code == 2
    assert "Write the whole path" in ran.output


@pytest.mark.parametrize(
    "url",
    [
        "https://user:canary@mast.example/a",
        "https://canary@mast.example/a",
        "https://user:ca/na@canary@mast.example/a",
        "https://user:canary@[::1]:8080/a",
        "https://mast.example/a?key=canary",
        "https://mast.example/a#canary",
        "https://user:canary@mast.example:port/a",
        "https://user:canary@[mast.example/a",
    ],
)
def test_no_secret_of_an_address_is_shown(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("BTV_REPORT_MAST_URL", url)
    ran = invoke("config")
    assert ran.exit_code == 0
    assert "canary" not in ran.output
    assert "https://" in ran.output


def test_cache_shows_whichever_variable_counts(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITTR_TESS_VETTER_CACHE_ROOT", str(here / "root"))
    assert config()["cache_dir"]["value"] == str(here / "root" / "persistent_cache")
    monkeypatch.setenv("BITTR_TESS_VETTER_CACHE_DIR", str(here / "older"))
    assert config()["cache_dir"]["origin"] == "variable BITTR_TESS_VETTER_CACHE_DIR"
    monkeypatch.setenv("BTV_REPORT_CACHE_DIR", str(here / "mine"))
    assert config()["cache_dir"]["value"] == str(here / "mine")


@pytest.mark.parametrize("url", ["https://user:canary/x@mast.example", "https://user:canary@[mast.example"])
@pytest.mark.parametrize("words", ["123", "doctor --online --json"])
def test_address_that_cannot_be_taken_apart_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    monkeypatch.setenv("BTV_REPORT_MAST_URL", url)
    ran = invoke(*words.split())
    assert ran.exit_code == (2 if words == "123" else 6)
    assert "cannot be taken apart" in ran.output
    assert "bug" not in ran.output
    assert "canary" not in ran.output


@pytest.mark.parametrize("words", ["123", "config", "doctor", "cache list"])
def test_cache_in_the_home_of_nobody_is_a_sentence(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setenv("BTV_REPORT_CACHE_DIR", "~nobody-of-that-name/x")
    ran = invoke(*words.split())
    assert ran.exit_code == 2
    assert "Write the whole path" in ran.output


def test_cache_command_looks_into_the_workspace_that_is_named(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BTV_REPORT_WORKSPACE", str(workspace))
    assert f"Cache {workspace}/" in invoke("cache", "list").output
