"""
A small SVG writer.

Colours follow the page: shapes are painted with `currentColor` and carry these classes, whose `color` the page's style sheet sets
from its custom properties; a `color` attribute is the fallback of a picture that stands alone.

| class | what |
|---|---|
| `figure` | root element; `figure-wide` besides for pictures 640 wide |
| `ink` | data in the text colour: odd transits, points, signs of a legend |
| `accent` | the second series or the finding: even transits, the mean shift |
| `model` | predicted curves, depth lines |
| `band` | shaded ranges (the page's colour is translucent): the transit, a depth with its error |
| `axis` | axis lines, ticks, frames, zero lines |
| `grid` | grid lines |
| `muted` | labels and secondary text |
| `live` | what the interactive version replaces: data, axes and their numbers. Titles, keys, colour bar and compass stay |

What lies on a stamp has colours of its own, dark with a light casing, because a stamp looks the same in light and dark.

Text is 11 or 12 units. Pictures 320 wide are shown at about that size everywhere. Pictures 640 wide shrink on a phone: their
margins and label distances have room for labels of twice the size, all offsets of text are in em, and the page's style sheet
enlarges them: `@media (max-width: 40rem) { .figure-wide text { font-size: 22px } }`.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from btv_report.dossier.figures.text import plain_text
from btv_report.dossier.figures.ticks import tick_labels

NARROW, WIDE = 320, 640

# Class and fallback colour of what is not in the text colour; the page's script knows these colours and gives those of the theme.
INK_COLOUR, ACCENT_COLOUR, MODEL_COLOUR, MUTED_COLOUR = "#1c2128", "#b4530a", "#0e7490", "#5a626e"
LIVE, END = '<g class="live">', "</g>"  # what the interactive version draws itself and therefore hides
ACCENT = f'class="accent" color="{ACCENT_COLOUR}"'
MODEL = 'class="model" color="#0e7490"'
BAND = 'class="band" color="#0e749026"'


def num(value: float, decimals: int = 1) -> str:
    """The shortest text of a coordinate: no trailing zeros, no leading zero."""
    text = f"{value:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    text = "0" if text in {"-0", ""} else text
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def join(numbers: Iterable[float], decimals: int = 1) -> str:
    """Numbers of path data, with a space only where a minus sign does not separate them."""
    return "".join(f" {text}" if text[0] != "-" else text for text in (num(n, decimals) for n in numbers)).strip()


def path_data(points: Sequence[tuple[float, float]], *, decimals: int = 1, closed: bool = False) -> str:
    """
    A polyline as path data of relative moves.

    The points are rounded before the differences are taken, so that no error adds up.
    """
    grid = np.round(np.asarray(points, float), decimals)
    moves = np.diff(grid, axis=0)
    moves = moves[np.any(np.abs(moves) > 10.0**-decimals / 2, axis=1)]
    data = f"M{join(grid[0], decimals)}"
    if len(moves):
        data += f"l{join(moves.ravel(), decimals)}"
    return data + ("z" if closed else "")


def escape(text: object) -> str:
    """Text for element content and attribute values, with the characters that XML forbids made visible."""
    return html.escape(plain_text(text), quote=True)


@dataclass
class Drawing:
    """
    One SVG document under construction.

    Attributes
    ----------
    figure_id : slug; prefixes every id inside
    width, height : size of the viewBox, units
    title : text alternative, one sentence
    """

    figure_id: str
    width: float
    height: float
    title: str
    parts: list[str] = field(default_factory=list)

    def add(self, markup: str) -> None:
        """Append markup; texts in it must be escaped already."""
        self.parts.append(markup)

    def text(self, x: float, y: float, content: str, *, attributes: str = "") -> None:
        """Text that starts at (x, y), the baseline; `attributes` is markup such as `text-anchor="end" dy=".35em"`."""
        space = " " if attributes else ""
        self.add(f'<text x="{num(x)}" y="{num(y)}"{space}{attributes}>{escape(content)}</text>')

    def render(self) -> str:
        """The document."""
        wide = " figure-wide" if self.width >= WIDE else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="figure{wide}" role="img" viewBox="0 0 {num(self.width)} '
            f'{num(self.height)}" width="{num(self.width)}" height="{num(self.height)}" fill="currentColor" '
            f'font-family="system-ui,sans-serif" font-size="{12 if wide else 11}" font-variant="tabular-nums">'
            f"<title>{html.escape(plain_text(self.title, limit=600))}</title>{''.join(self.parts)}</svg>"
        )


@dataclass(frozen=True)
class Frame:
    """
    A plot area: a rectangle of the picture and the data ranges it shows; y grows upwards.

    Attributes
    ----------
    left, top, width, height : rectangle, units of the picture
    x_range, y_range : data values at the left and right, bottom and top edges
    """

    left: float
    top: float
    width: float
    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    @property
    def bottom(self) -> float:
        """y of the lower edge in the picture."""
        return self.top + self.height

    @property
    def right(self) -> float:
        """x of the right edge in the picture."""
        return self.left + self.width

    def x(self, value: float) -> float:
        """Horizontal place of a data value in the picture."""
        low, high = self.x_range
        return self.left + (value - low) / (high - low) * self.width

    def y(self, value: float) -> float:
        """Vertical place of a data value in the picture."""
        low, high = self.y_range
        return self.bottom - (value - low) / (high - low) * self.height

    def x_value(self, place: float) -> float:
        """The data value at a horizontal place of the picture, to eight digits."""
        low, high = self.x_range
        return float(f"{low + (place - self.left) / self.width * (high - low):.8g}")

    def y_value(self, place: float) -> float:
        """The data value at a vertical place of the picture, to eight digits."""
        low, high = self.y_range
        return float(f"{low + (self.bottom - place) / self.height * (high - low):.8g}")

    def points(self, xs: Iterable[float], ys: Iterable[float]) -> list[tuple[float, float]]:
        """Places of data points."""
        return [(self.x(float(x)), self.y(float(y))) for x, y in zip(xs, ys, strict=True)]

    def rectangle(self, attributes: str) -> str:
        """The plot area as a rect element."""
        return (
            f'<rect x="{num(self.left)}" y="{num(self.top)}" width="{num(self.width)}" height="{num(self.height)}" '
            f"{attributes}/>"
        )

    def clip(self, figure_id: str) -> str:
        """A clip path of the plot area with the id `<figure_id>-c`."""
        return f'<clipPath id="{figure_id}-c">{self.rectangle("")}</clipPath>'


def draw_axes(
    drawing: Drawing,
    frame: Frame,
    *,
    x_ticks: list[float],
    y_ticks: list[float],
    x_title: str,
    y_title: str,
) -> None:
    """
    Draw grid, axis line, ticks, labels and titles of a plot area.

    The title of y stands above its labels, level, so that it reads without turning the head and needs no margin.
    """
    grid = "".join(f"M{join((frame.left, frame.y(y)))}h{num(frame.width)}" for y in y_ticks)
    drawing.add(f'{LIVE}<path class="grid" stroke="currentColor" stroke-opacity=".15" fill="none" d="{grid}"/>')
    marks = "".join(f"M{join((frame.x(x), frame.bottom))}v4" for x in x_ticks)
    drawing.add(
        f'<path class="axis" stroke="currentColor" fill="none" d="M{join((frame.left, frame.bottom))}'
        f'h{num(frame.width)}{marks}"/>'
    )
    drawing.add('<g class="muted" text-anchor="end">')
    for value, label in zip(y_ticks, tick_labels(y_ticks), strict=True):
        drawing.text(frame.left - 5, frame.y(value), label, attributes='dy=".35em"')
    drawing.add('</g><g class="muted" text-anchor="middle">')
    for value, label in zip(x_ticks, tick_labels(x_ticks), strict=True):
        drawing.text(frame.x(value), frame.bottom + 5, label, attributes='dy="1em"')
    drawing.add("</g></g>")
    drawing.text(frame.left + frame.width / 2, frame.bottom + 5, x_title, attributes='text-anchor="middle" dy="2.4em"')
    drawing.text(2, frame.top - 6, y_title)


def label_margin(labels: Sequence[str], *, wide: bool) -> float:
    """Room left of a plot area for the tick labels of y, at the size they have on a phone."""
    return max(len(label) for label in labels) * (13.4 if wide else 6.4) + (8 if wide else 12)
