"""Tables 1 and 2: their cells hold what they say, and a check that is wrong does not pass them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.calibration.cells import rate

from btv_report.calibration import cubes, false_alarms, power
from btv_report.calibration.cubes import RealSector, real_sector, take_away
from btv_report.calibration.false_alarms import Outcome
from btv_report.calibration.fields import Sky, observe, target_near_middle
from btv_report.calibration.table import Rate, Table
from btv_report.calibration.trials import Effort, RealData
from btv_report.checks import v08_centroid_shift
from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.matched_windows import Significance, hotelling_p
from btv_report.checks.v08_centroid_shift import measure_shift

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
N_CELLS = 24


@pytest.fixture(scope="module")
def sector() -> Iterator[RealSector]:
    found = real_sector(RealData(DATA)) if DATA.is_dir() else None
    if found is None:
        pytest.skip("needs the real sector-83 pixels beside the checkout")
    yield found
    cubes._real_sector.cache_clear()


@pytest.fixture(scope="module")
def small_table() -> Table:
    return false_alarms.false_alarms_table(Effort(3 / false_alarms.TRIALS), None)


@pytest.mark.parametrize("cadence_s", false_alarms.CADENCES_S)
@pytest.mark.parametrize("n_transits", false_alarms.TRANSITS)
def test_each_cell_has_exactly_its_number_of_usable_transits(cadence_s: float, n_transits: int) -> None:
    rng = np.random.default_rng(5)
    stack = observe((target_near_middle(rng),), Sky(cadence_s=cadence_s), rng)
    for hours in false_alarms.DURATIONS_HOURS:
        ephemeris = false_alarms.synthetic_ephemeris(n_transits, hours)
        assert measure_pixels(stack, ephemeris).n_transits == n_transits


def test_no_cell_is_hidden_and_abstentions_are_counted_apart(small_table: Table) -> None:
    assert len(small_table.rows) == N_CELLS
    cells = {tuple(row.values[name] for name in ("noise", "transits", "duration")) for row in small_table.rows}
    assert len(cells) == N_CELLS
    for row in small_table.rows:
        abstained = row.values["abstained"]
        assert isinstance(abstained, int)
        assert rate(row, "beyond_3_sigma").total + abstained == 3
    assert any("No real pixels" in note for note in small_table.notes)


def test_histograms_hold_every_judged_trial(small_table: Table) -> None:
    judged = sum(rate(row, "beyond_3_sigma").total for row in small_table.rows)
    assert sum(sum(counts) for counts in small_table.samples["p_histograms"].values()) == judged


def test_few_trials_leave_a_cell_open_rather_than_met(small_table: Table) -> None:
    assert all(row.met is not True for row in small_table.rows)


def test_same_version_gives_the_same_table(small_table: Table) -> None:
    cube = false_alarms.Cube("white", 0.0, 1800.0, 0)
    assert false_alarms.judge_cube(cube) == false_alarms.judge_cube(cube)


def test_errors_three_times_too_small_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_sure(observed: float, draws: Any, dimensions: int, nu: float) -> Significance:
        return Significance(hotelling_p(9 * observed, dimensions, nu), "hotelling")

    monkeypatch.setattr(v08_centroid_shift, "rank_significance", too_sure)
    monkeypatch.setattr(false_alarms, "CADENCES_S", (1800.0,))
    table = false_alarms.false_alarms_table(Effort(16 / false_alarms.TRIALS), None)
    assert table.met is False
    assert all(row.met is False for row in table.rows if rate(row, "beyond_3_sigma").total >= 10)


@pytest.mark.parametrize(
    ("count", "total", "uniform", "met"),
    [(5, 1000, 0.5, True), (12, 1000, 0.5, False), (0, 50, 0.5, None), (0, 1000, 1e-4, False), (0, 0, None, None)],
)
def test_a_cell_is_met_by_its_upper_bound_and_uniformity(
    count: int, total: int, uniform: float | None, met: bool | None
) -> None:
    assert false_alarms._is_calibrated(Rate(count, total), uniform) is met


@pytest.mark.parametrize(
    ("count", "total", "at_most", "at_least"),
    [
        (1, 12, None, False),
        (12, 12, False, None),
        (1, 100, True, False),
        (3, 100, False, False),
        (91, 100, False, True),
    ],
)
def test_few_trials_judge_a_rate_only_by_its_bounds(
    count: int, total: int, at_most: bool | None, at_least: bool | None
) -> None:
    assert Rate(count, total).at_most(0.02) is at_most
    assert Rate(count, total).at_least(0.9) is at_least


def test_windows_that_overlap_count_once() -> None:
    # A window of 2.4 h transits takes 3.5 x 0.1 d.
    trials = [Outcome(0.5, 40.0, (1.0, 9.0)), Outcome(0.5, 40.0, (1.1, 9.36)), Outcome(0.5, 40.0, (5.0, 9.2))]
    assert false_alarms.disjoint_windows(trials, 2.4) == 4
    assert false_alarms.disjoint_windows([], 2.4) == 0


def test_power_without_real_pixels_says_what_is_missing() -> None:
    table = power.power_table(Effort(), None)
    assert table.rows == ()
    assert table.met is None
    assert "real pixels" in table.missing


@pytest.mark.data
def test_real_sector_is_found_by_its_header(sector: RealSector) -> None:
    assert (sector.tic_id, sector.stack.sector) == (188646744, 83)
    assert (sector.row, sector.column) == pytest.approx((5.667, 4.533), abs=0.001)
    assert len(sector.file_entry["sha256"]) == 64


@pytest.mark.data
def test_signal_on_the_star_takes_its_own_light_in_transit_only(sector: RealSector) -> None:
    (ephemeris, *_) = false_alarms.real_ephemerides(sector, 9, 2.6, 1)
    dimmed = sector.on_target(0.001, ephemeris)
    inside = cubes.in_transit(sector.stack.time_btjd, ephemeris)
    lost = sector.stack.flux - dimmed.flux
    assert not lost[~inside].any()
    own_light = 0.001 * (sector.stack.flux[inside] - sector.sky_e_per_s)
    np.testing.assert_allclose(lost[inside], own_light, atol=0.01)
    np.testing.assert_allclose(lost[inside].mean(axis=0).sum(), 0.001 * sector.flux_e_per_s, rtol=0.01)


@pytest.mark.data
@pytest.mark.parametrize(("d_row", "d_column"), [(1.5, 0.0), (0.0, 1.5), (-1.5, 0.0)])
def test_signal_beside_the_star_shifts_the_centre_towards_it(sector: RealSector, d_row: float, d_column: float) -> None:
    (ephemeris, *_) = false_alarms.real_ephemerides(sector, 9, 2.6, 1)
    stack = sector.beside(0.01, d_row, d_column, ephemeris)
    measurement = measure_pixels(stack, ephemeris, sector.signals)
    shift = measure_shift(measurement, measurement.aperture)
    assert shift is not None
    implied = shift.mean * (1 / shift.depth - 1)
    assert implied == pytest.approx((d_row, d_column), abs=0.4)


@pytest.mark.data
def test_a_three_hundred_ppm_signal_one_pixel_off_is_found(sector: RealSector) -> None:
    todo = power._trials(Effort(10 / power.TRIALS), sector)
    beside = [trial for trial in todo if (trial.depth_ppm, trial.distance_px) == power.ANCHOR]
    on_star = [trial for trial in todo if (trial.depth_ppm, trial.distance_px) == (300.0, 0.0)]
    found = [power.judge(RealData(DATA), trial) for trial in beside]
    assert len(found) == 10
    assert sum(p is not None and p < 0.0027 for p in found) >= 8
    assert sum((p or 1.0) < 0.0027 for p in (power.judge(RealData(DATA), trial) for trial in on_star)) <= 1


@pytest.mark.data
def test_an_unfindable_signal_leaves_power_not_met(sector: RealSector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "judge", blind)
    table = power.power_table(Effort(4 / power.TRIALS), RealData(DATA))
    assert table.met is False
    assert [row.met for row in table.rows if row.values["source"] == "on the star"] == [None, None, None]
    assert table.samples["files"] == [sector.file_entry]


def blind(data: RealData, trial: power.Trial) -> float:
    """A check that never sees anything."""
    return 0.5


def test_take_away_leaves_the_stack_it_was_given_alone() -> None:
    rng = np.random.default_rng(7)
    stack = observe((target_near_middle(rng),), Sky(), rng)
    before = stack.flux.copy()
    take_away(stack, np.full(stack.shape, 5.0), false_alarms.synthetic_ephemeris(2, 2.6))
    np.testing.assert_array_equal(stack.flux, before)
