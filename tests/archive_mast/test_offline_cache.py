"""What the cache holds serves offline, whatever became of the answers that led to it; and it says whose bytes they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.doubles.command import Run, run_command
from tests.doubles.mast_double import MastDouble
from tests.doubles.nine_sectors import TIC_ID, Holdings, fill

from btv_report.archive.product_cache import ProductCache

NARROW = ("--sector", "14", "--sector", "48")


def used(answer: dict[str, Any]) -> set[tuple[str, int, str]]:
    return {(item["kind"], item["sector"], item["pipeline"]) for item in answer["products"] if item["used"]}


def lose_answers(folder: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    cache = folder / "workspace" / ".btv-report" / "cache"
    if how == "other host":
        monkeypatch.setenv("BTV_REPORT_MAST_URL", "https://mirror.example")
        return
    for path in (cache / "answers").rglob("*.json"):
        if how == "damaged":
            path.write_bytes(b"{")
        elif how == "removed" or "tic-entry" in path.name:
            path.unlink()


@pytest.mark.parametrize("how", ["removed", "damaged", "other host", "no TIC entry"])
def test_f159_described_products_serve_offline_without_their_answers(
    report: Run, archive: MastDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    first = report(str(TIC_ID), *NARROW, "--json")
    lose_answers(tmp_path, monkeypatch, how)
    before = archive.n_connections
    ran = report(str(TIC_ID), *NARROW, "--offline", "--json")
    assert (ran.code, archive.n_connections) == (0, before)
    assert used(ran.answer) == used(first.answer)


def test_f001_described_products_serve_while_the_archive_is_down(
    report: Run, archive: MastDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.doubles.scripted_server import Reply

    first = report(str(TIC_ID), *NARROW, "--json")
    lose_answers(tmp_path, monkeypatch, "removed")
    archive.server.play("*", ".*", Reply(status=503))
    ran = report(str(TIC_ID), *NARROW, "--json")
    assert (ran.code, used(ran.answer)) == (3, used(first.answer))


def test_f159_cleaning_leaves_the_answers_about_what_runs_cite(
    report: Run, archive: MastDouble, tmp_path: Path
) -> None:
    report("pi Men", "--sector", "14")
    ran = run_command("cache", "clean", "--all", "--yes", workspace=tmp_path / "workspace")
    assert ran.code == 0
    assert ran.stderr.count(f"answers/tic_{TIC_ID} stays") == 1
    offline = report("PI  men", "--sector", "20", "--offline")
    assert offline.code == 4
    assert "not in the cache" in offline.stderr  # it is known that the archive has it
    assert report("PI  men", "--sector", "14", "--offline").code == 0
    run_command("cache", "clean", "--all", "--include-cited", "--yes", workspace=tmp_path / "workspace")
    gone = report(str(TIC_ID), "--offline")
    assert gone.code == 4
    assert "the cache holds nothing of it" in gone.stderr


def test_old_word_that_the_archive_has_nothing_is_told_offline(report: Run) -> None:
    report("12345")
    ran = report("12345", "--offline")
    assert ran.code == 4
    assert "the archive holds nothing of it" in ran.stderr
    assert "nowhere to look" not in ran.stderr


def test_record_and_page_name_the_host_that_gave_the_bytes(
    report: Run, archive: MastDouble, nine_sectors: Holdings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(str(TIC_ID), "--sector", "14", "--pipeline", "SPOC")
    host = archive.url.removeprefix("http://")
    with MastDouble() as other:
        fill(other, nine_sectors)
        monkeypatch.setenv("BTV_REPORT_MAST_URL", other.url)
        ran = report(str(TIC_ID), "--sector", "14", "--pipeline", "SPOC", "--json")
        assert other.fetched() == []
    workspace = tmp_path / "workspace"
    record = json.loads((workspace / "runs" / str(TIC_ID) / f"{ran.answer['run_id']}.json").read_bytes())
    retrieved = {item["retrieved"] for item in record["products"] if item["used"]}
    assert all(text.endswith(f"Z, from {host}") for text in retrieved)
    assert f"from {host}" in (workspace / ran.answer["page"]).read_text(encoding="utf-8")


def test_description_without_a_host_is_still_believed(report: Run, archive: MastDouble, tmp_path: Path) -> None:
    report(str(TIC_ID), "--sector", "14", "--pipeline", "SPOC")
    cache = ProductCache(tmp_path / "workspace" / ".btv-report" / "cache")
    for found in cache.cached(TIC_ID):
        assert found.host == archive.url.removeprefix("http://")
        description = found.path.with_name(f"{found.path.name}.json")
        words = json.loads(description.read_bytes())
        del words["host"]
        description.write_text(json.dumps(words), encoding="utf-8")
    before = archive.n_connections
    assert report(str(TIC_ID), "--sector", "14", "--pipeline", "SPOC").code == 0
    assert archive.n_connections == before
    assert {found.host for found in cache.cached(TIC_ID)} == {None}
