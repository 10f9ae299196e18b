"""
Pixels of a real sector that carry injected signals, and ephemerides whose transits can all be used.

Synthetic sectors come from `fields`. Here the noise is TESS's own: the file of a star whose transits are known and left
out, found in the data folder by its header. Signals are the star's own light, dimmed in place (on the target) or taken away
at another position through the star's own image (a source beside it).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from btv_report.archive.mirror import find_products
from btv_report.calibration.trials import RealData
from btv_report.checks.apertures import FloatArray
from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.inputs import PixelStack
from btv_report.checks.prf import OwnImagePrf, own_image_prf
from btv_report.checks.scene import describe_scene
from btv_report.checks.transits import place_windows, select_cadences, transit_numbers, window_shape
from btv_report.ephemeris import Ephemeris
from btv_report.fits.model import ProductKind
from btv_report.products.inspect import content_of, inspect_file
from btv_report.products.model import ProductFile
from btv_report.products.pixel_stack import build_pixel_stack
from btv_report.products.select import select_products
from btv_report.products.target_pixel_file import read_target_pixel_file
from btv_report.targets import Target

KNOWN_SIGNALS = {188646744: (Ephemeris(14.2423724, 3540.26317, 4.046, name="5807.01", source="exofop_toi"),)}
"""Stars whose real transits are known, so that what is left of their light is free of signals; TOI-5807 as ExoFOP gives it."""
MIN_CADENCES = 5000


@dataclass(frozen=True)
class RealSector:
    """
    One sector of a real star.

    Attributes
    ----------
    tic_id, file_name, sha256 : which star and which file
    stack : PixelStack
        No neighbours: no catalogue is asked.
    signals : the star's own transits; give them as `others` wherever this stack is measured
    row, column : where the star stands on the stamp
    sky_e_per_s : level of the pixels that hold only background
    light_e_per_s : the star's mean light, that level subtracted
    prf : its own image, shifted by a spline
    """

    tic_id: int
    file_name: str
    sha256: str
    stack: PixelStack
    signals: tuple[Ephemeris, ...]
    row: float
    column: float
    sky_e_per_s: float
    light_e_per_s: FloatArray
    prf: OwnImagePrf

    @property
    def file_entry(self) -> dict[str, str]:
        """How a table names the file in its samples."""
        return {"file": self.file_name, "sha256": self.sha256}

    @property
    def flux_e_per_s(self) -> float:
        """The star's light within the reach of its image."""
        return float(self.light_e_per_s.sum())

    def image_at(self, row: float, column: float) -> FloatArray:
        """Light of the whole star, were it at (row, column), electron/s, shape (n_row, n_column)."""
        return self.flux_e_per_s * np.asarray(self.prf.evaluate(np.array([row]), np.array([column]))[0])

    def on_target(self, depth: float, ephemeris: Ephemeris) -> PixelStack:
        """
        The sector with the star dimmed by `depth` (a fraction) in transit: every cadence's own light, less the sky's level.

        The star's mean image would not do: it drifts by hundredths of a pixel within a sector, and a mean image taken away
        far from its own time shifts the centre of light as a source beside the star would.
        """
        flux = self.stack.flux.copy()
        inside = in_transit(self.stack.time_btjd, ephemeris)
        flux[inside] -= np.float32(depth) * (flux[inside] - np.float32(self.sky_e_per_s))
        return replace(self.stack, flux=flux)

    def beside(self, depth: float, d_row: float, d_column: float, ephemeris: Ephemeris) -> PixelStack:
        """The sector with `depth` times the star's light missing (d_row, d_column) px from the star in transit."""
        return take_away(self.stack, depth * self.image_at(self.row + d_row, self.column + d_column), ephemeris)


def take_away(stack: PixelStack, lost_e_per_s: FloatArray, ephemeris: Ephemeris) -> PixelStack:
    """The stack with `lost_e_per_s` (shape of a stamp) missing from first to last contact of every transit."""
    flux = stack.flux.copy()
    flux[in_transit(stack.time_btjd, ephemeris)] -= lost_e_per_s.astype(np.float32)
    return replace(stack, flux=flux)


