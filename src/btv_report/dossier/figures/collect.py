"""Every figure of a page, by the section it belongs to."""

from __future__ import annotations

from btv_report.dossier.figures.centroid import centroid_figures
from btv_report.dossier.figures.curves import aperture_figures
from btv_report.dossier.figures.figure import Figure
from btv_report.dossier.figures.folds import fold_figures
from btv_report.dossier.figures.ghost import ghost_figures
from btv_report.dossier.figures.light_curves import light_curve_figures
from btv_report.dossier.figures.stamps import control_figures, stamp_figures
from btv_report.record import RunRecord

SectionKey = tuple[str | int, ...]

BY_SECTOR = {"light_curve": light_curve_figures, "control": control_figures}
BY_CANDIDATE_AND_SECTOR = {
    "stamps": stamp_figures,
    "centroid": centroid_figures,
    "aperture": aperture_figures,
    "ghost": ghost_figures,
}


def all_figures(record: RunRecord) -> dict[SectionKey, tuple[Figure, ...]]:
    """
    Make the figures of a record.

    Returns
    -------
    dict
        Figures by `("light_curve", sector)`, `("control", sector)`, `("fold", candidate)`, and `("stamps", candidate, sector)`,
        `("centroid", ...)`, `("aperture", ...)`, `("ghost", ...)`. A section without figures has no key: what a record does not
        hold is not drawn, and that is no error.
    """
    light_curves, views = record.get("light_curves", []), record.get("pixel_views", [])
    sectors = sorted({value["sector"] for value in light_curves} | {view["sector"] for view in views})
    figures: dict[SectionKey, tuple[Figure, ...]] = {}
    for name, by_sector in BY_SECTOR.items():
        for sector in sectors:
            figures[name, sector] = by_sector(record, sector)
    candidates = [fold["candidate"] for fold in record.get("folds", [])]
    for candidate in dict.fromkeys(candidates):
        figures["fold", candidate] = fold_figures(record, candidate)
    checked = {(check["candidate"], check["sector"]) for check in record.get("checks", [])}
    for candidate, checked_sector in sorted((name, sector) for name, sector in checked if sector is not None):
        for name, make in BY_CANDIDATE_AND_SECTOR.items():
            figures[name, candidate, checked_sector] = make(record, candidate, checked_sector)
    return {key: found for key, found in figures.items() if found}
