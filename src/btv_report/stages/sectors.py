"""From a target's number to its products: found, verified, chosen, and the light curves read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from btv_report.archive.mast_archive import MastArchive
from btv_report.archive.mirror import MirrorAnswer, find_products
from btv_report.archive.product_cache import CachedProduct
from btv_report.archive.product_choice import listing_of
from btv_report.archive.tic_targets import target_of
from btv_report.checks.inputs import PixelStack
from btv_report.checks.prf_grid import PrfGrid
from btv_report.errors import BtvReportError, ProductCorruptError, ProductRefusedError
from btv_report.fits.model import ProductKind
from btv_report.products.inspect import content_of, inspect_file
from btv_report.products.light_curve import read_light_curve
from btv_report.products.model import LightCurve, ProductFile, ProductState, TargetPixelFile
from btv_report.products.neighbours import StarCatalogue
from btv_report.products.pixel_stack import build_pixel_stack, keep_brightest, sky_note
from btv_report.products.prf_files import PrfFolder
from btv_report.products.select import describe, select_products
from btv_report.products.sky import mid_year
from btv_report.products.target_pixel_file import read_target_pixel_file
from btv_report.record import TimeOffsetValue
from btv_report.stages.archive import ArchiveFinds, ask_archive
from btv_report.stages.dv_reports import DvFinds, find_dv_reports, with_origins
from btv_report.stages.faults import fault_warnings, missing_sectors, nothing_usable
from btv_report.stages.file_notes import cadence_notes, light_curve_notes, unplaced_note
from btv_report.stages.neighbours import FoundNeighbours, find_neighbours, given_table
from btv_report.stages.prf_sets import NO_SETS, find_prf_sets
from btv_report.stages.request import ReportRequest
from btv_report.stages.times import compare_times
from btv_report.store.workspace import Workspace, cache_folder
from btv_report.targets import Target

# Decompressed files kept between inspection and reading; beyond it they are read again, so that memory stays bounded.
KEPT_BYTES = 128 * 2**20


@dataclass(frozen=True)
class PixelSector:
    """The pixels of one sector: the file as read, what the checks take, and sentences about both."""

    tpf: TargetPixelFile
    stack: PixelStack
    notes: tuple[str, ...] = ()


@dataclass
class FoundProducts:
    """
    What mirrors and archive hold of the target.

    Attributes
    ----------
    target : the star, from the TIC or the headers of its products
    products : every product considered, used or not
    light_curves : the used ones, read
    mirror : what was found where
    warnings : sentences
    neighbours : the stars around the target
    prf_sets : calibrated PRFs at hand
    contents : decompressed bytes by sha256, while memory allows
    dv : SPOC's DV reports of the target; their products stand here, not among `products`
    archive : what came of asking the archive
    time_offsets : how far the times of the light curves of one sector lie apart
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
    archive: ArchiveFinds = field(default_factory=ArchiveFinds)
    time_offsets: list[TimeOffsetValue] = field(default_factory=list)

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


def find_and_read(request: ReportRequest, archive: MastArchive) -> FoundProducts:
    """
    Find, fetch, verify and choose the products of a target, and read its light curves.

    Mirrors are read first; the archive is asked for what they lack.

    Raises
    ------
    TargetNotFoundError
        If there is nothing of the target, or nothing of what was asked for.
    ArchiveUnreachableError
        If nothing is at hand and the archive gave no usable answer, so that it is not known whether there is anything.
    ProductRefusedError
        If there are only products that must not be used.
    ProductCorruptError
        If the only products are damaged.
    UsageError
        If a mirror or the table of neighbours cannot be used; nobody was asked for anything then.
    """
    stars = given_table(request.neighbours)
    prf_sets = find_prf_sets(request.prf, request.workspace)
    mirror = _search(request)
    contents = _Contents()
    at_hand = _inspect_mirror(request, mirror, contents)
    sound = [describe(product) for product in at_hand if product.state is ProductState.OK]
    finds = ask_archive(request, archive, sound, mirror.position)
    products = select_products(
        [*at_hand, *_inspect_cached(request, finds.files, contents)],
        sectors=request.sectors,
        pipelines=request.pipelines,
        exptime_s=request.exptime_s,
    )
    if not any(product.used for product in products) and not (request.dry_run and finds.to_fetch):
        raise nothing_usable(request, mirror, products, finds)
    xml_files = [*mirror.xml_files, *(file.path for file in finds.dv_files)]
    dv = with_origins(find_dv_reports(xml_files, request.tic_id), finds.dv_files)
    found = FoundProducts(
        target=_target(request, products, finds),
        products=list(products),
        light_curves=[],
        mirror=mirror,
        warnings=[
            *fault_warnings(request, products),
            *mirror.unreadable,
            *missing_sectors(request, products, finds),
            *finds.warnings,
            *dv.warnings,
            *prf_sets.warnings,
        ],
        contents=contents.by_sha256,
        dv=dv,
        prf_sets=prf_sets,
        archive=finds,
    )
    _read_light_curves(request, found)
    found.time_offsets = compare_times(request, found.products, found.light_curves)
    _find_neighbours(found, stars)
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
    placed = build_pixel_stack(tpf, position=target.position, tmag=target.tmag, neighbours=neighbours.stars, prfs=prfs)
    stack, crowded = keep_brightest(placed)
    notes = [sky_note(tpf), stack.wcs_disagrees, unplaced_note(tpf, target, neighbours), crowded]
    return PixelSector(tpf, stack, (*(note for note in notes if note), *cadence_notes(tpf.product, tpf)))


