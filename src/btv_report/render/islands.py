"""
The interactive figures of a page in few bytes: what several hold stands once, and numbers are as long as a reader sees them.

The page's script undoes both, see `expand` in `figures.js`:

- `{"$": 3, ...}` is the fourth of the page's shared values, with these fields besides;
- `{"q": "...", "n": 40, "b": 12, "s": [10, 0.01]}` are 40 integers of twelve bits in base64, most significant bit first, of which
  that of ones alone is no value: each is 10 plus its integer times 0.01; `"shape": [rows, columns]` for `n` makes them rows.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from btv_report.dossier.shared_values import share_values

_OWN = frozenset(
    {"x", "y", "z", "x0", "y0", "dx", "dy", "text", "hovertext", "name", "zmin", "zmax", "error_y", "range", "margin"}
)
"""Fields of traces and axes that differ from figure to figure; the others are a style that many share."""
_SHOWN = re.compile(r"%\{(?:y|z):,\.(\d)f\}")
_MAX_BITS = 24  # of an integer; a float32 is hardly longer
_LEAST_LENGTH = 6  # numbers; shorter lists are no longer as they are


def share_islands(figures: Sequence[str]) -> tuple[str, list[str]]:
    """
    Shorten the interactive figures of a page.

    Parameters
    ----------
    figures : JSON texts as the figure code writes them

    Returns
    -------
    shared : JSON text of the list of shared values
    figures : JSON text of each figure
    """
    values = [_figure(json.loads(text)) for text in figures]
    shared, named = share_values(values, split=_style)
    return _written(shared), [_written(value) for value in named]


def _written(value: Any) -> str:
    """Compact JSON in which no `<` can end the script element it stands in (F-121)."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _style(value: Mapping[str, Any]) -> set[str]:
    """The fields of a trace or axis that others share; none of an object without own fields."""
    return set(value) - _OWN if set(value) & _OWN and "q" not in value else set()


def _figure(value: dict[str, Any]) -> dict[str, Any]:
    return {"data": [_trace(trace) for trace in value["data"]], "layout": _shorter(value["layout"])}


def _trace(trace: dict[str, Any]) -> dict[str, Any]:
    """A trace whose typed values have the decimals that are shown when a reader points at them."""
    found = _SHOWN.search(trace.get("hovertemplate", ""))
    decimals = int(found.group(1)) if found else None
    made = {}
    for key, value in trace.items():
        if key in {"y", "z"} and isinstance(value, dict) and decimals is not None:
            made[key] = _typed(value, decimals)
        elif key == "error_y" and isinstance(value["array"], dict) and decimals is not None:
            made[key] = {**value, "array": _typed(value["array"], decimals)}
        else:
            made[key] = _shorter(value)
    return made


def _typed(value: dict[str, Any], decimals: int) -> dict[str, Any]:
    """A typed array, rounded; where the range of its values is too wide for that, as it is."""
    array = np.frombuffer(base64.b64decode(value["bdata"]), f"<{value['dtype']}").astype(float)
    short = _integers(array, decimals)
    if short is None or "shape" not in value:
        return short or value
    del short["n"]
    return short | {"shape": [int(side) for side in value["shape"].split(",")]}


def _shorter(value: Any) -> Any:
    """A value in which lists of numbers are integers in base64 where that is shorter; nothing is rounded."""
    if isinstance(value, dict):
        return {key: _shorter(item) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    if len(value) < _LEAST_LENGTH or not all(item is None or isinstance(item, int | float) for item in value):
        return [_shorter(item) for item in value]
    decimals = max((_decimals(item) for item in value if item is not None), default=0)
    short = _integers(np.array([math.nan if item is None else item for item in value], float), decimals)
    return short if short is not None and len(_written(short)) < len(_written(value)) else value


def _decimals(number: float) -> int:
    """Decimals of a number as it is written."""
    mantissa, _, exponent = repr(float(number)).partition("e")
    return max(len(mantissa.partition(".")[2].rstrip("0")) - int(exponent or 0), 0)


def _integers(array: NDArray[np.float64], decimals: int) -> dict[str, Any] | None:
    """Numbers with so many decimals as integers of as many bits as they need; None where their range is too wide."""
    finite = np.isfinite(array)
    if not finite.any():
        return None
    steps = np.round(array * 10.0**decimals)
    first = float(np.nanmin(steps[finite]))
    counts = steps - first
    n_bits = int(np.nanmax(counts[finite]) + 1).bit_length()  # one integer more than there are, for no value
    if n_bits > _MAX_BITS:
        return None
    integers = np.where(finite, counts, 2**n_bits - 1).astype(">u4")
    bits = np.unpackbits(integers.view(np.uint8).reshape(-1, 4), axis=1)[:, 32 - n_bits :]
    start, step = float(f"{first / 10**decimals:.{decimals}f}"), float(f"1e-{decimals}")
    data = base64.b64encode(np.packbits(bits).tobytes()).decode("ascii")
    return {"q": data, "n": array.size, "b": n_bits, "s": [start, step]}
