"""V08 among neighbours: what a signal on the target would do is said, and silence is not called a test."""

from __future__ import annotations

import numpy as np
import pytest

from btv_report.calibration.cubes import take_away
from btv_report.calibration.fields import SIGNAL, FieldStar, Sky, image_of, observe
from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.result import CheckResult, Verdict
from btv_report.checks.scene import describe_scene
from btv_report.checks.v08_centroid_shift import check_centroid_shift

TARGET = FieldStar(5.1, 4.9, 15000.0)
NEIGHBOUR = FieldStar(5.1, 6.9, 7500.0)


def centroid_check(depth: float, host: FieldStar, *stars: FieldStar) -> CheckResult:
    """V08 on a field whose `host` loses `depth` of its light in eight transits."""
    quiet = observe((TARGET, *stars), Sky(jitter_px=0.0003), np.random.default_rng(3))
    measurement = measure_pixels(take_away(quiet, depth * image_of(host), SIGNAL), SIGNAL)
    return check_centroid_shift(measurement, describe_scene(measurement), store_plot_data=False)


def test_shift_of_a_signal_on_the_target_is_predicted_from_its_neighbours() -> None:
    result = centroid_check(0.02, TARGET, NEIGHBOUR)
    shift, expected = (result.metrics[name].value for name in ("centroid_shift_px", "on_target_shift_px"))
    assert shift == pytest.approx(expected, rel=0.3)
    _, column = result.details["on_target_shift_px"]
    assert column < 0, "the neighbour is at higher columns, so light lost on the target pulls the centre away from it"
    assert "SHIFT_AS_ON_TARGET" in result.flags
    assert "does not speak against the target" in result.summary
    assert "carries the signal" not in result.summary


def test_signal_on_the_neighbour_is_told_from_one_on_the_target() -> None:
    result = centroid_check(0.02, NEIGHBOUR, NEIGHBOUR)
    assert result.verdict is Verdict.FAIL
    assert result.metrics["on_target_p_value"].value < 0.0027
    assert "SHIFT_AS_ON_TARGET" not in result.flags
    assert "the measured shift differs from that" in result.summary


def test_without_known_neighbours_nothing_is_predicted() -> None:
    result = centroid_check(0.02, TARGET)
    assert "on_target_shift_px" not in result.metrics
    assert result.details["on_target_shift_px"] is None


def test_a_pass_without_a_signal_says_that_nothing_was_tested() -> None:
    result = centroid_check(0.0, TARGET)
    assert result.verdict is Verdict.PASS
    assert "LOW_SNR" in result.flags
    assert "nothing was tested" in result.summary


def test_a_pass_with_a_clear_signal_does_not() -> None:
    result = centroid_check(0.002, TARGET)
    assert result.verdict is Verdict.PASS
    assert "LOW_SNR" not in result.flags
    assert "nothing was tested" not in result.summary
