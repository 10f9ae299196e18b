"""The command line, run in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from btv_report.cli.main import cli


@dataclass(frozen=True)
class Ran:
    """What a command did: exit code, stdout, stderr, and stdout as JSON when it is."""

    code: int
    stdout: str
    stderr: str

    @property
    def answer(self) -> dict[str, Any]:
        parsed = json.loads(self.stdout, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
        assert isinstance(parsed, dict)
        return parsed


Run = Callable[..., Ran]


def run_command(*words: str | Path, workspace: Path | None = None) -> Ran:
    """Run `btv-report`; an exception that is not an exit is raised."""
    place = () if workspace is None else ("--workspace", str(workspace))
    result = CliRunner().invoke(cli, [*map(str, words), *place], prog_name="btv-report")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)
