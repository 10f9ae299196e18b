"""What comes with status 200 and is no answer: it never becomes "the archive holds nothing of it", now or later."""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.archive_fetch.conftest import FakeClock
from tests.archive_mast.conftest import LC, STAR, TIC_ID, TPF
from tests.doubles.mast_double import MastDouble, TicRow
from tests.doubles.scripted_server import Reply, Request

from btv_report.answer_states import AnswerState
from btv_report.archive.attempt import AttemptError
from btv_report.archive.fetch import Fetcher
from btv_report.archive.mast_answers import is_still_working
from btv_report.archive.mast_archive import MastArchive
from btv_report.archive.mast_catalogue import stars_around, target_row
from btv_report.archive.mast_names import parse_target, resolve
from btv_report.archive.mast_search import cutout_sectors, search_dv_reports, search_products
from btv_report.archive.mast_session import MastConnection, connect
from btv_report.archive.mast_types import TicStar
from btv_report.errors import ArchiveUnreachableError

INVOKE = "/api/v0/invoke"
COLUMNS = r"/portal/Mashup/Mashup\.asmx/columnsconfig"
SECTORS = r"/tesscut/api/v0\.1/sector"

Ask = Callable[[MastConnection], Any]
QUESTIONS: dict[str, Ask] = {
    "light curves": lambda connection: search_products(connection, TIC_ID, kind="light_curve"),
    "pixel files": lambda connection: search_products(connection, TIC_ID, kind="target_pixel_file"),
    "DV reports": lambda connection: search_dv_reports(connection, TIC_ID),
    "TIC entry": lambda connection: target_row(connection, TIC_ID),
    "stars around": lambda connection: stars_around(connection, STAR.ra, STAR.dec, 60.0),
}


def said(value: Any) -> Reply:
    return Reply(json.dumps(value).encode())


def with_rows(
    mast: MastDouble, change: Callable[[dict[str, Any]], object], types: dict[str, str] | None = None
) -> None:
    """Let the double change every row that it sends, and the types it states for columns."""

    def answer(request: Request) -> Reply:
        table = json.loads(mast._invoke(request).body)
        if isinstance(table["data"], list):
            for row in table["data"]:
                change(row)
            for column in table["fields"]:
                column["type"] = (types or {}).get(column["name"], column["type"])
            present = {name for row in table["data"] for name in row}
            table["fields"] = [column for column in table["fields"] if column["name"] in present]
        return said(table)

    mast.server.play("POST", INVOKE, answer)


@pytest.mark.parametrize(
    ("path", "content", "state"),
    [
        ("/api/v0/invoke", b"", AnswerState.THROTTLED),
        ("/api/v0/invoke", b"<html>busy</html>", AnswerState.CORRUPT),
        ("/api/v0/invoke", b"\xff\xfe\x00", AnswerState.CORRUPT),
        ("/api/v0/invoke", b"[" * 100_000, AnswerState.CORRUPT),
        ("/api/v0/invoke", b'{"status": "FAILED", "fields": [], "data": []}', AnswerState.CORRUPT),
        ("/api/v0/invoke", b'{"fields": [], "data": []}', AnswerState.CORRUPT),
        ("/api/v0/invoke", b'{"status": "COMPLETE", "data": null}', AnswerState.CORRUPT),
        ("/api/v0/invoke", b'{"status": "ERROR", "msg": "x"}', AnswerState.UNREACHABLE),
        ("/tesscut/api/v0.1/sector", b"{}", AnswerState.CORRUPT),
        ("/tesscut/api/v0.1/sector", b'{"results": null}', AnswerState.CORRUPT),
        ("/portal/Mashup/Mashup.asmx/columnsconfig", b'{"status": "ERROR"}', AnswerState.UNREACHABLE),
    ],
)
def test_f014_f026_content_that_proves_nothing_is_a_fault(path: str, content: bytes, state: AnswerState) -> None:
    with pytest.raises(AttemptError) as caught:
        is_still_working(path, content)
    assert caught.value.state is state


@pytest.mark.parametrize(
    ("path", "content", "working"),
    [
        ("/api/v0/invoke", b'{"status": "COMPLETE", "fields": [], "data": []}', False),
        ("/api/v0/invoke", b'{"status": "EXECUTING", "pad": "%s"}' % (b"x" * 9000), True),
        ("/api/v0/invoke", b'{"status": "COMPLETE", "data": [{"target_name": "EXECUTING"}]}', False),
        ("/tesscut/api/v0.1/sector", b'{"results": []}', False),
        ("/portal/Mashup/Mashup.asmx/columnsconfig", b'{"status": {"type": "string"}}', False),
    ],
)
def test_content_that_is_an_answer_or_a_promise_of_one(path: str, content: bytes, working: bool) -> None:
    assert is_still_working(path, content) is working