def _search(request: ReportRequest) -> MirrorAnswer:
    index = None if request.dry_run else cache_folder(Workspace(request.workspace), os.environ)
    return find_products(request.mirrors, request.tic_id, cache_folder=index)


def _inspect_mirror(request: ReportRequest, mirror: MirrorAnswer, contents: _Contents) -> list[ProductFile]:
    """Look into each file of the mirrors once."""
    products = []
    for file in mirror.files:
        looked = inspect_file(file.path, tic_id=request.tic_id, flux=request.flux, quality_mask=request.quality_mask)
        product = looked.product
        if file.note:
            product = replace(product, reason=product.reason or file.note)
        contents.keep(product.sha256, looked.content)
        products.append(product)
    return products


def _inspect_cached(request: ReportRequest, files: Sequence[CachedProduct], contents: _Contents) -> list[ProductFile]:
    """Look into each file of the cache once; one whose bytes are not those that were fetched is damaged."""
    products = []
    for file in files:
        looked = inspect_file(
            file.path,
            tic_id=request.tic_id,
            flux=request.flux,
            quality_mask=request.quality_mask,
            uri=file.uri,
            retrieved=file.retrieved_at,
            host=file.host,
            listed=listing_of(file.product),
        )
        product = looked.product
        if product.sha256 != file.sha256:
            reason = "its bytes are not those that were fetched; it is fetched again by the next run"
            product = replace(product, state=ProductState.CORRUPT, reason=reason)
        else:
            contents.keep(product.sha256, looked.content)
        products.append(product)
    return products


@dataclass
class _Contents:
    """Decompressed bytes by sha256, kept for reading while they fit."""

    by_sha256: dict[str, bytes] = field(default_factory=dict)
    n_bytes: int = 0

    def keep(self, sha256: str, content: bytes) -> None:
        if content and self.n_bytes + len(content) <= KEPT_BYTES:
            self.by_sha256[sha256] = content
            self.n_bytes += len(content)


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
        found.warnings += light_curve_notes(curve, normalise=request.normalise)


def _find_neighbours(found: FoundProducts, given: tuple[Path, StarCatalogue] | None) -> None:
    times = [curve.time_btjd for curve in found.light_curves]
    year = mid_year(np.concatenate(times)) if times else None
    found.neighbours = find_neighbours(given, found.mirror.neighbour_tables, found.archive.stars, found.target, year)
    found.warnings += found.neighbours.warnings


def _target(request: ReportRequest, products: Sequence[ProductFile], finds: ArchiveFinds) -> Target:
    """The star as the TIC describes it, else as its products do; what the first does not say, a later one may."""
    used = sorted(
        (product for product in products if product.used and product.header), key=lambda item: not _is_pixels(item)
    )
    described = [target_of(finds.star)] if finds.star is not None else []
    described += [
        Target.from_header(product.header.keywords, tic_id=request.tic_id, source=f"header of {product.path.name}")
        for product in used
        if product.header
    ]
    if not described:
        return Target(request.tic_id)
    first = next((target for target in described if target.position is not None), described[0])
    fuller = next((target for target in described if target.stellar != type(target.stellar)()), first)
    tmag = next((target.tmag for target in described if target.tmag is not None), None)
    aliases = {name: value for target in reversed(described) for name, value in target.aliases.items()}
    return replace(first, tmag=tmag, stellar=fuller.stellar, aliases=aliases)


def _is_pixels(product: ProductFile) -> bool:
    kind = product.header.kind if product.header else None
    return kind in {ProductKind.TARGET_PIXEL_FILE, ProductKind.CUTOUT}


def _sector(product: ProductFile) -> int:
    return product.header.sector or 0 if product.header else 0


def exofop_manifests(mirror: MirrorAnswer) -> list[Path]:
    """Manifests of the target in the mirrors, in the order of the mirrors."""
    return [folder / "manifest.json" for folder in mirror.exofop_folders]
