"""Opening the DuckDB file, and what DuckDB's refusals mean to a reader."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from btv_report.errors import BtvReportError, IntegrityError, LocalEnvironmentError, NothingUsableError, UsageError

if TYPE_CHECKING:
    import duckdb

BUSY_TIMEOUT_S = 10.0
_BUSY_PAUSE_S = 0.05
REBUILD_HINT = (
    "Run `btv-report store rebuild`: it sets this file aside and makes the database again from the run records, "
    "which are not affected."
)
# No query may reach the network or other files, whoever wrote it.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
    "lock_configuration": "true",
}


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """
    Let new files be readable by their owner only: DuckDB makes its file and its log with the process's umask.

    The umask belongs to the whole process: only the holder of the workspace's write lock may do this, so that no two
    threads restore each other's; files of the site get their mode explicitly.
    """
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def open_database(path: Path, *, write: bool, timeout_s: float = BUSY_TIMEOUT_S) -> duckdb.DuckDBPyConnection:
    """
    Open the database file.

    Parameters
    ----------
    path : Path
    write : bool
        Makes the file when it is not there. DuckDB lets one process write while no other process reads.
    timeout_s : float
        How long to wait for processes that stand in the way, seconds.

    Raises
    ------
    NothingUsableError
        If there is nothing to read.
    LocalEnvironmentError
        If another process stands in the way for longer, or the machine refuses.
    IntegrityError
        If the file is not a DuckDB database or is damaged.
    """
    import duckdb

    if not write and not path.exists():
        raise NothingUsableError(
            f"There is no database {path}.",
            hint="Make a dossier first (`btv-report TIC 365938305`); if there are run records in `runs`, run "
            "`btv-report store rebuild`.",
            path=path,
        )
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return duckdb.connect(path, read_only=not write, config=_CONFIG)
        except duckdb.Error as error:
            if not _is_lock(error) or time.monotonic() >= deadline:
                raise explain(error, path, timeout_s=timeout_s) from error
        time.sleep(_BUSY_PAUSE_S)


def _is_lock(error: duckdb.Error) -> bool:
    return "Could not set lock on file" in str(error)


@contextlib.contextmanager
def explained(path: Path, *, users_sql: bool = False) -> Iterator[None]:
    """
    Let every error of DuckDB in the block leave as one of ours.

    `users_sql` says that a user wrote the statement, so that what DuckDB does not understand is not the file's fault.
    """
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        asked = (duckdb.ProgrammingError, duckdb.DataError, duckdb.NotSupportedError, duckdb.PermissionException)
        if users_sql and isinstance(error, asked):
            raise UsageError(f"DuckDB refuses the query: {str(error).strip()}", path=path) from error
        raise explain(error, path) from error


def explain(error: duckdb.Error, path: Path, *, timeout_s: float = BUSY_TIMEOUT_S) -> BtvReportError:
    """Say what an error of DuckDB about our file means, and what to do."""
    import duckdb

    words = str(error).splitlines()[0].rstrip(".")
    if _is_lock(error):
        holder = re.search(r"PID ([0-9]+)", str(error))
        who = f"process {holder.group(1)}" if holder else "another process"
        return LocalEnvironmentError(
            f"The database {path} is in use by {who}, and still was after {timeout_s:g} s.",
            hint="Close the program that has it open (a DuckDB shell, a notebook, another btv-report) and try again.",
            path=path,
        )
    if isinstance(error, duckdb.ConnectionException) and "different configuration" in words:
        return LocalEnvironmentError(
            f"This process already has the database {path} open in another way.",
            hint="Close the other connection first.",
            path=path,
        )
    if isinstance(error, duckdb.OutOfMemoryException) or re.search(
        r"No space left|Permission denied|Read-only file system|Disk quota|File too large|Too many open files|max_temp",
        str(error),
    ):
        return LocalEnvironmentError(
            f"The machine does not let DuckDB use {path}: {words}.",
            hint="Free disk space or memory, or mend the rights of that file and folder, and try again.",
            path=path,
        )
    # The second: DuckDB recognises other databases by their first bytes and would load an extension to read them.
    if "not a valid DuckDB database" in words or "Loading external extensions is disabled" in words:
        return IntegrityError(f"{path} is not a DuckDB database.", hint=REBUILD_HINT, path=path)
    return IntegrityError(f"DuckDB cannot use the database {path}: {words}.", hint=REBUILD_HINT, path=path)
