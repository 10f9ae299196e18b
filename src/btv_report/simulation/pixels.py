"""
Scene to pixels: background-subtracted stamps in electron/s with their errors, and the truth behind them.

Pure: the same scene gives the same arrays. Each sector draws from its own PCG64 stream seeded by (scene seed, sector
number); sums over pixels run in a fixed order, without BLAS.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from btv_report.simulation import brightness, observing
from btv_report.simulation.scene import (
    TARGET_ID,
    Ghost,
    Noise,
    PointSpread,
    Scene,
    SceneSector,
    SceneStar,
    Signal,
    flux_of_tmag,
)
from btv_report.time_systems import julian_year

FloatCube = NDArray[np.float32]
FloatVector = NDArray[np.float64]

FRAME_S = 2.0
INTEGRATION_S = 1.98
_N_SKY_PIXELS = 400
"""The sky is measured on hundreds of pixels of the CCD, so its error is far below that of one pixel."""
_FIRST_CADENCE_BTJD = 1227.0
"""Cadences are numbered from here, so that the numbers grow from sector to sector."""
_FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))


@dataclass(frozen=True)
class StarTruth:
    """
    Where a star is and what it gives, before jitter.

    Attributes
    ----------
    star_id : name in the catalogue; the target first
    row, column : position on the stamp at the sector's mid-time, 0-based; may lie outside
    flux_e_per_s : flux over the whole PRF
    aperture_flux_e_per_s : flux that falls into the optimal aperture
    """

    star_id: str
    row: float
    column: float
    flux_e_per_s: float
    aperture_flux_e_per_s: float


@dataclass(frozen=True)
class SignalTruth:
    """A signal as injected, and the depth by which it dims the aperture's summed flux (`depth` times its source's share)."""

    source: str
    signal: Signal
    aperture_depth: float


@dataclass(frozen=True)
class SimulatedSector:
    """
    One sector of simulated pixels; n cadences, all of them kept.

    Attributes
    ----------
    sector : SceneSector
    time_btjd : float64, shape (n,); NaN in the gap
    cadence_number : int32, shape (n,)
    quality : int32, shape (n,)
    flux, flux_err : float32, shape (n, n_row, n_column), electron/s, background subtracted; NaN where missing
    background, background_err : same shape and unit: what was subtracted, and its error
    aperture : bool, shape (n_row, n_column): optimal aperture
    row_shift_px, column_shift_px : float64, shape (n,): true motion of the stars from their mid-sector places
    stars, signals : truth
    crowdsap, flfrcsap : target's share of the aperture flux; share of the target's flux in the aperture
    exposure_s : seconds of light behind one cadence
    """

    sector: SceneSector
    time_btjd: FloatVector
    cadence_number: NDArray[np.int32]
    quality: NDArray[np.int32]
    flux: FloatCube
    flux_err: FloatCube
    background: FloatCube
    background_err: FloatCube
    aperture: NDArray[np.bool_]
    row_shift_px: FloatVector
    column_shift_px: FloatVector
    stars: tuple[StarTruth, ...]
    signals: tuple[SignalTruth, ...]
    crowdsap: float
    flfrcsap: float
    exposure_s: float


@dataclass(frozen=True)
class SimulatedSectors:
    """All sectors of a scene."""

    scene: Scene
    sectors: tuple[SimulatedSector, ...]


def simulate(scene: Scene) -> SimulatedSectors:
    """Make the pixels of every sector of a scene."""
    return SimulatedSectors(scene, tuple(_simulate_sector(scene, sector) for sector in scene.sectors))


def exposure_s(cadence_s: int) -> float:
    """
    Seconds of light in one cadence.

    Of each 2-s frame 1.98 s are exposed; two-minute data lose a fifth of the frames to cosmic-ray mitigation, 20-s
    data none (TESS Instrument Handbook).
    """
    kept = 0.8 if cadence_s == 120 else 1.0
    return cadence_s / FRAME_S * INTEGRATION_S * kept


def pixel_response(rows: FloatVector, columns: FloatVector, shape: tuple[int, int], prf: PointSpread) -> FloatVector:
    """
    Share of a star's light in each pixel, shape (n, n_row, n_column), for stars at `rows`, `columns` (each (n,)).

    Core and wing are Gaussians integrated over the pixels, so that the shares over an endless stamp sum to 1.
    """
    response = np.zeros((rows.size, *shape))
    for fwhm, weight in ((prf.fwhm_px, 1.0 - prf.wing_fraction), (prf.wing_fwhm_px, prf.wing_fraction)):
        along_rows = _integrated_gaussian(rows, shape[0], fwhm / _FWHM_PER_SIGMA)
        along_columns = _integrated_gaussian(columns, shape[1], fwhm / _FWHM_PER_SIGMA)
        response += (weight * along_rows)[:, :, None] * along_columns[:, None, :]
    return response


def _integrated_gaussian(centres: FloatVector, n_pixel: int, sigma: float) -> FloatVector:
    """Share of a unit Gaussian in each of `n_pixel` pixels along one axis, shape (n, n_pixel)."""
    from scipy.special import erf

    edges = np.arange(n_pixel + 1) - 0.5
    cumulative = 0.5 * erf((edges[None, :] - centres[:, None]) / (math.sqrt(2.0) * sigma))
    return np.asarray(np.diff(cumulative, axis=1), dtype=np.float64)


def _simulate_sector(scene: Scene, sector: SceneSector) -> SimulatedSector:
    rng = np.random.Generator(np.random.PCG64([scene.seed, sector.number]))
    cadence_days = sector.cadence_s / observing.SECONDS_PER_DAY
    n = round(sector.length_days / cadence_days)
    time_btjd = sector.start_btjd + (np.arange(n, dtype=np.float64) + 0.5) * cadence_days
    shift = observing.pointing(rng, scene, sector, time_btjd)
    light = _light(scene, sector, time_btjd, shift)
    exposure = exposure_s(sector.cadence_s)
    exposed = _expose(rng, scene, light.total, time_btjd, exposure)
    in_gap = observing.downlink_gap(sector, time_btjd)
    for cube in exposed:
        cube[in_gap | observing.lost_cadences(scene, time_btjd)] = np.nan
    flux, flux_err, background, background_err = exposed
    aperture = _optimal_aperture(light, scene.noise, exposure)
    stars, signals = _truth(scene, light, aperture)
    target = stars[0]
    return SimulatedSector(
        sector=sector,
        time_btjd=np.where(in_gap, np.nan, time_btjd),
        cadence_number=(round((sector.start_btjd - _FIRST_CADENCE_BTJD) / cadence_days) + np.arange(n)).astype(
            np.int32
        ),
        quality=observing.quality_flags(scene, sector, time_btjd),
        flux=flux,
        flux_err=flux_err,
        background=background,
        background_err=background_err,
        aperture=aperture,
        row_shift_px=shift[:, 0],
        column_shift_px=shift[:, 1],
        stars=stars,
        signals=signals,
        crowdsap=target.aperture_flux_e_per_s / _sum_pixels(light.steady, aperture),
        flfrcsap=target.aperture_flux_e_per_s / target.flux_e_per_s,
        exposure_s=exposure,
    )


def _expose(
    rng: np.random.Generator, scene: Scene, light: FloatVector, time_btjd: FloatVector, exposure: float
) -> tuple[FloatCube, FloatCube, FloatCube, FloatCube]:
    """Light to flux, its error, the subtracted background and its error; each (n, n_row, n_column)."""
    scattered, left = observing.scattered_light(scene, time_btjd)
    sky = scene.noise.background_e_per_s + scattered
    error = np.sqrt((light + sky) / exposure + _read_variance(scene.noise, exposure)).astype(np.float32)
    flux = (light + left).astype(np.float32) + error * rng.standard_normal(light.shape, dtype=np.float32)
    background = np.broadcast_to(sky, light.shape).astype(np.float32)
    background_err = np.broadcast_to(np.sqrt(sky / exposure / _N_SKY_PIXELS), light.shape).astype(np.float32)
    return flux, error, background, background_err


def _read_variance(noise: Noise, exposure: float) -> float:
    """Variance of one pixel by reading it, (electron/s)^2: one read a kept frame, added in quadrature."""
    return noise.read_noise_e**2 / (exposure * INTEGRATION_S)


@dataclass(frozen=True)
class _Light:
    """Light without noise: per cadence, and steady (no signal, no motion) in all and by source."""

    total: FloatVector
    steady: FloatVector
    stars: tuple[FloatVector, ...]
    ghosts: tuple[FloatVector, ...]
    positions: tuple[tuple[float, float], ...]


def _light(scene: Scene, sector: SceneSector, time_btjd: FloatVector, shift: FloatVector) -> _Light:
    shape = (scene.n_row, scene.n_column)
    total = np.zeros((time_btjd.size, *shape))
    steady_stars, steady_ghosts, positions = [], [], []
    for star in scene.all_stars:
        row, column = _place(scene, sector, star)
        flux = flux_of_tmag(star.tmag)
        bright = flux * brightness.relative_brightness(time_btjd, _signals_of(scene, star.star_id))
        total += bright[:, None, None] * pixel_response(row + shift[:, 0], column + shift[:, 1], shape, scene.prf)
        steady_stars.append(flux * pixel_response(np.array([row]), np.array([column]), shape, scene.prf)[0])
        positions.append((row, column))
    for ghost in scene.ghosts:
        patch = _ghost_patch(ghost, sector, shape)
        total += brightness.relative_brightness(time_btjd, _signals_of(scene, ghost.ghost_id))[:, None, None] * patch
        steady_ghosts.append(patch)
    steady = np.zeros(shape)
    for image in (*steady_stars, *steady_ghosts):
        steady += image
    return _Light(total, steady, tuple(steady_stars), tuple(steady_ghosts), tuple(positions))


def _place(scene: Scene, sector: SceneSector, star: SceneStar) -> tuple[float, float]:
    """Stamp position (row, column) of a star, proper motion to the sector's mid-time included."""
    there = star.position.at_year(julian_year(sector.mid_btjd))
    return scene.projection(sector).sky_to_pixel(there.ra_deg, there.dec_deg)


