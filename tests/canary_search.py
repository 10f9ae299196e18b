"""The search for canaries in files, names, archives, and in what was printed; a hit tells the place, never the value."""

from __future__ import annotations

import atexit
import contextlib
import functools
import io
import mmap
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Self

from tests.canaries import COMMON, JARS, KINDS, PRIVATE_FOLDER

from btv_report.archive.cutout_zip import ZIP_DAMAGES

if TYPE_CHECKING:
    import duckdb

CUT = "?"
_NEEDLE = COMMON.encode()
_PIECE = 1 << 20
_MOST_UNPACKED = 64 << 20
_MOST_MEMBERS = 5000
_BROKEN_ARCHIVE = (*ZIP_DAMAGES, NotImplementedError, OSError)


@dataclass
class Findings:
    """
    What a search came to.

    Attributes
    ----------
    hits : what was found, and where
    not_searched : places that could not be looked into, with the reason
    cut_short : packed files (bombs of tests) of which only a part was unpacked
    n_folders, n_files, n_bytes, n_texts : what was searched
    n_broken_stores : DuckDB files that do not open (tests broke them), whose bytes were searched as they lie
    """

    hits: list[str] = field(default_factory=list)
    not_searched: list[str] = field(default_factory=list)
    cut_short: list[str] = field(default_factory=list)
    n_folders: int = 0
    n_files: int = 0
    n_bytes: int = 0
    n_texts: int = 0
    n_broken_stores: int = 0

    def __iadd__(self, other: Findings) -> Self:
        """What this search and another one came to."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
        return self

    @property
    def is_clean(self) -> bool:
        """Whether everything was searched and nothing was found."""
        return not self.hits and not self.not_searched

    def add(self, kinds: Iterable[str], place: str) -> None:
        """Note each kind of secret once for a place."""
        for kind in sorted(set(kinds)):
            hit = f"{KINDS.get(kind, 'a cut canary')} in {_shown(place)}"
            if hit not in self.hits:
                self.hits.append(hit)


def search_text(text: str | bytes, place: str, findings: Findings) -> None:
    """Search what was printed; breaks and frames that a narrow terminal put into a token do not hide it."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    findings.n_texts += 1
    findings.add(_kinds_in(data) | _kinds_in(re.sub(rb"[\s|]+|\xe2\x94\x82", b"", data)), place)


def search_tree(top: Path, findings: Findings) -> None:
    """Search every name and every byte below a folder; links are not followed, but what they say is read."""
    findings.n_folders += 1
    for path, status in _everything_below(top, findings):
        relative = path.relative_to(top)
        place = _shown(relative)
        try:
            named = _kinds_in(os.fsencode(path.name))
            findings.add(_forbidden(named, path, relative), f"the name of {place}")
            findings.add(_forbidden(_kinds_at(path, status, place, findings), path, relative), place)
        except FileNotFoundError:
            continue  # something of a test that is still ending took it away
        except OSError as error:
            findings.not_searched.append(f"{place}: {error.strerror}")


def _everything_below(top: Path, findings: Findings) -> Iterator[tuple[Path, os.stat_result]]:
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                folder.chmod(0o700)  # a test took our own right away
            with os.scandir(folder) as entries:
                found = [(Path(entry.path), entry.stat(follow_symlinks=False)) for entry in entries]
        except FileNotFoundError:
            continue
        except OSError as error:
            findings.not_searched.append(f"{_shown(folder.relative_to(top))}: {error.strerror}")
            continue
        yield from found
        waiting += [path for path, status in found if stat.S_ISDIR(status.st_mode)]


def _kinds_at(path: Path, status: os.stat_result, place: str, findings: Findings) -> set[str]:
    """What stands in a file or a link; folders, pipes and devices hold no bytes of their own."""
    if stat.S_ISLNK(status.st_mode):
        return _kinds_in(os.fsencode(path.readlink()))
    if not stat.S_ISREG(status.st_mode):
        return set()
    findings.n_files += 1
    findings.n_bytes += status.st_size
    if not os.access(path, os.R_OK):
        path.chmod(0o600)  # a test took our own right away
    return _kinds_in_file(path, place, findings) | _kinds_in_store(path, findings) if status.st_size else set()


def _kinds_in_file(path: Path, place: str, findings: Findings) -> set[str]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return _kinds_in(content) | _kinds_packed(content, place, findings)


def _kinds_in_store(path: Path, findings: Findings) -> set[str]:
    """The same for the texts of a DuckDB file, which it may compress so that their letters do not lie there."""
    with path.open("rb") as file:
        if file.read(12)[8:] != b"DUCK":
            return set()
    import duckdb

    kinds: set[str] = set()
    try:
        for text in _texts_in_tables(path):
            kinds |= _kinds_in(text.encode())
    except duckdb.Error as error:
        if isinstance(error, duckdb.FatalException):
            _one_duckdb.cache_clear()  # it reads nothing any more
        findings.n_broken_stores += 1
    return kinds


