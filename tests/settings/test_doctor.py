"""`doctor` says what is wrong with this machine and what to do, and writes nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.doubles.mast_double import MastDouble, TicRow

from btv_report.cli.main import cli


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BTV_REPORT_CACHE_DIR", raising=False)
    return tmp_path


def doctor(*words: str) -> Result:
    return CliRunner().invoke(cli, ["doctor", *words], prog_name="btv-report")


def grades(ran: Result) -> dict[str, str]:
    return {item["topic"]: item["grade"] for item in json.loads(ran.stdout)["findings"]}


def test_healthy_machine_is_well_and_nothing_is_written(here: Path) -> None:
    ran = doctor("--json")
    assert ran.exit_code == 0
    assert set(grades(ran).values()) <= {"ok", "warning"}
    assert list(here.iterdir()) == []
    assert "lightkurve" in doctor().output


def test_f154_cache_that_others_may_write_to_is_a_problem(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "shared").mkdir()
    (here / "shared").chmod(0o777)
    monkeypatch.setenv("BTV_REPORT_CACHE_DIR", str(here / "shared"))
    ran = doctor("--json")
    assert ran.exit_code == 6
    assert grades(ran)["cache"] == "problem"
    assert "chmod go-w" in ran.stdout


def test_little_disk_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 9, 1_000_000))
    ran = doctor("--json")
    assert ran.exit_code == 0
    assert grades(ran)["cache disk"] == "warning"


def test_f148_damaged_store_is_a_problem_with_a_remedy(here: Path) -> None:
    (here / "btv-report.duckdb").write_bytes(b"not a database" * 1000)
    ran = doctor("--json")
    assert ran.exit_code == 6
    assert grades(ran)["store"] == "problem"


def test_archive_is_asked_only_when_told(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    with MastDouble() as mast:
        mast.add_star(TicRow(261136679, 84.29, -80.47, 5.1))
        monkeypatch.setenv("BTV_REPORT_MAST_URL", mast.url)
        assert "MAST" not in grades(doctor("--json"))
        assert mast.n_connections == 0
        assert grades(doctor("--online", "--json"))["MAST"] == "ok"
    assert list(here.iterdir()) == []


def test_archive_that_does_not_answer_is_no_fault_of_this_machine() -> None:
    ran = doctor("--online", "--json")  # conftest points MAST at a port where nobody answers
    assert ran.exit_code == 3
    assert grades(ran)["MAST"] == "problem"


@pytest.mark.parametrize("words", [("123", "--offline"), ("doctor",), ("cache", "list"), ("config",)])
def test_current_folder_that_was_removed_is_a_sentence(tmp_path: Path, words: tuple[str, ...]) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        "import os, sys; os.rmdir(os.getcwd()); sys.argv[0] = 'btv-report'\n"
        "from btv_report.__main__ import main\nmain()\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, *words], cwd=gone, capture_output=True, text=True, check=False)
    assert ran.returncode == 6
    assert "current folder has been removed" in ran.stderr


@pytest.mark.parametrize("below", ["", "a/b"])
def test_file_in_the_place_of_a_folder_is_a_problem(here: Path, monkeypatch: pytest.MonkeyPatch, below: str) -> None:
    (here / "file").touch()
    monkeypatch.setenv("BTV_REPORT_CACHE_DIR", str(here / "file" / below))
    ran = doctor("--json", "--workspace", str(here / "file" / below))
    assert ran.exit_code == 6
    assert grades(ran)["workspace"] == grades(ran)["cache"] == "problem"


def test_f083_cache_in_the_place_of_the_site_is_a_problem(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BTV_REPORT_CACHE_DIR", str(here / "site"))
    ran = doctor("--json")
    assert ran.exit_code == 6
    assert grades(ran)["cache"] == "problem"


def test_f154_workspace_that_everybody_may_write_to_is_a_warning(here: Path) -> None:
    here.chmod(0o777)
    ran = doctor("--json")
    assert ran.exit_code == 0
    assert grades(ran)["workspace"] == "warning"


def test_settings_that_cannot_be_read_are_a_problem(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert grades(doctor("--json"))["settings"] == "ok"
    monkeypatch.setenv("BTV_REPORT_CACHEDIR", "x")
    ran = doctor()
    assert ran.exit_code == 0
    assert "Did you mean BTV_REPORT_CACHE_DIR?" in ran.output
    (here / "btv-report.toml").write_text("ofline = true\n", encoding="utf-8")
    ran = doctor("--json")
    assert ran.exit_code == 6
    assert grades(ran)["settings"] == "problem"
    assert "Did you mean `offline`" in ran.output


def test_f155_umask_is_told_and_left_alone() -> None:
    before = os.umask(0o027)
    try:
        assert "umask 0027" in doctor().output
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


def test_f160_lines_show_in_every_encoding(here: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "btv_report", "doctor"],
        cwd=here, env={**os.environ, "PYTHONIOENCODING": "latin-1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "problem" not in ran.stdout


def test_archive_that_has_not_every_star_answers_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with MastDouble() as mast:
        mast.add_star(TicRow(42, 84.29, -80.47, 5.1))
        monkeypatch.setenv("BTV_REPORT_MAST_URL", mast.url)
        ran = doctor("--online", "--json")
    assert grades(ran)["MAST"] == "ok"
    assert "it has no TIC 261136679" in ran.stdout
