"""Folders, links, pipes, owners and descriptions that nobody of good will would make; and machines that refuse for a moment."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.archive_cache.conftest import CountingFetch, product
from tests.doubles.other_users import without_rights

from btv_report.archive.cache_folder import default_cache_folder, require_trusted
from btv_report.archive.persistent_cache import PersistentCache
from btv_report.archive.product_cache import ProductCache
from btv_report.archive.stored_files import keep_copy, open_regular, put_in_place
from btv_report.errors import LocalEnvironmentError

SOMEBODY = 12345


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a file or link be somebody else's: really, where we may; else by being somebody else ourselves."""
    if os.geteuid() == 0:
        os.chown(path, SOMEBODY, -1, follow_symlinks=False)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY)


def sidecar(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def test_f154_cache_behind_somebody_elses_link_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tmp_path / "real"
    real.mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(real)
    assert require_trusted(link) == link
    # The variable's folder is not resolved, which would hide the link.
    assert default_cache_folder({"BTV_REPORT_CACHE_DIR": str(link)}, tmp_path) == link
    give_away(link, monkeypatch)
    with pytest.raises(LocalEnvironmentError, match="is a link that belongs to another user"):
        ProductCache(link)


def test_f154_cache_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"")
    with pytest.raises(LocalEnvironmentError, match="is no folder"):
        PersistentCache(tmp_path / "cache")


def test_f154_folder_that_turned_hostile_after_it_was_opened_is_not_believed(tmp_path: Path) -> None:
    cache = PersistentCache(tmp_path / "cache")
    cache.put("key", 1)
    (tmp_path / "cache").chmod(0o777)
    with pytest.raises(LocalEnvironmentError, match="everybody"):
        cache.get("key")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()
    (path / "inside").write_bytes(b"x")


def _link(path: Path) -> None:
    path.symlink_to(path.parent)


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize("make", [_pipe, _folder, _link, _dangling])
@pytest.mark.parametrize("where", ["bytes", "description"])
def test_f154_what_is_no_plain_file_is_moved_away_unread(
    cache: ProductCache, fetch: CountingFetch, make: Callable[[Path], None], where: str
) -> None:
    path = cache.get_or_fetch(product(), fetch).path
    odd = path if where == "bytes" else sidecar(path)
    odd.unlink()
    make(odd)
    assert cache.cached(7) == ()
    assert cache.get_or_fetch(product(), fetch).path.read_bytes() == fetch.content
    assert len(cache.cached(7)) == 1


def test_f154_file_of_somebody_else_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"theirs")
    give_away(path, monkeypatch)
    with pytest.raises(OSError, match="another user"), open_regular(path):
        pass


WRONG: dict[str, Callable[[dict[str, Any]], object]] = {
    "list": lambda words: [],
    "no product": lambda words: {**words, "product": None},
    "text for a number": lambda words: {**words, "n_bytes": str(words["n_bytes"])},
    "number for a text": lambda words: {**words, "product": {**words["product"], "uri": 7}},
    "truth for a number": lambda words: {**words, "product": {**words["product"], "tic_id": True}},
    "another target": lambda words: {**words, "product": {**words["product"], "tic_id": 8}},
    "another address": lambda words: {**words, "product": {**words["product"], "uri": "mast:TESS/product/b"}},
    "another version": lambda words: {**words, "schema_version": 2},
    "replaces nothing": lambda words: {**words, "replaces": 3},
}


@pytest.mark.parametrize("how", WRONG)
def test_f092_description_that_is_not_the_products_own_is_not_believed(
    cache: ProductCache, fetch: CountingFetch, how: str
) -> None:
    path = cache.get_or_fetch(product(), fetch).path
    sidecar(path).write_text(json.dumps(WRONG[how](json.loads(sidecar(path).read_bytes()))))
    assert cache.cached_product(product()) is None
    assert cache.get_or_fetch(product(), fetch).was_fetched
    assert cache.cached_product(product()) is not None


def test_field_of_a_later_version_does_not_spoil_a_description(cache: ProductCache, fetch: CountingFetch) -> None:
    path = cache.get_or_fetch(product(), fetch).path
    words = json.loads(sidecar(path).read_bytes())
    words["product"]["colour"] = "red"
    sidecar(path).write_text(json.dumps(words))
    assert not cache.get_or_fetch(product(), fetch).was_fetched


def test_f143_machine_that_refuses_for_a_moment_costs_no_entry(
    cache: ProductCache, fetch: CountingFetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.get_or_fetch(product(), fetch)
    values = PersistentCache(tmp_path / "values")
    values.put("key", [1, 2])
    real = os.open

    def refuse(path: Any, flags: int, mode: int = 0o777, **keywords: Any) -> int:
        if str(path).endswith(".fits") or "/data/" in str(path):
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return real(path, flags, mode, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(LocalEnvironmentError, match="EMFILE"):
            cache.get_or_fetch(product(), fetch)
        assert values.get("key", "default") == "default"
    assert not cache.get_or_fetch(product(), fetch).was_fetched
    assert values.get("key") == [1, 2]
    assert not cache.quarantine.exists()


def test_superseded_bytes_are_copied_where_a_disk_has_no_links(
    cache: ProductCache, fetch: CountingFetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.get_or_fetch(product(), fetch)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    new = cache.get_or_fetch(product(), CountingFetch(b"reprocessed"), refresh=True)
    assert new.superseded is not None
    assert new.superseded.read_bytes() == fetch.content
    assert new.superseded.stat().st_mode & 0o077 == 0


def test_f156_two_disks_are_a_sentence_and_the_old_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_bytes(b"new")
    target.write_bytes(b"old")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        with pytest.raises(LocalEnvironmentError, match="EXDEV"):
            put_in_place(source, target)
    assert target.read_bytes() == b"old"
    keep_copy(source, tmp_path / "c")
    assert (tmp_path / "c").read_bytes() == b"new"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o027, 0o077])
def test_f155_products_are_private_whatever_the_umask(tmp_path: Path, fetch: CountingFetch, umask: int) -> None:
    before = os.umask(umask)
    try:
        cache = ProductCache(tmp_path / "cache")
        cache.pin_run("run", tmp_path, [cache.get_or_fetch(product(), fetch).sha256])
        cache.get_or_fetch(product(), CountingFetch(b"reprocessed"), refresh=True)
    finally:
        os.umask(before)
    for path in (tmp_path / "cache").rglob("*"):
        assert path.stat().st_mode & 0o7777 == (0o700 if path.is_dir() else 0o600), path


def test_f144_cache_that_may_only_be_read_serves_and_says_why_it_takes_nothing(everybodys_folder: Path) -> None:
    folder = everybodys_folder / "cache"
    cache, fetch = ProductCache(folder), CountingFetch()
    values = PersistentCache(folder / "values")
    kept = cache.get_or_fetch(product(), fetch)
    values.put("key", {"a": 1})
    values.get("key")  # what the child needs is imported here
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)

    def work() -> None:
        again = ProductCache(folder)
        assert again.get_or_fetch(product(), fetch).sha256 == kept.sha256
        again.pin_run("run", folder, [kept.sha256])
        assert PersistentCache(folder / "values").get("key") == {"a": 1}
        with pytest.raises(LocalEnvironmentError, match="EACCES"):
            again.get_or_fetch(product(2), fetch)
        with pytest.raises(LocalEnvironmentError, match="EACCES"):
            PersistentCache(folder / "values").put("key", 2)

    assert without_rights(work) == 0
    assert len(fetch.asked) == 1
    assert not cache.pins.exists()
