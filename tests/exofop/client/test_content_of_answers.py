"""What ExoFOP says, and what becomes of it: no star, several stars, another star's rows, tables that contradict each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.doubles import exofop_pages as pages
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_kit import KIT
from tests.doubles.exofop_tables import TABLES, render
from tests.doubles.exofop_toi_1262 import TIC_ID
from tests.doubles.scripted_server import Reply
from tests.exofop.client.conftest import (
    NOTES as NOTES_FILE,
)  # fmt: skip
from tests.exofop.client.conftest import (
    OTHER,
    MakeClient,
    answer_of,
    asked_files,
    entries_of,
    manifest_of,
)

from btv_report.answer_states import AnswerState
from btv_report.archive.limits import Limits
from btv_report.errors import AmbiguousTargetError
from btv_report.exofop.client import ExoFopClient
from btv_report.exofop.manifest import read_manifest
from btv_report.exofop.tables.of_star import read_star_table
from btv_report.exofop.types import ExoFopSelectors

NOTES, SPECT, LIST = "download_obsnotes.php", "download_spect.php", "download_filelist.php"
NO_FILES = ExoFopSelectors(max_files=0)


def test_f044_number_that_is_no_star_is_not_found_and_nothing_else_is_asked(
    client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    result = client.fetch(target=555)
    assert result.answers == {"target.php": AnswerState.NOT_FOUND}
    assert len(exofop.asked("")) == 1
    assert client.fetch(target=555).n_connections == 0
    assert result.errors == []


def test_f044_page_that_is_missing_says_nothing_of_the_star(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    exofop.play("target.php", Reply(status=404))
    result = client.fetch(target=TIC_ID)
    assert result.answers[NOTES] is AnswerState.OK
    assert len(result.files_downloaded) == 6


def test_f043_name_of_several_stars_lists_them_all_and_none_is_guessed(
    client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    for tic_id in (231702397, 68646526):
        exofop.add_target(tic_id, names=["Twin 1"])
    for _ in range(2):
        with pytest.raises(AmbiguousTargetError, match=r"2 stars .*TIC 231702397, TIC 68646526") as caught:
            client.fetch(target="Twin 1")
        assert [match[0] for match in caught.value.matches] == [231702397, 68646526]
    assert len(exofop.asked("gototicid.php")) == 1
    assert len(exofop.asked("")) == 1


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(b'{"status": "OK", "num": 2, "TIC": "111"}'), "counts '2' stars and names TIC 111"),
        (Reply(b""), "empty answer"),
        (Reply(pages.login_page()), "login"),
        (Reply(b"{"), "JSON"),
        (Reply(status=503), "503"),
    ],
)
def test_f043_name_service_that_gives_no_answer_is_no_unknown_name(
    client: ExoFopClient, exofop: ExoFopDouble, reply: Reply, words: str
) -> None:
    from btv_report.errors import ArchiveUnreachableError

    exofop.play("gototicid.php", reply)
    with pytest.raises(ArchiveUnreachableError, match=words):
        client.resolve_target("TOI-1262")
    exofop.play("gototicid.php", exofop.answer)
    assert client.resolve_target("TOI-1262").tic_id == TIC_ID


def test_f043_rows_of_another_star_are_told_apart(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    exofop.add_rows(OTHER, "spect", [{"Instrument": "mine"}, {"TIC ID": "5", "TIC": "5", "Instrument": "theirs"}])
    result = client.fetch(target=OTHER)
    assert (answer_of(result, SPECT)["n_rows"], answer_of(result, SPECT)["n_rejected"]) == (1, 1)
    assert any(SPECT in warning and "TIC 5" in warning for warning in result.warnings)


def test_f043_table_that_is_all_another_stars_is_corrupt_not_empty(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    exofop.add_rows(OTHER, "spect", [{"TIC ID": "5", "TIC": "5"}] * 3)
    assert client.fetch(target=OTHER).answers[SPECT] is AnswerState.CORRUPT


def test_f043_files_of_another_star_are_not_fetched(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    mine = exofop.add_file(OTHER, "mine.txt", b"mine\n")
    theirs = exofop.add_file(OTHER, "theirs.txt", b"theirs\n")
    file = exofop.stars[OTHER].files[-1]
    exofop.stars[OTHER].files[-1] = type(file)(
        file.file_id, file.filename, file.content, file.type, False, {**file.row, "TIC": "5"}
    )
    exofop.play(
        "target.php", lambda request: Reply(re.sub(rb'"files": \[.*\]', b'"files": []', exofop.answer(request).body))
    )
    result = client.fetch(target=OTHER)
    assert asked_files(exofop) == [mine]
    assert theirs not in entries_of(result)
    assert any("TIC 5" in warning for warning in result.warnings)


def test_f043_page_of_another_star_is_corrupt(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    exofop.play("target.php", Reply(KIT["target_365938305.json"].content))
    result = client.fetch(target=OTHER)
    assert result.answers["target.php"] is AnswerState.CORRUPT
    assert result.target.aliases == {}


KIT_NOTES = {
    "F-031-pipe-in-a-later-note": ("obsnotes_pipe_later.pipe", 70513361, 2, "depth 1.1 ppt | no shift"),
    "F-032-pipe-in-the-first-note": ("obsnotes_pipe_first.pipe", 462715015, 2, "FWHM 1.4 | airmass 1.2 | clear"),
    "F-033-newline": ("obsnotes_newline.pipe", 70513361, 2, "first line\nsecond line\n\nsecond paragraph"),
    "F-034-unclosed-tag": ("obsnotes_unclosed_tag.pipe", 70513361, 1, '<p>see the plot</p> <a target="_blank"'),
    "F-035-note-is-a-document": ("obsnotes.csv", 68646526, 1, "4 RV epochs"),
    "F-047-disposition": ("obsnotes_tfopwg.pipe", 311703724, 1, "TOI3680.01:V-shaped"),
}


@pytest.mark.parametrize("case", KIT_NOTES)
def test_notes_as_the_service_writes_them_are_kept_whole(client: ExoFopClient, exofop: ExoFopDouble, case: str) -> None:
    name, tic_id, n_rows, text = KIT_NOTES[case]
    exofop.add_target(tic_id)
    exofop.play(NOTES, Reply(KIT[name].content))
    result = client.fetch(target=tic_id)
    answer = answer_of(result, NOTES)
    assert (answer["state"], answer["n_rows"], answer["n_rejected"]) == ("OK", n_rows, 0)
    kept = (result.cache_root / "summaries/obsnotes.csv").read_bytes()
    assert kept == KIT[name].content
    notes = [record["notes"] for record in read_star_table(kept, "obsnotes", tic_id).records()]
    assert any(text in note for note in notes)


def test_f036_f048_pipes_where_csv_was_asked_for_are_read(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    exofop.add_target(231702397)
    exofop.play(SPECT, Reply(KIT["spect.pipe"].content))
    answer = answer_of(client.fetch(target=231702397), SPECT)
    assert (answer["state"], answer["n_rows"], answer["n_rejected"]) == ("OK", 9, 0)


def test_f037_new_column_is_kept_and_told_and_a_missing_needed_one_is_an_error(
    client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    columns = TABLES["filelist"].columns
    rows = [{"Type": "Image", "File Name": "a.dat", "File ID": "77", "TIC": str(OTHER), "Colour": "blue"}]
    exofop.play(LIST, Reply(render([*columns, "Colour"], rows, "csv")))
    result = client.fetch(target=OTHER, selectors=NO_FILES)
    assert result.answers[LIST] is AnswerState.OK
    assert any(LIST in warning and "Colour" in warning for warning in result.warnings)
    exofop.play(LIST, Reply(render([name for name in columns if name != "File ID"], rows, "csv")))
    again = client.fetch(target=OTHER, selectors=NO_FILES, force_refresh=True)
    assert again.answers[LIST] is AnswerState.STALE
    assert any("File ID" in error for error in again.errors)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-8-sig"])
def test_f020_names_survive_any_encoding(client: ExoFopClient, exofop: ExoFopDouble, encoding: str) -> None:
    exofop.add_target(4321, names=["Gonz\u00e1lez-\u00c5lvarez 1"])
    exofop.json_encoding = encoding
    assert client.fetch(target=4321).target.aliases == {"name": "Gonz\u00e1lez-\u00c5lvarez 1"}


def test_f038_cells_that_say_none_are_blank_and_null_lists_are_empty(
    client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    exofop.null_lists = True
    number = exofop.add_file(OTHER, "a.txt", b"text\n", tag="None", group="nan", description="None", toi="None")
    result = client.fetch(target=OTHER)
    entry = entries_of(result)[number]
    assert [entry[name] for name in ("tag", "group", "description", "toi")] == [None] * 4
    assert result.errors == []


@pytest.mark.parametrize("has_tic", [True, False])
def test_list_with_and_without_a_column_of_stars_is_read(
    client: ExoFopClient, exofop: ExoFopDouble, has_tic: bool
) -> None:
    exofop.filelist_has_tic = has_tic
    assert [row.tic_id for row in client.file_list(tic_id=TIC_ID)] == [TIC_ID] * 6


def test_empty_table_is_throttled_while_the_page_counts_rows(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    exofop.play(SPECT, Reply(render(TABLES["spect"].columns, [], "csv")))
    result = client.fetch(target=TIC_ID, selectors=NO_FILES)
    assert result.answers[SPECT] is AnswerState.THROTTLED
    assert any(SPECT in error and "counts 5 rows" in error for error in result.errors)
    assert "spect" not in manifest_of(result)["summaries"]
    exofop.play(SPECT, exofop.answer)
    assert client.fetch(target=TIC_ID, selectors=NO_FILES).answers[SPECT] is AnswerState.OK


def test_empty_list_is_throttled_while_the_page_names_files_which_are_fetched(
    client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    exofop.play(LIST, Reply(render(TABLES["filelist"].columns, [], "csv")))
    result = client.fetch(target=TIC_ID)
    assert result.answers[LIST] is AnswerState.THROTTLED
    assert len(result.files_downloaded) == 6
    assert any(LIST in error and "names 6 files" in error for error in result.errors)


def test_f049_files_that_only_the_page_names_are_told_and_fetched(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    def without_last(request: object) -> Reply:
        return Reply(b"".join(exofop.answer(request).body.splitlines(keepends=True)[:-1]))  # type: ignore[arg-type]

    exofop.play(LIST, without_last)
    result = client.fetch(target=TIC_ID)
    assert asked_files(exofop)[-1] == NOTES_FILE
    assert any(str(NOTES_FILE) in warning and "target.php names files" in warning for warning in result.warnings)


@pytest.mark.parametrize("page_has_name", [False, True])
def test_f040_file_without_a_name_is_fetched_by_its_number_and_listed(
    client: ExoFopClient, exofop: ExoFopDouble, page_has_name: bool
) -> None:
    number = exofop.add_file(OTHER, "curve.dat" if page_has_name else "", b"0.1 2.5\n0.5 5.1\n", type="Image")
    exofop.play(LIST, lambda request: Reply(exofop.answer(request).body.replace(b"curve.dat", b"")))
    result = client.fetch(target=OTHER)
    name = "curve.dat" if page_has_name else f"file_{number}"
    (path,) = result.files_downloaded
    assert (path.name, path.read_bytes()) == (f"{number}_{name}", b"0.1 2.5\n0.5 5.1\n")
    assert (entries_of(result)[number]["filename"], answer_of(result, LIST)["n_rejected"]) == (name, 0)
    assert [f"called file_{number}" in words for words in result.warnings] == ([] if page_has_name else [True])
    (listed,) = read_manifest(result.manifest_path, tic_id=OTHER).open_files
    assert (listed.filename, listed.state) == (name, AnswerState.OK)


def test_file_whose_row_cannot_be_read_any_more_is_still_listed(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    client.fetch(target=TIC_ID)
    exofop.play(LIST, lambda request: Reply(exofop.answer(request).body.replace(b"2019-11-08", b"soon")))
    exofop.play(
        "target.php", lambda request: Reply(re.sub(rb'"files": \[.*\]', b'"files": []', exofop.answer(request).body))
    )
    result = client.fetch(target=TIC_ID, force_refresh=True)
    assert answer_of(result, LIST)["n_rejected"] == 1
    assert any("1 of 6 rows could not be read" in words for words in result.warnings)
    assert not any("does not list any more" in words for words in result.warnings)
    assert not any("listed" in entry for entry in entries_of(result).values())


def test_list_that_is_suddenly_empty_is_stale_and_loses_no_file(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    first = client.fetch(target=TIC_ID)
    for number in asked_files(exofop):
        exofop.remove_file(number)
    result = client.fetch(target=TIC_ID, force_refresh=True)
    assert result.answers[LIST] is AnswerState.STALE
    assert all(path.is_file() for path in first.files_downloaded)
    assert len(entries_of(result)) == 6


def test_toi_that_exofop_does_not_know_is_not_found(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    exofop.play("download_toi.php", Reply(pages.invalid_toi()))
    result = client.fetch(target=TIC_ID, selectors=NO_FILES)
    assert result.answers["download_toi.php"] is AnswerState.NOT_FOUND


def test_star_without_toi_has_its_community_toi_asked_for(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    exofop.add_target(777, ctoi=[{"CTOI": "777.01", "Period (days)": "3.5"}])
    result = client.fetch(target=777)
    assert result.answers["download_toi.php"] is AnswerState.EMPTY
    assert result.answers["download_ctoi.php"] is AnswerState.OK
    assert exofop.asked("download_toi.php") == []
    (asked,) = exofop.asked("download_ctoi.php")
    assert asked.query["ctoi"] == "777"


def test_toi_is_not_said_to_be_absent_while_the_page_was_not_had(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    exofop.play("target.php", Reply(b""))
    result = client.fetch(target=OTHER)
    assert result.answers["download_toi.php"] is AnswerState.UNREACHABLE
    assert client.fetch(target="TOI-1262", selectors=NO_FILES).answers["download_toi.php"] is AnswerState.OK


def test_f018_table_over_the_limit_is_rejected(make_client: MakeClient, cache: Path) -> None:
    result = make_client(limits=Limits(table_bytes=300, tries=2, backoff_s=0.001)).fetch(
        target=TIC_ID, selectors=NO_FILES
    )
    assert result.answers[SPECT] is AnswerState.REJECTED
    assert not (cache / f"exofop/tic_{TIC_ID}/summaries/spect.csv").exists()


@pytest.mark.parametrize("field", ["star_names", "files"])
def test_f130_half_a_letter_in_the_page_breaks_nothing(client: ExoFopClient, exofop: ExoFopDouble, field: str) -> None:
    exofop.add_target(4321, names=["HD @1"])
    number = exofop.add_file(4321, "@name.txt", b"text\n", description="@said")
    exofop.play("target.php", lambda request: Reply(exofop.answer(request).body.replace(b"@", b"\\ud83d")))
    if field == "files":  # known by the page alone
        exofop.play(LIST, Reply(render(TABLES["filelist"].columns, [], "csv")))
    result = client.fetch(target=4321)
    assert entries_of(result)[number]["state"] == "OK"
    assert client.fetch(target=4321).files_downloaded == result.files_downloaded


@pytest.mark.parametrize("number", ["-5", "99999999999999999999", "1e3", "0", "\u0664\u0665", "1.5"])
def test_number_that_no_file_has_is_a_rejected_row(client: ExoFopClient, exofop: ExoFopDouble, number: str) -> None:
    rows = [
        {"File ID": number, "File Name": "a.txt", "Type": "Other", "TIC": str(OTHER)},
        {"File ID": "77", "File Name": "b.txt", "Type": "Other", "TIC": str(OTHER)},
    ]
    exofop.play(LIST, Reply(render(TABLES["filelist"].columns, rows, "csv")))
    exofop.play("get_file.php", Reply(b"text\n"))
    result = client.fetch(target=OTHER)
    assert 77 in entries_of(result)
    assert len(entries_of(result)) <= 2
    assert result.answers[LIST] is AnswerState.OK
