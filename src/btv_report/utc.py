"""Moments as they stand in records, manifests and caches: UTC, ISO 8601, to the second, such as `2026-11-21T01:45:02Z`."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> str:
    """The clock's time."""
    return utc_text(datetime.now(UTC))


def utc_text(moment: datetime) -> str:
    """A moment, which knows its zone, as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_moment(text: str) -> datetime | None:
    """The moment that a text names, one without a zone being UTC; None where it names none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
