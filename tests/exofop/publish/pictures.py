"""Pictures and documents as observers upload them, and as nobody should; all made here."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image

RED, BLUE = (220, 30, 30), (30, 30, 220)


def two_halves(width: int = 640, height: int = 480) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a picture."""
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def pdf(page: bytes = b"", *, box: bytes = b"0 0 400 300", catalog: bytes = b"", more: tuple[bytes, ...] = ()) -> bytes:
    """A document of one page, which is red on the left and blue on the right unless told; `more` are objects from number 5 on."""
    drawing = page or b"0.86 0.12 0.12 rg 0 0 200 300 re f 0.12 0.12 0.86 rg 200 0 200 300 re f"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox ["
        + box
        + b"] /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >> >>",
        b"<< /Length " + str(len(drawing)).encode() + b" >>\nstream\n" + drawing + b"\nendstream",
        *more,
    ]
    content, places = b"%PDF-1.7\n", []
    for number, item in enumerate(objects, start=1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    table += b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(content))
    return content + table + trailer


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk with its CRC."""
    return struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, rows: bytes, *, before: bytes = b"") -> bytes:
    """A grey PNG that states a size, with whatever pixels."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + before + png_chunk(b"IDAT", zlib.compress(rows, 9)) + png_chunk(b"IEND", b"")


def pdf_with_a_giant_picture(side: int) -> bytes:
    """A page whose picture has `side` x `side` points of one bit, packed to next to nothing."""
    packed = zlib.compress(bytes(side * side // 8), 9)
    picture = (
        b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 1 /ColorSpace /DeviceGray "
        b"/Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (side, side, len(packed), packed)
    )
    return pdf(b"400 0 0 300 0 0 cm /X Do", more=(picture,))


def pdf_that_never_ends() -> bytes:
    """A page whose form draws itself twice, and so on."""
    drawing = b"/X Do /X Do"
    form = (
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 400 300] /Resources << /XObject << /X 5 0 R >> >> /Length %d >>\n"
        b"stream\n%s\nendstream" % (len(drawing), drawing)
    )
    return pdf(drawing, more=(form,))
