"""TESScut's answer is a zip with one FITS file: out of it come the announced bytes, or a reason why not."""

from __future__ import annotations

import errno
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from btv_report.archive.limits import Limits
from btv_report.atomic import environment_error, rename_durable, write_atomic

ZIP_DAMAGES = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, OverflowError, ValueError)
"""What zipfile raises for bytes that are no zip, are cut or damaged, want a password, or a version that it does not know."""
ZIP_PACKINGS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""The two packings that zip programs and servers use; others are not unpacked."""


def unpack(archive: Path, path: Path, limits: Limits, *, check: Callable[[Path], str]) -> str:
    """
    Put the one FITS member of a zip at `path`.

    Parameters
    ----------
    archive : the zip
    path : final path; an old file there stays unless everything holds
    limits : sizes that are taken
    check : says what is wrong with the bytes at a path; empty when nothing is

    Returns
    -------
    str
        What is wrong with it; empty when nothing is.

    Raises
    ------
    LocalEnvironmentError
        If the disk or a permission is in the way.
    """
    try:
        content = _member(archive, limits)
    except ZIP_DAMAGES as error:
        return f"it is not a zip file with one FITS file in it ({error})"
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise environment_error(error, "read", archive) from error
        return "it is not a zip file with one FITS file in it (it points to before its own beginning)"
    temporary = path.with_name(f".{path.name}.part")
    try:
        write_atomic(temporary, content, private=True)
        if reason := check(temporary):
            return reason
        rename_durable(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return ""


def _member(archive: Path, limits: Limits) -> bytes:
    """The bytes of the one FITS member; its name is never used."""
    with zipfile.ZipFile(archive) as opened:
        members = [item for item in opened.infolist() if item.filename.lower().endswith(".fits")]
        if len(members) != 1:
            raise ValueError(f"it holds {len(members)} FITS files")
        (member,) = members
        if member.compress_type not in ZIP_PACKINGS:
            raise ValueError("its FITS file is packed in a way that is not TESScut's")
        size = member.file_size
        if size > limits.product_bytes or size > limits.zip_ratio * max(member.compress_size, 1):
            raise ValueError(f"its FITS file would have {size:,} bytes")
        with opened.open(member) as file:
            content = file.read(size + 1)
    if len(content) != size:
        raise ValueError("its FITS file is not as long as announced")
    return content
