"""A small whole file of each kind, put together byte by byte; each ends with the last byte of its own end mark."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
import zlib

from btv_report.exofop.payloads.kinds import PayloadKind


def png(*, before_end: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + before_end + chunk(b"IDAT", zlib.compress(bytes(6))) + chunk(b"IEND", b"")


def jpeg() -> bytes:
    """With a thumbnail, which ends like a picture, two scans, escaped bytes, a restart and a fill byte."""
    thumbnail = b"\xff\xd8\xff\xda\x00\x02abc\xff\xd9"
    segments = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + b"\xff\xc0\x00\x04ab"
    return b"\xff\xd8" + segments + b"\xff\xda\x00\x03x12\xff\x0034\xff\xd056\xff\xda\x00\x03y789\xff\xff\xd9"


def gif() -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", 2, 2, 0x80, 0, 0) + bytes(6)
    comment = b"!\xfe\x03;;;\x00"
    image = b"," + struct.pack("<HHHHB", 0, 0, 2, 2, 0x81) + bytes(12) + b"\x02\x03;,!\x01;\x00"
    return head + comment + image + b";"


def tiff(order: str = "<") -> bytes:
    """The directory first, then two strips of picture data with their places and lengths."""
    entries = [(256, 3, 1, 2), (273, 4, 2, 62), (279, 3, 2, 78), (305, 2, 8, 82)]
    table = b"".join(_tiff_entry(order, *entry) for entry in entries)
    header = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    body = header + struct.pack(f"{order}H", 4) + table + bytes(4)
    assert len(body) == 62
    places = struct.pack(f"{order}II", 90, 94)
    return body + places + bytes(8) + struct.pack(f"{order}HH", 4, 6) + b"writer\x00\x00" + b"strip1" + b"last"


def _tiff_entry(order: str, tag: int, kind: int, count: int, value: int) -> bytes:
    if tag == 256:
        return struct.pack(f"{order}HHIHH", tag, kind, count, value, 0)
    if tag == 279:
        return struct.pack(f"{order}HHIHH", tag, kind, count, 4, 6)
    return struct.pack(f"{order}HHII", tag, kind, count, value)


def pdf(*, trailing: bytes = b"") -> bytes:
    body = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n2 0 obj\n(a note on %%EOF)\nendobj\n"
    table = b"xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Root 1 0 R /Size 1 >>\n"
    return body + table + b"startxref\n" + str(len(body)).encode() + b"\n%%EOF" + trailing


def ps() -> bytes:
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n0 0 moveto 10 10 lineto stroke\nshowpage\n%%EOF"


def eps_with_preview() -> bytes:
    return b"\xc5\xd0\xd3\xc6" + struct.pack("<6IH", 30, 20, 0, 0, 50, 10, 0xFFFF) + bytes(30)


def svg() -> bytes:
    inner = b'<svg x="1"><g></g></svg>'
    return b'<?xml version="1.0"?>\n<!-- a plot -->\n<svg xmlns="http://www.w3.org/2000/svg">' + inner + b"<g/></svg>"


def xml() -> bytes:
    return b'<?xml version="1.0" encoding="UTF-8"?>\n<votable><!-- </votable> --><table><votable/></table></votable>'


def html() -> bytes:
    return b"<!DOCTYPE html>\n<html><head><title>Notes</title></head><body><p>clear sky</p></body></html>"


def zipped(*members: tuple[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content, packing)
    return file.getvalue()


def nested_zip() -> bytes:
    """A zip that lies unpacked inside another: cut after the inner one's end, the outer one ends like a zip."""
    inner = zipped(("inner.dat", b"1 2\n" * 8))
    return zipped(("inner.zip", inner), ("outer.dat", b"3 4\n"), packing=zipfile.ZIP_STORED)


def gzipped(content: bytes = b"0.1 5.0\n" * 20) -> bytes:
    return gzip.compress(content, mtime=0)


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in ("a.dat", "b.dat"):
            member = tarfile.TarInfo(name)
            member.size = 600
            archive.addfile(member, io.BytesIO(b"x" * 600))
    content = file.getvalue()
    return content[: 2 * (512 + 1024) + 1024]  # without the padding after the two empty blocks


def fits(*, n_extensions: int = 1, states_them: bool = True) -> bytes:
    """A primary header and image extensions of 100 bytes; without the statement nothing tells how many there are."""
    stated = [f"NEXTEND = {n_extensions:20d}"] if states_them else []
    content = _fits_hdu(["SIMPLE  =                    T", "BITPIX  =                    8",
                         "NAXIS   =                    0", "EXTEND  =                    T", *stated], b"")  # fmt: skip
    for _ in range(n_extensions):
        content += _fits_hdu(["XTENSION= 'IMAGE   '", "BITPIX  =                    8", "NAXIS   =                    1",
                              "NAXIS1  =                  100", "PCOUNT  =                    0",
                              "GCOUNT  =                    1"], b"y" * 100)  # fmt: skip
    return content


def fits_image() -> bytes:
    return _fits_hdu(["SIMPLE  =                    T", "BITPIX  =                    8",
                      "NAXIS   =                    1", "NAXIS1  =                  100"], b"y" * 100)  # fmt: skip


def _fits_hdu(cards: list[str], data: bytes) -> bytes:
    header = "".join(card.ljust(80) for card in [*cards, "END"]).encode()
    return header.ljust(2880) + data.ljust(-(-len(data) // 2880) * 2880, b"\0")


WHOLE_FILES: dict[str, tuple[PayloadKind, bytes]] = {
    "plot.png": (PayloadKind.PNG, png()),
    "plot.jpg": (PayloadKind.JPEG, jpeg()),
    "plot.gif": (PayloadKind.GIF, gif()),
    "plot.tif": (PayloadKind.TIFF, tiff()),
    "plot_big_endian.tiff": (PayloadKind.TIFF, tiff(">")),
    "speckle.pdf": (PayloadKind.PDF, pdf()),
    "speckle.ps": (PayloadKind.PS, ps()),
    "preview.eps": (PayloadKind.PS, eps_with_preview()),
    "plot.svg": (PayloadKind.SVG, svg()),
    "table.xml": (PayloadKind.XML, xml()),
    "notes.html": (PayloadKind.HTML, html()),
    "files.zip": (PayloadKind.ZIP, zipped(("top/a.dat", b"1 2\n" * 30), ("top/b.dat", b"3 4\n"))),
    "nested.zip": (PayloadKind.ZIP, nested_zip()),
    "empty.zip": (PayloadKind.ZIP, zipped()),
    "curve.tbl.gz": (PayloadKind.GZIP, gzipped()),
    "files.tar": (PayloadKind.TAR, tarred()),
    "spectrum.fits": (PayloadKind.FITS, fits()),
    "image.fits": (PayloadKind.FITS, fits_image()),
}
"""Name to kind and bytes."""
