"""From a scene to a figure: what the stamps of one candidate and sector share, and caption, table and CSV of a stamp."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from btv_report.dossier.figures.context import (
    SectorContext,
    details_of,
    find_check,
    metric,
    pixel_view,
    sector_context,
)
from btv_report.dossier.figures.figure import Figure, FigureTable
from btv_report.dossier.figures.overlay import thin_polygon
from btv_report.dossier.figures.pixels import BoolImage, bool_stamp
from btv_report.dossier.figures.stamp_picture import draw_stamp
from btv_report.dossier.figures.stamp_plotly import stamp_json
from btv_report.dossier.figures.stamp_scene import CONTROL_CENTROID, MAX_NUMBERED, PEAK, SOURCE, Mark, StampScene, place
from btv_report.dossier.figures.text import DASH, csv_text, fixed, measured, plain_text, with_error
from btv_report.dossier.labels import unit_label
from btv_report.dossier.stars import star_numbers
from btv_report.record import CheckValue, PixelView, RunRecord, StarOnStamp

MAX_PEAKS = 8  # single transits whose largest pixel the table of the difference image lists


@dataclass(frozen=True)
class StampText:
    """The words of one stamp figure."""

    figure_id: str
    title: str
    finding: str
    quantity: str
    unit: str


@dataclass(frozen=True)
class SectorPixels:
    """Everything that the stamps of one candidate and sector share."""

    candidate: str
    context: SectorContext
    view: PixelView | None
    v08: CheckValue | None
    v09: CheckValue | None
    v10: CheckValue | None
    unit: str
    numbers: Mapping[str, int]

    @property
    def sky(self) -> list[list[float]] | None:
        """Arcsec towards east and north for each column and row."""
        return None if self.view is None else self.view.get("sky_per_pixel_arcsec")

    def labels(self, stars: Sequence[StarOnStamp]) -> dict[str, int]:
        """Numbers of the stars that carry one: the brightest on the stamp, and those whose growth curve V10 predicts."""
        curves = details_of(self.v10).get("predicted_neighbours") or []
        named = {star["star_id"] for star in stars[:MAX_NUMBERED]} | {str(curve.get("star_id")) for curve in curves}
        return {star["star_id"]: self.numbers[star["star_id"]] for star in stars if star["star_id"] in named}

    def aperture(self, shape: tuple[int, ...]) -> BoolImage | None:
        """The pipeline's aperture, when its shape fits."""
        return None if self.view is None else bool_stamp(self.view.get("aperture_mask"), shape)

    def region(self) -> tuple[tuple[float, float], ...]:
        """The 3-sigma region as (column, row), thinned."""
        points = details_of(self.v09).get("region_3sigma") or []
        return tuple(thin_polygon(points))

    def source(self, shape: tuple[int, ...]) -> tuple[Mark, ...]:
        """The fitted transit source."""
        return place(SOURCE, details_of(self.v09).get("source"), shape)

    def centroid(self, kind: str, shape: tuple[int, ...]) -> tuple[Mark, ...]:
        """A centroid of V08."""
        key = "control_centroid" if kind == CONTROL_CENTROID else "in_transit_centroid"
        return place(kind, details_of(self.v08).get(key), shape)


def sector_pixels(record: RunRecord, candidate: str, sector: int) -> SectorPixels:
    """Gather what the figures of a candidate and sector share."""
    view = pixel_view(record, sector)
    v08, v09 = find_check(record, "V08", candidate, sector), find_check(record, "V09", candidate, sector)
    v10 = find_check(record, "V10", candidate, sector)
    hashes = [view["product_sha256"]] if view else []
    for check in (v09, v08, find_check(record, "V20", candidate, sector), v10):
        hashes += check.get("inputs", []) if check else []
    unit = unit_label(plain_text(view["image_unit"])) if view else "flux unit of the file"
    context = sector_context(record, sector, hashes)
    return SectorPixels(candidate, context, view, v08, v09, v10, unit, star_numbers(record))


