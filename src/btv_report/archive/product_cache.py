"""
Fetched products, shared by all processes of a machine: each fetched once, verified, described beside itself, never overwritten.

    products/tic_<id>/mastDownload/<TESS|HLSP>/<obs_id>/<file>      the bytes, as lightkurve lays them out
    products/tic_<id>/mastDownload/<...>/<file>.json                what they are: uri, sha256, size, when they were fetched
    superseded/tic_<id>/<sha256>-<file>                             what the archive has replaced since
    quarantine/<sha256>-<file>                                      what did not agree with its description
    pins/<run_id>.json                                              what a run cites
    locks/<...>.lock                                                one lock of the kernel a product
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from btv_report.archive.cache_folder import ensure_private_folder, require_trusted
from btv_report.archive.mast_types import ArchiveProduct
from btv_report.atomic import make_folder, rename_durable, sentences, write_atomic
from btv_report.errors import LocalEnvironmentError

SCHEMA_VERSION = 1
LOCK_TIMEOUT_S = 3600.0
"""Another process may be fetching a large file; its lock ends with it."""

_SAFE = re.compile(r"[^A-Za-z0-9._+-]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_PART = re.compile(r"\..*\.part(-(\d+)-[0-9a-f]{8})?|\.cutout\..*\.zip")


class FetchedFile(Protocol):
    """What a fetch function says of the file that it put in place."""

    @property
    def server_date(self) -> str | None:
        """When the server dates its answer."""


@dataclass(frozen=True)
class CachedProduct:
    """
    A product in the cache.

    Attributes
    ----------
    product : what the archive said of it
    path : its bytes
    sha256, n_bytes : as they were fetched
    retrieved_at : UTC, ISO
    server_date : as the server dated its answer
    was_fetched : whether it was fetched just now
    superseded : where the bytes that it replaces were put; None where it replaces none
    """

    product: ArchiveProduct
    path: Path
    sha256: str
    n_bytes: int
    retrieved_at: str
    server_date: str | None = None
    was_fetched: bool = False
    superseded: Path | None = None

    @property
    def uri(self) -> str:
        """The archive's address of it."""
        return self.product.uri


