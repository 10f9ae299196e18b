"""Foreign text is shown as text, links lead where they may, and no page tells whose machine it was made on."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btv_report.dossier.links import exofop_target, mast_product, mast_target, safe_href
from btv_report.dossier.text import shown, slug, without_paths


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:msgbox(1)",
        "http://exofop.ipac.caltech.edu/tess/",
        "https://exofop.ipac.caltech.edu.evil.example/",
        "https://user@exofop.ipac.caltech.edu/",
        "https://exofop.ipac.caltech.edu:8443/",
        "https:\\\\exofop.ipac.caltech.edu/",
        "//exofop.ipac.caltech.edu/",
        "https://exofop.ipac.caltech.edu/\u202e",
        "https://[::1",
    ],
)
def test_f124_links_of_other_schemes_and_hosts_are_refused(url: str) -> None:
    assert safe_href(url) is None


def test_f124_links_of_the_field_are_kept() -> None:
    for url in (exofop_target(301), mast_target(301), mast_product("mast:TESS/product/a_lc.fits")):
        assert url is not None
        assert safe_href(url) == url


@pytest.mark.parametrize("uri", [None, "", "javascript:1", "mast:TESS/a b", "mast:TESS/<x>", "https://evil.example/"])
def test_f124_archive_uri_of_another_form_is_no_link(uri: str | None) -> None:
    assert mast_product(uri) is None


@given(st.text())
def test_f130_shown_text_holds_no_invisible_character(text: str) -> None:
    bad = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not [c for c in shown(text) if unicodedata.category(c) in bad]


def test_f130_marker_names_the_character_and_long_text_says_it_is_cut() -> None:
    assert shown("a\u202eb\x1bc") == "a⟨U+202E⟩b⟨U+001B⟩c"
    assert shown("x" * 5000).endswith("(1,000 more characters)")


@given(st.text())
def test_f123_slug_is_safe_as_an_id(text: str) -> None:
    assert slug(text).replace("-", "").isalnum()
    assert slug(text).isascii()


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("read /Users/observer/tess/a_lc.fits twice", "read a_lc.fits twice"),
        ("at C:\\Users\\observer\\a.fits", "at a.fits"),
        ("file:///home/observer/a.fits", "a.fits"),
        ("~/data/x/a.fits", "a.fits"),
        ("--mirror=/data/tess/mirror", "--mirror=mirror"),
        ("write to o.server@inst.example.org", "write to [e-mail address masked]"),
        ("mast:TESS/product/a_lc.fits", "mast:TESS/product/a_lc.fits"),
        ("https://doi.org/10.17909/t9-r086-e880", "https://doi.org/10.17909/t9-r086-e880"),
        ("flux in e-/s and km/s/Mpc", "flux in e-/s and km/s/Mpc"),
    ],
)
def test_f064_paths_and_addresses_are_reduced(text: str, public: str) -> None:
    assert without_paths(text) == public
