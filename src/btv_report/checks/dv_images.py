"""
Our own fit of the difference images that SPOC prints: the same pixels, the same question, another answer.

The PRF is chosen on the control image, then fitted to the difference image by least squares weighted with SPOC's errors,
over all pixels of the stamp, with a constant background. SPOC gives no cadences, so there are no matched windows: errors are
SPOC's, scaled by the reduced chi-squared where it exceeds 1, and hold no floor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from btv_report.checks import thresholds
from btv_report.checks.apertures import BoolArray, FloatArray, distance_px
from btv_report.checks.difference_image import SEARCH_RADIUS_PX
from btv_report.checks.prf import GaussianPrf, Prf
from btv_report.checks.scene import NOMINAL_PIXEL_ARCSEC, fit_gaussian, is_saturated, pearson
from btv_report.checks.source_fit import Landscape, NoiseModel, best_position, curvature_covariance

MIN_PIXELS = 9
N_PARAMETERS = 4
NOMINAL_GAUSSIAN_PX = 0.65
"""Median width of Gaussians fitted to the control images of 43 SPOC difference images of unsaturated stars."""
SCALE_RANGE_ARCSEC = (15.0, 27.0)
MIN_SKY_BASE_PX = 0.02

SATURATED = (
    "the target is saturated: no PRF describes a flat-topped or bleeding image, so the numbers are shown and not judged"
)
WEAK = "the difference image holds no source that stands out of its errors"
UNUSABLE = "the difference image has too few pixels with a value and an error"


@dataclass(frozen=True)
class DvStamp:
    """
    One difference image as arrays, shape (n_row, n_column); NaN where there is no pixel.

    Attributes
    ----------
    control, control_err, difference, difference_err : mean flux out of transit, and that minus the one in transit, with
        1-sigma errors, one unit for all
    target_row, target_column : catalogue position, pixels, 0-based
    sky : arcsec on the sky (east + i north) per pixel (column + i row) about the target; None when it is not known
    tmag : TESS magnitude, None when it is not known
    """

    control: FloatArray
    control_err: FloatArray
    difference: FloatArray
    difference_err: FloatArray
    target_row: float
    target_column: float
    sky: complex | None
    tmag: float | None

    @property
    def shape(self) -> tuple[int, int]:
        """(n_row, n_column)."""
        return self.difference.shape[0], self.difference.shape[1]

    @property
    def valid(self) -> BoolArray:
        """Pixels with a difference and a positive error."""
        with np.errstate(invalid="ignore"):
            return np.isfinite(self.difference) & np.isfinite(self.difference_err) & (self.difference_err > 0)


@dataclass(frozen=True)
class DvFit:
    """
    Where the missing light comes from.

    Attributes
    ----------
    row, column : pixels, 0-based on the stamp
    covariance_px2 : shape (2, 2), rows then columns, without a floor
    quality : Pearson correlation of the difference image and the fitted PRF over all valid pixels, as SPOC's
    snr : fitted amplitude over its error, the latter scaled as the position's
    reduced_chi2 : of the fit
    tic_offset_arcsec, tic_offset_err_arcsec : distance from the catalogue position and its error along that direction
    nominal_scale : whether 21 arcsec a pixel stood in for the sky
    status : `ok`, or `not_run` with the `reason`
    flags : stable upper-case words
    """

    row: float
    column: float
    covariance_px2: FloatArray
    quality: float
    snr: float
    reduced_chi2: float
    tic_offset_arcsec: float
    tic_offset_err_arcsec: float
    nominal_scale: bool
    status: str
    reason: str
    flags: tuple[str, ...]

    @property
    def row_err(self) -> float:
        """1-sigma error of the row, pixels."""
        return math.sqrt(float(self.covariance_px2[0, 0]))

    @property
    def column_err(self) -> float:
        """1-sigma error of the column, pixels."""
        return math.sqrt(float(self.covariance_px2[1, 1]))


class TypicalGaussian(GaussianPrf):
    """A Gaussian as wide as those of unsaturated stars, where the star itself shows no width."""

    @property
    def description(self) -> str:
        """Width in words."""
        return f"a Gaussian of typical width (sigma {self.sigma_row:.2f} px), because a saturated image shows none"


def choose_dv_prf(stamp: DvStamp, candidates: Sequence[Prf]) -> Prf | None:
    """
    The candidate that describes both images best, each within 4.5 px of the target; without one a Gaussian.

    Both images have the same PRF, and the scale of their misfit is not known: with the scale left free the likelihood falls as
    chi-squared to the power -n/2, so the least sum of the logarithms of both chi-squared is the choice. The control image alone
    can hardly tell two sets of other detectors apart; of 43 images of SPOC the worst is then 0.29 px from SPOC's position, and
    0.12 px by both. Unlike `prf_choice.choose_prf`, which has measured background and neighbours, this fits a constant
    background and weights with SPOC's errors.

    A saturated control image says nothing about a Gaussian's width: the median of unsaturated stars stands in. None where the
    control image holds no star.
    """
    if candidates:
        return min(candidates, key=lambda prf: _misfit(stamp, prf))
    if saturated_target(stamp):
        return TypicalGaussian(stamp.shape, NOMINAL_GAUSSIAN_PX, NOMINAL_GAUSSIAN_PX)
    control = _without_background(stamp.control)
    found = None if control is None else fit_gaussian(control, (stamp.target_row, stamp.target_column), stamp.tmag, ())
    return None if found is None else found.prf


def _misfit(stamp: DvStamp, prf: Prf) -> float:
    """Sum of the logarithms of chi-squared of one star on the control and on the difference image."""
    pairs = ((stamp.control, stamp.control_err), (stamp.difference, stamp.difference_err))
    return sum(math.log(max(_chi2(stamp, prf, image, error), 1e-300)) for image, error in pairs)


def _chi2(stamp: DvStamp, prf: Prf, image: FloatArray, error: FloatArray) -> float:
    """Chi-squared of one star on an image, at its best place near the target; infinite where it cannot be fitted."""
    target = (stamp.target_row, stamp.target_column)
    with np.errstate(invalid="ignore"):
        known = np.isfinite(image) & np.isfinite(error) & (error > 0)
    near = known & (distance_px(stamp.shape, *target) <= SEARCH_RADIUS_PX)
    errors = error[near]
    if len(errors) < MIN_PIXELS:
        return math.inf
    unit = float(np.median(errors))
    noise = NoiseModel((unit / errors) ** 2, np.empty((len(errors), 0)))
    landscape = Landscape(prf, near, image[near] / unit, noise)
    best = best_position(landscape, target, stamp.shape)
    if best is None:
        return math.inf
    return float(landscape.chi2_and_amplitude(np.array([best[0]]), np.array([best[1]]))[0][0])


def _without_background(control: FloatArray) -> FloatArray | None:
    """The image above its median, since no pixel of a DV report is known to be dark; None where it holds no pixel."""
    known = control[np.isfinite(control)]
    return control - float(np.median(known)) if known.size else None


def local_sky(pairs: list[tuple[complex, complex]]) -> complex | None:
    """
    Scale and rotation from pixels to the sky, from pairs of offsets that are known in both.

    Parameters
    ----------
    pairs : (column + i row in pixels, east + i north in arcsec), offsets from the target

    Returns
    -------
    complex or None
        Arcsec per pixel. A similarity of two numbers, because SPOC's pairs lie too close together for the six of a linear map
        (its scales in row and column differ by about 2 %); all TESS detectors have the same parity, columns turned to rows as
        east to north. None where the pairs lie too close or make no TESS scale of them.
    """
    pixels, sky = (np.array([pair[side] for pair in pairs], dtype=np.complex128) for side in (0, 1))
    norm = float((np.abs(pixels) ** 2).sum())
    if math.sqrt(norm) < MIN_SKY_BASE_PX:
        return None
    scale = complex(np.vdot(pixels, sky)) / norm
    return scale if SCALE_RANGE_ARCSEC[0] < abs(scale) < SCALE_RANGE_ARCSEC[1] else None


def saturated_target(stamp: DvStamp) -> bool:
    """Whether the control image is flat-topped or bleeds; see `scene.is_saturated`."""
    control = _without_background(stamp.control)
    return control is not None and is_saturated(control, stamp.tmag, (stamp.target_row, stamp.target_column))


def fit_dv_image(stamp: DvStamp, prf: Prf) -> DvFit | None:
    """
    Fit one source to a difference image within 4.5 px of the target.

    Returns None where nothing can be fitted: fewer than nine valid pixels, or no light missing anywhere.
    """
    pixels = stamp.valid
    data, errors = stamp.difference[pixels], stamp.difference_err[pixels]
    if len(data) < MIN_PIXELS:
        return None
    # Chi-squared does not depend on the unit; numbers near 1 keep it away from overflow.
    unit = float(np.median(errors))
    landscape = Landscape(prf, pixels, data / unit, NoiseModel((unit / errors) ** 2, np.empty((len(data), 0))))
    best = best_position(landscape, (stamp.target_row, stamp.target_column), stamp.shape)
    if best is None:
        return None
    row, column, at_edge = best
    chi2, amplitude = (float(v[0]) for v in landscape.chi2_and_amplitude(np.array([row]), np.array([column])))
    if not amplitude > 0:
        return None
    reduced = chi2 / max(len(data) - N_PARAMETERS, 1)
    landscape.scale = max(1.0, reduced)
    estimator = landscape.weights(row, column)
    sigma = math.sqrt(float(estimator**2 @ (errors / unit) ** 2) * landscape.scale)
    covariance = curvature_covariance(landscape, row, column)
    saturated = saturated_target(stamp)
    snr = amplitude / sigma
    weak = snr < thresholds.value("snr_detect")
    scale, offset, offset_err = _offset_from_target(stamp, row, column, covariance)
    named = (("SATURATED", saturated), ("LOW_SNR", weak), ("EDGE", at_edge), ("PRF_GAUSSIAN", prf.kind == "gaussian"))
    return DvFit(
        row=row,
        column=column,
        covariance_px2=covariance,
        quality=pearson(data, prf.evaluate(np.array([row]), np.array([column]))[0][pixels]),
        snr=snr,
        reduced_chi2=reduced,
        tic_offset_arcsec=offset * scale,
        tic_offset_err_arcsec=offset_err * scale,
        nominal_scale=stamp.sky is None,
        status="not_run" if saturated or weak else "ok",
        reason=SATURATED if saturated else WEAK if weak else "",
        flags=tuple(flag for flag, holds in named if holds),
    )


def _offset_from_target(
    stamp: DvStamp, row: float, column: float, covariance: FloatArray
) -> tuple[float, float, float]:
    """Arcsec a pixel, distance from the target in pixels, and its error along that direction."""
    away = np.array([row - stamp.target_row, column - stamp.target_column])
    distance = float(np.hypot(*away))
    # At no distance every direction counts alike.
    variance = float(away @ covariance @ away) / distance**2 if distance > 0 else float(np.trace(covariance)) / 2
    scale = NOMINAL_PIXEL_ARCSEC if stamp.sky is None else abs(stamp.sky)
    return scale, distance, math.sqrt(variance)
