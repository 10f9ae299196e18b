"""Light curves from the ground: the target's flux, and times that are exactly what the file says they are."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from tests.exofop.follow_up.conftest import (
    ASTROIMAGEJ_NAMES,
    CONTRAST_FILES,
    HEADERLESS,
    KEPLERCAM,
    LIGHT_CURVE_FILES,
    MUSCAT,
    NUMBERED,
    Write,
    astroimagej,
    reason_of,
)

from btv_report.exofop.curves.external_light_curves import load_external_light_curve


def test_a_muscat_table_is_read_with_its_times_to_the_last_digit(write: Write) -> None:
    curve = load_external_light_curve(write(MUSCAT, "TOI9000.01L-jd20220630_MuSCAT3_g_measurements.csv"))
    assert curve.time_days.tolist() == [2459761.754680, 2459761.756014, 2459761.757348, 2459761.758682]
    assert curve.time_system == "BJD_TDB"
    assert curve.time_btjd is not None
    np.testing.assert_allclose(curve.time_btjd, [2761.75468, 2761.756014, 2761.757348, 2761.758682], rtol=0, atol=1e-9)
    assert curve.flux.tolist() == [1.01606, 1.01010, 0.99010, 0.98732]
    assert curve.flux_err is not None
    assert curve.flux_err.tolist() == [0.01402, 0.01190, 0.01210, 0.01091]
    assert list(curve.columns) == ["Airmass", "DX(pix)", "Peak(ADU)"]
    assert curve.columns["DX(pix)"].tolist() == [0.69, -2.42, -2.10, 0.17]
    assert (curve.filter, curve.telescope, curve.date) == ("g", "MuSCAT3", "2022-06-30")
    assert curve.why_not_btjd == ""


@pytest.mark.parametrize("suffix", ["tbl", "xls", "dat", "csv", "txt"])
def test_astroimagej_s_target_flux_is_read_whatever_the_suffix(write: Write, suffix: str) -> None:
    curve = load_external_light_curve(write(astroimagej(), f"TIC9-01_20230326_LCO-McD-1m0_V_measurements.{suffix}"))
    assert curve.time_system == "BJD_TDB"
    assert curve.time_days[0] == 2460029.69
    np.testing.assert_allclose(curve.flux, [0.2389 + n / 9000 for n in range(1, 6)], atol=1e-10)
    assert curve.flux_err is not None
    assert set(curve.flux_err.tolist()) == {0.0011817166}
    assert list(curve.columns) == ["slice", "AIRMASS", "X(IJ)_T1"], "neither names, other times, nor comparison stars"
    np.testing.assert_array_equal(curve.columns["AIRMASS"], [1.58, np.nan, 1.54, 1.52, 1.5])
    assert (curve.filter, curve.telescope, curve.date) == ("V", "LCO-McD-1m0", "2023-03-26")


def test_the_target_is_the_only_t_where_there_is_no_t1(write: Write) -> None:
    curve = load_external_light_curve(write(KEPLERCAM, "TIC9-01_20220608_KeplerCam_ip.dat"))
    assert curve.flux.tolist() == [0.047652, 0.047006, 0.047106, 0.047206]
    assert curve.layout == "AstroImageJ columns, target T2"
    assert (curve.filter, curve.telescope) == ("ip", "KeplerCam")


def test_t1_is_the_target_wherever_it_stands(write: Write) -> None:
    names = ASTROIMAGEJ_NAMES.replace("rel_flux_T1", "rel_flux_T2").replace("rel_flux_C2", "rel_flux_T1")
    assert set(load_external_light_curve(write(astroimagej(names))).flux.tolist()) == {0.31}


def test_a_byte_order_mark_costs_no_row(write: Write) -> None:
    assert len(load_external_light_curve(write("\ufeff" + HEADERLESS)).flux) == 4


def test_with_several_targets_and_no_t1_nobody_guesses(write: Write) -> None:
    names = ASTROIMAGEJ_NAMES.replace("rel_flux_T1", "rel_flux_T3").replace("rel_flux_C2", "rel_flux_T4")
    assert "several targets and no rel_flux_T1" in reason_of(load_external_light_curve, write(astroimagej(names)))


def test_astroimagej_s_empty_time_column_is_passed_over(write: Write) -> None:
    text = astroimagej()
    for n in range(1, 6):
        text = text.replace(f"{2460029.685 + n / 200:.9f}", "NaN" if n % 2 else "0.0")
    curve = load_external_light_curve(write(text))
    assert curve.time_system == "JD_UTC"
    assert curve.time_btjd is None


def test_columns_listed_by_number_are_names(write: Write) -> None:
    curve = load_external_light_curve(write(NUMBERED, "TIC-9_20210803_SAAO_BJD.dat"))
    assert (curve.time_system, curve.zero_days) == ("BJD_TDB", 0.0)
    assert curve.flux.tolist() == [1.0047597585, 1.00100933, 1.0025559604]
    assert curve.flux_err is not None
    assert curve.flux_err[0] == 0.002805811
    assert list(curve.columns) == ["Airmass"]
    assert (curve.filter, curve.telescope, curve.date) == ("V", "Somewhere 1m, CAM", "2021-08-03")


def test_a_table_without_names_has_times_without_a_system(write: Write) -> None:
    curve = load_external_light_curve(write(HEADERLESS, "TOI9-01_20230510_i_TCS_MuSCAT2_Detrended.dat"))
    assert curve.time_days.tolist() == [2460075.3860414065, 2460075.3866533004, 2460075.3872653758, 2460075.3878774512]
    assert curve.time_system == "unlabelled"
    assert curve.time_btjd is None
    assert curve.why_not_btjd == "The file does not state its time system."
    assert (curve.filter, curve.telescope) == ("i", "TCS MuSCAT2")


@pytest.mark.parametrize(("unit", "scale"), [("mmag", 0.001), ("mag", 1.0)])
def test_magnitudes_become_fluxes_where_they_are_labelled(write: Write, unit: str, scale: float) -> None:
    deeper = 12 / (1000 * scale)
    rows = "".join(f"2460075.{i},{value},{2 / (1000 * scale)}\n" for i, value in enumerate((0.0, 0.0, deeper, 0.0)))
    curve = load_external_light_curve(write(f"BJD_TDB,rel_{unit},err_{unit}\n{rows}"))
    np.testing.assert_allclose(curve.flux, [1, 1, 10 ** (-0.4 * 0.012), 1])
    assert curve.flux[2] < 1, "a fainter star has a larger magnitude"
    assert curve.flux_err is not None
    np.testing.assert_allclose(curve.flux_err, curve.flux * 0.4 * np.log(10) * 0.002)
    assert curve.notes == ("Its magnitudes were turned into fluxes of median 1.",)


def test_rows_without_a_number_and_a_broken_row_cost_one_row_each(write: Write) -> None:
    text = MUSCAT.replace("1.01010", "nan") + "2459761.76,1\n2459761.761,0.99,,1.05,0.1,2000\n"
    curve = load_external_light_curve(write(text))
    assert curve.flux.tolist() == [1.01606, 0.99010, 0.98732, 0.99]
    assert curve.flux_err is not None
    assert np.isnan(curve.flux_err[3]), "a row without an error stays, without one"
    assert curve.notes == ("Rows without a time or a flux were left out: 2.",)


@pytest.mark.parametrize("text", LIGHT_CURVE_FILES.values(), ids=LIGHT_CURVE_FILES)
def test_every_light_curve_is_frozen_and_names_its_bytes(write: Write, text: str) -> None:
    path = write(text)
    curve = load_external_light_curve(path)
    assert curve.time_days.dtype == curve.flux.dtype == np.float64
    assert not any(values.flags.writeable for values in (curve.time_days, curve.flux, *curve.columns.values()))
    assert curve.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


REFUSED = {
    "apertures": (
        "#AstroImageJ Saved Apertures\n#Thu\n.aperture.radius=35.0\n",
        "places of the apertures, and no photometry",
    ),
    "raw counts": (
        "BJD_TDB flux_star_0 flux_star_1\n" + "2460075.4 96165.4 2013622.6\n" * 3,
        "the raw counts of 2 stars",
    ),
    "no time": ("flux,err,airmass\n" + "1,0.1,1\n" * 3, "none of its columns is named as a time"),
    "no flux": ("BJD_TDB,err,airmass\n" + "2460075.4,0.1,1\n" * 3, "none of its columns is named as a flux"),
    "two fluxes": (
        "BJD_TDB,flux_raw,flux_flat\n" + "2460075.4,1,1\n" * 3,
        "several of its columns are named as fluxes",
    ),
    "ppt": ("BJD_TDB,flux_ppt\n" + "2460075.4,1\n" * 3, "its flux is in ppt"),
    "magnitudes without a name": ("2460075.4 12.1 0.01\n" * 3, "so it may be magnitudes or counts"),
    "third column no error": ("2460075.4 1.0 12.0\n" * 3, "the third one does not look like an error"),
    "spectrum": ("5000 1.0 0.1\n5001 0.9 0.1\n5005 1.1 0.1\n", "the first one does not look like days"),
    "five columns": ("2460075.4 1.0 0.1 1.2 3.4\n" * 3, "its 5 columns have no names"),
    "two tables": ("a b c\n" + "1 2 3\n" * 3 + "# then\n" + "1 2 3\n" * 3, "it has 2 tables of numbers"),
    "no numbers": ("BJD_TDB,flux\n", "it has no table of at least 3 rows"),
    "no value": ("BJD_TDB,flux,airmass\n" + "2460075.4,nan,1\n" * 3, "fewer than 3 of its rows have a time and a flux"),
    "flux below zero": ("BJD_TDB,flux\n" + "2460075.4,-1\n" * 3, "the median of its flux is not above zero"),
    "web page": ("<html><body>2460075 1 2</body></html>\n", "it is a web page or XML"),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_no_light_curve_is_refused_with_its_reason(write: Write, text: str, reason: str) -> None:
    assert reason in reason_of(load_external_light_curve, write(text))


@pytest.mark.parametrize("text", CONTRAST_FILES.values(), ids=CONTRAST_FILES)
def test_a_contrast_curve_is_no_light_curve(write: Write, text: str) -> None:
    assert reason_of(load_external_light_curve, write(text))
