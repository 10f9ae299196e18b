"""The lines that the README shows work on the records that are shipped."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECORDS = sorted((ROOT / "examples" / "showcase" / "runs").glob("*/*.json"))


DATA = ROOT.parent / "shared" / "data"


def readme_block(words: str) -> str:
    """The one Python block of the README with these words."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks: list[str] = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    (example,) = [block for block in blocks if words in block]
    return example


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: str(path.parent.name))
def test_the_readme_draws_a_check_of_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    record = json.loads(path.read_text(encoding="utf-8"))
    exec(compile(readme_block("plot_"), "README.md", "exec"), {"record": record})  # noqa: S102 - our own file
    page = (tmp_path / "difference-image.html").read_text(encoding="utf-8")
    assert "V09 Difference image" in page


def test_the_shipped_records_are_there() -> None:
    assert len(RECORDS) >= 4


@pytest.mark.data
def test_the_readme_reports_a_real_star_of_several_sectors_and_draws_its_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of its four sectors have no pixel file, so their checks were not run."""
    files = sorted(DATA.rglob("*0000000188646744*.fits*"))
    if not files:
        pytest.skip("the real files of TIC 188646744 are not beside this checkout")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tess").mkdir()
    for path in files:
        (tmp_path / "tess" / path.name).symlink_to(path)
    names: dict[str, object] = {}
    for words in ("import Ephemeris, report", "plot_"):
        exec(compile(readme_block(words), "README.md", "exec"), names)  # noqa: S102 - our own file
    assert "V09 Difference image" in (tmp_path / "difference-image.html").read_text(encoding="utf-8")
