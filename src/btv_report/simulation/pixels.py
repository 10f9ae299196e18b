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

from btv_report.quality import MOMENTUM_DUMP, QUALITY_FLAG_BITS
from btv_report.simulation import brightness
from btv_report.simulation.scene import (
    TARGET_ID,
    Ghost,
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

SECONDS_PER_DAY = 86400.0
FRAME_S = 2.0
INTEGRATION_S = 1.98
_FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))
_SCATTERED_LIGHT_GRADIENT = 0.02
"""Relative change per column of scattered light across the stamp: it comes from one side."""


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
    cadence_days = sector.cadence_s / SECONDS_PER_DAY
    n = round(sector.length_days / cadence_days)
    time_btjd = sector.start_btjd + (np.arange(n, dtype=np.float64) + 0.5) * cadence_days
    shift = _pointing(rng, scene, sector, time_btjd)
    light = _light(scene, sector, time_btjd, shift)
    exposure = exposure_s(sector.cadence_s)
    hump = _scattered(scene, time_btjd)
    sky = scene.noise.background_e_per_s + hump
    # Reads add their noise in quadrature, one per kept frame.
    read_variance = scene.noise.read_noise_e**2 / (exposure * INTEGRATION_S)
    variance = (light.total + sky) / exposure + read_variance
    error = np.sqrt(variance).astype(np.float32)
    clean = light.total + _residual(scene, time_btjd, hump.shape)
    flux = clean.astype(np.float32) + error * rng.standard_normal(clean.shape, dtype=np.float32)
    # The sky is measured on many pixels of the CCD, so its error is far below that of one pixel.
    sky_error = np.sqrt(sky / exposure / 400.0)
    shape = flux.shape
    background = np.broadcast_to(sky, shape).astype(np.float32)
    background_err = np.broadcast_to(sky_error, shape).astype(np.float32)
    in_gap = _within(time_btjd, sector.gap.start_btjd, sector.gap.end_btjd) if sector.gap else np.zeros(n, dtype=bool)
    quality = _quality(scene, sector, time_btjd, in_gap)
    blank = in_gap.copy()
    for span in scene.missing:
        blank |= _within(time_btjd, span.start_btjd, span.end_btjd)
    for cube in (flux, error, background, background_err):
        cube[blank] = np.nan
    aperture = _optimal_aperture(light.stars[0], light.steady, scene.noise.background_e_per_s, exposure, read_variance)
    stars, signals = _truth(scene, light, aperture)
    in_aperture = _sum_pixels(light.steady, aperture)
    return SimulatedSector(
        sector=sector,
        time_btjd=np.where(in_gap, np.nan, time_btjd),
        cadence_number=(round((sector.start_btjd - 1227.0) / cadence_days) + np.arange(n)).astype(np.int32),
        quality=quality,
        flux=flux,
        flux_err=error,
        background=background,
        background_err=background_err,
        aperture=aperture,
        row_shift_px=shift[:, 0],
        column_shift_px=shift[:, 1],
        stars=stars,
        signals=signals,
        crowdsap=stars[0].aperture_flux_e_per_s / in_aperture,
        flfrcsap=stars[0].aperture_flux_e_per_s / stars[0].flux_e_per_s,
        exposure_s=exposure,
    )


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


def _pointing(rng: np.random.Generator, scene: Scene, sector: SceneSector, time_btjd: FloatVector) -> FloatVector:
    """Motion of all stars, px, shape (n, 2) as (row, column): drift, slow and fast jitter, kicks at momentum dumps."""
    cadence_days = sector.cadence_s / SECONDS_PER_DAY
    noise = scene.noise
    shift = brightness.slow_jitter(rng, time_btjd.size, cadence_days, noise)
    shift += noise.fast_jitter_px * rng.standard_normal(shift.shape)
    drift = np.array([noise.drift_row_px_per_day, noise.drift_column_px_per_day])
    shift += (time_btjd - sector.mid_btjd)[:, None] * drift
    for dumps in scene.dumps:
        for first in brightness.dump_cadences(sector.start_btjd, cadence_days, time_btjd.size, dumps):
            angle = rng.uniform(0.0, 2.0 * math.pi)
            settling = 1.0 - np.arange(dumps.n_cadences) / dumps.n_cadences
            kick = dumps.kick_px * settling[:, None] * np.array([math.sin(angle), math.cos(angle)])
            shift[first : first + dumps.n_cadences] += kick[: time_btjd.size - first]
    return shift


def _scattered(scene: Scene, time_btjd: FloatVector) -> FloatVector:
    """Scattered light per pixel, shape (n, n_row, n_column) or broadcastable to it."""
    hump = np.zeros((time_btjd.size, 1, 1))
    for light in scene.scattered_light:
        hump[:, 0, 0] += brightness.scattered_light(time_btjd, light)
    return hump * _gradient(scene)


def _residual(scene: Scene, time_btjd: FloatVector, shape: tuple[int, ...]) -> FloatVector:
    """What background subtraction leaves of the scattered light."""
    left = np.zeros((time_btjd.size, 1, 1))
    for light in scene.scattered_light:
        left[:, 0, 0] += light.residual_fraction * brightness.scattered_light(time_btjd, light)
    return np.broadcast_to(left * _gradient(scene), shape)


def _gradient(scene: Scene) -> FloatVector:
    columns = np.arange(scene.n_column) - 0.5 * (scene.n_column - 1)
    return np.asarray(1.0 + _SCATTERED_LIGHT_GRADIENT * columns, dtype=np.float64)[None, None, :]


def _within(time_btjd: FloatVector, start_btjd: float, end_btjd: float) -> NDArray[np.bool_]:
    return (time_btjd >= start_btjd) & (time_btjd < end_btjd)


def _bits(numbers: tuple[int, ...]) -> int:
    value = 0
    for number in numbers:
        value |= 1 << (number - 1)
    return value


def _quality(scene: Scene, sector: SceneSector, time_btjd: FloatVector, in_gap: NDArray[np.bool_]) -> NDArray[np.int32]:
    quality = np.zeros(time_btjd.size, dtype=np.int32)
    quality[in_gap] |= QUALITY_FLAG_BITS["earth_point"].value
    cadence_days = sector.cadence_s / SECONDS_PER_DAY
    for dumps in scene.dumps:
        for first in brightness.dump_cadences(sector.start_btjd, cadence_days, time_btjd.size, dumps):
            quality[first : first + dumps.n_cadences] |= MOMENTUM_DUMP
    for stretch in scene.flagged:
        quality[_within(time_btjd, stretch.span.start_btjd, stretch.span.end_btjd)] |= _bits(stretch.bits)
    for light in scene.scattered_light:
        quality[brightness.scattered_light(time_btjd, light) > 0.5 * light.peak_e_per_s] |= _bits(light.bits)
    return quality


def _optimal_aperture(
    target: FloatVector, steady: FloatVector, sky: float, exposure: float, read_variance: float
) -> NDArray[np.bool_]:
    """
    Pixels whose sum has the best signal to noise for the target, as SPOC chooses them.

    Pixels are added from the best single one on while the ratio of summed target flux to noise grows.
    """
    variance = (steady + sky) / exposure + read_variance
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
