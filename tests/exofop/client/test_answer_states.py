"""What goes wrong on the wire ends in one state each, is asked again by the next run, and is never "there is nothing"."""

from __future__ import annotations

import gzip
import time
from typing import Any

import pytest
from tests.archive_fetch.conftest import FakeClock
from tests.doubles import exofop_pages as pages
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_toi_1262 import TIC_ID
from tests.doubles.scripted_server import Reply, Request
from tests.exofop.client.conftest import (
    LIMITS,
    OTHER,
    PLOT,
    TRES_2019,
    MakeClient,
    answer_of,
    asked_files,
    manifest_of,
)

from btv_report.answer_states import AnswerState
from btv_report.archive.limits import Limits
from btv_report.errors import ArchiveUnreachableError
from btv_report.exofop.asking.endpoints import SUMMARIES
from btv_report.exofop.client import ExoFopClient
from btv_report.exofop.types import ExoFopSelectors

NOTES = "download_obsnotes.php"
NO_FILES = ExoFopSelectors(max_files=0)
TABLES = [
    NOTES,
    "download_spect.php",
    "download_stellar.php",
    "download_filelist.php",
    "download_toi.php",
    "target.php",
]


def states(client: ExoFopClient, *, tic_id: int = TIC_ID, **options: Any) -> dict[str, AnswerState]:
    return dict(client.fetch(target=tic_id, selectors=NO_FILES, **options).answers)


@pytest.mark.parametrize("endpoint", TABLES)
def test_f004_zero_bytes_are_throttled_never_kept_and_asked_again(
    client: ExoFopClient, exofop: ExoFopDouble, endpoint: str
) -> None:
    exofop.play(endpoint, Reply(b""))
    result = client.fetch(target=TIC_ID, selectors=NO_FILES)
    assert result.answers[endpoint] is AnswerState.THROTTLED
    assert len(exofop.asked(endpoint)) == LIMITS.tries
    assert "sha256" not in answer_of(result, endpoint)
    assert any(endpoint in error and "THROTTLED" in error for error in result.errors)
    exofop.play(endpoint, exofop.answer)
    again = client.fetch(target=TIC_ID, selectors=NO_FILES)
    assert (again.answers[endpoint], again.errors) == (AnswerState.OK, [])


