"""Every number a verdict is held against, by name, with the source it was taken from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

METHOD_VERSION = "pixel-checks-5"
"""Changes whenever a number of a result could change; the seeds of all random draws are derived from it."""

_TWO_SIDED = "two-sided Gaussian probability"
_PROJECT = "chosen for this project; tested on simulated scenes"
_TWO_TRANSITS = "chosen for this project: the scatter of two transits measures no error (noise alone gave p = 0)"
_FEW_WINDOWS = (
    "chosen for this project: with 40 windows, 0.2 % of 594 simulated trials without a signal reach 3 sigma; with fewer the "
    "covariance itself is too uncertain"
)
_GHOST_FIT = (
    "chosen for this project: a simulated ghost has a correlation of 0.37 and a reduced chi-squared of 39; single stars fitted "
    "with a Gaussian PRF exceed 10 at an SNR of several hundred, with correlations above 0.99"
)
_NEIGHBOUR_LIGHT = (
    "magnitudes good to 0.1 mag: of 80 simulated crowded fields with such errors (SNR 27 to 460, signal on the target) none "
    "fails, 18 without errors of the prediction"
)
_NEIGHBOUR_WIDTH = "chosen for this project; the calibration's table aperture shows what it does"
_TILT = "twice what a Gaussian PRF's prediction is off by on simulated stars with wings (0.25 %)"
_REST = (
    "what tilt and bend leave at SNR above 1000: of 24 simulated eclipses of 10 to 40 % on a target in a crowded field none "
    "fails, 5 without this error"
)
_GAPS = "chosen for this project: real files can set no quality bit at a gap (TIC 188646744, sector 83)"
_SAMPLING = (
    "half-hour cadences sample a 2.6 h transit at other phases each time, which changes its depth by some per cent"
)
_FLAT = "no PRF narrower than 2 px has three such pixels in a column"
_HOLES = "chosen for this project; the calibration's table dead-pixels shows what it does"
_GEOMETRY = "transit, buffers and control take 3.5 durations; the noise is measured in what is left"
_TWICKEN = "Twicken et al. 2018, PASP 130, 064502"
_BRYSON = "Bryson et al. 2013, PASP 125, 889"


@dataclass(frozen=True)
class Threshold:
    """One threshold: its value, unit, what it decides, and where it comes from."""

    value: float
    unit: str
    meaning: str
    source: str


THRESHOLDS: Mapping[str, Threshold] = MappingProxyType(
    {
        "p_fail": Threshold(0.0027, "", "probability below which noise is excluded (3 sigma)", _TWO_SIDED),
        "p_warn": Threshold(0.05, "", "probability below which a result is noteworthy", _TWO_SIDED),
        "min_transits": Threshold(3, "transits", "fewer cannot fail a candidate (LOW_TRANSITS)", _TWO_TRANSITS),
        "few_transits": Threshold(5, "transits", "fewer is said in words", _PROJECT),
        "min_independent_windows": Threshold(
            30, "windows", "fewer independent matched windows cannot measure the noise: abstain", _FEW_WINDOWS
        ),
        "snr_detect": Threshold(3, "", "signals below are too weak for the check", _PROJECT),
        "snr_strong": Threshold(8, "", "signals below are weak: no fail", _PROJECT),
        "quality_good": Threshold(0.7, "", "correlation of difference image and PRF that counts as good", _TWICKEN),
        "bad_fit_reduced_chi2": Threshold(
            10, "", "reduced chi-squared above which a fit is bad, unless its correlation is clear", _GHOST_FIT
        ),
        "clear_fit_quality": Threshold(
            0.9, "", "correlation above which a source is one star whatever the chi-squared", _GHOST_FIT
        ),
        "region_delta_chi2": Threshold(
            11.829, "", "delta-chi-squared of the 3-sigma region for two parameters", _TWO_SIDED
        ),
        "systematic_floor_arcsec": Threshold(
            2.5, "arcsec", "systematic error of a difference-image position, per component", _TWICKEN
        ),
        "halo_excess_fail_sigma": Threshold(3, "sigma", "excess of the halo over the core that fails", _TWICKEN),
        "halo_excess_warn_sigma": Threshold(2, "sigma", "excess of the halo over the core that warns", _PROJECT),
        "ratio_min_sigma": Threshold(2, "sigma", "core and halo below have no ratio", _PROJECT),
        "neighbour_light_error": Threshold(
            0.1, "", "relative error of each neighbour's light in the predicted growth curve", _NEIGHBOUR_LIGHT
        ),
        "neighbour_width_error": Threshold(
            0.12,
            "",
            "relative error of the width of each neighbour's Gaussian in the predicted growth curve",
            _NEIGHBOUR_WIDTH,
        ),
        "growth_curve_tilt": Threshold(
            0.005, "", "relative error of the predicted growth curve from its first to its last radius", _TILT
        ),
        "growth_curve_rest": Threshold(
            0.0003, "", "relative error of the predicted growth curve at each radius by itself", _REST
        ),
        "depth_map_min_snr": Threshold(5, "sigma", "control flux below which a pixel has no depth", _BRYSON),
        "transit_depth_spread": Threshold(
            0.05, "", "relative spread of the transits' depths that counts as none", _SAMPLING
        ),
        "side_cut_sigma": Threshold(5, "sigma", "left-minus-right control difference that drops a window", _PROJECT),
        "window_completeness": Threshold(0.8, "", "share of its cadences that a window must hold", _PROJECT),
        "gap_minutes": Threshold(10, "min", "time without data, beyond one cadence, that counts as a gap", _GAPS),
        "gap_settling_days": Threshold(0.25, "d", "time after a gap that is not used", _GAPS),
        "control_fit_correlation": Threshold(
            0.98, "", "correlation of PRF and control image above which jitter modes are modelled", _PROJECT
        ),
        "own_prf_contamination": Threshold(
            0.1, "", "largest share of other light in a star's own image that is used as its PRF", _PROJECT
        ),
        "saturation_flatness": Threshold(
            0.9, "", "three pixels in a column within this share of the maximum are flat-topped", _FLAT
        ),
        "target_light_missing": Threshold(
            0.5, "", "share of the target's light on pixels without values that leaves no verdict", _HOLES
        ),
        "period_over_duration": Threshold(
            4.5, "", "periods shorter than this many durations leave no free control time", _GEOMETRY
        ),
    }
)


def value(name: str) -> float:
    """Value of the threshold called `name`."""
    return THRESHOLDS[name].value


def used(*names: str) -> dict[str, dict[str, float | str]]:
    """The named thresholds in the form results carry: name -> {"value", "unit", "source"}."""
    return {
        name: {"value": item.value, "unit": item.unit, "source": item.source}
        for name, item in ((name, THRESHOLDS[name]) for name in names)
    }
