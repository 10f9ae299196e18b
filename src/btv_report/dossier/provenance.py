"""Where every number came from: all products in one table, then each used one field by field, and what was asked of whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from btv_report.dossier import links
from btv_report.dossier.header import Fact, unknown_of
from btv_report.dossier.labels import FITS_SUMS, GAP_STATES, KINDS, state_words, unit_label
from btv_report.dossier.numbers import Quantity, exact, integer, quantity, unknown
from btv_report.dossier.tables import Cell, CellKind, Column, Table, code_cell, number_cell, text_cell
from btv_report.dossier.text import sentence_case
from btv_report.dossier.time_offsets import build_time_offsets
from btv_report.quality import QUALITY_FLAG_BITS, QUALITY_SOURCE
from btv_report.record import ProductValue, RunRecord

SHORT_HASH = 12
_NO_BITS = "No cadence carries a quality bit in this file."


@dataclass(frozen=True)
class ProductCard:
    """One used product, field by field."""

    anchor: str
    title: str
    file: str
    facts: tuple[Fact, ...]
    unknown: tuple[str, ...]
    bits: Table | None
    bits_note: str


@dataclass(frozen=True)
class Provenance:
    """Products, cards, times of pipelines against each other, and answers."""

    products: Table | None
    cards: tuple[ProductCard, ...]
    time_offsets: Table | None
    answers: Table | None
    gaps: tuple[str, ...]

    @property
    def common(self) -> tuple[Fact, ...]:
        """The facts that all of several cards state alike; a page says them once."""
        first, *others = self.cards or (None,)
        if first is None or not others:
            return ()
        return tuple(fact for fact in first.facts if all(fact in card.facts for card in others))


def product_anchor(sha256: str | None) -> str:
    """Id of a product's card; a product whose bytes are not here has no card."""
    return f"product-{sha256[:SHORT_HASH]}" if sha256 else ""


def build_provenance(record: RunRecord) -> Provenance:
    """Collect the provenance of a page."""
    products = sorted(
        record["products"],
        key=lambda product: (
            product["sector"] or 0,
            product["kind"],
            not product["used"],
            product["file"],
            product["sha256"] or "",
        ),
    )
    cards: dict[str, ProductCard] = {}
    for product in products:
        if product["used"] and product_anchor(product["sha256"]) not in cards:
            cards[product_anchor(product["sha256"])] = _card(product)
    gaps = tuple(
        f"{answer['service']}, {answer['endpoint']}: {state_words(answer['state'])}. {answer['detail']}".strip()
        for answer in record["answers"]
        if answer["state"] in GAP_STATES
    )
    return Provenance(
        _product_table(products), tuple(cards.values()), build_time_offsets(record), _answer_table(record), gaps
    )


def _product_table(products: list[ProductValue]) -> Table | None:
    if not products:
        return None
    columns = (
        Column("File", CellKind.CODE),
        Column("Sector", CellKind.NUMBER),
        Column("Kind"),
        Column("Pipeline"),
        Column("Exposure (s)", CellKind.NUMBER),
        Column("Used"),
        Column("Why"),
        Column("FITS sums"),
        Column("State"),
        Column("SHA-256", CellKind.CODE),
    )
    rows = []
    for product in products:
        target = f"#{product_anchor(product['sha256'])}" if product["used"] else None
        sector = Cell("—", CellKind.NUMBER, reason="the header does not state a sector")
        if product["sector"] is not None:
            sector = Cell(str(product["sector"]), CellKind.NUMBER)
        rows.append(
            (
                code_cell(product["file"], href=target),
                sector,
                text_cell(KINDS.get(product["kind"], product["kind"])),
                text_cell(product["pipeline"]),
                number_cell(_given(product["exptime_s"], "")),
                text_cell("used" if product["used"] else "not used"),
                text_cell(sentence_case(product["reason"]), reason="nothing to note"),
                text_cell(_sums(product), reason="not fetched"),
                text_cell(product["state"], reason="not stated"),
                code_cell(f"{product['sha256'][:SHORT_HASH]}…" if product["sha256"] else None, reason="not read"),
            )
        )
    return Table("products", "Every product that was considered", columns, tuple(rows), sortable=len(rows) > 5)


def _sums(product: ProductValue) -> str | None:
    """The state of the FITS sums in words; None where no bytes are here."""
    state = product["fits_sum"]
    return FITS_SUMS.get(state, state) if state is not None else None


def _text(value: object, reason: str) -> Quantity:
    """A text fact; an em dash with a reason when empty."""
    return unknown(reason) if value in (None, "") else Quantity(str(value))


def _number(source: Mapping[str, Any], key: str, unit: str, reason: str, digits: int = 6) -> Quantity:
    value = source.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return unknown(reason)
    return (
        Quantity(integer(value), unit=unit, value=value)
        if isinstance(value, int)
        else quantity(value, unit, digits=digits)
    )


