"""What may not matter does not: where the stamp is cut, the unit of the flux, the order of the cadences, the zero of time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from btv_report.checks.inputs import PixelStack, StackStar
from btv_report.checks.prf import GaussianPrf
from btv_report.checks.run import SectorChecks, run_pixel_checks
from btv_report.ephemeris import Ephemeris

SIZE = 11
CADENCE_DAYS = 1 / 64  # exact in binary, so that a shift of time by whole days changes no window
EPHEMERIS = Ephemeris(2.890625, 2001.53125, 2.625)  # so are these, in days
PIXELS = {"peak_row", "peak_column", "source_row", "source_column", "target_row", "target_column"}
FLUX_UNITS = ("electron/s", "electron/s/px")
SKY = 21.0 * np.array([[-0.8, 0.6], [0.6, 0.8]])

fuzzed = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
worlds = given(
    seed=st.integers(0, 999),
    row=st.floats(4.5, 5.5),
    column=st.floats(4.5, 5.5),
    beside=st.floats(1.0, 3.5),
    ratio=st.floats(0.02, 0.6),
    host=st.integers(0, 1),
    lost=st.floats(0.0, 60.0),
    choice=st.integers(0, 7),
)


def build(seed: int, row: float, column: float, beside: float, ratio: float, host: int, lost: float) -> PixelStack:
    """A star, a neighbour, noise, pointing jitter, and `lost` electron/s missing from one of them in transit."""
    rng = np.random.default_rng(seed)
    time = 2000.0 + np.arange(0, 20, CADENCE_DAYS)
    angle = rng.uniform(0, 2 * np.pi)
    places = np.array([[row, column], [row + beside * np.sin(angle), column + beside * np.cos(angle)]])
    prf = GaussianPrf((SIZE, SIZE), 0.8, 0.85)
    images = prf.evaluate(places[:, 0], places[:, 1])
    moved = prf.evaluate(places[:, 0] + 0.01, places[:, 1])
    light = 8000.0 * (images[0] + ratio * images[1])
    jitter = np.convolve(rng.normal(0, 0.1, len(time) + 20), np.ones(21) / 21, "valid")[:, None, None]
    flux = light + rng.normal(0, 1.0, (len(time), SIZE, SIZE)) + jitter * 8000.0 * (moved[0] - images[0])
    period = EPHEMERIS.period_days
    from_mid = np.abs((time - EPHEMERIS.epoch_btjd + period / 2) % period - period / 2)
    flux[from_mid <= EPHEMERIS.duration_days / 2] -= lost * images[host]
    rows, columns = np.indices((SIZE, SIZE))
    star = StackStar(
        "neighbour", float(places[1, 0]), float(places[1, 1]), 10.0 - 2.5 * float(np.log10(ratio)), 21.0 * beside
    )
    return PixelStack(
        sector=4,
        time_btjd=time,
        flux=flux.astype(np.float32),
        flux_err=np.full(flux.shape, 1.0, np.float32),
        used=rng.random(len(time)) > 0.01,
        quality=np.zeros(len(time), np.int32),
        cadence_s=CADENCE_DAYS * 86400,
        aperture_mask=np.hypot(rows - row, columns - column) <= 2.0,
        target_row=row,
        target_column=column,
        sky_per_pixel_arcsec=SKY,
        neighbours=(star,),
        neighbours_known=True,
        tmag=10.0,
    )


def framed(stack: PixelStack, row: int, column: int) -> PixelStack:
    """The stamp within a larger one of empty pixels, its corner at (row, column)."""
    size = SIZE + 6

    def placed(cube: NDArray[Any], empty: float | bool) -> NDArray[Any]:
        full = np.full((*cube.shape[:-2], size, size), empty, cube.dtype)
        full[..., row : row + SIZE, column : column + SIZE] = cube
        return full

    assert stack.aperture_mask is not None
    assert stack.flux_err is not None
    assert stack.target_row is not None
    assert stack.target_column is not None
    stars = [replace(star, row=star.row + row, column=star.column + column) for star in stack.neighbours]
    return replace(
        stack,
        flux=placed(stack.flux, np.nan),
        flux_err=placed(stack.flux_err, np.nan),
        aperture_mask=placed(stack.aperture_mask, False),
        target_row=stack.target_row + row,
        target_column=stack.target_column + column,
        neighbours=tuple(stars),
    )


def numbers(checks: SectorChecks, change: Callable[[str, str, float], float] = lambda name, unit, x: x) -> Any:
    """Verdicts, flags and metrics, the latter changed as the transformation asks."""
    return {
        result.check_id: (
            str(result.verdict),
            result.flags,
            {name: change(name, metric.unit, metric.value) for name, metric in result.metrics.items()},
        )
        for result in checks.results
    }


def assert_same(first: Any, second: Any) -> None:
    assert first.keys() == second.keys()
    for check_id, (verdict, flags, metrics) in first.items():
        other_verdict, other_flags, other_metrics = second[check_id]
        assert (verdict, flags) == (other_verdict, other_flags), check_id
        assert metrics.keys() == other_metrics.keys()
        for name, value in metrics.items():
            assert other_metrics[name] == pytest.approx(value, rel=2e-3, abs=1e-4), (check_id, name)


@fuzzed
@worlds
def test_where_the_stamp_is_cut_moves_positions_by_whole_pixels(choice: int, **world: Any) -> None:
    stack = build(**world)
    d_row, d_column = 2 + choice % 3, 4 - choice % 2
    one, other = (
        run_pixel_checks(framed(stack, *corner), EPHEMERIS, store_plot_data=False)
        for corner in ((3, 3), (d_row, d_column))
    )

    def moved(name: str, unit: str, value: float) -> float:
        if name not in PIXELS:
            return value
        return value + (d_row - 3 if name.endswith("row") else d_column - 3)

    assert_same(numbers(one, moved), numbers(other))
    for first, second in zip(one.transits, other.transits, strict=True):
        if first.used and first.peak_row is not None and first.peak_column is not None:
            assert (second.peak_row, second.peak_column) == (
                first.peak_row + d_row - 3,
                first.peak_column + d_column - 3,
            )


@fuzzed
@worlds
def test_unit_of_the_flux_changes_no_depth_no_sigma_and_no_verdict(choice: int, **world: Any) -> None:
    stack, factor = build(**world), 2.0 ** (2 * choice - 7)
    assert stack.flux_err is not None
    scaled = replace(stack, flux=stack.flux * np.float32(factor), flux_err=stack.flux_err * np.float32(factor))

    def in_new_unit(name: str, unit: str, value: float) -> float:
        return value * factor if unit in FLUX_UNITS else value

    one, other = (run_pixel_checks(each, EPHEMERIS, store_plot_data=False) for each in (stack, scaled))
    assert_same(numbers(one, in_new_unit), numbers(other))
    for first, second in zip(one.transits, other.transits, strict=True):
        assert second.depth_ppm == pytest.approx(first.depth_ppm, rel=1e-4)


@fuzzed
@worlds
def test_order_of_the_cadences_does_not_matter(choice: int, **world: Any) -> None:
    stack = build(**world)
    order = np.random.default_rng(choice).permutation(len(stack.time_btjd))
    assert stack.flux_err is not None
    shuffled = replace(
        stack,
        time_btjd=stack.time_btjd[order],
        flux=stack.flux[order],
        flux_err=stack.flux_err[order],
        used=stack.used[order],
        quality=stack.quality[order],
    )
    one, other = (run_pixel_checks(each, EPHEMERIS, store_plot_data=False) for each in (stack, shuffled))
    assert numbers(one) == numbers(other)
    assert one.transits == other.transits


@fuzzed
@worlds
def test_zero_of_time_does_not_matter(choice: int, **world: Any) -> None:
    stack, days = build(**world), 128.0 * (choice - 3)
    later = replace(stack, time_btjd=stack.time_btjd + days)
    ephemeris = replace(EPHEMERIS, epoch_btjd=EPHEMERIS.epoch_btjd + days)
    one = run_pixel_checks(stack, EPHEMERIS, store_plot_data=False)
    other = run_pixel_checks(later, ephemeris, store_plot_data=False)
    assert_same(numbers(one), numbers(other))
    assert [row.number for row in one.transits] == [row.number for row in other.transits]
    for first, second in zip(one.transits, other.transits, strict=True):
        assert second.mid_btjd == pytest.approx(first.mid_btjd + days, abs=1e-9)
        assert (second.used, second.reason) == (first.used, first.reason)
