"""
Fetched products, shared by all processes of a machine: each fetched once, verified, described beside itself, never overwritten.

    products/tic_<id>/mastDownload/<TESS|HLSP>/<obs_id>/<file>      the bytes, as lightkurve lays them out
    products/tic_<id>/mastDownload/<...>/<file>.json                what they are: uri, sha256, size, when they were fetched
    superseded/tic_<id>/<sha256>-<file>                             what the archive has replaced since, with its description
    quarantine/<sha256>-<file>                                      what did not agree with its description
    incoming/<lock>/                                                what is being fetched; whoever holds the lock owns it
    pins/<run_id>.json                                              what a run cites
    locks/<lock>.lock                                               one lock of the kernel a product
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from btv_report.archive.cache_folder import LockBusyError, ensure_private_folder, kernel_lock, require_trusted
from btv_report.archive.mast_types import ArchiveProduct
from btv_report.archive.product_descriptions import (
    CachedProduct,
    candidates,
    describe,
    described_products,
    is_whole,
)
from btv_report.archive.stored_files import (
    description_of,
    hash_file,
    keep_copy,
    put_in_place,
    read_description,
    safe_name,
)
from btv_report.atomic import make_folder, sentences, write_atomic
from btv_report.errors import LocalEnvironmentError
from btv_report.utc import utc_text

__all__ = ["CachedProduct", "FetchedFile", "ProductCache", "described_products", "safe_name"]

LOCK_TIMEOUT_S = 3600.0
"""Another process may be fetching a large file; its lock ends with it."""

_READS = 3
"""A description that changes while its file is read is read again; nobody replaces a product more often than that."""


class FetchedFile(Protocol):
    """What a fetch function says of the file that it put in place."""

    @property
    def server_date(self) -> str | None:
        """When the server dates its answer."""


class ProductCache:
    """
    Products below one cache folder; nothing is made in it before something is kept.

    Parameters
    ----------
    folder : the cache folder
    clock : the time, for tests

    Raises
    ------
    LocalEnvironmentError
        If the folder is somebody else's, or others may write to it.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.folder = folder.absolute()
        self.products = self.folder / "products"
        self.superseded = self.folder / "superseded"
        self.quarantine = self.folder / "quarantine"
        self.incoming = self.folder / "incoming"
        self.pins = self.folder / "pins"
        self._clock = clock
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
        """
        A product that is in the cache, whole; None where it is not. Its bytes are read for that.

        Raises
        ------
        LocalEnvironmentError
            If the machine does not let them be read.
        """
        path = self.path_of(product)
        for folder in (self.products, self.folder_of(product.tic_id), path.parent):
            if folder.exists():  # who may write there could put bytes and description there together
                require_trusted(folder)
        for _ in range(_READS):
            words = read_description(path)
            for found in candidates(words, path):
                if (found.product.tic_id, found.uri) == (product.tic_id, product.uri) and is_whole(found):
                    return found
            if read_description(path) == words:
                break
            # Another process replaced it between the two looks: look again.
        return None

    def cached(self, tic_id: int) -> tuple[CachedProduct, ...]:
        """A target's products by their descriptions and sizes; the bytes are read where only they can tell."""
        return described_products(self.folder_of(tic_id))

    def get_or_fetch(
        self,
        product: ArchiveProduct,
        fetch: Callable[[Path], FetchedFile],
        *,
        refresh: bool = False,
        host: str | None = None,
    ) -> CachedProduct:
        """
        A product's bytes: those in the cache if they are whole, else fetched.

        Of all processes that ask at once one fetches, and the others wait for it. Bytes that do not agree with their
        description go to quarantine; bytes that the archive has replaced are kept. Whenever the process is killed, the
        cache gives the old bytes or the new ones.

        Parameters
        ----------
        product : what to get
        fetch : puts verified bytes at a path, or raises
        refresh : fetch again
        host : who gives it, for its description

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
        with self.locked(path):
            if not refresh and (found := self.cached_product(product)) is not None:
                return found
            with self._workshop(path) as workshop:
                return self._fetch(product, path, fetch, workshop, host)

    def _fetch(
        self,
        product: ArchiveProduct,
        path: Path,
        fetch: Callable[[Path], FetchedFile],
        workshop: Path,
        host: str | None,
    ) -> CachedProduct:
        old = next((found for found in candidates(read_description(path), path) if is_whole(found)), None)
        if old is None:
            self._set_aside(path)
        incoming = workshop / path.name
        answer = fetch(incoming)
        with sentences("read", incoming):
            incoming.chmod(0o600)
            sha256, n_bytes = hash_file(incoming)
        retrieved_at = utc_text(self._clock())
        new = CachedProduct(
            product, path, sha256, n_bytes, retrieved_at, answer.server_date, was_fetched=True, host=host
        )
        if old is None:
            # The description first: bytes without one would be taken for foreign ones.
            describe(new, workshop)
            put_in_place(incoming, path)
        elif old.sha256 == sha256:
            describe(new, workshop)
        else:
            new = replace(new, superseded=self._keep_superseded(old, workshop))
            # It describes both while the bytes are exchanged, so that either are believed, whenever we are stopped.
            describe(new, workshop, replaces=old)
            put_in_place(incoming, path)
            describe(new, workshop)
        return new

    def _keep_superseded(self, old: CachedProduct, workshop: Path) -> Path:
        """Give the old bytes a second place, with their description."""
        aside = self.superseded / f"tic_{old.product.tic_id}" / f"{old.sha256[:16]}-{old.path.name}"
        spare = workshop / "superseded"
        keep_copy(old.path, spare)
        with self.locked(aside):  # a cleaning must not take it for a stray before it is described
            put_in_place(spare, aside)
            describe(replace(old, path=aside), workshop)
        return aside

    def _set_aside(self, path: Path) -> None:
        """Move what is damaged, or nobody has described, out of the way, under a name that its bytes give."""
        if not os.path.lexists(path):
            return
        try:
            name = hash_file(path)[0][:16]
        except OSError:
            name = f"odd-{secrets.token_hex(6)}"  # a link, a folder, a pipe: it is moved as it is, and not read
        aside = self.quarantine / f"{name}-{path.name}"
        if os.path.lexists(description_of(path)):
            put_in_place(description_of(path), description_of(aside))
        put_in_place(path, aside)

    def pin_run(self, run_id: str, workspace: Path, sha256s: Sequence[str]) -> None:
        """
        Note what a run cites, so that no cleaning removes it.

        A run that cites nothing of the cache leaves no note; nor does any in a cache that we may only read.
        """
        if not sha256s or not self.folder.exists() or not os.access(self.folder, os.W_OK):
            return
        make_folder(self.pins, private=True)
        note = {"run_id": run_id, "workspace": str(workspace), "sha256": sorted(set(sha256s))}
        data = json.dumps(note, sort_keys=True).encode() + b"\n"
        write_atomic(self.pins / f"{safe_name(run_id)}.json", data, private=True)

    def cited(self) -> dict[str, tuple[str, ...]]:
        """Run ids that cite each sha256; see `damaged_pins` for notes that cannot be read."""
        runs: dict[str, list[str]] = {}
        for _, note in self._notes():
            if note is not None:
                for sha256 in note["sha256"]:
                    runs.setdefault(str(sha256), []).append(note["run_id"])
        return {sha256: tuple(ids) for sha256, ids in runs.items()}

    def damaged_pins(self) -> tuple[Path, ...]:
        """Notes that cannot be read: as long as there are any, nobody knows what runs cite."""
        return tuple(path for path, note in self._notes() if note is None)

    def _notes(self) -> Iterator[tuple[Path, dict[str, Any] | None]]:
        for path in sorted(self.pins.glob("*.json")) if self.pins.is_dir() else ():
            try:
                note = json.loads(path.read_bytes())
                is_sound = isinstance(note["sha256"], list) and isinstance(note["run_id"], str)
            except FileNotFoundError:
                continue
            except (OSError, ValueError, KeyError, TypeError, RecursionError):
                is_sound = False
            yield path, note if is_sound else None

    @contextlib.contextmanager
    def locked(self, path: Path, *, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
        """
        Hold the lock of the product at a path.

        Raises
        ------
        LockBusyError
            If another process holds it for longer than `timeout_s`.
        """
        with self._lock_named(self._lock_name(path), path.name, timeout_s):
            yield

    def abandoned(self) -> tuple[Path, ...]:
        """Files that killed processes left of their downloads; those of what is being fetched now are not among them."""
        found: list[Path] = []
        for folder in self._workshops():
            with contextlib.suppress(LocalEnvironmentError), self._lock_named(folder.name, folder.name, 0):
                found += _files_in(folder)
        return tuple(found)

    def remove_abandoned(self) -> tuple[int, int]:
        """Remove what killed processes left of their downloads; what is being fetched now stays. Files and bytes freed."""
        n_files = n_bytes = 0
        for folder in self._workshops():
            with contextlib.suppress(LockBusyError), self._lock_named(folder.name, folder.name, 0):
                sizes = [path.lstat().st_size for path in _files_in(folder)]
                shutil.rmtree(folder, ignore_errors=True)
                n_files, n_bytes = n_files + len(sizes), n_bytes + sum(sizes)
        return n_files, n_bytes

    def _workshops(self) -> list[Path]:
        return sorted(self.incoming.iterdir()) if self.incoming.is_dir() else []

    @contextlib.contextmanager
    def _lock_named(self, name: str, what: str, timeout_s: float) -> Iterator[None]:
        folder = self.folder / "locks"
        make_folder(folder, private=True)
        busy = f"Another process has been at work on {what} for more than {timeout_s:g} s"
        with kernel_lock(folder / f"{name}.lock", timeout_s=timeout_s, busy=busy):
            yield

    def _lock_name(self, path: Path) -> str:
        """By the place, not by the product: what lies at one place has one lock, whatever the archive calls it."""
        return hashlib.sha256(os.fsencode(path.relative_to(self.folder))).hexdigest()[:24]

    @contextlib.contextmanager
    def _workshop(self, path: Path) -> Iterator[Path]:
        """
        An empty folder for what is being made; what a killed process left in it goes.

        Only the holder of the product's lock comes here, so nobody has to guess from process numbers who is still alive.
        """
        folder = self.incoming / self._lock_name(path)
        shutil.rmtree(folder, ignore_errors=True)
        make_folder(folder, private=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _files_in(workshop: Path) -> list[Path]:
    return sorted(path for path in workshop.rglob("*") if path.is_symlink() or not path.is_dir())
