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
from btv_report.checks.apertures import BoolArray, FloatArray, distance_px
from btv_report.checks.difference_image import SEARCH_RADIUS_PX, PixelMeasurement
from btv_report.checks.prf import Prf, derivatives
from btv_report.checks.prf_mismatch import mismatch_modes
from btv_report.checks.scene import Scene, pearson

FIT_MARGIN_PX = 1.25
COARSE_STEP_PX = 0.5
N_LEADING_MODES = 3
N_SUBSPACE_ITERATIONS = 12
MIN_WHITE_SHARE = 1e-3
"""Least share of a pixel's variance that is taken for white: no pixel is known without error."""
REFINE_STEPS_PX = (0.1, 0.02)
MISMATCH_PASSES = 2


@dataclass(frozen=True)
class NoiseModel:
    """
    Inverse covariance of the mean difference image over the fit pixels, C^-1 = diag(`inverse_white`) - `factor` `factor`^T.

    `factor` has shape (n_fit, k), one column per jitter mode (Woodbury's identity); k = 0 for a diagonal covariance.
    """

    inverse_white: FloatArray
    factor: FloatArray

    @property
    def with_modes(self) -> bool:
        """Whether jitter modes are part of the covariance."""
        return bool(self.factor.shape[1] > 0)

    def apply(self, vectors: FloatArray) -> FloatArray:
        """C^-1 v for each row v."""
        return np.asarray(vectors * self.inverse_white - (vectors @ self.factor) @ self.factor.T, dtype=np.float64)

    def square(self, vectors: FloatArray) -> FloatArray:
        """v^T C^-1 v for each row v."""
        return np.asarray(
            (vectors * vectors) @ self.inverse_white - ((vectors @ self.factor) ** 2).sum(axis=1), dtype=np.float64
        )


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
    estimator : shape (n_pixel,): amplitude = estimator . difference image over the valid pixels, at the best position
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
    estimator: FloatArray
    with_modes: bool
    landscape: Landscape


