"""Our fit of SPOC's difference images, held against injected truth and against SPOC on the real files."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from btv_report.checks.dv_images import DvStamp, choose_dv_prf, fit_dv_image, local_sky, saturated_target
from btv_report.checks.prf import GaussianPrf

StarImage = Callable[..., np.ndarray]
PRF = GaussianPrf((11, 11), 0.75, 0.75)
TARGET = (5.2, 5.4)


@pytest.fixture
def stamp(star_image: StarImage) -> DvStamp:
    errors = np.full((11, 11), 20.0)
    return DvStamp(
        control=star_image(*TARGET, 1e6) + 1000.0,
        control_err=errors,
        difference=star_image(6.0, 4.9, 1e4),
        difference_err=errors,
        target_row=TARGET[0],
        target_column=TARGET[1],
        sky=None,
        tmag=9.4,
    )


def with_noise(stamp: DvStamp, seed: int, scale: float = 1.0) -> DvStamp:
    noise = np.random.default_rng(seed).normal(0.0, 20.0 * scale, (11, 11))
    return replace(stamp, difference=stamp.difference + noise)


def test_finds_the_injected_source_by_row_and_column(stamp: DvStamp) -> None:
    fit = fit_dv_image(stamp, PRF)
    assert fit is not None
    assert (fit.row, fit.column) == pytest.approx((6.0, 4.9), abs=0.002)
    assert fit.quality > 0.999
    assert (fit.status, fit.reason, fit.flags) == ("ok", "", ("PRF_GAUSSIAN",))


def test_a_constant_background_and_the_unit_of_the_flux_change_nothing(stamp: DvStamp) -> None:
    plain = fit_dv_image(with_noise(stamp, 1), PRF)
    noisy = with_noise(stamp, 1)
    scaled = replace(noisy, difference=(noisy.difference + 500.0) * 1e-9, difference_err=noisy.difference_err * 1e-9)
    other = fit_dv_image(scaled, PRF)
    assert plain is not None
    assert other is not None
    assert (other.row, other.column, other.snr) == pytest.approx((plain.row, plain.column, plain.snr), rel=1e-6)


def test_errors_hold_the_truth_as_often_as_they_say(stamp: DvStamp) -> None:
    pulls = []
    for seed in range(60):
        fit = fit_dv_image(with_noise(stamp, seed, scale=10.0), PRF)
        assert fit is not None
        pulls += [(fit.row - 6.0) / fit.row_err, (fit.column - 4.9) / fit.column_err]
    # Noise ten times what the errors say: the reduced chi-squared has to scale them.
    assert 0.8 < float(np.std(pulls)) < 1.25


def test_pixels_without_value_or_error_are_left_out(stamp: DvStamp) -> None:
    difference, errors = stamp.difference.copy(), stamp.difference_err.copy()
    difference[0, 0], errors[1, 1], errors[2, 2] = np.nan, np.nan, 0.0
    difference[1, 1] = difference[2, 2] = 1e9
    fit = fit_dv_image(replace(stamp, difference=difference, difference_err=errors), PRF)
    assert fit is not None
    assert (fit.row, fit.column) == pytest.approx((6.0, 4.9), abs=0.002)


def test_an_image_without_light_missing_has_no_fit(stamp: DvStamp) -> None:
    assert fit_dv_image(replace(stamp, difference=np.zeros((11, 11))), PRF) is None
    few = np.where(np.arange(121).reshape(11, 11) < 5, stamp.difference, np.nan)
    assert fit_dv_image(replace(stamp, difference=few), PRF) is None


def test_a_weak_source_is_shown_and_not_judged(stamp: DvStamp, star_image: StarImage) -> None:
    weak = with_noise(replace(stamp, difference=star_image(5.2, 5.4, 60.0)), 3)
    fit = fit_dv_image(weak, PRF)
    assert fit is not None
    assert fit.status == "not_run"
    assert "LOW_SNR" in fit.flags


def test_offset_on_the_sky_takes_the_scale_of_the_place(stamp: DvStamp) -> None:
    distance = math.hypot(6.0 - 5.2, 4.9 - 5.4)
    nominal = fit_dv_image(stamp, PRF)
    turned = fit_dv_image(replace(stamp, sky=complex(0.0, 19.5)), PRF)
    assert nominal is not None
    assert turned is not None
    assert nominal.nominal_scale
    assert nominal.tic_offset_arcsec == pytest.approx(21.0 * distance, rel=0.005)
    assert turned.tic_offset_arcsec == pytest.approx(19.5 * distance, rel=0.005)


def test_local_sky_is_the_similarity_of_the_pairs() -> None:
    scale = 20.5 * complex(math.cos(1.1), math.sin(1.1))
    pairs = [(pixels, scale * pixels) for pixels in (complex(0.3, -0.1), complex(-0.05, 0.2))]
    assert local_sky(pairs) == pytest.approx(scale)
    assert local_sky([(complex(0.001, 0.0), complex(0.02, 0.0))]) is None
    assert local_sky([(complex(0.3, 0.1), complex(0.3, 0.1))]) is None


def test_a_mirrored_sky_is_not_taken_for_a_turned_one() -> None:
    pairs = [(p, 20.5 * p.conjugate()) for p in (complex(0.3, 0.0), complex(0.0, 0.3))]
    assert local_sky(pairs) is None


def test_a_flat_topped_star_is_not_judged(stamp: DvStamp, star_image: StarImage) -> None:
    bled = np.minimum(star_image(5.2, 5.4, 4e6, 1.2), 2e5) - 3000.0
    bled[3:8, 5] = 2e5
    saturated = replace(stamp, control=bled, tmag=5.3)
    assert saturated_target(saturated)
    assert not saturated_target(stamp)
    prf = choose_dv_prf(saturated, [])
    assert prf is not None
    fit = fit_dv_image(saturated, prf)
    assert fit is not None
    assert (fit.status, fit.flags[0]) == ("not_run", "SATURATED")
    assert (fit.row, fit.column) == pytest.approx((6.0, 4.9), abs=0.1)


def test_the_point_response_that_describes_the_control_image_is_chosen(stamp: DvStamp) -> None:
    wide, narrow = GaussianPrf((11, 11), 1.1, 1.1), GaussianPrf((11, 11), 0.5, 0.5)
    assert choose_dv_prf(stamp, [wide, PRF, narrow]) is PRF
    fitted = choose_dv_prf(stamp, [])
    assert isinstance(fitted, GaussianPrf)
    assert (fitted.sigma_row, fitted.sigma_column) == pytest.approx((0.75, 0.75), abs=0.01)


def test_a_control_image_without_a_star_gives_no_gaussian(stamp: DvStamp) -> None:
    assert choose_dv_prf(replace(stamp, control=np.full((11, 11), np.nan)), []) is None
