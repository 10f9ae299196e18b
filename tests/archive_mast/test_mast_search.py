"""Questions to MAST through the real lightkurve and astroquery: what comes back, and what goes wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.archive_fetch.conftest import FakeClock
from tests.archive_mast.conftest import LC, STAR, TIC_ID, TPF
from tests.doubles.mast_double import MastDouble, Product, TicRow
from tests.doubles.scripted_server import Reply

from btv_report.answer_states import AnswerState
from btv_report.archive.limits import Limits
from btv_report.archive.mast_catalogue import stars_around, target_row
from btv_report.archive.mast_search import cutout_request, cutout_sectors, search_dv_reports, search_products
from btv_report.archive.mast_session import MastConnection, connect
from btv_report.errors import ArchiveUnreachableError, TargetNotFoundError

INVOKE = r"/api/v0/invoke"


def test_light_curves_and_pixel_files_come_with_all_that_the_archive_says(
    mast: MastDouble, connection: MastConnection
) -> None:
    (curve,) = search_products(connection, TIC_ID, kind="light_curve")
    (pixels,) = search_products(connection, TIC_ID, kind="target_pixel_file")
    assert (curve.kind, curve.sector, curve.pipeline, curve.exptime_s) == ("light_curve", 14, "SPOC", 120.0)
    assert (curve.file, curve.uri, curve.n_bytes) == (LC.file, LC.uri, 2880)
    assert (curve.obs_id, curve.obsid, curve.data_rights) == (LC.observation, "1000", "PUBLIC")
    assert pixels.file == TPF.file
    assert mast.fetched() == []


def test_f097_every_pipeline_and_exposure_time_is_listed_and_told_apart(
    mast: MastDouble, connection: MastConnection
) -> None:
    fast = replace(LC, exptime_s=20, file=LC.file.replace("-s_lc", "-a_fast-lc"), obs_id="fast")
    qlp = Product(TIC_ID, 14, "QLP", 200, f"hlsp_qlp_tess_ffi_s0014-{TIC_ID:016d}_tess_v01_llc.fits", b"q" * 2880)
    mast.add_product(fast, qlp)
    found = search_products(connection, TIC_ID, kind="light_curve")
    assert {(item.pipeline, item.exptime_s) for item in found} == {("SPOC", 120), ("SPOC", 20), ("QLP", 200)}


def test_sector_narrows_the_search(mast: MastDouble, connection: MastConnection) -> None:
    mast.add_product(replace(LC, sector=20, file=LC.file.replace("s0014", "s0020")))
    assert [item.sector for item in search_products(connection, TIC_ID, kind="light_curve", sector=20)] == [20]


def test_target_without_products_has_none_and_no_other_star_is_asked_about(
    mast: MastDouble, connection: MastConnection
) -> None:
    assert search_products(connection, 77, kind="light_curve") == ()
    assert mast.services() == ["Mast.Caom.Filtered"]


def test_f093_rows_of_another_target_are_not_ours(mast: MastDouble, connection: MastConnection) -> None:
    mast.add_product(replace(LC, target_name="350741703", file="other_lc.fits", obs_id="other"))
    assert [item.file for item in search_products(connection, TIC_ID, kind="light_curve")] == [LC.file]


def test_f095_product_that_is_listed_twice_counts_once(mast: MastDouble, connection: MastConnection) -> None:
    mast.add_product(LC)
    assert len(search_products(connection, TIC_ID, kind="light_curve")) == 1


def test_refreshed_search_asks_again(mast: MastDouble, connection: MastConnection) -> None:
    search_products(connection, TIC_ID, kind="light_curve")
    mast.add_product(replace(LC, sector=20, file=LC.file.replace("s0014", "s0020")))
    assert len(search_products(connection, TIC_ID, kind="light_curve")) == 2


def test_dv_reports_of_the_target_are_found(mast: MastDouble, connection: MastConnection) -> None:
    one = f"tess2019198215352-s0014-s0014-{TIC_ID:016d}-00200_dvr.xml"
    many = f"tess2019198215352-s0014-s0041-{TIC_ID:016d}-00300_dvr.xml"
    for name in (one, many, "tess2019198215352-s0014-s0014-0000000000000001-00200_dvr.xml"):
        mast.add_product(Product(TIC_ID, 14, "SPOC", 120, name, b"<?xml", obs_id=name))
    assert [(item.file, item.sector) for item in search_dv_reports(connection, TIC_ID)] == [(many, None), (one, 14)]
    assert search_dv_reports(connection, 77) == ()


def test_sectors_of_images_and_the_address_of_a_cut_out(mast: MastDouble, connection: MastConnection) -> None:
    mast.add_cutout(20, 1, 3, b"")
    mast.add_cutout(14, 4, 2, b"")
    found = cutout_sectors(connection, 180.7265, 74.061)
    assert [(item.sector, item.camera, item.ccd) for item in found] == [(14, 4, 2), (20, 1, 3)]
    url, params = cutout_request(mast.url, 180.7265, -74.061, 14, 11)
    assert url == f"{mast.url}/tesscut/api/v0.1/astrocut"
    assert params == {"ra": "180.726500", "dec": "-74.061000", "x": "11", "y": "11", "units": "px", "sector": "14"}


def test_f046_gaia_number_keeps_its_last_digit(mast: MastDouble, connection: MastConnection) -> None:
    mast.add_star(TicRow(7, 10.0, 20.0, gaia="5484358123456789013"))
    assert target_row(connection, 7).gaia_id == "5484358123456789013"


def test_f045_numbers_of_one_and_ten_digits_are_found(mast: MastDouble, connection: MastConnection) -> None:
    for number in (7, 10001363466):
        mast.add_star(TicRow(number, 10.0, 20.0))
        assert target_row(connection, number).tic_id == number


def test_unknown_number_is_not_found(connection: MastConnection) -> None:
    with pytest.raises(TargetNotFoundError, match="no TIC 12345"):
        target_row(connection, 12345)


def test_f099_duplicates_and_splits_are_marked(mast: MastDouble, connection: MastConnection) -> None:
    mast.add_star(
        TicRow(8, STAR.ra, STAR.dec + 5 / 3600, 14.0, disposition="DUPLICATE", more={"duplicate_id": str(TIC_ID)}),
        TicRow(9, STAR.ra, STAR.dec + 30 / 3600, 15.0, pmra=3.5, pmdec=-2.5),
    )
    stars = stars_around(connection, STAR.ra, STAR.dec, 60.0)
    assert [star.tic_id for star in stars] == [TIC_ID, 8, 9]
    assert [star.is_own_star for star in stars] == [True, False, True]
    assert (stars[1].duplicate_of, stars[2].pmra, stars[2].pmdec) == (TIC_ID, 3.5, -2.5)
    assert stars[2].separation_arcsec == pytest.approx(30.0)


@pytest.mark.parametrize("status", [500, 503, 504])
def test_f001_archive_that_is_down_is_asked_five_times(
    mast: MastDouble, connection: MastConnection, clock: FakeClock, status: int
) -> None:
    mast.server.play("POST", INVOKE, Reply(status=status))
    with pytest.raises(ArchiveUnreachableError, match="asked 5 times") as caught:
        search_products(connection, TIC_ID, kind="light_curve")
    assert caught.value.state is AnswerState.UNREACHABLE
    assert str(status) in str(caught.value)
    assert len(clock.waits) == 4


def test_f001_archive_that_comes_back_is_read(mast: MastDouble, connection: MastConnection) -> None:
    mast.server.play("POST", INVOKE, Reply(status=503), mast._invoke)
    assert len(search_products(connection, TIC_ID, kind="light_curve")) == 1


def test_f002_archive_that_throttles_is_waited_for(
    mast: MastDouble, connection: MastConnection, clock: FakeClock
) -> None:
    mast.server.play("POST", INVOKE, Reply(status=429, headers={"Retry-After": "9"}), mast._invoke)
    assert len(search_products(connection, TIC_ID, kind="light_curve")) == 1
    assert clock.waits == [9.0]


def test_f003_archive_that_never_answers_is_unreachable(mast: MastDouble, clock: FakeClock) -> None:
    mast.server.play("POST", INVOKE, Reply(silent=True))
    impatient = connect(mast.url, limits=Limits(read_timeout_s=0.2), clock=clock)
    with pytest.raises(ArchiveUnreachableError, match="no answer came in time"):
        target_row(impatient, TIC_ID)
    impatient.session.close()


@pytest.mark.parametrize(
    ("reply", "state", "words"),
    [
        (Reply(b"<!DOCTYPE html><html>maintenance</html>"), AnswerState.CORRUPT, "web page"),
        (Reply(b"{truncated"), AnswerState.CORRUPT, "truncated"),
        (Reply(b""), AnswerState.THROTTLED, "empty answer"),
        (Reply(b"[]"), AnswerState.CORRUPT, "not the form"),
        (Reply(b'{"status": "COMPLETE"}'), AnswerState.CORRUPT, "not the form"),
        (Reply(b'{"status": "ERROR", "msg": "disk of the archive"}'), AnswerState.UNREACHABLE, "disk of the archive"),
    ],
)
def test_f014_f026_answer_that_is_none_is_never_no_data(
    mast: MastDouble, connection: MastConnection, reply: Reply, state: AnswerState, words: str
) -> None:
    mast.server.play("POST", INVOKE, reply)
    with pytest.raises(ArchiveUnreachableError, match=words) as caught:
        search_products(connection, TIC_ID, kind="light_curve")
    assert caught.value.state is state


def test_answer_that_is_still_being_made_is_polled_with_pauses_and_not_for_ever(
    mast: MastDouble, connection: MastConnection, clock: FakeClock
) -> None:
    mast.server.play("POST", INVOKE, Reply(b'{"status": "EXECUTING"}'))
    with pytest.raises(ArchiveUnreachableError, match="still working"):
        target_row(connection, TIC_ID)
    assert clock.waits[:4] == [1.0, 2.0, 4.0, 8.0]
    assert sum(clock.waits) <= 300


def test_f018_answer_beyond_every_size_is_refused(mast: MastDouble, connection: MastConnection) -> None:
    connection.session.limits = replace(connection.session.limits, table_bytes=1000)
    mast.server.play("POST", INVOKE, Reply(b" " * 100_000))
    with pytest.raises(ArchiveUnreachableError, match="over the size limit") as caught:
        target_row(connection, TIC_ID)
    assert caught.value.state is AnswerState.REJECTED


def test_f153_astroquerys_cache_of_pickles_is_off(connection: MastConnection) -> None:
    from astroquery import cache_conf

    target_row(connection, TIC_ID)
    assert not cache_conf.cache_active


def test_two_archives_in_one_process_are_not_mixed_up(connection: MastConnection) -> None:
    with MastDouble() as other:
        other.add_star(TicRow(5, 1.0, 2.0))
        second = connect(other.url)
        assert target_row(second, 5).tic_id == 5
        assert target_row(connection, TIC_ID).tic_id == TIC_ID
        with pytest.raises(TargetNotFoundError):
            target_row(connection, 5)
        second.session.close()


def test_f020_words_in_utf8_without_a_charset_are_read_as_they_were_written(
    mast: MastDouble, connection: MastConnection
) -> None:
    mast.products[0] = replace(LC, description="reduced by González-Álvarez, 0.2⅓ px")
    (curve,) = search_products(connection, TIC_ID, kind="light_curve")
    assert curve.description == "reduced by González-Álvarez, 0.2⅓ px"
