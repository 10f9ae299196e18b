"""Values whose descriptions lie, whose clocks were wrong, whose keys are odd."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.archive_cache.conftest import CountingFetch, product

from btv_report.answer_states import AnswerState
from btv_report.archive.answer_cache import Answer, AnswerCache
from btv_report.archive.cache_listing import list_cache
from btv_report.archive.persistent_cache import PersistentCache
from btv_report.archive.product_cache import ProductCache


class SetClock:
    """A clock that says what a test wants, and a little more each time."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


def meta_of(cache: PersistentCache) -> Path:
    (path,) = (cache.cache_dir / "v1" / "meta").iterdir()
    return path


LIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "time is no number": lambda meta: {**meta, "created_at": float("nan")},
    "time is text": lambda meta: {**meta, "accessed_at": "today"},
    "pins are numbers": lambda meta: {**meta, "pins": [1]},
    "pins are text": lambda meta: {**meta, "pins": "run"},
    "size is wrong": lambda meta: {**meta, "n_bytes": meta["n_bytes"] - 1},
    "size is negative": lambda meta: {**meta, "n_bytes": -1},
    "kind is another": lambda meta: {**meta, "kind": "bytes"},
    "kind is a list": lambda meta: {**meta, "kind": []},
    "key is another": lambda meta: {**meta, "key": "other"},
    "replaces nothing": lambda meta: {**meta, "replaces": 3},
    "is text": lambda meta: "meta",
    "is a list": lambda meta: [meta],
    "time is huge": lambda meta: {**meta, "accessed_at": 10**400},
    "size is huge": lambda meta: {**meta, "n_bytes": 10**30},
}


@pytest.mark.parametrize("how", LIES)
def test_f092_description_that_lies_is_put_aside_at_once(tmp_path: Path, how: str) -> None:
    cache = PersistentCache(tmp_path / "cache")
    cache.put("key", {"a": 1})
    path = meta_of(cache)
    path.write_text(json.dumps(LIES[how](json.loads(path.read_bytes()))))
    for _ in (cache.has("key"), cache.keys(), cache.metadata("key")):
        pass  # looking at it does not stumble
    assert cache.get("key", "default") == "default"
    assert (cache.has("key"), cache.keys()) == (False, [])
    aside = sorted(item.suffix for item in (tmp_path / "cache" / "v1" / "quarantine").iterdir())
    assert aside == [".json", ".json"]
    cache.pin("key", "run")
    cache.put("key", 2)
    assert cache.get("key") == 2


@pytest.mark.parametrize(
    "value",
    [
        {"file": np.arange(2)},
        {"allow_pickle": np.arange(2)},
        {"a\x00b": np.arange(2), "a\x00c": np.arange(3)},
        np.ma.masked_array([1, 2], [False, True]),
        {"a": np.ma.masked_array([1, 2], [False, True])},
    ],
)
def test_arrays_of_which_a_part_would_be_lost_are_refused(tmp_path: Path, value: Any) -> None:
    cache = PersistentCache(tmp_path / "cache")
    with pytest.raises(TypeError, match="cannot be kept"):
        cache.put("key", value)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("wrong", [4e9, 1e12])
def test_f157_entries_of_a_clock_that_ran_ahead_do_not_push_new_ones_out(tmp_path: Path, wrong: float) -> None:
    clock = SetClock(wrong)
    cache = PersistentCache(tmp_path / "cache", max_entries=3, clock=clock)
    for name in ("old 1", "old 2", "old 3"):
        cache.put(name, 1)
    clock.now = 1.8e9
    for name in ("new 1", "new 2", "new 3"):
        cache.put(name, 2)
    assert cache.keys() == ["new 1", "new 2", "new 3"]


def test_f158_getting_an_entry_keeps_it_when_the_capacity_is_reached(tmp_path: Path) -> None:
    clock = SetClock(1.8e9)
    cache = PersistentCache(tmp_path / "cache", max_entries=2, clock=clock)
    cache.put("a", 1)
    cache.put("b", 2)
    assert PersistentCache(tmp_path / "cache", clock=clock).get("a") == 1
    cache.put("c", 3)
    assert cache.keys() == ["a", "c"]


@pytest.mark.parametrize("key", ["", "\ud800", "a\x00b", "../../etc", "k" * 10_000, "TIC 1", "tic 1"])
def test_f082_any_text_is_a_key(tmp_path: Path, key: str) -> None:
    cache = PersistentCache(tmp_path / "cache")
    cache.put("another", 0)
    cache.put(key, [1])
    assert cache.get(key) == [1]
    assert set(cache.keys()) == {"another", key}


def test_value_of_another_kind_leaves_one_file(tmp_path: Path) -> None:
    cache = PersistentCache(tmp_path / "cache")
    for value in ({"a": 1}, b"bytes", np.arange(3), None):
        cache.put("key", value)
    assert cache.get("key", "default") is None
    assert len(list((tmp_path / "cache" / "v1" / "data").iterdir())) == 1


def test_f153_pickle_planted_in_every_slot_of_products_and_answers_never_runs(
    cache: ProductCache, fetch: CountingFetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbid(*_: object, **__: object) -> None:
        pytest.fail("pickle was asked to load")

    answers = AnswerCache(cache.folder, "https://a.example")

    def fill() -> None:
        found = cache.get_or_fetch(product(), fetch)
        cache.get_or_fetch(product(2), fetch)
        cache.pin_run("run", tmp_path, [found.sha256])
        answers.put(7, "TIC entry", Answer(AnswerState.OK, "2026-11-26T10:00:00Z", 1))

    fill()
    cache.get_or_fetch(product(2), CountingFetch(b"reprocessed"), refresh=True)
    slots = [path for path in cache.folder.rglob("*") if path.is_file()]
    rooms = {path.relative_to(cache.folder).parts[0] for path in slots}
    assert rooms == {"answers", "locks", "pins", "products", "superseded"}
    payload = pickle.dumps(Path("canary"))
    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, forbid)
    for slot in slots:
        slot.write_bytes(payload)
        assert list_cache(cache).folder == cache.folder
        assert cache.cached(7) is not None
        assert cache.get_or_fetch(product(), fetch).path.read_bytes() == fetch.content
        assert answers.get(7, "TIC entry") in (None, Answer(AnswerState.OK, "2026-11-26T10:00:00Z", 1, from_cache=True))
        fill()
