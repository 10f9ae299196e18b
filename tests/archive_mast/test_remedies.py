"""Each fault of the archive ends in a remedy that can work."""

from __future__ import annotations

import pytest
from tests.doubles.command import Run
from tests.doubles.mast_double import MastDouble, TicRow
from tests.doubles.nine_sectors import DEC_DEG, RA_DEG, TIC_ID
from tests.doubles.scripted_server import Reply

DOWNLOAD = r"/api/v0\.1/Download/file"
PAGE = b"<html><body>We are closed for maintenance</body></html>"
SPOC = ("--sector", "14", "--pipeline", "SPOC")


def test_f005_file_that_is_gone_during_a_refresh_is_not_answered_with_refresh(report: Run, archive: MastDouble) -> None:
    report(str(TIC_ID), *SPOC)
    archive.server.play("GET", DOWNLOAD, Reply(status=404))
    ran = report(str(TIC_ID), *SPOC, "--refresh")
    assert ran.code == 3
    assert "ask again with --refresh" not in ran.stderr
    assert "The archive lists it and does not have it" in ran.stderr


def test_file_that_not_everybody_may_have_is_not_to_be_tried_later(report: Run, archive: MastDouble) -> None:
    archive.server.play("GET", DOWNLOAD, Reply(status=401))
    ran = report(str(TIC_ID), *SPOC)
    assert ran.code == 4
    assert "a login is needed" in ran.stderr
    assert "Try again later" not in ran.stderr
    assert "give --mirror DIR with the files" in ran.stderr


@pytest.mark.parametrize("length", [None, False])
def test_f008_web_page_in_place_of_a_file_is_called_one(report: Run, archive: MastDouble, length: bool | None) -> None:
    archive.server.play("GET", DOWNLOAD, Reply(PAGE, length=length))
    ran = report(str(TIC_ID), *SPOC)
    assert ran.code == 5
    assert "a web page came instead of the file" in ran.stderr
    assert "closed for maintenance" in ran.stderr
    assert "Fetch the damaged files again" not in ran.stderr


def test_f008_web_page_in_place_of_a_cutout_is_called_one(report: Run, archive: MastDouble) -> None:
    archive.server.play("GET", r"/tesscut/api/v0\.1/astrocut", Reply(PAGE))
    ran = report(str(TIC_ID), "--sector", "74")
    assert "it is a web page" in ran.stderr


def test_reason_that_many_files_share_is_told_once(report: Run, archive: MastDouble) -> None:
    archive.server.play("GET", ".*(Download/file|astrocut)", Reply(status=401))
    ran = report(str(TIC_ID))
    assert ran.code == 4
    assert len(ran.stderr) < 1500
    assert ran.stderr.count("a login is needed") <= 2
    assert "and 12 more" in ran.stderr


@pytest.mark.parametrize(("first", "then"), [("pi Men", "PI MEN"), ("PI  Men", "pi men")])
def test_name_is_known_offline_in_capitals_too(report: Run, archive: MastDouble, first: str, then: str) -> None:
    report(first, *SPOC)
    before = archive.n_connections
    ran = report(then, *SPOC, "--offline", "--json")
    assert (ran.code, ran.answer["tic_id"], archive.n_connections) == (0, TIC_ID, before)
    assert f"{' '.join(then.split())} is TIC {TIC_ID}" in ran.stderr


def test_one_star_is_the_nearest_and_several_are_not_one(report: Run, archive: MastDouble) -> None:
    flag = "--accept-nearest"
    report("pi Men", *SPOC)
    assert report("pi Men", flag, *SPOC, "--offline").code == 0
    archive.add_star(TicRow(77, RA_DEG, DEC_DEG + 4 / 3600, 12.0))
    place = f"{RA_DEG} {DEC_DEG}"
    assert report(place, flag, *SPOC).code == 0
    assert report(place, flag, *SPOC, "--offline").code == 0
    assert report(place, *SPOC, "--offline").code == 4


def test_stars_among_which_nobody_may_guess_are_listed_in_json(report: Run, archive: MastDouble) -> None:
    archive.add_star(TicRow(77, RA_DEG, DEC_DEG + 4 / 3600, 12.0))
    ran = report("pi Men", *SPOC, "--json")
    assert (ran.code, ran.answer["status"], ran.answer["tic_id"]) == (2, "nothing", None)
    assert [match["tic_id"] for match in ran.answer["matches"]] == [TIC_ID, 77]


def test_neighbours_table_that_is_not_there_is_named_before_anybody_is_asked(report: Run, archive: MastDouble) -> None:
    for target in (str(TIC_ID), "pi Men"):
        ran = report(target, "--neighbours", "/no/such/stars.csv")
        assert (ran.code, archive.n_connections) == (2, 0)
        assert ran.stderr.count("stars.csv") == 1
        assert "/no/such/stars.csv does not exist" in ran.stderr


def test_neighbours_table_that_cannot_be_read_is_told_before_anybody_is_asked(report: Run, archive: MastDouble) -> None:
    ran = report(str(TIC_ID), "--neighbours", "/")
    assert (ran.code, archive.n_connections) == (2, 0)
