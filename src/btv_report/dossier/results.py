"""Check results as sections: the combined outcome, numbers side by side over sectors, then each sector with its figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from btv_report.checks.elimination import CLEARLY_IMPOSSIBLE_DEPTH
from btv_report.checks.hosts import FLUX_RATIO_ERROR
from btv_report.dossier.figures.figure import Figure
from btv_report.dossier.labels import (
    ERROR_OF,
    ROUNDED_LIKE,
    badge,
    candidate_title,
    check_meaning,
    check_title,
    flag_meaning,
    metric_label,
    metric_rank,
    unit_label,
)
from btv_report.dossier.numbers import Quantity, exact, fixed, probability, quantity, unknown
from btv_report.dossier.stars import NOT_NEIGHBOURS, star_numbers
from btv_report.dossier.tables import Badge, Cell, CellKind, Column, Table, code_cell, number_cell, text_cell
from btv_report.dossier.text import sentence_case
from btv_report.dossier.verdicts import check_anchor
from btv_report.record import CheckValue, MetricValue, RunRecord
from btv_report.rounding import decimals_for

Figures = Mapping[tuple[Any, ...], tuple[Figure, ...]]
_FIGURE_FAMILY = {"V08": "centroid", "V09": "stamps", "V10": "aperture", "V20": "ghost"}
_NOT_MEASURED = "not measured in this sector"


@dataclass(frozen=True)
class FlagNote:
    """A flag and what it means."""

    flag: str
    meaning: str


@dataclass(frozen=True)
class Outcome:
    """What one check said once: verdict, sentence, reason and flags."""

    badge: Badge
    summary: str
    reason: str
    flags: tuple[FlagNote, ...]
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class SectorOutcome:
    """The outcome in one sector, with its pictures; sectors that were not run for one reason stand together."""

    anchor: str
    sector: int
    also: tuple[tuple[str, int], ...]
    outcome: Outcome
    method: str
    figures: tuple[Figure, ...]
    stars: Table | None


@dataclass(frozen=True)
class CheckSection:
    """One check on one candidate, over all sectors."""

    anchor: str
    check_id: str
    title: str
    meaning: str
    candidate: str
    combined: Outcome | None
    stars: Table | None
    metrics: Table | None
    sectors: tuple[SectorOutcome, ...]
    thresholds: Table | None
    parameters: Table | None
    method_version: str


def build_check_sections(record: RunRecord, figures: Figures) -> tuple[CheckSection, ...]:
    """All check sections, candidate by candidate."""
    sections = []
    numbers = star_numbers(record)
    for candidate in record["candidates"]:
        name = candidate["name"]
        checks = [check for check in record["checks"] if check["candidate"] == name]
        ids = sorted({check["check_id"] for check in checks})
        sections += [_section([check for check in checks if check["check_id"] == key], figures, numbers) for key in ids]
    return tuple(sections)


def _section(checks: list[CheckValue], figures: Figures, numbers: Mapping[str, int]) -> CheckSection:
    check_id, candidate = checks[0]["check_id"], checks[0]["candidate"]
    combined = next((check for check in checks if check["sector"] is None), None)
    sectors = _sector_outcomes(checks, combined, figures, numbers)
    anchor = check_anchor(candidate, check_id)
    stars = None if combined is None else _stars(combined, anchor, numbers)
    return CheckSection(
        anchor=anchor,
        check_id=check_id,
        title=check_title(check_id),
        meaning=check_meaning(check_id),
        candidate=candidate_title(candidate),
        combined=None if combined is None else _outcome(combined),
        stars=stars,
        metrics=_metrics_table([check for check in checks if not _rests_on_one(check)], anchor),
        sectors=_said_once(sectors, stars),
        thresholds=_thresholds_table(checks, anchor),
        parameters=_parameters_table(checks, anchor),
        method_version=", ".join(sorted({check["method_version"] for check in checks if check["method_version"]})),
    )


def _rests_on_one(check: CheckValue) -> bool:
    """Whether a combined result only repeats that of the one sector it rests on."""
    return check["sector"] is None and "ONE_SECTOR" in check["flags"]


def _sector_outcomes(
    checks: list[CheckValue], combined: CheckValue | None, figures: Figures, numbers: Mapping[str, int]
) -> tuple[SectorOutcome, ...]:
    """Sector by sector; what the combined result already said is not said again."""
    repeats = combined is not None and _rests_on_one(combined)
    outcomes: list[SectorOutcome] = []
    first_of_reason: dict[str, int] = {}
    for check in sorted(checks, key=lambda check: check["sector"] or 0):
        if check["sector"] is None:
            continue
        outcome = _sector_outcome(check, check["sector"], figures, numbers)
        ran = check["verdict"] != "not_run"
        if ran and repeats:
            said = replace(outcome.outcome, summary="The only sector with a result: the sentence above.", flags=())
            outcome = replace(outcome, outcome=said, stars=None)
        if ran or outcome.figures or check["metrics"] or check["summary"] not in first_of_reason:
            first_of_reason.setdefault("" if ran else check["summary"], len(outcomes))
            outcomes.append(outcome)
        else:
            place = first_of_reason[check["summary"]]
            outcomes[place] = replace(outcomes[place], also=(*outcomes[place].also, (outcome.anchor, outcome.sector)))
    return tuple(outcomes)


def _said_once(sectors: tuple[SectorOutcome, ...], stars: Table | None) -> tuple[SectorOutcome, ...]:
    """Sectors in which a sentence that an earlier one said word by word is not said again, but named."""
    notes = {stars.note} if stars is not None else set()
    methods: dict[str, int] = {}
    made = []
    for sector in sectors:
        own, method = sector.stars, sector.method
        if own is not None and own.note in notes:
            own = replace(own, note="")
        elif own is not None:
            notes.add(own.note)
        if method and methods.setdefault(method, sector.sector) != sector.sector:
            method = f"Point response: as in sector {methods[method]}."
        made.append(replace(sector, stars=own, method=method))
    return tuple(made)


def _outcome(check: CheckValue) -> Outcome:
    reason = (check["reason"] or "").strip()
    already_said = reason.rstrip(".").lower() in check["summary"].lower()
    return Outcome(
        badge(check["verdict"]),
        sentence_case(check["summary"]),
        "" if already_said else sentence_case(reason),
        tuple(FlagNote(flag, flag_meaning(flag)) for flag in check["flags"]),
        tuple(check["inputs"]),
    )


def _sector_outcome(check: CheckValue, sector: int, figures: Figures, numbers: Mapping[str, int]) -> SectorOutcome:
    check_id, candidate = check["check_id"], check["candidate"]
    anchor = check_anchor(candidate, check_id, sector)
    family = _FIGURE_FAMILY.get(check_id, check_id)
    return SectorOutcome(
        anchor,
        sector,
        (),
        _outcome(check),
        _point_response(check),
        tuple(figures.get((family, candidate, sector), ())),
        _stars(check, anchor, numbers),
    )


def _point_response(check: CheckValue) -> str:
    """Which PRF the position was fitted with, and why no better one, in sentences; empty where the check fits none."""
    prf = check["details"].get("prf")
    if not isinstance(prf, Mapping) or not prf.get("description"):
        return ""
    said = f"Point response: {prf['description']}"
    return f"{said}. {prf['note']}" if prf.get("note") else sentence_case(said)


def metric_quantity(name: str, metrics: Mapping[str, MetricValue]) -> Quantity:
    """One metric of a result, rounded to its error where it has one, else by what it is."""
    metric = metrics.get(name)
    if metric is None:
        return unknown(_NOT_MEASURED)
    value, unit = metric["value"], unit_label(metric["unit"])
    error = metrics.get(ERROR_OF.get(name, f"{name}_err"))
    if error is not None:
        return quantity(value, unit, error=float(error["value"]))
    if name in ROUNDED_LIKE and ROUNDED_LIKE[name] in metrics:
        places = decimals_for(float(metrics[ROUNDED_LIKE[name]]["value"]))
        return Quantity(fixed(value, places), unit=unit, value=float(value))
    return _without_error(name, value, unit)


def _without_error(name: str, value: float, unit: str) -> Quantity:
    """Round by the kind of number: probability, count, significance, correlation; else three significant digits."""
    if name.endswith(("p_value", "probability")):
        return Quantity(probability(float(value)), unit=unit, value=float(value))
    if isinstance(value, int) or name.startswith("n_"):
        return quantity(round(value), unit)
    if unit == "σ" or name.endswith("_sigma") or name.startswith("snr"):
        return quantity(value, unit, decimals=2 if abs(value) < 100 else 0)
    if name.endswith(("_correlation", "_likeness")) or name == "quality":
        return quantity(value, unit, decimals=3)
    if unit == "px" and abs(value) >= 1:
        return quantity(value, unit, decimals=3)
    return quantity(value, unit, digits=3)


def _metrics_table(checks: list[CheckValue], anchor: str) -> Table | None:
    """Metrics down, sectors across, all sectors together last; errors stand with their values."""
    columns = sorted((check for check in checks if check["metrics"]), key=_combined_last)
    errors = {ERROR_OF.get(name, f"{name}_err") for check in columns for name in check["metrics"]}
    names = sorted({name for check in columns for name in check["metrics"]} - errors, key=metric_rank)
    if not names:
        return None
    rows = []
    for name in names:
        unit = next(check["metrics"][name]["unit"] for check in columns if name in check["metrics"])
        values = (number_cell(metric_quantity(name, check["metrics"])) for check in columns)
        rows.append((text_cell(metric_label(name)), *values, Cell(unit_label(unit))))
    headings = tuple(
        Column("All sectors" if check["sector"] is None else f"Sector {check['sector']}", CellKind.NUMBER)
        for check in columns
    )
    return Table(f"{anchor}-metrics", "Measurements", (Column("Quantity"), *headings, Column("Unit")), tuple(rows))


def _combined_last(check: CheckValue) -> float:
    return math.inf if check["sector"] is None else check["sector"]


def _thresholds_table(checks: list[CheckValue], anchor: str) -> Table | None:
    """The thresholds of all results, each once; a name that was held to two values gets two rows."""
    rows: list[tuple[Cell, ...]] = []
    for check in checks:
        for name in sorted(check["thresholds"]):
            threshold = check["thresholds"][name]
            value = threshold.get("value")
            unit = unit_label(str(threshold.get("unit") or ""))
            shown = f"{exact(float(value)) if isinstance(value, int | float) else value} {unit}".strip()
            row = (text_cell(name.replace("_", " ")), Cell(shown, CellKind.NUMBER), text_cell(threshold.get("source")))
            if row not in rows:
                rows.append(row)
    columns = (Column("Threshold"), Column("Value", CellKind.NUMBER), Column("Source"))
    return (
        Table(f"{anchor}-thresholds", "Thresholds this verdict was held against", columns, tuple(rows))
        if rows
        else None
    )


def _parameters_table(checks: list[CheckValue], anchor: str) -> Table | None:
    """What the check was run with; sectors that differ get their own rows."""
    found: dict[tuple[str, str], list[str]] = {}
    for check in sorted(checks, key=_combined_last):
        where = "all sectors" if check["sector"] is None else str(check["sector"])
        for name in sorted(check["parameters"]):
            found.setdefault((name, plain_value(check["parameters"][name])), []).append(where)
    rows = tuple(
        (
            text_cell(name.replace("_", " ")),
            text_cell(value, reason="empty"),
            text_cell("every one" if len(where) == len(checks) > 1 else ", ".join(where)),
        )
        for (name, value), where in sorted(found.items())
    )
    columns = (Column("Parameter"), Column("Value"), Column("Sector"))
    return Table(f"{anchor}-parameters", "Parameters of the method", columns, rows) if rows else None


def plain_value(value: Any) -> str:
    """A JSON value as text that needs no quotes."""
    if value is None:
        return "not given"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return exact(float(value))
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {plain_value(value[key])}" for key in sorted(value))
    if isinstance(value, list | tuple):
        return ", ".join(plain_value(item) for item in value) or "none"
    return str(value)


def _stars(check: CheckValue, anchor: str, numbers: Mapping[str, int]) -> Table | None:
    """V09's elimination table: each star that could be the host, and what speaks for or against it."""
    stars = [star for star in check["details"].get("neighbours") or [] if isinstance(star, Mapping)]
    if not stars:
        return None
    with_chance = any(_finite(star.get("probability")) is not None for star in stars)
    columns = [
        Column("Star"),
        Column("No.", CellKind.NUMBER),
        Column("Magnitude", CellKind.NUMBER),
        Column("From target (arcsec)", CellKind.NUMBER),
        Column("From source (arcsec)", CellKind.NUMBER),
        Column("From source (σ)", CellKind.NUMBER),
    ]
    if with_chance:
        columns += [
            Column("Δχ²", CellKind.NUMBER),
            Column("Depth needed (of its light)", CellKind.NUMBER),
        ]
        columns.insert(2, Column("Probability", CellKind.NUMBER))  # a phone shows the first three columns unscrolled
    rows = tuple(_star_row(star, numbers, with_chance) for star in stars)
    note = (
        _stars_note(check)
        if not with_chance
        else (
            f"A star that needs a depth above 1 needs more than its catalogued light; above "
            f"{CLEARLY_IMPOSSIBLE_DEPTH:g} it cannot be the host. Fluxes are taken as known to {100 * FLUX_RATIO_ERROR:.0f} %. "
            "Probabilities over target, neighbours and none of these sum to 1."
        )
    )
    return Table(f"{anchor}-stars", "Which star could host the signal", tuple(columns), rows, f"{_NUMBERED} {note}")


