"""Tables as ExoFOP sends them, and what else comes under their names."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btv_report.answer_states import AnswerState
from btv_report.archive.limits import Limits
from btv_report.exofop.tables import reading as tables
from btv_report.exofop.tables.kinds import TABLE_KINDS
from btv_report.exofop.tables.reading import TableError, looks_like_login, read_table

NOTES = "ID|TIC ID|Username|Groupname|TAG ID|Lastmod|notes"
NOTES_CSV = NOTES.replace("|", ",")
FILES = "Type,File Name,File ID,TIC,TOI,Date,User,Group,Tag,Description"
TOI = (
    "TIC ID,TOI,Master,TFOPWG Disposition,Epoch (BJD),Epoch (BJD) err,Period (days),Duration (hours),Depth (ppm),Sectors,"
    "Date TOI Alerted (UTC),Date Modified,Comments"
)
TOI_ROW = (
    '365938305,1262.01,1,PC,2460322.358008,0.0042434,20.8774413,3.562,771.0,"14,20,21",2019-10-17,2024-04-01 10:00:00,'
)
LOGIN_PAGE = (
    b'<html><body><form method="post" action="/tess/password_check.php"><input name="username"></form></body></html>'
)


def notes_of(text: str, header: str = NOTES) -> list[str]:
    table = read_table(f"{header}\n{text}".encode(), "obsnotes")
    assert not table.rejected
    return [row[-1] for row in table.rows]


def error_of(content: bytes, name: str = "obsnotes") -> TableError:
    with pytest.raises(TableError) as caught:
        read_table(content, name)
    return caught.value


def test_f030_a_header_alone_is_a_table_without_rows() -> None:
    content = f"{NOTES}\r\n".encode()
    assert len(content) == 51  # as measured
    table = read_table(content, "obsnotes")
    assert (table.rows, table.rejected, table.notes) == ((), (), ())


@pytest.mark.parametrize("cut", range(1, len(NOTES) + 1))
def test_f030_a_header_that_is_cut_proves_nothing(cut: int) -> None:
    assert error_of(NOTES[:cut].encode()).state is AnswerState.CORRUPT


def test_f004_nothing_at_all_is_a_busy_server_and_no_empty_table() -> None:
    assert {error_of(content).state for content in (b"", b"\r\n\r\n", b"\xef\xbb\xbf \n", b"\0\0")} == {
        AnswerState.THROTTLED
    }


def test_f031_a_pipe_in_a_later_note_belongs_to_it() -> None:
    first = "1|70513361|a|tfopwg|3|2021-07-29 12:01:54|fine\n"
    assert notes_of(f"{first}2|70513361|b||4|2021-07-30|RV | 4 epochs || done|\n") == ["fine", "RV | 4 epochs || done|"]


def test_f032_a_pipe_in_the_first_note_shifts_no_column() -> None:
    table = read_table(f"{NOTES}\n9|462715015|latham||1573|2021-11-30 12:20:55|SB2 | see plot\n".encode(), "obsnotes")
    assert table.records()[0]["Username"] == "latham"
    assert table.records()[0]["notes"] == "SB2 | see plot"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("9|462715015|lat|ham||1573|2021-11-30|SB2", "'1573' stands under Lastmod, which is a date or nothing"),
        ("9|462715015|latham||1573|2021-11-30", "it has 6 cells where the header names 7 columns"),
        ("nine|462715015|latham||1573|2021-11-30|SB2", "'nine' stands under ID, which is a whole number"),
        ("9|462715015|latham||1573|yesterday|SB2", "'yesterday' stands under Lastmod, which is a date or nothing"),
    ],
)
def test_f032_a_shifted_row_is_rejected_with_the_reason_and_never_read_askew(row: str, reason: str) -> None:
    sound = "10|462715015|quinn||1573|2021-12-01|fine"
    table = read_table(f"{NOTES}\n{row}\n{sound}\n".encode(), "obsnotes")
    assert [list(kept) for kept in table.rows] == [sound.split("|")]
    assert [(rejected.line, rejected.reason, rejected.text) for rejected in table.rejected] == [(2, reason, row)]
    assert table.n_read == 2


def test_f032_a_shifted_row_below_a_note_is_not_taken_for_its_text() -> None:
    table = read_table(f"{NOTES}\n1|2|a||3|2021-07-29|fine\n2|2|a|b||3|2021-07-29|askew\n".encode(), "obsnotes")
    assert [row[-1] for row in table.rows] == ["fine"]
    assert len(table.rejected) == 1


def test_f033_line_ends_in_a_pipe_note_are_its_paragraphs() -> None:
    text = "1|2|a||3|2021-07-29|first line\nsecond | line\n\nnew paragraph\n2|2|b||4|2021-07-30|other\n\n\n"
    assert notes_of(text) == ["first line\nsecond | line\n\nnew paragraph", "other"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\n\r"])
def test_f033_quoted_line_ends_quotes_and_commas_belong_to_the_cell(newline: str) -> None:
    text = newline.join([NOTES_CSV, '1,2,a,,3,2021-07-29,"one\r\ntwo\n""three"", four"', "2,2,b,,4,2021-07-30,x", ""])
    table = read_table(text.encode(), "obsnotes")
    assert [row[-1] for row in table.rows] == ['one\r\ntwo\n"three", four', "x"]


def test_f033_an_unclosed_quotation_mark_costs_its_own_row_only() -> None:
    rows = [f'Image,{n}.png,{n},1,,2021-01-01,u,g,1,"{n}' + ("" if n == 2 else '"') for n in (1, 2, 3, 4)]
    table = read_table("\n".join([FILES, *rows, ""]).encode(), "filelist")
    assert [row[2] for row in table.rows] == ["1", "3", "4"]
    assert [(row.line, row.text) for row in table.rejected] == [(3, rows[1])]
    assert "quotation mark" in table.rejected[0].reason


def test_f033_a_quotation_mark_that_nobody_doubled_is_a_character() -> None:
    row = 'Image,a.png,7,1,,2021-01-01,u,g,1,"companion 2" away, sep=3"'
    (kept,) = read_table(f"{FILES}\n{row}\n".encode(), "filelist").rows
    assert kept[-1] == 'companion 2" away, sep=3'
    (kept,) = read_table(f'{NOTES}\n1|2|a||3|2021-07-29|"2" away\n'.encode(), "obsnotes").rows
    assert kept[-1] == '"2" away'


def test_f035_a_note_that_is_a_web_page_is_data() -> None:
    page = "<!DOCTYPE html>\n<html><body>4 RV epochs, <b>162 m/s</b> scatter</body></html>"
    assert notes_of(f'23968,68646526,latham,,1573,2021-11-30 12:20:55,"{page}"\n', NOTES_CSV) == [page]
    assert notes_of(f"23968|68646526|latham||1573|2021-11-30 12:20:55|{page}\n") == [page]


@pytest.mark.parametrize("name", sorted(TABLE_KINDS))
@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><html><body>Sorry, entered TOI is invalid</body></html>",
        b"\xef\xbb\xbf\n <!-- x --><HTML><h1>503</h1></HTML>",
        b"<br />\n<b>Fatal error</b>: out of memory",
    ],
)
def test_f014_f035_a_web_page_in_place_of_a_table_is_corrupt_and_quoted(name: str, page: bytes) -> None:
    error = error_of(page, name)
    assert error.state is AnswerState.CORRUPT
    assert "web page" in error.words
    assert len(error.words) < 200


@pytest.mark.parametrize(
    "content", [b"oops", b"{}", b"\xff\xd8\xff\xe0", b"a|b|c\n1|2|3\n", b"," * 5000, b'"', b"%PDF-1.4\n%\n"]
)
@pytest.mark.parametrize("name", sorted(TABLE_KINDS))
def test_f037_what_has_not_the_needed_columns_is_no_table(name: str, content: bytes) -> None:
    error = error_of(content, name)
    assert error.state is AnswerState.CORRUPT
    assert name in error.words


def test_f035_rows_of_a_page_below_a_header_are_rejected_and_not_an_empty_table() -> None:
    table = read_table(f"{NOTES}\n<!DOCTYPE html>\n<html><h1>Bad gateway</h1></html>\n".encode(), "obsnotes")
    assert not table.rows
    assert "Bad gateway" in "".join(row.text for row in table.rejected)


def test_f033_a_line_below_a_note_in_quotation_marks_is_no_part_of_it() -> None:
    table = read_table(f'{NOTES_CSV}\n1,2,a,,3,2021-07-29,"fine"\nodd line\n'.encode(), "obsnotes")
    assert [row[-1] for row in table.rows] == ["fine"]
    assert [(row.line, row.text) for row in table.rejected] == [(3, "odd line")]


def test_f033_lines_are_counted_through_cells_of_several_lines() -> None:
    text = '1,2,a,,3,2021-07-29,"one\ntwo\nthree"\nx,2,a,,3,2021-07-29,bad\n'
    assert [row.line for row in read_table(f"{NOTES_CSV}\n{text}".encode(), "obsnotes").rejected] == [5]


def test_a_line_below_a_row_that_ends_with_no_words_is_no_part_of_it() -> None:
    text = "TIC ID|TOI|RA|Dec|Separation (arcsec)\n1||1.0|2.0|.3\nodd line\nodder line\n"
    table = read_table(text.encode(), "nearby")
    assert table.rows == (("1", "", "1.0", "2.0", ".3"),)
    assert [row.text for row in table.rejected] == ["odd line", "odder line"]


def test_lines_that_go_on_a_note_are_counted_for_the_reader() -> None:
    table = read_table(f"{NOTES}\n1|2|a||3|2021-07-29|one\ntwo\nthree\n".encode(), "obsnotes")
    assert table.notes == ("2 lines without the form of a row stand as part of the words of the row above.",)


def test_a_delimiter_too_many_at_the_end_of_a_row_is_no_cell_and_a_cell_too_many_is_a_reason() -> None:
    header = "TIC ID|TOI|RA|Dec|TESS Mag|Separation (arcsec)"
    table = read_table(f"{header}\n1||1.0|2.0|9|.3|\n2||1.0|2.0|9|.3|4\n".encode(), "nearby")
    assert table.rows == (("1", "", "1.0", "2.0", "9", ".3"),)
    assert [(row.line, "more cells" in row.reason) for row in table.rejected] == [(3, True)]


def test_an_error_of_the_server_after_the_rows_is_no_part_of_a_note() -> None:
    text = "1|2|a||3|2021-07-29|fine\n<b>Fatal error</b>: Maximum execution time exceeded\n"
    table = read_table(f"{NOTES}\n{text}".encode(), "obsnotes")
    assert [row[-1] for row in table.rows] == ["fine"]
    assert "execution time" in table.rejected[0].text


@pytest.mark.parametrize(
    "content",
    [
        LOGIN_PAGE,
        b'<!DOCTYPE html><form><input TYPE="password"></form>',
        b"<html>INVALID username or Password</html>",
        b"Invalid username or password",
        b"You are not authorized.",
    ],
)
def test_f015_f065_a_login_page_is_told_whatever_its_status(content: bytes) -> None:
    assert looks_like_login(content)
    assert error_of(content).state is AnswerState.AUTH_REQUIRED


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><a href='login.php?ref=/tess/'>Login</a></html>",
        f"{NOTES}\n1|2|a||3|2021-07-29|the star was not authorized by the TAC {'x' * 300}".encode(),
        b"%PDF-1.4 not a login page",
    ],
)
def test_f015_other_answers_are_no_login_page(content: bytes) -> None:
    assert not looks_like_login(content)


def test_f036_blank_lines_are_no_rows() -> None:
    header = "TIC ID|TIC|TOI|Telescope|Instrument|Spectral resolution|Wavelength coverage|Obs Date|User|Group|Tag|Notes"
    row = "231702397|||Magellan (Baade) (6.5 m)|FIRE|6000|0.82 to 2.51 microns|2018-12-22|feinstein||1494|"
    table = read_table(f"\n{header}\n\n{row}\n{row}\n\n\n\n\n\n".encode(), "spect")
    assert [list(kept) for kept in table.rows] == [row.split("|")] * 2
    assert not table.rejected


def test_f037_a_new_column_is_kept_and_told() -> None:
    table = read_table(
        f"{TOI.replace('Master', 'Master,Magic Index')}\n{TOI_ROW.replace(',1,PC', ',1,42,PC')}\n".encode(), "toi"
    )
    assert table.records()[0]["Magic Index"] == "42"
    assert len(table.notes) == 1
    assert "'Magic Index'" in table.notes[0]


@pytest.mark.parametrize("name", ["TIC ID", "TOI", "Period (days)", "Epoch (BJD)", "Comments"])
def test_f037_a_missing_needed_column_is_an_error_that_names_it(name: str) -> None:
    error = error_of(f"{TOI.replace(name, 'X', 1)}\n".encode(), "toi")
    assert (error.state, name in error.words) == (AnswerState.CORRUPT, True)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(order=st.permutations(range(10)), spaces=st.booleans(), upper=st.booleans())
def test_f037_order_case_and_spaces_of_columns_do_not_matter(order: list[int], spaces: bool, upper: bool) -> None:
    cells = ["Image", "a b.png", "441891", "365938305", "TOI 1262.01", "2021-02-03", "furlan", "tfopwg", "9", "plot"]
    names = [f" {name} " if spaces else name for name in (FILES.upper() if upper else FILES).split(",")]
    text = "\n".join(",".join(line[place] for place in order) for line in (names, cells)) + "\n"
    table = read_table(text.encode(), "filelist")
    assert table.columns == tuple(names[place] for place in order)
    assert table.rows == (tuple(cells[place] for place in order),)


def test_f037_names_of_documents_and_of_the_wire_are_both_taken() -> None:
    header = "TIC ID|TIC|TOI|Telescope|Instrument|{}|User|Group|Tag|Notes"
    for date in ("Obs Date", "Obs date", "Date (UT)"):
        assert read_table(f"{header.format(date)}\n1|||T|I|2020-01-02|u||3|\n".encode(), "spect").rows
        assert read_table(f"{header.format(date)}\n1|||T|I|no date|u||3|\n".encode(), "spect").rejected


@pytest.mark.parametrize("digits", ["1", "1234", "365938305", "9000000001"])
def test_f045_tic_numbers_of_any_length_are_accepted(digits: str) -> None:
    assert (
        read_table(f"{TOI}\n{TOI_ROW.replace('365938305', digits)}\n".encode(), "toi").records()[0]["TIC ID"] == digits
    )


def test_f046_nineteen_digits_stay_nineteen_digits() -> None:
    header = "TIC ID|TOI|RA|Dec|TESS Mag|GAIA DR2|Separation (arcsec)"
    table = read_table(f"{header}\n25155310||1.0|2.0|9|5484358123456789123|.386554\n".encode(), "nearby")
    assert table.records()[0]["GAIA DR2"] == "5484358123456789123"
    assert table.records()[0]["Separation (arcsec)"] == ".386554"


@pytest.mark.parametrize("delimiter", [",", "|", "\t"])
def test_f048_the_header_tells_how_cells_are_parted(delimiter: str) -> None:
    header = ["Table", "Teff (K)", "log(g)", "Radius (R_Sun)", "Date", "User", "Tag"]
    text = f"{delimiter.join(header)}\n{delimiter.join(['TIC', '5396', '4.50457', '.9', '2019-04-15', '', ''])}\n"
    assert read_table(text.encode(), "stellar").records()[0]["Radius (R_Sun)"] == ".9"


@pytest.mark.parametrize(
    ("encoded", "encoding"),
    [
        ("González-Álvarez, 0.2⅛".encode(), "utf-8"),
        (b"\xef\xbb\xbfplain", "utf-8"),
        ("González-Álvarez".encode("latin-1"), "latin-1"),
        ("2′ “quoted” – dash".replace("′", "'").encode("cp1252"), "latin-1"),
        ("González ".encode() + "Álvarez".encode("latin-1"), "mixed"),
        (b"\x81\x8d\x8f\x90\x9d", "latin-1"),
    ],
)
def test_f020_utf8_latin1_and_both_in_one_table_give_the_names_right(encoded: bytes, encoding: str) -> None:
    bom = encoded[:3] if encoded.startswith(b"\xef\xbb\xbf") else b""
    content = bom + NOTES.encode() + b"\n1|2|a||3|2021-07-29|" + encoded.removeprefix(bom) + b"\n"
    table = read_table(content, "obsnotes")
    expected = {
        "utf-8": encoded.decode("utf-8-sig") if encoding == "utf-8" else "",
        "latin-1": encoded.decode("cp1252", "replace") if b"\x81" not in encoded else encoded.decode("latin-1"),
        "mixed": "González Álvarez",
    }[encoding]
    assert (table.rows[0][-1], table.encoding) == (expected, encoding)


def test_a_table_that_ends_without_a_line_end_says_that_it_may_be_cut() -> None:
    table = read_table(f"{NOTES}\n1|2|a||3|2021-07-29|fine".encode(), "obsnotes")
    assert len(table.rows) == 1
    assert "cut" in table.notes[0]


def test_too_many_bytes_columns_and_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 3)
    assert error_of((NOTES + "\n1|2|a||3|2021-07-29|x" * 4).encode()).state is AnswerState.REJECTED
    assert error_of(("|".join([NOTES, *(f"c{n}" for n in range(1000))]) + "\n").encode()).state is AnswerState.CORRUPT
    monkeypatch.setattr(tables, "Limits", replace(Limits(), table_bytes=100))
    assert error_of(NOTES.encode() + b"\n" * 100).state is AnswerState.REJECTED


@pytest.mark.parametrize(
    "line",
    [
        '1,2,a,,3,2021-07-29,"open\n',
        '"a\n',
        '""",\n',
        '"",""\n',
        "\r\n \n",
        "1,2,a,,3,2021-07-29,x\ny\n",
        ',"' * 40 + "\n",
    ],
)
def test_hostile_tables_take_no_longer_than_others(line: str) -> None:
    content = f"{NOTES_CSV}\n{line * (150_000 // len(line))}".encode()
    started = time.process_time()
    read_table(content, "obsnotes")
    assert time.process_time() - started < 5  # a second or less; quadratic would be minutes
