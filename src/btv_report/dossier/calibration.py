"""The calibration page as a value: the truth tables of a record, in words and cells; also what a terminal prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from btv_report.calibration.record import CalibrationRecord
from btv_report.calibration.registry import TABLES
from btv_report.checks.thresholds import METHOD_VERSION
from btv_report.dossier.figures.calibration import calibration_figures
from btv_report.dossier.figures.figure import Figure
from btv_report.dossier.labels import unit_label
from btv_report.dossier.numbers import integer, significant
from btv_report.dossier.tables import Badge, Cell, CellKind, Column, Table, text_cell
from btv_report.dossier.text import plural, slug

MET = Badge("pass", "met", "✓")
NOT_MET = Badge("fail", "not met", "✕")
OPEN = Badge("not-run", "open", "–")
"""Too few trials leave it open."""
SHOWN = Badge("not-run", "shown", "–")
"""Nothing is asked of it."""


@dataclass(frozen=True)
class TruthSection:
    """One truth table, for readers; `missing` says why there are no numbers."""

    anchor: str
    title: str
    badge: Badge
    asked: str
    method: str
    missing: str
    table: Table
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class CalibrationPage:
    """
    Everything on the calibration page.

    Attributes
    ----------
    finding : how many tables reach what was asked, a sentence
    warnings : sentences that limit what the page says of this version: other methods, fewer trials, tables left out
    overview : one row a table
    sections : TruthSection
    facts : method, code and files, (term, text)
    """

    finding: str
    warnings: tuple[str, ...]
    overview: Table
    sections: tuple[TruthSection, ...]
    facts: tuple[tuple[str, str], ...]


def build_calibration(record: CalibrationRecord) -> CalibrationPage:
    """Make the page of a calibration record."""
    sections = tuple(_section(table, record["effort_share"]) for table in record["tables"])
    return CalibrationPage(
        finding=finding(record),
        warnings=_warnings(record),
        overview=_overview(record["tables"], record["effort_share"]),
        sections=sections,
        facts=_facts(record),
    )


def finding(record: CalibrationRecord) -> str:
    """How many tables reach what was asked of them."""
    outcomes = [table_outcome(table, record["effort_share"]) for table in record["tables"] if table["asked"]]
    met, not_met = outcomes.count(True), outcomes.count(False)
    is_open = len(outcomes) - met - not_met
    parts = [f"{met} of {plural(len(outcomes), 'truth table')} met"]
    parts += [f"{not_met} not met"] if not_met else []
    parts += [f"{is_open} open"] if is_open else []
    return f"{', '.join(parts)}."


def table_text(table: Mapping[str, Any], effort_share: float) -> str:
    """A truth table as plain text for a terminal."""
    title = f"{table['title']} [{table['key']}]: {table_badge(table, effort_share).word}"
    lines = [title, table["asked"] or table["method"]]
    if table.get("missing"):
        return "\n".join([*lines, table["missing"]])
    shown = _cells(table)
    plain = [[cell.text.replace("\N{NO-BREAK SPACE}", " ") for cell in row] for row in shown.rows]
    grid = [[column.title for column in shown.columns], *plain]
    for row, texts in zip(shown.rows, grid[1:], strict=True):
        texts[-1] = row[-1].badge.word if row[-1].badge else texts[-1]
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    right = [column.kind is CellKind.NUMBER for column in shown.columns]
    for texts in grid:
        aligned = (t.rjust(w) if r else t.ljust(w) for t, w, r in zip(texts, widths, right, strict=True))
        lines.append("  ".join(aligned).rstrip())
    return "\n".join([*lines, *table["notes"]])


def outcome_badge(met: bool | None) -> Badge:
    """Met, not met, or open, as word, symbol and colour."""
    return OPEN if met is None else MET if met else NOT_MET


def table_outcome(table: Mapping[str, Any], effort_share: float) -> bool | None:
    """Whether a table reaches what was asked; fewer trials than a release's can miss it, and cannot promise it."""
    met = table.get("met")
    return None if met and effort_share < 1 else met


def table_badge(table: Mapping[str, Any], effort_share: float) -> Badge:
    """The outcome of a whole table."""
    return outcome_badge(table_outcome(table, effort_share)) if table["asked"] else SHOWN


def _section(table: Mapping[str, Any], effort_share: float) -> TruthSection:
    return TruthSection(
        anchor=slug(table["key"]),
        title=table["title"],
        badge=table_badge(table, effort_share),
        asked=table["asked"],
        method=table["method"],
        missing=table.get("missing", ""),
        table=_cells(table),
        figures=calibration_figures(table),
        notes=tuple(table["notes"]),
    )


