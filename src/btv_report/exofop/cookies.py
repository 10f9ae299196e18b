"""
A user's login at ExoFOP: one session cookie, taken from the jar that curl or wget wrote, and sent to ExoFOP's host alone.

The jar is only read; nobody is asked for a password. Nothing here has a text form that shows the secret, and nothing of it can be
pickled or copied deeply, so that no log, record or error can carry it by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import Cookie, CookieJar
from pathlib import Path
from typing import NoReturn, Self
from urllib.parse import urlsplit

from btv_report.archive.addresses import exofop_folder
from btv_report.errors import UsageError
from btv_report.exofop.cookie_lines import NEW_JAR, CookieLine, malformed, read_cookie_lines
from btv_report.utc import utc_text

SESSION_COOKIE = "PHPSESSID"
SESSION_DAYS = 7
"""ExoFOP ends a login after so many days."""

_SOON_S = 86_400.0
# What PHP makes ids of and a header can carry: printable, without what would end the cookie or the header.
_VALUE = re.compile(r"[\x21\x23-\x3a\x3c-\x5b\x5d-\x7e]+")


@dataclass(frozen=True, repr=False)
class ExoFopCookies:
    """
    A login as it can be sent.

    Attributes
    ----------
    jar : to be handed to `Fetcher`; holds the session cookie for exactly ExoFOP's host, or nothing when it has expired
    expires_at : ISO UTC; None for a cookie without a date of its own
    is_expired : whether it ended before it was read; what is asked with it is asked as anybody
    expiry_sentence : until when the login lasts, in words
    sentences : what the user should be told: an expiry that has come, is near, or is not stated
    """

    jar: CookieJar
    expires_at: str | None
    is_expired: bool
    expiry_sentence: str
    sentences: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, {'expired' if self.is_expired else 'value hidden'}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        _refuse_pickle()


def read_cookie_jar(path: Path, base_url: str, *, now: float) -> ExoFopCookies:
    """
    Take the login at ExoFOP from a jar.

    Parameters
    ----------
    path : cookie file in Netscape's format; cookies of other hosts in it are left alone
    base_url : of ExoFOP's services; the cookie goes to this host and port only, and over https, unless it is this machine
    now : seconds since 1970, UTC

    Raises
    ------
    UsageError
        If the file is no jar, or does not hold exactly one session cookie that can be sent there. Lines are named by number.
    LocalEnvironmentError
        If others than the user can read the file.
    """
    site = _Site.of(base_url)
    session = _only_session(read_cookie_lines(path), site, path)
    _require_sendable(session, site, path)
    is_expired = session.expires is not None and session.expires <= now
    expiry = _expiry_sentence(session, path.name, now)
    jar = _SecretJar()
    if not is_expired:
        jar.set_cookie(_cookie(session, site))
    return ExoFopCookies(
        jar=jar,
        expires_at=None if session.expires is None else utc_text(_moment(session.expires)),
        is_expired=is_expired,
        expiry_sentence=expiry,
        sentences=(expiry,) if session.expires is None or session.expires <= now + _SOON_S else (),
    )


@dataclass(frozen=True)
class _Site:
    """Where a cookie may go: one host, one port, below one folder."""

    host: str
    port: int | None
    folder: str
    is_https: bool

    @classmethod
    def of(cls, base_url: str) -> Self:
        parts = urlsplit(exofop_folder(base_url))
        return cls(parts.hostname or "", parts.port, parts.path, parts.scheme == "https")

    @property
    def names(self) -> frozenset[str]:
        """How a jar writes the host: by itself, or, as wget does for an unusual port, with the port."""
        return frozenset({self.host, f"{self.host}:{self.port}"})

    @property
    def cookie_domain(self) -> str:
        """The host as `http.cookiejar` compares it: a name without dots gets `.local`, an IPv6 address brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if "." in host else f"{host}.local"

    @property
    def cookie_ports(self) -> str | None:
        """Ports as `http.cookiejar` compares them: it takes 80 for every address that states none, and none of IPv6."""
        if ":" in self.host:
            return None
        return "80,443" if self.port is None else str(self.port)

    def is_below(self, path: str) -> bool:
        """Whether a cookie of this path is sent to the site's folder."""
        return self.folder.startswith(path) and (path.endswith("/") or self.folder[len(path) : len(path) + 1] == "/")


