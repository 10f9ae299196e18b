"""
A cookie file in Netscape's format, as curl and wget write it, read line by line.

Python's own reader quotes the line that it cannot read, and with it the secret. Here an error names the number of a line and what
is wrong with it, never a word of it; no exception with the line in it is raised on the way, and no value has a text form.
"""

from __future__ import annotations

import errno
import os
import re
import shlex
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from btv_report.archive.limits import MB
from btv_report.archive.stored_files import open_regular
from btv_report.errors import LocalEnvironmentError, UsageError

MAX_JAR_BYTES = 1 * MB
NEW_JAR = "Log in to ExoFOP again with curl or wget, and let it write a new jar (curl -c, wget --save-cookies)."

_HEADER = re.compile(r"#\s*(netscape )?http cookie file", re.IGNORECASE)  # wget has written it in lower case
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_HTTP_ONLY = "#HttpOnly_"
_N_FIELDS = 7
_EXPIRY = re.compile(r"\d{1,15}(\.\d*)?", re.ASCII)
_LAST_MOMENT = 253_402_300_799  # the end of the year 9999, beyond which a date cannot be written

_NO_PLAIN_FILE = {
    errno.ELOOP: "is a symbolic link, which could lead anywhere",
    errno.EINVAL: "is no plain file",
    errno.ENXIO: "is no plain file",
    errno.EISDIR: "is no plain file",
    errno.ENOENT: "does not exist",
    errno.ENOTDIR: "does not exist",
}


@dataclass(frozen=True, repr=False)
class CookieLine:
    """
    One cookie of a file; it has no text form, because its value is a secret.

    Attributes
    ----------
    number : of the line, from 1
    domain : in lower case, as written, with a port where wget wrote one
    has_subdomains : whether the second field says that hosts below the domain get it, too
    path : prefix of the paths that get it
    expires : seconds since 1970; None for a cookie that lasts as long as its session (0 or empty in the file)
    name, value : as written
    """

    number: int
    domain: str
    has_subdomains: bool
    path: str
    expires: float | None
    name: str
    value: str


def read_cookie_lines(path: Path) -> list[CookieLine]:
    """
    Every cookie of a file.

    Parameters
    ----------
    path : a plain file of our own that nobody else can read, at most 1 MB

    Raises
    ------
    UsageError
        If there is no such file, it is a link or no plain file, or it is no cookie file: the number of the line is named.
    LocalEnvironmentError
        If others can read it (the `chmod` to run is named), it belongs to another user, or the machine does not let it be read.
    """
    return list(_parse(_read_private(path), path))


def malformed(path: Path, number: int, what: str, hint: str = NEW_JAR) -> UsageError:
    """The refusal of a line, which is named by its number only."""
    return UsageError(
        f"Line {number} of the cookie jar {path} {what}; nothing of the line is shown here, because it may hold your login.",
        hint=hint,
        path=path,
    )


def _read_private(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            _require_private(os.fstat(file.fileno()), path)
            content = file.read(MAX_JAR_BYTES + 1)
    except OSError as error:
        raise _cannot_be_read(error, path) from error
    if len(content) > MAX_JAR_BYTES:
        raise UsageError(
            f"The cookie jar {path} is larger than {MAX_JAR_BYTES // MB} MB, which no jar of one login is.",
            hint="Name the file that curl or wget wrote when you logged in to ExoFOP.",
            path=path,
        )
    return content


def _require_private(status: os.stat_result, path: Path) -> None:
    """Refuse a jar that others may read or change; judged by the open file, so that nobody can swap it in between."""
    if status.st_uid != os.geteuid():
        raise LocalEnvironmentError(
            f"The cookie jar {path} belongs to another user (uid {status.st_uid}), who can read and change it.",
            hint=NEW_JAR,
            path=path,
        )
    if stat.S_IMODE(status.st_mode) & ~0o600:
        raise LocalEnvironmentError(
            f"The cookie jar {path} has mode {stat.S_IMODE(status.st_mode):04o}; a login must be readable by you alone.",
            hint=f"Run `chmod 600 {shlex.quote(str(path))}`, and log in again if others may have read it.",
            path=path,
        )


def _cannot_be_read(error: OSError, path: Path) -> UsageError | LocalEnvironmentError:
    what = _NO_PLAIN_FILE.get(error.errno or 0)
    if what is not None:
        hint = "Name the file itself that curl or wget wrote when you logged in to ExoFOP."
        return UsageError(f"The cookie jar {path} {what}.", hint=hint, path=path)
    return LocalEnvironmentError(
        f"The cookie jar {path} cannot be read: {error.strerror or type(error).__name__}.",
        hint="Give yourself the right to read it, or leave --cookie-jar out: what is public is fetched without.",
        path=path,
    )


def _parse(content: bytes, path: Path) -> Iterator[CookieLine]:
    """Lines that end in LF or CR LF; a comment is left out unless it is curl's mark of a cookie that scripts may not see."""
    if content.startswith(_BYTE_ORDER_MARKS):
        raise malformed(
            path, 1, "begins with a byte order mark", "Save the file without one, or let curl write a new jar."
        )
    lines = content.decode("latin-1").split("\n")  # every byte is a letter: nothing can fail, and no error can quote it
    if not _HEADER.match(lines[0]):
        hint = f"The first line of a jar is `# Netscape HTTP Cookie File`. {NEW_JAR}"
        raise malformed(path, 1, "is not the heading of a Netscape cookie file", hint)
    for number, line in enumerate(lines, start=1):
        text = line.removesuffix("\r")
        cookie = text.removeprefix(_HTTP_ONLY)
        if cookie.strip() and not cookie.lstrip().startswith("#"):
            yield _cookie_line(cookie, number, path)


def _cookie_line(text: str, number: int, path: Path) -> CookieLine:
    fields = text.split("\t")
    if len(fields) == 1:
        raise malformed(path, number, "has no tabs between its fields (an editor may have made spaces of them)")
    if len(fields) != _N_FIELDS:
        raise malformed(path, number, f"has {len(fields)} fields in place of {_N_FIELDS}")
    domain, subdomains, prefix, secure, expiry, name, value = fields
    if not domain.strip(". ") or {subdomains.upper(), secure.upper()} - {"TRUE", "FALSE"}:
        raise malformed(path, number, "does not say TRUE or FALSE where it must, or names no host")
    return CookieLine(
        number=number,
        domain=domain.lower(),
        has_subdomains=subdomains.upper() == "TRUE",
        path=prefix,
        expires=_expiry(expiry, number, path),
        name=name,
        value=value,
    )


def _expiry(text: str, number: int, path: Path) -> float | None:
    """Seconds since 1970, as a number that was matched before it is converted: int() quotes what it cannot read."""
    if not text:
        return None
    seconds = float(text) if _EXPIRY.fullmatch(text) else None
    if seconds is None or seconds > _LAST_MOMENT:
        raise malformed(path, number, "gives an expiry that is no number of seconds since 1970")
    return seconds or None
