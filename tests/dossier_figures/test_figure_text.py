"""Numbers rounded to their errors, slugs, safe text and CSV cells."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btv_report.dossier.figures.svg import num, path_data
from btv_report.dossier.figures.text import csv_text, fixed, plain_text, significant, slug, with_error
from btv_report.dossier.figures.ticks import nice_ticks, tick_labels


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (219.4, 64.2, "219 ± 64"),
        (1234.0, 456.0, "1230 ± 460"),
        (0.04502, 0.0123, "0.045 ± 0.012"),
        (-3.21, 0.996, "−3.2 ± 1.0"),
        (5.0, 0.0, "5.000"),
        (5.0, math.nan, "5.000"),
        (math.nan, 1.0, "—"),
        (None, None, "—"),
        (-0.0001, 0.2, "0.00 ± 0.20"),
    ],
)
def test_a_value_is_rounded_to_two_digits_of_its_error(value: float | None, error: float | None, text: str) -> None:
    assert with_error(value, error) == text


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (1234.5, "1234"), (0.000512, "0.000512"), (-20.4, "−20.4")])
def test_a_value_without_error_has_three_digits(value: float, text: str) -> None:
    assert significant(value) == text


def test_minus_is_a_minus_sign_and_zero_has_none() -> None:
    assert fixed(-1.5, 1) == "−1.5"
    assert fixed(-0.004, 2) == "0.00"


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0, 10, ["0", "2", "4", "6", "8", "10"]),
        (-17.35, 17.35, ["−10", "0", "10"]),
        (3538.6, 3564.4, ["3540", "3545", "3550", "3555", "3560"]),
        (-0.0043, 0.0043, ["−0.004", "−0.002", "0", "0.002", "0.004"]),
        (0.9, 1.6, ["1.0", "1.2", "1.4", "1.6"]),
    ],
)
def test_ticks_are_round_and_labelled_with_the_decimals_they_need(low: float, high: float, labels: list[str]) -> None:
    assert tick_labels(nice_ticks(low, high, 6 if low > 3000 else 5)) == labels


@pytest.mark.parametrize(
    ("ticks", "labels"),
    [
        ([-2e5, 0.0, 2e5], ["−200k", "0", "200k"]),
        ([5e4, 1e5], ["50k", "100k"]),
        ([0.0, 2.5e8], ["0", "250M"]),
        ([0.0, 99999.0], ["0", "99,999"]),
    ],
)
def test_long_tick_labels_are_in_thousands_or_millions(ticks: list[float], labels: list[str]) -> None:
    assert tick_labels(ticks) == labels


@pytest.mark.parametrize(("value", "text"), [(0.5, ".5"), (-0.5, "-.5"), (-0.04, "0"), (10.0, "10"), (100.04, "100")])
def test_coordinates_are_short(value: float, text: str) -> None:
    assert num(value) == text


def test_relative_moves_add_up_to_the_last_point() -> None:
    rng = np.random.default_rng(1)
    points = [(float(x), float(y)) for x, y in rng.uniform(0, 300, (500, 2))]
    data = path_data(points)
    numbers = data[1:].replace("l", " ").replace("-", " -").split()
    total = np.array([float(n) for n in numbers]).reshape(-1, 2).sum(axis=0)
    np.testing.assert_allclose(total, np.round(points[-1], 1), atol=1e-6)


@pytest.mark.parametrize("name", ["user", "1262.01", "toi"])
def test_ordinary_names_give_plain_slugs(name: str) -> None:
    assert slug(name) == name.replace(".", "-")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_f123_slugs_are_safe_and_differ_for_different_names(one: str, other: str) -> None:
    for name in (one, other):
        assert set(slug(name)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert slug(name)
    if one != other:
        assert slug(one) != slug(other)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", ' =cmd|" /C calc"!A0'])
def test_f128_text_cells_are_no_formulas(text: str) -> None:
    (cell,) = next(csv.reader(io.StringIO(csv_text([text], []))))
    assert cell.startswith("'")


def test_csv_keeps_numbers_whole_and_gaps_empty() -> None:
    text = csv_text(["a (px)", "b, c"], [(1, np.float32(0.1)), (-2.5, np.float32(np.nan)), (None, "x,y")])
    assert text == 'a (px),"b, c"\n1,0.1\n-2.5,\n,"x,y"\n'


def test_f130_control_and_direction_characters_become_visible() -> None:
    assert plain_text("a\u202eb\x00c\ud800d\u200be\n f") == "a\ufffdb\ufffdc\ufffdd\ufffde f"
    assert len(plain_text("z" * 10_000_000)) == 120
