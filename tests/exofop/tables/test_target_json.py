"""The JSON of a target, and the star that a name stands for."""

from __future__ import annotations

import json
import random
import sys
from typing import Any

import pytest

from btv_report.answer_states import AnswerState
from btv_report.exofop.tables.reading import TableError
from btv_report.exofop.tables.target_json import read_gototicid, read_target_json

TIC_ID = 365938305
NAMES = (
    "TIC 365938305, TOI-1262, HD 104654, Gaia DR2 1585923437851237888, Gaia DR3 1585923437851237889, 2MASS J12025443+7403396, "
    "TYC 4396-00795-1, CPD-63 349, pi Men, WISE J120254.30+740339.6, WISE J999, K2-3"
)
FILE = {
    "fid": "441891",
    "fname": "TOI1262_sensitivity.dat",
    "ftype": "Image",
    "ftoi": "TOI 1262.01",
    "fdate": "2021-02-03",
    "fuser": "furlan",
    "fgroup": "tfopwg",
    "ftag": 95132,
    "fdesc": None,
}


def target(**changes: Any) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "basic_info": {"tic_id": str(TIC_ID), "star_names": NAMES},
        "tois": [{"toi": "1262.01", "disp_tfop": "PC"}, {"toi": "TOI 1262.02"}],
        "ctois": None,
        "stellar_parameters": [{"prov": "tic"}, {"teff": "5396"}],
        "imaging": [{"itel": "Gemini"}, {"itel": "Gemini"}],
        "spectroscopy": None,
        "files": [FILE],
    }
    return {**answer, **changes}


def encoded(**changes: Any) -> bytes:
    return json.dumps(target(**changes), ensure_ascii=False).encode()


def error_of(content: bytes) -> TableError:
    with pytest.raises(TableError) as caught:
        read_target_json(content, TIC_ID)
    return caught.value


def test_a_target_has_names_tois_files_and_counts() -> None:
    page = read_target_json(encoded(), TIC_ID)
    assert (page.tois, page.ctois) == (("1262.01", "1262.02"), ())
    (row,) = page.files
    assert (row.file_id, row.filename, row.tag, row.description, row.tic_id) == (
        441891, "TOI1262_sensitivity.dat", 95132, None, TIC_ID,
    )  # fmt: skip
    assert page.counts == {"filelist": 1, "toi": 2, "ctoi": 0, "imaging": 2, "spect": 0, "stellar": 1}


def test_f046_names_keep_every_digit_under_their_catalogue() -> None:
    assert read_target_json(encoded(), TIC_ID).aliases == {
        "hd": "HD 104654",
        "gaia_dr2": "Gaia DR2 1585923437851237888",
        "gaia_dr3": "Gaia DR3 1585923437851237889",
        "2mass": "2MASS J12025443+7403396",
        "tyc": "TYC 4396-00795-1",
        "cpd": "CPD-63 349",
        "name": "pi Men",
        "wise": "WISE J120254.30+740339.6",
        "wise_2": "WISE J999",
        "k2": "K2-3",
    }


@pytest.mark.parametrize("key", ["tois", "ctois", "files", "imaging", "basic_names"])
def test_lists_may_be_null_or_absent(key: str) -> None:
    page = read_target_json(encoded(**{key: None}), TIC_ID)
    assert (page.files == ()) == (key == "files")
    answer = target()
    answer.pop(key, None)
    page = read_target_json(json.dumps(answer).encode(), TIC_ID)
    assert ("filelist" in page.counts) == (key != "files")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (encoded(x="Álvarez"), "utf-8"),
        (b"\xef\xbb\xbf" + encoded(), "utf-8"),
        (json.dumps(target(x="Álvarez"), ensure_ascii=False).encode("latin-1"), "latin-1"),
        (encoded(x="Álvarez").replace(b'"Image"', '"Imagé"'.encode("latin-1")), "mixed"),
    ],
)
def test_f020_utf8_latin1_and_both_are_read(content: bytes, encoding: str) -> None:
    page = read_target_json(content, TIC_ID)
    assert (page.encoding, page.files[0].type) == (encoding, "Imagé" if encoding == "mixed" else "Image")


@pytest.mark.parametrize(
    "content",
    [b"No TIC object found", b"<html><body>No TIC object found.</body></html>", b'"No TIC object found"',
     b'{"status": "ERROR", "message": "No TIC object found"}'],
)  # fmt: skip
def test_f044_no_object_found_is_not_found_whatever_the_status(content: bytes) -> None:
    assert error_of(content).state is AnswerState.NOT_FOUND


