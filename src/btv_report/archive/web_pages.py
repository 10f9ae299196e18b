"""Web pages that come where something else is due: told by their first bytes, and quoted so that they do no harm."""

from __future__ import annotations

import re

_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:(?><!--.*?-->)\s*)*+"
    rb"<(?:!doctype\s+html|html|head|body|title|script|meta|form|center|div|h[1-6]|p|br)\b",
    re.IGNORECASE | re.DOTALL,
)
"""How a web page begins: also after a mark of its encoding or comments (read once each: the pattern must not be slow), and the
bare words of a server that fails half-way."""


def looks_like_html(content: bytes) -> bool:
    """Whether bytes begin as a web page does; a table whose first cell is a page is for its parser to tell."""
    return _HTML.match(content[:4096]) is not None


def safe_excerpt(content: bytes, length: int = 80) -> str:
    """The first printable characters of an answer, on one line, for a message."""
    text = content[: 8 * length].decode("utf-8", errors="replace")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:length]
