"""What others on this machine can see: the process list, and the commands that show settings and cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.canaries import COMMON, cookie_value
from tests.doubles.command import run_command
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.scripted_server import Reply, Request
from tests.exofop.privacy.conftest import TIC_ID, MakeClient, files_in, tree_of

PROGRAM = (
    "import btv_report.exofop.asking.endpoints as e; e.MIN_INTERVAL_S = 0; from btv_report.cli.main import cli; cli()"
)


def argument_lists() -> list[bytes]:
    """The words with which every process that we can see was started, and the environment of those that are ours."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                found.append((process / name).read_bytes())
            except OSError:
                continue
    return found


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc on this system")
def test_f058_cookie_is_in_no_argument_and_no_environment_while_it_is_used(
    exofop: ExoFopDouble, jar: Path, tmp_path: Path
) -> None:
    seen: list[bytes] = []

    def look_and_answer(request: Request) -> Reply:
        if "cookie" in request.headers and len(seen) < 1:
            seen.extend(argument_lists())
        return exofop.answer(request)

    exofop.server.play("GET", "/tess/.*", look_and_answer)
    words = [sys.executable, "-c", PROGRAM, "exofop", "fetch", "--tic", str(TIC_ID), "--cookie-jar", str(jar)]
    environment = {**os.environ, "BTV_REPORT_EXOFOP_URL": exofop.url, "BTV_REPORT_CACHE_DIR": str(tmp_path / "cache")}
    subprocess.run(
        words,
        env=environment,
        cwd=tmp_path,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
    )  # what it prints names the member's own files, and is not looked at here
    assert any(b"--cookie-jar" in words for words in seen)  # it was seen at work
    assert not any(cookie_value().encode() in words for words in seen)
    assert any(entry["restricted"] for entry in files_in(tree_of(tmp_path / "cache", private=True)).values())


@pytest.fixture
def members_cache(make_client: MakeClient, cache: Path, jar: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with a member's tree, and the login in the settings."""
    make_client(jar).fetch(target=TIC_ID)
    monkeypatch.setenv("BTV_REPORT_CACHE_DIR", str(cache))
    monkeypatch.setenv("BTV_REPORT_COOKIE_JAR", str(jar))
    return cache


@pytest.mark.parametrize(
    "words",
    [
        ("doctor",), ("doctor", "--json"), ("config",), ("config", "--json"), ("cache", "list"), ("cache", "list", "--json"),
        ("cache", "clean", "--tic", str(TIC_ID), "--dry-run"),
    ],
)  # fmt: skip
def test_f058_f061_commands_about_the_machine_show_no_secret(
    members_cache: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    ran = run_command(*words, workspace=tmp_path / "workspace")
    assert "No such" not in ran.stderr  # the command and its options exist
    for secret in (COMMON, cookie_value(), "Keck"):
        assert secret not in ran.stdout + ran.stderr


def test_f058_doctor_that_asks_the_services_asks_as_anybody(
    members_cache: Path, exofop: ExoFopDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BTV_REPORT_EXOFOP_URL", exofop.url)
    before = len(exofop.asked())
    run_command("doctor", "--online", workspace=tmp_path / "workspace")
    asked = exofop.asked()[before:]
    assert asked
    assert all("cookie" not in request.headers for request in asked)


def test_f055_members_tree_is_for_its_owner_alone(members_cache: Path) -> None:
    for path in (members_cache / "exofop-private", *(members_cache / "exofop-private").rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_f058_client_shows_no_secret_of_itself(make_client: MakeClient, jar: Path) -> None:
    client = make_client(jar)
    result = client.fetch(target=TIC_ID)
    shown = [repr(vars(client)), repr(client.cookies), str(client.cookies), repr(vars(client._member()))]
    assert not any(cookie_value() in text for text in (*shown, repr(result)))
