"""Thumbnails are drawn once: not again while the bytes and what draws them are the same, and again when either is not."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.exofop.publish import pictures
from tests.exofop.publish.conftest import FILES, TIC_ID, Desk, Put, write_manifest

from btv_report.exofop.payloads import thumbnails
from btv_report.exofop.payloads.kept_thumbnails import drawing_version, kept_or_drawn
from btv_report.exofop.payloads.thumbnails import MOST_THUMBNAILS, is_plain_png
from btv_report.stages.observers_files import observers_files

PNG = pictures.saved(pictures.two_halves(), "PNG")


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The command of every process that draws."""
    begun: list[list[str]] = []
    popen = subprocess.Popen

    def begin(command: list[str], **options: Any) -> Any:
        begun.append(command)
        return popen(command, **options)

    monkeypatch.setattr("btv_report.exofop.payloads.thumbnails.subprocess.Popen", begin)
    return begun


def drawn(cache: Path, *paths: Path) -> dict[Path, bytes]:
    digests = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    return kept_or_drawn(digests, cache, cache / "exofop/tic_1")


def kept(cache: Path) -> list[Path]:
    return sorted((cache / "exofop/tic_1/thumbnails").glob("*"))


def test_second_time_nothing_is_drawn_and_the_bytes_are_the_same(
    put: Put, tmp_path: Path, drawings: list[list[str]]
) -> None:
    files = put("a.png", PNG), put("b.pdf", pictures.pdf()), put("c.txt", b"words\n")
    first = drawn(tmp_path / "kept", *files)
    assert (list(first), len(drawings)) == ([*files[:2]], 1)
    assert drawn(tmp_path / "kept", *files) == first
    assert len(drawings) == 1
    assert [path.stat().st_mode & 0o777 for path in kept(tmp_path / "kept")] == [0o600] * 2


def test_only_what_is_new_is_drawn(put: Put, tmp_path: Path, drawings: list[list[str]]) -> None:
    one, other = put("a.png", PNG), put("b.pdf", pictures.pdf())
    first = drawn(tmp_path / "kept", one)
    assert drawn(tmp_path / "kept", one, other)[one] == first[one]
    assert str(one) not in drawings[1]
    assert str(other) in drawings[1]


def test_other_bytes_under_the_same_name_are_drawn(put: Put, tmp_path: Path, drawings: list[list[str]]) -> None:
    first = drawn(tmp_path / "kept", put("a.png", PNG))
    other = pictures.saved(pictures.two_halves().rotate(180), "PNG")
    assert drawn(tmp_path / "kept", put("a.png", other)) != first
    assert len(drawings) == 2


def test_another_version_of_what_draws_draws_again(
    put: Put, tmp_path: Path, drawings: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put("a.png", PNG)
    drawn(tmp_path / "kept", path)
    before = drawing_version()
    monkeypatch.setattr("btv_report.exofop.payloads.kept_thumbnails.metadata.version", lambda name: "99.0")
    assert drawing_version() != before
    drawn(tmp_path / "kept", path)
    assert len(drawings) == 2


@pytest.mark.parametrize("content", [b"", b"<svg onload=x>", PNG + b"more", b"\x89PNG\r\n\x1a\n"])
def test_what_lies_in_place_of_a_thumbnail_is_not_shown(
    put: Put, tmp_path: Path, drawings: list[list[str]], content: bytes
) -> None:
    path = put("a.png", PNG)
    first = drawn(tmp_path / "kept", path)
    kept(tmp_path / "kept")[0].write_bytes(content)
    assert drawn(tmp_path / "kept", path) == first
    assert len(drawings) == 2


def test_link_in_place_of_a_thumbnail_is_not_followed(put: Put, tmp_path: Path, drawings: list[list[str]]) -> None:
    path = put("a.png", PNG)
    first = drawn(tmp_path / "kept", path)
    (place,) = kept(tmp_path / "kept")
    elsewhere = put("elsewhere.png", place.read_bytes())
    place.unlink()
    place.symlink_to(elsewhere)
    assert drawn(tmp_path / "kept", path) == first
    assert len(drawings) == 2


def test_cache_that_others_may_write_to_keeps_none(put: Put, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (content,) = drawn(tmp_path / "open", put("a.png", PNG)).values()
    assert is_plain_png(content)
    assert list((tmp_path / "open").iterdir()) == []


def test_bytes_that_have_changed_meanwhile_have_no_thumbnail_and_none_is_kept_for_them(
    put: Put, tmp_path: Path
) -> None:
    path = put("a.png", PNG)
    assert kept_or_drawn({path: "0" * 64}, tmp_path / "kept", tmp_path / "kept/exofop/tic_1") == {}
    assert kept(tmp_path / "kept") == []


def test_those_that_are_kept_count_among_the_most_that_a_star_has(
    put: Put, tmp_path: Path, drawings: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else every run would show some more, and no two dossiers were the same."""
    monkeypatch.setattr(thumbnails, "MOST_THUMBNAILS", 2)
    assert MOST_THUMBNAILS > 2
    files = [put(f"{number}.png", pictures.saved(pictures.two_halves().rotate(number), "PNG")) for number in range(4)]
    first = drawn(tmp_path / "kept", *files)
    assert drawn(tmp_path / "kept", *files) == first
    assert (list(first), len(drawings)) == (files[:2], 1)


def test_second_run_of_a_report_draws_nothing(desk: Desk, tmp_path: Path, drawings: list[list[str]]) -> None:
    first, _ = observers_files(desk.request(publish=False), write_manifest(tmp_path / "exofop", FILES))
    again, _ = observers_files(desk.request(publish=False), write_manifest(tmp_path / "again", FILES))
    assert len(drawings) == 1
    assert first == again
    assert len(list(desk.workspace.root.glob(f".btv-report/cache/exofop/tic_{TIC_ID}/thumbnails/*"))) == 2
