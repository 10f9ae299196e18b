"""
Where a target's artefacts lie, and the one lock of a target.

    exofop/tic_<id>/manifest.json           what there is, and from where
    exofop/tic_<id>/target.json, filelist.csv, summaries/    answers as they came
    exofop/tic_<id>/files/<file_id>_<name>  payloads
    .../superseded/                         what ExoFOP has replaced since
    exofop/tic_<id>/archives/files.zip      the archive of all files, where somebody asked for it; beside it, of which host
    exofop/tic_<id>/thumbnails/             what we have drawn of payloads, by their sha256 and the version of what draws
    exofop-private/tic_<id>/                the same as a member sees it; never read by an anonymous run
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from btv_report.archive.cache_artefacts import ROOMS, lock_file
from btv_report.archive.cache_folder import ensure_private_folder, kernel_lock, require_trusted
from btv_report.archive.stored_files import has_bytes, hash_file, keep_copy, open_regular
from btv_report.atomic import TEMPORARY_SUFFIX, make_folder, rename_durable, sentences, write_atomic
from btv_report.errors import LocalEnvironmentError

PUBLIC_ROOM, PRIVATE_ROOM = ROOMS
MANIFEST = "manifest.json"
INCOMING = ".incoming"
_ROOMS = ("summaries", "summaries/superseded", "files", "files/superseded")
LOCK_TIMEOUT_S = 3600.0
"""Another process may be fetching hundreds of files; its lock ends with it."""


class TargetFolder:
    """
    One target's tree in the cache; nothing is made before something is kept.

    Parameters
    ----------
    cache_dir : the cache folder
    tic_id : the target
    private : whether it is the tree that holds what only members may see
    """

    def __init__(self, cache_dir: Path, tic_id: int, *, private: bool = False) -> None:
        self.cache_dir = cache_dir
        self.private = private
        self.root = cache_dir / (PRIVATE_ROOM if private else PUBLIC_ROOM) / f"tic_{tic_id}"

    @property
    def manifest_path(self) -> Path:
        """The manifest."""
        return self.root / MANIFEST

    def prepare(self) -> None:
        """
        Make the tree, and take away what a killed run has left half-way. Call it under the target's lock.

        Raises
        ------
        LocalEnvironmentError
            If a folder is somebody else's, others may write to it, or a link stands in its place.
        """
        ensure_private_folder(self.cache_dir)
        for folder in self._folders():
            if folder.is_symlink():
                raise LocalEnvironmentError(
                    f"{folder} is a link, and what is fetched must stay in the cache.",
                    hint="Remove the link, or name another cache with BTV_REPORT_CACHE_DIR.",
                    path=folder,
                )
            make_folder(folder, private=True)
            require_trusted(folder)
            for leftover in folder.glob(f".*{TEMPORARY_SUFFIX}"):
                with sentences("clear", leftover):
                    leftover.unlink(missing_ok=True)
        with sentences("clear", self.root / INCOMING):
            shutil.rmtree(self.root / INCOMING, ignore_errors=True)
            (self.root / INCOMING).mkdir(mode=0o700)

    def finish(self) -> None:
        """Take the folder of unfinished downloads away."""
        shutil.rmtree(self.root / INCOMING, ignore_errors=True)

    def _folders(self) -> tuple[Path, ...]:
        return (self.root.parent, self.root, *(self.root / name for name in _ROOMS))

    def incoming(self, name: str) -> Path:
        """Where something is put while it is not known yet what it is."""
        return self.root / INCOMING / name

    def keep(self, relative: str, content: bytes) -> str:
        """Write an answer as it came; gives its sha256."""
        write_atomic(self.root / relative, content, private=True)
        return hashlib.sha256(content).hexdigest()

    def read(self, relative: str, sha256: str | None, *, limit_bytes: int) -> bytes | None:
        """
        A kept answer by its recorded sha256, also while newer bytes take its place and the manifest does not tell of them yet.

        Returns
        -------
        bytes or None
            None where no plain file of ours holds these bytes.
        """
        if sha256 is None:
            return None
        for name in (relative, spare_of(relative, sha256)):
            content = _content(self.root / name, limit_bytes)
            if content is not None and hashlib.sha256(content).hexdigest() == sha256:
                return content
        return None

    def holds(self, entry: Mapping[str, Any]) -> bool:
        """
        Whether the payload of a manifest's entry is there with its recorded bytes.

        Raises
        ------
        LocalEnvironmentError
            If the machine does not let it be read: then nothing is known of its bytes.
        """
        relative, sha256, n_bytes = (entry.get(name) for name in ("path", "sha256", "bytes"))
        if not (isinstance(relative, str) and isinstance(sha256, str) and isinstance(n_bytes, int)):
            return False
        return is_below(relative) and has_bytes(self.root / relative, sha256, n_bytes)

    def place(self, arrived: Path, relative: str) -> None:
        """Put what has arrived under its final name; what stands there is replaced."""
        rename_durable(arrived, self.root / relative)

    def restore(self, entry: Mapping[str, Any]) -> bool:
        """
        Whether recorded bytes are in their place, put back from `superseded` if need be. Call it under the target's lock.

        A run that was killed after it had put newer bytes there, and before it wrote the manifest, leaves them so.
        """
        if not {"path", "sha256", "bytes"} <= entry.keys():
            return False
        if self.holds(entry):
            return True
        spare = spare_of(entry["path"], entry["sha256"])
        if not has_bytes(self.root / spare, entry["sha256"], entry["bytes"]):
            return False
        arrival = self.incoming(Path(spare).name)
        arrival.unlink(missing_ok=True)
        keep_copy(self.root / spare, arrival)
        self.place(arrival, entry["path"])
        return True

    def keep_stranger(self, relative: str, sha256: str) -> None:
        """Keep what lies where other bytes are about to go, and of which the manifest knows nothing, in `superseded`."""
        try:
            found, n_bytes = hash_file(self.root / relative)
        except OSError:
            return  # nothing, or no plain file of ours
        if found != sha256:
            self.supersede({"path": relative, "sha256": found, "bytes": n_bytes})

    def supersede(self, entry: Mapping[str, Any]) -> str | None:
        """
        Keep bytes that are about to be replaced under a second name, in the `superseded` of their folder.

        Returns
        -------
        str or None
            Where they are kept; None where those bytes are not there any more.
        """
        sha256, n_bytes = entry["sha256"], entry["bytes"]
        spare = spare_of(entry["path"], sha256)
        if not has_bytes(self.root / spare, sha256, n_bytes):
            if not self.holds(entry):
                return None
            with sentences("replace", self.root / spare):
                (self.root / spare).unlink(missing_ok=True)
            keep_copy(self.root / entry["path"], self.root / spare)
        return spare


def spare_of(relative: str, sha256: str) -> str:
    """Where bytes of a place are kept that have been replaced there; relative, as the place itself."""
    room = "files" if relative.startswith("files/") else "summaries"
    return f"{room}/superseded/{sha256[:16]}_{PurePosixPath(relative).name}"


def _content(path: Path, limit_bytes: int) -> bytes | None:
    try:
        with open_regular(path) as file:
            return file.read(limit_bytes + 1)
    except OSError:
        return None


def is_below(relative: str) -> bool:
    """Whether a path of a manifest leads to somewhere in the manifest's folder; the words alone are looked at."""
    path = PurePosixPath(relative)
    return not path.is_absolute() and ".." not in path.parts and "\0" not in relative


@contextlib.contextmanager
def lock_target(cache_dir: Path, tic_id: int) -> Iterator[None]:
    """
    Be the only one at work on a target's artefacts, public and private.

    Raises
    ------
    LockBusyError
        If another process has been for an hour.
    """
    ensure_private_folder(cache_dir)
    lock = lock_file(cache_dir, f"tic_{tic_id}")
    make_folder(lock.parent, private=True)
    busy = f"Another process has been fetching the ExoFOP files of TIC {tic_id} for more than {LOCK_TIMEOUT_S:g} s"
    with kernel_lock(lock, timeout_s=LOCK_TIMEOUT_S, busy=busy):
        yield
