"""A stamp as a picture: a tiny PNG, scaled up pixel by pixel, under an SVG overlay with axes, colour bar, compass and legend."""

from __future__ import annotations

import math

import numpy as np

from btv_report.dossier.figures import stamp_scene as scene_words
from btv_report.dossier.figures.colours import N_LEVELS, ColourScale
from btv_report.dossier.figures.overlay import compass, outline_runs, star_radius
from btv_report.dossier.figures.pixels import BoolImage
from btv_report.dossier.figures.png import data_uri, palette_png
from btv_report.dossier.figures.stamp_scene import Mark, StampScene
from btv_report.dossier.figures.svg import END, LIVE, NARROW, Drawing, Frame, join, num, path_data
from btv_report.dossier.figures.ticks import tick_labels

LEFT, TOP, BOTTOM = 34, 8, 34
BOX = 210  # room for the image, both ways; beside it stand a bar with labels as wide as "10,000", and a unit
MAX_PIXEL = 40
MIN_WIDTH = 60  # a narrow stamp still needs room for the name of its column axis
MIN_BOX_HEIGHT = 132  # a flat stamp still needs a colour bar and a compass beside it
BAR_GAP, BAR_WIDTH = 10, 10
BAR_LEVELS = 32
MIDDLE = 3.9  # from the middle of a line of text to its baseline
LEGEND_ROW, LEGEND_COLUMNS = 16, (8, 168)
PEAK_HALF = 0.42  # of a pixel: half the side of the box about the largest value
DARK, LIGHT, HOT = "#14171c", "#fff", "#d6006c"
HOT_KINDS = {scene_words.SOURCE, scene_words.REGION, scene_words.IN_TRANSIT_CENTROID, scene_words.HALO}


