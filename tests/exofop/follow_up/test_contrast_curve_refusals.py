"""What is no contrast curve is refused with its true reason, and never guessed into one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.exofop.follow_up.conftest import GEMINI, LIGHT_CURVE_FILES, Write, reason_of

from btv_report.errors import LocalEnvironmentError, ProductRefusedError
from btv_report.exofop.contrast_curves import load_exofop_contrast_curve_dat
from btv_report.exofop.curves.text_tables import MAX_LINES, MAX_TEXT_BYTES

ONLY_ANNULI = GEMINI.split("# fit", maxsplit=1)[0]

REFUSED = {
    "empty": (b"", "it is empty"),
    "blank": (b"\n \n", "it is empty"),
    "web page": (b"<!DOCTYPE html><html><body>0.1 2\n0.2 3\n0.3 4\n</body></html>\n", "it is a web page or XML"),
    "pdf": (b"%PDF-1.4\n0.1 2\n0.2 3\n0.3 4\n", "its bytes are no text"),
    "nul": (b"0.1 2\n0.2 3\n0.3 4\n\0\n", "its bytes are no text"),
    "words": (b"We saw no companion within 2 arcsec.\n", "it has no table of at least 3 rows of numbers"),
    "two rows": (b"0.1 2\n0.2 5\n", "it has no table of at least 3 rows of numbers"),
    "only zeros": (b"arcsec dmag\n0 0\n0.1 0\n0.2 0\n", "fewer than 3 of its rows state a limit"),
    "annuli only": (ONLY_ANNULI.encode(), "it has a section of annuli and not the fit"),
    "two tables": (b"# one\n0.1 2\n0.2 5\n0.3 6\n# two\n0.1 3\n0.2 6\n0.3 7\n", "it has 2 tables of numbers"),
    "two curves": (b"0.1 2\n0.2 5\n0.3 6\n0.1 3\n0.2 6\n0.3 7\n", "its separations go up and down"),
    "no unit": (b"50 2\n100 4\n1200 7\n", "its separations reach 1200, which cannot be arcsec"),
    "AU": (b"sep (AU),dmag\n1,2\n2,4\n3,6\n", "its separations are in AU, and not in arcsec"),
    "pixels": (b"sep_pix,dmag\n1,2\n2,4\n3,6\n", "its separations are in pixels, and not in arcsec"),
    "flux ratios": (b"0.1 0.5\n0.2 0.01\n0.5 0.0001\n", "its limits fall outwards and are below 1"),
    "named flux ratio": (
        b"arcsec,flux_ratio\n0.1,2\n0.2,3\n0.5,4\n",
        "none of its columns is named as a separation and",
    ),
    "logarithms": (b"0.1 -1\n0.2 -2\n0.5 -4\n", "they are negative, so they may be logarithms of a contrast"),
    "logarithms named contrast": (
        b"arcsec,contrast\n0.1,-1\n0.2,-2\n0.5,-4\n",
        "it does not say that its limits are magnitudes",
    ),
    "phase curve": (
        b"0.1 1.001\n0.2 0.999\n0.3 1.002\n",
        "they stay below 1.5, which many things do",
    ),
    "both signs": (b"arcsec,dmag\n0.1,-3\n0.2,4\n0.5,5\n", "its limits have both signs"),
    "not magnitudes": (b"0.1 200\n0.2 400\n0.5 500\n", "its limits reach 500, which cannot be magnitudes"),
    "negative separations": (b"-0.1 2\n0.2 4\n0.5 5\n", "it has negative separations"),
    "three columns": (b"0.1 2 0.1\n0.2 4 0.1\n0.5 5 0.1\n", "its 3 columns have no names"),
    "spectrum": (b"wavelength flux\n5.1 2\n5.2 4\n5.5 5\n", "none of its columns is named as a separation and"),
    "two limits": (
        b"arcsec,dmag_562,dmag_832\n0.1,2,3\n0.2,4,5\n0.3,5,6\n",
        "several of its columns are named as limits",
    ),
}


@pytest.mark.parametrize(("content", "reason"), REFUSED.values(), ids=REFUSED)
def test_no_curve_is_refused_with_its_reason(write: Write, content: bytes, reason: str) -> None:
    assert reason in reason_of(load_exofop_contrast_curve_dat, write(content))


@pytest.mark.parametrize("text", LIGHT_CURVE_FILES.values(), ids=LIGHT_CURVE_FILES)
def test_a_light_curve_is_no_contrast_curve(write: Write, text: str) -> None:
    assert reason_of(load_exofop_contrast_curve_dat, write(text))


def test_a_title_of_two_words_is_not_taken_for_names(write: Write) -> None:
    curve = load_exofop_contrast_curve_dat(write("# Contrast curve\n0.1 2\n0.2 4\n0.5 5\n"))
    assert curve.delta_mag.tolist() == [2.0, 4.0, 5.0]


def test_noise_below_zero_in_the_target_s_own_light_limits_nothing(write: Write) -> None:
    curve = load_exofop_contrast_curve_dat(write("arcsec,dmag\n0.01,-0.02\n0.1,2\n0.2,4\n0.5,5\n"))
    assert curve.separation_arcsec.tolist() == [0.1, 0.2, 0.5]


@pytest.mark.parametrize("line", [b"0.1 2\n", b"0.1 2" + b" " * 2000 + b"\n"], ids=["lines", "bytes"])
def test_a_file_beyond_the_limits_is_not_read(write: Write, line: bytes) -> None:
    n_lines = min(2 * MAX_LINES, MAX_TEXT_BYTES // len(line)) + 1
    with pytest.raises(ProductRefusedError, match=r"upload\.dat"):
        load_exofop_contrast_curve_dat(write(line * n_lines))


@pytest.mark.parametrize("kind", ["absent", "folder"])
def test_what_is_no_file_is_said(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "nothing.dat"
    if kind == "folder":
        path.mkdir()
    with pytest.raises(LocalEnvironmentError, match=r"nothing\.dat"):
        load_exofop_contrast_curve_dat(path)


def test_names_of_columns_are_quoted_and_cut_in_messages(write: Write) -> None:
    name = "a\x1b[31m" + "b" * 200
    reason = reason_of(load_exofop_contrast_curve_dat, write(f"{name},time,c\n1,2,3\n2,3,4\n3,4,5\n"))
    assert "\x1b" not in reason
    assert "b" * 60 not in reason