@pytest.mark.parametrize("question", QUESTIONS)
def test_f026_table_of_no_rows_from_a_service_that_failed_is_not_no_data(
    mast: MastDouble, connection: MastConnection, question: str
) -> None:
    mast.server.play("POST", INVOKE, said({"status": "FAILED", "msg": "", "fields": [], "data": []}))
    with pytest.raises(ArchiveUnreachableError, match="FAILED") as caught:
        QUESTIONS[question](connection)
    assert caught.value.state is AnswerState.CORRUPT


def test_sectors_without_a_list_are_not_no_sectors(mast: MastDouble, connection: MastConnection) -> None:
    mast.server.play("*", SECTORS, said({}))
    with pytest.raises(ArchiveUnreachableError, match="list of sectors"):
        cutout_sectors(connection, STAR.ra, STAR.dec)
    mast.server.play("*", SECTORS, said({"results": []}))
    assert cutout_sectors(connection, STAR.ra, STAR.dec) == ()


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"status": "ERROR", "msg": "the resolver is down"}, AnswerState.UNREACHABLE),
        ({"status": "EXECUTING"}, AnswerState.CORRUPT),
        ({}, AnswerState.CORRUPT),
        ({"resolvedCoordinate": None, "status": ""}, AnswerState.CORRUPT),
        ({"resolvedCoordinate": [{"ra": 999, "decl": 5}], "status": ""}, AnswerState.CORRUPT),
    ],
)
def test_f026_name_service_that_failed_does_not_make_a_name_unknown_for_ever(
    mast: MastDouble, tmp_path: Path, clock: FakeClock, answer: dict[str, Any], state: AnswerState
) -> None:
    mast.names["pi men"] = (STAR.ra, STAR.dec)
    archive = MastArchive(tmp_path, base_url=mast.url, fetcher=Fetcher(clock=clock))
    mast.server.play("POST", INVOKE, said(answer))
    with pytest.raises(ArchiveUnreachableError, match="name service") as caught:
        archive.resolve(parse_target("pi Men"))
    assert caught.value.state is state
    mast.server.play("POST", INVOKE, mast._invoke)
    resolved = archive.resolve(parse_target("pi Men")).value
    assert resolved is not None
    assert resolved.tic_id == TIC_ID
    archive._connection.session.close()


@pytest.mark.parametrize("bad", [b'{"status": "ERROR", "msg": "no columns"}', b"{}", b"[]", b"<html></html>"])
def test_list_of_columns_that_is_an_error_does_not_stay_for_the_process(
    mast: MastDouble, connection: MastConnection, bad: bytes
) -> None:
    mast.server.play("POST", COLUMNS, Reply(bad))
    with pytest.raises(ArchiveUnreachableError):
        search_products(connection, TIC_ID, kind="light_curve")
    mast.server.play("POST", COLUMNS, mast._columns)
    assert len(search_products(connection, TIC_ID, kind="light_curve")) == 1


@pytest.mark.parametrize("question", ["TIC entry", "stars around"])
def test_rows_of_the_catalogue_that_cannot_be_read_are_not_no_stars(
    mast: MastDouble, connection: MastConnection, question: str
) -> None:
    with_rows(mast, lambda row: row.update(ra=None))
    with pytest.raises(ArchiveUnreachableError, match="none of 1 rows has a number and a position") as caught:
        QUESTIONS[question](connection)
    assert caught.value.state is AnswerState.CORRUPT


def test_row_of_another_number_is_not_an_unknown_number(mast: MastDouble, connection: MastConnection) -> None:
    with_rows(mast, lambda row: row.update(ID="77"))
    with pytest.raises(ArchiveUnreachableError, match=f"none is of TIC {TIC_ID}"):
        target_row(connection, TIC_ID)


def test_products_without_an_address_are_not_no_products(mast: MastDouble, connection: MastConnection) -> None:
    with_rows(mast, lambda row: row.update(dataURI=None) if "dataURI" in row else None)
    with pytest.raises(ArchiveUnreachableError, match="none of 1 rows names a file"):
        search_products(connection, TIC_ID, kind="light_curve")


