"""The head of a page: the star, its candidates, where else it is known, and the limit of the method."""

from __future__ import annotations

import math
from dataclasses import dataclass

from btv_report.checks import thresholds
from btv_report.dossier import links
from btv_report.dossier.labels import SOURCES, alias_names, candidate_title
from btv_report.dossier.links import Link
from btv_report.dossier.numbers import Quantity, exact, quantity, unknown
from btv_report.dossier.tables import Cell, CellKind, Column, Table, text_cell
from btv_report.record import CandidateValue, CheckValue, RunRecord, TargetValue

TESS_PIXEL_ARCSEC = 21
_NOT_IN_HEADER = "neither a product's header nor a catalogue gave it"
_STELLAR = (
    ("teff_k", "Effective temperature", "K", 1),
    ("logg_cgs", "log g", "(cgs)", 3),
    ("radius_rsun", "Radius", "R☉", 4),
    ("mass_msun", "Mass", "M☉", 4),
    ("luminosity_lsun", "Luminosity", "L☉", 4),
    ("metallicity_dex", "[M/H]", "dex", 3),
    ("distance_pc", "Distance", "pc", 3),
)


@dataclass(frozen=True)
class Fact:
    """A term and its value; `note` says where it comes from or what it means."""

    term: str
    value: Quantity
    note: str = ""


@dataclass(frozen=True)
class Header:
    """Everything above the verdicts."""

    name: str
    aliases: tuple[str, ...]
    simulated: bool
    lede: str
    facts: tuple[Fact, ...]
    unknown: tuple[str, ...]
    facts_source: str
    candidates: Table | None
    archive_links: tuple[Link, ...]
    archive_note: str
    limits: tuple[str, ...]


def is_simulated(record: RunRecord) -> bool:
    """Whether the run, or any product in it, holds made-up data."""
    return bool(record["run"]["simulated"]) or any(product["simulated"] for product in record["products"])


def build_header(record: RunRecord) -> Header:
    """Collect the head of the page from a run record."""
    target = record["target"]
    simulated = is_simulated(record)
    facts = (*_position(target), *_stellar(target), *_crowding(record))
    archive_links = (
        Link("ExoFOP", links.exofop_target(target["tic_id"])),
        Link("MAST", links.mast_target(target["tic_id"])),
    )
    return Header(
        name=f"TIC {target['tic_id']}",
        aliases=alias_names(target["aliases"]),
        simulated=simulated,
        lede=_lede(record),
        facts=tuple(fact for fact in facts if not fact.value.reason),
        unknown=unknown_of(facts),
        facts_source=target["source"],
        candidates=_candidates(record["candidates"]),
        archive_links=() if simulated else archive_links,
        archive_note="No archive holds a simulated star, so there is nothing to link to." if simulated else "",
        limits=_limits(record),
    )


def unknown_of(facts: tuple[Fact, ...]) -> tuple[str, ...]:
    """What is not known, gathered by the reason, so that the known stands out."""
    by_reason: dict[str, list[str]] = {}
    for fact in facts:
        if fact.value.reason:
            by_reason.setdefault(fact.value.reason, []).append(fact.term)
    return tuple(f"{', '.join(terms)}: {fact_reason}." for fact_reason, terms in by_reason.items())


def _lede(record: RunRecord) -> str:
    """One sentence: what was looked at, and what came of it."""
    used = [product for product in record["products"] if product["used"] and product["kind"] != "dv_report"]
    sectors = sorted({product["sector"] for product in used if product["sector"] is not None})
    if not used:
        return "No product of this star could be used; the provenance table says why."
    names = ", ".join(str(sector) for sector in sectors) or "not stated"
    light_curves = sum(product["kind"] == "light_curve" for product in used)
    pixel_files = len(used) - light_curves
    parts = [f"{light_curves} light curve{'' if light_curves == 1 else 's'}"] if light_curves else []
    if pixel_files:
        parts.append(f"{pixel_files} set{'' if pixel_files == 1 else 's'} of pixels")
    text = f"{' and '.join(parts)} from sector{'' if len(sectors) == 1 else 's'} {names}"
    if not record["candidates"]:
        return f"{text}. No ephemeris is known, so the pixel checks were not run."
    candidates = len(record["candidates"])
    return f"{text}, held against {candidates} transit signal{'' if candidates == 1 else 's'}."


