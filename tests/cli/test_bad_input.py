"""Bad input: a sentence that names target, file and remedy, the exit code of the contracts, and nothing lost."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from btv_report.archive.limits import Limits
from btv_report.simulation.fits_files import WrittenScene

TIC_ID = 9000000077
EPHEMERIS = ("--period", "1.3", "--epoch", "2100.9", "--duration", "2.0")
DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real data folder does not stand beside the checkout")
PI_MENSAE = "261136679"


@pytest.fixture
def mirror(star: WrittenScene, tmp_path: Path) -> Path:
    """A copy of the star's files that a test may damage."""
    return Path(shutil.copytree(star.folder, tmp_path / "mirror"))


def edited(path: Path, change: Callable[[fits.HDUList], None]) -> Path:
    """Change a FITS file in place and drop its sums, as a tool that re-packs files does."""
    with fits.open(path) as original:
        hdus = fits.HDUList([hdu.copy() for hdu in original])
    change(hdus)
    for hdu in hdus:
        for key in ("CHECKSUM", "DATASUM"):
            hdu.header.remove(key, ignore_missing=True)
    hdus.writeto(path, overwrite=True)
    return path


def file_of(mirror: Path, ending: str) -> Path:
    return next(mirror.rglob(f"*{ending}.fits*"))


@pytest.mark.parametrize(
    "words",
    [
        ("--period", "0", "--epoch", "1", "--duration", "2"),
        ("--period", "-3", "--epoch", "1", "--duration", "2"),
        ("--period", "3"),
        ("--period", "3", "--duration", "2"),
        ("--period", "3", "--epoch", "nan", "--duration", "2"),
        ("--period", "1e300", "--epoch", "2100.9", "--duration", "2"),
        ("--period", "inf", "--epoch", "2100.9", "--duration", "2"),
        ("--period", "3", "--epoch", "1e300", "--duration", "2"),
        ("--period", "3", "--epoch", "2100.9", "--duration", "1e300"),
        ("--period", "3", "--epoch", "2100.9", "--duration", "inf"),
        ("--period", "3", "--epoch", "2100.9", "--duration", "1e-300"),
        ("--period", "1e300", "--epoch", "1e300", "--duration", "1e299"),
        ("--quality-mask", "soft"),
        ("--no-such-option",),
    ],
)
def test_impossible_questions_are_usage_errors(run: Any, mirror: Path, words: tuple[str, ...]) -> None:
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", *words)
    assert ran.code == 2
    assert ran.stdout == ""
    assert "Error" in ran.stderr


@pytest.mark.parametrize("values", [("1e300", "2100.9", "2"), ("3", "1e300", "2"), ("3", "2100.9", "nan")])
def test_impossible_ephemeris_is_refused_before_a_file_is_read(run: Any, values: tuple[str, str, str]) -> None:
    words = [word for pair in zip(("--period", "--epoch", "--duration"), values, strict=True) for word in pair]
    ran = run("check", "no_such_tp.fits", *words, workspace=None)
    assert (ran.code, ran.stdout) == (2, "")
    assert "of candidate user" in ran.stderr
    assert "no_such_tp.fits" not in ran.stderr


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("values", [("1e6", "2100.9", "2"), ("1e6", "2100.9", "2e7"), ("0.01", "-36525", "0.2")])
def test_most_extreme_ephemeris_is_answered_without_a_warning(
    run: Any, mirror: Path, values: tuple[str, str, str]
) -> None:
    words = [word for pair in zip(("--period", "--epoch", "--duration"), values, strict=True) for word in pair]
    assert run("check", file_of(mirror, "_tp"), *words, workspace=None).code == 0
    assert run(str(TIC_ID), "--mirror", mirror, "--offline", *words).code == 0


@pytest.mark.parametrize("target", ["TIC ../../x", "0", "-5", "TOI-1/../../x", "12:61:00 +10:00:00", "400 95", "a\nb"])
def test_f081_text_that_can_be_no_target_is_a_usage_error(run: Any, mirror: Path, target: str) -> None:
    assert run(target, "--mirror", mirror, "--offline").code == 2


@pytest.mark.parametrize("target", ["TOI-1262", "pi Men", "12:02:54.4 +74:03:39.6"])
def test_name_that_was_never_looked_up_cannot_be_used_offline(run: Any, mirror: Path, target: str) -> None:
    ran = run(target, "--mirror", mirror, "--offline")
    assert ran.code == 4
    assert "looked up" in ran.stderr


@pytest.mark.parametrize("word", ["demmo", "verfy", "calibrat"])
def test_mistyped_command_is_not_taken_for_a_star(run: Any, word: str) -> None:
    ran = run(word)
    assert ran.code == 2
    assert "Did you mean" in ran.stderr


