"""Contrast curves: every layout gives the same kind of thing, in arcsec and magnitudes, and TRICERATOPS can read it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from tests.exofop.follow_up.conftest import CLEANED_CSV, CONTRAST_FILES, GEMINI, HAND_MADE, PHARO, Write

from btv_report.errors import LocalEnvironmentError
from btv_report.exofop.contrast_curves import load_exofop_contrast_curve_dat


def test_the_fit_of_a_gemini_file_is_read_and_not_its_annuli(write: Write) -> None:
    curve = load_exofop_contrast_curve_dat(write(GEMINI))
    assert curve.separation_arcsec.tolist() == [0.02, 0.06, 0.1, 0.11, 0.3]
    assert curve.delta_mag.tolist() == [0.13, 2.25, 4.25, 4.31, 5.625]
    assert (curve.filter, curve.instrument, curve.date) == ("832 nm", "Gemini North, camera r", "2024-02-19")
    assert curve.layout == "Gemini speckle text, fit section"
    assert curve.notes == (
        "Rows of zero separation or zero magnitudes state no limit and were left out: 2.",
        "Repeated separations were left out: 1.",
    )


def test_lines_of_key_and_value_give_filter_instrument_and_date(write: Write) -> None:
    curve = load_exofop_contrast_curve_dat(write(PHARO, "TOI9000I-dc20230609-Kcont_plot.tbl"))
    assert curve.separation_arcsec.tolist() == [0.179, 0.333, 0.488, 9.625]
    assert curve.delta_mag.tolist() == [2.425, 4.189, 5.428, 7.651], "dmrms is no limit"
    assert (curve.filter, curve.instrument, curve.date) == ("Hcont", "Palomar-5m, PHARO", "2023-06-08")


def test_a_table_without_names_is_a_curve_where_it_can_be_nothing_else(write: Write) -> None:
    curve = load_exofop_contrast_curve_dat(write(HAND_MADE, "TOI9000_cc.tbl"))
    assert curve.separation_arcsec.tolist() == [0.07, 0.2, 0.25, 2.2]
    assert curve.delta_mag.tolist() == [1.0, 4.5, 5.5, 6.5]
    assert (curve.filter, curve.instrument, curve.date) == (None, None, None)


def test_the_angle_is_read_where_there_is_a_separation_in_au_too(write: Write) -> None:
    curve = load_exofop_contrast_curve_dat(write(CLEANED_CSV, "clean_TOI9000_832.csv"))
    assert curve.separation_arcsec.tolist() == [0.03, 0.1, 1.17, 1.18]
    assert curve.delta_mag.tolist() == [0.251098, 4.484246, 6.631786, 6.6321]
    assert curve.filter == "832 nm"


@pytest.mark.parametrize("header", ["sep,dmag,ang_sep", "sep,dmag,sep_mas", "sep_au,dmag,sep"])
def test_a_stated_angle_goes_before_a_separation_of_unknown_unit(write: Write, header: str) -> None:
    scale = 1000 if "mas" in header else 1
    rows = "".join(f"{40 * x},{y},{x * scale}\n" for x, y in ((0.5, 2), (1, 4), (1.25, 6)))
    curve = load_exofop_contrast_curve_dat(write(f"{header}\n{rows}"))
    np.testing.assert_allclose(curve.separation_arcsec, [0.5, 1, 1.25])


@pytest.mark.parametrize(
    "header",
    ["sep_mas,dmag", "Separation (mas),Contrast (mag)", "# mas  Delta_mag", "|rho |dm |\n|mas |mag |"],
)
def test_milliarcseconds_become_arcseconds(write: Write, header: str) -> None:
    mark = "," if "," in header else " "
    rows = "\n".join(f"{x}{mark}{y}" for x, y in ((50, 2.0), (100, 4.0), (1200, 7.5)))
    curve = load_exofop_contrast_curve_dat(write(f"{header}\n{rows}\n"))
    np.testing.assert_allclose(curve.separation_arcsec, [0.05, 0.1, 1.2], rtol=1e-15)
    assert curve.delta_mag.tolist() == [2.0, 4.0, 7.5]
    assert "The separations are given in milliarcseconds and were turned into arcsec." in curve.notes


def test_negative_magnitudes_are_turned_positive_where_they_are_said_to_be_magnitudes(write: Write) -> None:
    curve = load_exofop_contrast_curve_dat(write("sep delta_mag\n0.1 -2\n0.2 -4\n0.5 -6.5\n"))
    assert curve.delta_mag.tolist() == [2.0, 4.0, 6.5]
    assert curve.notes == ("The limits are given as negative magnitudes and were turned positive.",)


def test_a_curve_from_outside_in_is_turned_round(write: Write) -> None:
    curve = load_exofop_contrast_curve_dat(write("arcsec;dmag\n1.0;6\n0.5;5\n0.1;2\n"))
    assert curve.separation_arcsec.tolist() == [0.1, 0.5, 1.0]
    assert curve.delta_mag.tolist() == [2.0, 5.0, 6.0]


def test_of_two_limits_at_one_separation_the_shallower_stays(write: Write) -> None:
    curve = load_exofop_contrast_curve_dat(write("0.1 2\n0.2 5\n0.2 4\n0.5 6\n"))
    assert curve.delta_mag.tolist() == [2.0, 4.0, 6.0]


def test_a_row_that_is_broken_costs_one_row(write: Write) -> None:
    curve = load_exofop_contrast_curve_dat(write("arcsec dmag\n0.1 2\n0.2\n0.3 nan\n0.5 6\n0.6 6.5\n"))
    assert curve.separation_arcsec.tolist() == [0.1, 0.5, 0.6]
    assert curve.notes == ("Rows that are not two numbers were left out: 2.",)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("text", CONTRAST_FILES.values(), ids=CONTRAST_FILES)
def test_line_ends_byte_order_marks_and_blanks_change_nothing(write: Write, text: str, end: str) -> None:
    plain = load_exofop_contrast_curve_dat(write(text))
    other = load_exofop_contrast_curve_dat(write("\ufeff" + text.replace("\n", end) + end * 5))
    assert other.separation_arcsec.tolist() == plain.separation_arcsec.tolist()
    assert other.delta_mag.tolist() == plain.delta_mag.tolist()
    assert other.filter == plain.filter


@pytest.mark.parametrize("text", CONTRAST_FILES.values(), ids=CONTRAST_FILES)
def test_every_curve_rises_is_frozen_and_names_its_bytes(write: Write, text: str) -> None:
    path = write(text)
    curve = load_exofop_contrast_curve_dat(path)
    assert (np.diff(curve.separation_arcsec) > 0).all()
    assert (curve.delta_mag > 0).all()
    assert curve.separation_arcsec.dtype == curve.delta_mag.dtype == np.float64
    assert not curve.separation_arcsec.flags.writeable
    assert not curve.delta_mag.flags.writeable
    assert (curve.source, curve.sha256) == (path.name, hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.mark.parametrize("text", CONTRAST_FILES.values(), ids=CONTRAST_FILES)
def test_triceratops_reads_two_columns_and_finds_the_separation_of_a_limit(
    write: Write, tmp_path: Path, text: str
) -> None:
    curve = load_exofop_contrast_curve_dat(write(text))
    path = curve.to_triceratops(tmp_path / "curve.csv")
    assert path == tmp_path / "curve.csv"
    separation, limit = np.loadtxt(path, delimiter=",").T
    assert separation.tolist() == curve.separation_arcsec.tolist()
    assert limit.tolist() == curve.delta_mag.tolist(), "these limits rise all the way"
    middle = (curve.delta_mag[1:] + curve.delta_mag[:-1]) / 2
    expected = (curve.separation_arcsec[1:] + curve.separation_arcsec[:-1]) / 2
    np.testing.assert_allclose(np.interp(middle, limit, separation), expected)


def test_triceratops_is_told_no_limit_that_fails_farther_out(write: Write, tmp_path: Path) -> None:
    curve = load_exofop_contrast_curve_dat(write("0.1 2\n0.2 5\n0.3 6\n0.4 5.5\n0.5 7\n0.6 6.8\n"))
    limit = np.loadtxt(curve.to_triceratops(tmp_path / "curve.csv"), delimiter=",")[:, 1]
    assert limit.tolist() == [2.0, 5.0, 5.5, 5.5, 6.8, 6.8]
    assert curve.delta_mag.tolist() == [2.0, 5.0, 6.0, 5.5, 7.0, 6.8], "the curve itself stays as it was measured"


def test_a_curve_that_cannot_be_written_says_where(write: Write, tmp_path: Path) -> None:
    curve = load_exofop_contrast_curve_dat(write(HAND_MADE))
    with pytest.raises(LocalEnvironmentError, match=r"nowhere.curve\.csv"):
        curve.to_triceratops(tmp_path / "nowhere" / "curve.csv")