def _signals_of(scene: Scene, source: str) -> tuple[Signal, ...]:
    names = {source, TARGET_ID} if source == scene.target.as_star.star_id else {source}
    return tuple(signal for signal in scene.signals if signal.source in names)


def _ghost_patch(ghost: Ghost, sector: SceneSector, shape: tuple[int, int]) -> FloatVector:
    sigma = ghost.fwhm_px / _FWHM_PER_SIGMA
    d_row = np.arange(shape[0]) - (sector.target_row + ghost.row_offset_px)
    d_column = np.arange(shape[1]) - (sector.target_column + ghost.column_offset_px)
    distance2 = d_row[:, None] ** 2 + d_column[None, :] ** 2
    return np.asarray(ghost.peak_e_per_s * np.exp(-0.5 * distance2 / sigma**2), dtype=np.float64)


def _optimal_aperture(light: _Light, noise: Noise, exposure: float) -> NDArray[np.bool_]:
    """
    Pixels whose sum has the best signal to noise for the target, as SPOC chooses them.

    Pixels are added from the best single one on while the ratio of summed target flux to noise grows.
    """
    target = light.stars[0]
    variance = (light.steady + noise.background_e_per_s) / exposure + _read_variance(noise, exposure)
    order = np.argsort(-(target / np.sqrt(variance)).ravel(), kind="stable")
    ratio = np.cumsum(target.ravel()[order]) / np.sqrt(np.cumsum(variance.ravel()[order]))
    mask = np.zeros(target.size, dtype=bool)
    mask[order[: int(np.argmax(ratio)) + 1]] = True
    return mask.reshape(target.shape)


def _sum_pixels(image: FloatVector, mask: NDArray[np.bool_]) -> float:
    return math.fsum(image[mask].tolist())


def _truth(
    scene: Scene, light: _Light, aperture: NDArray[np.bool_]
) -> tuple[tuple[StarTruth, ...], tuple[SignalTruth, ...]]:
    stars = tuple(
        StarTruth(star.star_id, row, column, flux_of_tmag(star.tmag), _sum_pixels(image, aperture))
        for star, (row, column), image in zip(scene.all_stars, light.positions, light.stars, strict=True)
    )
    shares = {star.star_id: star.aperture_flux_e_per_s for star in stars}
    shares[TARGET_ID] = stars[0].aperture_flux_e_per_s
    for ghost, patch in zip(scene.ghosts, light.ghosts, strict=True):
        shares[ghost.ghost_id] = _sum_pixels(patch, aperture)
    whole = _sum_pixels(light.steady, aperture)
    signals = tuple(SignalTruth(item.source, item, item.depth * shares[item.source] / whole) for item in scene.signals)
    return stars, signals
