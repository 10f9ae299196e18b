"""Several sectors into one result per check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from btv_report.checks.combine import combine_sectors
from btv_report.checks.combine_offsets import robust_mean_offset
from btv_report.checks.combine_significance import fisher_p
from btv_report.checks.result import CheckResult, Verdict
from btv_report.checks.run import not_run_results, run_pixel_checks

Scene = Callable[..., Any]


def sectors(spec: Any, seeds: tuple[int, ...]) -> dict[int, tuple[CheckResult, ...]]:
    return {
        30 + seed: run_pixel_checks(replace(spec, seed=seed).make(sector=30 + seed), spec.ephemeris).results
        for seed in seeds
    }


def by_id(results: tuple[CheckResult, ...]) -> dict[str, CheckResult]:
    return {result.check_id: result for result in results}


def test_combined_results_have_no_sector_and_add_up(scene: Scene) -> None:
    spec = scene(days=9.0, depth=0.004, neighbours=((3.0, 9.0, 4000.0),))
    single = sectors(spec, (1, 2, 3))
    combined = by_id(combine_sectors(single))
    assert [result.sector for result in combined.values()] == [None] * 4
    assert {result.verdict for result in combined.values()} == {Verdict.PASS}
    assert combined["V08"].metrics["n_transits_used"].value == 6
    snr = [by_id(results)["V09"].metrics["snr"].value for results in single.values()]
    assert combined["V09"].metrics["snr"].value == pytest.approx(np.sqrt(np.sum(np.square(snr))))
    assert "LOW_TRANSITS" not in combined["V09"].flags
    assert all("LOW_TRANSITS" in result.flags for results in single.values() for result in results)


def test_binary_seen_in_short_sectors_fails_together(scene: Scene) -> None:
    spec = scene(days=9.0, neighbours=((6.8, 6.0, 1500.0),), host=1, depth=0.1)
    single = sectors(spec, (1, 2))
    assert {by_id(results)["V09"].verdict for results in single.values()} == {Verdict.WARN}
    source = by_id(combine_sectors(single))["V09"]
    assert source.verdict is Verdict.FAIL
    stars = source.details["neighbours"]
    assert max(stars, key=lambda star: star["probability"])["star_id"] == "star 1"
    assert sum(star["probability"] for star in stars) == pytest.approx(1.0)


def test_floor_is_added_once_after_averaging(scene: Scene) -> None:
    spec = scene(days=9.0, depth=0.02)
    source = by_id(combine_sectors(sectors(spec, (1, 2, 3, 4))))["V09"]
    stat, total = (source.metrics[name].value for name in ("offset_err_stat_arcsec", "offset_err_arcsec"))
    assert total == pytest.approx(np.hypot(stat, 2.5))
    assert stat < 2.5


def test_one_sector_alone_says_so() -> None:
    ran = CheckResult("V08", "1.01", 12, Verdict.PASS, "Fine.", parameters={"n_transits_used": 4})
    missing = CheckResult("V08", "1.01", 13, Verdict.NOT_RUN, "Not run: no pixels.", reason="no pixels")
    (combined,) = combine_sectors({12: (ran,), 13: (missing,)})
    assert combined.summary == "One sector only. Fine."
    assert "ONE_SECTOR" in combined.flags
    assert combined.parameters["sectors_not_run"] == [13]


def test_no_sector_at_all_is_not_run_with_a_reason() -> None:
    combined = combine_sectors({sector: not_run_results("1.01", sector, "There are no pixels.") for sector in (3, 4)})
    assert {result.verdict for result in combined} == {Verdict.NOT_RUN}
    assert all("none of the sectors (3, 4)" in (result.reason or "") for result in combined)


def test_nothing_in_nothing_out() -> None:
    assert combine_sectors({}) == ()


def test_robust_mean_resists_one_bad_sector() -> None:
    offsets = np.array([[0.1, 0.0], [-0.2, 0.1], [0.0, -0.1], [0.1, 0.1], [40.0, -30.0]])
    mean, covariance = robust_mean_offset(offsets, np.repeat(np.eye(2)[None], 5, axis=0))
    assert np.hypot(*mean) < 1.0
    assert np.hypot(*offsets.mean(axis=0)) > 9
    assert np.linalg.eigvalsh(covariance)[0] > 0


def test_weights_follow_the_errors() -> None:
    covariances = np.stack([np.eye(2), 100 * np.eye(2)])
    mean, _ = robust_mean_offset(np.array([[0.0, 0.0], [5.0, 5.0]]), covariances)
    assert mean == pytest.approx([5 / 101, 5 / 101], rel=0.2)


def test_fisher_knows_its_closed_form_and_never_gives_zero() -> None:
    x = 0.01 * 0.2
    assert fisher_p(np.array([0.01, 0.2])) == pytest.approx(x * (1 - np.log(x)))
    assert fisher_p(np.array([1e-300, 1e-300])) > 0


def test_combined_shift_without_a_signal_says_that_nothing_was_tested(scene: Scene) -> None:
    """No shift and no dimming: a pass of V08 means nothing then, and says so."""
    together = by_id(combine_sectors(sectors(scene(depth=0.0), (11, 12))))["V08"]
    assert together.verdict is Verdict.PASS
    assert "nothing was tested" in together.summary
    assert "LOW_SNR" in together.flags
    seen = by_id(combine_sectors(sectors(scene(depth=0.01), (11, 12))))["V08"]
    assert "nothing was tested" not in seen.summary
    assert "LOW_SNR" not in seen.flags


def test_combined_shift_that_the_target_would_make_does_not_speak_against_it(scene: Scene) -> None:
    """A deep signal on the target moves the centre of light where a bright neighbour shares the aperture."""
    spec = scene(neighbours=((6.6, 5.6, 8000.0),), depth=0.05)
    on_target = by_id(combine_sectors(sectors(spec, (21, 22))))["V08"]
    assert on_target.verdict is not Verdict.PASS
    assert "does not speak against the target" in on_target.summary
    assert "SHIFT_AS_ON_TARGET" in on_target.flags
    elsewhere = by_id(combine_sectors(sectors(replace(spec, host=1), (21, 22))))["V08"]
    assert "SHIFT_AS_ON_TARGET" not in elsewhere.flags


def test_combined_growth_curve_without_a_signal_says_that_nothing_was_tested(scene: Scene) -> None:
    together = by_id(combine_sectors(sectors(scene(depth=0.0), (11, 12))))["V10"]
    assert together.verdict is Verdict.PASS
    assert "nothing was tested" in together.summary
    assert "follows" not in together.summary
    assert "LOW_SNR" in together.flags


def test_combined_host_in_no_catalogue_is_said_and_no_pass(scene: Scene) -> None:
    """The eclipsed star is missing from the catalogue: neither the target nor the listed star is named."""
    spec = scene(neighbours=((6.8, 6.0, 1500.0), (3.2, 3.4, 900.0)), host=1, depth=0.2)
    listed = spec.make().neighbours
    innocent = tuple(star for star in listed if star.star_id == "star 2")
    single = {
        30 + seed: run_pixel_checks(
            replace(spec, seed=seed).make(sector=30 + seed, neighbours=innocent), spec.ephemeris
        ).results
        for seed in (1, 2)
    }
    together = by_id(combine_sectors(single))["V09"]
    assert together.verdict is not Verdict.PASS
    assert "a source in no catalogue is a likelier host" in together.summary
    assert together.details["neighbours"][-1]["probability"] > 0.5
