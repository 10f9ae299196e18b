"""Observers' notes as readable text: HTML taken off, paragraphs kept, machine summaries of dispositions told apart."""

from __future__ import annotations

import html
import re

from btv_report.archive.limits import Limits
from btv_report.exofop.tables.cells import text_or_none, whole_number
from btv_report.exofop.types import ExoFopTable
from btv_report.record import ExoFopNoteValue

_LINE = "address body br center dd div dl dt footer form head header html legend li main nav section tbody tfoot thead title tr"
_PARAGRAPH = "article aside blockquote caption fieldset figure h1 h2 h3 h4 h5 h6 hr ol p pre table ul"
_BREAKS = {**dict.fromkeys(_LINE.split(), "\n"), **dict.fromkeys(_PARAGRAPH.split(), "\n\n")}
"""Tags that part lines or paragraphs, and how."""
_INLINE = (
    "a abbr b base big button cite code del em font i img input ins kbd label link mark meta noscript q s script small span "
    "strike strong style sub sup td th tt u var wbr"
)
_OTHER_TAGS = frozenset(_INLINE.split())
_UNSEEN = frozenset({"script", "style"})
_VALUE = r"""(?:"[^"<]*+"|'[^'<]*+'|[^\s"'<>]++)"""
_TAG = re.compile(
    rf"<(?P<close>/?)(?P<name>[a-z][a-z0-9]{{0,11}}(?::[a-z]{{1,12}})?)(?P<rest>(?:\s++[\w:.-]++\s*+=\s*+{_VALUE})*+"
    rf"(?:\s++(?:checked|disabled|nowrap|noshade|hidden))*+)(?:\s*+(?P<end>/?>))?"
    r"|<!--|-->|<!doctype[^<>]*+>?|<\?xml[^<>]*+>?",
    re.IGNORECASE,
)
"""A tag has a known name (or Word's `o:p`), and nothing but attributes: `P<3 d and b<a` is no tag. One that is never closed
ends where its last attribute does."""
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE)
_DISPOSITION = re.compile(r"\b(?:master|phot|spec)\w*\s+disp\w*\s*:", re.IGNORECASE)
_SUMMARY = re.compile(r"\s*TOI[\s-]*\d+(?:\.\d+)?\s*:", re.IGNORECASE)


def note_values(table: ExoFopTable) -> list[ExoFopNoteValue]:
    """
    The notes of a table read as `obsnotes`, in its order.

    Of a note 1 MB is read; what is beyond 20 kB of its text is counted in `n_left_out` and not shown. The note as it came stays
    in the table.
    """
    return [_note({name.casefold(): cell for name, cell in record.items()}) for record in table.records()]


def _note(cells: dict[str, str]) -> ExoFopNoteValue:
    raw = cells.get("notes", "")
    read = _first_bytes(raw, Limits.note_bytes)
    text = readable_text(read)
    shown = _first_bytes(text, Limits.shown_note_bytes)
    group = text_or_none(cells.get("groupname", cells.get("group")))
    return ExoFopNoteValue(
        note_id=whole_number(cells.get("id")),
        user=text_or_none(cells.get("username", cells.get("user"))),
        group=group,
        tag=text_or_none(cells.get("tag id", cells.get("tag"))),
        date=text_or_none(cells.get("lastmod")),
        text=shown,
        n_left_out=len(text) - len(shown) + len(raw) - len(read),
        is_disposition=is_disposition(text, group),
    )


def is_disposition(text: str, group: str | None) -> bool:
    """
    Whether a note is a summary of dispositions, an opinion and no observation (F-047).

    Such are those that name a master, photometric or spectroscopic disposition, and the working group's one-line summaries
    that begin with a TOI.
    """
    of_group = (group or "").casefold() == "tfopwg" and _SUMMARY.match(text) is not None
    return of_group or _DISPOSITION.search(text) is not None


def readable_text(note: str) -> str:
    """
    A note without its markup.

    Paragraphs are parted by an empty line, lines by a line end. Scripts, styles and comments are left out where they end;
    a tag that is never closed takes only its attributes with it, so that no word is lost (F-034). A note without markup keeps
    its lines.
    """
    pieces = _pieces(note.replace("\r\n", "\n").replace("\r", "\n"))
    has_blocks = any(name.removeprefix("/") in _BREAKS for words, name in pieces if not words)
    text = "".join(_shown(words, name, has_blocks=has_blocks) for words, name in pieces)
    return re.sub(r"\n{3,}", "\n\n", _without_spare_spaces(text)).strip()


def _without_spare_spaces(text: str) -> str:
    return re.sub(r" ?\n ?", "\n", re.sub(r"[ \t\xa0]+", " ", text))


def _pieces(note: str) -> list[tuple[str, str]]:
    """The note in order, as words (with an empty name, or `pre` where they keep their lines) and names of tags."""
    pieces: list[tuple[str, str]] = []
    position, hidden, hidden_from, keeps_lines = 0, "", 0, False
    for match in _TAG.finditer(note):
        found, name = match[0], (match["name"] or "").casefold()
        if hidden:
            if found == hidden or (match["close"] and name == hidden):
                hidden, position = "", match.end()
            continue
        if not _is_markup(match, name):
            continue
        pieces.append((note[position : match.start()], "pre" if keeps_lines else ""))
        position = match.end()
        if found == "<!--" or (name in _UNSEEN and not match["close"]):
            hidden, hidden_from = ("-->" if found == "<!--" else name), match.end()
        if name == "pre":
            keeps_lines = not match["close"]
        pieces.append(("", f"/{name}" if match["close"] else name or "!"))
    rest = _TAG.sub(" ", note[hidden_from:]) if hidden else note[position:]
    return [*pieces, (rest, "pre" if keeps_lines else "")]


def _is_markup(match: re.Match[str], name: str) -> bool:
    """Whether what looks like a tag is one: its name is known, and it is closed, has attributes, or ends the note."""
    if not name:
        return match[0] != "-->"
    if name not in _BREAKS and name not in _OTHER_TAGS and ":" not in name:
        return False
    return bool(match["end"]) or "=" in match["rest"] or match.end() == len(match.string)


def _shown(words: str, name: str, *, has_blocks: bool) -> str:
    """Words as a reader sees them, or the break that a tag stands for."""
    if words:
        if has_blocks and name != "pre":
            words = re.sub(r"(?<!\n)\n(?!\n)", " ", _without_spare_spaces(words))
        return _ENTITY.sub(lambda match: html.unescape(match[0]), words)
    if name == "li":
        return "\n- "
    return _BREAKS.get(name.removeprefix("/"), " " if name in {"td", "th"} else "")


def _first_bytes(text: str, n_bytes: int) -> str:
    """The beginning of a text that has at most so many bytes as UTF-8."""
    return text if 4 * len(text) <= n_bytes else text.encode("utf-8", "replace")[:n_bytes].decode("utf-8", "ignore")
