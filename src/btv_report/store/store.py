"""The store: the only code that opens the DuckDB file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import duckdb

from btv_report.errors import IntegrityError, LocalEnvironmentError, NothingUsableError
from btv_report.record import RunRecord
from btv_report.store import tables
from btv_report.store.columns import Row
from btv_report.store.connection import REBUILD_HINT, explained, open_database, private_files
from btv_report.store.ledger import LedgerEntry
from btv_report.store.migrations import migrate, newest_version, packaged_migrations
from btv_report.store.rows import RunRows, record_of_rows, rows_of_record

_LOAD_AT_ONCE = 100  # runs a batch: stamps of some 30 kB each stay far below the memory of any machine
_ORDER = {"metric": "check_ordinal, name", "stamp": "check_ordinal, name", "neighbour": "view_ordinal, ordinal"}
_ONE_ROW = {"run", "target", "exofop"}


class NumberedEntry(NamedTuple):
    """A line of the ledger and its number, from 1."""

    position: int
    entry: LedgerEntry


class QueryResult(NamedTuple):
    """Names of columns, and rows."""

    columns: tuple[str, ...]
    rows: list[Row]


@dataclass(frozen=True)
class CombinedVerdict:
    """The outcome of a check for a candidate over all sectors."""

    candidate: str
    check_id: str
    verdict: str


@dataclass(frozen=True)
class LatestRun:
    """
    The latest run of a target, as an index page lists it.

    Attributes
    ----------
    run_id, tic_id, started_at, status, simulated : of the run
    tmag : TESS magnitude, None when unknown
    sectors : sectors of the used products, ascending
    candidates : names, in the order of the record
    verdicts : outcome of each check and candidate over all sectors, in the order of the record
    n_exofop_files : files in the ExoFOP manifest
    """

    run_id: str
    tic_id: int
    started_at: str
    status: str
    simulated: bool
    tmag: float | None
    sectors: tuple[int, ...]
    candidates: tuple[str, ...]
    verdicts: tuple[CombinedVerdict, ...]
    n_exofop_files: int


# information_schema.tables says the same and takes 12 ms longer.
_RELATIONS = "SELECT table_name FROM duckdb_tables() UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal"
_LIST_LATEST = """
WITH latest AS (SELECT run_id, tic_id, started_at, status, simulated FROM latest_run),
sectors AS (
    SELECT run_id, list(DISTINCT sector ORDER BY sector) AS sectors
    FROM product SEMI JOIN latest USING (run_id) WHERE used AND sector IS NOT NULL GROUP BY run_id),
candidates AS (
    SELECT run_id, list(name ORDER BY ordinal) AS names FROM candidate SEMI JOIN latest USING (run_id) GROUP BY run_id),
verdicts AS (
    SELECT run_id, list([candidate, check_id, verdict] ORDER BY ordinal) AS verdicts
    FROM check_result SEMI JOIN latest USING (run_id) WHERE sector IS NULL GROUP BY run_id)
