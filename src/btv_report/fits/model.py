"""What headers and sums of a file say, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from btv_report.time_systems import TimeReference


class ProductKind(StrEnum):
    """What a file holds."""

    LIGHT_CURVE = "light_curve"
    TARGET_PIXEL_FILE = "target_pixel_file"
    CUTOUT = "cutout"
    DV_REPORT = "dv_report"


class FitsSum(StrEnum):
    """State of the FITS sums of a file."""

    OK = "ok"
    BAD = "bad"
    NOT_CHECKABLE = "not_checkable"


@dataclass(frozen=True)
class ProductHeader:
    """
    What the headers of a file say; None where they do not say.

    `exptime_s` is the exposure time of a cadence as the header gives it (120 for 2-minute products, from TIMEDEL or
    EXPOSURE and the like), `pipeline` one of SPOC, TESS-SPOC, QLP, TGLC, TESScut, unknown. `mission` is `TESS`, `Kepler` ...
    `simulated` is true when the header says SIMULATED. `keywords` holds the primary and first-extension cards.
    """

    kind: ProductKind | None
    mission: str | None
    tic_id: int | None
    sector: int | None
    camera: int | None
    ccd: int | None
    pipeline: str
    exptime_s: float | None
    origin: str | None
    creator: str | None
    procver: str | None
    date: str | None
    object_name: str | None
    obs_id: str | None
    ra_deg: float | None
    dec_deg: float | None
    simulated: bool
    time_reference: TimeReference
    keywords: Mapping[str, Any] = field(default_factory=dict)
