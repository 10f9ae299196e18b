"""The pixels hold what the scene says: stars, motion, signals, noise, mishaps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from btv_report.quality import MOMENTUM_DUMP, count_bits
from btv_report.simulation.pixels import SimulatedSector, pixel_response, simulate
from btv_report.simulation.scene import PointSpread, Scene, flux_of_tmag

MakeScene = Callable[..., Scene]
FloatImage = NDArray[np.float64]


def only_sector(scene: Scene) -> SimulatedSector:
    return simulate(scene).sectors[0]


def centroid(image: FloatImage) -> tuple[float, float]:
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    return float((image * rows).sum() / image.sum()), float((image * columns).sum() / image.sum())


def difference_image(sector: SimulatedSector, mid: float, period: float, duration_days: float) -> FloatImage:
    phase = np.abs((sector.time_btjd - mid + 0.5 * period) % period - 0.5 * period)
    inside, outside = phase < 0.35 * duration_days, phase > 0.6 * duration_days
    flux = sector.flux.astype(np.float64)
    return np.asarray(flux[outside].mean(axis=0) - flux[inside].mean(axis=0), dtype=np.float64)


def test_the_response_sums_to_one_and_is_centred_on_the_star() -> None:
    response = pixel_response(np.array([20.3]), np.array([19.6]), (41, 41), PointSpread(1.7, 4.5, 0.12))[0]
    assert response.sum() == pytest.approx(1.0, abs=1e-9)
    assert centroid(response) == pytest.approx((20.3, 19.6), abs=2e-5)


def test_the_response_is_as_wide_as_tess_stars() -> None:
    # A star at a pixel's middle gives that pixel about a quarter to a third of its light.
    response = pixel_response(np.array([5.0]), np.array([5.0]), (11, 11), PointSpread(1.7, 4.5, 0.12))[0]
    assert 0.2 < response[5, 5] < 0.35


def test_rows_and_columns_are_not_swapped(make_scene: MakeScene) -> None:
    sector = only_sector(make_scene(("tmag = 11.0", "tmag = 20.0")))
    image = np.nanmean(sector.flux, axis=0).astype(np.float64)
    assert divmod(int(np.argmax(image)), image.shape[1]) == (6, 4)
    assert (sector.stars[0].row, sector.stars[0].column) == pytest.approx((6.3, 4.4), abs=1e-6)


def test_the_total_flux_is_that_of_the_magnitudes(still_scene: Scene) -> None:
    sector = only_sector(still_scene)
    inside = sector.stars[0].flux_e_per_s + sector.stars[1].flux_e_per_s
    assert sector.stars[0].flux_e_per_s == flux_of_tmag(9.0)
    total = np.median(sector.flux.sum(axis=(1, 2)))
    assert 0.96 < total / inside < 1.0  # some wing falls outside the stamp


def test_the_same_scene_gives_the_same_arrays_and_another_seed_others(make_scene: MakeScene) -> None:
    first, second = only_sector(make_scene()), only_sector(make_scene())
    assert first.flux.tobytes() == second.flux.tobytes()
    assert first.row_shift_px.tobytes() == second.row_shift_px.tobytes()
    other = only_sector(make_scene(("seed = 7", "seed = 8")))
    assert not np.array_equal(first.flux, other.flux)


def test_errors_are_those_of_the_noise(still_scene: Scene) -> None:
    sector = only_sector(still_scene)
    difference = np.diff(sector.flux.astype(np.float64), axis=0) / np.sqrt(2.0)
    ratio = difference.std(axis=0) / sector.flux_err.mean(axis=0)
    assert np.median(ratio) == pytest.approx(1.0, abs=0.02)
    assert 0.9 < ratio.min() <= ratio.max() < 1.1


def test_errors_match_a_real_star_of_the_same_brightness(make_scene: MakeScene) -> None:
    # SPOC gives 5.2 e-/s for a pixel of 2255 e-/s on a sky of 85 e-/s, and 1.2 e-/s for an empty one (TIC 25155310, S1).
    sector = only_sector(make_scene(("[noise]", "[noise]\nbackground_e_per_s = 85.0")))
    flux, error = sector.flux.mean(axis=0), sector.flux_err.mean(axis=0)
    expected = np.sqrt((flux + 85.0) * (5.2**2 - 1.2**2) / 2255.0 + 1.2**2 - 85.0 * (5.2**2 - 1.2**2) / 2255.0)
    np.testing.assert_allclose(error, expected, rtol=0.15)


def test_jitter_moves_all_stars_together(make_scene: MakeScene) -> None:
    moved = only_sector(
        make_scene(
            ("drift_row_px_per_day = 0.004", "jitter_px = 0.05\nfast_jitter_px = 0.0"), ("tmag = 11.0", "tmag = 9.0")
        )
    )
    shift = moved.row_shift_px
    up, down = shift > np.quantile(shift, 0.9), shift < np.quantile(shift, 0.1)
    expected = shift[up].mean() - shift[down].mean()
    quiet = np.abs((moved.time_btjd - 1800.5 + 0.45) % 0.9 - 0.45) > 0.07
    change = moved.flux[up & quiet].mean(axis=0) - moved.flux[down & quiet].mean(axis=0)
    response = np.zeros(change.shape)
    for star in moved.stars:
        for sign in (1, -1):
            where = np.array([star.row + 0.5 * sign * expected]), np.array([star.column])
            response += sign * star.flux_e_per_s * pixel_response(*where, change.shape, PointSpread(1.7, 4.5, 0.12))[0]
    # Both stars' dipoles at once; a star left behind would miss half of the pattern.
    assert np.corrcoef(change.ravel(), response.ravel())[0, 1] > 0.97
    assert np.abs(change - response).max() < 0.25 * np.abs(response).max()


def test_slow_jitter_has_the_stated_size_and_memory(make_scene: MakeScene) -> None:
    scene = make_scene(
        ("drift_row_px_per_day = 0.004", "jitter_px = 0.02\nfast_jitter_px = 0.0"),
        ("length_days = 2.0", "length_days = 28.0"),
    )
    shift = only_sector(scene).column_shift_px
    lag = round(3.3 * 30)
    assert shift.std() == pytest.approx(0.02, rel=0.2)
    assert np.corrcoef(shift[:-lag], shift[lag:])[0, 1] == pytest.approx(np.exp(-1.0), abs=0.15)


def test_drift_is_zero_at_mid_sector_and_as_fast_as_stated(make_scene: MakeScene) -> None:
    still = "drift_row_px_per_day = 0.004\njitter_px = 0.0\nfast_jitter_px = 0.0\ndrift_column_px_per_day = -0.01"
    sector = only_sector(make_scene(("drift_row_px_per_day = 0.004", still)))
    assert np.median(sector.row_shift_px) == pytest.approx(0.0, abs=1e-9)
    assert np.ptp(sector.row_shift_px) == pytest.approx(0.008, rel=1e-3)
    assert np.all(np.diff(sector.column_shift_px) < 0)


def test_the_difference_image_of_a_transit_on_the_target_peaks_on_it(still_scene: Scene) -> None:
    image = difference_image(only_sector(still_scene), 1800.5, 0.9, 0.125)
    assert divmod(int(np.argmax(image)), image.shape[1]) == (6, 4)


def test_the_difference_image_of_a_neighbours_eclipse_is_its_own_image(make_scene: MakeScene) -> None:
    changes = (('source = "target"', 'source = "SIM 99-1"'), ("depth = 0.01", "depth = 0.5"))
    still = ("drift_row_px_per_day = 0.004", "jitter_px = 0.0\nfast_jitter_px = 0.0")
    sector = only_sector(make_scene(*changes, still))
    neighbour = sector.stars[1]
    assert (neighbour.row, neighbour.column) == pytest.approx((4.3, 4.9), abs=1e-5)
    image = difference_image(sector, 1800.5, 0.9, 0.125)
    own = pixel_response(np.array([4.3]), np.array([4.9]), image.shape, PointSpread(1.7, 4.5, 0.12))[0]
    np.testing.assert_allclose(image, 0.5 * neighbour.flux_e_per_s * own, atol=4.0)
    assert image.max() > 300.0


def test_a_secondary_eclipse_lies_half_a_period_later(make_scene: MakeScene) -> None:
    still = ("drift_row_px_per_day = 0.004", "jitter_px = 0.0\nfast_jitter_px = 0.0")
    sector = only_sector(make_scene(("depth = 0.01", "depth = 0.01\nsecondary_depth = 0.004"), still))
    total = sector.flux.sum(axis=(1, 2), dtype=np.float64)
    level = np.mean(total[np.abs((sector.time_btjd - 1800.5) % 0.45 - 0.225) < 0.14])
    dips = [1.0 - np.mean(total[np.abs(sector.time_btjd - mid) < 0.04]) / level for mid in (1800.5, 1800.95, 1800.72)]
    share = sector.stars[0].flux_e_per_s / sum(star.flux_e_per_s for star in sector.stars)
    assert dips[0] == pytest.approx(0.01 * share, rel=0.05)
    assert dips[1] == pytest.approx(0.004 * share, rel=0.08)
    assert dips[2] == pytest.approx(0.0, abs=2e-4)


def test_a_ghosts_dip_is_as_wide_as_the_ghost(make_scene: MakeScene) -> None:
    ghost = '\n[[ghosts]]\nid = "ghost"\npeak_e_per_s = 40.0\nfwhm_px = 30.0\n'
    still = ("drift_row_px_per_day = 0.004", "jitter_px = 0.0\nfast_jitter_px = 0.0")
    sector = only_sector(
        make_scene(('source = "target"', 'source = "ghost"'), ("depth = 0.01", "depth = 0.5"), still, extra=ghost)
    )
    image = difference_image(sector, 1800.5, 0.9, 0.125)
    assert image[6, 4] == pytest.approx(20.0, abs=3.0)
    assert image[0, 10] == pytest.approx(20.0 * 0.5 ** ((6.3**2 + 5.6**2) / 15.0**2), abs=1.0)


MISHAPS = """
[[momentum_dumps]]
first_btjd = 1795.25
every_days = 1.25
n_cadences = 4
kick_px = 0.5

