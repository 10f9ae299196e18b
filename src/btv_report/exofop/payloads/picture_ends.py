"""The ends of pictures: PNG, JPEG, GIF, TIFF."""

from __future__ import annotations

import re
import struct
import zlib
from typing import BinaryIO

from btv_report.exofop.payloads.ends import MAX_PARTS, PIECE_BYTES, UNKNOWN_END, WHOLE, End, cut, damaged


def png_end(file: BinaryIO, size: int) -> End:
    """Every chunk has its CRC, and the last one is IEND."""
    at = 8
    for number in range(MAX_PARTS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return cut("a PNG image ends with an IEND chunk, and there is none")
        length, kind = struct.unpack(">I4s", head)
        if number == 0 and kind != b"IHDR":
            return damaged("a PNG image begins with an IHDR chunk")
        if at + 12 + length > size:
            return cut(f"its chunk {kind.decode('latin-1')!r} should end at byte {at + 12 + length:,} of {size:,}")
        if _crc32(file, kind, length) != int.from_bytes(file.read(4), "big"):
            return damaged(f"its chunk {kind.decode('latin-1')!r} does not match its CRC")
        if kind == b"IEND":
            return WHOLE
        at += 12 + length
    return UNKNOWN_END


def _crc32(file: BinaryIO, kind: bytes, length: int) -> int:
    total = zlib.crc32(kind)
    for start in range(0, length, PIECE_BYTES):
        total = zlib.crc32(file.read(min(PIECE_BYTES, length - start)), total)
    return total


_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_FILL, _JPEG_SCAN, _JPEG_END = 0xFF, 0xDA, 0xD9


def jpeg_end(file: BinaryIO, size: int) -> End:
    """From segment to segment and through the scans to the end-of-image marker; thumbnails inside segments are passed over."""
    at: int | None = 2
    for _ in range(MAX_PARTS):
        if at is None or at + 2 > size:
            return cut("a JPEG image ends with an end-of-image marker, and there is none")
        file.seek(at)
        head = file.read(4)
        if head[0] != _JPEG_FILL:
            return damaged(f"at byte {at:,} a JPEG image has a marker, and there is none")
        if head[1] == _JPEG_END:
            return WHOLE
        at = _after_segment(file, head, at)
    return UNKNOWN_END


def _after_segment(file: BinaryIO, head: bytes, at: int) -> int | None:
    """Where the next marker stands; None where there is none."""
    if head[1] == _JPEG_FILL:
        return at + 1
    if head[1] in _JPEG_ALONE:
        return at + 2
    after = at + 2 + int.from_bytes(head[2:4], "big")
    if len(head) < 4:
        return None
    return _next_marker(file, after) if head[1] == _JPEG_SCAN else after


def _next_marker(file: BinaryIO, at: int) -> int | None:
    """Where compressed picture data end: at a marker that is no restart and no escaped byte."""
    file.seek(at)
    last = b""
    while piece := file.read(PIECE_BYTES):
        window = last + piece
        if found := _JPEG_MARKER.search(window):
            return at - len(last) + found.start()
        at += len(piece)
        last = window[-1:]
    return None


_GIF_IMAGE, _GIF_EXTENSION, _GIF_TRAILER = b",", b"!", b";"
_GIF_CUT = cut("a GIF image ends with a trailer, and there is none")


def gif_end(file: BinaryIO, size: int) -> End:
    """From block to block to the trailer."""
    file.seek(10)
    flags = file.read(1)
    file.seek(13 + (_colour_bytes(flags[0]) if flags else 0))
    n_parts = 0
    while n_parts < MAX_PARTS:
        kind = file.read(1)
        if kind == _GIF_TRAILER:
            return WHOLE
        if kind == _GIF_IMAGE:
            head = file.read(9)
            file.seek((_colour_bytes(head[8]) if len(head) == 9 else 0) + 1, 1)
        elif kind == _GIF_EXTENSION:
            file.seek(1, 1)
        else:
            return (
                damaged(f"at byte {file.tell() - 1:,} a GIF image has a block, and there is none") if kind else _GIF_CUT
            )
        n_parts += _skip_sub_blocks(file, MAX_PARTS - n_parts) + 1
    return UNKNOWN_END


def _colour_bytes(flags: int) -> int:
    """Size of the colour table that follows."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_sub_blocks(file: BinaryIO, most: int) -> int:
    """Go past sub-blocks to after the empty one that ends them; gives how many there were."""
    for number in range(most):
        length = file.read(1)
        if length in {b"", b"\0"}:
            return number
        file.seek(length[0], 1)
    return most


_TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_TIFF_WHERE = {273: 279, 324: 325, 513: 514}
"""Tags with the places of picture data (strips, tiles, thumbnail), and those with their lengths."""


def tiff_end(file: BinaryIO, size: int) -> End:
    """Every directory, value and piece of picture that it refers to lies inside the file."""
    file.seek(0)
    head = file.read(8)
    order = "<" if head[:2] == b"II" else ">"
    if len(head) < 8:
        return cut("a TIFF image has a header of 8 bytes")
    if struct.unpack(f"{order}H", head[2:4])[0] != 42:
        return UNKNOWN_END  # a BigTIFF
    (at,) = struct.unpack(f"{order}I", head[4:])
    seen: set[int] = set()
    n_values = 0
    while at and at not in seen:
        seen.add(at)
        directory = _tiff_directory(file, order, at, size)
        if directory is None:
            return cut(f"a directory of the TIFF image lies at byte {at:,}, and not all of it is there")
        extent, at, n_read = directory
        n_values += n_read
        if extent > size:
            return cut(f"the TIFF image refers to byte {extent:,}, and it has {size:,}")
        if n_values > MAX_PARTS:
            return UNKNOWN_END
    return WHOLE if seen else damaged("the TIFF image holds no picture")


def _tiff_directory(file: BinaryIO, order: str, at: int, size: int) -> tuple[int, int, int] | None:
    """The furthest byte that a directory refers to, where the next one is, and how many values were read; None if it is cut."""
    file.seek(at)
    count = file.read(2)
    n_entries = struct.unpack(f"{order}H", count)[0] if len(count) == 2 else 0
    table = file.read(12 * n_entries + 4)
    if len(count) < 2 or len(table) < 12 * n_entries + 4:
        return None
    extent = at + 6 + 12 * n_entries
    values: dict[int, tuple[int, ...]] = {}
    for number in range(n_entries):
        tag, kind, n_items, place = struct.unpack_from(f"{order}HHII", table, 12 * number)
        n_bytes = _TIFF_SIZES.get(kind, 0) * n_items
        start = place if n_bytes > 4 else at + 2 + 12 * number + 8
        extent = max(extent, start + n_bytes)
        if extent <= size and n_items <= MAX_PARTS and kind in {3, 4} and tag in {*_TIFF_WHERE, *_TIFF_WHERE.values()}:
            file.seek(start)
            values[tag] = struct.unpack(f"{order}{n_items}{'H' if kind == 3 else 'I'}", file.read(n_bytes))
    for where, lengths in _TIFF_WHERE.items():
        pairs = zip(values.get(where, ()), values.get(lengths, ()), strict=False)
        extent = max([extent, *(start + length for start, length in pairs)])
    return extent, struct.unpack_from(f"{order}I", table, 12 * n_entries)[0], sum(map(len, values.values())) + n_entries
