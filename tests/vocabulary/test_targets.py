"""Targets: names, headers, motion."""

from __future__ import annotations

import pytest

from btv_report.targets import SkyPosition, StellarParameters, Target


def test_header_zeros_that_mean_unknown_are_not_values() -> None:
    header = {
        "RA_OBJ": 65.4,
        "DEC_OBJ": 28.4,
        "TESSMAG": 0.0,
        "TEFF": 0.0,
        "LOGG": 0.0,
        "RADIUS": 0.0,
        "PMRA": 0.0,
        "PMDEC": 0.0,
    }
    target = Target.from_header(header, tic_id=1, source="header of x")
    assert target.tmag is None
    assert target.stellar == StellarParameters()
    assert target.position == SkyPosition(65.4, 28.4)
    assert not target.position.pm_known


def test_proper_motion_in_ra_is_times_cos_dec() -> None:
    start = SkyPosition(10.0, 60.0, 1000.0, -1000.0, 2000.0, pm_known=True)
    moved = start.at_year(2018.0)
    assert moved.dec_deg == pytest.approx(60.0 - 18.0 / 3600.0)
    # 18 arcsec on the sky is 36 arcsec of RA at declination 60
    assert moved.ra_deg == pytest.approx(10.0 + 36.0 / 3600.0, abs=1e-6)


def test_position_without_known_motion_stays() -> None:
    start = SkyPosition(10.0, 60.0)
    assert start.at_year(2025.0) == start


@pytest.mark.parametrize("field", ["teff_k", "radius_rsun", "mass_msun", "luminosity_lsun", "contamination"])
def test_negative_stellar_parameters_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        StellarParameters(**{field: -1.0})


@pytest.mark.parametrize("motion", [(-9999.0, -9999.0), (12.0, -9999.0), (11001.0, 0.0)])
def test_a_motion_that_no_star_has_is_not_known(motion: tuple[float, float]) -> None:
    header = {"RA_OBJ": 65.4, "DEC_OBJ": 28.4, "PMRA": motion[0], "PMDEC": motion[1]}
    target = Target.from_header(header, tic_id=1, source="header of x")
    assert target.position == SkyPosition(65.4, 28.4)
