"""A realistic run record with simulated numbers, in variants that have and lack every optional part."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from btv_report.record import RunRecord
from btv_report.stamps import encode_stamp
from btv_report.store.recording import record_run
from btv_report.store.workspace import Workspace

SECTORS = (54, 83)
STELLAR = ("teff_k", "logg_cgs", "radius_rsun", "mass_msun", "luminosity_lsun", "metallicity_dex", "distance_pc")


def _product(kind: str, sector: int | None, *, used: bool, **fields: Any) -> dict[str, Any]:
    """One product as the pipeline records it."""
    suffix = {"light_curve": "lc", "target_pixel_file": "tp", "cutout": "astrocut", "dv_report": "dvr"}[kind]
    return {
        "kind": kind,
        "sector": sector,
        "pipeline": "SPOC",
        "exptime_s": 120.0,
        "uri": None,
        "file": f"tess2024-s{sector or 0:04d}-0000000188646744-0280-s_{suffix}.fits",
        "sha256": f"{sector or 0:02x}" * 32,
        "fits_sum": "ok",
        "state": "OK",
        "used": used,
        "reason": "" if used else "another light curve of this sector comes first",
        "bytes": 2_039_040,
        "mission": "TESS",
        "camera": 2,
        "ccd": 3,
        "obs_id": None,
        "origin": "NASA/Ames",
        "creator": "22 TessPipeline",
        "procver": "spoc-5.0.93-20240903",
        "date": "2024-10-05",
        "simulated": True,
        "retrieved": "from mirror",
        "provenance": {"quality_mask": 17087, "removed_by_bit": {"3": 12, "15": 401}, "divisor": 12345.678}
        if used
        else {},
        **fields,
    }


def _check(rng: np.random.Generator, check_id: str, sector: int | None) -> dict[str, Any]:
    """One check result with metrics of whole and broken numbers."""
    names = ("reference_image", "in_transit_mean", "difference_image", "difference_snr", "depth_map_ppm")
    stamps = {name: encode_stamp(rng.normal(100.0, 20.0, (13, 11))) for name in names} if check_id == "V09" else {}
    if check_id == "V20":
        stamps = {
            "aperture_mask": encode_stamp(rng.random((13, 11)) > 0.8),
            "gradient_magnitude": encode_stamp(rng.random((13, 11))),
        }
    return {
        "check_id": check_id,
        "candidate": "1262.01",
        "sector": sector,
        "verdict": "pass",
        "summary": "The transit source lies 1.3 ± 2.6 arcsec from the target.",
        "reason": None,
        "metrics": {
            "offset_arcsec": {"value": float(rng.normal()), "unit": "arcsec"},
            "offset_err_arcsec": {"value": 2.6, "unit": "arcsec"},
            "n_transits_used": {"value": 9, "unit": "1"},
            "depth_ppm_r1.0": {"value": 219.0, "unit": "ppm"},
            "p_value": {"value": 1.2e-17, "unit": "1"},
        },
        "flags": ["LOW_TRANSITS"],
        "thresholds": {"offset_sigma": {"value": 3.0, "source": "Twicken et al. 2018"}},
        "parameters": {"n_draws": 2000, "seed": 188646744},
        "method_version": "1",
        "inputs": ["53" * 32],
        "details": {"hosts": [{"star_id": "TIC 188646744", "probability": 0.97}], "note": None},
        "stamps": stamps,
    }


def _pixel_view(rng: np.random.Generator, sector: int) -> dict[str, Any]:
    """The pixels of a sector, one of them without a value."""
    image = rng.normal(1000.0, 50.0, (13, 11))
    image[0, 0] = np.nan
    return {
        "sector": sector,
        "product_sha256": f"{sector:02x}" * 32,
        "control_image": encode_stamp(image),
        "image_unit": "electron / s",
        "aperture_mask": encode_stamp(image > 1000.0),
        "corner_row": 1201,
        "corner_column": 544,
        "target_row": 5.667,
        "target_column": 4.533,
        "sky_per_pixel_arcsec": [[20.1, -3.0], [2.9, 20.4]],
        "neighbours": [
            {"star_id": "TIC 188646746", "row": 7.25, "column": 3.5, "magnitude": 14.2, "separation_arcsec": 38.4},
            {
                "star_id": "2057340213568172416",
                "row": -1.5,
                "column": 9.0,
                "magnitude": None,
                "separation_arcsec": 160.0,
            },
        ],
        "neighbours_known": True,
        "wcs_note": "",
        "crowdsap": 0.983,
        "n_used": 16_921,
    }


def complete_record(tic_id: int = 188646744, started_at: str = "2026-11-21T01:45:00Z", seed: int = 1) -> RunRecord:
    """Build a record with every optional part present."""
    rng = np.random.default_rng(seed)
    series = rng.normal(0.0, 100.0, 60)
    series[7] = np.nan
    record = {
        "schema_version": 1,
        "run": {
            "started_at": started_at,
            "command": ["btv-report", "TIC", str(tic_id), "--mirror", "data"],
            "parameters": {"sectors": [54, 83], "quality_mask": 17087, "offline": True, "period_days": None},
            "versions": {"btv-report": "0.1.0", "numpy": "2.4.6"},
            "simulated": True,
        },
        "target": {
            "tic_id": tic_id,
            "position": {
                "ra_deg": 180.72666666666666,
                "dec_deg": 74.0655,
                "pmra_mas_per_yr": -12.5,
                "pmdec_mas_per_yr": 0.0,
                "ref_epoch_year": 2000.0,
                "pm_known": True,
            },
            "tmag": 9.125,
            "stellar": {**dict.fromkeys(STELLAR, 1.0), "contamination": 0.017, "metallicity_dex": None},
            "source": "header of tess2024-s0083_tp.fits",
            "aliases": {"TOI": "1262", "Gaia DR3": "2057340213568172416"},
        },
        "status": "complete",
        "candidates": [
            {
                "name": "1262.01",
                "period_days": 2.6513,
                "epoch_btjd": 3565.25,
                "duration_hours": 2.6,
                "source": "exofop_toi",
            }
        ],
        "answers": [
            {
                "service": "mirror",
                "endpoint": f"light curves and pixel files of TIC {tic_id}",
                "state": "OK",
                "asked_at": started_at,
                "detail": "5 files.",
            }
        ],
        "products": [
            *(_product("light_curve", sector, used=True) for sector in SECTORS),
            *(_product("target_pixel_file", sector, used=True) for sector in SECTORS),
            _product("dv_report", None, used=False, exptime_s=None, state="REJECTED"),
        ],
        "light_curves": [
            {
                "product_sha256": f"{sector:02x}" * 32,
                "sector": sector,
                "pipeline": "SPOC",
                "flux_column": "PDCSAP_FLUX",
                "exptime_s": 120.0,
                "start_btjd": 3565.1234567890123,
                "bin_days": 1 / 48,
                "flux_ppm": encode_stamp(series),
                "scatter_ppm": 312.5,
                "n_used": 16_921,
            }
            for sector in SECTORS
        ],
        "folds": [
            {
                "candidate": "1262.01",
                "start_hours": -7.8,
                "bin_hours": 0.26,
                **{key: encode_stamp(series) for key in ("odd_ppm", "odd_err_ppm", "even_ppm", "even_err_ppm")},
                "n_odd_transits": 5,
                "n_even_transits": 4,
                "sectors": [54, 83],
            }
        ],
        "pixel_views": [_pixel_view(rng, sector) for sector in SECTORS],
        "checks": [
            _check(rng, check_id, sector) for sector in (*SECTORS, None) for check_id in ("V08", "V09", "V10", "V20")
        ],
        "transits": [
            {
                "candidate": "1262.01",
                "sector": 54,
                "number": -1,
                "mid_btjd": 3562.5987,
                "used": True,
                "reason": "",
                "depth_ppm": 219.25,
                "depth_ppm_err": 64.0,
                "peak_row": 6,
                "peak_column": 4,
            },
            {
                "candidate": "1262.01",
                "sector": 54,
                "number": 0,
                "mid_btjd": 3565.25,
                "used": False,
                "reason": "a gap of 1.2 h lies in its window",
            },
        ],
        "exofop": {
            "state": "OK",
            "detail": "",
            "n_files": 1,
            "generated_at": started_at,
            "manifest_sha256": "ab" * 32,
            "files": [
                {
                    "file_id": 123456,
                    "filename": "TIC188646744-01_20240101_spectrum.pdf",
                    "type": "Spectrum",
                    "date": "2024-01-01",
                    "group": None,
                    "bytes": 40_321,
                    "sha256": "cd" * 32,
                    "description": "SNR 40; „gut“ — \u202ekept as it is\x00",
                    "state": "OK",
                }
            ],
            "answers": {"download_obsnotes.php": {"state": "EMPTY", "n_rows": 0}},
            **follow_up_parts(),
        },
        "warnings": ["Sector 54: 401 cadences carry bit 15."],
    }
    return cast(RunRecord, json.loads(json.dumps(record)))


def follow_up_parts() -> dict[str, Any]:
    """Build what ExoFOP itself said: every list filled, optional fields present in one element and absent in another."""
    curve = {
        "file_id": 123457,
        "filename": "832.dat",
        "sha256": "ef" * 32,
        "layout": "two sections",
        "filter": "832 nm",
    }
    points = {"file_id": 123458, "filename": "m.tbl", "sha256": "aa" * 32, "layout": "AstroImageJ", "filter": None}
    candidate = {"name": "1262.01", "source": "exofop_toi", "used": True, "reason": "", "period_days": 27.5}
    note = {"note_id": 7, "user": "me", "group": None, "tag": "5", "date": "2024-01-02", "text": "a|b\n\nc"}
    return {
        "n_listed": 3,
        "disagreements": ["The rows of 1262.01 give two periods.", ""],
        "tables": [
            {"name": "spect", "columns": ["TIC ID", "SNR"], "rows": [["1", "40"], ["1", ""]], "n_rows": 2, "n_rejected": 0}
        ],
        "notes": [{**note, "n_left_out": 0, "is_disposition": False}],
        "candidates": [
            {**candidate, "sectors": [54, 83], "comments": "deep; <b>V</b>"},
            {"name": "1262.02", "source": "exofop_toi", "used": False, "reason": "its row has no period"},
        ],
        "contrast_curves": [
            {**curve, "instrument": "Zorro", "date": None, "separation_arcsec": [0.1, 1.0], "delta_mag": [0.3, 6.25]}
        ],
        "light_curves": [
            {**points, "instrument": "LCO", "time_system": "BJD_TDB", "n_points": 200, "candidate": "1262.01",
             "transit_number": -3, "hours_from_mid": [-1.5, 1.5], "flux_relative": [0.998, 1.0]},
            {**points, "instrument": None, "time_system": "unlabelled", "n_points": 2, "reason": "its time is unlabelled"},
        ],
    }  # fmt: skip


def bare_record(tic_id: int = 188646744, started_at: str = "2026-11-21T01:45:01Z") -> RunRecord:
    """Build a record of a run that found nothing: every list empty, every value that may be unknown unknown."""
    record: dict[str, Any] = copy.deepcopy(dict(complete_record(tic_id, started_at)))
    lists = ("products", "light_curves", "folds", "pixel_views", "checks", "transits", "candidates", "warnings")
    record |= {key: [] for key in lists}
    record["status"] = "nothing"
    record["target"] |= {
        "position": None,
        "tmag": None,
        "stellar": dict.fromkeys((*STELLAR, "contamination")),
        "aliases": {},
    }
    record["exofop"] = {
        "state": "SKIPPED",
        "detail": "The user asked for none.",
        "n_files": 0,
        "generated_at": None,
        "manifest_sha256": None,
        "files": [],
        "answers": {},
    }
    return cast(RunRecord, record)


def gappy_record(tic_id: int = 188646744, started_at: str = "2026-11-21T01:45:02Z") -> RunRecord:
    """Build a record whose parts are there and lack what they may lack."""
    record: dict[str, Any] = copy.deepcopy(dict(complete_record(tic_id, started_at, seed=3)))
    record["status"] = "gaps"
    unknown = (
        "corner_row",
        "corner_column",
        "target_row",
        "target_column",
        "sky_per_pixel_arcsec",
        "crowdsap",
        "aperture_mask",
    )
    for view in record["pixel_views"]:
        view |= {
            **dict.fromkeys(unknown),
            "neighbours": [],
            "neighbours_known": False,
            "wcs_note": "The file has no WCS.",
        }
    for check in record["checks"]:
        check |= {"verdict": "not_run", "reason": "no transit", "metrics": {}, "stamps": {}, "flags": [], "inputs": []}
    for product in record["products"]:
        product.update(dict.fromkeys(("camera", "ccd", "origin", "creator", "procver", "date", "mission", "exptime_s")))
    return cast(RunRecord, record)


@pytest.fixture
def record() -> RunRecord:
    """Return a complete record."""
    return complete_record()


@pytest.fixture(params=[complete_record, bare_record, gappy_record], ids=["complete", "bare", "gappy"])
def any_record(request: pytest.FixtureRequest) -> RunRecord:
    """Return a record with all, none, or some of the optional parts."""
    return cast(RunRecord, request.param())


@pytest.fixture
def make_record() -> Callable[..., RunRecord]:
    """Return the builder of complete records: `tic_id`, `started_at`, `seed`."""
    return complete_record


def _three_records() -> list[RunRecord]:
    return [complete_record(), bare_record(), gappy_record(tic_id=261136679)]


@pytest.fixture
def three_records() -> list[RunRecord]:
    """Return three runs on two targets, in the order in which they started."""
    return _three_records()


@pytest.fixture(scope="session")
def filled_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a workspace with the three runs, to be copied."""
    workspace = Workspace(tmp_path_factory.mktemp("filled") / "workspace")
    for record in _three_records():
        record_run(workspace, record)
    return workspace.root


@pytest.fixture
def filled(workspace: Workspace, filled_template: Path) -> Workspace:
    """Return a workspace with the three runs: two on one target, one on another."""
    shutil.copytree(filled_template, workspace.root)
    return workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return a workspace that does not exist yet."""
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def make_bare_record() -> Callable[..., RunRecord]:
    """Return the builder of records of runs that found nothing: `tic_id`, `started_at`."""
    return bare_record
