"""
Judges an observer's file as it came: what its bytes are, whether they are all there, and whether they are the file at all.

Nothing is opened here with a program that could be fooled: beginnings are compared, ends are looked for, sums are held.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from btv_report.answer_states import AnswerState
from btv_report.archive.stored_files import open_regular
from btv_report.archive.web_pages import safe_excerpt
from btv_report.atomic import sentences
from btv_report.exofop.payloads.container_ends import fits_end, gzip_end, has_zip_end, tar_end, zip_end
from btv_report.exofop.payloads.document_ends import html_end, pdf_end, ps_end, xml_end
from btv_report.exofop.payloads.ends import UNKNOWN_END, End
from btv_report.exofop.payloads.kinds import (
    HEAD_BYTES,
    PayloadKind,
    is_lie,
    is_piece_of_a_signature,
    kind_of_bytes,
    kind_of_name,
    other_readings,
)
from btv_report.exofop.payloads.picture_ends import gif_end, jpeg_end, png_end, tiff_end
from btv_report.exofop.tables.reading import looks_like_login

__all__ = ["Payload", "PayloadKind", "judge_payload"]

SHORT_BYTES = 4096
"""A text of this size under the name of a picture, document or archive is a server's message, or the stump of the file."""
_NO_FORMAT = frozenset({PayloadKind.TEXT, PayloadKind.UNKNOWN})
_MAY_BE_TEXT = frozenset({None, PayloadKind.TEXT, PayloadKind.GZIP})
"""What a name may say of a short text: a gzip file may have been unpacked on its way."""
_UNKNOWN = "unknown, download only"
_ENDS: dict[PayloadKind, Callable[[BinaryIO, int], End]] = {
    PayloadKind.PDF: pdf_end,
    PayloadKind.PNG: png_end,
    PayloadKind.JPEG: jpeg_end,
    PayloadKind.GIF: gif_end,
    PayloadKind.TIFF: tiff_end,
    PayloadKind.FITS: fits_end,
    PayloadKind.GZIP: gzip_end,
    PayloadKind.TAR: tar_end,
    PayloadKind.PS: ps_end,
    PayloadKind.SVG: xml_end,
    PayloadKind.XML: xml_end,
    PayloadKind.HTML: html_end,
}


@dataclass(frozen=True)
class Payload:
    """
    What a file is.

    Attributes
    ----------
    kind : by its bytes; UNKNOWN also for a file that is several things at once
    words : to show: what it is, and whether its name says otherwise
    whole : True when the bytes prove their own end, False when they prove a cut or damage, None when the format cannot tell
    fault : why it must not be kept, a clause; empty when nothing speaks against it
    state : OK, or what the fault is: CORRUPT, AUTH_REQUIRED (a login page), THROTTLED (zero bytes)
    """

    kind: PayloadKind
    words: str
    whole: bool | None
    fault: str = ""
    state: AnswerState = AnswerState.OK


def judge_payload(path: Path, filename: str) -> Payload:
    """
    Say what a file is and whether it may be kept under its name.

    Parameters
    ----------
    path : where its bytes lie, a plain file of our own
    filename : as ExoFOP gives it

    Raises
    ------
    LocalEnvironmentError
        If the machine does not let it be read.
    """
    with sentences("read", path), open_regular(path) as file:
        size = file.seek(0, 2)
        file.seek(0)
        head = file.read(HEAD_BYTES)
        kind, said = kind_of_bytes(head), kind_of_name(filename)
        stranger = _no_file(kind, said, head, size)
        if stranger is not None:
            return stranger
        end = zip_end(path, file, size) if kind is PayloadKind.ZIP else _ENDS.get(kind, _no_end)(file, size)
        others = [] if kind in _NO_FORMAT else list(other_readings(head, kind))
        if kind is not PayloadKind.ZIP and kind is not PayloadKind.TEXT and has_zip_end(file, size):
            others.append(PayloadKind.ZIP)
    state = AnswerState.CORRUPT if end.fault else AnswerState.OK
    if others:
        words = f"{_UNKNOWN} (it is a {kind} and a {' and a '.join(others)} at once)"
        return Payload(PayloadKind.UNKNOWN, words, end.whole, end.fault, state)
    words = _words(kind, said) + (f" ({end.remark})" if end.remark else "")
    return Payload(kind, words, end.whole, end.fault, state)


def _no_end(_file: BinaryIO, _size: int) -> End:
    return UNKNOWN_END


def _no_file(kind: PayloadKind, said: PayloadKind | None, head: bytes, size: int) -> Payload | None:
    """What came in place of the file; None where it can be the file."""
    if not size:
        return Payload(PayloadKind.UNKNOWN, "nothing", False, "it has zero bytes", AnswerState.THROTTLED)
    if looks_like_login(head):
        return Payload(kind, str(kind), None, "a login page came in place of the file", AnswerState.AUTH_REQUIRED)
    begins = f"it begins {safe_excerpt(head)!r}"
    if kind is PayloadKind.HTML and said is not PayloadKind.HTML:
        return Payload(kind, str(kind), None, f"a web page came in place of the file: {begins}", AnswerState.CORRUPT)
    is_stump = size <= SHORT_BYTES and kind in _NO_FORMAT and said not in _MAY_BE_TEXT
    if is_stump or is_piece_of_a_signature(head):
        named = said or "file"
        fault = f"{size:,} bytes came that are no whole {named}: {begins}"
        return Payload(kind, str(kind), False, fault, AnswerState.CORRUPT)
    return None


def _words(kind: PayloadKind, said: PayloadKind | None) -> str:
    if not is_lie(said, kind):
        return _UNKNOWN if kind is PayloadKind.UNKNOWN else str(kind)
    if kind is PayloadKind.UNKNOWN:
        return f"{_UNKNOWN} (it is not the {said} that its name says)"
    return f"{_UNKNOWN} ({kind} under a name that says {said})"
