"""SPOC's Data Validation beside our checks: the numbers of the same signal in the same sector, and where they disagree."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from btv_report.checks import thresholds
from btv_report.dossier.labels import candidate_title
from btv_report.dossier.numbers import Quantity, fixed, quantity
from btv_report.dossier.provenance import product_anchor
from btv_report.dossier.tables import Cell, CellKind, Column, Table, number_cell, text_cell
from btv_report.dossier.text import sentence_case, slug
from btv_report.record import CheckValue, DvImageValue, MetricValue, RunRecord, SpocDvValue

DISAGREEMENT_SIGMA = 3.0
QUALITY_STEP = 0.1
_DEPTH = "depth_ppm_pipeline"
_SPOC_SILENT = "SPOC did not measure it"
_NO_PIXELS = "there is no usable pixel file of this sector"
_NOT_FITTED = "the image could not be fitted"
_OFFSET_NOTE = (
    "Offsets from the catalogue position. SPOC's and our fit of SPOC's own pixels carry statistical errors only; V09, from the "
    "pixel file of this run, holds the 2.5-arcsec floor. Quality is the correlation of the difference image with the fitted "
    "point response."
)
_EVENT_NOTE = (
    "SPOC's depth, ghost statistics and mean offset are over all of its sectors; its depth is that of a transit model corrected "
    "for dilution. Ours are of the sectors of this run; our depth is the mean in transit, as the aperture sees it. The errors of "
    "both mean offsets hold a 2.5-arcsec floor, each its own."
)
_WHY_SHALLOWER = (
    "SPOC corrects for dilution and fits the bottom of the transit, so a ratio below 1 is expected where stars crowd."
)
_WHY_DEEPER = (
    "Dilution does not explain this, it would make ours the shallower: look for a background or dilution that SPOC overcorrected "
    "or we did, transits that differ between sectors, or light that SPOC's detrending took away."
)


@dataclass(frozen=True)
class SpocEvent:
    """One event in one DV report: tables and what does not agree; `agreement` when nothing was found to disagree."""

    anchor: str
    title: str
    lede: str
    product: str
    disagreements: tuple[str, ...]
    agreement: str
    tables: tuple[Table, ...]


def build_spoc_events(record: RunRecord) -> tuple[SpocEvent, ...]:
    """All events of SPOC that match a candidate, candidate by candidate, the longest search first."""
    events = sorted(
        record.get("spoc_dv", []), key=lambda event: (event["candidate"], -len(event["sectors"]), event["file"])
    )
    return tuple(_event(record, event, number) for number, event in enumerate(events, start=1))


def _event(record: RunRecord, event: SpocDvValue, number: int) -> SpocEvent:
    # The number keeps anchors apart whatever a record says; an anchor that stands twice would stop the whole site.
    anchor = f"spoc-{slug(event['candidate'])}-{event['sha256'][:8]}-{event['planet_number']}-{number}"
    checks = _checks(record, event["candidate"])
    sectors = _sectors_words(event["sectors"]) or "sectors not stated"
    planet = f"planet {event['planet_number']}" + (f" (TOI {event['toi']})" if "toi" in event else "")
    title = f"{candidate_title(event['candidate'])}: SPOC {planet}, {sectors}"
    disagreements = (*_sector_disagreements(event, checks), *_event_disagreements(event, checks))
    return SpocEvent(
        anchor=anchor,
        title=title,
        lede=f"{event['match'][:1].upper()}{event['match'][1:]}; period of SPOC {event['period_days']:.6g} d.",
        product=product_anchor(event["sha256"]),
        disagreements=disagreements,
        agreement="" if disagreements else _agreement(event, checks),
        tables=tuple(
            table for table in (_sector_table(event, checks, anchor), _event_table(event, checks, anchor)) if table
        ),
    )


_Checks = Mapping[tuple[str, int | None], CheckValue]


def _checks(record: RunRecord, candidate: str) -> _Checks:
    return {
        (check["check_id"], check["sector"]): check for check in record["checks"] if check["candidate"] == candidate
    }


def _metrics(checks: _Checks, check_id: str, sector: int | None) -> Mapping[str, MetricValue]:
    check = checks.get((check_id, sector))
    return check["metrics"] if check else {}


def _where(event: SpocDvValue) -> int | None:
    """Our result that is over the same data as SPOC's event: its sector when it has one, else all together."""
    return event["sectors"][0] if len(event["sectors"]) == 1 else None


