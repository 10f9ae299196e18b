"""Names of observers' files, whatever is in them: one for the disk, one to show."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btv_report.exofop.payloads.file_names import shown_name, stored_name

PLAIN = re.compile(r"[0-9]+_[A-Za-z0-9._+-]+")
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)

texts = st.text(st.characters(codec=None), max_size=400) | st.text(
    st.sampled_from("./\\-_ :a\u202e\u0301\x00\n😀"), max_size=60
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(file_id=st.integers(0, 10**18 - 1), name=texts)
def test_f078_any_name_becomes_a_plain_one_on_the_disk_and_a_readable_one(file_id: int, name: str) -> None:
    stored = stored_name(file_id, name)
    assert PLAIN.fullmatch(stored)
    assert stored.startswith(f"{file_id}_")
    assert len(stored) <= 120
    assert stored[-1] not in "._-"
    assert not RESERVED.fullmatch(stored)
    shown = shown_name(name)
    assert 0 < len(shown) <= 120
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TIC365938305I-ef20200606-562_sensitivity.dat", "7_TIC365938305I-ef20200606-562_sensitivity.dat"),
        ("../../etc/passwd", "7_etc_passwd"),
        ("C:\\temp\\x.dat", "7_C_temp_x.dat"),
        ("-rf", "7_rf"),
        ("....", "7_file"),
        ("", "7_file"),
        ("a\nb\x00c.dat", "7_a_b_c.dat"),
        ("\u202efdp.exe", "7_fdp.exe"),
        ("González.pdf", "7_Gonzalez.pdf"),
        ("star😀.png", "7_star_.png"),
        ("trailing. ", "7_trailing"),
        ("a:b.dat", "7_a_b.dat"),
    ],
)
def test_f078_names_lose_what_a_disk_could_misunderstand(name: str, expected: str) -> None:
    assert stored_name(7, name) == expected


@pytest.mark.parametrize("name", ["CON", "NUL.fits", "com1", "LPT9.dat", "aux.", "PRN "])
def test_f079_names_that_windows_keeps_for_itself_come_behind_the_file_id(name: str) -> None:
    assert not RESERVED.fullmatch(stored_name(7, name))


def test_f041_names_that_differ_in_case_only_or_not_at_all_never_meet() -> None:
    names = [
        stored_name(1, "Plot.png"),
        stored_name(2, "plot.png"),
        stored_name(3, "plot.png"),
        stored_name(33, "plot.png"),
    ]
    assert len({name.casefold() for name in names}) == 4


def test_f078_two_spellings_of_one_name_are_stored_alike() -> None:
    name = "Ångström.dat"
    spellings = {stored_name(7, unicodedata.normalize(form, name)) for form in ("NFC", "NFD")}
    assert spellings == {"7_Angstrom.dat"}


def test_f078_a_long_name_keeps_its_suffix() -> None:
    for length in (200, 2000, 1_000_000):
        stored = stored_name(441891, "x" * length + ".fits.gz")
        assert len(stored) == 120
        assert stored.endswith("_.fits.gz")
        shown = shown_name("x" * length + ".fits.gz")
        assert len(shown) == 120
        assert shown.endswith("….fits.gz")


def test_f078_what_hides_in_a_name_is_shown_as_a_marker() -> None:
    assert shown_name("a\u202eb\n\x1b[0m.dat") == "a⟨U+202E⟩b⟨U+000A⟩⟨U+001B⟩[0m.dat"
    assert shown_name("\udcff.dat") == "⟨U+DCFF⟩.dat"
    assert shown_name("") == "(no name)"
    assert shown_name("   ") == "(a name of blanks)"
    assert shown_name("Ångström 5.dat") == "Ångström 5.dat"


@pytest.mark.parametrize("file_id", [-1, 10**18])
def test_a_number_that_no_file_has_makes_no_name(file_id: int) -> None:
    with pytest.raises(ValueError, match="no number of an ExoFOP file"):
        stored_name(file_id, "a.dat")
