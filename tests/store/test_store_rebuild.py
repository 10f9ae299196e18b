"""Making the database again, and finding what does not hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from btv_report.errors import IntegrityError
from btv_report.record import RunRecord
from btv_report.store import rebuild as rebuild_module
from btv_report.store.canonical import run_id
from btv_report.store.rebuild import rebuild_store
from btv_report.store.recording import record_run
from btv_report.store.store import Store
from btv_report.store.verify import verify_workspace
from btv_report.store.workspace import Workspace


def dump(database: Path) -> dict[str, list[str]]:
    """All rows of all tables as text, sorted: NaN equals NaN, and the order of rows does not count."""
    with duckdb.connect(database, read_only=True) as connection:
        tables = [row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        return {name: sorted(map(repr, connection.execute(f"SELECT * FROM {name}").fetchall())) for name in tables}


def test_a_rebuilt_database_equals_the_old_one_row_by_row(filled: Workspace) -> None:
    before = dump(filled.database)
    old = filled.database.read_bytes()
    report = rebuild_store(filled)
    assert (report.n_runs, report.adopted, report.problems) == (3, (), ())
    assert dump(filled.database) == before
    assert all(before[name] for name in before if name != "review")
    assert report.set_aside == filled.root / "btv-report.duckdb.aside-1"
    assert report.set_aside.read_bytes() == old
    assert filled.database.stat().st_mode & 0o777 == 0o600
    assert verify_workspace(filled) == []


@pytest.mark.parametrize("damage", [b"", b"not a database", None])
def test_f148_a_rebuild_replaces_a_damaged_or_missing_database(
    filled: Workspace, make_record: Callable[..., RunRecord], damage: bytes | None
) -> None:
    before = dump(filled.database)
    if damage is None:
        filled.database.unlink()
    else:
        filled.database.write_bytes(damage)
    report = rebuild_store(filled)
    assert (report.set_aside is None) == (damage is None)
    assert report.set_aside is None or report.set_aside.read_bytes() == damage
    assert dump(filled.database) == before
    record_run(filled, make_record(started_at="2027-01-01T00:00:00Z"))
    assert verify_workspace(filled) == []


def test_f150_a_log_is_set_aside_with_its_database_and_never_deleted(filled: Workspace) -> None:
    log = Path(f"{filled.database}.wal")
    log.write_bytes(b"rows that nobody can read any more")
    report = rebuild_store(filled)
    assert report.set_aside is not None
    assert Path(f"{report.set_aside}.wal").read_bytes() == b"rows that nobody can read any more"
    assert not log.exists()
    assert verify_workspace(filled) == []


def test_each_rebuild_keeps_the_older_files(filled: Workspace) -> None:
    names = [rebuild_store(filled).set_aside for _ in range(3)]
    assert [path.name for path in names if path] == [f"btv-report.duckdb.aside-{n}" for n in (1, 2, 3)]
    assert all(path and path.exists() for path in names)


def test_records_copied_in_are_entered_into_the_ledger(
    tmp_path: Path, filled: Workspace, make_record: Callable[..., RunRecord]
) -> None:
    other = Workspace(tmp_path / "other")
    foreign = make_record(tic_id=42)
    identity = record_run(other, foreign)
    target = filled.record_file(42, identity)
    target.parent.mkdir()
    target.write_bytes(other.record_file(42, identity).read_bytes())
    assert any("not in the ledger" in problem and str(target) in problem for problem in verify_workspace(filled))
    report = rebuild_store(filled)
    assert (report.n_runs, report.adopted) == (4, (identity,))
    with Store(filled.database) as store:
        assert store.load(identity) == foreign
    assert verify_workspace(filled) == []


def test_a_damaged_record_is_named_and_the_others_are_kept(filled: Workspace, three_records: list[RunRecord]) -> None:
    damaged = filled.record_file(188646744, run_id(three_records[0]))
    damaged.write_bytes(damaged.read_bytes().replace(b"9.125", b"9.126"))
    report = rebuild_store(filled)
    assert report.n_runs == 2
    [problem] = report.problems
    assert str(damaged) in problem
    assert "was changed after it was recorded" in problem


def test_nothing_is_built_on_a_broken_ledger(filled: Workspace) -> None:
    filled.ledger.write_bytes(filled.ledger.read_bytes().replace(b"188646744", b"188646745", 1))
    before = filled.database.read_bytes()
    with pytest.raises(IntegrityError, match="Line 1"):
        rebuild_store(filled)
    assert filled.database.read_bytes() == before


def test_f140_a_rebuild_that_is_interrupted_leaves_the_old_database(
    filled: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = filled.database.read_bytes()

    def interrupt(*_args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rebuild_module, "add_runs", interrupt)
        with pytest.raises(KeyboardInterrupt):
            rebuild_store(filled)
    assert filled.database.read_bytes() == before
    (filled.root / ".btv-report.duckdb.rebuild").write_bytes(b"left by a kill")
    (filled.root / ".btv-report.duckdb.rebuild.wal").write_bytes(b"left by a kill")
    rebuild_store(filled)
    assert verify_workspace(filled) == []
    assert not [path.name for path in filled.root.iterdir() if "rebuild" in path.name]


def change_record(workspace: Workspace, record: RunRecord) -> str:
    file = workspace.record_file(record["target"]["tic_id"], run_id(record))
    file.write_bytes(file.read_bytes().replace(b'"tic_id":', b'"tic_id": ', 1))
    return f"{file} was changed after it was recorded"


def swap_record_and_name(workspace: Workspace, record: RunRecord) -> str:
    """Someone changes a record and names it by its new content: only the ledger knows."""
    file = workspace.record_file(record["target"]["tic_id"], run_id(record))
    value = json.loads(file.read_bytes())
    value["warnings"] = ["changed"]
    file.with_name(f"{run_id(value)}.json").write_bytes(
        json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    )
    file.unlink()
    return f"{file}, which the ledger names, is missing"


def move_record(workspace: Workspace, record: RunRecord) -> str:
    file = workspace.record_file(record["target"]["tic_id"], run_id(record))
    (workspace.runs / "7").mkdir()
    file.rename(workspace.runs / "7" / file.name)
    return "lies in the folder of another"


def write_nonsense(workspace: Workspace, record: RunRecord) -> str:
    workspace.record_file(record["target"]["tic_id"], run_id(record)).write_bytes(b"\xff[")
    return "is not a run record"


def drop_ledger_line(workspace: Workspace, _record: RunRecord) -> str:
    lines = workspace.ledger.read_bytes().splitlines(keepends=True)
    workspace.ledger.write_bytes(b"".join([lines[0], *lines[2:]]))
    return "Line 2 of the ledger"


def drop_last_ledger_line(workspace: Workspace, _record: RunRecord) -> str:
    """A shortened chain still holds by itself."""
    workspace.ledger.write_bytes(b"".join(workspace.ledger.read_bytes().splitlines(keepends=True)[:-1]))
    return "copy of the ledger differs from the ledger at line 3"


def tear_ledger(workspace: Workspace, _record: RunRecord) -> str:
    workspace.ledger.write_bytes(workspace.ledger.read_bytes() + b'{"run')
    return "is cut short"


def drop_database(workspace: Workspace, _record: RunRecord) -> str:
    workspace.database.unlink()
    return "There is no database"


def leave_note(workspace: Workspace, _record: RunRecord) -> str:
    workspace.unfinished.write_bytes(b"{}")
    return "A recording was interrupted"


DAMAGES = [
    change_record,
    swap_record_and_name,
    move_record,
    write_nonsense,
    drop_ledger_line,
    drop_last_ledger_line,
    tear_ledger,
    drop_database,
    leave_note,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_verify_names_what_does_not_hold(
    filled: Workspace, three_records: list[RunRecord], damage: Callable[[Workspace, RunRecord], str]
) -> None:
    assert verify_workspace(filled) == []
    expected = damage(filled, three_records[0])
    assert any(expected in problem for problem in verify_workspace(filled)), verify_workspace(filled)


SQL = [
    "UPDATE metric SET value = value + 1e-9 WHERE name = 'offset_arcsec' AND sector = 54 AND check_id = 'V09'",
    "UPDATE stamp SET pixels = list_concat([1.0::FLOAT], pixels[2:]) WHERE name = 'difference_image' AND sector = 54",
    "UPDATE stamp SET corner_row = 0",
    "UPDATE stamp SET unit = 'ppm' WHERE name = 'difference_image'",
    "UPDATE run SET record_sha256 = 'x'",
    "UPDATE run SET tic_id = 1 WHERE tic_id = 188646744",
    "UPDATE product SET sha256 = reverse(sha256) WHERE ordinal = 3",
    'UPDATE check_result SET other = \'{"verdict":"fail"}\' WHERE ordinal = 0',
    "DELETE FROM transit WHERE number = 0",
    "DELETE FROM run",
    "DELETE FROM ledger WHERE position = 3",
    "INSERT INTO run SELECT * REPLACE ('20200101T000000Z-00000000' AS run_id) FROM run LIMIT 1",
    "INSERT INTO metric SELECT * REPLACE ('more' AS name) FROM metric LIMIT 1",
    "DROP TABLE fold",
]


@pytest.mark.parametrize("sql", SQL)
def test_verify_finds_any_change_of_a_row(filled: Workspace, sql: str) -> None:
    with duckdb.connect(filled.database) as connection:
        connection.execute(sql)
    problems = verify_workspace(filled)
    assert problems
    assert all("store rebuild" in problem for problem in problems)


def test_verify_changes_nothing_and_says_when_there_is_nothing(workspace: Workspace) -> None:
    [problem] = verify_workspace(workspace)
    assert "holds no run records" in problem
    assert not workspace.root.exists()