def test_f044_a_note_that_quotes_the_words_is_no_proof() -> None:
    assert read_target_json(encoded(notes="No TIC object found"), TIC_ID).files


def test_f043_the_page_of_another_star_is_corrupt_and_its_files_are_rejected() -> None:
    error = error_of(encoded(basic_info={"tic_id": "25155310"}))
    assert (error.state, "25155310" in error.words) == (AnswerState.CORRUPT, True)
    assert error_of(encoded(basic_info={})).state is AnswerState.CORRUPT


def test_entries_that_are_no_files_are_rejected_and_none_is_lost() -> None:
    entries: list[Any] = [
        FILE,
        FILE,
        {},
        None,
        7,
        [],
        {"fid": "x", "fname": "y"},
        {"fid": 8, "fname": ""},
        {**FILE, "fid": 9},
    ]
    page = read_target_json(encoded(files=entries), TIC_ID)
    assert (len(page.files), len(page.rejected_files)) == (3, 6)  # one has no name, and a number
    assert [row.line for row in page.rejected_files] == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("content", "state"),
    [
        (b"", AnswerState.THROTTLED),
        (b" \r\n", AnswerState.THROTTLED),
        (b"<html><h1>Oops</h1></html>", AnswerState.CORRUPT),
        (b'<html><form action="password_check.php"></form></html>', AnswerState.AUTH_REQUIRED),
        (b"[]", AnswerState.CORRUPT),
        (b"null", AnswerState.CORRUPT),
        (b"\xff\xd8\xff", AnswerState.CORRUPT),
        (b'{"a":' * 200_000, AnswerState.CORRUPT),
        (b"[" * 200_000, AnswerState.CORRUPT),
        (b'{"basic_info": {"tic_id": ' + b"9" * 100_000 + b"}}", AnswerState.CORRUPT),
        (b"{" + b" " * 32_000_001, AnswerState.REJECTED),
    ],
)
def test_f014_what_is_no_json_of_the_star_is_told_apart(content: bytes, state: AnswerState) -> None:
    assert error_of(content).state is state


def test_f009_json_cut_anywhere_is_corrupt() -> None:
    content = encoded()
    for cut in range(1, len(content)):
        assert error_of(content[:cut]).state is AnswerState.CORRUPT, cut


def test_nesting_of_any_depth_ends_in_a_value_or_a_reason() -> None:
    limit = sys.getrecursionlimit()
    for depth in range(max(limit - 200, 1), limit + 2):
        content = encoded(files=[FILE, {**FILE, "fid": 3, "fdesc": "@"}]).replace(b'"@"', b"[" * depth + b"]" * depth)
        try:
            assert len(read_target_json(content, TIC_ID).files) == 2
        except TableError as error:
            assert error.state is AnswerState.CORRUPT  # noqa: PT017


def test_raw_line_ends_in_texts_are_read() -> None:
    content = encoded(files=[{**FILE, "fdesc": "one@two"}]).replace(b"@", b"\n\t")
    assert read_target_json(content, TIC_ID).files[0].description == "one\n\ttwo"


def test_hostile_values_are_read_as_text() -> None:
    deep = json.loads("[" * 400 + "]" * 400)
    content = json.dumps(
        target(files=[FILE, {**FILE, "fid": 2, "fdesc": "\ud800x"}, {**FILE, "fid": 3, "fdesc": deep}, deep])
    )
    page = read_target_json(content.encode(), TIC_ID)
    assert page.files[1].description == "\ufffdx"
    assert len(page.files) + len(page.rejected_files) == 4
    huge = encoded().replace(b"95132", b"9" * 5000)
    assert read_target_json(huge, TIC_ID).files[0].tag == "9" * 5000


@pytest.mark.parametrize(
    ("content", "stars"),
    [
        (b'{"status": "OK", "num": 1, "TIC": "138969239"}', [(138969239, "")]),
        (b'{"status":"OK","num":1,"TIC":138969239}', [(138969239, "")]),
        (
            b'{"summary": {"status": "OK", "TIC": "138969239", "GAIADR2": "5484358123456789123", "KIC": null}}',
            [(138969239, "")],
        ),
        (b'{"status": "OK", "num": 2, "TIC": ["1", "9000000001"]}', [(1, ""), (9000000001, "")]),
        (b'{"status": "OK", "num": 2, "TIC": "1, 2"}', [(1, ""), (2, "")]),
        (b'<html><meta http-equiv="refresh" content="0; url=target.php?id=138969239"></html>', [(138969239, "")]),
        (
            b"<script>window.location.href = 'https://exofop.example/tess/target.php?id=138969239';</script>",
            [(138969239, "")],
        ),
        (b'<script>location.replace("target.php?id=0138969239")</script>', [(138969239, "")]),
    ],
)
def test_a_name_stands_for_the_stars_that_the_answer_gives(content: bytes, stars: list[tuple[int, str]]) -> None:
    assert read_gototicid(content) == stars


