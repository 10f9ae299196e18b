"""Catalogues of neighbours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.table import Table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from btv_report.errors import UsageError
from btv_report.products.neighbours import read_neighbours, without_target
from btv_report.targets import Neighbour, SkyPosition

GAIA_ID = 1824561377891719424


def write(tmp_path: Path, text: str, name: str = "stars.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_with_columns_in_any_case_and_order(tmp_path: Path) -> None:
    text = "Dec,pmRA,ID,RA,Tmag,GMAG,pmDEC,ref_epoch,colour\n-20.5,1.5,TIC 7,120.25,11.5,,-2.5,2016.0,red\n"
    (star,) = read_neighbours(write(tmp_path, text)).stars
    assert star == Neighbour("TIC 7", SkyPosition(120.25, -20.5, 1.5, -2.5, 2016.0, True), 11.5, None)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(star_id=st.integers(min_value=10**18, max_value=10**19 - 1))
def test_f046_nineteen_digits_survive(tmp_path: Path, star_id: int) -> None:
    (star,) = read_neighbours(write(tmp_path, f"id,ra,dec\n{star_id},1,2\n")).stars
    assert star.star_id == str(star_id)


@pytest.mark.parametrize("star_id", ["1.824561377891719e+18", "5.48E18", "1824561377891719424.0"])
def test_f046_id_that_went_through_a_float_is_refused(tmp_path: Path, star_id: str) -> None:
    with pytest.raises(UsageError, match=r"Line 2 of the catalogue stars\.csv: the id .* has lost digits"):
        read_neighbours(write(tmp_path, f"id,ra,dec\n{star_id},1,2\n"))


def test_small_id_saved_as_a_decimal_is_the_integer(tmp_path: Path) -> None:
    assert read_neighbours(write(tmp_path, "id,ra,dec\n25155310.0,1,2\n")).stars[0].star_id == "25155310"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.ecsv", {"format": "ascii.ecsv"}),
        ("b.ecsv", {"format": "ascii.ecsv", "delimiter": ","}),
        ("c.vot", {"format": "votable"}),
        ("d.xml", {"format": "votable", "tabledata_format": "binary2"}),
    ],
)
def test_f046_table_formats_keep_ids_and_blanks(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    table = Table(
        {
            "ID": np.array([GAIA_ID, 7]),
            "RA": [120.0, 121.0],
            "Dec": [-20.0, -21.0],
            "Tmag": np.ma.array([11.5, 0.0], mask=[False, True]),
            "gmag": [np.nan, 12.5],
            "pmRA": np.ma.array([1.0, 2.0], mask=[False, True]),
            "pmDEC": [3.0, 4.0],
        }
    )
    table.write(tmp_path / name, **options)
    first, second = read_neighbours(tmp_path / name).stars
    assert (first.star_id, first.tmag, first.gmag) == (str(GAIA_ID), 11.5, None)
    assert first.position == SkyPosition(120.0, -20.0, 1.0, 3.0, 2000.0, True)
    assert (second.star_id, second.tmag, second.gmag) == ("7", None, 12.5)
    assert not second.position.pm_known


def test_votable_with_ids_as_floats_is_refused(tmp_path: Path) -> None:
    Table({"id": np.array([GAIA_ID], dtype=float), "ra": [1.0], "dec": [2.0]}).write(
        tmp_path / "f.vot", format="votable"
    )
    with pytest.raises(UsageError, match="has lost digits"):
        read_neighbours(tmp_path / "f.vot")


BILLION_LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<VOTABLE><DESCRIPTION>&b;</DESCRIPTION></VOTABLE>"""
EXTERNAL = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]><VOTABLE>&f;</VOTABLE>'