def _sector_table(event: SpocDvValue, checks: _Checks, anchor: str) -> Table | None:
    if not event["images"]:
        return None
    columns = (
        Column("Sector"),
        Column("SPOC: offset (arcsec)", CellKind.NUMBER),
        Column("Our fit of SPOC's pixels: offset (arcsec)", CellKind.NUMBER),
        Column("V09: offset (arcsec)", CellKind.NUMBER),
        Column("SPOC: offset from control (arcsec)", CellKind.NUMBER),
        Column("V09: offset from control (arcsec)", CellKind.NUMBER),
        Column("SPOC: quality", CellKind.NUMBER),
        Column("Our fit: quality", CellKind.NUMBER),
        Column("V09: quality", CellKind.NUMBER),
        Column("Our fit from SPOC's (px)", CellKind.NUMBER),
        Column("Point response of our fit"),
    )
    rows = tuple(_sector_row(image, checks) for image in event["images"])
    note = " ".join([_OFFSET_NOTE, *_reasons(event["images"])])
    return Table(f"{anchor}-sectors", "SPOC Data Validation beside ours, by sector", columns, rows, note, listed=True)


def _reasons(images: Sequence[DvImageValue]) -> list[str]:
    """Sentences on images that are not judged, and on those that are, but not with the point response that was asked for."""
    given = sorted({(image["status"] == "ok", image["reason"]) for image in images if image.get("reason")})
    return [sentence_case(reason) if judged else f"Not judged: {reason}." for judged, reason in given]


def _sector_row(image: DvImageValue, checks: _Checks) -> tuple[Cell, ...]:
    sector = image.get("sector")
    spoc, ours = image["spoc"], image.get("ours", {})
    v09 = _metrics(checks, "V09", sector) if sector is not None else {}
    prf: Mapping[str, Any] = image.get("prf", {})
    return (
        text_cell(str(sector) if sector is not None else None),
        number_cell(_given(spoc, "tic_offset_arcsec", _SPOC_SILENT)),
        number_cell(_given(ours, "tic_offset_arcsec", _NOT_FITTED)),
        number_cell(_metric(v09, "offset_arcsec", "offset_err_arcsec")),
        number_cell(_given(spoc, "control_offset_arcsec", _SPOC_SILENT)),
        number_cell(_metric(v09, "control_offset_arcsec")),
        number_cell(quantity(spoc.get("quality"), decimals=2, reason=_SPOC_SILENT)),
        number_cell(quantity(ours.get("quality"), decimals=2, reason=_NOT_FITTED)),
        number_cell(_metric(v09, "quality", decimals=2)),
        number_cell(quantity(image.get("distance_px"), decimals=3, reason=_NOT_FITTED)),
        text_cell(_short_prf(prf), reason=_NOT_FITTED),
    )


def _event_table(event: SpocDvValue, checks: _Checks, anchor: str) -> Table:
    numbers, where = event["numbers"], _where(event)
    v10, v20, v09 = (_metrics(checks, check_id, where) for check_id in ("V10", "V20", "V09"))
    ours, spoc = (_sectors_words(sectors) for sectors in (_our_sectors(checks, where), event["sectors"]))
    columns = (
        Column("Quantity"),
        Column(f"SPOC, {spoc or 'over its sectors'}", CellKind.NUMBER),
        Column(f"Ours, {ours or 'all sectors'}", CellKind.NUMBER),
    )
    rows = (
        _pair("Depth (ppm)", _given(numbers, "depth_ppm", _SPOC_SILENT), _metric(v10, _DEPTH, f"{_DEPTH}_err")),
        _pair(
            "Mean offset from the catalogue position (arcsec)",
            _given(numbers, "tic_offset_arcsec", _SPOC_SILENT),
            _metric(v09, "offset_arcsec", "offset_err_arcsec"),
        ),
        _pair(
            "Ghost: correlation of the core (σ)",
            quantity(numbers.get("ghost_core"), decimals=2, reason=_SPOC_SILENT),
            _metric(v20, "core_correlation", decimals=2),
        ),
        _pair(
            "Ghost: correlation of the halo (σ)",
            quantity(numbers.get("ghost_halo"), decimals=2, reason=_SPOC_SILENT),
            _metric(v20, "halo_correlation", decimals=2),
        ),
        _pair(
            "Strength of the signal (σ; SPOC: MES of the search, ours: SNR of V09)",
            quantity(numbers.get("mes"), decimals=1, reason=_SPOC_SILENT),
            _metric(v09, "snr", decimals=1),
        ),
    )
    return Table(f"{anchor}-event", "The whole signal: SPOC's sectors beside ours", columns, rows, _EVENT_NOTE)


