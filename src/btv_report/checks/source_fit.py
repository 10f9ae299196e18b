"""
Where the transit signal comes from: a PRF fitted to the difference image by generalised least squares.

The covariance is white noise plus a few jitter modes (the PRF's derivatives at the target, then the leading components of
what is left of the matched windows), with strengths measured in the matched windows. The answer is the set of positions
within a delta-chi-squared of the best one, not a linear ellipse: near the target, jitter and offset look alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from btv_report.checks import thresholds
from btv_report.checks.apertures import FloatArray, distance_px
from btv_report.checks.difference_image import SEARCH_RADIUS_PX, PixelMeasurement
from btv_report.checks.prf import Prf, derivatives
from btv_report.checks.scene import Scene, pearson

FIT_MARGIN_PX = 1.25
COARSE_STEP_PX = 0.5
N_LEADING_MODES = 3
FINE_HALF_STEPS = 20
MIN_FINE_STEP_PX = 0.03
REFINE_STEPS_PX = (0.1, 0.02)


@dataclass(frozen=True)
class NoiseModel:
    """Inverse square root W of the covariance of the mean difference image over the fit pixels (C^-1 = W^T W)."""

    whiten: FloatArray
    with_modes: bool


@dataclass(frozen=True)
class SourceFit:
    """
    The fitted source.

    Attributes
    ----------
    row, column : best position, pixels
    covariance_px2 : shape (2, 2), rows then columns: local curvature of chi-squared, scaled, without the floor
    amplitude : flux missing in transit, unit of the flux
    snr : amplitude over its matched-window sigma (the formal one where that is larger)
    snr_formal : amplitude over its error by flux_err; None without errors
    quality : Pearson correlation of difference image and fitted PRF over the fit pixels
    reduced_chi2 : of the fit; errors and delta-chi-squared are scaled by it where it exceeds 1
    at_edge : the best position lies on the border of the search
    with_modes : whether jitter modes were part of the covariance
    landscape : Landscape, to ask for any position's delta-chi-squared
    """

    row: float
    column: float
    covariance_px2: FloatArray
    amplitude: float
    snr: float
    snr_formal: float | None
    quality: float
    reduced_chi2: float
    at_edge: bool
    with_modes: bool
    landscape: Landscape


class Landscape:
    """
    Chi-squared of one source at any position, after the best amplitude (not negative) and a constant background.

    `scale` divides differences of chi-squared: the reduced chi-squared of the best fit, at least 1.
    """

    def __init__(self, prf: Prf, pixels: FloatArray, data: FloatArray, whiten: FloatArray) -> None:
        self._prf = prf
        self._pixels = pixels.astype(bool)
        self._whiten = whiten
        constant = whiten @ np.ones(len(data))
        self._constant = constant / np.sqrt(float(constant @ constant))
        self._data = self._without_background(whiten @ data)
        self.scale = 1.0

    def _without_background(self, vectors: FloatArray) -> FloatArray:
        return np.asarray(vectors - np.multiply.outer(vectors @ self._constant, self._constant), dtype=np.float64)

    def chi2_and_amplitude(self, rows: FloatArray, columns: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Chi-squared (unscaled) and amplitude at m positions."""
        images = self._prf.evaluate(rows, columns)[:, self._pixels]
        model = self._without_background(images @ self._whiten.T)
        norm = np.einsum("ij,ij->i", model, model)
        product = model @ self._data
        seen = norm > 1e-12 * float(norm.max(initial=0.0))
        amplitude = np.where(seen, np.maximum(product, 0.0) / np.where(seen, norm, 1.0), 0.0)
        return float(self._data @ self._data) - amplitude * np.maximum(product, 0.0), amplitude

    def weights(self, row: float, column: float) -> FloatArray:
        """The linear estimator h of the amplitude at a position: amplitude = h . difference image (fit pixels)."""
        image = self._prf.evaluate(np.array([row]), np.array([column]))[:, self._pixels]
        model = self._without_background(image @ self._whiten.T)[0]
        norm = float(model @ model)
        if norm <= 0:
            return np.zeros(len(model))
        return np.asarray((self._whiten.T @ self._without_background(model)) / norm, dtype=np.float64)


