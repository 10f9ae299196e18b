"""Which of the PRF sets at hand describes a star: candidates by detector, and the choice among them by chi-squared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from btv_report.checks.apertures import BoolArray, FloatArray
from btv_report.checks.least_squares import minimise
from btv_report.checks.prf import Prf
from btv_report.checks.prf_grid import PrfGrid, SampledPrf

LARGEST_MOVE_PX = 1.0
"""How far a calibrated PRF may move a star from where a Gaussian finds it."""


def candidates_at(
    grids: Sequence[PrfGrid],
    detector: tuple[int | None, int | None],
    place: tuple[float, float],
    shape: tuple[int, int],
) -> tuple[SampledPrf, ...]:
    """
    The PRFs to try for a star.

    Parameters
    ----------
    grids : the sets at hand
    detector : camera and CCD of the star
    place : its detector row and column, pixels
    shape : of the stamp

    Returns
    -------
    tuple of SampledPrf
        The sets of the star's own camera and CCD, where there are any; else every set, as it is and mirrored in columns,
        because the CCDs about a camera's axis see its aberrations mirrored. Sets of which only a part is at hand count where
        their files surround the star; see `lacking_at` for the others.
    """
    own, others = _by_detector(grids, detector)
    mirrored = (kind for grid in others for kind in (grid, grid.mirrored()))
    tried = _surrounding(own, place) or _surrounding(mirrored, place)
    return tuple(grid.at(*place, shape) for grid in tried)


def lacking_at(
    grids: Sequence[PrfGrid], detector: tuple[int | None, int | None], place: tuple[float, float]
) -> tuple[PrfGrid, ...]:
    """The sets that `candidates_at` leaves out because their files do not surround the star; parameters as there."""
    own, others = _by_detector(grids, detector)
    left_out = [grid for grid in own if not grid.surrounds(*place)]
    if len(left_out) == len(own):
        left_out += [grid for grid in others if not _surrounding((grid, grid.mirrored()), place)]
    return tuple(left_out)


def _by_detector(
    grids: Sequence[PrfGrid], detector: tuple[int | None, int | None]
) -> tuple[list[PrfGrid], list[PrfGrid]]:
    """Sets of the star's own camera and CCD, and all others."""
    own: list[PrfGrid] = []
    others: list[PrfGrid] = []
    for grid in grids:
        (own if (grid.camera, grid.ccd) == detector else others).append(grid)
    return own, others


def _surrounding(grids: Iterable[PrfGrid], place: tuple[float, float]) -> list[PrfGrid]:
    return [grid for grid in grids if grid.surrounds(*place)]


def why_lacking(grids: Sequence[PrfGrid]) -> str:
    """A phrase on the sets that `lacking_at` gives; empty where there are none."""
    if not grids:
        return ""
    why = "not used, because {} files at hand do not surround the star"
    if len(grids) == 1:
        return f"the PRF set {grids[0].name} is {why.format('its')}"
    return f"{len(grids)} PRF sets, such as that {grids[0].name}, are {why.format('their')}"


@dataclass(frozen=True)
class StarModel:
    """One star and its neighbours, which move with it: offsets (row, column) from the star, and flux over the star's."""

    row_offsets: FloatArray
    column_offsets: FloatArray
    flux_ratios: FloatArray

    def image(self, prf: Prf, row: float, column: float) -> FloatArray:
        """The field for a star of unit flux at a position, shape of the stamp."""
        images = prf.evaluate(row + self.row_offsets, column + self.column_offsets)
        return np.asarray(np.tensordot(self.flux_ratios, images, axes=1), dtype=np.float64)


@dataclass(frozen=True)
class StarFit:
    """A star fitted to an image: position (pixels), flux, and the sum of squared residuals in units of the brightest pixel."""

    row: float
    column: float
    flux: float
    misfit: float


def fit_star(
    image: FloatArray, near: BoolArray, model: Callable[[FloatArray], FloatArray], start: FloatArray
) -> tuple[FloatArray, float, float]:
    """
    Fit a model of unit flux to the pixels `near` of an image, each pixel with the same weight.

    The largest errors of a bright star's image are those of its PRF, not of its photons, so photon noise is no weight.

    Parameters
    ----------
    model : parameters to an image of unit flux
    start : the parameters to begin with

    Returns
    -------
    parameters, flux, misfit
        Misfit is the sum of squared residuals in units of the brightest pixel.
    """
    data = image[near]
    scale = float(np.abs(data).max(initial=0.0)) or 1.0

    def flux_of(unit: FloatArray) -> float:
        norm = float(unit @ unit)
        return float(unit @ data) / norm if norm > 0 else 0.0

    def residual(values: FloatArray) -> FloatArray:
        unit = model(values)[near]
        return np.asarray((data - flux_of(unit) * unit) / scale, dtype=np.float64)

    found = minimise(residual, start)
    rest = residual(found)
    return found, flux_of(model(found)[near]), float(rest @ rest)


class PrfChoice(NamedTuple):
    """The best candidate, its fit, and all that fit: the set's name and its rms misfit over the brightest pixel, best first."""

    prf: SampledPrf
    star: StarFit
    tried: tuple[tuple[str, float], ...]


def choose_prf(
    candidates: Sequence[SampledPrf], image: FloatArray, near: BoolArray, stars: StarModel, start: tuple[float, float]
) -> PrfChoice | None:
    """
    The candidate whose field describes the image best, and its fit; None without a candidate that fits at all.

    A thousand neighbours are not drawn anew at each step of a fit: they stand where `start` puts them while the candidates are
    compared, and where the best one puts them in its answer.
    """
    fits = [(prf, star) for prf in candidates if (star := _fit_one(prf, image, near, stars, start)) is not None]
    if not fits:
        return None
    fits.sort(key=lambda fit: fit[1].misfit)
    prf, star = fits[0]
    star = _fit_one(prf, image, near, stars, (star.row, star.column)) or star
    return PrfChoice(prf, star, tuple((prf.grid.name, math.sqrt(star.misfit / int(near.sum()))) for prf, star in fits))


def _fit_one(
    prf: SampledPrf, image: FloatArray, near: BoolArray, stars: StarModel, start: tuple[float, float]
) -> StarFit | None:
    """Position and flux under one PRF; None where the fit runs away or finds no light."""

    neighbours = stars.image(prf, *start) - prf.evaluate(np.array([start[0]]), np.array([start[1]]))[0]

    def model(place: FloatArray) -> FloatArray:
        return np.asarray(prf.evaluate(place[:1], place[1:])[0] + neighbours, dtype=np.float64)

    found, flux, misfit = fit_star(image, near, model, np.array(start))
    apart = math.hypot(found[0] - start[0], found[1] - start[1])
    if not math.isfinite(misfit) or flux <= 0 or apart > LARGEST_MOVE_PX:
        return None
    return StarFit(float(found[0]), float(found[1]), flux, misfit)
