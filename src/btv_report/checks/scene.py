"""What stands on the stamp: the target's control image, its PRF, the light of its neighbours, and saturation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from btv_report.checks import thresholds
from btv_report.checks.apertures import BoolArray, FloatArray, distance_px
from btv_report.checks.difference_image import PixelMeasurement, centre_of_search
from btv_report.checks.inputs import StackStar
from btv_report.checks.prf import GaussianPrf, Prf, own_image_prf
from btv_report.checks.prf_choice import StarModel, candidates_at, choose_prf, fit_star, lacking_at, why_lacking
from btv_report.checks.prf_grid import PrfGrid

TESS_ZERO_POINT_MAG = 20.44
"""TESS magnitude of 1 electron/s (TESS Instrument Handbook); used only where the target's magnitude is not known."""
FIT_RADIUS_PX = 3.5
CONTAMINATION_RADIUS_PX = 4.0
EDGE_PX = 2.0
OWN_POSITION_TOLERANCE_PX = 0.5
SATURATING_TMAG = 6.8
OWN_IMAGE_AT_CATALOGUE = (
    "the star's own control image, taken to stand at its catalogue position and shifted by a quintic spline; offsets are "
    "relative to that image, so an error of the coordinates, or a blend with the star, does not show in them"
)
NOMINAL_PIXEL_ARCSEC = 21.0
NO_PLACE = "PRF sets are at hand, but the file does not say where on the detector the star stands."
NO_STAR = "PRF sets are at hand, but none of them finds the star in the control image."
OTHER_DETECTOR = (
    "No usable PRF set is known to be of the star's own camera and CCD: the set that describes its image best is used."
)


@dataclass(frozen=True)
class Scene:
    """
    The control image, understood.

    Attributes
    ----------
    control : shape (n_row, n_column), background subtracted, NaN at pixels that are not valid
    background_level : subtracted from each pixel
    row, column : catalogue position, or without a WCS the position fitted to the control image
    from_catalogue : whether it is the catalogue position
    source_row, source_column : position of the target's light in the control image
    target_flux : fitted flux of the target
    prf : Prf
    prf_note : a sentence when calibrated sets are at hand and are not used, or are another detector's, else empty
    prf_tried : calibrated sets that were fitted, best first: name, and rms misfit over the brightest pixel
    control_correlation : Pearson correlation of control image and model about the target
    star_flux : expected flux of each neighbour of the stack, None where its magnitude is not known
    neighbour_light : model image of all neighbours with known magnitude
    saturated : flat-topped or bleeding
    near_edge : the target lies within two pixels of the edge of the stamp
    """

    control: FloatArray
    background_level: float
    row: float
    column: float
    from_catalogue: bool
    source_row: float
    source_column: float
    target_flux: float
    prf: Prf
    control_correlation: float
    star_flux: tuple[float | None, ...]
    neighbour_light: FloatArray
    saturated: bool
    near_edge: bool
    prf_note: str = ""
    prf_tried: tuple[tuple[str, float], ...] = ()


def describe_scene(measurement: PixelMeasurement) -> Scene | None:
    """Fit the target's control image and choose the PRF; None where no star is seen at all."""
    stack = measurement.stack
    control = measurement.image(measurement.control)
    level = float(np.nanmean(control[measurement.background])) if measurement.background.any() else 0.0
    control = control - level
    from_catalogue = stack.target_row is not None and not stack.wcs_disagrees
    guess = centre_of_search(measurement)
    fit = fit_gaussian(control, guess, stack.tmag, stack.neighbours)
    if fit is None:
        return None
    target_row, target_column = guess if from_catalogue else (fit.row, fit.column)
    near_edge = _near_edge(stack.shape, target_row, target_column)
    saturated = is_saturated(control, stack.tmag, (target_row, target_column))
    source, prf_note, prf_tried = _calibrated(measurement, control, fit)
    if source is None and not near_edge and not saturated:
        source = _own_image(measurement, control, fit, (target_row, target_column), from_catalogue=from_catalogue)
    row, column, prf, flux = source or (fit.row, fit.column, fit.prf, fit.flux)
    if not from_catalogue:
        target_row, target_column = row, column
    star_flux = tuple(None if light is None else light * flux / fit.flux for light in fit.star_flux)
    # The star's own image holds its neighbours' place in the model of Gaussians that was taken off to make it.
    light = _light_of(fit.prf if prf.kind == "own_image" else prf, stack.neighbours, star_flux)
    model = flux * prf.evaluate(np.array([row]), np.array([column]))[0] + light
    near = np.isfinite(control) & (distance_px(stack.shape, row, column) <= FIT_RADIUS_PX)
    return Scene(
        control=control,
        background_level=level,
        row=target_row,
        column=target_column,
        from_catalogue=from_catalogue,
        source_row=row,
        source_column=column,
        target_flux=flux,
        prf=prf,
        control_correlation=pearson(control[near], model[near]),
        star_flux=star_flux,
        neighbour_light=light,
        saturated=saturated,
        near_edge=near_edge,
        prf_note=prf_note,
        prf_tried=prf_tried,
    )


