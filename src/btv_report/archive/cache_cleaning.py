"""How a cache is cleaned: what a run cites stays unless told otherwise."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from btv_report.archive.answer_cache import MAX_ANSWER_BYTES
from btv_report.archive.cache_artefacts import artefact_trees, cited_trees, files_below, remove_tree
from btv_report.archive.cache_folder import LockBusyError
from btv_report.archive.cache_listing import CacheEntry, CacheListing, bytes_of, files_of, list_cache, pair
from btv_report.archive.product_cache import CachedProduct, ProductCache
from btv_report.archive.product_descriptions import candidates
from btv_report.archive.stored_files import DESCRIPTION_SUFFIX, hash_file, read_description
from btv_report.atomic import sentences
from btv_report.errors import IntegrityError, UsageError
from btv_report.utc import utc_moment

DAY_S = 86400.0


@dataclass(frozen=True)
class Cleaning:
    """
    What a cleaning removes, or would.

    Attributes
    ----------
    cache : what is cleaned
    entries : products, each of which goes with its description
    others : files that are no products: answers, what lies in quarantine, what nobody has described
    n_bytes : their size
    kept_cited : products that were selected and stay, because a run cites them
    kept_others : other files that stay for that reason, and the runs
    include_cited : whether what runs cite goes, too
    abandoned : whether unfinished downloads of killed processes go, too
    unfinished : their files
    trees : folders of a star's artefacts from ExoFOP, each of which goes as a whole
    """

    cache: ProductCache
    entries: tuple[CacheEntry, ...]
    others: tuple[Path, ...]
    n_bytes: int
    kept_cited: tuple[CacheEntry, ...]
    kept_others: Mapping[Path, tuple[str, ...]]
    include_cited: bool
    abandoned: bool
    trees: tuple[Path, ...] = ()
    unfinished: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that goes."""
        products = (path for entry in self.entries for path in pair(entry.product.path))
        in_trees = (path for tree in self.trees for path in files_below(tree))
        return (*products, *self.others, *in_trees, *self.unfinished)


@dataclass(frozen=True)
class Removed:
    """What was removed; `busy` are products that another process was at work on, or replaced meanwhile, and that stay."""

    n_files: int
    n_bytes: int
    busy: tuple[Path, ...]


def plan_cleaning(
    cache: ProductCache,
    *,
    tic_ids: Sequence[int] = (),
    older_than_days: float | None = None,
    everything: bool = False,
    quarantine: bool = False,
    include_cited: bool = False,
    now: datetime | None = None,
) -> Cleaning:
    """
    Say what would be removed; `remove` does it.

    Parameters
    ----------
    tic_ids : products, superseded ones included, answers, and what ExoFOP has of these targets
    older_than_days : products that were fetched longer ago, by their descriptions
    everything : all products and answers, what lies in quarantine, and what nobody has described
    quarantine : damaged files that were put aside, and unfinished downloads
    include_cited : also what runs cite
    now : for tests

    Raises
    ------
    UsageError
        If nothing is selected, or the age is none.
    IntegrityError
        If it cannot be read what a run cites, so that nothing may go.
    """
    if not (tic_ids or older_than_days is not None or everything or quarantine):
        raise UsageError(
            "Nothing was selected to be cleaned.",
            hint="Give --tic N, --older-than DAYS, --quarantine or --all; `btv-report cache list` shows what there is.",
        )
    if everything and older_than_days is not None:
        raise UsageError("--all and --older-than contradict each other.", hint="Give one of them.")
    if older_than_days is not None and not older_than_days >= 0:  # also when it is no number at all
        raise UsageError(f"{older_than_days:g} days is no age.", hint="Give --older-than a number of days, such as 30.")
    if not include_cited:
        _require_sound_pins(cache)
    moment = now or datetime.now(UTC)
    listing = list_cache(cache)
    selected = [
        entry
        for entry in (*listing.entries, *listing.superseded)
        if everything or _is_selected(entry.product, tic_ids, older_than_days, moment)
    ]
    kept = tuple(entry for entry in selected if entry.cited_by and not include_cited)
    gone = tuple(entry for entry in selected if entry not in kept)
    strays = _strays(cache, listing, everything=everything, quarantine=quarantine)
    trees = artefact_trees(cache.folder, tic_ids, everything=everything) if older_than_days is None else []
    answers = _answers(cache.folder, tic_ids, everything) if older_than_days is None else []
    kept_strays = {} if include_cited else _cited_files(strays, cache.cited())
    kept_trees = {} if include_cited else cited_trees(trees, cache.cited())
    kept_answers = {} if include_cited else _cited_answers(answers, listing)
    abandoned = everything or quarantine
    plan = Cleaning(
        cache,
        gone,
        tuple(path for path in (*strays, *answers) if path not in {**kept_strays, **kept_answers}),
        0,
        kept,
        {**kept_strays, **kept_trees, **kept_answers},
        include_cited,
        abandoned=abandoned,
        trees=tuple(tree for tree in trees if tree not in kept_trees),
        unfinished=cache.abandoned() if abandoned else (),
    )
    return replace(plan, n_bytes=sum(bytes_of(path) for path in plan.files))