def _given(value: float | None, unit: str) -> Quantity:
    """A number as the header gives it."""
    return unknown("the header does not state it") if value is None else Quantity(exact(value), unit=unit, value=value)


def _card(product: ProductValue) -> ProductCard:
    provenance = product["provenance"]
    where = "sector not stated" if product["sector"] is None else f"sector {product['sector']}"
    kind = KINDS.get(product["kind"], product["kind"])
    facts = (*_origin_facts(product), *_reading_facts(product), *_time_facts(provenance))
    bits = _bits_table(provenance, product_anchor(product["sha256"]))
    return ProductCard(
        anchor=product_anchor(product["sha256"]),
        title=f"{kind[:1].upper()}{kind[1:]}, {where}, {product['pipeline']}",
        file=product["file"],
        facts=tuple(fact for fact in facts if not fact.value.reason),
        unknown=unknown_of(facts),
        bits=bits,
        bits_note=_bits_note(provenance, bits),
    )


def _origin_facts(product: ProductValue) -> tuple[Fact, ...]:
    silent = "the header does not state it"
    detector = unknown(silent)
    if product["camera"] is not None and product["ccd"] is not None:
        detector = Quantity(f"camera {product['camera']}, CCD {product['ccd']}")
    return (
        Fact("Mission", _text(product["mission"], silent)),
        Fact("Pipeline", _text(product["pipeline"], silent)),
        Fact("Detector", detector),
        Fact("Archive URI", _text(product["uri"], "found in a local mirror, which knows no address")),
        Fact("Observation id", _text(product["obs_id"], silent)),
        Fact("Origin", _text(product["origin"], silent)),
        Fact("Creator", _text(product["creator"], silent)),
        Fact("Processing version (PROCVER)", _text(product["procver"], silent)),
        Fact("Written (DATE)", _text(product["date"], silent)),
        Fact("Retrieved", _text(product["retrieved"], "not recorded")),
        Fact("SHA-256 of the bytes as they lie", _text(product["sha256"], "not read")),
        Fact("Size", _number(product, "bytes", "bytes", "not listed")),
        Fact("FITS sums", _text(_sums(product), "not checked")),
        *((Fact("Simulated", Quantity("SIMULATED: these bytes are no observation")),) if product["simulated"] else ()),
    )


def _reading_facts(product: ProductValue) -> tuple[Fact, ...]:
    """How the file was read: cadence, mask, flux column and normalisation."""
    read = product["provenance"]
    if not read:
        if product["used"]:
            return (Fact("Reading", Quantity("read whole; it holds no cadences that a mask could leave out")),)
        return (Fact("Reading", unknown("the product was listed but not read")),)
    asked = "none, any exposure time was taken"
    facts = [
        Fact("Exposure time asked", _number(read, "exptime_asked_s", "s", asked)),
        Fact(
            "Exposure time by header",
            _given(product["exptime_s"], "s"),
        ),
        Fact("Cadence measured from TIME", _number(read, "cadence_measured_s", "s", "fewer than two times", 6)),
        Fact("Cadences in the file", _number(read, "n_cadences", "", "not recorded")),
        Fact("Cadences used", _number(read, "n_used", "", "not recorded")),
        Fact("Quality mask (integer)", _mask(read)),
    ]
    facts += _completeness(read)
    is_light_curve = "flux_asked" in read or "normalised" in read
    if "flux_column" in read:
        asked_for = f"asked: {read.get('flux_asked') or 'nothing'}" if is_light_curve else ""
        unit = read.get("flux_unit")
        facts += [
            Fact("Flux column", _text(read["flux_column"], "not recorded"), asked_for),
            Fact("Flux unit as used", _text(unit_label(unit) if unit else None, "the column states none")),
            Fact("Flux errors from", _text(read.get("flux_err_source"), "not recorded")),
        ]
    if is_light_curve:
        facts.append(Fact("Normalisation", _normalisation(read)))
    else:
        facts.append(Fact("Stamp", _shape(read)))
    silent = "the header does not state it"
    if not is_light_curve or "crowdsap" in read:
        facts.append(Fact("CROWDSAP", _number(read, "crowdsap", "", silent, 4)))
    if not is_light_curve:
        facts.append(Fact("FLFRCSAP", _number(read, "flfrcsap", "", silent, 4)))
    return tuple(facts)


def _completeness(read: Mapping[str, Any]) -> list[Fact]:
    """What the file leaves out, as far as it was counted, and whether it is the pipeline's own file."""
    facts = []
    if "n_absent_cadences" in read:
        absent = _number(read, "n_absent_cadences", "", "the file does not number its cadences")
        facts.append(Fact("Cadence numbers missing", absent, "between the first and the last in the file"))
    counted = (
        ("n_nonfinite_time", "Times not finite"),
        ("n_repeated_times", "Times that repeat an earlier one"),
        ("n_impossible_times", "Times that cannot be of the sector"),
        ("n_empty_cadences", "Cadences of zeros only"),
        ("n_nonfinite_flux", "Fluxes not finite"),
    )
    for key, term in counted:
        if key in read:
            facts.append(Fact(term, _number(read, key, "", "not recorded")))
    if read.get("times_in_order") is False:
        facts.append(Fact("Times in ascending order", Quantity("no"), "sorted for the checks"))
    if read.get("repacked"):
        note = "a re-packed copy, by its header: not the bytes that the pipeline wrote"
        facts.append(Fact("Re-packed", Quantity("yes"), note))
    return facts