[[flagged]]
start_btjd = 1800.9
end_btjd = 1801.0
bits = [3, 8]

[[scattered_light]]
start_btjd = 1801.2
end_btjd = 1801.6
peak_e_per_s = 500.0
residual_fraction = 0.1
bits = [12, 13]

[[missing]]
start_btjd = 1801.7
end_btjd = 1801.75
"""


def test_mishaps_set_their_bits_and_no_others(make_scene: MakeScene) -> None:
    gap = ("ccd = 4", "ccd = 4\ngap_start_btjd = 1801.0\ngap_days = 0.1")
    sector = only_sector(make_scene(gap, extra=MISHAPS))
    # Dumps at 1800.25 and 1801.5; the light is above half its peak for half of its 0.4 days.
    assert count_bits(sector.quality) == {3: 72, 4: 72, 6: 8, 8: 72, 12: 144, 13: 144}


def test_a_momentum_dump_kicks_all_stars_only_while_flagged(make_scene: MakeScene) -> None:
    sector = only_sector(make_scene(extra=MISHAPS))
    dump = (sector.quality & MOMENTUM_DUMP) > 0
    away = np.hypot(sector.row_shift_px, sector.column_shift_px)
    assert away[dump].max() == pytest.approx(0.5, abs=0.02)
    assert away[dump].min() > 0.1
    assert away[~dump].max() < 0.03


def test_the_gap_has_no_time_and_missing_cadences_no_flux(make_scene: MakeScene) -> None:
    gap = ("ccd = 4", "ccd = 4\ngap_start_btjd = 1801.0\ngap_days = 0.1")
    sector = only_sector(make_scene(gap, extra=MISHAPS))
    no_flux = np.isnan(sector.flux[:, 0, 0])
    assert int(np.isnan(sector.time_btjd).sum()) == 72
    assert int(no_flux.sum()) == 72 + 36
    assert np.array_equal(no_flux, np.isnan(sector.flux_err[:, 5, 5]))
    assert np.array_equal(no_flux, np.isnan(sector.background[:, 5, 5]))
    assert np.all(np.diff(sector.cadence_number) == 1)


def test_scattered_light_is_subtracted_but_for_its_residual(make_scene: MakeScene) -> None:
    sector = only_sector(make_scene(extra=MISHAPS))
    peak, before = np.abs(sector.time_btjd - 1801.4) < 0.01, np.abs(sector.time_btjd - 1801.1) < 0.01
    rise = sector.background[peak].mean() - sector.background[before].mean()
    left = sector.flux[peak][:, 0, :].mean() - sector.flux[before][:, 0, :].mean()
    assert rise == pytest.approx(500.0, rel=0.02)
    assert left == pytest.approx(50.0, rel=0.05)
    assert sector.flux_err[peak][:, 0, 0].mean() > 2.0 * sector.flux_err[before][:, 0, 0].mean()


def test_twenty_second_cadences_are_shorter_and_noisier(make_scene: MakeScene) -> None:
    fast = only_sector(make_scene(("ccd = 4", "ccd = 4\ncadence_s = 20"), ("length_days = 2.0", "length_days = 0.5")))
    slow = only_sector(make_scene(("length_days = 2.0", "length_days = 0.5")))
    assert fast.time_btjd.size == 6 * slow.time_btjd.size
    # Ten frames without cosmic-ray mitigation against sixty with it: sqrt(60 * 0.8 / 10).
    ratio = np.median(fast.flux_err.mean(axis=0) / slow.flux_err.mean(axis=0))
    assert ratio == pytest.approx(np.sqrt(4.8), rel=0.02)


def test_the_aperture_covers_the_target_and_the_shares_are_shares(small_scene: Scene) -> None:
    sector = only_sector(small_scene)
    assert sector.aperture[6, 4]
    assert 4 <= int(sector.aperture.sum()) <= 30
    assert 0.7 < sector.flfrcsap < 0.99
    assert 0.8 < sector.crowdsap < 1.0
    in_aperture = sum(star.aperture_flux_e_per_s for star in sector.stars)
    assert sector.crowdsap == pytest.approx(sector.stars[0].aperture_flux_e_per_s / in_aperture)


def test_a_star_outside_the_stamp_is_kept_with_its_light(make_scene: MakeScene) -> None:
    sector = only_sector(make_scene(("row_offset_px = -2.0", "row_offset_px = -8.0")))
    assert sector.stars[1].row == pytest.approx(-1.7, abs=1e-5)
    assert sector.stars[1].aperture_flux_e_per_s > 0.0
