"""Pixel files to native arrays."""

from __future__ import annotations

import struct
import time
from typing import Any

import numpy as np
import pytest

from btv_report.errors import ProductRefusedError
from btv_report.products.inspect import Inspection, inspect_file
from btv_report.products.target_pixel_file import read_target_pixel_file


def test_rows_and_columns_are_not_exchanged(read_tpf: Any) -> None:
    tpf = read_tpf()
    assert tpf.flux.shape == (40, 8, 6)
    assert np.unravel_index(tpf.flux[0].argmax(), (8, 6)) == (4, 2)
    assert tpf.flux.dtype == np.float32
    assert tpf.flux.dtype.isnative
    assert tpf.aperture_mask is not None
    assert tpf.aperture_mask[3:6, 1:4].all()
    assert tpf.aperture_mask.sum() == 9


@pytest.mark.parametrize(
    "order",
    [
        "TIME CADENCENO RAW_CNTS FLUX FLUX_ERR FLUX_BKG QUALITY",
        "QUALITY FLUX_BKG FLUX RAW_CNTS FLUX_ERR CADENCENO TIME",
        "FLUX TIME QUALITY FLUX_ERR FLUX_BKG CADENCENO RAW_CNTS",
    ],
)
def test_f111_any_column_order_gives_the_same_arrays(read_tpf: Any, order: str) -> None:
    flux = np.random.default_rng(4).normal(100, 1, (40, 8, 6))
    tpf = read_tpf(flux=flux, order=order, quality=np.arange(40) * 4096)
    np.testing.assert_array_equal(tpf.flux, flux.astype(np.float32))
    np.testing.assert_array_equal(tpf.quality, np.arange(40) * 4096)
    np.testing.assert_array_equal(tpf.flux_err, np.full((40, 8, 6), 2.0, dtype=np.float32))
    assert tpf.background is not None
    assert set(tpf.background.tolist()) == {80.0}
    assert tpf.wcs is not None


def test_f111_missing_columns_are_none(read_tpf: Any) -> None:
    tpf = read_tpf(drop=("FLUX_ERR", "FLUX_BKG", "QUALITY", "RAW_CNTS"))
    assert tpf.flux_err is None
    assert tpf.background is None
    assert not tpf.quality_column
    assert not tpf.quality.any()


def test_double_precision_flux_becomes_float32(read_tpf: Any) -> None:
    assert read_tpf(dtype="D").flux.dtype == np.float32


def test_background_is_the_mean_of_the_finite_pixels(write_tpf: Any) -> None:
    path = write_tpf()
    eighty, value, nan = (struct.pack(">f", number) for number in (80.0, 127.0, np.nan))
    content = path.read_bytes().replace(eighty * 48, nan + value + eighty * 46, 1)  # two pixels of the first cadence
    path.write_bytes(content)
    inspection = inspect_file(path)
    background = read_target_pixel_file(inspection.product, inspection.content).background
    assert background is not None
    assert background[0] == pytest.approx(81.0)
    assert background[1] == 80.0


def test_cadence_without_a_finite_pixel_or_with_a_flag_is_kept_but_not_used(read_tpf: Any) -> None:
    flux = np.full((40, 8, 6), 100.0)
    flux[5] = np.nan
    flux[6, 0, 0] = np.nan
    quality = np.zeros(40, dtype=np.int32)
    quality[7] = 32
    tpf = read_tpf(flux=flux, quality=quality)
    assert tpf.flux.shape[0] == 40
    assert np.flatnonzero(~tpf.used).tolist() == [5, 7]
    assert tpf.removed_by_bit == {6: 1}


def test_corner_is_none_when_it_is_not_stated(read_tpf: Any) -> None:
    stated = read_tpf(table_keywords={"1CRV4P": 670, "2CRV4P": 120, "1CRP4P": 1, "2CRP4P": 1})
    assert (stated.corner_column, stated.corner_row) == (670, 120)
    assert (read_tpf().corner_column, read_tpf().corner_row) == (None, None)


