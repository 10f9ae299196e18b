"""Values and errors keep two digits of the error."""

from __future__ import annotations

import pytest

from btv_report.rounding import value_and_error


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (0.34, 0.3, "0.34 ± 0.30"),
        (1.0, 0.66, "1.00 ± 0.66"),
        (12.345, 0.0996, "12.35 ± 0.10"),
        (1345.4, 79.2, "1345 ± 79"),
        (12347.0, 758.0, "12350 ± 760"),
        (0.0, 3e-7, "0.00000000 ± 0.00000030"),
    ],
)
def test_value_and_error_end_at_the_same_digit(value: float, error: float, shown: str) -> None:
    assert value_and_error(value, error) == shown