def _texts_in_tables(path: Path) -> Iterator[str]:
    """The texts of rows in which a token begins; views have none of their own, and might read elsewhere."""
    place = str(path).replace("'", "''")
    store = _one_duckdb()
    store.execute(f"ATTACH '{place}' AS searched (READ_ONLY)")
    try:
        tables = store.execute(
            """SELECT schema_name, table_name, list('CAST("' || column_name || '" AS VARCHAR)')
            FROM duckdb_columns() JOIN duckdb_tables() USING (database_name, schema_name, table_name)
            WHERE database_name = 'searched' AND regexp_matches(data_type, 'VARCHAR|JSON|BLOB') GROUP BY ALL"""
        ).fetchall()
        for schema, table, texts in tables:
            row = f"concat_ws(' ', {', '.join(texts)})"
            found = store.execute(f'SELECT {row} FROM searched."{schema}"."{table}" WHERE contains({row}, ?)', [COMMON])
            yield from (text for (text,) in found.fetchall())
    finally:
        store.execute("DETACH searched")


@functools.cache
def _one_duckdb() -> duckdb.DuckDBPyConnection:
    """For all stores, because to start one takes longer than to read a store."""
    import duckdb

    # One that is still open when Python ends is told as a leak, after pytest's last line.
    atexit.register(_one_duckdb.cache_clear)
    return duckdb.connect(config={"threads": 1})


def _forbidden(kinds: Iterable[str], path: Path, relative: PurePath) -> list[str]:
    """The kinds that may not stand at a path."""
    is_jar, is_private = path in JARS, PRIVATE_FOLDER in relative.parts[:-1]
    allowed = {"c": is_jar, CUT: is_jar or is_private}
    return [kind for kind in kinds if not allowed.get(kind, is_private)]


def _shown(place: str | PurePath) -> str:
    """A place without the tokens in its name."""
    return re.sub(rf"{COMMON}\w*", "<canary>", str(place))


def _kinds_in(data: bytes | mmap.mmap, *, is_end: bool = True) -> set[str]:
    """Letters of the tokens that stand there; one that the end cuts off counts as `CUT`, unless more is to come."""
    kinds, at = set(), data.find(_NEEDLE)
    while at >= 0:
        letter = data[at + len(_NEEDLE) : at + len(_NEEDLE) + 1].decode("latin-1")
        if letter or is_end:
            kinds.add(letter if letter in KINDS else CUT)
        at = data.find(_NEEDLE, at + 1)
    return kinds


def _kinds_packed(content: mmap.mmap, place: str, findings: Findings) -> set[str]:
    """The same for what a gzip stream or a zip archive holds, as far as it can be unpacked: some were broken by tests."""
    if content[:2] == b"\x1f\x8b":
        return _kinds_in_pieces(_unpacked_gzip(content), place, findings)
    if content[:4] == b"PK\x03\x04":
        if _stated_members(content) > _MOST_MEMBERS:
            findings.cut_short.append(place)
            return set()
        return _kinds_in_pieces(_unpacked_zip(content), place, findings)
    return set()


def _kinds_in_pieces(pieces: Iterator[bytes], place: str, findings: Findings) -> set[str]:
    """Search a stream with an overlap, for tokens that lie across two pieces."""
    kinds: set[str] = set()
    kept, n_bytes = b"", 0
    for piece in pieces:
        data = kept + piece
        kinds |= _kinds_in(data, is_end=False)
        kept = data[-len(_NEEDLE) :]
        n_bytes += len(piece)
        if n_bytes > _MOST_UNPACKED:
            findings.cut_short.append(place)
            break
    return kinds | _kinds_in(kept)


def _unpacked_gzip(content: mmap.mmap) -> Iterator[bytes]:
    packed = content[:]
    while packed[:2] == b"\x1f\x8b":  # a stream may have several parts
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        with contextlib.suppress(zlib.error):
            piece = unpacker.decompress(packed, _PIECE)
            while piece:
                yield piece
                piece = unpacker.decompress(unpacker.unconsumed_tail, _PIECE)
        packed = unpacker.unused_data


def _unpacked_zip(content: mmap.mmap) -> Iterator[bytes]:
    with contextlib.suppress(*_BROKEN_ARCHIVE), zipfile.ZipFile(io.BytesIO(content[:])) as archive:
        for member in archive.infolist():
            with contextlib.suppress(*_BROKEN_ARCHIVE), archive.open(member) as stream:
                while piece := stream.read(_PIECE):
                    yield piece
            yield b"\n"


def _stated_members(content: mmap.mmap) -> int:
    """How many members the end of an archive states, before anything is read of them."""
    end = content.rfind(b"PK\x05\x06")
    return int.from_bytes(content[end + 10 : end + 12], "little") if end >= 0 else 0
