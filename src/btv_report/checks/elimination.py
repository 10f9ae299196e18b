"""
The elimination table of V09: the target and every catalogued neighbour held against the fitted source.

Each star has its delta-chi-squared in the region, the depth it would need to lose the missing light, and its probability of
being the host (`hosts`, where method and source stand); the probabilities of all stars and of none of them sum to 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from btv_report.checks import thresholds
from btv_report.checks.apertures import FloatArray
from btv_report.checks.difference_image import SEARCH_RADIUS_PX, PixelMeasurement
from btv_report.checks.hosts import HostInput, host_probabilities, uncatalogued_evidence
from btv_report.checks.inputs import StackStar
from btv_report.checks.region import Region, floored_delta_chi2, map_region, position_covariance
from btv_report.checks.reporting import pixel_scale_arcsec
from btv_report.checks.scene import OWN_POSITION_TOLERANCE_PX, Scene
from btv_report.checks.source_fit import SourceFit

MAX_NEIGHBOURS = 60
NEIGHBOUR_MARGIN_PX = 2.0
CLEARLY_IMPOSSIBLE_DEPTH = 2.0
"""A star that would have to lose twice its light is not the host, whatever the error of its magnitude."""


@dataclass(frozen=True)
class Located:
    """
    The fit, its region, and every star held against them; the target is the first star.

    `control_delta_chi2` is that of the place where the target's light stands in the control image. `required_depth` is None
    where the fit is not that of one star; `hosts` is None there, and where no catalogue of neighbours was asked, because then
    there is nothing to compare the target with.
    """

    fit: SourceFit
    region: Region
    stars: tuple[StackStar, ...]
    delta_chi2: FloatArray
    control_delta_chi2: float
    required_depth: tuple[float | None, ...] | None
    hosts: Hosts | None

    @property
    def covariance_px2(self) -> FloatArray:
        """Covariance of the fitted position, rows then columns, without the floor."""
        return position_covariance(self.fit, self.region)


@dataclass(frozen=True)
class Hosts:
    """Probabilities of being the host, one per star, and of none of them; they sum to 1."""

    probability: tuple[float, ...]
    none_probability: float

    @property
    def likeliest(self) -> int | None:
        """Number of the most probable star, the target is 0; None where none of them is more probable than any."""
        best = int(np.argmax(self.probability))
        return best if self.probability[best] >= self.none_probability else None


def locate(measurement: PixelMeasurement, scene: Scene, fit: SourceFit) -> Located:
    """Map the region and weigh target, neighbours and none of them."""
    floor_px = thresholds.value("systematic_floor_arcsec") / pixel_scale_arcsec(measurement)
    region = map_region(fit, scene, floor_px)
    target = StackStar("target", scene.row, scene.column, measurement.stack.tmag, 0.0)
    neighbours = _neighbours(measurement, scene, fit, region)
    stars = (target, *(star for star, _ in neighbours))
    rows, columns = np.array([star.row for star in stars]), np.array([star.column for star in stars])
    every = floored_delta_chi2(fit, region, np.append(rows, scene.source_row), np.append(columns, scene.source_column))
    delta, control = every[:-1], float(every[-1])
    if not is_one_star(fit):
        return Located(fit, region, stars, delta, control, None, None)
    fluxes = (scene.target_flux, *(flux for _, flux in neighbours))
    depth = _required_depths(fit, rows, columns, delta, fluxes)
    if not measurement.stack.neighbours_known:
        return Located(fit, region, stars, delta, control, depth, None)
    inputs = [HostInput(float(d), need, 1.0 / fit.snr) for d, need in zip(delta, depth, strict=True)]
    evidence = uncatalogued_evidence(region.floored, region.step_px, SEARCH_RADIUS_PX)
    probabilities, none = host_probabilities(inputs, evidence)
    return Located(fit, region, stars, delta, control, depth, Hosts(tuple(probabilities), none))


def _neighbours(
    measurement: PixelMeasurement, scene: Scene, fit: SourceFit, region: Region
) -> list[tuple[StackStar, float | None]]:
    """
    Neighbours within reach of the search and their flux, nearest first.

    Of more than `MAX_NEIGHBOURS` those that would clearly need an impossible depth are left out, then those least
    compatible with the source: in a crowded field the host can be further from the target than sixty faint stars.
    """
    reach = SEARCH_RADIUS_PX + NEIGHBOUR_MARGIN_PX
    within = [
        (star, flux)
        for star, flux in zip(measurement.stack.neighbours, scene.star_flux, strict=True)
        if math.hypot(star.row - scene.row, star.column - scene.column) <= reach
    ]
    if len(within) <= MAX_NEIGHBOURS:
        return within
    within = [(s, flux) for s, flux in within if flux is None or fit.amplitude <= CLEARLY_IMPOSSIBLE_DEPTH * flux]
    rows, columns = (np.array([getattr(star, axis) for star, _ in within]) for axis in ("row", "column"))
    order = np.argsort(floored_delta_chi2(fit, region, rows, columns), kind="stable")[:MAX_NEIGHBOURS]
    return [within[i] for i in sorted(order)]


def _required_depths(
    fit: SourceFit, rows: FloatArray, columns: FloatArray, delta: FloatArray, fluxes: tuple[float | None, ...]
) -> tuple[float | None, ...]:
    """
    Share of its light that each star would have to lose; None where its light is not known.

    Within the region the missing light is that which the data give to a source at the star's place; outside of it they
    give no such number, and it is that of the fitted source.
    """
    _, amplitudes = fit.landscape.chi2_and_amplitude(rows, columns)
    inside = delta <= thresholds.value("region_delta_chi2")
    lost = np.where(inside & (amplitudes > 0), amplitudes, fit.amplitude)
    return tuple(
        None if flux is None or flux <= 0 else float(light) / flux for light, flux in zip(lost, fluxes, strict=True)
    )


def is_with_displaced_star(scene: Scene, located: Located) -> bool:
    """
    Whether the target's light stands away from its catalogue position, and the signal with it.

    Then the coordinates may be wrong, or light of an uncatalogued star outshines the target: which of them, the pixels cannot
    tell, and so they do not speak against the target.
    """
    if not scene.from_catalogue or scene.prf.kind == "own_image":
        return False
    away_px = math.hypot(scene.source_row - scene.row, scene.source_column - scene.column)
    return away_px > OWN_POSITION_TOLERANCE_PX and located.control_delta_chi2 <= thresholds.value("region_delta_chi2")


def is_badly_fitted(fit: SourceFit) -> bool:
    """Whether the difference image contradicts a single point source, more than an imperfect PRF explains."""
    clear = fit.quality >= thresholds.value("clear_fit_quality")
    return not clear and fit.reduced_chi2 > thresholds.value("bad_fit_reduced_chi2")


def is_one_star(fit: SourceFit) -> bool:
    """Whether the difference image is that of one star, so that its place and its light say which."""
    return fit.quality >= thresholds.value("quality_good") and not is_badly_fitted(fit)
