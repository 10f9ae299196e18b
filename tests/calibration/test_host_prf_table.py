"""Table 4 with the TESS PRF files' own images: what a set at hand is worth, and that a wrong method does not meet it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.calibration.cells import rate

from btv_report.calibration import host_prf, hosts
from btv_report.calibration.cubes import take_away
from btv_report.calibration.fields import SHAPE, SIGNAL, FieldStar, Sky, image_of, observe
from btv_report.calibration.prf_sets import prf_sets
from btv_report.calibration.table import Rate, Table
from btv_report.calibration.trials import Effort, RealData
from btv_report.checks import elimination
from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.prf import GaussianPrf, derivatives

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
REAL = RealData(DATA)
FEW = Effort(share=0.012)

needs_prf_files = pytest.mark.skipif(
    not (DATA / "prf").is_dir(), reason="needs the TESS PRF files of ../shared/data/prf, which are not here"
)


@pytest.fixture(scope="module")
def table() -> Table:
    return host_prf.host_prf_table(FEW, REAL)


def test_stars_of_a_field_have_the_image_that_the_sky_gives_them() -> None:
    prf = GaussianPrf(SHAPE, 0.9, 0.4)
    star = FieldStar(5.2, 4.7, 20000.0)
    stack = observe((star,), Sky(prf=prf), np.random.default_rng(1))
    expected = 20000.0 * prf.evaluate(np.array([5.2]), np.array([4.7]))[0]
    np.testing.assert_allclose(stack.flux.mean(axis=0), expected, atol=2.0)
    np.testing.assert_allclose(image_of(star, prf), expected)
    assert not np.allclose(image_of(star), expected, atol=100.0)


def test_pointing_moves_the_image_that_the_sky_gives() -> None:
    prf = GaussianPrf(SHAPE, 0.9, 0.4)
    star = FieldStar(5.0, 5.0, 20000.0)
    stack = observe((star,), Sky(prf=prf, jitter_px=0.02), np.random.default_rng(1))
    assert stack.flux_err is not None
    by_row, by_column = 0.02 * 20000.0 * derivatives(prf, 5.0, 5.0)
    expected = np.sqrt(by_row**2 + by_column**2 + stack.flux_err[0] ** 2)
    # The pointing remembers 3.3 h, so that 27 days show some two hundred places of it.
    np.testing.assert_allclose(stack.flux.std(axis=0), expected, rtol=0.2)


@pytest.mark.parametrize("data", [None, RealData(Path(__file__).parent)])
def test_without_prf_files_the_table_says_why_it_is_empty(data: RealData | None) -> None:
    table = host_prf.host_prf_table(FEW, data)
    assert not table.rows
    assert table.met is None
    assert table.missing.startswith("Not measured: ")


@needs_prf_files
def test_rows_of_all_strong_signals_hold_the_bins_before_them(table: Table) -> None:
    assert len(table.rows) == 2 * 2 * 4
    for first in range(0, len(table.rows), 4):
        *bins, whole = table.rows[first : first + 4]
        assert whole.values["snr"] == ">= 8"
        assert rate(whole, "right") == Rate(
            *(sum(getattr(rate(b, "right"), n) for b in bins) for n in ("count", "total"))
        )
        assert rate(whole, "right").total > 2


@needs_prf_files
def test_prf_set_at_hand_halves_the_distance_from_the_truth_of_strong_signals(table: Table) -> None:
    strong = {str(row.values["case"]): row.values["median_px"] for row in table.rows if row.values["snr"] == ">= 50"}
    for kind in ("average", "crowded"):
        told, untold = strong[f"{kind} field, {host_prf.WITH}"], strong[f"{kind} field, {host_prf.WITHOUT}"]
        assert isinstance(told, float)
        assert isinstance(untold, float)
        assert told < 0.5 * untold


@needs_prf_files
def test_only_the_rows_with_the_set_are_judged(table: Table) -> None:
    assert all(row.met is None for row in table.rows if str(row.values["case"]).endswith(host_prf.WITHOUT))


@needs_prf_files
def test_both_ways_of_seeing_a_trial_have_the_same_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def keep(stack: Any) -> Any:
        seen.append(stack)
        return None, None

    monkeypatch.setattr(hosts, "locate_source", keep)
    monkeypatch.setattr(hosts, "judge", lambda *args: None)
    host_prf.judge_twice(REAL, host_prf.PrfHostTrial("crowded", 40.0, 0.001, 5))
    told, untold = seen
    np.testing.assert_array_equal(told.flux, untold.flux)
    assert (told.camera, told.ccd) == (told.prfs[0].camera, told.prfs[0].ccd)
    assert untold.prfs == ()


@needs_prf_files
def test_set_at_hand_is_placed_where_the_star_stands() -> None:
    grid = prf_sets(REAL)[0]
    row, column = 700.3, 1200.8
    star = FieldStar(5.1, 4.9, 15000.0)
    quiet = observe((star,), Sky(prf=grid.at(row, column, SHAPE)), np.random.default_rng(3))
    told = host_prf._tell(
        grid, row, column, take_away(quiet, 0.01 * image_of(star, grid.at(row, column, SHAPE)), SIGNAL)
    )
    assert told.corner_row is not None
    assert told.corner_column is not None
    assert told.corner_row + 5 == pytest.approx(row, abs=0.5)
    assert told.corner_column + 5 == pytest.approx(column, abs=0.5)
    assert not measure_pixels(told, SIGNAL).reason


@needs_prf_files
def test_wrong_host_probabilities_do_not_meet_the_table_with_prf_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def turned(*args: Any) -> tuple[list[float], float]:
        return [0.0] * (len(args[0]) - 1) + [0.999], 0.001

    monkeypatch.setattr(elimination, "host_probabilities", turned)
    monkeypatch.setattr(host_prf, "CROWDED", host_prf.CROWDED[:1])
    assert host_prf.host_prf_table(FEW, REAL).met is False
