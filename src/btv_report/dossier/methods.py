"""The methods page as a value: what each check measures and cannot say, thresholds, and what the short words mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from btv_report.checks.registry import CHECKS, FLAG_MEANINGS
from btv_report.checks.thresholds import METHOD_VERSION, THRESHOLDS
from btv_report.dossier.labels import STATES, VERDICT_MEANINGS, badge, unit_label
from btv_report.dossier.method_prose import Prose, build_prose
from btv_report.dossier.numbers import exact, integer
from btv_report.dossier.tables import Badge, Cell, CellKind, Column, Table, code_cell, text_cell
from btv_report.dossier.text import sentence_case, slug
from btv_report.quality import ANOMALY_MASK, DEFAULT_QUALITY_MASK, QUALITY_FLAG_BITS, QUALITY_SOURCE


@dataclass(frozen=True)
class MethodText:
    """One check, for readers."""

    anchor: str
    check_id: str
    title: str
    meaning: str
    help_text: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class MethodsPage:
    """Everything on the methods page."""

    version: str
    prose: tuple[Prose, ...]
    checks: tuple[MethodText, ...]
    thresholds: Table
    verdicts: tuple[tuple[Badge, str], ...]
    flags: Table
    bits: Table
    states: Table


def build_methods() -> MethodsPage:
    """Collect the methods page from the registries of checks, thresholds and quality bits."""
    return MethodsPage(
        version=METHOD_VERSION,
        prose=build_prose(),
        checks=tuple(
            MethodText(slug(info.check_id), info.check_id, info.title, info.meaning, info.help_text, info.references)
            for info in CHECKS.values()
        ),
        thresholds=_thresholds(),
        verdicts=tuple((badge(verdict), sentence_case(VERDICT_MEANINGS[verdict])) for verdict in VERDICT_MEANINGS),
        flags=_words("flags", "Flags that results carry", "Flag", FLAG_MEANINGS),
        bits=_bits(),
        states=_words("states", "In which of these states an answer of an archive ends", "State", STATES),
    )


def _thresholds() -> Table:
    columns = (
        Column("Threshold"),
        Column("Value", CellKind.NUMBER),
        Column("Unit"),
        Column("What it decides"),
        Column("Source"),
    )
    rows = tuple(
        (
            text_cell(name.replace("_", " ")),
            Cell(exact(threshold.value), CellKind.NUMBER),
            text_cell(unit_label(threshold.unit), reason="a pure number"),
            text_cell(sentence_case(threshold.meaning)),
            text_cell(threshold.source),
        )
        for name, threshold in THRESHOLDS.items()
    )
    return Table("threshold-table", "Every number that a verdict is held against", columns, rows)


def _bits() -> Table:
    columns = (
        Column("Bit", CellKind.NUMBER),
        Column("Value", CellKind.NUMBER),
        Column("Meaning"),
        Column("In the default mask"),
        Column("Drops a transit"),
    )
    rows = tuple(
        (
            Cell(str(flag.bit), CellKind.NUMBER),
            Cell(integer(flag.value), CellKind.NUMBER),
            text_cell(flag.meaning),
            text_cell("masked" if flag.value & DEFAULT_QUALITY_MASK else "counted and shown"),
            text_cell("yes" if flag.value & ANOMALY_MASK else "no"),
        )
        for flag in sorted(QUALITY_FLAG_BITS.values(), key=lambda flag: flag.bit)
    )
    note = (
        f"The default mask is {DEFAULT_QUALITY_MASK}. Source: {QUALITY_SOURCE}, for SPOC products; "
        "QLP uses bits 13 and 31 otherwise."
    )
    return Table("bit-table", "Quality bits of TESS cadences", columns, rows, note)


def _words(table_id: str, caption: str, heading: str, meanings: Mapping[str, str]) -> Table:
    rows = tuple((code_cell(word), text_cell(sentence_case(meaning))) for word, meaning in meanings.items())
    return Table(f"{table_id}-table", caption, (Column(heading, CellKind.CODE), Column("Meaning")), rows)