def test_f105_aperture_of_no_or_another_shape_is_none(read_tpf: Any) -> None:
    assert read_tpf(aperture=None).aperture is None
    assert read_tpf(aperture=np.ones((6, 8), dtype=np.int32)).aperture is None
    none_optimal = read_tpf(aperture=np.ones((8, 6), dtype=np.int32))
    assert none_optimal.aperture is not None
    assert none_optimal.aperture_mask is None


def test_crowdsap_is_known_only_when_it_is_a_fraction(read_tpf: Any) -> None:
    assert read_tpf(table_keywords={"CROWDSAP": 0.9727}).crowdsap == 0.9727
    assert read_tpf(table_keywords={"CROWDSAP": 0.0}).crowdsap is None
    assert read_tpf().crowdsap is None


def test_sky_of_a_cutout_is_known_not_to_be_subtracted(read_tpf: Any) -> None:
    assert read_tpf().background_subtracted
    assert not read_tpf(table_keywords={"BACKAPP": 0.0}).background_subtracted
    cutout = read_tpf(creator="astrocut")
    assert not cutout.background_subtracted
    assert cutout.background is None


def test_light_curve_is_no_pixel_file(write_lc: Any) -> None:
    inspection = inspect_file(write_lc())
    with pytest.raises(ProductRefusedError, match=r"lc\.fits is no target pixel file or cut-out"):
        read_target_pixel_file(inspection.product, inspection.content)


@pytest.mark.data
def test_real_pixel_file_agrees_with_astropy(real_tpf: Inspection) -> None:
    from io import BytesIO

    from astropy.io import fits

    tpf = read_target_pixel_file(real_tpf.product, real_tpf.content)
    assert tpf.flux.shape == (17326, 13, 11)
    assert tpf.used.all()
    assert tpf.background is None
    assert tpf.cadence_measured_s == pytest.approx(120.0, abs=0.01)
    with fits.open(BytesIO(real_tpf.content)) as hdus:
        np.testing.assert_array_equal(tpf.flux[::500], hdus[1].data["FLUX"][::500])
        np.testing.assert_array_equal(tpf.time_btjd, hdus[1].data["TIME"])
        np.testing.assert_array_equal(tpf.aperture, hdus["APERTURE"].data)


@pytest.mark.data
def test_real_pixel_file_is_read_without_walking_through_a_table_object(real_tpf: Inspection) -> None:
    read_target_pixel_file(real_tpf.product, real_tpf.content)
    started = time.process_time()
    read_target_pixel_file(real_tpf.product, real_tpf.content)
    assert time.process_time() - started < 0.5  # 0.02 s on a quiet machine; an element-wise path takes many seconds


def test_cadences_that_repeat_a_time_are_counted_and_not_used(read_tpf: Any) -> None:
    times = 1000.0 + np.arange(40) / 720
    times[7] = times[3]
    times[21] = times[20]
    quality = np.zeros(40, dtype=np.int32)
    quality[20] = 128
    tpf = read_tpf(time=times, quality=quality)
    # Of cadences 20 and 21 only one is left by the mask: its time stands for itself.
    assert tpf.n_repeated_times == 1
    assert np.flatnonzero(~tpf.used).tolist() == [7, 20]


def test_a_pixel_that_is_zero_throughout_holds_no_values(read_tpf: Any) -> None:
    flux = np.random.default_rng(3).normal(100, 1, (40, 8, 6))
    flux[:, 2, 3] = 0.0
    flux[:, 1, 1] = 0.0
    flux[17, 1, 1] = 5.0
    flux[0, 5, 5] = flux[39, 5, 5] = 0.0
    tpf = read_tpf(flux=flux)
    assert np.isnan(tpf.flux[:, 2, 3]).all()
    assert np.isfinite(np.delete(tpf.flux.reshape(40, -1), 2 * 6 + 3, axis=1)).all()


def test_a_file_of_zeros_is_refused(write_tpf: Any) -> None:
    inspection = inspect_file(write_tpf(flux=np.zeros((40, 8, 6))))
    with pytest.raises(ProductRefusedError, match="no pixel has a finite flux other than zero"):
        read_target_pixel_file(inspection.product, inspection.content)
