"""Run records of Gaussian stars: an on-target planet, and an eclipsing neighbour 2.8 px away."""

from __future__ import annotations

import base64
import copy
import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from btv_report.record import RunRecord

SHA = "ab" * 32
LC_SHA = "cd" * 32
SHAPE = (11, 13)  # rows, columns: not square, so that a swap shows
TARGET = (4.8, 6.3)
NEIGHBOUR = (7.1, 8.2)
SKY = [[12.7, -15.9], [14.8, 12.4]]  # mirrored against the sky, as TESS pixels are


def encode(values: NDArray[Any], dtype: str = "<f4") -> dict[str, Any]:
    """A stamp as records hold it."""
    array = np.atleast_2d(values).astype(np.dtype(dtype))
    return {"dtype": dtype, "shape": list(array.shape), "data": base64.b64encode(array.tobytes()).decode()}


def star(row: float, column: float, flux: float, shape: tuple[int, int] = SHAPE, sigma: float = 0.9) -> NDArray[Any]:
    """A Gaussian star."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    image: NDArray[Any] = flux * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * sigma**2))
    return image


def ring(row: float, column: float, radius: float, count: int = 90) -> list[list[float]]:
    """A closed polygon about a place."""
    angle = np.linspace(0, 2 * math.pi, count)
    return [[float(row + radius * math.sin(a)), float(column + 1.2 * radius * math.cos(a))] for a in angle]


def check(check_id: str, candidate: str, **more: Any) -> dict[str, Any]:
    """A check value with the fields every one has."""
    return {
        "check_id": check_id,
        "candidate": candidate,
        "sector": 83,
        "verdict": "pass",
        "summary": "",
        "reason": None,
        "metrics": {},
        "flags": [],
        "thresholds": {},
        "parameters": {},
        "method_version": "1",
        "inputs": [SHA],
        "details": {},
        "stamps": {},
        **more,
    }


def metrics(**values: float) -> dict[str, Any]:
    """Metric values; units do not matter to the figures."""
    return {name: {"value": value, "unit": ""} for name, value in values.items()}


def make_record(*, off_target: bool = False, candidate: str = "1262.01", seed: int = 83) -> RunRecord:
    """A whole record of one sector."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 1, (4, *SHAPE))
    control = star(*TARGET, 9000) + star(*NEIGHBOUR, 1500) + star(1.5, 2.2, 500) + 12 + 3 * noise[0]
    host, depth = (NEIGHBOUR, 0.12) if off_target else (TARGET, 0.0021)
    difference = star(*host, 1500 if off_target else 9000) * depth + 0.8 * noise[1]
    with np.errstate(invalid="ignore"):
        depth_map = np.where(control > 60, 1e6 * difference / control, np.nan)
    aperture = np.hypot(*(np.mgrid[: SHAPE[0], : SHAPE[1]] - np.array(TARGET)[:, None, None])) < 2.2
    halo = np.hypot(*(np.mgrid[: SHAPE[0], : SHAPE[1]] - np.array(TARGET)[:, None, None])) < 3.3
    gradient = np.hypot(*np.gradient(difference))
    neighbours = [
        _neighbour("TIC 1000001", *NEIGHBOUR, 12.9, 61.3),
        _neighbour("TIC 1000002", 1.5, 2.2, 14.1, 109.8),
        _neighbour("Gaia DR3 4611686018427387904", 9.6, 0.4, None, 155.0),
        _neighbour("TIC 1000003", 14.0, 3.0, 11.0, 201.0),
    ]
    shifts = rng.normal(0, 0.0016, (5, 2)) + ((0.004, 0.0035) if off_target else (0.0002, -0.0003))
    covariance = [[5.0e-7, 1.2e-7], [1.2e-7, 3.0e-7]]
    radii = np.arange(1.0, 3.6, 0.5)
    predicted = 2100 * (1 - 0.03 * radii)
    neighbour_curve = 150 * np.exp(1.1 * radii)
    measured = (neighbour_curve if off_target else predicted) + rng.normal(0, 60, radii.size)
    common = {"row": TARGET[0], "column": TARGET[1]}
    checks = [
        check(
            "V08",
            candidate,
            metrics=metrics(centroid_shift_px=0.0005, significance_sigma=0.6, p_value=0.61, n_transits_used=5),
            details={
                "control_centroid": {"row": TARGET[0] + 0.08, "column": TARGET[1] + 0.07},
                "in_transit_centroid": {"row": TARGET[0] + 0.0798, "column": TARGET[1] + 0.0703},
                "covariance_px2": covariance,
                "shift_row_px": float(shifts[:, 0].mean()),
                "shift_column_px": float(shifts[:, 1].mean()),
                "transit_points": [
                    {"number": n, "mid_btjd": 3540.3 + 5 * n, "shift_row_px": float(r), "shift_column_px": float(c)}
                    for n, (r, c) in enumerate(shifts)
                ],
            },
            stamps={"reference_image": encode(control)},
        ),
        check(
            "V09",
            candidate,
            verdict="fail" if off_target else "pass",
            metrics=metrics(
                offset_arcsec=62.1 if off_target else 1.4,
                offset_err_arcsec=3.1,
                offset_sigma=20.0 if off_target else 0.5,
                snr=14.2,
                source_row_err=0.05,
                source_column_err=0.06,
            ),
            details={
                "source": {
                    "row": host[0] + 0.03,
                    "column": host[1] - 0.04,
                    "covariance_px2": [[0.0025, 0.0], [0.0, 0.0036]],
                },
                "region_3sigma": ring(host[0], host[1], 0.5),
                "target": common,
                "control_source": common,
                "per_transit_peaks": [{"number": n, "row": round(host[0]), "column": round(host[1])} for n in range(3)],
                "prf": {"kind": "own", "description": "the star's own control image"},
            },
            stamps={
                "reference_image": encode(control),
                "in_transit_mean": encode(control - difference),
                "difference_image": encode(difference),
                "difference_snr": encode(difference / 0.8),
                "depth_map_ppm": encode(depth_map),
            },
        ),
        check(
            "V10",
            candidate,
            metrics=metrics(
                depth_ppm_pipeline=2050.0, depth_ppm_pipeline_err=64.0, chi2_p_value=0.42, slope_ppm_per_px=-60.0
            ),
            details={
                "radii_px": radii.tolist(),
                "depth_ppm": measured.tolist(),
                "depth_ppm_err": [60.0 + 12 * k for k in range(radii.size)],
                "predicted_on_target_ppm": predicted.tolist(),
                "predicted_neighbours": [
                    {"star_id": "TIC 1000001", "ppm": neighbour_curve.tolist()},
                    {"star_id": "TIC 1000002", "ppm": (20 * np.exp(1.8 * radii)).tolist()},
                ],
            },
        ),
        check(
            "V20",
            candidate,
            metrics=metrics(
                snr=14.2, core_correlation=0.91, halo_correlation=0.35, halo_excess_sigma=-4.1, prf_likeness=0.93
            ),
            details={"core_depth": 21.3, "core_depth_err": 1.5, "halo_depth": 1.2, "halo_depth_err": 0.9},
            stamps={
                "core_mask": encode(aperture, "|u1"),
                "halo_mask": encode(halo & ~aperture, "|u1"),
                "aperture_mask": encode(aperture, "|u1"),
                "gradient_magnitude": encode(gradient),
                "difference_image": encode(difference),
            },
        ),
    ]
    record = {
        "schema_version": 1,
        "run": {
            "started_at": "2026-11-21T01:45:00Z",
            "command": [],
            "parameters": {},
            "versions": {},
            "simulated": False,
        },
        "target": {"tic_id": 1, "position": None, "tmag": 10.1, "stellar": {}, "source": "", "aliases": {}},
        "status": "complete",
        "candidates": [
            {"name": candidate, "period_days": 5.0, "epoch_btjd": 3540.3, "duration_hours": 3.2, "source": "exofop_toi"}
        ],
        "answers": [],
        "products": [_product("target_pixel_file", SHA), _product("light_curve", LC_SHA)],
        "light_curves": [_light_curve(rng)],
        "folds": [_fold(rng, candidate)],
        "pixel_views": [
            {
                "sector": 83,
                "product_sha256": SHA,
                "control_image": encode(control),
                "image_unit": "electron/s",
                "aperture_mask": encode(aperture, "|u1"),
                "corner_row": 1204,
                "corner_column": 377,
                "target_row": TARGET[0],
                "target_column": TARGET[1],
                "sky_per_pixel_arcsec": SKY,
                "neighbours": neighbours,
                "neighbours_known": True,
                "wcs_note": "",
                "crowdsap": 0.98,
                "n_used": 15012,
            }
        ],
        "checks": checks,
        "transits": [
            {
                "candidate": candidate,
                "sector": 83,
                "number": n,
                "mid_btjd": 3540.3 + 5.0 * n,
                "used": n != 2,
                "reason": "" if n != 2 else "the window contains a gap of 1.2 d",
            }
            for n in range(5)
        ],
        "exofop": {},
        "warnings": [],
    }
    return cast(RunRecord, record)


