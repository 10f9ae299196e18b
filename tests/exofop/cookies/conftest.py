"""A moment, ExoFOP's address, and jars that differ from a good one in one thing."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.canaries import cookie_line, cookie_value, write_cookie_jar

from btv_report.exofop.cookies import ExoFopCookies, read_cookie_jar

NOW = 1_790_000_000.0
"""2026-09-21 14:13:20 UTC."""

WEEK_S = 7 * 86_400
HOST = "exofop.ipac.caltech.edu"
URL = f"https://{HOST}/tess/"

ReadLines = Callable[..., ExoFopCookies]


def line(host: str = HOST, **changes: object) -> str:
    """The session cookie of a host, which lasts a week from `NOW`."""
    return cookie_line(host, **{"expires": int(NOW) + WEEK_S, **changes})  # type: ignore[arg-type]


@pytest.fixture
def read_lines(tmp_path: Path) -> ReadLines:
    """Write a jar of these lines and read it."""

    def read(*lines: str, url: str = URL, now: float = NOW, **options: str) -> ExoFopCookies:
        return read_cookie_jar(write_cookie_jar(tmp_path / "jar.txt", *lines, **options), url, now=now)

    return read


def shows_the_secret(error: BaseException) -> bool:
    """Whether any eight letters of the cookie's value stand in an error, its fields, its causes or their traceback."""
    told = "".join(traceback.format_exception(error)) + repr(error) + str(error) + repr(vars(error))
    value = cookie_value()
    return any(value[at : at + 8] in told for at in range(len(value) - 7))
