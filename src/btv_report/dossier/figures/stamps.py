"""The stamps of a sector: control mean, in-transit mean, difference, signal-to-noise and depth; and the control alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from btv_report.dossier.figures.colours import diverging, sequential_asinh
from btv_report.dossier.figures.context import (
    SectorContext,
    details_of,
    find_check,
    metric,
    pixel_view,
    sector_context,
    stamp_of,
)
from btv_report.dossier.figures.figure import Figure, FigureTable
from btv_report.dossier.figures.overlay import thin_polygon
from btv_report.dossier.figures.pixels import BoolImage, FloatImage, bool_stamp, float_stamp
from btv_report.dossier.figures.stamp_picture import draw_stamp
from btv_report.dossier.figures.stamp_plotly import stamp_json
from btv_report.dossier.figures.stamp_scene import (
    CONTROL_CENTROID,
    IN_TRANSIT_CENTROID,
    MAX_NUMBERED,
    PEAK,
    SOURCE,
    Mark,
    StampScene,
    place,
    stars_on_stamp,
    target_mark,
)
from btv_report.dossier.figures.text import DASH, csv_text, fixed, plain_text, significant, slug, with_error
from btv_report.record import CheckValue, PixelView, RunRecord

TableRows = list[tuple[str, str]]


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
    unit: str

    @property
    def sky(self) -> list[list[float]] | None:
        """Arcsec towards east and north for each column and row."""
        return None if self.view is None else self.view.get("sky_per_pixel_arcsec")

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
    hashes = [view["product_sha256"]] if view else []
    for check in (v09, v08, find_check(record, "V20", candidate, sector), find_check(record, "V10", candidate, sector)):
        hashes += check.get("inputs", []) if check else []
    unit = plain_text(view["image_unit"]) if view else "flux unit of the file"
    return SectorPixels(candidate, sector_context(record, sector, hashes), view, v08, v09, unit)


def control_figures(record: RunRecord, sector: int) -> tuple[Figure, ...]:
    """The control image of a sector, which needs no ephemeris; () without pixels."""
    view = pixel_view(record, sector)
    image = None if view is None else float_stamp(view.get("control_image"))
    if view is None or image is None:
        return ()
    shared = sector_pixels(record, "", sector)
    shape = image.shape
    scene = StampScene(
        image,
        sequential_asinh(image),
        f"{shared.unit}, asinh",
        shared.aperture(shape),
        target_mark(view, shape),
        neighbours=stars_on_stamp(view, shape),
        sky_per_pixel_arcsec=view.get("sky_per_pixel_arcsec"),
    )
    finding = f"Mean of {view['n_used']} used cadences; {_peak_words(image)}."
    text = StampText(f"control-s{sector}", f"Control image, sector {sector}", finding, "flux", shared.unit)
    return (stamp_figure(text, scene, shared),)


def stamp_figures(record: RunRecord, candidate: str, sector: int) -> tuple[Figure, ...]:
    """The stamps of a candidate in a sector, those that are recorded; () when none is."""
    shared = sector_pixels(record, candidate, sector)
    return tuple(_figures(shared))


def _figures(shared: SectorPixels) -> Iterator[Figure]:
    """One figure after the other, as a reader follows them."""
    stem = f"v09-{slug(shared.candidate)}-s{shared.context.sector}"
    for name, unit, word in (("reference_image", "", "Control"), ("in_transit_mean", "", "In-transit")):
        image = stamp_of(shared.v09, name)
        if image is None and name == "reference_image":
            image = stamp_of(shared.v08, name)
        if image is not None:
            text = StampText(
                f"{stem}-{word.lower()}",
                f"{word} mean",
                f"{word} mean; {_peak_words(image)}.",
                "flux",
                unit or shared.unit,
            )
            yield stamp_figure(text, _mean_scene(shared, image, word), shared)
    image = stamp_of(shared.v09, "difference_image")
    if image is not None:
        text = StampText(
            f"{stem}-difference",
            "Difference image",
            _difference_words(shared, image),
            "control minus in transit",
            shared.unit,
        )
        yield stamp_figure(text, _difference_scene(shared, image), shared)
    image = stamp_of(shared.v09, "difference_snr")
    if image is not None:
        finding = f"Difference in units of its error; {_peak_words(image, 'σ')}."
        text = StampText(f"{stem}-snr", "Signal-to-noise of the difference", finding, "signal-to-noise", "sigma")
        yield stamp_figure(text, _signal_scene(shared, image, "σ"), shared)
    image = stamp_of(shared.v09, "depth_map_ppm")
    if image is not None:
        scene = _depth_scene(shared, image)
        text = StampText(f"{stem}-depth", "Depth of each pixel", _depth_words(scene), "depth", "ppm")
        yield stamp_figure(text, scene, shared)


def _base(shared: SectorPixels, image: FloatImage) -> tuple[tuple[int, ...], tuple[Mark, ...]]:
    """Shape, and the marks every stamp has."""
    return image.shape, target_mark(shared.view, image.shape)


def _mean_scene(shared: SectorPixels, image: FloatImage, word: str) -> StampScene:
    """Control or in-transit mean: where the stars and the centroids are."""
    shape, marks = _base(shared, image)
    control = word == "Control"
    marks += shared.centroid(CONTROL_CENTROID if control else IN_TRANSIT_CENTROID, shape)
    return StampScene(
        image,
        sequential_asinh(image),
        f"{shared.unit}, asinh",
        shared.aperture(shape),
        marks,
        neighbours=stars_on_stamp(shared.view, shape) if control else (),
        sky_per_pixel_arcsec=shared.sky,
    )


def _difference_scene(shared: SectorPixels, image: FloatImage) -> StampScene:
    """Difference image: where the signal comes from, against all stars."""
    shape, marks = _base(shared, image)
    row, column = _peak(image)
    return StampScene(
        image,
        diverging(image),
        shared.unit,
        shared.aperture(shape),
        (*marks, *shared.source(shape), Mark(PEAK, row, column)),
        shared.region(),
        stars_on_stamp(shared.view, shape),
        shared.sky,
    )


def _signal_scene(shared: SectorPixels, image: FloatImage, unit: str) -> StampScene:
    """Signal-to-noise: the source and its region."""
    shape, marks = _base(shared, image)
    marks += shared.source(shape)
    return StampScene(
        image, diverging(image), unit, shared.aperture(shape), marks, shared.region(), sky_per_pixel_arcsec=shared.sky
    )


def _depth_scene(shared: SectorPixels, image: FloatImage) -> StampScene:
    """Depth map: colours reach as far as the aperture's pixels do, because faint pixels have wild depths."""
    shape, marks = _base(shared, image)
    aperture = shared.aperture(shape)
    inside = image[aperture] if aperture is not None else image
    inside = inside[np.isfinite(inside)]
    scale = diverging(image, float(np.abs(inside).max()) if inside.size else None)
    return StampScene(image, scale, "ppm", aperture, marks + shared.source(shape), sky_per_pixel_arcsec=shared.sky)


