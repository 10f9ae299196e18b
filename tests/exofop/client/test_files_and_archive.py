"""Files one by one, the zip where one does not come, and names and bytes that lie."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.doubles import exofop_pages as pages
from tests.doubles.exofop_double import ExoFopDouble, RestrictedAnswer
from tests.doubles.exofop_kit import zip_of
from tests.doubles.exofop_toi_1262 import TIC_ID
from tests.doubles.scripted_server import Reply, Request
from tests.exofop.client.conftest import (
    CURVE,
    LIMITS,
    NOTES,
    OTHER,
    MakeClient,
    asked_files,
    entries_of,
    tree,
)  # fmt: skip

from btv_report.archive.limits import Limits
from btv_report.errors import FetchError
from btv_report.exofop.client import ExoFopClient
from btv_report.exofop.types import ExoFopFetchResult

ZIP = "download_files_zip.php"


def fetch(client: ExoFopClient, *, tic_id: int = OTHER, **options: Any) -> ExoFopFetchResult:
    return client.fetch(target=tic_id, include_summaries=False, **options)


def fail(exofop: ExoFopDouble, file_id: int, reply: Reply) -> None:
    """One file gives this, the others come as usual."""
    exofop.play(
        "get_file.php", lambda request: reply if request.query["id"] == str(file_id) else exofop.answer(request)
    )


def test_tar_of_all_files_is_never_asked_for(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    fail(exofop, NOTES, Reply(status=404))
    client.fetch(target=TIC_ID)
    client.download_all_files_zip(tic_id=TIC_ID)
    assert exofop.asked("download_files.php") == []


def test_zip_is_not_asked_for_while_every_file_comes(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    fetch(client, tic_id=TIC_ID)
    assert exofop.asked(ZIP) == []


BROKEN = {
    "not there": Reply(status=404),
    "zero bytes": Reply(b""),
    "web page": Reply(pages.no_file()),
    "open end": Reply(b"Clear night", length=False),
}


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("folder", [None, "tic_365938305"])
def test_file_that_does_not_come_by_itself_is_taken_out_of_the_zip(
    client: ExoFopClient, exofop: ExoFopDouble, fault: str, folder: str | None
) -> None:
    exofop.zip_folder = folder
    fail(exofop, NOTES, BROKEN[fault])
    result = fetch(client, tic_id=TIC_ID)
    entry = entries_of(result)[NOTES]
    assert (entry["state"], entry["source"], result.errors) == ("OK", ZIP, [])
    assert (result.cache_root / entry["path"]).read_bytes() == b"Clear night, no gaps.\n"
    assert entry["sha256"] == hashlib.sha256(b"Clear night, no gaps.\n").hexdigest()
    assert len(exofop.asked(ZIP)) == 1
    assert fetch(client, tic_id=TIC_ID).n_connections == 0


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (Reply(pages.login_page()), "AUTH_REQUIRED"),
        (Reply(status=403), "AUTH_REQUIRED"),
        (Reply(status=503), "UNREACHABLE"),
    ],
)
def test_f015_zip_is_not_asked_for_where_it_could_not_help(
    client: ExoFopClient, exofop: ExoFopDouble, reply: Reply, state: str
) -> None:
    fail(exofop, NOTES, reply)
    result = fetch(client, tic_id=TIC_ID)
    assert entries_of(result)[NOTES]["state"] == state
    assert exofop.asked(ZIP) == []
    assert len(result.files_downloaded) == 5
    (skipped,) = result.files_skipped
    assert state in skipped


ZIPS = {
    "web page": Reply(pages.page("<h1>later</h1>")),
    "login page": Reply(pages.login_page()),
    "zero bytes": Reply(b""),
    "not there": Reply(status=404),
    "down": Reply(status=503),
    "empty": Reply(zip_of([])),
    "cut": Reply(zip_of([("TIC365938305-01_notes.txt", b"Clear")])[:-9]),
    "noise": Reply(b"PK\3\4" + bytes(200)),
    "hangs up": Reply(zip_of([("TIC365938305-01_notes.txt", b"Clear")]), cut_after=20),
}


@pytest.mark.parametrize("fault", ZIPS)
def test_f073_zip_that_does_not_help_is_told_and_the_file_stays_a_gap(
    client: ExoFopClient, exofop: ExoFopDouble, fault: str
) -> None:
    fail(exofop, NOTES, Reply(pages.no_file()))
    exofop.play(ZIP, ZIPS[fault])
    result = fetch(client, tic_id=TIC_ID)
    assert entries_of(result)[NOTES]["state"] == "CORRUPT"
    assert len(result.files_downloaded) == 5
    assert any(ZIP in warning or "the archive lacks" in warning for warning in result.warnings)
    assert any(str(NOTES) in error for error in result.errors)
    assert not list(result.cache_root.glob(".incoming*"))


@pytest.mark.parametrize("fault", [name for name in ZIPS if name != "empty"])
def test_f073_answer_that_is_no_zip_is_not_handed_out_as_one(
    client: ExoFopClient, exofop: ExoFopDouble, fault: str
) -> None:
    exofop.play(ZIP, ZIPS[fault])
    with pytest.raises(FetchError):
        client.download_all_files_zip(tic_id=TIC_ID)
    exofop.play(ZIP, exofop.answer)
    assert zipfile.is_zipfile(client.download_all_files_zip(tic_id=TIC_ID))


def test_f040_f049_what_list_and_archive_do_not_share_is_named_with_both_times(
    client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    fail(exofop, NOTES, Reply(status=404))
    exofop.play(ZIP, Reply(zip_of([("new upload.txt", b"new"), ("TOI1262S-tres20191108.pdf", b"listed")])))
    result = fetch(client, tic_id=TIC_ID)
    lacks = next(warning for warning in result.warnings if "the archive lacks" in warning)
    extra = next(warning for warning in result.warnings if "the list does not name" in warning)
    assert "TIC365938305-01_notes.txt" in lacks
    assert "new upload.txt" in extra
    assert "tres20191108" not in extra  # it is listed, and was not wanted out of the zip
    for warning in (lacks, extra):
        assert warning.count("T") >= 2
        assert "(list of 20" in warning
        assert "archive of 20" in warning


def test_f041_files_of_one_name_are_kept_apart_by_their_numbers(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    names = ["a.txt", "a.txt", "A.TXT"]
    numbers = [exofop.add_file(OTHER, name, b"%d\n" % at) for at, name in enumerate(names)]
    found = fetch(client).files_downloaded
    assert [path.name for path in found] == [f"{number}_{name}" for number, name in zip(numbers, names, strict=True)]
    assert [path.read_bytes() for path in found] == [b"0\n", b"1\n", b"2\n"]


def test_f041_f074_zip_does_not_tell_which_of_two_files_of_one_name_is_which(
    client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    numbers = [exofop.add_file(OTHER, "a.txt", b"%d\n" % at) for at in range(2)]
    exofop.play("get_file.php", Reply(status=404))
    result = fetch(client)
    assert result.files_downloaded == []
    assert {entries_of(result)[number]["state"] for number in numbers} == {"UNREACHABLE"}
    assert any("share a name" in warning and all(str(n) in warning for n in numbers) for warning in result.warnings)


def test_f070_hostile_members_reach_nothing_outside(
    client: ExoFopClient, exofop: ExoFopDouble, cache: Path, tmp_path: Path
) -> None:
    names = ["../../../outside.txt", "/tmp/outside.txt", "C:\\outside.txt", "..\\outside.txt", "a/../../outside.txt"]  # noqa: S108
    number = exofop.add_file(OTHER, "good.txt", b"good\n")
    for name in names:
        exofop.add_file(OTHER, name, b"evil\n")
    exofop.play("get_file.php", Reply(status=404))
    exofop.play(ZIP, Reply(zip_of([("good.txt", b"good\n"), *((name, b"evil\n") for name in names)])))
    result = fetch(client)
    assert entries_of(result)[number]["state"] == "OK"
    assert [path for path in tmp_path.rglob("*outside*") if cache not in path.parents] == []
    for entry in entries_of(result).values():
        if "path" in entry:
            assert (result.cache_root / entry["path"]).resolve().parent == (result.cache_root / "files").resolve()


def test_f075_member_with_a_wrong_sum_is_not_taken_and_the_rest_is(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    good = exofop.add_file(OTHER, "good.txt", b"good\n")
    bad = exofop.add_file(OTHER, "bad.txt", b"0123456789")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("good.txt", b"good\n")
        archive.writestr("bad.txt", b"0123456789")
    exofop.play("get_file.php", Reply(status=404))
    exofop.play(ZIP, Reply(stream.getvalue().replace(b"0123456789", b"0123456788")))
    result = fetch(client)
    entries = entries_of(result)
    assert (entries[good]["state"], entries[bad]["state"]) == ("OK", "UNREACHABLE")
    assert any("were not taken out" in warning and "bad.txt" in warning for warning in result.warnings)


def test_f073_file_of_zero_bytes_is_believed_to_the_zip_alone(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    number = exofop.add_file(OTHER, "empty.txt", b"")
    result = fetch(client)
    assert len(asked_files(exofop)) == LIMITS.tries
    assert (entries_of(result)[number]["state"], entries_of(result)[number]["bytes"]) == ("OK", 0)
    exofop.play(ZIP, Reply(status=404))
    other = exofop.add_file(TIC_ID, "empty.txt", b"")
    assert entries_of(fetch(client, tic_id=TIC_ID))[other]["state"] == "THROTTLED"


def test_f077_page_under_the_name_of_a_document_is_no_document(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    number = exofop.add_file(OTHER, "spectrum.pdf", pages.page("<h1>later</h1>"))
    entry = entries_of(fetch(client))[number]
    assert entry["state"] == "CORRUPT"
    assert "web page" in entry["detail"]
    assert "path" not in entry


def test_f077_picture_that_is_another_kind_is_kept_for_download_only(
    client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    svg = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    number = exofop.add_file(OTHER, "plot.png", svg)
    result = fetch(client)
    entry = entries_of(result)[number]
    assert entry["state"] == "OK"
    assert "download only" in entry["content"]
    assert result.files_downloaded[0].read_bytes() == svg


NAMES = [
    "../../escape.dat", "/etc/escape.dat", "..", "...", "-rf.dat", "CON", "NUL.txt", "trailing. ", "a:b.dat", "caf\u00e9.dat",
    "cafe\u0301.dat", "\u202egpj.exe", "\U0001f4a9.dat", "line\nbreak.dat", "x" * 300 + ".dat", "tab\there.dat", "a\\b\\c.dat",
    "~/.ssh/id", "$(rm).dat", "name with spaces, and comma.dat", '"quoted".dat', ".hidden",
]  # fmt: skip


def test_f078_f079_f080_names_of_any_kind_stay_in_the_tree_and_in_the_manifest(
    client: ExoFopClient, exofop: ExoFopDouble, cache: Path, tmp_path: Path
) -> None:
    numbers = {}
    for at, name in enumerate(NAMES):
        numbers[exofop.add_file(OTHER, name, b"%d\n" % at, disposition='attachment; filename="../../escape"')] = name
    result = fetch(client)
    entries = entries_of(result)
    files = (result.cache_root / "files").resolve()
    for at, (number, name) in enumerate(numbers.items()):
        entry = entries[number]
        path = result.cache_root / entry["path"]
        assert entry["filename"].split() == name.split(), name
        assert path.resolve().parent == files
        assert path.name.startswith(f"{number}_")
        assert path.name.isascii()
        assert len(path.name) <= 160
        assert path.read_bytes() == b"%d\n" % at
    assert sorted(path.name for path in tmp_path.iterdir()) == [cache.name]


def test_f131_names_in_sentences_are_of_one_line_and_printable(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    for at, name in enumerate(("line\nbreak.dat", "\x1b[31mred.dat", "\u202egpj.exe")):
        exofop.add_file(OTHER, name, b"%d\n" % at)
    exofop.play("get_file.php", Reply(pages.no_file()))
    exofop.play(ZIP, Reply(zip_of([("other\nline.dat", b"1\n"), ("\x1b[2J.dat", b"2\n")])))
    result = fetch(client)
    sentences = [*result.warnings, *result.errors, *result.files_skipped]
    assert len(sentences) > 6
    assert all(sentence.isprintable() for sentence in sentences), sentences


def test_f110_file_over_the_limit_is_rejected_and_not_taken_out_of_the_zip_either(
    make_client: MakeClient, exofop: ExoFopDouble
) -> None:
    large = exofop.add_file(OTHER, "large.dat", b"1 2\n" * 400)
    small = exofop.add_file(OTHER, "small.dat", b"1 2\n")
    result = fetch(make_client(limits=Limits(file_bytes=1000, tries=2, backoff_s=0.001)))
    entries = entries_of(result)
    assert (entries[large]["state"], entries[small]["state"]) == ("REJECTED", "OK")
    assert "path" not in entries[large]


def test_f110_files_beyond_what_a_star_may_have_are_not_asked_for(
    make_client: MakeClient, exofop: ExoFopDouble
) -> None:
    numbers = [exofop.add_file(OTHER, f"{at}.dat", b"1 2\n" * 100) for at in range(5)]
    result = fetch(make_client(limits=Limits(target_files_bytes=900, tries=2, backoff_s=0.001)))
    assert asked_files(exofop) == numbers[:3]
    assert [entries_of(result)[number]["state"] for number in numbers] == ["OK"] * 3 + ["REJECTED"] * 2


def test_failed_refresh_of_a_file_keeps_the_old_bytes_as_stale(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    first = fetch(client, tic_id=TIC_ID)
    exofop.play("get_file.php", Reply(status=503))
    result = fetch(client, tic_id=TIC_ID, force_refresh=True)
    assert result.files_downloaded == first.files_downloaded
    assert {entry["state"] for entry in entries_of(result).values()} <= {"STALE", "OK"}
    assert entries_of(result)[CURVE]["state"] == "STALE"
    assert entries_of(result)[CURVE]["sha256"] == entries_of(first)[CURVE]["sha256"]
    exofop.play("get_file.php", exofop.answer)
    assert {entry["state"] for entry in entries_of(fetch(client, tic_id=TIC_ID)).values()} == {"OK"}


@pytest.mark.parametrize("fault", BROKEN)
def test_failed_refresh_is_never_worse_than_stale(client: ExoFopClient, exofop: ExoFopDouble, fault: str) -> None:
    number = exofop.add_file(OTHER, "a.txt", b"whole\n")
    path = fetch(client).files_downloaded[0]
    exofop.play("get_file.php", BROKEN[fault])
    exofop.play(ZIP, Reply(status=404))
    result = fetch(client, force_refresh=True)
    assert (entries_of(result)[number]["state"], path.read_bytes()) == ("STALE", b"whole\n")


@pytest.mark.parametrize("kind", RestrictedAnswer)
def test_f015_locked_file_leaves_the_others_and_is_never_said_to_be_empty(
    client: ExoFopClient, exofop: ExoFopDouble, kind: RestrictedAnswer
) -> None:
    exofop.restricted_answer = kind
    number = exofop.add_file(TIC_ID, "members.dat", b"1 2\n", restricted=True)
    result = fetch(client, tic_id=TIC_ID)
    assert len(result.files_downloaded) == 6
    expected = {
        RestrictedAnswer.ROW_MISSING: None,
        RestrictedAnswer.LOGIN_PAGE: "AUTH_REQUIRED",
        RestrictedAnswer.EMPTY_BODY: "THROTTLED",
        RestrictedAnswer.ZIP_WITHOUT_MEMBER: "AUTH_REQUIRED",
    }[kind]
    assert entries_of(result).get(number, {}).get("state") == expected


def test_requests_say_who_asks(make_client: MakeClient, exofop: ExoFopDouble) -> None:
    fetch(make_client(user_agent="a survey of ours"), tic_id=TIC_ID)
    assert {request.headers["user-agent"] for request in exofop.asked("")} == {"a survey of ours"}
    assert not any("cookie" in request.headers for request in exofop.asked(""))


def test_what_was_being_fetched_is_in_no_final_place_while_it_comes(
    client: ExoFopClient, exofop: ExoFopDouble, cache: Path
) -> None:
    number = exofop.add_file(OTHER, "a.txt", b"whole\n")
    seen: list[list[str]] = []

    def answer(request: Request) -> Reply:
        seen.append(sorted(tree(cache)))
        return exofop.answer(request)

    exofop.play("get_file.php", answer)
    fetch(client)
    assert not any(f"{number}_a.txt" in name for name in seen[0])
