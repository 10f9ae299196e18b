"""Period, epoch and duration of a transit, always together and with their units."""

from __future__ import annotations

import math
from dataclasses import dataclass

from btv_report.errors import EphemerisError, UsageError

HOURS_PER_DAY = 24.0
LARGEST_EPOCH_BTJD = 36525.0
SHORTEST_PERIOD_DAYS = 0.01
LONGEST_PERIOD_DAYS = 1e6
"""Up to here times are exact to 1e-10 d; far beyond, a period swallows the times that are added to it."""
SHORTEST_DURATION_HOURS = 20 / 3600
"""The shortest cadence of TESS."""


@dataclass(frozen=True)
class Ephemeris:
    """
    A linear transit ephemeris.

    Attributes
    ----------
    period_days : float
        Orbital period, days.
    epoch_btjd : float
        Mid-transit time of transit number 0, BTJD (BJD in TDB minus 2457000).
    duration_hours : float
        First to last contact, hours.
    name : str
        `user`, or the candidate's name such as `1262.01`.
    source : str
        `user`, `exofop_toi`, `exofop_ctoi` or `exofop_planet`.

    Raises
    ------
    EphemerisError
        (a UsageError and a ValueError) If a value is not finite, the period is shorter than a hundredth of a day or longer than
        a million days, the epoch is no BTJD but a full Julian date or the like, or the duration is shorter than 20 s or not
        shorter than the period.
    """

    period_days: float
    epoch_btjd: float
    duration_hours: float
    name: str = "user"
    source: str = "user"

    def __post_init__(self) -> None:
        """Refuse values no transit can have."""
        whose = f"of candidate {self.name}"
        _refuse_unbounded(f"The period {whose}", self.period_days)
        _refuse_unbounded(f"The epoch {whose}", self.epoch_btjd)
        _refuse_unbounded(f"The duration {whose}", self.duration_hours)
        _refuse_period(f"The period {whose}", self.period_days)
        _refuse_epoch(f"The epoch {whose}", self.epoch_btjd)
        _refuse_duration(f"The duration {whose}", self.duration_hours, self.period_days)

    @property
    def duration_days(self) -> float:
        """First to last contact, days."""
        return self.duration_hours / HOURS_PER_DAY

    def mid_btjd(self, number: int) -> float:
        """Predicted mid-transit time of transit `number`, BTJD."""
        return self.epoch_btjd + number * self.period_days

    def numbers_between(self, first_btjd: float, last_btjd: float) -> range:
        """Transit numbers whose predicted mid-times lie in [first_btjd, last_btjd]."""
        first = math.ceil((first_btjd - self.epoch_btjd) / self.period_days)
        last = math.floor((last_btjd - self.epoch_btjd) / self.period_days)
        return range(first, last + 1)


def _refuse_unbounded(what: str, value: float) -> None:
    """Refuse NaN, infinity, and a whole number that is too large for a float."""
    try:
        number = float(value)
    except OverflowError as error:
        raise EphemerisError(f"{what} is a number of more than 300 digits.") from error
    if not math.isfinite(number):
        raise EphemerisError(f"{what} is not a finite number ({number}).")


def _refuse_period(what: str, days: float) -> None:
    """Refuse a period that no orbit has, or that no clock of ours can count."""
    hint = "Give --period in days."
    if days <= 0:
        raise EphemerisError(f"{what} is {days:g} d; a period is positive.", hint=hint)
    if days < SHORTEST_PERIOD_DAYS:
        why = f"no body orbits a star in less than {SHORTEST_PERIOD_DAYS:g} d"
        raise EphemerisError(f"{what} is {days:g} d: {why}.", hint=hint)
    if days > LONGEST_PERIOD_DAYS:
        raise EphemerisError(
            f"{what} is {days:g} d, longer than {LONGEST_PERIOD_DAYS:,.0f} d.",
            hint=f"{hint} For a single transit, any period that is longer than the observations will do, such as 10000.",
        )


def _refuse_epoch(what: str, epoch_btjd: float) -> None:
    """Refuse a time that is no BTJD."""
    if abs(epoch_btjd) > LARGEST_EPOCH_BTJD:
        raise EphemerisError(
            f"{what} ({epoch_btjd:.10g}) is no BTJD: TESS observes at BTJD 1300 and later, and {LARGEST_EPOCH_BTJD:g} is a "
            "century.",
            hint="BTJD is BJD (TDB) minus 2457000: subtract 2457000 from a full BJD, 56999.5 from an MJD.",
        )


def _refuse_duration(what: str, hours: float, period_days: float) -> None:
    """Refuse a duration that no cadence can see, or that fills the orbit."""
    hint = "Give --duration in hours."
    if hours <= 0:
        raise EphemerisError(f"{what} is {hours:g} h; a duration is positive.", hint=hint)
    if hours < SHORTEST_DURATION_HOURS:
        raise EphemerisError(f"{what} is {hours:g} h, shorter than the shortest cadence of TESS (20 s).", hint=hint)
    if hours / HOURS_PER_DAY >= period_days:
        raise EphemerisError(
            f"{what} ({hours:g} h) is not shorter than its period ({period_days:g} d).",
            hint="--duration is in hours, --period in days.",
        )


def ephemeris_from_options(
    period_days: float | None, epoch_btjd: float | None, duration_hours: float | None
) -> Ephemeris | None:
    """
    The user's ephemeris, or None when none of the three values is given.

    Raises
    ------
    UsageError
        If only some of the three are given, or a value cannot be.
    """
    given = {"--period": period_days, "--epoch": epoch_btjd, "--duration": duration_hours}
    missing = [name for name, value in given.items() if value is None]
    if len(missing) == len(given):
        return None
    if missing:
        raise UsageError(
            f"Half an ephemeris: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing.",
            hint="Give --period (days), --epoch (BTJD) and --duration (hours) together, or none of them.",
        )
    return Ephemeris(float(period_days or 0.0), float(epoch_btjd or 0.0), float(duration_hours or 0.0))
