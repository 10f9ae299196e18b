"""Killed at any point, a cache gives the old bytes or the new ones, loses nothing, and the next run tidies up."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.archive_cache.kill_cache import NEW, NEW_VALUE, OLD, OLD_VALUE, PRODUCT, fetch

from btv_report.archive.cache_listing import list_cache
from btv_report.archive.persistent_cache import PersistentCache
from btv_report.archive.product_cache import ProductCache

ROOT = Path(__file__).resolve().parents[2]
Kill = Callable[[str, Path], Iterator[Path]]


@pytest.fixture
def kill(tmp_path: Path) -> Kill:
    """The folders that a scenario leaves behind, killed at step 1, 2, ... and finally not at all."""

    def run(scenario: str, start: Path) -> Iterator[Path]:
        start.mkdir(exist_ok=True)
        copies = tmp_path / "copies"
        command = [sys.executable, "-m", "tests.archive_cache.kill_cache", scenario, str(start), str(copies)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        lines = ended.stdout.splitlines()
        assert len(lines) > 5
        assert lines[-1].endswith("done 0"), ended.stdout + ended.stderr
        yield from (copies / line.split()[0] for line in lines)

    return run


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def assert_tidy(cache: ProductCache) -> None:
    """The product and its description, nothing else, and no download left over."""
    path = cache.path_of(PRODUCT)
    assert files_below(cache.products) == [path, path.with_name(f"{path.name}.json")]
    assert files_below(cache.incoming) == []


def test_f140_f145_first_fetch_leaves_nothing_or_the_whole_product(kill: Kill, tmp_path: Path) -> None:
    for root in kill("first", tmp_path / "start"):
        cache = ProductCache(root)
        found = cache.cached_product(PRODUCT)
        assert found is None or found.path.read_bytes() == NEW
        assert cache.get_or_fetch(PRODUCT, fetch(NEW)).path.read_bytes() == NEW
        assert_tidy(cache)


def test_f109_f140_refresh_leaves_the_old_or_the_new_bytes_and_never_loses_the_old(kill: Kill, tmp_path: Path) -> None:
    old = ProductCache(tmp_path / "start").get_or_fetch(PRODUCT, fetch(OLD))
    seen = set()
    for root in kill("refresh", tmp_path / "start"):
        cache = ProductCache(root)
        found = cache.cached_product(PRODUCT)
        assert found is not None
        seen.add(found.path.read_bytes())
        assert [item.sha256 for item in cache.cached(7)] == [found.sha256]
        assert any(path.read_bytes() == OLD for path in files_below(root))
        again = cache.get_or_fetch(PRODUCT, fetch(NEW), refresh=True)
        assert again.path.read_bytes() == NEW
        (superseded,) = list_cache(cache).superseded
        assert (superseded.product.sha256, superseded.product.path.read_bytes()) == (old.sha256, OLD)
        assert_tidy(cache)
    assert seen == {OLD, NEW}


def test_f092_f140_repair_keeps_the_damaged_bytes_and_is_taken_up_again(kill: Kill, tmp_path: Path) -> None:
    damaged = ProductCache(tmp_path / "start").get_or_fetch(PRODUCT, fetch(OLD)).path
    damaged.write_bytes(OLD[:-1])
    for root in kill("repair", tmp_path / "start"):
        cache = ProductCache(root)
        assert any(path.read_bytes() == OLD[:-1] for path in files_below(root))
        assert cache.get_or_fetch(PRODUCT, fetch(NEW)).path.read_bytes() == NEW
        assert any(path.read_bytes() == OLD[:-1] for path in files_below(cache.quarantine))
        assert_tidy(cache)


def test_f140_cleaning_removes_a_product_or_leaves_it_whole(kill: Kill, tmp_path: Path) -> None:
    ProductCache(tmp_path / "start").get_or_fetch(PRODUCT, fetch(OLD))
    for root in kill("clean", tmp_path / "start"):
        cache = ProductCache(root)
        found = cache.cached_product(PRODUCT)
        assert found is None or found.path.read_bytes() == OLD
        assert cache.get_or_fetch(PRODUCT, fetch(OLD)).path.read_bytes() == OLD
        assert_tidy(cache)


@pytest.mark.parametrize(("scenario", "new"), [("value", NEW_VALUE), ("other kind", b"new" * 100)])
def test_f140_value_that_is_replaced_is_the_old_or_the_new_one(
    kill: Kill, tmp_path: Path, scenario: str, new: object
) -> None:
    start = PersistentCache(tmp_path / "start")
    start.put("key", OLD_VALUE)
    start.pin("key", "run")
    seen = []
    for root in kill(scenario, tmp_path / "start"):
        cache = PersistentCache(root)
        assert cache.has("key")
        value = cache.get("key", "lost")
        assert value in (OLD_VALUE, new)
        seen.append(value)
        assert (cache.metadata("key") or {})["pins"] == ["run"]
        assert cache.get("key") == value
        cache.put("key", new)
        assert cache.get("key") == new
    assert OLD_VALUE in seen
    assert seen[-1] == new
