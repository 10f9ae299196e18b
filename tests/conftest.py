"""What holds for every test: nobody reaches out of this machine, no secret gets out of a test; and one browser for all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest_plugins = ["tests.canary_watch"]

NOBODY = "http://127.0.0.1:9"
"""A port where nobody answers."""


@pytest.fixture(autouse=True, scope="session")
def no_archive() -> Iterator[None]:
    """A test that forgets `--offline` finds nobody, instead of asking the real archive."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BTV_REPORT_MAST_URL", NOBODY)
        patch.setenv("BTV_REPORT_EXOFOP_URL", NOBODY)
        yield


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


@pytest.fixture
def everybodys_folder() -> Iterator[Path]:
    """A folder that other users can look into, which those of pytest are not."""
    folder = Path(tempfile.mkdtemp(prefix="btv-report-test-"))
    folder.chmod(0o755)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o700)
    shutil.rmtree(folder)
