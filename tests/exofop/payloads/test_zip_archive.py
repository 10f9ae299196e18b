"""The archive of all files: every row and every member accounted for, what is hostile left out, the rest kept."""

from __future__ import annotations

import stat
import struct
import tracemalloc
import unicodedata
from pathlib import Path

import pytest
from tests.exofop.payloads import small_files
from tests.exofop.payloads.archives import CHARACTER_DEVICE, FIFO, FOLDER, LINK, STORED, Entry, archive_of, row

from btv_report.answer_states import AnswerState
from btv_report.archive.limits import Limits
from btv_report.errors import LocalEnvironmentError
from btv_report.exofop.payloads import zip_archive
from btv_report.exofop.payloads.zip_archive import ZipContents, open_archive_members
from btv_report.exofop.payloads.zip_reading import ArchiveError
from btv_report.exofop.types import ExoFopFileRow

GOOD = Entry(b"good.dat", b"0.1 2.5\n" * 9)
GOOD_ROW = row(1, "good.dat")
NO_LIMIT = Limits()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "unpacked"
    path.mkdir()
    return path


def opened(folder: Path, content: bytes, *wanted: ExoFopFileRow, limits: Limits = NO_LIMIT) -> ZipContents:
    archive = folder.parent / "files.zip"
    archive.write_bytes(content)
    try:
        contents = open_archive_members(archive, folder, limits, wanted)
    finally:
        archive.unlink()
    kept = [*contents.members, *(member for one in contents.ambiguous for member in one.members)]
    assert sorted(member.path for member in kept) == sorted(folder.iterdir())
    n_named = len(kept) + len(contents.rejected) + len(contents.members_without) + len(contents.repeats)
    assert n_named + contents.n_folders == contents.n_members
    return contents


def bytes_by_id(contents: ZipContents) -> dict[int | None, bytes]:
    return {member.file_id: member.path.read_bytes() for member in contents.members}


def reasons(contents: ZipContents) -> list[tuple[str, AnswerState, str]]:
    return [(member.name, member.state, member.reason) for member in contents.rejected]


@pytest.mark.parametrize("top", ["", "tic365938305/"])
def test_members_are_matched_with_one_top_folder_and_with_none(folder: Path, top: str) -> None:
    entries = [Entry(f"{top}{name}".encode(), name.encode()) for name in ("a.dat", "b.pdf")]
    folders = [Entry(top.encode(), mode=FOLDER, method=STORED)] if top else []
    contents = opened(folder, archive_of([*folders, *entries]), row(12, "b.pdf"), row(3, "a.dat"))
    assert bytes_by_id(contents) == {3: b"a.dat", 12: b"b.pdf"}
    assert (contents.rejected, contents.rows_without, contents.members_without, contents.ambiguous) == ((),) * 4
    assert contents.n_folders == len(folders)
    for member in contents.members:
        assert stat.S_IMODE(member.path.stat().st_mode) == 0o600
        assert member.n_bytes == 5


def test_f040_rows_without_a_member_and_members_without_a_row_are_listed_by_name(folder: Path) -> None:
    entries = [GOOD, Entry(b"extra.png", b"x"), Entry(b"deep/deeper/good2.dat", b"y")]
    contents = opened(folder, archive_of(entries), GOOD_ROW, row(2, "missing.fits"), row(3, "good2.dat"))
    assert [item.filename for item in contents.rows_without] == ["missing.fits", "good2.dat"]
    assert contents.members_without == ("extra.png", "deep/deeper/good2.dat")
    assert bytes_by_id(contents) == {1: GOOD.content}


def test_only_wanted_members_are_unpacked(folder: Path) -> None:
    contents = opened(folder, archive_of([GOOD, Entry(b"other.dat", b"x" * 99)]))
    assert (contents.members, contents.members_without) == ((), ("good.dat", "other.dat"))


def test_f041_one_name_of_two_file_ids_is_ambiguous_and_never_guessed(folder: Path) -> None:
    contents = opened(folder, archive_of([GOOD]), GOOD_ROW, row(2, "good.dat"))
    (ambiguous,) = contents.ambiguous
    assert (ambiguous.filename, ambiguous.rows) == ("good.dat", (1, 2))
    assert [member.path.read_bytes() for member in ambiguous.members] == [GOOD.content]
    assert (contents.members, contents.rows_without) == ((), ())


def test_f041_names_that_differ_in_case_are_two_files(folder: Path) -> None:
    entries = [Entry(b"Plot.png", b"upper"), Entry(b"plot.png", b"lower")]
    contents = opened(folder, archive_of(entries), row(1, "plot.png"), row(2, "Plot.png"))
    assert bytes_by_id(contents) == {1: b"lower", 2: b"upper"}


