"""Reading SPOC's DV reports: what they say, and what a hostile or damaged one cannot do."""

from __future__ import annotations

import gzip
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from btv_report.errors import LocalEnvironmentError, ProductCorruptError, ProductRefusedError
from btv_report.products.dv_model import DvReport, Measured, Significance
from btv_report.products.dv_report import read_dv_report

DvXml = Callable[..., bytes]


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes], DvReport]:
    def reader(content: bytes) -> DvReport:
        path = tmp_path / "tess2018235142541-s0002-s0002-0000000307210830-00109_dvr.xml"
        path.write_bytes(content)
        return read_dv_report(path)

    return reader


Read = Callable[[bytes], DvReport]


def test_says_what_spoc_printed(read: Read, dv_xml: DvXml) -> None:
    report = read(dv_xml())
    assert (report.tic_id, report.toi, report.sectors, report.tmag) == (307210830, "175", (2,), 9.4)
    (planet,) = report.planets
    assert (planet.planet_number, planet.toi, planet.fit) == (1, "175.01", "transit model")
    assert (planet.period_days, planet.epoch_btjd, planet.duration_hours) == (3.69, 1356.2039, 1.27)
    assert planet.depth_ppm == Measured(10000.0, 59.3)
    assert planet.mes == 29.5
    assert (planet.ghost_core, planet.ghost_halo) == (Significance(14.5, 1.0), Significance(-0.32, 0.37))
    assert planet.tic_offset.dec_arcsec == Measured(-2.0, 2.52)
    (image,) = planet.difference_images
    assert (image.sector, image.camera, image.ccd, image.n_transits, image.overlapped_transits) == (2, 4, 3, 6, False)
    assert (image.corner_row, image.corner_column, image.difference.shape) == (333, 659, (11, 11))
    assert image.quality.value == 0.97


def test_rows_and_columns_of_the_pixels_are_not_swapped(read: Read, dv_xml: DvXml) -> None:
    image = read(dv_xml(target=(3.0, 7.0), source=(3.0, 7.0))).planets[0].difference_images[0]
    assert np.argwhere(image.difference == np.nanmax(image.difference)).tolist() == [[3, 7]]
    assert np.allclose(image.difference, image.control - image.in_transit)
    assert image.difference_centroid is not None
    assert image.difference_centroid.row.value == 333 + 3.0


def test_pixels_in_any_order_and_holes_are_taken_for_what_they_are(read: Read, dv_xml: DvXml) -> None:
    hole = re.compile(r'<dv:differenceImagePixelData ccdRow="335" ccdColumn="661">.*?</dv:differenceImagePixelData>')
    image = read(dv_xml(edit=lambda text: hole.sub("", text))).planets[0].difference_images[0]
    assert np.argwhere(np.isnan(image.difference)).tolist() == [[2, 2]]


def test_numbers_that_spoc_did_not_compute_are_absent(read: Read, dv_xml: DvXml) -> None:
    planet = read(dv_xml()).planets[0]
    assert planet.control_offset.sky_arcsec is None

    def not_attempted(text: str) -> str:
        text = re.sub(r'value="14.5" significance="1.0"', 'value="0.0" significance="-1.0"', text)
        start, end = text.index("<dv:differenceImageCentroid>"), text.index("</dv:differenceImageCentroid>")
        centroid = re.sub(r'value="[^"]*" uncertainty="[^"]*"', 'value="0.0" uncertainty="-1.0"', text[start:end])
        text = text[:start] + centroid + text[end:]
        return text.replace(
            'attempted="true" valid="true" value="0.97"', 'attempted="false" valid="false" value="-1.0"'
        )

    planet = read(dv_xml(edit=not_attempted)).planets[0]
    assert planet.ghost_core is None
    assert planet.difference_images[0].difference_centroid is None
    assert planet.difference_images[0].quality.value is None
    assert planet.difference_images[0].quality.attempted is False


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-inf"])
def test_values_that_are_not_finite_are_absent(read: Read, dv_xml: DvXml, word: str) -> None:
    planet = read(
        dv_xml(edit=lambda text: text.replace('uncertainty="59.3" value="10000.0"', f'value="{word}"'))
    ).planets[0]
    assert planet.depth_ppm is None


