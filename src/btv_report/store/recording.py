"""
Recording a run so that a kill at any moment loses nothing.

The order is: a note of what is being recorded, the record file, the ledger line, the note's removal, the database. Each
step is on the disk before the next begins. Whoever records next finds the note and finishes the ledger, and finds by the
ledger what the database lacks. All of it happens under the workspace's write lock.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import cast

from btv_report.atomic import TEMPORARY_SUFFIX, make_folder, remove_durable, sentences, write_atomic
from btv_report.errors import BtvReportError, IntegrityError
from btv_report.record import RunRecord
from btv_report.store.canonical import RUN_ID_PATTERN, canonical_bytes, record_bytes, run_id_of, sha256_hex
from btv_report.store.connection import REBUILD_HINT
from btv_report.store.ledger import Ledger, LedgerEntry
from btv_report.store.rows import RunRows, rows_of_record
from btv_report.store.store import NumberedEntry, Store
from btv_report.store.workspace import Workspace

_log = logging.getLogger(__name__)
_RUNS_AT_ONCE = 200  # in one transaction


def record_run(workspace: Workspace, record: RunRecord) -> str:
    """
    Record a run: its file, its line in the ledger, its rows in the database. Recording it again changes nothing.

    Returns
    -------
    str
        The run id.

    Raises
    ------
    ValueError
        If the record is not of the shape of `record.RunRecord`; nothing was written then.
    LocalEnvironmentError
        If another process writes for too long, or the machine refuses. When only the database could not be written, the
        message says so: the run is safe, and the next recording adds it.
    IntegrityError
        If the ledger or the database is damaged.
    """
    rows = rows_of_record(record)
    file = workspace.record_file(rows.tic_id, rows.run_id)
    with workspace.writing():
        ledger = Ledger(workspace.ledger)
        finish_interrupted(workspace, ledger)
        if not (file.exists() and ledger.holds(rows.run_id)):
            _write_record(workspace, ledger, rows, record_bytes(record))
        try:
            _catch_up(workspace, ledger, rows)
        except BtvReportError as error:
            error.message = f"The run is recorded in {file}, but not yet in the database. {error.message}"
            raise
    return rows.run_id


def _write_record(workspace: Workspace, ledger: Ledger, rows: RunRows, data: bytes) -> None:
    """Write the record file and its ledger line, noted down for as long as one is there without the other."""
    file = workspace.record_file(rows.tic_id, rows.run_id)
    if file.exists() and read_bytes(file) != data:
        raise IntegrityError(
            f"{file} exists and holds something else than the run to be recorded.",
            hint="Run `btv-report verify` to see what was changed, and move the file away.",
            path=file,
        )
    note = {"run_id": rows.run_id, "tic_id": rows.tic_id}
    write_atomic(workspace.unfinished, canonical_bytes(note) + b"\n", private=True)
    make_folder(file.parent, private=True)
    write_atomic(file, data, private=True)
    if not ledger.holds(rows.run_id):
        ledger.append(rows.run_id, rows.tic_id, rows.record_sha256)
    remove_durable(workspace.unfinished)


def finish_interrupted(workspace: Workspace, ledger: Ledger) -> None:
    """
    Finish what a killed process left: a torn ledger line, a record without a line, temporary files.

    What was redone is logged as a warning. The caller holds the write lock.
    """
    repaired = ledger.repair_end()
    if repaired:
        _log.warning("%s", repaired)
    _remove_temporary(workspace.hidden, workspace.unfinished.name)
    if not workspace.unfinished.exists():
        return
    try:
        note = json.loads(read_bytes(workspace.unfinished))
        tic_id, run_id = int(note["tic_id"]), str(note["run_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"{workspace.unfinished} should name the run that was being recorded, and is damaged ({error!r}).",
            hint="Move that file away, then run `btv-report store rebuild`: it finds records without a ledger line.",
            path=workspace.unfinished,
        ) from error
    file = workspace.record_file(tic_id, run_id)
    _remove_temporary(file.parent, file.name)
    if file.exists() and not ledger.holds(run_id):
        ledger.append(run_id, tic_id, sha256_hex(read_sound_record(file)))
        _log.warning("Run %s of TIC %d was interrupted while it was recorded; it is complete now.", run_id, tic_id)
    remove_durable(workspace.unfinished)


def _remove_temporary(folder: Path, name: str) -> None:
    """Remove what an interrupted write of a file left; only the holder of the lock writes there, so it is nobody's."""
    if folder.is_dir():
        for path in folder.glob(f".{name[:60]}.*{TEMPORARY_SUFFIX}"):
            remove_durable(path)