def test_mirror_that_does_not_exist_is_named(run: Any, tmp_path: Path) -> None:
    ran = run(str(TIC_ID), "--mirror", tmp_path / "nowhere", "--offline")
    assert ran.code == 2
    assert "nowhere" in ran.stderr


def test_neighbours_table_that_does_not_exist_is_named(run: Any, mirror: Path, tmp_path: Path) -> None:
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", "--neighbours", tmp_path / "stars.csv")
    assert ran.code == 2
    assert "stars.csv" in ran.stderr


def test_f093_target_that_the_mirror_does_not_hold(run: Any, mirror: Path, tmp_path: Path) -> None:
    ran = run("TIC 5", "--mirror", mirror, "--offline", "--json")
    assert ran.code == 4
    assert ran.answer["status"] == "nothing"
    assert "TIC 5" in ran.stderr
    assert str(TIC_ID) in ran.stderr
    assert not (tmp_path / "workspace" / "runs" / "5").exists()


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers here, and the waits between tries are tested elsewhere."""
    for stage in ("target", "exofop"):
        monkeypatch.setattr(f"btv_report.stages.{stage}.LIMITS", Limits(backoff_s=0.001))


def test_no_mirror_at_all_says_where_to_look(run: Any, impatience: None) -> None:
    ran = run("TIC 365938305")
    assert ran.code == 4
    assert "--mirror" in ran.stderr


@pytest.mark.parametrize("reference", [2454833, None])
def test_f107_light_curve_that_is_not_btjd_is_refused_with_the_reason(
    run: Any, mirror: Path, reference: int | None
) -> None:
    def change(hdus: fits.HDUList) -> None:
        hdus[1].header["BJDREFI"] = reference
        if reference is None:
            del hdus[1].header["BJDREFI"]

    edited(file_of(mirror, "_lc"), change)
    file_of(mirror, "_tp").unlink()
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline")
    assert ran.code == 4
    assert str(reference) in ran.stderr or "BJDREFI" in ran.stderr


def test_f102_every_cadence_flagged_is_nothing_usable(run: Any, mirror: Path) -> None:
    def change(hdus: fits.HDUList) -> None:
        hdus[1].data["QUALITY"][:] = 128

    for ending in ("_lc", "_tp"):
        edited(file_of(mirror, ending), change)
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", *EPHEMERIS)
    assert ran.code == 4
    assert "flag" in ran.stderr
    assert run(str(TIC_ID), "--mirror", mirror, "--offline", *EPHEMERIS, "--quality-mask", "none").code == 0


def test_f105_stamp_of_one_pixel_is_refused_and_the_light_curve_still_shown(run: Any, mirror: Path) -> None:
    def change(hdus: fits.HDUList) -> None:
        table = hdus[1]
        columns = [
            fits.Column(
                column.name,
                column.format if column.dim is None else column.format[-1],
                unit=column.unit,
                array=table.data[column.name] if column.dim is None else table.data[column.name][:, 5, 5],
                dim=None if column.dim is None else "(1,1)",
            )
            for column in table.columns
        ]
        hdus[1] = fits.BinTableHDU.from_columns(columns, header=fits.Header(), name="PIXELS")
        for key in ("TICID", "TIMESYS", "BJDREFI", "BJDREFF", "TIMEUNIT", "SECTOR"):
            if key in table.header:
                hdus[1].header[key] = table.header[key]
        hdus[2] = fits.ImageHDU(np.full((1, 1), 3, np.int32), name="APERTURE")

    path = edited(file_of(mirror, "_tp"), change)
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", *EPHEMERIS, "--json")
    assert ran.code == 3
    assert path.name in " ".join(ran.answer["warnings"])
    assert "1 x 1" in " ".join(ran.answer["warnings"])
    file_of(mirror, "_lc").unlink()
    assert run(str(TIC_ID), "--mirror", mirror, "--offline", *EPHEMERIS).code == 4


def test_f111_file_without_quality_column_is_used_and_says_so(run: Any, mirror: Path) -> None:
    def change(hdus: fits.HDUList) -> None:
        hdus[1].columns.change_name("QUALITY", "FLAGS")

    for ending in ("_lc", "_tp"):
        edited(file_of(mirror, ending), change)
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", *EPHEMERIS, "--json")
    assert ran.code == 0
    assert sum("no QUALITY column" in warning for warning in ran.answer["warnings"]) == 2


def test_f091_flipped_bit_in_one_of_two_files_leaves_a_gap(run: Any, mirror: Path) -> None:
    path = file_of(mirror, "_tp")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 4
    path.write_bytes(raw)
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", *EPHEMERIS, "--json")
    assert ran.code == 3
    assert ran.answer["status"] == "gaps"
    product = next(product for product in ran.answer["products"] if product["file"] == path.name)
    assert (product["state"], product["fits_sum"], product["used"]) == ("CORRUPT", "bad", False)
    assert "Fetch the file again" in ran.stderr


def test_f090_only_product_truncated_is_an_integrity_failure(run: Any, mirror: Path) -> None:
    file_of(mirror, "_tp").unlink()
    path = file_of(mirror, "_lc")
    path.write_bytes(path.read_bytes()[:-2880])
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", "--json")
    assert ran.code == 5
    assert path.name in ran.stderr
    assert ran.answer["products"][0]["state"] == "CORRUPT"


def test_asked_sector_that_is_not_there_is_a_gap_beside_one_that_is(run: Any, mirror: Path) -> None:
    assert run(str(TIC_ID), "--mirror", mirror, "--offline", "--sector", "99").code == 4
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", "--sector", "99", "--sector", "30", "--json")
    assert ran.code == 3
    assert any("sector 99" in warning for warning in ran.answer["warnings"])


def test_failed_run_leaves_the_dossier_of_the_run_before(run: Any, mirror: Path, tmp_path: Path) -> None:
    page = tmp_path / "workspace" / run(str(TIC_ID), "--mirror", mirror, "--offline", "--json").answer["page"]
    before = page.read_bytes()
    for path in mirror.rglob("*.fits"):
        path.write_bytes(path.read_bytes()[:5000])
    assert run(str(TIC_ID), "--mirror", mirror, "--offline").code == 5
    assert page.read_bytes() == before


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder where not even root can make files")
def test_f143_workspace_where_nothing_can_be_made(run: Any, mirror: Path) -> None:
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", workspace=Path("/proc/btv-report"))
    assert ran.code == 6
    assert "btv-report" in ran.stderr


def test_f142_disk_that_is_full_is_named_and_nothing_half_made_stays(
    run: Any, mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline")
    assert ran.code == 6
    assert "space" in ran.stderr.lower()
    assert not list((tmp_path / "workspace" / "runs").rglob("*.json"))


def test_f143_workspace_that_is_a_file(run: Any, mirror: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "inside"):
        ran = run(str(TIC_ID), "--mirror", mirror, "--offline", workspace=place)
        assert ran.code == 6
        assert "file" in ran.stderr
    assert (tmp_path / "file").read_text() == "mine"


def test_f131_control_characters_of_a_header_do_not_reach_the_terminal(
    run: Any, mirror: Path, impatience: None
) -> None:
    path = file_of(mirror, "_tp")
    path.rename(path.with_name("evil\x1b[31m_tp.fits"))
    ran = run(str(TIC_ID), "--mirror", mirror, "--dry-run")
    assert "\x1b" not in ran.stdout + ran.stderr


@needs_data
@pytest.mark.data
@pytest.mark.parametrize(
    "name",
    [
        "test-lc-tess-pimen-corrupted-at-header.fits",
        "test-lc-tess-pimen-corrupted.fits",
        "test-tpf-tess-pimen-corrupted-at-header.fits",
        "test-tpf-tess-pimen-corrupted-at-header2.fits",
        "test-tpf-tess-pimen-corrupted.fits",
    ],
)
def test_f090_real_damaged_file_alone_and_beside_a_good_one(
    run: Any, star: WrittenScene, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "damaged"
    folder.mkdir()
    shutil.copy(DATA / "broken" / name, folder)
    alone = run("TIC", PI_MENSAE, "--mirror", folder, "--offline")
    assert alone.code == 5
    assert name in alone.stderr
    good = folder / "good_lc.fits"
    shutil.copy(star.light_curves[0], good)

    def change(hdus: fits.HDUList) -> None:
        for hdu in hdus[:2]:
            hdu.header["TICID"] = int(PI_MENSAE)

    edited(good, change)
    beside = run("TIC", PI_MENSAE, "--mirror", folder, "--offline", "--json")
    assert beside.code == 3
    assert name in " ".join(beside.answer["warnings"])


@needs_data
@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "target"),
    [
        ("tpf/kepler_kic6804648_q10_contaminated_1000cad.fits", "6804648"),
        ("tpf/test-tpf-tesscut_1x1.fits", PI_MENSAE),
        ("lc/spoc/tess2018206045859-s0001-0000000149603524-0120-s_lc.fits", PI_MENSAE),
    ],
)
def test_real_files_that_are_not_the_target_s_end_with_four(run: Any, tmp_path: Path, file: str, target: str) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    shutil.copy(DATA / file, folder)
    ran = run(target, "--mirror", folder, "--offline")
    assert ran.code == 4
    assert Path(file).name in ran.stderr
    if "kepler" in file:
        assert "2454833" in ran.stderr
