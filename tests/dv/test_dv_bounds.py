"""Numbers of a DV report that no report of TESS can hold are refused in a short sentence, and reports of any age are read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from btv_report.checks.dv_comparison import compare_report
from btv_report.cli.main import cli
from btv_report.ephemeris import Ephemeris
from btv_report.errors import ProductRefusedError
from btv_report.products.dv_model import DvReport
from btv_report.products.dv_report import read_dv_report
from btv_report.stages.dv_reports import match_of

DvXml = Callable[..., bytes]
Read = Callable[..., DvReport]
LONGEST_SENTENCE = 300


@pytest.fixture
def read(tmp_path: Path, dv_xml: DvXml) -> Read:
    """Read a report of which one text is replaced by another."""

    def reader(old: str, new: str) -> DvReport:
        content = dv_xml().decode()
        assert old in content
        path = tmp_path / "some_dvr.xml"
        path.write_text(content.replace(old, new))
        return read_dv_report(path)

    return reader


SECTORS, IMAGE, CCD = (
    'sectorsObserved="001"',
    '<dv:differenceImageResults sector="2"',
    '<dv:ccd ccdNumber="3" cameraNumber="4"/>',
)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param(
            IMAGE,
            IMAGE.replace("2", "1000000000"),
            "sector of <differenceImageResults> is 1,000,000,000, which is not within 1 and 999",
            id="sector 10^9",
        ),
        pytest.param(IMAGE, IMAGE.replace("2", "0"), "is 0, which is not within", id="sector 0"),
        pytest.param(IMAGE, IMAGE.replace("2", "-3"), "is -3, which is not within", id="sector below 0"),
        pytest.param(IMAGE, IMAGE.replace("2", "9" * 5000), "99…', not a whole number", id="sector of 5000 digits"),
        pytest.param(IMAGE, IMAGE.replace("2", "9" * 30), "9', not a whole number", id="sector of 30 digits"),
        pytest.param(IMAGE, IMAGE.replace("2", "NaN"), "is 'NaN', not a whole number", id="sector NaN"),
        pytest.param(
            CCD, CCD.replace("4", "99"), "cameraNumber of <ccd> is 99, which is not within 1 and 4", id="camera 99"
        ),
        pytest.param(CCD, CCD.replace("4", "0"), "cameraNumber of <ccd> is 0, which", id="camera 0"),
        pytest.param(CCD, CCD.replace("3", "5"), "ccdNumber of <ccd> is 5, which is not within 1 and 4", id="CCD 5"),
        pytest.param(
            SECTORS,
            f'sectorsObserved="{"0" * 5000}1"',
            "it claims to be of sector 5,000, which TESS does not have",
            id="bit 5000",
        ),
        pytest.param(
            SECTORS,
            f'sectorsObserved="{"01" * 300_000}"',
            "it claims to be of sector 599,999, which",
            id="300,000 sectors",
        ),
        pytest.param(SECTORS, 'sectorsObserved="101"', "it claims to be of sector 0, which", id="bit 0"),
        pytest.param(
            SECTORS,
            f'sectorsObserved="{"8" * 9000}"',
            "88…', not a 0 or 1 for each sector",
            id="digits that are no bits",
        ),
        pytest.param(SECTORS, 'sectorsObserved="1, 2, 14"', "is '1, 2, 14', not a 0 or 1 for each sector", id="a list"),
        pytest.param(
            'numberOfTransits="6"',
            'numberOfTransits="-6"',
            "numberOfTransits of <differenceImageResults> is -6",
            id="transits below 0",
        ),
        pytest.param(
            'numberOfTransits="6"',
            'numberOfTransits="1e12"',
            "is 1,000,000,000,000, which is not within",
            id="10^12 transits",
        ),
        pytest.param(
            'planetNumber="1"',
            'planetNumber="123456789"',
            "planetNumber of <planetResults> is 123,456,789",
            id="planet",
        ),
        pytest.param(
            'toiId="175.01"',
            f'toiId="{"7" * 9000}"',
            "toiId of <planetResults> has 9,000 characters",
            id="TOI of a planet",
        ),
        pytest.param(
            'toiId="00175"',
            f'toiId="{"7" * 9000}"',
            "toiId of <dvTargetResults> has 9,000 characters",
            id="TOI of the star",
        ),
        pytest.param("dvTargetResults", "k" * 9000, "its root element is 'kkk", id="root element"),
    ],
)
def test_numbers_that_tess_does_not_have_are_refused_in_a_short_sentence(
    read: Read, old: str, new: str, said: str
) -> None:
    with pytest.raises(ProductRefusedError) as caught:
        read(old, new)
    sentence = str(caught.value)
    assert said in sentence
    assert sentence.startswith("some_dvr.xml is refused: ")
    assert len(sentence) < LONGEST_SENTENCE


@pytest.mark.parametrize(("bits", "sectors"), [("0" * 999 + "1", (999,)), ("0011" + "0" * 5000, (2, 3)), ("000", ())])
def test_late_sectors_and_trailing_zeros_are_taken(read: Read, bits: str, sectors: tuple[int, ...]) -> None:
    assert read(SECTORS, f'sectorsObserved="{bits}"').sectors == sectors


def test_the_bounds_themselves_are_within_them(read: Read) -> None:
    (image,) = read(CCD, '<dv:ccd ccdNumber="1" cameraNumber="4"/>').planets[0].difference_images
    assert (image.camera, image.ccd) == (4, 1)
    (image,) = read(IMAGE, IMAGE.replace("2", "999")).planets[0].difference_images
    assert image.sector == 999


def test_what_is_not_stated_stays_unknown(read: Read) -> None:
    (image,) = read(CCD, "").planets[0].difference_images
    assert (image.camera, image.ccd) == (None, None)
    (image,) = read(IMAGE, "<dv:differenceImageResults").planets[0].difference_images
    assert image.sector is None


def test_a_sector_has_one_difference_image(tmp_path: Path, dv_xml: DvXml) -> None:
    text = dv_xml().decode()
    (image,) = re.findall(r"<dv:differenceImageResults.*?</dv:differenceImageResults>", text, flags=re.DOTALL)
    path = tmp_path / "twice_dvr.xml"
    path.write_text(text.replace(image, image * 2))
    with pytest.raises(ProductRefusedError, match="are of the same sector"):
        read_dv_report(path)


def test_a_period_that_is_next_to_nothing_is_no_period(read: Read) -> None:
    report = read('value="3.69"', 'value="1e-320"')
    # The search has one.
    assert (report.planets[0].period_days, report.planets[0].fit) == (3.6905, "search")
    assert match_of(report.planets[0], Ephemeris(3.69, 1356.2, 1.3)) != ""
    assert len(compare_report(report, ())) == 1


@pytest.mark.parametrize("as_json", [True, False])
def test_the_command_answers_with_a_short_line_and_its_exit_code(tmp_path: Path, dv_xml: DvXml, as_json: bool) -> None:
    path = tmp_path / "some_dvr.xml"
    path.write_bytes(dv_xml(edit=lambda text: text.replace(SECTORS, f'sectorsObserved="{"1" * 100_000}"')))
    ran = CliRunner().invoke(cli, ["dv", str(path), *(["--json"] if as_json else [])], prog_name="btv-report")
    assert ran.exit_code == 4
    assert len(ran.output) < 3 * LONGEST_SENTENCE
    if as_json:
        (line,) = [json.loads(text) for text in ran.stdout.splitlines()]
        assert line["status"] == "rejected"
        assert "it claims to be of sector 99,999, which TESS does not have" in line["error"]
