"""
What the archive holds of the target beyond the mirrors: asked, chosen, fetched, each with the state it ended in.

Nothing here fails a run that can go on: an archive that does not answer leaves a gap that the dossier names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from btv_report.answer_states import AnswerState
from btv_report.archive.mast_archive import Answered, MastArchive
from btv_report.archive.mast_files import cutout_product
from btv_report.archive.mast_types import ArchiveProduct, TicStar
from btv_report.archive.product_cache import CachedProduct
from btv_report.archive.product_choice import Choice, choose_products, sectors_without_pixels
from btv_report.errors import ArchiveUnreachableError, TargetNotFoundError
from btv_report.fits.model import ProductKind
from btv_report.products.preference import Described
from btv_report.stages.fetching import OfferedProduct, fetch_wanted
from btv_report.stages.request import ReportRequest
from btv_report.targets import SkyPosition

FILES = "files"
T = TypeVar("T")


@dataclass(frozen=True)
class ArchiveReply:
    """One question of the record's answers: what was asked, how it ended, when, and a sentence."""

    endpoint: str
    state: AnswerState
    asked_at: str
    detail: str


@dataclass
class ArchiveFinds:
    """
    What came of asking the archive.

    Attributes
    ----------
    replies : one a question
    files : products in the cache, to be inspected as files of a mirror are
    offered : products that are not here, each with the reason
    dv_files : DV reports in the cache
    star : the TIC's entry of the target; None where it was not had
    stars : the stars around the target; None where they are not known
    stars_asked_at : when the TIC gave them, UTC
    warnings : sentences
    to_fetch : offline and in a dry run, what would be fetched otherwise
    """

    replies: list[ArchiveReply] = field(default_factory=list)
    files: list[CachedProduct] = field(default_factory=list)
    offered: list[OfferedProduct] = field(default_factory=list)
    dv_files: list[CachedProduct] = field(default_factory=list)
    star: TicStar | None = None
    stars: tuple[TicStar, ...] | None = None
    stars_asked_at: str = ""
    warnings: list[str] = field(default_factory=list)
    to_fetch: list[ArchiveProduct] = field(default_factory=list)

    @property
    def is_silent(self) -> bool:
        """Whether a question went without an answer, so that asking on would be waiting for nothing."""
        return any(reply.state in {AnswerState.UNREACHABLE, AnswerState.THROTTLED} for reply in self.replies)


def ask_archive(
    request: ReportRequest, archive: MastArchive, at_hand: Sequence[Described], position: SkyPosition | None
) -> ArchiveFinds:
    """
    Ask the archive for a target, and fetch what the mirrors lack.

    Parameters
    ----------
    request : what is asked
    archive : MAST behind the cache; offline it gives what is kept
    at_hand : sound products of the mirrors
    position : the target's position where its files state one; else the TIC is asked

    Raises
    ------
    LocalEnvironmentError
        If disk, permission or lock stand in the way.
    """
    return _Asking(request, archive, ArchiveFinds()).run(at_hand, position)


