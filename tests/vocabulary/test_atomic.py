"""Writing files: whole or not at all, private or public, and in words when the machine refuses."""

from __future__ import annotations

import errno
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from btv_report.atomic import append_durable, make_folder, rename_durable, write_atomic
from btv_report.errors import LocalEnvironmentError

ERRNOS = [
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EIO,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EMFILE,
    errno.EXDEV,
    errno.EFBIG,
]
CALLS = ["write", "fsync", "replace", "fchmod"]


def failing(code: int) -> Any:
    def call(*_args: Any, **_keywords: Any) -> Any:
        raise OSError(code, os.strerror(code))

    return call


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", ERRNOS)
def test_f143_refusals_become_sentences_and_leave_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    path = tmp_path / "record.json"
    write_atomic(path, b"old", private=True)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing(code))
        with pytest.raises(LocalEnvironmentError) as caught:
            write_atomic(path, b"new content", private=True)
    words = str(caught.value)
    assert str(path) in words
    assert errno.errorcode[code] in words
    assert os.strerror(code) in words
    assert "11 bytes" in words
    assert caught.value.hint
    assert caught.value.exit_code == 6
    assert path.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_f143_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: whole(handle, bytes(data[:7])))
    write_atomic(tmp_path / "a", bytes(range(256)), private=True)
    append_durable(tmp_path / "b", bytes(range(256)))
    monkeypatch.undo()
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == bytes(range(256))


def test_f143_a_name_that_is_too_long_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LocalEnvironmentError, match="shorter path"):
        write_atomic(tmp_path / ("x" * 300), b"", private=True)
    write_atomic(tmp_path / ("x" * 255), b"fits", private=True)


LIMITED = """
import resource, sys
from pathlib import Path
from btv_report.errors import LocalEnvironmentError
from btv_report.atomic import append_durable, write_atomic
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
for write in (lambda p, d: write_atomic(p, d, private=True), append_durable):
    try:
        write(Path(sys.argv[1]), b"x" * 50_000)
    except LocalEnvironmentError as error:
        print(error)
"""


def test_f142_a_real_limit_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] != 10_000
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"old\n" * 100)
    done = subprocess.run([sys.executable, "-c", LIMITED, path], capture_output=True, text=True, check=True)
    sentences = done.stdout.splitlines()
    assert len(sentences) == 2
    assert all("EFBIG" in sentence and str(path) in sentence and "ulimit" in sentence for sentence in sentences)
    assert path.read_bytes() == b"old\n" * 100
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.jsonl"]


def test_f142_an_append_that_fails_half_way_is_cut_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ledger.jsonl"
    append_durable(path, b"one\n")
    whole, calls = os.write, []

    def half(handle: int, data: memoryview) -> int:
        calls.append(len(data))
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return whole(handle, bytes(data[:3]))

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(LocalEnvironmentError, match="Free some space"):
        append_durable(path, b"second\n")
    assert len(calls) == 2
    assert path.read_bytes() == b"one\n"


def test_f156_the_order_is_file_then_name_then_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(handle: int) -> None:
        events.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        real_fsync(handle)

    def replace(source: str, target: Path) -> None:
        assert Path(source).parent == target.parent
        events.append("rename")
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write_atomic(tmp_path / "x", b"data", private=True)
    assert events == ["file", "rename", "folder"]


def test_f156_a_rename_across_devices_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"kept")
    monkeypatch.setattr(os, "replace", failing(errno.EXDEV))
    with pytest.raises(LocalEnvironmentError, match="different devices"):
        rename_durable(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == b"kept"


def test_f156_file_systems_that_cannot_sync_folders_are_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def fsync(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomic(tmp_path / "x", b"data", private=True)
    assert (tmp_path / "x").read_bytes() == b"data"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o027, 0o077])
def test_f155_modes_do_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        make_folder(tmp_path / "private" / "deep", private=True)
        make_folder(tmp_path / "site" / "deep", private=False)
        write_atomic(tmp_path / "private" / "f", b"", private=True)
        write_atomic(tmp_path / "site" / "f", b"", private=False)
        append_durable(tmp_path / "private" / "g", b"x")
    finally:
        os.umask(before)
    modes = {str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {
        "private": 0o700,
        "private/deep": 0o700,
        "private/f": 0o600,
        "private/g": 0o600,
        "site": 0o755,
        "site/deep": 0o755,
        "site/f": 0o644,
    }


def test_f154_a_link_in_place_of_the_file_is_replaced_or_refused_but_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    for name in ("a", "b"):
        (tmp_path / name).symlink_to(victim)
    write_atomic(tmp_path / "a", b"mine", private=True)
    with pytest.raises(LocalEnvironmentError):
        append_durable(tmp_path / "b", b"mine")
    assert victim.read_bytes() == b"precious"
    assert not (tmp_path / "a").is_symlink()


def test_a_file_where_a_folder_should_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "runs").write_bytes(b"")
    with pytest.raises(LocalEnvironmentError, match="is a file, not a folder"):
        make_folder(tmp_path / "runs" / "1", private=True)
