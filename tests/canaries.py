"""
Values that must not get out, each random per session (and per worker of a session that has several).

A test that needs a login writes its jar with `write_cookie_jar`; a double that holds restricted items makes them of
`restricted_note()`, `restricted_file_name()` and `restricted_bytes()`. At the end `canary_watch` searches every byte that the
session wrote and everything that it printed (see `canary_search`). A login may stand in the jars only, a restricted item below
`exofop-private/` only.

All tokens of a session begin with the same letters, so that one search finds them all; they are letters and digits, so that
they look the same in JSON, HTML, addresses and file names.
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path

PRIVATE_FOLDER = "exofop-private"
HTTP_ONLY = "#HttpOnly_"
HEADING = "# Netscape HTTP Cookie File"
WEEK_S = 7 * 86_400

COMMON = f"canary{secrets.token_hex(6)}"
"""What every token of this session begins with; a letter of `KINDS` follows."""

KINDS = {"c": "cookie value", "n": "restricted note", "f": "restricted file name", "b": "restricted bytes"}
JARS: set[Path] = set()
"""Files in which the cookie canary may stand."""

_TOKENS = {kind: f"{COMMON}{kind}{secrets.token_hex(4)}" for kind in KINDS}


def cookie_value() -> str:
    """The value of the session cookie that stands for a login."""
    return _TOKENS["c"]


def restricted_note(text: str = "Two companions inside 1 arcsec; not public yet.") -> str:
    """A note that only members may see; the token stands at both ends, so that a clipped note has one."""
    return f"{_TOKENS['n']} {text} {_TOKENS['n']}"


def restricted_file_name(suffix: str = ".dat") -> str:
    """The name of a file that only members may see."""
    return f"TIC365938305-01_{_TOKENS['f']}{suffix}"


def restricted_bytes(content: bytes = b"0.1 2.5\n0.2 4.0\n") -> bytes:
    """The bytes of a file that only members may see; the token stands at both ends."""
    token = _TOKENS["b"].encode()
    return token + b"\n" + content + token + b"\n"


def cookie_line(
    host: str,
    *,
    value: str | None = None,
    expires: int | str | None = None,
    http_only: bool = False,
    is_secure: bool = True,
) -> str:
    """One line of a jar: the session cookie of a host, as curl writes it; it lasts a week unless told otherwise."""
    until = int(time.time()) + WEEK_S if expires is None else expires
    secure = "TRUE" if is_secure else "FALSE"
    fields = (host, "FALSE", "/", secure, str(until), "PHPSESSID", cookie_value() if value is None else value)
    return (HTTP_ONLY if http_only else "") + "\t".join(fields)


def write_cookie_jar(path: Path, *lines: str, host: str = "127.0.0.1", heading: str = HEADING) -> Path:
    """
    A jar of mode 0600 that may hold the cookie canary: with these lines, else with the session cookie of `host`.

    The canary may stand at exactly this path: a copy of the jar anywhere else is a leak.
    """
    text = "\n".join([heading, "", *(lines or (cookie_line(host),))]) + "\n"
    return write_jar_bytes(path, text.encode())


def write_jar_bytes(path: Path, content: bytes, *, mode: int = 0o600) -> Path:
    """A jar of any bytes and mode, in which the cookie canary may stand."""
    path.write_bytes(content)
    path.chmod(mode)
    return allow_jar(path)


def allow_jar(path: Path) -> Path:
    """Let the cookie canary stand in this file, which something else writes (curl, wget)."""
    JARS.add(path.absolute())
    return path
