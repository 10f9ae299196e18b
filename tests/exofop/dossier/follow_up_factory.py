"""What ExoFOP says of an invented star, as a record holds it: every list filled, optional fields once present, once absent."""

from __future__ import annotations

from typing import Any

import numpy as np

CANARY_MAIL = "observer.name@observatory.edu"


def follow_up() -> dict[str, Any]:
    """Parts of `record["exofop"]`; all of them made here."""
    return {
        "n_listed": 9,
        "candidates": candidates(),
        "disagreements": ["ExoFOP lists sectors 83 and 84, MAST 83, 84 and 91; ExoFOP's list may be shortened."],
        "tables": tables(),
        "notes": notes(),
        "contrast_curves": [contrast_curve(562, 6.1, 1.17), contrast_curve(832, 7.6, 1.17), hand_made_curve()],
        "light_curves": [light_curve(1), light_curve(2, flux_relative_err=None), unlabelled(3), unlabelled(4)],
    }


def files() -> list[dict[str, Any]]:
    """Files with the fields that are new, and one whose bytes need a login."""
    common = {"date": "2024-03-01", "group": "tfopwg", "sha256": "cd" * 32, "state": "OK", "tag": "1234", "user": "obs"}
    return [
        {"file_id": 7001, "filename": "curve_832.dat", "type": "Image", "bytes": 4_100, "description": None, **common,
         "content": "text", "older_versions": ["12" * 32]},
        {"file_id": 7002, "filename": "plot.png", "type": "Image", "bytes": 90_100, "description": "sky",
         **common, "tag": None, "content": "PNG image", "published": True},
        {"file_id": 987_654_321, "filename": "locked.pdf", "type": "Spectrum", "bytes": None, "description": "locked words",
         **common, "sha256": None, "state": "AUTH_REQUIRED"},
    ]  # fmt: skip


def candidates() -> list[dict[str, Any]]:
    """A candidate of the run, and one without a period."""
    return [
        {
            "name": "1262.01", "source": "exofop_toi", "used": True, "reason": "", "period_days": 5.0317,
            "epoch_btjd": 3540.26317, "duration_hours": 3.21, "depth_ppm": 2050.0, "radius_earth": 4.012,
            "disposition_tess": "PC", "disposition_tfopwg": "CP", "sectors": [83, 84], "updated": "2024-05-01",
            "comments": f"V-shaped? ask {CANARY_MAIL}; " + "a long remark " * 30,
        },
        {"name": "1262.02", "source": "exofop_toi", "used": False, "reason": "its row gives no period"},
    ]  # fmt: skip


def tables() -> list[dict[str, Any]]:
    """A short summary table and one that is longer than a page shows."""
    spect = {
        "name": "spect",
        "columns": ["TIC ID", "Telescope", "Instrument", "SNR", "Seeing"],
        "rows": [["188646744", "FLWO 1.5m", "TRES", "41.2", ""], ["188646744", "NOT", "FIES", "", ""]],
        "n_rows": 2,
        "n_rejected": 1,
    }
    rows = [[f"file {number}", "x" * 300 if number == 0 else "y"] for number in range(55)]
    return [spect, {"name": "uploads", "columns": ["Name", "Words"], "rows": rows, "n_rows": 60, "n_rejected": 0}]


def notes() -> list[dict[str, Any]]:
    """A note of two paragraphs, a disposition, and one that is longer than a page shows."""
    common = {"note_id": 1, "user": "kat", "group": "SG1", "tag": "77", "date": "2024-02-01", "n_left_out": 0}
    return [
        {**common, "text": f"First line\nsecond <b>line</b>\n\nNext paragraph, {CANARY_MAIL}", "is_disposition": False},
        {**common, "note_id": 2, "user": None, "text": "Master Disp: CP", "is_disposition": True, "tag": None},
        {**common, "note_id": None, "text": "word " * 3000, "is_disposition": False, "n_left_out": 1500},
    ]


def contrast_curve(band_nm: int, deepest: float, outermost: float) -> dict[str, Any]:
    """A sensitivity curve as speckle imaging gives it: steep inside, flat outside."""
    separation = np.linspace(0.02, outermost, 120)
    return {
        "file_id": 7000 + band_nm,
        "filename": f"curve_{band_nm}.dat",
        "sha256": "ab" * 32,
        "layout": "two sections, the fitted one",
        "instrument": "Speckle camera",
        "filter": f"{band_nm} nm",
        "date": "2022-03-17",
        "separation_arcsec": [round(float(x), 4) for x in separation],
        "delta_mag": [round(float(y), 3) for y in deepest * (1 - np.exp(-separation / 0.22))],
    }


def hand_made_curve() -> dict[str, Any]:
    """A short table that states nothing about itself."""
    return {
        "file_id": 7999,
        "filename": "cc_by_hand.tbl",
        "sha256": "ef" * 32,
        "layout": "two columns",
        "instrument": None,
        "filter": None,
        "date": None,
        "separation_arcsec": [0.15, 0.3, 0.6, 1.0, 2.0, 4.0],
        "delta_mag": [2.0, 4.1, 5.9, 6.8, 7.1, 7.2],
    }


def light_curve(number: int, **more: Any) -> dict[str, Any]:
    """A partial transit from the ground."""
    rng = np.random.default_rng(number)
    hours = np.linspace(-2.9, 2.4, 36)
    flux = 1 + rng.normal(0, 0.0004, hours.size) - np.where(np.abs(hours) < 1.6, 0.0021, 0.0)
    value = {
        **described(number),
        "time_system": "BJD_TDB",
        "candidate": "1262.01",
        "transit_number": -41,
        "hours_from_mid": [round(float(x), 5) for x in hours],
        "flux_relative": [round(float(y), 6) for y in flux / np.median(flux)],
        "flux_relative_err": [0.0004] * hours.size,
    }
    return {key: item for key, item in {**value, **more}.items() if item is not None or key in {"filter", "instrument"}}


def unlabelled(number: int) -> dict[str, Any]:
    """A light curve that must not be folded."""
    reason = "Its time column does not say in which system it is, so it is not folded"
    return {**described(number), "time_system": "unlabelled", "reason": reason}


def described(number: int) -> dict[str, Any]:
    """What every light curve has."""
    return {
        "file_id": 8000 + number,
        "filename": f"measurements_{number}.tbl",
        "sha256": "aa" * 32,
        "layout": "AstroImageJ",
        "instrument": "LCO 1m0",
        "filter": "zs" if number % 2 else None,
        "n_points": 240,
    }
