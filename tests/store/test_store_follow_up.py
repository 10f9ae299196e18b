"""What ExoFOP said goes into tables of its own, comes back to the bit, and an older database takes it in."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from btv_report.record import RunRecord
from btv_report.store.canonical import canonical_bytes
from btv_report.store.migrations import migrate, packaged_migrations
from btv_report.store.rebuild import rebuild_store
from btv_report.store.recording import record_run
from btv_report.store.rows import rows_of_record
from btv_report.store.store import Store
from btv_report.store.verify import verify_workspace
from btv_report.store.workspace import Workspace

LISTS = ("tables", "notes", "candidates", "contrast_curves", "light_curves")
BEFORE = 3
"""The schema before ExoFOP was asked itself."""


def loaded(tmp_path: Path, record: Any) -> Any:
    """The record as it comes back from a new store."""
    with Store(tmp_path / "new.duckdb", write=True) as store:
        return store.load(store.record(record))


@pytest.mark.parametrize("key", [*LISTS, "n_listed", "disagreements"])
def test_absent_and_empty_are_kept_apart(tmp_path: Path, make_record: Callable[..., RunRecord], key: str) -> None:
    without: Any = copy.deepcopy(make_record())
    del without["exofop"][key]
    empty = copy.deepcopy(without)
    empty["exofop"][key] = 0 if key == "n_listed" else []
    assert key not in loaded(tmp_path, without)["exofop"]
    empty["run"]["started_at"] = "2027-01-01T00:00:00Z"
    assert canonical_bytes(loaded(tmp_path, empty)) == canonical_bytes(empty)


def test_follow_up_can_be_queried(tmp_path: Path, make_record: Callable[..., RunRecord]) -> None:
    with Store(tmp_path / "new.duckdb", write=True) as store:
        store.record(make_record())
        asked = {
            "SELECT name, used, sectors FROM exofop_candidate ORDER BY ordinal": [
                ("1262.01", True, [54, 83]),
                ("1262.02", False, None),
            ],
            "SELECT max(list_max(delta_mag)) FROM contrast_curve": [(6.25,)],
            "SELECT candidate, time_system FROM external_light_curve ORDER BY ordinal": [
                ("1262.01", "BJD_TDB"),
                (None, "unlabelled"),
            ],
            "SELECT cells->>'$[0][1]' FROM exofop_table WHERE name = 'spect'": [("40",)],
            "SELECT count(*) FROM exofop_note WHERE NOT is_disposition": [(1,)],
            "SELECT n_listed, len(disagreements) FROM exofop": [(3, 2)],
        }
        for sql, rows in asked.items():
            assert store.query(sql).rows == rows, sql


def test_fields_of_a_file_that_are_new_have_columns(tmp_path: Path, make_record: Callable[..., RunRecord]) -> None:
    record: Any = copy.deepcopy(make_record())
    new = {"tag": None, "user": "me", "content": "PDF", "older_versions": ["ab" * 32], "published": False}
    record["exofop"]["files"][0] |= new
    with Store(tmp_path / "new.duckdb", write=True) as store:
        back = store.load(store.record(record))
        assert canonical_bytes(back) == canonical_bytes(record)
        sql = "SELECT tag, user_name, content, older_versions, published, other FROM exofop_file"
        assert store.query(sql).rows == [(None, "me", "PDF", ["ab" * 32], False, '{"tag":null}')]


def test_an_element_without_a_needed_field_is_refused(make_record: Callable[..., RunRecord]) -> None:
    record: Any = copy.deepcopy(make_record())
    del record["exofop"]["notes"][0]["text"]
    with pytest.raises(ValueError, match="exofop_note lacks text"):
        rows_of_record(record)


def test_a_database_from_before_takes_the_tables_in_and_equals_a_rebuilt_one(
    workspace: Workspace, make_record: Callable[..., RunRecord]
) -> None:
    old: Any = copy.deepcopy(make_record())
    for key in (*LISTS, "n_listed", "disagreements"):
        del old["exofop"][key]
    record_run(workspace, old)
    as_it_was_before(workspace.database)
    record_run(workspace, make_record(started_at="2027-01-01T00:00:00Z"))
    assert verify_workspace(workspace) == []
    grown = dump(workspace.database)
    shown = repr(grown)  # NaN equals nothing
    rebuild_store(workspace)
    assert repr(dump(workspace.database)) == shown
    assert grown["exofop_candidate"]


def as_it_was_before(path: Path) -> None:
    """Make the database again in the schema before, with the rows that fit it."""
    kept = dump(path)
    path.unlink()
    with duckdb.connect(path) as connection:
        migrate(connection, packaged_migrations()[:BEFORE])
        for table, rows in kept.items():
            columns = (
                [item[0] for item in connection.execute(f"DESCRIBE {table}").fetchall()]
                if known(connection, table)
                else []
            )
            if columns and rows and table != "schema_version":
                names, marks = ", ".join(columns), ", ".join("?" * len(columns))
                values = [[row[column] for column in columns] for row in rows]
                connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)


def known(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether there is such a table."""
    return (table,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()


def dump(path: Path) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, by column name."""
    with duckdb.connect(path) as connection:
        found = {}
        for (table,) in connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall():
            result = connection.execute(f"SELECT * FROM {table} ORDER BY ALL")
            names = [item[0] for item in result.description or ()]
            found[table] = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        return found
