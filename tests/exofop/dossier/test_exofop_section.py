"""ExoFOP's candidates, disagreements, files and answers on the page."""

from __future__ import annotations

from typing import Any

import pytest

from btv_report.dossier.exofop import ExoFopSection, build_exofop
from btv_report.dossier.page import build_page
from btv_report.dossier.publish import publishable, read_dossier
from btv_report.dossier.tables import Table
from btv_report.record import RunRecord
from btv_report.render.pages import dossier_files


def section_of(record: Any) -> ExoFopSection:
    """The section of the publishable part of a record, without figures."""
    return build_exofop(publishable(record), {})


def column(table: Table | None, title: str) -> list[str]:
    """The texts of a column."""
    assert table is not None
    place = [item.title for item in table.columns].index(title)
    return [row[place].text for row in table.rows]


def titles(table: Table | None) -> list[str]:
    assert table is not None
    return [item.title for item in table.columns]


def test_every_row_of_exofop_is_listed_with_dispositions_used_or_not(record: Any) -> None:
    section = section_of(record)
    table = section.candidates
    assert column(table, "Candidate") == ["1262.01", "1262.02"]
    assert column(table, "Used") == ["yes", "no"]
    assert column(table, "Period (days)") == ["5.0317", "—"]
    assert column(table, "Mid-transit (BTJD)") == ["3540.26317", "—"]
    assert column(table, "Depth (ppm)") == ["2050", "—"]
    assert column(table, "TFOPWG disposition") == ["CP", "—"]
    assert column(table, "Sectors") == ["83, 84", "—"]
    assert table is not None
    assert "opinion" in table.note
    assert "1262.02 is not used: its row gives no period." in section.remarks


def test_a_long_comment_is_cut_and_whole_in_the_data_file(record: Any) -> None:
    (comment,) = (text for text in section_of(record).remarks if "comment" in text)
    assert len(comment) < 500
    assert comment.endswith("…")
    files = dossier_files("run", "ab" * 32, record)
    kept = read_dossier(files["tic/188646744/dossier.json"])["exofop"]["candidates"][0]["comments"]
    assert len(kept) > 400


def test_columns_that_no_candidate_fills_are_left_out(record: Any) -> None:
    record["exofop"]["candidates"] = record["exofop"]["candidates"][1:]
    assert titles(section_of(record).candidates) == ["Candidate", "Table", "Used"]


def test_disagreements_stand_as_sentences_of_their_own(record: Any) -> None:
    assert section_of(record).disagreements == tuple(record["exofop"]["disagreements"])


def test_files_tell_tag_bytes_and_older_versions(record: Any) -> None:
    table = section_of(record).files
    assert column(table, "File") == ["curve_832.dat", "plot.png"]
    assert column(table, "Tag") == ["1234", "—"]
    assert column(table, "Bytes are") == ["text", "PNG image"]
    assert column(table, "Group") == ["tfopwg, obs", "tfopwg, obs"]
    assert column(table, "Before (SHA-256)") == ["121212121212…", "—"]
    assert table is not None
    assert table.rows[0][0].href == "https://exofop.ipac.caltech.edu/tess/get_file.php?id=7001"
    assert "those with a copy to download stand in this site as well" in table.note


def test_file_whose_bytes_are_not_there_says_where_they_were_looked_for(record: Any) -> None:
    reason = "there is no file files/7001_curve_832.dat in exofop/tic_188646744"
    record["exofop"]["files"][0] |= {"state": "NOT_FOUND", "reason": reason}
    record["exofop"]["files"][1] |= {"state": "NOT_FOUND"}
    found = column(section_of(record).files, "State")
    assert found == [f"NOT_FOUND: {reason}", "NOT_FOUND: answered: not known there"]


