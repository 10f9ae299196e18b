"""A refresh that fails is never worse than not asking: what was known stays, and is called old."""

from __future__ import annotations

from typing import Any

import pytest
from tests.doubles import exofop_pages as pages
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_toi_1262 import TIC_ID
from tests.doubles.scripted_server import Reply
from tests.exofop.client.conftest import (
    MakeClient,
    answer_of,
    manifest_of,
    tree,
)

from btv_report.answer_states import AnswerState
from btv_report.exofop.client import ExoFopClient
from btv_report.exofop.types import ExoFopSelectors

NOTES = "download_obsnotes.php"
NO_FILES = ExoFopSelectors(max_files=0)
PAGE = pages.page("<h1>Service is being maintained</h1>")


def states(client: ExoFopClient, **options: Any) -> dict[str, AnswerState]:
    return dict(client.fetch(target=TIC_ID, selectors=NO_FILES, **options).answers)


FAULTS = {
    "throttled": Reply(b""),
    "unreachable": Reply(status=503),
    "web page": Reply(PAGE),
    "login page": Reply(pages.login_page()),
    "gone": Reply(status=404),
    "header alone": Reply(b"ID,TIC ID,Username,Groupname,TAG ID,Lastmod,notes\r\n"),
    "cut": Reply(b"ID,TIC ID,User", length=False),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_failed_refresh_gives_a_stale_answer_and_keeps_the_old_bytes(
    client: ExoFopClient, make_client: MakeClient, exofop: ExoFopDouble, fault: str
) -> None:
    first = client.fetch(target=TIC_ID, selectors=NO_FILES)
    path = first.cache_root / "summaries/obsnotes.csv"
    old, before = path.read_bytes(), answer_of(first, NOTES)
    exofop.play(NOTES, FAULTS[fault])
    result = client.fetch(target=TIC_ID, selectors=NO_FILES, force_refresh=True)
    answer = answer_of(result, NOTES)
    assert result.answers[NOTES] is AnswerState.STALE
    assert path.read_bytes() == old
    assert (answer["sha256"], answer["n_rows"], answer["answered_at"]) == (before["sha256"], 3, before["asked_at"])
    assert any(NOTES in error and "is kept" in error for error in result.errors)
    # What is old is asked again by the next run, and stays what it is while nobody answers.
    n_asked = len(exofop.asked(NOTES))
    assert states(client)[NOTES] is AnswerState.STALE
    assert len(exofop.asked(NOTES)) > n_asked
    assert states(make_client(offline=True))[NOTES] is AnswerState.STALE
    exofop.play(NOTES, exofop.answer)
    assert states(client)[NOTES] is AnswerState.OK


def test_whole_service_that_went_down_makes_everything_stale_and_nothing_empty(
    client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    first = client.fetch(target=TIC_ID)
    files = {name: content for name, (content, _) in tree(first.cache_root).items() if name != "manifest.json"}
    exofop.server.play("GET", ".*", Reply(b""))
    result = client.fetch(target=TIC_ID, force_refresh=True)
    assert set(result.answers.values()) == {AnswerState.STALE}
    assert result.files_downloaded == first.files_downloaded
    assert {entry["state"] for entry in manifest_of(result)["files"]} == {"STALE"}
    assert {name: content for name, (content, _) in tree(first.cache_root).items() if name != "manifest.json"} == files
