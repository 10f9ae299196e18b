"""Odd shapes, bad values, few cadences: always a result, never an exception, never a number that is none."""

from __future__ import annotations

import json
import math
import re
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from btv_report.checks.combine import combine_sectors
from btv_report.checks.inputs import PixelStack, StackStar
from btv_report.checks.registry import FLAG_MEANINGS
from btv_report.checks.result import CheckResult, Verdict
from btv_report.checks.run import run_pixel_checks
from btv_report.ephemeris import Ephemeris

KINDS = (
    "star", "constant", "zero", "negative", "nan", "inf", "minus_inf", "some_nan", "saturated", "huge", "tiny", "noise",
    "columns", "dead_columns", "one_pixel", "spikes", "steps",
)  # fmt: skip


def build(kind: str, shape: tuple[int, int], n: int, seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Times, BTJD, and pixels of a kind, shape (n, *shape)."""
    rng = np.random.default_rng(seed)
    time = 2000.0 + np.arange(n) * 0.02
    rows, columns = np.indices(shape)
    star = 1000 * np.exp(-((rows - shape[0] / 2) ** 2 + (columns - shape[1] / 2) ** 2) / 2)
    flux = star + rng.normal(0, 3, (n, *shape))
    whole = {"constant": 7.0, "zero": 0.0, "nan": np.nan, "inf": np.inf, "minus_inf": -np.inf}
    scaled = {"huge": 1e34, "tiny": 1e-34, "negative": -1.0}
    if kind in whole:
        flux = np.full((n, *shape), whole[kind])
    elif kind in scaled:
        flux = flux * scaled[kind]
    elif kind == "some_nan":
        flux[rng.random(flux.shape) < 0.02] = np.nan
        flux[:, 0, 0] = np.inf
        time[rng.random(n) < 0.1] = np.nan
    elif kind == "saturated":
        flux = np.minimum(100 * flux, 3e4)
    elif kind == "noise":
        flux = flux - star
    elif kind == "columns":
        flux = np.broadcast_to(columns, (n, *shape)) + rng.normal(0, 1e-3, (n, *shape))
    else:
        spoil(kind, flux, rng)
    return time, flux.astype(np.float32)


def spoil(kind: str, flux: np.ndarray[Any, Any], rng: np.random.Generator) -> None:
    """Break a good cube in place."""
    if kind == "dead_columns":
        flux[:, :, ::2] = np.nan
    elif kind == "one_pixel":
        kept = flux[:, flux.shape[1] // 2, flux.shape[2] // 2].copy()
        flux[:] = np.nan
        flux[:, flux.shape[1] // 2, flux.shape[2] // 2] = kept
    elif kind == "spikes":
        flux[rng.random(len(flux)) < 0.01] *= 1e4
    elif kind == "steps":
        flux += 500.0 * (np.arange(len(flux)) // 97 % 2)[:, None, None]


def assert_plain(value: Any) -> None:
    """JSON values only, every number finite."""
    json.dumps(value, allow_nan=False)


def assert_sound(result: CheckResult) -> None:
    for name, metric in result.metrics.items():
        assert math.isfinite(metric.value), name
        if "p_value" in name:
            assert 0 < metric.value <= 1
    assert_plain({key: part for key, part in result.details.items() if key != "plot_data"})
    assert_plain(dict(result.parameters))
    assert_plain({key: dict(part) for key, part in result.thresholds.items()})
    assert isinstance(result.verdict, Verdict)
    assert (result.verdict is Verdict.NOT_RUN) == (result.reason is not None)
    # `run_pixel_checks` turns an exception into a result that was not run; here it is an error all the same.
    assert "error of btv-report" not in (result.reason or ""), result.reason
    for sentence in (result.summary, result.reason or ""):
        assert not re.search(r"\b(nan|inf)\b", sentence), sentence
    assert result.summary.strip().endswith(".")
    assert set(result.flags) <= set(FLAG_MEANINGS)
    for image in result.details.get("plot_data", {}).values():
        assert image.dtype in (np.float32, np.bool_)
        assert not np.isinf(image).any()


@settings(max_examples=600, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from(KINDS),
    shape=st.tuples(st.integers(1, 25), st.integers(1, 25)),
    n=st.one_of(st.sampled_from([0, 1, 2, 3, 900, 1500]), st.integers(0, 5000)),
    seed=st.integers(0, 3),
    period=st.sampled_from([0.3, 1.7, 3.3, 30.0]),
    hours=st.sampled_from([0.01, 1.0, 2.6, 6.0]),
    parts=st.fixed_dictionaries(
        {}, optional={"wcs": st.just(True), "aperture": st.booleans(), "errors": st.booleans()}
    ),
)
def test_f105_any_stack_gives_sound_results(
    kind: str, shape: tuple[int, int], n: int, seed: int, period: float, hours: float, parts: dict[str, bool]
) -> None:
    time, flux = build(kind, shape, n, seed)
    placed = "wcs" in parts
    stack = PixelStack(
        sector=5,
        time_btjd=time,
        flux=flux,
        flux_err=np.full(flux.shape, 3.0, np.float32) if parts.get("errors") else None,
        used=np.isfinite(time) & np.isfinite(flux).any(axis=(1, 2)),
        quality=np.zeros(n, np.int32),
        cadence_s=0.02 * 86400,
        aperture_mask=np.full(shape, parts["aperture"]) if "aperture" in parts else None,
        target_row=shape[0] / 2 if placed else None,
        target_column=shape[1] / 2 if placed else None,
        sky_per_pixel_arcsec=21.0 * np.eye(2) if placed else None,
        neighbours=(StackStar("a", 1.0, 2.0, 12.0, 60.0), StackStar("b", -9.0, 40.0, None, 900.0)) if placed else (),
        neighbours_known=placed,
        tmag=11.0 if placed else None,
    )
    ephemeris = Ephemeris(period, 2000.9, hours)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = run_pixel_checks(stack, ephemeris)
        combined = combine_sectors({5: outcome.results, 6: outcome.results})
    assert [result.check_id for result in outcome.results] == ["V08", "V09", "V10", "V20"]
    for result in (*outcome.results, *combined):
        assert_sound(result)
    for row in outcome.transits:
        assert row.used == (not row.reason)
        assert row.depth_ppm is None or math.isfinite(row.depth_ppm)


@pytest.mark.parametrize("shape", [(1, 1), (1, 25), (25, 1), (2, 2), (3, 3)])
def test_f105_tiny_stamps_are_answered(shape: tuple[int, int]) -> None:
    time, flux = build("star", shape, 1500, 1)
    stack = PixelStack(
        5, time, flux, None, np.ones(len(time), bool), np.zeros(len(time), np.int32), 0.02 * 86400, np.ones(shape, bool)
    )
    for result in run_pixel_checks(stack, Ephemeris(3.3, 2000.9, 2.6)).results:
        assert_sound(result)