def _cells(table: Mapping[str, Any]) -> Table:
    """The rows of a truth table; the last column says which of them reach what was asked."""
    names = [column["name"] for column in table["columns"]]
    kinds = [_kind(row["values"].get(name) for row in table["rows"]) for name in names]
    columns = [
        Column(f"{column['heading']} ({unit_label(column['unit'])})" if column["unit"] else column["heading"], kind)
        for column, kind in zip(table["columns"], kinds, strict=True)
    ]
    rows = tuple(
        (*(_cell(row["values"].get(name)) for name in names), _outcome_cell(row.get("met"))) for row in table["rows"]
    )
    caption = f"{table['title']}: {plural(len(rows), 'row')}"
    return Table(f"{slug(table['key'])}-table", caption, (*columns, Column("As asked", CellKind.VERDICT)), rows)


def _kind(values: Any) -> CellKind:
    return CellKind.TEXT if any(isinstance(value, str) for value in values) else CellKind.NUMBER


def _cell(value: Any) -> Cell:
    if value is None:
        return Cell("—", CellKind.NUMBER, reason="not measured")
    if isinstance(value, str):
        return text_cell(value)
    if isinstance(value, dict):
        return _rate_cell(value)
    text = integer(value) if isinstance(value, int) else significant(value, 3)
    return Cell(text, CellKind.NUMBER, sort=repr(value))


def _rate_cell(rate: Mapping[str, Any]) -> Cell:
    """Percentage with its 95 % interval, and the counts behind it."""
    count, total = rate["count"], rate["total"]
    if not total:
        return Cell("—", CellKind.NUMBER, reason="no trial")
    low, high = (_percent(100 * rate[end]) for end in ("low", "high"))
    # Percentage and interval stay together; the counts may fall on a second line.
    share = f"{_percent(100 * count / total)} % [{low}, {high}]".replace(" ", "\N{NO-BREAK SPACE}")
    text = f"{share} {count:,d}/{total:,d}"
    return Cell(text, CellKind.NUMBER, sort=repr(count / total))


def _percent(value: float) -> str:
    """Two decimals below one per cent and above 99, where the promises lie, else one; ends are exact."""
    if value in {0.0, 100.0}:
        return f"{value:.0f}"
    return f"{value:.2f}" if value < 1 or value > 99 else f"{value:.1f}"


def _outcome_cell(met: bool | None) -> Cell:
    if met is None:
        return Cell("—", CellKind.TEXT, reason="nothing asked of this row, or too few trials to tell")
    return Cell("", CellKind.VERDICT, badge=outcome_badge(met))


def _overview(tables: Sequence[Mapping[str, Any]], effort_share: float) -> Table:
    columns = (Column("Table"), Column("Outcome"), Column("Rows as asked", CellKind.NUMBER), Column("Asked"))
    rows = []
    for table in tables:
        judged = [row["met"] for row in table["rows"] if "met" in row]
        count = f"{sum(judged)} of {len(judged)}"
        rows.append(
            (
                Cell(table["title"], href=f"#{slug(table['key'])}"),
                Cell("", CellKind.VERDICT, badge=table_badge(table, effort_share)),
                Cell(count, CellKind.NUMBER) if judged else Cell("—", reason="no row could be judged"),
                text_cell(table["asked"]) if table["asked"] else Cell("—", reason="nothing is asked of it"),
            )
        )
    return Table("overview-table", "What was asked, and what was reached", columns, tuple(rows))


def _warnings(record: CalibrationRecord) -> tuple[str, ...]:
    said = []
    if record["method_version"] != METHOD_VERSION:
        said.append(
            f"These tables were made by methods {record['method_version']}; the dossiers of this version are made by "
            f"{METHOD_VERSION}. What changed between them is not in these numbers."
        )
    if record["effort_share"] < 1:
        said.append(
            f"Only {100 * record['effort_share']:g} % of a release's trials were made: the intervals are wide, and rows that so "
            "few trials leave open are not judged."
        )
    absent = [key for key in TABLES if key not in {table["key"] for table in record["tables"]}]
    if absent:
        said.append(f"Not made: {', '.join(key.replace('-', ' ') for key in absent)}.")
    return tuple(said)


def _facts(record: CalibrationRecord) -> tuple[tuple[str, str], ...]:
    files = [(f"Real file {entry['file']}", f"SHA-256 {entry['sha256']}") for entry in record["files"]]
    return (
        ("Version of the methods, from which all seeds follow", record["method_version"]),
        ("Code", f"btv-report {record['code_version']}, SHA-256 {record['code_sha256']}"),
        *files,
    )
