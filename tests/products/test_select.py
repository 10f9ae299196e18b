"""One product per sector and kind, and a reason for each of the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from btv_report.errors import UsageError
from btv_report.fits.model import FitsSum, ProductHeader, ProductKind
from btv_report.products.model import ProductFile, ProductState
from btv_report.products.select import select_products
from btv_report.time_systems import TimeReference


def product(name: str, **changes: Any) -> ProductFile:
    header = ProductHeader(
        kind=ProductKind.LIGHT_CURVE, mission="TESS", tic_id=42, sector=7, camera=1, ccd=2, pipeline="SPOC",
        exptime_s=120.0, origin=None, creator=None, procver=None, date=None, object_name=None, obs_id=None, ra_deg=None,
        dec_deg=None, simulated=False, time_reference=TimeReference("TDB", 2457000.0, 0.0, "d"),
    )  # fmt: skip
    sha256 = changes.pop("sha256", name)
    state = changes.pop("state", ProductState.OK)
    reason = changes.pop("reason", "")
    header = replace(header, **changes)
    return ProductFile(Path(name), header, sha256, 1, FitsSum.OK, state, used=False, reason=reason)


def used(products: tuple[ProductFile, ...]) -> list[str]:
    return [item.path.name for item in products if item.used]


def reasons(products: tuple[ProductFile, ...]) -> dict[str, str]:
    return {item.path.name: item.reason for item in products if not item.used}


def test_pipelines_are_preferred_in_the_default_order_and_the_others_say_why() -> None:
    order = ("SPOC", "TESS-SPOC", "QLP", "TGLC", "TESScut", "unknown")
    items = [product(f"{name}.fits", pipeline=name) for name in order]
    while items:
        selected = select_products(items)
        assert used(selected) == [items[0].path.name]
        assert len(selected) == len(items)
        assert all(reasons(selected).values())
        items.pop(0)
    selected = select_products([product("a.fits"), product("q.fits", pipeline="QLP")])
    assert reasons(selected) == {"q.fits": "SPOC is preferred to QLP; a.fits is used"}


def test_asked_pipelines_are_the_only_ones_in_the_asked_order() -> None:
    items = [product("s.fits"), product("q.fits", pipeline="QLP"), product("t.fits", pipeline="TGLC")]
    selected = select_products(items, pipelines=["tglc", "QLP"])
    assert used(selected) == ["t.fits"]
    assert reasons(selected)["s.fits"] == "pipeline SPOC was not asked for"


def test_unknown_pipeline_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="'SPOK' is not a pipeline"):
        select_products([], pipelines=["SPOK"])


def test_f096_two_exposure_times_of_a_sector_are_never_both_used() -> None:
    items = [product("fast.fits", exptime_s=20.0), product("slow.fits", exptime_s=120.0)]
    selected = select_products(items)
    assert used(selected) == ["slow.fits"]
    assert reasons(selected) == {"fast.fits": "120 s is nearer to 120 s than 20 s; slow.fits is used"}
    assert used(select_products(items, exptime_s=20.4)) == ["fast.fits"]
    asked = select_products(items, exptime_s=21.5)
    assert used(asked) == []
    assert reasons(asked)["fast.fits"] == "its exposure time is 20 s; 21.5 s was asked for"


def test_sectors_that_were_not_asked_for_are_listed() -> None:
    selected = select_products([product("a.fits", sector=7), product("b.fits", sector=8)], sectors=[8])
    assert used(selected) == ["b.fits"]
    assert reasons(selected) == {"a.fits": "sector 7 was not asked for"}


def test_each_sector_gets_a_light_curve_and_a_pixel_file() -> None:
    items = [
        product("lc7.fits"),
        product("tp7.fits", kind=ProductKind.TARGET_PIXEL_FILE),
        product("cut8.fits", kind=ProductKind.CUTOUT, pipeline="TESScut", sector=8),
    ]
    assert used(select_products(items)) == ["lc7.fits", "tp7.fits", "cut8.fits"]


def test_target_pixel_file_goes_before_any_cutout() -> None:
    items = [
        product("cut.fits", kind=ProductKind.CUTOUT, pipeline="TESScut", exptime_s=120.0),
        product("tp.fits", kind=ProductKind.TARGET_PIXEL_FILE, pipeline="unknown", exptime_s=1800.0),
    ]
    selected = select_products(items)
    assert used(selected) == ["tp.fits"]
    assert reasons(selected) == {"cut.fits": "a cut-out; tp.fits is the target pixel file of the sector"}


def test_f095_same_bytes_twice_are_one_product() -> None:
    items = [product("b.fits", sha256="same"), product("a.fits", sha256="same")]
    selected = select_products(items)
    assert used(selected) == ["a.fits"]
    assert reasons(selected) == {"b.fits": "the same bytes as a.fits: one product, found twice"}


def test_f109_reprocessed_product_the_newest_is_used() -> None:
    items = [product("a.fits", date="2019-01-02"), product("b.fits", date="2021-03-04"), product("c.fits")]
    selected = select_products(items)
    assert used(selected) == ["b.fits"]
    assert reasons(selected)["a.fits"] == "written 2019-01-02; b.fits is newer (2021-03-04)"


def test_real_goes_before_simulated() -> None:
    items = [product("sim.fits", simulated=True), product("real.fits", pipeline="QLP")]
    assert used(select_products(items)) == ["real.fits"]


def test_damaged_and_refused_files_keep_their_reason_and_leave_their_place_to_another() -> None:
    items = [
        product("a.fits", state=ProductState.CORRUPT, reason="truncated"),
        product("b.fits", state=ProductState.REJECTED, reason="other TIC"),
        product("q.fits", pipeline="QLP"),
    ]
    selected = select_products(items)
    assert used(selected) == ["q.fits"]
    assert reasons(selected) == {"a.fits": "truncated", "b.fits": "other TIC"}


def test_product_without_a_sector_is_not_used() -> None:
    assert reasons(select_products([product("a.fits", sector=None)])) == {"a.fits": "its header states no sector"}


def test_choice_and_listing_do_not_depend_on_the_order_of_finding() -> None:
    items = [
        product(f"{number}.fits", pipeline=pipeline, sector=sector, exptime_s=exptime_s)
        for number, (pipeline, sector, exptime_s) in enumerate(
            (pipeline, sector, exptime_s)
            for pipeline in ("SPOC", "QLP")
            for sector in (7, 8)
            for exptime_s in (120.0, 20.0)
        )
    ]
    first = select_products(items)
    shuffle = np.random.default_rng(7)
    for _ in range(20):
        assert select_products([items[place] for place in shuffle.permutation(len(items))]) == first
