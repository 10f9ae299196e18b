"""Times that are no BTJD, not of the sector, or not in order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from btv_report.errors import ProductRefusedError
from btv_report.products.cadences import measure_cadence_s
from btv_report.products.inspect import inspect_file
from btv_report.products.light_curve import read_light_curve
from btv_report.products.model import ProductState
from btv_report.products.sky import mid_year
from btv_report.products.target_pixel_file import read_target_pixel_file
from btv_report.stages.values import pixel_file_provenance

TIME = np.arange(40) / 720 + 1500.0


@pytest.mark.parametrize(
    ("added", "words"),
    [
        (2457000.0, r"\(about 2458500\.0\d*\) are no BTJD but full Julian dates"),
        (56999.5, r"\(about 58499\.5\d*\) are no BTJD but modified Julian dates"),
        (-1500.0, r"\(about 0\.0\d*\) are no BTJD: TESS observes at BTJD 1300 and later"),
        (1e8, r"are no BTJD: TESS observes at BTJD 1300 and later"),
    ],
)
def test_f107_times_that_are_no_btjd_are_refused_whatever_the_header_says(
    write_tpf: Any, write_lc: Any, added: float, words: str
) -> None:
    for path, read in (
        (write_tpf(time=TIME + added), read_target_pixel_file),
        (write_lc(time=TIME + added), read_light_curve),
    ):
        inspection = inspect_file(path)
        assert inspection.product.state is ProductState.REJECTED
        assert inspection.product.reason.startswith("its times (about ")
        with pytest.raises(ProductRefusedError, match=words) as caught:
            read(inspection.product, inspection.content)
        assert caught.value.exit_code == 4


@pytest.mark.parametrize("stamp", [0.0, 1e5, -1e4, 1561.0, 2460000.0])
@pytest.mark.parametrize("flag", [0, 8])
def test_a_time_that_cannot_be_of_the_sector_is_not_used_and_moves_no_star(
    read_tpf: Any, stamp: float, flag: int
) -> None:
    time, quality = TIME.copy(), np.zeros(40, dtype=np.int32)
    time[7], quality[7], time[9] = stamp, flag, np.nan
    tpf = read_tpf(time=time, quality=quality)
    assert tpf.n_impossible_times == 1
    assert np.flatnonzero(np.isnan(tpf.time_btjd)).tolist() == [7, 9]
    assert np.flatnonzero(~tpf.used).tolist() == [7, 9]
    assert mid_year(tpf.time_btjd) == mid_year(TIME)
    provenance = pixel_file_provenance(tpf)
    assert (provenance["n_impossible_times"], provenance["n_nonfinite_time"]) == (1, 1)


def test_a_time_within_sixty_days_of_the_median_is_left_alone(read_tpf: Any) -> None:
    time = TIME.copy()
    time[-1] += 59.0
    tpf = read_tpf(time=time)
    assert (tpf.n_impossible_times, tpf.used.all()) == (0, True)


def test_light_curve_of_several_sectors_loses_none_of_them_but_a_stray_time(read_lc: Any) -> None:
    time = np.concatenate([TIME, TIME + 700.0, TIME[:25] + 1400.0])
    whole = read_lc(time=time)
    assert (whole.provenance.n_impossible_times, whole.used.all()) == (0, True)
    time[50] = 1e4
    curve = read_lc(time=time)
    assert (curve.provenance.n_impossible_times, curve.provenance.n_nonfinite_time) == (1, 0)
    assert np.flatnonzero(~curve.used).tolist() == [50]


def test_cadence_is_measured_between_sorted_times() -> None:
    shuffled = np.random.default_rng(3).permutation(TIME)
    for time in (shuffled, TIME[::-1]):
        assert measure_cadence_s(time) == pytest.approx(120.0)


def test_times_out_of_order_are_told_and_change_no_number(read_tpf: Any, read_lc: Any) -> None:
    order = np.random.default_rng(5).permutation(40)
    flux = np.random.default_rng(6).normal(1.0, 0.1, 40) + np.linspace(0.0, 50.0, 40)
    assert read_tpf().times_in_order
    tpf = read_tpf(time=TIME[order])
    assert (tpf.times_in_order, tpf.n_repeated_times) == (False, 0)
    assert tpf.used.all()
    sorted_curve = read_lc(time=TIME, columns={"PDCSAP_FLUX": flux})
    curve = read_lc(time=TIME[order], columns={"PDCSAP_FLUX": flux[order]})
    assert (sorted_curve.provenance.times_in_order, curve.provenance.times_in_order) == (True, False)
    assert "estimated from scatter" in curve.provenance.flux_err_source
    np.testing.assert_allclose(curve.flux_err, sorted_curve.flux_err, rtol=1e-6)


def test_repeated_times_in_order_are_not_called_out_of_order(read_tpf: Any) -> None:
    time = TIME.copy()
    time[7] = time[6]
    assert read_tpf(time=time).times_in_order