def _our_sectors(checks: _Checks, where: int | None) -> list[int]:
    """The sectors whose results stand behind ours: the one, or all that have a result of a check that is compared."""
    if where is not None:
        return [where]
    ran = (key for key, check in checks.items() if key[0] in ("V09", "V10", "V20") and check["verdict"] != "not_run")
    return sorted({sector for _, sector in ran if sector is not None})


def _sectors_words(sectors: Sequence[int]) -> str:
    """Sectors, runs of three and more as "first to last"; empty when there are none."""
    runs: list[list[int]] = []
    for sector in sorted(sectors):
        if runs and sector == runs[-1][-1] + 1:
            runs[-1].append(sector)
        else:
            runs.append([sector])
    words = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return f"sector{'' if len(sectors) == 1 else 's'} {', '.join(words)}" if words else ""


def _short_prf(prf: Mapping[str, str]) -> str | None:
    """The detector of a PRF set, or "Gaussian": what a narrow column holds of its description."""
    description = prf.get("description", "")
    if prf.get("kind") == "gaussian":
        return "Gaussian"
    detector = re.search(r"\((camera \d, CCD \d)\)", description)
    if detector is None:
        return description or None
    return detector[1] + (", mirrored" if "mirrored" in description else "")


def _pair(name: str, spoc: Quantity, ours: Quantity) -> tuple[Cell, ...]:
    return text_cell(name), number_cell(spoc), number_cell(ours)


def _given(numbers: Mapping[str, float], name: str, reason: str) -> Quantity:
    return quantity(numbers.get(name), error=numbers.get(f"{name}_err"), digits=3, reason=reason)


def _metric(
    metrics: Mapping[str, MetricValue], name: str, error_name: str = "", *, decimals: int | None = None
) -> Quantity:
    reason = _NO_PIXELS if not metrics else "not measured"
    if name not in metrics:
        return quantity(None, reason=reason)
    error = float(metrics[error_name]["value"]) if error_name in metrics else None
    return quantity(float(metrics[name]["value"]), error=error, decimals=decimals, digits=3)


def _sector_disagreements(event: SpocDvValue, checks: _Checks) -> tuple[str, ...]:
    found: list[str] = []
    for image in event["images"]:
        if "sector" not in image:
            continue
        v09 = _metrics(checks, "V09", image["sector"])
        sentences = (_fit_apart(image), _offsets_apart(image, v09), _quality_apart(image))
        found += [f"Sector {image['sector']}: {sentence}" for sentence in sentences if sentence]
    return tuple(found)


def _fit_apart(image: DvImageValue) -> str:
    """Whether our fit of SPOC's own pixels lands elsewhere, in units of both errors and the floor in pixels."""
    if image["status"] != "ok" or "distance_px" not in image:
        return ""
    spoc, ours, distance = image["spoc"], image.get("ours", {}), image["distance_px"]
    floor_px = thresholds.value("systematic_floor_arcsec") / 21.0
    errors = [part.get(name, 0.0) for part in (spoc, ours) for name in ("row_err", "column_err")]
    sigma = math.sqrt(sum(error**2 for error in errors) / 2 + floor_px**2)
    if distance <= DISAGREEMENT_SIGMA * sigma:
        return ""
    apart = f"{fixed(distance, 2)} px from SPOC's position ({distance / sigma:.1f} σ with the floor)"
    return f"our fit of SPOC's own pixels lands {apart}."