def test_f004_an_answer_between_two_empty_ones_is_taken(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    exofop.play(NOTES, Reply(b""), exofop.answer, Reply(b""))
    assert states(client)[NOTES] is AnswerState.OK
    assert len(exofop.asked(NOTES)) == 2


def test_f030_header_alone_is_empty_with_the_time_of_asking(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    result = client.fetch(target=OTHER, selectors=NO_FILES)
    answer = answer_of(result, NOTES)
    assert (answer["state"], answer["n_rows"], answer["n_rejected"]) == ("EMPTY", 0, 0)
    assert answer["bytes"] == len(b"ID,TIC ID,Username,Groupname,TAG ID,Lastmod,notes\r\n") == 51
    assert answer["asked_at"].endswith("Z")
    assert (result.errors, result.warnings) == ([], [])


PAGE = pages.page("<h1>Service is being maintained</h1>")


@pytest.mark.parametrize("endpoint", TABLES)
def test_f014_f035_web_page_in_place_of_an_answer_is_corrupt(
    client: ExoFopClient, exofop: ExoFopDouble, endpoint: str
) -> None:
    exofop.play(endpoint, Reply(b"<html><body>\x1b[31mPlease be patient\x00</body></html>"))
    result = client.fetch(target=TIC_ID, selectors=NO_FILES)
    assert result.answers[endpoint] is AnswerState.CORRUPT
    (error,) = [error for error in result.errors if error.startswith(endpoint)]
    assert "web page" in error
    assert "Please be patient" in error
    assert error.isprintable()
    assert "sha256" not in answer_of(result, endpoint)


@pytest.mark.parametrize("endpoint", TABLES)
@pytest.mark.parametrize("page", [pages.login_page(), pages.wrong_password()])
def test_f015_f065_login_page_in_place_of_an_answer_asks_for_a_login(
    client: ExoFopClient, exofop: ExoFopDouble, endpoint: str, page: bytes
) -> None:
    exofop.play(endpoint, Reply(page))
    result = client.fetch(target=TIC_ID, selectors=NO_FILES)
    gaps = {name: state for name, state in result.answers.items() if state.is_gap and name != "download_toi.php"}
    assert gaps.get(endpoint, result.answers[endpoint]) is AnswerState.AUTH_REQUIRED
    assert len(exofop.asked(endpoint)) == 1


STATUSES = {400: "REJECTED", 401: "AUTH_REQUIRED", 403: "AUTH_REQUIRED", 404: "UNREACHABLE", 410: "UNREACHABLE"}


@pytest.mark.parametrize("status", STATUSES)
def test_f024_refusal_is_asked_for_exactly_once_and_says_nothing_of_the_star(
    client: ExoFopClient, exofop: ExoFopDouble, status: int
) -> None:
    exofop.play(NOTES, Reply(PAGE, status))
    assert states(client)[NOTES] == STATUSES[status]
    assert len(exofop.asked(NOTES)) == 1
    exofop.play(NOTES, exofop.answer)
    assert states(client)[NOTES] is AnswerState.OK


def test_two_broken_scripts_and_two_broken_files_do_not_keep_the_others_from_coming(
    client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    for name in ("spect", "imaging"):
        exofop.play(f"download_{name}.php", Reply(status=500))
    broken = {str(PLOT), str(TRES_2019)}
    exofop.play(
        "get_file.php", lambda request: Reply(status=500) if request.query["id"] in broken else exofop.answer(request)
    )
    result = client.fetch(target=TIC_ID)
    assert result.answers["download_tseries.php"] is AnswerState.EMPTY
    assert len(result.files_downloaded) == 4
    assert len(result.errors) == 4


def test_f001_whole_service_with_faults_is_not_asked_on_and_on(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    exofop.server.play("GET", ".*", Reply(status=503))
    result = client.fetch(target=TIC_ID)
    assert len(exofop.server.requests) == 4 * LIMITS.tries
    assert set(result.answers.values()) == {AnswerState.UNREACHABLE}


@pytest.mark.parametrize("status", [429, 503])
def test_f002_service_that_says_it_is_asked_too_much_is_left_in_peace(
    client: ExoFopClient, exofop: ExoFopDouble, clock: FakeClock, status: int
) -> None:
    exofop.play("download_spect.php", Reply(status=status, headers={"Retry-After": "1"}))
    result = client.fetch(target=TIC_ID)
    assert exofop.asked()[-1].path.endswith("download_spect.php")
    later = ("download_imaging.php", NOTES, "download_toi.php")
    assert {result.answers[name] for name in later} == {AnswerState.THROTTLED}
    assert any("said before that it is asked too much" in error for error in result.errors)
    assert (result.files_downloaded, len(exofop.asked("download_files_zip.php"))) == ([], 0)
    exofop.play("download_spect.php", exofop.answer)
    assert client.fetch(target=TIC_ID).errors == []


def test_f024_scripts_that_are_gone_do_not_keep_the_others_from_being_asked(
    client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    for name in ("spect", "imaging", "tseries", "obsnotes"):
        exofop.play(f"download_{name}.php", Reply(status=404))
    result = client.fetch(target=TIC_ID)
    assert result.answers["download_stellar.php"] is AnswerState.OK
    assert len(result.files_downloaded) == 6
    assert len(result.errors) == 4


@pytest.mark.parametrize("status", [400, 401, 403])
def test_f024_refused_file_is_asked_for_exactly_once(client: ExoFopClient, exofop: ExoFopDouble, status: int) -> None:
    exofop.play("get_file.php", Reply(PAGE, status))
    client.fetch(target=TIC_ID, selectors=ExoFopSelectors(types={"Spectrum"}), include_summaries=False)
    assert len(asked_files(exofop)) == len(set(asked_files(exofop))) == 2


@pytest.mark.parametrize("n_faults", range(LIMITS.tries + 1))
@pytest.mark.parametrize("status", [500, 503, 504])
def test_f001_faults_of_the_server_are_asked_again_and_then_unreachable(
    client: ExoFopClient, exofop: ExoFopDouble, status: int, n_faults: int
) -> None:
    exofop.play(NOTES, *[Reply(PAGE, status)] * n_faults, exofop.answer)
    result = client.fetch(target=OTHER, selectors=NO_FILES)
    if n_faults < LIMITS.tries:
        assert result.answers[NOTES] is AnswerState.EMPTY
        return
    assert result.answers[NOTES] is AnswerState.UNREACHABLE
    assert f"the server says {status}" in result.errors[0]
    assert "asked 3 times" in result.errors[0]


@pytest.mark.parametrize(("wait", "n_asked"), [("0", 2), ("7", 2), ("-3", 2), ("soon", 2), ("999999", 1)])
def test_f002_too_many_requests_are_waited_for_within_the_cap(
    clock: FakeClock, client: ExoFopClient, exofop: ExoFopDouble, wait: str, n_asked: int
) -> None:
    exofop.play(NOTES, Reply(status=429, headers={"Retry-After": wait}), exofop.answer)
    state = states(client, tic_id=OTHER)[NOTES]
    assert state is (AnswerState.EMPTY if n_asked == 2 else AnswerState.THROTTLED)
    assert len(exofop.asked(NOTES)) == n_asked
    assert max(clock.waits, default=0.0) == pytest.approx(7.0 if wait == "7" else 0.0, abs=0.01)


def test_f005_silence_of_one_service_leaves_the_others(make_client: MakeClient, exofop: ExoFopDouble) -> None:
    limits = Limits(read_timeout_s=0.2, backoff_s=0.001, tries=2)
    exofop.play(NOTES, Reply(silent=True))
    began = time.monotonic()
    result = make_client(limits=limits).fetch(target=TIC_ID)
    assert time.monotonic() - began < 8
    assert result.answers[NOTES] is AnswerState.UNREACHABLE
    assert {state for name, state in result.answers.items() if name != NOTES} == {AnswerState.OK, AnswerState.EMPTY}
    assert len(result.files_downloaded) == 6
    assert len(result.errors) == 1


def test_f003_nobody_is_asked_on_and_on_when_nobody_answers(make_client: MakeClient, exofop: ExoFopDouble) -> None:
    exofop.play(".*", Reply(silent=True))
    exofop.server.play("GET", ".*", Reply(silent=True))
    began = time.monotonic()
    result = make_client(limits=Limits(read_timeout_s=0.1, backoff_s=0.001, tries=2)).fetch(target=TIC_ID)
    assert time.monotonic() - began < 5
    assert set(result.answers.values()) == {AnswerState.UNREACHABLE}
    assert len(result.answers) >= 3 + len(SUMMARIES) - 1
    assert len(exofop.server.requests) <= 3 * 2
    assert all("UNREACHABLE" in error for error in result.errors)


def test_f006_bytes_that_drip_are_given_up(make_client: MakeClient, exofop: ExoFopDouble) -> None:
    limits = Limits(read_timeout_s=1.0, backoff_s=0.001, tries=1, table_deadline_s=0.5)
    exofop.play(NOTES, lambda request: Reply(exofop.answer(request).body, piece=1, pause_s=0.05))
    began = time.monotonic()
    assert states(make_client(limits=limits))[NOTES] is AnswerState.UNREACHABLE
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("reset", [True, False])
def test_f007_f008_answer_that_breaks_off_is_unreachable(
    client: ExoFopClient, exofop: ExoFopDouble, reset: bool
) -> None:
    exofop.play(NOTES, lambda request: Reply(exofop.answer(request).body, cut_after=60, reset=reset))
    result = client.fetch(target=TIC_ID, selectors=NO_FILES)
    assert result.answers[NOTES] is AnswerState.UNREACHABLE
    assert len(exofop.asked(NOTES)) == LIMITS.tries
    assert not (result.cache_root / "summaries/obsnotes.csv").exists()


@pytest.mark.parametrize("endpoint", ["download_filelist.php", NOTES, "download_stellar.php", "download_toi.php"])
def test_f009_table_without_a_stated_end_is_corrupt_even_if_it_is_whole(
    client: ExoFopClient, exofop: ExoFopDouble, endpoint: str
) -> None:
    exofop.play(endpoint, lambda request: Reply(exofop.answer(request).body, length=False))
    result = client.fetch(target=TIC_ID, selectors=NO_FILES)
    assert result.answers[endpoint] is AnswerState.CORRUPT
    assert any(endpoint in error and "where its answer ends" in error for error in result.errors)


def test_f009_page_of_the_star_without_a_stated_end_proves_its_own(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    exofop.play("target.php", lambda request: Reply(exofop.answer(request).body, length=False))
    assert states(client)["target.php"] is AnswerState.OK
    exofop.play("target.php", lambda request: Reply(exofop.answer(request).body[:-1], length=False))
    assert states(client, force_refresh=True)["target.php"] is AnswerState.STALE


def test_table_in_chunks_is_taken(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    exofop.play(NOTES, lambda request: Reply(exofop.answer(request).body, chunked=True, piece=7))
    assert states(client)[NOTES] is AnswerState.OK


def test_f016_answer_that_is_sent_on_and_on_is_rejected(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    exofop.play(NOTES, Reply(status=302, headers={"Location": f"/tess/{NOTES}"}))
    assert states(client)[NOTES] is AnswerState.REJECTED


def test_f021_host_that_does_not_answer_is_unreachable_and_nothing_is_said_to_be_empty(
    make_client: MakeClient,
) -> None:
    result = make_client(base_url="http://127.0.0.1:9").fetch(target=TIC_ID)
    assert set(result.answers.values()) == {AnswerState.UNREACHABLE}
    assert manifest_of(result)["files"] == []
    with pytest.raises(ArchiveUnreachableError, match="TOI-1262"):
        make_client(base_url="http://127.0.0.1:9").resolve_target("TOI-1262")


def test_f018_answer_that_unpacks_into_far_too_much_is_rejected(make_client: MakeClient, exofop: ExoFopDouble) -> None:
    limits = Limits(table_bytes=20_000, tries=2, backoff_s=0.001)
    bomb = gzip.compress(bytes(10_000_000))
    assert len(bomb) < limits.table_bytes
    exofop.play(NOTES, Reply(bomb, headers={"Content-Encoding": "gzip"}))
    assert states(make_client(limits=limits))[NOTES] is AnswerState.REJECTED


def test_f019_compressed_answer_that_is_cut_is_corrupt(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    def cut(request: Request) -> Reply:
        return Reply(
            gzip.compress(exofop.answer(request).body)[:-9], headers={"Content-Encoding": "gzip"}, length=False
        )

    exofop.play(NOTES, cut)
    assert states(client)[NOTES] is AnswerState.CORRUPT
    exofop.play(
        NOTES, lambda request: Reply(gzip.compress(exofop.answer(request).body), headers={"Content-Encoding": "gzip"})
    )
    assert states(client)[NOTES] is AnswerState.OK


@pytest.mark.parametrize("body", [b'{"error": "ORA-00942: table or view does not exist"}', b"[]", b'"text"', b"null"])
def test_f026_error_of_the_servers_own_in_json_is_no_star(
    client: ExoFopClient, exofop: ExoFopDouble, body: bytes
) -> None:
    exofop.play("target.php", Reply(body))
    assert states(client)["target.php"] is AnswerState.CORRUPT


def test_f027_table_that_takes_longer_than_the_time_between_two_pieces_is_waited_for(
    make_client: MakeClient, exofop: ExoFopDouble
) -> None:
    limits = Limits(read_timeout_s=0.3, tries=1)
    exofop.play(NOTES, lambda request: Reply(exofop.answer(request).body, piece=40, pause_s=0.06))
    began = time.monotonic()
    assert states(make_client(limits=limits))[NOTES] is AnswerState.OK
    assert time.monotonic() - began > 0.3
