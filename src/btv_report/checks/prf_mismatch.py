"""
What a PRF does not know of a star's image: error images that go into the covariance of the fit.

Once jitter is part of the covariance, the first-order trace of an offset is given up to it, and the position rests on finer
traits of the image. A Gaussian has them wrong: on the real pixels of sector 83 it put signals of 1,000 ppm on the target
0.45 px away (median), and its region left the target out in one of eight. With these modes it is 0.08 px, and in none of 80.
"""

from __future__ import annotations

import math

import numpy as np

from btv_report.checks.apertures import FloatArray, distance_px
from btv_report.checks.scene import Scene

CURVATURE_STEP_PX = 0.3
CURVATURE_PER_MISMATCH = 0.5
"""Error of the image's second moments (px^2) per unit of mismatch: 0.05 for a Gaussian, whose width is off by some 8 %."""
RESIDUAL_INNER_PX, RESIDUAL_OUTER_PX = 3.0, 4.5


def mismatch_modes(scene: Scene, row: float, column: float) -> FloatArray:
    """
    One-sigma errors of the image of a unit source at a position, shape (k, n_row, n_column).

    What the PRF leaves of the target's own control image, moved to the position, and the PRF's second derivatives there, as
    far as it correlates badly with that image. The star's own image has no such errors: k = 0.
    """
    if scene.prf.kind == "own_image":
        return np.empty((0, *scene.control.shape))
    mismatch = math.sqrt(max(0.0, 1.0 - scene.control_correlation**2))
    curvature = CURVATURE_PER_MISMATCH * mismatch * _second_derivatives(scene, row, column)
    residual = _moved(_residual(scene), row - scene.source_row, column - scene.source_column)
    return np.concatenate([curvature, residual[None]])


def _residual(scene: Scene) -> FloatArray:
    """Control image minus PRF model and neighbours, for unit flux; it fades between 3 and 4.5 px from the star."""
    place = np.array([scene.source_row]), np.array([scene.source_column])
    rest = scene.control - scene.neighbour_light - scene.target_flux * scene.prf.evaluate(*place)[0]
    distance = distance_px((rest.shape[0], rest.shape[1]), scene.source_row, scene.source_column)
    fade = np.clip((RESIDUAL_OUTER_PX - distance) / (RESIDUAL_OUTER_PX - RESIDUAL_INNER_PX), 0.0, 1.0)
    return np.asarray(np.where(np.isfinite(rest), rest, 0.0) * fade / scene.target_flux, dtype=np.float64)


def _second_derivatives(scene: Scene, row: float, column: float) -> FloatArray:
    """Second derivatives of the PRF's image along rows, along columns and mixed, per px^2; shape (3, n_row, n_column)."""
    steps = np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1], [1, -1], [-1, 1]]) * CURVATURE_STEP_PX
    images = scene.prf.evaluate(row + steps[:, 0], column + steps[:, 1])
    by_row, by_column = (images[i] + images[i + 1] - 2 * images[0] for i in (1, 3))
    mixed = (images[5] + images[6] - images[7] - images[8]) / 4
    return np.stack([by_row, by_column, mixed]) / CURVATURE_STEP_PX**2


def _moved(image: FloatArray, d_row: float, d_column: float) -> FloatArray:
    """The image moved by a fraction of pixels, linearly interpolated; nothing moves in from outside."""
    along_rows, along_columns = (
        np.maximum(0.0, 1.0 - np.abs(np.subtract.outer(np.arange(n), np.arange(n)) - shift))
        for n, shift in zip(image.shape, (d_row, d_column), strict=True)
    )
    return np.asarray(along_rows @ image @ along_columns.T, dtype=np.float64)
