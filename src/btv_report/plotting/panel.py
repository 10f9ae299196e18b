"""What a picture holds, whichever library draws it: one image at most, and lines, points and bands over it."""

from __future__ import annotations

from dataclasses import dataclass

from btv_report.dossier.figures.colours import ColourScale
from btv_report.dossier.figures.pixels import FloatImage

Range = tuple[float, float]


@dataclass(frozen=True)
class Heatmap:
    """
    A stamp.

    Attributes
    ----------
    image : float32, shape (n_row, n_column), row 0 first; NaN is drawn as a gap
    scale : how values become colours
    label : quantity and unit, for the colour bar
    cmap : name of a colour map of the drawing library that replaces the scale's colours, spread linearly; None for ours
    """

    image: FloatImage
    scale: ColourScale
    label: str
    cmap: str | None = None

    @property
    def x_range(self) -> Range:
        """Columns from the left to the right edge of the image: pixel centres are integers."""
        return -0.5, self.image.shape[1] - 0.5

    @property
    def y_range(self) -> Range:
        """Rows from the lower to the upper edge."""
        return -0.5, self.image.shape[0] - 0.5


@dataclass(frozen=True)
class Line:
    """A line through points; NaN in `x` and `y` breaks it. `label` stands beside its last point."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    colour: str
    dashed: bool = False


@dataclass(frozen=True)
class Points:
    """
    Marked places.

    Attributes
    ----------
    name : for the legend
    x, y : columns and rows, or the coordinates of a curve
    colour : `#rrggbb`
    symbol : `cross`, `x`, `circle`, `diamond` (open) or `dot` (filled)
    sizes : diameter of each, screen pixels
    hover : what each is called, or empty
    errors : error of each y, or empty
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    colour: str
    symbol: str
    sizes: tuple[float, ...]
    hover: tuple[str, ...] = ()
    errors: tuple[float, ...] = ()


@dataclass(frozen=True)
class Band:
    """A range of y over the whole width."""

    name: str
    low: float
    high: float
    colour: str


@dataclass(frozen=True)
class Panel:
    """
    One pair of axes and what is on it.

    Attributes
    ----------
    title : lines of text
    x_title, y_title : axis names with units
    x_range, y_range : what is shown; y grows upwards
    square : whether both axes have the same scale
    zero_lines : whether x = 0 and y = 0 are drawn
    """

    title: tuple[str, ...]
    x_title: str
    y_title: str
    x_range: Range
    y_range: Range
    square: bool = True
    zero_lines: bool = False
    heatmap: Heatmap | None = None
    bands: tuple[Band, ...] = ()
    lines: tuple[Line, ...] = ()
    points: tuple[Points, ...] = ()
