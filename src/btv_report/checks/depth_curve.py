"""
Depth against aperture radius: what V10 compares.

Depths in circles about the catalogue position (exact pixel overlap) with the covariance of matched windows, and the growth curves
that the control image predicts for a signal on the target and on each neighbour, dilution included.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from btv_report.checks import thresholds
from btv_report.checks.apertures import FloatArray, circle_overlap
from btv_report.checks.difference_image import PPM, SEARCH_RADIUS_PX, PixelMeasurement
from btv_report.checks.elimination import NEIGHBOUR_MARGIN_PX
from btv_report.checks.prf import GaussianPrf
from btv_report.checks.scene import Scene

RADII_PX = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5)
MAX_NEIGHBOURS = 20
ROUNDING = 1e-9
"""Overlaps of a circle with pixels that it covers whole differ from 1 by less."""
FULL_CURVE_ERROR_LIGHT, LEAST_CURVE_ERROR = 0.25, 0.05


@dataclass(frozen=True)
class DepthCurve:
    """
    Depth against aperture radius, all in ppm.

    Attributes
    ----------
    radii_px : shape (k,): radii whose aperture holds positive flux
    depth, covariance : shapes (k,), (k, k): mean over transits, and its covariance
    windows : shape (N, k): depths of the matched windows
    on_target : shape (k,): predicted for a signal on the target, scaled to the data
    prediction_modes : shape (m, k): one-sigma errors of that prediction, each a change of the whole curve
    neighbours : star_id -> predicted for a signal on that neighbour, scaled to the data
    pipeline, pipeline_err : depth in the pipeline's aperture, None without one
    """

    radii_px: FloatArray
    depth: FloatArray
    covariance: FloatArray
    windows: FloatArray
    on_target: FloatArray
    prediction_modes: FloatArray
    neighbours: tuple[tuple[str, FloatArray], ...]
    pipeline: float | None
    pipeline_err: float | None

    @property
    def snr(self) -> float:
        """The depth that stands out most, over its error."""
        return float(np.max(self.depth / np.sqrt(np.diag(self.covariance))))


def measure_depths(measurement: PixelMeasurement, scene: Scene) -> DepthCurve | None:
    """Depths, covariance and predictions; None where fewer than three radii can be used."""
    shape = measurement.stack.shape
    circles = np.stack([measurement.over(circle_overlap(shape, scene.row, scene.column, r)) for r in RADII_PX])
    control = measurement.control - scene.background_level
    level = circles @ control
    # A circle that covers no more of the stamp than the one before it is the same aperture again.
    wider = np.append(True, (np.diff(circles, axis=0) > ROUNDING).any(axis=1))
    good = wider & (level > 0) & (circles.sum(axis=1) > 0)
    if good.sum() < 3 or len(measurement.slot) < 2:
        return None
    circles, level, radii = circles[good], level[good], np.array(RADII_PX)[good]
    weights = PPM * _without_background(measurement, circles) / level[:, None]
    depth = weights @ measurement.difference
    windows = measurement.free.difference @ weights.T
    covariance = windows.T @ windows / len(windows) / measurement.n_transits
    if measurement.formal_variance is not None:
        formal = (weights**2) @ measurement.formal_variance
        covariance *= _enlargement(float(np.max(formal / np.maximum(np.diag(covariance), 1e-300))), measurement.nu)
    if not np.isfinite(covariance).all() or (np.diag(covariance) <= 0).any():
        return None
    neighbours = _neighbour_shares(measurement, scene, circles, level)
    others_share = circles @ measurement.over(scene.neighbour_light) / level
    target_share = 1.0 - others_share
    amplitude = _amplitude(target_share, depth, covariance)
    shares = np.array([share for _, share in neighbours]).reshape(-1, len(level))
    light = np.vstack([shares, others_share - shares.sum(axis=0)]) * thresholds.value("neighbour_light_error")
    pipeline, pipeline_err = _pipeline_depth(measurement, scene)
    return DepthCurve(
        radii_px=radii,
        depth=depth,
        covariance=covariance,
        windows=windows,
        on_target=amplitude * target_share,
        prediction_modes=amplitude
        * np.vstack(
            [
                light,
                _width_errors(measurement, scene, circles, level),
                _curve_errors(radii, _other_light(measurement, scene)) * target_share,
            ]
        ),
        neighbours=tuple((star_id, share * _amplitude(share, depth, covariance)) for star_id, share in neighbours),
        pipeline=pipeline,
        pipeline_err=pipeline_err,
    )


def _enlargement(formal_over_measured: float, nu: float) -> float:
    """
    Factor by which flux_err enlarges the measured covariance; 1 where it says no more than the windows do.

    A variance measured in nu windows scatters by sqrt(2 / nu). Taking the larger of two equal variances would enlarge it by
    that scatter every time, and p would not be uniform: KS p = 0.04 for 360 simulated signals on the target, else 0.98.
    """
    return formal_over_measured if formal_over_measured > 1 + 2 * np.sqrt(2 / max(nu, 1.0)) else 1.0


def _neighbour_shares(
    measurement: PixelMeasurement, scene: Scene, circles: FloatArray, level: FloatArray
) -> list[tuple[str, FloatArray]]:
    """Share of each circle's light that is each neighbour's, for the nearest ones that reach into the circles."""
    found = []
    least = 1e-3 * float(np.max(circles.sum(axis=1) / level))
    for star, flux in zip(measurement.stack.neighbours[:MAX_NEIGHBOURS], scene.star_flux, strict=False):
        image = scene.prf.evaluate(np.array([star.row]), np.array([star.column]))[0]
        share = circles @ measurement.over(image) / level
        if flux is not None and share[-1] > least:
            found.append((star.star_id, np.asarray(flux * share, dtype=np.float64)))
    return found


def _width_errors(measurement: PixelMeasurement, scene: Scene, circles: FloatArray, level: FloatArray) -> FloatArray:
    """
    One-sigma changes of each circle's share that neighbours as wide as a star's wings would make, shape (m, k).

    A fitted Gaussian is as wide as the star's core and shoulder together; where the rim of a circle cuts a neighbour's image, its
    share is wrong by as much as the Gaussian is. Each of the nearest neighbours gives a mode, all others together one.
    """
    lights = [
        (star.row, star.column, flux)
        for star, flux in zip(measurement.stack.neighbours, scene.star_flux, strict=True)
        if flux
    ]
    if not isinstance(scene.prf, GaussianPrf) or not lights:
        return np.empty((0, len(level)))
    rows, columns, fluxes = np.array(lights).T
    wider = 1 + thresholds.value("neighbour_width_error")
    wide = replace(scene.prf, sigma_row=wider * scene.prf.sigma_row, sigma_column=wider * scene.prf.sigma_column)
    change = fluxes[:, None, None] * (wide.evaluate(rows, columns) - scene.prf.evaluate(rows, columns))
    single = np.vstack([change[:MAX_NEIGHBOURS], change[MAX_NEIGHBOURS:].sum(axis=0)[None]])
    return np.asarray(single[:, measurement.valid] @ circles.T / level, dtype=np.float64)


def _other_light(measurement: PixelMeasurement, scene: Scene) -> float:
    """Light of the neighbours within reach over the target's, 0 ... 1; 1 where no catalogue was asked."""
    if not measurement.stack.neighbours_known:
        return 1.0
    reach = SEARCH_RADIUS_PX + NEIGHBOUR_MARGIN_PX
    near = [
        flux or 0.0
        for star, flux in zip(measurement.stack.neighbours, scene.star_flux, strict=True)
        if np.hypot(star.row - scene.row, star.column - scene.column) <= reach
    ]
    return min(1.0, sum(near) / scene.target_flux)


