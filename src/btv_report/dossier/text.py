"""Text from elsewhere made fit to be shown: visible markers for what would deceive, slugs for ids, no path of a machine."""

from __future__ import annotations

import re
import unicodedata

MAX_SHOWN = 4000
_LINE_WHITESPACE = {"\t", "\n", "\r"}
_PATH = re.compile(r"(?<![\w:/.~-])(?:file://)?(?:~|[A-Za-z]:)?[/\\](?:[^\s/\\'\",;:<>|]+[/\\])+([^\s/\\'\",;:<>|]*)")
# The sign itself, as markup and addresses write it, or as people hide it. The look-behind keeps long runs linear.
_AT = r"(?:@|&#0*64;|&#[xX]0*40;|&commat;|%40|\s?[\[({]\s?(?:at|AT|@)\s?[\])}]\s?)"
_DOT = r"(?:\.|\s?[\[({]\s?(?:dot|DOT|\.)\s?[\])}]\s?)"
_MAIL = re.compile(rf"(?<![\w.+-])[\w.+-]+{_AT}[\w-]+(?:{_DOT}[\w-]+)+")


def shown(text: str) -> str:
    """
    Replace control, bidirectional, surrogate and private characters by a visible marker such as `⟨U+202E⟩`.

    Runs of white space of one line become one space each; a text longer than 4,000 characters is cut, and says so.
    """
    if text.isascii() and text.isprintable() and len(text) <= MAX_SHOWN:
        return text
    parts = []
    for character in text[:MAX_SHOWN]:
        if character in _LINE_WHITESPACE:
            parts.append(" ")
        elif unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
            parts.append(f"⟨U+{ord(character):04X}⟩")
        else:
            parts.append(character)
    if len(text) > MAX_SHOWN:
        parts.append(f" … ({len(text) - MAX_SHOWN:,d} more characters)")
    return "".join(parts)


def slug(text: str) -> str:
    """A lower-case id of letters, digits and single hyphens; `x` when nothing is left (F-123)."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"


def without_paths(text: str) -> str:
    """Reduce absolute paths to their last name and mask e-mail addresses, so that no page tells whose machine it was."""
    text = _PATH.sub(lambda match: match.group(1) or "…", text)
    return _MAIL.sub("[e-mail address masked]", text)


def clipped(text: str, limit: int) -> str:
    """The text, or its first `limit` characters and an ellipsis."""
    return text if len(text) <= limit else text[:limit].rstrip() + "…"


def sentence_case(text: str) -> str:
    """The text with a capital first letter and a full stop, where it is a phrase."""
    text = text.strip()
    if not text:
        return ""
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?…:)" else f"{text}."


def plural(count: int, singular: str, many: str | None = None) -> str:
    """`1 transit`, `2 transits`."""
    return f"{count:,d} {singular if count == 1 else many or singular + 's'}"
