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


def describe_scene(measurement: PixelMeasurement) -> Scene | None:
    """Fit the target's control image and choose the PRF; None where no star is seen at all."""
    stack = measurement.stack
    control = measurement.image(measurement.control)
    level = float(np.nanmean(control[measurement.background])) if measurement.background.any() else 0.0
    control = control - level
    from_catalogue = stack.target_row is not None and not stack.wcs_disagrees
    guess = centre_of_search(measurement)
    fit = _fit_gaussian(control, guess, stack.tmag, stack.neighbours)
    if fit is None:
        return None
    (row, column), gaussian, flux, star_flux = fit
    target_row, target_column = guess if from_catalogue else (row, column)
    light = _light_of(gaussian, stack.neighbours, star_flux)
    near_edge = _near_edge(stack.shape, target_row, target_column)
    saturated = is_saturated(control, stack.tmag, (target_row, target_column))
    prf: Prf = gaussian
    apart = math.hypot(row - target_row, column - target_column)
    if apart <= OWN_POSITION_TOLERANCE_PX and not near_edge and not saturated:
        other = _contamination(control, light, gaussian, flux, (row, column))
        if other <= thresholds.value("own_prf_contamination"):
            known = OWN_IMAGE_AT_CATALOGUE if from_catalogue else ""
            prf = own_image_prf(control - light, target_row, target_column, known)
            row, column = target_row, target_column
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
    )


_Fit = tuple[tuple[float, float], GaussianPrf, float, tuple[float | None, ...]]


def _fit_gaussian(
    control: FloatArray, guess: tuple[float, float], tmag: float | None, neighbours: tuple[StackStar, ...]
) -> _Fit | None:
    """Position, PRF and flux of the target by least squares, with neighbours at their catalogued flux ratios."""
    from scipy.optimize import least_squares

    shape = (control.shape[0], control.shape[1])
    near = np.isfinite(control) & (distance_px(shape, *guess) <= FIT_RADIUS_PX)
    data = control[near]
    scale = float(np.abs(data).max(initial=0.0))
    if near.sum() < 6 or scale <= 0 or data.max() <= np.median(control[np.isfinite(control)]):
        return None
    ratios = _flux_ratios(control, near, tmag, neighbours)
    known = [i for i, ratio in enumerate(ratios) if ratio is not None]
    # A catalogue's stars move with the target: an error of the WCS is common to all of them.
    rows = np.array([0.0, *(neighbours[i].row - guess[0] for i in known)])
    columns = np.array([0.0, *(neighbours[i].column - guess[1] for i in known)])
    weights = np.array([1.0, *(ratios[i] or 0.0 for i in known)])

    def unit_model(values: FloatArray) -> FloatArray:
        prf = GaussianPrf(shape, abs(values[2]) + 0.2, abs(values[3]) + 0.2)
        images = prf.evaluate(values[0] + rows, values[1] + columns)
        return np.asarray(np.tensordot(weights, images, axes=1)[near], dtype=np.float64)

    def residual(values: FloatArray) -> FloatArray:
        model = unit_model(values)
        norm = float(model @ model)
        flux = float(model @ data) / norm if norm > 0 else 0.0
        return np.asarray((data - flux * model) / scale, dtype=np.float64)

    found = least_squares(
        residual, np.array([guess[0], guess[1], 0.6, 0.6]), method="lm", ftol=1e-7, xtol=1e-5, max_nfev=150
    ).x
    if not np.isfinite(found).all() or math.hypot(found[0] - guess[0], found[1] - guess[1]) > FIT_RADIUS_PX:
        return None
    model = unit_model(found)
    norm = float(model @ model)
    flux = float(model @ data) / norm if norm > 0 else 0.0
    if flux <= 0 or max(abs(found[2]), abs(found[3])) > max(shape):
        return None
    gaussian = GaussianPrf(shape, abs(float(found[2])) + 0.2, abs(float(found[3])) + 0.2)
    star_flux = tuple(None if ratio is None else flux * ratio for ratio in ratios)
    return (float(found[0]), float(found[1])), gaussian, flux, star_flux


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
