"""
The rules of TESS time: BTJD = BJD(TDB) - 2457000, in days, float64.

lightkurve ignores BJDREFI and BJDREFF of light curves, so a file that counts from another day is silently read with wrong
times. Every file is held against these rules before its times are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BTJD_REFERENCE_DAYS = 2457000
JULIAN_YEAR_DAYS = 365.25
J2000_BTJD = 2451545.0 - BTJD_REFERENCE_DAYS


@dataclass(frozen=True)
class TimeReference:
    """
    What a file says of its own times; None where the file does not say.

    Attributes
    ----------
    timesys : str or None
        TIMESYS, such as `TDB`.
    bjdrefi : float or None
        Integer part of the reference day, BJDREFI.
    bjdreff : float or None
        Fraction of the reference day, BJDREFF; absent counts as 0 and is recorded as absent.
    timeunit : str or None
        TIMEUNIT, such as `d`.
    """

    timesys: str | None
    bjdrefi: float | None
    bjdreff: float | None
    timeunit: str | None

    def reason_not_btjd(self) -> str | None:
        """Say why these times are not BTJD in TDB days, or None when they are."""
        if self.bjdrefi is None:
            return "it does not state BJDREFI, so the zero point of its times is unknown"
        reference = self.bjdrefi + (self.bjdreff or 0.0)
        if reference != BTJD_REFERENCE_DAYS:
            mission = " (the Kepler zero point)" if reference == 2454833 else ""
            return f"its times count from BJD {reference:.10g}{mission}, not from {BTJD_REFERENCE_DAYS}"
        if self.timesys is None or self.timesys.upper() != "TDB":
            return f"its time scale is {self.timesys or 'not stated'}, not TDB"
        if self.timeunit is None or self.timeunit.lower() not in {"d", "day", "days"}:
            return f"its time unit is {self.timeunit or 'not stated'}, not days"
        return None


def time_reference(header: Mapping[str, Any]) -> TimeReference:
    """Read the time keywords of a FITS header (any mapping of keyword to value)."""

    def text(key: str) -> str | None:
        value = header.get(key)
        return value.strip() if isinstance(value, str) and value.strip() else None

    def number(key: str) -> float | None:
        value = header.get(key)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    return TimeReference(text("TIMESYS"), number("BJDREFI"), number("BJDREFF"), text("TIMEUNIT"))


def julian_year(time_btjd: float) -> float:
    """Julian year of a BTJD, such as 2024.7; used to move stars by their proper motion."""
    return 2000.0 + (time_btjd - J2000_BTJD) / JULIAN_YEAR_DAYS
