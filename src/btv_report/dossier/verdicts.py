"""The verdict strip: check by sector, with a column for all sectors together."""

from __future__ import annotations

from dataclasses import dataclass

from btv_report.dossier.labels import VERDICT_ORDER, badge, candidate_title, check_title
from btv_report.dossier.tables import Badge
from btv_report.dossier.text import slug
from btv_report.record import CheckValue, RunRecord


@dataclass(frozen=True)
class StripRow:
    """One check: a badge for each sector (None where there is no row), then the combined one."""

    check_id: str
    title: str
    href: str
    badges: tuple[Badge | None, ...]
    combined: Badge | None


@dataclass(frozen=True)
class Strip:
    """The verdicts on one candidate."""

    candidate: str
    title: str
    sectors: tuple[int, ...]
    rows: tuple[StripRow, ...]


def check_anchor(candidate: str, check_id: str, sector: int | None = None) -> str:
    """Id of the section of a check; with a sector, of its part for that sector."""
    anchor = f"{slug(check_id)}-{slug(candidate)}"
    return anchor if sector is None else f"{anchor}-sector-{sector}"


def build_strips(record: RunRecord) -> tuple[Strip, ...]:
    """One strip a candidate that has check rows, in the order of the record's candidates."""
    strips = []
    for candidate in record["candidates"]:
        name = candidate["name"]
        checks = [check for check in record["checks"] if check["candidate"] == name]
        if not checks:
            continue
        sectors = tuple(sorted({check["sector"] for check in checks if check["sector"] is not None}))
        ids = tuple(sorted({check["check_id"] for check in checks}))
        rows = tuple(_row([check for check in checks if check["check_id"] == check_id], sectors) for check_id in ids)
        strips.append(Strip(name, candidate_title(name), sectors, rows))
    return tuple(strips)


def _row(checks: list[CheckValue], sectors: tuple[int, ...]) -> StripRow:
    by_sector = {check["sector"]: check for check in checks}
    check_id, candidate = checks[0]["check_id"], checks[0]["candidate"]

    def cell(sector: int | None) -> Badge | None:
        check = by_sector.get(sector)
        if check is None:
            return None
        return badge(check["verdict"], href=f"#{check_anchor(candidate, check_id, sector)}", hint=check["summary"])

    return StripRow(
        check_id,
        check_title(check_id),
        f"#{check_anchor(candidate, check_id)}",
        tuple(cell(sector) for sector in sectors),
        cell(None),
    )


def worst(verdicts: list[str]) -> str | None:
    """The verdict that most needs a look; None when there is none."""
    ranked = sorted(verdicts, key=lambda verdict: VERDICT_ORDER.index(verdict) if verdict in VERDICT_ORDER else -1)
    return ranked[0] if ranked else None


def combined_verdicts(record: RunRecord) -> dict[str, str]:
    """For each check the worst combined verdict over the candidates: what the list of targets shows."""
    found: dict[str, list[str]] = {}
    for check in record["checks"]:
        if check["sector"] is None:
            found.setdefault(check["check_id"], []).append(check["verdict"])
    return {check_id: word for check_id in sorted(found) if (word := worst(found[check_id])) is not None}
