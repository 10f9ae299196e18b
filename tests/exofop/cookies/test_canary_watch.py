"""The search for secrets finds what it must, allows what it may, and fails a session in which something got out."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from tests import canaries, canary_search
from tests.canary_search import Findings, search_text, search_tree

ROOT = Path(__file__).resolve().parents[3]
FAKE = "canaryaaaaaaaaaaaa"
"""Stands for the beginning of the session's tokens in these tests: the true one may not lie in their files."""


@pytest.fixture(autouse=True)
def fake_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary_search, "COMMON", FAKE)
    monkeypatch.setattr(canary_search, "_NEEDLE", FAKE.encode())
    monkeypatch.setattr(canary_search, "_PIECE", 1 << 12)


def token(kind: str) -> str:
    return f"{FAKE}{kind}01234567"


def found_in(folder: Path) -> Findings:
    findings = Findings()
    search_tree(folder, findings)
    return findings


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def put_zip(path: Path, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("first.txt", b"nothing")
        archive.writestr("second.txt", content)


def put_shut(path: Path, content: bytes) -> None:
    put(path, content).chmod(0)
    path.parent.chmod(0)


def put_store(path: Path, text: str) -> None:
    with duckdb.connect(path) as store:
        store.execute("CREATE TABLE note (number INTEGER, texts VARCHAR[])")
        store.executemany("INSERT INTO note VALUES (?, ?)", [(number, [f"{text} {number}"]) for number in range(300)])


SECRET = b"x" * 5000 + token("n").encode() + b"y" * 5000
PLANTED: dict[str, tuple[Callable[[Path], object], str]] = {
    "file": (lambda top: put(top / "a" / "b.log", SECRET), "restricted note in a/b.log"),
    "end of a file": (lambda top: put(top / "b", b"." + FAKE.encode()), "a cut canary in b"),
    "bytes": (lambda top: put(top / "c.bin", token("b").encode()), "restricted bytes in c.bin"),
    "name": (lambda top: put(top / f"d-{token('f')}.dat", b""), "restricted file name in the name of d-<canary>.dat"),
    "folder": (lambda top: (top / token("f")).mkdir(), "restricted file name in the name of <canary>"),
    "link": (lambda top: (top / "e").symlink_to(token("c")), "cookie value in e"),
    "gzip": (lambda top: put(top / "f.gz", gzip.compress(b"a") + gzip.compress(SECRET)), "restricted note in f.gz"),
    "cut gzip": (lambda top: put(top / "g.gz", gzip.compress(SECRET)[:-9]), "restricted note in g.gz"),
    "zip": (lambda top: put_zip(top / "h.zip", SECRET), "restricted note in h.zip"),
    "lzma zip": (lambda top: put_zip(top / "i.zip", SECRET, zipfile.ZIP_LZMA), "restricted note in i.zip"),
    "store": (lambda top: put_store(top / "s.duckdb", token("n")), "restricted note in s.duckdb"),
    "name like the private folder": (
        lambda top: put(top / "exofop-private.txt", token("n").encode()),
        "restricted note in exofop-private.txt",
    ),
    "login in the private folder": (
        lambda top: put(top / "exofop-private" / "manifest.json", token("c").encode()),
        "cookie value in exofop-private/manifest.json",
    ),
    "file without rights": (lambda top: put_shut(top / "shut" / "j", token("c").encode()), "cookie value in shut/j"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_f058_f061_what_got_out_is_found_and_told_by_its_place(tmp_path: Path, name: str) -> None:
    plant, place = PLANTED[name]
    plant(tmp_path)
    findings = found_in(tmp_path)
    assert findings.hits == [place]
    assert not findings.is_clean


@pytest.mark.parametrize("at", range((1 << 12) - 30, (1 << 12) + 4))
def test_token_across_two_pieces_of_a_packed_file_is_found_once(tmp_path: Path, at: int) -> None:
    put(tmp_path / "x.gz", gzip.compress(b"x" * at + token("n").encode() + b"y" * 100))
    assert found_in(tmp_path).hits == ["restricted note in x.gz"]


def test_restricted_things_may_lie_below_the_private_folder(tmp_path: Path) -> None:
    private = tmp_path / "cache" / "exofop-private" / "tic_1" / "files"
    put(private / f"1_{token('f')}.dat", token("b").encode() + token("n").encode() + FAKE.encode())
    assert found_in(tmp_path).is_clean


def test_f059_login_may_lie_in_the_jar_that_was_written_and_in_no_copy(tmp_path: Path) -> None:
    jar = canaries.write_jar_bytes(tmp_path / "jar.txt", token("c").encode())
    assert found_in(tmp_path).is_clean
    put(tmp_path / "cache" / "jar.txt", jar.read_bytes())
    assert found_in(tmp_path).hits == ["cookie value in cache/jar.txt"]


def test_broken_archives_and_things_without_bytes_are_no_hindrance(tmp_path: Path) -> None:
    put(tmp_path / "a.zip", b"PK\x03\x04" + os.urandom(100))
    put(tmp_path / "b.gz", b"\x1f\x8b" + os.urandom(100))
    put_zip(tmp_path / "c.zip", b"whole")
    cut = (tmp_path / "c.zip").read_bytes()
    for n_bytes in range(4, len(cut)):
        put(tmp_path / "cut" / f"{n_bytes}.zip", cut[:n_bytes])
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert found_in(tmp_path).is_clean


def test_part_of_a_bomb_that_is_not_unpacked_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary_search, "_MOST_UNPACKED", 10_000)
    monkeypatch.setattr(canary_search, "_MOST_MEMBERS", 1)
    put(tmp_path / "bomb.gz", gzip.compress(bytes(1_000_000)))
    put_zip(tmp_path / "many.zip", b"x")
    assert sorted(found_in(tmp_path).cut_short) == ["bomb.gz", "many.zip"]


def test_rows_of_a_store_are_read_whatever_its_bytes_look_like(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_store(tmp_path / "s.duckdb", token("n"))
    monkeypatch.setattr(canary_search, "_kinds_in_file", lambda *_: set())
    assert found_in(tmp_path).hits == ["restricted note in s.duckdb"]
    os.truncate(tmp_path / "s.duckdb", 5000)
    assert found_in(tmp_path).n_broken_stores == 1


@pytest.mark.parametrize(
    "text", ["{}", "before {} after", "\N{BOX DRAWINGS LIGHT VERTICAL} {0}\n", "{1}\n    {2}", "{1} |\n| {2}"]
)
def test_printed_token_is_found_also_where_a_terminal_broke_it(text: str) -> None:
    findings, secret = Findings(), token("c")
    search_text(text.format(secret, secret[:9], secret[9:]), "stdout of a test", findings)
    assert findings.hits == ["cookie value in stdout of a test"]


SESSION = """
import logging, subprocess, sys
from pathlib import Path
import click, pytest
from click.testing import CliRunner
from tests import canaries

@click.command()
def say():
    click.echo(canaries.cookie_value(), err=True)

def test_good(tmp_path):
    canaries.write_cookie_jar(tmp_path / "jar.txt")
    (tmp_path / "exofop-private").mkdir()
    (tmp_path / "exofop-private" / canaries.restricted_file_name()).write_bytes(canaries.restricted_bytes())
    print("public", canaries.PRIVATE_FOLDER)
"""
LEAKS = """
def test_file(tmp_path):
    (tmp_path / "page.html").write_text(canaries.restricted_note())

def test_name(tmp_path):
    (tmp_path / canaries.restricted_file_name()).touch()

def test_print():
    print(canaries.cookie_value())

def test_log():
    logging.getLogger("somebody").warning("asked with %s", canaries.cookie_value())

def test_command():
    assert CliRunner().invoke(say).exit_code == 0

def test_child():
    code = "import sys; sys.stderr.write(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, canaries.cookie_value()], capture_output=True, check=True)

def test_caught(capsys):
    print(canaries.cookie_value())
    capsys.readouterr()

@pytest.fixture
def leaves(tmp_path):
    yield
    sys.stderr.write(canaries.restricted_bytes().decode())

def test_teardown(leaves):
    pass
"""


def run_session(folder: Path, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A session of its own with the plugin, and tokens of its own."""
    path = put(folder / "test_inner.py", text.encode())
    options = ["-q", "-p", "tests.canary_watch", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(folder)]
    command = [sys.executable, "-m", "pytest", *options, f"--basetemp={folder / 'base'}", *words, str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


with_and_without_workers = pytest.mark.parametrize("words", [(), ("-n", "2")], ids=["alone", "two-workers"])


@with_and_without_workers
def test_f058_session_in_which_a_secret_gets_out_has_failed(tmp_path: Path, words: tuple[str, ...]) -> None:
    ran = run_session(tmp_path, SESSION + LEAKS, *words)
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED, ran.stdout + ran.stderr
    assert "9 passed" in ran.stdout
    for leak in LEAKS.split("def test_")[1:]:
        name = leak.split("(")[0]
        assert re.search(rf"^LEAK: .*test_{name}", ran.stdout, flags=re.MULTILINE), (name, ran.stdout)
    assert "test_good" not in ran.stdout
    assert not re.search(r"canary[0-9a-f]{12}", ran.stdout + ran.stderr)


@with_and_without_workers
def test_f058_session_that_keeps_its_secrets_passes_and_says_what_was_searched(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    ran = run_session(tmp_path, SESSION, *words)
    assert ran.returncode == pytest.ExitCode.OK, ran.stdout + ran.stderr
    assert re.search(r"^canaries: 2 files \(0 MB\) and 2 outputs searched, 0 hits$", ran.stdout, re.MULTILINE)


def test_f058_what_a_worker_wrote_that_died_is_not_taken_for_searched(tmp_path: Path) -> None:
    dies = "\ndef test_dies():\n    import os\n    os._exit(0)\n"
    ran = run_session(tmp_path, SESSION + dies, "-n", "1", "--max-worker-restart=0")
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED, ran.stdout + ran.stderr
    assert "NOT SEARCHED: all that worker gw0 wrote, which died" in ran.stdout.splitlines()


def test_tokens_of_this_session_are_random_and_alike_in_any_format() -> None:
    texts = [canaries.cookie_value(), canaries.restricted_note(), canaries.restricted_file_name()]
    texts.append(canaries.restricted_bytes().decode())
    assert all(text.count(canaries.COMMON) in {1, 2} for text in texts)
    assert canaries.COMMON.isalnum()
    assert FAKE not in canaries.COMMON
