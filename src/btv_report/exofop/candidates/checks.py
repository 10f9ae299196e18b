"""What a row of a candidate table says held against itself, against other rows and against what an orbit allows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

from btv_report.ephemeris import HOURS_PER_DAY, LARGEST_EPOCH_BTJD
from btv_report.exofop.candidates.quantities import Measured
from btv_report.exofop.candidates.rows import (
    BJD_ZERO_POINTS,
    DEPTH_MMAG,
    DEPTH_PPM,
    DURATION,
    EPOCH,
    PERIOD,
    RADIUS,
    STAR_MASS,
    STAR_RADIUS,
    CandidateRow,
)
from btv_report.time_systems import BTJD_REFERENCE_DAYS, JULIAN_YEAR_DAYS

_MODIFIED_DAYS = range(40_000, 100_000)
_EARTH_TRANSIT_HOURS = 13.0
"""First to last contact of a central transit in an orbit of a year around the Sun."""
_LIKELY = (0.2, 1.5)
"""Of a central transit; 0.5 % of TOIs are shorter than an eighth of it, and 20 % of CTOIs shorter than a sixteenth."""
_LARGEST_DWARF_RSUN = 5.0
_HEAVIEST_GUESS_MSUN = 1.5
_SAME_PERIOD = 1e-4


def epoch_btjd(epoch: Measured) -> tuple[float | None, str]:
    """
    A row's epoch as BTJD and an empty text, or None and a sentence about why it is none.

    The difference is taken in decimals: no digit of the row is lost. What is in another scale than its column says is not
    guessed at.
    """
    zero = BJD_ZERO_POINTS.get(epoch.unit)
    if zero is None:
        stated = f"states {epoch.unit.upper()}, not BJD" if epoch.unit else "does not state its time scale"
        return None, f"The column of the epoch {stated}; scales differ by up to minutes, so that it was not converted."
    found = float(Decimal(repr(epoch.value)) + (zero - BTJD_REFERENCE_DAYS))
    if abs(found) <= LARGEST_EPOCH_BTJD:
        return found, ""
    guess = ""
    if abs(epoch.value) <= LARGEST_EPOCH_BTJD:
        guess = " It looks like a BTJD (BJD - 2457000), which is not what the column says."
    elif int(epoch.value) in _MODIFIED_DAYS:
        guess = " It looks like a modified or reduced Julian date, which is not what the column says."
    return None, f"The epoch, {epoch.value:.12g}, is no {epoch.unit.upper()}.{guess}"


def duration_doubt(row: CandidateRow) -> str:
    """
    A sentence where a duration can hardly be in its unit and would fit as days; else empty.

    Observers give days where the table says hours: of the CTOIs, every fifth. A transit that would be of likely length were it
    24 times longer, and so is at least 16 times shorter than a central one, is of doubtful unit. A central transit lasts
    13 h (P / yr)^(1/3) (rho / rho_sun)^(-1/3). A star's missing mass is taken to be its radius in solar units, at most 1.5; a
    giant without a mass is not judged.
    """
    period, duration = row.given.get(PERIOD.name), row.given.get(DURATION.name)
    if period is None or duration is None or period.value <= 0 or duration.value <= 0:
        return ""
    central_hours = _central_hours(period.value, row.given.get(STAR_RADIUS.name), row.given.get(STAR_MASS.name))
    as_days = HOURS_PER_DAY * duration.value
    if central_hours is None or not _LIKELY[0] * central_hours <= as_days <= _LIKELY[1] * central_hours:
        return ""
    return (
        f"The duration, {duration.value:.4g} h, is {central_hours / duration.value:.0f} times shorter than a central transit "
        f"in this orbit ({central_hours:.2g} h), and {duration.value:.4g} d would fit: its unit is in doubt. "
        "Give --period, --epoch and --duration to use the row."
    )


def depth_ppm(row: CandidateRow) -> float | None:
    """The depth in ppm as given, else from magnitudes; None when the row gives none above 0."""
    ppm, mmag = row.given.get(DEPTH_PPM.name), row.given.get(DEPTH_MMAG.name)
    if ppm is not None and ppm.value > 0:
        return ppm.value
    return ppm_of_mmag(mmag.value) if mmag is not None and mmag.value > 0 else None


def ppm_of_mmag(depth_mmag: float) -> float:
    """Depth as a fraction of the flux, from magnitudes: 1e6 (1 - 10^(-mmag / 2500)); -inf for what no star can brighten by."""
    try:
        return float(1e6 * (1.0 - 10.0 ** (-depth_mmag / 2500.0)))
    except OverflowError:
        return -math.inf


def depth_disagreement(row: CandidateRow) -> str:
    """A sentence where the two depths of a row differ by more than they are rounded; else empty."""
    ppm, mmag = row.given.get(DEPTH_PPM.name), row.given.get(DEPTH_MMAG.name)
    if ppm is None or mmag is None:
        return ""
    expected = ppm_of_mmag(mmag.value)
    rounding = ppm.rounding + abs(ppm_of_mmag(mmag.value + mmag.rounding) - expected)
    if abs(ppm.value - expected) <= 1.001 * rounding + 1e-9 * abs(expected):
        return ""
    return (
        f"{row.whose}: its depth of {ppm.value:.6g} ppm and its depth of {mmag.value:.6g} mmag, which is {expected:.6g} ppm, "
        "are not the same."
    )


def differences(one: CandidateRow, other: CandidateRow) -> str:
    """
    A sentence about what two rows on one candidate give differently, beyond their errors; empty when nothing.

    Where a value has no error, the rounding of what is written stands for it. Mid-times are compared at the later epoch.
    """
    clauses = []
    for quantity in (PERIOD, DURATION, DEPTH_PPM, RADIUS):
        mine, theirs = one.given.get(quantity.name), other.given.get(quantity.name)
        if mine is not None and theirs is not None and not mine.agrees_with(theirs):
            unit = quantity.unit_words
            clauses.append(f"{quantity.words} {mine.written(unit)} against {theirs.written(unit)}")
    if not any(clause.startswith(PERIOD.words) for clause in clauses):
        clauses += _mid_time_difference(one, other)
    if not clauses:
        return ""
    return f"{one.whose} and {other.whose} do not agree: {'; '.join(clauses)}."


def same_signal(one: CandidateRow, other: CandidateRow) -> bool:
    """Whether two rows predict the same transits: periods equal to a ten-thousandth, mid-times to half a duration."""
    mine, theirs = one.given.get(PERIOD.name), other.given.get(PERIOD.name)
    if mine is None or theirs is None or abs(mine.value - theirs.value) > _SAME_PERIOD * abs(mine.value):
        return False
    apart = _days_apart(one, other)
    durations = [row.given[DURATION.name].value for row in (one, other) if DURATION.name in row.given]
    return apart is not None and bool(durations) and abs(apart[0]) <= max(durations) / HOURS_PER_DAY / 2


def compare_sectors(exofop_sectors: Sequence[int], mast_sectors: Sequence[int]) -> str:
    """
    A sentence about sectors that only one of ExoFOP and MAST lists; empty when the lists are equal.

    ExoFOP's list may be shortened (`1,27,67` for a target observed in many more), so that a sector that is not in it says little.
    """
    exofop, mast = set(exofop_sectors), set(mast_sectors)
    parts = []
    if exofop - mast:
        parts.append(f"ExoFOP lists {_sector_words(exofop - mast)}, for which MAST has no product")
    if mast - exofop:
        listed = "not in ExoFOP's list, which may be shortened" if exofop else "not listed by ExoFOP, which lists none"
        verb = "is" if len(mast - exofop) == 1 else "are"
        parts.append(f"MAST has products of {_sector_words(mast - exofop)}, which {verb} {listed}")
    return f"{'; '.join(parts)}." if parts else ""


def _sector_words(sectors: set[int]) -> str:
    numbers = [str(sector) for sector in sorted(sectors)]
    if len(numbers) == 1:
        return f"sector {numbers[0]}"
    return f"sectors {', '.join(numbers[:-1])} and {numbers[-1]}"


def _central_hours(period_days: float, radius: Measured | None, mass: Measured | None) -> float | None:
    radius_rsun = radius.value if radius is not None and radius.value > 0 else 1.0
    if mass is not None and mass.value > 0:
        mass_msun = mass.value
    elif radius_rsun > _LARGEST_DWARF_RSUN:
        return None
    else:
        mass_msun = min(radius_rsun, _HEAVIEST_GUESS_MSUN)
    years = period_days / JULIAN_YEAR_DAYS
    return float(_EARTH_TRANSIT_HOURS * math.cbrt(years / mass_msun) * radius_rsun)


def _mid_time_difference(one: CandidateRow, other: CandidateRow) -> list[str]:
    apart = _days_apart(one, other)
    if apart is None:
        return []
    days, number = apart
    reach = one.given[EPOCH.name].reach + other.given[EPOCH.name].reach + abs(number) * one.given[PERIOD.name].reach
    return [f"mid-times {abs(days):.4g} d apart"] if abs(days) > 1.001 * reach else []


def _days_apart(one: CandidateRow, other: CandidateRow) -> tuple[float, int] | None:
    """Days from the nearest transit that the first row predicts to the second row's epoch, and that transit's number."""
    if EPOCH.name not in one.given or EPOCH.name not in other.given or PERIOD.name not in one.given:
        return None
    mine, _ = epoch_btjd(one.given[EPOCH.name])
    theirs, _ = epoch_btjd(other.given[EPOCH.name])
    period_days = one.given[PERIOD.name].value
    if mine is None or theirs is None or period_days <= 0 or not math.isfinite((theirs - mine) / period_days):
        return None
    number = round((theirs - mine) / period_days)
    return theirs - mine - number * period_days, number
