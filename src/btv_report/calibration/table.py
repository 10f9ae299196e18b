"""What a truth table is: rows of counts and measurements, each held against what was asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CONFIDENCE = 0.95
FEW_TRIALS = 50
"""Fewer do not judge a rate by its value alone: two in a hundred cannot be seen in a dozen."""


@dataclass(frozen=True)
class Rate:
    """`count` of `total` trials; its interval is Clopper and Pearson's (1934, Biometrika 26, 404), two-sided."""

    count: int
    total: int

    @property
    def value(self) -> float | None:
        """The fraction, None without a trial."""
        return self.count / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float]:
        """Bounds that hold the true fraction at 95 % confidence."""
        from scipy.stats import beta

        tail = (1 - CONFIDENCE) / 2
        low = float(beta.ppf(tail, self.count, self.total - self.count + 1)) if self.count else 0.0
        high = float(beta.ppf(1 - tail, self.count + 1, self.total - self.count)) if self.count < self.total else 1.0
        return low, high

    @property
    def upper_bound(self) -> float:
        """The one-sided upper bound at 95 % confidence: what a promise of "at most" is held against."""
        from scipy.stats import beta

        return float(beta.ppf(CONFIDENCE, self.count + 1, self.total - self.count)) if self.count < self.total else 1.0

    @property
    def lower_bound(self) -> float:
        """The one-sided lower bound at 95 % confidence."""
        from scipy.stats import beta

        return float(beta.ppf(1 - CONFIDENCE, self.count, self.total - self.count + 1)) if self.count else 0.0

    def at_most(self, asked: float) -> bool | None:
        """Whether the rate is as low as asked; few trials decide only where their bound does, else None."""
        if self.value is None:
            return None
        if self.total < FEW_TRIALS:
            return False if self.lower_bound > asked else True if self.upper_bound <= asked else None
        return self.value <= asked

    def at_least(self, asked: float) -> bool | None:
        """Whether the rate is as high as asked; few trials decide only where their bound does, else None."""
        fails = Rate(self.total - self.count, self.total)
        return fails.at_most(1 - asked)


@dataclass(frozen=True)
class Column:
    """A column of a table: a stable name, a heading for readers, the unit (empty for words and rates)."""

    name: str
    heading: str
    unit: str = ""


Value = Rate | float | int | str | None
"""A cell; None where it was not measured."""


@dataclass(frozen=True)
class Row:
    """
    One row.

    Attributes
    ----------
    values : column name -> Value
    met : whether the row reaches what was asked of it; None where nothing was asked of this row
    """

    values: Mapping[str, Value]
    met: bool | None = None


@dataclass(frozen=True)
class Table:
    """
    One truth table.

    Attributes
    ----------
    key : stable name, such as `false-alarms`
    title : heading
    asked : what was asked, a sentence; empty where the table only shows what a reader may expect
    method : how it was measured, for somebody who would repeat it
    columns, rows : the numbers; no row that was measured is left out
    missing : why there are no rows, empty when there are
    notes : what a reader should know: sources, limits, what surprised
    samples : further values by name, for figures (JSON values)
    """

    key: str
    title: str
    asked: str
    method: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    missing: str = ""
    notes: tuple[str, ...] = ()
    samples: Mapping[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether every row reaches what was asked; None where nothing was measured."""
        asked = [row.met for row in self.rows if row.met is not None]
        return all(asked) if asked else None
