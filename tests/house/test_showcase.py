"""The published showcase is what its committed records render to, byte for byte, on any day."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "site"
SHOWCASE = ROOT / "examples" / "showcase"


@pytest.fixture
def render_showcase() -> Callable[[Path, Path], None]:
    spec = importlib.util.spec_from_file_location("renew_showcase", ROOT / "examples" / "renew_showcase.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Callable[[Path, Path], None] = module.render_showcase
    return function


def files_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_f163_showcase_rendered_again_from_its_records_is_byte_identical(
    render_showcase: Callable[[Path, Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    monkeypatch.setenv("LANG", "C")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "4102444800")
    render_showcase(SHOWCASE, tmp_path / "site")
    committed, again = files_below(SITE), files_below(tmp_path / "site")
    assert sorted(again) == sorted(committed)
    different = [name for name, data in again.items() if data != committed[name]]
    assert not different, "`make site` renews the showcase; look at the difference before committing it"


def test_showcase_has_a_dossier_of_each_scene_and_each_says_simulated() -> None:
    pages = sorted(SITE.glob("tic/*/index.html"))
    assert len(pages) == len(list((ROOT / "examples" / "scenes").glob("*.toml")))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        title = re.search(r"<title>(.*?)</title>", text, flags=re.DOTALL)
        assert title is not None
        assert "SIMULATED" in title.group(1)
        assert "SIMULATED" in text.split("<h1", 1)[1]


def test_f064_showcase_names_no_user_or_folder_of_a_machine() -> None:
    private = {str(Path.home()), str(ROOT), os.environ.get("HOSTNAME") or str(ROOT)}
    for name, data in {**files_below(SITE), **files_below(SHOWCASE)}.items():
        if "plotly" not in name:
            assert not [word for word in private if len(word) > 3 and word.encode() in data], name
