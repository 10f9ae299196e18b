"""Columns straight from the bytes, against astropy as the second reader."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from btv_report.errors import ProductCorruptError, ProductRefusedError
from btv_report.fits.blocks import walk_hdus
from btv_report.fits.table import BinaryTable, read_table


def table_of(hdu: Any) -> BinaryTable:
    stream = BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(stream)
    content = stream.getvalue()
    return read_table(content, list(walk_hdus(content))[1], "a.fits")


def test_f111_any_order_type_and_dimension_is_read_as_astropy_reads_it() -> None:
    random = np.random.default_rng(3)
    arrays = {
        "NAMES": fits.Column("NAMES", "7A", array=["a", "b", "c"]),
        "CUBE": fits.Column("CUBE", "6E", dim="(3,2)", array=random.normal(size=(3, 2, 3))),
        "BITS": fits.Column("BITS", "11X", array=random.integers(0, 2, (3, 11)).astype(bool)),
        "WIDE": fits.Column("WIDE", "4D", array=random.normal(size=(3, 4))),
        "SHORT": fits.Column("SHORT", "I", array=[-1, 2, 3]),
        "LONG": fits.Column("LONG", "K", array=[2**40, 2, 3]),
        "BYTE": fits.Column("BYTE", "B", array=[255, 2, 3]),
    }
    for order in (list(arrays), list(arrays)[::-1]):
        hdu = fits.BinTableHDU.from_columns([arrays[name] for name in order])
        table = table_of(hdu)
        for name in ("CUBE", "WIDE", "SHORT", "LONG", "BYTE"):
            read = table.read(name)
            assert read.dtype.isnative
            np.testing.assert_array_equal(read, hdu.data[name])


def test_rows_come_before_columns_in_a_stamp() -> None:
    stamp = np.arange(6.0).reshape(1, 2, 3)  # 2 rows, 3 columns
    table = table_of(fits.BinTableHDU.from_columns([fits.Column("FLUX", "6E", dim="(3,2)", array=stamp)]))
    assert table.read("flux").shape == (1, 2, 3)
    assert table.read("flux")[0, 1, 0] == 3.0


def test_scaled_unsigned_and_null_columns() -> None:
    columns = [
        fits.Column("U", "J", bzero=2**31, array=np.array([0, 4_000_000_000], dtype=np.uint32)),
        fits.Column("N", "J", null=-1, array=np.array([-1, 7])),
        fits.Column("S", "I", array=np.array([2, 5])),
    ]
    hdu = fits.BinTableHDU.from_columns(columns)
    hdu.header["XSCAL3"], hdu.header["XZERO3"] = 0.5, 10.0  # renamed below: astropy must not scale while writing
    stream = BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(stream)
    content = stream.getvalue().replace(b"XSCAL3", b"TSCAL3").replace(b"XZERO3", b"TZERO3")
    table = read_table(content, list(walk_hdus(content))[1], "a.fits")
    np.testing.assert_array_equal(table.read("U"), [0, 4_000_000_000])
    np.testing.assert_array_equal(table.read("N"), [np.nan, 7])
    np.testing.assert_array_equal(table.read("S"), [11.0, 12.5])


def test_column_can_be_changed_without_changing_the_file() -> None:
    table = table_of(fits.BinTableHDU.from_columns([fits.Column("A", "D", array=[1.0, 2.0])]))
    table.read("A")[0] = 5.0
    assert table.read("A")[0] == 1.0


def test_f111_absent_and_text_columns_are_named() -> None:
    table = table_of(fits.BinTableHDU.from_columns([fits.Column("A", "3A", array=["x"])]))
    with pytest.raises(ProductRefusedError, match=r"a\.fits has no column FLUX"):
        table.read("FLUX")
    with pytest.raises(ProductRefusedError, match="holds no numbers"):
        table.read("A")


def test_columns_that_do_not_fill_the_row_are_damage() -> None:
    stream = BytesIO()
    columns = [fits.Column("A", "D", array=[1.0]), fits.Column("B", "D", array=[1.0])]
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(stream)
    content = stream.getvalue().replace(b"TFORM2  = 'D       '", b"TFORM2  = 'E       '")
    with pytest.raises(ProductCorruptError, match="12 bytes wide, its rows 16"):
        read_table(content, list(walk_hdus(content))[1], "a.fits")


def test_image_extension_is_no_table() -> None:
    with pytest.raises(ProductRefusedError, match="no plain binary table"):
        table_of(fits.ImageHDU(np.zeros((2, 2))))