class ProductCache:
    """
    Products below one cache folder; nothing is made in it before something is kept.

    Parameters
    ----------
    folder : the cache folder
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.products = self.folder / "products"
        self.pins = self.folder / "pins"
        if self.folder.exists():
            require_trusted(self.folder)

    def folder_of(self, tic_id: int) -> Path:
        """Where a target's products are; lightkurve finds them there as its `download_dir`."""
        return self.products / f"tic_{tic_id}"

    def path_of(self, product: ArchiveProduct) -> Path:
        """Where a product's bytes are, or would be; no part of the archive's words can lead elsewhere."""
        collection = "HLSP" if product.uri.startswith("mast:HLSP") else "TESS"
        observation = safe_name(product.obs_id or product.file.rsplit(".", 1)[0])
        return self.folder_of(product.tic_id) / "mastDownload" / collection / observation / safe_name(product.file)

    def cached_product(self, product: ArchiveProduct) -> CachedProduct | None:
        """A product that is in the cache, whole; None where it is not. Its bytes are read for that."""
        path = self.path_of(product)
        found = _described(path)
        if found is None or found.product.uri != product.uri:
            return None
        return found if _agrees(found) else None

    def cached(self, tic_id: int) -> tuple[CachedProduct, ...]:
        """A target's products by their descriptions; the bytes are not read."""
        return described_products(self.folder_of(tic_id))

    def get_or_fetch(
        self, product: ArchiveProduct, fetch: Callable[[Path], FetchedFile], *, refresh: bool = False
    ) -> CachedProduct:
        """
        A product's bytes: those in the cache if they are whole, else fetched.

        Of all processes that ask at once one fetches, and the others wait for it. Bytes that do not agree with their
        description go to quarantine; bytes that the archive has replaced are kept.

        Parameters
        ----------
        product : what to get
        fetch : puts verified bytes at a path, or raises and leaves nothing there
        refresh : fetch again

        Raises
        ------
        LocalEnvironmentError
            If disk, permission or lock stand in the way.
        Exception
            Whatever `fetch` raises; what was in the cache is there still.
        """
        if not refresh and (found := self.cached_product(product)) is not None:
            return found
        path = self.path_of(product)
        ensure_private_folder(self.folder)
        make_folder(path.parent, private=True)
        with self._lock(product):
            found = None if refresh else self.cached_product(product)
            if found is not None:
                return found
            _remove_leftovers(path.parent)
            return self._fetch(product, path, fetch)

    def _fetch(self, product: ArchiveProduct, path: Path, fetch: Callable[[Path], FetchedFile]) -> CachedProduct:
        old = _described(path)
        if path.exists() and (old is None or not _agrees(old)):
            self._set_aside(path, self.folder / "quarantine")
            old = None
        incoming = path.with_name(f"{path.name}.incoming")
        incoming.unlink(missing_ok=True)
        answer = fetch(incoming)
        sha256, n_bytes = _hash_file(incoming)
        superseded = None
        if old is not None and old.sha256 != sha256:
            superseded = self._set_aside(path, self.folder / "superseded" / f"tic_{product.tic_id}")
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        # The description first: bytes without their description would be taken for foreign ones.
        description = {
            "schema_version": SCHEMA_VERSION,
            "product": asdict(product),
            "sha256": sha256,
            "n_bytes": n_bytes,
            "retrieved_at": now,
            "server_date": answer.server_date,
        }
        data = json.dumps(description, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"
        write_atomic(_sidecar(path), data, private=True)
        rename_durable(incoming, path)
        return CachedProduct(product, path, sha256, n_bytes, now, answer.server_date, True, superseded)

    def _set_aside(self, path: Path, folder: Path) -> Path:
        """Move a file and its description out of the way, under a name that its bytes give."""
        make_folder(folder, private=True)
        sha256, _ = _hash_file(path)
        aside = folder / f"{sha256[:16]}-{path.name}"
        with sentences("move aside", path):
            if _sidecar(path).exists():
                os.replace(_sidecar(path), _sidecar(aside))  # noqa: PTH105
            os.replace(path, aside)  # noqa: PTH105
        return aside

    def pin_run(self, run_id: str, workspace: Path, sha256s: Sequence[str]) -> None:
        """Note what a run cites, so that no cleaning removes it; a run that cites nothing of the cache leaves no note."""
        if not sha256s or not self.products.exists():
            return
        make_folder(self.pins, private=True)
        note = {"run_id": run_id, "workspace": str(workspace), "sha256": sorted(set(sha256s))}
        data = json.dumps(note, sort_keys=True).encode() + b"\n"
        write_atomic(self.pins / f"{safe_name(run_id)}.json", data, private=True)

    def cited(self) -> dict[str, tuple[str, ...]]:
        """Run ids that cite each sha256; a note that cannot be read counts as none."""
        runs: dict[str, list[str]] = {}
        for path in sorted(self.pins.glob("*.json")) if self.pins.is_dir() else ():
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                note = json.loads(path.read_bytes())
                for sha256 in note["sha256"]:
                    runs.setdefault(str(sha256), []).append(str(note["run_id"]))
        return {sha256: tuple(ids) for sha256, ids in runs.items()}

    @contextlib.contextmanager
    def _lock(self, product: ArchiveProduct) -> Iterator[None]:
        from filelock import FileLock, Timeout

        folder = self.folder / "locks"
        make_folder(folder, private=True)
        name = hashlib.sha256(f"{product.tic_id} {product.uri}".encode()).hexdigest()[:24]
        path = folder / f"{name}.lock"
        lock = FileLock(path, timeout=LOCK_TIMEOUT_S, mode=0o600)
        with sentences("lock", path):
            try:
                lock.acquire()
            except Timeout as error:
                raise LocalEnvironmentError(
                    f"Another process has been fetching {product.file} for more than {LOCK_TIMEOUT_S:g} s (it holds {path}).",
                    hint="Wait until it has ended and run the command again.",
                    path=path,
                ) from error
        try:
            yield
        finally:
            lock.release()


def safe_name(name: str) -> str:
    """A file name of a name from elsewhere: no folder, no dot in front, nothing that any system reserves, at most 160 letters."""
    cleaned = _SAFE.sub("_", name).lstrip(".-")[:160].rstrip(". ")
    if not cleaned or _RESERVED.fullmatch(cleaned):
        return f"_{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
    if cleaned != name:
        # Two names must not meet in one file because of what was taken out of them.
        cleaned = f"{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}-{cleaned}"
    return cleaned


def described_products(folder: Path) -> tuple[CachedProduct, ...]:
    """The products below a folder by their descriptions; the bytes are not read."""
    return tuple(found for path in _files(folder) if (found := _described(path)) is not None and path.is_file())


def _sidecar(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _files(folder: Path) -> list[Path]:
    """Files below a folder that have a description, in a stable order."""
    return [path.with_name(path.name.removesuffix(".json")) for path in sorted(folder.rglob("*.json"))]


def _described(path: Path) -> CachedProduct | None:
    """A product by its description; None where there is none that can be read."""
    try:
        words = json.loads(_sidecar(path).read_bytes())
        if words["schema_version"] != SCHEMA_VERSION:
            return None
        product = ArchiveProduct(**words["product"])
        return CachedProduct(
            product, path, str(words["sha256"]), int(words["n_bytes"]), str(words["retrieved_at"]), words["server_date"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _agrees(found: CachedProduct) -> bool:
    """Whether the bytes are those that were fetched."""
    try:
        return found.path.stat().st_size == found.n_bytes and _hash_file(found.path)[0] == found.sha256
    except (OSError, LocalEnvironmentError):
        return False


def _hash_file(path: Path) -> tuple[str, int]:
    with sentences("read", path), path.open("rb") as file:
        digest: Any = hashlib.file_digest(file, "sha256")
        return digest.hexdigest(), file.tell()


def _remove_leftovers(folder: Path) -> None:
    """Parts of downloads whose process is gone; under the product's lock nobody else is at work here on it."""
    for path in folder.iterdir():
        match = _PART.fullmatch(path.name)
        if match is None or (match[2] is not None and _is_alive(int(match[2]))):
            continue
        with contextlib.suppress(OSError):
            path.unlink()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
