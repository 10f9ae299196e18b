"""Where a workspace is, whether it can be written, and who writes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from btv_report.errors import LocalEnvironmentError
from btv_report.store.workspace import Workspace, cache_folder, locate_workspace


def make_checkout(folder: Path, name: str = "btv-report") -> Path:
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n')
    return folder


def test_the_current_folder_is_the_default(tmp_path: Path) -> None:
    assert locate_workspace(None, tmp_path) == (Workspace(tmp_path), "")


def test_a_named_folder_wins_and_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = make_checkout(tmp_path / "source")
    monkeypatch.chdir(checkout)
    assert locate_workspace(Path("../mine"), checkout) == (Workspace(tmp_path / "mine"), "")


@pytest.mark.parametrize("below", [".", "src/btv_report"])
def test_in_the_own_checkout_it_is_the_ignored_folder_and_that_is_said(tmp_path: Path, below: str) -> None:
    checkout = make_checkout(tmp_path / "source")
    (checkout / below).mkdir(parents=True, exist_ok=True)
    found, note = locate_workspace(None, checkout / below)
    assert found.root == checkout / "workspace"
    assert str(checkout / "workspace") in note
    assert note.endswith(".")


def test_another_projects_checkout_or_a_broken_project_file_changes_nothing(tmp_path: Path) -> None:
    other = make_checkout(tmp_path / "other", "lightkurve")
    assert locate_workspace(None, other) == (Workspace(other), "")
    (other / "pyproject.toml").write_bytes(b"\xff not toml [")
    assert locate_workspace(None, other) == (Workspace(other), "")


def test_a_workspace_inside_the_checkout_is_used_as_it_is(tmp_path: Path) -> None:
    demo = make_checkout(tmp_path / "source") / "demo"
    (demo / "runs").mkdir(parents=True)
    (demo / "runs" / "ledger.jsonl").touch()
    assert locate_workspace(None, demo) == (Workspace(demo), "")


def test_paths_are_those_of_the_contract(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    record = workspace.record_file(188646744, "20261121T014500Z-1a2b3c4d")
    paths = (workspace.database, record, workspace.ledger, workspace.site, workspace.private_site)
    assert [str(path.relative_to(tmp_path)) for path in paths] == [
        "btv-report.duckdb",
        "runs/188646744/20261121T014500Z-1a2b3c4d.json",
        "runs/ledger.jsonl",
        "site",
        "site-private",
    ]


def test_the_cache_is_looked_for_in_the_order_of_the_contract(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    environment = {
        "BTV_REPORT_CACHE_DIR": str(tmp_path / "own"),
        "BITTR_TESS_VETTER_CACHE_DIR": str(tmp_path / "dir"),
        "BITTR_TESS_VETTER_CACHE_ROOT": str(tmp_path / "root"),
    }
    expected = [
        tmp_path / "own",
        tmp_path / "dir",
        tmp_path / "root" / "persistent_cache",
        tmp_path / "w/.btv-report/cache",
    ]
    found = [cache_folder(workspace, environment)]
    for variable in list(environment):
        environment[variable] = ""
        found.append(cache_folder(workspace, environment))
    assert found == expected


def test_a_new_workspace_is_made_with_private_records(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "a" / "b")
    workspace.ensure_writable()
    assert workspace.root.stat().st_mode & 0o777 == 0o755  # a web server may have to pass through to site/
    assert workspace.runs.stat().st_mode & 0o777 == 0o700
    assert workspace.hidden.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in workspace.root.iterdir()) == [".btv-report", "runs"]
    assert list(workspace.runs.iterdir()) == []


def test_a_file_as_workspace_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(b"")
    with pytest.raises(LocalEnvironmentError, match=r"w is a file, not a folder\. Name a folder with --workspace\."):
        Workspace(tmp_path / "w").ensure_writable()


def test_f144_a_place_where_nobody_can_write_is_a_sentence() -> None:
    with pytest.raises(LocalEnvironmentError, match="Could not make the folder /proc/nowhere"):
        Workspace(Path("/proc/nowhere")).ensure_writable()


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_f144_a_folder_that_takes_no_files_is_a_sentence(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    workspace.ensure_writable()
    real = os.open

    def refuse(path: str, flags: int, *rest: int, **keywords: int) -> int:
        if flags & os.O_CREAT or flags & getattr(os, "O_TMPFILE", 0) == getattr(os, "O_TMPFILE", 1):
            raise OSError(code, os.strerror(code))
        return real(path, flags, *rest, **keywords)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(LocalEnvironmentError, match=errno.errorcode[code]) as caught:
        workspace.ensure_writable()
    assert str(workspace.root) in str(caught.value)


HOLDER = """
import sys, time
from pathlib import Path
from btv_report.store.workspace import Workspace
with Workspace(Path(sys.argv[1])).writing():
    print("held", flush=True)
    time.sleep(60)
"""


def test_f147_the_lock_names_its_file_and_ends_with_its_killed_holder(workspace: Workspace) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, workspace.root], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LocalEnvironmentError, match="writing to the workspace") as caught, workspace.writing(0.2):
            pass
        assert str(workspace.lock_file) in str(caught.value)
    finally:
        holder.kill()
        holder.communicate()
    with workspace.writing(5.0):
        pass


def test_threads_of_one_process_exclude_each_other(workspace: Workspace) -> None:
    inside: list[int] = []
    seen: list[int] = []

    def work() -> None:
        for _ in range(20):
            with workspace.writing(20.0):
                inside.append(1)
                seen.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 60
