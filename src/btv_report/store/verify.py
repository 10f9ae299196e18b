"""Holding a workspace's records, ledger and database against each other."""

from __future__ import annotations

from itertools import zip_longest

from btv_report.errors import BtvReportError, IntegrityError
from btv_report.store.columns import Row
from btv_report.store.kept_files import is_kept, verify_kept_files
from btv_report.store.ledger import Ledger, LedgerEntry, verify_ledger
from btv_report.store.recording import load_rows, read_sound_record, record_files
from btv_report.store.rows import RunRows
from btv_report.store.store import NumberedEntry, Store
from btv_report.store.tables import RECORD_TABLES
from btv_report.store.workspace import Workspace

_REBUILD = "`btv-report store rebuild` makes the database again from the records."


def verify_workspace(workspace: Workspace) -> list[str]:
    """
    Recompute record hashes, the ledger's chain, every row of the database, and the hashes of kept copies.

    Nothing is changed. The database is read to the last value, so damage that opening it would not show is found.

    Returns
    -------
    list of str
        What does not hold, sentences; records first, then the ledger, then the database. Empty when everything holds.
    """
    if not workspace.runs.is_dir():
        return [f"{workspace.root} holds no run records (there is no folder {workspace.runs})."]
    problems = []
    if workspace.unfinished.exists():
        problems.append(
            f"A recording was interrupted ({workspace.unfinished} is still there). The next recorded run finishes it."
        )
    broken = verify_ledger(workspace.ledger)
    entries = [] if broken else Ledger(workspace.ledger).entries()
    problems += _verify_records(workspace, entries, chain_holds=not broken)
    problems += verify_kept_files(workspace)
    if broken:
        return [*problems, broken]
    try:
        problems += _verify_store(workspace, entries)
    except BtvReportError as error:
        problems.append(str(error))
    return problems


def _verify_records(workspace: Workspace, entries: list[LedgerEntry], *, chain_holds: bool) -> list[str]:
    """Each record file against its name, and, where the ledger can be believed, against its line there."""
    problems = []
    entered = {(entry["tic_id"], entry["run_id"]): entry for entry in entries}
    files = record_files(workspace)
    for file in files:
        try:
            read_sound_record(file)
        except BtvReportError as error:
            problems.append(str(error))
            continue
        if chain_holds and (int(file.parent.name), file.stem) not in entered:
            problems.append(f"The run record {file} is not in the ledger. `btv-report store rebuild` enters it.")
    present = {(file.parent.name, file.stem) for file in files}
    problems += [
        f"The run record {workspace.record_file(tic_id, run_id)}, which the ledger names, is missing."
        for tic_id, run_id in entered
        if (str(tic_id), run_id) not in present
    ]
    return problems


def _verify_store(workspace: Workspace, entries: list[LedgerEntry]) -> list[str]:
    """The database against the ledger and the records."""
    if not workspace.database.exists():
        return [f"There is no database {workspace.database}. {_REBUILD}"] if entries else []
    with Store(workspace.database) as store:
        problems = _verify_store_ledger(store.ledger_entries(), entries)
        stored = store.run_ids()
        unknown = sorted(set(stored) - {entry["run_id"] for entry in entries})
        problems += [f"The database holds run {run_id}, which is not in the ledger. {_REBUILD}" for run_id in unknown]
        rows_of_runs = dict.fromkeys(entry["run_id"] for entry in entries)
        lacking = set(rows_of_runs) - set(stored)
        problems += [f"The database lacks run {run_id}. {_REBUILD}" for run_id in rows_of_runs if run_id in lacking]
        by_id = {entry["run_id"]: entry for entry in entries}
        for run_id, found in store.rows_of_runs([run_id for run_id in rows_of_runs if run_id not in lacking]):
            try:
                expected = load_rows(workspace, by_id[run_id])
            except IntegrityError:
                continue  # named above, with the records
            problems += _compare(expected, found)
        return [*problems, *_missing_copies(workspace, store)]


def _missing_copies(workspace: Workspace, store: Store) -> list[str]:
    """Copies of observers' files that the latest runs say stand in the site, and that are not kept any more."""
    return [
        f"The copy of an ExoFOP file of TIC {tic_id} with sha256 {sha256} is missing in {workspace.runs}. "
        f"`btv-report TIC {tic_id} --publish-files` keeps it again."
        for tic_id, sha256 in store.published_files()
        if not is_kept(workspace, tic_id, sha256)
    ]


def _verify_store_ledger(found: list[NumberedEntry], entries: list[LedgerEntry]) -> list[str]:
    """The first difference between the ledger and its copy in the database."""
    numbered = [NumberedEntry(number, entry) for number, entry in enumerate(entries, start=1)]
    for number, (ours, theirs) in enumerate(zip_longest(numbered, found), start=1):
        if ours != theirs:
            return [f"The database's copy of the ledger differs from the ledger at line {number}. {_REBUILD}"]
    return []


def _compare(expected: RunRows, found: dict[str, list[Row]]) -> list[str]:
    """The first difference in each table between a record's rows and the database's, which may come in another order."""
    problems = []
    for table in RECORD_TABLES:
        wanted, got = (sorted(map(repr, rows[table.name])) for rows in (expected.rows, found))  # NaN equals NaN as text
        if wanted != got:
            problems.append(
                f"Table {table.name} of the database differs from the record of run {expected.run_id} of TIC "
                f"{expected.tic_id} ({len(got)} rows, {len(wanted)} expected). {_REBUILD}"
            )
    return problems
