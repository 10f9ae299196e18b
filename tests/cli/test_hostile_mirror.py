"""Odd file names, links, junk, foreign tables and foreign folders: named where they matter, never in the way."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from astropy.io import fits

from btv_report.simulation.fits_files import WrittenScene

TIC_ID = 9000000077
EPHEMERIS = ("--period", "1.3", "--epoch", "2100.9", "--duration", "2.0")


@pytest.fixture
def mirror(star: WrittenScene, tmp_path: Path) -> Path:
    return Path(shutil.copytree(star.folder, tmp_path / "mirror"))


def kinds_used(answer: dict[str, Any]) -> list[str]:
    return sorted(product["kind"] for product in answer["products"] if product["used"])


@pytest.mark.parametrize("name", ["new\nline_tp.fits", "tab\t_tp.fits", "ünïcødé_tp.FITS", "'\"<&_tp.fit"])
def test_f078_odd_names_do_not_hide_a_file(run: Any, mirror: Path, name: str) -> None:
    path = next(mirror.rglob("*_tp.fits"))
    path.rename(path.with_name(name))
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", "--json")
    assert ran.code == 0
    assert kinds_used(ran.answer) == ["light_curve", "target_pixel_file"]


def test_f078_name_that_is_no_unicode_is_recorded_in_escapes(run: Any, mirror: Path, tmp_path: Path) -> None:
    path = next(mirror.rglob("*_tp.fits"))
    try:
        os.rename(path, os.fsencode(path.parent) + b"/bad\xff\xfe_tp.fits")  # noqa: PTH104 - a name no Path can spell
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", "--json")
    assert ran.code == 0
    record = next((tmp_path / "workspace" / "runs" / str(TIC_ID)).glob("*.json")).read_text(encoding="utf-8")
    assert "bad\\\\udcff" in record or "bad\\\\xff" in record


def test_link_to_itself_does_not_hide_its_folder(run: Any, mirror: Path) -> None:
    (mirror / "loop").symlink_to("loop")
    (mirror / "up").symlink_to("..", target_is_directory=True)
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", "--json")
    assert ran.code == 0
    assert len(kinds_used(ran.answer)) == 2


def test_files_that_are_no_fits_are_not_taken_for_damaged_products(run: Any, mirror: Path) -> None:
    for number in range(30):
        (mirror / f"junk{number}.fits").write_bytes(b"<html>not found</html>" * number)
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", "--json")
    assert ran.code == 0
    assert ran.answer["warnings"] == []
    (mirror / f"tess-s0030-{TIC_ID:016d}_lc.fits").write_bytes(b"<html>not found</html>")
    assert run(str(TIC_ID), "--mirror", mirror, "--offline").code == 3


def test_many_damaged_files_do_not_drown_the_warnings(run: Any, mirror: Path) -> None:
    head = next(mirror.rglob("*_tp.fits")).read_bytes()[:2880]
    for number in range(30):
        (mirror / f"cut{number}.fits").write_bytes(head + bytes([number]))
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", "--json")
    assert ran.code == 3
    assert len(ran.answer["warnings"]) == 11
    assert "20 more files" in ran.answer["warnings"][-1]


def test_pixel_file_without_a_sector_leaves_a_gap(run: Any, mirror: Path) -> None:
    path = next(mirror.rglob("*_tp.fits"))
    with fits.open(path) as original:
        hdus = fits.HDUList([hdu.copy() for hdu in original])
    for hdu in hdus:
        for key in ("SECTOR", "CHECKSUM", "DATASUM"):
            hdu.header.remove(key, ignore_missing=True)
    hdus.writeto(path, overwrite=True)
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", "--json")
    assert ran.code == 3
    assert "states no sector" in " ".join(ran.answer["warnings"])


@pytest.mark.parametrize("table", ["id,ra,dec,tmag\n", "id,ra,dec,tmag\n1,10.0,10.0,12.0\n"])
def test_table_of_another_field_leaves_the_neighbours_unknown(
    run: Any, mirror: Path, tmp_path: Path, table: str
) -> None:
    path = tmp_path / "stars.csv"
    path.write_text(table)
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", *EPHEMERIS, "--neighbours", path, "--json")
    assert ran.code == 0
    assert any("stars.csv" in warning and "field" in warning for warning in ran.answer["warnings"])
    v09 = next(check for check in ran.answer["checks"] if check["check_id"] == "V09")
    assert "NEIGHBOURS_UNKNOWN" in v09["flags"]


def test_reference_epoch_that_is_no_year_is_a_usage_error(run: Any, mirror: Path, tmp_path: Path) -> None:
    path = tmp_path / "stars.csv"
    path.write_text("id,ra,dec,pmra,pmdec,ref_epoch\n1,211.7,-33.9,5,5,57000\n")
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", "--neighbours", path)
    assert ran.code == 2
    assert "57000" in ran.stderr


@pytest.mark.parametrize("words", [("--mirror", ""), ("--exptime", "nan"), ("--exptime", "-1"), ("--mirror", "{file}")])
def test_words_that_name_nothing_are_usage_errors(
    run: Any, mirror: Path, tmp_path: Path, words: tuple[str, str]
) -> None:
    (tmp_path / "file").write_text("")
    chosen = [word.format(file=tmp_path / "file") for word in words]
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", *chosen)
    assert ran.code == 2
    if "{file}" in words:
        assert "is a file" in ran.stderr


def test_f084_foreign_site_folder_is_refused_before_anything_is_recorded(
    run: Any, mirror: Path, tmp_path: Path
) -> None:
    precious = tmp_path / "workspace" / "site" / "precious.txt"
    precious.parent.mkdir(parents=True)
    precious.write_text("mine")
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline")
    assert ran.code == 2
    assert precious.read_text() == "mine"
    assert not list((tmp_path / "workspace" / "runs").rglob("*.json"))


def test_unnormalised_light_curve_as_asked_is_no_warning(run: Any, mirror: Path) -> None:
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", "--no-normalise", "--json")
    assert ran.code == 0
    assert ran.answer["warnings"] == []


@pytest.mark.parametrize("words", [("verify",), ("render",), ("store", "rebuild")])
def test_commands_on_a_folder_that_is_no_workspace_make_nothing(
    run: Any, tmp_path: Path, words: tuple[str, ...]
) -> None:
    ran = run(*words, workspace=tmp_path / "typo")
    assert ran.code == 2
    assert "typo" in ran.stderr
    assert not (tmp_path / "typo").exists()


def test_rebuild_from_a_tampered_record_is_an_integrity_failure(run: Any, mirror: Path, tmp_path: Path) -> None:
    assert run(str(TIC_ID), "--mirror", mirror, "--offline").code == 0
    record = next((tmp_path / "workspace" / "runs" / str(TIC_ID)).glob("*.json"))
    content = json.loads(record.read_bytes())
    content["status"] = "gaps"
    record.chmod(0o600)
    record.write_text(json.dumps(content))
    assert run("store", "rebuild").code == 5
