"""The walk over HDUs and the sums over raw bytes."""

from __future__ import annotations

import gzip
import tracemalloc
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from btv_report.fits.blocks import FitsStructureError, walk_hdus
from btv_report.fits.model import FitsSum
from btv_report.fits.sums import check_fits, check_fits_stream, ones_complement_sum


def standard_sum(data: bytes) -> int:
    total = sum(int.from_bytes(data[at : at + 4], "big") for at in range(0, len(data), 4))
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


@given(st.binary(max_size=400).map(lambda raw: raw[: len(raw) // 4 * 4]))
def test_sum_is_that_of_the_standard(raw: bytes) -> None:
    assert ones_complement_sum(raw) == standard_sum(raw)


def test_sum_agrees_with_astropys_datasum() -> None:
    stream = BytesIO()
    image = fits.ImageHDU(np.arange(5000, dtype=np.float32))
    image.add_datasum()
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(stream, checksum=True)
    content = stream.getvalue()
    check = check_fits(content)
    hdu = check.hdus[1]
    assert check.state is FitsSum.OK
    assert str(ones_complement_sum(content[hdu.data_start : hdu.end])) == hdu.header.cards["DATASUM"]


def test_large_file_is_checked_in_pieces_wherever_it_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "large.fits"
    pixels = np.random.default_rng(3).integers(0, 255, (30, 1_000_000), dtype=np.uint8)
    fits.HDUList([fits.PrimaryHDU(pixels), fits.ImageHDU(pixels)]).writeto(path, checksum=True)
    size = path.stat().st_size
    with path.open("r+b") as file:
        tracemalloc.start()
        assert check_fits_stream(file, size).state is FitsSum.OK
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak_bytes < size / 6
        for at in (5000, (1 << 20) + 17, size // 2, size - 1):
            file.seek(at)
            (byte,) = file.read(1)
            for value in (byte ^ 4, byte):
                file.seek(at)
                file.write(bytes([value]))
                file.seek(0)
                assert (check_fits_stream(file, size).state is FitsSum.OK) == (value == byte)


def test_f112_spoc_file_with_checksum_and_no_datasum_is_right(tmp_path: Path, write_product: Any) -> None:
    content = write_product(tmp_path / "a.fits").read_bytes()
    assert b"DATASUM" not in content
    check = check_fits(content)
    assert (check.state, check.reason) == (FitsSum.OK, "")
    assert [hdu.header.name for hdu in check.hdus] == ["PRIMARY", "LIGHTCURVE", "APERTURE"]


def test_file_without_sums_is_not_checkable(tmp_path: Path, write_product: Any) -> None:
    path = write_product(tmp_path / "a.fits", spoc=False, ORIGIN="repacked from SPOC")
    assert check_fits(path.read_bytes()).state is FitsSum.NOT_CHECKABLE


@pytest.mark.parametrize("kind", ["lc", "tp"])
def test_f091_every_flipped_bit_of_a_spoc_file_is_caught(tmp_path: Path, write_product: Any, kind: str) -> None:
    content = write_product(tmp_path / "a.fits", kind=kind).read_bytes()
    random = np.random.default_rng(91)
    for position in random.integers(0, len(content) * 8, 1000):
        flipped = bytearray(content)
        flipped[position // 8] ^= 1 << int(position % 8)
        check = check_fits(bytes(flipped))
        assert check.state is FitsSum.BAD, f"bit {position} was not seen"
        assert check.reason


def test_f091_datasum_is_verified_where_there_is_no_checksum() -> None:
    image = fits.ImageHDU(np.arange(1000, dtype=np.int32))
    image.add_datasum()
    stream = BytesIO()
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(stream)
    content = bytearray(stream.getvalue())
    assert check_fits(bytes(content)).state is FitsSum.NOT_CHECKABLE
    content[-2000] ^= 1
    check = check_fits(bytes(content))
    assert check.state is FitsSum.BAD
    assert "DATASUM" in check.reason


def test_f090_cut_at_every_block_and_one_byte_beside_it_is_caught(tmp_path: Path, write_product: Any) -> None:
    content = write_product(tmp_path / "a.fits", kind="tp").read_bytes()
    for block in range(0, len(content), 2880):
        for cut in {max(block - 1, 0), block, block + 1} - {len(content)}:
            check = check_fits(content[:cut])
            assert check.state is FitsSum.BAD, cut
            assert check.reason, cut


def test_f090_reason_says_where_and_how_many_bytes_are_missing(tmp_path: Path, write_product: Any) -> None:
    content = write_product(tmp_path / "a.fits").read_bytes()
    table = list(walk_hdus(content))[1]
    check = check_fits(content[: table.end - 1000])
    assert not check.whole
    assert check.reason == (
        f"truncated: HDU 1 (LIGHTCURVE) should end at byte {table.end:,}, but the file has {table.end - 1000:,} "
        "(1,000 bytes are missing)"
    )


def test_f090_spoc_file_cut_between_two_hdus_has_lost_its_aperture(tmp_path: Path, write_product: Any) -> None:
    content = write_product(tmp_path / "a.fits").read_bytes()
    aperture = list(walk_hdus(content))[2]
    check = check_fits(content[: aperture.start])
    assert check.state is FitsSum.BAD
    assert "PRIMARY, LIGHTCURVE and APERTURE" in check.reason


def test_f090_announced_extension_that_is_not_there_is_caught(tmp_path: Path, write_product: Any) -> None:
    path = write_product(tmp_path / "a.fits", spoc=False, ORIGIN="someone", NEXTEND=3)
    check = check_fits(path.read_bytes())
    assert check.state is FitsSum.BAD
    assert "announces 3 extensions" in check.reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"<html>Service unavailable</html>" * 200, "no FITS file"),
        (b"SIMPLE  =                    T" + b" " * 2850, "no usable BITPIX|no END card|truncated"),
    ],
)
def test_f014_what_is_no_fits_says_so(content: bytes, reason: str) -> None:
    check = check_fits(content)
    assert check.state is FitsSum.BAD
    assert any(part in check.reason for part in reason.split("|"))


def test_garbage_after_the_last_hdu_is_caught(tmp_path: Path, write_product: Any) -> None:
    content = write_product(tmp_path / "a.fits").read_bytes()
    assert "what follows HDU 2" in check_fits(content + bytes(2880)).reason


def test_impossible_sizes_are_caught_and_not_allocated() -> None:
    stream = BytesIO()
    fits.PrimaryHDU(np.zeros((3, 4), dtype=np.float32)).writeto(stream)
    negative = stream.getvalue().replace(b"NAXIS1  =                    4", b"NAXIS1  =                   -4")
    enormous = stream.getvalue().replace(b"NAXIS1  =                    4", b"NAXIS1  = 99999999999999999999")
    for content in (negative, enormous):
        with pytest.raises(FitsStructureError):
            list(walk_hdus(content))


@pytest.mark.data
def test_f112_real_spoc_files_sum_right(shared_data: Path) -> None:
    paths = sorted((shared_data / "lc").glob("**/tess2*_lc.fits"))
    assert len(paths) >= 20
    assert {check_fits(path.read_bytes()).state for path in paths} == {FitsSum.OK}


@pytest.mark.data
def test_f091_two_hundred_flips_in_real_spoc_files_are_caught(shared_data: Path) -> None:
    random = np.random.default_rng(200)
    paths = sorted((shared_data / "lc").glob("**/tess2*_lc.fits"))[:4]
    caught = 0
    for path in paths:
        content = bytearray(path.read_bytes())
        for position in random.integers(0, len(content) * 8, 50):
            byte, bit = int(position) // 8, 1 << (int(position) % 8)
            content[byte] ^= bit
            caught += check_fits(bytes(content)).state is FitsSum.BAD
            content[byte] ^= bit
    assert caught == 200


@pytest.mark.data
def test_repacked_pixel_file_is_not_checkable(shared_data: Path) -> None:
    path = next((shared_data / "mirror").glob("**/*_tp.fits.gz"))
    check = check_fits(gzip.decompress(path.read_bytes()))
    assert check.state is FitsSum.NOT_CHECKABLE
    assert [hdu.header.name for hdu in check.hdus] == ["PRIMARY", "PIXELS", "APERTURE"]
