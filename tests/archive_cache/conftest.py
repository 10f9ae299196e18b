"""A product of the archive, and a fetch function that counts."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from btv_report.archive.mast_types import ArchiveProduct
from btv_report.archive.product_cache import ProductCache


@dataclass
class CountingFetch:
    """Writes the content it is told to; `asked` counts."""

    content: bytes = b"the bytes of a product" * 100
    asked: list[Path] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    server_date: str | None = "2026-11-26T10:00:00Z"

    def __call__(self, path: Path) -> CountingFetch:
        with self.lock:
            self.asked.append(path)
        path.write_bytes(self.content)
        return self


def product(number: int = 1, tic_id: int = 7, **fields: object) -> ArchiveProduct:
    name = f"tess{number:013d}-s{number:04d}-{tic_id:016d}-0100-s"
    values = {
        "kind": "light_curve",
        "tic_id": tic_id,
        "sector": number,
        "pipeline": "SPOC",
        "exptime_s": 120.0,
        "file": f"{name}_lc.fits",
        "uri": f"mast:TESS/product/{name}_lc.fits",
        "obs_id": name,
    }
    return ArchiveProduct(**{**values, **fields})  # type: ignore[arg-type]


@pytest.fixture
def cache(tmp_path: Path) -> ProductCache:
    return ProductCache(tmp_path / "cache")


@pytest.fixture
def fetch() -> CountingFetch:
    return CountingFetch()
