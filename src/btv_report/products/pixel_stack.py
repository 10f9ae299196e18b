"""`TargetPixelFile` and catalogue positions to what the pixel checks take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from btv_report.checks.inputs import PixelStack, StackStar
from btv_report.checks.prf_grid import PrfGrid
from btv_report.errors import ProductRefusedError
from btv_report.products.model import TargetPixelFile
from btv_report.products.sky import locate_target, mid_year, place_all
from btv_report.sky_distance import separation_arcsec
from btv_report.targets import Neighbour, SkyPosition

_FAINT_PIXEL_PERCENT = 33.0

REACH_PX = 6.5
"""Half the width of SPOC's PRF images (13 px): a star farther beyond the stamp puts no light on it."""

MAX_STARS = 1000
"""More neighbours than this are not weighed; the checks take 0.05 s with 300 stars, 0.08 s with 1,000, 0.13 s with 2,300."""


def build_pixel_stack(
    tpf: TargetPixelFile,
    *,
    position: SkyPosition | None,
    tmag: float | None = None,
    neighbours: Sequence[Neighbour] | None = None,
    prfs: Sequence[PrfGrid] = (),
) -> PixelStack:
    """
    Bring pixels and stars together.

    Where the pipeline did not subtract the sky (TESScut), the median of the faintest third of the pixels is taken off each
    cadence and handed on as `background`; `sky_note` says so.

    Parameters
    ----------
    tpf : the pixel file
    position : the target's catalogue position, None when unknown
    tmag : its TESS magnitude, None when unknown
    neighbours : stars near the target; None when no catalogue was asked
    prfs : calibrated PRF sets at hand

    Raises
    ------
    ProductRefusedError
        If the file states no sector or no cadence length can be measured.
    """
    header = tpf.product.header
    if header is None or header.sector is None:
        raise ProductRefusedError(f"{tpf.product.path.name} does not state its sector.", path=tpf.product.path)
    if tpf.cadence_measured_s is None:
        raise ProductRefusedError(
            f"{tpf.product.path.name} has no two cadences whose times rise.", path=tpf.product.path
        )
    flux, background = tpf.flux, tpf.background
    if not tpf.background_subtracted:
        background = measure_sky(tpf)
        flux = flux - background[:, None, None]
    spot = locate_target(tpf, position, tmag)
    return PixelStack(
        sector=header.sector,
        time_btjd=tpf.time_btjd,
        flux=flux,
        flux_err=tpf.flux_err,
        used=tpf.used,
        quality=tpf.quality,
        cadence_s=tpf.cadence_measured_s,
        aperture_mask=tpf.aperture_mask,
        background=background,
        target_row=spot.row,
        target_column=spot.column,
        sky_per_pixel_arcsec=spot.sky_per_pixel_arcsec,
        neighbours=place_neighbours(tpf, position, neighbours or ()),
        neighbours_known=neighbours is not None and spot.row is not None,
        tmag=tmag,
        corner_row=tpf.corner_row,
        corner_column=tpf.corner_column,
        camera=header.camera,
        ccd=header.ccd,
        prfs=tuple(prfs),
        wcs_disagrees=spot.note,
    )


def sky_note(tpf: TargetPixelFile) -> str:
    """A sentence when the sky was subtracted here and not by the pipeline, else empty."""
    if tpf.background_subtracted:
        return ""
    return (
        f"{tpf.product.path.name} comes with its sky: the median of the faintest third of the pixels was subtracted from each "
        "cadence."
    )


def measure_sky(tpf: TargetPixelFile) -> NDArray[np.float32]:
    """
    Median over the faintest third of the pixels (by their mean over the used cadences), per cadence, electron/s.

    Pixels without values are no faint ones: they may be more than a third of a cut-out at the detector's edge.
    """
    pixels = tpf.flux.reshape(tpf.flux.shape[0], -1)
    used = pixels[tpf.used]
    finite = np.isfinite(used)
    mean = np.where(finite, used, np.float32(0)).sum(axis=0, dtype=np.float64) / np.maximum(finite.sum(axis=0), 1)
    measured = finite.any(axis=0)
    faint = measured & (mean <= np.percentile(mean[measured], _FAINT_PIXEL_PERCENT))
    selected = pixels[:, faint]
    sky = np.full(selected.shape[0], np.nan, dtype=np.float32)
    measurable = np.isfinite(selected).any(axis=1)
    sky[measurable] = np.nanmedian(selected[measurable], axis=1)
    return sky


def place_neighbours(
    tpf: TargetPixelFile, position: SkyPosition | None, neighbours: Sequence[Neighbour]
) -> tuple[StackStar, ...]:
    """
    Neighbours at the sector's mid-time whose light reaches the stamp, nearest first; none without a WCS or target position.

    Stars up to half a PRF (`REACH_PX`) beyond the stamp are kept.
    """
    year = mid_year(tpf.time_btjd)
    if tpf.wcs is None or position is None or year is None:
        return ()
    here = position.at_year(year)
    there = [neighbour.position.at_year(year) for neighbour in neighbours]
    n_row, n_column = tpf.flux.shape[1:]
    stars = [
        StackStar(neighbour.star_id, spot[0], spot[1], neighbour.magnitude, separation_arcsec(here, where))
        for neighbour, where, spot in zip(neighbours, there, place_all(tpf.wcs, there), strict=True)
        if spot is not None and _reaches(spot[0], n_row) and _reaches(spot[1], n_column)
    ]
    return tuple(sorted(stars, key=lambda star: (star.separation_arcsec, star.star_id)))


def _reaches(place_px: float, n_pixel: int) -> bool:
    return -REACH_PX <= place_px <= n_pixel - 1 + REACH_PX


def keep_brightest(stack: PixelStack) -> tuple[PixelStack, str]:
    """
    Leave out the faintest stars of a crowded field, and say so.

    Returns
    -------
    stack, note
        With the `MAX_STARS` brightest neighbours (those without a magnitude count as faintest); the note is empty when that
        is all of them.
    """
    n_stars = len(stack.neighbours)
    if n_stars <= MAX_STARS:
        return stack, ""
    ranked = sorted(stack.neighbours, key=lambda star: math.inf if star.magnitude is None else star.magnitude)
    kept = set(ranked[:MAX_STARS])
    note = (
        f"Sector {stack.sector}: of the {n_stars:,} catalogued stars whose light reaches the stamp, the {MAX_STARS} brightest "
        "are weighed as hosts."
    )
    limit = ranked[MAX_STARS - 1].magnitude
    if limit is not None and stack.tmag is not None:
        ppm = 1e6 * 10 ** (-0.4 * (limit - stack.tmag))
        note += f" A star that is left out can cause a signal of at most {ppm:.2g} ppm, by going out altogether."
    return replace(stack, neighbours=tuple(star for star in stack.neighbours if star in kept)), note
