"""V09's table of hosts: complete, adding up to one, and silent where it cannot say; and whether the transits agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from btv_report.checks.combine import combine_sectors
from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.elimination import MAX_NEIGHBOURS
from btv_report.checks.hosts import UNCATALOGUED_SHARE, HostInput, host_probabilities
from btv_report.checks.inputs import StackStar
from btv_report.checks.prf_mismatch import mismatch_modes
from btv_report.checks.result import Verdict
from btv_report.checks.run import run_pixel_checks
from btv_report.checks.scene import describe_scene

Scene = Callable[..., Any]
Results = Callable[..., dict[str, Any]]
HOST = (7.0, 6.6, 3000.0)


def stars_of(result: Any) -> dict[str, dict[str, Any]]:
    return {star["star_id"]: star for star in result.details["neighbours"]}


def crowd(stack: Any, number: int) -> Any:
    """The stack with many faint stars nearer to the target than its own neighbour."""
    rng = np.random.default_rng(3)
    faint = []
    for i in range(number):
        angle, away = rng.uniform(0, 2 * np.pi), 1.5 * np.sqrt(rng.uniform())
        row, column = stack.target_row + away * np.sin(angle), stack.target_column + away * np.cos(angle)
        faint.append(StackStar(f"faint {i}", row, column, 19.5, 21.0 * away))
    stars = sorted((*faint, *stack.neighbours), key=lambda star: star.separation_arcsec)
    return replace(stack, neighbours=tuple(stars))


def test_probabilities_add_up_to_one_in_each_sector_and_combined(scene: Scene) -> None:
    spec = scene(days=9.0, neighbours=(HOST, (3.0, 9.0, 2000.0)), host=1, depth=0.1)
    single = {n: run_pixel_checks(replace(spec, seed=n).make(sector=n), spec.ephemeris).results for n in (1, 2)}
    tables = [stars_of(result) for results in (*single.values(), combine_sectors(single)) for result in results[1:2]]
    assert len(tables) == 3
    for stars in tables:
        assert {"target", "star 1", "star 2", "none of these"} <= set(stars)
        assert sum(star["probability"] for star in stars.values()) == pytest.approx(1.0)
        assert stars["star 1"]["probability"] > 0.99
        assert stars["star 1"]["required_depth"] == pytest.approx(0.1, rel=0.2)


def test_host_is_not_lost_behind_sixty_nearer_faint_stars(scene: Scene, results_of: Results) -> None:
    spec = scene(neighbours=(HOST,), host=1, depth=0.1)
    result = results_of(crowd(spec.make(), MAX_NEIGHBOURS + 40), spec.ephemeris)["V09"]
    stars = stars_of(result)
    assert len(stars) <= MAX_NEIGHBOURS + 2
    assert stars["star 1"]["probability"] > 0.9
    assert sum(star["probability"] for star in stars.values()) == pytest.approx(1.0)


def test_source_in_no_catalogue_keeps_its_share_however_crowded() -> None:
    one = [HostInput(30.0, 0.01, 0.1)]
    assert host_probabilities(one, 0.01)[1] == pytest.approx(host_probabilities(one * 40, 0.01)[1])
    assert host_probabilities([HostInput(0.0, 0.01, 0.1)], 1.0)[1] == pytest.approx(UNCATALOGUED_SHARE)


def test_target_is_not_passed_where_no_catalogued_star_is_likeliest(scene: Scene, results_of: Results) -> None:
    spec = scene(neighbours=(HOST,), host=1, depth=0.1)
    result = results_of(spec.make(neighbours=()), spec.ephemeris)["V09"]
    assert stars_of(result)["none of these"]["probability"] > 0.9
    assert result.verdict is not Verdict.PASS
    assert "a source in no catalogue is a likelier host than the target" in result.summary


def test_star_outside_the_region_needs_the_light_of_the_fitted_source(scene: Scene, results_of: Results) -> None:
    spec = scene(neighbours=((8.0, 8.0, 100.0),), depth=0.02)
    stars = stars_of(results_of(spec.make(), spec.ephemeris)["V09"])
    assert stars["star 1"]["required_depth"] > 1
    assert stars["star 1"]["required_depth"] == pytest.approx(
        spec.target_flux / 100 * stars["target"]["required_depth"], rel=0.1
    )


def test_transits_that_disagree_are_said_to(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.004, jitter_px=0.0)
    stack = spec.make()
    mids = np.array([row.mid_btjd for row in run_pixel_checks(stack, spec.ephemeris).transits])
    deeper = np.abs(stack.time_btjd - mids[1]) <= spec.ephemeris.duration_days / 2
    flux = stack.flux.copy()
    flux[deeper] -= (0.01 * stack.flux.mean(axis=0)).astype(np.float32)
    even, odd = (results_of(spec.make(flux=cube), spec.ephemeris)["V09"] for cube in (stack.flux, flux))
    assert "do not agree" not in even.summary
    assert even.details["transits_agree_p_value"] > 0.0027
    assert "The transits do not agree with each other" in odd.summary
    light = [peak["missing_light"] for peak in odd.details["per_transit_peaks"]]
    assert light[1] == max(light) > 2 * np.median(light)


def test_depth_curve_without_a_depth_says_that_nothing_was_tested(scene: Scene, results_of: Results) -> None:
    result = results_of(scene(depth=0.0).make(), scene().ephemeris)["V10"]
    assert "LOW_SNR" in result.flags
    assert "nothing was tested" in result.summary


def test_own_image_has_no_mismatch_and_a_gaussian_has_the_image_it_misses(scene: Scene) -> None:
    described = []
    for neighbours in ((), ((7.2, 6.0, 6000.0),)):
        spec = scene(neighbours=neighbours)
        found = describe_scene(measure_pixels(spec.make(), spec.ephemeris))
        assert found is not None
        described.append(found)
    own, gaussian = described
    assert (own.prf.kind, gaussian.prf.kind) == ("own_image", "gaussian")
    assert mismatch_modes(own, own.row, own.column).shape[0] == 0
    wrong = replace(gaussian, control=gaussian.control.copy())
    wrong.control[4, 5] += 0.05 * gaussian.target_flux
    residual = mismatch_modes(wrong, wrong.source_row, wrong.source_column)[-1]
    assert residual[4, 5] == pytest.approx(0.05, abs=0.01)
    moved = mismatch_modes(wrong, wrong.source_row + 2.0, wrong.source_column - 1.0)[-1]
    assert moved[6, 4] == pytest.approx(residual[4, 5])
