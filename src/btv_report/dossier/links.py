"""Where links may lead: a few hosts of the field, over https (F-124)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

ALLOWED_HOSTS = frozenset(
    {
        "archive.stsci.edu",
        "doi.org",
        "exofop.ipac.caltech.edu",
        "mast.stsci.edu",
        "outerspace.stsci.edu",
        "ui.adsabs.harvard.edu",
    }
)
_MAST_URI = re.compile(r"mast:[A-Za-z0-9_./+-]+\Z")
_DOI = re.compile(r"10\.\d{4,9}/[A-Za-z0-9_.()/:;-]+\Z")


@dataclass(frozen=True)
class Link:
    """A text and where it leads; `href` is None when it must not be a link."""

    text: str
    href: str | None


def safe_href(url: str) -> str | None:
    """The URL when it is plain https to one of `ALLOWED_HOSTS`, else None."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme != "https" or parts.hostname not in ALLOWED_HOSTS or port is not None or "@" in parts.netloc:
        return None
    return url


def exofop_target(tic_id: int) -> str:
    """The ExoFOP page of a star."""
    return f"https://exofop.ipac.caltech.edu/tess/target.php?id={tic_id}"


def exofop_file(file_id: int) -> str:
    """One uploaded file at ExoFOP."""
    return f"https://exofop.ipac.caltech.edu/tess/get_file.php?id={file_id}"


def mast_target(tic_id: int) -> str:
    """A search for the star in the MAST portal."""
    query = quote(f"TIC {tic_id}")
    return f"https://mast.stsci.edu/portal/Mashup/Clients/Mast/Portal.html?searchQuery={query}"


def mast_product(uri: str | None) -> str | None:
    """The download address of an archive URI such as `mast:TESS/product/...`; None when it is not of that form."""
    if uri is None or not _MAST_URI.match(uri):
        return None
    return f"https://mast.stsci.edu/api/v0.1/Download/file?uri={quote(uri, safe='/:')}"


def doi(identifier: str) -> str | None:
    """The resolver address of a DOI; None when the text is no DOI."""
    return f"https://doi.org/{identifier}" if _DOI.match(identifier) else None