def test_missing_elements_leave_their_numbers_out(read: Read, dv_xml: DvXml) -> None:
    def strip(text: str) -> str:
        for name in ("allTransitsFit", "centroidResults", "ghostDiagnosticResults", "controlImageCentroid"):
            text = re.sub(f"<dv:{name}.*?</dv:{name}>", "", text, flags=re.DOTALL)
        return re.sub("<dv:tessMag[^>]*/>|<dv:ccd [^>]*/>|<dv:qualityMetric[^>]*/>", "", text)

    report = read(dv_xml(edit=strip))
    planet = report.planets[0]
    assert (report.tmag, planet.fit, planet.period_days, planet.depth_ppm) == (None, "search", 3.6905, None)
    assert (planet.ghost_halo, planet.tic_offset.sky_arcsec) == (None, None)
    image = planet.difference_images[0]
    assert (image.camera, image.control_centroid, image.quality.valid) == (None, None, False)


def test_a_fit_that_did_not_converge_gives_way_to_the_search(read: Read, dv_xml: DvXml) -> None:
    report = read(dv_xml(edit=lambda text: text.replace('fullConvergence="true"', 'fullConvergence="false"')))
    assert (report.planets[0].fit, report.planets[0].depth_ppm) == ("search", None)


def test_a_planet_without_pixels_has_no_difference_image(read: Read, dv_xml: DvXml) -> None:
    pixels = re.compile(r"<dv:differenceImagePixelData.*</dv:differenceImagePixelData>", re.DOTALL)
    assert read(dv_xml(edit=lambda text: pixels.sub("", text))).planets[0].difference_images == ()


def test_another_namespace_and_gzip_are_read_alike(read: Read, dv_xml: DvXml) -> None:
    other = read(gzip.compress(dv_xml(namespace="http://www.nasa.gov/2031/TESS/DV")))
    plain = read(dv_xml())
    assert other.planets[0].period_days == plain.planets[0].period_days
    assert np.array_equal(other.planets[0].difference_images[0].control, plain.planets[0].difference_images[0].control)


BOMB = "<!DOCTYPE lolz [" + '<!ENTITY a0 "lol">' + "".join(
    f'<!ENTITY a{k} "{f"&a{k - 1};" * 10}">' for k in range(1, 12)
) + "]>"  # fmt: skip


@pytest.mark.parametrize(
    "declared",
    [
        BOMB,
        '<!DOCTYPE x [<!ENTITY a0 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x [<!ENTITY a0 SYSTEM "http://127.0.0.1:1/x">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
    ],
    ids=["billion laughs", "external file", "external address", "external dtd", "parameter entity"],
)
def test_f132_documents_that_declare_entities_are_refused(read: Read, dv_xml: DvXml, declared: str) -> None:
    def poisoned(text: str) -> str:
        head, rest = text.split("?>", 1)
        return f"{head}?>{declared}{rest.replace('Solar', '&a0;')}"

    with pytest.raises(ProductRefusedError, match="declares a document type or entities") as caught:
        read(dv_xml(edit=poisoned))
    assert caught.value.exit_code == 4


