"""
The archive as the rest of the program sees it: questions with answers that are kept, and products that are fetched once.

Asking imports lightkurve and astroquery (2 s) and happens only when the answer is not kept already, or is to be asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from btv_report.answer_states import AnswerState
from btv_report.archive.addresses import MAST_URL, public_url
from btv_report.archive.answer_cache import Answer, AnswerCache
from btv_report.archive.limits import Limits
from btv_report.archive.mast_names import TargetQuery
from btv_report.archive.mast_types import ArchiveProduct, CutoutSector, NearbyMatch, ResolvedTarget, TicStar
from btv_report.archive.plain_values import from_plain
from btv_report.archive.product_cache import CachedProduct, ProductCache
from btv_report.archive.progress import DownloadPhase, DownloadProgress, ProgressCallback, say_nothing
from btv_report.errors import (
    ArchiveUnreachableError,
    FetchError,
    MASTClientError,
    NameResolutionError,
    TargetNotFoundError,
)

if TYPE_CHECKING:
    from btv_report.archive.fetch import Fetcher
    from btv_report.archive.mast_session import MastConnection

FIELD_RADIUS_ARCSEC = 180.0
"""Radius of the cone of neighbours: the half diagonal of a stamp of 11 x 11 pixels, and a pixel more."""

T = TypeVar("T")


@dataclass(frozen=True)
class Answered(Generic[T]):
    """
    What came of a question.

    Attributes
    ----------
    state : OK, EMPTY, NOT_FOUND; SKIPPED where nothing may be asked and no answer is kept
    value : the answer; None where it was not asked
    asked_at : UTC, ISO; when the archive answered, which may be long ago. Empty when it never did
    from_cache : whether the kept answer was given
    n_unread : rows of the answer that could not be read, when it was given just now
    """

    state: AnswerState
    value: T | None
    asked_at: str
    from_cache: bool
    n_unread: int = 0


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
        self.keep_answers = keep_answers
        self.progress = progress
        self.products = ProductCache(cache_dir)
        self._answers = AnswerCache(cache_dir, self.base_url)
        self._fetcher = fetcher
        self._began = monotonic()
        self._asked: set[tuple[int | None, str]] = set()

    # Questions. Each is kept under the words of the question; what changes the answer stands in the words. What asks is imported
    # by the one who asks: kept answers cost no import of requests and the rest.

    def offers(self, tic_id: int) -> Answered[tuple[ArchiveProduct, ...]]:
        """Light curves and pixel files of a target, of every pipeline, sector and exposure time."""

        def ask(mast: MastConnection) -> tuple[ArchiveProduct, ...]:
            from btv_report.archive import mast_search

            curves = mast_search.search_products(mast, tic_id, kind="light_curve")
            pixels = mast_search.search_products(mast, tic_id, kind="target_pixel_file")
            return tuple(dict.fromkeys((*curves, *pixels)))

        return self._ask(tic_id, "light curves and pixel files", ask, _many(ArchiveProduct))

    def dv_reports(self, tic_id: int) -> Answered[tuple[ArchiveProduct, ...]]:
        """SPOC's Data Validation reports (XML) of a target."""

        def ask(mast: MastConnection) -> tuple[ArchiveProduct, ...]:
            from btv_report.archive import mast_search

            return mast_search.search_dv_reports(mast, tic_id)

        return self._ask(tic_id, "DV reports", ask, _many(ArchiveProduct))

    def star(self, tic_id: int) -> Answered[TicStar]:
        """The TIC's row of a target; NOT_FOUND where the TIC has none."""

        def ask(mast: MastConnection) -> TicStar:
            from btv_report.archive import mast_catalogue

            return mast_catalogue.target_row(mast, tic_id)

        return self._ask(tic_id, "TIC entry", ask, _one(TicStar))

    def stars_around(
        self, tic_id: int, ra_deg: float, dec_deg: float, radius_arcsec: float = FIELD_RADIUS_ARCSEC
    ) -> Answered[tuple[TicStar, ...]]:
        """The stars of the TIC around a target, the target included."""

        def ask(mast: MastConnection) -> tuple[TicStar, ...]:
            from btv_report.archive import mast_catalogue

            return mast_catalogue.stars_around(mast, ra_deg, dec_deg, radius_arcsec)

        words = f"stars within {radius_arcsec:g} arcsec of {ra_deg:.6f} {dec_deg:+.6f}"
        return self._ask(tic_id, words, ask, _many(TicStar))

    def cutout_sectors(self, tic_id: int, ra_deg: float, dec_deg: float) -> Answered[tuple[CutoutSector, ...]]:
        """The sectors whose full-frame images hold a position."""

        def ask(mast: MastConnection) -> tuple[CutoutSector, ...]:
            from btv_report.archive import mast_search

            return mast_search.cutout_sectors(mast, ra_deg, dec_deg)

        words = f"sectors of full-frame images at {ra_deg:.6f} {dec_deg:+.6f}"
        return self._ask(tic_id, words, ask, _many(CutoutSector))

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

        nearest = ", the nearest accepted" if accept_nearest else ""
        return self._ask(None, f"target {query.text!r} within {radius_arcsec:g} arcsec{nearest}", ask, _resolved)

    def _ask(
        self,
        tic_id: int | None,
        question: str,
        ask: Callable[[MastConnection], T],
        read: Callable[[Any], T],
    ) -> Answered[T]:
        """The kept answer, or a new one; a question is asked once a run, however often it comes up."""
        again = self.refresh and (tic_id, question) not in self._asked and not self.offline
        kept = None if again else self._answers.get(tic_id, question)
        if kept is not None and kept.state is AnswerState.NOT_FOUND:
            raise _not_found(kept)
        if kept is not None:
            try:
                return Answered(kept.state, read(kept.value), kept.asked_at, from_cache=True)
            except (TypeError, ValueError, KeyError):
                pass  # kept by a version with other fields: asked again
        if self.offline:
            return Answered(AnswerState.SKIPPED, None, "", from_cache=False)
        self._require_time()
        self.progress(DownloadProgress(DownloadPhase.SEARCHING, f"asking MAST: {question}", tic_id or 0))
        asked_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        unread = self._connection.unread_rows.total()
        try:
            value = ask(self._connection)
        except (TargetNotFoundError, NameResolutionError) as error:
            self._keep(tic_id, question, Answer(AnswerState.NOT_FOUND, asked_at, _words_of(error)))
            raise
        state = AnswerState.EMPTY if value == () else AnswerState.OK
        self._keep(tic_id, question, Answer(state, asked_at, _plain(value)))
        n_unread = self._connection.unread_rows.total() - unread
        return Answered(state, value, asked_at, from_cache=False, n_unread=n_unread)

    def _keep(self, tic_id: int | None, question: str, answer: Answer) -> None:
        if self.keep_answers:
            self._answers.put(tic_id, question, answer)
        self._asked.add((tic_id, question))

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


