"""
How a payload's bytes prove their own end: what each format promises, and where a file breaks that promise.

Each reader of `picture_ends`, `document_ends` and `container_ends` walks a file without keeping it in memory, and says `True`
(the end that the format wants is there), `False` with a clause (it is cut or damaged) or `None` (the format does not tell, or
the file is too odd to be walked). What follows a proper end, such as a line end, is not missed when it is gone.
"""

from __future__ import annotations

from dataclasses import dataclass

PIECE_BYTES = 1 << 16
MAX_PARTS = 1_000_000
"""Parts of a file (chunks, segments, blocks) that are walked; a real one has thousands."""


@dataclass(frozen=True)
class End:
    """
    What a file's bytes prove.

    Attributes
    ----------
    whole : see the module
    fault : a clause when `whole` is False, else empty
    remark : what else a reader should know, a clause
    """

    whole: bool | None
    fault: str = ""
    remark: str = ""


WHOLE = End(True)
UNKNOWN_END = End(None)


def cut(what: str) -> End:
    """The end is not there."""
    return End(False, f"it is cut: {what}")


def damaged(what: str) -> End:
    """The end may be there, but the bytes before it are not what they were."""
    return End(False, f"it is damaged: {what}")
