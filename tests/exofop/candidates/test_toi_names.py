"""Names and numbers of rows: one spelling for each."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btv_report.exofop.candidates.rows import sector_list, tic_number, toi_name


@settings(max_examples=300, deadline=None, derandomize=True)
@given(whole=st.integers(100, 99_999), planet=st.integers(1, 99), prefix=st.sampled_from(["", "TOI ", "TOI-", "toi"]))
def test_a_toi_survives_its_prefix_and_the_way_through_a_float(whole: int, planet: int, prefix: str) -> None:
    name = f"{whole}.{planet:02d}"
    assert toi_name(prefix + name) == name
    assert toi_name(prefix + repr(float(name))) == name
    assert toi_name(prefix + f"{float(name):.13f}") == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1262.1", "1262.10"),
        ("1.010", "1.01"),
        ("TOI 01262.01", "1262.01"),
        ("365938305.01", "365938305.01"),
    ],
)
def test_other_forms_of_a_number_are_read(text: str, name: str) -> None:
    assert toi_name(text) == name


@pytest.mark.parametrize(
    "text", ["", "TOI", "1262", "1262.015", "1262.01.02", "HD 104654 b", "١٢٦٢.01", "9" * 40, "1.9999999"]
)
def test_what_is_no_toi_is_none(text: str) -> None:
    assert toi_name(text) is None


def test_f045_tic_numbers_of_every_length_are_exact() -> None:
    for digits in range(1, 12):
        number = int("9876543210123"[:digits])
        assert tic_number(f"TIC {number}") == tic_number(str(number)) == tic_number(f"{number}.0") == number
    assert tic_number("TIC") is None
    assert tic_number("3.5") is None


@pytest.mark.parametrize(
    ("text", "sectors"),
    [
        ("14,20,21", (14, 20, 21)),
        ("21 14", (14, 21)),
        ("7", (7,)),
        ("14,14", (14,)),
        ("", None),
        ("1-13", None),
        ("0", None),
    ],
)
def test_sectors_are_numbers_in_order_or_nothing(text: str, sectors: tuple[int, ...] | None) -> None:
    assert sector_list(text) == sectors
