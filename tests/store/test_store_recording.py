"""Recording runs: three places that agree, whatever happens in between."""

from __future__ import annotations

import hashlib
import json
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest

from btv_report.errors import IntegrityError, LocalEnvironmentError
from btv_report.record import RunRecord
from btv_report.store import store as store_module
from btv_report.store.canonical import record_bytes, run_id
from btv_report.store.recording import record_run
from btv_report.store.store import Store
from btv_report.store.verify import verify_workspace
from btv_report.store.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]


def files(workspace: Workspace) -> list[str]:
    return sorted(str(path.relative_to(workspace.root)) for path in workspace.root.rglob("*") if path.is_file())


def test_a_run_stands_in_its_file_in_the_ledger_and_in_the_database(
    workspace: Workspace, any_record: RunRecord
) -> None:
    identity = record_run(workspace, any_record)
    file = workspace.record_file(188646744, identity)
    assert identity == run_id(any_record)
    assert file.read_bytes() == record_bytes(any_record)
    [line] = workspace.ledger.read_text().splitlines()
    assert json.loads(line)["record_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    with Store(workspace.database) as store:
        assert store.load(identity) == any_record
        assert [entry for _, entry in store.ledger_entries()] == [json.loads(line)]
    assert verify_workspace(workspace) == []
    assert files(workspace) == [
        ".btv-report/writer.lock",
        "btv-report.duckdb",
        f"runs/188646744/{identity}.json",
        "runs/ledger.jsonl",
    ]


def test_recording_the_same_run_again_changes_no_byte(workspace: Workspace, record: RunRecord) -> None:
    record_run(workspace, record)
    before = {name: (workspace.root / name).read_bytes() for name in files(workspace) if name.startswith("runs")}
    assert record_run(workspace, record) == run_id(record)
    assert {name: (workspace.root / name).read_bytes() for name in before} == before
    assert verify_workspace(workspace) == []


def test_a_malformed_record_is_refused_before_a_byte_is_written(workspace: Workspace, record: RunRecord) -> None:
    record["products"][0]["exptime_s"] = float("nan")
    with pytest.raises(ValueError, match=r"products\[0\]\.exptime_s"):
        record_run(workspace, record)
    assert not workspace.root.exists()


def test_a_changed_record_file_is_not_written_over(workspace: Workspace, record: RunRecord) -> None:
    identity = record_run(workspace, record)
    file = workspace.record_file(188646744, identity)
    file.write_bytes(b"{}\n")
    workspace.ledger.write_bytes(b"")
    with pytest.raises(IntegrityError, match="holds something else"):
        record_run(workspace, record)
    assert file.read_bytes() == b"{}\n"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o027, 0o077])
def test_f155_everything_recorded_is_private(workspace: Workspace, record: RunRecord, umask: int) -> None:
    import os

    before = os.umask(umask)
    try:
        record_run(workspace, record)
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in workspace.root.rglob("*") if path.is_file()}
    folders = {path.stat().st_mode & 0o777 for path in workspace.root.rglob("*") if path.is_dir()}
    assert (modes, folders) == ({0o600}, {0o700})


def test_f155_the_log_of_a_killed_writer_is_private(workspace: Workspace, record: RunRecord) -> None:
    code = (
        "import json, os, signal, sys; from pathlib import Path; from btv_report.store.store import Store; os.umask(0)\n"
        "store = Store(Path(sys.argv[1]), write=True); store.record(json.loads(sys.stdin.read()))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    workspace.ensure_writable()
    done = subprocess.run([sys.executable, "-c", code, workspace.database], input=record_bytes(record), check=False)
    assert done.returncode == -signal.SIGKILL
    log = Path(f"{workspace.database}.wal")
    assert log.stat().st_size > 10_000
    assert log.stat().st_mode & 0o777 == workspace.database.stat().st_mode & 0o777 == 0o600
    with Store(workspace.database) as store:
        assert store.load(run_id(record)) == record


def outcome_of_kills(tmp_path: Path, workspace: Workspace, record: RunRecord) -> list[tuple[Workspace, str]]:
    """Copies of a workspace in which the recording of a run was killed at each of its steps, and at which."""
    file = tmp_path / "record.json"
    file.write_bytes(record_bytes(record))
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "tests.store.kill_points",
        workspace.root,
        tmp_path / "copies",
        file,
    ]
    environment = {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=environment)
    lines = [line.split(" ", 1) for line in done.stdout.splitlines()]
    assert lines[-1][1] == "done 0", done.stderr
    return [(Workspace(tmp_path / "copies" / number), what) for number, what in lines]


