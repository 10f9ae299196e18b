"""How many digits a number with an error is shown with."""

from __future__ import annotations

import math


def decimals_for(error: float) -> int:
    """Decimals at which `error` (> 0) keeps two significant digits; negative: rounded to tens, hundreds ..."""
    decimals = 1 - math.floor(math.log10(error))
    # 0.0996 rounds up to 0.10: one decimal fewer still shows two digits.
    rounded = round(error, decimals)
    return 1 - math.floor(math.log10(rounded)) if rounded > 0 else decimals


def value_and_error(value: float, error: float) -> str:
    """`1.00 ± 0.66`: both with two significant digits of the error (> 0)."""
    decimals = decimals_for(error)
    shown = (f"{round(number, decimals):.{max(decimals, 0)}f}" for number in (value, error))
    return " ± ".join(shown)