def _offsets_apart(image: DvImageValue, v09: Mapping[str, MetricValue]) -> str:
    """Whether V09's source offset differs from SPOC's by more than 3 sigma, the floor included."""
    names = ("offset_ra_arcsec", "offset_dec_arcsec", "offset_err_arcsec")
    spoc = image["spoc"]
    if (
        any(name not in v09 for name in names)
        or "tic_offset_ra_arcsec" not in spoc
        or "tic_offset_dec_arcsec" not in spoc
    ):
        return ""
    ra, dec, error = (float(v09[name]["value"]) for name in names)
    apart = math.hypot(ra - spoc["tic_offset_ra_arcsec"], dec - spoc["tic_offset_dec_arcsec"])
    sigma = math.hypot(error, spoc.get("tic_offset_arcsec_err", 0.0))
    if apart <= DISAGREEMENT_SIGMA * sigma:
        return ""
    return f"V09's source lies {fixed(apart, 1)} arcsec from SPOC's ({apart / sigma:.1f} σ with the floor)."


def _quality_apart(image: DvImageValue) -> str:
    spoc, ours = image["spoc"].get("quality"), image.get("ours", {}).get("quality")
    if spoc is None or ours is None or image["status"] != "ok":
        return ""
    good = thresholds.value("quality_good")
    if (spoc >= good) == (ours >= good) or abs(spoc - ours) <= QUALITY_STEP:
        return ""
    return f"SPOC's quality is {fixed(spoc, 2)}, ours {fixed(ours, 2)}: one calls the image good, the other not."


def _event_disagreements(event: SpocDvValue, checks: _Checks) -> tuple[str, ...]:
    where = _where(event)
    depth = _depths_apart(event["numbers"], _metrics(checks, "V10", where))
    ghost = _ghosts_apart(event["numbers"], checks.get(("V20", where)))
    return tuple(sentence for sentence in (depth, ghost) if sentence)


def _depths_apart(numbers: Mapping[str, float], v10: Mapping[str, MetricValue]) -> str:
    if any(name not in numbers for name in ("depth_ppm", "depth_ppm_err")) or f"{_DEPTH}_err" not in v10:
        return ""
    ours, error = float(v10[_DEPTH]["value"]), float(v10[f"{_DEPTH}_err"]["value"])
    spoc = numbers["depth_ppm"]
    sigma = math.hypot(error, numbers["depth_ppm_err"])
    if abs(ours - spoc) <= DISAGREEMENT_SIGMA * sigma or spoc <= 0:
        return ""
    why = _WHY_SHALLOWER if ours < spoc else _WHY_DEEPER
    return f"Our depth is {ours / spoc:.2f} times SPOC's, {abs(ours - spoc) / sigma:.1f} σ apart. {why}"


def _ghosts_apart(numbers: Mapping[str, float], v20: CheckValue | None) -> str:
    """SPOC's halo above its core means a ghost; our verdict is V20's."""
    if v20 is None or v20["verdict"] == "not_run" or "ghost_core" not in numbers or "ghost_halo" not in numbers:
        return ""
    spoc, ours = numbers["ghost_halo"] > numbers["ghost_core"], v20["verdict"] == "fail"
    if spoc == ours:
        return ""
    return (
        "SPOC's halo correlates with the transits more than its core, V20 does not find that."
        if spoc
        else "V20 finds the halo in excess of the core, SPOC does not."
    )


def _agreement(event: SpocDvValue, checks: _Checks) -> str:
    """What was compared when nothing disagrees; only what was compared is said to agree."""
    compared: Sequence[str] = [
        name
        for name, present in (
            (
                "positions in the same pixels",
                any(image["status"] == "ok" and "distance_px" in image for image in event["images"]),
            ),
            ("offsets", any(_comparable_offset(image, checks) for image in event["images"])),
            (
                "depth",
                f"{_DEPTH}_err" in _metrics(checks, "V10", _where(event)) and "depth_ppm_err" in event["numbers"],
            ),
            ("ghost diagnostic", _comparable_ghost(event, checks)),
        )
        if present
    ]
    if not compared:
        return "Nothing of it could be compared with ours."
    return (
        f"No disagreement beyond {DISAGREEMENT_SIGMA:g} σ was found in what could be compared: {', '.join(compared)}."
    )


def _comparable_offset(image: DvImageValue, checks: _Checks) -> bool:
    return (
        "sector" in image
        and "tic_offset_ra_arcsec" in image["spoc"]
        and "offset_ra_arcsec" in _metrics(checks, "V09", image["sector"])
    )


def _comparable_ghost(event: SpocDvValue, checks: _Checks) -> bool:
    v20: Any = checks.get(("V20", _where(event)))
    return v20 is not None and v20["verdict"] != "not_run" and {"ghost_core", "ghost_halo"} <= set(event["numbers"])
