"""Plotly figures as JSON text: dictionaries in plotly.js' own terms, typed arrays as base64, minimal layouts."""

from __future__ import annotations

import base64
import html
import json
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from btv_report.dossier.figures.svg import MODEL_COLOUR, Drawing, Frame
from btv_report.dossier.figures.text import plain_text

Trace = dict[str, Any]
BAND_SHAPE: dict[str, Any] = {"line": {"width": 0}, "fillcolor": MODEL_COLOUR, "opacity": 0.14, "layer": "below"}


def typed(values: ArrayLike, dtype: str = "f4") -> dict[str, str]:
    """
    An array in the form that plotly.js reads without a list of numbers: little-endian, NaN is a gap.

    Two axes get a `shape`. Masked arrays must be filled with NaN before: their mask would be lost.
    """
    array = np.ascontiguousarray(values, dtype=np.dtype(f"<{dtype}"))
    spec = {"dtype": dtype, "bdata": base64.b64encode(array.tobytes()).decode("ascii")}
    if array.ndim == 2:
        spec["shape"] = f"{array.shape[0]}, {array.shape[1]}"
    return spec


def label(text: object) -> str:
    """Text for names and hover labels. Plotly takes a subset of HTML there, links included; this makes it literal."""
    return html.escape(plain_text(text), quote=False)


def literal(text: object) -> str:
    """Text within a hover template, where `%{` would begin a variable."""
    return label(text).replace("%{", "% {")


def layout_of(drawing: Drawing, frame: Frame, **more: Any) -> dict[str, Any]:
    """
    A layout whose plot area is that of the picture: margins in units of the picture, which the page's script scales, and ranges.

    Titles, keys, colour bar and compass are not repeated: those of the picture stay in view around the plot.
    """
    right, bottom = drawing.width - frame.right, drawing.height - frame.bottom
    margin = {"l": frame.left, "t": frame.top, "r": right, "b": bottom}
    return {
        "margin": {side: float(f"{size:.1f}") for side, size in margin.items()},
        "xaxis": {"range": _range(frame.x_range)},
        "yaxis": {"range": _range(frame.y_range)},
        **more,
    }


def _range(ends: tuple[float, float]) -> list[float]:
    """Both ends of an axis."""
    return [float(f"{end:.8g}") for end in ends]


def figure_json(traces: list[Trace], layout: dict[str, Any]) -> str:
    """
    The JSON text of a figure as plotly's own encoder writes it, but for slashes: with every `<` escaped they close nothing, and
    base64 is full of them.

    Numbers that are not finite become null. Plotly's encoder takes longer to import than all figures of a page to write.
    """
    text = _compact({"data": traces, "layout": layout})
    if "NaN" in text or "Infinity" in text:
        text = _compact(json.loads(text, parse_constant=lambda name: None))
    return text.replace("<", "\\u003c").replace(">", "\\u003e")


def _compact(content: dict[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"))