def remove(cleaning: Cleaning) -> Removed:
    """
    Remove what was planned, and folders that are empty then.

    Each product goes under its lock: one that another process is fetching, or that was replaced or cited since the plan was made,
    stays.

    Raises
    ------
    LocalEnvironmentError
        If the machine does not let it.
    """
    cache = cleaning.cache
    cited = {} if cleaning.include_cited else cache.cited()
    n_files = n_bytes = 0
    busy = []
    for entry in cleaning.entries:
        size = _remove_product(cache, entry.product, cited)
        if size is None:
            busy.append(entry.product.path)
        else:
            n_files, n_bytes = n_files + 2, n_bytes + size
    for path in cleaning.others:
        size = _remove_other(cache, path)
        if size is None:
            busy.append(path)
        else:
            n_files, n_bytes = n_files + 1, n_bytes + size
    for tree in cleaning.trees:
        files = list(files_below(tree))
        size = sum(map(bytes_of, files))
        if remove_tree(cache.folder, tree):
            n_files, n_bytes = n_files + len(files), n_bytes + size
        else:
            busy.append(tree)
    if cleaning.abandoned:
        n_more, more_bytes = cache.remove_abandoned()
        n_files, n_bytes = n_files + n_more, n_bytes + more_bytes
    return Removed(n_files, n_bytes, tuple(busy))


def _remove_product(cache: ProductCache, product: CachedProduct, cited: Mapping[str, object]) -> int | None:
    """Bytes freed; None when it stays."""
    path = product.path
    with contextlib.suppress(LockBusyError), cache.locked(path, timeout_s=0):
        known = {item.sha256 for item in candidates(read_description(path), path)}
        if product.sha256 in known and product.sha256 not in cited:
            # The description last: bytes without one would be taken for damaged ones.
            return _unlink(cache, *pair(path))
    return None


def _remove_other(cache: ProductCache, path: Path) -> int | None:
    """Bytes freed; None when it stays, because it is a product, or part of one, by now."""
    if not any(path.is_relative_to(room) for room in (cache.products, cache.superseded)):
        return _unlink(cache, path)
    product = path.with_name(path.name.removesuffix(DESCRIPTION_SUFFIX))
    with contextlib.suppress(LockBusyError), cache.locked(product, timeout_s=0):
        sizes = {item.n_bytes for item in candidates(read_description(product), product)}
        if not product.exists() or bytes_of(product) not in sizes:
            return _unlink(cache, path)
    return None


def _unlink(cache: ProductCache, *paths: Path) -> int:
    """Remove files, and folders that are empty then; bytes freed."""
    size = sum(bytes_of(path) for path in paths)
    for path in paths:
        with sentences("remove", path):
            path.unlink(missing_ok=True)
    _remove_empty_folders(cache, paths[0])
    return size