def _position(target: TargetValue) -> tuple[Fact, ...]:
    """Coordinates, motion and brightness."""
    tmag = Fact("TESS magnitude", catalogue_value(target["tmag"], "mag", 3))
    position = target["position"]
    if position is None:
        return (Fact("Right ascension, declination", unknown(_NOT_IN_HEADER)), tmag)
    epoch = f"ICRS, epoch {position['ref_epoch_year']:.1f}"
    ra_deg, dec_deg = position["ra_deg"], position["dec_deg"]
    motion = unknown("not given with the position; the star is taken as fixed")
    if position["pm_known"]:
        pmra, pmdec = (catalogue_value(position[key], "", 3).text for key in ("pmra_mas_per_yr", "pmdec_mas_per_yr"))
        motion = Quantity(f"{pmra}, {pmdec}", unit="mas/yr")
    return (
        Fact("Right ascension", catalogue_value(ra_deg, "°", 7), epoch),
        Fact("Declination", catalogue_value(dec_deg, "°", 7), epoch),
        Fact("Proper motion", motion, "RA × cos Dec, Dec"),
        tmag,
    )


def catalogue_value(value: float | None, unit: str, decimals: int) -> Quantity:
    """A catalogue value that comes without an error: at most `decimals`, and no zeros that the catalogue does not give."""
    if value is None or not math.isfinite(value):
        return unknown(_NOT_IN_HEADER)
    return Quantity(exact(round(value, decimals)), unit=unit, value=value)


def _stellar(target: TargetValue) -> tuple[Fact, ...]:
    """Stellar parameters, known or not."""
    stellar = target["stellar"]
    facts = [Fact(term, catalogue_value(stellar.get(key), unit, decimals)) for key, term, unit, decimals in _STELLAR]
    return tuple(facts)


def _crowding(record: RunRecord) -> tuple[Fact, ...]:
    """How much of the light is the target's own: TIC contamination ratio, and CROWDSAP of each sector."""
    contamination = record["target"]["stellar"].get("contamination")
    facts = [
        Fact(
            "Contamination ratio",
            quantity(contamination, decimals=4, reason=_NOT_IN_HEADER),
            "flux of neighbours over flux of the star, TIC",
        )
    ]
    crowding = _crowdsap(record)
    stated = [
        f"{exact(round(value, 4))} (S{sector})"
        for sector in sorted(crowding)
        if (value := crowding[sector]) is not None
    ]
    if crowding:
        text = Quantity(", ".join(stated)) if stated else unknown("the files do not state it")
        facts.append(Fact("CROWDSAP", text, "share of the aperture's flux that is the target's, by sector"))
    return tuple(facts)


def _crowdsap(record: RunRecord) -> dict[int, float | None]:
    """CROWDSAP by sector: of the pixel file, else of a used light curve that states it."""
    crowding = {view["sector"]: view["crowdsap"] for view in record["pixel_views"]}
    for product in record["products"]:
        stated = product["provenance"].get("crowdsap") if product["provenance"] else None
        sector = product["sector"]
        if product["used"] and sector is not None and isinstance(stated, int | float) and crowding.get(sector) is None:
            crowding[sector] = float(stated)
    return crowding


