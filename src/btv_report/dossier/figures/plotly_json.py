"""Plotly figures as JSON text: dictionaries in plotly.js' own terms, typed arrays as base64, minimal layouts."""

from __future__ import annotations

import base64
import html
import re
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from btv_report.dossier.figures.text import plain_text

Trace = dict[str, Any]


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


def axis(title: str, low: float, high: float, **more: Any) -> dict[str, Any]:
    """A layout axis with a title and a range."""
    return {"title": {"text": title}, "range": [float(f"{low:.8g}"), float(f"{high:.8g}")], **more}


def figure_json(traces: list[Trace], layout: dict[str, Any]) -> str:
    """
    The JSON text of a figure, by plotly's own encoder, with `<` and `>` escaped.

    The engine is named because plotly takes another one, which writes numbers differently, where it happens to be installed.
    """
    import plotly.io

    text = plotly.io.to_json({"data": traces, "layout": layout}, validate=False, engine="json")
    # With every `<` escaped a slash closes nothing, and base64 is full of slashes.
    return re.sub(r"(?<!\\)((?:\\\\)*)\\u002f", r"\1/", text)
