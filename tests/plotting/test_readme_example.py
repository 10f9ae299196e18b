"""The lines that the README shows work on the records that are shipped."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECORDS = sorted((ROOT / "examples" / "showcase" / "runs").glob("*/*.json"))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: str(path.parent.name))
def test_the_readme_draws_a_check_of_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = [block for block in re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL) if "plot_" in block]
    monkeypatch.chdir(tmp_path)
    record = json.loads(path.read_text(encoding="utf-8"))
    exec(compile(example, "README.md", "exec"), {"record": record})  # noqa: S102 - our own file
    page = (tmp_path / "difference-image.html").read_text(encoding="utf-8")
    assert "V09 Difference image" in page


def test_the_shipped_records_are_there() -> None:
    assert len(RECORDS) >= 4
