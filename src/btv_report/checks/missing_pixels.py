"""Pixels that hold no values where the target's light falls: how many, how much of its light, and what is said of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from btv_report.checks.apertures import BoolArray, distance_px
from btv_report.checks.difference_image import FALLBACK_APERTURE_PX, PixelMeasurement
from btv_report.checks.prf import GaussianPrf
from btv_report.checks.transits import PIXEL_COMPLETENESS

NOMINAL_SIGMA_PX = 0.8
"""Width of a TESS star, as the Gaussian fits of real control images find it (0.7 to 0.9 px); a fit to a star whose core is
missing finds none."""


@dataclass(frozen=True)
class MissingPixels:
    """
    Pixels of the stamp that lack finite values in more than a tenth of the cadences, where they matter.

    Attributes
    ----------
    n_aperture, n_aperture_missing : pixels of the pipeline's aperture, and how many of them were left out
    n_near_missing : pixels left out within 2 px of the target or in the aperture
    light : share of the light of a star at the target's place that falls on pixels left out, 0 ... 1
    """

    n_aperture: int
    n_aperture_missing: int
    n_near_missing: int
    light: float

    @property
    def sentence(self) -> str:
        """What is missing, for readers; empty where nothing is. Begins with a space."""
        if not self.n_near_missing:
            return ""
        number, where = self.n_aperture_missing, f"the {self.n_aperture} aperture pixels"
        if not number:
            number, where = self.n_near_missing, f"the pixels within {FALLBACK_APERTURE_PX:g} px of the target"
        verb = "lack" if number > 1 else "lacks"
        return (
            f" {number} of {where} {verb} values in more than {100 * (1 - PIXEL_COMPLETENESS):.0f} % of the cadences and had to "
            f"be left out: {self.light_words}."
        )

    @property
    def light_words(self) -> str:
        """How much of the target's light is lost on pixels without values."""
        share = f"{100 * self.light:.0f} %" if self.light >= 0.01 else "less than 1 %"
        return f"{share} of the target's light falls on such pixels"


def find_missing(measurement: PixelMeasurement, row: float, column: float) -> MissingPixels:
    """Count what is missing about the target at (row, column), 0-based pixel position in the stamp."""
    absent, shape = ~measurement.valid, measurement.stack.shape
    stated = measurement.stack.aperture_mask
    aperture = np.zeros(shape, bool) if stated is None else stated
    if not absent.any():
        return MissingPixels(int(aperture.sum()), 0, 0, 0.0)
    near = aperture | (distance_px(shape, row, column) <= FALLBACK_APERTURE_PX)
    return MissingPixels(
        n_aperture=int(aperture.sum()),
        n_aperture_missing=int((aperture & absent).sum()),
        n_near_missing=int((near & absent).sum()),
        light=missing_light(absent, row, column),
    )


def missing_light(absent: BoolArray, row: float, column: float) -> float:
    """
    Share of the light of a star at (row, column) that falls on the pixels marked in `absent`, 0 ... 1.

    Light beyond the stamp is not missing: a star at its edge is flagged by itself.
    """
    shape = (absent.shape[0], absent.shape[1])
    star = GaussianPrf(shape, NOMINAL_SIGMA_PX, NOMINAL_SIGMA_PX).evaluate(np.array([row]), np.array([column]))[0]
    return float(star[absent].sum())
