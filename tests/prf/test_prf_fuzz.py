"""With PRF sets at hand, too, any stack gives sound results, and no calculation stops on its way."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from btv_report.checks.inputs import PixelStack, StackStar
from btv_report.checks.prf_grid import PrfGrid
from btv_report.checks.run import run_pixel_checks
from btv_report.ephemeris import Ephemeris

ROWS, COLUMNS = np.array([1.0, 513.0, 1025.0, 1536.0, 2048.0]), np.array([45.0, 557.0, 1069.0, 1580.0, 2092.0])
KINDS = ("star", "constant", "zero", "negative", "nan", "some_nan", "saturated", "huge", "tiny", "noise", "one_pixel")


def build(kind: str, shape: tuple[int, int], n: int, truth: Callable[..., Any]) -> np.ndarray[Any, Any]:
    """Pixels of a kind, shape (n, *shape)."""
    rng = np.random.default_rng(n)
    middle = (shape[0] - 1) / 2 + 0.2, (shape[1] - 1) / 2 - 0.3
    star = 3000 * truth(shape, *middle)
    flux = star + rng.normal(0, 3, (n, *shape))
    if kind in ("constant", "zero", "nan"):
        flux[:] = {"constant": 7.0, "zero": 0.0, "nan": np.nan}[kind]
    elif kind == "some_nan":
        flux[rng.random(flux.shape) < 0.05] = np.nan
        flux[:, :, 0] = np.nan
    elif kind == "saturated":
        flux = np.minimum(100 * flux, 3e4)
    elif kind == "noise":
        flux -= star
    elif kind == "one_pixel":
        flux[:, np.indices(shape).sum(axis=0) != sum(shape) // 2] = np.nan
    else:
        flux *= {"star": 1.0, "negative": -1.0, "huge": 1e30, "tiny": 1e-30}[kind]
    return np.asarray(flux, dtype=np.float32)


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from(KINDS),
    shape=st.tuples(st.integers(1, 16), st.integers(1, 16)),
    n=st.sampled_from([0, 3, 700]),
    detector=st.sampled_from([(1, 3), (2, 2), (None, None)]),
    corner=st.sampled_from([(1, 1), (1024, 2000), (-500, 99999), (None, 7)]),
    placed=st.booleans(),
)
def test_any_stack_gives_sound_results_with_prf_sets_at_hand(
    kind: str,
    shape: tuple[int, int],
    n: int,
    detector: tuple[int | None, int | None],
    corner: tuple[int | None, int | None],
    placed: bool,
    truth: Callable[..., Any],
    prf_samples: Callable[..., Any],
) -> None:
    sets = tuple(
        PrfGrid(
            f"of {camera}-{ccd}",
            camera,
            ccd,
            ROWS,
            COLUMNS,
            np.broadcast_to(prf_samples(row), (5, 5, 117, 117)),
            9,
            "0",
        )
        for camera, ccd, row in ((1, 3, 1.0), (4, 1, 2048.0))
    )
    time = 2000.0 + 0.02 * np.arange(n, dtype=np.float64)
    flux = build(kind, shape, n, truth)
    stack = PixelStack(
        sector=5,
        time_btjd=time,
        flux=flux,
        flux_err=np.full(flux.shape, 3.0, np.float32),
        used=np.isfinite(flux).any(axis=(1, 2)),
        quality=np.zeros(n, np.int32),
        cadence_s=0.02 * 86400,
        target_row=shape[0] / 2 if placed else None,
        target_column=shape[1] / 2 if placed else None,
        sky_per_pixel_arcsec=21.0 * np.eye(2) if placed else None,
        neighbours=(StackStar("a", 1.0, 2.0, 9.0, 60.0), StackStar("b", -9.0, 40.0, None, 900.0)) if placed else (),
        neighbours_known=placed,
        tmag=11.0 if placed else None,
        corner_row=corner[0],
        corner_column=corner[1],
        camera=detector[0],
        ccd=detector[1],
        prfs=sets,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = run_pixel_checks(stack, Ephemeris(3.3, 2000.9, 2.6))
    for result in outcome.results:
        assert "error of btv-report" not in (result.reason or ""), result.reason
        assert all(math.isfinite(metric.value) for metric in result.metrics.values())


def test_the_star_of_the_fuzz_is_one_that_the_sets_describe(
    truth: Callable[..., Any], prf_samples: Callable[..., Any]
) -> None:
    # Otherwise the sets would be laid aside each time, and nothing be tried.
    grid = PrfGrid("of 1-3", 1, 3, np.array([1.0]), np.array([45.0]), prf_samples(1.0)[None, None], 9, "0")
    image = grid.at(1, 45, (11, 11)).evaluate(np.array([5.2]), np.array([4.7]))[0]
    assert float(np.corrcoef(image.ravel(), truth((11, 11), 5.2, 4.7).ravel())[0, 1]) == pytest.approx(1.0, abs=0.01)