def _candidates(candidates: list[CandidateValue]) -> Table | None:
    """The ephemerides, as they were given."""
    if not candidates:
        return None
    columns = (
        Column("Candidate"),
        Column("Period (d)", CellKind.NUMBER),
        Column("Epoch (BTJD, TDB)", CellKind.NUMBER),
        Column("Duration (h)", CellKind.NUMBER),
        Column("Source"),
    )
    rows = tuple(
        (
            text_cell(candidate["name"]),
            *(Cell(exact(candidate[key]), CellKind.NUMBER) for key in ("period_days", "epoch_btjd", "duration_hours")),
            text_cell(SOURCES.get(candidate["source"], candidate["source"])),
        )
        for candidate in candidates
    )
    return Table("candidates", "Ephemerides as given; BTJD is BJD − 2457000.", columns, rows, listed=True)


def _limits(record: RunRecord) -> tuple[str, ...]:
    """One sentence a candidate: how close to each other stars may be before these pixels cannot tell them apart."""
    sentences = []
    for candidate in record["candidates"]:
        name = candidate["name"]
        found = _resolution(record, name)
        if found is not None:
            radius, about, where = found
            sentences.append(
                f"{candidate_title(name)}: at the signal-to-noise of {where}, stars within {quantity(radius, digits=2).text} "
                f"arcsec of the {about} may not be told apart from it by these pixels."
            )
        else:
            sentences.append(
                f"{candidate_title(name)}: the radius within which stars cannot be told apart was not measured, because the "
                f"difference-image check gave no position; a TESS pixel is {TESS_PIXEL_ARCSEC} arcsec wide."
            )
    return tuple(sentences)


def _resolution(record: RunRecord, candidate: str) -> tuple[float, str, str] | None:
    """Radius (arcsec), what it is about, and where V09 measured it: all sectors together, or the one that has a result."""
    found = {
        check["sector"]: _told_apart(check)
        for check in record["checks"]
        if check["check_id"] == "V09"
        and check["candidate"] == candidate
        and check["verdict"] != "not_run"
        and isinstance(check["details"].get("resolution_radius_arcsec"), int | float)
    }
    sectors = sorted(sector for sector in found if sector is not None)
    if None in found and len(sectors) != 1:
        return *found[None], "all sectors together"
    if not sectors:
        return None
    best = min(sectors, key=lambda sector: (found[sector][0], sector))
    return *found[best], f"sector {best}"


def _told_apart(check: CheckValue) -> tuple[float, str]:
    """
    Radius (arcsec) about the target or the source within which stars may not be told apart.

    With the target inside the 3-sigma region it is the largest distance of the region from the target; with the target outside,
    or a region that was not recorded, the radius of the circle about the source that is as large as the region.
    """
    radius, delta = float(check["details"]["resolution_radius_arcsec"]), check["metrics"].get("target_delta_chi2")
    distances = _region_distances(check)
    if not distances or delta is None or float(delta["value"]) > thresholds.value("region_delta_chi2"):
        return radius, "source"
    return max(distances), "target"


def _region_distances(check: CheckValue) -> list[float]:
    """Distances (arcsec) of the edge of the 3-sigma region from the target; [] when the edge was not recorded."""
    details, metrics = check["details"], check["metrics"]
    target, region = details.get("target"), details.get("region_3sigma")
    if target and region:
        return [
            TESS_PIXEL_ARCSEC * math.hypot(row - target["row"], column - target["column"]) for row, column in region
        ]
    names = ("offset_ra_arcsec", "offset_dec_arcsec")
    if "covariance_arcsec2" not in details or any(name not in metrics for name in names):
        return []
    (xx, xy), (_, yy) = details["covariance_arcsec2"]
    ra, dec = (float(metrics[name]["value"]) for name in names)
    reach, a = math.sqrt(thresholds.value("region_delta_chi2")), math.sqrt(xx)
    b, c = xy / a, math.sqrt(max(yy - xy * xy / xx, 0.0))  # the covariance is L L^T with L = ((a, 0), (b, c))
    angles = [math.radians(degree) for degree in range(360)]
    return [math.hypot(ra + reach * a * math.cos(t), dec + reach * (b * math.cos(t) + c * math.sin(t))) for t in angles]
