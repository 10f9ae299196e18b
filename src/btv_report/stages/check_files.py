"""The pixel checks on single files, without a store: what `btv-report check` does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btv_report import exit_codes
from btv_report.checks.mask_sensitivity import MaskComparison
from btv_report.checks.run import SectorChecks
from btv_report.ephemeris import Ephemeris
from btv_report.errors import BtvReportError, ProductCorruptError, ProductRefusedError, UsageError
from btv_report.fits.model import ProductKind
from btv_report.products.inspect import Inspection, inspect_file
from btv_report.products.model import ProductFile, ProductState
from btv_report.products.prf_files import PrfFolder
from btv_report.products.sky import mid_year
from btv_report.products.target_pixel_file import read_target_pixel_file
from btv_report.quality import DEFAULT_QUALITY_MASK
from btv_report.record import SCHEMA_VERSION
from btv_report.stages import values
from btv_report.stages.answer import check_rows
from btv_report.stages.checking import check_sector
from btv_report.stages.neighbours import find_neighbours, given_table
from btv_report.stages.prf_sets import NO_SETS, unused_sets
from btv_report.stages.sectors import place_stars
from btv_report.targets import Target


@dataclass(frozen=True)
class CheckRequest:
    """
    What is asked of each file; every field has the meaning of the option of the same name.

    Attributes
    ----------
    ephemeris : the candidate
    quality_mask : integer; cadences with any of its bits are not used
    neighbours : table of stars around the target
    prf_sets : calibrated PRFs at hand
    store_plot_data : give the stamps with the results
    """

    ephemeris: Ephemeris
    quality_mask: int = DEFAULT_QUALITY_MASK
    neighbours: Path | None = None
    prf_sets: PrfFolder = NO_SETS
    store_plot_data: bool = True


@dataclass(frozen=True)
class CheckedFile:
    """
    What became of one file.

    Attributes
    ----------
    answer : the object of `check --json`
    exit_code : see `exit_codes`
    error : why it could not be checked, None otherwise
    """

    answer: dict[str, Any]
    exit_code: int = exit_codes.DONE
    error: BtvReportError | None = None


def check_file(path: Path, request: CheckRequest) -> CheckedFile:
    """
    Run the pixel checks on one file. Nothing is written, and a file that cannot be checked is an answer, not an error.

    Parameters
    ----------
    path : target pixel file or cut-out, plain or gzip, of any target
    request : what is asked
    """
    product: ProductFile | None = None
    try:
        looked = _look_at(path, request)
        product = looked.product
        _require_pixels(product)
        return CheckedFile(_checked(looked, request))
    except BtvReportError as error:
        return CheckedFile(_nothing(path, product, error), error.exit_code, error)


def _look_at(path: Path, request: CheckRequest) -> Inspection:
    if not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "is no file"
        raise UsageError(f"{path} {what}.", hint="Name target pixel files (FITS, plain or gzipped).", path=path)
    return inspect_file(path, quality_mask=request.quality_mask, retrieved="given by the user")


def _require_pixels(product: ProductFile) -> None:
    name = product.path.name
    if product.state is ProductState.CORRUPT:
        raise ProductCorruptError(
            f"{name} is damaged: {product.reason.rstrip('.')}.", hint="Fetch the file again.", path=product.path
        )
    if product.header is not None and product.header.kind is ProductKind.LIGHT_CURVE:
        raise ProductRefusedError(
            f"{name} is a light curve, and the pixel checks need pixels.",
            hint="Give the target pixel file (..._tp.fits) or a cut-out of the same star and sector.",
            path=product.path,
        )
    if product.state is ProductState.REJECTED:
        raise ProductRefusedError(f"{name} is refused: {product.reason.rstrip('.')}.", path=product.path)


def _checked(looked: Inspection, request: CheckRequest) -> dict[str, Any]:
    """Read, place the stars, run the checks, and answer."""
    product = looked.product
    tpf = read_target_pixel_file(product, looked.content, quality_mask=request.quality_mask)
    header = product.header
    target = Target.from_header(
        header.keywords if header else {},
        tic_id=(header.tic_id if header else None) or 0,
        source=f"header of {product.path.name}",
    )
    neighbours = find_neighbours(given_table(request.neighbours), (), None, target, mid_year(tpf.time_btjd))
    pixels = place_stars(tpf, target, neighbours, request.prf_sets.grids)
    candidate = request.ephemeris
    done, masks = check_sector(pixels, candidate, (candidate,), store_plot_data=request.store_plot_data)
    return _answer(product, done, masks, warnings=[*neighbours.warnings, *pixels.notes, *unused_sets(done)])


def _answer(product: ProductFile, done: SectorChecks, masks: MaskComparison, *, warnings: list[str]) -> dict[str, Any]:
    checks = [values.check_value(result, [product.sha256]) for result in done.results]
    return {
        **_identity(product.path, product),
        "status": "complete",
        "checks": check_rows(checks, stamps=True),
        "mask_sensitivity": values.mask_sensitivity_value(masks),
        "transits": [values.transit_value(row) for row in done.transits],
        "warnings": warnings,
    }


def _nothing(path: Path, product: ProductFile | None, error: BtvReportError) -> dict[str, Any]:
    """The answer for a file that could not be checked; the sentence stands in `warnings`."""
    return {
        **_identity(path, product),
        "status": "nothing",
        "checks": [],
        "transits": [],
        "warnings": [str(error)],
    }


def _identity(path: Path, product: ProductFile | None) -> dict[str, Any]:
    header = product.header if product is not None else None
    return {
        "schema_version": SCHEMA_VERSION,
        "file": path.name,
        "sha256": product.sha256 if product is not None else None,
        "tic_id": header.tic_id if header is not None else None,
        "sector": header.sector if header is not None else None,
    }
