"""Digests of files: each read once a process, and never an old digest for new bytes."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import pytest

from btv_report.archive.stored_files import has_bytes, hash_file

OLD, NEW = b"old bytes", b"new bytes"


@pytest.fixture
def n_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each file that was read."""
    read: list[int] = []
    real = hashlib.file_digest

    def digest(*given: Any) -> Any:
        read.append(1)
        return real(*given)

    monkeypatch.setattr(hashlib, "file_digest", digest)
    return read


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour after the files were written."""
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + 3_600_000_000_000)


def digest_of(content: bytes) -> tuple[str, int]:
    return hashlib.sha256(content).hexdigest(), len(content)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.usefixtures("later")
def test_file_that_has_not_changed_is_read_once(tmp_path: Path, n_read: list[int]) -> None:
    path = write(tmp_path / "a", OLD)
    assert [hash_file(path) for _ in range(3)] == [digest_of(OLD)] * 3
    assert has_bytes(path, *digest_of(OLD))
    assert len(n_read) == 1


def test_file_that_was_just_written_is_read_again(tmp_path: Path, n_read: list[int]) -> None:
    """Its times may not tell the next change."""
    path = write(tmp_path / "a", OLD)
    assert [hash_file(path) for _ in range(2)] == [digest_of(OLD)] * 2
    assert len(n_read) == 2


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("how", ["in place", "in place, time put back", "another file"])
def test_changed_bytes_of_the_same_size_are_seen(tmp_path: Path, how: str) -> None:
    path = write(tmp_path / "a", OLD)
    before = path.stat()
    assert hash_file(path) == digest_of(OLD)
    time.sleep(0.02)  # longer than a tick of the file system's clock
    if how == "another file":
        write(tmp_path / "b", NEW).replace(path)
    else:
        path.write_bytes(NEW)
    if how != "in place":
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert hash_file(path) == digest_of(NEW)
    assert not has_bytes(path, *digest_of(OLD))
