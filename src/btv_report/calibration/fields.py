"""
Star fields whose truth is known: stars on a stamp with their noise, and a signal on any of them, made in milliseconds.

The stars are not Gaussian: core, shoulder and wing have different widths and centres, as off the axis of a TESS camera. The
best Gaussian has a correlation of 0.994 with them, as with the star of the real sector (0.995), so that a Gaussian PRF is as
wrong in these tables as it is on the sky. Noise is that of photons (star and sky); the pointing
is still, or wanders with the 3.3 h that TESS's fine pointing remembers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from btv_report.checks.apertures import FloatArray, distance_px
from btv_report.checks.difference_image import SEARCH_RADIUS_PX, measure_pixels
from btv_report.checks.inputs import PixelStack, StackStar
from btv_report.checks.prf import GaussianPrf, Prf
from btv_report.checks.scene import describe_scene
from btv_report.checks.source_fit import FIT_MARGIN_PX, Landscape, model_noise
from btv_report.ephemeris import Ephemeris
from btv_report.simulation.pixels import exposure_s

SHAPE = (11, 11)
PIXEL_ARCSEC = 21.0
SKY_E_PER_S = 100.0
TARGET_TMAG = 10.0
TARGET_FLUX_E_PER_S = 15000.0
FIRST_BTJD = 2000.0
SECTOR_DAYS, GAP_DAYS = 27.0, 1.0
JITTER_HOURS = 3.3
APERTURE_PX = 2.0
SIGNAL = Ephemeris(2.9, 2001.53, 2.6, name="injected")
"""Eight transits of 2.6 h in a sector; none falls into the gap."""

# Share of the light, widths (sigma, px) in row and column, and centre (px) of each part of the PRF.
_PRF_PARTS = ((0.53, 0.57, 0.65, -0.10, 0.07), (0.37, 0.95, 1.10, 0.55, -0.40), (0.10, 2.40, 2.20, -0.30, 0.40))


@dataclass(frozen=True)
class FieldStar:
    """A star: position on the stamp, light over the whole PRF, and whether the checks' catalogue holds it."""

    row: float
    column: float
    flux_e_per_s: float
    catalogued: bool = True


@dataclass(frozen=True)
class Sky:
    """
    How a sector looks at the field.

    Attributes
    ----------
    cadence_s : seconds
    jitter_px : standard deviation of the pointing, per axis; 0 is white noise alone. Sector 83 shows 0.0004, early sectors 0.001
    turn_deg : direction of east on the stamp
    magnitude_error : standard deviation of the catalogue's magnitudes
    sector : number of the sector
    prf : image of a star, for stamps of the shape `SHAPE`; None takes the three Gaussians of this module
    """

    cadence_s: float = 1800.0
    jitter_px: float = 0.0
    turn_deg: float = 40.0
    magnitude_error: float = 0.0
    sector: int = 1
    prf: Prf | None = None

    @property
    def arcsec_per_pixel(self) -> FloatArray:
        """East and north against column and row, as in `PixelStack`; mirrored, as the sky is."""
        turn = math.radians(self.turn_deg)
        return PIXEL_ARCSEC * np.array([[-math.cos(turn), math.sin(turn)], [math.sin(turn), math.cos(turn)]])


def star_images(rows: FloatArray, columns: FloatArray, prf: Prf | None = None) -> FloatArray:
    """Images of unit stars, shape (m, n_row, n_column); `prf` as in `Sky`."""
    if prf is not None:
        return prf.evaluate(rows, columns)
    images = np.zeros((len(rows), *SHAPE))
    for share, sigma_row, sigma_column, d_row, d_column in _PRF_PARTS:
        images += share * GaussianPrf(SHAPE, sigma_row, sigma_column).evaluate(rows + d_row, columns + d_column)
    return images


