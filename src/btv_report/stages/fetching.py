"""Every wanted product of the archive into the cache, one after the other; what does not come leaves a named gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from btv_report.answer_states import AnswerState
from btv_report.archive.mast_archive import MastArchive
from btv_report.archive.mast_files import gap_sentence
from btv_report.archive.mast_types import ArchiveProduct
from btv_report.archive.product_cache import CachedProduct
from btv_report.archive.silence import Silence
from btv_report.errors import FetchError

WORST_FIRST = (
    AnswerState.CORRUPT,
    AnswerState.REJECTED,
    AnswerState.AUTH_REQUIRED,
    AnswerState.THROTTLED,
    AnswerState.UNREACHABLE,
    AnswerState.STALE,
    AnswerState.SKIPPED,
)


@dataclass(frozen=True)
class OfferedProduct:
    """A product of the archive whose bytes are not here: its state (SKIPPED where it was not wanted) and a phrase."""

    product: ArchiveProduct
    state: AnswerState
    reason: str


@dataclass
class FetchedFiles:
    """
    What came of fetching.

    Attributes
    ----------
    files : products in the cache
    missing : wanted products that are not here, with state and reason
    to_fetch : what a run that may fetch would fetch
    states : of every wanted product, in order
    warnings : sentences
    held_back : products that were not fetched, or not again, because the archive gave none of those before
    """

    files: list[CachedProduct] = field(default_factory=list)
    missing: list[OfferedProduct] = field(default_factory=list)
    to_fetch: list[ArchiveProduct] = field(default_factory=list)
    states: list[AnswerState] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    held_back: list[ArchiveProduct] = field(default_factory=list)

    @property
    def state(self) -> AnswerState:
        """The worst of all; OK where all are here."""
        return next((worst for worst in WORST_FIRST if worst in self.states), AnswerState.OK)

    @property
    def sentence(self) -> str:
        """How many are here, and from when."""
        now = sum(file.was_fetched for file in self.files)
        kept = len(self.files) - now
        return f"{len(self.files)} of {len(self.states)} wanted files are here: {now} fetched now, {kept} kept from earlier runs."


def fetch_wanted(archive: MastArchive, wanted: Sequence[ArchiveProduct], *, dry_run: bool) -> FetchedFiles:
    """
    Get every wanted product.

    Offline and in a dry run those in the cache are given, and the others listed. A product that cannot be fetched again is
    given as it was kept. An archive that says that it is asked too much, or gives no answer twice in a row, is asked no more.

    Raises
    ------
    LocalEnvironmentError
        If disk, permission or lock stand in the way.
    """
    fetched, silence = FetchedFiles(), Silence()
    for step, product in enumerate(wanted, start=1):
        kept = archive.products.cached_product(product)
        if archive.offline or dry_run:
            state = _without_fetching(archive, product, kept, fetched)
        elif silence.is_over_all and (kept is None or archive.refresh):
            state = _hold_back(product, kept, fetched, silence)
        else:
            state = _fetch(archive, product, kept, fetched, silence, step=step, steps=len(wanted))
        fetched.states.append(state)
    if fetched.held_back:
        fetched.warnings.append(_held_back_sentence(fetched, silence))
    return fetched


def _hold_back(
    product: ArchiveProduct, kept: CachedProduct | None, fetched: FetchedFiles, silence: Silence
) -> AnswerState:
    """Leave the archive in peace."""
    fetched.held_back.append(product)
    if kept is not None:
        fetched.files.append(kept)
        return AnswerState.STALE
    fetched.missing.append(OfferedProduct(product, silence.state, f"not fetched, because {_why_silent(silence)}"))
    return silence.state


def _why_silent(silence: Silence) -> str:
    if silence.state is AnswerState.THROTTLED:
        return "the archive said before that it is asked too much"
    return "the archive gave none of those before"


def _held_back_sentence(fetched: FetchedFiles, silence: Silence) -> str:
    """One sentence for all that was not asked for."""
    number, lacking = len(fetched.held_back), {offer.product for offer in fetched.missing}
    kept = sum(product not in lacking for product in fetched.held_back)
    files = "1 more file was" if number == 1 else f"{number} more files were"
    used = f" Of {kept} of them the copy kept from an earlier run is used." if kept else ""
    return (
        f"TIC {fetched.held_back[0].tic_id}: {files} not asked for, because {_why_silent(silence)}; run the command again "
        f"later.{used}"
    )


def _without_fetching(
    archive: MastArchive, product: ArchiveProduct, kept: CachedProduct | None, fetched: FetchedFiles
) -> AnswerState:
    if kept is not None and not (archive.refresh and not archive.offline):
        fetched.files.append(kept)
        return AnswerState.OK
    fetched.to_fetch.append(product)
    damaged = kept is None and archive.products.path_of(product).exists()
    if damaged and archive.offline:
        reason = "its bytes in the cache are not those that were fetched; a run without --offline fetches it again"
        fetched.warnings.append(f"TIC {product.tic_id}: {product.file}: {reason}.")
        fetched.missing.append(OfferedProduct(product, AnswerState.CORRUPT, reason))
        return AnswerState.CORRUPT
    reason = "not in the cache (--offline)" if archive.offline else "it would be fetched (--dry-run)"
    fetched.missing.append(OfferedProduct(product, AnswerState.SKIPPED, reason))
    return AnswerState.SKIPPED


def _fetch(
    archive: MastArchive,
    product: ArchiveProduct,
    kept: CachedProduct | None,
    fetched: FetchedFiles,
    silence: Silence,
    *,
    step: int,
    steps: int,
) -> AnswerState:
    try:
        found = archive.fetch(product, step=step, steps=steps)
    except FetchError as error:
        silence.note(product.file, error.state)
        fetched.warnings.append(gap_sentence(product, error, refreshed=archive.refresh))
        if kept is not None:
            fetched.warnings[-1] += " The copy kept from an earlier run is used."
            fetched.files.append(kept)
            return AnswerState.STALE
        # Listed by the archive and not there: it is not known what it holds.
        state = AnswerState.UNREACHABLE if error.state is AnswerState.NOT_FOUND else error.state
        fetched.missing.append(OfferedProduct(product, state, error.message))
        return state
    if found.was_fetched:
        silence.note(product.file, AnswerState.OK)
    fetched.files.append(found)
    if found.superseded is not None:
        fetched.warnings.append(
            f"TIC {product.tic_id}: the archive changed {product.file} since it was fetched last; the old bytes are kept "
            "beside the new ones."
        )
    return AnswerState.OK
