"""The ends of containers: zip, gzip, tar, FITS."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import BinaryIO

from btv_report.answer_states import AnswerState
from btv_report.archive.limits import Limits
from btv_report.exofop.payloads.ends import MAX_PARTS, PIECE_BYTES, UNKNOWN_END, WHOLE, End, cut, damaged
from btv_report.exofop.payloads.zip_reading import ArchiveError, member_pieces, opened_zip
from btv_report.fits.blocks import FitsStructureError, Hdu, walk_stream
from btv_report.fits.local_file import GZIP_MAGIC
from btv_report.fits.model import FitsSum

LIMITS = Limits()
_ZIP_END, _ZIP_END_BYTES = b"PK\x05\x06", 22
_MOST_ZIP_COMMENT = 0xFFFF


def has_zip_end(file: BinaryIO, size: int) -> bool:
    """Whether a zip program would find an archive in the file, whatever it begins with."""
    place = _zip_end_at(file, size)
    return place is not None and place[1] == size


def _zip_end_at(file: BinaryIO, size: int) -> tuple[int, int] | None:
    """Where the last record of an archive stands, and where it says that the file ends."""
    start = max(size - _ZIP_END_BYTES - _MOST_ZIP_COMMENT, 0)
    file.seek(start)
    tail = file.read(_ZIP_END_BYTES + _MOST_ZIP_COMMENT)
    at = tail.rfind(_ZIP_END)
    if at < 0 or at + _ZIP_END_BYTES > len(tail):
        return None
    return start + at, start + at + _ZIP_END_BYTES + int.from_bytes(tail[at + 20 : at + 22], "little")


def zip_end(path: Path, file: BinaryIO, size: int) -> End:
    """Its directory and its last record are there, and every member unpacks to its CRC."""
    place = _zip_end_at(file, size)
    if place is None or place[1] > size:
        return cut("a zip archive ends with a directory of its members, and there is none")
    try:
        with opened_zip(path, LIMITS) as (archive, members):
            if (
                any(member.reason for member in members)
                or sum(one.info.file_size for one in members) > LIMITS.zip_bytes
            ):
                return UNKNOWN_END
            for member in members:
                for _ in member_pieces(archive, member):
                    pass
    except ArchiveError as error:
        return UNKNOWN_END if error.state is AnswerState.REJECTED else damaged(error.words)
    return WHOLE


def gzip_end(file: BinaryIO, size: int) -> End:
    """Each stream unpacks to the CRC and the length in its trailer; bytes after the last one may be there."""
    file.seek(0)
    most = min(LIMITS.zip_bytes, LIMITS.zip_ratio * size + PIECE_BYTES)
    unpacker = zlib.decompressobj(31)
    n_bytes = n_streams = 0
    waiting = b""
    while waiting := waiting or file.read(PIECE_BYTES):
        if unpacker.eof:
            waiting = waiting.lstrip(b"\0")
            if waiting and not GZIP_MAGIC.startswith(waiting[:2]):
                return WHOLE
            if not waiting:
                continue
            unpacker, n_streams = zlib.decompressobj(31), n_streams + 1
        try:
            n_bytes += len(unpacker.decompress(waiting, PIECE_BYTES))
        except zlib.error as error:
            return damaged(f"the gzip stream does not unpack ({error})")
        waiting = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
        if n_bytes > most or n_streams > MAX_PARTS:
            return UNKNOWN_END
    return WHOLE if unpacker.eof else cut("a gzip stream ends with a CRC, and there is none")


_TAR_BLOCK = 512
_TAR_BLANK = bytes(_TAR_BLOCK)


def tar_end(file: BinaryIO, size: int) -> End:
    """From header to header to the two empty blocks that end it; nothing of it is unpacked."""
    at = 0
    for _ in range(MAX_PARTS):
        file.seek(at)
        header = file.read(_TAR_BLOCK)
        if header == _TAR_BLANK and file.read(_TAR_BLOCK) == _TAR_BLANK:
            return WHOLE
        if len(header) < _TAR_BLOCK or header == _TAR_BLANK:
            return cut("a tar archive ends with two empty blocks, and they are not there")
        length = _tar_number(header[124:136])
        if length is None or _tar_number(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * ord(" "):
            return UNKNOWN_END
        at += _TAR_BLOCK * (1 + -(-length // _TAR_BLOCK))
    return UNKNOWN_END


def _tar_number(field: bytes) -> int | None:
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    text = field.strip(b" \0")
    return int(text, 8) if text and all(digit in b"01234567" for digit in text) else None


def fits_end(file: BinaryIO, size: int) -> End:
    """
    Every header has its END, every data part the size that its axes give, and there are as many extensions as announced.

    A file that breaks off between two HDUs is sound up to there: without NEXTEND only a lone image is known to be whole. Sums
    that do not hold are told and are no fault: observers edit the headers of pipeline files before they upload them.
    """
    hdus: list[Hdu] = []
    file.seek(0)
    try:
        for hdu in walk_stream(file, size):
            hdus.append(hdu)  # noqa: PERF402 - the HDUs before a fault are kept
    except FitsStructureError as error:
        return (
            UNKNOWN_END if _ends_in_something_else(file, hdus, size) else End(False, f"it is damaged or cut: {error}")
        )
    from btv_report.fits.sums import check_fits_stream

    cards = hdus[0].header.cards
    announced = cards.get("NEXTEND", "")
    n_announced = int(announced) if announced.isdecimal() and len(announced) < 10 else None
    if n_announced is not None and n_announced >= len(hdus):
        return cut(f"the FITS file announces {n_announced:,} extensions, and {len(hdus) - 1:,} are there")
    is_lone_image = len(hdus) == 1 and hdus[0].header.data_bytes > 0 and cards.get("EXTEND") != "T"
    file.seek(0)
    check = check_fits_stream(file, size)
    return End(
        True if is_lone_image or n_announced == len(hdus) - 1 else None,
        remark=check.reason if check.state is FitsSum.BAD else "",
    )


def _ends_in_something_else(file: BinaryIO, hdus: list[Hdu], size: int) -> bool:
    """Whether whole HDUs are followed by bytes that are not the beginning of another one."""
    if not hdus or not (rest := size - hdus[-1].end):
        return False
    file.seek(hdus[-1].end)
    beginning = file.read(8)
    return rest > 0 and not b"XTENSION".startswith(beginning)