def test_f041_two_rows_and_two_members_of_the_same_bytes_need_no_guess(folder: Path) -> None:
    contents = opened(folder, archive_of([GOOD, GOOD]), GOOD_ROW, row(2, "good.dat"))
    assert bytes_by_id(contents) == {1: GOOD.content, 2: GOOD.content}


def test_f074_two_members_of_one_name_are_both_kept(folder: Path) -> None:
    entries = [GOOD, Entry(b"good.dat", b"another"), Entry(b"top/good.dat", b"a third")]
    (ambiguous,) = opened(folder, archive_of(entries), GOOD_ROW).ambiguous
    assert ambiguous.rows == (1,)
    assert [member.path.read_bytes() for member in ambiguous.members] == [GOOD.content, b"another", b"a third"]


def test_f074_a_member_that_is_there_twice_with_the_same_bytes_is_one_file(folder: Path) -> None:
    contents = opened(folder, archive_of([GOOD, GOOD]), GOOD_ROW)
    assert bytes_by_id(contents) == {1: GOOD.content}
    assert contents.repeats == ("good.dat",)


def test_f020_names_in_utf_8_that_are_not_marked_as_such_are_found(folder: Path) -> None:
    entries = [Entry("Ångström.dat".encode(), b"unmarked"), Entry("Öl.dat".encode(), b"marked", flags=0x800)]
    contents = opened(folder, archive_of(entries), row(1, "Ångström.dat"), row(2, "Öl.dat"))
    assert bytes_by_id(contents) == {1: b"unmarked", 2: b"marked"}


def test_f078_a_name_in_another_unicode_spelling_is_the_same_name(folder: Path) -> None:
    entry = Entry(unicodedata.normalize("NFD", "Ångström.dat").encode(), b"x", flags=0x800)
    assert bytes_by_id(opened(folder, archive_of([entry]), row(1, "Ångström.dat"))) == {1: b"x"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (b"../good2.dat", "its path leads out of the archive"),
        (b"a/../../good2.dat", "its path leads out of the archive"),
        (b"/good2.dat", "its path is absolute"),
        (b"//server/share/good2.dat", "its path is absolute"),
        (b"\\\\server\\share\\good2.dat", "its path is absolute"),
        (b"C:\\good2.dat", "its path names a drive"),
        (b"c:good2.dat", "its path names a drive"),
        (b"a\\good2.dat", "its path has backslashes"),
        (b"..\\good2.dat", "its path leads out of the archive"),
        (b"good2.dat\0.png", "its path has control characters"),
        (b"go\nod2.dat", "its path has control characters"),
    ],
)
def test_f070_a_path_that_leads_elsewhere_is_rejected_and_the_others_are_kept(
    folder: Path, name: bytes, reason: str
) -> None:
    contents = opened(folder, archive_of([GOOD, Entry(name, b"hostile")]), GOOD_ROW, row(2, "good2.dat"))
    ((_, state, said),) = reasons(contents)
    assert (state, said) == (AnswerState.REJECTED, reason)
    assert bytes_by_id(contents) == {1: GOOD.content}


def test_f070_a_row_whose_only_member_is_rejected_is_not_lost(folder: Path) -> None:
    (rejected,) = opened(folder, archive_of([GOOD, Entry(b"../b.dat", b"x")]), row(2, "b.dat")).rejected
    assert rejected.file_ids == (2,)


@pytest.mark.parametrize(
    ("mode", "what"), [(LINK, "a symbolic link"), (FIFO, "a pipe"), (CHARACTER_DEVICE, "a device")]
)
def test_f071_links_and_devices_are_rejected(folder: Path, mode: int, what: str) -> None:
    contents = opened(
        folder, archive_of([GOOD, Entry(b"b.dat", b"/etc/hostname", mode=mode)]), GOOD_ROW, row(2, "b.dat")
    )
    assert reasons(contents) == [("b.dat", AnswerState.REJECTED, f"it is {what}, not a file")]
    assert bytes_by_id(contents) == {1: GOOD.content}


def test_f071_nothing_is_written_through_a_link_that_stands_in_the_folder(tmp_path: Path) -> None:
    folder, victim = tmp_path / "unpacked", tmp_path / "victim"
    folder.mkdir()
    victim.write_bytes(b"untouched")
    names = ["good.dat", "member-00001", "member-1", "1_good.dat"]
    for name in names:
        (folder / name).symlink_to(victim)
    (tmp_path / "files.zip").write_bytes(archive_of([GOOD]))
    contents = open_archive_members(tmp_path / "files.zip", folder, NO_LIMIT, [GOOD_ROW])
    assert bytes_by_id(contents) == {1: GOOD.content}
    assert victim.read_bytes() == b"untouched"
    assert {path.name for path in folder.iterdir() if path.is_symlink()} == set(names)


