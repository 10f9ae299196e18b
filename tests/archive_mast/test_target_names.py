"""What the text of a target means, and which star answers to a name or position."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.archive_mast.conftest import STAR, TIC_ID
from tests.doubles.mast_double import MastDouble, TicRow
from tests.doubles.scripted_server import Reply

from btv_report.answer_states import AnswerState
from btv_report.archive.mast_names import parse_target, resolve
from btv_report.archive.mast_session import MastConnection
from btv_report.errors import (
    AmbiguousTargetError,
    ArchiveUnreachableError,
    NameResolutionError,
    TargetNotFoundError,
    UsageError,
)


@pytest.mark.parametrize("text", ["TIC 188646744", "tic188646744", "188646744", "TIC-188646744", " TIC  0188646744 "])
def test_tic_numbers_in_every_usual_spelling(text: str) -> None:
    assert parse_target(text).tic_id == 188646744


@given(st.integers(1, 10**10))
def test_f045_f094_bare_number_of_any_length_is_a_tic_number(number: int) -> None:
    assert parse_target(str(number)).tic_id == number


@pytest.mark.parametrize(("text", "toi"), [("TOI-1262", "1262"), ("toi 1262.01", "1262.01"), ("TOI1262", "1262")])
def test_toi_is_a_name_with_its_number(text: str, toi: str) -> None:
    query = parse_target(text)
    assert (query.name, query.toi, query.tic_id) == ("TOI-1262", toi, None)


@pytest.mark.parametrize(
    "text",
    [
        "12:02:54.4 +74:03:39.6",
        "12 02 54.4 74 03 39.6",
        "12h02m54.4s +74d03m39.6s",
        "180.726667 74.061",
        "180.726667,+74.061",
    ],
)
def test_positions_in_every_usual_spelling(text: str) -> None:
    position = parse_target(text).position_deg
    assert position is not None
    assert position == pytest.approx((180.726667, 74.061), abs=2e-5)


def test_southern_position_near_the_equator_keeps_its_sign() -> None:
    assert parse_target("00:00:01 -00:00:36").position_deg == pytest.approx((15 / 3600, -0.01))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "TIC",
        "TIC 12 34",
        "0",
        "-5",
        "TIC -5",
        "9" * 12,
        "١٢٣",
        "../../etc",
        "TOI-1/../",
        "a\x00b",
        "a\nb",
        "x" * 200,
        "12:61:00 +10:00:00",
        "24:00:00 +10:00:00",
        "400 95",
        "10 -91",
    ],
)
def test_f081_what_can_be_no_target_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        parse_target(text)


@given(st.text(max_size=60))
def test_f081_any_text_is_a_target_or_a_usage_error(text: str) -> None:
    try:
        query = parse_target(text)
    except UsageError:
        return
    assert sum(part is not None for part in (query.tic_id, query.position_deg, query.name)) == 1


def test_name_of_a_lonely_star_is_resolved_without_a_doubt(mast: MastDouble, connection: MastConnection) -> None:
    mast.names["pi men"] = (STAR.ra, STAR.dec)
    found = resolve(connection, parse_target("pi Men"))
    assert (found.tic_id, found.target_input, found.warning, found.tmag) == (TIC_ID, "pi Men", None, 9.5966)
    assert found.separation_arcsec == pytest.approx(0.0)


def test_position_beside_a_star_says_how_far(connection: MastConnection) -> None:
    found = resolve(connection, parse_target(f"{STAR.ra} {STAR.dec + 3 / 3600}"))
    assert found.tic_id == TIC_ID
    assert found.separation_arcsec == pytest.approx(3.0, abs=0.01)


def crowd(mast: MastDouble) -> None:
    mast.add_star(TicRow(11, STAR.ra, STAR.dec + 6 / 3600, 12.25), TicRow(12, STAR.ra, STAR.dec - 9 / 3600, None))


def test_f043_crowded_field_stops_with_the_list_and_nobody_guesses(
    mast: MastDouble, connection: MastConnection
) -> None:
    crowd(mast)
    with pytest.raises(
        AmbiguousTargetError, match=r"TIC 11 at 6\.0 arcsec, Tmag 12\.25; TIC 12 at 9\.0 arcsec"
    ) as caught:
        resolve(connection, parse_target(f"{STAR.ra} {STAR.dec}"))
    assert [match[0] for match in caught.value.matches] == [TIC_ID, 11, 12]
    assert "--accept-nearest" in str(caught.value)
    assert caught.value.exit_code == 2


def test_accepted_nearest_star_is_said_to_be_one_of_several(mast: MastDouble, connection: MastConnection) -> None:
    crowd(mast)
    found = resolve(connection, parse_target(f"{STAR.ra} {STAR.dec}"), accept_nearest=True)
    assert (found.tic_id, found.accepted_nearest, len(found.matches)) == (TIC_ID, True, 3)
    assert found.warning is not None
    assert "TIC 11" in found.warning


def test_f099_duplicate_of_the_target_is_no_second_star_and_is_named(
    mast: MastDouble, connection: MastConnection
) -> None:
    mast.add_star(TicRow(13, STAR.ra, STAR.dec + 1 / 3600, 9.7, disposition="DUPLICATE"))
    found = resolve(connection, parse_target(f"{STAR.ra} {STAR.dec}"))
    assert found.tic_id == TIC_ID
    assert found.warning is not None
    assert "TIC 13 (duplicate)" in found.warning


def test_toi_that_was_found_by_position_says_so(mast: MastDouble, connection: MastConnection) -> None:
    mast.names["toi-1262"] = (STAR.ra, STAR.dec)
    found = resolve(connection, parse_target("TOI 1262.01"))
    assert found.warning is not None
    assert "by its position, not by its number" in found.warning


def test_unknown_name_and_empty_sky_are_not_found(connection: MastConnection) -> None:
    with pytest.raises(NameResolutionError, match="does not know 'nobody'"):
        resolve(connection, parse_target("nobody"))
    with pytest.raises(TargetNotFoundError, match="no star within 10 arcsec"):
        resolve(connection, parse_target("10 10"))


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (Reply(b"<html>down</html>"), AnswerState.CORRUPT),
        (Reply(b'{"resolvedCoordinate": [{"ra": "x"}]}'), AnswerState.CORRUPT),
        (Reply(b""), AnswerState.THROTTLED),
        (Reply(status=503), AnswerState.UNREACHABLE),
    ],
)
def test_f014_name_service_without_an_answer_is_not_an_unknown_name(
    mast: MastDouble, connection: MastConnection, reply: Reply, state: AnswerState
) -> None:
    mast.server.play("POST", r"/api/v0/invoke", reply)
    with pytest.raises(ArchiveUnreachableError, match="name service") as caught:
        resolve(connection, parse_target("pi Men"))
    assert caught.value.state is state
