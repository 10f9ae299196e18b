"""
Where the stars are on a stamp: the WCS of a pixel file, the target's position on it, and whether the two agree.

Rows and columns are 0-based in the stamp, pixel centres at integers; row 0 is at the bottom of a picture.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from btv_report.products.model import TargetPixelFile
from btv_report.targets import SkyPosition
from btv_report.time_systems import julian_year

_ARCSEC_PER_DEG = 3600.0
_DIFFERENCE_STEP_PX = 0.05
_TESS_PIXEL_ARCSEC = (15.0, 30.0)  # 21 arcsec at the centre, 19-24 over the field; anything else is no TESS WCS

# A WCS "disagrees" only when light is missing where the star must be, or when a lone star is clearly elsewhere.
TESS_ZERO_POINT_MAG = 20.44  # 1 e-/s; Vanderspek et al. 2018, TESS Instrument Handbook
SATURATION_TMAG = 7.0  # bleeding moves the peak along the column
_MAX_PEAK_DISTANCE_PX = 1.0
_MIN_LIGHT_AT_TARGET = 0.3
_OWN_LIGHT = (0.4, 2.5)


@dataclass(frozen=True)
class StampPosition:
    """
    The target on its stamp.

    Attributes
    ----------
    row, column : catalogue position at the sector's mid-time; None without a usable WCS or position
    sky_per_pixel_arcsec : float64, shape (2, 2), see `checks.inputs.PixelStack`; None likewise
    note : empty, or a sentence when the WCS is missing or contradicts the stamp
    """

    row: float | None
    column: float | None
    sky_per_pixel_arcsec: NDArray[np.float64] | None
    note: str


def stamp_wcs(
    table: Mapping[str, Any], flux_column: int, aperture: Mapping[str, Any] | None, shape: tuple[int, int]
) -> tuple[Any | None, str]:
    """
    Make the WCS of the FLUX column's stamp, or else that of the APERTURE extension.

    Parameters
    ----------
    table : header values of the pixel table
    flux_column : number of the FLUX column, from 1; its keywords carry it (`1CRPX5` for column 5)
    aperture : header values of the APERTURE extension, None without one
    shape : (n_row, n_column) of the stamp

    Returns
    -------
    wcs : astropy.wcs.WCS or None
    note : why there is none, or that the second source was used; else empty
    """
    n = flux_column
    column_keys = {
        **{f"{axis}{name}": f"{axis}{key}{n}" for axis in (1, 2) for name, key in _AXIS_KEYS},
        **{f"PC{i}{j}": f"{i}{j}PC{n}" for i in (1, 2) for j in (1, 2)},
    }
    wcs, fault = _wcs_from(table, column_keys)
    if wcs is not None:
        return wcs, ""
    image_keys = {
        **{
            f"{axis}{name}": f"{image}{axis}"
            for axis in (1, 2)
            for (name, _), image in zip(_AXIS_KEYS, _IMAGE_KEYS, strict=True)
        },
        **{f"PC{i}{j}": f"PC{i}_{j}" for i in (1, 2) for j in (1, 2)},
    }
    if aperture is not None and (aperture.get("NAXIS2"), aperture.get("NAXIS1")) == shape:
        wcs, aperture_fault = _wcs_from(aperture, image_keys)
        if wcs is not None:
            return wcs, f"The WCS of the pixel table {fault}; that of the APERTURE extension is used."
        return None, f"The WCS of the pixel table {fault}, and that of the APERTURE extension {aperture_fault}."
    return None, f"The WCS of the pixel table {fault}, and no APERTURE extension of the stamp's shape could stand in."


_AXIS_KEYS = (("CTYPE", "CTYP"), ("CRPIX", "CRPX"), ("CRVAL", "CRVL"), ("CDELT", "CDLT"))
_IMAGE_KEYS = ("CTYPE", "CRPIX", "CRVAL", "CDELT")


def _wcs_from(values: Mapping[str, Any], keys: Mapping[str, str]) -> tuple[Any | None, str]:
    """Build a 2-D celestial WCS; (None, what is wrong with it) when that cannot be done."""
    from astropy.wcs import WCS

    found = {name: values.get(key) for name, key in keys.items()}
    types = [found["1CTYPE"], found["2CTYPE"]]
    if not all(isinstance(text, str) and text for text in types) or not _numbers(found, "CRPIX", "CRVAL"):
        return None, "is missing"
    matrix = [[_number(found[f"PC{i}{j}"], float(i == j)) for j in (1, 2)] for i in (1, 2)]
    cdelt = [_number(found["1CDELT"], 1.0), _number(found["2CDELT"], 1.0)]
    scale = np.array(cdelt)[:, None] * np.array(matrix)
    pixel_arcsec = math.sqrt(abs(float(np.linalg.det(scale)))) * _ARCSEC_PER_DEG
    if not _TESS_PIXEL_ARCSEC[0] <= pixel_arcsec <= _TESS_PIXEL_ARCSEC[1]:
        return None, "is singular" if pixel_arcsec < 1e-6 else f"has pixels of {pixel_arcsec:.3g} arcsec"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = [str(text).strip() for text in types]
        wcs.wcs.crpix = [found["1CRPIX"], found["2CRPIX"]]
        wcs.wcs.crval = [found["1CRVAL"], found["2CRVAL"]]
        wcs.wcs.cunit = ["deg", "deg"]
        wcs.wcs.cdelt = cdelt
        wcs.wcs.pc = matrix
        try:
            wcs.wcs.set()
        except ValueError as error:  # the base of all errors of wcslib
            return None, f"cannot be used ({type(error).__name__})"
    if not wcs.has_celestial:
        return None, "is not celestial"
    return wcs, ""


def place(wcs: Any, position: SkyPosition) -> tuple[float, float] | None:
    """(row, column) of a position on the stamp, 0-based; None when it does not project (the other hemisphere)."""
    longitude, latitude = (
        (position.ra_deg, position.dec_deg) if wcs.wcs.lng == 0 else (position.dec_deg, position.ra_deg)
    )
    try:
        column, row = (float(value) for value in wcs.wcs_world2pix(longitude, latitude, 0))
    except ValueError:  # the base of wcslib's errors, here for points that do not project
        return None
    return (row, column) if math.isfinite(row) and math.isfinite(column) else None


def place_all(wcs: Any, positions: Sequence[SkyPosition]) -> list[tuple[float, float] | None]:
    """As `place`, for many positions at once: a crowded field has thousands."""
    if not positions:
        return []
    places = np.array([(where.ra_deg, where.dec_deg) for where in positions], dtype=np.float64)
    longitude, latitude = places.T if wcs.wcs.lng == 0 else places.T[::-1]
    try:
        columns, rows = wcs.wcs_world2pix(longitude, latitude, 0)
    except ValueError:  # one that does not project spoils the whole call
        return [place(wcs, where) for where in positions]
    spots = zip(rows.tolist(), columns.tolist(), strict=True)
    return [spot if math.isfinite(spot[0]) and math.isfinite(spot[1]) else None for spot in spots]


def sky_per_pixel_arcsec(wcs: Any, row: float, column: float) -> NDArray[np.float64]:
    """
    Local scale and orientation of a stamp, by central differences of the WCS.

    Returns
    -------
    float64, shape (2, 2): [[dE/dcolumn, dE/drow], [dN/dcolumn, dN/drow]], arcsec per pixel; E is RA times cos(Dec)
    towards east, N is Dec towards north.
    """
    h = _DIFFERENCE_STEP_PX
    columns = np.array([column + h, column - h, column, column])
    rows = np.array([row, row, row + h, row - h])
    world = wcs.wcs_pix2world(columns, rows, 0)
    ra_deg, dec_deg = (world[0], world[1]) if wcs.wcs.lng == 0 else (world[1], world[0])
    d_ra = np.array([ra_deg[0] - ra_deg[1], ra_deg[2] - ra_deg[3]])
    d_ra = (d_ra + 180.0) % 360.0 - 180.0
    d_dec = np.array([dec_deg[0] - dec_deg[1], dec_deg[2] - dec_deg[3]])
    cos_dec = math.cos(math.radians(float(np.mean(dec_deg))))
    return np.asarray(np.array([d_ra * cos_dec, d_dec]) * _ARCSEC_PER_DEG / (2 * h), dtype=np.float64)


def mid_year(time_btjd: NDArray[np.float64]) -> float | None:
    """Julian year half-way between the first and the last finite time; None without any."""
    finite = time_btjd[np.isfinite(time_btjd)]
    return julian_year(0.5 * float(finite.min() + finite.max())) if finite.size else None


def locate_target(tpf: TargetPixelFile, position: SkyPosition | None, tmag: float | None = None) -> StampPosition:
    """
    Place the target's catalogue position, moved to the sector's mid-time, and hold it against the light on the stamp.

    The note is careful: many faint targets have no peak of their own beside a brighter star. It is given when the position
    is off the stamp, when less than 30 % of the light the TESS magnitude promises is found in 3 x 3 pixels there, or when
    the stamp's only star is more than 1 px away and is the target (by its magnitude, or because it is in the optimal
    aperture). Saturated stars (T < 7) are not held against their peak.

    Parameters
    ----------
    tpf : the stamp
    position : catalogue position with motion, None when unknown
    tmag : TESS magnitude, None when unknown
    """
    if tpf.wcs is None:
        return StampPosition(None, None, None, tpf.wcs_note)
    if position is None:
        return StampPosition(None, None, None, "The target's catalogue position is not known, so it cannot be placed.")
    year = mid_year(tpf.time_btjd)
    spot = place(tpf.wcs, position if year is None else position.at_year(year))
    if spot is None:
        return StampPosition(None, None, None, "By the WCS the target's position is on another part of the sky.")
    row, column = spot
    matrix = sky_per_pixel_arcsec(tpf.wcs, row, column)
    return StampPosition(row, column, matrix, _disagreement(tpf, row, column, tmag) or tpf.wcs_note)


def _disagreement(tpf: TargetPixelFile, row: float, column: float, tmag: float | None) -> str:
    n_row, n_column = tpf.flux.shape[1:]
    if not (-0.5 <= row <= n_row - 0.5 and -0.5 <= column <= n_column - 0.5):
        return (
            f"The WCS disagrees with the stamp: it puts the target at row {row:.1f}, column {column:.1f}, outside the "
            f"{n_row} x {n_column} pixels."
        )
    if tmag is not None and tmag < SATURATION_TMAG:
        return ""
    image = _sky_subtracted_image(tpf)
    expected = None if tmag is None else 10 ** (-0.4 * (tmag - TESS_ZERO_POINT_MAG))
    return _lone_star_elsewhere(tpf, image, row, column, expected) or _light_missing(tpf, image, row, column, expected)


def _lone_star_elsewhere(
    tpf: TargetPixelFile, image: NDArray[np.float64], row: float, column: float, expected: float | None
) -> str:
    peaks = _peaks(image)
    if len(peaks) != 1:
        return ""
    peak_row, peak_column = _centroid(image, *peaks[0])
    distance_px = math.hypot(peak_row - row, peak_column - column)
    if distance_px <= _MAX_PEAK_DISTANCE_PX or not _is_target(tpf, image, peaks[0], expected):
        return ""
    return (
        f"The WCS disagrees with the stamp by {distance_px:.1f} px: the target should be at row {row:.1f}, column "
        f"{column:.1f}, but the only star is at row {peak_row:.1f}, column {peak_column:.1f}."
    )


def _light_missing(
    tpf: TargetPixelFile, image: NDArray[np.float64], row: float, column: float, expected: float | None
) -> str:
    simulated = tpf.product.header is not None and tpf.product.header.simulated  # a scene is free in its zero point
    light = _light(image, row, column)
    if expected is None or simulated or light >= _MIN_LIGHT_AT_TARGET * expected:
        return ""
    return (
        f"The WCS disagrees with the stamp: where it puts the target there is {max(light, 0.0) / expected:.0%} of the light "
        "that a star of its TESS magnitude gives."
    )


def _is_target(tpf: TargetPixelFile, image: NDArray[np.float64], peak: tuple[int, int], expected: float | None) -> bool:
    if expected is not None:
        return _OWN_LIGHT[0] * expected <= _light(image, *peak) <= _OWN_LIGHT[1] * expected
    mask = tpf.aperture_mask
    return mask is not None and bool(mask[peak])


def _sky_subtracted_image(tpf: TargetPixelFile) -> NDArray[np.float64]:
    """
    Mean of the used cadences (a few hundred are enough) minus the sky, taken as the faintest quarter of the pixels.

    Pixels without values are 0 and no part of the sky.
    """
    used = np.flatnonzero(tpf.used)
    sample = tpf.flux[used[:: max(1, used.size // 300)]].astype(np.float64)
    finite = np.isfinite(sample)
    image = np.where(finite, sample, 0.0).sum(axis=0) / np.maximum(finite.sum(axis=0), 1)
    measured = finite.any(axis=0)
    sky = np.percentile(image[measured], 25.0) if measured.any() else 0.0
    return np.asarray(np.where(measured, image - sky, 0.0), dtype=np.float64)


def _light(image: NDArray[np.float64], row: float, column: float) -> float:
    """Light in the 3 x 3 pixels around a position."""
    r, c = round(row), round(column)
    return float(image[max(r - 1, 0) : r + 2, max(c - 1, 0) : c + 2].sum())


def _peaks(image: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Local maxima brighter than 5 % of the brightest pixel, brightest first."""
    padded = np.pad(image, 1, constant_values=-np.inf)
    n_row, n_column = image.shape
    around = [padded[dr : dr + n_row, dc : dc + n_column] for dr in range(3) for dc in range(3) if (dr, dc) != (1, 1)]
    is_peak = (image >= np.max(around, axis=0)) & (image > 0.05 * image.max())
    found = [(int(r), int(c)) for r, c in np.argwhere(is_peak)]
    return sorted(found, key=lambda rc: -image[rc])


def _centroid(image: NDArray[np.float64], row: int, column: int) -> tuple[float, float]:
    """Flux-weighted centroid of the 3 x 3 pixels around a peak."""
    rows = np.arange(max(row - 1, 0), min(row + 2, image.shape[0]))
    columns = np.arange(max(column - 1, 0), min(column + 2, image.shape[1]))
    weights = np.clip(image[np.ix_(rows, columns)], 0.0, None)
    total = float(weights.sum())
    return float((weights.sum(axis=1) * rows).sum() / total), float((weights.sum(axis=0) * columns).sum() / total)


def _numbers(found: Mapping[str, Any], *names: str) -> bool:
    return all(math.isfinite(_number(found[f"{axis}{name}"], math.nan)) for axis in (1, 2) for name in names)


def _number(value: object, default: float) -> float:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usable and isinstance(value, int | float) else default
