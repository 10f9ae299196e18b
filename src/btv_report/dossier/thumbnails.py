"""The small pictures of observers' files: in a page by name, in a site as files of their own, never in `dossier.json`."""

from __future__ import annotations

import base64
import binascii
from typing import cast

from btv_report.record import ExoFopFileValue, RunRecord


def thumbnail_name(file_id: int) -> str:
    """The name of a thumbnail in the target's `files/`."""
    return f"exofop-{file_id}-thumb.png"


def thumbnail_files(public: RunRecord) -> dict[str, bytes]:
    """The thumbnails of a dossier by name; what is no base64 is left out."""
    files = {}
    for file in public["exofop"]["files"]:
        content = thumbnail_content(file)
        if content is not None:
            files[thumbnail_name(file["file_id"])] = content
    return files


def thumbnail_content(file: ExoFopFileValue) -> bytes | None:
    """The PNG of a file's thumbnail; None where it has none."""
    try:
        return base64.b64decode(file["thumbnail"]["png"], validate=True) if "thumbnail" in file else None
    except binascii.Error:
        return None


def without_thumbnails(public: RunRecord) -> RunRecord:
    """The record without them."""
    exofop = public["exofop"]
    files = [{name: value for name, value in file.items() if name != "thumbnail"} for file in exofop["files"]]
    return cast(RunRecord, {**public, "exofop": {**exofop, "files": files}})