def _mask(read: Mapping[str, Any]) -> Quantity:
    if read.get("quality_column") is False:
        return Quantity(
            f"{read.get('quality_mask')}, but the file has no QUALITY column: nothing was masked", value=0.0
        )
    mask = read.get("quality_mask")
    return unknown("not recorded") if mask is None else Quantity(str(mask), value=float(mask))


def _normalisation(read: Mapping[str, Any]) -> Quantity:
    if not read.get("normalised"):
        return Quantity(f"not normalised: {read.get('normalisation_note') or 'as asked'}")
    divisor = read.get("divisor")
    number = exact(float(divisor)) if isinstance(divisor, int | float) else "not recorded"
    return Quantity(
        f"divided by the median of the used cadences, {number} {unit_label(read.get('divisor_unit') or '')}".strip(),
        value=0.0,
    )


def _shape(read: Mapping[str, Any]) -> Quantity:
    if read.get("n_row") is None or read.get("n_column") is None:
        return unknown("not recorded")
    return Quantity(f"{read['n_row']} rows × {read['n_column']} columns")


def _time_facts(read: Mapping[str, Any]) -> tuple[Fact, ...]:
    reference = read.get("time_reference")
    if not isinstance(reference, Mapping):
        return ()
    silent = "the header does not state it"
    return (
        Fact("Time scale (TIMESYS)", _text(reference.get("timesys"), silent)),
        Fact("Reference day (BJDREFI)", _reference(reference, "bjdrefi", silent)),
        Fact("Its fraction (BJDREFF)", _reference(reference, "bjdreff", "absent, counted as 0")),
        Fact("Time unit (TIMEUNIT)", _text(reference.get("timeunit"), silent)),
    )


def _reference(reference: Mapping[str, Any], key: str, reason: str) -> Quantity:
    """A day number as it stands in the header: its digits are not grouped."""
    value = reference.get(key)
    return Quantity(exact(float(value)), value=float(value)) if isinstance(value, int | float) else unknown(reason)


def _bits_table(read: Mapping[str, Any], anchor: str) -> Table | None:
    """Cadences that carry each bit, and that it removed; bits that never occur are left out."""
    flagged = {int(bit): int(count) for bit, count in (read.get("flagged_by_bit") or {}).items()}
    removed = {int(bit): int(count) for bit, count in (read.get("removed_by_bit") or {}).items()}
    names = {flag.bit: flag.meaning for flag in QUALITY_FLAG_BITS.values()}
    bits = sorted({bit for bit, count in (flagged | removed).items() if count})
    if not bits:
        return None
    rows = tuple(
        (
            Cell(str(bit), CellKind.NUMBER),
            Cell(integer(1 << (bit - 1)), CellKind.NUMBER),
            text_cell(names.get(bit, "not defined for SPOC products")),
            Cell(integer(max(flagged.get(bit, 0), removed.get(bit, 0))), CellKind.NUMBER),
            Cell(integer(removed.get(bit, 0)), CellKind.NUMBER),
        )
        for bit in bits
    )
    columns = (
        Column("Bit", CellKind.NUMBER),
        Column("Value", CellKind.NUMBER),
        Column("Meaning"),
        Column("Cadences flagged", CellKind.NUMBER),
        Column("removed", CellKind.NUMBER),
    )
    note = f"A cadence may count under several bits. Bits by {QUALITY_SOURCE}."
    return Table(f"{anchor}-bits", "Quality bits that occur", columns, rows, note)


def _bits_note(read: Mapping[str, Any], bits: Table | None) -> str:
    if bits is not None or not read:
        return ""
    return "The file has no QUALITY column." if read.get("quality_column") is False else _NO_BITS


def _answer_table(record: RunRecord) -> Table | None:
    if not record["answers"]:
        return None
    rows = tuple(
        (
            text_cell(answer["service"]),
            text_cell(answer["endpoint"]),
            Cell(f"{answer['state']}: {state_words(answer['state'])}"),
            text_cell(answer["asked_at"], reason="not asked"),
            text_cell(answer["detail"], reason="nothing to note"),
        )
        for answer in record["answers"]
    )
    columns = (Column("Place"), Column("Question"), Column("State"), Column("Asked (UTC)"), Column("Answer"))
    return Table("answers", "What was asked of whom", columns, rows)


def product_links(record: RunRecord) -> tuple[links.Link, ...]:
    """Archive addresses of the used products that have one."""
    used = (product for product in record["products"] if product["used"])
    return tuple(links.Link(product["file"], href) for product in used if (href := links.mast_product(product["uri"])))
