"""Whole run records for page tests: two sectors, an ephemeris or none, all optional parts present or absent."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from tests.dossier.check_factory import (
    SHAPE,
    TARGET,
    aperture_pixels,
    check_values,
    control_image,
    encode,
    neighbour_stars,
    sha,
)

from btv_report.record import RunRecord


def make_record(
    *, tic_id: int = 188646744, sectors: tuple[int, ...] = (83, 84), ephemeris: bool = True, simulated: bool = False
) -> RunRecord:
    """A record of a star with one candidate, or none."""
    rng = np.random.default_rng(83)
    record = {
        "schema_version": 1,
        "run": {
            "started_at": "2026-11-21T01:45:00Z",
            "command": ["btv-report", "TIC", str(tic_id), "--mirror", "mirror"],
            "parameters": {"flux": "pdcsap", "quality_mask": 17087, "normalise": True, "sectors": []},
            "versions": {"btv-report": "0.1.0", "numpy": "2.4.6", "astropy": "8.0.2", "python": "3.11.7"},
            "simulated": simulated,
        },
        "target": _target(tic_id),
        "status": "complete",
        "candidates": [_candidate()] if ephemeris else [],
        "answers": [_answer("mirror", "OK"), _answer("mast", "SKIPPED")],
        "products": [product for sector in sectors for product in _products(sector, tic_id, simulated)],
        "light_curves": [_light_curve(sector, rng) for sector in sectors],
        "folds": [_fold(rng, sectors)] if ephemeris else [],
        "pixel_views": [_pixel_view(sector, rng) for sector in sectors],
        "checks": check_values(sectors, rng) if ephemeris else [],
        "transits": [row for sector in sectors for row in _transits(sector)] if ephemeris else [],
        "exofop": _exofop(),
        "warnings": ["Sector 83: 312 cadences carry bit 13 (scattered light) and are used."],
    }
    return cast("RunRecord", record)


def _target(tic_id: int) -> dict[str, Any]:
    return {
        "tic_id": tic_id,
        "position": {
            "ra_deg": 182.7266,
            "dec_deg": 74.0609,
            "pmra_mas_per_yr": -12.31,
            "pmdec_mas_per_yr": 4.02,
            "ref_epoch_year": 2000.0,
            "pm_known": True,
        },
        "tmag": 9.874,
        "stellar": {
            "teff_k": 5123.0,
            "logg_cgs": 4.52,
            "radius_rsun": 0.812,
            "mass_msun": 0.87,
            "luminosity_lsun": None,
            "metallicity_dex": None,
            "distance_pc": 68.31,
            "contamination": 0.0123,
        },
        "source": "header of the target pixel file of sector 83",
        "aliases": {"toi": "TOI-1262"},
    }


def _candidate() -> dict[str, Any]:
    return {
        "name": "1262.01",
        "period_days": 5.0317,
        "epoch_btjd": 3540.26317,
        "duration_hours": 3.21,
        "source": "exofop_toi",
    }


def _answer(service: str, state: str) -> dict[str, Any]:
    return {
        "service": service,
        "endpoint": "light curves and pixel files of TIC 188646744",
        "state": state,
        "asked_at": "" if state == "SKIPPED" else "2026-11-21T01:45:01Z",
        "detail": "Not asked, because --offline was given." if state == "SKIPPED" else "4 products of this star.",
    }


def _products(sector: int, tic_id: int, simulated: bool) -> list[dict[str, Any]]:
    name = f"tess2026-s{sector:04d}-{tic_id:016d}-0300-s"
    common = {
        "sector": sector,
        "pipeline": "SPOC",
        "exptime_s": 120.0,
        "fits_sum": "ok",
        "state": "OK",
        "mission": "TESS",
        "camera": 3,
        "ccd": 2,
        "obs_id": name,
        "origin": "NASA/Ames",
        "procver": "spoc-5.0.88-20260410",
        "date": "2026-10-02",
        "simulated": simulated,
        "retrieved": "from mirror",
    }
    time_reference = {"timesys": "TDB", "bjdrefi": 2457000, "bjdreff": 0.0, "timeunit": "d"}
    counts = {
        "quality_mask": 17087,
        "quality_column": True,
        "removed_by_bit": {"4": 210, "6": 14, "15": 120},
        "flagged_by_bit": {"4": 210, "6": 14, "13": 312, "15": 120},
        "n_cadences": 17326,
        "n_used": 16982,
        "cadence_measured_s": 120.0003,
        "time_reference": time_reference,
    }
    light_curve = {
        "flux_asked": "pdcsap",
        "flux_column": "PDCSAP_FLUX",
        "flux_unit": "relative",
        "n_nonfinite_time": 31,
        "n_nonfinite_flux": 402,
        "exptime_asked_s": None,
        "exptime_header_s": 120.0,
        "normalised": True,
        "divisor": 15234.56,
        "divisor_unit": "e-/s",
        "normalisation_note": "",
        "flux_err_source": "PDCSAP_FLUX_ERR",
        **counts,
    }
    pixels = {"n_row": SHAPE[0], "n_column": SHAPE[1], "crowdsap": 0.9812, "flfrcsap": 0.9011, **counts}
    fast = {**common, "exptime_s": 20.0, "used": False, "reason": "20 s exposures; 120 s ones of this sector are used"}
    return [
        {
            **common,
            "kind": "light_curve",
            "uri": f"mast:TESS/product/{name}_lc.fits",
            "file": f"{name}_lc.fits",
            "sha256": sha(f"lc{sector}"),
            "used": True,
            "reason": "",
            "bytes": 2_039_040,
            "creator": "27243 LightCurveExporterPipelineModule",
            "provenance": light_curve,
        },
        {
            **common,
            "kind": "target_pixel_file",
            "uri": None,
            "file": f"{name}_tp.fits",
            "sha256": sha(f"tp{sector}"),
            "used": True,
            "reason": "",
            "bytes": 49_302_720,
            "creator": "27243 TargetPixelExporterPipelineModule",
            "provenance": pixels,
        },
        {
            **fast,
            "kind": "light_curve",
            "uri": None,
            "file": f"{name}_fast-lc.fits",
            "sha256": sha(f"fast{sector}"),
            "bytes": 12_000_960,
            "creator": None,
            "provenance": {},
        },
    ]


def _light_curve(sector: int, rng: np.random.Generator) -> dict[str, Any]:
    time = np.arange(620) / 24
    flux = rng.normal(0, 130, time.size) + 150 * np.sin(time / 2.1)
    flux[np.abs(time % 5.0317 - 1.7) < 0.07] -= 2050
    flux[(time > 12.5) & (time < 13.6)] = np.nan
    return {
        "product_sha256": sha(f"lc{sector}"),
        "sector": sector,
        "pipeline": "SPOC",
        "flux_column": "PDCSAP_FLUX",
        "exptime_s": 120.0,
        "start_btjd": 3538.6 + 27 * (sector - 83),
        "bin_days": 1 / 24,
        "flux_ppm": encode(flux),
        "scatter_ppm": 480.2,
        "n_used": 16982,
    }


def _fold(rng: np.random.Generator, sectors: tuple[int, ...]) -> dict[str, Any]:
    hours = -8.0 + 0.32 * (np.arange(50) + 0.5)
    model = np.where(np.abs(hours) < 1.6, -2080.0, 0.0)
    return {
        "candidate": "1262.01",
        "start_hours": -8.0,
        "bin_hours": 0.32,
        "odd_ppm": encode(model + rng.normal(0, 90, hours.size)),
        "odd_err_ppm": encode(np.full(hours.size, 92.0)),
        "even_ppm": encode(model + rng.normal(0, 75, hours.size)),
        "even_err_ppm": encode(np.full(hours.size, 77.0)),
        "n_odd_transits": 4,
        "n_even_transits": 5,
        "sectors": list(sectors),
    }


def _pixel_view(sector: int, rng: np.random.Generator) -> dict[str, Any]:
    return {
        "sector": sector,
        "product_sha256": sha(f"tp{sector}"),
        "control_image": encode(control_image(rng)),
        "image_unit": "electron/s",
        "aperture_mask": encode(aperture_pixels(), "|u1"),
        "corner_row": 1204,
        "corner_column": 377,
        "target_row": TARGET[0],
        "target_column": TARGET[1],
        "sky_per_pixel_arcsec": [[-14.9, -14.6], [-14.6, 14.9]],
        "neighbours": neighbour_stars(),
        "neighbours_known": True,
        "wcs_note": "",
        "crowdsap": 0.9812,
        "n_used": 16982,
    }


def _transits(sector: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number in range(5):
        row: dict[str, Any] = {
            "candidate": "1262.01",
            "sector": sector,
            "number": number + 6 * (sector - 83),
            "mid_btjd": 3540.26317 + 5.0317 * (number + 6 * (sector - 83)),
            "used": number != 2,
            "reason": "the window holds a gap of 1.2 d" if number == 2 else "",
        }
        if row["used"]:
            row |= {"depth_ppm": 2043.2, "depth_ppm_err": 141.7, "peak_row": 5, "peak_column": 6}
        rows.append(row)
    return rows


def _exofop() -> dict[str, Any]:
    file = {
        "file_id": 51234,
        "filename": "TIC188646744_20240301_SG1.pdf",
        "type": "Light Curve",
        "date": "2024-03-01",
        "group": "tfopwg",
        "bytes": 482_113,
        "sha256": sha("exofop"),
        "description": "Ingress and egress on target",
        "state": "OK",
    }
    answer = {"state": "OK", "asked_at": "2026-11-20T11:00:00Z", "http_status": 200, "bytes": 512, "n_rows": 3}
    return {
        "state": "OK",
        "detail": "",
        "n_files": 1,
        "generated_at": "2026-11-20T11:00:03Z",
        "manifest_sha256": sha("manifest"),
        "manifest": "/Users/observer/cache/exofop/tic_188646744/manifest.json",
        "files": [file],
        "answers": {"download_obsnotes.php": answer},
    }
