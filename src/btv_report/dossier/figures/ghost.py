"""V20 in two pictures: core and halo masks over the difference image, and the gradient of the difference image."""

from __future__ import annotations

import numpy as np

from btv_report.dossier.figures.colours import SEQUENTIAL, ColourScale, diverging
from btv_report.dossier.figures.context import find_check, mask_of, metric, stamp_of
from btv_report.dossier.figures.figure import Figure, FigureTable
from btv_report.dossier.figures.pixels import FloatImage
from btv_report.dossier.figures.stamp_figure import SectorPixels, StampText, sector_pixels, stamp_figure
from btv_report.dossier.figures.stamp_scene import CORE, HALO, StampScene, target_mark
from btv_report.dossier.figures.text import fixed, measured, plain_text, significant, slug, with_error
from btv_report.record import CheckValue, RunRecord

METRICS = (
    ("core_correlation", "core correlation with the transit, sigma", 2),
    ("halo_correlation", "halo correlation with the transit, sigma", 2),
    ("halo_excess_sigma", "excess of halo over core, sigma", 2),
    ("core_halo_ratio", "core / halo", 2),
    ("snr", "signal-to-noise", 1),
    ("in_aperture_difference", "mean difference inside the aperture", None),
    ("out_aperture_difference", "mean difference outside the aperture", None),
    ("edge_gradient", "gradient at the aperture's edge", None),
    ("background_trend", "background trend", None),
    ("prf_likeness", "likeness to the PRF", 2),
)


def ghost_figures(record: RunRecord, candidate: str, sector: int) -> tuple[Figure, ...]:
    """Core and halo over the difference image, and the gradient magnitude; each where V20 recorded it."""
    check = find_check(record, "V20", candidate, sector)
    if check is None:
        return ()
    shared = sector_pixels(record, candidate, sector)
    figures = (_core_and_halo(shared, check), _gradient(shared, check))
    return tuple(figure for figure in figures if figure is not None)


def _core_and_halo(shared: SectorPixels, check: CheckValue) -> Figure | None:
    """The difference image under the outlines of core and halo, with the numbers of the check."""
    image = stamp_of(check, "difference_image")
    image = image if image is not None else stamp_of(shared.v09, "difference_image")
    if image is None:
        return None
    core, halo = (mask_of(check, f"{name}_mask", image.shape) for name in ("core", "halo"))
    # Core and halo share edges; around both together the halo's line has only its own.
    whole = halo | core if halo is not None and core is not None else halo
    masks = tuple((word, mask) for word, mask in ((CORE, core), (HALO, whole)) if mask is not None)
    if not masks:
        return None
    scene = StampScene(
        image,
        diverging(image),
        shared.unit,
        marks=target_mark(shared.view, image.shape),
        sky_per_pixel_arcsec=shared.sky,
        masks=masks,
    )
    text = StampText(_stem(shared), "Core and halo", _finding(check), "control minus in transit", shared.unit)
    return stamp_figure(text, scene, shared, table=_table(check, shared.unit))


def _gradient(shared: SectorPixels, check: CheckValue) -> Figure | None:
    """The gradient magnitude of the difference image."""
    image = stamp_of(check, "gradient_magnitude")
    if image is None:
        return None
    unit = f"{shared.unit} per px"
    scene = StampScene(
        image,
        _from_zero(image),
        unit,
        mask_of(check, "aperture_mask", image.shape),
        target_mark(shared.view, image.shape),
        sky_per_pixel_arcsec=shared.sky,
    )
    finding = "Gradient of the difference image: a star has a steep rim, scattered light has none"
    edge = metric(check, "edge_gradient")
    finding += f"; {significant(edge)} {unit} at the aperture's edge." if edge is not None else "."
    text = StampText(f"{_stem(shared)}-gradient", "Gradient of the difference", finding, "gradient magnitude", unit)
    return stamp_figure(text, scene, shared)


def _stem(shared: SectorPixels) -> str:
    return f"v20-{slug(shared.candidate)}-s{shared.context.sector}"


def _from_zero(image: FloatImage) -> ColourScale:
    """Linear scale from 0 to the largest value."""
    return ColourScale(SEQUENTIAL, 0.0, float(np.nanmax(image)) or 1.0)


def _finding(check: CheckValue) -> str:
    """What core and halo say, in words."""
    core, halo = metric(check, "core_correlation"), metric(check, "halo_correlation")
    excess = metric(check, "halo_excess_sigma")
    words = "Core and halo of the aperture over the difference image."
    if core is not None and halo is not None:
        words += f" Correlation with the transit: core {measured(core, 'sigma')}, halo {measured(halo, 'sigma')}."
    if excess is not None:
        apart = measured(abs(excess), "sigma")
        words += f" The halo lies {apart} below the core." if excess < 0 else f" The halo exceeds the core by {apart}."
    if check["verdict"] == "not_run" and check["reason"]:
        words += f" V20 gives no verdict: {plain_text(check['reason'], limit=200).rstrip('.')}."
    return words


def _table(check: CheckValue, unit: str) -> FigureTable:
    """Depths of core and halo with errors, then the metrics that were measured."""
    details = check.get("details", {})
    rows = []
    for name in ("core", "halo"):
        depth = details.get(f"{name}_depth")
        if isinstance(depth, int | float):
            error = details.get(f"{name}_depth_err")
            rows.append(
                (f"{name} depth", with_error(float(depth), error if isinstance(error, int | float) else None, unit))
            )
    for name, words, decimals in METRICS:
        value = metric(check, name)
        if value is not None:
            places = 0 if decimals is not None and abs(value) >= 100 else decimals
            rows.append((words, significant(value) if places is None else fixed(value, places)))
    return FigureTable(("what", "value"), tuple(rows))
