"""A small numpy sky: Gaussian stars on a stamp, pointing jitter, transits on any of them, dumps and ghosts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import erf, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from btv_report.checks.inputs import PixelStack, StackStar
from btv_report.ephemeris import Ephemeris

FloatArray = NDArray[np.float64]

ROTATION = np.radians(30.0)
# East to the left and north up in the picture, turned by 30 degrees; 21 arcsec per pixel. Columns: d/dcolumn, d/drow.
SKY = 21.0 * np.array([[-np.cos(ROTATION), np.sin(ROTATION)], [np.sin(ROTATION), np.cos(ROTATION)]])
FIRST_BTJD = 2000.0


def pixel_integral(n: int, centre: float, sigma: float) -> FloatArray:
    """Integral of a unit Gaussian over each of n pixels."""
    edges = [(i - 0.5 - centre) / (sigma * sqrt(2)) for i in range(n + 1)]
    return np.diff([0.5 * (1 + erf(edge)) for edge in edges])


@dataclass(frozen=True)
class SceneSpec:
    """A star field and what happens in transit; positions are 0-based (row, column), fluxes electron/s."""

    target: tuple[float, float] = (5.2, 4.8)
    target_flux: float = 20000.0
    neighbours: tuple[tuple[float, float, float], ...] = ()  # row, column, flux
    depth: float = 0.002
    host: int = 0  # 0 the target, i the i-th neighbour, -1 a ghost: a pedestal over the whole stamp
    shape: tuple[int, int] = (11, 11)
    sigma_px: float = 0.85
    days: float = 25.0
    cadence_s: float = 600.0
    ephemeris: Ephemeris = field(default_factory=lambda: Ephemeris(4.1, FIRST_BTJD + 2.03, 2.6, name="1.01"))
    noise: float = 3.0  # per pixel and cadence at 600 s, electron/s
    jitter_px: float = 0.003
    jitter_hours: float = 3.3
    background: float = 0.0
    dump_days: float = 0.0  # spacing of momentum dumps (two flagged cadences), 0: none
    gap_btjd: tuple[tuple[float, float], ...] = ()
    seed: int = 1

    def make(self, **changes: Any) -> PixelStack:
        """Build the pixels."""
        rng = np.random.default_rng(self.seed)
        step = self.cadence_s / 86400
        time = FIRST_BTJD + np.arange(round(self.days / step)) * step
        for start, end in self.gap_btjd:
            time = time[(time < start) | (time > end)]
        n = len(time)
        keep = np.exp(-self.cadence_s / 3600 / self.jitter_hours)
        jitter = np.zeros((n, 2))
        kicks = rng.normal(0, self.jitter_px * np.sqrt(1 - keep**2), (n, 2))
        for i in range(1, n):
            jitter[i] = keep * jitter[i - 1] + kicks[i]
        dt = (time - self.ephemeris.epoch_btjd + self.ephemeris.period_days / 2) % self.ephemeris.period_days
        inside = np.abs(dt - self.ephemeris.period_days / 2) <= self.ephemeris.duration_days / 2
        stars = [(*self.target, self.target_flux), *self.neighbours]
        noise = self.noise * np.sqrt(600.0 / self.cadence_s)
        flux = rng.normal(self.background, noise, (n, *self.shape))
        for i, (row, column, level) in enumerate(stars):
            light = level * np.where(inside & (self.host == i), 1 - self.depth, 1.0)
            image, by_row, by_column = self._star(row, column)
            flux += light[:, None, None] * image
            flux += (light * jitter[:, 0])[:, None, None] * by_row + (light * jitter[:, 1])[:, None, None] * by_column
        if self.host == -1:
            flux -= np.where(inside, self.depth * self.target_flux / 100, 0.0)[:, None, None]
        quality = np.zeros(n, np.int32)
        if self.dump_days:
            for start in np.arange(FIRST_BTJD + 1.0, time[-1], self.dump_days):
                where = np.flatnonzero(time >= start)[:2]
                quality[where] = 32
                flux[where] += 5 * self.noise
        rows, columns = np.indices(self.shape)
        aperture = np.hypot(rows - self.target[0], columns - self.target[1]) <= 2.0
        parts: dict[str, Any] = {
            "sector": 7,
            "time_btjd": time,
            "flux": flux.astype(np.float32),
            "flux_err": np.full(flux.shape, noise, np.float32),
            "used": quality == 0,
            "quality": quality,
            "cadence_s": self.cadence_s,
            "aperture_mask": aperture,
            "target_row": self.target[0],
            "target_column": self.target[1],
            "sky_per_pixel_arcsec": SKY,
            "neighbours": self._catalogue(),
            "neighbours_known": True,
            "tmag": 10.0,
        }
        return PixelStack(**(parts | changes))

    def _star(self, row: float, column: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Image of a unit star and its derivatives with position."""
        step = 0.01

        def image(r: float, c: float) -> FloatArray:
            return np.outer(
                pixel_integral(self.shape[0], r, self.sigma_px), pixel_integral(self.shape[1], c, self.sigma_px)
            )

        by_row = (image(row + step, column) - image(row - step, column)) / (2 * step)
        by_column = (image(row, column + step) - image(row, column - step)) / (2 * step)
        return image(row, column), by_row, by_column

    def _catalogue(self) -> tuple[StackStar, ...]:
        stars = []
        for i, (row, column, flux) in enumerate(self.neighbours, start=1):
            east, north = SKY @ np.array([column - self.target[1], row - self.target[0]])
            magnitude = 10.0 - 2.5 * np.log10(flux / self.target_flux)
            stars.append(StackStar(f"star {i}", row, column, float(magnitude), float(np.hypot(east, north))))
        return tuple(sorted(stars, key=lambda star: star.separation_arcsec))


@pytest.fixture
def scene() -> Callable[..., SceneSpec]:
    """Build a SceneSpec from keywords."""
    return SceneSpec


@pytest.fixture
def sky() -> FloatArray:
    """Arcsec per pixel of the simulated stamps: columns d/dcolumn and d/drow, rows east and north."""
    return SKY


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The real data beside the checkout."""
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data (../shared/data) are not beside this checkout")
    return folder


def by_id(results: Sequence[Any]) -> dict[str, Any]:
    """Results by check id."""
    return {result.check_id: result for result in results}


@pytest.fixture
def results_of() -> Callable[[PixelStack, Ephemeris], dict[str, Any]]:
    """Run all checks on a stack: results by check id."""
    from btv_report.checks.run import run_pixel_checks

    def run(stack: PixelStack, ephemeris: Ephemeris, **options: Any) -> dict[str, Any]:
        return by_id(run_pixel_checks(stack, ephemeris, **options).results)

    return run
