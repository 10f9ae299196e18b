"""Which star a TOI or a name stands for at ExoFOP: asked once, kept, and never guessed among several."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from btv_report.answer_states import AnswerState
from btv_report.archive.answer_cache import Answer, AnswerCache
from btv_report.archive.mast_names import TargetQuery, parse_target
from btv_report.errors import (
    AmbiguousTargetError,
    ArchiveUnreachableError,
    LocalEnvironmentError,
    NameResolutionError,
    ProductCorruptError,
    UsageError,
)
from btv_report.exofop.asking import endpoints
from btv_report.exofop.cache import MANIFEST, PUBLIC_ROOM
from btv_report.exofop.manifest import parse_manifest
from btv_report.exofop.types import ExoFopTarget
from btv_report.targets import MAX_TIC_ID

if TYPE_CHECKING:
    from btv_report.exofop.asking.service import ExoFopService

MAX_LISTED = 12
MOST_MANIFESTS = 2000
_HINT = "Give `TIC n`, which needs no name service."


def require_tic_number(tic_id: int) -> int:
    """
    A number that a star of the TIC can have.

    Raises
    ------
    UsageError
        If it is none.
    """
    if isinstance(tic_id, bool) or not isinstance(tic_id, int) or not 0 < tic_id < MAX_TIC_ID:
        raise UsageError(f"{tic_id!r} is no TIC number.", hint="Give a number such as 365938305.")
    return tic_id


def resolve(
    target: str | int, cache_dir: Path, base_url: str, service: Callable[[], ExoFopService], *, offline: bool
) -> ExoFopTarget:
    """
    The star that a TIC number, TOI or name stands for.

    Parameters
    ----------
    target : as a user types it
    cache_dir, base_url : where answers are kept, and whose they are
    service : whom to ask, made when it is needed
    offline : look at kept answers alone

    Raises
    ------
    UsageError
        If the text can be no target, or is a position, which ExoFOP does not look up.
    AmbiguousTargetError, NameResolutionError, ArchiveUnreachableError
        If several stars answer to it, none does, or nobody answered.
    """
    if isinstance(target, int):
        return ExoFopTarget(require_tic_number(target))
    query = parse_target(target)
    if query.tic_id is not None:
        return ExoFopTarget(query.tic_id)
    if query.position_deg is not None:
        raise UsageError(
            f"ExoFOP looks up no positions, such as {query.text!r}.", hint="Give `TIC n`, a TOI or a name."
        )
    cache = AnswerCache(cache_dir, base_url)
    question = f"ExoFOP, star of {_spelling(query)!r}"
    kept = cache.get(None, question)
    stars = _kept_stars(kept)
    if stars is None:
        if offline and (held := _held(query, cache_dir, base_url)) is not None:
            return held
        if offline:
            raise _no_answer(query, AnswerState.SKIPPED, "it was not looked up before, and nothing is asked offline")
        asked, stars = service().numbers_of(_spelling(query))
        if asked.state.is_gap:
            raise _no_answer(query, asked.state, asked.words)
        state = AnswerState.OK if stars else AnswerState.NOT_FOUND
        cache.put(None, question, Answer(state, asked.asked_at, [list(star) for star in stars]))
    return _the_one(query, stars)


def _held(query: TargetQuery, cache_dir: Path, base_url: str) -> ExoFopTarget | None:
    """The one star of the cache whose manifest has this TOI or name; None where none has, or several have."""
    wanted = _plain(_spelling(query))
    found = []
    for path in sorted((cache_dir / PUBLIC_ROOM).glob(f"tic_*/{MANIFEST}"))[:MOST_MANIFESTS]:
        digits = path.parent.name.removeprefix("tic_")
        try:
            content = parse_manifest(path, tic_id=int(digits) if digits.isdecimal() else 0)
        except (ProductCorruptError, LocalEnvironmentError):
            continue
        star = content["target"]
        toi = str(star.get("toi") or "")
        names = [f"TOI{toi}", f"TOI{toi.partition('.')[0]}", *map(str, (star.get("aliases") or {}).values())]
        if content["sources"].get("base_url") == base_url and wanted in map(_plain, names):
            found.append(ExoFopTarget(star["tic_id"], star.get("toi"), dict(star.get("aliases") or {})))
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    """A name without spaces, hyphens and capitals."""
    return re.sub(r"[\s_-]+", "", name).casefold()


def _spelling(query: TargetQuery) -> str:
    """A target as ExoFOP spells it: TOIs with their prefix and no space."""
    return f"TOI{query.toi}" if query.toi is not None else query.text


def _kept_stars(kept: Answer | None) -> list[tuple[int, str]] | None:
    if kept is None:
        return None
    try:
        return [(require_tic_number(number), str(words)) for number, words in kept.value]
    except (TypeError, ValueError, UsageError):
        return None  # kept by a version with other fields: asked again


def _the_one(query: TargetQuery, stars: list[tuple[int, str]]) -> ExoFopTarget:
    numbers = list(dict.fromkeys(number for number, _ in stars))
    if not numbers:
        raise NameResolutionError(
            f"ExoFOP knows no star of the name {query.text!r}.", hint="Check the spelling, or give `TIC n`."
        )
    if len(numbers) > 1:
        listed = ", ".join(f"TIC {number}" for number in numbers[:MAX_LISTED])
        more = f" and {len(numbers) - MAX_LISTED} more" if len(numbers) > MAX_LISTED else ""
        matches: list[Any] = [(number, float("nan"), None) for number in numbers]
        raise AmbiguousTargetError(
            f"ExoFOP knows {len(numbers)} stars of the name {query.text!r}: {listed}{more}.",
            hint=f"Give the one you mean, such as `TIC {numbers[0]}`.",
            matches=matches,
        )
    return ExoFopTarget(numbers[0], query.toi)


def _no_answer(query: TargetQuery, state: AnswerState, words: str) -> ArchiveUnreachableError:
    return ArchiveUnreachableError(
        f"ExoFOP did not say which star {query.text!r} is: {words}.",
        hint=_HINT,
        state=state,
        service=endpoints.NAMES,
    )
