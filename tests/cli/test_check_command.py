"""`btv-report check`: a line for each file, the worst exit code, and nothing written."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from btv_report.checks.registry import CHECKS
from btv_report.simulation.fits_files import WrittenScene
from btv_report.store.workspace import Workspace

EPHEMERIS = ("--period", "1.3", "--epoch", "2100.9", "--duration", "2.0")
DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def check(run: Any, *words: Any) -> Any:
    return run("check", *words, *EPHEMERIS, workspace=None)


def lines_of(ran: Any) -> list[dict[str, Any]]:
    return [json.loads(line, parse_constant=pytest.fail) for line in ran.stdout.splitlines()]


def test_one_line_a_file_holds_what_the_contract_says(run: Any, star: WrittenScene) -> None:
    (path,) = star.target_pixel_files
    ran = check(run, path, "--neighbours", star.neighbours, "--json")
    assert (ran.code, ran.stderr) == (0, "")
    (answer,) = lines_of(ran)
    contract = ("schema_version", "file", "sha256", "tic_id", "sector", "status", "checks", "transits", "warnings")
    assert set(contract) <= set(answer)
    assert (answer["schema_version"], answer["file"], answer["tic_id"], answer["sector"], answer["status"]) == (
        1, path.name, 9000000077, 30, "complete",
    )  # fmt: skip
    assert answer["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [row["check_id"] for row in answer["checks"]] == list(CHECKS)
    assert {row["candidate"] for row in answer["checks"]} == {"user"}
    assert [row["number"] for row in answer["transits"]] == [0, 1, 2, 3, 4, 5]
    (v09,) = [row for row in answer["checks"] if row["check_id"] == "V09"]
    assert v09["verdict"] == "pass"
    assert v09["stamps"]["difference_image"]["shape"] == [11, 11]
    assert answer["mask_sensitivity"]["rows"][0]["masks"] == [0, 175, 17087, 65535]


def test_the_numbers_are_those_of_the_report(run: Any, star: WrittenScene) -> None:
    (path,) = star.target_pixel_files
    (answer,) = lines_of(check(run, path, "--neighbours", star.neighbours, "--json", "--no-plot-data"))
    report = run(
        "9000000077", "--mirror", star.folder, "--offline", *EPHEMERIS, "--neighbours", star.neighbours, "--json"
    ).answer
    assert answer["checks"] == [row for row in report["checks"] if row["sector"] == 30]
    assert answer["transits"] == report["transits"]


def test_nothing_is_written_anywhere_and_no_socket_opened(
    run: Any, star: WrittenScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "read-only"
    here.mkdir()
    shutil.copy(star.target_pixel_files[0], here)
    here.chmod(0o555)
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(Workspace, "ensure_writable", lambda *_: pytest.fail("a workspace was touched"))
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("a socket was opened"))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert check(run, star.target_pixel_files[0].name).code == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_each_file_gets_its_line_and_the_worst_decides(run: Any, star: WrittenScene, tmp_path: Path) -> None:
    good = star.target_pixel_files[0]
    broken = tmp_path / "broken_tp.fits"
    broken.write_bytes(good.read_bytes()[:100_000])
    packed = tmp_path / "packed.bin"
    packed.write_bytes(gzip.compress(good.read_bytes(), 1))
    ran = check(run, good, star.light_curves[0], tmp_path / "absent.fits", tmp_path, packed, "--json", "--no-plot-data")
    answers = lines_of(ran)
    assert ran.code == 4
    assert [answer["status"] for answer in answers] == ["complete", "nothing", "nothing", "nothing", "complete"]
    assert "is a light curve, and the pixel checks need pixels" in answers[1]["warnings"][0]
    assert (answers[1]["tic_id"], answers[1]["sector"], answers[1]["checks"]) == (9000000077, 30, [])
    assert "is no file" in answers[2]["warnings"][0]
    assert "is a folder" in answers[3]["warnings"][0]
    assert answers[4]["checks"] == answers[0]["checks"]
    assert answers[4]["sha256"] == hashlib.sha256(packed.read_bytes()).hexdigest()
    assert ran.stderr.count("Error: ") == 3
    ran = check(run, broken, good)
    assert ran.code == 5
    assert "broken_tp.fits is damaged" in ran.stderr
    assert good.name in ran.stdout


@pytest.mark.parametrize("missing", [(), EPHEMERIS[:4], EPHEMERIS[2:]])
def test_without_a_whole_ephemeris_it_is_a_usage_error(run: Any, star: WrittenScene, missing: tuple[str, ...]) -> None:
    ran = run("check", star.target_pixel_files[0], *missing, "--json", workspace=None)
    assert (ran.code, ran.stdout) == (2, "")
    assert "--period" in ran.stderr


def test_an_unusable_table_of_neighbours_is_refused_before_any_file(
    run: Any, star: WrittenScene, tmp_path: Path
) -> None:
    table = tmp_path / "stars.csv"
    table.write_text("id,ra\n1,2\n", encoding="utf-8")
    ran = check(run, star.target_pixel_files[0], "--neighbours", table, "--json")
    assert (ran.code, ran.stdout) == (2, "")
    assert "has no column dec" in ran.stderr


def test_text_has_verdict_sentence_and_key_numbers(run: Any, star: WrittenScene) -> None:
    ran = check(run, star.target_pixel_files[0])
    assert ran.stdout.startswith(
        f"{star.target_pixel_files[0].name}: TIC 9000000077, sector 30, 6 of 6 predicted transits used\n"
    )
    assert "V09 ✓ pass" in ran.stdout
    assert "Offset of the source from the target: " in ran.stdout
    assert "The quality mask does not matter in sector 30" in " ".join(ran.stdout.split())


def test_a_verdict_that_depends_on_the_mask_is_flagged(run: Any, star: WrittenScene, tmp_path: Path) -> None:
    """In each transit two minutes in ten are flagged as momentum dumps, and light is lost 3 px from the target in them."""
    path = tmp_path / "dumps_tp.fits"
    with fits.open(star.target_pixel_files[0]) as hdus:
        table = hdus[1].data
        phase = (table["TIME"] - 2100.9 + 0.65) % 1.3 - 0.65
        hit = np.flatnonzero((np.abs(phase) < 1 / 24) & (np.arange(len(phase)) % 10 == 0))
        rows, columns = np.indices(table["FLUX"].shape[1:])
        lost = np.exp(-0.5 * ((rows - 7.2) ** 2 + (columns - 7.1) ** 2) / 0.8**2)
        table["FLUX"][hit] -= 3000 * lost / lost.sum()
        table["QUALITY"][hit] |= 32
        hdus.writeto(path, checksum=True)
    (answer,) = lines_of(check(run, path, "--json", "--no-plot-data"))
    v09 = next(row for row in answer["checks"] if row["check_id"] == "V09")
    assert v09["verdict"] == "pass"
    assert "MASK_SENSITIVE" in v09["flags"]
    assert "The verdict depends on the quality mask (" in v09["summary"]
    assert [row["masks"] for row in answer["mask_sensitivity"]["rows"]] == [[0], [175, 17087, 65535]]
    (other,) = lines_of(check(run, path, "--quality-mask", "none", "--json", "--no-plot-data"))
    assert next(row for row in other["checks"] if row["check_id"] == "V09")["verdict"] != "pass"


@pytest.mark.data
def test_a_real_cutout_without_a_tic_number_is_checked(run: Any) -> None:
    if not DATA.is_dir():
        pytest.skip("the real data folder does not stand beside the checkout")
    (path,) = (DATA / "tpf").glob("tess-s0019-*astrocut.fits")
    ran = run("check", path, "--period", "3.1", "--epoch", "1817.3", "--duration", "4", "--json", workspace=None)
    (answer,) = lines_of(ran)
    assert (ran.code, answer["tic_id"], answer["sector"]) == (0, None, 19)
    assert [row["masks"] for row in answer["mask_sensitivity"]["rows"]] == [[0], [175, 17087], [65535]]


def altered(star: WrittenScene, path: Path, change: Callable[[Any], None]) -> Path:
    """A copy of the star's pixel file whose table `change` was applied to."""
    with fits.open(star.target_pixel_files[0]) as hdus:
        change(hdus[1].data)
        hdus.writeto(path, checksum=True)
    return path


