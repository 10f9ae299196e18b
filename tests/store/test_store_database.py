"""The database: what it answers, and what it says when it cannot."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from btv_report.errors import BtvReportError, IntegrityError, LocalEnvironmentError, NothingUsableError, UsageError
from btv_report.record import RunRecord
from btv_report.store.canonical import run_id
from btv_report.store.recording import record_run
from btv_report.store.store import CombinedVerdict, Store
from btv_report.store.verify import verify_workspace
from btv_report.store.workspace import Workspace


def test_the_latest_run_is_by_start_and_not_by_the_order_of_recording(
    workspace: Workspace, make_record: Callable[..., RunRecord]
) -> None:
    late, early = make_record(started_at="2026-11-22T00:00:00Z"), make_record(started_at="2026-11-21T00:00:00Z")
    record_run(workspace, late)
    record_run(workspace, early)
    with Store(workspace.database) as store:
        assert store.latest_run(188646744) == run_id(late)
        assert store.latest_run(1) is None


def test_of_two_runs_of_one_second_the_later_recorded_is_the_latest(
    workspace: Workspace, make_record: Callable[..., RunRecord]
) -> None:
    records = [make_record(seed=seed) for seed in range(4)]
    for record in records:
        record_run(workspace, record)
        with Store(workspace.database) as store:
            assert store.latest_run(188646744) == run_id(record)


def test_the_list_for_an_index_page_says_what_each_latest_run_found(
    filled: Workspace, make_record: Callable[..., RunRecord]
) -> None:
    newest = make_record(started_at="2026-12-01T00:00:00Z")
    newest["checks"][-1]["verdict"] = "warn"
    newest["products"][1]["used"] = False
    newest["products"][3]["used"] = False
    record_run(filled, newest)
    with Store(filled.database) as store:
        first, second = store.list_latest()
    assert (first.tic_id, first.run_id, first.tmag, first.status) == (188646744, run_id(newest), 9.125, "complete")
    assert (first.sectors, first.candidates, first.simulated, first.n_exofop_files) == ((54,), ("1262.01",), True, 1)
    assert first.verdicts[0] == CombinedVerdict("1262.01", "V08", "pass")
    assert first.verdicts[-1] == CombinedVerdict("1262.01", "V20", "warn")
    assert len(first.verdicts) == 4
    assert (second.tic_id, second.status, second.sectors) == (261136679, "gaps", (54, 83))


def test_the_list_of_a_run_without_anything_is_empty_not_missing(
    workspace: Workspace, three_records: list[RunRecord]
) -> None:
    record_run(workspace, three_records[1])
    with Store(workspace.database) as store:
        [only] = store.list_latest()
    assert (only.tmag, only.sectors, only.candidates, only.verdicts, only.n_exofop_files) == (None, (), (), (), 0)


def test_a_query_gives_names_and_rows_and_takes_parameters(filled: Workspace) -> None:
    with Store(filled.database) as store:
        result = store.query("SELECT count(*) AS n FROM run WHERE tic_id = ?", [188646744])
    assert result.columns == ("n",)
    assert result.rows == [(2,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "COPY run TO '/tmp/out.csv'",
        "ATTACH '/tmp/other.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT * FROM 'https://example.org/a.parquet'",
        "SET enable_external_access = true",
        "SET autoinstall_known_extensions = true",
        "DELETE FROM run",
        "DROP TABLE run",
    ],
)
def test_a_query_can_neither_leave_the_file_nor_change_it(filled: Workspace, sql: str) -> None:
    before = filled.database.read_bytes()
    with Store(filled.database) as store, pytest.raises(BtvReportError):
        store.query(sql)
    assert filled.database.read_bytes() == before
    assert verify_workspace(filled) == []


@pytest.mark.parametrize(
    "sql", ["SELEC 1", "SELECT * FROM nowhere", "SELECT nothing FROM run", "SELECT CAST('x' AS INTEGER)"]
)
def test_a_query_that_duckdb_does_not_understand_is_a_usage_error(filled: Workspace, sql: str) -> None:
    with Store(filled.database) as store, pytest.raises(UsageError, match="DuckDB refuses the query"):
        store.query(sql)


def test_extensions_are_neither_installed_nor_loaded_by_themselves(filled: Workspace) -> None:
    names = ["autoinstall_known_extensions", "autoload_known_extensions", "enable_external_access"]
    with Store(filled.database) as store:
        settings = store.query("SELECT name, value FROM duckdb_settings() WHERE name IN ?", [names]).rows
    assert sorted(settings) == [(name, "false") for name in names]


def test_a_missing_database_says_how_to_get_one(workspace: Workspace) -> None:
    with pytest.raises(NothingUsableError, match=r"There is no database .*btv-report\.duckdb\. Make a dossier first"):
        Store(workspace.database)
    assert not workspace.root.exists()


def test_a_run_that_is_not_there_is_a_sentence(filled: Workspace) -> None:
    with (
        Store(filled.database) as store,
        pytest.raises(NothingUsableError, match="has no run 20200101T000000Z-00000000"),
    ):
        store.load("20200101T000000Z-00000000")


def test_many_processes_read_at_once(filled: Workspace) -> None:
    code = (
        "import sys; from pathlib import Path; from btv_report.store.store import Store\n"
        "with Store(Path(sys.argv[1])) as store: print(len(store.list_latest()))"
    )
    with Store(filled.database):
        done = subprocess.run([sys.executable, "-c", code, filled.database], capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"


def test_a_connection_of_the_same_process_in_the_way_is_a_sentence(filled: Workspace) -> None:
    with (
        duckdb.connect(filled.database),
        pytest.raises(LocalEnvironmentError, match="Close the other connection first"),
    ):
        Store(filled.database)


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"SQLite format 3\0" + bytes(4096), bytes(100_000)],
    ids=["empty", "short", "sqlite", "zeros"],
)
def test_f148_a_file_that_is_no_database_is_named_and_left_alone(
    tmp_path: Path, content: bytes, *, write: bool
) -> None:
    path = tmp_path / "btv-report.duckdb"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"not a DuckDB database.*store rebuild") as caught:
        Store(path, write=write)
    assert caught.value.exit_code == 5
    assert path.read_bytes() == content


@pytest.mark.parametrize("write", [False, True])
def test_f148_a_database_of_something_else_is_named_and_left_alone(tmp_path: Path, *, write: bool) -> None:
    path = tmp_path / "btv-report.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE precious AS SELECT 1 AS a")
    with pytest.raises(IntegrityError, match=r"not one of btv-report .it holds precious."):
        Store(path, write=write)
    with duckdb.connect(path) as connection:
        assert connection.execute("SELECT * FROM precious").fetchall() == [(1,)]


def test_f148_a_table_that_was_dropped_is_an_integrity_error_not_a_usage_error(filled: Workspace) -> None:
    with duckdb.connect(filled.database) as connection:
        connection.execute("DROP TABLE metric")
    with Store(filled.database) as store, pytest.raises(IntegrityError, match=r"metric.*store rebuild"):
        store.load(store.run_ids()[0])


def test_f148_rows_that_were_deleted_are_an_integrity_error(filled: Workspace) -> None:
    with duckdb.connect(filled.database) as connection:
        connection.execute("DELETE FROM target")
    with Store(filled.database) as store, pytest.raises(IntegrityError, match=r"missing or damaged.*store rebuild"):
        store.load(store.run_ids()[0])


def test_f149_a_truncated_database_never_gives_a_wrong_record(
    filled: Workspace, three_records: list[RunRecord]
) -> None:
    data = filled.database.read_bytes()
    expected = {run_id(record): record for record in three_records}
    for length in range(0, len(data), 3 * 256 * 1024):
        filled.database.write_bytes(data[:length])
        problems = verify_workspace(filled)
        assert problems, length
        assert "store rebuild" in problems[0]
        try:
            with Store(filled.database) as store:
                found = dict(store.load_many(list(expected)))
        except IntegrityError:
            continue
        assert all(expected[identity] == record for identity, record in found.items())


def test_f148_a_flipped_bit_is_found_or_harmless(filled: Workspace, three_records: list[RunRecord]) -> None:
    data = filled.database.read_bytes()
    expected = {run_id(record): record for record in three_records}
    rng = random.Random(148)
    outcomes = set()
    for _ in range(25):
        damaged = bytearray(data)
        damaged[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        filled.database.write_bytes(damaged)
        try:
            with Store(filled.database) as store:
                assert dict(store.load_many(list(expected))) == expected
            outcomes.add("harmless")
        except IntegrityError as error:
            outcomes.add("found" if "store rebuild" in str(error) else str(error))
    assert outcomes == {"harmless", "found"}


def test_f150_a_damaged_log_is_an_integrity_error_and_is_left_alone(
    filled: Workspace, make_record: Callable[..., RunRecord]
) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from conftest import complete_record; from btv_report.store.store import Store\n"
        "store = Store(Path(sys.argv[1]), write=True); store.record(complete_record(tic_id=9))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, filled.database, Path(__file__).parent], check=False)
    log = Path(f"{filled.database}.wal")
    damaged = bytearray(log.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    log.write_bytes(damaged)
    with pytest.raises(IntegrityError, match="store rebuild"):
        Store(filled.database)
    assert log.read_bytes() == damaged


def test_sentences_end_and_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "btv-report.duckdb"
    path.write_bytes(os.urandom(50_000))
    with pytest.raises(IntegrityError) as caught:
        Store(path)
    assert str(path) in str(caught.value)
    assert re.search(r"\.$", str(caught.value))
