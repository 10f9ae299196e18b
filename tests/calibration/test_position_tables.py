"""Tables 3, 4 and 6 and the confusion matrix: their numbers are the trials', and a check that is wrong does not pass them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.calibration.cells import rate

from btv_report.calibration import aperture_ghost, confusion, dead_pixels, hosts, position, region_host
from btv_report.calibration.cubes import real_sector, take_away
from btv_report.calibration.fields import (
    PIXEL_ARCSEC,
    SIGNAL,
    Sky,
    beside,
    crowded_field,
    error_of_light,
    image_of,
    observe,
    seen_turned,
    target_near_middle,
)
from btv_report.calibration.registry import TABLES, table_maker
from btv_report.calibration.table import Table
from btv_report.calibration.trials import Effort, RealData
from btv_report.checks import elimination, source_fit
from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.region import floored_delta_chi2
from btv_report.checks.result import Verdict
from btv_report.checks.scene import describe_scene
from btv_report.checks.source_fit import fit_source
from btv_report.checks.v20_ghost_features import check_ghost_features

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
FEW = Effort(share=0.02)


@pytest.fixture(scope="module")
def region() -> Table:
    return region_host.region_table(FEW, None)


@pytest.fixture(scope="module")
def host() -> Table:
    return hosts.host_table(Effort(share=0.03), None)


@pytest.mark.parametrize("key", ["position", "region", "host", "aperture", "ghost", "confusion", "dead-pixels"])
def test_tables_are_registered_under_their_keys(key: str) -> None:
    assert table_maker(key).__module__ == TABLES[key].split(":")[0]


def test_injected_light_gives_the_snr_that_was_aimed_at() -> None:
    found = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        target = target_near_middle(rng)
        quiet = observe((target,), Sky(), rng)
        error = error_of_light(quiet, target)
        assert error is not None
        stack = take_away(quiet, image_of(target) * 40 * error / target.flux_e_per_s, SIGNAL)
        measurement = measure_pixels(stack, SIGNAL)
        scene = describe_scene(measurement)
        assert scene is not None
        fit = fit_source(measurement, scene)
        assert fit is not None
        found.append(fit.snr)
    assert np.mean(found) == pytest.approx(40 * 0.9, rel=0.08)  # half-hour cadences blur ingress and egress


def test_turned_field_keeps_its_place_on_the_sky() -> None:
    rng = np.random.default_rng(1)
    target = target_near_middle(rng)
    field = (target, beside(target, 2.5, 0.3, rng))
    first, second = Sky(turn_deg=10.0), Sky(turn_deg=250.0)
    moved = seen_turned(field, first, second, rng)

    def on_sky(stars: Any, sky: Sky) -> Any:
        return sky.arcsec_per_pixel @ np.array([stars[1].column - stars[0].column, stars[1].row - stars[0].row])

    np.testing.assert_allclose(on_sky(field, first), on_sky(moved, second))
    assert np.hypot(*on_sky(field, first)) == pytest.approx(2.5 * PIXEL_ARCSEC)
    assert (moved[1].row, moved[1].column) != (field[1].row, field[1].column)


def test_field_stars_follow_the_counts() -> None:
    rng = np.random.default_rng(2)
    target = target_near_middle(rng)
    stars = [star for _ in range(60) for star in crowded_field(target, 40.0, rng)[1:]]
    tmag = 10.0 - 2.5 * np.log10([star.flux_e_per_s / target.flux_e_per_s for star in stars])
    assert np.count_nonzero(tmag < 16) / 60 == pytest.approx(40, rel=0.1)
    assert np.log10(np.count_nonzero(tmag < 16) / np.count_nonzero(tmag < 14)) / 2 == pytest.approx(0.33, abs=0.04)


def test_region_table_hides_no_cell_and_counts_every_trial(region: Table) -> None:
    cells = {tuple(row.values[name] for name in ("noise", "cadence", "sectors", "snr")) for row in region.rows}
    assert len(cells) == len(region.rows) == 3 * (4 + 3)
    trials = len(region_host.OFFSETS_PX) * FEW.trials(100)
    for first in range(0, len(region.rows), 3):
        rows = region.rows[first : first + 3]
        below = trials - sum(rate(row, "inside").total for row in rows)
        unplaced = rows[0].values["not_located"]
        assert isinstance(unplaced, int)
        assert unplaced <= below


def test_regions_hold_the_truth_and_leave_distant_targets_out(region: Table) -> None:
    inside = sum(rate(row, "inside").count for row in region.rows)
    assert inside >= 0.97 * sum(rate(row, "inside").total for row in region.rows)
    away = [rate(row, "excluded") for row in region.rows]
    assert sum(one.count for one in away) >= 0.97 * sum(one.total for one in away) > 20


def test_region_that_is_too_small_does_not_meet_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    def small(*args: Any) -> Any:
        return 100 * floored_delta_chi2(*args)

    monkeypatch.setattr(elimination, "floored_delta_chi2", small)
    monkeypatch.setattr(region_host, "JITTERS", region_host.JITTERS[:1])
    monkeypatch.setattr(region_host, "CADENCES", region_host.CADENCES[:1])
    monkeypatch.setattr(region_host, "SECTOR_NUMBERS", ())
    assert region_host.region_table(FEW, None).met is False


def test_same_version_gives_the_same_trial() -> None:
    trial = hosts.HostTrial("pair", 1.0, 2.0, 0.0, 0.001, 3)
    assert hosts.judge_host(trial) == hosts.judge_host(trial)


def test_neighbours_are_told_from_the_target(host: Table) -> None:
    pairs = [row for row in host.rows if str(row.values["case"]).startswith("one neighbour")]
    assert len(pairs) == 4
    assert sum(rate(row, "right").count for row in pairs) >= 0.97 * sum(rate(row, "right").total for row in pairs) > 20
    assert not any(row.met is False for row in pairs)


def test_wrong_host_probabilities_do_not_meet_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    def turned(*args: Any) -> tuple[list[float], float]:
        count = len(args[0])
        return [0.0] * (count - 1) + [0.999], 0.001

    monkeypatch.setattr(elimination, "host_probabilities", turned)
    monkeypatch.setattr(hosts, "DENSITIES", ())
    assert hosts.host_table(Effort(share=0.02), None).met is False


def test_ghosts_are_flagged_and_planets_are_not() -> None:
    table = aperture_ghost.ghost_table(Effort(share=0.02), None)
    assert table.met is not False
    strong = {str(row.values["case"]): rate(row, "flagged") for row in table.rows if row.values["snr"] == ">= 8"}
    assert set(strong) == set(aperture_ghost.GHOST_CASES)
    assert strong["ghost"].value == 1.0
    assert strong["planet on an isolated star"].value == 0.0


def test_check_that_never_flags_does_not_meet_the_ghost_table(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = check_ghost_features
    monkeypatch.setattr(
        aperture_ghost, "check_ghost_features", lambda *a, **k: replace(plain(*a, **k), verdict=Verdict.PASS)
    )
    assert aperture_ghost.ghost_table(Effort(share=0.01), None).met is False


def test_depths_on_the_target_are_even_and_those_beside_it_fail() -> None:
    table = aperture_ghost.aperture_table(Effort(share=0.03), None)
    beside_target = [row for row in table.rows if "beside" in str(row.values["case"])]
    on_target = [row for row in table.rows if "beside" not in str(row.values["case"])]
    assert table.met is True
    assert sum(rate(row, "failed").count for row in on_target) <= 1
    assert sum(rate(row, "failed").count for row in beside_target) >= 0.8 * sum(
        rate(row, "failed").total for row in beside_target
    )
    assert set(table.samples) == {str(row.values["case"]) for row in on_target}


def test_confusion_matrix_counts_each_trial_once_per_check() -> None:
    table = confusion.confusion_table(FEW, None)
    assert len(table.rows) == len(confusion.TRUTHS) * 5
    n = FEW.trials(150)
    for row in table.rows:
        assert sum(rate(row, name).count for name in ("passed", "warned", "failed", "not_run")) == n
    worst = {str(row.values["truth"]): row for row in table.rows if row.values["check"] == "worst of the four"}
    assert rate(worst["nothing"], "failed").count == 0
    assert rate(worst["binary 2 px away"], "failed").count >= n - 1


def test_positions_without_real_pixels_ask_nothing() -> None:
    table = position.position_table(Effort(share=0.04), None)
    assert {row.values["pixels"] for row in table.rows} == {position.SIMULATED}
    assert table.met is None
    medians = {(str(row.values["place"]), str(row.values["prf"])): row.values["median_px"] for row in table.rows}
    assert all(isinstance(px, float) and px < 0.15 for px in medians.values())


@pytest.fixture
def data() -> RealData:
    if not DATA.is_dir() or real_sector(RealData(DATA)) is None:
        pytest.skip("needs the real sector-83 pixels beside the checkout")
    return RealData(DATA)


@pytest.mark.data
def test_positions_on_real_pixels_reach_what_is_asked(data: RealData) -> None:
    table = position.position_table(Effort(share=0.06), data)
    asked = [row for row in table.rows if row.met is not None]
    assert len(asked) == 4
    assert all(row.met for row in asked)


@pytest.mark.data
def test_gaussian_that_thinks_itself_perfect_misses_on_real_pixels(
    data: RealData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_fit, "MISMATCH_PASSES", 0)
    assert position.position_table(Effort(share=0.04), data).met is False


def test_dead_pixels_fail_no_planet_and_with_most_of_the_light_missing_nothing_is_judged() -> None:
    table = dead_pixels.dead_pixels_table(Effort(share=0.06), None)
    assert table.met is not False
    for row in table.rows:
        silent = rate(row, "not_run")
        beyond = str(row.values["missing"]).startswith("50")
        assert silent.count == (silent.total if beyond else 0), row
        if row.values["truth"] == dead_pixels.BINARY and not beyond:
            assert rate(row, "V09_failed").count >= 0.6 * silent.total
