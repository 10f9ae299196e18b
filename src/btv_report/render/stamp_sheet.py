"""
All stamps of a page in one image, row below row: one palette and one PNG frame instead of one for each.

A picture shows its rectangle of the sheet, whole pixels, one unit wide, as in the picture that stands alone. Each stamp is
surrounded by its own outermost pixels once more: a printer that rounds an edge outwards finds no colour of another stamp there.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from btv_report.dossier.figures.png import MAX_STORED, data_uri, palette_png, read_palette_png

SHEET_ID = "px"
_PNG_HREF = "data:image/png;base64,"
_MAX_COLOURS = 255


@dataclass(frozen=True)
class Place:
    """Where a stamp lies: number of the sheet, and its first row there."""

    sheet: int
    top: int


@dataclass
class _Sheet:
    """One sheet: indices into `colours`, -1 where transparent."""

    stamps: list[NDArray[np.int16]] = field(default_factory=list)
    colours: dict[tuple[int, int, int], int] = field(default_factory=dict)

    @property
    def height(self) -> int:
        return sum(stamp.shape[0] for stamp in self.stamps)

    @property
    def width(self) -> int:
        return max((stamp.shape[1] for stamp in self.stamps), default=0)

    def has_room(self, levels: NDArray[np.int16], palette: list[tuple[int, int, int]]) -> bool:
        """Whether a stamp fits: a PNG has a limited palette, and ours one stored block."""
        rows, width = self.height + levels.shape[0] + 2, max(self.width, levels.shape[1])
        return len({*self.colours, *palette}) <= _MAX_COLOURS and rows * (width + 1) <= MAX_STORED

    def add(self, levels: NDArray[np.int16], palette: list[tuple[int, int, int]]) -> int:
        """Put a stamp below the others; its first row."""
        top = self.height + 1
        own = np.array([self.colours.setdefault(colour, len(self.colours)) for colour in palette] + [-1], np.int16)
        stamp = own[levels]  # level -1 takes the last, which is -1
        self.stamps.append(np.pad(stamp, ((1, 1), (0, 0)), mode="edge"))
        return top

    def png(self) -> bytes:
        width = self.width
        padded = [np.pad(stamp, ((0, 0), (0, width - stamp.shape[1])), mode="edge") for stamp in self.stamps]
        return palette_png(np.concatenate(padded), list(self.colours))


@dataclass
class StampSheet:
    """The sheets of a page and where each stamp lies."""

    sheets: list[_Sheet] = field(default_factory=list)
    places: dict[bytes, Place] = field(default_factory=dict)

    def place(self, png: bytes) -> Place | None:
        """Where a stamp lies; None when it stands alone."""
        return self.places.get(png)

    def images(self) -> list[tuple[tuple[str, str], ...]]:
        """Attributes of the image element of each sheet."""
        return [
            (
                ("id", f"{SHEET_ID}{number}"),
                ("width", str(sheet.width)),
                ("height", str(sheet.height)),
                ("image-rendering", "pixelated"),
                ("href", data_uri(sheet.png())),
            )
            for number, sheet in enumerate(self.sheets)
        ]


def gather_stamps(pngs: Iterable[bytes]) -> StampSheet:
    """Lay all stamps of a page on sheets, equal ones once; a single stamp stays where it is."""
    made = StampSheet()
    distinct = list(dict.fromkeys(pngs))
    for png in distinct if len(distinct) > 1 else []:
        levels, palette = read_palette_png(png)
        if not made.sheets or not made.sheets[-1].has_room(levels, palette):
            made.sheets.append(_Sheet())
        made.places[png] = Place(len(made.sheets) - 1, made.sheets[-1].add(levels, palette))
    return made


def png_of_href(href: str) -> bytes:
    """The bytes of a PNG in a `data:` URI."""
    return base64.b64decode(href.removeprefix(_PNG_HREF))
