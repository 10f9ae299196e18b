"""Who is logged in to the loopback ExoFOP, and what a caller who is not gets of restricted items."""

from __future__ import annotations

import io
import zipfile

import pytest
from tests.doubles.exofop_caller import Caller
from tests.doubles.exofop_double import ExoFopDouble, RestrictedAnswer
from tests.exofop.double.conftest import TIC_ID

COOKIE = {"Cookie": "first=1; PHPSESSID=a-session"}
_PLACES = ("download_obsnotes.php?tid", "download_spect.php?target", "download_files_zip.php?id")


def test_a_wrong_password_is_told_with_status_200_and_a_right_one_by_a_cookie(
    double: ExoFopDouble, caller: Caller
) -> None:
    double.accounts["someone"] = "right"
    form = "username=someone&password={}&ref=login_user&ref_page=%2Ftess%2F"
    status, content, headers = caller.ask("password_check.php", method="POST", body=form.format("wrong"))
    assert status == 200
    assert b"Invalid username or password" in content
    assert "Set-Cookie" not in headers
    status, _, headers = caller.ask("password_check.php", method="POST", body=form.format("right"))
    assert (status, headers["Location"]) == (302, "/tess/index.php")
    cookie = headers["Set-Cookie"].split(";")[0]
    assert b">Logout<" in caller.body("index.php", {"Cookie": cookie})


def test_only_the_accepted_session_is_logged_in(double: ExoFopDouble, caller: Caller) -> None:
    page = f"target.php?id={TIC_ID}"
    assert b">Login<" in caller.body(page, COOKIE)
    double.login("a-session")
    assert b">Logout<" in caller.body(page, COOKIE)
    assert b">Login<" in caller.body(page)
    assert b">Login<" in caller.body(page, {"Cookie": "PHPSESSID=a-session2"})
    double.logout()
    assert b">Login<" in caller.body(page, COOKIE)
    assert b'action="password_check.php"' in caller.body("login.php?ref=%2Ftess%2F")


@pytest.fixture
def restricted(double: ExoFopDouble) -> int:
    """The number of a restricted file, beside a public one; a restricted note and observation, too."""
    double.login("a-session")
    double.add_file(TIC_ID, "public.dat", b"public")
    double.add_note(TIC_ID, "public note")
    double.add_note(TIC_ID, "secret note", restricted=True)
    double.add_rows(TIC_ID, "spect", [{"Instrument": "SECRET"}], restricted=True)
    return double.add_file(TIC_ID, "secret.dat", b"secret", restricted=True)


@pytest.mark.parametrize("answer", list(RestrictedAnswer))
def test_a_session_sees_what_is_restricted(
    double: ExoFopDouble, caller: Caller, restricted: int, answer: RestrictedAnswer
) -> None:
    double.restricted_answer = answer
    assert caller.body(f"get_file.php?id={restricted}", COOKIE) == b"secret"
    assert b"secret.dat" in caller.body(f"download_filelist.php?id={TIC_ID}", COOKIE)
    assert b"secret note" in caller.body(f"download_obsnotes.php?tid={TIC_ID}", COOKIE)
    assert b"SECRET" in caller.body(f"download_spect.php?target={TIC_ID}", COOKIE)
    value = caller.json(f"target.php?id={TIC_ID}&json", COOKIE)
    assert (len(value["files"]), len(value["spectroscopy"])) == (2, 1)
    archive = zipfile.ZipFile(io.BytesIO(caller.body(f"download_files_zip.php?id={TIC_ID}", COOKIE)))
    assert archive.namelist() == ["public.dat", "secret.dat"]


@pytest.mark.parametrize("answer", list(RestrictedAnswer))
def test_nobody_else_sees_a_restricted_byte(
    double: ExoFopDouble, caller: Caller, restricted: int, answer: RestrictedAnswer
) -> None:
    double.restricted_answer = answer
    is_listed = answer is not RestrictedAnswer.ROW_MISSING
    assert (b"secret.dat" in caller.body(f"download_filelist.php?id={TIC_ID}")) == is_listed
    assert len(caller.json(f"target.php?id={TIC_ID}&json")["files"]) == 1 + is_listed
    questions = (f"get_file.php?id={restricted}", *(f"{place}={TIC_ID}" for place in _PLACES))
    contents = [caller.body(question) for question in questions]
    assert not any(secret in content for content in contents for secret in (b"secret", b"SECRET"))


@pytest.mark.parametrize(
    ("answer", "file", "others"),
    [
        (RestrictedAnswer.ROW_MISSING, b"password_check.php", (b"public note", b"TIC ID", b"PK")),
        (RestrictedAnswer.LOGIN_PAGE, b"password_check.php", (b"password_check.php",) * 3),
        (RestrictedAnswer.EMPTY_BODY, None, (None, None, None)),
        (RestrictedAnswer.ZIP_WITHOUT_MEMBER, b"not authorized", (b"public note", b"TIC ID", b"PK")),
    ],
)
def test_the_four_answers_differ(
    double: ExoFopDouble,
    caller: Caller,
    restricted: int,
    answer: RestrictedAnswer,
    file: bytes | None,
    others: tuple[bytes | None, ...],
) -> None:
    double.restricted_answer = answer
    questions = (f"get_file.php?id={restricted}", *(f"{place}={TIC_ID}" for place in _PLACES))
    for question, expected in zip(questions, (file, *others), strict=True):
        content = caller.body(question)
        assert content == b"" if expected is None else expected in content, question
