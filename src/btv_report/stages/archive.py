"""
What the archive holds of the target beyond the mirrors: asked, chosen, fetched, each with the state it ended in.

Nothing here fails a run that can go on: an archive that does not answer leaves a gap that the dossier names.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from btv_report.answer_states import AnswerState
from btv_report.archive.header_index import read_entry
from btv_report.archive.mast_archive import MastArchive
from btv_report.archive.mast_files import cutout_product
from btv_report.archive.mast_types import ArchiveProduct, TicStar
from btv_report.archive.product_cache import CachedProduct
from btv_report.archive.product_choice import Choice, choose_products, sectors_without_pixels
from btv_report.archive.questions import Answered
from btv_report.errors import ArchiveUnreachableError, TargetNotFoundError
from btv_report.fits.model import ProductKind
from btv_report.products.preference import Described
from btv_report.stages.fetching import OfferedProduct, fetch_wanted
from btv_report.stages.request import ReportRequest
from btv_report.targets import SkyPosition

FILES = "files"
IMAGES = "sectors of full-frame images"
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
        offers = self._ask("light curves and pixel files", lambda: self.archive.offers(tic_id), _tell_offers)
        if offers is None:
            offers = self._kept(ProductKind.LIGHT_CURVE, ProductKind.TARGET_PIXEL_FILE)
        place = _place(self.finds.star, position)
        cutouts = self._cutouts(offers, at_hand, place)
        choices = choose_products(
            (*offers, *cutouts),
            sectors=self.request.sectors,
            pipelines=self.request.pipelines,
            exptime_s=self.request.exptime_s,
            at_hand=at_hand,
        )
        reports = self._ask("DV reports", lambda: self.archive.dv_reports(tic_id), _tell_reports)
        if reports is None:
            reports = self._kept(ProductKind.DV_REPORT)
        if place is not None:
            self._neighbours(place)
        self._fetch_all(choices, reports)
        if place is None:
            self._neighbours(_place_in(self.finds.files))
        return self.finds

    def _ask(self, endpoint: str, ask: Callable[[], Answered[T]], tell: Callable[[T], str]) -> T | None:
        """Put one question; whatever comes of it becomes a reply."""
        try:
            answered = ask()
        except TargetNotFoundError as error:
            self.finds.replies.append(ArchiveReply(endpoint, AnswerState.NOT_FOUND, "", str(error)))
            return None
        except ArchiveUnreachableError as error:
            self.finds.replies.append(ArchiveReply(endpoint, error.state, "", str(error)))
            self._warn(error)
            return None
        if answered.value is None:
            detail = "Not asked (--offline), and no earlier answer is kept."
            self.finds.replies.append(ArchiveReply(endpoint, AnswerState.SKIPPED, "", detail))
            return None
        kept = " Kept from an earlier run." if answered.from_cache else ""
        if answered.trouble is not None:
            kept = f" Kept from an earlier run, because no new answer came: {answered.trouble.message}"
            self._warn(answered.trouble)
        if answered.n_unread:
            kept = f" {answered.n_unread} of its rows could not be read and are left out."
            self.finds.warnings.append(f"TIC {self.request.tic_id}: MAST, {endpoint}:{kept}")
        detail = f"{tell(answered.value)}{kept}"
        self.finds.replies.append(ArchiveReply(endpoint, answered.state, answered.asked_at, detail))
        return answered.value

    def _warn(self, trouble: ArchiveUnreachableError) -> None:
        """A sentence of a question that went without an answer; what was not even asked is told by the one before."""
        if trouble.tries:
            self.finds.warnings.append(f"TIC {self.request.tic_id}: {trouble}")

    def _kept(self, *kinds: ProductKind) -> tuple[ArchiveProduct, ...]:
        """Products of the cache, where the archive's list of what it has is not to be had: they say themselves what they are."""
        tic_id = self.request.tic_id
        described = (found.product for found in self.archive.products.cached(tic_id))
        found = tuple(product for product in described if product.tic_id == tic_id and product.kind in kinds)
        if found:
            last = self.finds.replies[-1]
            number = "1 file" if len(found) == 1 else f"{len(found)} files"
            self.finds.replies[-1] = replace(last, detail=f"{last.detail} The cache holds {number} of it.")
        return found

    def _cutouts(
        self, offers: Sequence[ArchiveProduct], at_hand: Sequence[Described], place: tuple[float, float] | None
    ) -> tuple[ArchiveProduct, ...]:
        """Cut-outs of the full-frame images for sectors of which there is no pixel file."""
        tic_id, images = self.request.tic_id, None
        if place is not None:
            images = self._ask(IMAGES, lambda: self.archive.cutout_sectors(tic_id, *place), _tell_images)
        else:
            detail = "Not asked: the target's position is not known."
            self.finds.replies.append(ArchiveReply(IMAGES, AnswerState.SKIPPED, "", detail))
        if images is None or place is None:
            kept = self._kept(ProductKind.CUTOUT)
            lacking = sectors_without_pixels(offers, at_hand, (cutout.sector or 0 for cutout in kept))
            return tuple(cutout for cutout in kept if cutout.sector in lacking)
        by_sector = {image.sector: image for image in images}
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


def _place_in(files: Sequence[CachedProduct]) -> tuple[float, float] | None:
    """Where the fetched files say that the target is, degrees, as the TIC has it; None where none says it."""
    for file in files:
        if file.product.kind == ProductKind.CUTOUT:
            continue  # it is where somebody asked for it
        with contextlib.suppress(OSError):
            entry = read_entry(file.path, file.path.stat())
            if entry.tic_id == file.product.tic_id and entry.ra_deg is not None and entry.dec_deg is not None:
                return entry.ra_deg, entry.dec_deg
    return None


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
