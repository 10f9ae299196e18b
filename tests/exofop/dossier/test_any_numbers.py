"""Whatever numbers and texts stand in a record, the figures are drawn or left out: they never stop the page."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from defusedxml import ElementTree
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from btv_report.dossier.figures.contrast import contrast_figures
from btv_report.dossier.figures.external_light_curves import external_light_curve_figures
from btv_report.record import RunRecord

NUMBERS = st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.floats(-5, 5) | st.none(), max_size=8)
TEXTS = st.none() | st.text(max_size=60)
POSITIVE = st.floats(0, exclude_min=True, allow_infinity=False)
QUIET = settings(
    derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def hold(figures: Any) -> None:
    """Every picture is XML and every plot JSON, without a number that is none."""
    for figure in figures:
        ElementTree.fromstring(figure.picture)
        assert not {"nan", "inf"} & set(figure.picture.lower().replace('"', " ").split())
        json.loads(figure.plotly_json, parse_constant=pytest.fail)


@QUIET
@given(data=st.data(), depth=POSITIVE)
def test_contrast_curves_of_any_numbers(whole: RunRecord, data: st.DataObject, depth: float) -> None:
    record: Any = {**whole, "exofop": copy.deepcopy(whole["exofop"])}
    record["exofop"]["candidates"][0]["depth_ppm"] = depth
    for value in record["exofop"]["contrast_curves"]:
        value |= {"separation_arcsec": data.draw(NUMBERS), "delta_mag": data.draw(NUMBERS)}
        value |= {"filter": data.draw(TEXTS), "instrument": data.draw(TEXTS)}
    hold(contrast_figures(record))


@QUIET
@given(data=st.data(), depth=POSITIVE, duration=POSITIVE)
def test_light_curves_of_any_numbers(whole: RunRecord, data: st.DataObject, depth: float, duration: float) -> None:
    record: Any = {**whole, "exofop": copy.deepcopy(whole["exofop"]), "candidates": copy.deepcopy(whole["candidates"])}
    record["exofop"]["candidates"][0]["depth_ppm"] = depth
    record["candidates"][0]["duration_hours"] = duration
    (value, *_) = record["exofop"]["light_curves"]
    value |= {key: data.draw(NUMBERS) for key in ("hours_from_mid", "flux_relative", "flux_relative_err")}
    value |= {"filter": data.draw(TEXTS), "instrument": data.draw(TEXTS), "candidate": "1262.01"}
    hold(external_light_curve_figures(record))
