"""
The skeleton of a FITS file: header blocks and data sizes, from bytes or from a stream.

Only what is needed to walk from one HDU to the next is read here; values of keywords are read by astropy elsewhere. The
walk is our own because it must say where a file breaks off and how many bytes are missing, and because the sums are taken
over raw bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

BLOCK_BYTES = 2880
CARD_BYTES = 80
MAX_HEADER_BLOCKS = 2000
"""A header of 5.8 MB; beyond it, the END card has been lost."""

_BITPIX = (8, 16, 32, 64, -32, -64)
_FIRST_KEYWORDS = ("SIMPLE", "XTENSION")
NOT_FITS = "it is no FITS file"


class FitsStructureError(Exception):
    """Where and how the structure of a FITS file breaks; `str` is a phrase without file name."""


@dataclass(frozen=True)
class RawHeader:
    """
    One header as bytes and as text cards.

    Attributes
    ----------
    raw : whole blocks of 2,880 bytes
    cards : keyword to value text (quotes, comments and blanks removed); the first card wins when a keyword is repeated
    data_bytes : size of the data that follow, without their padding
    """

    raw: bytes
    cards: Mapping[str, str]
    data_bytes: int

    @property
    def name(self) -> str:
        """EXTNAME, or PRIMARY for a primary header without one."""
        return self.cards.get("EXTNAME", "PRIMARY" if "SIMPLE" in self.cards else "unnamed")

    @property
    def padded_data_bytes(self) -> int:
        """Size of the data with their padding to whole blocks."""
        return -(-self.data_bytes // BLOCK_BYTES) * BLOCK_BYTES


@dataclass(frozen=True)
class Hdu:
    """One header-data unit and where it lies: `start` of the header, `data_start`, and `end` after the padding."""

    index: int
    header: RawHeader
    start: int
    data_start: int
    end: int

    def __str__(self) -> str:
        return f"HDU {self.index} ({self.header.name})"


def read_header(stream: BinaryIO, index: int) -> RawHeader | None:
    """
    Read the next header of a stream; None at its end.

    Raises
    ------
    FitsStructureError
        If what stands there is no FITS header or breaks off before its END card.
    """
    blocks: list[bytes] = []
    while len(blocks) < MAX_HEADER_BLOCKS:
        block = stream.read(BLOCK_BYTES)
        if not block and not blocks:
            return None
        if not blocks:
            _expect_first_card(block, index)
        if len(block) < BLOCK_BYTES:
            missing = BLOCK_BYTES - len(block)
            raise FitsStructureError(
                f"truncated: it ends inside the header of HDU {index}, at least {missing:,} bytes are missing"
            )
        blocks.append(block)
        if any(block[at : at + 8] == b"END     " for at in range(0, BLOCK_BYTES, CARD_BYTES)):
            raw = b"".join(blocks)
            cards = _text_cards(raw)
            return RawHeader(raw, cards, _data_bytes(cards, index))
    raise FitsStructureError(f"the header of HDU {index} has no END card")


def walk_hdus(content: bytes) -> Iterator[Hdu]:
    """Walk the decompressed bytes of a file, as `walk_stream` does."""
    return walk_stream(BytesIO(content), len(content))


def walk_stream(stream: BinaryIO, n_bytes: int) -> Iterator[Hdu]:
    """
    Yield the HDUs of a whole file, in order.

    Parameters
    ----------
    stream : the decompressed file, at its beginning; it may be moved between two HDUs
    n_bytes : its size

    Raises
    ------
    FitsStructureError
        At the first place where the file is truncated or is no FITS; the HDUs before it have been yielded.
    """
    start = 0
    index = 0
    while (header := read_header(stream, index)) is not None:
        data_start = start + len(header.raw)
        end = data_start + header.padded_data_bytes
        if end > n_bytes:
            raise FitsStructureError(
                f"truncated: HDU {index} ({header.name}) should end at byte {end:,}, but the file has {n_bytes:,} "
                f"({end - n_bytes:,} bytes are missing)"
            )
        yield Hdu(index, header, start, data_start, end)
        stream.seek(end)
        start, index = end, index + 1
    if index == 0:
        raise FitsStructureError("it is empty")


def _expect_first_card(block: bytes, index: int) -> None:
    keyword = block[:8].decode("latin-1").strip()
    expected = _FIRST_KEYWORDS[0] if index == 0 else _FIRST_KEYWORDS[1]
    if keyword == expected:
        return
    if index == 0:
        raise FitsStructureError(f"{NOT_FITS} (it does not begin with SIMPLE)")
    raise FitsStructureError(f"what follows HDU {index - 1} is no FITS extension")


def _text_cards(raw: bytes) -> dict[str, str]:
    cards: dict[str, str] = {}
    for at in range(0, len(raw), CARD_BYTES):
        card = raw[at : at + CARD_BYTES].decode("latin-1")
        keyword = card[:8].rstrip()
        if keyword == "END":
            break
        if card[8:10] == "= ":
            cards.setdefault(keyword, _value_text(card[10:]))
    return cards


def _value_text(text: str) -> str:
    text = text.strip()
    if not text.startswith("'"):
        return text.split("/", 1)[0].strip()
    value = text[1:].replace("''", "\0").split("'", 1)[0]
    return value.replace("\0", "'").rstrip()


def _data_bytes(cards: Mapping[str, str], index: int) -> int:
    def integer(keyword: str, default: int | None = None) -> int:
        try:
            return int(cards[keyword]) if default is None or keyword in cards else default
        except (KeyError, ValueError) as error:
            raise FitsStructureError(f"the header of HDU {index} has no usable {keyword}") from error

    bitpix, n_axis = integer("BITPIX"), integer("NAXIS")
    lengths = [integer(f"NAXIS{axis}") for axis in range(1, n_axis + 1)] if 0 <= n_axis <= 999 else [-1]
    group_count, parameter_count = integer("GCOUNT", 1), integer("PCOUNT", 0)
    if bitpix not in _BITPIX or min([*lengths, group_count, parameter_count]) < 0:
        raise FitsStructureError(f"the header of HDU {index} states an impossible size")
    elements = 1 if lengths else 0
    for length in lengths:
        elements *= length
    return abs(bitpix) // 8 * group_count * (parameter_count + elements)
