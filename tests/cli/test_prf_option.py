"""`--prf DIR` and the cache's `prf/`: what is used, recorded, shown and said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from btv_report.simulation.fits_files import WrittenScene
from btv_report.simulation.pixels import pixel_response
from btv_report.simulation.scene_file import load_scene

TIC_ID = 9000000077
EPHEMERIS = ("--period", "1.3", "--epoch", "2100.9", "--duration", "2.0")
NAME = "of 01-May-2019 (camera 2, CCD 3)"


@pytest.fixture
def prf_folder(star: WrittenScene, tmp_path: Path) -> Path:
    """PRF files of the simulated star for its own camera and CCD, in a folder of its own."""
    folder = tmp_path / "private" / "tess-prf"
    folder.mkdir(parents=True)
    phases = np.arange(-4, 5)
    by_row, by_column = (axis.ravel() for axis in np.meshgrid(phases, phases, indexing="ij"))
    prf = load_scene(star.folder.parent / "short.toml").prf
    images = pixel_response(6 + by_row / 9, 6 + by_column / 9, (13, 13), prf)
    samples = np.empty((117, 117))
    for image, row, column in zip(images, by_row, by_column, strict=True):
        samples[4 - row :: 9, 4 - column :: 9] = image
    cards = {"DATATYPE": "PRF", "CAM": 2.0, "CCD": 3.0, "NSAMP": 9.0, "DATE": "01-May-2019"}
    for ccd_row in (513.0, 1025.0):
        for ccd_column in (557.0, 1069.0):
            hdu = fits.PrimaryHDU(samples)
            hdu.header.update(cards | {"CCD_RREF": ccd_row, "CCD_CREF": ccd_column})
            hdu.writeto(folder / f"{ccd_row:.0f}-{ccd_column:.0f}.fits")
    return folder


@pytest.fixture
def report(run: Any, star: WrittenScene) -> Callable[..., Any]:
    """Run the report of the simulated star as JSON."""
    fixed = (str(TIC_ID), "--mirror", star.folder, "--offline", *EPHEMERIS, "--neighbours", star.neighbours, "--json")
    return lambda *words: run(*fixed, *words)


def v09_of(answer: dict[str, Any], sector: int | None = 30) -> dict[str, Any]:
    (row,) = [row for row in answer["checks"] if (row["check_id"], row["sector"]) == ("V09", sector)]
    return dict(row)


def record_of(workspace: Path, run_id: str) -> dict[str, Any]:
    text = (workspace / "runs" / str(TIC_ID) / f"{run_id}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def used_prf(record: dict[str, Any]) -> dict[str, Any]:
    (check,) = [row for row in record["checks"] if (row["check_id"], row["sector"]) == ("V09", 30)]
    return dict(check["details"]["prf"])


def test_report_uses_records_and_shows_the_set(report: Any, prf_folder: Path, tmp_path: Path) -> None:
    ran = report("--prf", prf_folder)
    assert ran.code == 0, ran.stderr
    v09 = v09_of(ran.answer)
    assert v09["verdict"] == "pass"
    assert "PRF_GAUSSIAN" not in v09["flags"]
    # Measured against the light of the star, which the PRF files place.
    assert v09["metrics"]["control_offset_arcsec"]["value"] < 3.5
    assert v09["metrics"]["source_row"]["value"] == pytest.approx(5.2, abs=0.15)
    record = record_of(tmp_path / "workspace", ran.answer["run_id"])
    prf = used_prf(record)
    assert (prf["kind"], prf["set"], prf["camera"], prf["ccd"]) == ("tess_prf", NAME, 2, 3)
    assert record["run"]["parameters"]["prf"] == "tess-prf"
    assert record["run"]["parameters"]["prf_sets"] == [{"name": NAME, "sha256": prf["sha256"]}]
    page = (tmp_path / "workspace" / ran.answer["page"]).read_text(encoding="utf-8")
    assert f"Point response: the TESS PRF files {NAME}" in page
    assert prf["sha256"] in page
    assert "private" not in page


def test_a_part_of_a_set_far_from_the_star_is_not_used_and_told(report: Any, prf_folder: Path, tmp_path: Path) -> None:
    for path in prf_folder.glob("*-557.fits"):
        path.unlink()
    ran = report("--prf", prf_folder)
    assert ran.code == 0
    note = (
        f"The PRF set {NAME} is not used, because its files at hand do not surround the star (detector row 905, column 705; "
        "the nearest lies 383 px from it)."
    )
    assert f"Sector 30: {note}" in ran.answer["warnings"]
    assert f"Sector 30: {note}" in " ".join(ran.stderr.split())
    prf = used_prf(record_of(tmp_path / "workspace", ran.answer["run_id"]))
    assert (prf["kind"], prf["note"]) == ("own_image", note)
    assert note in (tmp_path / "workspace" / ran.answer["page"]).read_text(encoding="utf-8")


def test_without_files_nothing_is_said_of_them(report: Any, tmp_path: Path) -> None:
    ran = report()
    record = record_of(tmp_path / "workspace", ran.answer["run_id"])
    assert used_prf(record)["kind"] == "own_image"
    assert "note" not in used_prf(record)
    assert record["run"]["parameters"]["prf"] is None
    assert "prf_sets" not in record["run"]["parameters"]


def test_files_in_the_cache_are_used_unasked(
    report: Any, prf_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    shutil.copytree(prf_folder, cache / "prf")
    monkeypatch.setenv("BTV_REPORT_CACHE_DIR", str(cache))
    ran = report()
    assert used_prf(record_of(tmp_path / "workspace", ran.answer["run_id"]))["kind"] == "tess_prf"


def test_a_useless_cache_costs_a_warning_and_not_the_dossier(
    report: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache" / "prf").mkdir(parents=True)
    monkeypatch.setenv("BTV_REPORT_CACHE_DIR", str(tmp_path / "cache"))
    ran = report()
    assert ran.code == 0
    assert any("The PRF files in the cache are not used." in warning for warning in ran.answer["warnings"])


def test_a_folder_that_does_not_exist_is_a_usage_error(
    report: Any, run: Any, star: WrittenScene, tmp_path: Path
) -> None:
    (path,) = star.target_pixel_files
    for ran in (
        report("--prf", tmp_path / "nowhere"),
        run("check", path, *EPHEMERIS, "--prf", tmp_path / "nowhere", workspace=None),
    ):
        assert ran.code == 2
        assert "The PRF folder" in ran.stderr
        assert "does not exist" in ran.stderr


def test_a_folder_without_prf_files_is_told_before_anything_is_recorded(report: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = report("--prf", tmp_path / "empty")
    assert ran.code == 4
    assert "holds no usable set of TESS PRF files" in ran.stderr
    assert not list((tmp_path / "workspace" / "runs").glob("*/*.json"))


def test_a_damaged_file_is_a_warning_where_a_set_remains(report: Any, prf_folder: Path) -> None:
    (prf_folder / "a-prf-broken.fits").write_bytes(b"SIMPLE  =")
    ran = report("--prf", prf_folder)
    assert ran.code == 0
    assert any("a-prf-broken.fits is damaged" in warning for warning in ran.answer["warnings"])


def test_check_uses_the_same_prf_as_the_report(report: Any, run: Any, star: WrittenScene, prf_folder: Path) -> None:
    (path,) = star.target_pixel_files
    words = (
        "check",
        path,
        *EPHEMERIS,
        "--neighbours",
        star.neighbours,
        "--prf",
        prf_folder,
        "--json",
        "--no-plot-data",
    )
    checked = json.loads(run(*words, workspace=None).stdout)
    assert v09_of(checked) == v09_of(report("--prf", prf_folder).answer)


@pytest.mark.data
def test_sets_that_cannot_be_placed_are_told_where_they_were_asked_for(run: Any) -> None:
    """The real sector-83 file does not state its place on the detector."""
    data = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if not data.is_dir():
        pytest.skip("the real data (../shared/data) are not beside this checkout")
    (pixels,) = sorted((data / "mirror").rglob("*s0083*_tp.fits*"))
    words = ("--period", "14.2423724", "--epoch", "3540.26317", "--duration", "4.046", "--json")
    ran = run("check", pixels, *words, "--prf", data / "prf", workspace=None)
    assert ran.code == 0
    assert "does not say where on the detector the star stands" in ran.stderr