def image_of(star: FieldStar, prf: Prf | None = None) -> FloatArray:
    """Light of a star in each pixel, electron/s; `prf` as in `Sky`."""
    return np.asarray(star.flux_e_per_s * star_images(np.array([star.row]), np.array([star.column]), prf)[0])


def target_near_middle(rng: np.random.Generator) -> FieldStar:
    """A target that lies anywhere on the pixel in the middle of the stamp."""
    row, column = SHAPE[0] // 2 + rng.uniform(-0.5, 0.5), SHAPE[1] // 2 + rng.uniform(-0.5, 0.5)
    return FieldStar(row, column, TARGET_FLUX_E_PER_S)


def beside(star: FieldStar, distance: float, flux_ratio: float, rng: np.random.Generator) -> FieldStar:
    """Another star at a distance in pixels, in a random direction."""
    angle = rng.uniform(0, 2 * math.pi)
    row, column = star.row + distance * math.sin(angle), star.column + distance * math.cos(angle)
    return FieldStar(row, column, star.flux_e_per_s * flux_ratio)


def seen_turned(stars: tuple[FieldStar, ...], first: Sky, sky: Sky, rng: np.random.Generator) -> tuple[FieldStar, ...]:
    """The field of sector `first` as another sector sees it: turned about the target, which lies elsewhere on its pixel."""
    turn = np.linalg.inv(sky.arcsec_per_pixel) @ first.arcsec_per_pixel
    target, there = stars[0], target_near_middle(rng)
    moved = []
    for star in stars:
        d_column, d_row = turn @ np.array([star.column - target.column, star.row - target.row])
        moved.append(replace(star, row=there.row + float(d_row), column=there.column + float(d_column)))
    return tuple(moved)


def observe(stars: tuple[FieldStar, ...], sky: Sky, rng: np.random.Generator) -> PixelStack:
    """One sector of the field, the target first among `stars`, without a signal."""
    time = _times(sky.cadence_s)
    places = np.array([[star.row, star.column] for star in stars])
    fluxes = np.array([star.flux_e_per_s for star in stars])
    light = np.tensordot(fluxes, star_images(places[:, 0], places[:, 1], sky.prf), axes=1)
    error = np.sqrt((light + SKY_E_PER_S) / exposure_s(round(sky.cadence_s))).astype(np.float32)
    flux = rng.standard_normal((len(time), *SHAPE), dtype=np.float32)
    flux *= error
    flux += light.astype(np.float32)
    if sky.jitter_px > 0:
        flux += np.tensordot(_wander(len(time), sky, rng), _derivatives(places, fluxes, sky.prf), axes=1)
    target = stars[0]
    return PixelStack(
        sector=sky.sector,
        time_btjd=time,
        flux=flux,
        flux_err=np.broadcast_to(error, flux.shape),
        used=np.ones(len(time), bool),
        quality=np.zeros(len(time), np.int32),
        cadence_s=sky.cadence_s,
        aperture_mask=distance_px(SHAPE, target.row, target.column) <= APERTURE_PX,
        target_row=target.row,
        target_column=target.column,
        sky_per_pixel_arcsec=sky.arcsec_per_pixel,
        neighbours=_catalogue(stars, sky, rng),
        neighbours_known=True,
        tmag=TARGET_TMAG,
    )


def star_id(number: int) -> str:
    """Name in the catalogue of star `number` of the field."""
    return f"star {number}"


