"""Values on disk without pickle: they survive, repair themselves, stay within bounds, and nothing in them is ever run."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.products.conftest import read_lc, write_lc

from btv_report.archive.persistent_cache import PersistentCache, make_light_curve_key
from btv_report.errors import LocalEnvironmentError
from btv_report.products.model import LightCurve

__all__ = ["read_lc", "write_lc"]


class Ticking:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def ticking() -> Ticking:
    return Ticking()


@pytest.fixture
def cache(tmp_path: Path, ticking: Ticking) -> PersistentCache:
    return PersistentCache(tmp_path / "cache", max_entries=3, clock=ticking)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda item: st.lists(item, max_size=3) | st.dictionaries(st.text(), item, max_size=3),
    max_leaves=8,
)


@given(value=JSON)
def test_any_json_value_comes_back_as_it_was(value: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = PersistentCache(tmp_path_factory.mktemp("json"))
    try:
        cache.put("key", value)
    except UnicodeEncodeError:
        return  # lone surrogates are no text
    assert cache.get("key", "default") == value


def test_bytes_and_arrays_come_back_to_the_last_bit(cache: PersistentCache, tmp_path: Path) -> None:
    time = np.array([1325.123456789012345, np.nan, 3540.26317])
    cache.put("bytes", b"\x00\xffSIMPLE")
    cache.put("array", time)
    cache.put("arrays", {"a": np.arange(6, dtype=np.int32).reshape(2, 3), "b": np.array([], dtype=np.float32)})
    again = PersistentCache(tmp_path / "cache")
    assert again.get("bytes") == b"\x00\xffSIMPLE"
    assert again.get("array").tobytes() == time.tobytes()
    arrays = again.get("arrays")
    assert (arrays["a"].dtype, arrays["a"].shape, arrays["b"].dtype) == (np.int32, (2, 3), np.float32)


def test_light_curve_comes_back_with_its_times_and_provenance(
    cache: PersistentCache, read_lc: Callable[..., LightCurve]
) -> None:
    curve = read_lc()
    cache.put("lc", curve)
    kept = cache.get("lc")
    for name in ("time_btjd", "flux", "flux_err", "quality", "used"):
        mine, other = getattr(curve, name), getattr(kept, name)
        assert (mine.dtype, mine.tobytes()) == (other.dtype, other.tobytes())
    assert kept.provenance == curve.provenance
    assert kept.product.sha256 == curve.product.sha256
    assert kept.product.header is not None
    assert kept.product.header.time_reference == curve.provenance.time_reference
    meta = cache.metadata("lc")
    assert meta is not None
    assert meta["tic_id"] == curve.product.header.tic_id  # type: ignore[union-attr]


@pytest.mark.parametrize("value", [object(), {1, 2}, np.array([object()]), float("nan"), {1: 2}, (1, 2), lambda: None])
def test_f153_what_would_need_pickle_is_refused(cache: PersistentCache, value: Any) -> None:
    with pytest.raises(TypeError):
        cache.put("key", value)
    assert cache.keys() == []


def test_least_recently_used_entry_leaves_and_pinned_ones_stay(cache: PersistentCache) -> None:
    for name in ("a", "b", "c"):
        cache.put(name, name)
    cache.pin("b", "run-1")
    cache.get("a")
    cache.put("d", "d")
    assert cache.keys() == ["a", "b", "d"]
    cache.put("e", "e")
    cache.put("f", "f")
    assert "b" in cache.keys()  # noqa: SIM118 - a method of the cache
    cache.unpin("b", "run-1")
    cache.put("g", "g")
    assert "b" not in cache.keys()  # noqa: SIM118


def test_f158_age_is_that_of_the_description_not_of_the_file(cache: PersistentCache, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        cache.put(name, name)
    for path in (tmp_path / "cache").rglob("*"):
        os.utime(path, (0, 0) if "meta" in str(path) else (4e9, 4e9))
    cache.put("d", "d")
    assert cache.keys() == ["b", "c", "d"]


@pytest.mark.parametrize("now", [0.0, -5.0, 4e9, 1e12])
def test_f157_wrong_clock_loses_nothing(cache: PersistentCache, ticking: Ticking, now: float) -> None:
    cache.put("a", 1)
    ticking.now = now
    assert cache.get("a") == 1
    cache.put("b", 2)
    assert (cache.get("a"), cache.get("b")) == (1, 2)


def files(cache: PersistentCache, folder: str) -> list[Path]:
    return sorted((cache.cache_dir / "v1" / folder).iterdir())


def _becomes_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGE: dict[str, Callable[[Path, Path], object]] = {
    "cut": lambda data, meta: data.write_bytes(data.read_bytes()[:-3]),
    "empty": lambda data, meta: data.write_bytes(b""),
    "flipped": lambda data, meta: data.write_bytes(bytes([data.read_bytes()[0] ^ 1]) + data.read_bytes()[1:]),
    "gone": lambda data, meta: data.unlink(),
    "folder": lambda data, meta: _becomes_a_folder(data),
    "meta cut": lambda data, meta: meta.write_bytes(meta.read_bytes()[:-9]),
    "meta foreign": lambda data, meta: meta.write_text("[]"),
    "meta deep": lambda data, meta: meta.write_text("[" * 100_000),
    "meta version": lambda data, meta: meta.write_text(
        meta.read_text().replace('"schema_version": 1', '"schema_version": 2')
    ),
    "meta kind": lambda data, meta: meta.write_text(meta.read_text().replace('"kind": "json"', '"kind": "pickle"')),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_f092_damaged_entry_counts_as_absent_and_is_replaced(cache: PersistentCache, how: str) -> None:
    cache.put("key", {"a": [1, 2, 3]})
    DAMAGE[how](files(cache, "data")[0], files(cache, "meta")[0])
    assert cache.get("key", "default") == "default"
    assert cache.get("key", "default") == "default"
    if how == "folder":
        shutil.rmtree(cache.cache_dir / "v1" / "quarantine", ignore_errors=True)
        shutil.rmtree(files(cache, "data")[0]) if files(cache, "data") else None
    cache.put("key", "new")
    assert cache.get("key") == "new"


def test_two_entries_that_were_swapped_are_not_taken_for_each_other(cache: PersistentCache) -> None:
    cache.put("one", "one")
    cache.put("two", "two")
    first, second = files(cache, "data")
    swap = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(swap)
    assert (cache.get("one"), cache.get("two")) == (None, None)


class Payload:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ("touch canary",))


def test_f153_pickle_planted_in_every_slot_never_runs(
    cache: PersistentCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def forbid(*_: object, **__: object) -> None:
        pytest.fail("pickle was asked to load")

    def fill() -> None:
        cache.put("json", {"a": 1})
        cache.put("bytes", b"abc")
        cache.put("array", np.arange(3))

    fill()
    payload = pickle.dumps(Payload())
    slots = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert len(slots) >= 6
    monkeypatch.setattr(pickle, "load", forbid)
    monkeypatch.setattr(pickle, "loads", forbid)
    monkeypatch.setattr(pickle, "Unpickler", forbid)
    for slot in slots:
        fill()
        slot.write_bytes(payload)
        again = PersistentCache(tmp_path / "cache")
        for key in ("json", "bytes", "array"):
            again.get(key)
        again.keys()
    assert not (tmp_path / "canary").exists()


def test_f153_array_of_pickles_in_an_npz_is_not_loaded(cache: PersistentCache, tmp_path: Path) -> None:
    cache.put("array", np.arange(3))
    (data,) = files(cache, "data")
    with data.open("wb") as file:
        np.savez(file, array=np.array([Payload()], dtype=object), allow_pickle=True)
    (meta,) = files(cache, "meta")
    described = json.loads(meta.read_bytes())
    import hashlib

    described["sha256"] = hashlib.sha256(data.read_bytes()).hexdigest()
    meta.write_text(json.dumps(described))
    assert cache.get("array", "default") == "default"


def test_f154_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    for mode in (0o770, 0o707, 0o777):
        folder = tmp_path / f"{mode:o}"
        folder.mkdir()
        folder.chmod(mode)
        with pytest.raises(LocalEnvironmentError, match="may be written to by"):
            PersistentCache(folder)


def test_f154_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(Path, "stat", lambda self, **_: os.stat_result((0o40700, 1, 1, 1, 999, 1, 0, 0, 0, 0)))
    with pytest.raises(LocalEnvironmentError, match="another user"):
        PersistentCache(folder)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_f155_files_are_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        cache = PersistentCache(tmp_path / "cache")
        cache.put("key", 1)
    finally:
        os.umask(before)
    for path in (tmp_path / "cache").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_f152_older_layout_in_the_same_folder_is_left_alone(tmp_path: Path) -> None:
    old = tmp_path / "cache" / "data"
    old.mkdir(parents=True)
    (tmp_path / "cache").chmod(0o700)
    (old / "0123.pkl").write_bytes(pickle.dumps(Payload()))
    cache = PersistentCache(tmp_path / "cache")
    cache.put("key", 1)
    assert (cache.keys(), (old / "0123.pkl").exists()) == (["key"], True)


def test_pin_survives_a_new_value_and_removal_is_complete(cache: PersistentCache) -> None:
    cache.put("key", 1)
    cache.pin("key", "run")
    cache.put("key", b"two")
    assert (cache.metadata("key") or {})["pins"] == ["run"]
    assert len(files(cache, "data")) == 1
    cache.remove("key")
    assert (cache.has("key"), files(cache, "data"), files(cache, "meta")) == (False, [], [])
    cache.set("a", 1)
    cache.clear()
    assert cache.keys() == []


def test_f082_light_curve_key_differs_whenever_the_light_curve_could() -> None:
    base: dict[str, Any] = {
        "tic_id": 7, "sector": 1, "pipeline": "SPOC", "exptime_s": 120.0, "flux": "pdcsap", "quality_mask": 17087,
        "normalise": True, "product_sha256": "ab",
    }  # fmt: skip
    others = {
        "tic_id": 71, "sector": 11, "pipeline": "QLP", "exptime_s": 20.0, "flux": "sap", "quality_mask": 0, "normalise": False,
        "product_sha256": "cd",
    }  # fmt: skip
    keys = {make_light_curve_key(**base)} | {
        make_light_curve_key(**{**base, name: value}) for name, value in others.items()
    }
    assert len(keys) == 1 + len(others)
