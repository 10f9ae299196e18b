"""`MASTClient` for programs: what it returns, what it raises, and that a second call opens no connection."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from tests.doubles.mast_double import MastDouble, TicRow
from tests.doubles.nine_sectors import DEC_DEG, RA_DEG, TIC_ID, TWO_MINUTE_SECTORS

import btv_report
from btv_report import (
    AmbiguousTargetError,
    ArchiveUnreachableError,
    DownloadPhase,
    DownloadProgress,
    LightCurveNotFoundError,
    MASTClient,
    MASTClientError,
    PersistentCache,
    ProductCorruptError,
    TargetNotFoundError,
)
from btv_report.errors import ProductRefusedError, UsageError


@pytest.fixture
def client(archive: MastDouble, tmp_path: Path) -> MASTClient:
    return MASTClient(cache_dir=tmp_path / "cache", base_url=archive.url)


def test_search_lists_sectors_pipelines_and_exposure_times_in_order(client: MASTClient) -> None:
    rows = client.search_lightcurve(TIC_ID)
    assert [(row.sector, row.author, row.exptime) for row in rows[:3]] == [
        (14, "QLP", 1800.0), (14, "SPOC", 120.0), (20, "SPOC", 120.0),
    ]  # fmt: skip
    assert [row.sector for row in client.search_targetpixelfile(TIC_ID)] == list(TWO_MINUTE_SECTORS)
    assert [row.author for row in client.search_lightcurve(TIC_ID, sector=14, author="qlp")] == ["QLP"]
    assert client.search_lightcurve(5) == []


def test_light_curve_has_checked_times_normalised_flux_and_its_provenance(client: MASTClient) -> None:
    curve = client.download_lightcurve(TIC_ID, 14)
    assert curve.time_btjd.dtype == np.float64
    assert np.nanmedian(curve.flux[curve.used]) == pytest.approx(1.0)
    how = curve.provenance
    assert (how.flux_column, how.quality_mask, how.normalised) == ("PDCSAP_FLUX", 17087, True)
    assert (how.time_reference.timesys, how.time_reference.bjdrefi) == ("TDB", 2457000)
    assert curve.product.uri is not None
    assert curve.product.uri.startswith("mast:TESS/product/")
    assert curve.product.retrieved.endswith("Z")


def test_flux_mask_normalisation_and_pipeline_can_be_asked_for(client: MASTClient, archive: MastDouble) -> None:
    sap = client.download_lightcurve(TIC_ID, 14, flux_type="sap", quality_mask=0)
    assert (sap.provenance.flux_column, sap.provenance.quality_mask) == ("SAP_FLUX", 0)
    qlp = client.download_lightcurve(TIC_ID, 14, author="QLP")
    assert qlp.product.header is not None
    assert qlp.product.header.pipeline == "QLP"
    assert client.download_lightcurve(TIC_ID, 14, exptime=1800.5).product.sha256 == qlp.product.sha256
    plain = MASTClient(cache_dir=client.archive.products.folder, base_url=archive.url, normalize=False)
    assert plain.download_lightcurve(TIC_ID, 14).provenance.divisor is None


def test_second_call_opens_no_connection(client: MASTClient, archive: MastDouble) -> None:
    first = client.download_lightcurve(TIC_ID, 14)
    before = archive.n_connections
    again = MASTClient(cache_dir=client.archive.products.folder, base_url=archive.url).download_lightcurve(TIC_ID, 14)
    assert archive.n_connections == before
    assert again.product.sha256 == first.product.sha256


def test_read_light_curves_are_kept_by_everything_that_changes_them(
    archive: MastDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = PersistentCache(tmp_path / "values")
    client = MASTClient(cache_dir=tmp_path / "cache", base_url=archive.url, cache=kept)
    first = client.download_lightcurve(TIC_ID, 14)
    client.download_lightcurve(TIC_ID, 14, flux_type="sap")
    assert len(kept.keys()) == 2
    monkeypatch.setattr("btv_report.products.inspect.inspect_file", lambda *_, **__: pytest.fail("it was read again"))
    again = client.download_lightcurve(TIC_ID, 14)
    assert again.flux.tobytes() == first.flux.tobytes()
    assert again.provenance == first.provenance
    assert again.product.path == first.product.path


def test_pixel_file_is_read(client: MASTClient) -> None:
    pixels = client.download_targetpixelfile(TIC_ID, 20)
    assert pixels.flux.ndim == 3
    assert pixels.product.header is not None
    assert pixels.product.header.sector == 20


def test_target_and_neighbours_come_from_the_tic(client: MASTClient) -> None:
    target = client.get_target_info(TIC_ID)
    assert (target.tmag, target.stellar.teff_k, target.stellar.radius_rsun) == (9.5966, 5396.0, 0.9)
    assert target.aliases == {"Gaia DR2": "1690000000000000001"}
    assert [star.tic_id for star in client.neighbours(TIC_ID)] == [TIC_ID, TIC_ID + 1]
    with pytest.raises(TargetNotFoundError):
        client.get_target_info(12345)


def test_what_is_not_there_is_said_once_and_remembered(client: MASTClient, archive: MastDouble) -> None:
    for _ in range(2):
        with pytest.raises(TargetNotFoundError, match="no TIC 12345"):
            client.get_target_info(12345)
    before = archive.n_connections
    offline = MASTClient(cache_dir=client.archive.products.folder, base_url=archive.url, offline=True)
    with pytest.raises(TargetNotFoundError, match="--refresh asks again"):
        offline.get_target_info(12345)
    assert archive.n_connections == before


def test_names_positions_and_numbers_are_resolved(client: MASTClient, archive: MastDouble) -> None:
    assert client.resolve_target("TIC 5").tic_id == 5
    assert client.resolve_target("pi Men").tic_id == TIC_ID
    archive.add_star(TicRow(77, RA_DEG, DEC_DEG + 4 / 3600, 12.0))
    with pytest.raises(AmbiguousTargetError) as caught:
        client.resolve_target(f"{RA_DEG} {DEC_DEG}")
    assert [match[0] for match in caught.value.matches] == [TIC_ID, 77]
    assert client.resolve_target(f"{RA_DEG} {DEC_DEG}", accept_nearest=True).tic_id == TIC_ID


def test_sector_without_a_light_curve_names_what_there_is(client: MASTClient) -> None:
    with pytest.raises(LightCurveNotFoundError, match="sector 99") as caught:
        client.download_lightcurve(TIC_ID, 99)
    assert caught.value.tic_id == TIC_ID
    with pytest.raises(LightCurveNotFoundError, match="pipeline SPOC was not asked for"):
        client.download_lightcurve(TIC_ID, 20, author="QLP")
    with pytest.raises(ValueError, match="flux_type"):
        client.download_lightcurve(TIC_ID, 14, flux_type="raw")


def test_f093_file_of_another_star_is_refused(client: MASTClient, archive: MastDouble) -> None:
    other = archive.products[0]
    archive.products[0] = replace(other, tic_id=5)
    with pytest.raises(ProductRefusedError, match=f"TIC {TIC_ID}, not TIC 5"):
        client.download_lightcurve(5, 14)


def test_f107_file_with_another_zero_point_of_time_is_refused(client: MASTClient, archive: MastDouble) -> None:
    first = archive.products[0]
    with fits.open(io.BytesIO(first.content)) as hdus:
        hdus[1].header["BJDREFI"] = 2454833
        stream = io.BytesIO()
        hdus.writeto(stream, checksum=True)
    archive.products[0] = replace(first, content=stream.getvalue())
    with pytest.raises(ProductRefusedError, match=r"count from BJD 2454833 \(the Kepler zero point\)"):
        client.download_lightcurve(TIC_ID, 14)


def test_offline_without_an_answer_is_not_nothing_known(archive: MastDouble, tmp_path: Path) -> None:
    client = MASTClient(cache_dir=tmp_path / "cache", base_url=archive.url, offline=True)
    with pytest.raises(ArchiveUnreachableError, match="no earlier answer is kept"):
        client.search_lightcurve(TIC_ID)
    assert archive.n_connections == 0


def test_progress_goes_from_searching_to_complete(archive: MastDouble, tmp_path: Path) -> None:
    moments: list[DownloadProgress] = []
    client = MASTClient(cache_dir=tmp_path / "cache", base_url=archive.url, progress_callback=moments.append)
    client.download_targetpixelfile(TIC_ID, 14)
    phases = list(dict.fromkeys(moment.phase for moment in moments))
    assert phases == [
        DownloadPhase.SEARCHING,
        DownloadPhase.DOWNLOADING,
        DownloadPhase.VERIFYING,
        DownloadPhase.COMPLETE,
        DownloadPhase.PROCESSING,
    ]
    done = [moment.bytes_done for moment in moments if moment.phase is DownloadPhase.DOWNLOADING]
    assert done == sorted(done)
    assert moments[-2].percentage == 100.0
    assert moments[-2].to_dict()["phase"] == "complete"


def test_every_error_of_the_client_is_one_kind_with_a_remedy() -> None:
    for name in ("NameResolutionError", "TargetNotFoundError", "LightCurveNotFoundError", "ArchiveUnreachableError"):
        assert issubclass(getattr(btv_report, name), MASTClientError)
    assert issubclass(AmbiguousTargetError, MASTClientError)
    assert issubclass(ProductCorruptError, MASTClientError)


@pytest.mark.parametrize("number", ["365938305", "TIC 365938305", -5, 0, True, None, 3.0, 10**11])
def test_what_is_no_tic_number_is_not_asked_and_never_nothing_there(
    client: MASTClient, archive: MastDouble, number: Any
) -> None:
    for ask in (
        client.search_lightcurve,
        client.search_targetpixelfile,
        client.get_target_info,
        client.neighbours,
        client.dv_products,
        lambda tic_id: client.download_lightcurve(tic_id, 14),
    ):
        with pytest.raises(UsageError, match="is no TIC number"):
            ask(number)
    assert archive.n_connections == 0


@pytest.mark.parametrize("sector", ["14", 0, -1, True, 1000, 14.0])
def test_what_is_no_sector_is_not_asked(client: MASTClient, archive: MastDouble, sector: Any) -> None:
    for ask in (client.search_lightcurve, client.download_lightcurve, client.download_targetpixelfile):
        with pytest.raises(UsageError, match="is no sector"):
            ask(TIC_ID, sector)
    assert archive.n_connections == 0


@pytest.mark.parametrize("radius_arcsec", [0.0, -1.0, float("nan"), 4000.0])
def test_what_is_no_radius_is_not_asked(client: MASTClient, archive: MastDouble, radius_arcsec: float) -> None:
    with pytest.raises(UsageError, match="is no radius"):
        client.neighbours(TIC_ID, radius_arcsec=radius_arcsec)
    with pytest.raises(UsageError, match="is no radius"):
        client.resolve_target("pi Men", radius_arcsec=radius_arcsec)
    assert archive.n_connections == 0


def test_numbers_of_numpy_are_numbers(client: MASTClient, tmp_path: Path) -> None:
    assert client.search_lightcurve(np.int64(TIC_ID), np.int16(20))[0].tic_id == TIC_ID
    client.cache = PersistentCache(tmp_path / "values")
    number, sector, mask = np.int64(TIC_ID), np.int32(14), np.int32(17087)
    exptime = np.float32(120)
    first = client.download_lightcurve(number, sector, quality_mask=mask, exptime=exptime)
    assert len(client.cache.keys()) == 1
    again = client.download_lightcurve(TIC_ID, 14, quality_mask=17087)
    assert again.product.sha256 == first.product.sha256
    assert len(client.cache.keys()) == 1
    assert client.download_targetpixelfile(number, sector, quality_mask=mask).quality_mask == 17087


@pytest.mark.parametrize("mask", [1.5, -1, 2**40, "hard", True])
def test_what_is_no_quality_mask_is_refused(client: MASTClient, archive: MastDouble, tmp_path: Path, mask: Any) -> None:
    for ask in (client.download_lightcurve, client.download_targetpixelfile):
        with pytest.raises(UsageError, match="is no quality mask"):
            ask(TIC_ID, 14, quality_mask=mask)
    with pytest.raises(UsageError, match="is no quality mask"):
        MASTClient(cache_dir=tmp_path, base_url=archive.url, quality_mask=mask)
    assert archive.n_connections == 0
