"""Two in-memory stores, apart by session, the least recently used leave."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btv_report.archive.session_cache import SessionCache


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    SessionCache.clear_all()
    yield
    SessionCache.clear_all()


def test_what_was_put_is_there_in_its_own_session_only() -> None:
    one, two = SessionCache("one"), SessionCache("two")
    one.put("lc", 1)
    assert (one.get("lc"), two.get("lc"), two.get("lc", "none")) == (1, None, "none")
    assert (one.has("lc"), two.has("lc"), one.keys(), two.keys()) == (True, False, ["lc"], [])


@given(st.text(max_size=6), st.text(max_size=6), st.text(max_size=6), st.text(max_size=6))
def test_f082_no_spelling_of_session_and_name_meets_another(a: str, b: str, c: str, d: str) -> None:
    SessionCache.clear_all()
    SessionCache(a).put(b, "mine")
    assert SessionCache(c).has(d) == ((a, b) == (c, d))


def test_least_recently_used_entry_leaves_a_full_store() -> None:
    cache = SessionCache("s", max_entries=2)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.get("a")
    cache.put("c", 3)
    assert cache.keys() == ["a", "c"]
    cache.put("a", 9)
    assert (cache.get("a"), len(cache.keys())) == (9, 2)


def test_looking_whether_it_is_there_does_not_count_as_use() -> None:
    cache = SessionCache("s", max_entries=2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.has("a")
    cache.put("c", 3)
    assert cache.keys() == ["b", "c"]


def test_none_is_a_value_and_is_not_made_twice() -> None:
    cache, made = SessionCache("s"), []

    def make() -> None:
        made.append(1)

    for _ in range(3):
        assert cache.get_or_compute("x", make) is None
        assert cache.get_or_load("y", make) is None
    assert len(made) == 2
    assert cache.has_computed("x")


def test_two_stores_do_not_meet_and_clear_together() -> None:
    cache, other = SessionCache("s"), SessionCache("t")
    cache.put("x", 1)
    cache.put_computed("x", 2)
    other.put("x", 3)
    assert (cache.get("x"), cache.get_computed("x"), cache.computed_keys()) == (1, 2, ["x"])
    assert SessionCache.global_stats() == {"data_entries": 2, "computed_entries": 1}
    cache.clear()
    assert (cache.get("x"), cache.get_computed("x"), other.get("x")) == (None, None, 3)


def test_small_session_takes_nothing_from_a_large_one() -> None:
    large, small = SessionCache("large"), SessionCache("small", max_entries=1)
    for number in range(50):
        large.put(str(number), number)
    small.put("x", 1)
    small.put("y", 2)
    assert (len(large.keys()), small.keys()) == (50, ["y"])


@pytest.mark.parametrize("sizes", [(0, 5), (5, 0), (-1, 5)])
def test_cache_without_room_is_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        SessionCache("s", *sizes)


def test_many_threads_keep_the_capacity() -> None:
    cache = SessionCache("s", max_entries=10)

    def work(offset: int) -> None:
        for number in range(200):
            cache.put(f"{offset}-{number}", number)
            cache.get(f"{offset}-{number}")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cache.keys()) == 10
