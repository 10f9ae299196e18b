"""Reading a file of this machine."""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path

import pytest

from btv_report.errors import LocalEnvironmentError, ProductCorruptError, ProductRefusedError
from btv_report.fits.local_file import decompress, read_file


def test_plain_file_is_its_own_content_and_is_hashed(tmp_path: Path) -> None:
    path = tmp_path / "a.fits"
    path.write_bytes(b"SIMPLE  =")
    file = read_file(path)
    assert file.content() == b"SIMPLE  ="
    assert file.sha256 == hashlib.sha256(b"SIMPLE  =").hexdigest()


def test_gzip_is_known_by_its_magic_and_hashed_as_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "misnamed.fits"
    raw = gzip.compress(b"content")
    path.write_bytes(raw)
    file = read_file(path)
    assert file.compressed
    assert file.content() == b"content"
    assert file.sha256 == hashlib.sha256(raw).hexdigest()


def test_gzip_of_several_members_with_zero_padding_is_read_whole() -> None:
    raw = gzip.compress(b"one") + gzip.compress(b"two") + b"\0" * 512
    assert decompress(raw, Path("x.gz")) == b"onetwo"


@pytest.mark.parametrize("cut", [3, 12, 40, -9, -1])
def test_f019_truncated_gzip_is_corrupt(tmp_path: Path, cut: int) -> None:
    raw = gzip.compress(os.urandom(5000))
    path = tmp_path / "cut.fits.gz"
    path.write_bytes(raw[:cut])
    with pytest.raises(ProductCorruptError, match=r"cut\.fits\.gz"):
        read_file(path).content()


def test_f091_gzip_with_a_flipped_bit_is_corrupt() -> None:
    raw = bytearray(gzip.compress(os.urandom(5000)))
    raw[2500] ^= 4
    with pytest.raises(ProductCorruptError, match="damaged"):
        decompress(bytes(raw), Path("x.gz"))


def test_f133_gzip_bomb_is_refused_before_it_is_expanded() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    with pytest.raises(ProductRefusedError, match="1,000,000 bytes"):
        decompress(bomb, Path("x.gz"), max_bytes=1_000_000)


def test_f110_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.fits"
    with path.open("wb") as stream:
        stream.truncate(2_000_000)
    with pytest.raises(ProductRefusedError, match="2,000,000 bytes"):
        read_file(path, max_bytes=1_000_000)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_f143_file_without_permission_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "private.fits"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(LocalEnvironmentError, match=r"private\.fits cannot be read: Permission denied"):
        read_file(path)


def test_f143_refused_open_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("btv_report.fits.local_file.os.open", refuse)
    with pytest.raises(LocalEnvironmentError, match=r"a\.fits cannot be read: Permission denied\. Check"):
        read_file(tmp_path / "a.fits")


def test_missing_file_and_folder_and_fifo_are_sentences(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo.fits"
    os.mkfifo(fifo)
    for path in (tmp_path / "absent.fits", tmp_path, fifo):
        with pytest.raises(LocalEnvironmentError, match=path.name):
            read_file(path)