_NUMBERED = "Numbers are those on the pictures."


def _stars_note(check: CheckValue) -> str:
    """Why a table of stars holds no probabilities."""
    if "NEIGHBOURS_UNKNOWN" in check["flags"]:
        return (
            "No catalogue of neighbours was at hand, so the target has nothing to be weighed against: no probabilities."
        )
    return "The difference image does not look like a single star, so no star is weighed against another: no probabilities."


def _finite(value: object) -> float | None:
    """The value when it is a finite number."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _depth_words(depth: float) -> str:
    """What a required depth above 1 means; between 1 and the clear limit the catalogue's magnitude may be to blame."""
    if depth > CLEARLY_IMPOSSIBLE_DEPTH:
        return " (impossible)"
    return " (above 1)" if depth > 1 else ""


def _star_row(star: Mapping[str, Any], numbers: Mapping[str, int], with_chance: bool) -> tuple[Cell, ...]:
    name = str(star.get("star_id", "unnamed"))

    def number(key: str, decimals: int) -> Cell:
        reason = "does not apply, or not in the catalogue"
        return number_cell(quantity(_finite(star.get(key)), decimals=decimals, reason=reason))

    numbered = Cell("—", CellKind.NUMBER, reason="not a neighbour")
    if name in numbers:
        numbered = Cell(str(numbers[name]), CellKind.NUMBER)
    row = (
        text_cell(name) if name in NOT_NEIGHBOURS else code_cell(name),
        numbered,
        number("magnitude", 2),
        number("separation_arcsec", 1),
        number("offset_arcsec", 1),
        number("offset_sigma", 1),
    )
    if not with_chance:
        return row
    needs = Cell("—", CellKind.NUMBER, reason="does not apply, or its brightness is unknown")
    depth = _finite(star.get("required_depth"))
    if depth is not None:
        text = quantity(depth, digits=2).text
        needs = Cell(f"{text}{_depth_words(depth)}", CellKind.NUMBER, sort=repr(depth))
    probable = Cell("—", CellKind.NUMBER, reason="not computed")
    chance = _finite(star.get("probability"))
    if chance is not None:
        probable = Cell(probability(chance), CellKind.NUMBER, sort=repr(chance))
    return (*row[:2], probable, *row[2:], number("delta_chi2", 1), needs)
