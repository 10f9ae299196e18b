"""Folders of PRF files: what makes a set, and what is said of files that make none."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from btv_report.errors import ProductCorruptError, ProductRefusedError, UsageError
from btv_report.products.prf_files import read_prf_folder

Write = Callable[..., Any]


def test_a_set_knows_its_detector_places_samples_and_bytes(write_set: Write, folder: Path, prf_samples: Write) -> None:
    paths = write_set()
    (grid,) = read_prf_folder(folder).grids
    assert (grid.name, grid.camera, grid.ccd) == ("of 01-May-2019 (camera 1, CCD 3)", 1, 3)
    assert (grid.rows.tolist(), grid.columns.tolist()) == ([1, 1025, 2048], [45, 2092])
    assert grid.n_per_pixel == 9
    np.testing.assert_array_equal(grid.samples[1, 0], prf_samples(1025))
    digests = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)
    assert grid.sha256 == hashlib.sha256("".join(digests).encode()).hexdigest()


def test_releases_and_detectors_are_sets_of_their_own(write_set: Write, folder: Path) -> None:
    write_set("sectors4plus")
    write_set("sectors1-3", release="30-Jan-2019")
    write_set("other", camera=4, ccd=1)
    names = [grid.name for grid in read_prf_folder(folder).grids]
    assert names == [
        "of 01-May-2019 (camera 1, CCD 3)",
        "of 01-May-2019 (camera 4, CCD 1)",
        "of 30-Jan-2019 (camera 1, CCD 3)",
    ]


def test_a_release_written_over_two_days_is_one_set(write_set: Write, folder: Path) -> None:
    write_set("first-day", release="30-Jan-2019", rows=(1, 1025))
    write_set("second-day", release="31-Jan-2019", rows=(2048,))
    (grid,) = read_prf_folder(folder).grids
    assert grid.name == "of 30-Jan-2019 and 31-Jan-2019 (camera 1, CCD 3)"
    assert grid.samples.shape[:2] == (3, 2)


def test_files_are_told_by_their_header_and_may_be_compressed(write_set: Write, folder: Path) -> None:
    paths = write_set()
    (plain,) = read_prf_folder(folder).grids
    for i, path in enumerate(paths):
        (folder / f"{i}.fits.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    found = read_prf_folder(folder)
    assert [(grid.name, grid.sha256) for grid in found.grids] == [(plain.name, plain.sha256)]
    assert not found.warnings


def test_the_same_set_twice_counts_once(write_set: Write, folder: Path) -> None:
    write_set("here")
    write_set("there")
    (grid,) = read_prf_folder(folder).grids
    assert grid.samples.shape[:2] == (3, 2)


def test_two_images_of_one_place_are_not_chosen_among(write_set: Write, write_file: Write, folder: Path) -> None:
    write_set()
    write_file(folder / "again.fits", np.ones((117, 117)), 1.0, 45.0)
    with pytest.raises(ProductRefusedError, match="7 files with different bytes share 6 places"):
        read_prf_folder(folder)


def test_other_fits_files_are_passed_over_in_silence(write_set: Write, write_file: Write, folder: Path) -> None:
    write_set()
    write_file(folder / "uncertainties.fits", np.ones((117, 117)), 1.0, 45.0, DATATYPE="PRF_UNC")
    write_file(folder / "image.fits", np.ones((5, 5)), 1.0, 45.0, DATATYPE=None)
    (folder / "notes.fits").write_bytes(b"no FITS at all")
    found = read_prf_folder(folder)
    assert (len(found.grids), found.warnings) == (1, ())


def test_a_missing_row_leaves_a_usable_set_and_a_missing_place_none(write_set: Write, folder: Path) -> None:
    paths = write_set()
    for path in paths[:2]:
        path.unlink()
    assert read_prf_folder(folder).grids[0].rows.tolist() == [1025, 2048]
    paths[2].unlink()
    with pytest.raises(ProductRefusedError, match="of the 2 x 2 places of its grid only 3 have a file"):
        read_prf_folder(folder)


def test_a_damaged_file_is_named_and_the_other_sets_are_used(write_set: Write, folder: Path) -> None:
    broken = write_set("a", camera=4, ccd=1)[0]
    broken.write_bytes(broken.read_bytes()[:50_000])
    write_set("b")
    found = read_prf_folder(folder)
    assert [grid.camera for grid in found.grids] == [1]
    assert f"{broken.name} is damaged: truncated" in found.warnings[0]
    assert "camera 4, CCD 1) is not used" in found.warnings[1]


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000], ids=["empty", "garbage"])
def test_what_calls_itself_a_prf_file_and_is_none_is_damage(folder: Path, content: bytes) -> None:
    (folder / "tess2019107181901-prf-1-3-row0001-col0045.fits").write_bytes(content)
    with pytest.raises(ProductCorruptError, match="damaged"):
        read_prf_folder(folder)


STAR = np.ones((117, 117))
HOLE = np.where(np.arange(117) == 3, np.nan, STAR)


@pytest.mark.parametrize(
    ("data", "keywords", "said"),
    [
        pytest.param(STAR, {"CAM": 7.0}, "camera 7, CCD 3, row 1, column 45 is no place", id="camera"),
        pytest.param(STAR, {"CCD": 0.0}, "is no place on a TESS detector", id="ccd"),
        pytest.param(STAR, {"CCD_RREF": None}, "'CCD_RREF'", id="no place"),
        pytest.param(STAR, {"CAM": "four"}, "does not say camera", id="no number"),
        pytest.param(STAR, {"NSAMP": 0.0}, "0 a pixel, has no middle sample", id="no sampling"),
        pytest.param(STAR[:116, :116], {}, "116 x 116 samples", id="even"),
        pytest.param(STAR[:, :115], {}, "117 x 115 samples", id="oblong"),
        pytest.param(HOLE, {}, "not finite and positive", id="NaN"),
        pytest.param(-STAR, {}, "not finite and positive", id="negative"),
        pytest.param(STAR - 2 * np.eye(117), {}, "holds negative light", id="partly negative"),
        pytest.param(STAR, {"CCD": 2.5}, "CCD is 2.5", id="half a CCD"),
    ],
)
def test_a_sound_file_that_is_no_prf_of_a_star_is_refused(
    folder: Path, write_file: Write, data: Any, keywords: dict[str, Any], said: str
) -> None:
    write_file(folder / "tess2019107181901-prf-1-3-row0001-col0045.fits", data, 1.0, 45.0, **keywords)
    with pytest.raises(ProductRefusedError, match="holds no usable set") as caught:
        read_prf_folder(folder)
    assert said in str(caught.value)


def test_a_folder_without_prf_files_is_no_silence(folder: Path) -> None:
    with pytest.raises(ProductRefusedError, match="No FITS file in it says DATATYPE = 'PRF'"):
        read_prf_folder(folder)


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_a_folder_that_is_none_is_a_usage_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="does not exist or is no folder"):
        read_prf_folder(tmp_path / name)


@pytest.mark.data
def test_the_real_files_make_two_sets(real_prf_folder: Path) -> None:
    found = read_prf_folder(real_prf_folder)
    assert [(grid.camera, grid.ccd) for grid in found.grids] == [(1, 3), (4, 1)]
    assert not found.warnings
    for grid in found.grids:
        assert grid.rows.tolist() == [1, 513, 1025, 1536, 2048]
        assert grid.columns.tolist() == [45, 557, 1069, 1580, 2092]
        # Nine samples a pixel along each axis, each the light of a whole pixel.
        assert grid.samples.sum(axis=(2, 3)) / 81 == pytest.approx(1.0, abs=0.02)
