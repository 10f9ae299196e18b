"""Figures as JSON: what plotly's own encoder writes, without importing plotly."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import plotly.io

from btv_report.dossier.figures.plotly_json import figure_json, typed

AWKWARD: list[dict[str, Any]] = [
    {
        "type": "scatter",
        "x": typed(np.arange(5.0)),
        "y": [1, 2.5, -0.0, 1e-300, 1e22],
        "name": "</script><!-- \\u002f \\/",
    },
    {
        "type": "heatmap",
        "z": typed(np.ones((2, 3))),
        "text": "a/b \u2028 é \U0001f52d",
        "showscale": False,
        "meta": None,
    },
]
LAYOUT = {"xaxis": {"range": [0.0, 1.5]}, "margin": {"l": 10.0}}


def test_json_of_a_figure_is_that_of_plotly_but_for_slashes() -> None:
    theirs = plotly.io.to_json({"data": AWKWARD, "layout": LAYOUT}, validate=False, engine="json")
    slashes = re.compile(r"(?<!\\)((?:\\\\)*)\\u002f")  # not those that a text spells out
    assert figure_json(AWKWARD, LAYOUT) == slashes.sub(r"\1/", theirs)


def test_numbers_that_are_not_finite_become_null() -> None:
    traces = [{"y": [1.0, math.nan, -math.inf], "name": "NaN"}]
    assert figure_json(traces, {}) == '{"data":[{"y":[1.0,null,null],"name":"NaN"}],"layout":{}}'
    assert figure_json(traces, {}) == plotly.io.to_json({"data": traces, "layout": {}}, validate=False, engine="json")
