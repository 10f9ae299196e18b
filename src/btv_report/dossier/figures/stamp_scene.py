"""What one stamp figure shows: the image, its colour scale, and what lies over it. Also the numbering of neighbours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from btv_report.dossier.figures.colours import ColourScale
from btv_report.dossier.figures.pixels import BoolImage, FloatImage
from btv_report.record import PixelView, StarOnStamp

MAX_NEIGHBOURS = 12
MAX_NUMBERED = 5

TARGET = "catalogue position"
CONTROL_CENTROID = "control centroid (V08)"
IN_TRANSIT_CENTROID = "in-transit centroid (V08)"
SOURCE = "transit source (V09)"
PEAK = "largest value"
REGION = "99.73 % region"
APERTURE = "pipeline aperture"
NEIGHBOURS = "neighbours, numbered"
CORE = "core"
HALO = "halo, outer edge"


@dataclass(frozen=True)
class Mark:
    """A marked place: `kind` is one of the words above."""

    kind: str
    row: float
    column: float


@dataclass(frozen=True)
class StampScene:
    """
    One image and what lies over it; all places are 0-based stamp coordinates.

    Attributes
    ----------
    image : float32, shape (n_row, n_column), row 0 first
    scale : ColourScale
    unit : unit of the image, with the stretch in words
    aperture : bool, same shape, or None
    marks : places
    region : polygon of (column, row), or empty
    neighbours : stars on the stamp, brightest first
    numbers : numbers of the neighbours that carry one, by star
    sky_per_pixel_arcsec : see checks.inputs.PixelStack, or None
    masks : further outlines, CORE and HALO
    within : pixels among which the largest value is looked for, bool of the image's shape, or None for all
    origin : row and column of `image[0, 0]`; not (0, 0) when the image is a part of the stamp. Masks are always whole
    """

    image: FloatImage
    scale: ColourScale
    unit: str
    aperture: BoolImage | None = None
    marks: tuple[Mark, ...] = ()
    region: tuple[tuple[float, float], ...] = ()
    neighbours: tuple[StarOnStamp, ...] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)
    sky_per_pixel_arcsec: Sequence[Sequence[float]] | None = None
    masks: tuple[tuple[str, BoolImage], ...] = ()
    within: BoolImage | None = None
    origin: tuple[int, int] = (0, 0)

    def peak(self) -> tuple[int, int, float]:
        """Row and column of the largest value, and the value."""
        image = self.image
        if self.within is not None and np.isfinite(image[self.within]).any():
            image = np.where(self.within, image, np.nan)
        row, column = np.unravel_index(int(np.nanargmax(image)), image.shape)
        return int(row) + self.origin[0], int(column) + self.origin[1], float(image[row, column])

    def outlines(self) -> list[tuple[str, BoolImage]]:
        """Every mask whose outline is drawn."""
        aperture = [(APERTURE, self.aperture)] if self.aperture is not None else []
        return [*aperture, *self.masks]

    def kinds(self) -> list[str]:
        """What a legend has to explain, in drawing order."""
        kinds = [kind for kind, _ in self.outlines()]
        kinds += [mark.kind for mark in self.marks]
        kinds += [REGION] if self.region else []
        return kinds + ([NEIGHBOURS] if self.neighbours else [])


def place(kind: str, value: Mapping[str, Any] | None, shape: tuple[int, ...]) -> tuple[Mark, ...]:
    """A mark from `{"row": ..., "column": ...}`; nothing when a coordinate is missing or the place is off the stamp."""
    if value is None or value.get("row") is None or value.get("column") is None:
        return ()
    row, column = float(value["row"]), float(value["column"])
    return (Mark(kind, row, column),) if on_stamp(row, column, shape) else ()


def on_stamp(row: float, column: float, shape: tuple[int, ...]) -> bool:
    """Whether a place lies on a pixel of the stamp; NaN does not."""
    return -0.5 <= row <= shape[0] - 0.5 and -0.5 <= column <= shape[1] - 0.5


def target_mark(view: PixelView | None, shape: tuple[int, ...]) -> tuple[Mark, ...]:
    """The catalogue position of the target."""
    if view is None:
        return ()
    return place(TARGET, {"row": view.get("target_row"), "column": view.get("target_column")}, shape)


def stars_on_stamp(view: PixelView | None, shape: tuple[int, ...]) -> tuple[StarOnStamp, ...]:
    """The neighbours on the stamp, brightest first (unknown magnitudes last), at most MAX_NEIGHBOURS."""
    if view is None:
        return ()
    stars = [star for star in view.get("neighbours", []) if on_stamp(star["row"], star["column"], shape)]

    def faintness(star: StarOnStamp) -> tuple[float, float, str]:
        magnitude = star["magnitude"]
        return math.inf if magnitude is None else magnitude, star["separation_arcsec"], star["star_id"]

    return tuple(sorted(stars, key=faintness)[:MAX_NEIGHBOURS])
