"""Single cells: numbers, whole numbers, blanks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btv_report.exofop.tables.cells import begins_with_date, number, text_or_none, whole_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (".386554", 0.386554),
        ("-.5", -0.5),
        ("+7", 7.0),
        ("5.", 5.0),
        (" 2460322.358008 ", 2460322.358008),
        ("12.640999999999998", 12.640999999999998),
        ("7.7233494e-07", 7.7233494e-07),
        ("1E3", 1000.0),
    ],
)
def test_numbers_need_no_leading_zero(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    "text", ["", " ", "None", "nan", "NaN", "null", "inf", "1e999", "1,2", "1_0", "٣", "0x10", "--", None]
)
def test_what_is_no_number_is_none(text: str | None) -> None:
    assert number(text) is None


@pytest.mark.parametrize("text", ["0", "0.0", "0.000000"])
def test_f039_a_zero_is_told_from_a_blank(text: str) -> None:
    assert number(text) == 0.0


@pytest.mark.parametrize("text", ["None", "nan", "NaN", "null", "", "  ", None])
def test_f038_words_for_nothing_are_blank(text: str | None) -> None:
    assert text_or_none(text) is None


def test_f038_words_that_only_begin_so_are_words() -> None:
    assert [text_or_none(text) for text in (" Nonesuch ", "nanotube", "None found")] == [
        "Nonesuch",
        "nanotube",
        "None found",
    ]


@settings(max_examples=300, derandomize=True)
@given(st.integers(0, 10**18 - 1))
def test_f046_whole_numbers_keep_every_digit(value: int) -> None:
    assert whole_number(str(value)) == whole_number(f" {value}.0 ") == value


@pytest.mark.parametrize("text", ["", "-1", "1.5", "1e3", "1" * 19, "²", "٣", "1 2", None])
def test_other_texts_are_no_whole_numbers(text: str | None) -> None:
    assert whole_number(text) is None


@settings(max_examples=300, derandomize=True)
@given(st.text())
def test_no_text_breaks_a_cell(text: str) -> None:
    value = number(text)
    assert value is None or abs(value) < float("inf")
    whole_number(text)
    begins_with_date(text)
