"""Every figure of a page, by the section it belongs to."""

from __future__ import annotations

from btv_report.dossier.figures.centroid import centroid_figures
from btv_report.dossier.figures.contrast import contrast_figures
from btv_report.dossier.figures.curves import aperture_figures
from btv_report.dossier.figures.external_light_curves import external_light_curve_figures
from btv_report.dossier.figures.figure import Figure
from btv_report.dossier.figures.folds import fold_figures
from btv_report.dossier.figures.ghost import ghost_figures
from btv_report.dossier.figures.light_curves import light_curve_figures
from btv_report.dossier.figures.stamps import control_figures, stamp_figures
from btv_report.record import RunRecord

SectionKey = tuple[str | int, ...]

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
        `("centroid", ...)`, `("aperture", ...)`, `("ghost", ...)`; those of ExoFOP's files by
        `("contrast",)` and `("external_light_curves",)`. A section without figures has no key: what a record does not
        hold is not drawn, and that is no error. `("control", sector)` stands for sectors without the stamps of a candidate,
        whose first figure is a control image already.
    """
    light_curves, views = record.get("light_curves", []), record.get("pixel_views", [])
    sectors = sorted({value["sector"] for value in light_curves} | {view["sector"] for view in views})
    checked = {(check["candidate"], check["sector"]) for check in record.get("checks", [])}
    figures: dict[SectionKey, tuple[Figure, ...]] = {}
    for sector in sectors:
        figures["light_curve", sector] = light_curve_figures(record, sector)
    for candidate in dict.fromkeys(fold["candidate"] for fold in record.get("folds", [])):
        figures["fold", candidate] = fold_figures(record, candidate)
    for candidate, checked_sector in sorted((name, sector) for name, sector in checked if sector is not None):
        for name, make in BY_CANDIDATE_AND_SECTOR.items():
            figures[name, candidate, checked_sector] = make(record, candidate, checked_sector)
    with_stamps = {key[2] for key, found in figures.items() if key[0] == "stamps" and found}
    for sector in sectors:
        if sector not in with_stamps:
            figures["control", sector] = control_figures(record, sector)
    figures[("contrast",)] = contrast_figures(record)
    figures[("external_light_curves",)] = external_light_curve_figures(record)
    return {key: found for key, found in figures.items() if found}
