"""
Thumbnails of observers' pictures and documents, drawn by us: a page shows no byte that came from elsewhere.

The drawing is done by `thumbnail_worker` in another process. A file at which that crashes, hangs or grows too large has none.
"""

from __future__ import annotations

import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from btv_report.archive.limits import Limits
from btv_report.archive.stored_files import open_regular
from btv_report.exofop.payloads.kinds import HEAD_BYTES, PayloadKind, kind_of_bytes
from btv_report.exofop.payloads.thumbnail_worker import MAX_BYTES, PDF, SIZE_PX

MOST_THUMBNAILS = 60
BUDGET_S = 30.0
FILE_TIMEOUT_S = 15.0
MOST_CRASHES = 5
_WORKER = Path(__file__).with_name("thumbnail_worker.py")
_DRAWN = {
    PayloadKind.PNG: "PNG",
    PayloadKind.JPEG: "JPEG",
    PayloadKind.GIF: "GIF",
    PayloadKind.TIFF: "TIFF",
    PayloadKind.PDF: PDF,
}
_KEPT_VARIABLES = frozenset({"HOME", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "PYTHONUSERBASE"})
"""Of the environment: what Python needs to find its packages, and nothing that may be a secret."""
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_PLAIN_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})


def thumbnails(
    paths: Sequence[Path],
    *,
    known: Mapping[Path, bytes] = MappingProxyType({}),
    budget_s: float = BUDGET_S,
    timeout_s: float = FILE_TIMEOUT_S,
) -> dict[Path, bytes]:
    """
    Draw the files that are pictures or documents.

    Parameters
    ----------
    paths : files of our own cache; of the first `MOST_THUMBNAILS` that can have a thumbnail it is drawn
    known : thumbnails that need not be drawn
    budget_s, timeout_s : of all, and of one, seconds

    Returns
    -------
    dict of Path to bytes
        PNGs of at most 200 x 150 pixels and 8 kB, without any text; files of which none could be drawn are absent.
    """
    wanted = [(kind, path) for path in paths if (kind := _drawn_kind(path)) is not None][:MOST_THUMBNAILS]
    found = {path: known[path] for _, path in wanted if path in known}
    waiting = [(kind, path) for kind, path in wanted if path not in known]
    ends_at = time.monotonic() + budget_s
    for _ in range(MOST_CRASHES):
        if not waiting or time.monotonic() >= ends_at:
            break
        n_drawn = 0
        for (_, path), drawn in zip(waiting, _draw(waiting, ends_at, timeout_s), strict=False):
            n_drawn += 1
            if is_plain_png(drawn):
                found[path] = drawn
        waiting = waiting[n_drawn + 1 :]  # the one at which the worker ended is not tried again
    return found


def _drawn_kind(path: Path) -> str | None:
    """What the worker calls the kind of a file; None where there is nothing to draw."""
    try:
        with open_regular(path) as file:
            return _DRAWN.get(kind_of_bytes(file.read(HEAD_BYTES)))
    except OSError:
        return None


def _draw(files: Sequence[tuple[str, Path]], ends_at: float, timeout_s: float) -> Iterator[bytes]:
    """What a worker draws of each file, empty where it cannot; fewer where it crashes or is too slow."""
    words = [word for kind, path in files for word in (kind, str(path.absolute()))]
    command = [sys.executable, "-P", str(_WORKER), str(Limits.image_pixels), *words]
    environment = {name: value for name, value in os.environ.items() if name in _KEPT_VARIABLES}
    try:
        worker = subprocess.Popen(  # noqa: S603 - our own interpreter and script; the paths are files of our cache
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
    except OSError:
        return
    with worker:
        try:
            for _ in files:
                drawn = _next_drawn(worker, min(time.monotonic() + timeout_s, ends_at))
                if drawn is None:
                    return
                yield drawn
        finally:
            worker.kill()


def _next_drawn(worker: subprocess.Popen[bytes], ends_at: float) -> bytes | None:
    """What the worker says next; None where it says nothing that it should."""
    handle = worker.stdout.fileno() if worker.stdout else -1
    length = _read(handle, 4, ends_at)
    n_bytes = int.from_bytes(length, "big")
    if len(length) < 4 or n_bytes > MAX_BYTES:
        return None
    drawn = _read(handle, n_bytes, ends_at)
    return drawn if len(drawn) == n_bytes else None


def _read(handle: int, n_bytes: int, ends_at: float) -> bytes:
    """So many bytes of a pipe; fewer where it ends, or the time does."""
    content = b""
    while len(content) < n_bytes:
        ready, _, _ = select.select([handle], [], [], max(0.0, ends_at - time.monotonic()))
        piece = os.read(handle, n_bytes - len(content)) if ready else b""
        if not piece:
            break
        content += piece
    return content


def is_plain_png(content: bytes) -> bool:
    """Whether a PNG is as small as a thumbnail, and has no room for anything but its pixels."""
    if content[:8] != _PNG_HEAD or len(content) > MAX_BYTES:
        return False
    at, kinds = 8, []
    while at + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        kinds.append(kind)
        at += 12 + length
    width, height = png_size(content)
    fits = 0 < width <= SIZE_PX[0] and 0 < height <= SIZE_PX[1]
    return (
        fits and at == len(content) and _PLAIN_CHUNKS.issuperset(kinds) and kinds[0] == b"IHDR" and kinds[-1] == b"IEND"
    )


def png_size(content: bytes) -> tuple[int, int]:
    """Width and height that a PNG states, pixels; zeros where it has no place for them."""
    return struct.unpack_from(">II", content, 16) if len(content) >= 24 else (0, 0)
