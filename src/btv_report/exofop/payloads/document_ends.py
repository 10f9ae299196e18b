"""The ends of documents: PDF, PostScript, XML (SVG as well), HTML."""

from __future__ import annotations

import re
import struct
from typing import BinaryIO
from xml.parsers import expat

from btv_report.archive.limits import Limits
from btv_report.exofop.payloads.ends import UNKNOWN_END, WHOLE, End, cut

_TAIL_BYTES = 2048
_BLANK = b" \t\r\n\f\x00\x04\x1a"
_XML_PIECE_BYTES = 1 << 20
"""Large, because the parser begins again at the start of a token that is not whole yet."""
_XML_DEPTH = 1000


def _tail(file: BinaryIO, size: int) -> bytes:
    file.seek(max(size - _TAIL_BYTES, 0))
    return file.read(_TAIL_BYTES)


_PDF_END = re.compile(rb"startxref\s+(\d{1,18})\s+%%EOF$")
_PDF_LENGTH = re.compile(rb"/Linearized\b[^>]{0,512}?/L\s+(\d{1,18})")
_PDF_TABLE = re.compile(rb"\s*(?:xref\b|\d+\s+\d+\s+obj\b)")
_PDF_MORE = re.compile(rb"\d\s+obj\b|xref|trailer")


def pdf_end(file: BinaryIO, size: int) -> End:
    """
    The end mark stands last, and the table that it points to stands there.

    A document that was added to later, cut where its first version ended, is that first version: no format tells.
    """
    file.seek(0)
    stated = _PDF_LENGTH.search(file.read(_TAIL_BYTES))
    if stated and int(stated[1]) > size:
        return cut(f"the PDF says that it has {int(stated[1]):,} bytes, and {size:,} came")
    body, mark, after = _tail(file, size).rpartition(b"%%EOF")
    if not mark or _PDF_MORE.search(after):
        return cut("a PDF ends with the mark %%EOF, and there is none")
    pointer = _PDF_END.search(body + mark)
    if pointer is None:
        return cut("the end mark of a PDF stands behind a pointer to its table, and there is none")
    if after.strip(_BLANK):
        return UNKNOWN_END
    file.seek(int(pointer[1]))
    return WHOLE if _PDF_TABLE.match(file.read(64)) else UNKNOWN_END


def ps_end(file: BinaryIO, size: int) -> End:
    """
    The end mark of a structured document stands last, or the parts that a binary header names are all there.

    A missing mark proves nothing: common plotting programs write whole files without it.
    """
    file.seek(0)
    head = file.read(32)
    if head.startswith(b"\xc5\xd0\xd3\xc6"):
        if len(head) < 30:
            return cut("the header of an EPS file has 30 bytes")
        parts = struct.unpack("<6I", head[4:28])
        extent = max(parts[at] + parts[at + 1] for at in (0, 2, 4))
        return WHOLE if extent <= size else cut(f"the EPS file has parts up to byte {extent:,}, and {size:,} came")
    return WHOLE if _tail(file, size).rstrip(_BLANK).endswith(b"%%EOF") else UNKNOWN_END


class _NotReadError(Exception):
    """The document is one that is not read to its end: it declares entities, or is nested without end."""


def xml_end(file: BinaryIO, size: int) -> End:
    """
    The document is well formed to its end.

    Nothing that it names is opened, and one that declares entities is not read (its text could grow without end).
    """
    if size > Limits.json_bytes:
        return UNKNOWN_END
    parser = _bounded_parser()
    file.seek(0)
    try:
        while piece := file.read(_XML_PIECE_BYTES):
            parser.Parse(piece, False)
    except (expat.ExpatError, _NotReadError, ValueError):
        return UNKNOWN_END
    try:
        parser.Parse(b"", True)
    except expat.ExpatError:
        return cut("an XML document ends where its first element is closed, and that is open")
    return WHOLE


def _bounded_parser() -> expat.XMLParserType:
    depth = 0

    def opened(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > _XML_DEPTH:
            raise _NotReadError

    def closed(_: str) -> None:
        nonlocal depth
        depth -= 1

    def entity(*_: object) -> None:
        raise _NotReadError

    parser = expat.ParserCreate()
    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.EntityDeclHandler = entity
    return parser


_HTML_OPENED = re.compile(rb"<!doctype|<html", re.IGNORECASE)
_HTML_AFTER = re.compile(rb"\s*>(?:\s|\x00|<!--(?:(?!-->).)*-->)*\Z", re.DOTALL)


def html_end(file: BinaryIO, size: int) -> End:
    """The closing tag of the page stands last; a page that says it is one and has no closing tag is cut."""
    file.seek(0)
    is_opened = _HTML_OPENED.search(file.read(_TAIL_BYTES)) is not None
    _, mark, after = _tail(file, size).lower().rpartition(b"</html")
    if mark:
        return WHOLE if _HTML_AFTER.match(after) else UNKNOWN_END if b">" in after else cut("its last tag is open")
    return cut("an HTML page ends with a closing tag, and there is none") if is_opened else UNKNOWN_END
