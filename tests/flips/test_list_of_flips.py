"""Every convention that must be guarded has its flips, and no two flips share a name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROW = re.compile(r"^    \(\"([^\"]+)\", ", flags=re.MULTILINE)
NAMES = [
    name
    for path in sorted(Path(__file__).parent.glob("test_flips_of_*.py"))
    for name in ROW.findall(path.read_text(encoding="utf-8").partition("\nFLIPS")[2])
]
CONVENTIONS = {
    "row-column": 20,
    "RA-Dec": 8,
    "east-west": 5,
    "0-1-based": 5,
    "half-pixel": 8,
    "hours-days": 6,
    "ppm-fraction": 6,
    "per-second-per-cadence": 4,
    "BTJD-BJD": 5,
    "row 0 at the top": 6,
}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_each_convention_is_turned_round_in_every_place_that_holds_it(convention: str) -> None:
    assert sum(name.startswith(convention) for name in NAMES) >= CONVENTIONS[convention]


def test_no_name_stands_for_many_flips() -> None:
    assert len(NAMES) > 130
    repeated = {name for name in NAMES if NAMES.count(name) > 2}
    assert not repeated
