"""What a check says: a verdict, a sentence, numbers with units, and what is needed to draw it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """Outcome of a check; never a disposition of the candidate."""

    PASS = "pass"  # noqa: S105 - a word, not a secret
    WARN = "warn"
    FAIL = "fail"
    NOT_RUN = "not_run"


@dataclass(frozen=True)
class Metric:
    """One measured number and its unit; refuses anything that is not finite, because what was not measured is absent."""

    value: float | int
    unit: str

    def __post_init__(self) -> None:
        """Refuse NaN and infinity."""
        if not math.isfinite(self.value):
            raise ValueError(f"a metric must be finite, not {self.value}")


@dataclass(frozen=True)
class CheckResult:
    """
    The outcome of one check for one candidate, in one sector or combined over sectors.

    Attributes
    ----------
    check_id : `V08`, `V09`, `V10` or `V20`
    candidate : name of the ephemeris
    sector : sector number, or None for the combination of all sectors
    verdict : Verdict
    summary : the finding as a sentence for readers
    reason : why the check was not run; None otherwise
    metrics : metric name (see `contracts`) to Metric
    flags : stable upper-case words such as `LOW_TRANSITS`
    thresholds : threshold name to {"value", "source"}: the ones this verdict was held against
    parameters : what the check was run with (JSON values)
    method_version : changes whenever a number could
    details : JSON values and, under `plot_data`, float32 or bool stamps by name
    """

    check_id: str
    candidate: str
    sector: int | None
    verdict: Verdict
    summary: str
    reason: str | None = None
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    thresholds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    method_version: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TransitRow:
    """
    One predicted transit in one sector: kept, or dropped and why.

    Attributes
    ----------
    number : epochs since the reference epoch
    mid_btjd : predicted mid-time
    used : whether the checks used it
    reason : why it was dropped, empty when used
    depth_ppm, depth_ppm_err : depth in the pipeline aperture with its matched-window error; None when dropped
    peak_row, peak_column : brightest pixel of the transit's own difference image, 0-based; None when dropped
    """

    candidate: str
    sector: int
    number: int
    mid_btjd: float
    used: bool
    reason: str
    depth_ppm: float | None = None
    depth_ppm_err: float | None = None
    peak_row: int | None = None
    peak_column: int | None = None