def test_times_that_repeat_are_said(run: Any, star: WrittenScene, tmp_path: Path) -> None:
    def repeat(table: Any) -> None:
        table["TIME"][101:121:2] = table["TIME"][100:120:2]

    path = altered(star, tmp_path / "twice_tp.fits", repeat)
    (answer,) = lines_of(check(run, path, "--json", "--no-plot-data"))
    assert any("the times of 10 cadences repeat" in warning for warning in answer["warnings"])
    (whole,) = lines_of(check(run, star.target_pixel_files[0], "--json", "--no-plot-data"))
    used = [one["mask_sensitivity"]["rows"][0]["n_cadences"] for one in (whole, answer)]
    assert used[1] == used[0] - 10


def test_f107_full_julian_dates_in_a_file_of_btjd_are_refused(run: Any, star: WrittenScene, tmp_path: Path) -> None:
    def count_from_zero(table: Any) -> None:
        table["TIME"] += 2457000.0

    ran = check(run, altered(star, tmp_path / "jd_tp.fits", count_from_zero), "--json")
    (answer,) = lines_of(ran)
    assert (ran.code, answer["status"]) == (4, "nothing")
    assert "jd_tp.fits is refused: its times (about 24591" in ran.stderr
    assert "are no BTJD but full Julian dates" in ran.stderr


