"""Real pixels: the sector-83 file of TIC 188646744, and a Kepler star whose signal comes from a neighbour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from btv_report.checks.inputs import PixelStack
from btv_report.checks.result import Verdict
from btv_report.checks.run import SectorChecks, run_pixel_checks
from btv_report.ephemeris import Ephemeris

pytestmark = pytest.mark.data


def read(path: Path, **parts: Any) -> PixelStack:
    from astropy.io import fits

    with fits.open(path) as hdus:
        table = hdus[1].data
        time = np.array(table["TIME"], dtype=np.float64)
        flux = np.array(table["FLUX"], dtype=np.float32)
        errors = np.array(table["FLUX_ERR"], dtype=np.float32)
        aperture = (np.array(hdus[2].data) & 2) > 0
    used = np.isfinite(time) & np.isfinite(flux).any(axis=(1, 2))
    cadence_s = float(np.median(np.diff(time[used]))) * 86400
    return PixelStack(
        time_btjd=time,
        flux=flux,
        flux_err=errors,
        used=used,
        quality=np.zeros(len(time), np.int32),
        cadence_s=cadence_s,
        aperture_mask=aperture,
        **parts,
    )


@pytest.fixture(scope="module")
def sector_83(data_folder: Path) -> SectorChecks:
    (path,) = data_folder.glob("mirror/**/tess2024249191853-s0083-0000000188646744-*_tp.fits.gz")
    turn = np.radians(40.0)
    sky = 21.0 * np.array([[-np.cos(turn), np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    stack = read(path, sector=83, target_row=5.667, target_column=4.533, sky_per_pixel_arcsec=sky)
    return run_pixel_checks(stack, Ephemeris(14.2423724, 3540.26317, 4.046, name="5807.01"))


def result(checks: SectorChecks, check_id: str) -> Any:
    return next(result for result in checks.results if result.check_id == check_id)


def test_two_transits_with_the_known_depths_and_peaks(sector_83: SectorChecks) -> None:
    first, second = sector_83.transits
    assert first.used
    assert second.used
    assert first.depth_ppm == pytest.approx(219, abs=3)
    assert second.depth_ppm == pytest.approx(270, abs=3)
    assert first.depth_ppm_err == pytest.approx(64, abs=4)
    assert (first.peak_row, first.peak_column) == (6, 6)
    assert (second.peak_row, second.peak_column) == (6, 4)


def test_difference_image_peaks_on_the_star_and_is_called_weak(sector_83: SectorChecks) -> None:
    source = result(sector_83, "V09")
    assert (source.metrics["peak_row"].value, source.metrics["peak_column"].value) == (6, 5)
    assert 5 <= source.metrics["snr"].value <= 6.5
    assert source.verdict is Verdict.WARN
    assert "weak" in source.summary
    assert {"LOW_SNR", "LOW_TRANSITS"} <= set(source.flags)
    assert source.metrics["target_delta_chi2"].value < 11.8
    peaks = [(peak["row"], peak["column"]) for peak in source.details["per_transit_peaks"]]
    assert peaks == [(6, 6), (6, 4)]


def test_fit_does_not_run_to_the_pixel_that_moved_in_one_transit(sector_83: SectorChecks) -> None:
    source = result(sector_83, "V09").details["source"]
    assert np.hypot(source["row"] - 5.667, source["column"] - 4.533) < 1.0


def test_centroid_warns_at_most_on_two_transits(sector_83: SectorChecks) -> None:
    shift = result(sector_83, "V08")
    assert shift.verdict in {Verdict.PASS, Verdict.WARN}
    assert "LOW_TRANSITS" in shift.flags
    assert 30 < shift.metrics["n_independent_windows"].value < 200


def test_depth_against_radius_and_ghost_see_a_star_like_signal(sector_83: SectorChecks) -> None:
    assert result(sector_83, "V10").verdict is Verdict.PASS
    ghost = result(sector_83, "V20")
    assert ghost.verdict is Verdict.PASS
    assert ghost.metrics["core_correlation"].value > 4 > abs(ghost.metrics["halo_correlation"].value)


def test_signal_of_a_neighbour_in_kepler_pixels_is_placed_off_the_target(data_folder: Path) -> None:
    path = data_folder / "tpf" / "kepler_kic6804648_q10_contaminated_1000cad.fits"
    checks = run_pixel_checks(read(path, sector=10), Ephemeris(0.700606, 131.59767, 0.993))
    source = result(checks, "V09")
    assert sum(row.used for row in checks.transits) > 20
    assert (source.metrics["peak_row"].value, source.metrics["peak_column"].value) == (4, 1)
    assert source.metrics["offset_sigma"].value > 5
    assert source.verdict is Verdict.WARN  # no coordinates were given, and the signal is weak
    assert "away from the target" in source.summary
    assert [star["star_id"] for star in source.details["neighbours"]] == ["target"]