@dataclass
class _Asking:
    """One pass over the questions; reads from `run` on as a table of contents."""

    request: ReportRequest
    archive: MastArchive
    finds: ArchiveFinds

    def run(self, at_hand: Sequence[Described], position: SkyPosition | None) -> ArchiveFinds:
        tic_id = self.request.tic_id
        self.finds.star = self._ask("TIC entry", lambda: self.archive.star(tic_id), _tell_star)
        offers = self._ask("light curves and pixel files", lambda: self.archive.offers(tic_id), _tell_offers) or ()
        place = _place(self.finds.star, position)
        cutouts = self._cutouts(offers, at_hand, place)
        choices = choose_products(
            (*offers, *cutouts),
            sectors=self.request.sectors,
            pipelines=self.request.pipelines,
            exptime_s=self.request.exptime_s,
            at_hand=at_hand,
        )
        reports = self._ask("DV reports", lambda: self.archive.dv_reports(tic_id), _tell_reports) or ()
        self._neighbours(place)
        self._fetch_all(choices, reports)
        return self.finds

    def _ask(self, endpoint: str, ask: Callable[[], Answered[T]], tell: Callable[[T], str]) -> T | None:
        """Put one question; whatever comes of it becomes a reply."""
        if self.finds.is_silent:
            last = self.finds.replies[-1]
            detail = "Not asked, because the archive did not answer before in this run."
            self.finds.replies.append(ArchiveReply(endpoint, last.state, "", detail))
            return None
        try:
            answered = ask()
        except TargetNotFoundError as error:
            self.finds.replies.append(ArchiveReply(endpoint, AnswerState.NOT_FOUND, "", str(error)))
            return None
        except ArchiveUnreachableError as error:
            self.finds.replies.append(ArchiveReply(endpoint, error.state, "", str(error)))
            self.finds.warnings.append(f"TIC {self.request.tic_id}: {error}")
            return None
        if answered.value is None:
            detail = "Not asked (--offline), and no earlier answer is kept."
            self.finds.replies.append(ArchiveReply(endpoint, AnswerState.SKIPPED, "", detail))
            return None
        kept = " Kept from an earlier run." if answered.from_cache else ""
        if answered.n_unread:
            kept = f" {answered.n_unread} of its rows could not be read and are left out."
            self.finds.warnings.append(f"TIC {self.request.tic_id}: MAST, {endpoint}:{kept}")
        detail = f"{tell(answered.value)}{kept}"
        self.finds.replies.append(ArchiveReply(endpoint, answered.state, answered.asked_at, detail))
        return answered.value

    def _cutouts(
        self, offers: Sequence[ArchiveProduct], at_hand: Sequence[Described], place: tuple[float, float] | None
    ) -> tuple[ArchiveProduct, ...]:
        """Cut-outs of the full-frame images for sectors of which there is no pixel file."""
        if place is None:
            if not self.finds.is_silent and not self.archive.offline:
                detail = "Not asked: the target's position is not known."
                self.finds.replies.append(ArchiveReply("sectors of full-frame images", AnswerState.SKIPPED, "", detail))
            return ()
        tic_id = self.request.tic_id
        images = self._ask(
            "sectors of full-frame images", lambda: self.archive.cutout_sectors(tic_id, *place), _tell_images
        )
        by_sector = {image.sector: image for image in images or ()}
        return tuple(
            cutout_product(tic_id, by_sector[sector].sector, by_sector[sector].camera, by_sector[sector].ccd, place)
            for sector in sectors_without_pixels(offers, at_hand, by_sector)
        )

    def _neighbours(self, place: tuple[float, float] | None) -> None:
        if place is None or self.request.neighbours is not None:
            return
        tic_id = self.request.tic_id
        self.finds.stars = self._ask("stars around it", lambda: self.archive.stars_around(tic_id, *place), _tell_stars)
        if self.finds.stars is not None:
            self.finds.stars_asked_at = self.finds.replies[-1].asked_at

    def _fetch_all(self, choices: Sequence[Choice], reports: Sequence[ArchiveProduct]) -> None:
        """Every wanted product; the others are listed."""
        wanted = [*(choice.product for choice in choices if choice.wanted), *reports]
        fetched = fetch_wanted(self.archive, wanted, dry_run=self.request.dry_run)
        not_wanted = (choice for choice in choices if not choice.wanted)
        self.finds.offered += [
            *fetched.missing,
            *(OfferedProduct(choice.product, AnswerState.SKIPPED, choice.reason) for choice in not_wanted),
        ]
        self.finds.to_fetch = fetched.to_fetch
        self.finds.warnings += fetched.warnings
        for file in fetched.files:
            is_report = file.product.kind == ProductKind.DV_REPORT
            (self.finds.dv_files if is_report else self.finds.files).append(file)
        if wanted and not self.request.dry_run:
            self.finds.replies.append(ArchiveReply(FILES, fetched.state, "", fetched.sentence))
        if self.archive.offline and fetched.to_fetch:
            sectors = sorted({product.sector for product in fetched.to_fetch if product.sector is not None})
            listed = f" (sectors {', '.join(map(str, sectors))})" if sectors else ""
            number = len(fetched.to_fetch)
            self.finds.warnings.append(
                f"TIC {self.request.tic_id}: the archive has {number} more file{'' if number == 1 else 's'} of it that the cache "
                f"does not hold{listed}; a run without --offline fetches them."
            )


def _place(star: TicStar | None, position: SkyPosition | None) -> tuple[float, float] | None:
    """Right ascension and declination to ask about, degrees: the TIC's, else that of the files."""
    if star is not None:
        return star.ra, star.dec
    return (position.ra_deg, position.dec_deg) if position is not None else None


def _tell_star(star: TicStar) -> str:
    return f"Tmag {star.tmag:.2f}." if star.tmag is not None else "No TESS magnitude."


def _tell_offers(offers: tuple[ArchiveProduct, ...]) -> str:
    if not offers:
        return "The archive holds no light curve and no pixel file of it."
    sectors = {product.sector for product in offers if product.sector is not None}
    pipelines = sorted({product.pipeline for product in offers})
    return f"{len(offers)} products of {len(sectors)} sectors ({', '.join(pipelines)})."


def _tell_reports(reports: tuple[ArchiveProduct, ...]) -> str:
    return f"{len(reports)} DV reports." if reports else "SPOC has published no DV report of it."


def _tell_images(images: tuple[object, ...]) -> str:
    return f"{len(images)} sectors." if images else "No full-frame image holds its position."


def _tell_stars(stars: tuple[TicStar, ...]) -> str:
    return f"{len(stars)} stars of the TIC."
