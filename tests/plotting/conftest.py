"""Check results of a lopsided stamp: 9 rows x 13 columns, the source at row 7, a neighbour at row 2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from btv_report.checks.result import CheckResult, Metric, Verdict

SHAPE = (9, 13)
TARGET, SOURCE, NEIGHBOUR = (5.0, 6.0), (7.0, 3.0), (2.0, 10.0)  # row, column


def star(row: float, column: float, flux: float) -> NDArray[np.float32]:
    rows, columns = np.indices(SHAPE)
    return np.asarray(flux * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 1.6), dtype=np.float32)


def place(spot: tuple[float, float]) -> dict[str, float]:
    return {"row": spot[0], "column": spot[1]}


def metrics(**values: float) -> dict[str, Metric]:
    return {name: Metric(value, "") for name, value in values.items()}


def details_of(check_id: str) -> dict[str, Any]:
    """What each check keeps beside its stamps."""
    shifts = [(0.004, -0.002), (0.006, -0.004)]
    table: dict[str, dict[str, Any]] = {
        "V08": {
            "control_centroid": place((5.1, 5.9)),
            "in_transit_centroid": place((5.095, 5.903)),
            "covariance_px2": [[4e-6, 0.0], [0.0, 1e-6]],
            "shift_row_px": 0.005,
            "shift_column_px": -0.003,
            "transit_points": [
                {"number": n, "mid_btjd": 2000.0 + n, "shift_row_px": row, "shift_column_px": column}
                for n, (row, column) in enumerate(shifts)
            ],
        },
        "V09": {
            "source": place(SOURCE),
            "target": place(TARGET),
            "region_3sigma": [[6.5, 2.0], [6.5, 4.5], [7.8, 4.5], [7.8, 2.0], [6.5, 2.0]],
            "neighbours": [
                {"star_id": "target", "magnitude": 10.0, **place(TARGET)},
                {
                    "star_id": "TIC 7",
                    "magnitude": 9.0,
                    "separation_arcsec": 100.0,
                    "probability": 0.1,
                    **place(NEIGHBOUR),
                },
                {"star_id": "TIC 8", "magnitude": 15.0, "separation_arcsec": 90.0, **place((7.0, 3.5))},
                {"star_id": "TIC 9", "magnitude": 8.0, "separation_arcsec": 300.0, **place((20.0, 3.0))},
                {"star_id": "none of these", "probability": 0.1},
            ],
        },
        "V10": {
            "radii_px": [1.0, 2.0, 3.0],
            "depth_ppm": [900.0, 1000.0, 1100.0],
            "depth_ppm_err": [50.0, 60.0, 70.0],
            "predicted_on_target_ppm": [1000.0, 990.0, 980.0],
            "predicted_neighbours": [{"star_id": "TIC 7", "ppm": [10.0, 500.0, 1500.0]}],
        },
        "V20": {"core_depth": 1.0},
    }
    return table[check_id]


def stamps_of(check_id: str) -> dict[str, Any]:
    """The stamps that each check keeps."""
    core = np.zeros(SHAPE, bool)
    core[6:8, 2:4] = True
    halo = np.zeros(SHAPE, bool)
    halo[5:9, 1:5] = True
    control = star(*TARGET, 9000.0) + star(*NEIGHBOUR, 2000.0)
    difference = star(*SOURCE, 40.0)
    table: dict[str, dict[str, Any]] = {
        "V08": {"reference_image": control},
        "V09": {"reference_image": control, "difference_image": difference},
        "V10": {"reference_image": control},
        "V20": {"difference_image": difference, "aperture_mask": core, "core_mask": core, "halo_mask": halo & ~core},
    }
    return table[check_id]


NUMBERS = {
    "V08": metrics(centroid_shift_px=0.0058),
    "V09": metrics(snr=12.0),
    "V10": metrics(depth_ppm_pipeline=1010.0, depth_ppm_pipeline_err=40.0, chi2_p_value=0.2),
    "V20": metrics(core_correlation=5.25, halo_correlation=0.5, halo_excess_sigma=-3.0),
}


@pytest.fixture
def make_result() -> Callable[..., CheckResult]:
    """Build the result of a check; `stored` keeps its stamps, `changes` replace fields."""

    def make(check_id: str, *, stored: bool = True, **changes: Any) -> CheckResult:
        details = details_of(check_id) | ({"plot_data": stamps_of(check_id)} if stored else {})
        fields: dict[str, Any] = {"summary": "", "metrics": NUMBERS[check_id], "details": details} | changes
        return CheckResult(check_id, fields.pop("candidate", "1.01"), fields.pop("sector", 7), Verdict.PASS, **fields)

    return make


@pytest.fixture
def cube() -> NDArray[np.float32]:
    """Eleven cadences, one of them wild, of a stamp with a star at row 2, column 10; shape (11, 9, 13)."""
    pixels = np.repeat(star(*NEIGHBOUR, 500.0)[None] + 10, 11, axis=0)
    pixels[3] = 1e6
    return pixels
