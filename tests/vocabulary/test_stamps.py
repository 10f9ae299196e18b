"""Stamps: images as base64 and back."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from btv_report.record import Stamp
from btv_report.stamps import decode_stamp, encode_stamp

IMAGES = arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=15), elements=st.floats(width=32))


@settings(derandomize=True, deadline=None)
@given(IMAGES)
def test_float_images_come_back_with_nan_and_infinity(image: NDArray[np.float32]) -> None:
    back = decode_stamp(encode_stamp(image))
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, image)
    assert encode_stamp(back) == encode_stamp(image)


def test_bytes_are_little_endian_rows_first() -> None:
    stamp = encode_stamp(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype=">f8"))
    assert stamp["dtype"] == "<f4"
    assert stamp["shape"] == [2, 3]
    assert base64.b64decode(stamp["data"]) == np.arange(1, 7, dtype="<f4").tobytes()


def test_transposed_and_strided_images_keep_their_rows() -> None:
    image = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(decode_stamp(encode_stamp(image.T)), image.T)
    np.testing.assert_array_equal(decode_stamp(encode_stamp(image[::-1, ::2])), image[::-1, ::2])


def test_masks_are_bytes() -> None:
    mask = np.array([[True, False], [False, True]])
    stamp = encode_stamp(mask)
    assert stamp["dtype"] == "|u1"
    assert base64.b64decode(stamp["data"]) == b"\x01\x00\x00\x01"
    np.testing.assert_array_equal(decode_stamp(stamp), mask)


def test_a_series_has_one_row() -> None:
    assert encode_stamp(np.zeros(7))["shape"] == [1, 7]


def test_equal_images_have_equal_bytes_whatever_their_nan_and_zero() -> None:
    odd_nan = np.array([[0xFFC00001, 0x80000000]], dtype="<u4").view("<f4")
    assert encode_stamp(odd_nan) == encode_stamp(np.array([[np.nan, 0.0]]))


def test_the_image_given_is_not_changed_and_the_one_returned_is_writable() -> None:
    image = np.array([[-0.0, np.nan]], dtype=np.float32)
    before = image.tobytes()
    back = decode_stamp(encode_stamp(image))
    back[0, 0] = 3.0
    assert image.tobytes() == before


@pytest.mark.parametrize(
    ("image", "error"),
    [
        (np.zeros((2, 2, 2)), ValueError),
        (np.float64(1.0), ValueError),
        (np.full((1, 1), 1e300), ValueError),
        (np.zeros((2, 2), dtype=np.int64), TypeError),
        (np.zeros((2, 2), dtype=complex), TypeError),
    ],
)
def test_what_is_no_stamp_is_refused(image: NDArray[Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        encode_stamp(image)


GOOD = encode_stamp(np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dtype": "<f8"}, "dtype"),
        ({"dtype": "|O"}, "dtype"),
        ({"shape": [2, 2]}, "24 bytes"),
        ({"shape": [6]}, "n_row, n_column"),
        ({"shape": [-2, -3]}, "n_row, n_column"),
        ({"shape": [True, 6]}, "n_row, n_column"),
        ({"data": "AAA"}, "base64"),
        ({"data": "AA*A"}, "base64"),
        ({"data": "é"}, "base64"),
    ],
)
def test_damaged_stamps_are_refused(change: dict[str, Any], message: str) -> None:
    damaged: Stamp = {**GOOD, **change}  # type: ignore[typeddict-item]
    with pytest.raises(ValueError, match=message):
        decode_stamp(damaged)
