"""Does the quality mask matter? The checks under several masks side by side; a line where all leave the same cadences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from btv_report.checks.mask_sensitivity import MASKS
from btv_report.dossier.labels import badge, candidate_title
from btv_report.dossier.numbers import integer, quantity
from btv_report.dossier.results import metric_quantity
from btv_report.dossier.tables import Cell, CellKind, Column, Table, number_cell
from btv_report.dossier.text import slug
from btv_report.fits.model import ProductKind
from btv_report.record import MaskRowValue, MaskSensitivityValue, RunRecord

_PIPELINE_DEPTH = "depth_ppm_pipeline"
_CIRCLE_DEPTH = "depth_ppm_r2.0"
_NOT_MEASURED = "not measured with these cadences"
_WHAT_STAYS = (
    "Under every mask cadences without a time or flux are left out, and transits with an anomaly bit in their windows are not "
    "used."
)


@dataclass(frozen=True)
class MaskSection:
    """`lines` say where the mask does not matter; each table compares the masks for one candidate in one sector."""

    lines: tuple[str, ...]
    tables: tuple[Table, ...]


def build_mask_section(record: RunRecord) -> MaskSection | None:
    """The section; None where no checks were run, or by a version that did not compare masks."""
    comparisons = record.get("mask_sensitivity", [])
    if not comparisons:
        return None
    absent = _absent_cadences(record)
    alike = (_line(comparison, absent) for comparison in comparisons if len(comparison["rows"]) < 2)
    tables = (_table(comparison, absent) for comparison in comparisons if len(comparison["rows"]) > 1)
    return MaskSection(tuple(dict.fromkeys(alike)), tuple(tables))


def _absent_cadences(record: RunRecord) -> dict[int, int]:
    """Cadences that the pixel file in use leaves out, by sector; sectors whose file leaves out none are absent."""
    found: dict[int, int] = {}
    for product in record["products"]:
        count, sector = (product["provenance"] or {}).get("n_absent_cadences"), product["sector"]
        if (
            product["used"]
            and product["kind"] == ProductKind.TARGET_PIXEL_FILE
            and sector is not None
            and isinstance(count, int)
            and count > 0
        ):
            found[sector] = count
    return found


def _line(comparison: MaskSensitivityValue, absent: Mapping[int, int]) -> str:
    """The sentence of a comparison, and what it cannot be said of: cadences that are not in the file."""
    count = absent.get(comparison["sector"], 0)
    if not count:
        return comparison["sentence"]
    return (
        f"{comparison['sentence']} The file leaves out {integer(count)} cadence{'' if count == 1 else 's'} whose flags are "
        "unknown, so this cannot be told for them."
    )


def _table(comparison: MaskSensitivityValue, absent: Mapping[int, int]) -> Table:
    rows = comparison["rows"]
    check_ids = sorted({check_id for row in rows for check_id in row["verdicts"]})
    in_aperture = any(_PIPELINE_DEPTH in row["metrics"] for row in rows)
    columns = (
        Column("Quality mask"),
        *(Column(check_id) for check_id in check_ids),
        Column("Offset, V09 (arcsec)", CellKind.NUMBER),
        Column(f"Depth, V10, {'pipeline aperture' if in_aperture else 'within 2 px'} (ppm)", CellKind.NUMBER),
        Column("Core, V20 (σ)", CellKind.NUMBER),
        Column("Halo, V20 (σ)", CellKind.NUMBER),
        Column("Halo excess, V20 (σ)", CellKind.NUMBER),
        Column("Transits", CellKind.NUMBER),
        Column("Cadences", CellKind.NUMBER),
    )
    metrics = (
        "offset_arcsec",
        _PIPELINE_DEPTH if in_aperture else _CIRCLE_DEPTH,
        "core_correlation",
        "halo_correlation",
        "halo_excess_sigma",
    )
    candidate, sector = comparison["candidate"], comparison["sector"]
    return Table(
        f"quality-masks-{slug(candidate)}-s{sector}",
        f"{candidate_title(candidate)}. {_line(comparison, absent)}",
        columns,
        tuple(_row(row, comparison["quality_mask"], metrics, check_ids) for row in rows),
        f"{_meanings(rows)} {_WHAT_STAYS}",
    )


def _row(row: MaskRowValue, own: int, metrics: tuple[str, ...], check_ids: list[str]) -> tuple[Cell, ...]:
    masks = ", ".join(f"{mask} (this run)" if mask == own else str(mask) for mask in row["masks"])
    return (
        Cell(masks),
        *(_verdict(row["verdicts"].get(check_id)) for check_id in check_ids),
        *(
            number_cell(
                metric_quantity(name, row["metrics"])
                if name in row["metrics"]
                else quantity(None, reason=_NOT_MEASURED)
            )
            for name in metrics
        ),
        Cell(integer(row["n_transits"]), CellKind.NUMBER),
        Cell(integer(row["n_cadences"]), CellKind.NUMBER),
    )


def _verdict(verdict: str | None) -> Cell:
    if verdict is None:
        return Cell("—", reason="no result")
    shown = badge(verdict)
    return Cell(shown.word, badge=shown)


def _meanings(rows: list[MaskRowValue]) -> str:
    """What each mask is."""
    masks = sorted(mask for row in rows for mask in row["masks"])
    return "; ".join(f"{mask}: {MASKS[mask]}" for mask in masks if mask in MASKS) + "."
