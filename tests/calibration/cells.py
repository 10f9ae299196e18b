"""Cells of truth tables, for tests."""

from __future__ import annotations

from btv_report.calibration.table import Rate, Row


def rate(row: Row, name: str) -> Rate:
    """The rate in a cell, which must be one."""
    value = row.values[name]
    assert isinstance(value, Rate)
    return value
