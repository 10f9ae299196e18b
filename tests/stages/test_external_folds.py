"""On which candidate and transit a light curve from the ground is folded, and which of its points are taken."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from btv_report.answer_states import AnswerState
from btv_report.ephemeris import Ephemeris
from btv_report.exofop.curves.external_light_curves import ExternalLightCurve
from btv_report.exofop.types import ExoFopFile
from btv_report.record import ExternalLightCurveValue
from btv_report.stages.external_folds import MOST_POINTS, external_light_curve_value

SHORT = Ephemeris(0.45, 3000.0, 1.0, "5.01", "exofop_toi")
LONG = Ephemeris(7.0, 3000.1, 2.0, "5.02", "exofop_toi")
DAILY = Ephemeris(1.0, 3000.0, 2.0, "6.01", "exofop_toi")
DEPTH = 0.01


def folded(
    time_btjd: NDArray[np.float64],
    *candidates: Ephemeris,
    name: str = "night_measurements.tbl",
    description: str | None = None,
    flux: NDArray[np.float64] | None = None,
) -> ExternalLightCurveValue:
    """What becomes of a light curve at these times."""
    file = ExoFopFile(1, name, "Light_Curve", None, None, 1, "0" * 64, description, AnswerState.OK)
    curve = ExternalLightCurve(
        time_days=time_btjd + 2_457_000,
        time_system="BJD_TDB",
        zero_days=0.0,
        flux=np.ones(time_btjd.size) if flux is None else flux,
        flux_err=None,
        filter=None,
        telescope=None,
        date=None,
        layout="test",
        source=name,
        sha256="0" * 64,
    )
    return external_light_curve_value(file, curve, candidates)


def night(middle: float, n_points: int = 200, hours: float = 5.0) -> NDArray[np.float64]:
    return middle + np.linspace(-hours / 2, hours / 2, n_points) / 24


def test_transit_nearest_to_the_middle_is_chosen_and_not_that_of_the_first_candidate() -> None:
    for candidates in ((SHORT, LONG), (LONG, SHORT)):
        value = folded(night(3007.1), *candidates)
        assert (value["candidate"], value["transit_number"]) == ("5.02", 1)


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("TIC123-01_20230510_LCO-McD_V_measurements.tbl", "TOI-5.02 full transit"),
        ("TOI-5.01_20230510.csv", None),
        ("20230510_measurements.tbl", "TOI 5.01, egress"),
    ],
)
def test_planet_that_the_file_names_is_preferred(name: str, description: str | None) -> None:
    value = folded(night(3007.1), LONG, SHORT, name=name, description=description)
    assert value["candidate"] == "5.01"


def test_planet_that_is_named_and_not_observed_leaves_the_nearest() -> None:
    value = folded(night(3007.1, hours=1.0), SHORT, LONG, name="TIC123-03_20230510.tbl")
    assert value["candidate"] == "5.02"


def test_points_nearer_to_other_transits_are_left_out() -> None:
    time = np.concatenate([night(3000.0 + number) for number in (10, 11, 12)])
    hours = (time - np.round(time)) * 24
    value = folded(time, DAILY, flux=1 - DEPTH * (np.abs(hours) < 1))
    binned, flux = np.array(value["hours_from_mid"]), np.array(value["flux_relative"])
    assert value["transit_number"] == 11
    assert (np.abs(binned) <= 2.5).all()
    assert (value["n_points"], value["n_folded"]) == (600, 200)
    inside, outside = flux[np.abs(binned) < 0.9].mean(), flux[np.abs(binned) > 1.2].mean()
    assert outside - inside == pytest.approx(DEPTH, abs=1e-6)


def test_transit_that_was_observed_is_chosen_where_the_middle_of_all_nights_was_not() -> None:
    value = folded(np.concatenate([night(3010.0), night(3012.05)]), DAILY)
    assert (value["candidate"], value["transit_number"], value["n_folded"]) == ("6.01", 10, 200)


def test_no_mean_is_taken_over_two_nights() -> None:
    nights = [night(3007.1 + day, 71) for day in (-1.0, 0.0, 1.0)]
    hours = np.array(folded(np.concatenate(nights), LONG)["hours_from_mid"])
    assert all(min(abs(hour - 24 * day) for day in (-1, 0, 1)) <= 2.5 for hour in hours)
    assert 100 < hours.size <= MOST_POINTS
    assert "n_folded" not in folded(np.concatenate(nights), LONG)


def test_bins_stay_few_though_every_point_is_a_night() -> None:
    slow = Ephemeris(900.0, 3000.0, 5.0, "7.01", "exofop_toi")
    value = folded(np.arange(2800.0, 3200.0, 0.5), slow)
    assert len(value["hours_from_mid"]) == MOST_POINTS


def test_observations_beside_every_transit_are_not_folded() -> None:
    assert "candidate" not in folded(night(3003.5), LONG)
