"""Where things lie: the paths of a workspace, how one is found, and the lock that lets one process write."""

from __future__ import annotations

import contextlib
import os
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from btv_report.archive.cache_folder import default_cache_folder, named_cache_folder
from btv_report.atomic import TEMPORARY_SUFFIX, make_folder, sentences
from btv_report.errors import LocalEnvironmentError, UsageError

LOCK_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Workspace:
    """
    The folder that holds a user's store and site.

    Attributes
    ----------
    root : absolute path of the folder; it need not exist yet
    """

    root: Path

    @property
    def database(self) -> Path:
        """The DuckDB file."""
        return self.root / "btv-report.duckdb"

    @property
    def runs(self) -> Path:
        """Folder of the run records, one folder a target."""
        return self.root / "runs"

    @property
    def ledger(self) -> Path:
        """The chain of record hashes."""
        return self.runs / "ledger.jsonl"

    @property
    def site(self) -> Path:
        """The site that may be published."""
        return self.root / "site"

    @property
    def calibration(self) -> Path:
        """The truth tables made in this workspace; absent where those of the release are shown."""
        return self.root / "calibration.json"

    @property
    def private_site(self) -> Path:
        """The site that must not be published."""
        return self.root / "site-private"

    @property
    def hidden(self) -> Path:
        """Folder of the program itself: lock, note of an unfinished recording, default cache."""
        return self.root / ".btv-report"

    @property
    def lock_file(self) -> Path:
        """What the writing process locks."""
        return self.hidden / "writer.lock"

    @property
    def unfinished(self) -> Path:
        """Names the run that is being recorded; gone once its ledger entry is on the disk."""
        return self.hidden / "recording.json"

    def record_file(self, tic_id: int, run_id: str) -> Path:
        """Where the record of a run lies."""
        return self.runs / str(tic_id) / f"{run_id}.json"

    def ensure_writable(self) -> None:
        """
        Make the workspace's folders, and prove that files can be made there.

        Raises
        ------
        UsageError
            If the root is that of the file system.
        LocalEnvironmentError
            If the root is not a folder, or the machine does not let us write.
        """
        if self.root == Path(self.root.anchor):
            raise UsageError(
                f"The workspace cannot be {self.root}: its files would lie among those of the system.",
                hint="Name a folder of its own with --workspace.",
                path=self.root,
            )
        if self.root.exists() and not self.root.is_dir():
            raise LocalEnvironmentError(
                f"The workspace {self.root} is a file, not a folder.",
                hint="Name a folder with --workspace.",
                path=self.root,
            )
        make_folder(self.root, private=False)
        make_folder(self.hidden, private=True)
        make_folder(self.runs, private=True)
        for folder in (self.root, self.runs):
            with (
                sentences("make a file in the workspace", folder),
                tempfile.TemporaryFile(dir=folder, suffix=TEMPORARY_SUFFIX),
            ):
                pass

    @contextlib.contextmanager
    def writing(self, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
        """
        Hold the workspace's one write lock for the block.

        It is a lock of the kernel, so it ends with the process that holds it, however that process ends.

        Parameters
        ----------
        timeout_s : float
            How long to wait for another writer, seconds.

        Raises
        ------
        LocalEnvironmentError
            If another process still writes after that time, or the lock file cannot be made.
        """
        from filelock import FileLock, Timeout

        self.ensure_writable()
        lock = FileLock(self.lock_file, timeout=timeout_s, mode=0o600)
        with sentences("lock", self.lock_file):
            try:
                lock.acquire()
            except Timeout as error:
                raise LocalEnvironmentError(
                    f"Another btv-report has been writing to the workspace {self.root} for more than {timeout_s:g} s "
                    f"(it holds {self.lock_file}).",
                    hint="Wait until it has ended and run the command again, or use another folder with --workspace.",
                    path=self.lock_file,
                ) from error
        try:
            yield
        finally:
            lock.release()


def locate_workspace(given: Path | None, current: Path) -> tuple[Workspace, str]:
    """
    Find the workspace of a command.

    Parameters
    ----------
    given : Path or None
        `--workspace`.
    current : Path
        The current folder.

    Returns
    -------
    Workspace, str
        The note is empty, or a sentence for stderr when the place is not the one a reader would guess. Without `given` it
        is the current folder; inside a source checkout of btv-report itself, where files would end up among the sources,
        it is the checkout's git-ignored `workspace/`, unless the current folder already is a workspace.
    """
    if given is not None:
        return Workspace(given.expanduser().resolve()), ""
    current = current.resolve()
    here = Workspace(current)
    if here.database.exists() or here.ledger.exists():
        return here, ""
    checkout = next((folder for folder in (current, *current.parents) if _is_own_checkout(folder)), None)
    if checkout is None:
        return here, ""
    root = checkout / "workspace"
    return Workspace(root), f"This is the source checkout of btv-report, so the workspace is {root}."


def _is_own_checkout(folder: Path) -> bool:
    """Whether a folder holds the sources of btv-report; an unreadable pyproject.toml is someone else's."""
    try:
        with (folder / "pyproject.toml").open("rb") as file:
            project = tomllib.load(file).get("project", {})
    except (OSError, ValueError):
        return False
    return isinstance(project, dict) and project.get("name") == "btv-report"


def cache_folder(workspace: Workspace, environment: Mapping[str, str]) -> Path:
    """
    Where fetched bytes are kept: the folder that a variable names, else `.btv-report/cache` in the workspace.

    Raises
    ------
    UsageError
        If a variable names a place where cache and other files would get into each other's way: the root of the file system, the
        home folder itself, the workspace or its records, or a place inside a site, or around one.
    """
    folder = default_cache_folder(environment, workspace.root)
    if named_cache_folder(environment) is not None:
        _refuse_shared_place(folder, workspace)
    return folder


def _refuse_shared_place(folder: Path, workspace: Workspace) -> None:
    place = Path(os.path.realpath(folder))
    root = Path(os.path.realpath(workspace.root))
    sites = [root / workspace.site.name, root / workspace.private_site.name]
    if place in {Path(place.anchor), Path(os.path.realpath(Path.home()))}:
        why = "it would fill a folder that is not its own"
    elif place in {root, root / workspace.runs.name}:
        why = "it would lie among the workspace's own files"
    elif any(place.is_relative_to(site) or site.is_relative_to(place) for site in sites):
        why = "cache and site would lie in each other, and what is cached is not for publishing"
    else:
        return
    raise UsageError(
        f"{folder} cannot be the cache: {why}.",
        hint="Name a folder of its own with BTV_REPORT_CACHE_DIR, or unset it.",
        path=folder,
    )