def fit_source(measurement: PixelMeasurement, scene: Scene) -> SourceFit | None:
    """
    Fit the source of the mean difference image within 4.5 px of the target.

    Returns None when the noise is unmeasured (no variation in the matched windows) or no pixel is at hand.
    """
    shape = measurement.valid.shape
    reach = SEARCH_RADIUS_PX + FIT_MARGIN_PX
    near = distance_px((shape[0], shape[1]), scene.row, scene.column) <= reach
    pixels = measurement.valid & near
    chosen = near[measurement.valid]
    data = measurement.difference[chosen]
    free = measurement.free.difference[:, chosen]
    noise = model_noise(measurement, scene, pixels, free)
    if noise is None or len(data) < 6:
        return None
    landscape = Landscape(scene.prf, pixels, data, noise.whiten)
    best = _best_position(landscape, scene, (shape[0], shape[1]))
    if best is None:
        return None
    row, column, at_edge = best
    chi2, amplitude = (float(v[0]) for v in landscape.chi2_and_amplitude(np.array([row]), np.array([column])))
    reduced = chi2 / max(len(data) - 4, 1)
    landscape.scale = max(1.0, reduced)
    estimator = landscape.weights(row, column)
    n = measurement.n_transits
    sigma = float(np.sqrt(np.mean((free @ estimator) ** 2) / n))
    formal = measurement.formal_variance
    sigma_formal = None if formal is None else float(np.sqrt(estimator**2 @ formal[chosen]))
    larger = max(sigma, sigma_formal or 0.0)
    if amplitude <= 0 or larger <= 0:
        return None
    image = scene.prf.evaluate(np.array([row]), np.array([column]))[0][pixels]
    return SourceFit(
        row=row,
        column=column,
        covariance_px2=_curvature_covariance(landscape, row, column),
        amplitude=amplitude,
        snr=amplitude / larger,
        snr_formal=amplitude / sigma_formal if sigma_formal else None,
        quality=pearson(data, image),
        reduced_chi2=reduced,
        at_edge=at_edge,
        with_modes=noise.with_modes,
        landscape=landscape,
    )


def model_noise(measurement: PixelMeasurement, scene: Scene, pixels: FloatArray, free: FloatArray) -> NoiseModel | None:
    """
    Covariance of the mean difference image over the fit pixels, from matched windows `free`, shape (N, n_fit).

    White noise plus jitter modes where the PRF describes the control image, else diagonal.
    """
    n = measurement.n_transits
    power = (free**2).mean(axis=0)
    if len(free) < 2 or not float(power.max(initial=0.0)) > 0:
        return None
    floor = 1e-6 * float(np.median(power[power > 0]))
    formal = measurement.formal_variance
    formal = np.zeros(len(power)) if formal is None else formal[measurement.over(pixels) > 0] * n
    if scene.control_correlation < thresholds.value("control_fit_correlation"):
        return NoiseModel(np.diag(np.sqrt(n / np.maximum(np.maximum(power, formal), floor))), False)
    scaled = np.sqrt(np.maximum(power, floor))
    modes = derivatives(scene.prf, scene.row, scene.column)[:, pixels] / scaled
    seen = free / scaled
    basis = _orthonormal(modes)
    rest = seen - (seen @ basis.T) @ basis
    values, vectors = np.linalg.eigh(rest.T @ rest / len(rest))
    basis = np.concatenate([basis, vectors[:, values > 0][:, ::-1][:, :N_LEADING_MODES].T])
    strength = seen @ basis.T
    white = np.maximum(((seen - strength @ basis) ** 2).mean(axis=0), formal / scaled**2)
    white = np.maximum(white, 1e-3)
    covariance = np.diag(white) + basis.T @ (strength.T @ strength / len(seen)) @ basis
    covariance *= np.multiply.outer(scaled, scaled) / n
    return NoiseModel(np.linalg.inv(np.linalg.cholesky(covariance)), True)


