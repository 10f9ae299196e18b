"""A current folder that somebody has removed: a sentence and exit code 6 where it is needed, and no hindrance where it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from btv_report.simulation.fits_files import WrittenScene

EPHEMERIS = ("--period", "1.3", "--epoch", "2100.9", "--duration", "2.0")
QUICK = ("calibrate", "--quick", "--table", "power")


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder that is gone."""
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize(
    "words",
    [
        ("TIC 9000000077", "--offline"),
        ("TIC 9000000077", "--offline", "--workspace", "here"),
        ("demo",),
        ("demo", "--workspace", "here"),
        ("check", "some_tp.fits", *EPHEMERIS),
        ("dv", "some_dvr.xml"),
        QUICK,
        (*QUICK, "--output", "made.json"),
        ("cache", "list"),
        ("config",),
        ("doctor",),
        ("render",),
        ("store", "rebuild"),
        ("verify",),
        ("verify", "--workspace", "here"),
    ],
)
def test_command_that_needs_the_current_folder_says_that_it_was_removed(run: Any, words: tuple[str, ...]) -> None:
    ran = run(*words, workspace=None)
    assert ran.code == 6
    assert "Error: The current folder has been removed. Change into a folder that exists" in ran.stderr
    assert "bug" not in ran.stderr


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize(
    "words", [("--help",), ("--version",), ("report", "--help"), ("verify", "--help"), ("demo", "--help")]
)
def test_help_and_version_work_anywhere(run: Any, words: tuple[str, ...]) -> None:
    ran = run(*words, workspace=None)
    assert ran.code == 0
    assert "removed" not in ran.stderr


@pytest.mark.usefixtures("nowhere")
def test_workspace_with_a_full_path_needs_no_current_folder(run: Any, star: WrittenScene) -> None:
    ran = run(
        str(star.scene.target.tic_id), "--mirror", star.folder.absolute(), "--offline", "--no-plot-data", *EPHEMERIS
    )
    assert ran.code == 0, ran.stderr
    for words in (("verify",), ("render",), ("store", "rebuild"), ("cache", "list")):
        assert run(*words).code == 0, words
