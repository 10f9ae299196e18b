"""Every kind of payload: whole as it is, and never whole when it is cut, wherever that is."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from tests.exofop.payloads import small_files
from tests.exofop.payloads.archives import Entry, archive_of
from tests.exofop.payloads.small_files import WHOLE_FILES

from btv_report.answer_states import AnswerState
from btv_report.exofop.payloads.judging import Payload, PayloadKind, judge_payload


def judged(folder: Path, name: str, content: bytes) -> Payload:
    path = folder / "payload"
    path.write_bytes(content)
    return judge_payload(path, name)


@pytest.mark.parametrize("name", WHOLE_FILES)
def test_a_whole_file_of_each_kind_is_whole(tmp_path: Path, name: str) -> None:
    kind, content = WHOLE_FILES[name]
    assert judged(tmp_path, name, content) == Payload(kind, str(kind), True)


@pytest.mark.parametrize("name", [name for name in WHOLE_FILES if name != "speckle.ps"])
def test_a_file_cut_at_any_byte_is_never_whole_and_has_a_fault(tmp_path: Path, name: str) -> None:
    path = tmp_path / "payload"
    path.write_bytes(WHOLE_FILES[name][1])
    for length in reversed(range(path.stat().st_size)):
        os.truncate(path, length)
        payload = judge_payload(path, name)
        assert payload.whole is False, length
        assert payload.fault, length
        assert payload.state is (AnswerState.CORRUPT if length else AnswerState.THROTTLED)


@pytest.mark.parametrize("name", WHOLE_FILES)
def test_a_cut_file_is_never_whole_whatever_its_name_says(tmp_path: Path, name: str) -> None:
    path = tmp_path / "payload"
    path.write_bytes(WHOLE_FILES[name][1])
    for length in reversed(range(0, path.stat().st_size, 7)):
        os.truncate(path, length)
        assert judge_payload(path, "upload").whole is not True, length


@pytest.mark.parametrize("name", ["plot.png", "files.zip", "nested.zip", "curve.tbl.gz"])
def test_a_file_with_one_changed_byte_is_whole_only_where_no_sum_covers_it(tmp_path: Path, name: str) -> None:
    kind, content = WHOLE_FILES[name]
    for at in range(len(content)):
        changed = content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]
        payload = judged(tmp_path, name, changed)
        if kind is PayloadKind.PNG:
            assert payload.whole is not True, at
        if payload.whole is False:
            assert payload.fault


def test_a_changed_byte_inside_a_packed_member_or_stream_is_found(tmp_path: Path) -> None:
    content = small_files.zipped(("a.dat", b"separation delta_mag" * 3), packing=zipfile.ZIP_STORED)
    changed = content.replace(b"separation", b"separatiom", 1)
    assert judged(tmp_path, "a.zip", changed).whole is False
    packed = bytearray(small_files.gzipped())
    packed[-5] ^= 1
    assert judged(tmp_path, "a.gz", bytes(packed)).fault.startswith("it is damaged")


def test_bytes_after_a_proper_end_are_no_cut(tmp_path: Path) -> None:
    for name, (kind, content) in WHOLE_FILES.items():
        if kind not in {PayloadKind.FITS, PayloadKind.ZIP}:
            assert judged(tmp_path, name, content + b"\n").whole is True, name


def test_postscript_proves_its_end_by_a_mark_and_without_it_nothing(tmp_path: Path) -> None:
    content = small_files.ps()
    assert judged(tmp_path, "a.ps", content).whole is True
    assert {judged(tmp_path, "a.ps", content[:length]).whole for length in range(10, len(content))} == {None}


def test_a_zip_cut_inside_its_comment_is_cut(tmp_path: Path) -> None:
    content = archive_of([Entry(b"a.dat", b"1 2\n")], comment=b"made for a test")
    assert judged(tmp_path, "a.zip", content).whole is True
    assert judged(tmp_path, "a.zip", content[:-1]).whole is False


def test_a_text_has_no_end_to_prove(tmp_path: Path) -> None:
    assert judged(tmp_path, "sensitivity.dat", b"0.1 2.5\n0.2 3.5\n") == Payload(PayloadKind.TEXT, "text", None)


def test_fits_extensions_that_nothing_announces_leave_the_end_open(tmp_path: Path) -> None:
    content = small_files.fits(n_extensions=2, states_them=False)
    assert judged(tmp_path, "a.fits", content).whole is None
    for n_blocks in (1, 2, 3, 4):
        assert judged(tmp_path, "a.fits", content[: n_blocks * 2880]).whole is not True


def test_fits_followed_by_something_else_is_kept_with_an_open_end(tmp_path: Path) -> None:
    payload = judged(tmp_path, "a.fits", small_files.fits() + bytes(2880))
    assert (payload.whole, payload.fault) == (None, "")


def test_a_fits_file_with_a_wrong_sum_is_kept_and_told(tmp_path: Path) -> None:
    content = small_files.fits_image()
    header = content[:2880].replace(b"END".ljust(80), b"DATASUM = '12345   '".ljust(80) + b"END".ljust(80), 1)[:2880]
    payload = judged(tmp_path, "a.fits", header + content[2880:])
    assert payload.fault == ""
    assert payload.words.startswith("FITS file (the data of HDU 0 (PRIMARY) do not match its DATASUM")


def test_a_pdf_cut_inside_a_later_version_is_cut_and_a_stated_length_counts(tmp_path: Path) -> None:
    first = small_files.pdf(trailing=b"\n")
    added = b"3 0 obj\n(later)\nendobj\n"
    table = b"xref\n3 1\ntrailer\n<<>>\nstartxref\n" + str(len(first + added)).encode() + b"\n%%EOF"
    whole = first + added + table
    assert judged(tmp_path, "a.pdf", whole).whole is True
    for length in range(len(first) + 1, len(whole)):
        assert judged(tmp_path, "a.pdf", whole[:length]).whole is not True, length
    linear = first.replace(b"/Type", b"/Linearized 1 /L 99999 /Type", 1)
    assert judged(tmp_path, "a.pdf", linear).fault.startswith("it is cut: the PDF says that it has 99,999 bytes")


def test_a_pdf_whose_table_is_not_where_it_says_has_an_open_end(tmp_path: Path) -> None:
    content = small_files.pdf()
    moved = content.replace(b"startxref\n", b"startxref\n1", 1)
    assert judged(tmp_path, "a.pdf", moved) == Payload(PayloadKind.PDF, "PDF document", None)


def test_a_gzip_file_of_two_streams_is_walked_to_its_end(tmp_path: Path) -> None:
    first, second = gzip.compress(b"a" * 99, mtime=0), gzip.compress(b"b" * 99, mtime=0)
    assert judged(tmp_path, "a.gz", first + second).whole is True
    for length in range(len(first) + 1, len(first + second)):
        assert judged(tmp_path, "a.gz", (first + second)[:length]).whole is False, length


def test_f132_an_xml_document_that_declares_entities_is_not_read(tmp_path: Path) -> None:
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    content = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">' + laughs + b"]><x>&l9;</x>"
    assert judged(tmp_path, "a.xml", content).whole is None
    assert judged(tmp_path, "a.xml", b'<?xml version="1.0"?>' + b"<a>" * 100_000).whole is None


def test_a_malformed_or_oddly_typed_document_has_an_open_end(tmp_path: Path) -> None:
    assert judged(tmp_path, "a.xml", b'<?xml version="1.0"?><a></b></a>').whole is None
    assert judged(tmp_path, "a.html", b"<p>a piece of a page").whole is None
    assert judged(tmp_path, "a.ps", b"%!PS\nshowpage\n").whole is None


def test_f072_archives_that_would_grow_without_end_are_not_unpacked_to_see_whether_they_are_whole(
    tmp_path: Path,
) -> None:
    zeros = bytes(40_000_000)
    bombs = {"a.gz": gzip.compress(zeros, mtime=0), "a.zip": small_files.zipped(("zeros", zeros))}
    del zeros
    for name, bomb in bombs.items():
        tracemalloc.start()
        try:
            payload = judged(tmp_path, name, bomb)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert (payload.whole, payload.fault) == (None, "")
        assert peak < 3_000_000


def test_memory_stays_flat_for_large_files(tmp_path: Path) -> None:
    noise = bytes(range(1, 256)) * 120_000
    large = {
        "a.jpg": b"\xff\xd8\xff\xda\x00\x02" + noise.replace(b"\xff", b"\xff\0") + b"\xff\xd9",
        "a.tar": small_files.tarred()[:-1024] + _tar_of(noise),
        "a.pdf": small_files.pdf(trailing=b"\n").replace(b"%%EOF", noise, 1),
        "a.dat": noise,
    }
    for name, content in large.items():
        (tmp_path / name).write_bytes(content)
    sizes = {name: len(content) for name, content in large.items()}
    del large, noise
    for name, size in sizes.items():
        tracemalloc.start()
        try:
            judge_payload(tmp_path / name, name)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert size > 20_000_000
        assert peak < 2_000_000, name


def _tar_of(content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("noise")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def test_pictures_of_countless_empty_parts_are_not_walked_for_ever(tmp_path: Path) -> None:
    sub_blocks = b"GIF89a" + bytes(7) + b"!\xfe" + b"\x01a" * 1_500_000
    fills = b"\xff\xd8" + b"\xff" * 1_500_000
    assert judged(tmp_path, "a.gif", sub_blocks).whole is None
    assert judged(tmp_path, "a.jpg", fills).whole is None
