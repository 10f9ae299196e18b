"""Read a file of this machine once: the bytes that are hashed are the bytes that are parsed."""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path

from btv_report.errors import LocalEnvironmentError, ProductCorruptError, ProductRefusedError

MAX_PRODUCT_BYTES = 1_000_000_000
"""Largest product, as it lies and decompressed; a 20-second target pixel file has about 0.3 GB."""

GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31  # zlib: 15 bits of window, +16 for the gzip wrapper with its CRC and length


@dataclass(frozen=True)
class FileBytes:
    """
    A file as it lies.

    Attributes
    ----------
    path : where it was read
    raw : its bytes, compressed when it is compressed
    sha256 : hexadecimal digest of `raw`
    """

    path: Path
    raw: bytes
    sha256: str

    @property
    def compressed(self) -> bool:
        """Whether the bytes are gzip, by their magic number; the name does not count."""
        return self.raw.startswith(GZIP_MAGIC)

    def content(self) -> bytes:
        """
        The bytes to parse, decompressed when they are gzip.

        Raises
        ------
        ProductCorruptError
            If the gzip stream is truncated or fails its own CRC.
        ProductRefusedError
            If it decompresses to more than `MAX_PRODUCT_BYTES`.
        """
        return decompress(self.raw, self.path) if self.compressed else self.raw


def read_file(path: Path, *, max_bytes: int = MAX_PRODUCT_BYTES) -> FileBytes:
    """
    Read and hash a regular file in one go.

    Raises
    ------
    LocalEnvironmentError
        If the file cannot be opened or read (absent, no permission, not a regular file, disk error).
    ProductRefusedError
        If it is larger than `max_bytes`.
    """
    try:
        # O_NONBLOCK: opening a FIFO must not hang before fstat can tell what it is.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise LocalEnvironmentError(f"{path.name} is not a regular file.", path=path)
            if status.st_size > max_bytes:
                raise _too_large(path, "has", status.st_size, max_bytes)
            raw = stream.read()
    except OSError as error:
        raise LocalEnvironmentError(
            f"{path.name} cannot be read: {error.strerror or error}.",
            hint="Check that the file exists and that its permissions and those of its folders let you read it.",
            path=path,
        ) from error
    return FileBytes(path, raw, hashlib.sha256(raw).hexdigest())


def decompress(raw: bytes, path: Path, *, max_bytes: int = MAX_PRODUCT_BYTES) -> bytes:
    """Expand gzip bytes of one or more members, never beyond `max_bytes`; see `FileBytes.content` for the errors."""
    parts: list[bytes] = []
    size = 0
    rest = raw
    while rest:
        member = zlib.decompressobj(_GZIP_WINDOW)
        try:
            part = member.decompress(rest, max_bytes - size + 1)
        except zlib.error as error:
            raise _damaged_gzip(path, f"its compressed stream is damaged ({error})") from error
        size += len(part)
        if size > max_bytes:
            raise _too_large(path, "decompresses to more than", max_bytes, max_bytes)
        if not member.eof:
            raise _damaged_gzip(path, f"its compressed stream ends early, after {len(raw):,} bytes")
        parts.append(part)
        rest = member.unused_data.lstrip(b"\0")  # tools pad gzip files with zeros; anything else must be a new member
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _damaged_gzip(path: Path, what: str) -> ProductCorruptError:
    return ProductCorruptError(f"{path.name} is damaged: {what}.", hint="Fetch the file again.", path=path)


def _too_large(path: Path, verb: str, size: int, limit: int) -> ProductRefusedError:
    return ProductRefusedError(
        f"{path.name} {verb} {size:,} bytes, more than the limit of {limit:,} for one product.",
        hint="Take the 2-minute product of the sector instead of the 20-second one.",
        path=path,
    )