def peak_words(scene: StampScene, unit: str = "") -> str:
    """Where the largest value is, and with a `unit` how large."""
    row, column, value = scene.peak()
    size = f", {measured(value, unit)}" if unit else ""
    where = " in the aperture" if scene.within is not None else ""
    return f"largest{where} at row {row}, column {column}{size}"


def stamp_figure(
    text: StampText, scene: StampScene, shared: SectorPixels, *, table: FigureTable | None = None
) -> Figure:
    """Put picture, Plotly JSON, table, CSV and words together; the table lists places unless another one is given."""
    view = shared.view
    where = ""
    if view is not None and view["corner_row"] is not None and view["corner_column"] is not None:
        where = f" Pixel (0, 0) is detector row {view['corner_row']}, column {view['corner_column']}."
    n_row, n_column = scene.image.shape
    alt = f"{text.title}: {n_row} rows by {n_column} columns of pixels, {peak_words(scene)}."
    drawing = draw_stamp(text.figure_id, alt, scene)
    header = ("row", "column", f"{text.quantity} ({text.unit.replace('e⁻', 'e-')})")
    rows = (
        (r + scene.origin[0], c + scene.origin[1], scene.image[r, c]) for r in range(n_row) for c in range(n_column)
    )
    return Figure(
        figure_id=text.figure_id,
        title=text.title,
        caption=f"{text.finding} {_star_words(scene, view)}{shared.context.words}{where}",
        alt=alt,
        picture=drawing.render(),
        width=int(drawing.width),
        height=round(drawing.height),
        plotly_json=stamp_json(scene, drawing, text.unit),
        table=table or FigureTable(("what", "row, px", "column, px", "value"), _table(text, scene, shared)),
        csv=csv_text(header, rows),
    )


def _star_words(scene: StampScene, view: PixelView | None) -> str:
    """What the circles are, and how many of the stars they show; ends with a space, or is empty without circles."""
    shown = len(scene.neighbours)
    if shown == 0 or view is None:
        return ""
    n_stars = view.get("n_neighbours", len(view["neighbours"]))
    which = f"the {shown} brightest of {n_stars:,d} catalogued stars" if n_stars > shown else "catalogued stars"
    return f"Circles: {which}, larger is brighter. "


def _table(text: StampText, scene: StampScene, shared: SectorPixels) -> tuple[tuple[str, ...], ...]:
    """Largest value, marked places with their errors, and the numbered neighbours."""
    row, column, value = scene.peak()
    what = "largest value in the aperture" if scene.within is not None else "largest value"
    rows = [(what, str(row), str(column), measured(value, text.unit, 4))]
    for mark in scene.marks:
        if mark.kind == SOURCE:
            row_err, column_err = metric(shared.v09, "source_row_err"), metric(shared.v09, "source_column_err")
            rows.append((mark.kind, with_error(mark.row, row_err), with_error(mark.column, column_err), DASH))
        elif mark.kind != PEAK:
            rows.append((mark.kind, fixed(mark.row, 3), fixed(mark.column, 3), DASH))
    if any(mark.kind == PEAK for mark in scene.marks):
        peaks = details_of(shared.v09).get("per_transit_peaks") or []
        rows += [
            (f"largest value of transit {p['number']}", str(p["row"]), str(p["column"]), DASH)
            for p in peaks[:MAX_PEAKS]
        ]
    numbered = [star for star in scene.neighbours if star["star_id"] in scene.numbers]
    for star in sorted(numbered, key=lambda star: scene.numbers[star["star_id"]]):
        magnitude = "magnitude unknown" if star["magnitude"] is None else f"{fixed(star['magnitude'], 1)} mag"
        separation = f"{fixed(star['separation_arcsec'], 1)} arcsec away"
        name = f"{scene.numbers[star['star_id']]}: {plain_text(star['star_id'])}"
        rows.append((name, fixed(star["row"], 2), fixed(star["column"], 2), f"{magnitude}, {separation}"))
    return tuple(rows)