def _peak(image: FloatImage) -> tuple[int, int]:
    """Row and column of the largest value."""
    row, column = np.unravel_index(int(np.nanargmax(image)), image.shape)
    return int(row), int(column)


def _peak_words(image: FloatImage, unit: str = "") -> str:
    """Where the largest value is, and in `unit` how large."""
    row, column = _peak(image)
    size = f", {significant(float(image[row, column]))}{unit}" if unit else ""
    return f"largest at row {row}, column {column}{size}"


def _difference_words(shared: SectorPixels, image: FloatImage) -> str:
    """The finding of the difference image: peak, fitted source, and how sure that is."""
    check = shared.v09
    words = f"Control minus in transit; {_peak_words(image)}."
    offset, error = metric(check, "offset_arcsec"), metric(check, "offset_err_arcsec")
    if offset is not None:
        words += f" The fitted transit source lies {with_error(offset, error, 'arcsec')} from the catalogue position"
        sigma, snr = metric(check, "offset_sigma"), metric(check, "snr")
        words += f" ({fixed(sigma, 1)} sigma)" if sigma is not None else ""
        words += f", signal-to-noise {fixed(snr, 1)}." if snr is not None else "."
    if check is not None and check["verdict"] == "not_run" and check["reason"]:
        words += f" V09 gives no verdict: {plain_text(check['reason'], limit=200).rstrip('.')}."
    return words


