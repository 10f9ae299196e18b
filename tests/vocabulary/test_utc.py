"""Moments as text: one form for all that is written, and several that are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from btv_report.utc import utc_moment, utc_now, utc_text

MOMENT = datetime(2026, 11, 21, 1, 45, 2, tzinfo=UTC)


def test_moment_of_any_zone_is_written_in_utc_to_the_second() -> None:
    elsewhere = MOMENT.replace(microsecond=900_000).astimezone(timezone(timedelta(hours=-5)))
    assert utc_text(elsewhere) == "2026-11-21T01:45:02Z"


@pytest.mark.parametrize(
    "text",
    ["2026-11-21T01:45:02Z", "2026-11-21T01:45:02+00:00", "2026-11-20T20:45:02-05:00", "2026-11-21 01:45:02"],
)
def test_moment_is_read_in_the_forms_that_are_met(text: str) -> None:
    assert utc_moment(text) == MOMENT


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z"])
def test_text_that_names_no_moment_names_none(text: str) -> None:
    assert utc_moment(text) is None


def test_clock_is_read_in_the_same_form() -> None:
    assert utc_text(utc_moment(utc_now()) or MOMENT) <= utc_now()
