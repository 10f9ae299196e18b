"""Values of the persistent cache as bytes, and back, without pickle: JSON, raw bytes, arrays as npz, light curves as both."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from btv_report.fits.model import FitsSum, ProductHeader, ProductKind
from btv_report.products.model import LightCurve, LightCurveProvenance, ProductFile, ProductState
from btv_report.time_systems import TimeReference

JSON, BYTES, ARRAYS, ARRAY, LIGHT_CURVE = "json", "bytes", "arrays", "array", "light_curve"
SUFFIXES = {JSON: "json", BYTES: "bin", ARRAYS: "npz", ARRAY: "npz", LIGHT_CURVE: "npz"}
_ARRAY = "array"
_WORDS = "words"
_CURVE_ARRAYS = ("time_btjd", "flux", "flux_err", "quality", "used")
_INT_KEYS = ("removed_by_bit", "flagged_by_bit")


def encode_value(value: Any) -> tuple[str, bytes]:
    """
    Kind and bytes of a value.

    Raises
    ------
    TypeError
        If it is of no kind that can be kept: nothing is pickled.
    """
    import numpy as np

    if isinstance(value, bytes):
        return BYTES, value
    if isinstance(value, LightCurve):
        return LIGHT_CURVE, _npz(
            {**{name: getattr(value, name) for name in _CURVE_ARRAYS}, _WORDS: _curve_words(value)}
        )
    if isinstance(value, np.ndarray):
        return ARRAY, _npz({_ARRAY: value})
    if isinstance(value, Mapping) and value and all(isinstance(item, np.ndarray) for item in value.values()):
        return ARRAYS, _npz(value)
    try:
        text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
        if json.loads(text) == value:
            return JSON, text.encode()
    except (TypeError, ValueError, RecursionError):
        pass
    raise TypeError(
        f"a {type(value).__name__} cannot be kept: the cache takes JSON values, bytes, numpy arrays of numbers and light curves"
    )


def decode_value(kind: str, data: bytes) -> Any:
    """
    The value of a kind and its bytes.

    Raises
    ------
    ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile
        If the bytes are none of that kind.
    """
    if kind == BYTES:
        return data
    if kind == JSON:
        return json.loads(data)
    arrays = _arrays(data)
    if kind == ARRAY:
        return arrays[_ARRAY]
    if kind == ARRAYS:
        return arrays
    if kind == LIGHT_CURVE:
        return _curve(arrays)
    raise ValueError(f"{kind!r} is no kind of value")


def _npz(arrays: Mapping[str, Any]) -> bytes:
    import numpy as np

    for name, array in arrays.items():
        if not isinstance(name, str) or array.dtype.hasobject:
            raise TypeError("arrays of objects cannot be kept: they would have to be pickled")
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def _arrays(data: bytes) -> dict[str, Any]:
    import numpy as np

    with np.load(io.BytesIO(data), allow_pickle=False) as opened:
        return {name: opened[name] for name in opened.files}


def _curve_words(curve: LightCurve) -> Any:
    """Everything but the arrays, as JSON in an array of bytes."""
    import numpy as np

    product, header = asdict(curve.product), curve.product.header
    product["path"] = curve.product.path.name  # where it lay is not part of the value
    if header is not None:
        product["header"]["keywords"] = {key: _plain(value) for key, value in header.keywords.items()}
    words = {"product": product, "provenance": asdict(curve.provenance)}
    return np.frombuffer(json.dumps(words, sort_keys=True, default=str).encode(), dtype=np.uint8)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _curve(arrays: dict[str, Any]) -> LightCurve:
    words = json.loads(arrays[_WORDS].tobytes())
    read = words["provenance"]
    read["time_reference"] = TimeReference(**read["time_reference"])
    for name in _INT_KEYS:
        read[name] = {int(bit): count for bit, count in read[name].items()}
    return LightCurve(
        product=_product(words["product"]),
        provenance=LightCurveProvenance(**read),
        **{name: arrays[name] for name in _CURVE_ARRAYS},
    )


def _product(words: dict[str, Any]) -> ProductFile:
    header = words["header"]
    if header is not None:
        known = {item.name for item in fields(ProductHeader)}
        kind = ProductKind(header["kind"]) if header["kind"] is not None else None
        times = TimeReference(**header["time_reference"])
        header = replace(
            ProductHeader(**{**{name: header[name] for name in known}, "kind": kind, "time_reference": times})
        )
    return ProductFile(
        **{
            **words,
            "path": Path(words["path"]),
            "header": header,
            "fits_sum": FitsSum(words["fits_sum"]),
            "state": ProductState(words["state"]),
        }
    )