def test_an_impossible_time_is_said_and_changes_no_verdict(run: Any, star: WrittenScene, tmp_path: Path) -> None:
    def stamp(table: Any) -> None:
        table["TIME"][777] = 1e5

    path = altered(star, tmp_path / "stamp_tp.fits", stamp)
    (answer,) = lines_of(check(run, path, "--json", "--no-plot-data"))
    assert any(
        "times cannot be of this sector" in warning and warning.endswith(": 1.") for warning in answer["warnings"]
    )
    (whole,) = lines_of(check(run, star.target_pixel_files[0], "--json", "--no-plot-data"))
    assert verdicts(answer) == verdicts(whole)
    assert answer["checks"][1]["metrics"]["target_row"] == whole["checks"][1]["metrics"]["target_row"]


@pytest.mark.parametrize("backwards", [True, False])
def test_times_out_of_order_are_said_and_change_no_verdict(
    run: Any, star: WrittenScene, tmp_path: Path, backwards: bool
) -> None:
    path = tmp_path / "order_tp.fits"
    with fits.open(star.target_pixel_files[0]) as hdus:
        n = len(hdus[1].data)
        hdus[1].data = hdus[1].data[np.arange(n)[::-1] if backwards else np.random.default_rng(1).permutation(n)]
        hdus.writeto(path, checksum=True)
    (answer,) = lines_of(check(run, path, "--json", "--no-plot-data"))
    assert any("the times are not in ascending order" in warning for warning in answer["warnings"])
    (whole,) = lines_of(check(run, star.target_pixel_files[0], "--json", "--no-plot-data"))
    assert verdicts(answer) == verdicts(whole)


def test_cadences_of_zeros_in_transit_are_said_and_change_no_verdict(
    run: Any, star: WrittenScene, tmp_path: Path
) -> None:
    def empty(table: Any) -> None:
        phase = (table["TIME"] - 2100.9 + 0.65) % 1.3 - 0.65
        table["FLUX"][np.flatnonzero(np.abs(phase) < 0.04)[::25]] = 0.0

    path = altered(star, tmp_path / "zero_tp.fits", empty)
    (answer,) = lines_of(check(run, path, "--json", "--no-plot-data"))
    assert any("every pixel of theirs is exactly 0" in warning for warning in answer["warnings"])
    (whole,) = lines_of(check(run, star.target_pixel_files[0], "--json", "--no-plot-data"))
    assert verdicts(answer) == verdicts(whole)


def verdicts(answer: dict[str, Any]) -> dict[str, str]:
    return {row["check_id"]: row["verdict"] for row in answer["checks"]}


