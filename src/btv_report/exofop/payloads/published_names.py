"""Names under which observers' files stand in a site: no server and no browser takes one for a page, a script or a program."""

from __future__ import annotations

import re

from btv_report.exofop.payloads.file_names import stored_name
from btv_report.exofop.payloads.kinds import PayloadKind

_FITTING = {
    PayloadKind.PNG: (".png",),
    PayloadKind.JPEG: (".jpg", ".jpeg"),
    PayloadKind.GIF: (".gif",),
    PayloadKind.TIFF: (".tif", ".tiff"),
    PayloadKind.PDF: (".pdf",),
    PayloadKind.FITS: (".fits", ".fit", ".fts"),
    PayloadKind.ZIP: (".zip", ".npz"),
    PayloadKind.GZIP: (".gz", ".tgz"),
    PayloadKind.TAR: (".tar",),
    PayloadKind.TEXT: (".txt", ".dat", ".tbl", ".csv"),
}
"""Suffixes that say what the bytes are and nothing more; the first is appended where a name has another."""
_ELSE = (".txt",)
_IS_PUBLISHED_NAME = re.compile(r"[0-9]{1,18}_[A-Za-z0-9._+-]{1,130}")


def published_name(file_id: int, filename: str, kind: PayloadKind) -> str:
    """
    The name of a copy in a site.

    Of several suffixes only the last stays one, since servers have been taught to act on any: `a.php.png` is `a_php.png`.

    Parameters
    ----------
    file_id, filename : as ExoFOP gives them
    kind : what the bytes are

    Raises
    ------
    ValueError
        If the number is none that a file can have.
    """
    name = stored_name(file_id, filename)
    fitting = _FITTING.get(kind, _ELSE)
    suffix = next((suffix for suffix in fitting if name.lower().endswith(suffix)), "")
    stem = name[: len(name) - len(suffix)]
    return re.sub(r"\.(?![0-9])", "_", stem) + (name[len(stem) :] or fitting[0])


def is_published_name(name: str) -> bool:
    """Whether a record's name of a copy is one that `published_name` gives: nothing else may become a path of a site."""
    return _IS_PUBLISHED_NAME.fullmatch(name) is not None and ".." not in name
