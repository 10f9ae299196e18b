"""`btv-report dv --prf`: the sets at hand fit SPOC's images, and a folder that cannot be used ends with its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from btv_report.cli.main import cli

DvXml = Callable[..., bytes]


@pytest.fixture
def report(tmp_path: Path, dv_xml: DvXml) -> Path:
    """A DV report of a Gaussian star of sigma 0.75 px, whose signal lies 0.7 px from it."""
    path = tmp_path / "some_dvr.xml"
    path.write_bytes(dv_xml(target=(5.2, 5.4), source=(5.7, 4.9)))
    return path


@pytest.fixture
def prf_folder(tmp_path: Path) -> Path:
    """One PRF file of that star, at its place on camera 4, CCD 3."""
    from astropy.io import fits
    from scipy.special import ndtr

    offsets = (np.arange(117) - 58) / 9
    line = ndtr((offsets + 0.5) / 0.75) - ndtr((offsets - 0.5) / 0.75)
    hdu = fits.PrimaryHDU(np.outer(line, line))
    hdu.header.update({"DATATYPE": "PRF", "CAM": 4.0, "CCD": 3.0, "CCD_RREF": 338.0, "CCD_CREF": 664.0, "NSAMP": 9.0})
    hdu.header["DATE"] = "01-May-2019"
    (tmp_path / "prf").mkdir()
    hdu.writeto(tmp_path / "prf" / "a-prf-file.fits")
    return tmp_path / "prf"


def dv(report: Path, folder: Path) -> Result:
    result = CliRunner().invoke(cli, ["dv", str(report), "--prf", str(folder), "--json"], prog_name="btv-report")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_the_set_at_hand_is_used_and_named(report: Path, prf_folder: Path) -> None:
    ran = dv(report, prf_folder)
    (line,) = [json.loads(text, parse_constant=pytest.fail) for text in ran.stdout.splitlines()]
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert line["prf"] == {
        "kind": "tess_prf",
        "description": "the TESS PRF files of 01-May-2019 (camera 4, CCD 3)",
    }
    assert line["distance_px"] == pytest.approx(0.0, abs=0.002)
    assert line["ours"]["quality"] > 0.999


def test_a_set_in_the_cache_is_used_unasked(report: Path, prf_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = dv(report, prf_folder).stdout
    monkeypatch.setenv("BTV_REPORT_CACHE_DIR", str(prf_folder.parent))
    unasked = CliRunner().invoke(cli, ["dv", str(report), "--json"], prog_name="btv-report")
    assert unasked.stdout == asked
    assert "tess_prf" in unasked.stdout


def test_a_damaged_file_beside_a_set_is_a_warning(report: Path, prf_folder: Path) -> None:
    (prf_folder / "b-prf-file.fits").write_bytes(b"SIMPLE  =")
    ran = dv(report, prf_folder)
    assert ran.exit_code == 0
    assert ran.stderr.startswith("Warning: The PRF file b-prf-file.fits is damaged: ")
    assert len(ran.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        pytest.param(None, 2, "does not exist or is no folder", id="no folder"),
        pytest.param({}, 4, "No FITS file in it says DATATYPE = 'PRF'", id="empty"),
        pytest.param({"foreign.fits": b"SIMPLE  =                    T".ljust(2880)}, 4, "No FITS file", id="foreign"),
        pytest.param({"a-prf-file.fits": b"SIMPLE  ="}, 5, "a-prf-file.fits is damaged", id="damaged"),
    ],
)
def test_a_folder_that_cannot_be_used_ends_with_a_sentence_before_any_file(
    report: Path, tmp_path: Path, content: dict[str, bytes] | None, code: int, said: str
) -> None:
    folder = tmp_path / "given"
    if content is not None:
        folder.mkdir()
        for name, data in content.items():
            (folder / name).write_bytes(data)
    ran = dv(report, folder)
    assert (ran.exit_code, ran.stdout) == (code, "")
    assert said in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_set_that_lacks_the_files_about_the_star_is_not_used_and_told(report: Path, prf_folder: Path) -> None:
    from astropy.io import fits

    (path,) = prf_folder.iterdir()
    fits.setval(path, "CCD_RREF", value=2048.0)
    ran = dv(report, prf_folder)
    (line,) = [json.loads(text) for text in ran.stdout.splitlines()]
    why = "the PRF set of 01-May-2019 (camera 4, CCD 3) is not used, because its files at hand do not surround the star"
    assert (line["status"], line["prf"]["kind"], line["reason"]) == ("ok", "gaussian", why)
    table = CliRunner().invoke(cli, ["dv", str(report), "--prf", str(prf_folder)], prog_name="btv-report").stdout
    assert f"* TIC 307210830, planet 1, sector 2: {why}.\n" in table
