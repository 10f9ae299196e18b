"""
A PNG writer for stamps: one image pixel per stamp pixel, palette-indexed, byte-identical everywhere.

The pixel data stand in a stored (uncompressed) deflate block. Compressors differ between builds of zlib, so compressed bytes
would differ between machines; and a stamp of noise shrinks by some tens of bytes only.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

MAX_STORED = 65535  # bytes that one stored block holds
_STORED_HEAD = 7  # bytes of a zlib stream of one stored block before its content
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def palette_png(levels: NDArray[np.integer], palette: Sequence[tuple[int, int, int]]) -> bytes:
    """
    Write an image of palette indices.

    Parameters
    ----------
    levels : integer ndarray, shape (height, width), top row first
        Index into `palette`; -1 is transparent.
    palette : up to 255 (red, green, blue) of 0...255
        Only the colours that occur are written.

    Raises
    ------
    ValueError
        If the image is empty or larger than one stored block holds, or has too many colours.
    """
    height, width = levels.shape
    used, indices = np.unique(levels, return_inverse=True)
    indices = indices.reshape(levels.shape)
    depth = next(bits for bits in (1, 2, 4, 8) if len(used) <= 2**bits)
    rows = _pack(indices.astype(np.uint8), depth)
    raw = b"".join(b"\0" + row for row in rows)  # filter 0 before each row
    if not 0 < len(raw) <= MAX_STORED:
        raise ValueError(f"An image of {height} x {width} pixels is not a stamp.")
    colours = b"".join(bytes(palette[level]) if level >= 0 else b"\0\0\0" for level in used)
    chunks = [
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 3, 0, 0, 0)),
        _chunk(b"PLTE", colours),
        # `used` is sorted, so the transparent index is the first.
        _chunk(b"tRNS", b"\0") if used[0] < 0 else b"",
        _chunk(b"IDAT", _stored(raw)),
        _chunk(b"IEND", b""),
    ]
    return _SIGNATURE + b"".join(chunks)


def read_palette_png(png: bytes) -> tuple[NDArray[np.int16], list[tuple[int, int, int]]]:
    """
    Read back what `palette_png` wrote; other PNGs are compressed and are not understood.

    Returns
    -------
    levels : shape (height, width), top row first
        Index into the palette that is returned; -1 is transparent.
    palette : the colours that occur
    """
    chunks = dict(_chunks(png))
    width, height, depth = struct.unpack(">IIB", chunks[b"IHDR"][:9])
    raw = np.frombuffer(chunks[b"IDAT"][_STORED_HEAD:-4], np.uint8).reshape(height, -1)[:, 1:]  # less the filter byte
    bits = np.unpackbits(raw, axis=1)[:, : width * depth].reshape(height, width, depth)
    indices = np.packbits(np.pad(bits, ((0, 0), (0, 0), (8 - depth, 0))), axis=-1)[..., 0].astype(np.int16)
    colours = [
        (red, green, blue) for red, green, blue in np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3).tolist()
    ]
    if b"tRNS" in chunks:
        return indices - np.int16(1), colours[1:]  # the transparent index is the first
    return indices, colours


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and data of each chunk."""
    at = len(_SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def data_uri(png: bytes) -> str:
    """The PNG as a `data:` URI."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _pack(indices: NDArray[np.uint8], depth: int) -> list[bytes]:
    """Rows of indices packed to `depth` bits each, most significant first."""
    bits = np.unpackbits(indices[..., None], axis=-1)[..., 8 - depth :]
    packed = np.packbits(bits.reshape(indices.shape[0], -1), axis=1)
    return [row.tobytes() for row in packed]


def _stored(raw: bytes) -> bytes:
    """A zlib stream of one stored block."""
    length = struct.pack("<HH", len(raw), len(raw) ^ 0xFFFF)
    return b"\x78\x01\x01" + length + raw + struct.pack(">I", zlib.adler32(raw))


def _chunk(name: bytes, data: bytes) -> bytes:
    """A PNG chunk with its length and CRC."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
