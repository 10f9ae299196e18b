"""Files that one run did not get and the next one may: nothing is final that nobody said, and no limit begins anew."""

from __future__ import annotations

from dataclasses import replace

from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_kit import zip_of
from tests.doubles.exofop_toi_1262 import TIC_ID
from tests.doubles.scripted_server import Reply
from tests.exofop.client.conftest import LIMITS, OTHER, MakeClient, asked_files, entries_of

from btv_report.exofop.client import ExoFopClient
from btv_report.exofop.outcome import status_of

ZIP = "download_files_zip.php"


def test_script_that_is_not_there_says_nothing_of_the_files(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    exofop.play("get_file.php", Reply(status=404))
    exofop.play(ZIP, Reply(status=404))
    result = client.fetch(target=TIC_ID)
    assert {entry["state"] for entry in entries_of(result).values()} == {"UNREACHABLE"}
    assert (status_of(result), len(exofop.asked(ZIP))) == ("gaps", 1)
    exofop.play("get_file.php", exofop.answer)
    again = client.fetch(target=TIC_ID)
    assert (len(again.files_downloaded), again.errors) == (6, [])


def test_member_of_the_archive_is_not_given_to_another_file_of_its_name(
    client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    first = exofop.add_file(OTHER, "spectrum.txt", b"# first night\n1 2\n")
    second = exofop.add_file(OTHER, "spectrum.txt", b"# second night\n5 6\n")
    exofop.play(
        "get_file.php",
        lambda request: exofop.answer(request) if request.query["id"] == str(first) else Reply(status=404),
    )
    exofop.play(ZIP, Reply(zip_of([("spectrum.txt", b"# first night\n1 2\n")])))
    result = client.fetch(target=OTHER)
    entries = entries_of(result)
    assert (entries[first]["state"], entries[second]["state"]) == ("OK", "UNREACHABLE")
    assert "path" not in entries[second]
    assert any("share a name" in words and str(second) in words for words in result.warnings)


def test_limit_of_all_files_counts_over_runs_and_lets_what_is_held_be_refreshed(
    make_client: MakeClient, exofop: ExoFopDouble
) -> None:
    limits = replace(LIMITS, target_files_bytes=30)
    numbers = [exofop.add_file(OTHER, f"{at}.txt", b"%020d\n" % at) for at in range(4)]
    first = make_client(limits=limits).fetch(target=OTHER)
    assert [entry["state"] for entry in entries_of(first).values()] == ["OK", "OK", "REJECTED", "REJECTED"]
    for refresh in (False, True):
        again = make_client(limits=limits).fetch(target=OTHER, force_refresh=refresh)
        assert [entry["state"] for entry in entries_of(again).values()] == ["OK", "OK", "REJECTED", "REJECTED"]
    assert asked_files(exofop) == [*numbers[:2], *numbers[:2]]
