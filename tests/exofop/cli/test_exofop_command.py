"""`btv-report exofop` and `python -m btv_report.exofop`: what is asked for, what is printed, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.doubles.command import Run, run_command
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_toi_1262 import TIC_ID
from tests.doubles.scripted_server import Reply
from tests.exofop.client.conftest import CURVE, NOTES, PLOT, TRES_2019, TRES_2020, asked_files

STAR = ("--tic", str(TIC_ID))
REGEX = r"sensitivity\.(dat|pdf)$"


def test_module_fetches_as_the_specification_writes_it(exofop: ExoFopDouble, tmp_path: Path) -> None:
    words = ["-m", "btv_report.exofop", "fetch", *STAR, "--types", "Image", "Spectrum", "--regex", REGEX]
    environment = {**os.environ, "BTV_REPORT_CACHE_DIR": str(tmp_path / "cache")}
    ran = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    folder = tmp_path / "cache" / "exofop" / f"tic_{TIC_ID}"
    assert str(folder) in ran.stdout
    assert str(folder / "manifest.json") in ran.stdout
    assert asked_files(exofop) == [CURVE]
    assert len(json.loads((folder / "manifest.json").read_bytes())["files"]) == 1
    before = exofop.n_connections
    again = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert "no request was needed" in again.stdout
    assert exofop.n_connections == before


def test_answer_in_json_has_the_fields_of_the_contract(run: Run) -> None:
    ran = run("fetch", *STAR, "--json")
    assert ran.code == 0
    answer = ran.answer
    assert (answer["schema_version"], answer["tic_id"], answer["status"], answer["n_files"]) == (
        1,
        TIC_ID,
        "complete",
        6,
    )
    assert Path(answer["manifest"]).parent == Path(answer["cache_root"])
    assert answer["answers"]["download_obsnotes.php"] == "OK"
    assert (answer["warnings"], answer["errors"]) == ([], [])
    assert ran.stdout.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("--types", "Image", "Spectrum"),
        ("--types", "image,spectrum"),
        ("--types", "Image", "--types", "Spectrum"),
        ("--types=Image,Spectrum",),
        ("--types", "Image, Spectrum"),
    ],
)
def test_types_may_be_several_words_or_one(run: Run, exofop: ExoFopDouble, words: tuple[str, ...]) -> None:
    assert run("fetch", *STAR, "--no-summaries", *words).code == 0
    assert asked_files(exofop) == [CURVE, PLOT, TRES_2019, TRES_2020]


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (("--tag", "1494", "7652"), [CURVE, PLOT, TRES_2019, TRES_2020]),
        (("--tag", "9001"), [CURVE + 4]),
        (("--max-files", "2"), [CURVE, PLOT]),
        (("--max-files", "0"), []),
        (("--regex", r"^TIC.*\.txt$"), [NOTES]),
        (("--types", "Image", "--regex", "PLOT"), []),
        (("--types", "nothing of it"), []),
    ],
)
def test_files_are_chosen(run: Run, exofop: ExoFopDouble, words: tuple[str, ...], files: list[int]) -> None:
    assert run("fetch", *STAR, "--no-summaries", *words).code == 0
    assert asked_files(exofop) == files


@pytest.mark.parametrize(
    "words",
    [
        ("TIC", str(TIC_ID)), (str(TIC_ID),), ("TOI-1262",), ("--toi", "1262"), ("--toi", "TOI 1262.01"), ("HD", "104654"),
        ("--name", "HD 104654"),
    ],
)  # fmt: skip
def test_star_is_named_in_any_way(run: Run, words: tuple[str, ...]) -> None:
    assert run("fetch", *words, "--no-summaries", "--max-files", "0", "--json").answer["tic_id"] == TIC_ID


def test_target_after_the_types_is_told_by_two_dashes_or_another_option(
    run: Run, exofop: ExoFopDouble, tmp_path: Path
) -> None:
    assert run("fetch", "--types", "Image", "TOI-1262").code == 2  # it reads as a type
    assert exofop.n_connections == 0
    place = ("--workspace", str(tmp_path / "workspace"), "--no-summaries")
    assert run_command("exofop", "fetch", *place, "--types", "Image", "--", "TIC", str(TIC_ID)).code == 0
    assert asked_files(exofop) == [CURVE, PLOT]
    assert run("fetch", "--types", "Spectrum", "--no-summaries", "TIC", str(TIC_ID)).code == 0
    assert asked_files(exofop) == [CURVE, PLOT, TRES_2019, TRES_2020]


def test_second_run_opens_no_connection_and_refresh_does(run: Run, exofop: ExoFopDouble) -> None:
    run("fetch", *STAR)
    before = exofop.n_connections
    assert "no request was needed" in run("fetch", *STAR).stdout
    assert run("fetch", *STAR, "--offline").code == 0
    assert exofop.n_connections == before
    assert run("fetch", *STAR, "--force-refresh").code == 0
    assert exofop.n_connections == 2 * before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "One star has to be named"),
        ((*STAR, "TOI-1262"), "more than once"),
        (("--toi", "1262", "--name", "x"), "more than once"),
        ((*STAR, "--regex", "("), "no regular expression"),
        ((*STAR, "--tag", "red"), "no number of a tag"),
        ((*STAR, "--max-files", "-1"), "--max-files"),
        (("--tic", "0"), "--tic"),
        (("--tic", "x"), "--tic"),
        (("12:02:54.4", "+74:03:39.6"), "no positions"),
        (("TOI-1/../..",), "1/../.."),
        ((*STAR, "--no-such-option"), "no-such-option"),
    ],
)
def test_usage_error_is_exit_2_and_asks_nothing(
    run: Run, exofop: ExoFopDouble, words: tuple[str, ...], said: str
) -> None:
    ran = run("fetch", *words)
    assert ran.code == 2
    assert said in ran.stderr
    assert ran.stdout == ""
    assert exofop.n_connections == 0


def test_jar_that_is_not_there_is_a_usage_error(run: Run, exofop: ExoFopDouble, tmp_path: Path) -> None:
    ran = run("fetch", *STAR, "--cookie-jar", str(tmp_path / "no-such.jar"))
    assert ran.code in {2, 6}
    assert "no-such.jar" in ran.stderr
    assert exofop.n_connections == 0


@pytest.mark.parametrize(
    ("endpoint", "reply", "state"),
    [
        ("download_spect.php", Reply(b""), "THROTTLED"),
        ("download_spect.php", Reply(status=503), "UNREACHABLE"),
        ("download_spect.php", Reply(status=401), "AUTH_REQUIRED"),
        ("download_spect.php", Reply(b"<html></html>"), "CORRUPT"),
        ("download_filelist.php", Reply(b""), "THROTTLED"),
        ("get_file.php", Reply(status=403), "AUTH_REQUIRED"),
    ],
)
def test_gap_is_exit_3_with_a_sentence(run: Run, exofop: ExoFopDouble, endpoint: str, reply: Reply, state: str) -> None:
    exofop.play(endpoint, reply)
    ran = run("fetch", *STAR, "--json")
    assert (ran.code, ran.answer["status"]) == (3, "gaps")
    assert any(state in error for error in ran.answer["errors"])
    assert f"{state}" in ran.stderr
    exofop.play(endpoint, exofop.answer)
    assert run("fetch", *STAR).code == 0


def test_failed_refresh_is_exit_3_and_keeps_what_there_was(run: Run, exofop: ExoFopDouble) -> None:
    run("fetch", *STAR)
    exofop.server.play("GET", ".*", Reply(b""))
    ran = run("fetch", *STAR, "--refresh", "--json")
    assert (ran.code, ran.answer["n_files"]) == (3, 6)
    assert set(ran.answer["answers"].values()) == {"STALE"}
    assert run("fetch", *STAR, "--offline", "--json").answer["n_files"] == 6


def test_star_on_which_there_is_nothing_is_exit_0(run: Run, exofop: ExoFopDouble) -> None:
    exofop.add_target(4321)
    ran = run("fetch", "TIC", "4321", "--json")
    assert (ran.code, ran.answer["status"], ran.answer["n_files"]) == (0, "complete", 0)


def test_f044_no_such_star_is_exit_4(run: Run) -> None:
    ran = run("fetch", "TIC", "555")
    assert ran.code == 4
    assert "no such star" in ran.stdout + ran.stderr
    assert run("fetch", "TOI-99999").code == 4


def test_f043_name_of_several_stars_is_refused_with_all_of_them(run: Run, exofop: ExoFopDouble) -> None:
    for tic_id in (111, 222):
        exofop.add_target(tic_id, names=["Twin"])
    ran = run("fetch", "Twin")
    assert ran.code in {2, 4}
    assert "TIC 111" in ran.stderr
    assert "TIC 222" in ran.stderr


@pytest.mark.parametrize("reply", [Reply(b""), Reply(status=503), Reply(status=404), Reply(b"<html></html>")])
def test_service_that_gives_no_answer_at_all_is_exit_4_and_nothing_is_said_to_be_empty(
    run: Run, exofop: ExoFopDouble, reply: Reply
) -> None:
    exofop.server.play("GET", ".*", reply)
    ran = run("fetch", *STAR, "--json")
    assert (ran.code, ran.answer["status"]) == (4, "nothing")
    assert not {"EMPTY", "NOT_FOUND"} & set(ran.answer["answers"].values())
    text = run("fetch", *STAR)
    assert "gave no usable answer" in text.stdout
    assert text.code == 4


def test_offline_with_a_cold_cache_is_exit_4(run: Run, exofop: ExoFopDouble, tmp_path: Path) -> None:
    ran = run("fetch", *STAR, "--offline")
    assert ran.code == 4
    assert "Nothing of this star is in the cache" in ran.stdout
    assert exofop.n_connections == 0
    assert not list(tmp_path.rglob("exofop"))


def test_f154_cache_that_others_may_write_to_is_exit_6(
    run: Run, exofop: ExoFopDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    monkeypatch.setenv("BTV_REPORT_CACHE_DIR", str(folder))
    ran = run("fetch", *STAR)
    assert ran.code == 6
    assert "everybody" in ran.stderr
    assert exofop.n_connections == 0


def test_quiet_run_says_nothing_on_stderr(run: Run, exofop: ExoFopDouble) -> None:
    exofop.play("download_spect.php", Reply(b""))
    ran = run("fetch", *STAR, "--quiet")
    assert (ran.code, ran.stderr) == (3, "")


def test_f131_names_from_elsewhere_do_not_drive_the_terminal(run: Run, exofop: ExoFopDouble) -> None:
    exofop.add_target(4321)
    exofop.add_file(4321, "a\x1b[2J\x07.dat", b"1 2\n", type="Im\x1bage", date="2020\x1b-01-01")
    exofop.play("get_file.php", Reply(status=403))
    for ran in (run("fetch", "TIC", "4321"), run("files", "TIC", "4321")):
        printed = ran.stdout + ran.stderr
        assert "dat" in printed
        assert not [letter for letter in printed if letter != "\n" and not letter.isprintable()]


def test_files_are_listed_and_none_is_fetched(run: Run, exofop: ExoFopDouble) -> None:
    ran = run("files", "TOI-1262", "--types", "Image")
    first, *lines = ran.stdout.splitlines()
    assert (ran.code, first) == (0, f"TIC {TIC_ID}: 2 files")
    assert [line.split()[:3] for line in lines] == [
        [str(CURVE), "2020-06-08", "Image"], [str(PLOT), "2020-06-08", "Image"],
    ]  # fmt: skip
    assert asked_files(exofop) == []
    answer = run("files", *STAR, "--json").answer
    assert (answer["tic_id"], len(answer["files"]), answer["files"][0]["file_id"]) == (TIC_ID, 6, CURVE)


def test_selection_that_takes_nothing_says_how_many_are_listed_and_what_would_match(run: Run) -> None:
    ran = run("files", *STAR, "--types", "Spectra", "--tag", "7")
    assert (ran.code, ran.stdout.splitlines()[0]) == (0, f"TIC {TIC_ID}: 6 files are listed, and none matches.")
    assert "No file is of the type 'Spectra'; there are: Image (2), Spectrum (2), Light_Curve (1)" in ran.stdout
    assert "No file has the tag '7'; there are:" in ran.stdout
    answer = run("files", *STAR, "--types", "Spectra", "--json").answer
    assert (answer["state"], answer["n_listed"], answer["files"]) == ("OK", 6, [])
    assert answer["warnings"][0] == "6 files are listed, and none matches."


def test_fetch_whose_selection_takes_nothing_says_so(run: Run) -> None:
    ran = run("fetch", *STAR, "--no-summaries", "--types", "Image", "--regex", "PLOT")
    assert ran.code == 0
    assert "no file in the cache, of 6 that ExoFOP lists" in ran.stdout
    assert "6 files are listed, and none matches." in ran.stdout
    assert "without regard to capitals: '(?i)PLOT'" in ran.stdout
    answer = run("fetch", *STAR, "--no-summaries", "--types", "Image", "--regex", "PLOT", "--json").answer
    assert (answer["n_files"], answer["n_listed"], len(answer["warnings"])) == (0, 6, 2)


def test_fetch_without_a_list_does_not_say_that_there_is_no_file(run: Run, exofop: ExoFopDouble) -> None:
    exofop.play("download_filelist.php", Reply(b""))
    exofop.play("target.php", Reply(b""))
    ran = run("fetch", *STAR)
    assert ran.code == 3
    assert "no file in the cache, and which there are is not known" in ran.stdout
    assert "n_listed" not in run("fetch", *STAR, "--json").answer


def test_f044_files_of_no_star_are_refused_with_what_exofop_says(run: Run) -> None:
    ran = run("files", "TIC", "555")
    assert (ran.code, ran.stdout) == (4, "")
    assert "no such star as TIC 555" in ran.stderr


def test_list_that_was_not_had_is_no_empty_list(run: Run, exofop: ExoFopDouble) -> None:
    exofop.server.play("GET", ".*", Reply(b""))
    ran = run("files", *STAR)
    assert ran.code == 4
    assert "0 files" not in ran.stdout
    assert "THROTTLED" in ran.stderr


def test_contrast_curve_that_cannot_be_read_is_not_said_to_be_absent(run: Run, exofop: ExoFopDouble) -> None:
    exofop.add_target(4321)
    exofop.add_file(4321, "TOI1I_sensitivity.dat", b"in a layout that nobody knows\n", type="Image")
    before = run("contrast-curves", "TIC", "4321")
    assert "no file is fetched, so that no curve is known" in before.stdout
    run("fetch", "TIC", "4321")
    ran = run("contrast-curves", "TIC", "4321")
    assert ran.code == 4
    assert "no contrast curve could be read; by name and type these may be such: TOI1I_sensitivity.dat" in ran.stdout


def test_contrast_curves_are_shown_and_written_for_triceratops(run: Run, exofop: ExoFopDouble, tmp_path: Path) -> None:
    nothing = run("contrast-curves", *STAR)
    assert nothing.code == 4
    assert "exofop fetch" in nothing.stdout + nothing.stderr
    run("fetch", *STAR)
    before = exofop.n_connections
    ran = run("contrast-curves", *STAR, "--triceratops", str(tmp_path / "curves"), "--json")
    assert ran.code == 0, ran.stderr
    (curve,) = ran.answer["contrast_curves"]
    assert len(curve["separation_arcsec"]) == len(curve["delta_mag"]) > 50
    lines = Path(curve["triceratops"]).read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if not line.startswith("#")]) == len(curve["delta_mag"])
    assert exofop.n_connections == before
    assert "562" in run("contrast-curves", "TIC", str(TIC_ID)).stdout
