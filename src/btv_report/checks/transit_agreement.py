"""Do the transits agree? The missing light of each one at the fitted position, held against its error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from btv_report.checks import thresholds
from btv_report.checks.apertures import FloatArray
from btv_report.checks.difference_image import PixelMeasurement
from btv_report.checks.matched_windows import SMALLEST_P
from btv_report.checks.source_fit import SourceFit


@dataclass(frozen=True)
class TransitAgreement:
    """
    The transits at the position fitted to their mean.

    Attributes
    ----------
    light : shape (n,): missing light of each transit, unit of the flux
    error : matched-window error of a single transit's
    p_value : probability that transits of equal depth scatter as much; None with a single transit
    """

    light: FloatArray
    error: float
    p_value: float | None

    @property
    def disagree(self) -> bool:
        """Whether they scatter more than equal transits do, beyond 3 sigma."""
        return self.p_value is not None and self.p_value < thresholds.value("p_fail")


def compare_transits(measurement: PixelMeasurement, fit: SourceFit) -> TransitAgreement:
    """
    Scatter of the transits' missing light about their mean, against that of the matched windows (F test).

    A relative error of each transit is added: long cadences sample every transit at other phases.
    """
    from scipy.special import fdtrc

    light = measurement.kept.difference @ fit.estimator
    single = float(np.sqrt(np.mean((measurement.free.difference @ fit.estimator) ** 2)))
    spread = thresholds.value("transit_depth_spread") * float(light.mean())
    variance = single**2 + spread**2
    n = len(light)
    if n < 2 or variance <= 0:
        return TransitAgreement(light, single, None)
    ratio = float(((light - light.mean()) ** 2).sum()) / (n - 1) / variance
    p_value = float(fdtrc(n - 1, max(measurement.nu, 1.0), ratio))
    return TransitAgreement(light, single, min(1.0, max(p_value, SMALLEST_P)))
