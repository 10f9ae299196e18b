"""Stamps out of a run record as they are drawn: what cannot be drawn is None."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from btv_report.record import FLOAT32, MASK, Stamp
from btv_report.stamps import decode_stamp

FloatImage = NDArray[np.float32]
BoolImage = NDArray[np.bool_]


def float_stamp(stamp: Mapping[str, Any] | None) -> FloatImage | None:
    """
    Decode a stamp of `<f4` values.

    Returns
    -------
    float32 ndarray, shape (n_row, n_column), native byte order; infinities are NaN. None when there is no stamp, it holds
    no pixel, or no pixel is finite: there is nothing to draw then.

    Raises
    ------
    ValueError
        If dtype, shape and data contradict each other.
    """
    if stamp is None:
        return None
    # A native array: Plotly silently writes a big-endian one as a list of numbers.
    image = _decode(stamp, FLOAT32).astype(np.float32)
    image[~np.isfinite(image)] = np.nan
    return image if image.size and np.isfinite(image).any() else None


def bool_stamp(stamp: Mapping[str, Any] | None, shape: tuple[int, ...] | None = None) -> BoolImage | None:
    """Decode a mask of `|u1` values; None when there is none, it is empty, or its shape is not `shape`."""
    if stamp is None:
        return None
    mask = _decode(stamp, MASK) > 0
    if shape is not None and mask.shape != shape:
        return None
    return mask if mask.any() else None


def series(stamp: Mapping[str, Any] | None) -> FloatImage | None:
    """Decode a stamp of shape [1, n] to n float32 values."""
    image = float_stamp(stamp)
    return None if image is None else image.ravel()


def _decode(stamp: Mapping[str, Any], dtype: str) -> NDArray[Any]:
    """The array of a stamp, read-only."""
    if stamp["dtype"] != dtype:
        raise ValueError(f"A stamp of {dtype} was expected, not one of {stamp['dtype']}.")
    return decode_stamp(cast(Stamp, stamp))