def test_f043_a_list_to_pick_from_gives_all_stars_with_their_words() -> None:
    page = b"""<html><a href="target.php?id=5">menu</a><table class="tfop wide"><tr><th>TIC</th><th>Name</th></tr>
    <tr><td><a href="target.php?id=100">100</a></td><td>WASP-1 &amp; A</td></tr>
    <TR><TD><A HREF='target.php?id=200'>200</A></TD><TD>WASP-1 B</TD></TR>
    <tr><td><a href="target.php?id=100">100</a></td><td>again</td></tr></table></html>"""
    assert read_gototicid(page) == [(100, "100; WASP-1 & A"), (200, "200; WASP-1 B")]


@pytest.mark.parametrize(
    ("content", "state"),
    [
        (b'{"status": "ERROR", "message": "No object found."}', AnswerState.NOT_FOUND),
        (b"<html>No object found.</html>", AnswerState.NOT_FOUND),
        (b"No TIC object found", AnswerState.NOT_FOUND),
        (b'{"status": "ERROR", "message": "SQLSTATE[HY000] gone away"}', AnswerState.UNREACHABLE),
        (b'{"status": "OK", "num": 0, "TIC": null}', AnswerState.CORRUPT),
        (b'{"status": "OK", "TIC": "12 34x"}', AnswerState.CORRUPT),
        (b'{"status": "OK", "TIC": "0"}', AnswerState.CORRUPT),
        (b'{"status": "OK", "TIC": "../../etc/passwd"}', AnswerState.CORRUPT),
        (b'<html><a href="target.php?id=5">menu</a></html>', AnswerState.CORRUPT),
        (b'<html><form action="password_check.php"></form></html>', AnswerState.AUTH_REQUIRED),
        (b"", AnswerState.THROTTLED),
        (b"<" * 200_000, AnswerState.CORRUPT),
    ],
)
def test_answers_that_name_no_star_are_told_apart(content: bytes, state: AnswerState) -> None:
    with pytest.raises(TableError) as caught:
        read_gototicid(content)
    assert caught.value.state is state


@pytest.mark.parametrize(
    ("count", "stars", "is_sound"),
    [
        ("2", '"100"', False), ("2", '["100"]', False), ('"2"', '"100"', False), ("0", '"100"', False), ("3", '"1, 2"', False),
        ("-1", '"100"', False), ('"many"', '"100"', False), ("2", '"100, 200"', True), ("2", '"100, 100"', True),
        ("1", '"100, 100"', True), ('"1"', '"100"', True), ("null", '"100"', True), ('""', '"100"', True),
    ],
)  # fmt: skip
def test_f043_answer_that_counts_other_stars_than_it_names_names_none(count: str, stars: str, is_sound: bool) -> None:
    content = f'{{"status": "OK", "num": {count}, "TIC": {stars}}}'.encode()
    if is_sound:
        assert {words for _, words in read_gototicid(content)} == {""}
        return
    with pytest.raises(TableError, match="not known which is meant") as caught:
        read_gototicid(content)
    assert caught.value.state is AnswerState.CORRUPT
    assert "TIC 1" in caught.value.words


def test_no_bytes_break_the_readers() -> None:
    chance = random.Random(46)
    seeds = [
        encoded(),
        b'{"status": "OK", "num": 1, "TIC": "138969239"}',
        b'<html><table class="tfop"><tr><a href="target.php?id=1">',
    ]
    for _ in range(1500):
        content = bytearray(chance.choice(seeds))
        for _ in range(chance.randrange(1, 6)):
            place = chance.randrange(len(content))
            content[place : place + chance.randrange(4)] = bytes(
                chance.choice(b'{}[]",:<>\\u0\x00\xff9e') for _ in range(chance.randrange(4))
            )
        for reader in (lambda raw: read_target_json(raw, TIC_ID), read_gototicid):
            try:
                reader(bytes(content))
            except TableError as error:
                assert error.words  # noqa: PT017
