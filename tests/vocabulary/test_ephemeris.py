"""The ephemeris: units, refusals, transit numbers."""

from __future__ import annotations

import math

import pytest

from btv_report.ephemeris import Ephemeris, ephemeris_from_options
from btv_report.errors import UsageError


def test_duration_is_in_hours_and_period_in_days() -> None:
    ephemeris = Ephemeris(10.0, 3540.0, 6.0)
    assert ephemeris.duration_days == 0.25
    assert ephemeris.mid_btjd(3) == 3570.0


def test_transit_numbers_between_two_times_include_both_ends() -> None:
    ephemeris = Ephemeris(10.0, 3540.0, 6.0)
    assert list(ephemeris.numbers_between(3540.0, 3560.0)) == [0, 1, 2]
    assert list(ephemeris.numbers_between(3540.1, 3549.9)) == []
    assert list(ephemeris.numbers_between(3519.0, 3531.0)) == [-2, -1]


@pytest.mark.parametrize(
    ("period", "epoch", "duration", "word"),
    [
        (0.0, 1.0, 1.0, "period"),
        (-3.0, 1.0, 1.0, "period"),
        (1e300, 1.0, 1.0, "longer than 1,000,000 d"),
        (1.1e6, 1.0, 1.0, "longer than 1,000,000 d"),
        (1e300, 1e300, 1e300, "period"),
        (10**400, 1.0, 1.0, "period"),
        (3.0, 10**400, 1.0, "epoch"),
        (3.0, 1e300, 1.0, "BTJD"),
        (3.0, 1.0, 10**400, "duration"),
        (3.0, 1.0, 1e300, "not shorter than its period"),
        (3.0, 1.0, math.nan, "duration"),
        (3.0, 1.0, 0.005, "20 s"),
        (3.0, 1.0, 5e-324, "20 s"),
        (3.0, 1.0, 0.0, "duration"),
        (3.0, 1.0, -1.0, "duration"),
        (math.nan, 1.0, 1.0, "period"),
        (3.0, math.inf, 1.0, "epoch"),
        (0.5, 1.0, 12.0, "duration"),
        (3.0, 2460540.26317, 1.0, "BTJD"),
        (3.0, 60539.76, 1.0, "BTJD"),
    ],
)
def test_values_no_transit_can_have_are_refused_in_a_sentence(
    period: float, epoch: float, duration: float, word: str
) -> None:
    with pytest.raises(UsageError, match=word) as caught:
        Ephemeris(period, epoch, duration)
    assert caught.value.exit_code == 2
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("period", "epoch", "duration"), [(1e6, 1712.6, 20 / 3600), (0.01, -36525.0, 0.01), (1e6, 36525.0, 2e7)]
)
def test_transits_of_the_most_extreme_ephemerides_can_be_counted(period: float, epoch: float, duration: float) -> None:
    ephemeris = Ephemeris(period, epoch, duration)
    assert all(1712.0 <= ephemeris.mid_btjd(number) <= 1740.0 for number in ephemeris.numbers_between(1712.0, 1740.0))


@pytest.mark.parametrize(
    ("values", "missing"),
    [((3.0, None, None), "--epoch and --duration"), ((3.0, 1.0, None), "--duration"), ((None, 1.0, 2.0), "--period")],
)
def test_half_an_ephemeris_names_what_is_missing(
    values: tuple[float | None, float | None, float | None], missing: str
) -> None:
    with pytest.raises(UsageError, match=missing):
        ephemeris_from_options(*values)


def test_no_option_is_no_ephemeris_and_zero_is_not_no_option() -> None:
    assert ephemeris_from_options(None, None, None) is None
    with pytest.raises(UsageError, match="period"):
        ephemeris_from_options(0.0, 1.0, 1.0)


def test_f108_duration_in_another_unit_than_hours_is_refused_with_the_unit() -> None:
    """A duration of 4.046 h in minutes on a period of 3 d: longer than the orbit."""
    with pytest.raises(UsageError, match="--duration is in hours, --period in days"):
        Ephemeris(3.0, 2000.0, 4.046 * 60)
    with pytest.raises(UsageError, match="BTJD is BJD"):
        Ephemeris(3.0, 2460322.358, 4.046)
