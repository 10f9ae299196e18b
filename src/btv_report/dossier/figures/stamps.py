"""The stamps of a sector: control mean, in-transit mean, difference, signal-to-noise and depth; and the control alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from btv_report.dossier.figures.colours import diverging, sequential_asinh
from btv_report.dossier.figures.context import metric, pixel_view, stamp_of
from btv_report.dossier.figures.figure import Figure
from btv_report.dossier.figures.pixels import FloatImage, float_stamp
from btv_report.dossier.figures.stamp_figure import SectorPixels, StampText, peak_words, sector_pixels, stamp_figure
from btv_report.dossier.figures.stamp_scene import (
    CONTROL_CENTROID,
    IN_TRANSIT_CENTROID,
    PEAK,
    Mark,
    StampScene,
    stars_on_stamp,
    target_mark,
)
from btv_report.dossier.figures.text import count_of, fixed, plain_text, significant, slug, with_error
from btv_report.record import RunRecord


def control_figures(record: RunRecord, sector: int) -> tuple[Figure, ...]:
    """The control image of a sector, which needs no ephemeris; () without pixels."""
    view = pixel_view(record, sector)
    image = None if view is None else float_stamp(view.get("control_image"))
    if view is None or image is None:
        return ()
    shared = sector_pixels(record, "", sector)
    stars = stars_on_stamp(view, image.shape)
    scene = StampScene(
        image,
        sequential_asinh(image),
        f"{shared.unit}, asinh",
        shared.aperture(image.shape),
        target_mark(view, image.shape),
        neighbours=stars,
        numbers=shared.labels(stars),
        sky_per_pixel_arcsec=shared.sky,
    )
    finding = f"Mean of {count_of(view['n_used'], 'used cadence')}; {peak_words(scene)}."
    text = StampText(f"control-s{sector}", f"Control image, sector {sector}", finding, "flux", shared.unit)
    return (stamp_figure(text, scene, shared),)


def stamp_figures(record: RunRecord, candidate: str, sector: int) -> tuple[Figure, ...]:
    """The stamps of a candidate in a sector, those that are recorded, as a reader follows them; () when none is."""
    shared = sector_pixels(record, candidate, sector)
    figures = []
    for name, make in STAMPS.items():
        image = stamp_of(shared.v09, name)
        if image is None and name == "reference_image":
            image = stamp_of(shared.v08, name)
        if image is not None:
            figures.append(make(shared, image))
    return tuple(figures)


def _stem(shared: SectorPixels) -> str:
    return f"v09-{slug(shared.candidate)}-s{shared.context.sector}"


def _control(shared: SectorPixels, image: FloatImage) -> Figure:
    """Control mean: where the stars are, and V08's control centroid."""
    shape = image.shape
    stars = stars_on_stamp(shared.view, shape)
    scene = StampScene(
        image,
        sequential_asinh(image),
        f"{shared.unit}, asinh",
        shared.aperture(shape),
        target_mark(shared.view, shape) + shared.centroid(CONTROL_CENTROID, shape),
        neighbours=stars,
        numbers=shared.labels(stars),
        sky_per_pixel_arcsec=shared.sky,
    )
    finding = f"Mean of the cadences beside the transits; {peak_words(scene)}."
    return stamp_figure(
        StampText(f"{_stem(shared)}-control", "Control mean", finding, "flux", shared.unit), scene, shared
    )


def _in_transit(shared: SectorPixels, image: FloatImage) -> Figure:
    """In-transit mean, with V08's in-transit centroid."""
    shape = image.shape
    scene = StampScene(
        image,
        sequential_asinh(image),
        f"{shared.unit}, asinh",
        shared.aperture(shape),
        target_mark(shared.view, shape) + shared.centroid(IN_TRANSIT_CENTROID, shape),
        sky_per_pixel_arcsec=shared.sky,
    )
    finding = f"Mean of the cadences in transit; {peak_words(scene)}."
    text = StampText(f"{_stem(shared)}-in-transit", "In-transit mean", finding, "flux", shared.unit)
    return stamp_figure(text, scene, shared)


