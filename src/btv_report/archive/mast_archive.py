"""The archive as the rest of the program sees it: questions with answers that are kept, and products that are fetched once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from btv_report.answer_states import AnswerState
from btv_report.archive.addresses import MAST_URL, public_url
from btv_report.archive.answer_cache import AnswerCache
from btv_report.archive.limits import Limits
from btv_report.archive.mast_names import TargetQuery
from btv_report.archive.mast_types import ArchiveProduct, CutoutSector, NearbyMatch, ResolvedTarget, TicStar
from btv_report.archive.plain_values import from_plain
from btv_report.archive.product_cache import CachedProduct, ProductCache
from btv_report.archive.progress import DownloadPhase, DownloadProgress, ProgressCallback, say_nothing
from btv_report.archive.questions import Answered, Question, Questioner
from btv_report.errors import ArchiveUnreachableError, FetchError

if TYPE_CHECKING:
    from btv_report.archive.fetch import Fetcher
    from btv_report.archive.mast_session import MastConnection

FIELD_RADIUS_ARCSEC = 180.0
"""Radius of the cone of neighbours: the half diagonal of a stamp of 11 x 11 pixels, and a pixel more."""

T = TypeVar("T")


class MastArchive:
    """
    MAST, or a mirror of its services, behind one cache folder.

    Parameters
    ----------
    cache_dir : where answers and products are kept
    base_url : of the archive
    offline : answer from the cache alone
    refresh : ask and fetch again what is kept
    keep_answers : keep what the archive answers; a dry run keeps nothing
    fetcher : the fetch function's owner; one that is made with `limits` when None
    limits : of questions and files
    progress : called as the work goes on
    """

    def __init__(
        self,
        cache_dir: Path,
        *,
        base_url: str = MAST_URL,
        offline: bool = False,
        refresh: bool = False,
        keep_answers: bool = True,
        fetcher: Fetcher | None = None,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        progress: ProgressCallback = say_nothing,
    ) -> None:
        self.limits = limits
        self.base_url = base_url.rstrip("/")
        self.offline = offline
        self.refresh = refresh
        self.progress = progress
        self.products = ProductCache(cache_dir)
        self._fetcher = fetcher
        self._began = monotonic()
        self._questioner = Questioner(
            AnswerCache(cache_dir, self.base_url),
            connect=lambda: self._connection,
            require_time=self._require_time,
            offline=offline,
            refresh=refresh,
            keep_answers=keep_answers,
            progress=progress,
        )

    # Questions. What asks is imported by the one who asks: kept answers cost no import of requests and the rest.

    def offers(self, tic_id: int) -> Answered[tuple[ArchiveProduct, ...]]:
        """Light curves and pixel files of a target, of every pipeline, sector and exposure time."""

        def ask(mast: MastConnection) -> tuple[ArchiveProduct, ...]:
            from btv_report.archive import mast_search

            curves = mast_search.search_products(mast, tic_id, kind="light_curve")
            pixels = mast_search.search_products(mast, tic_id, kind="target_pixel_file")
            return tuple(dict.fromkeys((*curves, *pixels)))

        return self._put(tic_id, "light curves and pixel files", "product search", ask, _many(ArchiveProduct))

    def dv_reports(self, tic_id: int) -> Answered[tuple[ArchiveProduct, ...]]:
        """SPOC's Data Validation reports (XML) of a target."""

        def ask(mast: MastConnection) -> tuple[ArchiveProduct, ...]:
            from btv_report.archive import mast_search

            return mast_search.search_dv_reports(mast, tic_id)

        return self._put(tic_id, "DV reports", "product search", ask, _many(ArchiveProduct))

    def star(self, tic_id: int) -> Answered[TicStar]:
        """The TIC's row of a target; NOT_FOUND where the TIC has none."""

        def ask(mast: MastConnection) -> TicStar:
            from btv_report.archive import mast_catalogue

            return mast_catalogue.target_row(mast, tic_id)

        return self._put(tic_id, "TIC entry", "TIC rows", ask, _one(TicStar))

    def stars_around(
        self, tic_id: int, ra_deg: float, dec_deg: float, radius_arcsec: float = FIELD_RADIUS_ARCSEC
    ) -> Answered[tuple[TicStar, ...]]:
        """The stars of the TIC around a target, the target included."""

        def ask(mast: MastConnection) -> tuple[TicStar, ...]:
            from btv_report.archive import mast_catalogue

            return mast_catalogue.stars_around(mast, ra_deg, dec_deg, radius_arcsec)

        words = f"stars within {radius_arcsec:g} arcsec of {ra_deg:.6f} {dec_deg:+.6f}"
        return self._put(tic_id, words, "TIC cone search", ask, _many(TicStar))

    def cutout_sectors(self, tic_id: int, ra_deg: float, dec_deg: float) -> Answered[tuple[CutoutSector, ...]]:
        """The sectors whose full-frame images hold a position."""

        def ask(mast: MastConnection) -> tuple[CutoutSector, ...]:
            from btv_report.archive import mast_search

            return mast_search.cutout_sectors(mast, ra_deg, dec_deg)

        words = f"sectors of full-frame images at {ra_deg:.6f} {dec_deg:+.6f}"
        return self._put(tic_id, words, "TESScut", ask, _many(CutoutSector))

    def resolve(
        self, query: TargetQuery, *, radius_arcsec: float = 10.0, accept_nearest: bool = False
    ) -> Answered[ResolvedTarget]:
        """
        The TIC number behind a name or position.

        Raises
        ------
        AmbiguousTargetError
            If several stars answer to it and the nearest is not to be accepted.
        NameResolutionError, TargetNotFoundError
            If nobody knows the name, or no star is there.
        """

        def ask(mast: MastConnection) -> ResolvedTarget:
            from btv_report.archive import mast_names

            return mast_names.resolve(mast, query, radius_arcsec=radius_arcsec, accept_nearest=accept_nearest)

        # Names are the same in capitals; and where only one star answers, it was not chosen among several.
        plain = f"target {query.text.lower()!r} within {radius_arcsec:g} arcsec"
        nearest = f"{plain}, the nearest accepted"
        words, also = (nearest, plain) if accept_nearest else (plain, nearest)
        answered = self._questioner.put(
            Question(
                None,
                words,
                "name service",
                ask,
                _resolved,
                also=also,
                serves=lambda found: accept_nearest or not found.accepted_nearest,
            )
        )
        if answered.value is None:
            return answered
        return replace(answered, value=replace(answered.value, target_input=query.text))

    def _put(
        self, tic_id: int, words: str, service: str, ask: Callable[[MastConnection], T], read: Callable[[Any], T]
    ) -> Answered[T]:
        return self._questioner.put(Question(tic_id, words, service, ask, read))

    # Products.

    def fetch(self, product: ArchiveProduct, *, step: int = 1, steps: int = 1) -> CachedProduct:
        """
        A product's bytes in the cache: fetched, verified and kept, or the kept ones.

        Raises
        ------
        FetchError
            With the state that the attempt ended in.
        LocalEnvironmentError
            If disk, permission or lock stand in the way.
        """
        from btv_report.archive.mast_files import fetch_product

        if self.offline:
            return self._kept(product)
        self._require_time()
        tell = _teller(self.progress, product, step, steps)
        cached = self.products.get_or_fetch(
            product,
            lambda path: fetch_product(self.fetcher, self.base_url, product, path, tell),
            refresh=self.refresh,
            host=self.host,
        )
        tell(DownloadPhase.COMPLETE, cached.n_bytes, cached.n_bytes)
        return cached

    def _kept(self, product: ArchiveProduct) -> CachedProduct:
        """A product of the cache; offline nothing is fetched, whatever else was asked for."""
        kept = self.products.cached_product(product)
        if kept is None:
            raise FetchError(
                f"{product.file} is not in the cache, and nothing is fetched offline.",
                hint="Fetch it on a machine with a network, without offline.",
                state=AnswerState.SKIPPED,
                url=public_url(self.base_url),
            )
        return kept

    @property
    def host(self) -> str:
        """Who gives what is fetched: host and port."""
        return urlsplit(public_url(self.base_url)).netloc

    @cached_property
    def fetcher(self) -> Fetcher:
        """The one owner of sockets for bytes."""
        from btv_report.archive.fetch import Fetcher

        return self._fetcher or Fetcher(limits=self.limits)

    @cached_property
    def _connection(self) -> MastConnection:
        from btv_report.archive.mast_session import connect

        return connect(self.base_url, limits=self.limits, fetcher=self.fetcher)

    def _require_time(self) -> None:
        """Stop asking once a run has taken as long as a run may."""
        allowed = self.limits.run_deadline_s
        if monotonic() - self._began > allowed:
            raise ArchiveUnreachableError(
                f"The run has asked the archive for {allowed / 3600:g} hours, which is as long as it may.",
                hint="What was fetched is kept: run the command again to go on.",
                state=AnswerState.UNREACHABLE,
                service="MAST",
                url=self.base_url,
            )


def _teller(
    progress: ProgressCallback, product: ArchiveProduct, step: int, steps: int
) -> Callable[[DownloadPhase, int, int | None], None]:
    began = monotonic()

    def tell(phase: DownloadPhase, done: int, total: int | None) -> None:
        progress(
            DownloadProgress(
                phase,
                f"{phase.value} {product.file}",
                product.tic_id,
                current_step=step,
                total_steps=steps,
                file=product.file,
                sector=product.sector,
                bytes_done=done,
                bytes_total=total if total is not None else product.n_bytes,
                elapsed_s=monotonic() - began,
            )
        )

    return tell


def _one(kind: type[T]) -> Callable[[Any], T]:
    return lambda value: from_plain(kind, value)


def _many(kind: type[T]) -> Callable[[Any], tuple[T, ...]]:
    return lambda value: tuple(from_plain(kind, item) for item in value)


def _resolved(value: Any) -> ResolvedTarget:
    matches = tuple(from_plain(NearbyMatch, match) for match in value["matches"])
    return replace(from_plain(ResolvedTarget, {**value, "matches": ()}), matches=matches)
