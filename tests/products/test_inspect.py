"""One path to one verdict on a file."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from btv_report.errors import BtvReportError, LocalEnvironmentError, ProductCorruptError
from btv_report.fits.blocks import walk_hdus
from btv_report.fits.model import FitsSum, ProductKind
from btv_report.products.inspect import Inspection, content_of, inspect_file
from btv_report.products.light_curve import read_light_curve
from btv_report.products.model import ProductState
from btv_report.products.pixel_stack import build_pixel_stack
from btv_report.products.target_pixel_file import read_target_pixel_file
from btv_report.targets import SkyPosition


def test_f164_the_bytes_that_are_hashed_are_the_bytes_that_are_parsed(
    write_lc: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_lc()
    first, other = path.read_bytes(), write_lc(name="other.fits", TICID=43).read_bytes()
    sha256 = hashlib.sha256

    def swap_then_hash(raw: bytes) -> Any:
        path.write_bytes(other)  # someone replaces the file between our reading and our hashing
        return sha256(raw)

    monkeypatch.setattr("btv_report.fits.local_file.hashlib.sha256", swap_then_hash)
    inspection = inspect_file(path, tic_id=42)
    assert inspection.product.state is ProductState.OK
    assert inspection.product.sha256 == sha256(first).hexdigest()
    assert inspection.content == first
    with pytest.raises(ProductCorruptError, match="has changed while it was in use"):
        content_of(inspection.product)


def test_content_is_read_again_when_it_is_the_same(write_lc: Any) -> None:
    path = write_lc()
    packed = path.with_suffix(".fits.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    product = inspect_file(packed).product
    assert content_of(product) == path.read_bytes()
    assert product.sha256 == hashlib.sha256(packed.read_bytes()).hexdigest()
    assert product.n_bytes == packed.stat().st_size


def test_f093_file_of_another_target_is_refused(write_lc: Any) -> None:
    product = inspect_file(write_lc(TICID=43), tic_id=42).product
    assert product.state is ProductState.REJECTED
    assert product.reason == "its header says TIC 43, not TIC 42"
    assert inspect_file(product.path).product.state is ProductState.OK


def test_light_curve_without_number_is_refused_and_a_cutout_is_not(write_lc: Any, write_tpf: Any) -> None:
    assert "names no TIC number" in inspect_file(write_lc(TICID=None), tic_id=42).product.reason
    assert inspect_file(write_tpf(creator="astrocut", TICID=None), tic_id=42).product.state is ProductState.OK


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ({"BJDREFI": 2454833}, "its times count from BJD 2454833 (the Kepler zero point), not from 2457000"),
        ({"BJDREFI": 2458000}, "its times count from BJD 2458000, not from 2457000"),
        ({"BJDREFF": 0.5}, "its times count from BJD 2457000.5, not from 2457000"),
        ({"BJDREFI": None}, "it does not state BJDREFI, so the zero point of its times is unknown"),
        ({"TIMESYS": "UTC"}, "its time scale is UTC, not TDB"),
        ({"TIMEUNIT": "s"}, "its time unit is s, not days"),
    ],
)
@pytest.mark.parametrize("writer", ["write_lc", "write_tpf"])
def test_f107_other_time_systems_are_refused(
    request: pytest.FixtureRequest, writer: str, times: dict[str, Any], reason: str
) -> None:
    product = inspect_file(request.getfixturevalue(writer)(times=times)).product
    assert (product.state, product.reason) == (ProductState.REJECTED, reason)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 5), (5, 2)])
def test_f105_stamps_too_small_are_refused(write_tpf: Any, shape: tuple[int, int]) -> None:
    product = inspect_file(write_tpf(flux=np.ones((40, *shape)), aperture=None)).product
    assert product.state is ProductState.REJECTED
    assert f"{shape[0]} x {shape[1]} pixels (rows x columns)" in product.reason


@pytest.mark.parametrize("writer", ["write_lc", "write_tpf"])
def test_f102_all_cadences_flagged_is_refused_unless_the_mask_lets_them_pass(
    request: pytest.FixtureRequest, writer: str
) -> None:
    path = request.getfixturevalue(writer)(quality=128)
    product = inspect_file(path).product
    assert product.state is ProductState.REJECTED
    assert "all 40 cadences are flagged or without a time" in product.reason
    assert inspect_file(path, quality_mask=0).product.state is ProductState.OK


def test_f100_pixel_file_without_a_finite_flux_is_refused(write_tpf: Any) -> None:
    flux = np.full((40, 8, 6), np.nan)
    product = inspect_file(write_tpf(flux=flux)).product
    assert product.state is ProductState.REJECTED
    assert "no pixel has a finite flux other than zero in the 40 cadences" in product.reason
    flux[39, 4, 2] = 5.0
    assert inspect_file(write_tpf(flux=flux)).product.state is ProductState.OK


def test_f101_no_finite_time_is_refused(write_lc: Any) -> None:
    assert "without a time" in inspect_file(write_lc(time=np.full(40, np.nan))).product.reason


@pytest.mark.parametrize("writer", ["write_lc", "write_tpf"])
def test_file_without_rows_is_refused(request: pytest.FixtureRequest, writer: str) -> None:
    extra = {"flux": np.ones((0, 8, 6))} if writer == "write_tpf" else {}
    product = inspect_file(request.getfixturevalue(writer)(time=np.zeros(0), **extra)).product
    assert (product.state, product.reason) == (ProductState.REJECTED, "the file holds no cadences")


def test_f090_truncated_file_is_corrupt_and_hands_out_no_bytes(write_tpf: Any) -> None:
    path = write_tpf()
    path.write_bytes(path.read_bytes()[:-2880])
    inspection = inspect_file(path)
    assert inspection.product.state is ProductState.CORRUPT
    assert inspection.product.fits_sum is FitsSum.BAD
    assert inspection.product.reason.startswith("truncated: HDU 2 (APERTURE)")
    assert inspection.product.header is not None
    assert inspection.product.header.tic_id == 42
    assert inspection.content == b""


def test_f019_truncated_gzip_is_corrupt(write_lc: Any) -> None:
    path = write_lc().with_suffix(".fits.gz")
    path.write_bytes(gzip.compress(path.with_suffix("").read_bytes())[:-100])
    product = inspect_file(path).product
    assert product.state is ProductState.CORRUPT
    assert product.reason.startswith("its compressed stream ends early")


def test_observation_id_is_taken_from_a_spoc_name(write_lc: Any) -> None:
    name = "tess2018206045859-s0001-0000000000000042-0120-s_lc.fits"
    header = inspect_file(write_lc(name=name)).product.header
    assert header is not None
    assert header.obs_id == "tess2018206045859-s0001-0000000000000042-0120-s"


def test_missing_file_is_a_local_error(tmp_path: Path) -> None:
    with pytest.raises(LocalEnvironmentError):
        inspect_file(tmp_path / "absent.fits")


@pytest.mark.data
def test_f090_the_five_broken_files_are_corrupt_each_for_its_reason(shared_data: Path) -> None:
    products = [inspect_file(path).product for path in sorted((shared_data / "broken").iterdir())]
    assert len(products) == 5
    assert {product.state for product in products} == {ProductState.CORRUPT}
    assert all(product.reason.startswith("truncated:") for product in products)


@pytest.mark.data
def test_kepler_files_are_refused_for_their_times_even_when_damaged(shared_data: Path) -> None:
    for path in (shared_data / "tpf").glob("kepler*"):
        product = inspect_file(path).product
        assert product.state is ProductState.REJECTED
        assert "BJD 2454833 (the Kepler zero point)" in product.reason


@pytest.mark.data
def test_every_real_file_is_read_or_refused_with_a_reason(shared_data: Path) -> None:
    edited = {"tess25155310-", "tess2019085135100-s0010-2-4"}
    edited_cutouts = {"asteroid_test", "tess-s0001-4-2_", "test-lc-tess-pimen_s1_eleanor"}
    for path in sorted((shared_data / "lc").glob("*/*.fits*")) + sorted((shared_data / "tpf").glob("*.fits*")):
        product = inspect_file(path).product
        if path.name.startswith("kepler") or "1x1" in path.name:
            expected = ProductState.REJECTED
        elif any(path.name.startswith(start) for start in edited):
            expected = ProductState.CORRUPT  # changed by those who trimmed them: their own CHECKSUM says so
        else:
            expected = ProductState.OK
        noted = any(path.name.startswith(start) for start in edited_cutouts)  # sums of TESScut are told, not held
        assert product.state is expected, f"{path.name}: {product.reason}"
        assert (product.fits_sum is FitsSum.BAD) == (
            noted or expected is ProductState.CORRUPT or "8462852" in path.name
        )
        assert bool(product.reason) == (noted or expected is not ProductState.OK)


@pytest.mark.parametrize("writer", ["write_lc", "write_tpf"])
def test_f090_a_header_with_changed_characters_never_ends_in_a_traceback(
    request: pytest.FixtureRequest, writer: str, tmp_path: Path
) -> None:
    """Files without sums cannot be told to be damaged; whatever they say must be read, refused or called corrupt."""
    content = request.getfixturevalue(writer)().read_bytes()
    hdus = list(walk_hdus(content))
    cards = [
        at
        for hdu in hdus
        for at in range(hdu.start, hdu.data_start, 80)
        if content[at : at + 8].strip() not in {b"", b"END"}
    ]
    random = np.random.default_rng(90)
    characters = np.frombuffer(b"0123456789 -.'ETDJAB(),\x00\xff/", dtype=np.uint8)
    path = tmp_path / "mutated.fits"
    states = set()
    for _ in range(250):
        mutated = bytearray(content)
        for card in random.choice(cards, 2):
            mutated[card + int(random.integers(0, 31))] = int(random.choice(characters))
        path.write_bytes(bytes(mutated))
        inspection = inspect_file(path, tic_id=42)
        states.add(inspection.product.state)
        if inspection.product.state is ProductState.OK:
            with contextlib.suppress(BtvReportError):
                _read(inspection)
    assert states == set(ProductState)


def _read(inspection: Inspection) -> None:
    header = inspection.product.header
    assert header is not None
    if header.kind is ProductKind.LIGHT_CURVE:
        read_light_curve(inspection.product, inspection.content)
    else:
        tpf = read_target_pixel_file(inspection.product, inspection.content)
        build_pixel_stack(tpf, position=SkyPosition(120.0, -20.0), tmag=10.4)
