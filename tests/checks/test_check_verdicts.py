"""Scenes with known truth, from pixels to verdicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.result import Verdict
from btv_report.checks.run import run_pixel_checks
from btv_report.ephemeris import Ephemeris

Scene = Callable[..., Any]
Results = Callable[..., dict[str, Any]]


def value(result: Any, name: str) -> float:
    return float(result.metrics[name].value)


def test_planet_on_target_passes_every_check(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.003)
    results = results_of(spec.make(), spec.ephemeris)
    assert {key: result.verdict for key, result in results.items()} == dict.fromkeys(
        ("V08", "V09", "V10", "V20"), Verdict.PASS
    )
    assert abs(value(results["V10"], "depth_ppm_pipeline") - 3000) < 4 * value(results["V10"], "depth_ppm_pipeline_err")
    assert "not place the signal on the target" in results["V08"].summary


def test_planet_in_a_crowded_field_passes_and_the_target_is_the_likeliest_host(
    scene: Scene, results_of: Results
) -> None:
    spec = scene(neighbours=((7.1, 5.5, 3000.0), (3.0, 9.0, 8000.0)), depth=0.003)
    results = results_of(spec.make(), spec.ephemeris)
    assert {result.verdict for result in results.values()} == {Verdict.PASS}
    assert value(results["V09"], "target_probability") > 0.99


def test_eclipsing_binary_two_pixels_away_fails_with_the_right_star(scene: Scene, results_of: Results) -> None:
    spec = scene(neighbours=((6.8, 6.0, 1500.0), (3.0, 9.0, 4000.0)), host=1, depth=0.08)
    results = results_of(spec.make(), spec.ephemeris)
    source = results["V09"]
    assert source.verdict is Verdict.FAIL
    assert np.hypot(value(source, "source_row") - 6.8, value(source, "source_column") - 6.0) < 0.06
    stars = source.details["neighbours"]
    assert max(stars, key=lambda star: star["probability"])["star_id"] == "star 1"
    assert source.details["nearest"]["star_id"] == "star 1"
    assert "star 1" in source.summary
    host = next(star for star in stars if star["star_id"] == "star 1")
    assert host["required_depth"] == pytest.approx(0.08, rel=0.1)
    assert results["V08"].verdict in {Verdict.FAIL, Verdict.WARN}
    assert results["V10"].verdict in {Verdict.FAIL, Verdict.WARN}
    assert value(results["V10"], "slope_ppm_per_px") > 0


def test_neighbour_dilutes_the_depth_with_radius_as_predicted(scene: Scene, results_of: Results) -> None:
    spec = scene(neighbours=((5.4, 8.0, 20000.0),), depth=0.01, jitter_px=0.001)
    known = results_of(spec.make(), spec.ephemeris)["V10"]
    depths, predicted = (np.array(known.details[name]) for name in ("depth_ppm", "predicted_on_target_ppm"))
    assert depths[-1] < 0.75 * depths[0]
    np.testing.assert_allclose(predicted, depths, rtol=0.05)
    assert known.verdict is Verdict.PASS
    (neighbour,) = known.details["predicted_neighbours"]
    assert neighbour["star_id"] == "star 1"
    assert neighbour["ppm"][-1] > neighbour["ppm"][0]
    unknown = results_of(spec.make(neighbours=(), neighbours_known=False), spec.ephemeris)["V10"]
    assert "NEIGHBOURS_UNKNOWN" in unknown.flags
    assert unknown.metrics["chi2_p_value"].value < known.metrics["chi2_p_value"].value


def test_star_too_faint_to_be_the_host_is_ruled_out_by_the_depth_it_needs(scene: Scene, results_of: Results) -> None:
    spec = scene(neighbours=((5.4, 5.0, 20.0),), depth=0.01)
    stars = results_of(spec.make(), spec.ephemeris)["V09"].details["neighbours"]
    assert stars[1]["required_depth"] > 5
    assert stars[1]["probability"] < 1e-3 < stars[0]["probability"]


def test_probabilities_sum_to_one_and_end_with_none_of_these(scene: Scene, results_of: Results) -> None:
    spec = scene(neighbours=((6.2, 5.0, 3000.0), (3.0, 9.0, 8000.0)))
    stars = results_of(spec.make(), spec.ephemeris)["V09"].details["neighbours"]
    assert stars[0]["star_id"] == "target"
    assert stars[-1]["star_id"] == "none of these"
    assert sum(star["probability"] for star in stars) == pytest.approx(1.0, abs=1e-12)
    assert all(star["probability"] > 0 for star in stars)


def test_eclipse_of_a_star_in_no_catalogue_belongs_to_none_of_these(scene: Scene, results_of: Results) -> None:
    spec = scene(neighbours=((6.8, 6.0, 1500.0),), host=1, depth=0.08)
    source = results_of(spec.make(neighbours=()), spec.ephemeris)["V09"]
    assert source.verdict is Verdict.FAIL
    assert source.details["neighbours"][-1]["probability"] > 0.99


def test_ghost_fails_v20_and_is_called_by_its_three_names(scene: Scene, results_of: Results) -> None:
    spec = scene(host=-1, depth=0.01)
    ghost = results_of(spec.make(), spec.ephemeris)["V20"]
    assert ghost.verdict is Verdict.FAIL
    assert "ghost, scattered light or a source outside the aperture" in ghost.summary
    assert value(ghost, "halo_excess_sigma") > 3
    assert value(ghost, "halo_correlation") > value(ghost, "core_correlation")


def test_single_transit_warns_at_most_and_says_so(scene: Scene, results_of: Results) -> None:
    one = Ephemeris(40.0, 2008.03, 2.6)
    spec = scene(neighbours=((6.8, 6.0, 1500.0),), host=1, depth=0.2, ephemeris=one)
    results = results_of(spec.make(), one)
    for check_id in ("V08", "V09"):
        assert results[check_id].verdict is Verdict.WARN
        assert "LOW_TRANSITS" in results[check_id].flags
        assert "one transit" in results[check_id].summary.lower()
    assert "One transit compares the radii" in results["V10"].summary
    assert "One transit shows the place of this one event only." in results["V20"].summary


def test_weak_signal_is_called_weak(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.0004)
    source = results_of(spec.make(), spec.ephemeris)["V09"]
    assert 3 <= value(source, "snr") < 8
    assert source.verdict is Verdict.WARN
    assert "weak" in source.summary
    assert "LOW_SNR" in source.flags


def test_no_signal_is_not_located(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.0, seed=5)
    results = results_of(spec.make(), spec.ephemeris)
    assert results["V09"].verdict is Verdict.NOT_RUN
    assert results["V20"].verdict is Verdict.NOT_RUN
    assert results["V08"].verdict is Verdict.PASS


def test_f105_flat_topped_star_shows_numbers_without_a_verdict(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.01, target_flux=100000.0)
    stack = spec.make()
    flux = stack.flux.copy()
    flux[:, 3:8, 4:6] = np.maximum(flux[:, 3:8, 4:6], 15000.0)
    np.minimum(flux, 15500.0 + 0 * flux, out=flux)
    results = results_of(spec.make(flux=flux.astype(np.float32)), spec.ephemeris)
    for result in results.values():
        assert result.verdict is Verdict.NOT_RUN
        assert "SATURATED" in result.flags
    assert "saturated" in (results["V08"].reason or "")
    assert results["V08"].metrics


def test_f106_without_coordinates_offsets_are_relative_to_the_control_centroid(
    scene: Scene, results_of: Results
) -> None:
    spec = scene(neighbours=((6.8, 6.0, 1500.0),), host=1, depth=0.08)
    stack = spec.make(
        target_row=None, target_column=None, sky_per_pixel_arcsec=None, neighbours=(), neighbours_known=False
    )
    source = results_of(stack, spec.ephemeris)["V09"]
    assert source.verdict is Verdict.WARN
    assert "control centroid" in source.summary
    assert {"NO_WCS", "NEIGHBOURS_UNKNOWN"} <= set(source.flags)
    assert "offset_arcsec" not in source.metrics
    assert "target_row" not in source.metrics
    assert value(source, "source_row") == pytest.approx(6.8, abs=0.15)


def test_without_aperture_mask_only_v20_is_not_run(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.003)
    results = results_of(spec.make(aperture_mask=None), spec.ephemeris)
    assert results["V20"].verdict is Verdict.NOT_RUN
    assert "aperture" in (results["V20"].reason or "")
    assert {results[check_id].verdict for check_id in ("V08", "V09", "V10")} == {Verdict.PASS}
    assert "depth_ppm_pipeline" not in results["V10"].metrics


def test_plot_data_can_be_left_out_and_has_the_contract_names(scene: Scene, results_of: Results) -> None:
    spec = scene(days=13.0)
    full, bare = (results_of(spec.make(), spec.ephemeris, store_plot_data=keep) for keep in (True, False))
    names = {key: set(result.details["plot_data"]) for key, result in full.items()}
    assert names["V08"] == names["V10"] == {"reference_image"}
    assert names["V09"] == {"reference_image", "in_transit_mean", "difference_image", "difference_snr", "depth_map_ppm"}
    assert names["V20"] >= {"difference_image", "aperture_mask", "core_mask", "halo_mask", "gradient_magnitude"}
    for key, result in bare.items():
        assert "plot_data" not in result.details
        assert result.metrics == full[key].metrics
    stamps = full["V20"].details["plot_data"]
    assert stamps["core_mask"].dtype == np.bool_
    assert stamps["difference_image"].dtype == np.float32
    assert not (stamps["core_mask"] & stamps["halo_mask"]).any()


def test_same_input_gives_the_same_numbers(scene: Scene, results_of: Results) -> None:
    spec = scene(days=13.0)
    first, second = (results_of(spec.make(), spec.ephemeris) for _ in range(2))
    assert {key: result.metrics for key, result in first.items()} == {
        key: result.metrics for key, result in second.items()
    }


def test_error_in_one_check_names_itself_and_spares_the_others(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("btv_report.checks.v10_aperture_dependence.check_aperture_dependence", broken)
    spec = scene(depth=0.003)
    results = {result.check_id: result for result in run_pixel_checks(spec.make(), spec.ephemeris).results}
    assert results["V10"].verdict is Verdict.NOT_RUN
    assert "ZeroDivisionError" in (results["V10"].reason or "")
    assert {results[check_id].verdict for check_id in ("V08", "V09", "V20")} == {Verdict.PASS}


@pytest.mark.parametrize(("host", "expected"), [(0, (5, 5)), (1, (7, 7))])
def test_deterministic_cross_check_peaks_on_the_star_that_dims(
    host: int, expected: tuple[int, int], scene: Scene
) -> None:
    ephemeris = Ephemeris(1.5, 2000.3, 2.0)
    spec = scene(
        target=(5.0, 5.0),
        target_flux=10000.0,
        neighbours=((7.0, 7.0, 500.0),),
        sigma_px=1.5,
        host=host,
        depth=0.002 if host == 0 else 0.8,
        noise=0.0,
        jitter_px=0.0,
        background=50.0,
        days=2000 * 120.0 / 86400,
        cadence_s=120.0,
        ephemeris=ephemeris,
    )
    measurement = measure_pixels(spec.make(), ephemeris)
    image = measurement.image(measurement.difference)
    assert tuple(int(i) for i in np.unravel_index(int(np.argmax(image)), image.shape)) == expected
    used = [row for row in measurement.rows if row.used]
    assert len(used) == 2
    assert {(row.peak_row, row.peak_column) for row in used} == {expected}
    missing = 10000 * 0.002 if host == 0 else 500 * 0.8
    assert image.sum() == pytest.approx(missing, rel=0.02)
