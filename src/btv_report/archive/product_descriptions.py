"""
Descriptions of fetched products: what lies at a path, by the JSON file beside it.

While a product is replaced by other bytes its description names both, the new and the old, so that whichever of them lie
there are believed, whenever the process that replaces them is stopped.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from btv_report.archive.mast_types import ArchiveProduct
from btv_report.archive.stored_files import (
    DESCRIPTION_SUFFIX,
    description_of,
    has_bytes,
    put_in_place,
    read_description,
)
from btv_report.atomic import write_atomic

SCHEMA_VERSION = 1
_PRODUCT_FIELDS = {item.name for item in fields(ArchiveProduct)}


@dataclass(frozen=True)
class CachedProduct:
    """
    A product in the cache.

    Attributes
    ----------
    product : what the archive said of it
    path : its bytes
    sha256, n_bytes : as they were fetched
    retrieved_at : UTC, ISO
    server_date : as the server dated its answer
    was_fetched : whether it was fetched just now
    superseded : where the bytes that it replaces were put; None where it replaces none
    host : who gave it; None in descriptions that were written before it was noted
    """

    product: ArchiveProduct
    path: Path
    sha256: str
    n_bytes: int
    retrieved_at: str
    server_date: str | None = None
    was_fetched: bool = False
    superseded: Path | None = None
    host: str | None = None

    @property
    def uri(self) -> str:
        """The archive's address of it."""
        return self.product.uri


def described_products(folder: Path) -> tuple[CachedProduct, ...]:
    """The products below a folder by their descriptions and sizes; the bytes are read where only they can tell."""
    found = []
    for description in sorted(folder.rglob(f"*{DESCRIPTION_SUFFIX}")):
        path = description.with_name(description.name.removesuffix(DESCRIPTION_SUFFIX))
        likely = [item for item in candidates(read_description(path), path) if _size_of(path) == item.n_bytes]
        found += likely if len(likely) < 2 else [item for item in likely if is_whole(item)][:1]
    return tuple(found)


def _size_of(path: Path) -> int | None:
    try:
        return path.lstat().st_size
    except OSError:
        return None


def is_whole(found: CachedProduct) -> bool:
    """
    Whether the bytes are those that were fetched.

    Raises
    ------
    LocalEnvironmentError
        If the machine does not let them be read.
    """
    return has_bytes(found.path, found.sha256, found.n_bytes)


def describe(found: CachedProduct, workshop: Path, *, replaces: CachedProduct | None = None) -> None:
    """Write the description of bytes beside them; it is made elsewhere, so that a crash leaves no piece of it there."""
    words = {"schema_version": SCHEMA_VERSION, **_words(found)}
    if replaces is not None:
        words["replaces"] = _words(replaces)
    made = workshop / "description"
    data = json.dumps(words, indent=1, sort_keys=True, ensure_ascii=True).encode() + b"\n"
    write_atomic(made, data, private=True)
    put_in_place(made, description_of(found.path))


def _words(found: CachedProduct) -> dict[str, Any]:
    return {
        "product": asdict(found.product),
        "sha256": found.sha256,
        "n_bytes": found.n_bytes,
        "retrieved_at": found.retrieved_at,
        "server_date": found.server_date,
        **({"host": found.host} if found.host is not None else {}),
    }


def candidates(description: bytes | None, path: Path) -> list[CachedProduct]:
    """What may lie at a path by its description: one product, or two while one replaces the other; none that is sound, none."""
    if description is None:
        return []
    try:
        words = json.loads(description)
        if words["schema_version"] != SCHEMA_VERSION:
            return []
        given = [words, words["replaces"]] if "replaces" in words else [words]
        return [_cached(item, path) for item in given]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _cached(words: dict[str, Any], path: Path) -> CachedProduct:
    """
    A product from its description; fields of later versions are left out.

    Raises
    ------
    ValueError, KeyError, TypeError, AttributeError
        If it is none.
    """
    given = {name: value for name, value in words["product"].items() if name in _PRODUCT_FIELDS}
    product = ArchiveProduct(**given)
    texts = (product.kind, product.pipeline, product.file, product.uri, product.obs_id, product.description)
    numbers = (product.tic_id, words["n_bytes"], product.sector or 0)
    if not all(isinstance(text, str) for text in (*texts, words["sha256"], words["retrieved_at"])):
        raise TypeError("a text is none")
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in numbers):
        raise TypeError("a number is none")
    host = words.get("host")
    return CachedProduct(
        product,
        path,
        words["sha256"],
        words["n_bytes"],
        words["retrieved_at"],
        words["server_date"],
        host=host if isinstance(host, str) else None,
    )
