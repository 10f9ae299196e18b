"""What is said when products are damaged, refused, missing or not to be had."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from btv_report.answer_states import AnswerState
from btv_report.archive.mirror import MirrorAnswer
from btv_report.errors import (
    ArchiveUnreachableError,
    BtvReportError,
    NothingUsableError,
    ProductCorruptError,
    ProductRefusedError,
    TargetNotFoundError,
)
from btv_report.products.model import ProductFile, ProductState
from btv_report.record import ProductValue
from btv_report.stages.archive import ArchiveFinds
from btv_report.stages.fetching import OfferedProduct
from btv_report.stages.request import ReportRequest
from btv_report.stages.values import offered_value, product_value

LISTED_FAULTS = 10
LISTED_NAMES = 3
FROM_MIRROR = "from mirror"


def nothing_usable(
    request: ReportRequest, mirror: MirrorAnswer, products: Sequence[ProductFile], finds: ArchiveFinds
) -> BtvReportError:
    """The error for a target of which no product can be used; it lists each with its reason."""
    considered = [
        *(product_value(product, {}) for product in products),
        *(offered_value(offer) for offer in finds.offered),
    ]
    if not considered:
        return _nothing_found(request, mirror, finds)
    wanted = [product for product in products if product.state is not ProductState.OK and was_asked(request, product)]
    failed = [(product.path.name, product.reason) for product in wanted]
    failed += [(offer.product.file, offer.reason) for offer in finds.offered if _is_missed(offer)]
    others = [(value["file"], value["reason"]) for value in considered]
    listed = _listed(failed, len(considered) - len(failed)) if failed else _listed(others, 0)
    message = f"TIC {request.tic_id}: no product can be used ({listed})."
    states = {str(product.state) for product in products if was_asked(request, product)}
    states |= {str(offer.state) for offer in finds.offered}
    if request.offline and finds.to_fetch and not states - {AnswerState.OK, AnswerState.SKIPPED}:
        return NothingUsableError(message, hint=_online(request), tic_id=request.tic_id, products=considered)
    damaged = any(product.state is ProductState.CORRUPT for product in wanted)
    return _by_state(request, message, states, considered, damaged=damaged)


def _online(request: ReportRequest) -> str:
    return (
        f"Leave --offline{request.offline_from} out on a machine with a network, or give --mirror DIR with its files."
    )


def _is_missed(offer: OfferedProduct) -> bool:
    """Whether a product was wanted and did not come, and not merely not chosen."""
    return offer.state is not AnswerState.SKIPPED or offer.reason.startswith("not in the cache")


def _listed(files: Sequence[tuple[str, str]], n_others: int) -> str:
    """Files with their reasons; a reason that many share is told once."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in files:
        by_reason.setdefault(reason.rstrip("."), []).append(name)
    told = [f"{_few(names)}: {reason}" for reason, names in by_reason.items()]
    dots = "; ..." if len(told) > LISTED_FAULTS else ""
    others = (
        "1 more was not asked for, or another was"
        if n_others == 1
        else f"{n_others} more were not asked for, or others were"
    )
    more = f"; {others} preferred" if n_others else ""
    return "; ".join(told[:LISTED_FAULTS]) + dots + more


def _few(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    if len(names) <= LISTED_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[: LISTED_NAMES - 1])} and {len(names) - LISTED_NAMES + 1} more"


def _by_state(
    request: ReportRequest, message: str, states: set[str], considered: Sequence[ProductValue], *, damaged: bool
) -> BtvReportError:
    """The kind of error that the worst of the products gives; `damaged` whether damaged files lie here, and not merely came."""
    if AnswerState.CORRUPT in states:
        hint = "Fetch the damaged files again." if damaged else "Nothing of it was kept; the next run fetches it anew."
        return ProductCorruptError(message, hint=hint, tic_id=request.tic_id, products=considered)
    silent = states & {AnswerState.UNREACHABLE, AnswerState.THROTTLED, AnswerState.AUTH_REQUIRED}
    if silent:
        state = AnswerState(min(silent))
        hint = "Try again later; what was fetched is kept."
        if state is AnswerState.AUTH_REQUIRED:
            hint = "Not everybody may have them: give --mirror DIR with the files, or ask for other products."
        return ArchiveUnreachableError(message, hint=hint, state=state, tic_id=request.tic_id, products=considered)
    if AnswerState.REJECTED in states:
        return ProductRefusedError(
            message, hint="Give --mirror other products of the target.", tic_id=request.tic_id, products=considered
        )
    return TargetNotFoundError(
        message, hint="Ask for other sectors, pipelines or exposure times.", tic_id=request.tic_id, products=considered
    )


