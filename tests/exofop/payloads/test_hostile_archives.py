"""Five hundred hostile archives: nothing is written outside the folder, limits hold, every row and member is accounted for."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.exofop.payloads.archives import (
    CHARACTER_DEVICE,
    DEFLATED,
    FIFO,
    FOLDER,
    LINK,
    PLAIN,
    STORED,
    Entry,
    archive_of,
    row,
    tree_below,
)

from btv_report.archive.limits import Limits
from btv_report.exofop.payloads.zip_archive import open_archive_members
from btv_report.exofop.payloads.zip_reading import ArchiveError

LIMITS = Limits(zip_members=40, zip_ratio=20, zip_bytes=4000, file_bytes=1500)
NAMES = [
    b"a.dat",
    b"b.pdf",
    b"A.dat",
    b"x/y/z.dat",
    "Å.dat".encode(),
    b"CON",
    b"NUL.fits",
    b"-rf",
    b"trailing. ",
    b"a:b",
]
HOSTILE_NAMES = [
    b"../outside", b"../../outside", b"/outside", b"//host/outside", b"C:\\outside", b"..\\outside", b"top/../../outside",
    b"victim", b"link/inside", b"./a.dat", b"", b".", b"..", b"a.dat/", b"a\0b", b"~/outside", b"$HOME", b"x" * 300, b"\xff\xfe",
    b"unpacked/../victim", b"member-aaaaaaaa",
]  # fmt: skip
ROWS = [row(n, name.decode("utf-8", "replace")) for n, name in enumerate([*NAMES, *NAMES[:2], *HOSTILE_NAMES], start=1)]


def hostile_entry(random: Random, n_before: int) -> Entry:
    """A member with one or two lies, or none."""
    content = random.choice([b"", random.randbytes(random.randrange(900)), bytes(random.randrange(6000)), b"ab" * 300])
    entry: dict[str, Any] = {
        "name": random.choice([*NAMES, *HOSTILE_NAMES, b"top/" + random.choice(NAMES)]),
        "content": content,
        "method": random.choice([STORED, DEFLATED, DEFLATED, DEFLATED]),
    }
    lies: dict[str, Callable[[], Any]] = {
        "mode": lambda: random.choice([LINK, FIFO, CHARACTER_DEVICE, FOLDER, PLAIN, 0]),
        "flags": lambda: random.choice([1, 0x40, 0x800, 0x2000, 8]),
        "method": lambda: random.choice([1, 9, 12, 14, 93, 99]),
        "crc": lambda: random.getrandbits(32),
        "size": lambda: random.choice([0, 1, len(content) + 1, 10**6, 2**32 - 1, random.randrange(2000)]),
        "packed_size": lambda: random.choice([0, 1, 2**32 - 1, random.randrange(2000)]),
        "offset": lambda: random.choice([0, 1, 30, 2**31, 2**32 - 1, random.randrange(5000)]),
        "local_name": lambda: random.choice([b"", b"../other", b"a.dat"]),
        "extra": lambda: struct.pack("<HHQQ", 1, 16, random.getrandbits(64), random.getrandbits(64)),
        "reuses": lambda: random.randrange(n_before) if n_before else None,
    }
    for lie in random.sample(sorted(lies), random.choice([0, 0, 1, 1, 2])):
        entry[lie] = lies[lie]()
    return Entry(**entry)


def hostile_archive(random: Random) -> bytes:
    """Some members, and in one of three a changed, cut or repeated whole."""
    entries: list[Entry] = []
    for _ in range(random.choice([1, 2, 3, 5, 8, 39, 45])):
        entries.append(hostile_entry(random, len(entries)))
    count, comment = random.choice([None, None, 0, 65535]), random.randbytes(random.choice([0, 0, 50]))
    content = bytearray(archive_of(entries, count=count, comment=comment))
    match random.randrange(6):
        case 0:
            for _ in range(random.randrange(1, 6)):
                content[random.randrange(len(content))] = random.randrange(256)
        case 1:
            del content[random.randrange(len(content)) :]
        case 2:
            content = content + content if random.random() < 0.5 else bytearray(b"MZ stub ") + content
    return bytes(content)


@pytest.mark.parametrize("seed", range(10))
def test_fifty_hostile_archives_write_nothing_outside_and_lose_nothing(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    (tmp_path / "victim").write_bytes(b"untouched")
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    n_opened = n_kept = 0
    for number in range(50):
        archive, folder = tmp_path / "files.zip", tmp_path / f"unpacked{number}"
        archive.write_bytes(hostile_archive(random))
        folder.mkdir()
        (folder / "victim").symlink_to(tmp_path / "victim")
        before = tree_below(tmp_path)
        try:
            contents = open_archive_members(archive, folder, LIMITS, ROWS)
        except ArchiveError:
            assert tree_below(tmp_path) == before
            continue
        n_opened += 1
        kept = [*contents.members, *(member for one in contents.ambiguous for member in one.members)]
        new = {str(member.path.relative_to(tmp_path)): member.path.read_bytes() for member in kept}
        assert tree_below(tmp_path) == before | new
        assert len(new) == len(kept)
        assert all(member.path.parent == folder and not member.path.is_symlink() for member in kept)
        assert contents.n_members <= LIMITS.zip_members
        assert sum(map(len, new.values())) <= LIMITS.zip_bytes
        assert all(len(content) <= LIMITS.file_bytes for content in new.values())
        others = len(contents.rejected) + len(contents.members_without) + len(contents.repeats) + contents.n_folders
        assert len(kept) + others == contents.n_members
        told = {member.file_id for member in contents.members} | {item.file_id for item in contents.rows_without}
        told |= {file_id for one in contents.ambiguous for file_id in one.rows}
        told |= {file_id for member in contents.rejected for file_id in member.file_ids}
        assert told == {item.file_id for item in ROWS}
        assert all(member.reason for member in contents.rejected)
        n_kept += len(kept)
    archive.unlink()
    assert n_opened > 10
    assert n_kept > 20
