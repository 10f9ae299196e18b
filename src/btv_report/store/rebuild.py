"""Making the database again from the run records and the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from btv_report.atomic import remove_durable, rename_durable
from btv_report.errors import IntegrityError
from btv_report.store.canonical import sha256_hex
from btv_report.store.ledger import Ledger, LedgerEntry
from btv_report.store.recording import add_runs, finish_interrupted, read_sound_record, record_files
from btv_report.store.store import Store
from btv_report.store.workspace import Workspace


@dataclass(frozen=True)
class RebuildReport:
    """
    What a rebuild did.

    Attributes
    ----------
    n_runs : runs that the new database holds
    adopted : run ids of records that had no ledger line and got one
    problems : sentences about records that could not be taken
    set_aside : where the old database lies now; None when there was none
    """

    n_runs: int
    adopted: tuple[str, ...]
    problems: tuple[str, ...]
    set_aside: Path | None


def rebuild_store(workspace: Workspace) -> RebuildReport:
    """
    Make the database again from the run records, equal row by row; the old file is set aside, never deleted.

    Record files that the ledger lacks (copied in from elsewhere) are entered into it, by run id. The new database takes
    the old one's place only when it is complete.

    Raises
    ------
    IntegrityError
        If the ledger does not hold: it says which runs there were, so nothing is built on a damaged one.
    LocalEnvironmentError
        If another process writes for too long, or the machine refuses.
    """
    with workspace.writing():
        ledger = Ledger(workspace.ledger)
        finish_interrupted(workspace, ledger)
        entries = ledger.entries()
        adopted, problems = _adopt(workspace, ledger, entries)
        fresh = workspace.database.with_name(f".{workspace.database.name}.rebuild")
        _remove(fresh)
        try:
            with Store(fresh, write=True) as store:
                problems += add_runs(workspace, store, entries, 0, {})
                n_runs = len(store.run_ids())
            set_aside = _set_aside(workspace.database)
            rename_durable(fresh, workspace.database)
        finally:
            _remove(fresh)
    return RebuildReport(n_runs, tuple(adopted), tuple(problems), set_aside)


def _adopt(workspace: Workspace, ledger: Ledger, entries: list[LedgerEntry]) -> tuple[list[str], list[str]]:
    """Enter sound records that have no ledger line; `entries` grows with the ledger. Run ids, and sentences."""
    entered = {entry["run_id"] for entry in entries}
    adopted, problems = [], []
    for file in record_files(workspace):
        if file.stem in entered:
            continue
        try:
            data = read_sound_record(file)
        except IntegrityError as error:
            problems.append(str(error))
            continue
        entries.append(ledger.append(file.stem, int(file.parent.name), sha256_hex(data)))
        adopted.append(file.stem)
    return adopted, problems


def _remove(database: Path) -> None:
    """Remove an unfinished new database and its log."""
    for path in (_log_of(database), database):
        if path.exists():
            remove_durable(path)


def _log_of(database: Path) -> Path:
    """Where DuckDB keeps what it has not yet moved into the file."""
    return database.with_name(f"{database.name}.wal")


def _set_aside(database: Path) -> Path | None:
    """
    Give the old database another name, with its log.

    The log goes first: a log that stayed behind would be replayed into the new file.
    """
    log = _log_of(database)
    if not database.exists() and not log.exists():
        return None
    number = 1
    while (aside := database.with_name(f"{database.name}.aside-{number}")).exists() or _log_of(aside).exists():
        number += 1
    for path, name in ((log, _log_of(aside)), (database, aside)):
        if path.exists():
            rename_durable(path, name)
    return aside
