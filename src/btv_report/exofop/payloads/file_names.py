"""
Names of observers' files: one that a disk of any system takes, and one to show. The name as given stays in the manifest.

A foreign name never leads anywhere: it is cut down to letters that mean nothing to a file system, behind the File ID.
"""

from __future__ import annotations

import re
import unicodedata

from btv_report.archive.limits import Limits

MAX_NAME = Limits.shown_name_length
_MAX_FILE_ID = 10**18
_NOT_SAFE = re.compile(r"[^A-Za-z0-9._+-]+")
_SUFFIX = re.compile(r"(?:\.[A-Za-z0-9_+-]{1,12}){1,2}$")
_LEFT_OVER = ".-_ "
_NAMELESS = "file"


def stored_name(file_id: int, filename: str) -> str:
    """
    The name under which a payload lies in the cache: `<file_id>_<safe name>`.

    The File ID comes first, so that two files of one name, or of names that differ in case only, never meet, and no name begins
    with a dot or a dash or is one that a system keeps for itself (`CON`, `NUL.fits`).

    Parameters
    ----------
    file_id : ExoFOP's number of the file
    filename : as ExoFOP gives it; any text

    Returns
    -------
    str
        ASCII letters, digits and `._+-`, at most 120 of them; the suffix is kept when the middle must go.

    Raises
    ------
    ValueError
        If the number is none that a file can have.
    """
    if not 0 <= file_id < _MAX_FILE_ID:
        raise ValueError(f"{file_id} is no number of an ExoFOP file")
    prefix = f"{file_id}_"
    return prefix + (_shortened(_safe(filename), MAX_NAME - len(prefix), gap="_").rstrip(_LEFT_OVER) or _NAMELESS)


def _safe(filename: str) -> str:
    """What is left of a name when accents, folders and all that is no plain letter are gone."""
    plain = unicodedata.normalize("NFKD", _ends_of(filename))
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return _NOT_SAFE.sub("_", bare).strip(_LEFT_OVER)


def name_of_nameless(file_id: int) -> str:
    """What a file is called here to which ExoFOP gives no name: it is fetched by its number all the same."""
    return f"{_NAMELESS}_{file_id}"


def shown_name(filename: str) -> str:
    """
    A name for people: on one line, without letters that hide or turn others round, at most 120 characters.

    Each such letter (control, bidirectional, surrogate, unassigned ...) becomes a marker such as `⟨U+202E⟩`; a long name loses
    its middle, and keeps its suffix.
    """
    marked = "".join(_marked(letter) for letter in _ends_of(filename))
    return (
        _shortened(marked, MAX_NAME, gap="…") if marked.strip() else "(a name of blanks)" if filename else "(no name)"
    )


def _marked(letter: str) -> str:
    is_plain = letter == " " or (letter.isprintable() and not unicodedata.category(letter).startswith("C"))
    return letter if is_plain else f"⟨U+{ord(letter):04X}⟩"


def _ends_of(name: str) -> str:
    """A name of a million letters is not read to see which of them stay."""
    return name if len(name) <= 4 * MAX_NAME else name[: 2 * MAX_NAME] + name[-2 * MAX_NAME :]


def _shortened(name: str, length: int, *, gap: str) -> str:
    if len(name) <= length:
        return name
    found = _SUFFIX.search(name)
    suffix = found.group() if found else ""
    return name[: length - len(suffix) - len(gap)] + gap + suffix
