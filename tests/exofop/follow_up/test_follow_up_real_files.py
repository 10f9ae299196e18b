"""Every real upload loads, or is refused with a true reason; the numbers are those of the files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from tests.exofop.follow_up.conftest import reason_of

from btv_report.errors import ProductRefusedError
from btv_report.exofop.contrast_curves import load_exofop_contrast_curve_dat
from btv_report.exofop.curves.external_light_curves import load_external_light_curve

pytestmark = pytest.mark.data

NO_LIGHT_CURVES = {
    "TIC119585136-01_20230510_MuSCAT2_i_measurements.tbl": "it has the raw counts of 37 stars",
    "TOI_3505.01_2022-07-22_R_70-139.apertures": "AstroImageJ's settings and the places of the apertures",
}

POINTS = {
    "TIC-466_20210803_SAAO_BJD.dat": (970, "BJD_TDB"),
    "TIC23863105-01_20230326_LCO-McD-1m0_V_measurements.tbl": (30, "BJD_TDB"),
    "TIC23863105-01_20230428_LCO-MCD-1m0_gp_measurements.tbl": (31, "BJD_TDB"),
    "TIC23863106-01_20220608_KeplerCam_ip.dat": (45, "BJD_TDB"),
    "TIC466206508_LC_cleaned_ap20.dat": (78, "HJD_UTC"),
    "TOI5634-01_20230510_i_TCS_MuSCAT2_Detrended.dat": (284, "unlabelled"),
    "TOI5634-01_20230510_i_TCS_MuSCAT2_Raw.dat": (284, "unlabelled"),
    "TOI5671.01L-jd20220630_MuSCAT3_g_measurements.csv": (120, "BJD_TDB"),
    "TOI5671.01L-jd20220630_MuSCAT3_i_measurements.csv": (381, "BJD_TDB"),
    "TOI6449b-jd20240128_MuSCAT4_g_measurements.csv": (100, "BJD_TDB"),
    "TOI6449b-jd20240128_MuSCAT4_i_measurements.csv": (273, "BJD_TDB"),
    "TOI_3505.01_2022-07-22_R_measurements_AIJ.xls": (281, "BJD_TDB"),
}


def last_pairs(text: str) -> dict[float, float]:
    """An independent reader: the first two numbers of the lines of a file's last run of numbers, without those that are 0."""
    pairs: dict[float, float] = {}
    for line in text.splitlines():
        cells = [cell for cell in re.split(r"[,\s]+", line.strip()) if cell]
        try:
            separation, limit = (float(cell) for cell in cells[:2])
        except ValueError:
            pairs = pairs if not cells else {}
            continue
        if separation > 0 and limit > 0:
            pairs[separation] = limit
    return pairs


def test_every_real_contrast_curve_loads_with_the_numbers_of_its_file(shared_exofop: Path) -> None:
    paths = sorted((shared_exofop / "payload_imaging").iterdir())
    assert len(paths) == 15
    for path in paths:
        curve = load_exofop_contrast_curve_dat(path)
        found = dict(zip(curve.separation_arcsec.tolist(), curve.delta_mag.tolist(), strict=True))
        assert found == last_pairs(path.read_text()), path.name
        assert curve.filter is not None or path.name in {
            "TOI1228_cc.tbl",
            "TOI175I-em20190128-nacocc.csv",
            "TOI465_01_contrastcurve.csv",
        }


def test_the_real_gemini_and_palomar_headers_are_read(shared_exofop: Path) -> None:
    zorro = load_exofop_contrast_curve_dat(shared_exofop / "payload_imaging" / "TOI2000_20220317_562.dat")
    assert (zorro.filter, zorro.instrument, zorro.date) == ("562 nm", "Gemini South, camera b", "2022-03-17")
    assert len(zorro.delta_mag) == 116
    pharo = load_exofop_contrast_curve_dat(shared_exofop / "payload_imaging" / "TOI5671I-dc20230608-Hcont_plot.tbl")
    assert (pharo.filter, pharo.instrument, pharo.date) == ("Hcont", "Palomar-5m, PHARO", "2023-06-08")


def test_every_real_light_curve_loads_or_is_refused_with_a_true_reason(shared_exofop: Path) -> None:
    paths = sorted((shared_exofop / "payload_lc").iterdir())
    assert {path.name for path in paths} == POINTS.keys() | NO_LIGHT_CURVES.keys()
    for path in paths:
        if path.name in NO_LIGHT_CURVES:
            assert NO_LIGHT_CURVES[path.name] in reason_of(load_external_light_curve, path)
            continue
        curve = load_external_light_curve(path)
        assert (len(curve.flux), curve.time_system) == POINTS[path.name], path.name
        assert (curve.time_btjd is not None) == (curve.time_system == "BJD_TDB")
        assert curve.flux_err is not None
        assert 0 < float(np.median(curve.flux_err / curve.flux)) < 0.1, path.name
        assert np.ptp(curve.time_days) < 1, path.name


def test_no_real_file_is_taken_for_the_other_kind(shared_exofop: Path) -> None:
    for path in sorted((shared_exofop / "payload_lc").iterdir()):
        with pytest.raises(ProductRefusedError):
            load_exofop_contrast_curve_dat(path)
    for path in sorted((shared_exofop / "payload_imaging").iterdir()):
        with pytest.raises(ProductRefusedError):
            load_external_light_curve(path)


@pytest.mark.parametrize("folder", ["tables", "notes", "target_json"])
def test_tables_and_notes_are_neither(shared_exofop: Path, folder: str) -> None:
    small = [path for path in sorted((shared_exofop / folder).iterdir()) if path.stat().st_size < 1_000_000]
    assert small
    for path in small:
        for load in (load_exofop_contrast_curve_dat, load_external_light_curve):
            with pytest.raises(ProductRefusedError):
                load(path)