def _neighbour(star_id: str, row: float, column: float, magnitude: float | None, separation: float) -> dict[str, Any]:
    return {"star_id": star_id, "row": row, "column": column, "magnitude": magnitude, "separation_arcsec": separation}


def _product(kind: str, sha256: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "sector": 83,
        "pipeline": "SPOC",
        "exptime_s": 120.0,
        "sha256": sha256,
        "used": True,
        "simulated": False,
    }


def _light_curve(rng: np.random.Generator) -> dict[str, Any]:
    bin_days = 1 / 48
    count = int(25.8 / bin_days)
    time = 3538.6 + bin_days * (np.arange(count) + 0.5)
    flux = rng.normal(0, 130, count) + 150 * np.sin(time / 2.1)
    flux[np.abs((time - 3540.3 + 2.5) % 5 - 2.5) < 1.6 / 24] -= 2050
    flux[(time > 3550.0) & (time < 3551.2)] = np.nan
    return {
        "product_sha256": LC_SHA,
        "sector": 83,
        "pipeline": "SPOC",
        "flux_column": "PDCSAP_FLUX",
        "exptime_s": 120.0,
        "start_btjd": 3538.6,
        "bin_days": bin_days,
        "flux_ppm": encode(flux),
        "scatter_ppm": 480.0,
        "n_used": 15012,
    }


