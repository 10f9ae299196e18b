"""Zip archives written byte by byte, so that they can lie where a library would not."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from btv_report.exofop.types import ExoFopFileRow

STORED, DEFLATED = 0, 8
LINK, FIFO, CHARACTER_DEVICE, FOLDER, PLAIN = 0o120777, 0o010644, 0o020644, 0o040755, 0o100644


@dataclass(frozen=True)
class Entry:
    """
    A member; what is None is told truly.

    Attributes
    ----------
    name, content : as they are
    method, flags, mode : of packing, of encryption and encoding, of the file in a Unix file system
    crc, size, packed_size, offset, local_name : lies
    extra : bytes behind the name in the directory
    reuses : number of the entry whose bytes this one points to, instead of having its own
    """

    name: bytes
    content: bytes = b""
    method: int = DEFLATED
    flags: int = 0
    mode: int = PLAIN
    crc: int | None = None
    size: int | None = None
    packed_size: int | None = None
    offset: int | None = None
    local_name: bytes | None = None
    extra: bytes = b""
    reuses: int | None = None

    @property
    def packed(self) -> bytes:
        """The bytes as they lie in the archive."""
        if self.method != DEFLATED:
            return self.content
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(self.content) + packer.flush()


def archive_of(entries: Sequence[Entry], *, count: int | None = None, comment: bytes = b"") -> bytes:
    """The bytes of an archive; `count` is what its last record states."""
    body = b""
    offsets: list[int] = []
    for entry in entries:
        if entry.reuses is not None:
            offsets.append(offsets[entry.reuses])
            continue
        offsets.append(len(body))
        packed = entry.packed
        body += _local(entry, packed) + packed
    directory = b"".join(_central(entry, offset) for entry, offset in zip(entries, offsets, strict=True))
    stated = len(entries) if count is None else count
    end = struct.pack(
        "<4s4H2IH", b"PK\x05\x06", 0, 0, stated & 0xFFFF, stated & 0xFFFF, len(directory), len(body), len(comment)
    )
    return body + directory + end + comment


def _local(entry: Entry, packed: bytes) -> bytes:
    name = entry.name if entry.local_name is None else entry.local_name
    head = struct.pack(
        "<4s5H3I2H", b"PK\x03\x04", 20, entry.flags, entry.method, 0, 33, zlib.crc32(entry.content),
        len(packed), len(entry.content), len(name), 0,
    )  # fmt: skip
    return head + name


def _central(entry: Entry, offset: int) -> bytes:
    crc = zlib.crc32(entry.content) if entry.crc is None else entry.crc
    packed_size = len(entry.packed) if entry.packed_size is None else entry.packed_size
    size = len(entry.content) if entry.size is None else entry.size
    place = offset if entry.offset is None else entry.offset
    head = struct.pack(
        "<4s6H3I5H2I", b"PK\x01\x02", (3 << 8) | 20, 20, entry.flags, entry.method, 0, 33, crc, packed_size, size,
        len(entry.name), len(entry.extra), 0, 0, 0, entry.mode << 16, place,
    )  # fmt: skip
    return head + entry.name + entry.extra


def row(file_id: int, filename: str) -> ExoFopFileRow:
    """A row of the file list."""
    return ExoFopFileRow(file_id, 365938305, "1262.01", filename, "Image", None, None, None)


def tree_below(folder: Path) -> dict[str, bytes | str]:
    """Everything below a folder: bytes of files, targets of links."""
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }
