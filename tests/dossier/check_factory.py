"""Check values for records of page tests: all four checks of a sector or combined, and the stamps they are drawn from."""

from __future__ import annotations

import base64
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

SHAPE = (11, 13)
TARGET = (4.8, 6.3)
NEIGHBOUR = (7.1, 8.2)
UNITS = {"px": "px", "arcsec": "arcsec", "sigma": "sigma", "ppm": "ppm"}


def sha(text: str) -> str:
    """A stand-in hash: 64 hex digits that differ with the text."""
    return (text.encode().hex() + "0" * 64)[:64]


def encode(values: NDArray[Any], dtype: str = "<f4") -> dict[str, Any]:
    """A stamp as records hold it."""
    array = np.atleast_2d(values).astype(np.dtype(dtype))
    return {"dtype": dtype, "shape": list(array.shape), "data": base64.b64encode(array.tobytes()).decode()}


def star(row: float, column: float, flux: float) -> NDArray[Any]:
    """A Gaussian star on the stamp."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return cast("NDArray[Any]", flux * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 1.6))


def metrics(**values: float) -> dict[str, Any]:
    """Metrics with the unit that the name carries; `__` in a name stands for a point."""
    found = {}
    for name, value in values.items():
        words = name.removesuffix("_err").split("_")
        unit = next((UNITS[word] for word in reversed(words) if word in UNITS), "")
        found[name.replace("__", ".")] = {"value": value, "unit": unit}
    return found


def check(check_id: str, sector: int | None, **more: Any) -> dict[str, Any]:
    """A check value with the fields every one has."""
    return {
        "check_id": check_id,
        "candidate": "1262.01",
        "sector": sector,
        "verdict": "pass",
        "summary": f"{check_id} found nothing against the target.",
        "reason": None,
        "metrics": {},
        "flags": [],
        "thresholds": {"p_fail": {"value": 0.0027, "unit": "", "source": "two-sided Gaussian probability"}},
        "parameters": {"n_draws": 2000, "quality_mask": 17087},
        "method_version": "pixel-checks-1",
        "inputs": [] if sector is None else [sha(f"tp{sector}")],
        "details": {},
        "stamps": {},
        **more,
    }


def neighbour_stars() -> list[dict[str, Any]]:
    names = (("TIC 188646745", *NEIGHBOUR, 12.9, 61.3), ("TIC 188646750", 1.5, 2.2, 14.1, 109.8))
    keys = ("star_id", "row", "column", "magnitude", "separation_arcsec")
    return [dict(zip(keys, values, strict=True)) for values in names]


def control_image(rng: np.random.Generator) -> NDArray[Any]:
    return cast("NDArray[Any]", star(*TARGET, 9000) + star(*NEIGHBOUR, 1500) + 12 + 3 * rng.normal(0, 1, SHAPE))


def aperture_pixels() -> NDArray[Any]:
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return cast("NDArray[Any]", np.hypot(rows - TARGET[0], columns - TARGET[1]) < 2.2)


def check_values(sectors: tuple[int, ...], rng: np.random.Generator) -> list[dict[str, Any]]:
    found = []
    for sector in sectors:
        found += [_v08(sector, rng), _v09(sector, rng), _v10(sector), _v20(sector, rng)]
    found += [_v08(None, rng), _v09(None, rng), _v10(None), _v20(None, rng)]
    return found


def _v08(sector: int | None, rng: np.random.Generator) -> dict[str, Any]:
    shifts = rng.normal(0, 0.0016, (5, 2))
    values = metrics(
        centroid_shift_px=0.00123,
        centroid_shift_arcsec=0.0252,
        significance_sigma=2.31,
        p_value=0.0208,
        n_transits_used=5 if sector else 9,
        n_independent_windows=152.3,
        n_draws=2000,
        source_offset_arcsec=11.2,
    )
    details = {
        "control_centroid": {"row": 4.88, "column": 6.37},
        "in_transit_centroid": {"row": 4.8798, "column": 6.3703},
        "covariance_px2": [[5.0e-7, 1.2e-7], [1.2e-7, 3.0e-7]],
        "shift_row_px": 0.0011,
        "shift_column_px": 0.0006,
        "transit_points": [
            {"number": n, "mid_btjd": 3540.3 + 5 * n, "shift_row_px": float(r), "shift_column_px": float(c)}
            for n, (r, c) in enumerate(shifts)
        ],
    }
    where = "all sectors" if sector is None else f"sector {sector}"
    return check(
        "V08",
        sector,
        verdict="warn",
        summary=f"In {where} the light moves by 0.0012 px during transit, more than 95 % of chance draws do.",
        metrics=values,
        details={} if sector is None else details,
        stamps={} if sector is None else {"reference_image": encode(control_image(rng))},
    )


def _v09(sector: int | None, rng: np.random.Generator) -> dict[str, Any]:
    difference = star(*TARGET, 19.0) + 0.8 * rng.normal(0, 1, SHAPE)
    control = control_image(rng)
    values = metrics(
        peak_row=5,
        peak_column=6,
        source_row=4.83,
        source_row_err=0.052,
        source_column=6.26,
        source_column_err=0.061,
        target_row=4.8,
        target_column=6.3,
        offset_arcsec=1.43,
        offset_err_arcsec=3.12,
        offset_err_stat_arcsec=1.31,
        offset_ra_arcsec=1.1,
        offset_dec_arcsec=-0.91,
        offset_sigma=0.46,
        control_offset_arcsec=1.2,
        quality=0.931,
        snr=14.21,
        snr_formal=31.2,
        target_delta_chi2=0.32,
        target_probability=0.99972,
    )
    if sector is None:
        kept = ("offset_arcsec", "offset_err_arcsec", "offset_ra_arcsec", "offset_dec_arcsec", "offset_sigma", "snr")
        values = {name: values[name] for name in kept}
    details = {
        "source": {"row": 4.83, "column": 6.26, "covariance_px2": [[0.0025, 0.0], [0.0, 0.0036]]},
        "region_3sigma": [[4.5, 6.3], [4.8, 6.9], [5.1, 6.3], [4.8, 5.7], [4.5, 6.3]],
        "target": {"row": 4.8, "column": 6.3},
        "control_source": {"row": 4.8, "column": 6.3},
        "prf": {"kind": "own_image", "description": "the star's own control image"},
        "neighbours": [
            _host("target", 9.87, 0.0, 1.43, 0.46, 0.32, 0.00208, 0.99972),
            _host("TIC 188646745", 12.9, 61.3, 60.1, 19.2, 312.0, 0.0152, 3.1e-68),
            _host("TIC 188646750", 14.1, 109.8, 108.0, 34.1, 880.0, 1.72, 0.0),
            {"star_id": "none of these", "probability": 0.00028},
        ],
        "nearest": {"star_id": "target", "separation_arcsec": 1.43},
        "resolution_radius_arcsec": 7.83,
    }
    stamps = {
        "reference_image": encode(control),
        "in_transit_mean": encode(control - difference),
        "difference_image": encode(difference),
        "difference_snr": encode(difference / 0.8),
        "depth_map_ppm": encode(np.where(control > 60, 1e6 * difference / control, np.nan)),
    }
    return check(
        "V09",
        sector,
        summary="The lost light comes from within 3.1 arcsec of the target; the target is the most probable host.",
        flags=["NEIGHBOURS_UNKNOWN"] if sector == 84 else [],
        metrics=values,
        details={"resolution_radius_arcsec": 6.31} if sector is None else details,
        stamps={} if sector is None else stamps,
    )


def _host(
    name: str, magnitude: float, away: float, offset: float, sigma: float, chi2: float, depth: float, p: float
) -> dict[str, Any]:
    return {
        "star_id": name,
        "magnitude": magnitude,
        "row": 4.8,
        "column": 6.3,
        "separation_arcsec": away,
        "offset_arcsec": offset,
        "offset_sigma": sigma,
        "delta_chi2": chi2,
        "required_depth": depth,
        "probability": p,
    }


def _v10(sector: int | None) -> dict[str, Any]:
    radii = [1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    depths = [2061.0, 2048.0, 2003.0, 1961.0, 1902.0, 1871.0]
    values: dict[str, Any] = {}
    for radius, depth in zip(radii, depths, strict=True):
        values[f"depth_ppm_r{radius:.1f}"] = {"value": depth, "unit": "ppm"}
        values[f"depth_ppm_r{radius:.1f}_err"] = {"value": 62.3, "unit": "ppm"}
    values |= metrics(depth_ppm_pipeline=2050.3, depth_ppm_pipeline_err=64.1, chi2_p_value=0.423)
    values["slope_ppm_per_px"] = {"value": -61.2, "unit": "ppm/px"}
    details = {
        "radii_px": radii,
        "depth_ppm": depths,
        "depth_ppm_err": [62.3] * 6,
        "predicted_on_target_ppm": [2070.0, 2041.0, 2000.0, 1955.0, 1910.0, 1866.0],
        "predicted_neighbours": [{"star_id": "TIC 188646745", "ppm": [20.0, 60.0, 180.0, 700.0, 2100.0, 4900.0]}],
    }
    return check(
        "V10", sector, metrics=values if sector else metrics(chi2_p_value=0.61), details=details if sector else {}
    )


def _v20(sector: int | None, rng: np.random.Generator) -> dict[str, Any]:
    if sector == 84:
        return check(
            "V20",
            84,
            verdict="not_run",
            summary="Not run: the file has no aperture mask.",
            reason="the file has no aperture mask",
        )
    aperture = aperture_pixels()
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    halo = (np.hypot(rows - TARGET[0], columns - TARGET[1]) < 3.3) & ~aperture
    difference = star(*TARGET, 19.0) + 0.8 * rng.normal(0, 1, SHAPE)
    values = metrics(
        snr=14.2, core_correlation=0.913, halo_correlation=0.351, halo_excess_sigma=-4.12, prf_likeness=0.934
    )
    stamps = {
        "core_mask": encode(aperture, "|u1"),
        "halo_mask": encode(halo, "|u1"),
        "aperture_mask": encode(aperture, "|u1"),
        "gradient_magnitude": encode(np.hypot(*np.gradient(difference))),
        "difference_image": encode(difference),
    }
    details = {"core_depth": 21.3, "core_depth_err": 1.5, "halo_depth": 1.2, "halo_depth_err": 0.9}
    return check("V20", sector, metrics=values, details=details if sector else {}, stamps=stamps if sector else {})
