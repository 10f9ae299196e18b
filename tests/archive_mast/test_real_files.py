"""Real products: told apart, compared in time, and every flipped bit and cut caught."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from random import Random

import numpy as np
import pytest
from tests.archive.conftest import shared_data, write_product
from tests.archive_cache.conftest import CountingFetch

from btv_report.archive.mast_files import what_is_wrong
from btv_report.archive.mast_types import ArchiveProduct
from btv_report.archive.product_cache import ProductCache
from btv_report.fits.sums import check_fits
from btv_report.products.inspect import inspect_file
from btv_report.products.light_curve import read_light_curve
from btv_report.products.model import LightCurve
from btv_report.products.time_offsets import measure_time_offset

__all__ = ["shared_data", "write_product"]

SPOC = "lc/spoc/tess2018206045859-s0001-0000000261136679-0120-s_lc.fits"
PRODUCT = ArchiveProduct("light_curve", 42, 7, "SPOC", 120.0, "lc.fits", "mast:TESS/product/lc.fits")


def read(path: Path) -> LightCurve:
    looked = inspect_file(path)
    return read_light_curve(
        looked.product, looked.content, flux="pdcsap", quality_mask=17087, normalise=True, exptime_asked_s=None
    )


@pytest.mark.data
@pytest.mark.parametrize(
    ("tic_id", "sector", "offsets"),
    [
        (38846515, 2, {("QLP", "TESS-SPOC"): 2.15, ("QLP", "SPOC"): 2.15, ("TESS-SPOC", "SPOC"): 0.0}),
        (188589164, 24, {("QLP", "TESS-SPOC"): 1.98, ("QLP", "SPOC"): 1.98, ("TESS-SPOC", "SPOC"): 0.0}),
        (38846515, 1, {("TESS-SPOC", "SPOC"): -1.98}),
    ],
)
def test_pipelines_of_one_star_and_sector_are_told_apart_with_their_time_offset(
    shared_data: Path, tic_id: int, sector: int, offsets: dict[tuple[str, str], float]
) -> None:
    curves = {}
    for path in (shared_data / "lc").rglob(f"*{tic_id}*s*.fits"):
        header = inspect_file(path).product.header
        if header is not None and header.sector == sector:
            curves[header.pipeline] = read(path)
    found = {}
    for one, other in combinations([name for name in ("QLP", "TESS-SPOC", "SPOC") if name in curves], 2):
        shorter = min(curves[name].provenance.cadence_measured_s or np.inf for name in (one, other))
        offset = measure_time_offset(curves[one].time_btjd, curves[other].time_btjd, shorter)
        assert offset is not None
        found[one, other] = offset.offset_s
    assert found == pytest.approx(offsets, abs=0.03)


@pytest.mark.data
def test_f091_a_thousand_flipped_bits_of_a_true_spoc_file_are_caught(shared_data: Path) -> None:
    content = bytearray((shared_data / SPOC).read_bytes())
    rng = Random(20261126)
    caught = 0
    for _ in range(1000):
        at, bit = rng.randrange(len(content)), 1 << rng.randrange(8)
        content[at] ^= bit
        caught += check_fits(bytes(content)).is_damaged
        content[at] ^= bit
    assert caught == 1000
    assert not check_fits(bytes(content)).is_damaged


@pytest.mark.data
def test_f090_a_true_spoc_file_cut_at_every_block_and_beside_it_is_caught(shared_data: Path) -> None:
    content = (shared_data / SPOC).read_bytes()
    cuts = [edge + beside for edge in range(0, len(content), 2880) for beside in (-1, 0, 1) if edge + beside >= 0]
    assert len(cuts) > 2000
    assert all(check_fits(content[:cut]).is_damaged for cut in cuts)


def test_f090_f092_cut_file_in_the_cache_is_put_aside_and_fetched_again_at_every_block(
    tmp_path: Path, write_product: object
) -> None:
    content = write_product(tmp_path / "whole.fits").read_bytes()  # type: ignore[operator]
    cache = ProductCache(tmp_path / "cache")
    path = cache.get_or_fetch(PRODUCT, CountingFetch(content)).path
    cuts = [edge + beside for edge in range(0, len(content), 2880) for beside in (-1, 0, 1) if edge + beside >= 0]
    for number, cut in enumerate(cuts, start=1):
        path.write_bytes(content[:cut])
        found = cache.get_or_fetch(PRODUCT, CountingFetch(content))
        assert (found.was_fetched, path.read_bytes()) == (True, content)
        aside = [item for item in (cache.folder / "quarantine").iterdir() if item.suffix == ".fits"]
        assert len(aside) == number


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("light_curve", b"<!DOCTYPE html><form action=password_check.php>", "FITS"),
        ("light_curve", b"", "empty"),
        ("dv_report", b"<html><body>login</body></html>", "XML report"),
        ("dv_report", b"PK\x03\x04", "XML report"),
    ],
)
def test_f014_f015_page_in_place_of_a_product_is_no_product(
    tmp_path: Path, kind: str, content: bytes, words: str
) -> None:
    (tmp_path / "file").write_bytes(content)
    product = ArchiveProduct(kind, 42, 7, "SPOC", 120.0, "file", "mast:x")
    assert words in what_is_wrong(tmp_path / "file", product)


def test_time_offset_needs_a_fixed_relation() -> None:
    short = 1500.0 + np.arange(5000) * 120 / 86400
    long = 1500.0 + 7 * 120 / 86400 + np.arange(300) * 1800 / 86400
    aligned = measure_time_offset(long + 2.0 / 86400, short, 120.0)
    assert aligned is not None
    assert aligned.n_pairs == 300
    assert aligned.offset_s == pytest.approx(2.0, abs=1e-3)
    assert measure_time_offset(1500.0 + np.arange(300) * 200 / 86400, short, 120.0) is None
    assert measure_time_offset(long[:5], short, 120.0) is None
    assert measure_time_offset(np.full(50, np.nan), short, 120.0) is None
    assert measure_time_offset(long + 100.0, short, 120.0) is None
    assert measure_time_offset(short[:20] - 3.0 / 86400, short, 120.0).offset_s == pytest.approx(-3.0, abs=1e-3)  # type: ignore[union-attr]
