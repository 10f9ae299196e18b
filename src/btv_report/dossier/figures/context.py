"""Where things stand in a run record, and the words for the data that a figure shows. Absent parts give None, no error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from btv_report.dossier.figures.pixels import BoolImage, FloatImage, bool_stamp, float_stamp
from btv_report.dossier.figures.text import plain_text
from btv_report.record import CandidateValue, CheckValue, PixelView, ProductValue, RunRecord


@dataclass(frozen=True)
class SectorContext:
    """The product behind a figure: sector, pipeline, exposure time in seconds where known, whether it is simulated."""

    sector: int
    pipeline: str | None
    exptime_s: float | None
    simulated: bool

    @property
    def words(self) -> str:
        """`Sector 83, SPOC, 120 s exposures.`"""
        parts = [f"Sector {self.sector}"]
        if self.pipeline:
            parts.append(plain_text(self.pipeline))
        if self.exptime_s:
            parts.append(f"{self.exptime_s:g} s exposures")
        if self.simulated:
            parts.append("SIMULATED data")
        return ", ".join(parts) + "."


def sector_context(record: RunRecord, sector: int, hashes: Iterable[str]) -> SectorContext:
    """The words for the product with one of these sha256; pipeline and exposure time unknown when it is not listed."""
    wanted = set(hashes)
    products = [p for p in record.get("products", []) if p["sha256"] in wanted and p["sector"] == sector]
    simulated = bool(record.get("run", {}).get("simulated", False))
    if not products:
        return SectorContext(sector, None, None, simulated)
    product: ProductValue = products[0]
    return SectorContext(sector, product["pipeline"], product["exptime_s"], simulated or product["simulated"])


def pixel_view(record: RunRecord, sector: int) -> PixelView | None:
    """The pixel view of a sector."""
    return next((view for view in record.get("pixel_views", []) if view["sector"] == sector), None)


def find_check(record: RunRecord, check_id: str, candidate: str, sector: int | None) -> CheckValue | None:
    """The result of a check for a candidate in a sector (None: combined)."""
    return next(
        (
            check
            for check in record.get("checks", [])
            if (check["check_id"], check["candidate"], check["sector"]) == (check_id, candidate, sector)
        ),
        None,
    )


def find_candidate(record: RunRecord, name: str) -> CandidateValue | None:
    """The candidate of that name."""
    return next((candidate for candidate in record.get("candidates", []) if candidate["name"] == name), None)


def details_of(check: CheckValue | None) -> Mapping[str, Any]:
    """The details of a check, empty when there are none."""
    return {} if check is None else check.get("details", {})


def stamp_of(check: CheckValue | None, name: str) -> FloatImage | None:
    """A float stamp of a check."""
    return None if check is None else float_stamp(check.get("stamps", {}).get(name))


def mask_of(check: CheckValue | None, name: str, shape: tuple[int, ...]) -> BoolImage | None:
    """A mask of a check."""
    return None if check is None else bool_stamp(check.get("stamps", {}).get(name), shape)


def metric(check: CheckValue | None, name: str) -> float | None:
    """The value of a metric."""
    if check is None:
        return None
    found = check.get("metrics", {}).get(name)
    return None if found is None else float(found["value"])