def test_f072_a_flat_bomb_is_rejected_by_the_ratio_and_takes_no_memory(folder: Path) -> None:
    bomb = archive_of([GOOD, Entry(b"bomb.dat", bytes(30_000_000))])
    tracemalloc.start()
    try:
        contents = opened(folder, bomb, GOOD_ROW, row(2, "bomb.dat"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    ((name, state, reason),) = reasons(contents)
    assert (name, state) == ("bomb.dat", AnswerState.REJECTED)
    assert reason.endswith("to 30,000,000 bytes, more than 200:1")
    assert bytes_by_id(contents) == {1: GOOD.content}
    assert peak < 3_000_000


def test_f072_a_bomb_that_announces_little_gives_no_more_than_it_announces(folder: Path) -> None:
    bomb = Entry(b"bomb.dat", bytes(30_000_000), size=100, packed_size=1000)
    tracemalloc.start()
    try:
        contents = opened(folder, archive_of([GOOD, bomb]), GOOD_ROW, row(2, "bomb.dat"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [state for _, state, _ in reasons(contents)] == [AnswerState.CORRUPT]
    assert peak < 35_000_000  # the packing by the test itself


def test_f072_a_file_or_all_files_over_the_limit_are_rejected_and_the_limit_is_named(folder: Path) -> None:
    entries = [
        Entry(name, bytes(range(250)) * n, method=STORED) for name, n in ((b"a", 2), (b"b", 2), (b"c", 1), (b"d", 9))
    ]
    rows = [row(number, name) for number, name in enumerate("abcd", start=1)]
    contents = opened(folder, archive_of(entries), *rows, limits=Limits(file_bytes=1000, zip_bytes=800))
    assert set(bytes_by_id(contents)) == {1, 3}
    assert [(name, reason) for name, _, reason in reasons(contents)] == [
        ("b", "all wanted members together would have more than 800 bytes"),
        ("d", "it would have 2,250 bytes, and 1,000 are the most for a file"),
    ]


def test_f072_members_that_share_their_bytes_are_rejected(folder: Path) -> None:
    whole = Entry(b"a.dat", b"x" * 500, method=STORED)
    inside = Entry(b"b.dat", b"x" * 100, method=STORED, offset=20)
    shared = Entry(b"a.dat", b"x" * 500, method=STORED, reuses=0)
    contents = opened(
        folder, archive_of([whole, shared, GOOD, inside]), row(1, "a.dat"), row(2, "b.dat"), row(3, "good.dat")
    )
    assert sorted(name for name, _, _ in reasons(contents)) == ["a.dat", "a.dat", "b.dat"]
    assert bytes_by_id(contents) == {3: GOOD.content}


def test_f072_a_zip_inside_is_a_file_like_another_and_never_opened(folder: Path) -> None:
    inner = archive_of([Entry(b"../../bomb.dat", b"x")])
    contents = opened(folder, archive_of([Entry(b"inner.zip", inner, method=STORED)]), row(1, "inner.zip"))
    assert bytes_by_id(contents) == {1: inner}


def test_f072_a_million_members_are_refused_before_they_are_listed(folder: Path) -> None:
    one = archive_of([Entry(b"a")])
    local, central = one[:33], one[33:80]
    directory = central * 1_000_000
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), len(local), 0)
    (folder.parent / "files.zip").write_bytes(local + directory + end)
    del directory
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError, match=r"list of members alone has 47,000,000 bytes") as caught:
            open_archive_members(folder.parent / "files.zip", folder, NO_LIMIT, [GOOD_ROW])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        (folder.parent / "files.zip").unlink()
    assert caught.value.state is AnswerState.REJECTED
    assert peak < 3_000_000


def test_f072_more_members_than_are_taken_are_refused_whatever_the_archive_counts(folder: Path) -> None:
    content = archive_of([Entry(b"%d.dat" % n) for n in range(21)], count=1)
    with pytest.raises(ArchiveError, match="lists 21 members, and 20 are the most"):
        opened(folder, content, GOOD_ROW, limits=Limits(zip_members=20))


def test_f073_an_empty_zip_is_no_error_and_says_nothing_of_the_rows(folder: Path) -> None:
    contents = opened(folder, small_files.zipped(), GOOD_ROW)
    assert len(small_files.zipped()) == 22
    assert (contents.n_members, contents.rows_without) == (0, (GOOD_ROW,))


@pytest.mark.parametrize(
    ("content", "state", "words"),
    [
        (b"", AnswerState.THROTTLED, "zero bytes"),
        (b"<html><body>busy</body></html>", AnswerState.CORRUPT, "a web page came"),
        (b'<html><form action="password_check.php"></form></html>', AnswerState.AUTH_REQUIRED, "a login page came"),
        (b"Sorry", AnswerState.CORRUPT, "'Sorry'"),
        (bytes(range(256)) * 40, AnswerState.CORRUPT, "no whole zip file"),
        (small_files.nested_zip()[:-60], AnswerState.CORRUPT, "no whole zip file"),
    ],
)
def test_f073_what_is_no_whole_zip_is_told(folder: Path, content: bytes, state: AnswerState, words: str) -> None:
    with pytest.raises(ArchiveError, match=words) as caught:
        opened(folder, content, GOOD_ROW)
    assert caught.value.state is state


@pytest.mark.parametrize("content", [small_files.nested_zip(), archive_of([GOOD, Entry(b"b.dat", b"x" * 99)])])
def test_f073_an_archive_cut_at_any_byte_gives_nothing(folder: Path, content: bytes) -> None:
    rows = [GOOD_ROW, row(2, "b.dat"), row(3, "inner.dat"), row(4, "outer.dat"), row(5, "inner.zip")]
    for length in range(len(content)):
        with pytest.raises(ArchiveError):
            opened(folder, content[:length], *rows)
        assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("entry", "state", "reason"),
    [
        (Entry(b"b.dat", b"x" * 50, crc=7), AnswerState.CORRUPT, "it is damaged (Bad CRC-32"),
        (Entry(b"b.dat", b"x" * 50, flags=1), AnswerState.REJECTED, "it is encrypted"),
        (Entry(b"b.dat", b"x" * 50, method=99), AnswerState.REJECTED, "it is packed by method 99"),
        (Entry(b"b.dat", b"x" * 50, method=12), AnswerState.REJECTED, "it is packed by method 12"),
        (Entry(b"b.dat", b"x" * 50, size=49), AnswerState.CORRUPT, "it is damaged"),
        (Entry(b"b.dat", b"x" * 50, size=51), AnswerState.CORRUPT, ""),
        (Entry(b"b.dat", b"x" * 50, local_name=b"c.dat"), AnswerState.CORRUPT, "it is damaged (File name"),
        (Entry(b"b.dat", b"x" * 50, packed_size=10**6, size=60), AnswerState.REJECTED, "its bytes lie over"),
        (Entry(b"b.dat", b"x", offset=10**9), AnswerState.REJECTED, "its bytes lie over"),
        (Entry(b"b.dat", b"x", size=0xFFFFFFFF, extra=struct.pack("<HHQ", 1, 8, 2**63)), AnswerState.REJECTED, "it would have"),
        (Entry(b"b.dat", b"x", offset=0xFFFFFFFF, extra=struct.pack("<HHQ", 1, 8, 2**64 - 1)), AnswerState.REJECTED, "its bytes"),
        (Entry(b"b.dat/", b"x"), AnswerState.REJECTED, "it is a folder and a file at once"),
        (Entry(b"b.dat", b"x", mode=FOLDER), AnswerState.REJECTED, "it is a folder and a file at once"),
    ],
)  # fmt: skip
def test_f075_a_damaged_or_odd_member_is_left_out_and_the_rest_is_kept(
    folder: Path, entry: Entry, state: AnswerState, reason: str
) -> None:
    contents = opened(folder, archive_of([GOOD, entry]), GOOD_ROW, row(2, "b.dat"))
    ((name, found, said),) = reasons(contents)
    assert (name, found) == (entry.name.decode(), state)
    assert said.startswith(reason)
    assert bytes_by_id(contents) == {1: GOOD.content}


