"""Thumbnails that were drawn before: the same bytes, drawn by the same code, look the same, so that none is drawn twice."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from btv_report.archive.cache_folder import ensure_private_folder
from btv_report.archive.limits import Limits
from btv_report.archive.stored_files import hash_file, open_regular
from btv_report.atomic import make_folder, write_atomic
from btv_report.errors import LocalEnvironmentError
from btv_report.exofop.payloads import thumbnail_worker
from btv_report.exofop.payloads.thumbnails import is_plain_png, thumbnails

FOLDER = "thumbnails"
_LIBRARIES = ("pillow", "pypdfium2")


def kept_or_drawn(files: Mapping[Path, str], cache_dir: Path, tree: Path) -> dict[Path, bytes]:
    """
    The thumbnails of files, as `thumbnails` gives them, but for files whose bytes have changed meanwhile.

    Parameters
    ----------
    files : each with the sha256 of its bytes, in the order in which they are drawn
    cache_dir : the cache; where it cannot be written to, or not be trusted, every thumbnail is drawn
    tree : the target's in it; thumbnails are kept in its `thumbnails/`, under the sha256 and the version of what draws
    """
    if not files:
        return {}
    folder, version = tree / FOLDER, drawing_version()
    places = {path: folder / f"{sha256}-{version}.png" for path, sha256 in files.items()}
    known = {path: content for path, place in places.items() if (content := _read(place)) is not None}
    found = thumbnails(list(files), known=known)
    drawn = {path: content for path, content in found.items() if path not in known and _has(path, files[path])}
    if drawn:
        with contextlib.suppress(LocalEnvironmentError):  # they are drawn again by the next run
            ensure_private_folder(cache_dir)
            make_folder(folder, private=True)
            for path, content in drawn.items():
                write_atomic(places[path], content, private=True)
    return {path: content for path, content in found.items() if path in known or path in drawn}


def drawing_version() -> str:
    """What changes when a thumbnail may come out otherwise: the code that draws, its libraries, and the largest picture."""
    digest = hashlib.sha256(Path(thumbnail_worker.__file__).read_bytes())
    digest.update(str(Limits.image_pixels).encode())
    for name in _LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            digest.update(f" {name} {metadata.version(name)}".encode())
    return digest.hexdigest()[:12]


def _has(path: Path, sha256: str) -> bool:
    """Whether a file still has the bytes that a thumbnail is kept for."""
    try:
        return hash_file(path)[0] == sha256
    except OSError:
        return False


def _read(place: Path) -> bytes | None:
    """A thumbnail that is kept; None where there is none, or something else in its place."""
    try:
        with open_regular(place) as file:
            content = file.read(thumbnail_worker.MAX_BYTES + 1)
    except OSError:
        return None
    return content if is_plain_png(content) else None
