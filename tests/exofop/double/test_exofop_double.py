"""The loopback ExoFOP answers as the service is known to answer."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from tests.doubles.exofop_caller import Caller
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.scripted_server import Reply, Request
from tests.exofop.double.conftest import OTHER, TIC_ID


@pytest.mark.parametrize("name", ["9000000001", "TIC%209000000001", "TOI5001", "TOI-5001.01", "HD%201", "hd1"])
def test_a_name_gives_its_number_as_text(caller: Caller, name: str) -> None:
    assert caller.json(f"gototicid.php?target={name}&json") == {"status": "OK", "num": 1, "TIC": str(TIC_ID)}


def test_the_flag_needs_no_value_and_without_it_the_answer_leads_to_the_page(caller: Caller) -> None:
    status, _, headers = caller.ask("gototicid.php?target=HD1")
    assert (status, headers["Location"]) == (302, f"/tess/target.php?id={TIC_ID}")


def test_the_extended_form_holds_the_numbers_of_other_catalogues(caller: Caller) -> None:
    summary = caller.json("gototicid.php?target=HD1&jsonext")["summary"]
    assert summary == {"status": "OK", "TIC": str(TIC_ID), "GAIADR2": "1234567890123456789", "KIC": "", "EPIC": ""}


@pytest.mark.parametrize("form", ["json", "jsonext"])
def test_an_unknown_name_is_told_with_status_200(caller: Caller, form: str) -> None:
    answer = caller.json(f"gototicid.php?target=nobody&{form}")
    assert answer.get("summary", answer) == {"status": "ERROR", "message": "No object found."}


@pytest.mark.parametrize("form", ["", "&json"])
def test_a_name_of_two_stars_gives_a_pick_list(caller: Caller, form: str) -> None:
    text = caller.body(f"gototicid.php?target=twin{form}").decode()
    assert '<table class="tfop">' in text
    assert all(f'<td><a href="target.php?id={tic_id}">' in text for tic_id in (TIC_ID, OTHER))


def test_the_target_object_shows_files_and_dispositions(double: ExoFopDouble, caller: Caller) -> None:
    double.add_file(TIC_ID, "a.dat", b"a", type="Image", file_id=7, tag="12")
    value = caller.json(f"target.php?id={TIC_ID}&json")
    assert value["basic_info"]["star_names"].startswith(f"TIC {TIC_ID}, TOI 5001, HD 1, Gaia DR2 1234567890123456789")
    assert value["tois"] == [{"toi": "5001.01", "disp_tfop": "", "disp_tess": "", "notes": ""}]
    assert value["imaging"] == []
    (file,) = value["files"]
    assert (file["fid"], file["fname"], file["ftype"], file["ftag"]) == ("7", "a.dat", "Image", "12")
    assert caller.json("target.php?id=Gaia%20DR2%201234567890123456789&json") == value


def test_the_target_object_comes_with_nulls_and_in_other_encodings(double: ExoFopDouble, caller: Caller) -> None:
    double.add_file(TIC_ID, "\u00c5.dat", b"a")
    double.null_lists, double.json_encoding = True, "latin-1"
    content = caller.body(f"target.php?id={TIC_ID}&json")
    assert json.loads(content.decode("latin-1"))["imaging"] is None
    with pytest.raises(UnicodeDecodeError):
        content.decode()


def test_a_number_that_is_no_stars_has_a_page_and_no_object(caller: Caller) -> None:
    assert b"TIC 123" in caller.body("target.php?id=123")
    assert caller.body("target.php?id=123&json") == b"No TIC object found"


@pytest.mark.parametrize(
    "question",
    [
        "download_spect.php?id=9000000001",
        "download_filelist.php?target=9000000001",
        "download_stellar.php?tid=9000000001",
        "download_obsnotes.php?target=9000000001",
        "download_obsnotes.php?tid=9000000001&tag=1573",
        "download_uploads.php?id=9000000001",
    ],
)
def test_a_wrong_parameter_gives_the_header_alone(double: ExoFopDouble, caller: Caller, question: str) -> None:
    double.add_rows(TIC_ID, "spect", [{"Instrument": "TRES"}])
    double.add_rows(TIC_ID, "stellar", [{"Teff (K)": "5000"}])
    double.add_note(TIC_ID, "a note")
    double.add_file(TIC_ID, "a.dat", b"a")
    assert len(caller.body(question).splitlines()) == 1


def test_notes_that_do_not_exist_are_51_bytes(caller: Caller) -> None:
    assert len(caller.body("download_obsnotes.php?tid=1&output=pipe")) == 51


def test_notes_come_by_star_by_tag_and_by_row(double: ExoFopDouble, caller: Caller) -> None:
    double.add_note(TIC_ID, row={"ID": "5", "TAG ID": "77", "Groupname": "tfopwg", "notes": "one"})
    double.add_note(TIC_ID, "two | three\nfour")
    notes = {row["ID"]: row["notes"] for row in caller.rows(f"download_obsnotes.php?tid={TIC_ID}")}
    assert list(notes.values()) == ["one", "two | three\nfour"]
    assert [row["notes"] for row in caller.rows("download_obsnotes.php?tag=77")] == ["one"]
    assert [row["notes"] for row in caller.rows("download_obsnotes.php?id=5")] == ["one"]
    assert b"|two | three\nfour\r\n" in caller.body(f"download_obsnotes.php?tid={TIC_ID}&output=pipe")


def test_the_toi_table_has_63_columns_and_comes_whole_or_by_number_without_prefix(
    double: ExoFopDouble, caller: Caller
) -> None:
    double.add_rows(TIC_ID, "toi", [{"TOI": "5001.02", "Sectors": "1,27,67"}])
    whole = caller.rows("download_toi.php?output=csv")
    assert [row["TOI"] for row in whole] == ["5001.01", "5001.02"]
    assert len(whole[0]) == 63
    assert whole[1]["Sectors"] == "1,27,67"
    assert len(caller.rows("download_toi.php?toi=5001&output=csv")) == 2
    assert len(caller.rows("download_toi.php?toi=5001.02&output=csv")) == 1
    assert b"Sorry, entered TOI is invalid" in caller.body("download_toi.php?toi=TOI5001&output=csv")


def test_community_candidates_come_whole_or_by_number(double: ExoFopDouble, caller: Caller) -> None:
    double.add_rows(TIC_ID, "ctoi", [{"CTOI": f"{TIC_ID}.01", "Period (days)": "3.5"}, {"CTOI": f"{TIC_ID}.02"}])
    double.add_rows(OTHER, "ctoi", [{"CTOI": f"{OTHER}.01"}])
    assert len(caller.rows("download_ctoi.php?output=csv")) == 3
    assert len(caller.rows(f"download_ctoi.php?ctoi={TIC_ID}&output=csv")) == 2
    assert [row["Period (days)"] for row in caller.rows(f"download_ctoi.php?ctoi={TIC_ID}.01&output=csv")] == ["3.5"]
    assert caller.rows("download_ctoi.php?ctoi=1&output=csv") == []


@pytest.mark.parametrize("table", ["stellar", "planet"])
def test_stellar_and_planet_come_with_pipes_whatever_is_asked(double: ExoFopDouble, caller: Caller, table: str) -> None:
    double.add_rows(TIC_ID, table, [{"Table": "TIC"}])
    header, row = caller.body(f"download_{table}.php?id={TIC_ID}&output=csv").decode().splitlines()
    assert header.count("|") == row.count("|") > 10


def test_the_file_list_has_pipes_unless_csv_is_asked_for_and_may_lack_the_tic_column(
    double: ExoFopDouble, caller: Caller
) -> None:
    double.add_file(TIC_ID, "a,b.dat", b"a", type="Image", file_id=7, description="x")
    header, row = caller.body(f"download_filelist.php?id={TIC_ID}").decode().splitlines()
    assert header == "Type|File Name|File ID|TIC|TOI|Date|User|Group|Tag|Description"
    assert row == f"Image|a,b.dat|7|{TIC_ID}|TOI 5001|2021-06-07|observer|||x"
    assert caller.body("download_filelist.php?toi=5001.01").decode().splitlines()[1] == row
    double.filelist_has_tic = False
    (row_csv,) = caller.rows(f"download_filelist.php?id={TIC_ID}&output=csv")
    assert row_csv["File Name"] == "a,b.dat"
    assert "TIC" not in row_csv


@pytest.mark.parametrize("table", ["imaging", "spect", "tseries", "stellarcomp"])
def test_observations_come_by_number_by_prefixed_toi_and_by_name(
    double: ExoFopDouble, caller: Caller, table: str
) -> None:
    double.add_rows(TIC_ID, table, [{"Filter" if table != "spect" else "Instrument": "I", "Tag": "12"}])
    for target in (str(TIC_ID), "TOI5001", "HD%201"):
        (row,) = caller.rows(f"download_{table}.php?target={target}&output=csv")
        assert (row["TIC ID"], row["TOI"]) == (str(TIC_ID), "TOI 5001")
    assert caller.rows(f"download_{table}.php?target=5001&output=csv") == []
    assert len(caller.rows(f"download_{table}.php?tag=12&output=csv")) == 1
    assert b"," not in caller.body(f"download_{table}.php?target={TIC_ID}")


def test_counts_of_uploads_come_a_row_a_star(double: ExoFopDouble, caller: Caller) -> None:
    double.add_file(TIC_ID, "a.dat", b"a")
    rows = caller.rows("download_uploads.php?target=twin&output=csv")
    assert [(row["TIC ID"], row["Files"], row["Observing Notes"]) for row in rows] == [
        (str(TIC_ID), "1", "0"),
        (str(OTHER), "0", "1"),
    ]
    assert len(rows[0]) >= 9


def test_a_file_comes_by_its_number_under_the_name_it_was_given(double: ExoFopDouble, caller: Caller) -> None:
    number = double.add_file(TIC_ID, "a b.dat", b"bytes")
    lying = double.add_file(TIC_ID, "c.dat", b"more", disposition='attachment; filename="../../c"')
    status, content, headers = caller.ask(f"get_file.php?id={number}")
    assert (status, content, headers["Content-Disposition"]) == (200, b"bytes", 'attachment; filename="a b.dat"')
    assert caller.ask(f"get_file.php?id={lying}")[2]["Content-Disposition"] == 'attachment; filename="../../c"'
    assert caller.body("get_file.php?id=1").startswith(b"<!DOCTYPE html>")


def test_a_file_can_be_replaced_under_its_number(double: ExoFopDouble, caller: Caller) -> None:
    number = double.add_file(TIC_ID, "a.dat", b"old")
    double.remove_file(number)
    assert b"old" not in caller.body(f"get_file.php?id={number}")
    double.add_file(TIC_ID, "a.dat", b"new", file_id=number)
    assert caller.body(f"get_file.php?id={number}") == b"new"


@pytest.mark.parametrize("folder", [None, "tic_1"])
def test_the_archive_holds_every_file_with_or_without_a_top_folder(
    double: ExoFopDouble, caller: Caller, folder: str | None
) -> None:
    double.zip_folder = folder
    for content in (b"one", b"two"):
        double.add_file(TIC_ID, "same.dat", content)
    archive = zipfile.ZipFile(io.BytesIO(caller.body(f"download_files_zip.php?id={TIC_ID}")))
    name = "same.dat" if folder is None else "tic_1/same.dat"
    assert [member.filename for member in archive.infolist()] == [name, name]
    assert [archive.read(member) for member in archive.infolist()] == [b"one", b"two"]
    assert zipfile.ZipFile(io.BytesIO(caller.body("download_files_zip.php?id=1"))).namelist() == []


def test_who_asks_for_a_tar_is_found_out(double: ExoFopDouble, caller: Caller) -> None:
    assert caller.ask(f"download_files.php?id={TIC_ID}")[0] == 410
    assert [request.query["id"] for request in double.asked("download_files.php")] == [str(TIC_ID)]


def test_questions_and_connections_are_counted(double: ExoFopDouble, caller: Caller) -> None:
    for number in (1, 2):
        caller.ask(f"get_file.php?id={number}")
    caller.ask("target.php?id=1")
    assert [request.query["id"] for request in double.asked("get_file.php")] == ["1", "2"]
    assert (len(double.asked()), double.n_connections) == (3, 3)
    assert caller.ask("no_such.php")[0] == 404


def test_faults_stand_before_the_usual_answer(double: ExoFopDouble, caller: Caller) -> None:
    def grow(request: Request) -> Reply:
        double.add_file(TIC_ID, "late.dat", b"late")
        return double.answer(request)

    double.play("download_filelist.php", Reply(status=503), grow)
    question = f"download_filelist.php?id={TIC_ID}&output=csv"
    assert caller.ask(question)[0] == 503
    assert [row["File Name"] for row in caller.rows(question)] == ["late.dat"]
