"""Built sites, and a real browser to read them."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from btv_report.record import RunRecord
from btv_report.render.site import build_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

RecordMaker = Callable[..., RunRecord]
Entry = tuple[str, str, RunRecord]


@pytest.fixture(scope="session")
def make_record() -> RecordMaker:
    """Makes run records: the factory of the dossier tests."""
    path = Path(__file__).parents[1] / "dossier" / "record_factory.py"
    spec = importlib.util.spec_from_file_location("render_record_factory", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    maker: RecordMaker = module.make_record
    return maker


@pytest.fixture(scope="session")
def entries(make_record: RecordMaker) -> list[Entry]:
    """Three targets: with two sectors, without an ephemeris, and simulated; not to be changed."""
    return [
        ("20261121T014500Z-1a2b3c4d", "ab" * 32, make_record()),
        ("20261121T014502Z-1a2b3c4f", "ef" * 32, make_record(tic_id=301, ephemeris=False, sectors=(83,))),
        ("20261121T014501Z-1a2b3c4e", "cd" * 32, make_record(tic_id=9000000001, simulated=True, sectors=(90,))),
    ]


@pytest.fixture(scope="session")
def site(entries: list[Entry], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built site of three targets; not to be changed."""
    folder = tmp_path_factory.mktemp("built") / "site"
    build_site(entries, folder, ledger_head="12" * 32)
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; without it these tests are skipped, except where CI says that it must be there."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    required = os.environ.get("CI") == "true"
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        if required:
            raise
        pytest.skip("playwright is not installed")
    if chromium is None:
        if required:
            pytest.fail("CI must have Chromium, and it is not on the PATH")
        pytest.skip("Chromium is not on the PATH")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium)
        yield started
        started.close()