SELECT run_id, tic_id, started_at, status, simulated, target.tmag, sectors, names, verdicts, exofop.n_files
FROM latest LEFT JOIN (SELECT run_id, tmag FROM target) AS target USING (run_id)
LEFT JOIN sectors USING (run_id) LEFT JOIN candidates USING (run_id) LEFT JOIN verdicts USING (run_id)
LEFT JOIN (SELECT run_id, n_files FROM exofop) AS exofop USING (run_id)
ORDER BY tic_id
"""
_PUBLISHED_FILES = """
SELECT DISTINCT tic_id, sha256 FROM exofop_file JOIN latest_run USING (run_id)
WHERE published AND sha256 IS NOT NULL ORDER BY tic_id, sha256
"""
_CITED_FILES = """
SELECT DISTINCT tic_id, file AS name, sha256, bytes FROM product JOIN run USING (run_id) WHERE used AND sha256 IS NOT NULL
UNION
SELECT DISTINCT tic_id, filename, sha256, bytes FROM exofop_file JOIN run USING (run_id) WHERE sha256 IS NOT NULL
ORDER BY tic_id, name, sha256
"""


class CitedFile(NamedTuple):
    """A file whose bytes runs cite: its star, the name that records give it, its sha256, and its size where it is known."""

    tic_id: int
    name: str
    sha256: str
    n_bytes: int | None


class Store:
    """
    The database of a workspace; use it in a `with` block.

    Parameters
    ----------
    path : Path
        The DuckDB file.
    write : bool
        False to read, also while other processes read. True to record: makes the file, brings its schema up to date, and
        keeps every other process out, so the block should be short.

    Raises
    ------
    NothingUsableError, LocalEnvironmentError, IntegrityError
        See `connection.open_database`; IntegrityError also when the file is a database of something else, and
        LocalEnvironmentError when a newer btv-report made it.
    """

    def __init__(self, path: Path, *, write: bool = False) -> None:
        self.path = path
        self._file_mode = private_files if write else contextlib.nullcontext
        with self._file_mode():
            self._connection = open_database(path, write=write)
            try:
                with explained(path):
                    self._check_schema(write=write)
            except BaseException:
                self._connection.close()
                raise

    def _check_schema(self, *, write: bool) -> None:
        """Refuse what is not ours or not for us; bring what is ours up to date."""
        version, made_by = self._schema_version()
        newest = newest_version()
        if version > newest:
            raise LocalEnvironmentError(
                f"The database {self.path} was made by btv-report {made_by} (schema {version}; this version knows {newest}).",
                hint="Update btv-report, or let this version keep its own: `btv-report store rebuild` sets the file aside.",
                path=self.path,
            )
        if write and version < newest:
            migrate(self._connection, packaged_migrations())
        elif version < newest:
            raise IntegrityError(
                f"The database {self.path} has schema {version}, and this version of btv-report reads {newest}.",
                hint="Record a run (it brings the database up to date) or run `btv-report store rebuild`.",
                path=self.path,
            )

    def _schema_version(self) -> tuple[int, str | None]:
        """Version and who made it; (0, None) of a database that holds nothing yet."""
        try:
            found = self._fetch("SELECT version, made_by FROM schema_version ORDER BY version DESC LIMIT 1")
        except duckdb.CatalogException as error:  # asking for its tables first takes longer than opening it
            if relations := {row[0] for row in self._fetch(_RELATIONS)}:
                raise IntegrityError(
                    f"{self.path} is a DuckDB database, but not one of btv-report (it holds "
                    f"{', '.join(sorted(relations)[:3])}).",
                    hint=REBUILD_HINT,
                    path=self.path,
                ) from error
            return 0, None
        return found[0] if found else (0, None)

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; what was committed goes from DuckDB's log into the file itself."""
        with self._file_mode(), explained(self.path):
            self._connection.close()

    # --- recording ---

    def record(self, record: RunRecord) -> str:
        """
        Write all rows of one run in one transaction; a run that is there already is left alone.

        Returns
        -------
        str
            The run id.

        Raises
        ------
        ValueError
            If the record is not of the shape of `record.RunRecord`.
        """
        rows = rows_of_record(record)
        self.add([rows], [])
        return rows.run_id

    def add(self, runs: Sequence[RunRows], entries: Sequence[NumberedEntry]) -> None:
        """Write runs and ledger entries in one transaction; runs that are there already are left alone."""
        with private_files(), explained(self.path):
            self._connection.execute("BEGIN")
            try:
                present = self._present([run.run_id for run in runs])
                self._append_runs([run for run in runs if run.run_id not in present])
                lines = [(item.position, *item.entry.values()) for item in entries]
                self._append("ledger", lines)
                self._connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        """End the transaction; DuckDB may have ended it by itself, or be beyond that after a fatal error."""
        try:
            self._connection.execute("ROLLBACK")
        except duckdb.Error:
            return

    def _append_runs(self, runs: Sequence[RunRows]) -> None:
        for table in tables.RECORD_TABLES:
            self._append(table.name, [row for run in runs for row in run.rows[table.name]])

    def _append(self, table: str, rows: Sequence[Row]) -> None:
        if rows:
            with self._connection.appender(table) as appender:
                appender.append_rows(rows)

    def _present(self, run_ids: Sequence[str]) -> set[str]:
        found = self._fetch("SELECT run_id FROM run WHERE run_id IN (SELECT unnest(?::VARCHAR[]))", [list(run_ids)])
        return {row[0] for row in found}

    # --- reading ---

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> QueryResult:
        """
        Run one SQL statement.

        Raises
        ------
        UsageError
            If DuckDB does not understand or not allow it.
        IntegrityError
            If the file turns out to be damaged.
        """
        with explained(self.path, users_sql=True):
            result = self._connection.execute(sql, list(parameters))
            columns = tuple(item[0] for item in result.description or ())
            return QueryResult(columns, result.fetchall())

    def _fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(sql, list(parameters)).fetchall()

    def published_files(self) -> list[tuple[int, str]]:
        """TIC number and sha256 of the observers' files that stand in the site by the latest runs."""
        with explained(self.path):
            return [(row[0], row[1]) for row in self._fetch(_PUBLISHED_FILES)]

    def cited_files(self) -> list[CitedFile]:
        """Used products and ExoFOP's files of all runs, each version once."""
        with explained(self.path):
            return [CitedFile(*row) for row in self._fetch(_CITED_FILES)]

    def load(self, run_id: str) -> RunRecord:
        """
        Put a run record together again; it equals the recorded one.

        Raises
        ------
        NothingUsableError
            If the run is not in the store.
        IntegrityError
            If a part of it is missing or damaged.
        """
        for _, record in self.load_many([run_id]):
            return record
        raise NothingUsableError(
            f"The database {self.path} has no run {run_id}.",
            hint="`btv-report store rebuild` takes up records that were copied into `runs`.",
            path=self.path,
        )

    def load_many(self, run_ids: Sequence[str]) -> Iterator[tuple[str, RunRecord]]:
        """Run ids and records of those asked runs that are in the store, in the order asked; see `load`."""
        for run_id, found in self.rows_of_runs(run_ids):
            named = {
                table.name: [dict(zip(table.column_names, row, strict=True)) for row in found[table.name]]
                for table in tables.RECORD_TABLES
            }
            try:
                yield run_id, record_of_rows(named)
            except (KeyError, IndexError, TypeError, ValueError) as error:
                raise IntegrityError(
                    f"Rows of run {run_id} in the database {self.path} are missing or damaged ({error!r}).",
                    hint=REBUILD_HINT,
                    path=self.path,
                ) from error

    def rows_of_runs(self, run_ids: Sequence[str]) -> Iterator[tuple[str, dict[str, list[Row]]]]:
        """Run ids and rows by table of those asked runs that are in the store, in the order asked."""
        for start in range(0, len(run_ids), _LOAD_AT_ONCE):
            batch = list(run_ids[start : start + _LOAD_AT_ONCE])
            with explained(self.path):
                found = self._rows_of_batch(batch)
            yield from ((run_id, found[run_id]) for run_id in batch if found[run_id]["run"])

    def _rows_of_batch(self, run_ids: list[str]) -> dict[str, dict[str, list[Row]]]:
        found: dict[str, dict[str, list[Row]]] = {
            run_id: {table.name: [] for table in tables.RECORD_TABLES} for run_id in run_ids
        }
        marks = ", ".join("?" * len(run_ids))
        bounds = [min(run_ids), max(run_ids)]  # a range, unlike a list, lets DuckDB skip most of the file
        for table in tables.RECORD_TABLES:
            order = "run_id" if table.name in _ONE_ROW else _ORDER.get(table.name, "ordinal")
            names = ", ".join(table.column_names)
            sql = f"SELECT {names} FROM {table.name} WHERE run_id BETWEEN ? AND ? AND run_id IN ({marks}) ORDER BY {order}"  # noqa: S608
            for row in self._fetch(sql, [*bounds, *run_ids]):
                found[row[0]][table.name].append(row)
        return found

    def run_ids(self) -> list[str]:
        """All runs, by run id."""
        with explained(self.path):
            return [row[0] for row in self._fetch("SELECT run_id FROM run ORDER BY run_id")]

    def latest_run(self, tic_id: int) -> str | None:
        """Run id of the latest run of a target (by its start, then by place in the ledger); None when there is none."""
        with explained(self.path):
            found = self._fetch("SELECT run_id FROM latest_run WHERE tic_id = ?", [tic_id])
        return found[0][0] if found else None

    def list_latest(self) -> list[LatestRun]:
        """Return the latest run of each target by TIC number: one query that reads no stamps."""
        with explained(self.path):
            rows = self._fetch(_LIST_LATEST)
        return [
            LatestRun(
                run_id=row[0],
                tic_id=row[1],
                started_at=row[2],
                status=row[3],
                simulated=bool(row[4]),
                tmag=row[5],
                sectors=tuple(row[6] or ()),
                candidates=tuple(row[7] or ()),
                verdicts=tuple(CombinedVerdict(*verdict) for verdict in row[8] or ()),
                n_exofop_files=row[9] or 0,
            )
            for row in rows
        ]

    def ledger_entries(self) -> list[NumberedEntry]:
        """Copy of the ledger in the store, in order."""
        with explained(self.path):
            rows = self._fetch(
                "SELECT position, run_id, tic_id, record_sha256, previous, entry_sha256 FROM ledger ORDER BY position"
            )
        keys = ("run_id", "tic_id", "record_sha256", "previous", "entry_sha256")
        return [NumberedEntry(row[0], LedgerEntry(**dict(zip(keys, row[1:], strict=True)))) for row in rows]  # type: ignore[typeddict-item]

    def ledger_head(self) -> tuple[int, str | None]:
        """Return number and `entry_sha256` of the last ledger entry that the store holds; (0, None) when it holds none."""
        with explained(self.path):
            found = self._fetch("SELECT position, entry_sha256 FROM ledger ORDER BY position DESC LIMIT 1")
        return found[0] if found else (0, None)
