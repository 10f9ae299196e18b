"""
`MASTClient`: targets, light curves, pixel files, neighbours and DV reports of TESS from MAST, for programs and notebooks.

    client = MASTClient()
    target = client.get_target_info(365938305)
    curve = client.download_lightcurve(365938305, sector=74)

Searching goes through lightkurve and astroquery; bytes are fetched, verified and kept by btv-report's own cache, so that a
second call opens no connection.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from btv_report.answer_states import AnswerState
from btv_report.archive.addresses import mast_url
from btv_report.archive.cache_folder import default_cache_folder
from btv_report.archive.client_arguments import mask_number, require_radius, sector_number, tic_number
from btv_report.archive.mast_archive import MastArchive
from btv_report.archive.mast_names import parse_target
from btv_report.archive.mast_types import ArchiveProduct, ResolvedTarget, SearchResult, TicStar
from btv_report.archive.persistent_cache import PersistentCache, make_light_curve_key
from btv_report.archive.product_cache import CachedProduct
from btv_report.archive.product_choice import choose_products, listing_of
from btv_report.archive.progress import DownloadPhase, DownloadProgress, ProgressCallback, say_nothing
from btv_report.archive.questions import Answered
from btv_report.archive.tic_targets import target_of
from btv_report.errors import (
    ArchiveUnreachableError,
    LightCurveNotFoundError,
    ProductCorruptError,
    ProductRefusedError,
)
from btv_report.fits.model import ProductKind
from btv_report.products.listing import why_not_as_listed
from btv_report.products.model import LightCurve, ProductFile, ProductState, TargetPixelFile
from btv_report.quality import DEFAULT_QUALITY_MASK
from btv_report.targets import Target

if TYPE_CHECKING:
    from btv_report.archive.fetch import Fetcher

FLUX_TYPES = ("pdcsap", "sap")
ALL_PIPELINES: tuple[str, ...] = ()

T = TypeVar("T")


class MASTClient:
    """
    A client of MAST.

    Parameters
    ----------
    cache_dir : folder of answers and products; `BTV_REPORT_CACHE_DIR` and its elders, else `.btv-report/cache` here
    base_url : of the archive; `BTV_REPORT_MAST_URL`, else MAST's own
    author : the only pipeline wanted, such as `SPOC`; None for all, in the default order of preference
    quality_mask : cadences with any of these bits are marked as not used
    normalize : whether light curves are divided by their median
    offline : answer from the cache alone, open no socket
    refresh : ask and fetch again what is kept
    cache : where read light curves are kept, too; None keeps none
    progress_callback : called as downloads go on
    fetcher : the fetch function's owner, for tests and shared limits

    Raises
    ------
    ArchiveUnreachableError
        By every method, where the archive gave no usable answer: then nothing is known, not even that there is nothing.
    """

    def __init__(
        self,
        *,
        cache_dir: Path | str | None = None,
        base_url: str | None = None,
        author: str | None = None,
        quality_mask: int = DEFAULT_QUALITY_MASK,
        normalize: bool = True,
        offline: bool = False,
        refresh: bool = False,
        cache: PersistentCache | None = None,
        progress_callback: ProgressCallback = say_nothing,
        fetcher: Fetcher | None = None,
    ) -> None:
        self.author = author
        self.quality_mask = mask_number(quality_mask)
        self.normalize = normalize
        self.cache = cache
        self.archive = MastArchive(
            Path(cache_dir) if cache_dir is not None else default_cache_folder(os.environ, Path.cwd()),
            base_url=base_url or mast_url(os.environ),
            offline=offline,
            refresh=refresh,
            fetcher=fetcher,
            progress=progress_callback,
        )

    def resolve_target(
        self, target: str, *, radius_arcsec: float = 10.0, accept_nearest: bool = False
    ) -> ResolvedTarget:
        """
        The TIC number behind `TIC n`, a bare number, a TOI, a name or coordinates.

        Raises
        ------
        UsageError
            If the text names no target.
        AmbiguousTargetError
            If several stars lie within the radius and `accept_nearest` is not set; it lists them.
        NameResolutionError, TargetNotFoundError
            If nobody knows the name, or no star is there.
        """
        require_radius(radius_arcsec)
        query = parse_target(target)
        if query.tic_id is not None:
            return ResolvedTarget(query.tic_id, target, 0.0, None, None, None, None, (), False)
        return _value(
            self.archive.resolve(query, radius_arcsec=radius_arcsec, accept_nearest=accept_nearest), "name resolution"
        )

    def get_target_info(self, tic_id: int) -> Target:
        """
        The target with position, magnitude and stellar parameters of the TIC.

        Raises
        ------
        UsageError
            Here and below, if what is given is no TIC number (a whole number), no sector or no radius.
        TargetNotFoundError
            If the TIC has no such number.
        """
        return target_of(_value(self.archive.star(tic_number(tic_id)), "TIC"))

    def search_lightcurve(
        self, tic_id: int, sector: int | None = None, author: str | None = None
    ) -> list[SearchResult]:
        """Light curves of a target, by sector, pipeline and exposure time; empty when the archive proved that it has none."""
        return self._search(tic_id, ProductKind.LIGHT_CURVE, sector, author)

    def search_targetpixelfile(
        self, tic_id: int, sector: int | None = None, author: str | None = None
    ) -> list[SearchResult]:
        """Target pixel files of a target, as `search_lightcurve`."""
        return self._search(tic_id, ProductKind.TARGET_PIXEL_FILE, sector, author)

    def download_lightcurve(
        self,
        tic_id: int,
        sector: int,
        *,
        flux_type: str = "pdcsap",
        quality_mask: int | None = None,
        exptime: float | None = None,
        author: str | None = None,
    ) -> LightCurve:
        """
        One light curve, read; times are checked to be BTJD in TDB.

        Parameters
        ----------
        tic_id, sector : the sector is never guessed
        flux_type : `pdcsap` or `sap`; a pipeline without that column gives its own, and the provenance says so
        quality_mask : instead of the client's
        exptime : exposure time, seconds, within 1 s; else the one nearest 120 s
        author : instead of the client's

        Raises
        ------
        ValueError
            If `flux_type` is neither.
        UsageError
            If the quality mask is none.
        LightCurveNotFoundError
            If the archive has no such light curve.
        ProductCorruptError, ProductRefusedError
            If its bytes are damaged, or must not be used (time system, no usable cadence ...).
        """
        from btv_report.products.light_curve import read_light_curve

        if flux_type not in FLUX_TYPES:
            raise ValueError(f"flux_type is {flux_type!r}; it is one of {', '.join(FLUX_TYPES)}")
        tic_id, sector = tic_number(tic_id), sector_number(sector)
        mask = self.quality_mask if quality_mask is None else mask_number(quality_mask)
        exptime = None if exptime is None else float(exptime)  # of numpy, too: it stands in the provenance
        chosen = self._choose(tic_id, ProductKind.LIGHT_CURVE, sector, author, exptime)
        cached = self.archive.fetch(chosen)
        key = make_light_curve_key(
            tic_id=tic_id,
            sector=sector,
            pipeline=chosen.pipeline,
            exptime_s=chosen.exptime_s,
            flux=flux_type,
            quality_mask=mask,
            normalise=self.normalize,
            product_sha256=cached.sha256,
        )
        kept = self.cache.get(key) if self.cache is not None else None
        if isinstance(kept, LightCurve) and _is_as_listed(kept, chosen):
            return replace(kept, product=replace(kept.product, path=cached.path, host=cached.host))
        product, content = self._inspect(cached, flux_type, mask)
        self._tell(DownloadPhase.PROCESSING, chosen)
        curve = read_light_curve(
            product, content, flux=flux_type, quality_mask=mask, normalise=self.normalize, exptime_asked_s=exptime
        )
        if self.cache is not None:
            self._tell(DownloadPhase.CACHING, chosen)
            self.cache.put(key, curve)
        return curve

    def download_targetpixelfile(
        self,
        tic_id: int,
        sector: int,
        *,
        quality_mask: int | None = None,
        exptime: float | None = None,
        author: str | None = None,
    ) -> TargetPixelFile:
        """
        One target pixel file, read; parameters and errors as those of `download_lightcurve`.

        Raises
        ------
        LightCurveNotFoundError
            If the archive has no pixel file of that sector.
        """
        from btv_report.products.target_pixel_file import read_target_pixel_file

        tic_id, sector = tic_number(tic_id), sector_number(sector)
        mask = self.quality_mask if quality_mask is None else mask_number(quality_mask)
        chosen = self._choose(tic_id, ProductKind.TARGET_PIXEL_FILE, sector, author, exptime)
        product, content = self._inspect(self.archive.fetch(chosen), "pdcsap", mask)
        self._tell(DownloadPhase.PROCESSING, chosen)
        return read_target_pixel_file(product, content, quality_mask=mask)

    def neighbours(self, tic_id: int, *, radius_arcsec: float = 180.0) -> tuple[TicStar, ...]:
        """The TIC's stars around a target, the target included, with Gaia ids, magnitudes and proper motions."""
        tic_id = tic_number(tic_id)
        require_radius(radius_arcsec)
        star = _value(self.archive.star(tic_id), "TIC")
        return _value(self.archive.stars_around(tic_id, star.ra, star.dec, radius_arcsec), "TIC cone search")

    def dv_products(self, tic_id: int) -> tuple[ArchiveProduct, ...]:
        """SPOC's Data Validation reports (XML) of a target; `fetch` gets their bytes."""
        return _value(self.archive.dv_reports(tic_number(tic_id)), "product search")

    def fetch(self, product: ArchiveProduct) -> CachedProduct:
        """The verified bytes of a product in the cache; see `MastArchive.fetch`."""
        return self.archive.fetch(product)

    def _search(self, tic_id: int, kind: ProductKind, sector: int | None, author: str | None) -> list[SearchResult]:
        wanted = author or self.author
        sector = None if sector is None else sector_number(sector)
        offers = _value(self.archive.offers(tic_number(tic_id)), "product search")
        found = [
            SearchResult.of(product)
            for product in offers
            if product.kind == kind
            and sector in {None, product.sector}
            and (wanted is None or product.pipeline.lower() == wanted.lower())
        ]
        return sorted(found, key=lambda row: (row.sector or 0, row.author, row.exptime or 0.0))

    def _choose(
        self, tic_id: int, kind: ProductKind, sector: int, author: str | None, exptime_s: float | None
    ) -> ArchiveProduct:
        wanted = author or self.author
        offers = [item for item in _value(self.archive.offers(tic_id), "product search") if item.kind == kind]
        pipelines: Sequence[str] = (wanted,) if wanted else ALL_PIPELINES
        choices = choose_products(offers, sectors=(sector,), pipelines=pipelines, exptime_s=exptime_s)
        chosen = next((choice.product for choice in choices if choice.wanted), None)
        if chosen is not None:
            return chosen
        what = "light curve" if kind is ProductKind.LIGHT_CURVE else "target pixel file"
        listed = "; ".join(f"{choice.product.file}: {choice.reason}" for choice in choices) or "it has none at all"
        raise LightCurveNotFoundError(
            f"TIC {tic_id}, sector {sector}: the archive has no {what} as asked for ({listed}).",
            hint="Ask for another sector, pipeline or exposure time; `search_lightcurve` lists what there is.",
            tic_id=tic_id,
        )

    def _inspect(self, cached: CachedProduct, flux: str, mask: int) -> tuple[ProductFile, bytes]:
        """Look into fetched bytes; damage and refusal are errors here."""
        from btv_report.products.inspect import inspect_file

        tic_id = cached.product.tic_id
        looked = inspect_file(
            cached.path,
            tic_id=tic_id,
            flux=flux,
            quality_mask=mask,
            uri=cached.uri,
            retrieved=cached.retrieved_at,
            host=cached.host,
            listed=listing_of(cached.product),
        )
        product = looked.product
        sentence = f"TIC {tic_id}: {product.path.name}: {product.reason}."
        if product.state is ProductState.CORRUPT:
            raise ProductCorruptError(
                sentence, hint="Fetch it again with refresh=True.", tic_id=tic_id, path=product.path
            )
        if product.state is ProductState.REJECTED:
            raise ProductRefusedError(sentence, hint="Ask for another product.", tic_id=tic_id, path=product.path)
        return product, looked.content

    def _tell(self, phase: DownloadPhase, product: ArchiveProduct) -> None:
        words = f"{phase.value} {product.file}"
        self.archive.progress(DownloadProgress(phase, words, product.tic_id, file=product.file, sector=product.sector))


def _is_as_listed(curve: LightCurve, listed: ArchiveProduct) -> bool:
    """Whether a light curve that was kept is what its key says."""
    header = curve.product.header
    return header is not None and not why_not_as_listed(header, listing_of(listed))


def _value(answered: Answered[T], service: str) -> T:
    if answered.trouble is not None:  # what is kept is no answer to one who asked to ask again
        raise answered.trouble
    if answered.value is None:
        raise ArchiveUnreachableError(
            f"MAST ({service}) was not asked, because the client is offline, and no earlier answer is kept.",
            hint="Ask without offline=True on a machine with a network.",
            state=AnswerState.SKIPPED,
            service=service,
        )
    return answered.value
