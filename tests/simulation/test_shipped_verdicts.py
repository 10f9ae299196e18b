"""Read back from their files, the shipped scenes get the verdicts that their truth deserves."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from btv_report.checks.inputs import PixelStack
from btv_report.checks.result import CheckResult, TransitRow
from btv_report.checks.run import run_pixel_checks
from btv_report.products.inspect import inspect_file
from btv_report.products.model import TargetPixelFile
from btv_report.products.neighbours import read_neighbours, without_target
from btv_report.products.pixel_stack import build_pixel_stack
from btv_report.products.target_pixel_file import read_target_pixel_file
from btv_report.simulation.catalogue import scenes_folder
from btv_report.simulation.fits_files import write_scene
from btv_report.simulation.scene_file import load_scene
from btv_report.targets import Target
from btv_report.time_systems import julian_year


@cache
def read_back(name: str) -> tuple[tuple[TargetPixelFile, PixelStack], ...]:
    """Write a shipped scene, and read its pixel files and catalogue as a run does."""
    scene = load_scene(scenes_folder() / f"{name}.toml")
    read = []
    with TemporaryDirectory() as folder:
        written = write_scene(scene, Path(folder))
        catalogue = read_neighbours(written.neighbours).stars
        for path in written.target_pixel_files:
            found = inspect_file(path, tic_id=scene.target.tic_id)
            assert found.product.header is not None
            assert found.product.header.simulated
            pixels = read_target_pixel_file(found.product, found.content)
            target = Target.from_header(found.product.header.keywords, tic_id=scene.target.tic_id, source=path.name)
            year = julian_year(float(np.nanmedian(pixels.time_btjd)))
            neighbours = without_target(catalogue, tic_id=target.tic_id, position=target.position, year=year)
            assert len(neighbours) == len(scene.stars)
            stack = build_pixel_stack(pixels, position=target.position, tmag=target.tmag, neighbours=neighbours)
            read.append((pixels, stack))
    return tuple(read)


@cache
def check(name: str, sector_index: int = 0) -> tuple[dict[str, CheckResult], tuple[TransitRow, ...]]:
    """Run the checks on one sector of a shipped scene."""
    (ephemeris,) = load_scene(scenes_folder() / f"{name}.toml").ephemerides
    checks = run_pixel_checks(read_back(name)[sector_index][1], ephemeris)
    return {result.check_id: result for result in checks.results}, tuple(checks.transits)


def verdicts(name: str, sector_index: int = 0) -> dict[str, str]:
    return {check_id: str(result.verdict) for check_id, result in check(name, sector_index)[0].items()}


@pytest.mark.parametrize("sector_index", [0, 1])
def test_the_planet_on_its_star_passes_every_check_in_both_sectors(sector_index: int) -> None:
    assert verdicts("planet-on-target", sector_index) == {"V08": "pass", "V09": "pass", "V10": "pass", "V20": "pass"}
    results, transits = check("planet-on-target", sector_index)
    assert sum(transit.used for transit in transits) >= 5
    assert results["V09"].metrics["snr"].value >= 8.0
    # In 0.9 of the transit the trapezoid is 0.955 of its depth in the mean, and other stars dilute it by four per cent.
    metrics = results["V10"].metrics
    expected = 0.0016e6 * 0.955 * 0.96
    assert abs(metrics["depth_ppm_pipeline"].value - expected) < 3.0 * metrics["depth_ppm_pipeline_err"].value


def test_the_binary_two_pixels_away_is_found_and_named() -> None:
    found = verdicts("binary-two-pixels-away")
    assert found["V09"] == "fail"
    assert found["V08"] in {"warn", "fail"}
    assert found["V10"] in {"warn", "fail"}
    v09 = check("binary-two-pixels-away")[0]["V09"]
    # 5.1 - 0.9 and 5.2 + 1.8.
    assert v09.metrics["source_row"].value == pytest.approx(4.2, abs=0.05)
    assert v09.metrics["source_column"].value == pytest.approx(7.0, abs=0.05)
    assert v09.details["nearest"]["star_id"] == "SIM 2-1"
    assert v09.metrics["target_probability"].value < 0.01


def test_the_ghost_is_called_one_and_planets_are_not() -> None:
    assert verdicts("ghost-with-dumps")["V20"] == "fail"
    metrics = check("ghost-with-dumps")[0]["V20"].metrics
    assert metrics["halo_excess_sigma"].value > 3.0
    assert metrics["snr"].value >= 8.0


def test_flagged_cadences_of_the_ghost_scene_are_unused_and_counted_by_bit() -> None:
    pixels, stack = read_back("ghost-with-dumps")[0]
    assert set(pixels.removed_by_bit) == {3, 4, 5, 6, 8}
    assert set(pixels.flagged_by_bit) == {3, 4, 5, 6, 8, 12, 13}
    masked = (stack.quality & pixels.quality_mask) > 0
    assert not stack.used[masked].any()
    assert stack.used[(stack.quality & 4096) > 0].any()  # bit 13 is counted, not masked


def test_dips_spoilt_by_an_argabrightening_and_by_scattered_light_are_dropped_with_their_reasons() -> None:
    transits = {transit.number: transit for transit in check("ghost-with-dumps")[1]}
    assert not transits[2].used
    assert "Argabrightening" in transits[2].reason
    assert "side cut" in transits[5].reason  # scattered light rises through it
    assert all(transits[number].used for number in (0, 1, 3, 4, 6))


def test_one_transit_earns_a_warning_at_most_and_says_low_transits() -> None:
    results, transits = check("single-transit")
    assert [transit.used for transit in transits] == [True]
    for check_id in ("V08", "V09"):
        assert str(results[check_id].verdict) in {"pass", "warn"}
        assert "LOW_TRANSITS" in results[check_id].flags


def test_verdicts_and_rounded_numbers_do_not_hang_on_the_last_bit_of_a_pixel() -> None:
    from dataclasses import replace

    (ephemeris,) = load_scene(scenes_folder() / "ghost-with-dumps.toml").ephemerides
    stack = read_back("ghost-with-dumps")[0][1]
    direction = np.random.default_rng(5).choice(np.array([-np.inf, np.inf], dtype=np.float32), stack.flux.shape)
    shaken = run_pixel_checks(replace(stack, flux=np.nextafter(stack.flux, direction)), ephemeris)
    for result in shaken.results:
        original = check("ghost-with-dumps")[0][result.check_id]
        assert result.verdict == original.verdict
        assert result.flags == original.flags
        for name, metric in result.metrics.items():
            value = original.metrics[name].value
            assert metric.value == pytest.approx(value, rel=5e-3, abs=1e-4), (result.check_id, name)
