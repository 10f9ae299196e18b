"""The schema: what the contract names, in step with the code, every column explained, every step whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from btv_report.errors import IntegrityError, LocalEnvironmentError
from btv_report.store.columns import Table
from btv_report.store.migrations import Migration, migrate, newest_version, packaged_migrations
from btv_report.store.store import Store
from btv_report.store.tables import RECORD_TABLES

CONTRACT = {
    *("run", "target", "candidate", "product", "remote_answer", "light_curve", "check_result", "metric", "stamp"),
    *("transit", "exofop_file", "review", "ledger", "schema_version"),
}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a database in memory with the packaged schema."""
    with duckdb.connect() as connection:
        migrate(connection, packaged_migrations())
        yield connection


def columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    return connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index", [table]
    ).fetchall()


def test_the_tables_of_the_contract_exist(connection: duckdb.DuckDBPyConnection) -> None:
    found = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert found >= CONTRACT


def test_metric_and_stamp_begin_with_the_columns_of_the_contract(connection: duckdb.DuckDBPyConnection) -> None:
    metric = [name for name, _ in columns(connection, "metric")]
    stamp = [name for name, _ in columns(connection, "stamp")]
    assert metric[:7] == ["run_id", "check_id", "candidate", "sector", "name", "value", "unit"]
    assert stamp[:6] == ["run_id", "check_id", "candidate", "sector", "name", "unit"]
    assert stamp[6:11] == ["n_row", "n_column", "corner_row", "corner_column", "pixels"]
    assert ("pixels", "FLOAT[]") in columns(connection, "stamp")


@pytest.mark.parametrize("table", RECORD_TABLES, ids=lambda table: table.name)
def test_code_and_schema_agree_on_every_column(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    expected = [(column.name, str(column.kind)) for column in table.columns]
    assert columns(connection, table.name) == [*expected, ("other", "JSON")]


def test_every_table_view_and_column_has_a_comment(connection: duckdb.DuckDBPyConnection) -> None:
    silent = connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE comment IS NULL AND NOT internal "
        "AND table_name IN (SELECT table_name FROM duckdb_tables()) "
        "UNION ALL SELECT table_name, NULL FROM duckdb_tables() WHERE comment IS NULL "
        "UNION ALL SELECT view_name, NULL FROM duckdb_views() WHERE comment IS NULL AND NOT internal"
    ).fetchall()
    assert silent == []


def test_columns_whose_name_ends_in_a_unit_say_the_unit(connection: duckdb.DuckDBPyConnection) -> None:
    words = {"_days": "days", "_hours": "hours", "_ppm": "ppm", "_arcsec": "arcsec", "_deg": "degrees", "_btjd": "BTJD"}
    comments = connection.execute("SELECT column_name, comment FROM duckdb_columns() WHERE NOT internal").fetchall()
    checked = 0
    for name, comment in comments:
        for ending, word in words.items():
            if name.endswith(ending):
                assert word in comment, name
                checked += 1
    assert checked > 15


def test_scripts_are_numbered_from_one_without_gaps_and_run_once(connection: duckdb.DuckDBPyConnection) -> None:
    versions = [migration.version for migration in packaged_migrations()]
    assert versions == list(range(1, newest_version() + 1))
    rows = connection.execute("SELECT version, name FROM schema_version ORDER BY version").fetchall()
    assert rows == [(migration.version, migration.name) for migration in packaged_migrations()]
    assert migrate(connection, packaged_migrations()) == []


def test_f151_a_failing_script_leaves_the_version_before_it_whole(connection: duckdb.DuckDBPyConnection) -> None:
    newest = newest_version()
    good = Migration(newest + 1, "good", "CREATE TABLE good (a INTEGER); ALTER TABLE run ADD COLUMN more INTEGER;")
    bad = Migration(newest + 2, "bad", "CREATE TABLE bad (a INTEGER); INSERT INTO nowhere VALUES (1);")
    with pytest.raises(duckdb.CatalogException):
        migrate(connection, [*packaged_migrations(), good, bad])
    tables = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert "good" in tables
    assert "bad" not in tables
    assert connection.execute("SELECT max(version) FROM schema_version").fetchall() == [(newest + 1,)]


def test_f151_an_older_database_is_brought_up_to_date_by_the_next_recording(tmp_path: Path) -> None:
    path = tmp_path / "old.duckdb"
    with duckdb.connect(path) as connection:
        migrate(connection, packaged_migrations()[:1])
    with pytest.raises(IntegrityError, match=r"has schema 1.*Record a run"):
        Store(path)
    with Store(path, write=True):
        pass
    with Store(path) as store:
        assert store.query("SELECT max(version) FROM schema_version").rows == [(newest_version(),)]


@pytest.mark.parametrize("write", [False, True])
def test_f151_a_newer_database_is_left_alone_and_names_its_maker(tmp_path: Path, *, write: bool) -> None:
    path = tmp_path / "new.duckdb"
    with Store(path, write=True):
        pass
    with duckdb.connect(path) as connection:
        connection.execute("INSERT INTO schema_version VALUES (99, 'later', '7.0')")
    data = path.read_bytes()
    with pytest.raises(LocalEnvironmentError, match=r"made by btv-report 7\.0 \(schema 99; .*Update btv-report"):
        Store(path, write=write)
    assert path.read_bytes() == data