def _nothing_found(request: ReportRequest, mirror: MirrorAnswer, finds: ArchiveFinds) -> BtvReportError:
    """The error where there is not even a product that could not be used."""
    tic = f"TIC {request.tic_id}"
    gap = next((reply for reply in finds.replies if reply.state.is_gap), None)
    if gap is not None:
        return ArchiveUnreachableError(
            f"{tic}: nothing is known of it: {gap.detail}",
            hint="Or give --mirror DIR with its files.",
            state=gap.state,
            service=gap.endpoint,
            tic_id=request.tic_id,
        )
    told = " ".join(reply.detail for reply in finds.replies if reply.state is not AnswerState.SKIPPED)
    if told:
        where = f"; {mirror.sentence()}" if request.mirrors else ""
        return TargetNotFoundError(
            f"{tic}: the archive holds nothing of it: {told}{where}", hint="Check the number.", tic_id=request.tic_id
        )
    if not request.mirrors:
        return NothingUsableError(
            f"{tic}: there is nowhere to look; --offline was given{request.offline_from}, no --mirror was, and the cache "
            "holds nothing of it.",
            hint=_online(request),
            tic_id=request.tic_id,
        )
    return TargetNotFoundError(
        f"{tic}: {mirror.sentence()}",
        hint="Give --mirror a folder that holds light curves or target pixel files of this target.",
        tic_id=request.tic_id,
    )


def mirror_state(
    request: ReportRequest, mirror: MirrorAnswer, products: Iterable[ProductFile]
) -> tuple[AnswerState, str]:
    """One state for all that the mirrors answered: the worst fault among the products asked for, and a sentence."""
    mine = [product for product in products if product.retrieved == FROM_MIRROR]
    sentence = mirror.sentence()
    faulty = fault_state(request, mine)
    if faulty is not None:
        verb = "is damaged" if faulty is AnswerState.CORRUPT else "was refused"
        return faulty, f"{sentence} At least one product {verb}."
    if mirror.unreadable:
        return AnswerState.UNREACHABLE, sentence
    if not mirror.files:
        return AnswerState.EMPTY, sentence
    return AnswerState.OK, sentence


def fault_state(request: ReportRequest, products: Iterable[ProductFile]) -> AnswerState | None:
    """The worst fault of inspected products that were asked for; None where there is none."""
    states = {product.state for product in products if was_asked(request, product)}
    if ProductState.CORRUPT in states:
        return AnswerState.CORRUPT
    return AnswerState.REJECTED if ProductState.REJECTED in states else None


def fault_warnings(request: ReportRequest, products: Sequence[ProductFile]) -> list[str]:
    """A sentence for each damaged or refused product that was asked for; many are counted."""
    remedy = {
        ProductState.CORRUPT: "Fetch the file again; the dossier was made without it.",
        ProductState.REJECTED: "The dossier was made without it.",
    }
    faulty = {product.sha256: product for product in reversed(products) if product.state in remedy}
    asked = [product for product in reversed(faulty.values()) if was_asked(request, product)]
    sentences = [
        f"TIC {request.tic_id}: {product.path.name}: {product.reason.rstrip('.')}. {remedy[product.state]}"
        for product in asked[:LISTED_FAULTS]
    ]
    if len(asked) > LISTED_FAULTS:
        sentences.append(
            f"TIC {request.tic_id}: {len(asked) - LISTED_FAULTS} more files are damaged or refused; see `products`."
        )
    return sentences


def missing_sectors(request: ReportRequest, products: Sequence[ProductFile], finds: ArchiveFinds) -> list[str]:
    """A sentence for each sector that was asked for and has no usable product, at hand or to be fetched."""
    have = {product.header.sector for product in products if product.used and product.header}
    if request.dry_run:
        have |= {product.sector for product in finds.to_fetch}
    where = "in mirrors and cache" if request.offline else "in mirrors and archive"
    return [
        f"TIC {request.tic_id}: {where} there is no usable product of sector {sector}, which was asked for."
        for sector in sorted(set(request.sectors) - have)
    ]


def was_asked(request: ReportRequest, product: ProductFile) -> bool:
    """
    Whether a product lies within `--sector` and `--pipeline`; one that does not say counts as asked for.

    What comes from the archive was asked for by what its list says, whatever its header says.
    """
    header = product.header
    if header is None or product.retrieved != FROM_MIRROR:
        return True
    sector_asked = not request.sectors or header.sector is None or header.sector in request.sectors
    pipelines = {name.lower() for name in request.pipelines}
    return sector_asked and (not pipelines or header.pipeline.lower() in pipelines)