_Source = tuple[float, float, Prf, float]
"""Row, column, PRF and flux of the target's light."""


def _calibrated(
    measurement: PixelMeasurement, control: FloatArray, fit: GaussianFit
) -> tuple[_Source | None, str, tuple[tuple[str, float], ...]]:
    """The best of the PRF sets at hand, None where none describes the control image; what readers should know; those tried."""
    stack = measurement.stack
    if not stack.prfs:
        return None, "", ()
    if stack.corner_row is None or stack.corner_column is None:
        return None, NO_PLACE, ()
    place = (stack.corner_row + fit.row, stack.corner_column + fit.column)
    detector = (stack.camera, stack.ccd)
    candidates = candidates_at(stack.prfs, detector, place, stack.shape)
    lacking = _lacking_note(lacking_at(stack.prfs, detector, place), place)
    if not candidates:
        return None, lacking, ()
    chosen = choose_prf(candidates, control, fit.near, fit.stars, (fit.row, fit.column))
    if chosen is None:
        return None, _sentences(lacking, NO_STAR), ()
    prf, star, tried = chosen
    model = star.flux * fit.stars.image(prf, star.row, star.column)
    correlation, least = pearson(control[fit.near], model[fit.near]), thresholds.value("control_fit_correlation")
    own = (prf.grid.camera, prf.grid.ccd) == detector
    if not own:
        # A PRF of another detector that fits worse than a Gaussian misplaces signals more than that does: 0.33 px against
        # 0.08 px on the star of sector 83, whose image two such sets describe with a correlation of 0.984.
        gaussian = fit.flux * fit.stars.image(fit.prf, fit.row, fit.column)
        least = max(least, pearson(control[fit.near], gaussian[fit.near]))
    if correlation < least:
        note = (
            "PRF sets are at hand, but none of them describes the control image "
            f"(best correlation {correlation:.4f}; {least:.4f} is asked)."
        )
        return None, _sentences(lacking, note), tried
    return (star.row, star.column, prf, star.flux), _sentences(lacking, "" if own else OTHER_DETECTOR), tried


def _lacking_note(grids: tuple[PrfGrid, ...], place: tuple[float, float]) -> str:
    """A sentence on sets whose files at hand do not surround the star; empty where there are none."""
    if not grids:
        return ""
    phrase, away = why_lacking(grids), min(grid.distance_px(*place) for grid in grids)
    where = f"detector row {place[0]:.0f}, column {place[1]:.0f}; the nearest lies {away:.0f} px from it"
    return f"{phrase[0].upper()}{phrase[1:]} ({where})."


def _sentences(*notes: str) -> str:
    return " ".join(note for note in notes if note)


def _own_image(
    measurement: PixelMeasurement,
    control: FloatArray,
    fit: GaussianFit,
    target: tuple[float, float],
    *,
    from_catalogue: bool,
) -> _Source | None:
    """The star's own image, taken to stand at the target's place; None where it is not clean or stands elsewhere."""
    if math.hypot(fit.row - target[0], fit.column - target[1]) > OWN_POSITION_TOLERANCE_PX:
        return None
    light = _light_of(fit.prf, measurement.stack.neighbours, fit.star_flux)
    other = _contamination(control, light, fit.prf, fit.flux, (fit.row, fit.column))
    if other > thresholds.value("own_prf_contamination"):
        return None
    prf = own_image_prf(control - light, *target, OWN_IMAGE_AT_CATALOGUE if from_catalogue else "")
    return *target, prf, fit.flux


@dataclass(frozen=True)
class GaussianFit:
    """The field fitted with Gaussians: where the target's light is, its flux, and the expected flux of each neighbour."""

    row: float
    column: float
    prf: GaussianPrf
    flux: float
    stars: StarModel
    star_flux: tuple[float | None, ...]
    near: BoolArray


def fit_gaussian(
    control: FloatArray, guess: tuple[float, float], tmag: float | None, neighbours: tuple[StackStar, ...]
) -> GaussianFit | None:
    """Position, widths and flux of the target by least squares, with neighbours at their catalogued flux ratios."""
    shape = (control.shape[0], control.shape[1])
    near = np.isfinite(control) & (distance_px(shape, *guess) <= FIT_RADIUS_PX)
    data = control[near]
    if near.sum() < 6 or np.abs(data).max() <= 0 or data.max() <= np.median(control[np.isfinite(control)]):
        return None
    ratios = _flux_ratios(control, near, tmag, neighbours)
    known = [i for i, ratio in enumerate(ratios) if ratio is not None]
    # A catalogue's stars move with the target: an error of the WCS is common to all of them.
    stars = StarModel(
        np.array([0.0, *(neighbours[i].row - guess[0] for i in known)]),
        np.array([0.0, *(neighbours[i].column - guess[1] for i in known)]),
        np.array([1.0, *(ratios[i] or 0.0 for i in known)]),
    )

    def gaussian(values: FloatArray) -> GaussianPrf:
        return GaussianPrf(shape, abs(float(values[2])) + 0.2, abs(float(values[3])) + 0.2)

    def model(values: FloatArray) -> FloatArray:
        return stars.image(gaussian(values), float(values[0]), float(values[1]))

    found, flux, _ = fit_star(control, near, model, np.array([guess[0], guess[1], 0.6, 0.6]))
    if not np.isfinite(found).all() or math.hypot(found[0] - guess[0], found[1] - guess[1]) > FIT_RADIUS_PX:
        return None
    if flux <= 0 or max(abs(found[2]), abs(found[3])) > max(shape):
        return None
    star_flux = tuple(None if ratio is None else flux * ratio for ratio in ratios)
    return GaussianFit(float(found[0]), float(found[1]), gaussian(found), flux, stars, star_flux, near)


