"""Light curves and how they came to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from btv_report.errors import ProductRefusedError, UsageError
from btv_report.products.inspect import inspect_file
from btv_report.products.light_curve import read_light_curve, scatter

N = 40
FLUX = np.linspace(99.0, 101.0, N)


def test_flux_is_divided_by_the_median_of_the_used_cadences(read_lc: Any) -> None:
    flux, quality = FLUX.copy(), np.zeros(N, dtype=np.int32)
    flux[:10], quality[:10] = 1e6, 128
    lc = read_lc(columns={"PDCSAP_FLUX": flux, "PDCSAP_FLUX_ERR": np.full(N, 0.5)}, quality=quality)
    median = np.median(flux[10:].astype(np.float32))
    assert lc.provenance.divisor == pytest.approx(median, abs=0)
    assert np.median(lc.flux[lc.used]) == pytest.approx(1.0)
    np.testing.assert_allclose(lc.flux_err, 0.5 / median)
    assert lc.provenance.flux_unit == "relative"
    assert lc.provenance.n_used == 30


def test_every_cadence_is_kept_and_every_loss_counted(read_lc: Any) -> None:
    time, flux = np.arange(N) / 720 + 1500.0, FLUX.copy()
    quality = np.zeros(N, dtype=np.int32)
    time[3], flux[4], flux[5] = np.nan, np.nan, np.inf
    quality[6], quality[7], quality[8] = 1 | 128, 128, 4096
    lc = read_lc(time=time, columns={"PDCSAP_FLUX": flux}, quality=quality)
    provenance = lc.provenance
    assert (provenance.n_cadences, provenance.n_used) == (N, N - 5)
    assert (provenance.n_nonfinite_time, provenance.n_nonfinite_flux) == (1, 2)
    assert provenance.removed_by_bit == {1: 1, 8: 2}
    assert provenance.flagged_by_bit == {1: 1, 8: 2, 13: 1}
    assert np.isnan(lc.time_btjd[3])
    assert lc.time_btjd.dtype == np.float64
    assert not lc.used[[3, 4, 5, 6, 7]].any()
    assert lc.used[8]


def test_f101_nan_time_is_never_used_whatever_the_mask(read_lc: Any) -> None:
    time = np.arange(N) / 720 + 1500.0
    time[::2] = np.nan
    lc = read_lc({"quality_mask": 0}, time=time)
    assert lc.provenance.n_used == N // 2
    assert not lc.used[::2].any()


@pytest.mark.parametrize("level", [-100.0, 0.0])
def test_f104_flux_that_is_not_positive_is_not_normalised_and_it_is_said(read_lc: Any, level: float) -> None:
    flux = np.full(N, level)
    lc = read_lc(columns={"PDCSAP_FLUX": flux})
    np.testing.assert_array_equal(lc.flux, flux)
    assert not lc.provenance.normalised
    assert lc.provenance.divisor is None
    assert "not positive" in lc.provenance.normalisation_note


def test_no_normalise_keeps_the_unit(read_lc: Any) -> None:
    lc = read_lc({"normalise": False})
    np.testing.assert_allclose(lc.flux, FLUX, rtol=1e-6)
    assert lc.provenance.normalisation_note == "not asked for (--no-normalise)"


def test_flux_error_is_estimated_from_scatter_and_said_when_the_file_has_none(read_lc: Any) -> None:
    flux = 1000.0 + np.random.default_rng(1).normal(0, 2.0, 4000)
    lc = read_lc(time=np.arange(4000) / 720 + 1500, columns={"PDCSAP_FLUX": flux})
    assert lc.flux_err[0] * lc.provenance.divisor == pytest.approx(2.0, rel=0.05)
    assert lc.provenance.flux_err_source.startswith("estimated from scatter")
    assert read_lc().provenance.flux_err_source == "PDCSAP_FLUX_ERR"


def test_scatter_is_blind_to_slow_variation() -> None:
    noise = np.random.default_rng(2).normal(0, 1.0, 20_000)
    assert scatter(noise + np.linspace(0, 500, 20_000)) == pytest.approx(1.0, rel=0.03)


def test_missing_quality_column_counts_as_no_flag_and_is_said(read_lc: Any) -> None:
    lc = read_lc(quality=None)
    assert not lc.provenance.quality_column
    assert not lc.quality.any()
    assert lc.provenance.n_used == N


def test_sap_and_pdcsap_are_different_columns(read_lc: Any) -> None:
    columns = {"SAP_FLUX": np.full(N, 50.0), "PDCSAP_FLUX": np.full(N, 60.0)}
    assert read_lc({"flux": "sap"}, columns=columns).provenance.divisor == 50.0
    assert read_lc({"flux": "pdcsap"}, columns=columns).provenance.divisor == 60.0


def test_f111_missing_pdcsap_falls_back_to_sap_and_says_so(read_lc: Any) -> None:
    lc = read_lc(columns={"SAP_FLUX": FLUX})
    assert (lc.provenance.flux_asked, lc.provenance.flux_column) == ("pdcsap", "SAP_FLUX")
    assert lc.provenance.flux_note == "pdcsap was asked for, but the file has no such column; SAP_FLUX was used"


def test_withdrawn_pdcsap_is_refused_not_replaced(write_lc: Any) -> None:
    path = write_lc(columns={"SAP_FLUX": FLUX, "PDCSAP_FLUX": np.full(N, np.nan)})
    product = inspect_file(path).product
    assert product.state == "REJECTED"
    assert "PDCSAP_FLUX has no finite value in the 40 cadences" in product.reason
    assert inspect_file(path, flux="sap").product.state == "OK"


def test_unknown_flux_kind_is_a_usage_error(read_lc: Any) -> None:
    with pytest.raises(UsageError, match="pdcsap or --flux sap"):
        read_lc({"flux": "best"})


@pytest.mark.parametrize(("sector", "bit"), [(2, 13), (55, 13), (56, 31), (83, 31)])
def test_qlp_low_precision_flag_is_its_own(read_lc: Any, sector: int, bit: int) -> None:
    quality = np.zeros(N, dtype=np.int32)
    quality[:7] = 1 << (bit - 1)
    quality[7:10] = 1 << (43 - bit)  # bit 31 in sectors 1-55 and bit 13 later mean nothing of the kind
    columns = {"SAP_FLUX": FLUX, "KSPSAP_FLUX": FLUX, "KSPSAP_FLUX_ERR": FLUX}
    what = {"columns": columns, "quality": quality, "ORIGIN": "MIT/QLP", "SECTOR": sector}
    lc = read_lc(**what)
    assert lc.provenance.flux_column == "KSPSAP_FLUX"
    assert lc.provenance.removed_by_bit == {bit: 7}
    assert lc.provenance.quality_mask == 17087 | 1 << (bit - 1)
    assert read_lc({"quality_mask": 0}, **what).provenance.n_used == N


def test_tglc_columns_and_flags(read_lc: Any) -> None:
    own, tess = np.zeros(N, dtype=np.int16), np.zeros(N, dtype=np.int16)
    own[:4], tess[4:6], tess[6] = 1, 128, -32768
    columns = {
        "psf_flux": FLUX, "aperture_flux": FLUX * 2, "cal_psf_flux": FLUX / 100, "cal_aper_flux": FLUX / 100,
        "TESS_flags": tess, "TGLC_flags": own,
    }  # fmt: skip
    what = {"columns": columns, "quality": None, "ORIGIN": "UCSB/TGLC", "times": {"CPSF_ERR": 0.008, "APER_ERR": 1.9}}
    lc = read_lc(**what)
    assert lc.provenance.flux_column == "CAL_PSF_FLUX"
    assert lc.provenance.removed_by_column == {"TGLC_flags": 4}
    assert lc.provenance.flagged_by_bit == {8: 2, 16: 1}
    assert lc.provenance.n_used == N - 6
    assert "CPSF_ERR" in lc.provenance.flux_err_source
    aperture = read_lc({"flux": "sap"}, **what)
    assert (aperture.provenance.flux_column, aperture.provenance.divisor_unit) == ("APERTURE_FLUX", "e-/s")


def test_f098_cadence_is_measured_not_believed(read_lc: Any) -> None:
    lc = read_lc(time=np.arange(N) / 48 + 1500.0)
    assert lc.provenance.exptime_header_s == 120.0
    assert lc.provenance.cadence_measured_s == pytest.approx(1800.0)


def test_f107_other_time_system_is_refused_by_the_reader_too(write_lc: Any) -> None:
    inspection = inspect_file(write_lc(times={"BJDREFI": 2454833}))
    with pytest.raises(ProductRefusedError, match="Kepler zero point"):
        read_light_curve(inspection.product, inspection.content)


@pytest.mark.data
def test_real_light_curves_agree_with_astropy(shared_data: Path) -> None:
    for path in sorted((shared_data / "lc" / "spoc").glob("tess*_lc.fits"))[::6]:
        inspection = inspect_file(path)
        lc = read_light_curve(inspection.product, inspection.content)
        table = fits.getdata(path, 1)
        kept = np.isfinite(table["TIME"]) & np.isfinite(table["PDCSAP_FLUX"]) & ((table["QUALITY"] & 17087) == 0)
        np.testing.assert_array_equal(lc.used, kept)
        expected = table["PDCSAP_FLUX"].astype(np.float64)
        np.testing.assert_allclose(lc.flux, expected / np.median(expected[kept]), rtol=1e-12)
        np.testing.assert_array_equal(lc.time_btjd, table["TIME"])


@pytest.mark.data
def test_real_star_has_the_same_cadence_count_in_the_mirror(shared_data: Path) -> None:
    counts = {}
    for path in sorted((shared_data / "mirror").glob("**/*_lc.fits.gz")):
        inspection = inspect_file(path, tic_id=188646744)
        lc = read_light_curve(inspection.product, inspection.content)
        counts[inspection.product.header.sector if inspection.product.header else None] = lc.provenance.n_used
    assert counts == {55: 18876, 75: 19470, 82: 18133, 83: 17326}


def test_cadences_that_repeat_a_time_are_counted_and_not_used(read_lc: Any) -> None:
    whole = read_lc()
    times = whole.time_btjd.copy()
    times[5] = times[4]
    curve = read_lc(time=times)
    assert (whole.provenance.n_repeated_times, curve.provenance.n_repeated_times) == (0, 1)
    assert curve.provenance.n_used == whole.provenance.n_used - 1
    assert not curve.used[5]
