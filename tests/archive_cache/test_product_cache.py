"""Each product fetched once, verified, described, never overwritten; cleaning keeps what a run cites."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.archive_cache.conftest import CountingFetch, product

from btv_report.answer_states import AnswerState
from btv_report.archive.answer_cache import Answer, AnswerCache
from btv_report.archive.cache_cleaning import plan_cleaning, remove
from btv_report.archive.cache_listing import list_cache
from btv_report.archive.product_cache import ProductCache, safe_name
from btv_report.errors import LocalEnvironmentError, UsageError


def test_product_is_fetched_once_and_described_beside_itself(cache: ProductCache, fetch: CountingFetch) -> None:
    first = cache.get_or_fetch(product(), fetch)
    again = ProductCache(cache.folder).get_or_fetch(product(), fetch)
    assert (first.was_fetched, again.was_fetched, len(fetch.asked)) == (True, False, 1)
    assert first.path.read_bytes() == fetch.content
    assert first.path.relative_to(cache.folder).as_posix() == (
        f"products/tic_7/mastDownload/TESS/{product().obs_id}/{product().file}"
    )
    words = json.loads(first.path.with_name(f"{first.path.name}.json").read_bytes())
    assert (words["sha256"], words["n_bytes"]) == (first.sha256, len(fetch.content))
    assert words["product"]["uri"] == product().uri
    assert again.retrieved_at == first.retrieved_at


def test_fetch_that_fails_leaves_the_old_file_and_its_description(cache: ProductCache, fetch: CountingFetch) -> None:
    kept = cache.get_or_fetch(product(), fetch)

    def fail(path: Path) -> CountingFetch:
        path.with_name(f".{path.name}.part").write_bytes(b"x")
        raise OSError("the network is gone")

    with pytest.raises(OSError, match="network"):
        cache.get_or_fetch(product(), fail, refresh=True)
    assert cache.get_or_fetch(product(), fetch).sha256 == kept.sha256
    assert len(fetch.asked) == 1


@pytest.mark.parametrize("how", ["cut", "flipped", "no description", "foreign description", "empty"])
def test_f013_f092_what_does_not_agree_with_its_description_is_put_aside_and_fetched(
    cache: ProductCache, fetch: CountingFetch, how: str
) -> None:
    path = cache.get_or_fetch(product(), fetch).path
    sidecar = path.with_name(f"{path.name}.json")
    if how == "cut":
        path.write_bytes(fetch.content[:-1])
    elif how == "flipped":
        path.write_bytes(fetch.content[:-1] + b"!")
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "no description":
        sidecar.unlink()
    else:
        sidecar.write_bytes(pickle.dumps({"schema_version": 1}))
    damaged = path.read_bytes()
    again = cache.get_or_fetch(product(), fetch)
    assert (again.was_fetched, again.path.read_bytes()) == (True, fetch.content)
    (aside,) = [item for item in (cache.folder / "quarantine").iterdir() if item.suffix == ".fits"]
    assert aside.read_bytes() == damaged


def test_f109_bytes_that_the_archive_replaced_are_kept_with_their_description(
    cache: ProductCache, fetch: CountingFetch
) -> None:
    old = cache.get_or_fetch(product(), fetch)
    same = cache.get_or_fetch(product(), fetch, refresh=True)
    assert (same.was_fetched, same.superseded) == (True, None)
    new = cache.get_or_fetch(product(), CountingFetch(b"reprocessed"), refresh=True)
    assert new.superseded is not None
    assert new.superseded.read_bytes() == fetch.content
    words = json.loads(new.superseded.with_name(f"{new.superseded.name}.json").read_bytes())
    assert words["sha256"] == old.sha256


def test_f144_read_only_cache_is_read(cache: ProductCache, fetch: CountingFetch) -> None:
    cache.get_or_fetch(product(), fetch)
    (cache.folder / "locks").chmod(0o500)
    for path in [cache.folder, *cache.folder.rglob("*")]:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        found = ProductCache(cache.folder).get_or_fetch(product(), fetch)
        assert (found.was_fetched, len(fetch.asked)) == (False, 1)
    finally:
        for path in [cache.folder, *cache.folder.rglob("*")]:
            path.chmod(0o700)


def test_f154_cache_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    folder.chmod(0o775)
    with pytest.raises(LocalEnvironmentError, match="its group"):
        ProductCache(folder)


def test_f154_link_at_the_place_of_a_product_is_not_written_through(
    cache: ProductCache, fetch: CountingFetch, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    path = cache.path_of(product())
    path.parent.mkdir(parents=True, mode=0o700)
    cache.folder.chmod(0o700)
    path.symlink_to(victim)
    cache.get_or_fetch(product(), fetch)
    assert victim.read_bytes() == b"mine"
    assert not path.is_symlink()


@given(st.text(max_size=300))
def test_f078_f079_f081_any_name_becomes_a_safe_one(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert "/" not in safe
    assert "\\" not in safe
    assert not safe.startswith(".")
    assert len(safe) <= 200
    assert safe.isascii()
    assert safe.split(".")[0].upper() not in {"CON", "NUL", "AUX", "PRN"}


@given(st.text(max_size=40), st.text(max_size=40))
def test_f082_two_names_never_meet_in_one_file(one: str, two: str) -> None:
    assert (safe_name(one) == safe_name(two)) == (one == two)


def test_f081_words_of_the_archive_cannot_lead_out_of_the_cache(cache: ProductCache, fetch: CountingFetch) -> None:
    evil = product(file="../../../evil.fits", obs_id="../..")
    found = cache.get_or_fetch(evil, fetch)
    assert found.path.resolve().is_relative_to(cache.folder_of(7).resolve())


def test_f159_cleaning_keeps_what_a_run_cites_unless_told(cache: ProductCache, fetch: CountingFetch) -> None:
    one, two = cache.get_or_fetch(product(1), fetch), cache.get_or_fetch(product(2), CountingFetch(b"other"))
    cache.pin_run("20261126T100000Z-12345678", Path("/somewhere"), [one.sha256])
    cleaning = plan_cleaning(cache, everything=True)
    assert [entry.product.path for entry in cleaning.kept_cited] == [one.path]
    remove(cleaning)
    assert (one.path.exists(), two.path.exists()) == (True, False)
    remove(plan_cleaning(cache, everything=True, include_cited=True))
    assert not one.path.exists()
    assert list_cache(cache).entries == ()


def test_cleaning_selects_by_target_and_by_age_of_the_description(cache: ProductCache, fetch: CountingFetch) -> None:
    cache.get_or_fetch(product(1, tic_id=7), fetch)
    cache.get_or_fetch(product(2, tic_id=8), fetch)
    for path in cache.folder.rglob("*"):
        os.utime(path, (0, 0))
    assert plan_cleaning(cache, older_than_days=1).files == ()
    later = datetime(2100, 1, 1, tzinfo=UTC)
    assert len(plan_cleaning(cache, older_than_days=1, now=later).files) == 4
    assert len(plan_cleaning(cache, tic_ids=[7], older_than_days=1, now=later).files) == 2
    assert {path.parts[-5] for path in plan_cleaning(cache, tic_ids=[8]).files} == {"tic_8"}
    with pytest.raises(UsageError, match="Nothing was selected"):
        plan_cleaning(cache)


def test_answers_are_kept_by_question_and_host_and_only_when_they_are_knowledge(tmp_path: Path) -> None:
    answers, other = AnswerCache(tmp_path, "https://a.example"), AnswerCache(tmp_path, "https://b.example")
    answers.put(7, "TIC entry", Answer(AnswerState.OK, "2026-11-26T10:00:00Z", {"ra": 1.5}))
    answers.put(7, "files", Answer(AnswerState.UNREACHABLE, "2026-11-26T10:00:00Z", None))
    found = answers.get(7, "TIC entry")
    assert found is not None
    assert (found.value, found.from_cache) == ({"ra": 1.5}, True)
    assert answers.get(7, "files") is None
    assert answers.get(8, "TIC entry") is None
    assert other.get(7, "TIC entry") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema_version": 9}', b"\x80\x04K\x01.", b"[" * 100_000])
def test_f153_damaged_answer_is_asked_again(tmp_path: Path, content: bytes) -> None:
    answers = AnswerCache(tmp_path, "https://a.example")
    answers.put(7, "TIC entry", Answer(AnswerState.OK, "2026-11-26T10:00:00Z", 1))
    (path,) = tmp_path.rglob("*.json")
    path.write_bytes(content)
    assert answers.get(7, "TIC entry") is None


def slow_fetch(counter: Path, number: int) -> object:
    class Slow(CountingFetch):
        def __call__(self, path: Path) -> CountingFetch:
            with (counter / f"{number}-{os.getpid()}").open("x"):
                pass
            with path.open("wb") as file:
                for piece in range(20):
                    file.write(self.content)
                    file.flush()
                    time.sleep(0.002 if piece else 0)
            return self

    return Slow(f"product {number} ".encode() * 50)


def worker(folder: str, counter: str, dies: bool) -> None:
    cache = ProductCache(Path(folder))
    for number in range(1, 21):
        if dies and number == 5:
            cache.get_or_fetch(product(number + 100), lambda path: os.kill(os.getpid(), signal.SIGKILL))  # type: ignore[arg-type,return-value]
        found = cache.get_or_fetch(product(number), slow_fetch(Path(counter), number))  # type: ignore[arg-type]
        if not found.path.read_bytes().startswith(f"product {number} ".encode()):
            raise SystemExit(9)


def test_f145_f147_sixteen_processes_fetch_each_product_once_though_some_are_killed(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.mkdir()
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=worker, args=(str(tmp_path / "cache"), str(counter), number in {3, 11}))
        for number in range(16)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    codes = sorted(process.exitcode if process.exitcode is not None else 99 for process in processes)
    assert codes == [-signal.SIGKILL] * 2 + [0] * 14
    fetched = [int(path.name.split("-")[0]) for path in counter.iterdir()]
    assert sorted(fetched) == list(range(1, 21))  # each exactly once
    cache = ProductCache(tmp_path / "cache")
    for number in range(1, 21):
        assert cache.cached_product(product(number)) is not None
    assert not [path for path in cache.folder.rglob("*") if ".part" in path.name or path.name.endswith(".incoming")]


def test_f140_f145_kill_in_the_middle_of_a_fetch_is_repaired_by_the_next_run(tmp_path: Path) -> None:
    def half(path: Path) -> CountingFetch:
        path.with_name(f".{path.name}.part-{os.getpid()}-0123abcd").write_bytes(b"half")
        path.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    process = multiprocessing.get_context("fork").Process(
        target=lambda: ProductCache(tmp_path / "cache").get_or_fetch(product(), half)
    )
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    cache, fetch = ProductCache(tmp_path / "cache"), CountingFetch()
    assert cache.cached_product(product()) is None
    found = cache.get_or_fetch(product(), fetch)
    assert found.path.read_bytes() == fetch.content
    assert [path.name for path in found.path.parent.iterdir() if ".part" in path.name or "incoming" in path.name] == []


def test_f154_subfolder_that_others_may_write_to_is_refused(cache: ProductCache, fetch: CountingFetch) -> None:
    path = cache.get_or_fetch(product(), fetch).path
    for folder in (path.parent, cache.folder_of(7), cache.products):
        folder.chmod(0o777)
        with pytest.raises(LocalEnvironmentError, match="may be written to by everybody"):
            cache.cached_product(product())
        folder.chmod(0o700)
    assert cache.cached_product(product()) is not None
