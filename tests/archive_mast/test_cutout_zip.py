"""The zip of a cut-out: its one FITS file whole, or a reason, whatever the bytes are."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from random import Random

import pytest

from btv_report.archive.cutout_zip import unpack
from btv_report.archive.limits import Limits

CONTENT = bytes(range(256)) * 40


def zipped(*members: tuple[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def fine(path: Path) -> str:
    return "" if path.read_bytes() == CONTENT else "other bytes"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "cutout.fits").write_bytes(b"old")
    return folder / "cutout.fits"


def unpacked(data: bytes, place: Path, limits: Limits = Limits()) -> str:  # noqa: B008 - frozen
    archive = place.parent.parent / "answer.zip"
    archive.write_bytes(data)
    reason = unpack(archive, place, limits, check=fine)
    assert [path.name for path in place.parent.iterdir()] == [place.name]  # nothing is left beside it
    assert place.read_bytes() == (b"old" if reason else CONTENT)
    return reason


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_one_fits_file_is_put_in_place(place: Path, packing: int) -> None:
    assert unpacked(zipped(("manifest.txt", b"x"), ("a_astrocut.fits", CONTENT), packing=packing), place) == ""


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a zip"),
        (b"<html>busy</html>", "not a zip"),
        (zipped(("a.txt", b"x")), "holds 0 FITS files"),
        (zipped(("a.fits", CONTENT), ("b.fits", CONTENT)), "holds 2 FITS files"),
        (zipped(("a.fits", CONTENT[::-1])), "other bytes"),
        (zipped(("a.fits", CONTENT), packing=zipfile.ZIP_BZIP2), "not TESScut's"),
        (zipped(("a.fits", b"\0" * 5_000_000)), "would have 5,000,000 bytes"),
        (zipped(("../../a.fits", CONTENT))[:-30], "not a zip"),
    ],
)
def test_what_is_no_cut_out_is_a_reason(place: Path, data: bytes, words: str) -> None:
    assert words in unpacked(data, place)


def test_a_cut_out_over_the_size_limit_is_a_reason(place: Path) -> None:
    data = zipped(("a.fits", CONTENT), packing=zipfile.ZIP_STORED)
    assert "would have 10,240 bytes" in unpacked(data, place, Limits(product_bytes=10_000))


def test_one_that_wants_a_password_is_a_reason(place: Path) -> None:
    data = bytearray(zipped(("a.fits", CONTENT)))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "password" in unpacked(bytes(data), place)


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_no_damage_goes_unseen_or_ends_in_a_traceback(place: Path, packing: int) -> None:
    random = Random(5)
    whole = zipped(("a.fits", CONTENT), packing=packing)
    places = [*range(60), *range(len(whole) - 90, len(whole)), *(random.randrange(len(whole)) for _ in range(150))]
    for at in places:
        data = bytearray(whole)
        data[at] ^= 1 << random.randrange(8)
        place.write_bytes(b"old")
        unpacked(bytes(data), place)  # holds the bytes themselves, or the old ones and a reason