def test_f076_a_tar_is_not_unpacked(folder: Path) -> None:
    with pytest.raises(ArchiveError, match="no whole zip file"):
        opened(folder, small_files.tarred(), row(1, "a.dat"))


def test_a_disk_that_is_full_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []

    def write_all(handle: int, data: bytes) -> None:
        if written:
            raise OSError(28, "No space left on device")
        written.append(handle)

    monkeypatch.setattr(zip_archive, "write_all", write_all)
    (folder.parent / "files.zip").write_bytes(archive_of([GOOD, Entry(b"b.dat", b"x")]))
    with pytest.raises(LocalEnvironmentError, match="No space left"):
        open_archive_members(folder.parent / "files.zip", folder, NO_LIMIT, [GOOD_ROW, row(2, "b.dat")])
    assert written
    assert not list(folder.iterdir())


def test_an_archive_or_folder_that_is_not_there_is_told(folder: Path) -> None:
    with pytest.raises(LocalEnvironmentError, match=r"absent\.zip"):
        open_archive_members(folder / "absent.zip", folder, NO_LIMIT, [])
    (folder.parent / "files.zip").write_bytes(archive_of([GOOD]))
    with pytest.raises(LocalEnvironmentError, match="nowhere"):
        open_archive_members(folder.parent / "files.zip", folder / "nowhere", NO_LIMIT, [GOOD_ROW])
