"""The light curve is the sum of the aperture, diluted as the truth says; its corrected form gives the true depth back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from btv_report.quality import DEFAULT_QUALITY_MASK
from btv_report.simulation.light_curve import extract_light_curve
from btv_report.simulation.pixels import SimulatedSector, simulate
from btv_report.simulation.scene import Scene

MakeScene = Callable[..., Scene]
LONG = (("length_days = 2.0", "length_days = 12.0"),)


def depth_of(sector: SimulatedSector, flux: NDArray[np.float64]) -> float:
    """Depth between the flat bottom and one duration on either side, mean over the transits."""
    phase = np.abs((sector.time_btjd - 1800.5 + 0.45) % 0.9 - 0.45)
    inside = (phase < 0.37 * 0.125) & np.isfinite(flux)
    outside = (phase > 0.6 * 0.125) & (phase < 1.6 * 0.125) & np.isfinite(flux)
    return float(1.0 - flux[inside].mean() / flux[outside].mean())


def test_sap_flux_is_the_sum_of_the_aperture(small_scene: Scene) -> None:
    sector = simulate(small_scene).sectors[0]
    curve = extract_light_curve(sector)
    np.testing.assert_allclose(curve.sap_flux, sector.flux[:, sector.aperture].sum(axis=1, dtype=np.float64), rtol=1e-9)
    np.testing.assert_allclose(
        curve.sap_background, sector.background[:, sector.aperture].sum(axis=1, dtype=np.float64), rtol=1e-9
    )
    variance = (sector.flux_err[:, sector.aperture].astype(np.float64) ** 2).sum(axis=1)
    np.testing.assert_allclose(curve.sap_flux_err, np.sqrt(variance), rtol=1e-9)


def test_a_transit_on_the_target_is_diluted_by_the_other_stars(make_scene: MakeScene) -> None:
    sector = simulate(make_scene(*LONG)).sectors[0]
    truth = sector.signals[0]
    assert truth.aperture_depth == pytest.approx(0.01 * sector.crowdsap)
    assert sector.crowdsap < 0.97  # the dilution is there to be seen
    assert depth_of(sector, extract_light_curve(sector).sap_flux) == pytest.approx(truth.aperture_depth, rel=0.01)


def test_an_eclipse_of_the_neighbour_leaks_in_by_its_share(make_scene: MakeScene) -> None:
    scene = make_scene(('source = "target"', 'source = "SIM 99-1"'), ("depth = 0.01", "depth = 0.4"), *LONG)
    sector = simulate(scene).sectors[0]
    target, neighbour = sector.stars
    share = neighbour.aperture_flux_e_per_s / (target.aperture_flux_e_per_s + neighbour.aperture_flux_e_per_s)
    assert sector.signals[0].aperture_depth == pytest.approx(0.4 * share)
    assert depth_of(sector, extract_light_curve(sector).sap_flux) == pytest.approx(0.4 * share, rel=0.01)


def test_pdcsap_gives_the_depth_and_the_flux_of_the_star_back(make_scene: MakeScene) -> None:
    sector = simulate(make_scene(*LONG)).sectors[0]
    curve = extract_light_curve(sector)
    assert depth_of(sector, curve.pdcsap_flux) == pytest.approx(0.01, rel=0.01)
    phase = np.abs((sector.time_btjd - 1800.5 + 0.45) % 0.9 - 0.45)
    assert np.nanmean(curve.pdcsap_flux[phase > 0.1]) == pytest.approx(sector.stars[0].flux_e_per_s, rel=0.005)
    np.testing.assert_allclose(curve.pdcsap_flux_err, curve.sap_flux_err / sector.flfrcsap)


def test_pdcsap_has_no_pointing_drift_left(make_scene: MakeScene) -> None:
    scene = make_scene(("depth = 0.01", "depth = 0.00001"), ("per_day = 0.004", "per_day = 0.05"), *LONG)
    sector = simulate(scene).sectors[0]
    curve = extract_light_curve(sector)
    early, late = sector.time_btjd < 1803.0, sector.time_btjd > 1809.0

    def slope(flux: NDArray[np.float64]) -> float:
        return float(abs(np.nanmean(flux[late]) / np.nanmean(flux[early]) - 1.0))

    assert slope(curve.sap_flux) > 1e-3
    assert slope(curve.pdcsap_flux) < 2e-4


def test_flagged_cadences_have_sap_but_no_pdcsap(make_scene: MakeScene) -> None:
    extra = "\n[[flagged]]\nstart_btjd = 1800.9\nend_btjd = 1801.0\nbits = [3]\n"
    extra += "\n[[flagged]]\nstart_btjd = 1801.2\nend_btjd = 1801.3\nbits = [13]\n"
    sector = simulate(make_scene(extra=extra)).sectors[0]
    curve = extract_light_curve(sector)
    masked = (sector.quality & DEFAULT_QUALITY_MASK) > 0
    assert int(masked.sum()) == 72
    assert np.array_equal(np.isnan(curve.pdcsap_flux), masked)
    assert np.all(np.isfinite(curve.sap_flux))


def test_a_sector_with_nothing_but_flags_has_no_pdcsap(make_scene: MakeScene) -> None:
    extra = "\n[[flagged]]\nstart_btjd = 1799.0\nend_btjd = 1899.0\nbits = [8]\n"
    sector = simulate(make_scene(extra=extra)).sectors[0]
    assert np.all(np.isnan(extract_light_curve(sector).pdcsap_flux))


def test_the_centroid_lies_between_the_stars_in_stamp_pixels(still_scene: Scene) -> None:
    sector = simulate(still_scene).sectors[0]
    curve = extract_light_curve(sector)
    rows, columns = np.nonzero(sector.aperture)
    flux = sector.flux[:, sector.aperture].astype(np.float64)
    np.testing.assert_allclose(curve.row_centroid, (flux * rows).sum(axis=1) / flux.sum(axis=1), rtol=1e-6)
    np.testing.assert_allclose(curve.column_centroid, (flux * columns).sum(axis=1) / flux.sum(axis=1), rtol=1e-6)
    # In transit the neighbour draws the centroid to itself.
    quiet = np.abs((sector.time_btjd - 1800.5 + 0.45) % 0.9 - 0.45) > 0.07
    assert curve.row_centroid[~quiet].mean() < curve.row_centroid[quiet].mean() - 1e-4
    assert np.std(curve.row_centroid[quiet]) == pytest.approx(np.median(curve.row_centroid_err), rel=0.05)