def _depth_words(scene: StampScene) -> str:
    """The finding of the depth map."""
    words = "Relative depth pixel by pixel"
    if scene.aperture is not None and np.isfinite(scene.image[scene.aperture]).any():
        words += (
            f"; the median over the aperture is {significant(float(np.nanmedian(scene.image[scene.aperture])))} ppm"
        )
    blank = int(np.isnan(scene.image).sum())
    words += f". {blank} pixels too faint for a depth are blank." if blank else "."
    if scene.scale.clipped:
        words += f" Colours end at ±{significant(scene.scale.maximum)} ppm, the largest in the aperture."
    return words


def stamp_figure(
    text: StampText, scene: StampScene, shared: SectorPixels, *, table: FigureTable | None = None
) -> Figure:
    """Put picture, Plotly JSON, table, CSV and words together; the table lists places unless another one is given."""
    view = shared.view
    where = ""
    if view is not None and view["corner_row"] is not None and view["corner_column"] is not None:
        where = f" Pixel row 0, column 0 is detector row {view['corner_row']}, column {view['corner_column']}."
    n_row, n_column = scene.image.shape
    alt = f"{text.title}: {n_row} rows by {n_column} columns of pixels, {_peak_words(scene.image)}."
    drawing = draw_stamp(text.figure_id, alt, scene)
    header = ("row", "column", f"{text.quantity} ({text.unit})")
    rows = ((r, c, scene.image[r, c]) for r in range(n_row) for c in range(n_column))
    return Figure(
        figure_id=text.figure_id,
        title=text.title,
        caption=f"{text.finding} {shared.context.words}{where}",
        alt=alt,
        picture=drawing.render(),
        width=int(drawing.width),
        height=round(drawing.height),
        plotly_json=stamp_json(scene),
        table=table or FigureTable(("what", "row, px", "column, px", "value"), _table(text, scene, shared)),
        csv=csv_text(header, rows),
    )


def _table(text: StampText, scene: StampScene, shared: SectorPixels) -> tuple[tuple[str, ...], ...]:
    """Largest value, marked places with their errors, and the numbered neighbours."""
    row, column = _peak(scene.image)
    value = f"{significant(float(scene.image[row, column]), 4)} {text.unit}"
    rows = [("largest value", str(row), str(column), value)]
    for mark in scene.marks:
        if mark.kind == SOURCE:
            row_err, column_err = metric(shared.v09, "source_row_err"), metric(shared.v09, "source_column_err")
            rows.append((mark.kind, with_error(mark.row, row_err), with_error(mark.column, column_err), DASH))
        elif mark.kind != PEAK:
            rows.append((mark.kind, fixed(mark.row, 3), fixed(mark.column, 3), DASH))
    for number, star in enumerate(scene.neighbours[:MAX_NUMBERED], start=1):
        magnitude = "magnitude unknown" if star["magnitude"] is None else f"{fixed(star['magnitude'], 1)} mag"
        separation = f"{fixed(star['separation_arcsec'], 1)} arcsec away"
        name = f"{number}: {plain_text(star['star_id'])}"
        rows.append((name, fixed(star["row"], 2), fixed(star["column"], 2), f"{magnitude}, {separation}"))
    return tuple(rows)
