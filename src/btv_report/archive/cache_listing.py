"""What a cache folder holds, and what cites it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from btv_report.archive.cache_artefacts import ROOMS
from btv_report.archive.product_cache import CachedProduct, ProductCache, described_products
from btv_report.archive.stored_files import description_of

SIDE_FOLDERS = ("answers", "superseded", "quarantine", "incoming", "values", *ROOMS)


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
    side_bytes : bytes of what is no product of today (answers, superseded and quarantined files, unfinished downloads, values,
        observers' artefacts), by the folder's name; absent ones are left out
    superseded : products that the archive has replaced since
    damaged_pins : notes of what a run cites that cannot be read
    """

    folder: Path
    entries: tuple[CacheEntry, ...]
    side_bytes: dict[str, int]
    superseded: tuple[CacheEntry, ...] = ()
    damaged_pins: tuple[Path, ...] = ()

    @property
    def product_bytes(self) -> int:
        """Bytes of all products."""
        return sum(entry.product.n_bytes for entry in self.entries)


def list_cache(cache: ProductCache) -> CacheListing:
    """Look at a cache folder; nothing is read but the descriptions."""
    cited = cache.cited()
    side = {name: size for name in SIDE_FOLDERS if (size := _size_of(cache.folder / name))}
    return CacheListing(
        cache.folder,
        _entries(cache.products, cited),
        side,
        _entries(cache.superseded, cited),
        cache.damaged_pins(),
    )


def _entries(folder: Path, cited: Mapping[str, tuple[str, ...]]) -> tuple[CacheEntry, ...]:
    entries = [CacheEntry(product, cited.get(product.sha256, ())) for product in described_products(folder)]
    return tuple(sorted(entries, key=_order))


def files_of(folder: Path) -> Iterator[Path]:
    """Everything below a folder that is no folder; links are not followed."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(place) / name for name in sorted(names))
        yield from (Path(place) / name for name in folders if (Path(place) / name).is_symlink())


def _size_of(folder: Path) -> int:
    return sum(bytes_of(path) for path in files_of(folder))


def bytes_of(path: Path) -> int:
    """Its size; 0 where it is gone."""
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def pair(path: Path) -> tuple[Path, Path]:
    """A product and its description."""
    return path, description_of(path)


def _order(entry: CacheEntry) -> tuple[int, int, str]:
    product = entry.product.product
    return product.tic_id, product.sector or 0, product.file