def _words_of(error: MASTClientError) -> dict[str, Any]:
    """An error that is knowledge (there is no such thing) as JSON values."""
    return {"named": isinstance(error, NameResolutionError), "message": error.message, "hint": error.hint}


def _not_found(kept: Answer) -> MASTClientError:
    """The same error again, saying when the archive said so."""
    words = kept.value if isinstance(kept.value, dict) else {}
    kind = NameResolutionError if words.get("named") else TargetNotFoundError
    when = f" (asked {kept.asked_at}; --refresh asks again)"
    return kind(f"{words.get('message', 'There is no such target.')}{when}", hint=str(words.get("hint", "")))


def _plain(value: Any) -> Any:
    """An answer as JSON values."""
    return [asdict(item) for item in value] if isinstance(value, tuple) else asdict(value)


def _one(kind: type[T]) -> Callable[[Any], T]:
    return lambda value: from_plain(kind, value)


def _many(kind: type[T]) -> Callable[[Any], tuple[T, ...]]:
    return lambda value: tuple(from_plain(kind, item) for item in value)


def _resolved(value: Any) -> ResolvedTarget:
    matches = tuple(from_plain(NearbyMatch, match) for match in value["matches"])
    return replace(from_plain(ResolvedTarget, {**value, "matches": ()}), matches=matches)