def test_f093_answer_with_nothing_but_another_target_is_no_answer(mast: MastDouble, connection: MastConnection) -> None:
    mast.products[:] = [replace(LC, target_name="350741703"), replace(TPF, target_name="350741703")]
    with pytest.raises(ArchiveUnreachableError, match=f"none is of TIC {TIC_ID}"):
        search_products(connection, TIC_ID, kind="light_curve")


def test_rows_that_cannot_be_read_beside_others_are_counted(mast: MastDouble, connection: MastConnection) -> None:
    mast.add_product(replace(LC, sector=20, file=LC.file.replace("s0014", "s0020")))
    mast.add_star(TicRow(9, STAR.ra, STAR.dec + 30 / 3600))
    with_rows(
        mast,
        lambda row: (
            row.update({"dataURI": None} if "s0020" in row.get("dataURI", "") else {})
            or row.update({"ra": None} if row.get("ID") == "9" else {})
        ),
    )
    assert len(search_products(connection, TIC_ID, kind="light_curve")) == 1
    assert len(stars_around(connection, STAR.ra, STAR.dec, 60.0)) == 1
    assert connection.unread_rows == {"search for light curves": 1, "TIC cone search": 1}


@pytest.mark.parametrize(("kind", "typed"), [(str, "string"), (int, "int"), (float, "float")])
def test_f045_tic_number_is_read_however_the_archive_types_the_column(
    mast: MastDouble, connection: MastConnection, kind: type, typed: str
) -> None:
    mast.add_star(TicRow(10001363466, 10.0, 20.0))
    with_rows(mast, lambda row: row.update(ID=kind(row["ID"])), {"ID": typed})
    assert target_row(connection, 10001363466).tic_id == 10001363466


def test_f046_gaia_number_that_came_as_a_float_is_none_and_not_a_wrong_one(
    mast: MastDouble, connection: MastConnection
) -> None:
    with_rows(mast, lambda row: row.update(GAIA=float(row["GAIA"])), {"GAIA": "float"})
    assert target_row(connection, TIC_ID).gaia_id is None


def test_nearest_star_is_the_nearest_also_where_the_answer_states_no_distances(
    mast: MastDouble, connection: MastConnection
) -> None:
    mast.add_star(TicRow(1, STAR.ra, STAR.dec + 8 / 3600))
    with_rows(mast, lambda row: row.pop("dstArcSec", None))
    found = resolve(connection, parse_target(f"{STAR.ra} {STAR.dec + 1 / 3600}"), accept_nearest=True)
    assert found.tic_id == TIC_ID
    assert [match.separation_arcsec for match in found.matches] == pytest.approx([1.0, 7.0], abs=0.01)


def test_f095_sector_on_two_detectors_is_the_same_one_whatever_the_order(
    mast: MastDouble, connection: MastConnection
) -> None:
    both = [{"sectorName": "", "sector": "0020", "camera": "1", "ccd": ccd} for ccd in ("3", "4")]
    for results in (both, both[::-1]):
        mast.server.play("*", SECTORS, said({"results": results}))
        found = cutout_sectors(connection, STAR.ra, STAR.dec)
        assert [(item.sector, item.camera, item.ccd) for item in found] == [(20, 1, 3)]


def test_stricter_of_two_rights_counts(mast: MastDouble, connection: MastConnection) -> None:
    with_rows(mast, lambda row: row.update(dataRights="EXCLUSIVE_ACCESS") if "dataURI" in row else None)
    (curve,) = search_products(connection, TIC_ID, kind="light_curve")
    assert curve.data_rights == "EXCLUSIVE_ACCESS"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (400, AnswerState.REJECTED),
        (401, AnswerState.AUTH_REQUIRED),
        (403, AnswerState.AUTH_REQUIRED),
        (404, AnswerState.UNREACHABLE),
    ],
)
def test_f024_final_status_is_asked_once_and_a_missing_service_is_not_a_missing_target(
    mast: MastDouble, connection: MastConnection, status: int, state: AnswerState
) -> None:
    target_row(connection, TIC_ID)
    mast.server.play("POST", INVOKE, Reply(b"no", status))
    mast.server.requests.clear()
    with pytest.raises(ArchiveUnreachableError, match="asked once") as caught:
        target_row(connection, TIC_ID)
    assert caught.value.state is state
    assert len(mast.server.requests) == 1
    with pytest.raises(ArchiveUnreachableError, match="name service") as caught:
        resolve(connection, parse_target("pi Men"))
    assert caught.value.state is state


