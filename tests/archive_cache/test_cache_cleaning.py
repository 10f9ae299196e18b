"""What a cleaning takes and what it leaves, beyond the products themselves."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner
from tests.archive_cache.conftest import CountingFetch, product

from btv_report.answer_states import AnswerState
from btv_report.archive.answer_cache import Answer, AnswerCache
from btv_report.archive.cache_cleaning import plan_cleaning, remove
from btv_report.archive.cache_listing import list_cache
from btv_report.archive.product_cache import ProductCache
from btv_report.cli.main import cli
from btv_report.errors import IntegrityError, UsageError

RUN = "20261126T100000Z-12345678"


def test_superseded_bytes_go_with_their_target_unless_a_run_cites_them(
    cache: ProductCache, fetch: CountingFetch
) -> None:
    old = cache.get_or_fetch(product(), fetch)
    cache.get_or_fetch(product(), CountingFetch(b"second"), refresh=True)
    cache.get_or_fetch(product(), CountingFetch(b"third"), refresh=True)
    cache.pin_run(RUN, Path("/somewhere"), [old.sha256])
    assert [entry.cited_by for entry in list_cache(cache).superseded if entry.cited_by] == [(RUN,)]
    remove(plan_cleaning(cache, tic_ids=[7]))
    (kept,) = list_cache(cache).superseded
    assert (kept.product.sha256, cache.cached(7)) == (old.sha256, ())


def test_f159_quarantined_bytes_that_a_run_cites_stay(cache: ProductCache, fetch: CountingFetch) -> None:
    found = cache.get_or_fetch(product(), fetch)
    cache.pin_run(RUN, Path("/somewhere"), [found.sha256])
    found.path.with_name(f"{found.path.name}.json").unlink()
    cache.get_or_fetch(product(), CountingFetch(b"reprocessed"))
    (aside,) = cache.quarantine.iterdir()
    (cache.quarantine / "odd-link").symlink_to(aside)
    plan = plan_cleaning(cache, quarantine=True)
    assert (plan.kept_others, plan.files) == ({aside: (RUN,)}, (cache.quarantine / "odd-link",))
    remove(plan)
    assert list(cache.quarantine.iterdir()) == [aside]
    remove(plan_cleaning(cache, quarantine=True, include_cited=True))
    assert list(cache.quarantine.iterdir()) == []


def test_all_leaves_no_file_but_locks(cache: ProductCache, fetch: CountingFetch) -> None:
    path = cache.get_or_fetch(product(), fetch).path
    cache.get_or_fetch(product(), CountingFetch(b"second"), refresh=True)
    path.with_name("stray.fits").write_bytes(b"x")
    path.with_name("gone.fits.json").write_bytes(b"{}")
    (cache.incoming / "0123456789abcdef01234567").mkdir(parents=True)
    (cache.incoming / "0123456789abcdef01234567" / ".x.part-1-01234567").write_bytes(b"half")
    AnswerCache(cache.folder, "https://a.example").put(
        7, "TIC entry", Answer(AnswerState.OK, "2026-01-01T00:00:00Z", 1)
    )
    removed = remove(plan_cleaning(cache, everything=True))
    assert removed.busy == ()
    left = [item.relative_to(cache.folder) for item in cache.folder.rglob("*") if item.is_file()]
    assert {item.parts[0] for item in left} == {"locks"}
    assert list(cache.products.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"run_id": "x", "sha256": "ab"}', b"\x80\x04K\x01."])
def test_f159_nothing_is_cleaned_while_a_note_of_what_runs_cite_cannot_be_read(
    cache: ProductCache, fetch: CountingFetch, content: bytes
) -> None:
    found = cache.get_or_fetch(product(), fetch)
    cache.pin_run(RUN, Path("/somewhere"), [found.sha256])
    note = cache.pins / f"{RUN}.json"
    note.write_bytes(content)
    assert list_cache(cache).damaged_pins == (note,)
    with pytest.raises(IntegrityError, match=RUN):
        plan_cleaning(cache, everything=True)
    remove(plan_cleaning(cache, everything=True, include_cited=True))
    assert cache.cached(7) == ()


@pytest.mark.parametrize(
    ("fetched", "server", "is_old"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00Z", True),
        (datetime(2026, 11, 20, tzinfo=UTC), None, False),
        (datetime(1970, 1, 1, tzinfo=UTC), "2026-11-20T00:00:00Z", False),  # our clock had been set back
        (datetime(2100, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00Z", True),  # our clock had run ahead
        (datetime(2100, 1, 1, tzinfo=UTC), None, False),  # nobody knows: it counts as new
        (datetime(2026, 11, 20, tzinfo=UTC), "no date", False),
    ],
)
def test_f157_age_is_told_by_clocks_that_can_be_right(
    tmp_path: Path, fetched: datetime, server: str | None, is_old: bool
) -> None:
    cache = ProductCache(tmp_path / "cache", clock=lambda: fetched)
    cache.get_or_fetch(product(), CountingFetch(server_date=server))
    now = datetime(2026, 11, 26, tzinfo=UTC)
    assert bool(plan_cleaning(cache, older_than_days=30, now=now).files) is is_old


@pytest.mark.parametrize("days", [float("nan"), -1.0])
def test_age_that_is_none_is_a_usage_error(cache: ProductCache, days: float) -> None:
    with pytest.raises(UsageError, match="no age"):
        plan_cleaning(cache, older_than_days=days)


@pytest.fixture
def command(cache: ProductCache, fetch: CountingFetch, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("BTV_REPORT_CACHE_DIR", str(cache.folder))
    cache.get_or_fetch(product(), fetch)
    return CliRunner()


@pytest.mark.parametrize("days", ["nan", "inf", "1e300"])
def test_senseless_age_on_the_command_line_is_no_bug(command: CliRunner, days: str) -> None:
    ran = command.invoke(cli, ["cache", "clean", "--older-than", days, "--dry-run"])
    assert ran.exit_code == (2 if days == "nan" else 0)
    assert "bug" not in ran.output


def test_f141_question_that_is_interrupted_removes_nothing(
    command: CliRunner, cache: ProductCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> bool:
        raise click.Abort

    monkeypatch.setattr(click, "confirm", interrupt)
    monkeypatch.setattr("btv_report.cli.cache.sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    assert command.invoke(cli, ["cache", "clean", "--all"]).exit_code == 130
    assert len(cache.cached(7)) == 1


def test_damaged_note_is_listed_and_stops_the_command_with_the_code_of_damage(
    command: CliRunner, cache: ProductCache
) -> None:
    cache.pins.mkdir(mode=0o700)
    (cache.pins / "run.json").write_bytes(b"")
    assert "Damaged: pins/run.json" in command.invoke(cli, ["cache", "list"]).output
    assert json.loads(command.invoke(cli, ["cache", "list", "--json"]).output)["damaged_pins"] == ["run.json"]
    ran = command.invoke(cli, ["cache", "clean", "--all", "--yes"])
    assert (ran.exit_code, len(cache.cached(7))) == (5, 1)
    assert "--include-cited" in ran.output


def test_answers_about_what_runs_cite_stay(cache: ProductCache, fetch: CountingFetch) -> None:
    one = cache.get_or_fetch(product(), fetch)
    cache.get_or_fetch(product(2, tic_id=8), CountingFetch(b"other"))
    cache.pin_run(RUN, Path("/somewhere"), [one.sha256])
    answers = AnswerCache(cache.folder, "https://a.example")
    for tic_id in (7, 8):
        answers.put(tic_id, "TIC entry", Answer(AnswerState.OK, "2026-01-01T00:00:00Z", 1))
        answers.put(None, f"name of {tic_id}", Answer(AnswerState.OK, "2026-01-01T00:00:00Z", {"tic_id": tic_id}))
    answers.put(None, "unknown", Answer(AnswerState.NOT_FOUND, "2026-01-01T00:00:00Z", None))
    plan = plan_cleaning(cache, everything=True)
    remove(plan)
    left = {path.relative_to(cache.folder / "answers").parts[0] for path in cache.folder.rglob("answers/*/*.json")}
    assert left == {"tic_7", "names"}
    assert answers.get(7, "TIC entry") is not None
    assert answers.get(None, "name of 7") is not None
    assert answers.get(None, "name of 8") is None
    assert set(plan.kept_others.values()) == {(RUN,)}
    remove(plan_cleaning(cache, tic_ids=[7], include_cited=True))
    assert answers.get(7, "TIC entry") is None
