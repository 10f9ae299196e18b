"""The curve of V10, depth against aperture radius, out of a result's details, or out of its metrics alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from btv_report.checks.result import CheckResult
from btv_report.dossier.figures.curves import MAX_DRAWN, GrowthCurves
from btv_report.dossier.figures.svg import INK_COLOUR, MODEL_COLOUR, MUTED_COLOUR
from btv_report.dossier.numbers import p_equals
from btv_report.plotting.panel import Band, Line, Panel, Points

_DEPTH_METRIC = re.compile(r"depth_ppm_r(\d+\.\d+)")


def growth_curves(result: CheckResult) -> GrowthCurves | None:
    """
    The curves of a V10 result, neighbours nearest to the measured depths first; None without depths.

    Where the details are not at hand, as in a row of `check --json`, the depths are read from the metrics, and nothing is
    predicted.
    """
    details = result.details
    depth = details.get("depth_ppm")
    metrics = {name: float(metric.value) for name, metric in result.metrics.items()}
    if not depth:
        return _measured_only(metrics)
    neighbours = sorted(
        details.get("predicted_neighbours") or [],
        key=lambda curve: sum(abs(p - d) for p, d in zip(curve["ppm"], depth, strict=True)),
    )
    return GrowthCurves(
        list(details["radii_px"]),
        list(depth),
        list(details["depth_ppm_err"]),
        details.get("predicted_on_target_ppm"),
        [(number, str(curve["star_id"]), curve["ppm"]) for number, curve in enumerate(neighbours, start=1)],
        metrics.get("depth_ppm_pipeline"),
        metrics.get("depth_ppm_pipeline_err"),
    )


def _measured_only(metrics: Mapping[str, float]) -> GrowthCurves | None:
    """Depths and their errors by radius, as far as they were measured."""
    radii = sorted(
        (float(found[1]), name)
        for name in metrics
        if (found := _DEPTH_METRIC.fullmatch(name)) and f"{name}_err" in metrics
    )
    if not radii:
        return None
    return GrowthCurves(
        [radius for radius, _ in radii],
        [metrics[name] for _, name in radii],
        [metrics[f"{name}_err"] for _, name in radii],
        None,
        [],
        metrics.get("depth_ppm_pipeline"),
        metrics.get("depth_ppm_pipeline_err"),
    )


def curve_panel(result: CheckResult, curves: GrowthCurves, title: tuple[str, ...]) -> Panel:
    """Depth against radius; `title` are the first lines of its heading."""
    radii = tuple(curves.radii_px)
    lines = []
    if curves.target_ppm is not None:
        lines.append(Line("predicted on the target", radii, _floats(curves.target_ppm), MODEL_COLOUR))
    for _, star, ppm in curves.neighbours[:MAX_DRAWN]:
        lines.append(Line(f"predicted on {star}", radii, _floats(ppm), MUTED_COLOUR, dashed=True))
    bands = []
    if curves.pipeline_ppm is not None:
        error = curves.pipeline_error_ppm or 0.0
        low, high = curves.pipeline_ppm - error, curves.pipeline_ppm + error
        bands.append(Band("pipeline aperture, ±1σ", low, high, MODEL_COLOUR))
    notes = []
    if "chi2_p_value" in result.metrics:
        notes.append(f"agreement with a signal on the target: {p_equals(float(result.metrics['chi2_p_value'].value))}")
    x, y, errors = (tuple(values) for values in zip(*curves.measured(), strict=True))
    return Panel(
        (*title, *notes),
        "aperture radius (px)",
        "depth (ppm)",
        (radii[0] - 0.25, radii[-1] + 0.25),
        curves.y_range(),
        square=False,
        bands=tuple(bands),
        lines=tuple(lines),
        points=(Points("measured", x, y, INK_COLOUR, "dot", (7.0,) * len(x), errors=errors),),
    )


def _floats(values: Sequence[float | None]) -> tuple[float, ...]:
    """Numbers with NaN where there is none."""
    return tuple(np.nan if value is None else float(value) for value in values)
