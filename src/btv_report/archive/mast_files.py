"""One product of the archive: from its address to verified bytes at a path."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from btv_report.answer_states import AnswerState
from btv_report.archive.cutout_zip import unpack
from btv_report.archive.limits import Limits
from btv_report.archive.mast_types import ArchiveProduct, cutout_place
from btv_report.archive.progress import DownloadPhase
from btv_report.archive.web_pages import looks_like_html, safe_excerpt
from btv_report.errors import FetchError
from btv_report.fits.model import ProductKind
from btv_report.fits.sums import check_fits_stream

if TYPE_CHECKING:
    from btv_report.archive.fetch import Fetched, Fetcher

DOWNLOAD_PATH = "/api/v0.1/Download/file"
CUTOUT_SIZE_PX = 11
_XML_STARTS = (b"<?xml", b"<dv:", b"<dvTargetResults")

Tell = Callable[[DownloadPhase, int, int | None], None]


def fetch_product(fetcher: Fetcher, base_url: str, product: ArchiveProduct, path: Path, tell: Tell) -> Fetched:
    """
    Fetch a product to a path.

    The bytes are held against the length that the server states, the size that the archive lists, and the sums that the file
    itself carries; what fails is fetched once more, then given up.

    Parameters
    ----------
    path : final path; nothing is there, or the old file stays there, unless everything holds
    tell : called with phase, bytes so far, and bytes in all where known

    Raises
    ------
    FetchError
        With the state that the attempt ended in.
    LocalEnvironmentError
        If the machine refuses to keep the bytes.
    """
    limits = Limits()

    def on_bytes(done: int, total: int | None) -> None:
        tell(DownloadPhase.DOWNLOADING, done, total)

    def check(candidate: Path) -> str:
        size = candidate.stat().st_size
        tell(DownloadPhase.VERIFYING, size, size)
        return what_is_wrong(candidate, product)

    tell(DownloadPhase.DOWNLOADING, 0, product.n_bytes)
    if product.kind == ProductKind.CUTOUT:
        return _fetch_cutout(fetcher, base_url, product, path, on_bytes=on_bytes, check=check)
    return fetcher.to_file(
        f"{base_url}{DOWNLOAD_PATH}",
        path,
        params={"uri": product.uri},
        limit_bytes=limits.product_bytes,
        deadline_s=limits.file_deadline_s,
        expected_bytes=product.n_bytes,
        check=check,
        on_bytes=on_bytes,
    )


def what_is_wrong(path: Path, product: ArchiveProduct) -> str:
    """Why the bytes at a path cannot be the product; empty when nothing speaks against it."""
    if page := _web_page(path, "an XML report" if product.kind == ProductKind.DV_REPORT else "a FITS file"):
        return page
    with path.open("rb") as file:
        if product.kind == ProductKind.DV_REPORT:
            start = file.read(4096).lstrip()
            return "" if start.startswith(_XML_STARTS) else "it does not begin as an XML report does"
        result = check_fits_stream(file, path.stat().st_size)
    return result.reason if result.is_damaged else ""


def _web_page(path: Path, due: str) -> str:
    """That the bytes at a path are a web page and not what is due; empty when they are none."""
    with path.open("rb") as file:
        start = file.read(4096)
    return f"it is a web page ({safe_excerpt(start)!r}), not {due}" if looks_like_html(start) else ""


def _fetch_cutout(
    fetcher: Fetcher,
    base_url: str,
    product: ArchiveProduct,
    path: Path,
    *,
    on_bytes: Callable[[int, int | None], None],
    check: Callable[[Path], str],
) -> Fetched:
    """TESScut answers with a zip that holds one FITS file: that file is the product."""
    from btv_report.archive.mast_search import cutout_request

    limits = Limits()
    ra_deg, dec_deg, sector = cutout_place(product)
    url, params = cutout_request(base_url, ra_deg, dec_deg, sector, CUTOUT_SIZE_PX)

    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".cutout.", suffix=".zip")
    os.close(handle)
    archive = Path(name)
    try:
        return fetcher.to_file(
            url,
            archive,
            params=params,
            limit_bytes=limits.product_bytes,
            deadline_s=limits.file_deadline_s,
            check=lambda zipped: _web_page(zipped, "a zip") or unpack(zipped, path, limits, check=check),
            on_bytes=on_bytes,
        )
    finally:
        archive.unlink(missing_ok=True)


def cutout_product(tic_id: int, sector: int, camera: int, ccd: int, place: tuple[float, float]) -> ArchiveProduct:
    """The cut-out of a sector's full-frame images about a place (RA, Dec in degrees), as a product that can be fetched."""
    ra_deg, dec_deg = place
    words = f"{ra_deg:.6f}_{dec_deg:.6f}_{CUTOUT_SIZE_PX}x{CUTOUT_SIZE_PX}"
    return ArchiveProduct(
        kind=str(ProductKind.CUTOUT),
        tic_id=tic_id,
        sector=sector,
        pipeline="TESScut",
        exptime_s=full_frame_exptime_s(sector),
        file=f"tess-s{sector:04d}-{camera}-{ccd}_{words}_astrocut.fits",
        uri=f"tesscut:sector={sector};ra={ra_deg:.6f};dec={dec_deg:.6f};size={CUTOUT_SIZE_PX}",
        n_bytes=None,
        obs_id=f"tess-s{sector:04d}-{camera}-{ccd}",
        obsid=None,
        data_rights="PUBLIC",
        description="cut-out of the full-frame images",
        t_min_mjd=None,
    )


def full_frame_exptime_s(sector: int) -> float:
    """Cadence of the full-frame images: 30 min to sector 26, 10 min to 55, 200 s since."""
    return 1800.0 if sector <= 26 else 600.0 if sector <= 55 else 200.0


def gap_sentence(product: ArchiveProduct, error: FetchError, *, refreshed: bool = False) -> str:
    """What to tell a reader whose dossier goes without a product; `refreshed` whether the archive listed it just now."""
    what = "refused" if error.state is AnswerState.REJECTED else "not fetched"
    hint = error.hint
    if refreshed and error.state is AnswerState.NOT_FOUND:
        hint = "The archive lists it and does not have it: try again later, or give --mirror DIR with the file."
    return f"TIC {product.tic_id}: {product.file} was {what}. {error.message} {hint}".rstrip()
