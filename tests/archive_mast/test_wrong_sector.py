"""Bytes under a wrong name: the archive lists one sector, and the header says another."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from astropy.io import fits
from tests.doubles.command import Run
from tests.doubles.mast_double import MastDouble
from tests.doubles.nine_sectors import TIC_ID

from btv_report import MASTClient, PersistentCache
from btv_report.archive.mast_files import cutout_product
from btv_report.archive.persistent_cache import make_light_curve_key
from btv_report.archive.product_choice import listing_of
from btv_report.errors import ProductRefusedError
from btv_report.targets import SkyPosition


def swap(archive: MastDouble, sector: int, ending: str, other: int) -> None:
    """Let the archive give another sector's file under the name of this one."""
    place = next(
        number for number, item in enumerate(archive.products) if item.sector == sector and item.file.endswith(ending)
    )
    given = next(item for item in archive.products if item.sector == other and item.file.endswith(ending))
    archive.products[place] = replace(archive.products[place], content=given.content)


def test_f093_pixel_file_of_another_sector_is_refused_and_told(report: Run, archive: MastDouble) -> None:
    swap(archive, 14, "_tp.fits", 20)
    ran = report(str(TIC_ID), "--sector", "14", "--json")
    assert (ran.code, ran.answer["status"]) == (3, "gaps")
    words = "the archive lists it as sector 14, its header says 20"
    assert any(words in warning for warning in ran.answer["warnings"])
    (refused,) = [item for item in ran.answer["products"] if item["state"] == "REJECTED"]
    assert (refused["used"], refused["reason"]) == (False, words)


def test_f093_only_file_is_of_another_sector(report: Run, archive: MastDouble) -> None:
    swap(archive, 48, "_llc.fits", 14)
    ran = report(str(TIC_ID), "--sector", "48", "--pipeline", "QLP", "--json")
    assert (ran.code, ran.answer["status"]) == (4, "nothing")
    assert "the archive lists it as sector 48, its header says 14" in ran.stderr
    assert "was not asked for" not in ran.stderr


@pytest.mark.parametrize("kept", [False, True])
def test_f093_client_gives_no_curve_of_another_sector(archive: MastDouble, tmp_path: Path, kept: bool) -> None:
    swap(archive, 14, "_lc.fits", 20)
    swap(archive, 14, "_tp.fits", 20)
    values = PersistentCache(tmp_path / "values")
    client = MASTClient(cache_dir=tmp_path / "cache", base_url=archive.url, cache=values)
    if kept:  # as an earlier version did
        curve = client.download_lightcurve(TIC_ID, 20)
        key = make_light_curve_key(
            tic_id=TIC_ID, sector=14, pipeline="SPOC", exptime_s=120.0, flux="pdcsap", quality_mask=17087,
            normalise=True, product_sha256=curve.product.sha256,
        )  # fmt: skip
        values.put(key, curve)
    with pytest.raises(ProductRefusedError, match="lists it as sector 14, its header says 20"):
        client.download_lightcurve(TIC_ID, 14)
    with pytest.raises(ProductRefusedError, match="lists it as sector 14, its header says 20"):
        client.download_targetpixelfile(TIC_ID, 14)


def test_cutout_is_listed_with_its_detector_and_without_an_exposure_time() -> None:
    listed = listing_of(cutout_product(TIC_ID, 74, 4, 2, (180.7, 74.0)))
    assert (listed.sector, listed.camera, listed.ccd, listed.exptime_s) == (74, 4, 2, None)
    assert listed.centre == SkyPosition(180.7, 74.0)


def test_f093_cutout_about_another_position_is_refused_and_told(report: Run, archive: MastDouble) -> None:
    for place, content in archive.cutouts.items():
        with fits.open(io.BytesIO(content)) as hdus:
            hdus[0].header["DEC_OBJ"] += 0.01
            stream = io.BytesIO()
            hdus.writeto(stream)
        archive.cutouts[place] = stream.getvalue()
    ran = report(str(TIC_ID), "--sector", "74", "--json")
    words = "it was asked for about another position: its header says one 36.0 arcsec away"
    assert any(words in warning for warning in ran.answer["warnings"])
    assert not any(item["used"] for item in ran.answer["products"] if item["kind"] == "cutout")
