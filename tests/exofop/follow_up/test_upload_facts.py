"""What an observer's file states of its night, telescope and filter, in its text and its name."""

from __future__ import annotations

import pytest

from btv_report.exofop.curves.upload_facts import Observation, iso_date, observation_of_name

LIGHT_CURVES = {
    "TIC9-01_20230428_LCO-MCD-1m0_gp_measurements.tbl": Observation("2023-04-28", "gp", "LCO-MCD-1m0"),
    "441891_TIC9-01_20230428_LCO-MCD-1m0_gp_measurements.tbl": Observation("2023-04-28", "gp", "LCO-MCD-1m0"),
    "20230428_TIC9-01_20240202_KeplerCam_ip.dat": Observation("2024-02-02", "ip", "KeplerCam"),
    "TOI9.01L-jd20220630_MuSCAT3_g_measurements.csv": Observation("2022-06-30", "g", "MuSCAT3"),
    "TOI_9.01_2022-07-22_R_measurements_AIJ.xls": Observation("2022-07-22", "R", None),
    "TOI9-01_20230510_i_TCS_MuSCAT2_Raw.dat": Observation("2023-05-10", "i", "TCS MuSCAT2"),
    "TIC9_LC_cleaned_ap20.dat": Observation(None, None, None),
    "TIC9_20231399_V.dat": Observation(None, "V", None),
    "": Observation(None, None, None),
}

IMAGES = {
    "TOI9_20220317_562.dat": Observation("2022-03-17", "562 nm", None),
    "TOI9I-dc20230608-Hcont_plot.tbl": Observation("2023-06-08", "Hcont", None),
    "cc_TOI9I-ef20200606-832_sensitivity.csv": Observation("2020-06-06", "832 nm", None),
    "clean_TOI9_K_band.csv": Observation(None, "K", None),
    "clean_TOI9_Brgamma.csv": Observation(None, "Brgamma", None),
    "TOI465_01_contrastcurve.csv": Observation(None, None, None),
}


@pytest.mark.parametrize(("name", "expected"), LIGHT_CURVES.items())
def test_names_of_light_curves(name: str, expected: Observation) -> None:
    assert observation_of_name(name, is_imaging=False) == expected


@pytest.mark.parametrize(("name", "expected"), IMAGES.items())
def test_names_of_images(name: str, expected: Observation) -> None:
    assert observation_of_name(name, is_imaging=True) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2022-3-17", "2022-03-17"), ("UT 2022/12/01", "2022-12-01"), ("2022-02-30", None), ("2022", None)],
)
def test_only_dates_that_exist(text: str, expected: str | None) -> None:
    assert iso_date(text) == expected
