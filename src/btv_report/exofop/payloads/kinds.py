"""What the bytes of an observer's file are, by the bytes; and what its name says that they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from btv_report.archive.web_pages import looks_like_html

HEAD_BYTES = 1 << 16
_POLYGLOT_BYTES = 1024  # in which lenient readers look for the beginning of a format


class PayloadKind(StrEnum):
    """Kinds of payload; the values are words to show."""

    PDF = "PDF document"
    PNG = "PNG image"
    JPEG = "JPEG image"
    GIF = "GIF image"
    TIFF = "TIFF image"
    FITS = "FITS file"
    ZIP = "zip archive"
    GZIP = "gzip file"
    TAR = "tar archive"
    PS = "PostScript document"
    SVG = "SVG image"
    XML = "XML document"
    HTML = "HTML page"
    TEXT = "text"
    UNKNOWN = "unknown"


_SIGNATURES = (
    (b"%PDF-", PayloadKind.PDF),
    (b"\x89PNG\r\n\x1a\n", PayloadKind.PNG),
    (b"\xff\xd8\xff", PayloadKind.JPEG),
    (b"GIF87a", PayloadKind.GIF),
    (b"GIF89a", PayloadKind.GIF),
    (b"II*\x00", PayloadKind.TIFF),
    (b"MM\x00*", PayloadKind.TIFF),
    (b"II+\x00", PayloadKind.TIFF),
    (b"MM\x00+", PayloadKind.TIFF),
    (b"SIMPLE  =", PayloadKind.FITS),
    (b"PK\x03\x04", PayloadKind.ZIP),
    (b"PK\x05\x06", PayloadKind.ZIP),
    (b"\x1f\x8b\x08", PayloadKind.GZIP),
    (b"%!PS", PayloadKind.PS),
    (b"\xc5\xd0\xd3\xc6", PayloadKind.PS),
)
_TAR_MAGIC, _TAR_PLACE = b"ustar", 257
_SUFFIXES = {
    "pdf": PayloadKind.PDF,
    "png": PayloadKind.PNG,
    "jpg": PayloadKind.JPEG,
    "jpeg": PayloadKind.JPEG,
    "gif": PayloadKind.GIF,
    "tif": PayloadKind.TIFF,
    "tiff": PayloadKind.TIFF,
    "fits": PayloadKind.FITS,
    "fit": PayloadKind.FITS,
    "fts": PayloadKind.FITS,
    "fz": PayloadKind.FITS,
    "zip": PayloadKind.ZIP,
    "docx": PayloadKind.ZIP,
    "xlsx": PayloadKind.ZIP,
    "pptx": PayloadKind.ZIP,
    "odt": PayloadKind.ZIP,
    "ods": PayloadKind.ZIP,
    "npz": PayloadKind.ZIP,
    "gz": PayloadKind.GZIP,
    "tgz": PayloadKind.GZIP,
    "svgz": PayloadKind.GZIP,
    "tar": PayloadKind.TAR,
    "ps": PayloadKind.PS,
    "eps": PayloadKind.PS,
    "svg": PayloadKind.SVG,
    "xml": PayloadKind.XML,
    "vot": PayloadKind.XML,
    "html": PayloadKind.HTML,
    "htm": PayloadKind.HTML,
    "xhtml": PayloadKind.HTML,
    "txt": PayloadKind.TEXT,
    "csv": PayloadKind.TEXT,
    "tsv": PayloadKind.TEXT,
    "psv": PayloadKind.TEXT,
    "md": PayloadKind.TEXT,
}
_NO_LIES = frozenset({(PayloadKind.XML, PayloadKind.SVG), (PayloadKind.TEXT, PayloadKind.XML)})
"""What a name says and what the bytes are, where both are true."""

_PROLOG = (
    rb"(?:\xef\xbb\xbf)?\s*(?:(?:<\?(?:(?!\?>).)*\?>|<!--(?:(?!-->).)*-->|<!doctype\s[^\[>]*(?:\[[^\]]*\]\s*)?>)\s*)*+"
)
_SVG = re.compile(_PROLOG + rb"<(?:\w+:)?svg[\s>/]", re.IGNORECASE | re.DOTALL)
_XHTML = re.compile(_PROLOG + rb"<html[\s>]", re.IGNORECASE | re.DOTALL)
_XML = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml\s")
_ACTIVE = re.compile(rb"<(?:!doctype\s+html|html|script|svg|iframe)[\s>]", re.IGNORECASE)
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_UTF16_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def kind_of_name(filename: str) -> PayloadKind | None:
    """What a suffix says; None where that is nothing certain: `.dat`, `.tbl` and `.xls` have been seen to be many things."""
    return _SUFFIXES.get(filename.strip().rpartition(".")[2].casefold())


def kind_of_bytes(head: bytes) -> PayloadKind:
    """
    What a file is.

    Parameters
    ----------
    head : its first `HEAD_BYTES`
    """
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[_TAR_PLACE:].startswith(_TAR_MAGIC):
        return PayloadKind.TAR
    if looks_like_html(head) or _XHTML.match(head):
        return PayloadKind.HTML
    if _SVG.match(head):
        return PayloadKind.SVG
    if _XML.match(head):
        return PayloadKind.XML
    return PayloadKind.TEXT if _is_text(head) else PayloadKind.UNKNOWN


def is_piece_of_a_signature(content: bytes) -> bool:
    """Whether so few bytes are there that they are the beginning of a known format, and not yet one."""
    return any(signature.startswith(content) and content != signature for signature, _ in _SIGNATURES)


def is_lie(said: PayloadKind | None, kind: PayloadKind) -> bool:
    """Whether a name says something else than the bytes."""
    return said is not None and kind is not said and (said, kind) not in _NO_LIES


def other_readings(head: bytes, kind: PayloadKind) -> Iterator[PayloadKind]:
    """As what else a lenient program would open the file: formats that begin a little later, or stand inside."""
    if kind in {PayloadKind.TEXT, PayloadKind.HTML, PayloadKind.XML, PayloadKind.SVG}:
        return
    beginning = head[:_POLYGLOT_BYTES]
    if kind is not PayloadKind.PDF and b"%PDF-" in beginning:
        yield PayloadKind.PDF
    if kind not in {PayloadKind.TAR, PayloadKind.FITS} and head[_TAR_PLACE:].startswith(_TAR_MAGIC):
        yield PayloadKind.TAR
    if _ACTIVE.search(beginning):
        yield PayloadKind.HTML


def _is_text(head: bytes) -> bool:
    if encoding := _UTF16_MARKS.get(head[:2]):
        head = head[: len(head) // 2 * 2].decode(encoding, errors="replace").encode()
    return bool(head) and not _CONTROLS.search(head)
