"""What a file is told by its bytes, and what is said when its name tells another story."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import pytest
from tests.exofop.payloads import small_files

from btv_report.answer_states import AnswerState
from btv_report.errors import LocalEnvironmentError
from btv_report.exofop.payloads.judging import Payload, PayloadKind, judge_payload

SHARED_DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"
LOGIN_PAGE = b"""<!DOCTYPE html><html><body><form action="password_check.php" method="post">
<input name="username"><input type="password" name="password"></form></body></html>"""


def judged(folder: Path, name: str, content: bytes) -> Payload:
    path = folder / "payload"
    path.write_bytes(content)
    return judge_payload(path, name)


@pytest.mark.parametrize(
    ("name", "content", "kind", "words"),
    [
        ("a.png", small_files.svg(), PayloadKind.SVG, "SVG image under a name that says PNG image"),
        ("a.pdf", small_files.png(), PayloadKind.PNG, "PNG image under a name that says PDF document"),
        ("a.jpg", small_files.png(), PayloadKind.PNG, "PNG image under a name that says JPEG image"),
        ("a.txt", small_files.svg(), PayloadKind.SVG, "SVG image under a name that says text"),
        ("a.fits", small_files.gzipped(), PayloadKind.GZIP, "gzip file under a name that says FITS file"),
        ("a.pdf", b"plain words\n" * 1000, PayloadKind.TEXT, "text under a name that says PDF document"),
        ("a.tbl.gz", b"1 2\n", PayloadKind.TEXT, "text under a name that says gzip file"),
        ("a.pdf", bytes(range(256)) * 20, PayloadKind.UNKNOWN, "it is not the PDF document that its name says"),
    ],
)
def test_f077_a_name_that_lies_is_told_and_the_bytes_are_kept(
    tmp_path: Path, name: str, content: bytes, kind: PayloadKind, words: str
) -> None:
    payload = judged(tmp_path, name, content)
    assert (payload.kind, payload.words) == (kind, f"unknown, download only ({words})")
    assert (payload.fault, payload.state) == ("", AnswerState.OK)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("SENSITIVITY.PDF", small_files.pdf()),
        ("table.xml", small_files.svg()),
        ("votable.txt", small_files.xml()),
        ("AIJ_measurements.xls", b"label\tJD_UTC\tflux\n1\t2459000.5\t1.0\n"),
        ("spectrum", small_files.fits()),
        ("a.docx", small_files.zipped(("word/document.xml", b"<x/>"))),
    ],
)
def test_a_name_that_says_the_same_or_nothing_is_no_lie(tmp_path: Path, name: str, content: bytes) -> None:
    payload = judged(tmp_path, name, content)
    assert payload.words == str(payload.kind)
    assert not payload.fault


def _with_tar_magic(content: bytes) -> bytes:
    return content[:257] + b"ustar\x0000" + content[265:]


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.pdf", small_files.pdf(trailing=b"\n") + small_files.zipped(("a", b"b")), "a PDF document and a zip archive"),
        ("a.gif", small_files.gif() + small_files.zipped(("a", b"b")), "a GIF image and a zip archive"),
        ("a.jpg", b"\xff\xd8\xff\xfe\x00\x12<script>alert(1)" + small_files.jpeg()[2:], "a JPEG image and a HTML page"),
        ("a.jpg", b"\xff\xd8\xff\xfe\x00\x0a%PDF-1.4" + small_files.jpeg()[2:], "a JPEG image and a PDF document"),
        ("a.jpg", _with_tar_magic(b"\xff\xd8\xff\xfe\x02\x00" + bytes(510) + small_files.jpeg()[2:]),
         "a JPEG image and a tar archive"),
    ],
)  # fmt: skip
def test_f077_a_file_that_is_several_things_at_once_is_unknown(
    tmp_path: Path, name: str, content: bytes, what: str
) -> None:
    payload = judged(tmp_path, name, content)
    assert payload.kind is PayloadKind.UNKNOWN
    assert payload.words == f"unknown, download only (it is {what} at once)"
    assert payload.fault == ""


@pytest.mark.parametrize("name", ["a.pdf", "a.png", "a.dat", "a.txt", "a", "a.fits", "a.zip", "a.csv"])
def test_f014_a_web_page_in_place_of_a_file_is_told_with_its_first_words(tmp_path: Path, name: str) -> None:
    page = b"<html>\n<body>\x1b[31mSorry, the file\x00 is not there</body></html>"
    payload = judged(tmp_path, name, page)
    assert payload.state is AnswerState.CORRUPT
    assert payload.fault.startswith("a web page came in place of the file: it begins '<html> <body>")
    assert "\x1b" not in payload.fault


@pytest.mark.parametrize("name", ["a.pdf", "a.dat", "a.html"])
def test_f015_a_login_page_in_place_of_a_file_asks_for_a_login(tmp_path: Path, name: str) -> None:
    payload = judged(tmp_path, name, LOGIN_PAGE)
    assert payload.state is AnswerState.AUTH_REQUIRED
    assert payload.fault == "a login page came in place of the file"


def test_f004_zero_bytes_are_no_file_and_no_knowledge(tmp_path: Path) -> None:
    payload = judged(tmp_path, "a.dat", b"")
    assert (payload.state, payload.whole, payload.fault) == (AnswerState.THROTTLED, False, "it has zero bytes")


@pytest.mark.parametrize("name", ["a.pdf", "a.png", "a.fits", "a.zip", "a.svg", "a.xml", "a.html"])
def test_a_short_text_under_another_name_is_the_servers_word_not_the_file(tmp_path: Path, name: str) -> None:
    payload = judged(tmp_path, name, b"Sorry, no such file.\n")
    assert payload.state is AnswerState.CORRUPT
    assert "'Sorry, no such file.'" in payload.fault


def test_a_page_that_an_observer_uploaded_as_a_page_is_kept(tmp_path: Path) -> None:
    assert judged(tmp_path, "notes.html", small_files.html()) == Payload(PayloadKind.HTML, "HTML page", True)


def test_texts_of_several_encodings_are_texts(tmp_path: Path) -> None:
    for encoding in ("utf-8", "latin-1", "utf-16", "utf-8-sig"):
        assert judged(tmp_path, "a.dat", "separation é\n".encode(encoding)).kind is PayloadKind.TEXT, encoding


def test_a_link_or_a_folder_in_place_of_a_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "absent"):
        with pytest.raises(LocalEnvironmentError, match=name):
            judge_payload(tmp_path / name, "a.dat")


def test_every_real_payload_is_what_it_is_and_whole_or_open_ended() -> None:
    folders = [SHARED_DATA / "exofop" / name for name in ("payload_imaging", "payload_lc", "notes")]
    files = [path for folder in folders for path in sorted(folder.glob("*"))]
    if not files:
        pytest.skip("the real data are not beside this checkout (../shared/data/exofop)")
    for path in files:
        payload = judge_payload(path, path.name)
        assert (payload.kind, payload.whole, payload.fault) == (PayloadKind.TEXT, None, ""), path.name


def test_every_real_pdf_is_whole_and_is_not_when_its_end_is_lost(tmp_path: Path) -> None:
    files = sorted((SHARED_DATA / "dv").glob("*.pdf"))
    if not files:
        pytest.skip("the real data are not beside this checkout (../shared/data/dv)")
    for path in files:
        assert judge_payload(path, path.name) == Payload(PayloadKind.PDF, "PDF document", True)
        content = path.read_bytes()
        for share in range(1, 16):
            assert judged(tmp_path, path.name, content[: len(content) * share // 16]).fault


def test_a_picture_with_a_chunk_of_text_is_the_picture(tmp_path: Path) -> None:
    text = b"Comment\0<x:xmpmeta>"
    chunk = len(text).to_bytes(4, "big") + b"tEXt" + text + zlib.crc32(b"tEXt" + text).to_bytes(4, "big")
    assert judged(tmp_path, "a.png", small_files.png(before_end=chunk)).words == "PNG image"
