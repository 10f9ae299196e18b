"""Thumbnails: small, true to the picture, made of pixels alone, and the same every time."""

from __future__ import annotations

import io
import struct
import subprocess
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from tests.exofop.publish import pictures
from tests.exofop.publish.conftest import Put

from btv_report.exofop.payloads.thumbnail_worker import MAX_BYTES
from btv_report.exofop.payloads.thumbnails import MOST_THUMBNAILS, is_plain_png, png_size, thumbnails

CANARY = b"observer-canary-7731"


def thumbnail(path: Path) -> bytes | None:
    return thumbnails([path]).get(path)


def pixels(content: bytes | None) -> Image.Image:
    assert content is not None
    return Image.open(io.BytesIO(content)).convert("RGB")


def is_close(found: object, wanted: tuple[int, int, int]) -> bool:
    assert isinstance(found, tuple)
    return all(abs(one - other) < 12 for one, other in zip(found, wanted, strict=True))


def chunks(content: bytes) -> list[bytes]:
    at, kinds = 8, []
    while at < len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        kinds.append(kind)
        at += 12 + length
    return kinds


FILES = {
    "plot.png": pictures.saved(pictures.two_halves(), "PNG"),
    "plot.jpg": pictures.saved(pictures.two_halves(), "JPEG", quality=95),
    "plot.gif": pictures.saved(pictures.two_halves(), "GIF"),
    "plot.tif": pictures.saved(pictures.two_halves(), "TIFF", compression="tiff_lzw"),
    "plot.pdf": pictures.pdf(),
}


@pytest.mark.parametrize("name", FILES)
def test_each_kind_has_a_small_true_and_plain_thumbnail(put: Put, name: str) -> None:
    content = thumbnail(put(name, FILES[name]))
    image = pixels(content)
    assert image.size == (200, 150)
    assert is_close(image.getpixel((20, 75)), pictures.RED)
    assert is_close(image.getpixel((180, 75)), pictures.BLUE)
    assert content is not None
    assert len(content) <= MAX_BYTES
    assert set(chunks(content)) == {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
    assert png_size(content) == image.size


def test_f163_the_same_file_gives_the_same_bytes(put: Put) -> None:
    paths = [put(name, content) for name, content in FILES.items()]
    assert thumbnails(paths) == thumbnails(list(reversed(paths)))


def test_f077_kind_is_told_by_the_bytes_not_by_the_name(put: Put) -> None:
    assert thumbnail(put("table.dat", FILES["plot.png"])) is not None
    assert thumbnail(put("really.png", b"time flux\n1 2\n")) is None


@pytest.mark.parametrize(("size", "shown"), [((40, 30), (40, 30)), ((3000, 10), (200, 1)), ((300, 900), (50, 150))])
def test_a_picture_keeps_its_shape_and_is_never_enlarged(
    put: Put, size: tuple[int, int], shown: tuple[int, int]
) -> None:
    content = thumbnail(put("a.png", pictures.saved(pictures.two_halves(*size), "PNG")))
    assert pixels(content).size == shown


def test_what_is_transparent_lies_on_white(put: Put) -> None:
    clear = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    palette = Image.new("P", (100, 100), 0)
    for number, content in enumerate(
        [pictures.saved(clear, "PNG"), pictures.saved(palette, "PNG", transparency=0), pictures.saved(clear, "TIFF")]
    ):
        assert pixels(thumbnail(put(f"{number}.png", content))).getpixel((50, 50)) == (255, 255, 255)


@pytest.mark.parametrize(("mode", "step"), [("I;16", 1), ("I", 1000), ("F", 0.5)])
def test_numbers_beyond_8_bits_are_stretched_from_black_to_white(put: Put, mode: str, step: float) -> None:
    ramp = Image.new("F", (200, 150))
    ramp.putdata([step * (column + 7) for _ in range(150) for column in range(200)])
    image = pixels(thumbnail(put("ramp.tif", pictures.saved(ramp.convert(mode), "TIFF"))))
    left, right = image.getpixel((1, 70)), image.getpixel((198, 70))
    assert is_close(left, (4, 4, 4))
    assert is_close(right, (251, 251, 251))


def test_f138_nothing_of_the_files_remarks_is_in_the_thumbnail(put: Put) -> None:
    remarks = PngImagePlugin.PngInfo()
    remarks.add_text("Comment", CANARY.decode())
    exif = Image.Exif()
    exif[0x010E] = CANARY.decode()
    paths = [
        put("a.png", pictures.saved(pictures.two_halves(), "PNG", pnginfo=remarks, exif=exif, icc_profile=CANARY)),
        put("a.jpg", pictures.saved(pictures.two_halves(), "JPEG", exif=exif, comment=CANARY, icc_profile=CANARY)),
        put("a.gif", pictures.saved(pictures.two_halves(), "GIF", comment=CANARY)),
        put("a.pdf", pictures.pdf(catalog=b"/Note (" + CANARY + b")")),
    ]
    drawn = thumbnails(paths)
    assert len(drawn) == len(paths)
    assert all(CANARY in path.read_bytes() and CANARY not in content for path, content in drawn.items())


def test_noise_is_made_smaller_until_it_fits(put: Put) -> None:
    noise = Image.effect_noise((900, 900), 120).convert("RGB")
    content = thumbnail(put("noise.png", pictures.saved(noise, "PNG")))
    assert content is not None
    assert is_plain_png(content)


def test_only_so_many_are_drawn(put: Put) -> None:
    small = pictures.saved(pictures.two_halves(16, 12), "PNG")
    paths = [put(f"{number:03d}.png", small) for number in range(MOST_THUMBNAILS + 9)]
    assert list(thumbnails(paths)) == paths[:MOST_THUMBNAILS]


def test_no_time_no_thumbnails(put: Put) -> None:
    assert thumbnails([put("plot.png", FILES["plot.png"])], budget_s=0.0) == {}


def test_nothing_is_started_where_there_is_nothing_to_draw(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
    assert thumbnails([put("a.dat", b"1 2 3\n"), put("b.html", b"<!doctype html><p>x</p>")]) == {}


@pytest.mark.parametrize(
    "content",
    [
        FILES["plot.png"],
        b"",
        pictures.png_of(4, 4, bytes(20))[:-1],
        pictures.png_of(4, 4, bytes(20)) + b"x",
        pictures.png_of(4, 4, bytes(20), before=pictures.png_chunk(b"tEXt", b"Comment\0" + CANARY)),
        pictures.png_of(201, 4, bytes(804)),
        pictures.png_of(0, 4, b""),
    ],
    ids=["too large a picture", "nothing", "cut", "more behind", "remark", "too wide", "no width"],
)
def test_only_a_plain_small_png_is_taken(content: bytes) -> None:
    assert not is_plain_png(content)
    assert is_plain_png(pictures.png_of(4, 4, bytes(20)))