def read_bytes(file: Path) -> bytes:
    """Read a file of the workspace; what the machine refuses becomes a sentence."""
    with sentences("read", file):
        return file.read_bytes()


def read_sound_record(file: Path) -> bytes:
    """
    Read a record file and hold it against its own name.

    Raises
    ------
    IntegrityError
        If it is not canonical JSON, or its name does not follow from its content.
    """
    data = read_bytes(file)
    phrase = _unsound(file, data)
    if phrase:
        raise IntegrityError(
            f"The run record {file} {phrase}.",
            hint="Restore the file from a copy.",
            path=file,
        )
    return data


def _unsound(file: Path, data: bytes) -> str:
    """What is wrong with a record file, a phrase; empty when nothing is."""
    try:
        value = json.loads(data)
        identity = run_id_of(value["run"]["started_at"], sha256_hex(data))
        folder = str(value["target"]["tic_id"])
        is_canonical = canonical_bytes(value) + b"\n" == data
    except (ValueError, KeyError, TypeError) as error:
        return f"is not a run record ({error!r})"
    if identity != file.stem:
        return f"was changed after it was recorded: its content would be named {identity}"
    if folder != file.parent.name:
        return f"is of TIC {folder} and lies in the folder of another"
    return "" if is_canonical else "is not in canonical form"


def record_files(workspace: Workspace) -> list[Path]:
    """All record files, by run id and then folder."""
    with sentences("list", workspace.runs):
        found = [path for path in workspace.runs.glob("*/*.json") if RUN_ID_PATTERN.fullmatch(path.stem)]
    return sorted(found, key=lambda path: (path.stem, path.parent.name))


def load_rows(workspace: Workspace, entry: LedgerEntry) -> RunRows:
    """
    Make the rows of a run in the ledger from its record file.

    Raises
    ------
    IntegrityError
        If the file is missing, damaged, or not the one that the ledger names.
    """
    file = workspace.record_file(entry["tic_id"], entry["run_id"])
    if not file.exists():
        raise IntegrityError(f"The run record {file} is missing.", hint="Restore the file from a copy.", path=file)
    data = read_sound_record(file)
    if sha256_hex(data) != entry["record_sha256"]:
        raise IntegrityError(
            f"The run record {file} is not the one that the ledger names (SHA-256 {entry['record_sha256']}).",
            hint="Restore the file from a copy.",
            path=file,
        )
    try:
        return rows_of_record(cast(RunRecord, json.loads(data)))
    except ValueError as error:
        hint = "It may come from a newer btv-report."
        raise IntegrityError(f"The run record {file} cannot be indexed. {error}", hint=hint, path=file) from error


def _catch_up(workspace: Workspace, ledger: Ledger, rows: RunRows) -> None:
    """Write what the ledger has and the database lacks: usually just the run at hand."""
    with Store(workspace.database, write=True) as store:
        position, head = store.ledger_head()
        if position > len(ledger) or (position and head != ledger.head(position)):
            raise IntegrityError(
                f"The database {workspace.database} does not belong to the ledger {workspace.ledger}: they differ at "
                f"line {position}.",
                hint=f"Run `btv-report verify`. {REBUILD_HINT}",
                path=workspace.database,
            )
        lacking = ledger.entries(after=position)
        if len(lacking) > 1:
            _log.warning("The database lacked recorded runs (%d of them); they are added.", len(lacking) - 1)
        add_runs(workspace, store, lacking, position, {rows.run_id: rows})


def add_runs(
    workspace: Workspace, store: Store, entries: list[LedgerEntry], position: int, known: dict[str, RunRows]
) -> list[str]:
    """
    Write ledger entries and the rows of their runs.

    Parameters
    ----------
    workspace, store : where from, where to
    entries : in the order of the ledger
    position : number of the ledger line before the first of them
    known : rows that are at hand; those of the others come from the record files

    Returns
    -------
    list of str
        Sentences about runs whose record is missing or damaged: their entry is written, their rows are not.
    """
    problems = []
    for start in range(0, len(entries), _RUNS_AT_ONCE):
        batch = entries[start : start + _RUNS_AT_ONCE]
        runs = []
        for entry in batch:
            try:
                runs.append(known.get(entry["run_id"]) or load_rows(workspace, entry))
            except IntegrityError as error:
                _log.warning("%s", error)
                problems.append(str(error))
        numbered = [NumberedEntry(number, entry) for number, entry in enumerate(batch, start=position + start + 1)]
        store.add(runs, numbered)
    return problems
