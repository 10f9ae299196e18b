"""`btv-report cache list|clean`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.archive_cache.conftest import CountingFetch, product

from btv_report.archive.product_cache import ProductCache
from btv_report.cli.main import cli


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProductCache:
    monkeypatch.setenv("BTV_REPORT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    cache = ProductCache(tmp_path / "cache")
    one = cache.get_or_fetch(product(1, tic_id=7), CountingFetch(b"x" * 2_000_000))
    cache.get_or_fetch(product(2, tic_id=8), CountingFetch(b"y" * 1_000_000))
    cache.pin_run("20261126T100000Z-12345678", tmp_path, [one.sha256])
    return cache


def cache(*words: str) -> Result:
    return CliRunner().invoke(cli, ["cache", *words], prog_name="btv-report")


def test_list_shows_sizes_and_what_cites_what(filled: ProductCache) -> None:
    text = cache("list").output
    assert "TIC 7  sector 1  light_curve SPOC  2.0 MB" in text
    assert "cited by run 20261126T100000Z-12345678" in text
    assert "cited by no run" in text
    assert "2 products, 3.0 MB." in text
    answer = json.loads(cache("list", "--json").output)
    assert [item["cited_by"] for item in answer["products"]] == [["20261126T100000Z-12345678"], []]


def test_clean_without_a_selection_is_a_usage_error(filled: ProductCache) -> None:
    ran = cache("clean")
    assert ran.exit_code == 2
    assert len(filled.cached(7)) == 1


def test_clean_asks_before_it_removes(filled: ProductCache) -> None:
    ran = cache("clean", "--all")
    assert ran.exit_code == 2
    assert "nothing was removed" in ran.output
    assert "--yes" in ran.output
    assert len(filled.cached(8)) == 1


def test_dry_run_says_what_it_would_free(filled: ProductCache) -> None:
    ran = cache("clean", "--all", "--dry-run")
    assert "Would free 2 files, 1.0 MB." in ran.output
    assert len(filled.cached(8)) == 1


def test_clean_removes_and_says_what_stays(filled: ProductCache) -> None:
    ran = cache("clean", "--all", "--yes")
    assert "Freed 2 files, 1.0 MB." in ran.output
    assert "stays: cited by run" in ran.output
    assert (len(filled.cached(7)), len(filled.cached(8))) == (1, 0)
    assert "Freed 2 files, 2.0 MB." in cache("clean", "--tic", "7", "--include-cited", "--yes").output
    assert filled.cached(7) == ()


def test_cache_that_is_not_there_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BTV_REPORT_CACHE_DIR", str(tmp_path / "none"))
    ran = cache("list")
    assert ran.exit_code == 0
    assert "0 products" in ran.output
    assert not (tmp_path / "none").exists()


def test_all_and_older_than_contradict_each_other(filled: ProductCache) -> None:
    assert cache("clean", "--all", "--older-than", "30", "--yes").exit_code == 2
    assert len(filled.cached(8)) == 1


def test_unfinished_downloads_are_counted_before_and_after(filled: ProductCache) -> None:
    workshop = filled.incoming / "0123456789abcdef01234567"
    workshop.mkdir(parents=True)
    (workshop / ".x.part-1-01234567").write_bytes(b"h" * 3_000_000)
    assert "Would free 1 file, 3.0 MB." in cache("clean", "--quarantine", "--dry-run").output
    assert workshop.is_dir()
    assert "Freed 1 file, 3.0 MB." in cache("clean", "--quarantine", "--yes").output
    assert not workshop.exists()


def test_download_that_goes_on_is_not_counted(filled: ProductCache) -> None:
    workshop = filled.incoming / "0123456789abcdef01234567"
    workshop.mkdir(parents=True)
    (workshop / ".x.part-1-01234567").write_bytes(b"h" * 3_000_000)
    with filled._lock_named(workshop.name, workshop.name, 0):
        assert "Would free 0 files, 0.0 MB." in cache("clean", "--quarantine", "--dry-run").output


@pytest.mark.parametrize("words", [("--quarantine", "--yes"), ("--tic", "99"), ("--tic", "99", "--yes")])
def test_nothing_to_remove_is_said_in_these_words(filled: ProductCache, words: tuple[str, ...]) -> None:
    ran = cache("clean", *words)
    assert (ran.exit_code, ran.output) == (0, "Nothing to remove.\n")


def test_workspace_that_is_not_there_is_no_empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BTV_REPORT_CACHE_DIR", raising=False)
    for words in (("list",), ("clean", "--all", "--yes")):
        ran = cache(*words, "--workspace", str(tmp_path / "nowhere"))
        assert ran.exit_code == 2
        assert "There is no folder" in ran.output
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "new").mkdir()
    assert "which is not there yet" in cache("list", "--workspace", str(tmp_path / "new")).output


def test_help_promises_no_more_than_verify_does() -> None:
    assert "verified" not in cache("clean", "--help").output
