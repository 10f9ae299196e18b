"""Numbers as readers see them: rounded to their error, with their unit, and an em dash with a reason when unknown."""

from __future__ import annotations

import math
from dataclasses import dataclass

from btv_report.rounding import decimals_for

EM_DASH = "—"
MINUS = "\u2212"
_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_LARGEST_PLAIN = 1e7
_SMALLEST_PLAIN = 1e-3
_SMALLEST_GROUPED = 9999.5
_SMALLEST_PROBABILITY = 1e-6


@dataclass(frozen=True)
class Quantity:
    """
    One number as text.

    Attributes
    ----------
    text : the rounded value, or an em dash
    error : the rounded 1-sigma error, empty when there is none
    unit : unit as printed after the number, empty when dimensionless
    reason : why the value is unknown; empty when it is known
    value : the number itself, for sorting; None when unknown or a text
    """

    text: str
    error: str = ""
    unit: str = ""
    reason: str = ""
    value: float | None = None


def unknown(reason: str) -> Quantity:
    """An em dash that says why."""
    return Quantity(EM_DASH, reason=reason)


def _signed(text: str) -> str:
    """Put a true minus sign, and none before a zero that only rounding made."""
    if not text.startswith("-"):
        return text
    return MINUS + text[1:] if text.strip("-0.") else text[1:]


def fixed(value: float, decimals: int) -> str:
    """`value` with a fixed number of decimals; a negative number rounds to tens, hundreds and so on."""
    return _signed(f"{round(value, decimals):.{max(decimals, 0)}f}")


def grouped(value: float, decimals: int) -> str:
    """As `fixed`; from 10,000 on with commas between thousands."""
    if abs(value) < _SMALLEST_GROUPED:
        return fixed(value, decimals)
    return _signed(f"{round(value, decimals):,.{max(decimals, 0)}f}")


def integer(value: int) -> str:
    """A count, with commas between thousands."""
    return _signed(f"{value:,d}")


def significant(value: float, digits: int = 4) -> str:
    """`value` with `digits` significant digits; powers of ten where plain digits would be unreadable."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= _LARGEST_PLAIN or size < _SMALLEST_PLAIN:
        return power_of_ten(value, digits)
    return grouped(value, max(digits - 1 - math.floor(math.log10(size)), 0))


def power_of_ten(value: float, digits: int = 2) -> str:
    """`value` as mantissa times a power of ten."""
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{_signed(mantissa)} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def probability(value: float) -> str:
    """
    A probability: three decimals, below 0.001 two digits and a power of ten, below a millionth only that.

    What is not certain never reads 1, and a tail that no data reach is no number.
    """
    if value < _SMALLEST_PROBABILITY:
        return "< 10⁻⁶"
    if 1 - _SMALLEST_PLAIN / 2 < value < 1:
        return "> 0.999"
    return power_of_ten(value) if 0 < value < _SMALLEST_PLAIN else fixed(value, 3)


def p_equals(value: float) -> str:
    """`p = 0.021` or `p < 10⁻⁶`, for a sentence."""
    text = probability(value)
    return f"p {text}" if text[0] in "<>" else f"p = {text}"


def exact(value: float) -> str:
    """A given number, such as a period, as it was given: up to ten significant digits and no more than are there."""
    return _signed(f"{value:.10g}")


def quantity(
    value: float | None,
    unit: str = "",
    *,
    error: float | None = None,
    digits: int = 4,
    decimals: int | None = None,
    reason: str = "not measured",
) -> Quantity:
    """
    Round a value to its error (two significant digits of the error), else to `decimals`, else to `digits`.

    A value that is None or not finite becomes an em dash with `reason`.
    """
    if value is None or not math.isfinite(value):
        return unknown(reason)
    if error is not None and math.isfinite(error) and error > 0:
        places = decimals_for(error)
        if max(abs(value), error) < _LARGEST_PLAIN and places <= 9:
            return Quantity(grouped(value, places), grouped(error, places), unit, value=float(value))
    if isinstance(value, int):
        return Quantity(integer(value), unit=unit, value=float(value))
    text = significant(value, digits) if decimals is None else grouped(value, decimals)
    return Quantity(text, unit=unit, value=float(value))
