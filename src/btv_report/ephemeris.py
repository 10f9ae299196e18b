"""Period, epoch and duration of a transit, always together and with their units."""

from __future__ import annotations

import math
from dataclasses import dataclass

from btv_report.errors import UsageError

HOURS_PER_DAY = 24.0
LARGEST_EPOCH_BTJD = 36525.0
SHORTEST_PERIOD_DAYS = 0.01


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
    UsageError
        If a value is not finite, period or duration is not positive, the epoch is a full Julian date, or the duration is not
        shorter than the period.
    """

    period_days: float
    epoch_btjd: float
    duration_hours: float
    name: str = "user"
    source: str = "user"

    def __post_init__(self) -> None:
        """Refuse values no transit can have."""
        for label, value in (
            ("period", self.period_days),
            ("epoch", self.epoch_btjd),
            ("duration", self.duration_hours),
        ):
            if not math.isfinite(value):
                raise UsageError(f"The {label} of candidate {self.name} is not a finite number ({value}).")
        if self.period_days <= 0:
            raise UsageError(
                f"The period of candidate {self.name} is {self.period_days:g} d; a period is positive.",
                hint="Give --period in days.",
            )
        if self.period_days < SHORTEST_PERIOD_DAYS:
            raise UsageError(
                f"The period of candidate {self.name} is {self.period_days:g} d: no body orbits a star in less than "
                f"{SHORTEST_PERIOD_DAYS:g} d.",
                hint="Give --period in days.",
            )
        if self.duration_hours <= 0:
            raise UsageError(
                f"The duration of candidate {self.name} is {self.duration_hours:g} h; a duration is positive.",
                hint="Give --duration in hours.",
            )
        if abs(self.epoch_btjd) > LARGEST_EPOCH_BTJD:
            raise UsageError(
                f"The epoch of candidate {self.name} ({self.epoch_btjd:.10g}) is no BTJD: TESS observes at BTJD 1300 and later, "
                f"and {LARGEST_EPOCH_BTJD:g} is a century.",
                hint="BTJD is BJD (TDB) minus 2457000: subtract 2457000 from a full BJD, 56999.5 from an MJD.",
            )
        if self.duration_days >= self.period_days:
            raise UsageError(
                f"The duration of candidate {self.name} ({self.duration_hours:g} h) is not shorter than its period "
                f"({self.period_days:g} d).",
                hint="--duration is in hours, --period in days.",
            )

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