def _remove_empty_folders(cache: ProductCache, path: Path) -> None:
    """Folders above what was removed, up to the room itself. Whoever puts a product into one makes it anew."""
    for room in (cache.products, cache.superseded):
        if path.is_relative_to(room):
            with contextlib.suppress(OSError):
                for folder in path.relative_to(room).parents:
                    if folder != Path():
                        (room / folder).rmdir()


def _require_sound_pins(cache: ProductCache) -> None:
    damaged = cache.damaged_pins()
    if damaged:
        raise IntegrityError(
            f"{damaged[0]} says what a run cites and cannot be read, so nothing was removed.",
            hint="Run the command again with --include-cited to clean whatever runs cite, or restore that file.",
            path=damaged[0],
        )


def _is_selected(product: CachedProduct, tic_ids: Sequence[int], days: float | None, now: datetime) -> bool:
    if not tic_ids and days is None:
        return False
    if tic_ids and product.product.tic_id not in tic_ids:
        return False
    return days is None or (now - _fetched_at(product, now)).total_seconds() > days * DAY_S


def _fetched_at(product: CachedProduct, now: datetime) -> datetime:
    """
    When it was fetched, by our clock and the server's; a time to come is a clock that was wrong, and does not count.

    One that does not say it in a form that can be read counts as new.
    """
    moments = [utc_moment(text) for text in (product.retrieved_at, product.server_date or "")]
    return max((moment for moment in moments if moment is not None and moment <= now), default=now)


def _strays(cache: ProductCache, listing: CacheListing, *, everything: bool, quarantine: bool) -> list[Path]:
    """Files in quarantine, and files among the products that no description speaks for."""
    strays = list(files_of(cache.quarantine)) if everything or quarantine else []
    if everything:
        known = {path for entry in (*listing.entries, *listing.superseded) for path in pair(entry.product.path)}
        strays += [path for room in (cache.products, cache.superseded) for path in files_of(room) if path not in known]
    return strays


def _cited_files(paths: Sequence[Path], cited: Mapping[str, tuple[str, ...]]) -> dict[Path, tuple[str, ...]]:
    """Those whose bytes a run cites, for they may only have lost their description; with the description, if there is one."""
    kept: dict[Path, tuple[str, ...]] = {}
    for path in paths if cited else ():
        with contextlib.suppress(OSError):
            if runs := cited.get(hash_file(path)[0]):
                kept |= {item: runs for item in pair(path) if item in paths}
    return kept


def _cited_answers(paths: Sequence[Path], listing: CacheListing) -> dict[Path, tuple[str, ...]]:
    """
    Answers about targets of which a run cites a product, and the runs; what names such a target is among them.

    Without them nobody could tell offline what else the archive has of it.
    """
    runs: dict[int, tuple[str, ...]] = {}
    for entry in (*listing.entries, *listing.superseded):
        if entry.cited_by:
            tic_id = entry.product.product.tic_id
            runs[tic_id] = tuple(sorted({*runs.get(tic_id, ()), *entry.cited_by}))
    return {path: runs[tic_id] for path in paths if (tic_id := _target_of(path)) in runs}


def _target_of(answer: Path) -> int:
    """The star that an answer is about; 0 where it does not say."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        if answer.parent.name != "names":
            return int(answer.parent.name.removeprefix("tic_"))
        if bytes_of(answer) <= MAX_ANSWER_BYTES:
            return int(json.loads(answer.read_bytes())["value"]["tic_id"])
    return 0


def _answers(folder: Path, tic_ids: Sequence[int], everything: bool) -> list[Path]:
    if everything:
        return list(files_of(folder / "answers"))
    return [path for tic_id in tic_ids for path in files_of(folder / "answers" / f"tic_{tic_id}")]
