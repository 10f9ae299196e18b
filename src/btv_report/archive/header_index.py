"""
What the header of each file of a mirror says, remembered per (path, size, mtime), so that a mirror is read only once.

The index only helps to find files. What is used later is read, hashed and summed again, so a stale or forged entry can hide
a file but never make a wrong one pass.
"""

from __future__ import annotations

import gzip
import json
import os
import stat
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO, cast

from btv_report.fits.blocks import BLOCK_BYTES, FitsStructureError, RawHeader, read_header
from btv_report.fits.local_file import GZIP_MAGIC

INDEX_NAME = "mirror-index.json"
INDEX_VERSION = 1
_SKIP_BYTES = 1 << 20


@dataclass(frozen=True)
class HeaderEntry:
    """
    What the index keeps of one file; None where the header does not say.

    `fault` is a phrase when no header, or only the primary one, could be read; `tic_id` may be known all the same.
    """

    size: int
    mtime_ns: int
    fault: str = ""
    kind: str | None = None
    mission: str | None = None
    tic_id: int | None = None
    kepler_id: int | None = None
    sector: int | None = None
    ra_deg: float | None = None
    dec_deg: float | None = None
    pmra_mas_per_yr: float | None = None
    pmdec_mas_per_yr: float | None = None
    start_btjd: float | None = None


def read_entry(path: Path, status: os.stat_result) -> HeaderEntry:
    """
    Read the primary and the first extension's header of a file, plain or gzip, and nothing behind them.

    Raises
    ------
    OSError
        If the file cannot be opened or read.
    """
    headers: list[RawHeader] = []
    fault = ""
    try:
        with path.open("rb") as stream:
            magic = stream.read(len(GZIP_MAGIC))
            stream.seek(0)
            if magic == GZIP_MAGIC:
                with gzip.GzipFile(fileobj=stream) as unzipped:
                    fault = _leading_headers(cast("BinaryIO", unzipped), headers)
            else:
                fault = _leading_headers(stream, headers)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        fault = "its compressed stream is damaged"
    return _entry(headers, fault, status)


def _leading_headers(stream: BinaryIO, headers: list[RawHeader]) -> str:
    """Fill `headers` with at most two; returns what went wrong, or an empty text."""
    try:
        for index in range(2):
            header = read_header(stream, index)
            if header is None:
                return "" if index else "it is empty"
            headers.append(header)
            if index == 0 and not _skip(stream, header.padded_data_bytes):
                return "truncated: it ends inside the data of HDU 0"
    except FitsStructureError as damage:
        return str(damage)
    return ""


def _skip(stream: BinaryIO, n_bytes: int) -> bool:
    """Read over the primary data (TGLC keeps a cube there); False when they end early."""
    while n_bytes > 0:
        chunk = stream.read(min(n_bytes, _SKIP_BYTES))
        if not chunk:
            return False
        n_bytes -= len(chunk)
    return True


def _entry(headers: list[RawHeader], fault: str, status: os.stat_result) -> HeaderEntry:
    from btv_report.fits.headers import kepler_id, product_header

    if not headers:
        return HeaderEntry(status.st_size, status.st_mtime_ns, fault or f"it is shorter than {BLOCK_BYTES} bytes")
    header = product_header([item.raw for item in headers])
    return HeaderEntry(
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        fault=fault,
        kind=header.kind.value if header.kind is not None else None,
        mission=header.mission,
        tic_id=header.tic_id,
        kepler_id=kepler_id(header),
        sector=header.sector,
        ra_deg=header.ra_deg,
        dec_deg=header.dec_deg,
        pmra_mas_per_yr=_number(header.keywords, "PMRA"),
        pmdec_mas_per_yr=_number(header.keywords, "PMDEC"),
        start_btjd=_number(header.keywords, "TSTART"),
    )


def _number(keywords: Mapping[str, Any], key: str) -> float | None:
    value = keywords.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


class HeaderIndex:
    """
    The remembered headers of any number of mirrors, in one JSON file of the cache.

    Parameters
    ----------
    folder : where the index lies; None, or a folder that cannot be written, works without remembering. An index that cannot
        be read, or is of another version, is made again.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._entries: dict[str, HeaderEntry] = _load(folder / INDEX_NAME) if folder is not None else {}
        self._changed = False
        self.n_read = 0

    def entry(self, path: Path) -> HeaderEntry | None:
        """
        The entry of a file, read when it is unknown or the file has changed; None when it is no regular file.

        Raises
        ------
        OSError
            If the file cannot be read.
        """
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return None
        key = str(path.absolute())
        known = self._entries.get(key)
        if known is not None and (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns):
            return known
        entry = read_entry(path, status)
        self._entries[key] = entry
        self._changed = True
        self.n_read += 1
        return entry

    def forget_missing(self, folder: Path, found: set[str]) -> None:
        """Drop the entries below `folder` that are not among the `found` absolute paths."""
        prefix = str(folder.absolute()) + os.sep
        gone = [key for key in self._entries if key.startswith(prefix) and key not in found]
        for key in gone:
            del self._entries[key]
        self._changed = self._changed or bool(gone)

    def save(self) -> None:
        """Write the index atomically when it has changed; a read-only cache is no reason to fail."""
        if self._folder is None or not self._changed:
            return
        files = {key: _compact(entry) for key, entry in sorted(self._entries.items())}
        text = json.dumps({"version": INDEX_VERSION, "files": files}, allow_nan=False, separators=(",", ":"))
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _replace(self._folder / INDEX_NAME, text)
        except OSError:
            return
        self._changed = False


def _compact(entry: HeaderEntry) -> dict[str, Any]:
    return {key: value for key, value in asdict(entry).items() if value is not None and value != ""}


def _replace(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _load(path: Path) -> dict[str, HeaderEntry]:
    try:
        document = json.loads(path.read_bytes())
        if document["version"] != INDEX_VERSION:
            return {}
        return {str(key): _checked(value) for key, value in document["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _checked(value: Mapping[str, Any]) -> HeaderEntry:
    """An entry whose fields all have the type they are declared with; TypeError otherwise."""
    entry = HeaderEntry(**value)
    for item in fields(entry):
        content = getattr(entry, item.name)
        kinds = _TYPES[str(item.type)]
        if isinstance(content, bool) or not isinstance(content, kinds):
            raise TypeError(f"{item.name} of an index entry is {content!r}")
    return entry


_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "str": (str,),
    "str | None": (str, type(None)),
    "int | None": (int, type(None)),
    "float | None": (float, int, type(None)),
}