def _orthonormal(rows: FloatArray) -> FloatArray:
    """Orthonormal rows spanning the given ones; rows without length are left out."""
    _, values, basis = np.linalg.svd(rows, full_matrices=False)
    return np.asarray(basis[values > 1e-9 * max(float(values.max(initial=0.0)), 1e-300)], dtype=np.float64)


def _best_position(landscape: Landscape, scene: Scene, shape: tuple[int, int]) -> tuple[float, float, bool] | None:
    """Minimum of chi-squared from a grid of 0.5 px, refined; with whether it lies on the border of the search."""
    steps = np.arange(-SEARCH_RADIUS_PX, SEARCH_RADIUS_PX + 0.01, COARSE_STEP_PX)
    rows, columns = (grid.ravel() for grid in np.meshgrid(scene.row + steps, scene.column + steps, indexing="ij"))
    allowed = _within_search(scene, rows, columns, shape)
    if not allowed.any():
        return None
    rows, columns = rows[allowed], columns[allowed]
    chi2, _ = landscape.chi2_and_amplitude(rows, columns)
    row, column = float(rows[np.argmin(chi2)]), float(columns[np.argmin(chi2)])
    for step in REFINE_STEPS_PX:
        offsets = np.arange(-6, 7) * step
        rows, columns = (grid.ravel() for grid in np.meshgrid(row + offsets, column + offsets, indexing="ij"))
        allowed = _within_search(scene, rows, columns, shape)
        chi2, _ = landscape.chi2_and_amplitude(rows[allowed], columns[allowed])
        best = int(np.argmin(chi2))
        row, column = float(rows[allowed][best]), float(columns[allowed][best])
    row, column = _parabola_vertex(landscape, row, column, REFINE_STEPS_PX[-1])
    ring = np.array([-0.1, 0.1])
    inside = _within_search(scene, np.append(row + ring, [row, row]), np.append([column, column], column + ring), shape)
    return row, column, not bool(inside.all())


def _within_search(scene: Scene, rows: FloatArray, columns: FloatArray, shape: tuple[int, int]) -> FloatArray:
    on_stamp = (rows >= -0.5) & (rows <= shape[0] - 0.5) & (columns >= -0.5) & (columns <= shape[1] - 0.5)
    return on_stamp & (np.hypot(rows - scene.row, columns - scene.column) <= SEARCH_RADIUS_PX + 1e-9)


def _stencil(landscape: Landscape, row: float, column: float, step: float) -> tuple[FloatArray, FloatArray]:
    """Gradient and Hessian of chi-squared at a position by central differences."""
    offsets = np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1], [1, -1], [-1, 1]]) * step
    c = landscape.chi2_and_amplitude(row + offsets[:, 0], column + offsets[:, 1])[0]
    gradient = np.array([c[1] - c[2], c[3] - c[4]]) / (2 * step)
    mixed = (c[5] + c[6] - c[7] - c[8]) / (4 * step**2)
    hessian = np.array([[c[1] - 2 * c[0] + c[2], 0.0], [0.0, c[3] - 2 * c[0] + c[4]]]) / step**2
    hessian[0, 1] = hessian[1, 0] = mixed
    return gradient, hessian


def _parabola_vertex(landscape: Landscape, row: float, column: float, step: float) -> tuple[float, float]:
    """One Newton step from the best grid point, not longer than the grid step."""
    gradient, hessian = _stencil(landscape, row, column, step)
    if np.linalg.det(hessian) <= 0 or np.trace(hessian) <= 0:
        return row, column
    move = -np.linalg.solve(hessian, gradient)
    move = np.clip(move, -step, step)
    return row + float(move[0]), column + float(move[1])


def _curvature_covariance(landscape: Landscape, row: float, column: float) -> FloatArray:
    """Covariance of the position from the curvature of scaled chi-squared; the search radius where there is none."""
    _, hessian = _stencil(landscape, row, column, 0.1)
    values, axes = np.linalg.eigh(hessian / (2 * landscape.scale))
    variance = 1.0 / np.maximum(values, 1.0 / SEARCH_RADIUS_PX**2)
    return np.asarray((axes * variance) @ axes.T, dtype=np.float64)