def _curve_errors(radii_px: FloatArray, other_light: float) -> FloatArray:
    """
    One-sigma relative errors of the curve: a tilt over the range of radii, a bend, and a small rest at each radius.

    They are those of a field whose neighbours give a quarter of the target's light or more, and shrink with it: a star alone
    loses the same share of its light in every circle, whatever its PRF. Stars too faint for a catalogue keep a twentieth.
    """
    share = min(1.0, max(LEAST_CURVE_ERROR, other_light / FULL_CURVE_ERROR_LIGHT))
    place = 2 * (radii_px - radii_px[0]) / (radii_px[-1] - radii_px[0]) - 1
    smooth = 0.5 * thresholds.value("growth_curve_tilt") * np.stack([place, 1.5 * place**2 - 0.5])
    return share * np.vstack([smooth, thresholds.value("growth_curve_rest") * np.eye(len(radii_px))])


def _without_background(measurement: PixelMeasurement, circles: FloatArray) -> FloatArray:
    """Weights that subtract the mean of the background pixels from every pixel of the circles."""
    background = measurement.over(measurement.background)
    if not background.any():
        return circles
    return np.asarray(circles - np.multiply.outer(circles.sum(axis=1), background / background.sum()), dtype=np.float64)


def _amplitude(shape: FloatArray, depth: FloatArray, covariance: FloatArray) -> float:
    """The best amplitude of a curve by weighted least squares, ppm."""
    weight = 1.0 / np.diag(covariance)
    norm = float((shape**2 * weight).sum())
    return float((shape * depth * weight).sum()) / norm if norm > 0 else 0.0


def _pipeline_depth(measurement: PixelMeasurement, scene: Scene) -> tuple[float | None, float | None]:
    if measurement.aperture_source != "pipeline":
        return None, None
    aperture = measurement.over(measurement.aperture)
    level = float(aperture @ (measurement.control - scene.background_level))
    if level <= 0:
        return None, None
    weights = PPM * _without_background(measurement, aperture[None, :])[0] / level
    error = np.sqrt(np.mean((measurement.free.difference @ weights) ** 2) / measurement.n_transits)
    return float(weights @ measurement.difference), float(error)