def test_f132_a_bomb_within_gzip_is_refused_by_its_size(read: Read) -> None:
    with pytest.raises(ProductRefusedError, match="more than 64,000,000 bytes"):
        read(gzip.compress(b" " * 70_000_000))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('ticId="307210830"', 'ticId="TOI-175"', "ticId of <dvTargetResults> is 'TOI-175', not a number"),
        ('ticId="307210830"', 'ticId="12.5"', "not a whole number"),
        ('ticId="307210830"', 'ticId="-4"', "-4 is no TIC number"),
        ('ticId="307210830"', "", "names no TIC number"),
        ('planetNumber="1"', "", "no planetNumber"),
        ('ccdRow="335"', 'ccdRow="3e9"', "ccdRow of a pixel is 3000000000"),
        ('ccdRow="335"', 'ccdRow="4000"', "spans"),
        ('ccdRow="335"', "", "no ccdRow"),
        ('ccdRow="335" ccdColumn="661"', 'ccdRow="336" ccdColumn="661"', "one pixel twice"),
        ('uncertainty="22.0"', 'uncertainty="many"', "'many', not a number"),
        ("dvTargetResults", "kml", "its root element is 'kml'"),
    ],
)
def test_a_file_that_means_something_else_is_refused(
    read: Read, dv_xml: DvXml, monkeypatch: pytest.MonkeyPatch, old: str, new: str, said: str
) -> None:
    monkeypatch.setattr("btv_report.products.dv_report.MAX_STAMP_PIXELS", 10_000)
    with pytest.raises(ProductRefusedError) as caught:
        read(dv_xml(edit=lambda text: text.replace(old, new)))
    assert said in str(caught.value)
    assert "_dvr.xml" in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"  \n", b"SIMPLE  =                    T", b"\x00\x01\x02", b'<?xml version="1.0" encoding="nope"?><a/>'],
)
def test_what_is_no_xml_is_damaged(read: Read, content: bytes) -> None:
    with pytest.raises(ProductCorruptError, match=r"is empty|is damaged or no XML") as caught:
        read(content)
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_report_is_damaged_not_shorter(read: Read, dv_xml: DvXml, share: float) -> None:
    content = dv_xml()
    with pytest.raises(ProductCorruptError, match="damaged"):
        read(content[: int(len(content) * share)])
    with pytest.raises(ProductCorruptError, match="damaged"):
        read(gzip.compress(content)[: int(len(content) * 0.01)])


def test_a_folder_or_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.xml"):
        with pytest.raises(LocalEnvironmentError, match=r"cannot be read|not a regular file|Is a directory"):
            read_dv_report(path)


@pytest.mark.data
def test_all_real_reports_are_read_whole(shared_data: Path) -> None:
    reports = [read_dv_report(path) for path in sorted((shared_data / "dv").glob("*_dvr.xml"))]
    images = [image for report in reports for planet in report.planets for image in planet.difference_images]
    assert {report.tic_id for report in reports} == {144048277, 307210830, 390988385}
    assert len(images) == 44
    for image in images:
        assert np.isfinite(image.difference).all()
        assert np.allclose(image.difference, image.control - image.in_transit, atol=2.0)
        assert image.difference_centroid is not None
        assert image.control_centroid is not None
        apart = image.difference_centroid.row.value - image.control_centroid.row.value
        assert image.control_offset.row_px is not None
        assert image.control_offset.row_px.value == pytest.approx(apart, abs=2e-3)


@pytest.mark.data
def test_mean_offsets_agree_with_those_pulled_from_the_same_files(shared_data: Path) -> None:
    table = (shared_data / "derived" / "dv_xml_centroid_offsets.csv").read_text().splitlines()
    names = table[0].split(",")
    for line in table[1:]:
        row = dict(zip(names, line.split(","), strict=True))
        report = read_dv_report(shared_data / row["file"])
        planet = next(planet for planet in report.planets if planet.planet_number == int(row["planet"]))
        offset = planet.tic_offset
        assert offset.ra_arcsec is not None
        assert offset.sky_arcsec is not None
        assert math.isclose(offset.ra_arcsec.value, float(row["tic_ra_arcsec"]))
        assert math.isclose(offset.sky_arcsec.error or 0, float(row["tic_sky_err"]))
        assert planet.mes == float(row["mes"])


def test_a_planet_that_stands_twice_is_refused(read: Callable[[bytes], DvReport], dv_xml: DvXml) -> None:
    text = dv_xml().decode()
    (planet,) = re.findall(r"<(?:dv:)?planetResults.*?</(?:dv:)?planetResults>", text, flags=re.DOTALL)
    with pytest.raises(ProductRefusedError, match="same planetNumber"):
        read(text.replace(planet, planet + planet).encode())


@pytest.mark.parametrize("value", ["1e160", "-1e300", "1e39"])
def test_a_value_that_no_float32_holds_was_not_measured(
    read: Callable[[bytes], DvReport], dv_xml: DvXml, value: str
) -> None:
    text = dv_xml().decode()
    huge = re.sub(r'(meanFluxDifference[^>]*?value=")[^"]*', rf"\g<1>{value}", text, count=1)
    assert huge != text
    (planet,) = read(huge.encode()).planets
    assert np.isnan(planet.difference_images[0].difference).sum() == 1