def _only_session(lines: Sequence[CookieLine], site: _Site, path: Path) -> CookieLine:
    for line in lines:
        if line.domain.lstrip(".") in site.names and line.domain.startswith(".") != line.has_subdomains:
            raise malformed(
                path, line.number, "contradicts itself: its domain and its second field do not fit together"
            )
    sessions = [line for line in lines if line.domain in site.names and line.name == SESSION_COOKIE]
    if len(sessions) == 1:
        return sessions[0]
    if sessions:
        numbers = ", ".join(str(line.number) for line in sessions)
        raise UsageError(
            f"The cookie jar {path} holds {len(sessions)} {SESSION_COOKIE} cookies of {site.host} (lines {numbers}), and "
            "nobody can tell which login is meant.",
            hint=NEW_JAR,
            path=path,
        )
    n_hosts = len({line.domain for line in lines})
    raise UsageError(
        f"The cookie jar {path} holds no {SESSION_COOKIE} cookie of exactly {site.host}; it holds cookies of "
        f"{n_hosts} {'domain' if n_hosts == 1 else 'domains'}, which are left alone.",
        hint=NEW_JAR,
        path=path,
    )


def _require_sendable(session: CookieLine, site: _Site, path: Path) -> None:
    """Refuse a cookie that would silently not be sent: the answers would look like those to a login."""
    if not _VALUE.fullmatch(session.value):
        raise malformed(path, session.number, "holds a session cookie whose value is empty or cannot be sent")
    if not site.is_below(session.path):
        raise malformed(path, session.number, f"holds a session cookie that does not apply to {site.folder}")


def _cookie(session: CookieLine, site: _Site) -> Cookie:
    """
    The cookie, confined to the site.

    It is given no expiry: that was judged already, and a clock that passes it during a run would make the run anonymous in
    silence, where the server's own refusal is heard. On this machine it goes over plain http, as browsers do it.
    """
    return _SecretCookie(
        version=0,
        name=session.name,
        value=session.value,
        port=site.cookie_ports,
        port_specified=site.cookie_ports is not None,
        domain=site.cookie_domain,
        domain_specified=False,
        domain_initial_dot=False,
        path=session.path,
        path_specified=True,
        secure=site.is_https,
        expires=None,
        discard=True,
        comment=None,
        comment_url=None,
        rest={},
    )


def _expiry_sentence(session: CookieLine, jar_name: str, now: float) -> str:
    if session.expires is None:
        return (
            f"The ExoFOP login in {jar_name} states no expiry; ExoFOP ends a login after {SESSION_DAYS} days, and asks for a "
            "new one then."
        )
    when = _moment(session.expires).strftime("%Y-%m-%d %H:%M:%S UTC")
    if session.expires <= now:
        return (
            f"The ExoFOP login in {jar_name} expired on {when}, so that only what is public can be fetched. {NEW_JAR}"
        )
    if session.expires <= now + _SOON_S:
        return f"The ExoFOP login in {jar_name} expires soon, on {when}."
    return f"The ExoFOP login in {jar_name} lasts until {when}."


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


class _SecretCookie(Cookie):
    """A cookie that shows its name and nothing else; requests copies cookies one by one, so this holds in its jars, too."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} for {self.domain}{self.path}, value hidden>"

    __str__ = __repr__

    def __copy__(self) -> Self:
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        _refuse_pickle()


class _SecretJar(CookieJar):
    """A jar that is not written anywhere."""

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        _refuse_pickle()


def _refuse_pickle() -> NoReturn:
    raise TypeError("A login is neither pickled nor copied deeply: it would be written where others may read it.")
