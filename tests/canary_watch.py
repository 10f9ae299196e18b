"""
A pytest plugin: at the end of a session nothing secret stands in what it wrote or printed, or the session has failed.

What is searched: every name and byte below the session's folder of temporary files; what each test printed or logged; and what
tests caught themselves: output of commands run in this process (CliRunner), of child processes (communicate), and of
`capsys.readouterr`.

Where pytest-xdist hands tests out to workers, each has tokens of its own, searches what it wrote and printed itself, and tells
what it found; a worker that dies cannot, which fails the session like a hit.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click.testing
import pytest
from tests.canary_search import Findings, search_text, search_tree

FINDINGS = pytest.StashKey[Findings]()
FOLDER = pytest.StashKey[Path]()
TOLD = "canaries"
"""Under which name a worker tells what it found."""
_MOST_SHOWN = 50


def pytest_configure(config: pytest.Config) -> None:
    """Begin with nothing found."""
    findings = Findings()
    config.stash[FINDINGS] = findings
    config.pluginmanager.register(_ReportSearch(findings), "canary-reports")


class _ReportSearch:
    """Sees the report of each phase of each test, which holds what it printed and logged."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if hasattr(report, "node"):
            return  # a worker made it, and has searched it for its own tokens
        for title, text in report.sections:
            search_text(text, f"{title} of {report.nodeid}", self.findings)


@pytest.fixture(autouse=True, scope="session")
def canaries_are_searched_for(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Remember where this session writes, and look at what its tests catch of the output of others."""
    findings = request.config.stash[FINDINGS]
    request.config.stash[FOLDER] = tmp_path_factory.getbasetemp()

    def search(what: str, *texts: str | bytes | None) -> None:
        place = os.environ.get("PYTEST_CURRENT_TEST", "a session fixture")
        for text in texts:
            if text:
                search_text(text, f"{what} of {place}", findings)

    with pytest.MonkeyPatch.context() as patch:
        _watch(patch, click.testing.CliRunner, "invoke", lambda ran: search("the command", ran.stdout, ran.stderr))
        _watch(patch, subprocess.Popen, "communicate", lambda caught: search("a child process", *caught))
        _watch(patch, pytest.CaptureFixture, "readouterr", lambda caught: search("the output", caught.out, caught.err))
        yield


def _watch(patch: pytest.MonkeyPatch, owner: type[Any], name: str, look: Callable[[Any], None]) -> None:
    """Look at what a method gives back, each time."""
    method = getattr(owner, name)

    def watched(*args: Any, **options: Any) -> Any:
        result = method(*args, **options)
        look(result)
        return result

    patch.setattr(owner, name, watched)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Search the files while they are all there, and fail the session for a hit."""
    findings, folder = session.config.stash[FINDINGS], session.config.stash.get(FOLDER, None)
    if folder is not None:
        search_tree(folder, findings)
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[TOLD] = asdict(findings)
    if not findings.is_clean and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker found in what it wrote and printed."""
    findings = node.config.stash[FINDINGS]
    told = getattr(node, "workeroutput", {}).get(TOLD)
    if told is None:
        findings.not_searched.append(f"all that worker {node.gateway.id} wrote, which died")
    else:
        findings += Findings(**told)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was searched, and where something was found."""
    findings = config.stash[FINDINGS]
    if findings.is_clean and not findings.n_folders:
        return  # no test has run
    if not findings.is_clean:
        terminalreporter.section("secrets that got out", red=True)
    for place in findings.hits[:_MOST_SHOWN]:
        terminalreporter.write_line(f"LEAK: {place}", red=True)
    for place in findings.not_searched[:_MOST_SHOWN]:
        terminalreporter.write_line(f"NOT SEARCHED: {place}", red=True)
    for place in findings.cut_short[:_MOST_SHOWN]:
        terminalreporter.write_line(f"canaries: only a part was unpacked of {place}")
    broken = f", {findings.n_broken_stores} broken stores as bytes only" if findings.n_broken_stores else ""
    terminalreporter.write_line(
        f"canaries: {findings.n_files:,} files ({findings.n_bytes / 1e6:,.0f} MB{broken}) "
        f"and {findings.n_texts:,} outputs searched, {len(findings.hits)} hits"
    )
