"""A noiseless cube whose difference image is known by hand: cross-check 8 of the reference for the checks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.inputs import PixelStack
from btv_report.checks.run import run_pixel_checks
from btv_report.ephemeris import Ephemeris

EPHEMERIS = Ephemeris(1.5, 1800.3, 2.0)
TARGET, NEIGHBOUR = (5, 5), (7, 7)
SIGMA_PX = 1.5


def gaussian(row: int, column: int, peak: float) -> NDArray[np.float64]:
    rows, columns = np.indices((11, 11))
    return np.asarray(peak * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * SIGMA_PX**2)))


def cube(target_in_transit: float, neighbour_in_transit: float) -> PixelStack:
    """2,000 cadences of 2 min from BTJD 1800.0: a target of 10,000 and a neighbour of 500 units on 50 per pixel."""
    time = 1800.0 + np.arange(2000) / 720
    phase = (time - EPHEMERIS.epoch_btjd + 0.75) % 1.5 - 0.75
    inside = (np.abs(phase) <= 1.0 / 24)[:, None, None]
    flux = 50 + gaussian(*TARGET, 10000) * np.where(inside, target_in_transit, 1.0)
    flux = flux + gaussian(*NEIGHBOUR, 500) * np.where(inside, neighbour_in_transit, 1.0)
    return PixelStack(
        sector=14,
        time_btjd=time,
        flux=flux.astype(np.float32),
        flux_err=None,
        used=np.ones(2000, bool),
        quality=np.zeros(2000, np.int32),
        cadence_s=120.0,
        target_row=5.0,
        target_column=5.0,
    )


CASES = {"on": ((0.998, 1.0), TARGET, 20.0), "off": ((1.0, 0.2), NEIGHBOUR, 400.0)}


@pytest.mark.parametrize("case", CASES)
def test_difference_image_peaks_on_the_star_that_is_eclipsed(case: str) -> None:
    factors, (row, column), loss = CASES[case]
    measurement = measure_pixels(cube(*factors), EPHEMERIS)
    image = measurement.image(measurement.difference)
    assert divmod(int(np.nanargmax(image)), 11) == (row, column)
    # Every pixel, by hand: the light that the eclipsed star loses. float32 holds 10,000 to 1e-3.
    np.testing.assert_allclose(image, gaussian(row, column, loss), atol=2e-3)
    assert [transit.number for transit in measurement.rows if transit.used] == [0, 1]


@pytest.mark.parametrize("case", CASES)
def test_v09_states_that_pixel_as_its_peak(case: str) -> None:
    factors, peak, _ = CASES[case]
    results: dict[str, Any] = {r.check_id: r for r in run_pixel_checks(cube(*factors), EPHEMERIS).results}
    stated = results["V09"].metrics
    assert (stated["peak_row"].value, stated["peak_column"].value) == peak