@pytest.mark.parametrize("runs_before", [0, 1])
def test_f140_a_kill_at_any_step_loses_nothing_and_the_next_run_completes_it(
    tmp_path: Path, workspace: Workspace, make_bare_record: Callable[..., RunRecord], runs_before: int
) -> None:
    first, killed, following = (make_bare_record(started_at=f"2026-11-21T01:45:0{n}Z") for n in range(3))
    if runs_before:
        record_run(workspace, first)
    steps: list[str] = []
    for copy, what in outcome_of_kills(tmp_path, workspace, killed):
        steps.append(what)
        written = copy.record_file(188646744, run_id(killed)).exists()
        record_run(copy, following)
        assert verify_workspace(copy) == [], what
        expected = [first] * runs_before + [killed] * written + [following]
        with Store(copy.database) as store:
            found = [entry["run_id"] for _, entry in store.ledger_entries()]
        assert found == [run_id(record) for record in expected], what
        left_over = [name for name in files(copy) if name.endswith((".tmp", ".wal", "recording.json"))]
        assert left_over == [], what
    kinds = {what.removeprefix("killed ") for what in steps}
    assert {"before COMMIT", "after COMMIT", "before ledger line", "half-way through write", "before replace"} <= kinds
    assert len(steps) > 12


def test_f140_kills_at_random_times_lose_nothing(
    tmp_path: Path, workspace: Workspace, make_record: Callable[..., RunRecord]
) -> None:
    code = (
        "import json, sys; from pathlib import Path; from btv_report.store.recording import record_run\n"
        "from btv_report.store.workspace import Workspace\n"
        "for line in sys.stdin:\n    print(record_run(Workspace(Path(sys.argv[1])), json.loads(line)), flush=True)\n"
    )
    records = [make_record(seed=n, started_at=f"2026-11-21T01:45:{n:02d}Z") for n in range(20)]
    acknowledged: list[str] = []
    for delay_s in (0.04, 0.17):
        process = subprocess.Popen(
            [sys.executable, "-c", code, workspace.root], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"".join(record_bytes(record) for record in records))
        process.stdin.flush()
        acknowledged.append(process.stdout.readline().decode().strip())
        time.sleep(delay_s)
        process.kill()
        acknowledged += process.communicate()[0].decode().split()
    record_run(workspace, make_record(seed=99, started_at="2026-11-22T00:00:00Z"))
    assert verify_workspace(workspace) == []
    with Store(workspace.database) as store:
        assert set(acknowledged) <= set(store.run_ids())
        known = {run_id(record): record for record in records}
        for identity in set(acknowledged):
            assert store.load(identity) == known[identity]


RECORDER = """
import json, sys
from pathlib import Path
from btv_report.store.recording import record_run
from btv_report.store.workspace import Workspace
for line in sys.stdin:
    record_run(Workspace(Path(sys.argv[1])), json.loads(line))
"""


def test_f146_two_processes_recording_at_once_both_succeed(
    workspace: Workspace, make_record: Callable[..., RunRecord]
) -> None:
    groups = [
        [make_record(tic_id=tic, seed=n, started_at=f"2026-11-21T01:45:0{n}Z") for n in range(3)] for tic in (1, 2)
    ]
    command: list[str | Path] = [sys.executable, "-c", RECORDER, workspace.root]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for _ in groups]
    for process, group in zip(processes, groups, strict=True):
        assert process.stdin is not None
        process.stdin.write(b"".join(record_bytes(record) for record in group))
        process.stdin.close()
    for process in processes:
        assert process.stderr is not None
        assert process.stderr.read() == b""
        process.stderr.close()
        assert process.wait() == 0
    assert verify_workspace(workspace) == []
    with Store(workspace.database) as store:
        assert len(store.run_ids()) == 6
        assert store.latest_run(2) == run_id(groups[1][-1])


