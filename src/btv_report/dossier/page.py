"""One dossier page as a value: every number, label, link and figure that the templates place."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace

from btv_report.dossier.audit import Audit, Citation, build_audit, build_citation
from btv_report.dossier.exofop import ExoFopSection, build_exofop
from btv_report.dossier.figures.figure import Figure
from btv_report.dossier.header import Header, build_header
from btv_report.dossier.labels import candidate_title
from btv_report.dossier.links import Link
from btv_report.dossier.masks import MaskSection, build_mask_section
from btv_report.dossier.provenance import Provenance, build_provenance, product_links
from btv_report.dossier.results import CheckSection, Figures, build_check_sections
from btv_report.dossier.shared_rows import share_rows
from btv_report.dossier.spoc_dv import SpocEvent, build_spoc_events
from btv_report.dossier.tables import Table
from btv_report.dossier.text import slug
from btv_report.dossier.transits import build_transit_tables
from btv_report.dossier.verdicts import Strip, build_strips
from btv_report.record import RunRecord


@dataclass(frozen=True)
class FigureGroup:
    """Figures under one heading; `note` says why there are none."""

    anchor: str
    title: str
    figures: tuple[Figure, ...]
    note: str = ""


@dataclass(frozen=True)
class CandidateChecks:
    """The check sections of one candidate; `common` is what several of them have; `note` says why there are none."""

    anchor: str
    short: str
    title: str
    sections: tuple[CheckSection, ...]
    common: tuple[Table, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class NoEphemeris:
    """Why no check was run, and the command that would run them."""

    sentence: str
    command: str


@dataclass(frozen=True)
class DossierPage:
    """Everything on the page of one target."""

    tic_id: int
    run_id: str
    title: str
    header: Header
    strips: tuple[Strip, ...]
    no_ephemeris: NoEphemeris | None
    warnings: tuple[str, ...]
    light_curves: tuple[FigureGroup, ...]
    folds: tuple[FigureGroup, ...]
    controls: tuple[FigureGroup, ...]
    checks: tuple[CandidateChecks, ...]
    masks: MaskSection | None
    spoc_events: tuple[SpocEvent, ...]
    transits: tuple[Table, ...]
    provenance: Provenance
    product_links: tuple[Link, ...]
    exofop: ExoFopSection
    citation: Citation
    audit: Audit

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures in the order of the page."""
        groups = (*self.light_curves, *self.folds, *self.controls)
        sectors = (sector for checks in self.checks for section in checks.sections for sector in section.sectors)
        return (
            *(figure for group in groups for figure in group.figures),
            *(fig for sector in sectors for fig in sector.figures),
            *self.exofop.follow_up.figures,
        )


def build_page(
    run_id: str, record_sha256: str, public: RunRecord, figures: Figures, *, figure_problem: str = ""
) -> DossierPage:
    """
    Collect one page.

    Parameters
    ----------
    run_id, record_sha256 : id and hash of the whole record
    public : RunRecord
        The publishable part of the record (`publish.publishable`): nothing else is read, so nothing else can be shown.
    figures : mapping
        As `dossier.figures.collect.all_figures` gives them; a figure that is absent leaves a sentence in its place.
    figure_problem : str
        Why figures could not be drawn at all; shown among the warnings.
    """
    header = build_header(public)
    marked = "SIMULATED: " if header.simulated else ""
    problems = (figure_problem,) if figure_problem else ()
    return DossierPage(
        tic_id=public["target"]["tic_id"],
        run_id=run_id,
        title=f"{marked}{header.name} dossier",
        header=header,
        strips=build_strips(public),
        no_ephemeris=_no_ephemeris(public),
        warnings=(*problems, *_collapsed(public["warnings"])),
        light_curves=_light_curves(public, figures),
        folds=_folds(public, figures),
        controls=_controls(public, figures),
        checks=_checks(public, figures),
        masks=build_mask_section(public),
        spoc_events=build_spoc_events(public),
        transits=build_transit_tables(public),
        provenance=build_provenance(public),
        product_links=product_links(public),
        exofop=build_exofop(public, figures),
        citation=build_citation(run_id, record_sha256, public),
        audit=build_audit(run_id, record_sha256, public),
    )


def _collapsed(warnings: list[str]) -> tuple[str, ...]:
    """Repeated warnings as one line with a count, in order of first appearance."""
    counts: dict[str, int] = {}
    for warning in warnings:
        counts[warning] = counts.get(warning, 0) + 1
    return tuple(text if count == 1 else f"{text} ({count} times)" for text, count in counts.items())