def stamp_frame(scene: StampScene) -> Frame:
    """Where the image stands in the drawing; ranges are rows and columns of the stamp."""
    n_row, n_column = scene.image.shape
    pixel = max(1.0, min(MAX_PIXEL, BOX // max(n_row, n_column)))
    top = TOP + max(n_row * pixel, MIN_BOX_HEIGHT) - n_row * pixel
    row, column = scene.origin[0] - 0.5, scene.origin[1] - 0.5
    return Frame(LEFT, top, n_column * pixel, n_row * pixel, (column, column + n_column), (row, row + n_row))


def draw_stamp(figure_id: str, title: str, scene: StampScene) -> Drawing:
    """Draw a scene; the drawing is 320 wide and as high as stamp and legend need."""
    n_column = scene.image.shape[1]
    frame = stamp_frame(scene)
    pixel, top = frame.width / n_column, frame.top
    height = frame.bottom - TOP
    kinds = scene.kinds()
    legend_rows = math.ceil(len(kinds) / 2)
    drawing = Drawing(figure_id, NARROW, TOP + height + BOTTOM + legend_rows * LEGEND_ROW + 4, title)
    drawing.add(LIVE)
    _draw_image(drawing, scene, frame)
    _draw_axes(drawing, scene, pixel, top)
    _draw_star_numbers(drawing, scene, frame)
    drawing.add(END)
    _draw_axis_names(drawing, scene, pixel, top)
    bar_left = LEFT + max(n_column * pixel, MIN_WIDTH) + BAR_GAP
    has_compass = _draw_compass(drawing, scene, bar_left + 28, TOP + height - 24)
    _draw_colour_bar(drawing, scene, bar_left, height - (62 if has_compass else 0))
    _draw_legend(drawing, kinds, TOP + height + BOTTOM + 8)
    return drawing


def _draw_image(drawing: Drawing, scene: StampScene, frame: Frame) -> None:
    """
    The stamp and what lies on it, in units of its own rows and columns, row 0 at the bottom; nothing reaches beyond it.

    The stamp is one PNG pixel for each of its pixels.
    """
    n_row, n_column = scene.image.shape
    png = palette_png(scene.scale.levels(scene.image)[::-1], scene.scale.palette())
    left, top = frame.x_range[0], -frame.y_range[1]
    place = f'x="{num(frame.left)}" y="{num(frame.top)}" width="{num(frame.width)}" height="{num(frame.height)}"'
    drawing.add(f'<svg {place} preserveAspectRatio="none" viewBox="{join((left, top, n_column, n_row))}">')
    size = f'x="{num(left)}" y="{num(top)}" width="{n_column}" height="{n_row}"'
    drawing.add(f'<image {size} preserveAspectRatio="none" image-rendering="pixelated" href="{data_uri(png)}"/>')
    _draw_overlay(drawing, scene, n_column / frame.width)
    drawing.add("</svg>")


def _frame(left: float, top: float, width: float, height: float) -> str:
    """A thin frame."""
    box = f"M{join((left, top))}h{num(width)}v{num(height)}h-{num(width)}z"
    return f'<path class="axis" fill="none" stroke="currentColor" d="{box}"/>'


def _draw_axis_names(drawing: Drawing, scene: StampScene, pixel: float, top: float) -> None:
    """The names of the axes."""
    n_row, n_column = scene.image.shape
    drawing.add('<g class="muted" text-anchor="middle">')
    drawing.text(LEFT + n_column * pixel / 2, top + n_row * pixel + 29, "column, px")
    drawing.text(0, 0, "row, px", attributes=f'transform="translate(10 {num(top + n_row * pixel / 2)})rotate(-90)"')
    drawing.add("</g>")


def _draw_axes(drawing: Drawing, scene: StampScene, pixel: float, top: float) -> None:
    """A frame, and row and column numbers at pixel centres."""
    n_row, n_column = scene.image.shape
    first_row, first_column = scene.origin
    bottom = top + n_row * pixel
    drawing.add(f'<g>{_frame(LEFT, top, n_column * pixel, n_row * pixel)}<g class="muted" text-anchor="middle">')
    for column in range(0, n_column, _label_step(n_column, pixel)):
        drawing.text(LEFT + (column + 0.5) * pixel, bottom + 14, str(first_column + column))
    drawing.add('</g><g class="muted" text-anchor="end">')
    for row in range(0, n_row, _label_step(n_row, pixel)):
        drawing.text(LEFT - 5, bottom - (row + 0.5) * pixel + MIDDLE, str(first_row + row))
    drawing.add("</g></g>")


def _label_step(count: int, pixel: float) -> int:
    """Every how many pixels a number stands: 1, 2, 5, 10 ... so that numbers keep 26 units apart."""
    return next(step for step in (1, 2, 5, 10, 20, 50, 100, 500) if step * pixel >= 26 or step >= count)


def _draw_overlay(drawing: Drawing, scene: StampScene, unit: float) -> None:
    """Everything with a place; `unit` is a unit of the picture in pixels of the stamp."""
    groups: dict[str, list[str]] = {DARK: [], HOT: []}
    for kind, mask in scene.outlines():
        groups[HOT if kind in HOT_KINDS else DARK].append(_outline(mask))
    if scene.region:
        groups[HOT].append(path_data(scene.region, decimals=2, closed=True))
    for colour, paths in groups.items():
        marks = (mark for mark in scene.marks if (mark.kind in HOT_KINDS) == (colour == HOT))
        paths.append("".join(_mark_path(mark, unit) for mark in marks))
    circles = (_circle(s["column"], s["row"], star_radius(s["magnitude"]) * unit) for s in scene.neighbours)
    groups[DARK].append("".join(circles))
    # The same paths twice: light casings below, so that they show on any colour, then the colours.
    drawn = {
        colour: "".join(f'<path d="{data}"/>' for data in paths if data)
        for colour, paths in groups.items()
        if any(paths)
    }
    if not drawn:
        return
    casings = "".join(f"<g>{data}</g>" for data in drawn.values())
    drawing.add(
        f'<g class="over" transform="scale(1-1)" fill="none" stroke-linecap="square"><g class="casing" stroke="{LIGHT}" '
        f'stroke-width="{num(3.4 * unit, 3)}" stroke-opacity=".8">{casings}</g><g stroke-width="{num(1.5 * unit, 3)}">'
    )
    for colour, data in drawn.items():
        drawing.add(f'<g class="{"dark" if colour == DARK else "hot"}" stroke="{colour}"><g>{data}</g></g>')
    drawing.add("</g></g>")


def _outline(mask: BoolImage) -> str:
    """The outline of a mask as path data."""
    return "".join(
        f"M{join((x1, y1))}" + (f"h{num(x2 - x1)}" if y1 == y2 else f"v{num(y2 - y1)}")
        for x1, y1, x2, y2 in outline_runs(mask)
    )


def _circle(column: float, row: float, radius: float) -> str:
    """A circle as path data."""
    r = num(radius, 2)
    return (
        f"M{join((column - radius, row), 2)}a{r} {r} 0 1 0 {num(2 * radius, 2)} 0a{r} {r} 0 1 0-{num(2 * radius, 2)} 0"
    )


def _mark_path(mark: Mark, unit: float) -> str:
    """The sign of a mark, `unit` stamp pixels to a unit of the picture; shapes differ, so that colour is not needed."""
    return sign(mark.kind, mark.column, mark.row, unit)


def sign(kind: str, x: float, y: float, unit: float) -> str:
    """Path data of the sign of a kind of place, centred on (x, y)."""
    if kind == scene_words.TARGET:
        h = 7 * unit
        return f"M{join((x - h, y), 2)}h{num(2 * h, 2)}M{join((x, y - h), 2)}v{num(2 * h, 2)}"
    if kind == scene_words.SOURCE:
        h = 5 * unit
        d = num(2 * h, 2)
        return f"M{join((x - h, y - h), 2)}l{d} {d}M{join((x - h, y + h), 2)}l{d}-{d}"
    if kind == scene_words.PEAK:
        h = PEAK_HALF if unit < 1 else 5.0
        d = num(2 * h, 2)
        return f"M{join((x - h, y - h), 2)}h{d}v{d}h-{d}z"
    if kind == scene_words.IN_TRANSIT_CENTROID:
        h = 5 * unit
        d = num(h, 2)
        return f"M{join((x - h, y), 2)}l{d} {d} {d}-{d}-{d}-{d}z"
    return _circle(x, y, 3.5 * unit)


def _draw_star_numbers(drawing: Drawing, scene: StampScene, frame: Frame) -> None:
    """Numbers beside the brightest neighbours; they lead to the table."""
    if not scene.numbers:
        return
    drawing.add(f'<g fill="{DARK}" stroke="{LIGHT}" stroke-width="3" paint-order="stroke" font-weight="600">')
    for star in scene.neighbours:
        if star["star_id"] not in scene.numbers:
            continue
        x, y = frame.x(star["column"]), frame.y(star["row"])
        offset = star_radius(star["magnitude"]) + 3
        inside = x + offset + 8 < frame.right
        drawing.text(
            x + offset if inside else x - offset,
            max(y - 3, TOP + 10),
            str(scene.numbers[star["star_id"]]),
            attributes="" if inside else 'text-anchor="end"',
        )
    drawing.add("</g>")


def _draw_compass(drawing: Drawing, scene: StampScene, centre_x: float, centre_y: float) -> bool:
    """Arrows to north and east; whether the orientation is known."""
    arrows = compass(scene.sky_per_pixel_arcsec)
    if arrows is None:
        return False
    length = 17
    # The arrows' foot is moved so that the pair fills its place whichever way it points.
    mean = np.mean(arrows, axis=0) * length * 0.8
    x0, y0 = centre_x - mean[0], centre_y + mean[1]
    paths, letters = "", []
    for letter, (column, row) in zip("NE", arrows, strict=True):
        tip = (x0 + column * length, y0 - row * length)
        back = [(tip[0] - 5 * (column * c + row * s), tip[1] + 5 * (row * c - column * s)) for c, s in _BARBS]
        paths += f"M{join((x0, y0))}L{join(tip)}M{join(back[0])}L{join(tip)} {join(back[1])}"
        letters.append((x0 + column * (length + 8), y0 - row * (length + 8), letter))
    drawing.add(f'<g text-anchor="middle"><path class="ink" fill="none" stroke="currentColor" d="{paths}"/>')
    for x, y, letter in letters:
        drawing.text(x, y + MIDDLE, letter)
    drawing.add("</g>")
    return True


_BARBS = ((math.cos(0.5), math.sin(0.5)), (math.cos(0.5), -math.sin(0.5)))


def _draw_colour_bar(drawing: Drawing, scene: StampScene, bar_left: float, height: float) -> None:
    """The colour bar with round values and the unit."""
    scale: ColourScale = scene.scale
    levels = np.linspace(N_LEVELS - 1, 0, BAR_LEVELS).round().astype(np.int16)[:, None]
    size = f'x="{num(bar_left)}" y="{TOP}" width="{BAR_WIDTH}" height="{num(height)}"'
    drawing.add(
        f'<g><image {size} preserveAspectRatio="none" href="{data_uri(palette_png(levels, scale.palette()))}"/>'
        f'{_frame(bar_left, TOP, BAR_WIDTH, height)}</g><g class="muted">'
    )
    ticks = scale.ticks(int(height / 22))
    labels = tick_labels(ticks)
    left = bar_left + BAR_WIDTH + 4
    for place, label in zip(scale.fraction(np.array(ticks)), labels, strict=True):
        y = min(max(TOP + height * (1 - float(place)), TOP + 5), TOP + height - 5)
        drawing.text(left, y + MIDDLE, label)
    across = min(left + 6.4 * max(map(len, labels), default=0) + 12, NARROW - 3)
    turn = f'text-anchor="middle" transform="translate({num(across)} {num(TOP + height / 2)})rotate(-90)"'
    drawing.text(0, 0, scene.unit, attributes=turn)
    drawing.add("</g>")


def _draw_legend(drawing: Drawing, kinds: list[str], top: float) -> None:
    """Signs and words, two columns."""
    signs = {False: "", True: ""}
    drawing.add("<g>")
    for number, kind in enumerate(kinds):
        x, y = LEGEND_COLUMNS[number % 2], top + LEGEND_ROW * (number // 2)
        signs[kind in HOT_KINDS] += _legend_sign(kind, x + 5, y)
        drawing.text(x + 18, y + MIDDLE, kind)
    paths = "".join(
        f'<path {colour} d="{signs[is_hot]}"/>'
        for is_hot, colour in ((False, 'class="ink" stroke="currentColor"'), (True, f'stroke="{HOT}"'))
        if signs[is_hot]
    )
    drawing.add(f'<g fill="none" stroke-width="1.5">{paths}</g></g>')


def _legend_sign(kind: str, x: float, y: float) -> str:
    """The sign of a kind of thing in the legend."""
    if kind in {scene_words.APERTURE, scene_words.CORE, scene_words.HALO}:
        return f"M{join((x - 6, y + 4))}h6v-8h6"
    if kind == scene_words.REGION:
        return f"M{join((x - 6, y))}a6 4 0 1 0 12 0a6 4 0 1 0-12 0"
    if kind == scene_words.NEIGHBOURS:
        return _circle(x, y, 5)
    return sign(kind, x, y, 1.0)
