"""An archive of which a part, or all, does not answer: how long it is asked, and what is used instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.doubles.command import Run
from tests.doubles.mast_double import MastDouble, _question
from tests.doubles.nine_sectors import TIC_ID
from tests.doubles.scripted_server import Reply, Request

from btv_report import ArchiveUnreachableError, MASTClient
from btv_report.answer_states import AnswerState
from btv_report.archive.limits import Limits
from btv_report.archive.mast_archive import MastArchive
from btv_report.archive.silence import Silence
from btv_report.errors import TargetNotFoundError

DOWNLOAD = r"/api/v0\.1/Download/file"
DOWN = Reply(status=503)
THROTTLED = Reply(status=429, headers={"Retry-After": "3600"})
NARROW = ("--sector", "14", "--pipeline", "SPOC")


def answers(folder: Path) -> dict[str, str]:
    newest = max((folder / "workspace" / "runs" / str(TIC_ID)).glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    return {item["endpoint"]: item["state"] for item in json.loads(newest.read_bytes())["answers"]}


def test_two_services_in_a_row_or_a_word_of_the_host_are_silence_and_any_answer_ends_it() -> None:
    silence = Silence()
    silence.note("a", AnswerState.UNREACHABLE)
    silence.note("a", AnswerState.UNREACHABLE)
    assert not silence.is_over_all
    silence.note("b", AnswerState.CORRUPT)
    silence.note("b", AnswerState.UNREACHABLE)
    assert not silence.is_over_all
    silence.note("c", AnswerState.UNREACHABLE)
    assert silence.is_over_all
    silence.note("c", AnswerState.NOT_FOUND)
    assert not silence.is_over_all
    silence.note("c", AnswerState.THROTTLED)
    assert silence.is_over_all


@pytest.mark.parametrize("reply", [DOWN, THROTTLED])
def test_f001_refresh_while_the_archive_is_down_uses_what_is_kept_and_says_so(
    report: Run, archive: MastDouble, tmp_path: Path, reply: Reply
) -> None:
    report(str(TIC_ID), *NARROW)
    archive.server.play("*", ".*", reply)
    ran = report(str(TIC_ID), *NARROW, "--refresh", "--json")
    assert (ran.code, ran.answer["status"]) == (3, "gaps")
    assert {item["kind"] for item in ran.answer["products"] if item["used"]} == {"light_curve", "target_pixel_file"}
    states = answers(tmp_path)
    assert {states[name] for name in ("TIC entry", "light curves and pixel files", "stars around it", "files")} == {
        "STALE"
    }


def test_f001_client_that_is_to_ask_again_does_not_pass_an_old_answer_off_as_a_new_one(
    archive: MastDouble, tmp_path: Path
) -> None:
    MASTClient(cache_dir=tmp_path, base_url=archive.url).search_lightcurve(TIC_ID)
    archive.server.play("*", ".*", Reply(status=404))
    client = MASTClient(cache_dir=tmp_path, base_url=archive.url, refresh=True)
    with pytest.raises(ArchiveUnreachableError):
        client.search_lightcurve(TIC_ID)


def test_f001_old_word_that_there_is_no_such_star_is_no_answer_of_an_archive_that_is_down(
    archive: MastDouble, tmp_path: Path
) -> None:
    with pytest.raises(TargetNotFoundError):
        MastArchive(tmp_path, base_url=archive.url).star(5)
    archive.server.play("*", ".*", DOWN)
    with pytest.raises(ArchiveUnreachableError):
        MastArchive(tmp_path, base_url=archive.url, refresh=True, limits=Limits(backoff_s=0.001)).star(5)


def test_f001_catalogue_that_is_down_does_not_keep_the_products_away(
    report: Run, archive: MastDouble, tmp_path: Path
) -> None:
    def invoke(request: Request) -> Reply:
        return DOWN if "Tic.Rows" in _question(request)["service"] else archive._invoke(request)

    archive.server.play("POST", r"/api/v0/invoke", invoke)
    ran = report(str(TIC_ID), *NARROW, "--json")
    assert (ran.code, ran.answer["status"]) == (3, "gaps")
    assert {item["kind"] for item in ran.answer["products"] if item["used"]} == {"light_curve", "target_pixel_file"}
    states = answers(tmp_path)
    assert (states["TIC entry"], states["light curves and pixel files"]) == ("UNREACHABLE", "OK")
    assert states["stars around it"] == "OK"  # the files say where the star is


def test_f001_host_that_is_down_is_asked_by_two_services_and_no_more(report: Run, archive: MastDouble) -> None:
    archive.server.play("*", ".*", DOWN)
    assert report(str(TIC_ID), *NARROW).code == 4
    services = {request.path if request.path != "/api/v0/invoke" else "invoke" for request in archive.server.requests}
    assert len(archive.server.requests) <= 2 * Limits().tries
    assert not any("tesscut" in service for service in services)


def test_f004_archive_that_is_asked_too_much_is_left_in_peace(report: Run, archive: MastDouble) -> None:
    archive.server.play("GET", DOWNLOAD, THROTTLED)
    ran = report(str(TIC_ID), "--sector", "14", "--sector", "20", "--pipeline", "SPOC", "--json")
    assert ran.code == 4
    assert len(archive.fetched()) == 1
    missing = [item for item in ran.answer["products"] if item["state"] == "THROTTLED"]
    assert len(missing) == 4
    assert ran.stderr.count("the archive said before that it is asked too much") == 1


def test_f001_files_that_do_not_come_twice_in_a_row_are_not_asked_for_further(report: Run, archive: MastDouble) -> None:
    archive.server.play("GET", DOWNLOAD, DOWN)
    ran = report(str(TIC_ID), "--sector", "14", "--sector", "20", "--sector", "21", "--sector", "48", "--json")
    assert ran.code == 4
    assert len(set(archive.fetched())) == 2
    assert archive.server.asked(r"/tesscut/api/v0\.1/astrocut") == []
    assert "the archive gave none of those before" in ran.stderr


def test_f001_kept_files_stay_in_use_when_the_rest_is_held_back(report: Run, archive: MastDouble) -> None:
    report(str(TIC_ID), "--sector", "14", "--sector", "20", "--pipeline", "SPOC")
    archive.server.play("GET", DOWNLOAD, THROTTLED)
    ran = report(str(TIC_ID), "--sector", "14", "--sector", "20", "--pipeline", "SPOC", "--refresh", "--json")
    assert ran.code == 3
    assert sum(item["used"] for item in ran.answer["products"]) == 4
    (held,) = [warning for warning in ran.answer["warnings"] if "not asked for" in warning]
    assert "3 more files were not asked for" in held
    assert "Of 3 of them the copy kept from an earlier run is used." in held
