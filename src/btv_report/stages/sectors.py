"""From a target's number to its products: found, verified, chosen, and the light curves read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from btv_report.answer_states import AnswerState
from btv_report.archive.mirror import MirrorAnswer, find_products
from btv_report.checks.inputs import PixelStack
from btv_report.checks.prf_grid import PrfGrid
from btv_report.errors import (
    BtvReportError,
    NothingUsableError,
    ProductCorruptError,
    ProductRefusedError,
    TargetNotFoundError,
)
from btv_report.fits.model import ProductKind
from btv_report.products.inspect import content_of, inspect_file
from btv_report.products.light_curve import read_light_curve
from btv_report.products.model import LightCurve, ProductFile, ProductState, TargetPixelFile
from btv_report.products.pixel_stack import build_pixel_stack, keep_brightest, sky_note
from btv_report.products.prf_files import PrfFolder
from btv_report.products.select import select_products
from btv_report.products.sky import mid_year
from btv_report.products.target_pixel_file import read_target_pixel_file
from btv_report.stages.dv_reports import DvFinds, find_dv_reports
from btv_report.stages.neighbours import FoundNeighbours, find_neighbours
from btv_report.stages.prf_sets import NO_SETS, find_prf_sets
from btv_report.stages.request import ReportRequest
from btv_report.stages.values import product_value
from btv_report.store.workspace import Workspace, cache_folder
from btv_report.targets import Target

# Decompressed files kept between inspection and reading; beyond it they are read again, so that memory stays bounded.
KEPT_BYTES = 128 * 2**20
LISTED_FAULTS = 10


@dataclass(frozen=True)
class PixelSector:
    """The pixels of one sector: the file as read, what the checks take, and sentences about both."""

    tpf: TargetPixelFile
    stack: PixelStack
    notes: tuple[str, ...] = ()


@dataclass
class FoundProducts:
    """
    What the mirrors hold of the target.

    Attributes
    ----------
    target : the star, from the headers of its products
    products : every product considered, used or not
    light_curves : the used ones, read
    mirror : what was found where
    warnings : sentences
    neighbours : the stars around the target
    prf_sets : calibrated PRFs at hand
    contents : decompressed bytes by sha256, while memory allows
    dv : SPOC's DV reports of the target; their products stand here, not among `products`
    """

    target: Target
    products: list[ProductFile]
    light_curves: list[LightCurve]
    mirror: MirrorAnswer
    warnings: list[str]
    neighbours: FoundNeighbours = field(default_factory=FoundNeighbours)
    prf_sets: PrfFolder = NO_SETS
    contents: dict[str, bytes] = field(default_factory=dict)
    dv: DvFinds = field(default_factory=DvFinds)

    @property
    def sectors(self) -> tuple[int, ...]:
        """Sectors that have a used product."""
        return tuple(sorted({_sector(product) for product in self.products if product.used}))

    @property
    def pixel_products(self) -> list[ProductFile]:
        """The used pixel files, in order of their sectors."""
        return [product for product in self.products if product.used and _is_pixels(product)]

    def refuse(self, product: ProductFile, error: BtvReportError) -> None:
        """Take back a product that turned out unusable when it was read."""
        state = ProductState.CORRUPT if isinstance(error, ProductCorruptError) else ProductState.REJECTED
        place = self.products.index(product)
        self.products[place] = replace(product, used=False, state=state, reason=error.message)
        self.warnings.append(str(error))


def find_and_read(request: ReportRequest) -> FoundProducts:
    """
    Find, verify and choose the products of a target, and read its light curves.

    Raises
    ------
    TargetNotFoundError
        If the mirrors hold nothing of the target, or nothing of what was asked for.
    ProductRefusedError
        If there are only products that must not be used.
    ProductCorruptError
        If the only products are damaged.
    """
    prf_sets = find_prf_sets(request.prf, request.workspace)
    mirror = _search(request)
    contents: dict[str, bytes] = {}
    products = select_products(
        _inspected(request, mirror, contents),
        sectors=request.sectors,
        pipelines=request.pipelines,
        exptime_s=request.exptime_s,
    )
    if not any(product.used for product in products):
        raise _nothing_usable(request, mirror, products)
    target = _target(request, products)
    dv = find_dv_reports(mirror.xml_files, request.tic_id)
    found = FoundProducts(
        target=target,
        products=list(products),
        light_curves=[],
        mirror=mirror,
        warnings=[
            *_fault_warnings(request, products),
            *mirror.unreadable,
            *_missing_sectors(request, products),
            *dv.warnings,
            *prf_sets.warnings,
        ],
        contents=contents,
        dv=dv,
        prf_sets=prf_sets,
    )
    _read_light_curves(request, found)
    _find_neighbours(request, found)
    return found


def read_pixels(request: ReportRequest, found: FoundProducts, product: ProductFile) -> PixelSector | None:
    """Read one pixel file and place the stars on it; None, with a warning, when it cannot be used after all."""
    try:
        tpf = read_target_pixel_file(product, _content(found, product), quality_mask=request.quality_mask)
        pixels = place_stars(tpf, found.target, found.neighbours, found.prf_sets.grids)
    except (ProductRefusedError, ProductCorruptError) as error:
        found.refuse(product, error)
        return None
    found.warnings += pixels.notes
    return pixels


def place_stars(
    tpf: TargetPixelFile, target: Target, neighbours: FoundNeighbours, prfs: Sequence[PrfGrid] = ()
) -> PixelSector:
    """
    Put target and neighbours on the stamp, with the calibrated PRFs at hand.

    Raises
    ------
    ProductRefusedError
        If the file states no sector or no cadence length can be measured.
    """
    product = tpf.product
    placed = build_pixel_stack(tpf, position=target.position, tmag=target.tmag, neighbours=neighbours.stars, prfs=prfs)
    stack, crowded = keep_brightest(placed)
    notes = [sky_note(tpf), stack.wcs_disagrees, _absence_note(product, tpf.repacked, tpf.n_absent_cadences), crowded]
    if not tpf.quality_column:
        notes.append(f"{product.path.name} has no QUALITY column: no cadence could be left out for its flags.")
    return PixelSector(tpf, stack, tuple(note for note in notes if note))


def mirror_state(request: ReportRequest, found: FoundProducts) -> tuple[AnswerState, str]:
    """One state for all that the mirrors answered: the worst fault among the products asked for, and a sentence."""
    states = {product.state for product in (*found.products, *found.dv.products) if _was_asked(request, product)}
    sentence = found.mirror.sentence()
    if ProductState.CORRUPT in states:
        return AnswerState.CORRUPT, f"{sentence} At least one product is damaged."
    if ProductState.REJECTED in states:
        return AnswerState.REJECTED, f"{sentence} At least one product was refused."
    if found.mirror.unreadable:
        return AnswerState.UNREACHABLE, sentence
    if missing := _missing_sectors(request, found.products):
        return AnswerState.STALE, " ".join([sentence, *missing])
    return AnswerState.OK, sentence


def _search(request: ReportRequest) -> MirrorAnswer:
    if not request.mirrors:
        raise NothingUsableError(
            f"TIC {request.tic_id}: there is nowhere to look; no --mirror was given, and this version does not ask the "
            "archive itself.",
            hint="Give --mirror DIR with the folder that holds the FITS files of the target.",
            tic_id=request.tic_id,
        )
    index = None if request.dry_run else cache_folder(Workspace(request.workspace), os.environ)
    mirror = find_products(request.mirrors, request.tic_id, cache_folder=index)
    if not mirror.files:
        raise TargetNotFoundError(
            f"TIC {request.tic_id}: {mirror.sentence()}",
            hint="Give --mirror a folder that holds light curves or target pixel files of this target.",
            tic_id=request.tic_id,
        )
    return mirror


def _inspected(request: ReportRequest, mirror: MirrorAnswer, contents: dict[str, bytes]) -> Iterable[ProductFile]:
    """Look into each file once; its bytes are kept for reading while they fit."""
    kept = 0
    for file in mirror.files:
        looked = inspect_file(file.path, tic_id=request.tic_id, flux=request.flux, quality_mask=request.quality_mask)
        product = looked.product
        if file.note:
            product = replace(product, reason=product.reason or file.note)
        if looked.content and kept + len(looked.content) <= KEPT_BYTES:
            contents[product.sha256] = looked.content
            kept += len(looked.content)
        yield product


def _content(found: FoundProducts, product: ProductFile) -> bytes:
    kept = found.contents.pop(product.sha256, None)
    return kept if kept is not None else content_of(product)


def _read_light_curves(request: ReportRequest, found: FoundProducts) -> None:
    for product in [item for item in found.products if item.used and not _is_pixels(item)]:
        try:
            curve = read_light_curve(
                product,
                _content(found, product),
                flux=request.flux,
                quality_mask=request.quality_mask,
                normalise=request.normalise,
                exptime_asked_s=request.exptime_s,
            )
        except (ProductRefusedError, ProductCorruptError) as error:
            found.refuse(product, error)
            continue
        found.light_curves.append(curve)
        found.warnings += _light_curve_notes(request, curve)


def _light_curve_notes(request: ReportRequest, curve: LightCurve) -> list[str]:
    name, how = curve.product.path.name, curve.provenance
    absence = _absence_note(curve.product, how.repacked, how.n_absent_cadences)
    notes = [absence] if absence else []
    if not how.quality_column:
        notes.append(f"{name} has no QUALITY column: no cadence could be left out for its flags.")
    if how.flux_note:
        notes.append(f"{name}: {how.flux_note}")
    if how.normalisation_note and request.normalise:
        notes.append(f"{name}: {how.normalisation_note}")
    return notes


def _absence_note(product: ProductFile, repacked: bool, n_absent: int | None) -> str:
    """A sentence about cadences that somebody dropped before we saw the file; empty when there are none."""
    if not repacked and not n_absent:
        return ""
    name = product.path.name
    origin = f"{name} is a re-packed copy, not the pipeline's own file" if repacked else name
    if not n_absent:
        return f"{origin}."
    joint = "; it" if repacked else ""
    return f"{origin}{joint} leaves out {n_absent} cadences between its first and last, so their quality flags are unknown."


def _find_neighbours(request: ReportRequest, found: FoundProducts) -> None:
    times = [curve.time_btjd for curve in found.light_curves]
    year = mid_year(np.concatenate(times)) if times else None
    found.neighbours = find_neighbours(request.neighbours, found.mirror.neighbour_tables, found.target, year)
    found.warnings += found.neighbours.warnings


def _target(request: ReportRequest, products: Sequence[ProductFile]) -> Target:
    """The star as its products describe it; what the first does not say, a later one may."""
    used = sorted(
        (product for product in products if product.used and product.header), key=lambda item: not _is_pixels(item)
    )
    described = [
        Target.from_header(product.header.keywords, tic_id=request.tic_id, source=f"header of {product.path.name}")
        for product in used
        if product.header
    ]
    first = next((target for target in described if target.position is not None), described[0])
    fuller = next((target for target in described if target.stellar != type(target.stellar)()), first)
    tmag = next((target.tmag for target in described if target.tmag is not None), None)
    return replace(first, tmag=tmag, stellar=fuller.stellar)


def _nothing_usable(
    request: ReportRequest, mirror: MirrorAnswer, products: Sequence[ProductFile]
) -> NothingUsableError | ProductCorruptError:
    """The error for a target of which no product can be used; it lists each with its reason."""
    listed = "; ".join(f"{product.path.name}: {product.reason}" for product in products)
    message = f"TIC {request.tic_id}: no product can be used ({listed})."
    considered = [product_value(product, {}) for product in products]
    asked = [product for product in products if _was_asked(request, product)]
    if any(product.state is ProductState.CORRUPT for product in asked):
        return ProductCorruptError(
            message, hint="Fetch the damaged files again.", tic_id=request.tic_id, products=considered
        )
    if any(product.state is ProductState.REJECTED for product in asked):
        return ProductRefusedError(
            message, hint="Give --mirror other products of the target.", tic_id=request.tic_id, products=considered
        )
    return TargetNotFoundError(
        message, hint="Ask for other sectors, pipelines or exposure times.", tic_id=request.tic_id, products=considered
    )


def _fault_warnings(request: ReportRequest, products: Sequence[ProductFile]) -> list[str]:
    remedy = {
        ProductState.CORRUPT: "Fetch the file again; the dossier was made without it.",
        ProductState.REJECTED: "The dossier was made without it.",
    }
    faulty = {product.sha256: product for product in reversed(products) if product.state in remedy}
    asked = [product for product in reversed(faulty.values()) if _was_asked(request, product)]
    sentences = [
        f"TIC {request.tic_id}: {product.path.name}: {product.reason.rstrip('.')}. {remedy[product.state]}"
        for product in asked[:LISTED_FAULTS]
    ]
    if len(asked) > LISTED_FAULTS:
        sentences.append(
            f"TIC {request.tic_id}: {len(asked) - LISTED_FAULTS} more files are damaged or refused; see `products`."
        )
    return sentences


def _missing_sectors(request: ReportRequest, products: Sequence[ProductFile]) -> list[str]:
    have = {_sector(product) for product in products if product.used}
    return [
        f"TIC {request.tic_id}: the mirrors hold no usable product of sector {sector}, which was asked for."
        for sector in sorted(set(request.sectors) - have)
    ]


def _was_asked(request: ReportRequest, product: ProductFile) -> bool:
    """Whether a product lies within `--sector` and `--pipeline`; one that does not say counts as asked for."""
    header = product.header
    if header is None:
        return True
    sector_asked = not request.sectors or header.sector is None or header.sector in request.sectors
    pipelines = {name.lower() for name in request.pipelines}
    return sector_asked and (not pipelines or header.pipeline.lower() in pipelines)


def _is_pixels(product: ProductFile) -> bool:
    kind = product.header.kind if product.header else None
    return kind in {ProductKind.TARGET_PIXEL_FILE, ProductKind.CUTOUT}


def _sector(product: ProductFile) -> int:
    return product.header.sector or 0 if product.header else 0


def exofop_manifests(mirror: MirrorAnswer) -> list[Path]:
    """Manifests of the target in the mirrors, in the order of the mirrors."""
    return [folder / "manifest.json" for folder in mirror.exofop_folders]