READER = (
    "import duckdb, sys, time; c = duckdb.connect(sys.argv[1], read_only=True); print(c, flush=True); time.sleep(60)"
)


def test_f146_a_database_in_use_names_the_process_and_the_run_is_added_later(
    workspace: Workspace,
    make_record: Callable[..., RunRecord],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, second, third = (make_record(seed=n, started_at=f"2026-11-21T01:45:0{n}Z") for n in range(3))
    record_run(workspace, first)
    real = vars(store_module)["open_database"]

    def hurried(path: Path, **keywords: Any) -> duckdb.DuckDBPyConnection:
        return cast(duckdb.DuckDBPyConnection, real(path, timeout_s=0.1, **keywords))

    reader = subprocess.Popen([sys.executable, "-c", READER, workspace.database], stdout=subprocess.PIPE)
    try:
        assert reader.stdout is not None
        reader.stdout.readline()
        monkeypatch.setattr(store_module, "open_database", hurried)
        with pytest.raises(LocalEnvironmentError) as caught:
            record_run(workspace, second)
        assert str(caught.value).startswith(
            f"The run is recorded in {workspace.record_file(188646744, run_id(second))}, but"
        )
        assert f"{workspace.database} is in use by process {reader.pid}" in str(caught.value)
        with Store(workspace.database) as store:  # reading goes on
            assert store.run_ids() == [run_id(first)]
    finally:
        reader.kill()
        reader.communicate()
    with caplog.at_level(logging.WARNING):
        record_run(workspace, third)
    assert "lacked recorded runs (1 of them)" in caplog.text
    with Store(workspace.database) as store:
        assert store.load(run_id(second)) == second
    assert verify_workspace(workspace) == []


def test_a_database_that_was_deleted_is_made_again_by_the_next_run(
    workspace: Workspace, three_records: list[RunRecord]
) -> None:
    for record in three_records[:2]:
        record_run(workspace, record)
    workspace.database.unlink()
    record_run(workspace, three_records[2])
    assert verify_workspace(workspace) == []
    with Store(workspace.database) as store:
        assert [store.load(identity) for identity in sorted(store.run_ids())] == three_records


def test_a_database_of_another_workspace_is_refused_and_the_run_is_safe(
    tmp_path: Path, workspace: Workspace, make_record: Callable[..., RunRecord]
) -> None:
    other = Workspace(tmp_path / "other")
    record_run(other, make_record(tic_id=1))
    record_run(workspace, make_record(tic_id=2))
    workspace.database.write_bytes(other.database.read_bytes())
    following = make_record(tic_id=3)
    with pytest.raises(
        IntegrityError, match=r"The run is recorded in .* does not belong to the ledger .* differ at line 1"
    ):
        record_run(workspace, following)
    assert workspace.record_file(3, run_id(following)).exists()


def test_a_lost_record_of_an_older_run_does_not_stop_new_ones(
    workspace: Workspace, three_records: list[RunRecord], caplog: pytest.LogCaptureFixture
) -> None:
    for record in three_records[:2]:
        record_run(workspace, record)
    workspace.database.unlink()
    lost = workspace.record_file(188646744, run_id(three_records[0]))
    lost.unlink()
    record_run(workspace, three_records[2])
    assert f"The run record {lost} is missing" in caplog.text
    problems = verify_workspace(workspace)
    assert any(str(lost) in problem and "missing" in problem for problem in problems)


def test_a_damaged_note_of_an_unfinished_run_is_a_sentence(
    workspace: Workspace, three_records: list[RunRecord]
) -> None:
    record_run(workspace, three_records[0])
    workspace.unfinished.write_bytes(b'{"run_id": 5')
    with pytest.raises(IntegrityError, match="should name the run"):
        record_run(workspace, three_records[1])
