"""What the commands say and how they end when something is old, lost, or another host's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.doubles.command import Run
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_toi_1262 import TIC_ID
from tests.doubles.scripted_server import Reply

from btv_report.answer_states import AnswerState
from btv_report.exofop.outcome import fetch_text
from btv_report.exofop.types import ExoFopFetchResult, ExoFopTarget

STAR = ("--tic", str(TIC_ID))


@pytest.mark.parametrize("words", [("--types=Image", "Spectrum"), ("--types=Image", "--types=Spectrum")])
def test_option_with_an_equals_sign_takes_several_words_too(run: Run, words: tuple[str, ...]) -> None:
    ran = run("files", *STAR, *words)
    assert ran.code == 0, ran.stderr
    assert ran.stdout == run("files", *STAR, "--types", "Image", "Spectrum").stdout
    assert "4 files" in ran.stdout


def test_list_that_is_kept_from_an_earlier_run_is_a_gap(run: Run, exofop: ExoFopDouble) -> None:
    assert run("fetch", *STAR).code == 0
    exofop.play("download_filelist.php", Reply(status=503))
    assert run("fetch", *STAR, "--refresh").code == 3
    ran = run("files", *STAR, "--offline")
    assert ran.code == 3
    assert f"TIC {TIC_ID}: 6 files" in ran.stdout
    assert "STALE" in ran.stderr
    assert run("files", *STAR, "--offline", "--json").code == 3


def test_list_that_was_cut_in_the_cache_is_no_empty_list(run: Run, tmp_path: Path) -> None:
    assert run("fetch", *STAR).code == 0
    (path,) = tmp_path.rglob("filelist.csv")
    path.write_bytes(path.read_bytes()[:-7])
    assert run("fetch", *STAR, "--offline").code == 3
    ran = run("files", *STAR, "--offline")
    assert ran.code == 4
    assert "CORRUPT" in ran.stderr
    assert "0 files" not in ran.stdout


def test_curves_of_another_host_are_not_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("fetch", *STAR).code == 0
    assert run("contrast-curves", *STAR).code == 0
    monkeypatch.setenv("BTV_REPORT_EXOFOP_URL", "http://127.0.0.1:9/")
    ran = run("contrast-curves", *STAR)
    assert ran.code == 4
    assert "another host" in ran.stderr


@pytest.mark.parametrize(
    ("page", "is_none"), [(AnswerState.NOT_FOUND, True), (AnswerState.UNREACHABLE, False)]
)  # fmt: skip
def test_star_is_unknown_only_by_its_page(page: AnswerState, *, is_none: bool) -> None:
    answers = {"target.php": page, "download_toi.php": AnswerState.NOT_FOUND}
    here = Path("cache")
    result = ExoFopFetchResult(ExoFopTarget(1), here, here / "manifest.json", [], [], [], answers=answers)
    assert ("no such star" in fetch_text(result)) is is_none
