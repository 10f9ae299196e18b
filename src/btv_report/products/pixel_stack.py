"""`TargetPixelFile` and catalogue positions to what the pixel checks take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from btv_report.archive.sky_distance import separation_arcsec
from btv_report.checks.inputs import PixelStack, StackStar
from btv_report.errors import ProductRefusedError
from btv_report.products.model import TargetPixelFile
from btv_report.products.sky import locate_target, mid_year, place
from btv_report.targets import Neighbour, SkyPosition

_FAINT_PIXEL_PERCENT = 33.0


def build_pixel_stack(
    tpf: TargetPixelFile,
    *,
    position: SkyPosition | None,
    tmag: float | None = None,
    neighbours: Sequence[Neighbour] | None = None,
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
        neighbours_known=neighbours is not None,
        tmag=tmag,
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
    """Median over the faintest third of the pixels (by their mean over the used cadences), per cadence, electron/s."""
    pixels = tpf.flux.reshape(tpf.flux.shape[0], -1)
    used = pixels[tpf.used]
    finite = np.isfinite(used)
    mean = np.where(finite, used, np.float32(0)).sum(axis=0, dtype=np.float64) / np.maximum(finite.sum(axis=0), 1)
    faint = mean <= np.percentile(mean, _FAINT_PIXEL_PERCENT)
    selected = pixels[:, faint]
    sky = np.full(selected.shape[0], np.nan, dtype=np.float32)
    measurable = np.isfinite(selected).any(axis=1)
    sky[measurable] = np.nanmedian(selected[measurable], axis=1)
    return sky


def place_neighbours(
    tpf: TargetPixelFile, position: SkyPosition | None, neighbours: Sequence[Neighbour]
) -> tuple[StackStar, ...]:
    """Neighbours at the sector's mid-time on the stamp, nearest first; none without a WCS or a target position."""
    year = mid_year(tpf.time_btjd)
    if tpf.wcs is None or position is None or year is None:
        return ()
    here = position.at_year(year)
    stars: list[StackStar] = []
    for neighbour in neighbours:
        there = neighbour.position.at_year(year)
        spot = place(tpf.wcs, there)
        if spot is not None:
            separation = separation_arcsec(here, there)
            stars.append(StackStar(neighbour.star_id, spot[0], spot[1], neighbour.magnitude, separation))
    return tuple(sorted(stars, key=lambda star: (star.separation_arcsec, star.star_id)))
