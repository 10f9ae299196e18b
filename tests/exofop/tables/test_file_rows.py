"""The file list as rows."""

from __future__ import annotations

from btv_report.exofop.tables.file_rows import file_rows
from btv_report.exofop.tables.reading import read_table
from btv_report.exofop.types import ExoFopFileRow, RejectedRow

HEADER = ["Type", "File Name", "File ID", "TIC", "TOI", "Date", "User", "Group", "Tag", "Description"]
ROW = [
    "Image",
    "a_sensitivity.dat",
    "441891",
    "365938305",
    "TOI 1262.01",
    "2021-02-03",
    "furlan",
    "tfopwg",
    "95132",
    "562 nm",
]


def read(*rows: list[str], header: list[str] = HEADER) -> tuple[tuple[ExoFopFileRow, ...], tuple[RejectedRow, ...]]:
    text = "\n".join("|".join(row) for row in (header, *rows)) + "\n"
    return file_rows(read_table(text.encode(), "filelist"), 365938305)


def changed(**cells: str) -> list[str]:
    return [cells.get(name.replace(" ", "_"), cell) for name, cell in zip(HEADER, ROW, strict=True)]


def test_a_row_has_every_field_as_given() -> None:
    rows, rejected = read(ROW)
    assert rows == (
        ExoFopFileRow(
            file_id=441891,
            tic_id=365938305,
            toi="TOI 1262.01",
            filename="a_sensitivity.dat",
            type="Image",
            date_utc="2021-02-03",
            tag=95132,
            description="562 nm",
            user="furlan",
            group="tfopwg",
        ),
    )
    assert rejected == ()


def test_a_list_without_the_column_of_tic_numbers_is_of_the_star_that_was_asked_for() -> None:
    for names in (["TIC"], ["TIC", "TOI"]):
        kept = [place for place, name in enumerate(HEADER) if name not in names]
        rows, _ = read([ROW[place] for place in kept], header=[HEADER[place] for place in kept])
        assert rows[0].tic_id == 365938305
        assert (rows[0].toi is None) == ("TOI" in names)


def test_f038_words_for_nothing_are_none() -> None:
    nothing = {
        "TIC": "",
        "TOI": "None",
        "Date": "nan",
        "User": "",
        "Group": "None",
        "Tag": "None",
        "Description": "nan",
    }
    (row,), rejected = read(changed(**nothing))
    assert (row.toi, row.date_utc, row.user, row.group, row.tag, row.description) == (None,) * 6
    assert not rejected


def test_a_tag_is_a_number_or_a_text() -> None:
    rows, _ = read(changed(Tag="7"), changed(Tag="my tag", File_ID="2"), changed(Tag="20210203_furlan", File_ID="3"))
    assert [row.tag for row in rows] == [7, "my tag", "20210203_furlan"]


def test_f043_a_file_of_another_star_is_rejected() -> None:
    rows, rejected = read(ROW, changed(TIC="25155310", File_ID="2"))
    assert len(rows) == 1
    assert (rejected[0].line, "TIC 25155310" in rejected[0].reason) == (3, True)


def test_f041_files_of_one_name_are_kept_by_their_numbers() -> None:
    rows, rejected = read(ROW, changed(File_ID="2"), changed(File_ID="3", File_Name="A_Sensitivity.dat"))
    assert [row.file_id for row in rows] == [441891, 2, 3]
    assert not rejected


def test_f042_a_number_that_stands_twice_is_told_with_the_name_it_had() -> None:
    rows, rejected = read(ROW, changed(File_Name="other.png"))
    assert [row.filename for row in rows] == ["a_sensitivity.dat"]
    assert "'a_sensitivity.dat'" in rejected[0].reason
    assert "other.png" in rejected[0].text


def test_rows_of_the_list_are_kept_or_rejected_and_none_is_lost() -> None:
    bad = [
        changed(File_ID="x"),
        changed(File_Name="None"),
        changed(File_ID=""),
        changed(Date="soon"),
        ["Image", "b", "3"],
    ]
    rows, rejected = read(ROW, *bad, changed(TIC="5", File_ID="9"), changed(File_ID="10"), ROW)
    assert (len(rows), len(rejected)) == (2, 7)


def test_file_without_a_name_is_called_by_its_number() -> None:
    for nothing in ("", " ", "None", "null"):
        (row,), rejected = read(changed(File_Name=nothing))
        assert (row.file_id, row.filename, rejected) == (441891, "file_441891", ())


def test_f031_pipes_and_line_ends_belong_to_the_description() -> None:
    rows, _ = read(changed(Description="AO | Kp\nsecond line"), changed(File_ID="2"))
    assert [row.description for row in rows] == ["AO | Kp\nsecond line", "562 nm"]