def crowded_field(target: FieldStar, brighter_than_tmag_16: float, rng: np.random.Generator) -> tuple[FieldStar, ...]:
    """
    The target and the field stars within the search radius, down to Tmag 17.

    `brighter_than_tmag_16` is their mean number in the search circle (7.8 square arcmin); numbers grow by 0.33 dex a
    magnitude. The TIC holds 43 to Tmag 16 in such a circle about TOI-3505, a crowded field in the Milky Way, and 241 to
    509 from Tmag 17 to 18 within 2.5 arcmin, which is that slope.
    """
    slope, faintest = 0.33, 17.0
    number = int(rng.poisson(brighter_than_tmag_16 * 10 ** (slope * (faintest - 16.0))))
    tmag = faintest + np.log10(1 - rng.uniform(size=number)) / slope
    # A star that outshines the target would be the target of its own stamp.
    tmag = np.maximum(tmag, TARGET_TMAG)
    away = SEARCH_RADIUS_PX * np.sqrt(rng.uniform(size=number))
    ratios = 10 ** (-0.4 * (tmag - TARGET_TMAG))
    return (target, *(beside(target, float(d), float(r), rng) for d, r in zip(away, ratios, strict=True)))


def _times(cadence_s: float) -> FloatArray:
    time = FIRST_BTJD + np.arange(round(SECTOR_DAYS * 86400 / cadence_s)) * cadence_s / 86400
    return np.asarray(time[np.abs(time - FIRST_BTJD - SECTOR_DAYS / 2) > GAP_DAYS / 2], dtype=np.float64)


def _wander(n: int, sky: Sky, rng: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """First-order autoregression of the pointing, (row, column) px, shape (n, 2)."""
    from scipy.signal import lfilter

    keep = math.exp(-sky.cadence_s / 3600 / JITTER_HOURS)
    kicks = rng.normal(0, sky.jitter_px * math.sqrt(1 - keep**2), (n, 2))
    kicks[0] = rng.normal(0, sky.jitter_px, 2)
    return np.asarray(lfilter([1.0], [1.0, -keep], kicks, axis=0), dtype=np.float32)


def _derivatives(places: FloatArray, fluxes: FloatArray, prf: Prf | None, step: float = 0.02) -> FloatArray:
    """Change of the stamp with the pointing along row and column, electron/s/px, shape (2, n_row, n_column)."""
    rows, columns = places.T
    by_row = star_images(rows + step, columns, prf) - star_images(rows - step, columns, prf)
    by_column = star_images(rows, columns + step, prf) - star_images(rows, columns - step, prf)
    changes = [np.tensordot(fluxes, change, axes=1) / (2 * step) for change in (by_row, by_column)]
    return np.asarray(changes, dtype=np.float32)


def _catalogue(stars: tuple[FieldStar, ...], sky: Sky, rng: np.random.Generator) -> tuple[StackStar, ...]:
    target, entries = stars[0], []
    for number, star in enumerate(stars[1:], start=1):
        if not star.catalogued:
            continue
        magnitude = TARGET_TMAG - 2.5 * math.log10(star.flux_e_per_s / target.flux_e_per_s)
        magnitude += sky.magnitude_error * float(rng.normal())
        apart = math.hypot(star.row - target.row, star.column - target.column) * PIXEL_ARCSEC
        entries.append(StackStar(star_id(number), star.row, star.column, magnitude, apart))
    return tuple(sorted(entries, key=lambda entry: entry.separation_arcsec))


def error_of_light(stack: PixelStack, star: FieldStar, ephemeris: Ephemeris = SIGNAL) -> float | None:
    """
    Matched-window error of the missing light that a PRF at a star's position would measure, electron/s.

    Of a stack without a signal; it sets the depth that gives an asked SNR. None where no noise can be measured.
    """
    measurement = measure_pixels(stack, ephemeris)
    scene = None if measurement.reason else describe_scene(measurement)
    if scene is None:
        return None
    near = distance_px(stack.shape, scene.row, scene.column) <= SEARCH_RADIUS_PX + FIT_MARGIN_PX
    pixels = measurement.valid & near
    chosen = near[measurement.valid]
    free = measurement.free.difference[:, chosen]
    noise = model_noise(measurement, scene, pixels, free)
    if noise is None:
        return None
    estimator = Landscape(scene.prf, pixels, measurement.difference[chosen], noise).weights(star.row, star.column)
    return float(np.sqrt(np.mean((free @ estimator) ** 2) / measurement.n_transits))