def test_files_of_older_records_have_the_columns_they_had(before: Any) -> None:
    section = section_of(before)
    expected = ["File", "Type", "Date", "Group", "Size (bytes)", "State", "SHA-256", "Description"]
    assert titles(section.files) == expected
    assert titles(section.answers) == ["Endpoint", "State", "Asked (UTC)", "Rows"]
    assert section.sentence == "1 public file of this star at ExoFOP."
    assert section.candidates is None
    assert section.follow_up.figures == ()
    page = dossier_files("run", "ab" * 32, before)["tic/188646744/index.html"].decode()
    assert "Notes of observers" not in page
    assert "Files and answers" not in page


def test_more_listed_than_wanted_is_said(record: Any) -> None:
    assert section_of(record).sentence == "ExoFOP's list of public files has 8 rows; 2 files of this star stand below."


def test_rows_that_could_not_be_read_are_counted_where_there_are_any(record: Any) -> None:
    record["exofop"]["answers"]["download_spect.php"] = {"state": "OK", "n_rows": 4, "n_rejected": 1}
    assert column(section_of(record).answers, "Rows not readable") == ["—", "1"]


@pytest.mark.parametrize("state", ["AUTH_REQUIRED", "THROTTLED", "UNREACHABLE", "CORRUPT", "REJECTED", "SKIPPED"])
def test_f030_an_unproven_answer_never_reads_as_nothing_known(record: Any, state: str) -> None:
    record["exofop"] |= {"state": state, "files": [], "n_files": 0}
    assert "is not known from this run" in section_of(record).sentence


def test_a_page_without_ephemeris_says_that_exofop_has_rows(record: Any) -> None:
    record["candidates"] = []
    page = build_page("run", "ab" * 32, publishable(record), {})
    assert page.no_ephemeris is not None
    assert "none of ExoFOP's rows could be used" in page.no_ephemeris.sentence


def test_a_page_without_any_row_says_that_no_toi_was_at_hand(before: RunRecord) -> None:
    before["candidates"] = []
    page = build_page("run", "ab" * 32, publishable(before), {})
    assert page.no_ephemeris is not None
    assert "no TOI of this star was at hand" in page.no_ephemeris.sentence


NOT_HAD = ["AUTH_REQUIRED", "THROTTLED", "UNREACHABLE", "CORRUPT", "REJECTED", "SKIPPED"]


@pytest.mark.parametrize("state", NOT_HAD)
def test_f030_list_that_was_not_had_is_no_list_of_nothing(record: Any, state: str) -> None:
    """Another table was answered, so that ExoFOP is known to have something; how many files is not."""
    record["exofop"] |= {"files": [], "n_files": 0}
    del record["exofop"]["n_listed"]
    record["exofop"]["answers"]["download_filelist.php"] = {"state": state}
    sentence = section_of(record).sentence
    assert "is not known from this run" in sentence
    assert "0" not in sentence
    del record["exofop"]["answers"]["download_filelist.php"]
    assert section_of(record).sentence == sentence


@pytest.mark.parametrize("state", NOT_HAD)
def test_files_whose_list_was_not_had_are_counted_and_may_not_be_all(record: Any, state: str) -> None:
    record["exofop"]["answers"]["download_filelist.php"] = {"state": state}
    sentence = section_of(record).sentence
    assert "is not known from this run" in sentence
    assert "2 files of it stand below" in sentence


def test_list_of_an_earlier_run_is_called_so(record: Any) -> None:
    answer = {"state": "STALE", "asked_at": "2026-11-20T11:00:00Z", "answered_at": "2026-10-01T02:03:04Z"}
    record["exofop"]["answers"]["download_filelist.php"] = answer
    sentence = section_of(record).sentence
    assert "by the list of 2026-10-01T02:03:04Z, which was asked for again and not had" in sentence


def test_star_whose_list_is_proved_empty_has_no_public_file(record: Any) -> None:
    record["exofop"] |= {"files": [], "n_files": 0, "n_listed": 0}
    record["exofop"]["answers"]["download_filelist.php"] = {"state": "EMPTY"}
    assert section_of(record).sentence == "0 public files of this star at ExoFOP."
