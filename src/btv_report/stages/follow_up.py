"""
From ExoFOP's artefacts to what the report takes and shows of them: candidates, the star, tables, notes, curves.

What reads artefacts is imported where there are any: a run without them need not wait for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from btv_report.answer_states import AnswerState
from btv_report.ephemeris import Ephemeris
from btv_report.exofop.types import ExoFopFile, ExoFopTable
from btv_report.record import ContrastCurveValue, ExoFopCandidateValue, ExoFopTableValue
from btv_report.stages.exofop import ExoFopLook
from btv_report.stages.request import ReportRequest
from btv_report.stages.sectors import FoundProducts
from btv_report.targets import StellarParameters

if TYPE_CHECKING:
    from btv_report.exofop.contrast_curves import ContrastCurve

NOTES = "obsnotes"
SHOWN_ROWS = 200
SHOWN_CELL = 2000
ALL_TABLES = 400_000
"""Characters of all tables together that a record holds: some thirty times what the busiest star's have."""
CURVE_POINTS = 500
"""Points of a contrast curve that a record holds: a figure has room for fewer."""
_REPLACED = "the ephemeris that was given replaces it in this run"


@dataclass(frozen=True)
class FollowUp:
    """
    What the report takes of ExoFOP.

    Attributes
    ----------
    candidates : to be checked: the user's, else those of ExoFOP's rows
    values : fields of the record's `exofop`
    warnings : sentences
    """

    candidates: tuple[Ephemeris, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def read_follow_up(request: ReportRequest, look: ExoFopLook, found: FoundProducts) -> FollowUp:
    """
    Read what a look at ExoFOP brought. Where the target's own parameters are not known, ExoFOP's become the target's.

    Nothing is merged: what two sources state differently is a sentence.
    """
    given = (request.ephemeris,) if request.ephemeris else ()
    if look.manifest is None or look.manifest.private:
        return FollowUp(given)
    from btv_report.exofop.artefacts import read_artefacts
    from btv_report.exofop.candidates.choosing import candidates_of
    from btv_report.exofop.tables.notes import note_values
    from btv_report.stages.external_folds import external_light_curve_value
    from btv_report.stages.observers_files import observers_files

    artefacts = read_artefacts(look.manifest, request.tic_id)
    tables = artefacts.tables
    rows = candidates_of(
        tic_id=request.tic_id, toi=tables.get("toi"), planet=tables.get("planet"), ctoi=tables.get("ctoi")
    )
    candidates = given or rows.ephemerides
    disagreements = [*rows.disagreements, *_star(found, tables, request.tic_id), *_sectors(found, rows.values)]
    files, file_warnings = observers_files(request, look.manifest)
    shown, table_warnings = _table_values([table for name, table in tables.items() if name != NOTES and table.n_read])
    curve_warnings = _thinnings(artefacts.contrast_curves)
    values: dict[str, Any] = {
        "files": files,
        "tables": shown,
        "notes": note_values(tables[NOTES]) if NOTES in tables else [],
        "candidates": [_replaced(value) for value in rows.values] if given else rows.values,
        "disagreements": disagreements,
        "contrast_curves": [_curve_value(file, curve) for file, curve in artefacts.contrast_curves],
        "light_curves": [external_light_curve_value(file, curve, candidates) for file, curve in artefacts.light_curves],
    }
    if look.manifest.n_listed is not None:
        values["n_listed"] = look.manifest.n_listed
    warnings = (*artefacts.warnings, *table_warnings, *curve_warnings, *file_warnings)
    return FollowUp(candidates, values, warnings)


def _replaced(value: ExoFopCandidateValue) -> ExoFopCandidateValue:
    return {**value, "used": False, "reason": value["reason"] or _REPLACED}


def _star(found: FoundProducts, tables: Mapping[str, ExoFopTable], tic_id: int) -> list[str]:
    """What ExoFOP says of the star beside what is known; it is taken where nothing is."""
    from btv_report.exofop.candidates.stellar import stellar_of

    stellar, sentences = stellar_of(toi=tables.get("toi"), stellar=tables.get("stellar"), tic_id=tic_id)
    if stellar is not None and found.target.stellar == StellarParameters():
        source = f"{found.target.source}; parameters of the star from ExoFOP" if found.target.source else "ExoFOP"
        found.target = replace(found.target, stellar=stellar, source=source)
    return list(sentences)


def _sectors(found: FoundProducts, candidates: Sequence[ExoFopCandidateValue]) -> list[str]:
    """Sectors that only one of ExoFOP and MAST lists, where both have answered."""
    listed = {sector for candidate in candidates for sector in candidate.get("sectors", [])}
    was_asked = any(
        reply.endpoint == "light curves and pixel files" and reply.state in {AnswerState.OK, AnswerState.EMPTY}
        for reply in found.archive.replies
    )
    if not listed or not was_asked:
        return []
    offered = {offer.product.sector for offer in found.archive.offered}
    offered |= {product.header.sector for product in found.products if product.header}
    from btv_report.exofop.candidates.checks import compare_sectors

    sentence = compare_sectors(sorted(listed), sorted(sector for sector in offered if sector is not None))
    return [sentence] if sentence else []


def _table_values(tables: Sequence[ExoFopTable]) -> tuple[list[ExoFopTableValue], list[str]]:
    """Tables as the record holds them, each within its share of the room that the ones before have left; what is cut is told."""
    values, warnings, room = [], [], ALL_TABLES
    for number, table in enumerate(tables):
        value, n_characters = _table_value(table, room // (len(tables) - number))
        room -= n_characters
        n_kept, n_rows = len(value["rows"]), len(table.rows)
        if n_kept < min(n_rows, SHOWN_ROWS):
            warnings.append(
                f"ExoFOP's table {table.name} is too long to be shown whole: {n_kept} of its {n_rows} rows are kept here."
            )
        values.append(value)
    return values, warnings


def _table_value(table: ExoFopTable, room: int) -> tuple[ExoFopTableValue, int]:
    """As many of the first rows as there is room for, and the characters that they have."""
    columns = [_shortened(name.strip()) for name in table.columns]
    rows: list[list[str]] = []
    n_characters = sum(len(name) + 1 for name in columns)
    if n_characters > room:
        columns, n_characters = [], 0
    for row in table.rows[: SHOWN_ROWS if columns else 0]:
        cells = [_shortened(cell) for cell in row]
        length = sum(len(cell) + 1 for cell in cells)
        if n_characters + length > room:
            break
        rows.append(cells)
        n_characters += length
    value: ExoFopTableValue = {
        "name": table.name,
        "columns": columns,
        "rows": rows,
        "n_rows": len(table.rows),
        "n_rejected": len(table.rejected),
    }
    return value, n_characters


def _shortened(cell: str) -> str:
    return cell if len(cell) <= SHOWN_CELL else f"{cell[:SHOWN_CELL]}… ({len(cell) - SHOWN_CELL:,d} more characters)"


def _thinnings(curves: Sequence[tuple[ExoFopFile, ContrastCurve]]) -> list[str]:
    """Which contrast curves are kept with fewer points than they have."""
    return [
        f"The contrast curve of ExoFOP file {file.file_id} has {curve.delta_mag.size:,d} points; {CURVE_POINTS} of them "
        "are kept here, of neighbouring ones the shallowest."
        for file, curve in curves
        if curve.delta_mag.size > CURVE_POINTS
    ]


def _kept_points(curve: ContrastCurve) -> list[int]:
    """
    Places of at most `CURVE_POINTS` points, with the first and the last.

    Of neighbouring points the shallowest stays, so that nothing is ruled out that the whole curve does not rule out.
    """
    import numpy as np

    places = np.arange(curve.delta_mag.size)
    if places.size <= CURVE_POINTS:
        return places.tolist()
    groups = np.array_split(places[1:-1], CURVE_POINTS - 2)
    return [0, *(int(group[np.argmin(curve.delta_mag[group])]) for group in groups), int(places[-1])]


def _curve_value(file: ExoFopFile, curve: ContrastCurve) -> ContrastCurveValue:
    kept = _kept_points(curve)
    return {
        "file_id": file.file_id,
        "filename": file.filename,
        "sha256": curve.sha256,
        "layout": curve.layout,
        "instrument": curve.instrument,
        "filter": curve.filter,
        "date": curve.date,
        "separation_arcsec": [round(float(curve.separation_arcsec[place]), 4) for place in kept],
        "delta_mag": [round(float(curve.delta_mag[place]), 3) for place in kept],
    }
