"""Pixels without values where the target's light falls: said, flagged, and with too many of them no verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from btv_report.checks.combine import combine_sectors
from btv_report.checks.inputs import PixelStack
from btv_report.checks.missing_pixels import missing_light
from btv_report.checks.prf import GaussianPrf
from btv_report.checks.result import Verdict

Scene = Callable[..., Any]
Results = Callable[..., dict[str, Any]]
FLAG = "PIXELS_MISSING"


def without(stack: PixelStack, pixels: Any, fill: float = np.nan) -> PixelStack:
    """The stack with `fill` at the (row, column) given, in all cadences."""
    flux = stack.flux.copy()
    for row, column in pixels:
        flux[:, row, column] = fill
    return replace(stack, flux=flux)


def aperture_pixels(stack: PixelStack) -> list[tuple[int, int]]:
    """Pixels of the aperture, nearest to the target first."""
    assert stack.aperture_mask is not None
    where = [(int(row), int(column)) for row, column in np.argwhere(stack.aperture_mask)]
    return sorted(where, key=lambda at: np.hypot(at[0] - (stack.target_row or 0), at[1] - (stack.target_column or 0)))


def test_whole_apertures_carry_no_flag(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.003)
    # A corner of the stamp far from aperture and target does not matter.
    for result in results_of(without(spec.make(), [(10, 10)]), spec.ephemeris).values():
        assert FLAG not in result.flags
        assert "lacks values" not in result.summary


@pytest.mark.parametrize("fill", [np.nan, np.inf])
def test_one_dead_aperture_pixel_is_said_and_flagged_in_every_check(
    scene: Scene, results_of: Results, fill: float
) -> None:
    spec = scene(depth=0.003)
    stack = spec.make()
    at = aperture_pixels(stack)
    for result in results_of(without(stack, at[-1:], fill), spec.ephemeris).values():
        assert result.verdict is Verdict.PASS
        assert FLAG in result.flags
        assert f"1 of the {len(at)} aperture pixels lacks values in more than 10 % of the cadences" in result.summary


def test_with_most_of_the_light_missing_there_are_numbers_and_no_verdict(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.003)
    stack = spec.make()
    dead = aperture_pixels(stack)[:-3]
    results = results_of(without(stack, dead), spec.ephemeris)
    assert {result.verdict for result in results.values()} == {Verdict.NOT_RUN}
    assert all(FLAG in result.flags for result in results.values())
    assert results["V08"].metrics
    assert "of the target's light falls on such pixels" in (results["V08"].reason or "")


def test_the_share_of_light_decides_not_the_number_of_pixels(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.003)
    stack = spec.make()
    at = aperture_pixels(stack)
    outer = results_of(without(stack, at[len(at) // 2 :]), spec.ephemeris)
    inner = results_of(without(stack, at[: len(at) // 2]), spec.ephemeris)
    assert outer["V09"].verdict is Verdict.PASS
    assert inner["V09"].verdict is Verdict.NOT_RUN


def test_an_aperture_without_any_value_is_not_called_unnamed(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.003)
    stack = spec.make()
    ghost = results_of(without(stack, aperture_pixels(stack)), spec.ephemeris)["V20"]
    assert ghost.verdict is Verdict.NOT_RUN
    assert "names no aperture" not in (ghost.reason or "")


def test_without_an_aperture_pixels_about_the_target_count(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.003)
    stack = replace(spec.make(), aperture_mask=None)
    result = results_of(without(stack, [(6, 5)]), spec.ephemeris)["V09"]
    assert FLAG in result.flags
    assert "1 of the pixels within 2 px of the target lacks values" in result.summary


def test_missing_light_is_that_of_the_marked_pixels() -> None:
    star = GaussianPrf((9, 9), 0.8, 0.8).evaluate(np.array([4.3]), np.array([3.8]))[0]
    absent = np.zeros((9, 9), bool)
    assert missing_light(absent, 4.3, 3.8) == 0.0
    absent[4, 4] = absent[5, 3] = True
    assert missing_light(absent, 4.3, 3.8) == pytest.approx(star[4, 4] + star[5, 3])
    assert missing_light(np.ones((9, 9), bool), 4.3, 3.8) == pytest.approx(1.0, abs=1e-3)


def test_the_combination_of_sectors_keeps_the_flag(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.003)
    stack = spec.make()
    damaged = replace(without(stack, aperture_pixels(stack)[-1:]), sector=2)
    sectors = {one.sector: results_of(one, spec.ephemeris).values() for one in (replace(stack, sector=1), damaged)}
    combined = combine_sectors(sectors)
    assert {result.check_id for result in combined if FLAG in result.flags} >= {"V08", "V09", "V10"}