def _no_ephemeris(record: RunRecord) -> NoEphemeris | None:
    if record["candidates"]:
        return None
    command = [
        "btv-report",
        "TIC",
        str(record["target"]["tic_id"]),
        "--period",
        "DAYS",
        "--epoch",
        "BTJD",
        "--duration",
        "HOURS",
    ]
    listed = record["exofop"].get("candidates", [])
    whence = (
        "no TOI of this star was at hand" if not listed else "none of ExoFOP's rows could be used; its section says why"
    )
    sentence = (
        "Checks not run: no ephemeris. The pixel checks compare images in and out of transit, so they need a period, an "
        f"epoch and a duration; none was given, and {whence}."
    )
    return NoEphemeris(sentence, shlex.join(command))


def _sectors(record: RunRecord, kinds: tuple[str, ...]) -> list[int]:
    """Sectors of which a product of these kinds is used."""
    used = (product for product in record["products"] if product["used"] and product["kind"] in kinds)
    return sorted({product["sector"] for product in used if product["sector"] is not None})


def _light_curves(record: RunRecord, figures: Figures) -> tuple[FigureGroup, ...]:
    sectors = sorted({*_sectors(record, ("light_curve",)), *(curve["sector"] for curve in record["light_curves"])})
    missing = "The light curve of this sector holds no usable flux that could be drawn; its provenance stands below."
    return tuple(
        FigureGroup(f"flux-s{sector}", f"Sector {sector}", found, "" if found else missing)
        for sector in sectors
        for found in (tuple(figures.get(("light_curve", sector), ())),)
    )


def _folds(record: RunRecord, figures: Figures) -> tuple[FigureGroup, ...]:
    groups = []
    for candidate in record["candidates"]:
        name = candidate["name"]
        found = tuple(figures.get(("fold", name), ()))
        missing = "No predicted transit of this candidate has usable flux on both sides, so there is nothing to fold."
        groups.append(FigureGroup(f"folded-{slug(name)}", candidate_title(name), found, "" if found else missing))
    return tuple(groups)


def _controls(record: RunRecord, figures: Figures) -> tuple[FigureGroup, ...]:
    """The mean image of each sector that no stamp figure shows."""
    shown = {key[2] for key, found in figures.items() if key[0] == "stamps" and found}
    groups = []
    for view in sorted(record["pixel_views"], key=lambda view: view["sector"]):
        sector = view["sector"]
        found = tuple(figures.get(("control", sector), ()))
        if sector in shown and record["candidates"]:
            continue
        missing = (
            "" if found else "The mean image of this sector could not be drawn; its pixels stand in the data file."
        )
        groups.append(FigureGroup(f"pixels-s{sector}", f"Sector {sector}", found, missing))
    return tuple(groups)


def _checks(record: RunRecord, figures: Figures) -> tuple[CandidateChecks, ...]:
    sections = build_check_sections(record, figures)
    groups = []
    for candidate in record["candidates"]:
        title = candidate_title(candidate["name"])
        own = tuple(section for section in sections if section.candidate == title)
        missing = (
            "" if own else "No pixel check was recorded for this candidate, because no sector has a usable pixel file."
        )
        anchor = f"checks-{slug(candidate['name'])}"
        common, own = _common_tables(own, anchor)
        groups.append(CandidateChecks(anchor, candidate["name"], title, own, common, missing))
    return tuple(groups)


def _common_tables(
    sections: tuple[CheckSection, ...], anchor: str
) -> tuple[tuple[Table, ...], tuple[CheckSection, ...]]:
    """Thresholds and parameters that several checks have, and the checks with those that only they have."""
    thresholds, own_thresholds = share_rows(
        [(section.check_id, section.thresholds) for section in sections],
        f"{anchor}-thresholds",
        "Thresholds of several checks",
    )
    parameters, own_parameters = share_rows(
        [(section.check_id, section.parameters) for section in sections],
        f"{anchor}-parameters",
        "Parameters of several checks",
    )
    left = zip(sections, own_thresholds, own_parameters, strict=True)
    return (
        tuple(table for table in (thresholds, parameters) if table is not None),
        tuple(replace(section, thresholds=held, parameters=run_with) for section, held, run_with in left),
    )
