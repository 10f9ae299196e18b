"""
Counts how many rows of the catalogue of faults have a test that is named by their id.

    python tests/house/fault_coverage.py

A test names a row in its function (`test_f013_f092_...` names two) or in the id of a parameter (`[F-031-pipe]`). A test that is
skipped on this machine counts: what is told is which rows have a test, not which hold.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECTIONS: Mapping[str, range] = {
    "2.1 network and HTTP": range(1, 28),
    "2.2 ExoFOP content": range(30, 50),
    "2.3 secrets and privacy": range(50, 66),
    "2.4 archives, files, names": range(70, 85),
    "2.5 data semantics": range(90, 113),
    "2.6 publishing": range(120, 139),
    "2.7 local machine, store, concurrency": range(140, 166),
}
"""Sections of the catalogue and the numbers of their rows; the catalogue itself may be absent."""

_IN_FUNCTION = re.compile(r"(?<![a-z0-9])f(\d{3})(?![a-z0-9])")
_IN_PARAMETER = re.compile(r"(?<![A-Za-z0-9])[Ff]-?(\d{3})(?![A-Za-z0-9])")


def rows_named(node_id: str) -> set[int]:
    """The rows that one test of pytest's list names; numbers that stand in no section are none."""
    test = node_id.rpartition("::")[2] if "[" not in node_id else node_id[: node_id.index("[")].rpartition("::")[2]
    parameter = node_id.partition("[")[2]
    numbers = {int(number) for number in (*_IN_FUNCTION.findall(test), *_IN_PARAMETER.findall(parameter))}
    return {number for number in numbers if any(number in rows for rows in SECTIONS.values())}


def coverage(node_ids: Iterable[str]) -> dict[str, tuple[int, list[int]]]:
    """For each section how many rows are named by a test, and the numbers of the others."""
    named: set[int] = set().union(*map(rows_named, node_ids))
    return {
        section: (len(named.intersection(rows)), [number for number in rows if number not in named])
        for section, rows in SECTIONS.items()
    }


def report(covered: Mapping[str, tuple[int, list[int]]]) -> str:
    """A line a section with the missing rows, and the sum."""
    lines = []
    for section, (n_named, missing) in covered.items():
        line = f"{section:<38} {n_named:>3} of {n_named + len(missing):>3}"
        lines.append(line + (f"   missing: {', '.join(f'F-{number:03}' for number in missing)}" if missing else ""))
    n_all = sum(n_named + len(missing) for n_named, missing in covered.values())
    lines.append(f"{'all':<38} {sum(n_named for n_named, _ in covered.values()):>3} of {n_all:>3}")
    return "\n".join(lines)


def collected() -> tuple[list[str], str]:
    """The node ids of all tests, those that need a network included, and what pytest said about files it could not read."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "", "-p", "no:cacheprovider"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = answer.stdout.splitlines()
    problems = [line for line in lines if line.startswith("ERROR ")]
    if answer.returncode != 0 and not problems:
        problems = [*lines[-5:], answer.stderr.strip()]
    return [line for line in lines if "::" in line and not line.startswith("ERROR ")], "\n".join(problems)


def main() -> int:
    """Print the table; 1 when some tests could not be read, so that the count is too low."""
    node_ids, problems = collected()
    print(report(coverage(node_ids)))
    if problems:
        print(f"Some tests could not be read and are not counted:\n{problems}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
