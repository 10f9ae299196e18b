"""Names of copies in a site: inert, of one suffix that fits the bytes, and never the same for two files."""

from __future__ import annotations

import mimetypes
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btv_report.exofop.payloads.kinds import PayloadKind
from btv_report.exofop.payloads.published_names import is_published_name, published_name

INERT = re.compile(r"png|jpe?g|gif|tiff?|pdf|fits?|fts|zip|npz|t?gz|tar|txt|dat|tbl|csv")


@pytest.mark.parametrize(
    ("filename", "kind", "name"),
    [
        ("TIC1.01_plot.PNG", PayloadKind.PNG, "7_TIC1.01_plot.PNG"),
        ("plot.jpeg", PayloadKind.JPEG, "7_plot.jpeg"),
        ("spectrum.pdf", PayloadKind.PDF, "7_spectrum.pdf"),
        ("curve.dat", PayloadKind.TEXT, "7_curve.dat"),
        ("curve.tbl", PayloadKind.TEXT, "7_curve.tbl"),
        ("measurements.xls", PayloadKind.TEXT, "7_measurements_xls.txt"),
        ("stack.fits.gz", PayloadKind.GZIP, "7_stack_fits.gz"),
        ("plot.dat", PayloadKind.PNG, "7_plot_dat.png"),
        ("page.html", PayloadKind.HTML, "7_page_html.txt"),
        ("plot.svg", PayloadKind.SVG, "7_plot_svg.txt"),
        ("plot.svgz", PayloadKind.GZIP, "7_plot_svgz.gz"),
        ("table.vot", PayloadKind.XML, "7_table_vot.txt"),
        ("plot.png", PayloadKind.SVG, "7_plot_png.txt"),
        ("polyglot.pdf", PayloadKind.UNKNOWN, "7_polyglot_pdf.txt"),
        ("figure.eps", PayloadKind.PS, "7_figure_eps.txt"),
        ("a.php.png", PayloadKind.PNG, "7_a_php.png"),
        (".htaccess", PayloadKind.TEXT, "7_htaccess.txt"),
        ("../../../index.html", PayloadKind.TEXT, "7_index_html.txt"),
        ("", PayloadKind.TEXT, "7_file.txt"),
    ],
)
def test_f126_suffixes_fit_the_bytes_and_active_kinds_become_text(filename: str, kind: PayloadKind, name: str) -> None:
    assert published_name(7, filename, kind) == name


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.integers(0, 10**18 - 1), st.text(max_size=400), st.sampled_from(PayloadKind))
def test_f078_f126_any_name_becomes_an_inert_one(file_id: int, filename: str, kind: PayloadKind) -> None:
    name = published_name(file_id, filename, kind)
    assert is_published_name(name)
    assert re.fullmatch(rf"{file_id}_[A-Za-z0-9._+-]+", name)
    assert INERT.fullmatch(name.rpartition(".")[2].lower())
    assert not re.search(r"\.(?![0-9])[A-Za-z_+-]+\.", name.partition("_")[2])
    assert mimetypes.guess_type(name)[0] not in {"text/html", "image/svg+xml", "application/xhtml+xml", "text/xml"}


@pytest.mark.parametrize(
    "name", ["", "../x.png", "7_a/b.png", "7_..", "index.html", "7_a\0.txt", "7_" + "a" * 200, "x7_a.txt"]
)
def test_nothing_else_may_become_a_path_of_a_site(name: str) -> None:
    assert not is_published_name(name)


def test_a_number_that_no_file_has_has_no_name() -> None:
    with pytest.raises(ValueError, match="-1"):
        published_name(-1, "a.png", PayloadKind.PNG)
