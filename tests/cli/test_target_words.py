"""How a target is typed: positions south of the equator keep their minus sign without quotes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from btv_report.cli.report import report_command, southern_positions


@pytest.mark.parametrize(
    ("words", "target"),
    [
        (("84.29", "-80.469"), "84.29 -80.469"),
        (("84.29", "-80.469", "--sector", "14"), "84.29 -80.469"),
        (("--sector", "14", "84.29", "-80.469", "-q"), "84.29 -80.469"),
        (("05:37:09.9", "-80:28:08.8"), "05:37:09.9 -80:28:08.8"),
        (("05", "37", "09.9", "-80", "28", "08.8"), "05 37 09.9 -80 28 08.8"),
        (("84.29 -80.469",), "84.29 -80.469"),
        (("--", "84.29", "-80.469"), "84.29 -80.469"),
        (("84.29", "--", "-80.469"), "84.29 -80.469"),
    ],
)
def test_southern_position_is_a_target(run: Any, tmp_path: Path, words: tuple[str, ...], target: str) -> None:
    place = ("--offline", "--workspace", str(tmp_path))
    ran = run("report", *place, *words, workspace=None)
    assert ran.code == 4
    assert f"{target!r} has to be looked up" in ran.stderr


def test_numbers_below_zero_stay_with_their_option() -> None:
    words = ["7", "--epoch", "-36525", "--period", "1.3", "-v", "--duration=-2"]
    assert southern_positions(words, report_command.params) == words


@pytest.mark.parametrize("words", [("--no-such-option",), ("84.29", "-80.469", "--no-such-option"), ("-5",)])
def test_other_slips_are_usage_errors(run: Any, words: tuple[str, ...]) -> None:
    assert run(*words, "--offline").code == 2


def test_workspace_that_is_a_file_is_refused_in_a_dry_run(run: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = run("123", "--offline", "--dry-run", workspace=tmp_path / "file")
    assert ran.code == 6
    assert "is a file, not a folder" in ran.stderr


def test_full_disk_is_told_with_the_variable_of_the_cache() -> None:
    import errno

    from btv_report.atomic import environment_error

    for number in (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT):
        hint = environment_error(OSError(number, "x"), "write to", Path("/somewhere")).hint
        assert "--workspace" in hint
        assert "BTV_REPORT_CACHE_DIR" in hint
