"""Folders of PRF files as disks hold them: links, pipes, other names, bombs and flipped bytes."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btv_report.errors import BtvReportError, ProductCorruptError, ProductRefusedError
from btv_report.products.prf_files import MAX_PRF_BYTES, read_prf_folder

Write = Callable[..., Any]


def test_a_set_is_the_same_under_any_names_and_in_any_folders(write_set: Write, folder: Path) -> None:
    paths = write_set()
    (before,) = read_prf_folder(folder).grids
    for i, path in enumerate(paths):
        place = folder / f"part {i % 2}" / f"tess2018243163601-prf-4-4-row{9 - i:04d}-col0001.FITS"
        place.parent.mkdir(exist_ok=True)
        if i % 3:
            path.rename(place)
        else:
            place.with_name(f"{place.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    (after,) = read_prf_folder(folder).grids
    assert (after.name, after.sha256, after.camera, after.ccd) == (before.name, before.sha256, 1, 3)
    assert (after.rows.tolist(), after.columns.tolist()) == (before.rows.tolist(), before.columns.tolist())
    np.testing.assert_array_equal(after.samples, before.samples)


def test_one_other_byte_is_another_set(write_set: Write, folder: Path) -> None:
    paths = write_set()
    (before,) = read_prf_folder(folder).grids
    content = bytearray(paths[0].read_bytes())
    content[-3000] ^= 1
    paths[0].write_bytes(content)
    (after,) = read_prf_folder(folder).grids
    assert after.name == before.name
    assert after.sha256 != before.sha256


def test_links_to_files_are_followed_and_links_to_nothing_told(write_set: Write, folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    for path in write_set():
        elsewhere.mkdir(exist_ok=True)
        shutil.move(path, elsewhere)
        path.symlink_to(elsewhere / path.name)
    (folder / "tess2019107181901-prf-1-3-row0001-col9999.fits").symlink_to(elsewhere / "gone.fits")
    (folder / "loop.fits").symlink_to(folder / "loop.fits")
    found = read_prf_folder(folder)
    assert found.grids[0].samples.shape[:2] == (3, 2)
    (warning,) = found.warnings
    assert warning.startswith("tess2019107181901-prf-1-3-row0001-col9999.fits cannot be read: ")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_folders_with_the_name_of_a_file_are_not_waited_for(write_set: Write, folder: Path) -> None:
    write_set()
    os.mkfifo(folder / "pipe-prf-1.fits")
    (folder / "folder-prf-1.fits").mkdir()
    found = read_prf_folder(folder)
    assert (len(found.grids), found.warnings) == (1, ())


def test_a_truncated_gzip_file_under_another_name_is_damage(write_set: Write, folder: Path) -> None:
    for path in write_set(rows=(1,), columns=(45,)):
        (folder / "renamed.fits.gz").write_bytes(gzip.compress(path.read_bytes())[:-2000])
        path.unlink()
    with pytest.raises(ProductCorruptError, match=r"renamed\.fits\.gz is damaged: its compressed stream ends early"):
        read_prf_folder(folder)


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(write_set: Write, folder: Path) -> None:
    (path,) = write_set(rows=(1,), columns=(45,))
    bomb = gzip.compress(path.read_bytes() + bytes(MAX_PRF_BYTES), 1)
    assert len(bomb) < MAX_PRF_BYTES / 10
    path.unlink()
    (folder / "bomb-prf-.fits.gz").write_bytes(bomb)
    with pytest.raises(ProductRefusedError, match="decompresses to more than"):
        read_prf_folder(folder)


def test_a_sum_that_does_not_hold_is_damage(write_set: Write, folder: Path) -> None:
    from astropy.io import fits

    (path,) = write_set(rows=(1,), columns=(45,))
    with fits.open(path) as hdus:
        hdus.writeto(folder / "summed.fits", checksum=True)
    path.unlink()
    assert len(read_prf_folder(folder).grids) == 1
    content = bytearray((folder / "summed.fits").read_bytes())
    content[-3000] ^= 1
    (folder / "summed.fits").write_bytes(content)
    with pytest.raises(ProductCorruptError, match=r"summed\.fits is damaged: "):
        read_prf_folder(folder)


@pytest.fixture(scope="module")
def small_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound PRF file of 27 x 27 samples, in a folder of its own."""
    from astropy.io import fits

    offsets = (np.arange(27) - 13) / 9
    hdu = fits.PrimaryHDU(np.exp(-(offsets[:, None] ** 2) - offsets**2))
    hdu.header.update({"DATATYPE": "PRF", "CAM": 1.0, "CCD": 3.0, "CCD_RREF": 5.0, "CCD_CREF": 6.0, "NSAMP": 9.0})
    hdu.header["DATE"] = "01-May-2019"
    path = tmp_path_factory.mktemp("small") / "some-prf-file.fits"
    hdu.writeto(path)
    return path


@settings(max_examples=250, deadline=None, derandomize=True)
@given(
    changes=st.lists(st.tuples(st.integers(0, 1300), st.binary(min_size=1, max_size=8)), max_size=4),
    length=st.one_of(st.none(), st.integers(0, 8640)),
)
def test_changed_bytes_end_in_a_set_or_a_sentence(
    small_file: Path, changes: list[tuple[int, bytes]], length: int | None
) -> None:
    """Bytes of the header, and of the first samples, are replaced; the file is cut anywhere."""
    sound = small_file.read_bytes()
    content = bytearray(sound)
    for place, piece in changes:
        at = place if place < 1000 else 2880 + place - 1000
        content[at : at + len(piece)] = piece
    small_file.write_bytes(content[:length])
    try:
        assert_set_or_sentence(small_file.parent)
    finally:
        small_file.write_bytes(sound)


KEYWORDS = ("SIMPLE", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "CAM", "CCD", "CCD_RREF", "CCD_CREF", "NSAMP", "DATE")
VALUES = (
    "nan",
    "inf",
    "-inf",
    "-1",
    "0",
    "1",
    "2.5",
    "3",
    "1E400",
    "1E-400",
    "99999999999999",
    "",
    "T",
    "'it''s'",
    "-32",
    "4.D0",
)


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_senseless_values_of_a_keyword_end_in_a_set_or_a_sentence(small_file: Path, keyword: str) -> None:
    sound = small_file.read_bytes()
    at = sound.index(f"{keyword:8}= ".encode())
    try:
        for value in VALUES:
            card = f"{keyword:8}= {value:>20}".ljust(80).encode()
            small_file.write_bytes(sound[:at] + card + sound[at + 80 :])
            assert_set_or_sentence(small_file.parent)
    finally:
        small_file.write_bytes(sound)


@pytest.mark.parametrize("scale", [1e308, 1e-308, 1e-322])
def test_light_of_no_size_is_refused(tmp_path: Path, write_file: Write, scale: float) -> None:
    write_file(tmp_path / "some-prf-file.fits", np.full((27, 27), scale), 5.0, 6.0)
    with pytest.raises(ProductRefusedError, match="is not finite and positive"):
        read_prf_folder(tmp_path)


def assert_set_or_sentence(folder: Path) -> None:
    """Either a grid that draws a finite star, or a sentence of bearable length."""
    try:
        (grid,) = read_prf_folder(folder).grids
    except BtvReportError as error:
        said = str(error)
    else:
        image = grid.at(1.0, 1.0, (7, 7)).evaluate(np.array([3.0]), np.array([3.0]))
        assert np.isfinite(image).all()
        return
    assert "holds no usable set of TESS PRF files. " in said
    assert len(said) < 700
