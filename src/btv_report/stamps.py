"""Stamps as JSON: small images in base64, little-endian, row 0 first, so that any program can read them back."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import numpy as np
from numpy.typing import NDArray

from btv_report.record import FLOAT32, MASK, Stamp


def encode_stamp(image: NDArray[Any]) -> Stamp:
    """
    Write an image as a stamp.

    Parameters
    ----------
    image : ndarray, shape (n_row, n_column) or (n,)
        Floats of any width are rounded to float32; bool and uint8 become a mask of bytes. A series of n values becomes
        shape [1, n]. NaN (no value) is kept; every NaN gets the same bits and -0.0 becomes 0.0, so that equal images
        have equal bytes.

    Raises
    ------
    ValueError
        If the image has another number of axes, or a finite value does not fit into float32.
    TypeError
        If it holds neither floats nor mask values.
    """
    array = np.asarray(image)
    if array.ndim == 1:
        array = array[np.newaxis, :]
    if array.ndim != 2:
        raise ValueError(f"a stamp has rows and columns, not the shape {array.shape}")
    if array.dtype.kind == "b" or array.dtype == np.uint8:
        dtype, data = MASK, np.ascontiguousarray(array, dtype=np.uint8).tobytes()
    elif array.dtype.kind == "f":
        dtype, data = FLOAT32, _float32_bytes(array)
    else:
        raise TypeError(f"a stamp holds floats or a mask, not {array.dtype}")
    return {"dtype": dtype, "shape": list(array.shape), "data": base64.b64encode(data).decode("ascii")}


def _float32_bytes(array: NDArray[Any]) -> bytes:
    """Bytes of an image as little-endian float32 with one kind of NaN and one kind of zero."""
    with np.errstate(over="ignore"):
        single = array.astype(FLOAT32) + np.float32(0.0)
    if np.any(np.isinf(single) & np.isfinite(array)):
        raise ValueError("a value of the stamp is too large for float32")
    single[np.isnan(single)] = np.nan
    return single.astype(FLOAT32).tobytes()


def decode_stamp(stamp: Stamp) -> NDArray[Any]:
    """
    Read a stamp.

    Returns
    -------
    ndarray, shape (n_row, n_column)
        float32 or uint8, native byte order, writable.

    Raises
    ------
    ValueError
        If the dtype is unknown, the text is not base64, or its length does not fit the shape.
    """
    if stamp["dtype"] not in {FLOAT32, MASK}:
        raise ValueError(f"a stamp has dtype {FLOAT32} or {MASK}, not {stamp['dtype']!r}")
    shape = stamp["shape"]
    if len(shape) != 2 or any(type(side) is not int or side < 0 for side in shape):
        raise ValueError(f"the shape of a stamp is [n_row, n_column], not {shape!r}")
    try:
        data = base64.b64decode(stamp["data"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"the data of a stamp are not base64: {error}") from error
    dtype = np.dtype(stamp["dtype"])
    if len(data) != shape[0] * shape[1] * dtype.itemsize:
        raise ValueError(f"a stamp of shape {shape} has {len(data)} bytes of {stamp['dtype']}")
    return np.frombuffer(data, dtype=dtype).reshape(shape).astype(dtype.newbyteorder("="))
