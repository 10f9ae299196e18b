"""What holds for every test: nobody reaches out of this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

NOBODY = "http://127.0.0.1:9"
"""A port where nobody answers."""


@pytest.fixture(autouse=True, scope="session")
def no_archive() -> Iterator[None]:
    """A test that forgets `--offline` finds nobody, instead of asking the real archive."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BTV_REPORT_MAST_URL", NOBODY)
        yield
