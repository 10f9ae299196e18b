"""The FITS files of the archive's and the products' tests."""

from __future__ import annotations

from tests.archive.conftest import shared_data, write_product
from tests.products.conftest import write_lc, write_tpf

__all__ = ["shared_data", "write_lc", "write_product", "write_tpf"]
