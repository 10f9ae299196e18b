"""A cache that may only be read, and a cache tree in which links stand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.doubles.command import run_command
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_toi_1262 import TIC_ID
from tests.doubles.other_users import without_rights
from tests.exofop.client.conftest import MakeClient, tree

from btv_report.errors import LocalEnvironmentError
from btv_report.exofop.client import ExoFopClient


def make_read_only(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def test_f144_warm_cache_that_may_only_be_read_serves(
    make_client: MakeClient, exofop: ExoFopDouble, everybodys_folder: Path
) -> None:
    folder = everybodys_folder / "cache"
    first = make_client(cache_dir=folder).fetch(target=TIC_ID)
    before = exofop.n_connections
    make_read_only(folder)

    def work() -> None:
        again = make_client(cache_dir=folder).fetch(target=TIC_ID)
        assert (again.files_downloaded, again.answers) == (first.files_downloaded, first.answers)
        with pytest.raises(LocalEnvironmentError, match="EACCES"):
            make_client(cache_dir=folder).fetch(target=TIC_ID, force_refresh=True)

    assert without_rights(work) == 0
    assert exofop.n_connections == before


def test_f144_cold_cache_that_may_only_be_read_is_exit_6_with_a_sentence(
    make_client: MakeClient, exofop: ExoFopDouble, everybodys_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = everybodys_folder / "cache"
    folder.mkdir(mode=0o555)
    folder.chmod(0o555)
    make_client(cache_dir=everybodys_folder / "other").fetch(target=TIC_ID)  # what the child needs is imported here
    before = exofop.n_connections
    monkeypatch.setenv("BTV_REPORT_CACHE_DIR", str(folder))
    monkeypatch.setenv("BTV_REPORT_EXOFOP_URL", exofop.url)
    monkeypatch.chdir(everybodys_folder)

    def work() -> None:
        ran = run_command("exofop", "fetch", "--tic", str(TIC_ID))
        assert ran.code == 6
        assert ran.stderr.startswith("Error: ")
        assert "EACCES" in ran.stderr
        assert str(folder) in ran.stderr
        assert "Traceback" not in ran.stderr
        assert run_command("exofop", "fetch", "--tic", str(TIC_ID), "--offline").code == 4

    assert without_rights(work) == 0
    assert exofop.n_connections == before


@pytest.mark.parametrize(
    "place", ["exofop", f"exofop/tic_{TIC_ID}", f"exofop/tic_{TIC_ID}/files", f"exofop/tic_{TIC_ID}/summaries",
              f"exofop/tic_{TIC_ID}/files/superseded"],
)  # fmt: skip
def test_f071_f154_link_in_the_tree_is_not_written_through(
    client: ExoFopClient, exofop: ExoFopDouble, cache: Path, tmp_path: Path, place: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (cache / place).parent.mkdir(parents=True)
    for folder in [cache, *cache.rglob("*")]:
        folder.chmod(0o700)
    (cache / place).symlink_to(elsewhere)
    with pytest.raises(LocalEnvironmentError, match="is a link"):
        client.fetch(target=TIC_ID)
    assert list(elsewhere.iterdir()) == []
    assert exofop.n_connections == 0


def test_f154_link_in_the_place_of_unfinished_downloads_is_not_followed(
    client: ExoFopClient, cache: Path, tmp_path: Path
) -> None:
    result = client.fetch(target=TIC_ID)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.txt").write_bytes(b"mine")
    (result.cache_root / ".incoming").symlink_to(elsewhere)
    with pytest.raises(LocalEnvironmentError):
        client.fetch(target=TIC_ID, force_refresh=True)
    assert [path.name for path in elsewhere.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("name", ["summaries/spect.csv", "filelist.csv", "target.json"])
def test_f154_link_in_the_place_of_an_answer_is_replaced_and_not_written_through(
    client: ExoFopClient, tmp_path: Path, name: str
) -> None:
    result = client.fetch(target=TIC_ID)
    path, mine = result.cache_root / name, tmp_path / "mine.txt"
    mine.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(mine)
    before = mine.read_bytes()
    again = client.fetch(target=TIC_ID, force_refresh=True)
    assert (again.errors, mine.read_bytes()) == ([], before)
    assert not path.is_symlink()


def test_f154_tree_that_others_may_write_to_is_refused(client: ExoFopClient, cache: Path) -> None:
    result = client.fetch(target=TIC_ID)
    (result.cache_root / "files").chmod(0o777)
    before = tree(cache)
    with pytest.raises(LocalEnvironmentError, match="everybody"):
        client.fetch(target=TIC_ID, force_refresh=True)
    assert tree(cache) == before


def test_f142_full_disk_is_told_and_what_was_there_stays(
    client: ExoFopClient, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    result = client.fetch(target=TIC_ID)
    before = {name: content for name, (content, _) in tree(cache).items()}

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(LocalEnvironmentError, match="ENOSPC"):
            client.fetch(target=TIC_ID, force_refresh=True)
    assert {name: content for name, (content, _) in tree(cache).items()} == before
    assert client.fetch(target=TIC_ID).files_downloaded == result.files_downloaded