def test_damaged_answer_is_asked_for_once_more_and_no_more(mast: MastDouble, connection: MastConnection) -> None:
    target_row(connection, TIC_ID)
    mast.server.requests.clear()
    mast.server.play("POST", INVOKE, Reply(b"<html>maintenance</html>"))
    with pytest.raises(ArchiveUnreachableError, match="asked 2 times"):
        stars_around(connection, STAR.ra, STAR.dec, 60.0)
    assert len(mast.server.asked(INVOKE)) == 2


def test_f002_wait_beyond_the_cap_is_said_and_not_waited(
    mast: MastDouble, connection: MastConnection, clock: FakeClock
) -> None:
    mast.server.play("POST", INVOKE, Reply(status=503, headers={"Retry-After": "86400"}))
    with pytest.raises(ArchiveUnreachableError, match="wait longer than 120 s") as caught:
        target_row(connection, TIC_ID)
    assert caught.value.state is AnswerState.THROTTLED
    assert clock.waits == []


def test_f017_hop_that_must_not_be_followed_is_a_gap_like_any_other(
    mast: MastDouble, connection: MastConnection
) -> None:
    mast.server.play("POST", INVOKE, Reply(status=307, headers={"Location": "http://archive.invalid/api"}))
    with pytest.raises(ArchiveUnreachableError, match=r"archive\.invalid") as caught:
        target_row(connection, TIC_ID)
    assert caught.value.state is AnswerState.REJECTED


def test_two_archives_asked_by_two_threads_are_not_mixed_up(mast: MastDouble, connection: MastConnection) -> None:
    """The second question begins while the first waits between its two requests."""
    first_is_on_its_way = threading.Event()

    def slowly(request: Request) -> Reply:
        first_is_on_its_way.set()
        return replace(mast._invoke(request), delay_s=0.3)

    found: list[int] = []
    with MastDouble() as other:
        other.add_star(TicRow(5, 1.0, 2.0))
        second = connect(other.url)
        mast.server.play("POST", INVOKE, slowly, mast._invoke)
        thread = threading.Thread(
            target=lambda: found.append(len(search_products(connection, TIC_ID, kind="light_curve")))
        )
        thread.start()
        assert first_is_on_its_way.wait(10)
        assert target_row(second, 5).tic_id == 5
        thread.join()
        second.session.close()
        assert "Mast.Caom.Products" not in other.services()
    assert found == [1]


def test_libraries_are_afterwards_as_they_were_for_whoever_else_uses_them(
    mast: MastDouble, connection: MastConnection
) -> None:
    import lightkurve
    from astroquery.mast import Observations, Tesscut, utils
    from astroquery.mast.discovery_portal import PortalAPI

    def seen() -> list[object]:
        portal, service = Observations._portal_api_connection, Tesscut._service_api_connection
        return [
            *(portal.MAST_REQUEST_URL, PortalAPI.COLUMNS_CONFIG_URL, service.REQUEST_URL, utils._simple_request),
            *(Observations._session, portal._session, service._session, portal._column_configs),
            *(dict(PortalAPI._column_configs), lightkurve.search_lightcurve.cache_info().current_size),
        ]

    before = seen()
    search_products(connection, TIC_ID, kind="light_curve")
    mast.server.play("*", ".*", Reply(status=404))
    with pytest.raises(ArchiveUnreachableError):
        target_row(connection, TIC_ID)
    assert seen() == before
    assert "127.0.0.1" not in repr(before)


def test_forms_that_were_recorded_from_mast_are_read(mast: MastDouble, connection: MastConnection) -> None:
    spec = importlib.util.find_spec("astroquery.mast")
    folder = Path(str(spec.origin if spec else "")).parent / "tests" / "data"
    if not (folder / "tic.json").is_file():
        pytest.skip("this astroquery comes without its recorded answers")
    recorded = {name: (folder / f"{name}.json").read_bytes() for name in ("tic", "ticcolumns", "tess_sector")}
    mast.server.play("POST", COLUMNS, Reply(recorded["ticcolumns"]))
    mast.server.play("POST", INVOKE, Reply(recorded["tic"]))
    mast.server.play("*", SECTORS, Reply(recorded["tess_sector"]))
    rows = json.loads(recorded["tic"])["data"]
    stars = stars_around(connection, rows[0]["ra"], rows[0]["dec"], 3600.0)
    assert {star.tic_id for star in stars} == {int(row["ID"]) for row in rows}
    assert all(isinstance(star, TicStar) and star.tmag is not None for star in stars)
    assert len(cutout_sectors(connection, 1.0, 2.0)) == 1
