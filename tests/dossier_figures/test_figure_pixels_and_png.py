"""Stamps in, PNG out: byte order, gaps, transparency, and bytes that do not depend on the machine."""

from __future__ import annotations

import base64
import hashlib
import io
import struct

import numpy as np
import pytest
from PIL import Image

from btv_report.dossier.figures.pixels import bool_stamp, float_stamp
from btv_report.dossier.figures.png import MAX_STORED, palette_png


def _stamp(values: object, dtype: str) -> dict[str, object]:
    array = np.atleast_2d(np.asarray(values, np.dtype(dtype)))
    return {"dtype": dtype, "shape": list(array.shape), "data": base64.b64encode(array.tobytes()).decode()}


def test_a_float_stamp_comes_back_native_with_infinities_as_gaps() -> None:
    image = float_stamp(_stamp([[1.5, np.inf, np.nan], [4.0, 5.0, -6.25]], "<f4"))
    assert image is not None
    assert image.dtype.isnative
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, [[1.5, np.nan, np.nan], [4.0, 5.0, -6.25]])


@pytest.mark.parametrize("values", [[[np.nan, np.nan]], np.empty((0, 3))])
def test_f100_a_stamp_without_a_finite_value_is_no_stamp(values: object) -> None:
    assert float_stamp(_stamp(values, "<f4")) is None


def test_a_stamp_that_contradicts_itself_is_refused() -> None:
    stamp = _stamp([[1.0, 2.0]], "<f4") | {"shape": [3, 3]}
    with pytest.raises(ValueError, match="shape"):
        float_stamp(stamp)
    with pytest.raises(ValueError, match="expected"):
        float_stamp(_stamp([[1, 0]], "|u1"))


def test_a_mask_of_another_shape_or_without_pixels_is_no_mask() -> None:
    assert bool_stamp(_stamp([[1, 0]], "|u1"), (2, 1)) is None
    assert bool_stamp(_stamp([[0, 0]], "|u1"), (1, 2)) is None
    mask = bool_stamp(_stamp([[1, 0]], "|u1"), (1, 2))
    assert mask is not None
    assert mask.tolist() == [[True, False]]


@pytest.mark.parametrize("n_colours", [2, 4, 5, 17, 64])
def test_every_bit_depth_decodes_to_the_colours_that_were_written(n_colours: int) -> None:
    rng = np.random.default_rng(n_colours)
    palette = [(int(r), int(g), int(b)) for r, g, b in rng.integers(0, 256, (n_colours, 3))]
    levels = rng.integers(-1, n_colours, (11, 13))
    decoded = np.array(Image.open(io.BytesIO(palette_png(levels, palette))).convert("RGBA"))
    for (row, column), level in np.ndenumerate(levels):
        red, green, blue, alpha = (int(v) for v in decoded[row, column])
        assert alpha == (0 if level < 0 else 255)
        if level >= 0:
            assert (red, green, blue) == palette[level]


def test_only_colours_that_occur_are_written() -> None:
    png = palette_png(np.array([[3, 3, 60]]), [(k, k, k) for k in range(64)])
    at = png.index(b"PLTE")
    assert struct.unpack(">I", png[at - 4 : at])[0] == 2 * 3


def test_f138_a_png_holds_no_text_and_no_time() -> None:
    png = palette_png(np.array([[0, -1]]), [(1, 2, 3)])
    names, at = [], 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        names.append(png[at + 4 : at + 8])
        at += 12 + length
    assert names == [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"]


def test_f163_the_bytes_of_a_png_are_fixed() -> None:
    png = palette_png(np.arange(12).reshape(3, 4) - 1, [(20 * k, 255 - 20 * k, 7 * k) for k in range(12)])
    assert hashlib.sha256(png).hexdigest() == "bacb808eccf9ce7e654b44f1b4ed397990a0095f46ea57622091f7230e7bc64f"


def test_f133_an_image_too_large_for_a_stamp_is_refused() -> None:
    with pytest.raises(ValueError, match="not a stamp"):
        palette_png(np.arange(MAX_STORED * 2).reshape(2, -1) % 200, [(0, 0, 0)] * 200)