class Landscape:
    """
    Chi-squared of one source at any position, after the best amplitude (not negative) and a constant background.

    `scale` divides differences of chi-squared: the reduced chi-squared of the best fit, at least 1.
    """

    def __init__(self, prf: Prf, pixels: BoolArray, data: FloatArray, noise: NoiseModel) -> None:
        self._prf = prf
        self._pixels = pixels
        self._noise = noise
        self._constant = noise.apply(np.ones((1, len(data))))[0]
        self._constant_norm = float(self._constant.sum())
        self._data = noise.apply(data[None, :])[0]
        self._background = float(self._data.sum()) / self._constant_norm
        self._data_chi2 = float(noise.square(data[None, :])[0]) - self._background**2 * self._constant_norm
        self.scale = 1.0

    def _images(self, rows: FloatArray, columns: FloatArray) -> FloatArray:
        return self._prf.evaluate(rows, columns)[:, self._pixels]

    def chi2_and_amplitude(self, rows: FloatArray, columns: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Chi-squared (unscaled) and amplitude at m positions."""
        images = self._images(rows, columns)
        on_constant = images @ self._constant
        norm = self._noise.square(images) - on_constant**2 / self._constant_norm
        product = np.maximum(images @ self._data - on_constant * self._background, 0.0)
        seen = norm > 1e-12 * float(norm.max(initial=0.0))
        amplitude = np.where(seen, product / np.where(seen, norm, 1.0), 0.0)
        return np.asarray(self._data_chi2 - amplitude * product, dtype=np.float64), amplitude

    def weights(self, row: float, column: float) -> FloatArray:
        """The linear estimator h of the amplitude at a position: amplitude = h . difference image (fit pixels)."""
        image = self._images(np.array([row]), np.array([column]))
        on_constant = float(image[0] @ self._constant)
        norm = float(self._noise.square(image)[0]) - on_constant**2 / self._constant_norm
        if norm <= 0:
            return np.zeros(image.shape[1])
        projected = self._noise.apply(image)[0] - self._constant * on_constant / self._constant_norm
        return np.asarray(projected / norm, dtype=np.float64)


def fit_source(measurement: PixelMeasurement, scene: Scene) -> SourceFit | None:
    """
    Fit the source of the mean difference image within 4.5 px of the target.

    Where jitter is modelled, the fit is repeated with what the PRF does not know of an image of that brightness and place.
    Returns None when the noise is unmeasured (no variation in the matched windows) or no pixel is at hand.
    """
    fit = _fit_once(measurement, scene, None)
    for _ in range(MISMATCH_PASSES):
        if fit is None or not fit.with_modes or scene.prf.kind == "own_image":
            return fit
        better = _fit_once(measurement, scene, fit.amplitude * mismatch_modes(scene, fit.row, fit.column))
        if better is None:
            return fit
        fit = better
    return fit


def _fit_once(measurement: PixelMeasurement, scene: Scene, prf_errors: FloatArray | None) -> SourceFit | None:
    """The fit with given errors of the source's image, shape (k, n_row, n_column) in the unit of the flux."""
    shape = measurement.valid.shape
    reach = SEARCH_RADIUS_PX + FIT_MARGIN_PX
    near = distance_px((shape[0], shape[1]), scene.row, scene.column) <= reach
    pixels = measurement.valid & near
    chosen = near[measurement.valid]
    data = measurement.difference[chosen]
    free = measurement.free.difference[:, chosen]
    noise = model_noise(measurement, scene, pixels, free, None if prf_errors is None else prf_errors[:, pixels])
    if noise is None or len(data) < 6:
        return None
    landscape = Landscape(scene.prf, pixels, data, noise)
    best = best_position(landscape, (scene.row, scene.column), (shape[0], shape[1]))
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
    over_valid = np.zeros(len(chosen))
    over_valid[chosen] = estimator
    return SourceFit(
        row=row,
        column=column,
        covariance_px2=curvature_covariance(landscape, row, column),
        amplitude=amplitude,
        snr=amplitude / larger,
        snr_formal=amplitude / sigma_formal if sigma_formal else None,
        quality=pearson(data, image),
        reduced_chi2=reduced,
        at_edge=at_edge,
        estimator=over_valid,
        with_modes=noise.with_modes,
        landscape=landscape,
    )


def model_noise(
    measurement: PixelMeasurement,
    scene: Scene,
    pixels: BoolArray,
    free: FloatArray,
    prf_errors: FloatArray | None = None,
) -> NoiseModel | None:
    """
    Covariance of the mean difference image over the fit pixels, from matched windows `free`, shape (N, n_fit).

    White noise plus jitter modes where the PRF describes the control image, else diagonal. `prf_errors`, shape (k, n_fit),
    are one-sigma errors of the source's image, added as further modes of the mean difference image.
    """
    n = measurement.n_transits
    if len(free) < 2:
        return None
    power = (free**2).mean(axis=0)
    if not float(power.max(initial=0.0)) > 0:
        return None
    formal = np.zeros(len(power))
    if measurement.formal_variance is not None:
        formal = measurement.formal_variance[pixels[measurement.valid]] * n
    scale = np.sqrt(np.maximum(power, 1e-6 * float(np.median(power[power > 0]))))
    if scene.control_correlation < thresholds.value("control_fit_correlation"):
        return NoiseModel(n / np.maximum(scale**2, formal), np.empty((len(power), 0)))
    seen = free / scale
    basis = _orthonormal(derivatives(scene.prf, scene.row, scene.column)[:, pixels] / scale)
    basis = np.concatenate([basis, _leading_modes(seen - (seen @ basis.T) @ basis)])
    strength = seen @ basis.T
    white = ((seen - strength @ basis) ** 2).mean(axis=0)
    white = np.maximum(np.maximum(white, formal / scale**2), MIN_WHITE_SHARE)
    # Woodbury: (V + B^T S B)^-1 = V^-1 - V^-1 B^T (S^-1 + B V^-1 B^T)^-1 B V^-1, with S the modes' measured covariance.
    spread = strength.T @ strength / len(seen)
    spread += 1e-9 * float(np.trace(spread)) * np.eye(len(basis))
    if prf_errors is not None:
        basis = np.concatenate([basis, prf_errors * np.sqrt(n) / scale])
        jitter, spread = spread, np.eye(len(basis))
        spread[: len(jitter), : len(jitter)] = jitter
    inner = np.linalg.inv(spread) + (basis / white) @ basis.T
    factor = (basis / white).T @ np.linalg.inv(np.linalg.cholesky(inner)).T
    return NoiseModel(n / (white * scale**2), factor * (np.sqrt(n) / scale[:, None]))


def _leading_modes(windows: FloatArray) -> FloatArray:
    """
    The leading principal components of windows, shape (at most 3, n_pixel), by subspace iteration.

    A full decomposition of the same matrix takes a hundred times longer where linear algebra threads compete for cores;
    the leading components are all that is wanted, and those that differ little in strength may mix freely.
    """
    start = windows[np.linspace(0, len(windows) - 1, min(N_LEADING_MODES, len(windows))).astype(int)]
    basis = _orthonormal(start)
    for _ in range(N_SUBSPACE_ITERATIONS):
        basis = _orthonormal((windows @ basis.T).T @ windows)
    return basis


def _orthonormal(rows: FloatArray) -> FloatArray:
    """Orthonormal rows spanning the given few ones; rows without length are left out."""
    values, axes = np.linalg.eigh(rows @ rows.T)
    good = values > 1e-12 * max(float(values.max(initial=0.0)), 1e-300)
    return np.asarray((axes[:, good] / np.sqrt(values[good])).T @ rows, dtype=np.float64)


def best_position(
    landscape: Landscape, centre: tuple[float, float], shape: tuple[int, int]
) -> tuple[float, float, bool] | None:
    """
    Minimum of chi-squared within 4.5 px of `centre` (row, column), with whether it lies on the border of the search.

    From a grid of 0.5 px, refined; None where no grid point lies on the stamp.
    """
    steps = np.arange(-SEARCH_RADIUS_PX, SEARCH_RADIUS_PX + 0.01, COARSE_STEP_PX)
    rows, columns = (grid.ravel() for grid in np.meshgrid(centre[0] + steps, centre[1] + steps, indexing="ij"))
    allowed = _within_search(centre, rows, columns, shape)
    if not allowed.any():
        return None
    rows, columns = rows[allowed], columns[allowed]
    chi2, _ = landscape.chi2_and_amplitude(rows, columns)
    row, column = float(rows[np.argmin(chi2)]), float(columns[np.argmin(chi2)])
    for step in REFINE_STEPS_PX:
        offsets = np.arange(-6, 7) * step
        rows, columns = (grid.ravel() for grid in np.meshgrid(row + offsets, column + offsets, indexing="ij"))
        allowed = _within_search(centre, rows, columns, shape)
        chi2, _ = landscape.chi2_and_amplitude(rows[allowed], columns[allowed])
        best = int(np.argmin(chi2))
        row, column = float(rows[allowed][best]), float(columns[allowed][best])
    row, column = _parabola_vertex(landscape, row, column, REFINE_STEPS_PX[-1])
    ring = np.array([-0.1, 0.1])
    inside = _within_search(
        centre, np.append(row + ring, [row, row]), np.append([column, column], column + ring), shape
    )
    return row, column, not bool(inside.all())


def _within_search(
    centre: tuple[float, float], rows: FloatArray, columns: FloatArray, shape: tuple[int, int]
) -> BoolArray:
    on_stamp = (rows >= -0.5) & (rows <= shape[0] - 0.5) & (columns >= -0.5) & (columns <= shape[1] - 0.5)
    near = np.hypot(rows - centre[0], columns - centre[1]) <= SEARCH_RADIUS_PX + 1e-9
    return np.asarray(on_stamp & near, dtype=np.bool_)


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


def curvature_covariance(landscape: Landscape, row: float, column: float) -> FloatArray:
    """Covariance of the position from the curvature of scaled chi-squared; the search radius where there is none."""
    _, hessian = _stencil(landscape, row, column, 0.1)
    values, axes = np.linalg.eigh(hessian / (2 * landscape.scale))
    variance = 1.0 / np.maximum(values, 1.0 / SEARCH_RADIUS_PX**2)
    return np.asarray((axes * variance) @ axes.T, dtype=np.float64)
