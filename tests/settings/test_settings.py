"""Flag over variable over file over default, each with its origin; slips in a file are named with their line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from btv_report.cli.main import cli
from btv_report.errors import UsageError
from btv_report.settings import SETTINGS, load_settings, shown


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for setting in SETTINGS:
        monkeypatch.delenv(setting.variable, raising=False)
    return tmp_path


def invoke(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words), prog_name="btv-report")


def value_of(name: str, environment: dict[str, str], folder: Path) -> tuple[Any, str]:
    (found,) = [value for value in load_settings(environment, folder) if value.setting.name == name]
    return found.value, found.origin


def test_default_file_variable_in_rising_order(here: Path) -> None:
    assert value_of("sector", {}, here) == (None, "default")
    (here / "btv-report.toml").write_text("offline = true\n\nsector = [14, 20]\n", encoding="utf-8")
    assert value_of("sector", {}, here) == ((14, 20), f"file {here}/btv-report.toml, line 3")
    environment = {"BTV_REPORT_SECTOR": "7, 8"}
    assert value_of("sector", environment, here) == ((7, 8), "variable BTV_REPORT_SECTOR")
    assert value_of("sector", {"BTV_REPORT_SECTOR": ""}, here)[1].startswith("file")


def test_flag_counts_more_than_all(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "btv-report.toml").write_text('flux = "nonsense"\n', encoding="utf-8")
    assert "nonsense" in invoke("123", "--offline").output
    monkeypatch.setenv("BTV_REPORT_FLUX", "sap")
    assert "nowhere to look" in invoke("123", "--offline").output
    monkeypatch.setenv("BTV_REPORT_FLUX", "other")
    assert "nowhere to look" in invoke("123", "--offline", "--flux", "pdcsap").output


def test_settings_reach_the_run(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BTV_REPORT_OFFLINE", "yes")
    assert "--offline was given" in invoke("123").output
    monkeypatch.setenv("BTV_REPORT_MIRROR", str(here / "nowhere"))
    ran = invoke("123")
    assert ran.exit_code == 2
    assert "nowhere does not exist" in ran.output


def test_file_of_the_workspace_is_read(here: Path) -> None:
    (here / "w").mkdir()
    (here / "w" / "btv-report.toml").write_text("offline = true\n", encoding="utf-8")
    assert "--offline was given" in invoke("123", "--workspace", "w").output
    assert "--offline was given" in invoke("123", "--workspace=w").output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ofline = true", "Did you mean `offline`"),
        ("mast_url = 'https://x'", "given by the variable BTV_REPORT_MAST_URL only"),
        ("offline = 'yes'", "true or false is due"),
        ("exptime = 'fast'", "a number is due"),
        ("sector = [0]", "from 1 to 9999"),
        ("sector = ['a']", "from 1 to 9999"),
        ("pipeline = [3]", "texts is due"),
        ("flux = [1]", "a text is due"),
        ("offline = = 1", "cannot be read"),
    ],
)
def test_slip_in_the_file_is_named_with_its_line(here: Path, text: str, words: str) -> None:
    (here / "btv-report.toml").write_text(f"# mine\n{text}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"line 2") as caught:
        load_settings({}, here)
    assert words in str(caught.value)
    assert invoke("123").exit_code == 2
    assert invoke("config").exit_code == 2


@pytest.mark.parametrize(
    ("variable", "text"),
    [("BTV_REPORT_OFFLINE", "maybe"), ("BTV_REPORT_EXPTIME", "x"), ("BTV_REPORT_SECTOR", "1 b")],
)
def test_slip_in_a_variable_is_named(here: Path, monkeypatch: pytest.MonkeyPatch, variable: str, text: str) -> None:
    monkeypatch.setenv(variable, text)
    ran = invoke("123")
    assert ran.exit_code == 2
    assert variable in ran.output


def test_config_shows_every_setting_with_its_origin(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BTV_REPORT_MAST_URL", "https://user:canary@mast.example")
    answer = json.loads(invoke("config", "--json").output)["settings"]
    assert set(answer) == {setting.name for setting in SETTINGS}
    assert answer["mast_url"]["origin"] == "variable BTV_REPORT_MAST_URL"
    assert answer["offline"] == {
        "value": "no", "origin": "default", "variable": "BTV_REPORT_OFFLINE", "meaning": "open no socket",
    }  # fmt: skip
    assert "canary" not in invoke("config").output + invoke("config", "--json").output


def test_every_setting_of_the_report_is_an_option_of_it() -> None:
    from btv_report.cli.report import report_command

    parameters = {parameter.name for parameter in report_command.params}
    assert {setting.parameter for setting in SETTINGS if setting.parameter} <= parameters


def test_defaults_in_words_are_those_of_the_code(here: Path) -> None:
    from btv_report.archive.addresses import MAST_URL
    from btv_report.quality import DEFAULT_QUALITY_MASK

    words = {value.setting.name: shown(value) for value in load_settings({}, here)}
    assert words["mast_url"] == MAST_URL
    assert str(DEFAULT_QUALITY_MASK) in words["quality_mask"]


@pytest.mark.parametrize(
    ("variable", "text", "words"),
    [
        ("BTV_REPORT_EXPTIME", "-3", "is no exposure time"),
        ("BTV_REPORT_FLUX", "foo", "none of pdcsap, sap"),
        ("BTV_REPORT_PIPELINE", "SPOC, SPOK", "'SPOK' is none of"),
        ("BTV_REPORT_QUALITY_MASK", "soft", "quality mask"),
        ("BTV_REPORT_MAST_URL", "ftp://x", "not an address that may be asked"),
        ("BTV_REPORT_MIRROR", "/no/such/folder", "does not exist"),
    ],
)
def test_value_that_no_command_can_use_is_marked(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, words: str
) -> None:
    assert "CANNOT BE USED" not in invoke("config").output
    monkeypatch.setenv(variable, text)
    (line,) = [line for line in invoke("config").output.splitlines() if "CANNOT BE USED" in line]
    assert words in line
    marked = [item for item in json.loads(invoke("config", "--json").output)["settings"].values() if "problem" in item]
    assert [item["variable"] for item in marked] == [variable]
    assert words in invoke("doctor").output


def test_error_names_the_variable_or_the_line_that_a_value_comes_from(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "btv-report.toml").write_text("# mine\noffline = true\n", encoding="utf-8")
    for words in (("123",), ("pi Men",)):
        output = invoke(*words).output
        assert f"--offline was given (file {here}/btv-report.toml, line 2)" in output
    assert "--offline was given," in invoke("123", "--offline").output
    monkeypatch.setenv("BTV_REPORT_EXPTIME", "-3")
    ran = invoke("123")
    assert ran.exit_code == 2
    assert "--exptime -3 (variable BTV_REPORT_EXPTIME) is no exposure time" in ran.output
    assert "--exptime -4 is no exposure time" in invoke("123", "--exptime", "-4").output
