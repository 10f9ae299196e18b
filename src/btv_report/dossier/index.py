"""The list of targets and the audit page of a site as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from btv_report.dossier.header import is_simulated
from btv_report.dossier.labels import VERDICT_ORDER, VERDICT_WORDS, alias_names, badge, check_title
from btv_report.dossier.numbers import integer, quantity
from btv_report.dossier.tables import Badge, Cell, CellKind, Column, Table, code_cell, number_cell, text_cell
from btv_report.dossier.verdicts import check_anchor, combined_verdicts
from btv_report.record import RunRecord


@dataclass(frozen=True)
class RunSummary:
    """What the list of targets and the audit page show of one run."""

    tic_id: int
    run_id: str
    record_sha256: str
    started_at: str
    status: str
    simulated: bool
    aliases: tuple[str, ...]
    tmag: float | None
    candidates: tuple[str, ...]
    sectors: tuple[int, ...]
    verdicts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class IndexRow:
    """One target in the list; `badges` follow the checks of the page, `verdict_keys` is what the filter looks at."""

    tic_id: int
    simulated: bool
    names: Cell
    tmag: Cell
    n_candidates: int
    sectors: Cell
    n_sectors: int
    badges: tuple[Cell, ...]
    verdict_keys: str
    status: str
    started_at: str


@dataclass(frozen=True)
class IndexPage:
    """The list of targets."""

    lede: str
    n_targets: int
    checks: tuple[tuple[str, str], ...]
    legend: tuple[Badge, ...]
    rows: tuple[IndexRow, ...]


@dataclass(frozen=True)
class SiteAudit:
    """The runs of a site and the head of their ledger."""

    ledger_head: str | None
    runs: Table


def summarise(run_id: str, record_sha256: str, public: RunRecord) -> RunSummary:
    """Reduce a publishable record to what the site's own pages show."""
    used = (product for product in public["products"] if product["used"])
    return RunSummary(
        tic_id=public["target"]["tic_id"],
        run_id=run_id,
        record_sha256=record_sha256,
        started_at=public["run"]["started_at"],
        status=public["status"],
        simulated=is_simulated(public),
        aliases=alias_names(public["target"]["aliases"]),
        tmag=public["target"]["tmag"],
        candidates=tuple(candidate["name"] for candidate in public["candidates"]),
        sectors=tuple(sorted({product["sector"] for product in used if product["sector"] is not None})),
        verdicts=tuple(combined_verdicts(public).items()),
    )


def build_index(summaries: Sequence[RunSummary]) -> IndexPage:
    """The list of targets, by TIC number."""
    summaries = sorted(summaries, key=lambda summary: summary.tic_id)
    checks = sorted({check_id for summary in summaries for check_id, _ in summary.verdicts})
    rows = tuple(_row(summary, checks) for summary in summaries)
    count = f"{integer(len(rows))} target{'' if len(rows) == 1 else 's'}"
    simulated = sum(summary.simulated for summary in summaries)
    note = f", {'all' if simulated == len(rows) else integer(simulated)} of them SIMULATED" if simulated else ""
    return IndexPage(
        lede=f"Dossiers of {count}{note}. Each shows what the pixels say about a transit signal, and from which bytes.",
        n_targets=len(rows),
        checks=tuple((check_id, check_title(check_id)) for check_id in checks),
        legend=tuple(badge(verdict) for verdict in VERDICT_WORDS),
        rows=rows,
    )


def _row(summary: RunSummary, checks: Sequence[str]) -> IndexRow:
    verdicts = dict(summary.verdicts)
    tmag = quantity(summary.tmag, decimals=2, reason="unknown")
    names = " · ".join(summary.aliases)
    sectors = ", ".join(str(sector) for sector in summary.sectors)
    return IndexRow(
        tic_id=summary.tic_id,
        simulated=summary.simulated,
        names=text_cell(names, reason="no other name is recorded"),
        tmag=number_cell(tmag),
        n_candidates=len(summary.candidates),
        sectors=text_cell(sectors, reason="no product is used"),
        n_sectors=len(summary.sectors),
        badges=tuple(_verdict_cell(summary, check_id, verdicts.get(check_id)) for check_id in checks),
        verdict_keys=" ".join(sorted({badge(verdict).key for verdict in verdicts.values()})),
        status=summary.status,
        started_at=summary.started_at,
    )


def _verdict_cell(summary: RunSummary, check_id: str, verdict: str | None) -> Cell:
    if verdict is None:
        return Cell("—", CellKind.VERDICT, reason="checks not run: no ephemeris")
    place = "verdicts" if len(summary.candidates) != 1 else check_anchor(summary.candidates[0], check_id)
    order = VERDICT_ORDER.index(verdict) if verdict in VERDICT_ORDER else len(VERDICT_ORDER)
    shown = badge(verdict, href=f"tic/{summary.tic_id}/index.html#{place}")
    return Cell(shown.word, CellKind.VERDICT, sort=str(order), badge=shown)


def build_site_audit(summaries: Sequence[RunSummary], ledger_head: str | None) -> SiteAudit:
    """The audit page of a site."""
    columns = (
        Column("Target"),
        Column("Run", CellKind.CODE),
        Column("Started (UTC)"),
        Column("Status"),
        Column("SHA-256 of the record", CellKind.CODE),
    )
    rows = tuple(
        (
            Cell(f"TIC {summary.tic_id}", href=f"../tic/{summary.tic_id}/index.html", sort=str(summary.tic_id)),
            code_cell(summary.run_id),
            text_cell(summary.started_at),
            text_cell(summary.status),
            code_cell(summary.record_sha256),
        )
        for summary in sorted(summaries, key=lambda summary: summary.tic_id)
    )
    return SiteAudit(ledger_head, Table("run-table", "Runs shown on this site", columns, rows, sortable=len(rows) > 1))