@pytest.mark.parametrize("text", [BILLION_LAUGHS, EXTERNAL])
def test_f132_xml_with_entities_is_refused_unparsed(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("the XML was parsed")

    monkeypatch.setattr("astropy.io.votable.parse_single_table", fail)
    with pytest.raises(UsageError, match="declares a document type or entities"):
        read_neighbours(write(tmp_path, text, "x.vot"))
    path = tmp_path / "wide.vot"
    path.write_bytes(text.encode("utf-16"))
    with pytest.raises(UsageError):
        read_neighbours(path)


def test_f132_votable_whose_data_lie_elsewhere_opens_no_connection(tmp_path: Path) -> None:
    text = (
        '<VOTABLE><RESOURCE><TABLE><FIELD name="id" datatype="long"/><DATA><BINARY>'
        '<STREAM encoding="base64" href="http://127.0.0.1:9/x"/></BINARY></DATA></TABLE></RESOURCE></VOTABLE>'
    )
    with pytest.raises(UsageError, match="are not fetched"):
        read_neighbours(write(tmp_path, text, "x.vot"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("id,ra\n1,2\n", "has no column dec"),
        ("name,x,y\n1,2,3\n", "has no column id and no column ra and no column dec"),
        ("id,ra,dec\n1,2\n", "Line 2 of the catalogue stars.csv has 2 cells, its header 3"),
        ("id,ra,dec\n1,2,3\n\n2,x,4\n", "Line 4 of the catalogue stars.csv: ra is 'x', not a number"),
        ("id,ra,dec\n1,2,91\n", "(id 1) has no usable position: ra 2, dec 91"),
        ("id,ra,dec\n1,,3\n", "no usable position"),
        ("id,ra,dec\n,2,3\n", "Line 2 of the catalogue stars.csv has no id"),
        ("id,ra,dec,ID\n1,2,3,4\n", "has the column id twice"),
        ('id,ra,dec\n"1,2,3\n', "is no csv table"),
        ("id,ra,dec,gmag,pmra,pmdec\n1,2,3,4,5,6\n", "no column ref_epoch says the year"),
        ("<VOTABLE><nothing/>", "is no VOTable"),
    ],
)
def test_bad_files_are_usage_errors_that_say_where(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_neighbours(write(tmp_path, text))
    assert message in str(caught.value)
    assert "stars.csv" in str(caught.value)


def test_missing_and_binary_files_are_usage_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.csv cannot be used"):
        read_neighbours(tmp_path / "absent.csv")
    (tmp_path / "b.csv").write_bytes(b"id,ra,dec\n\xff\xfe,1,2\n")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_neighbours(tmp_path / "b.csv")


def test_blank_epoch_of_one_star_leaves_it_where_it_is(tmp_path: Path) -> None:
    text = "id,ra,dec,pmra,pmdec,ref_epoch\n1,2,3,5,6,\n2,2,3,5,6,2016\n"
    first, second = read_neighbours(write(tmp_path, text)).stars
    assert (first.position.pm_known, second.position.pm_known) == (False, True)


def test_header_line_alone_is_an_empty_catalogue(tmp_path: Path) -> None:
    assert read_neighbours(write(tmp_path, "id,ra,dec\n")).stars == ()


def star(star_id: str, d_dec_arcsec: float, **motion: float) -> Neighbour:
    pm = motion.get("pmdec", 0.0)
    return Neighbour(star_id, SkyPosition(120.0, -20.0 + d_dec_arcsec / 3600, 0.0, pm, 2016.0, bool(pm)))


def test_target_itself_is_no_neighbour() -> None:
    here = SkyPosition(120.0, -20.0)
    stars = [star("TIC 42", 30.0), star("0000042", 30.0), star("a", 0.9), star("b", 1.1), star(str(GAIA_ID), 5.0)]
    left = without_target(stars, tic_id=42, position=here, year=2020.0)
    assert [item.star_id for item in left] == ["b", str(GAIA_ID)]


def test_target_is_recognised_after_both_have_moved() -> None:
    target = SkyPosition(120.0, -20.0, 0.0, 1000.0, 2000.0, True)
    same = Neighbour("gaia", SkyPosition(120.0, -20.0 + 16.0 / 3600, 0.0, 1000.0, 2016.0, True))
    passing = star("passing", 0.0)
    left = without_target([same, passing], tic_id=42, position=target, year=2020.0)
    assert [item.star_id for item in left] == ["passing"]


def test_unknown_position_leaves_all_but_the_own_number() -> None:
    left = without_target([star("42", 0.0), star("a", 0.0)], tic_id=42, position=None, year=2020.0)
    assert [item.star_id for item in left] == ["a"]


def test_tic_columns_are_understood_and_rows_that_are_no_stars_left_out_and_counted(tmp_path: Path) -> None:
    text = (
        "ID,ra,dec,Tmag,GAIA,GAIAmag,pmRA,pmDEC,disposition,duplicate_id\n"
        "1,10,20,11.5,99,12.0,3,4,,\n2,10,20,11.6,,,,,DUPLICATE,1\n3,10,20,11.7,,,,,Artifact,\n4,10,20,11.8,,,,,SPLIT,\n"
    )
    catalogue = read_neighbours(write(tmp_path, text))
    assert catalogue.stars == (Neighbour("1", SkyPosition(10.0, 20.0, 3.0, 4.0, 2000.0, True), 11.5, 12.0),)
    assert catalogue.n_left_out == 3


@pytest.mark.parametrize(("column", "value"), [("ruwe", "1.01"), ("non_single_star", "0"), ("ref_epoch", "2016.0")])
def test_gaia_columns_are_understood_with_the_epoch_of_their_release(tmp_path: Path, column: str, value: str) -> None:
    text = f"source_id,RA,DEC,phot_g_mean_mag,pmra,pmdec,{column}\n{GAIA_ID},10,20,12.5,3,4,{value}\n"
    (star,) = read_neighbours(write(tmp_path, text)).stars
    assert star == Neighbour(str(GAIA_ID), SkyPosition(10.0, 20.0, 3.0, 4.0, 2016.0, True), None, 12.5)


def test_gaia_table_that_does_not_tell_its_release_is_refused_when_stars_move(tmp_path: Path) -> None:
    text = f"source_id,ra,dec,phot_g_mean_mag,pmra,pmdec\n{GAIA_ID},10,20,12.5,3,4\n"
    with pytest.raises(UsageError, match="no column ref_epoch says the year"):
        read_neighbours(write(tmp_path, text))


def test_our_own_names_go_before_those_of_the_archives(tmp_path: Path) -> None:
    text = f"source_id,id,ra,dec,phot_g_mean_mag,gmag\n{GAIA_ID},mine,1,2,13,12\n"
    (star,) = read_neighbours(write(tmp_path, text)).stars
    assert (star.star_id, star.gmag) == ("mine", 12.0)


@pytest.mark.data
def test_real_tic_cone_is_read_but_for_rows_that_are_no_stars(shared_data: Path) -> None:
    path = shared_data / "catalogs" / "toi3505_tic_v8_2p5arcmin.csv"
    catalogue = read_neighbours(path)
    stars = catalogue.stars
    assert (len(stars), catalogue.n_left_out) == (2316, 41)
    target = stars[0]
    assert (target.star_id, target.tmag, target.position.ref_epoch_year) == ("390988385", 10.9372, 2000.0)
    left = without_target(stars, tic_id=390988385, position=target.position, year=2022.5)
    assert 0 < len(stars) - len(left) <= 3


@pytest.mark.data
def test_real_gaia_cone_is_read_as_dr3(shared_data: Path) -> None:
    stars = read_neighbours(shared_data / "catalogs" / "toi3505_gaia_dr3_2p5arcmin.csv").stars
    assert len(stars) == 2359
    assert {star.position.ref_epoch_year for star in stars} == {2016.0}
    assert (stars[0].star_id, stars[0].tmag, round(stars[0].gmag or 0, 3)) == ("1824561377891719424", None, 11.476)


def test_a_star_listed_twice_counts_once(tmp_path: Path) -> None:
    text = "id,ra,dec,tmag\nTIC 7,120.25,-20.5,11.5\nTIC 8,120.26,-20.5,12.5\nTIC 7,120.25,-20.5,11.6\n"
    catalogue = read_neighbours(write(tmp_path, text))
    assert [(star.star_id, star.magnitude) for star in catalogue.stars] == [("TIC 7", 11.5), ("TIC 8", 12.5)]
    assert (catalogue.n_repeated, catalogue.n_left_out) == (1, 0)


@pytest.mark.parametrize("text", ["99", "99.99", "-99.9", "-999", "-9999", "25.1", "-2.1"])
def test_a_magnitude_that_no_star_has_is_unknown_and_counted(tmp_path: Path, text: str) -> None:
    table = f"id,ra,dec,tmag,gmag\n1,10,20,{text},\n2,10,20,,{text}\n3,10,20,0,-1.4\n4,10,20,25,\n"
    catalogue = read_neighbours(write(tmp_path, table))
    assert [(star.tmag, star.gmag) for star in catalogue.stars] == [
        (None, None),
        (None, None),
        (0.0, -1.4),
        (25.0, None),
    ]
    assert (catalogue.n_odd_magnitudes, catalogue.n_odd_motions) == (2, 0)


@pytest.mark.parametrize("motion", ["-9999,-9999", "-9999,0", "0,-9999", "11001,0", "8000,-8000", "61000,-38500"])
def test_a_proper_motion_that_no_star_has_is_unknown_and_counted(tmp_path: Path, motion: str) -> None:
    table = f"id,ra,dec,tmag,pmra,pmdec\n1,10,20,12,{motion}\n2,10,20,12,-801.6,10362.4\n"
    catalogue = read_neighbours(write(tmp_path, table))
    odd, barnard = (star.position for star in catalogue.stars)
    assert (odd.pmra_mas_per_yr, odd.pmdec_mas_per_yr, odd.pm_known) == (0.0, 0.0, False)
    assert (barnard.pmdec_mas_per_yr, barnard.pm_known) == (10362.4, True)
    assert (catalogue.n_odd_magnitudes, catalogue.n_odd_motions) == (0, 1)
