"""
Makes the showcase's dossiers with three sets of dependencies and holds their numbers against the committed records.

    python tests/house/drift.py          (make drift: some minutes, and a package registry)

The sets are the oldest releases that `pyproject.toml` admits, those of `constraints.txt`, and the newest that the registry has.
Each is installed into an environment of its own that is thrown away. Numbers may differ by their last digits (1e-9); anything
else, a byte of a simulated file included, is drift.
"""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / "examples" / "showcase" / "runs"
RECORDS_DATED = "1767225600"
TOLERANCE = 1e-9
SHOWN = ("astropy", "duckdb", "lightkurve", "numpy", "plotly", "scipy")
NOT_COMPARED = ("run",)
"""The run names the versions themselves, and the hash of the record depends on them."""

_MINIMUM = re.compile(r"([A-Za-z0-9._-]+)>=([0-9.]+)")


def oldest_constraints(pyproject: Path) -> list[str]:
    """Each direct dependency held to the release that its lower bound names: `numpy>=2.0` is `numpy==2.0.*`."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    found = [_MINIMUM.match(requirement) for requirement in project["dependencies"]]
    return [f"{match[1]}=={match[2]}.*" for match in found if match]


def load_records(runs: Path) -> dict[str, Any]:
    """The newest record of each star below a workspace's `runs`, by TIC number."""
    return {
        folder.name: json.loads(sorted(folder.glob("*.json"))[-1].read_bytes())
        for folder in sorted(runs.iterdir())
        if folder.is_dir()
    }


def differences(old: Any, new: Any, where: str = "") -> Iterator[str]:
    """Where two records differ by more than the last digits of a number."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            place = f"{where}.{key}" if where else key
            if place in NOT_COMPARED:
                continue
            if key in old and key in new:
                yield from differences(old[key], new[key], place)
            else:
                yield f"{place}: only in the {'old' if key in old else 'new'} record"
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (first, second) in enumerate(zip(old, new, strict=True)):
            yield from differences(first, second, f"{where}.{place}")
    elif _are_numbers(old, new):
        if not math.isclose(old, new, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            yield f"{where}: {old!r} became {new!r}"
    elif old != new:
        yield f"{where}: {str(old)[:80]!r} became {str(new)[:80]!r}"


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def drift_between(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The differences between the records of two runs of the demo, each with its star."""
    if old.keys() != new.keys():
        return [f"the stars are {sorted(new)}, and were {sorted(old)}"]
    return [f"TIC {tic_id}, {line}" for tic_id, record in old.items() for line in differences(record, new[tic_id])]


def drift_of(constraints: list[str], folder: Path) -> tuple[str, list[str]]:
    """The versions that a set of constraints gives, and how far its dossiers drift; made in `folder`."""
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    held = folder / "constraints.txt"
    held.write_text("\n".join(constraints), encoding="utf-8")
    install: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-c",
        held,
        ROOT,
    ]
    subprocess.run(install, check=True, capture_output=True)
    code = f"import importlib.metadata as m; print(', '.join(n + ' ' + m.version(n) for n in {SHOWN!r}))"
    versions = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    demo: list[str | Path] = [folder / "venv" / "bin" / "btv-report", "demo", "--workspace", folder / "demo"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": RECORDS_DATED, "HOME": str(folder)}
    subprocess.run(demo, check=True, capture_output=True, env=environment)
    return versions, drift_between(load_records(RUNS), load_records(folder / "demo" / "runs"))


def main() -> int:
    """Print a line a set with its drift; 1 when there is any."""
    tested = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    sets = {"oldest": oldest_constraints(ROOT / "pyproject.toml"), "tested": tested, "newest": []}
    drifted = False
    for name, constraints in sets.items():
        with tempfile.TemporaryDirectory() as folder:
            versions, found = drift_of(constraints, Path(folder))
        drifted |= bool(found)
        print(f"{name}: {versions}: {f'{len(found)} differences' if found else 'no drift'}", flush=True)
        for line in found[:20]:
            print(f"    {line}")
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(main())
