"""The cookie during a whole fetch: to ExoFOP's own host and port, over https or within this machine, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.canaries import cookie_line, cookie_value, write_cookie_jar
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.scripted_server import Reply, Request, ScriptedServer
from tests.doubles.throwaway_tls import Authority
from tests.exofop.privacy.conftest import CURVE, TIC_ID, MakeClient, files_in, manifest_in, tree_of

from btv_report.errors import UsageError
from btv_report.exofop.client import ExoFopClient

SENT = f"PHPSESSID={cookie_value()}"


def cookies_at(requests: list[Request]) -> set[str | None]:
    return {request.headers.get("cookie") for request in requests}


def sent_on(exofop: ExoFopDouble, to: str) -> Callable[[Request], Reply]:
    """Answers as usual to anybody, and sends whoever brings the cookie on to another place."""

    def answer(request: Request) -> Reply:
        if "cookie" not in request.headers:
            return exofop.answer(request)
        query = "&".join(f"{name}={value}" for name, value in request.query.items())
        return Reply(status=302, headers={"Location": f"{to}{request.path}?{query}"})

    return answer


def test_f057_fetch_that_is_sent_to_another_host_does_not_go_there(
    make_client: MakeClient, exofop: ExoFopDouble, jar: Path, cache: Path
) -> None:
    exofop.server.play("GET", "/tess/.*", sent_on(exofop, f"http://localhost:{exofop.server.port}"))
    result = make_client(jar).fetch(target=TIC_ID)
    members = manifest_in(tree_of(cache, private=True))
    refused = {answer["state"] for name, answer in members["answers"].items() if name != "download_toi.php"}
    assert refused == {"REJECTED"}
    assert all(request.headers["host"].startswith("127.0.0.1") for request in exofop.asked())
    assert members["auth"].get("accepted") is not True
    assert any("a cookie of the first host is at stake" in words for words in result.errors)
    assert {entry["state"] for entry in files_in(tree_of(cache)).values()} == {"OK"}


def test_f057_fetch_that_is_sent_to_another_port_brings_no_cookie_there(
    make_client: MakeClient, exofop: ExoFopDouble, jar: Path
) -> None:
    with ScriptedServer(default=Reply(b"stranger")) as stranger:
        exofop.server.play("GET", "/tess/.*", sent_on(exofop, stranger.url))
        make_client(jar).fetch(target=TIC_ID)
        assert stranger.requests
        assert cookies_at(stranger.requests) == {None}


@pytest.mark.parametrize("endpoint", ["get_file.php", "download_obsnotes.php", "target.php", "download_filelist.php"])
def test_f057_single_service_that_sends_members_away_costs_only_its_own_answer(
    make_client: MakeClient, exofop: ExoFopDouble, jar: Path, cache: Path, endpoint: str
) -> None:
    with ScriptedServer(default=Reply(b"stranger")) as stranger:
        exofop.play(endpoint, sent_on(exofop, f"http://localhost:{stranger.port}"))
        make_client(jar).fetch(target=TIC_ID)
        assert stranger.n_connections == 0
    members = manifest_in(tree_of(cache, private=True))
    states = {name: answer["state"] for name, answer in members["answers"].items()}
    assert states.pop(endpoint, "REJECTED") == "REJECTED"
    assert set(states.values()) <= {"OK", "EMPTY"}
    curve = files_in(tree_of(cache, private=True))[CURVE]  # where it does not come by itself, the zip has it
    assert (curve["state"], curve["source"]) == (
        "OK",
        "download_files_zip.php" if endpoint == "get_file.php" else "get_file.php",
    )


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    (tmp_path / "tls").mkdir()
    made = Authority(tmp_path / "tls")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made.ca_file))
    return made


def secure_client(make_client: MakeClient, server: ScriptedServer, tmp_path: Path) -> ExoFopClient:
    """A client of an https service with a login to it."""
    jar = write_cookie_jar(tmp_path / "secure.jar", cookie_line("127.0.0.1", is_secure=True))
    return make_client(jar, base_url=server.url)


def test_f017_cookie_of_https_is_not_sent_over_http(
    make_client: MakeClient, exofop: ExoFopDouble, authority: Authority, tmp_path: Path
) -> None:
    with ScriptedServer(tls=authority.context()) as secure:
        secure.play("GET", "/tess/.*", sent_on(exofop, exofop.url))
        result = secure_client(make_client, secure, tmp_path).fetch(target=TIC_ID)
        assert cookies_at(secure.requests) == {None, SENT}
    assert exofop.asked() == []  # no hop was made, with the cookie or without
    assert any("it leaves https" in words for words in result.errors)


def test_cookie_of_https_opens_what_is_restricted(
    make_client: MakeClient, exofop: ExoFopDouble, authority: Authority, tmp_path: Path, cache: Path
) -> None:
    with ScriptedServer(tls=authority.context()) as secure:
        secure.play("GET", "/tess/.*", exofop.answer)
        secure_client(make_client, secure, tmp_path).fetch(target=TIC_ID)
    assert manifest_in(tree_of(cache, private=True))["auth"]["accepted"] is True
    assert files_in(tree_of(cache, private=True))[CURVE]["restricted"] is True


@pytest.mark.parametrize("fault", ["wrong host", "self-signed"])
def test_f022_cookie_is_not_sent_to_who_proves_nothing(
    make_client: MakeClient, authority: Authority, tmp_path: Path, fault: str
) -> None:
    context = (
        authority.context(host="archive.invalid") if fault == "wrong host" else authority.context(is_self_signed=True)
    )
    with ScriptedServer(tls=context) as secure:
        result = secure_client(make_client, secure, tmp_path).fetch(target=TIC_ID)
        assert secure.requests == []
    assert result.files_downloaded == []


@pytest.mark.parametrize(
    "address", ["http://exofop.ipac.caltech.edu/tess/", "http://192.0.2.7/", "http://127.0.0.1.example.org/"]
)
def test_f017_cookie_is_never_sent_over_http_beyond_this_machine(
    make_client: MakeClient, jar: Path, address: str
) -> None:
    with pytest.raises(UsageError, match="https"):
        make_client(jar, base_url=address)


def test_cookie_goes_into_no_request_of_the_anonymous_pass(
    make_client: MakeClient, exofop: ExoFopDouble, jar: Path
) -> None:
    make_client(jar).fetch(target="TOI-1262")
    cookies = [request.headers.get("cookie") for request in exofop.asked()]
    first = cookies.index(SENT)
    assert set(cookies[:first]) == {None}
    assert set(cookies[first:]) == {SENT}
    assert all(cookie_value() not in str(dict(request.query)) for request in exofop.asked())
    assert exofop.asked("password_check.php") == []


def test_cookie_that_the_service_sets_is_not_kept(make_client: MakeClient, exofop: ExoFopDouble, cache: Path) -> None:
    """An anonymous question stays anonymous: a session that ExoFOP starts for us is not carried to the next question."""

    def start_session(request: Request) -> Reply:
        reply = exofop.answer(request)
        return Reply(reply.body, reply.status, {**reply.headers, "Set-Cookie": f"{SENT}; path=/"})

    exofop.server.play("GET", "/tess/.*", start_session)
    make_client().fetch(target=TIC_ID)
    assert cookies_at(exofop.asked()) == {None}
    assert CURVE not in files_in(tree_of(cache))
