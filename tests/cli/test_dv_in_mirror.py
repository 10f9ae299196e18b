"""SPOC DV reports in a mirror: listed as products, shown beside the checks, kept by a rebuild of the store."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from btv_report.simulation.fits_files import WrittenScene

Run = Callable[..., Any]
EPHEMERIS = ("--period", "1.3", "--epoch", "2100.9", "--duration", "2.0")
TIC_ID = "9000000077"


@pytest.fixture(scope="module")
def dv_xml() -> Callable[..., bytes]:
    """Writes DV reports; see tests/dv."""
    path = Path(__file__).parents[1] / "dv" / "conftest.py"
    spec = importlib.util.spec_from_file_location("dv_factory", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def write(**options: Any) -> bytes:
        of_the_star = {"tic_id": TIC_ID, "period_days": 1.3, "sector": 30, "depth": 0.004}
        content: bytes = module.make_dv_xml(
            edit=lambda text: text.replace('value="1356.2039"', 'value="2106.1"'), **{**of_the_star, **options}
        )
        return content

    return write


@pytest.fixture
def mirror(star: WrittenScene, tmp_path: Path) -> Path:
    return Path(shutil.copytree(star.folder, tmp_path / "mirror"))


def page_of(workspace: Path) -> str:
    return (workspace / "site" / "tic" / TIC_ID / "index.html").read_text(encoding="utf-8")


def test_a_matching_report_stands_beside_the_checks(run: Run, mirror: Path, tmp_path: Path, dv_xml: Any) -> None:
    (mirror / "spoc.xml").write_bytes(dv_xml())
    (mirror / "another.xml").write_bytes(dv_xml(period_days=7.7))
    (mirror / "other_star.xml").write_bytes(dv_xml(tic_id="12"))
    ran = run("report", TIC_ID, "--mirror", mirror, "--offline", "--json", *EPHEMERIS)
    assert ran.code == 0
    listed = {product["file"]: product for product in ran.answer["products"] if product["kind"] == "dv_report"}
    assert {name: product["used"] for name, product in listed.items()} == {"spoc.xml": True, "another.xml": False}
    assert listed["spoc.xml"]["fits_sum"] == "not_checkable"
    html = page_of(tmp_path / "workspace")
    assert "SPOC Data Validation beside ours" in html
    assert html.count("No disagreement beyond 3 σ") == 1
    assert run("store", "rebuild").code == 0
    assert run("verify").code == 0


def test_what_disagrees_is_said(run: Run, mirror: Path, tmp_path: Path, dv_xml: Any) -> None:
    (mirror / "spoc.xml").write_bytes(dv_xml(depth=0.02))
    assert run("report", TIC_ID, "--mirror", mirror, "--offline", *EPHEMERIS).code == 0
    html = page_of(tmp_path / "workspace")
    assert "Our depth is 0.19 times SPOC" in html


def test_a_damaged_report_leaves_a_gap_and_no_section(run: Run, mirror: Path, tmp_path: Path, dv_xml: Any) -> None:
    (mirror / "cut.xml").write_bytes(dv_xml()[:9000])
    ran = run("report", TIC_ID, "--mirror", mirror, "--offline", "--json", *EPHEMERIS)
    assert ran.code == 3
    (product,) = [product for product in ran.answer["products"] if product["kind"] == "dv_report"]
    assert (product["state"], product["used"]) == ("CORRUPT", False)
    assert "cut.xml" in ran.stderr
    assert "SPOC Data Validation beside ours" not in page_of(tmp_path / "workspace")