def _difference(shared: SectorPixels, image: FloatImage) -> Figure:
    """Difference image: where the signal comes from, against all stars."""
    shape = image.shape
    stars = stars_on_stamp(shared.view, shape)
    row, column = np.unravel_index(int(np.nanargmax(image)), shape)
    scene = StampScene(
        image,
        diverging(image),
        shared.unit,
        shared.aperture(shape),
        (*target_mark(shared.view, shape), *shared.source(shape), Mark(PEAK, int(row), int(column))),
        shared.region(),
        stars,
        shared.labels(stars),
        shared.sky,
    )
    title, quantity = "Difference image", "control minus in transit"
    text = StampText(f"{_stem(shared)}-difference", title, _difference_words(shared, scene), quantity, shared.unit)
    return stamp_figure(text, scene, shared)


def _signal(shared: SectorPixels, image: FloatImage) -> Figure:
    """Signal-to-noise: the source and its region."""
    scene = StampScene(
        image,
        diverging(image),
        "sigma",
        shared.aperture(image.shape),
        target_mark(shared.view, image.shape) + shared.source(image.shape),
        shared.region(),
        sky_per_pixel_arcsec=shared.sky,
    )
    finding = (
        "Difference in units of its error, the larger of the formal and the matched-window error of the difference; "
        f"{peak_words(scene, 'sigma')}."
    )
    text = StampText(f"{_stem(shared)}-snr", "Signal-to-noise of the difference", finding, "signal-to-noise", "sigma")
    return stamp_figure(text, scene, shared)


def _depth(shared: SectorPixels, image: FloatImage) -> Figure:
    """Depth map: colours reach as far as the aperture's pixels do, because faint pixels have wild depths."""
    aperture = shared.aperture(image.shape)
    inside = image[aperture] if aperture is not None else image
    inside = inside[np.isfinite(inside)]
    scene = StampScene(
        image,
        diverging(image, float(np.abs(inside).max()) if inside.size else None),
        "ppm",
        aperture,
        target_mark(shared.view, image.shape) + shared.source(image.shape),
        sky_per_pixel_arcsec=shared.sky,
        within=aperture,
    )
    text = StampText(f"{_stem(shared)}-depth", "Depth of each pixel", _depth_words(scene), "depth", "ppm")
    return stamp_figure(text, scene, shared)


STAMPS: dict[str, Callable[[SectorPixels, FloatImage], Figure]] = {
    "reference_image": _control,
    "in_transit_mean": _in_transit,
    "difference_image": _difference,
    "difference_snr": _signal,
    "depth_map_ppm": _depth,
}


def _difference_words(shared: SectorPixels, scene: StampScene) -> str:
    """The finding of the difference image: peak, fitted source, and how sure that is."""
    check = shared.v09
    words = f"Control minus in transit; {peak_words(scene)}."
    offset, error = metric(check, "offset_arcsec"), metric(check, "offset_err_arcsec")
    if offset is not None:
        words += f" The fitted transit source lies {with_error(offset, error, 'arcsec')} from the catalogue position"
        sigma, snr = metric(check, "offset_sigma"), metric(check, "snr")
        words += f" ({fixed(sigma, 1)} sigma in two dimensions, with the systematic floor)" if sigma is not None else ""
        words += f", signal-to-noise {fixed(snr, 1)}." if snr is not None else "."
    if check is not None and check["verdict"] == "not_run" and check["reason"]:
        words += f" V09 gives no verdict: {plain_text(check['reason'], limit=200).rstrip('.')}."
    return words


def _depth_words(scene: StampScene) -> str:
    """The finding of the depth map."""
    words = f"Relative depth pixel by pixel; {peak_words(scene, 'ppm')}"
    inside = scene.image[scene.aperture] if scene.aperture is not None else np.empty(0)
    if np.isfinite(inside).any():
        words += f"; the median over the aperture is {significant(float(np.nanmedian(inside)))} ppm"
    blank = int(np.isnan(scene.image).sum())
    words += f". {blank} pixels too faint for a depth are blank." if blank else "."
    if scene.scale.clipped:
        words += f" Colours end at ±{significant(scene.scale.maximum)} ppm, the largest in the aperture."
    return words
