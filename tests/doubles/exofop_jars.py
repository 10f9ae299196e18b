"""Cookie jars as curl, wget, browsers and accidents write them: the Netscape format and fourteen ways to depart from it."""

from __future__ import annotations

from collections.abc import Mapping

HEADER = "# Netscape HTTP Cookie File\n"
WEEK_S = 7 * 86400


def line(
    host: str, value: str, expires: str, *, name: str = "PHPSESSID", secure: str = "TRUE", subdomains: str = "FALSE"
) -> str:
    """One cookie: domain, whether subdomains count, path, secure, expiry, name, value, with tabs between."""
    return "\t".join([host, subdomains, "/", secure, expires, name, value])


def jars(host: str, value: str, *, now: int, secure: bool = True) -> Mapping[str, bytes]:
    """
    Each kind of jar by name, with one session.

    Parameters
    ----------
    host : whose cookie it is
    value : the secret
    now : Unix time; the good ones last a week from it
    secure : as the flag in the jar says; a loopback service without TLS needs False
    """
    flag, later = "TRUE" if secure else "FALSE", str(now + WEEK_S)
    good = line(host, value, later, secure=flag)
    texts = {
        "good": f"{HEADER}\n{good}\n",
        "expiry_zero": f"{HEADER}{line(host, value, '0', secure=flag)}\n",
        "empty_expiry": f"{HEADER}{line(host, value, '', secure=flag)}\n",
        "expired": f"{HEADER}{line(host, value, str(now - 1), secure=flag)}\n",
        "httponly": f"{HEADER}#HttpOnly_{good}\n",
        "no_header": f"{good}\n",
        "bom": f"\ufeff{HEADER}{good}\n",
        "spaces": HEADER + good.replace("\t", "    ") + "\n",
        "six_fields": HEADER + "\t".join(good.split("\t")[:4] + good.split("\t")[5:]) + "\n",
        "text_expiry": f"{HEADER}{line(host, value, 'next week', secure=flag)}\n",
        "dot_without_flag": f"{HEADER}{line('.' + host, value, later, secure=flag)}\n",
        "crlf": f"{HEADER}{good}\n".replace("\n", "\r\n"),
        "three_hosts": "\n".join([HEADER, *_between(good, value, later), ""]),
        "two_sessions": f"{HEADER}{good}\n{line(host, f'z{value}', later, secure=flag)}\n",
    }  # fmt: skip
    return {name: text.encode() for name, text in texts.items()}


def _between(good: str, value: str, later: str) -> tuple[str, str, str]:
    """The session between cookies of two other sites."""
    return line("bank.example", f"x{value}", later), good, line("mail.example", f"y{value}", later)
