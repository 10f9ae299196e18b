"""A table that had rows and has none now: doubted for a day, believed where a second witness agrees, and nothing is lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_tables import TABLES, render
from tests.doubles.exofop_toi_1262 import TIC_ID
from tests.doubles.scripted_server import Reply
from tests.exofop.client.conftest import MakeClient, answer_of, entries_of

from btv_report.answer_states import AnswerState
from btv_report.exofop.asking.endpoints import SUMMARIES
from btv_report.exofop.client import ExoFopClient
from btv_report.exofop.types import ExoFopFetchResult, ExoFopSelectors
from btv_report.utc import utc_text

LIST, NOTES, SPECT, TOI, PAGE = (
    "download_filelist.php", "download_obsnotes.php", "download_spect.php", "download_toi.php", "target.php",
)  # fmt: skip
NO_FILES = ExoFopSelectors(max_files=0)
LONG_AGO = "2020-01-01T00:00:00Z"


def hours_ago(hours: float) -> str:
    return utc_text(datetime.now(UTC) - timedelta(hours=hours))


def fetch(client: ExoFopClient, *, refresh: bool = False) -> ExoFopFetchResult:
    return client.fetch(target=TIC_ID, selectors=NO_FILES, force_refresh=refresh)


def set_times(result: ExoFopFetchResult, endpoint: str, **times: str) -> None:
    """Let an answer of the manifest be of other times."""
    content = json.loads(result.manifest_path.read_bytes())
    content["answers"][endpoint] |= times
    result.manifest_path.write_text(json.dumps(content))


def emptied(client: ExoFopClient, exofop: ExoFopDouble, endpoint: str, *, hours: float = 25) -> ExoFopFetchResult:
    """Rows of long ago, a refresh by which the table has none, and so many hours since."""
    set_times(fetch(client), endpoint, asked_at=LONG_AGO)
    table = next((item.table for item in SUMMARIES if item.name == endpoint), "toi")
    if endpoint == LIST:
        exofop.stars[TIC_ID].files.clear()
    else:
        exofop.stars[TIC_ID].tables.pop(table)
    result = fetch(client, refresh=True)
    if result.answers[endpoint] is AnswerState.STALE:
        set_times(result, endpoint, empty_since=hours_ago(hours))
    return result


@pytest.mark.parametrize("endpoint", [LIST, SPECT])
def test_f030_table_that_stays_empty_for_a_day_is_empty_where_the_page_agrees(
    client: ExoFopClient, exofop: ExoFopDouble, endpoint: str
) -> None:
    first = emptied(client, exofop, endpoint)
    assert first.answers[endpoint] is AnswerState.STALE
    assert answer_of(first, endpoint)["answered_at"] == LONG_AGO
    assert any("believed once it has lasted a day" in error for error in first.errors)
    result = fetch(client)
    answer = answer_of(result, endpoint)
    assert (answer["state"], answer["n_rows"], result.errors) == ("EMPTY", 0, [])
    assert {"empty_since", "last_state", "answered_at"}.isdisjoint(answer)
    (older,) = answer["superseded"]
    assert (result.cache_root / older["path"]).stat().st_size > 200
    assert fetch(client).n_connections == 0


def test_f030_files_of_a_list_that_is_empty_stay_in_the_cache_and_are_not_listed(
    client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    files = client.fetch(target=TIC_ID).files_downloaded
    emptied(client, exofop, LIST)
    result = fetch(client)
    assert (result.n_listed, result.errors) == (0, [])
    assert len(files) == 6
    assert all(path.is_file() for path in files)
    assert {entry["listed"] for entry in entries_of(result).values()} == {False}
    assert client.list_files(tic_id=TIC_ID).state is AnswerState.EMPTY


def test_table_that_was_empty_for_less_than_a_day_is_doubted(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    emptied(client, exofop, SPECT, hours=23)
    result = fetch(client)
    assert result.answers[SPECT] is AnswerState.STALE
    assert answer_of(result, SPECT)["empty_since"] < hours_ago(22)  # the day is not begun anew


def test_another_answer_in_between_begins_the_day_anew(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    emptied(client, exofop, SPECT)
    exofop.play(SPECT, Reply(b""))
    assert "empty_since" not in answer_of(fetch(client), SPECT)
    exofop.play(SPECT, exofop.answer)
    assert fetch(client).answers[SPECT] is AnswerState.STALE


def test_table_is_doubted_while_the_page_counts_rows(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    set_times(fetch(client), SPECT, asked_at=LONG_AGO)
    exofop.play(SPECT, Reply(render(TABLES["spect"].columns, [], "csv")))
    set_times(fetch(client, refresh=True), SPECT, empty_since=LONG_AGO)
    assert fetch(client, refresh=True).answers[SPECT] is AnswerState.STALE


def test_page_that_is_older_than_the_rows_is_no_witness(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    result = emptied(client, exofop, SPECT)
    set_times(result, PAGE, asked_at="2019-01-01T00:00:00Z")
    assert fetch(client).answers[SPECT] is AnswerState.STALE


@pytest.mark.parametrize("sentinel_has_notes", [True, False])
def test_notes_of_which_the_page_has_no_list_are_gone_where_another_star_still_has_some(
    client: ExoFopClient, exofop: ExoFopDouble, sentinel_has_notes: bool
) -> None:
    exofop.add_target(68646526, notes=["4 RV epochs"] if sentinel_has_notes else [])
    emptied(client, exofop, NOTES)
    assert [request.query["tid"] for request in exofop.asked(NOTES)] == [str(TIC_ID)] * 2
    result = fetch(client)
    assert result.answers[NOTES] is (AnswerState.EMPTY if sentinel_has_notes else AnswerState.STALE)
    assert exofop.asked(NOTES)[-1].query["tid"] == "68646526"


def test_uploads_of_the_star_that_would_be_the_witness_are_doubted(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    name = "download_uploads.php"
    set_times(fetch(client), name, asked_at=LONG_AGO)
    exofop.play(name, Reply(render(TABLES["uploads"].columns, [], "csv")))
    set_times(fetch(client, refresh=True), name, empty_since=LONG_AGO)
    n_asked = len(exofop.asked(name))
    assert fetch(client).answers[name] is AnswerState.STALE
    assert len(exofop.asked(name)) == n_asked + 1


def test_f062_announced_objects_are_never_taken_for_gone(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    set_times(fetch(client), TOI, asked_at=LONG_AGO)
    exofop.play(TOI, Reply(render(TABLES["toi"].columns, [], "csv")))
    set_times(fetch(client, refresh=True), TOI, empty_since=LONG_AGO)
    assert fetch(client).answers[TOI] is AnswerState.STALE


def test_f044_star_whose_page_was_had_does_not_cease_to_exist(
    client: ExoFopClient, make_client: MakeClient, exofop: ExoFopDouble
) -> None:
    first = fetch(client)
    exofop.play(PAGE, Reply(b"No TIC object found"))
    result = fetch(client, refresh=True)
    assert result.answers[PAGE] is AnswerState.STALE
    assert any("ExoFOP knows no such star" in error for error in result.errors)
    assert (result.n_listed, result.target) == (6, first.target)
    assert make_client(offline=True).list_files(tic_id=TIC_ID).state is AnswerState.OK