def _flux_ratios(
    control: FloatArray, near: BoolArray, tmag: float | None, neighbours: tuple[StackStar, ...]
) -> list[float | None]:
    """Flux of each neighbour over the target's, by magnitude; None where the neighbour has none."""
    if tmag is None:
        tmag = TESS_ZERO_POINT_MAG - 2.5 * math.log10(max(float(control[near].sum()), 1.0))
    return [
        None if star.magnitude is None else 10 ** (-0.4 * min(max(star.magnitude - tmag, -15.0), 30.0))
        for star in neighbours
    ]


def _light_of(prf: Prf, stars: tuple[StackStar, ...], fluxes: tuple[float | None, ...]) -> FloatArray:
    """Model image of the stars whose flux is known."""
    known = [(star.row, star.column, flux) for star, flux in zip(stars, fluxes, strict=True) if flux is not None]
    table = np.array(known, dtype=np.float64).reshape(-1, 3)
    return np.asarray(np.tensordot(table[:, 2], prf.evaluate(table[:, 0], table[:, 1]), axes=1), dtype=np.float64)


def _contamination(
    control: FloatArray, light: FloatArray, gaussian: GaussianPrf, flux: float, source: tuple[float, float]
) -> float:
    """
    Share of light about the target that is not its own: catalogued neighbours, or an uncatalogued second peak.

    A second peak is a pixel at least 2 px from the star, above the Gaussian model and above all its neighbours.
    """
    shape = (control.shape[0], control.shape[1])
    near = np.isfinite(control) & (distance_px(shape, *source) <= CONTAMINATION_RADIUS_PX)
    catalogued = float(light[near].sum()) / flux
    own = gaussian.evaluate(np.array([source[0]]), np.array([source[1]]))[0]
    filled = np.where(np.isfinite(control), control, -np.inf)
    padded = np.pad(filled, 1, constant_values=-np.inf)
    around = np.stack(
        [
            padded[1 + dr : 1 + dr + shape[0], 1 + dc : 1 + dc + shape[1]]
            for dr in (-1, 0, 1)
            for dc in (-1, 0, 1)
            if (dr, dc) != (0, 0)
        ]
    ).max(axis=0)
    second = near & (distance_px(shape, *source) >= EDGE_PX) & (filled > around)
    peak = float(filled[second].max(initial=0.0)) / (flux * float(own.max()))
    return max(catalogued, peak)


def _near_edge(shape: tuple[int, int], row: float, column: float) -> bool:
    """Whether a position lies within two pixels of the stamp's outermost pixel centres, or outside."""
    return min(row, column, shape[0] - 1 - row, shape[1] - 1 - column) < EDGE_PX


def is_saturated(control: FloatArray, tmag: float | None, source: tuple[float, float]) -> bool:
    """
    Whether the target is flat-topped or bleeds along its column.

    Three neighbouring pixels of a column within 10 % of the maximum; no PRF narrower than 2 px does that. Stars brighter
    than Tmag 6.8, where TESS saturates, need only be within 25 %.
    """
    near = distance_px((control.shape[0], control.shape[1]), *source) <= FIT_RADIUS_PX
    values = np.where(np.isfinite(control) & near, control, -np.inf)
    if len(values) < 3 or not np.isfinite(values).any():
        return False
    top = float(values.max())
    if top <= 0 or top <= 3 * abs(float(np.nanmedian(control))):
        return False
    share = thresholds.value("saturation_flatness")
    if tmag is not None and tmag < SATURATING_TMAG:
        share -= 0.15
    flat = values >= share * top
    return bool((flat[:-2] & flat[1:-1] & flat[2:]).any())


def pearson(first: FloatArray, second: FloatArray) -> float:
    """Pearson correlation; 0 where one of them does not vary."""
    if len(first) < 2:
        return 0.0
    a, b = first - first.mean(), second - second.mean()
    norm = math.sqrt(float(a @ a)) * math.sqrt(float(b @ b))
    return float(a @ b) / norm if norm > 0 else 0.0
