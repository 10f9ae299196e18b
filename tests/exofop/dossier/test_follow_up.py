"""Notes, summary tables and light curves that are not drawn: whole words, cut to a page's size, and said so."""

from __future__ import annotations

from typing import Any

import pytest

from btv_report.dossier.follow_up import ALL_NOTES_SHOWN, CELL_SHOWN, ROWS_SHOWN, FollowUp, build_follow_up
from btv_report.dossier.publish import publishable


def parts_of(record: Any) -> FollowUp:
    """The parts of the publishable record, without figures."""
    return build_follow_up(publishable(record), {})


def test_f033_f034_notes_keep_their_paragraphs_and_lines(record: Any) -> None:
    first = parts_of(record).notes[0]
    assert first.paragraphs == (
        ("First line", "second <b>line</b>"),
        ("Next paragraph, [e-mail address masked]",),
    )
    assert first.title == "2024-02-01, kat, SG1 (tag 77): First line second <b>line</b>"
    assert first.left_out == ""


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_f033_any_kind_of_newline_separates_paragraphs(record: Any, newline: str) -> None:
    record["exofop"]["notes"][0]["text"] = f"one{newline}two{newline}  {newline}three"
    assert parts_of(record).notes[0].paragraphs == (("one", "two"), ("three",))


def test_f047_a_disposition_is_labelled_as_an_opinion(record: Any) -> None:
    first, second, _ = parts_of(record).notes
    assert first.label == ""
    assert "opinion" in second.label
    assert "no observation" in second.label
    assert second.title.endswith(": dispositions")


def test_a_long_note_says_how_much_is_left_out_and_where_it_is(record: Any) -> None:
    note = parts_of(record).notes[2]
    shown = sum(len(line) for paragraph in note.paragraphs for line in paragraph)
    whole = len(record["exofop"]["notes"][2]["text"].strip())
    assert shown <= 4000
    assert note.left_out == f"{whole - 4000:,d} more characters in dossier.json. 1,500 more characters at ExoFOP only."


def test_many_long_notes_share_the_room_and_each_is_still_listed(record: Any) -> None:
    record["exofop"]["notes"] = [dict(record["exofop"]["notes"][2], text="w" * 20_000) for _ in range(30)]
    notes = parts_of(record).notes
    assert len(notes) == 30
    shown = sum(len(line) for note in notes for paragraph in note.paragraphs for line in paragraph)
    assert shown == ALL_NOTES_SHOWN
    assert "no text" in notes[-1].title
    assert "20,000 more characters in dossier.json." in notes[-1].left_out


def test_summary_tables_leave_out_what_says_nothing(record: Any) -> None:
    spect = parts_of(record).tables[0]
    assert [column.title for column in spect.columns] == ["Telescope", "Instrument", "SNR"]
    assert [[cell.text for cell in row] for row in spect.rows] == [["FLWO 1.5m", "TRES", "41.2"], ["NOT", "FIES", ""]]
    assert spect.caption == "Spectroscopy (2 rows)"
    assert "Without 2 columns" in spect.note
    assert "1 row could not be read." in spect.note


def test_long_tables_and_cells_are_cut_and_say_so(record: Any) -> None:
    uploads = parts_of(record).tables[1]
    assert len(uploads.rows) == ROWS_SHOWN
    assert len(uploads.rows[0][1].text) == CELL_SHOWN + 1
    assert "25 of 60 rows are shown." in uploads.note
    assert "dossier.json" in uploads.note


@pytest.mark.parametrize("rows", [[], [["", ""]], [["1"]], [["1", "2", "3", "4"]]])
def test_rows_of_any_width_are_placed(record: Any, rows: list[list[str]]) -> None:
    table = {"name": "odd name", "columns": ["a", "b"], "rows": rows, "n_rows": len(rows), "n_rejected": 0}
    record["exofop"]["tables"] = [table]
    tables = parts_of(record).tables
    assert len(tables) == bool([cell for row in rows for cell in row if cell])
    assert all(len(row) == len(made.columns) for made in tables for row in made.rows)


def test_f107_unlabelled_times_leave_a_sentence_in_place_of_a_figure(record: Any) -> None:
    sentences = parts_of(record).light_curve_notes
    assert sentences[-1] == (
        "Not folded: measurements_3.tbl, measurements_4.tbl. Its time column does not say in which system it is, so it is "
        "not folded."
    )


def test_every_light_curve_is_in_the_table_folded_or_not(record: Any) -> None:
    table = parts_of(record).light_curve_table
    assert table is not None
    folded = [row[5].text for row in table.rows]
    assert folded == ["1262.01, transit −41", "1262.01, transit −41", "—", "—"]
    assert [row[3].text for row in table.rows] == ["BJD_TDB", "BJD_TDB", "unlabelled", "unlabelled"]


def test_f165_figures_that_could_not_be_drawn_leave_sentences(record: Any) -> None:
    parts = parts_of(record)
    assert "No contrast curve could be drawn" in parts.contrast_note
    assert "2 folded light curves are not drawn" in parts.light_curve_notes[0]
