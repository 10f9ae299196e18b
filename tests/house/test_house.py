"""The house stays tidy: style, types, sizes, what may be committed, what may be imported."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 500
ALLOWED_TOP_LEVEL = {
    "src", "templates", "tests", "site", "examples", "README.md", "CHANGELOG.md", "LICENSE", "Makefile", "CITATION.cff",
    "pyproject.toml", "constraints.txt",
}  # fmt: skip
REGISTRY_ADDRESS = re.compile(r"://[^ \"]*(/simple/|/packages/[0-9a-f]{2}/|/-/[^ \"]*[.]tgz|/debian/(pool|dists)/)")
MACHINE_PATH = re.compile(r"(^|[^\w./-])/(work|farm|root|home)/\w", flags=re.MULTILINE)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def committed_files() -> list[Path]:
    listing = run("git", "ls-files", "-z")
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.split("\0") if name]


def text_of(path: Path) -> str | None:
    raw = path.read_bytes() if path.is_file() else b"\0"
    return None if b"\0" in raw[:8192] else raw.decode("utf-8", errors="replace")


@pytest.mark.parametrize("command", [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)])
def test_lint_and_types_pass(command: tuple[str, ...]) -> None:
    result = run(sys.executable, "-m", *command)
    assert result.returncode == 0, result.stdout + result.stderr


def test_top_level_holds_only_the_rooms_of_the_design() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in committed_files()}
    assert {name for name in names if not name.startswith(".")} <= ALLOWED_TOP_LEVEL


def test_no_source_file_outgrows_its_room() -> None:
    large = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "src").rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert not large


def test_no_registry_address_and_no_path_of_a_machine_is_committed() -> None:
    bundle = re.compile(r"site/assets/plotly")
    found = []
    for path in committed_files():
        name = str(path.relative_to(ROOT))
        text = None if bundle.match(name) or path == Path(__file__).resolve() else text_of(path)
        if text and (REGISTRY_ADDRESS.search(text) or MACHINE_PATH.search(text)):
            found.append(name)
    assert not found


def test_constraints_hold_names_and_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+( ; .+)?", pin) for pin in pins)


def test_every_dependency_earns_its_place_in_a_sentence() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for block in re.findall(r"^(?:dependencies|dev) = \[\n(.*?)^\]", text, flags=re.MULTILINE | re.DOTALL):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        for before, line in zip(["", *lines], lines, strict=False):
            assert line.startswith("#") or before.startswith("#"), line


@pytest.mark.parametrize(
    "needle", [r"pickle\.load", r"allow_pickle=True", r"verify=False", r"extractall\(", r"\|\s*safe\b", r"shell=True"]
)
def test_f153_dangerous_calls_do_not_occur(needle: str) -> None:
    pattern = re.compile(needle)
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "templates").rglob("*.j2")]
    assert not [path.name for path in sources if pattern.search(path.read_text(encoding="utf-8"))]


def test_one_place_opens_duckdb_one_opens_sockets_and_one_knows_the_archives_libraries() -> None:
    sources = {
        path.relative_to(ROOT / "src" / "btv_report").as_posix(): path.read_text(encoding="utf-8")
        for path in (ROOT / "src").rglob("*.py")
    }

    def importers(*modules: str) -> set[str]:
        names = "|".join(re.escape(module) for module in modules)
        pattern = re.compile(rf"^\s*(?:import|from) (?:{names})\b", flags=re.MULTILINE)
        return {path for path, text in sources.items() if pattern.search(text)}

    assert {path.split("/")[0] for path, text in sources.items() if "duckdb.connect" in text} == {"store"}
    assert importers("socket", "requests", "urllib.request", "http.client") == {
        "archive/transport.py", "archive/fetch.py", "archive/fetch_answers.py", "archive/attempt.py", "archive/mast_session.py",
    }  # fmt: skip
    assert importers("lightkurve", "astroquery") == {"archive/mast_session.py"}


def test_rooms_import_only_what_lies_upstream_of_them() -> None:
    forbidden = {
        "fits": {"archive", "exofop", "products", "checks", "store", "stages", "dossier", "render", "cli"},
        "products": {"archive", "exofop", "checks.v", "store", "stages", "dossier", "render", "cli"},
        "checks": {"archive", "exofop", "store", "stages", "dossier", "render", "cli"},
        "archive": {"exofop", "checks", "store", "stages", "dossier", "render", "cli"},
        "calibration": {"exofop", "stages", "dossier", "render", "cli"},
        "store": {"checks", "stages", "dossier", "render", "cli"},
        "dossier": {"archive", "store", "stages", "render", "cli"},
    }
    wrong = [
        f"{path.name} imports {room}"
        for home, rooms in forbidden.items()
        for path in (ROOT / "src" / "btv_report" / home).rglob("*.py")
        for room in rooms
        if re.search(rf"^\s*from btv_report\.{re.escape(room)}", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    ]
    assert not wrong


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from btv_report.cli.main import cli\n"
        "for words in (['--help'], ['report', '--help'], ['--version']):\n"
        "    assert CliRunner().invoke(cli, words).exit_code == 0, words\n"
        "heavy = {'numpy', 'astropy', 'lightkurve', 'astroquery', 'plotly', 'duckdb', 'jinja2', 'scipy', 'rich', 'requests'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    assert run(sys.executable, "-c", code).stdout.strip() == "[]"
