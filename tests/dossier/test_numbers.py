"""Numbers are rounded to their errors, and an unknown never looks like a number."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btv_report.dossier.numbers import EM_DASH, MINUS, exact, integer, power_of_ten, probability, quantity
from btv_report.rounding import decimals_for


@pytest.mark.parametrize(
    ("value", "error", "text", "error_text"),
    [
        (219.4, 64.2, "219", "64"),
        (2043.2, 141.7, "2040", "140"),
        (1.43, 3.12, "1.4", "3.1"),
        (4.83, 0.0524, "4.830", "0.052"),
        (-0.004, 0.12, "0.00", "0.12"),
        (-12.3, 0.996, f"{MINUS}12.3", "1.0"),
        (5.0, 0.0996, "5.00", "0.10"),
    ],
)
def test_value_is_rounded_to_two_digits_of_its_error(value: float, error: float, text: str, error_text: str) -> None:
    shown = quantity(value, "ppm", error=error)
    assert (shown.text, shown.error) == (text, error_text)


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_unknown_is_an_em_dash_with_a_reason(value: float | None) -> None:
    shown = quantity(value, "ppm", error=3.0, reason="the transit was dropped")
    assert (shown.text, shown.reason, shown.value) == (EM_DASH, "the transit was dropped", None)


@pytest.mark.parametrize("error", [0.0, -1.0, math.nan, math.inf])
def test_useless_error_is_not_shown(error: float) -> None:
    assert quantity(12.3456, error=error).error == ""


def test_given_numbers_keep_their_digits_and_lose_binary_noise() -> None:
    assert exact(14.2423724) == "14.2423724"
    assert exact(3540.263170000123) == "3540.26317"
    assert exact(2457000.0) == "2457000"


def test_small_probabilities_are_powers_of_ten_and_never_zero() -> None:
    assert probability(0.0208) == "0.021"
    assert probability(0.99972) == "> 0.999"
    assert probability(1.0) == "1.000"
    assert probability(3.1e-5) == "3.1 × 10⁻⁵"
    assert probability(3.1e-68) == "< 10⁻⁶"
    assert power_of_ten(-2.5e12) == f"{MINUS}2.5 × 10¹²"


def test_counts_have_commas() -> None:
    assert integer(17326) == "17,326"


@given(st.floats(-1e6, 1e6, allow_nan=False), st.floats(1e-6, 1e5))
def test_rounding_moves_no_value_by_more_than_half_a_last_digit(value: float, error: float) -> None:
    shown = quantity(value, error=error)
    back = float(shown.text.replace(MINUS, "-").replace(",", ""))
    assert abs(back - value) <= 0.5000001 * 10.0 ** -decimals_for(error) + 1e-9
    assert float(shown.error.replace(",", "")) == pytest.approx(error, rel=0.051)
