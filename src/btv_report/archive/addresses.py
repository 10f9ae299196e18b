"""Addresses that may be asked, and how they may be shown; nothing is opened or looked up here."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit

from btv_report.errors import UsageError

MAST_URL = "https://mast.stsci.edu"
MAST_VARIABLE = "BTV_REPORT_MAST_URL"
EXOFOP_URL = "https://exofop.ipac.caltech.edu/tess/"
EXOFOP_VARIABLE = "BTV_REPORT_EXOFOP_URL"


def mast_url(environment: Mapping[str, str]) -> str:
    """
    The archive's address: that of the variable, else MAST's own.

    Raises
    ------
    UsageError
        If the variable names no address that may be asked.
    """
    url = environment.get(MAST_VARIABLE) or MAST_URL
    require_allowed_url(url)
    return url.rstrip("/")


def exofop_url(environment: Mapping[str, str]) -> str:
    """
    The folder of ExoFOP's services, with a slash at its end: below the address of the variable, else ExoFOP's own.

    A variable that names a host alone means its `/tess/`; one that names a folder means that folder.

    Raises
    ------
    UsageError
        If the variable names no address that may be asked.
    """
    return exofop_folder(environment.get(EXOFOP_VARIABLE) or EXOFOP_URL)


def exofop_folder(url: str) -> str:
    """
    The folder of ExoFOP's services at an address, with a slash at its end.

    Raises
    ------
    UsageError
        If it is no address that may be asked.
    """
    require_allowed_url(url)
    parts = urlsplit(url)
    path = parts.path.rstrip("/") or "/tess"
    return urlunsplit((parts.scheme, parts.netloc, f"{path}/", "", ""))


def require_allowed_url(url: str) -> None:
    """
    Take https anywhere, plain http on this machine only.

    Raises
    ------
    UsageError
        If the address is neither.
    """
    with contextlib.suppress(ValueError):  # brackets or a port that no address has
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
        if is_whole and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))):
            return
    raise UsageError(
        f"{public_url(url)!r} is not an address that may be asked.",
        hint="Give an https address; plain http is allowed on this machine (127.0.0.1) only.",
    )


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine, by its name alone: nothing is looked up."""
    if host is None:
        return False
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def public_url(url: str) -> str:
    """An address as it may be shown: without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "an address that cannot be taken apart"
    host = f"[{host}]" if ":" in host else host
    return urlunsplit((parts.scheme, f"{host}:{port}" if port else host, parts.path, "", ""))
