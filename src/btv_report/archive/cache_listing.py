"""What a cache folder holds, what cites it, and how it is cleaned: what a run cites stays unless told otherwise."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from btv_report.archive.product_cache import CachedProduct, ProductCache, described_products
from btv_report.atomic import sentences
from btv_report.errors import UsageError

SIDE_FOLDERS = ("answers", "superseded", "quarantine", "values")


@dataclass(frozen=True)
class CacheEntry:
    """One product of the cache, and the runs that cite it."""

    product: CachedProduct
    cited_by: tuple[str, ...]


@dataclass(frozen=True)
class CacheListing:
    """
    A cache folder.

    Attributes
    ----------
    folder : where it is
    entries : products, by target, sector and name
    side_bytes : bytes of answers, superseded and quarantined files, and values, by the folder's name; absent ones are left out
    """

    folder: Path
    entries: tuple[CacheEntry, ...]
    side_bytes: dict[str, int]

    @property
    def product_bytes(self) -> int:
        """Bytes of all products."""
        return sum(entry.product.n_bytes for entry in self.entries)


@dataclass(frozen=True)
class Cleaning:
    """
    What a cleaning removes, or would.

    Attributes
    ----------
    files : paths
    n_bytes : their size
    kept_cited : products that were selected and stay, because a run cites them
    """

    files: tuple[Path, ...]
    n_bytes: int
    kept_cited: tuple[CacheEntry, ...]


def list_cache(cache: ProductCache) -> CacheListing:
    """Look at a cache folder; nothing is read but the descriptions."""
    cited = cache.cited()
    entries = [CacheEntry(product, cited.get(product.sha256, ())) for product in described_products(cache.products)]
    side = {name: size for name in SIDE_FOLDERS if (size := _size_of(cache.folder / name))}
    return CacheListing(cache.folder, tuple(sorted(entries, key=_order)), side)


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
    tic_ids : products and answers of these targets
    older_than_days : products that were fetched longer ago, by their descriptions
    everything : all products and answers
    quarantine : damaged files that were put aside
    include_cited : also what runs cite
    now : for tests

    Raises
    ------
    UsageError
        If nothing is selected.
    """
    if not (tic_ids or older_than_days is not None or everything or quarantine):
        raise UsageError(
            "Nothing was selected to be cleaned.",
            hint="Give --tic N, --older-than DAYS, --quarantine or --all; `btv-report cache list` shows what there is.",
        )
    limit = (now or datetime.now(UTC)) - timedelta(days=older_than_days) if older_than_days is not None else None
    selected = [
        entry
        for entry in list_cache(cache).entries
        if everything or _is_selected(entry.product, tic_ids, limit, by_age=older_than_days is not None)
    ]
    kept = tuple(entry for entry in selected if entry.cited_by and not include_cited)
    gone = [entry for entry in selected if entry not in kept]
    files = [path for entry in gone for path in (entry.product.path, _description(entry.product.path))]
    if older_than_days is None:
        files += _answers(cache.folder, tic_ids, everything)
    if quarantine:
        files += list(_files_of(cache.folder / "quarantine"))
    return Cleaning(tuple(files), sum(_bytes_of(path) for path in files), kept)


def remove(cleaning: Cleaning) -> None:
    """
    Remove what was planned, the description of a product last, and folders that are empty then.

    Raises
    ------
    LocalEnvironmentError
        If the machine does not let it.
    """
    for path in cleaning.files:
        with sentences("remove", path):
            path.unlink(missing_ok=True)
    for path in cleaning.files:
        with contextlib.suppress(OSError):
            path.parent.rmdir()


def _is_selected(product: CachedProduct, tic_ids: Sequence[int], limit: datetime | None, *, by_age: bool) -> bool:
    if not tic_ids and not by_age:
        return False
    if tic_ids and product.product.tic_id not in tic_ids:
        return False
    return limit is None or _fetched_at(product) < limit


def _fetched_at(product: CachedProduct) -> datetime:
    """When it was fetched; one that does not say in a form that can be read counts as new."""
    try:
        return datetime.fromisoformat(product.retrieved_at.replace("Z", "+00:00"))
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)


def _answers(folder: Path, tic_ids: Iterable[int], everything: bool) -> list[Path]:
    if everything:
        return list(_files_of(folder / "answers"))
    return [path for tic_id in tic_ids for path in _files_of(folder / "answers" / f"tic_{tic_id}")]


def _files_of(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _size_of(folder: Path) -> int:
    return sum(_bytes_of(path) for path in _files_of(folder))


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _description(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _order(entry: CacheEntry) -> tuple[int, int, str]:
    product = entry.product.product
    return product.tic_id, product.sector or 0, product.file
