"""SPOC's images beside ours: coordinates, offsets on the sky, absent numbers, and the real answer key."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from btv_report.checks.dv_comparison import compare_report
from btv_report.ephemeris import Ephemeris
from btv_report.fits.local_file import read_file
from btv_report.products.dv_model import DvReport
from btv_report.products.dv_report import parse_dv_report, read_dv_report
from btv_report.stages.dv_reports import compare_with_spoc, find_dv_reports, match_of
from btv_report.stages.dv_values import comparison_value

DvXml = Callable[..., bytes]
PLANET = Ephemeris(3.69, 1356.2039, 1.27, name="175.01")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def writer(content: bytes, name: str = "some_dvr.xml") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return writer


def lines_of(report: DvReport) -> list[dict[str, object]]:
    return [comparison_value(report, planet, comparison) for planet, comparison in compare_report(report, ())]


def test_ours_stands_in_the_coordinates_that_spoc_prints(write: Callable[..., Path], dv_xml: DvXml) -> None:
    (line,) = lines_of(read_dv_report(write(dv_xml(target=(5.2, 5.4), source=(6.2, 4.6)))))
    spoc, ours = line["spoc"], line["ours"]
    assert isinstance(spoc, dict)
    assert isinstance(ours, dict)
    assert (spoc["row"], spoc["column"]) == pytest.approx((339.2, 663.6))
    assert (ours["row"], ours["column"]) == pytest.approx((339.2, 663.6), abs=0.01)
    assert ours["tic_offset_arcsec"] == pytest.approx(spoc["tic_offset_arcsec"], rel=0.01)
    assert line["distance_px"] == pytest.approx(0.0, abs=0.01)
    assert {"row_err", "column_err", "quality"} <= set(spoc) & set(ours)


def test_what_spoc_did_not_measure_is_absent_from_its_line(write: Callable[..., Path], dv_xml: DvXml) -> None:
    def without(text: str) -> str:
        for name in ("differenceImageCentroid", "ticReferenceCentroid", "ticCentroidOffsets"):
            text = re.sub(f"<dv:{name}>.*?</dv:{name}>", "", text)
        return text

    (line,) = lines_of(read_dv_report(write(dv_xml(edit=without))))
    assert set(line["spoc"]) & {"row", "column", "tic_offset_arcsec"} == set()  # type: ignore[call-overload]
    assert "distance_px" not in line
    assert "tic_offset_arcsec" not in line["ours"]  # type: ignore[operator]
    json.dumps(line, allow_nan=False)


def test_no_place_and_no_light_are_said(write: Callable[..., Path], dv_xml: DvXml) -> None:
    def nowhere(text: str) -> str:
        return re.sub(r"<dv:(ticReferenceCentroid|controlImageCentroid)>.*?</dv:\1>", "", text)

    (line,) = lines_of(read_dv_report(write(dv_xml(edit=nowhere))))
    assert line["status"] == "not_run"
    assert "no catalogue position" in str(line["reason"])
    (line,) = lines_of(read_dv_report(write(dv_xml(depth=-0.01))))
    assert line["status"] == "not_run"
    assert "no source that stands out" in str(line["reason"])


@pytest.mark.parametrize(
    ("candidate", "matches"),
    [
        (PLANET, True),
        (Ephemeris(3.69 * 1.004, 1356.2039, 1.27), True),
        (Ephemeris(3.69 * 1.006, 1356.2039, 1.27), False),
        (Ephemeris(7.38, 1356.2039 + 3.69, 1.27), True),
        (Ephemeris(1.23, 1356.2039 + 1.23 * 4, 1.27), True),
        (Ephemeris(3.69, 1356.2039 + 0.025, 1.27), True),
        (Ephemeris(3.69, 1356.2039 + 0.028, 1.27), False),
        (Ephemeris(3.69, 1356.2039 + 1.8, 1.27), False),
        (Ephemeris(3.69 * 6, 1356.2039, 1.27), False),
    ],
)
def test_an_event_is_a_candidate_by_period_and_epoch(
    write: Callable[..., Path], dv_xml: DvXml, candidate: Ephemeris, matches: bool
) -> None:
    planet = read_dv_report(write(dv_xml())).planets[0]
    assert bool(match_of(planet, candidate)) is matches


def test_reports_are_found_by_content_and_told_apart(write: Callable[..., Path], dv_xml: DvXml) -> None:
    files = [
        write(dv_xml(), "anything.xml"),
        write(dv_xml(), "copy.xml"),
        write(dv_xml()[:9000], "tess2018_dvr.xml"),
        write(dv_xml(tic_id="42"), "other.xml"),
        write(b"<VOTABLE/>", "table.xml"),
        write(dv_xml(period_days=5.5), "another_signal.xml"),
        write(b"", "empty.xml"),
    ]
    finds = find_dv_reports(files, 307210830)
    spoc = compare_with_spoc(finds, [PLANET], ())
    assert [(product.path.name, str(product.state), product.used) for product in spoc.products] == [
        ("anything.xml", "OK", True),
        ("copy.xml", "OK", False),
        ("tess2018_dvr.xml", "CORRUPT", False),
        ("another_signal.xml", "OK", False),
    ]
    assert len(finds.warnings) == 1
    assert "tess2018_dvr.xml" in finds.warnings[0]
    (value,) = spoc.values
    assert (value["candidate"], value["sectors"], value["toi"]) == ("175.01", [2], "175.01")
    assert value["numbers"]["ghost_core"] == 14.5
    assert value["images"][0]["sector"] == 2
    json.dumps(value, allow_nan=False)


@pytest.mark.data
def test_positions_agree_with_spoc_with_a_gaussian_even_without_prf_files(shared_data: Path) -> None:
    distances = []
    for path in sorted((shared_data / "dv").glob("*_dvr.xml")):
        report = parse_dv_report(read_file(path))
        for planet, comparison in compare_report(report, ()):
            line = comparison_value(report, planet, comparison)
            json.dumps(line, allow_nan=False)
            if report.tic_id == 144048277:
                assert (line["status"], line["saturated"]) == ("not_run", True)
                assert comparison.distance_px is not None
                assert comparison.distance_px < 0.25
            elif (comparison.image.quality.value or 0) >= 0.7:
                assert comparison.distance_px is not None
                distances.append(comparison.distance_px)
    assert len(distances) == 43
    assert float(np.median(distances)) <= 0.10
