"""Several processes at one cache: what one of them is at work on, another neither reads half nor takes away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.archive_cache.conftest import CountingFetch, product

from btv_report.archive import product_cache, product_descriptions, stored_files
from btv_report.archive.cache_cleaning import plan_cleaning, remove
from btv_report.archive.cache_listing import list_cache
from btv_report.archive.persistent_cache import PersistentCache
from btv_report.archive.product_cache import CachedProduct, ProductCache
from btv_report.archive.stored_files import put_in_place
from btv_report.atomic import make_folder

Step = Callable[[], object]


class Interrupted(CountingFetch):
    """Does something else in the middle of the fetch, as another process might."""

    step: Step

    def __call__(self, path: Path) -> CountingFetch:
        part = path.with_name(f".{path.name}.part")
        zipped = path.with_name(".cutout.abcd.zip")
        for unfinished in (part, zipped):
            unfinished.write_bytes(self.content[:10])
        self.step()
        for unfinished in (part, zipped):
            unfinished.unlink()
        return super().__call__(path)


def interrupted(step: Step) -> Interrupted:
    fetch = Interrupted(b"slowly fetched")
    fetch.step = step
    return fetch


def test_f145_unfinished_download_of_a_neighbour_in_the_same_folder_is_left_alone(cache: ProductCache) -> None:
    one, two = product(1), product(1, file="other_tp.fits", uri="mast:TESS/product/other_tp.fits")
    other = CountingFetch(b"other")
    found = cache.get_or_fetch(one, interrupted(lambda: cache.get_or_fetch(two, other)))
    assert cache.path_of(one).parent == cache.path_of(two).parent
    assert (found.path.read_bytes(), len(other.asked)) == (b"slowly fetched", 1)


def test_f145_two_products_of_one_place_are_not_written_at_once(cache: ProductCache) -> None:
    one, two = product(1), product(1, uri="mast:TESS/product/renamed.fits")
    assert cache.path_of(one) == cache.path_of(two)
    other = CountingFetch(b"other")
    thread = threading.Thread(target=lambda: cache.get_or_fetch(two, other))

    def start() -> None:
        thread.start()
        thread.join(0.3)
        assert not other.asked

    assert cache.get_or_fetch(one, interrupted(start)).path.read_bytes() == b"slowly fetched"
    thread.join(10)
    assert cache.path_of(two).read_bytes() == b"other"
    assert cache.cached_product(one) is None  # its bytes are kept, but the place is the other's now
    assert [entry.product.uri for entry in list_cache(cache).superseded] == [one.uri]


def test_reader_that_meets_a_replacement_half_way_looks_again(
    cache: ProductCache, fetch: CountingFetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.get_or_fetch(product(), fetch)
    replaced: list[bool] = []

    def replace_first(found: CachedProduct) -> bool:
        if not replaced:
            replaced.append(True)  # the description has been read, its bytes have not
            cache.get_or_fetch(product(), CountingFetch(b"reprocessed"), refresh=True)
        return product_descriptions.is_whole(found)

    monkeypatch.setattr(product_cache, "is_whole", replace_first)
    found = cache.cached_product(product())
    assert found is not None
    assert found.path.read_bytes() == b"reprocessed"


def test_f159_cleaning_leaves_what_is_being_fetched(cache: ProductCache, fetch: CountingFetch) -> None:
    cache.get_or_fetch(product(), fetch)
    busy: list[Path] = []

    def clean() -> None:
        busy.extend(remove(plan_cleaning(cache, everything=True)).busy)

    cache.get_or_fetch(product(), interrupted(clean), refresh=True)
    found = cache.cached_product(product())
    assert found is not None
    assert busy == [found.path]


def test_f159_product_that_was_cited_or_replaced_after_the_plan_stays(
    cache: ProductCache, fetch: CountingFetch
) -> None:
    one, two = cache.get_or_fetch(product(1), fetch), cache.get_or_fetch(product(2), CountingFetch(b"two"))
    plan = plan_cleaning(cache, everything=True)
    assert len(plan.files) == 4
    cache.pin_run("run", Path("/somewhere"), [one.sha256])
    cache.get_or_fetch(product(2), CountingFetch(b"new"), refresh=True)
    removed = remove(plan)
    assert (removed.n_files, set(removed.busy)) == (0, {one.path, two.path})
    assert (one.path.exists(), two.path.read_bytes()) == (True, b"new")


def test_f145_stray_that_has_become_a_product_stays(cache: ProductCache, fetch: CountingFetch) -> None:
    path = cache.path_of(product())
    path.parent.mkdir(parents=True, mode=0o700)
    cache.folder.chmod(0o700)
    path.write_bytes(b"put here by hand")
    plan = plan_cleaning(cache, everything=True)
    assert plan.files == (path,)
    cache.get_or_fetch(product(), fetch)
    assert remove(plan).busy == (path,)
    assert cache.cached_product(product()) is not None


def test_folder_that_is_cleaned_away_under_a_new_product_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "new", tmp_path / "folder" / "file"
    source.write_bytes(b"new")
    times: list[Path] = []

    def make_and_lose(path: Path, *, private: bool) -> None:
        make_folder(path, private=private)
        times.append(path)
        if len(times) < 3:
            path.rmdir()

    monkeypatch.setattr(stored_files, "make_folder", make_and_lose)
    put_in_place(source, target)
    assert (target.read_bytes(), len(times)) == (b"new", 3)


def test_f159_entry_that_is_pinned_while_another_is_put_stays(tmp_path: Path) -> None:
    pinned: list[bool] = []

    def clock() -> float:
        if len(cache.keys()) > 2 and not pinned:  # between the list of what may leave and its leaving
            pinned.append(True)
            PersistentCache(tmp_path / "cache").pin("a", "run")
        return 1000.0 + len(cache.keys())

    cache = PersistentCache(tmp_path / "cache", max_entries=2, clock=clock)
    for name in ("a", "b", "c"):
        cache.put(name, name)
    assert pinned
    assert cache.has("a")


def test_f145_threads_that_replace_and_read_one_key_see_whole_values(tmp_path: Path) -> None:
    cache = PersistentCache(tmp_path / "cache")
    values = [{"n": number, "text": "x" * 500 * number} for number in range(1, 4)]
    cache.put("key", values[0])
    wrong: list[object] = []

    def work(number: int) -> None:
        mine = PersistentCache(tmp_path / "cache")
        for turn in range(12):
            if turn % 3 == 0:
                mine.put("key", values[(number + turn) % 3])
            elif (found := mine.get("key", "lost")) not in values:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    assert not (tmp_path / "cache" / "v1" / "quarantine").exists()