def test_f105_a_stuck_pixel_counts_as_one_without_values(run: Any, star: WrittenScene, tmp_path: Path) -> None:
    def stick(table: Any) -> None:
        half = len(table) // 2
        table["FLUX"][half:, 5, 5] = table["FLUX"][half, 5, 5]

    (answer,) = lines_of(check(run, altered(star, tmp_path / "stuck_tp.fits", stick), "--json", "--no-plot-data"))
    for row in answer["checks"]:
        assert "PIXELS_MISSING" in row["flags"]
        assert row["verdict"] != "fail"


def test_odd_values_in_the_table_of_neighbours_are_said(run: Any, star: WrittenScene, tmp_path: Path) -> None:
    table = tmp_path / "stars.csv"
    lines = star.neighbours.read_text(encoding="utf-8").splitlines()
    names = lines[0].split(",")
    odd = lines[-1].split(",")
    odd[names.index("tmag")], odd[names.index("pmra")], odd[names.index("pmdec")] = "-99.9", "-9999", "-9999"
    table.write_text("\n".join([*lines[:-1], ",".join(odd)]) + "\n", encoding="utf-8")
    (answer,) = lines_of(check(run, star.target_pixel_files[0], "--neighbours", table, "--json", "--no-plot-data"))
    (said,) = [warning for warning in answer["warnings"] if warning.startswith("stars.csv")]
    assert "1 magnitude outside -2 ... 25 and 1 proper motion of -9999 or above 11,000 mas/yr count as unknown" in said


def test_dead_aperture_pixels_are_said_in_every_check(run: Any, star: WrittenScene, tmp_path: Path) -> None:
    def kill(table: Any) -> None:
        table["FLUX"][:, 5, 5] = np.inf

    (answer,) = lines_of(check(run, altered(star, tmp_path / "dead_tp.fits", kill), "--json", "--no-plot-data"))
    for row in answer["checks"]:
        assert "PIXELS_MISSING" in row["flags"]
        assert "lacks values" in row["summary"]


def test_where_no_check_can_run_no_verdict_is_said_not_to_depend_on_the_mask(
    run: Any, star: WrittenScene, tmp_path: Path
) -> None:
    """Some cadences carry a bit, so that the masks differ, and no transit is predicted within the data."""

    def flag(table: Any) -> None:
        table["QUALITY"][50:60] |= 32

    path = altered(star, tmp_path / "flagged_tp.fits", flag)
    ran = run("check", path, "--period", "500", "--epoch", "2500", "--duration", "2", workspace=None)
    said = " ".join(ran.stdout.split())
    assert "No check gives a verdict in sector 30 under any quality mask" in said
    assert "No verdict" not in said


def test_text_says_why_transits_were_not_used(run: Any, star: WrittenScene, tmp_path: Path) -> None:
    def flag(table: Any) -> None:
        inside = np.abs(table["TIME"] - 2100.9) < 0.02
        table["QUALITY"][inside] |= 4

    said = check(run, altered(star, tmp_path / "coarse_tp.fits", flag)).stdout
    assert "5 of 6 predicted transits used" in said
    assert "  transit 0 at BTJD 2100.9000: cadences in its windows are flagged: " in said


def test_stars_that_cannot_be_placed_are_told_and_count_as_unknown(
    run: Any, star: WrittenScene, tmp_path: Path
) -> None:
    path = tmp_path / "nowhere_tp.fits"
    with fits.open(star.target_pixel_files[0]) as hdus:
        del hdus[0].header["RA_OBJ"]
        del hdus[0].header["DEC_OBJ"]
        hdus.writeto(path, checksum=True)
    (answer,) = lines_of(check(run, path, "--neighbours", star.neighbours, "--json", "--no-plot-data"))
    assert any(
        "cannot be placed on the stamp (the target's own position is not known)" in word for word in answer["warnings"]
    )
    for row in answer["checks"]:
        assert ("NEIGHBOURS_UNKNOWN" in row["flags"]) is (row["check_id"] in {"V09", "V10"})
        assert "in no catalogue" not in row["summary"]