def _fold(rng: np.random.Generator, candidate: str) -> dict[str, Any]:
    start, width = -8.0, 0.25
    hours = start + width * (np.arange(64) + 0.5)
    model = np.where(np.abs(hours) < 1.6, -2080.0, 0.0)
    model[np.isclose(np.abs(hours), 1.625)] = -1000
    return {
        "candidate": candidate,
        "start_hours": start,
        "bin_hours": width,
        "odd_ppm": encode(model + rng.normal(0, 90, hours.size)),
        "odd_err_ppm": encode(np.full(hours.size, 92.0)),
        "even_ppm": encode(model + rng.normal(0, 75, hours.size)),
        "even_err_ppm": encode(np.full(hours.size, 77.0)),
        "n_odd_transits": 2,
        "n_even_transits": 3,
        "sectors": [83],
    }


@pytest.fixture(scope="session")
def planet() -> RunRecord:
    """An on-target planet; not to be changed."""
    return make_record()


@pytest.fixture(scope="session")
def eclipsing_neighbour() -> RunRecord:
    """The signal of a neighbour; not to be changed."""
    return make_record(off_target=True)


@pytest.fixture
def own_planet(planet: RunRecord) -> RunRecord:
    """An on-target planet that a test may change."""
    return copy.deepcopy(planet)


@pytest.fixture(name="encode")
def _encode() -> Callable[..., dict[str, Any]]:
    """Makes stamps of arrays."""
    return encode


@pytest.fixture(name="make_record", scope="session")
def _make_record() -> Callable[..., RunRecord]:
    """Makes whole records."""
    return make_record