def in_transit(time_btjd: FloatArray, ephemeris: Ephemeris) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Cadences between first and last contact; those without a time are in no transit."""
    period = ephemeris.period_days
    from_mid = np.abs((time_btjd - ephemeris.epoch_btjd + period / 2) % period - period / 2)
    return np.asarray(from_mid <= ephemeris.duration_days / 2, dtype=np.bool_)


def real_sector(data: RealData | None) -> RealSector | None:
    """The first real sector in the data folder that can serve; None without one."""
    return None if data is None else _real_sector(data.folder.resolve())


@lru_cache(maxsize=1)
def _real_sector(folder: Path) -> RealSector | None:
    for tic_id in KNOWN_SIGNALS:
        found = [inspect_file(file.path, tic_id=tic_id).product for file in find_products((folder,), tic_id).files]
        for product in select_products(found):
            if product.used and product.header is not None and product.header.kind is ProductKind.TARGET_PIXEL_FILE:
                sector = _read(tic_id, product)
                if sector is not None:
                    return sector
    return None


def _read(tic_id: int, product: ProductFile) -> RealSector | None:
    """The sector, or None where it is short or shows no star."""
    tpf = read_target_pixel_file(product, content_of(product))
    header = product.header
    if header is None or len(tpf.time_btjd) < MIN_CADENCES:
        return None
    target = Target.from_header(header.keywords, tic_id=tic_id, source="header")
    stack = build_pixel_stack(tpf, position=target.position, tmag=target.tmag)
    # A window shape that leaves the sector whole: the scene needs the mean image of the control time only.
    scene = describe_scene(measure_pixels(stack, KNOWN_SIGNALS[tic_id][0]))
    if scene is None:
        return None
    prf = own_image_prf(scene.control, scene.row, scene.column)
    light = np.where(np.isfinite(scene.control), scene.control, 0.0)
    return RealSector(
        tic_id=tic_id,
        file_name=product.path.name,
        sha256=product.sha256,
        stack=stack,
        signals=KNOWN_SIGNALS[tic_id],
        row=scene.row,
        column=scene.column,
        sky_e_per_s=scene.background_level,
        light_e_per_s=light,
        prf=prf,
    )


def usable_ephemerides(
    stack: PixelStack,
    others: tuple[Ephemeris, ...],
    n_transits: int,
    duration_hours: float,
    *,
    periods_days: FloatArray,
    step_windows: float = 1.0,
    order: np.random.Generator | None = None,
    most: int | None = None,
) -> list[Ephemeris]:
    """
    Ephemerides with exactly `n_transits` usable transits in a sector, through the cuts of the checks themselves.

    Epochs run over one period in steps of a window, or of a part of one: with whole windows, the transits of two ephemerides
    of one period share no cadence. At most `most` are given, shuffled by `order`.
    """
    cadences = select_cadences(stack, others)
    first = float(cadences.time_btjd[0])
    candidates = []
    for period in periods_days:
        shape = window_shape(Ephemeris(float(period), first, duration_hours), cadences.cadence_days)
        width = step_windows * 2 * shape.outer_days
        for step in range(int(period / width)):
            ephemeris = Ephemeris(float(period), first + step * width, duration_hours, name="injected")
            numbers = transit_numbers(ephemeris, cadences)
            mid = np.array([ephemeris.mid_btjd(number) for number in numbers], dtype=np.float64)
            if np.count_nonzero(place_windows(mid, shape, cadences).usable) == n_transits:
                candidates.append(ephemeris)
    places = range(len(candidates)) if order is None else order.permutation(len(candidates))
    found: list[Ephemeris] = []
    # The cuts in time cost a few look-ups; the side cut needs the pixels, so only as many as are wanted are measured.
    for place in places:
        if most is not None and len(found) >= most:
            break
        if measure_pixels(stack, candidates[place], others).n_transits == n_transits:
            found.append(candidates[place])
    return found
