"""From the store to the site: besides the store only the workspace's kept copies, and its calibration, are read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from btv_report.record import RunRecord
from btv_report.render.site import SiteBuild, build_site
from btv_report.store.kept_files import kept_file
from btv_report.store.store import Store
from btv_report.store.workspace import Workspace


def render_site(workspace: Workspace, site: Path) -> SiteBuild:
    """
    Render the latest run of every target in the store; files that would not change are not written.

    A workspace in which nothing has been recorded yet has a site without dossiers.

    The workspace's write lock is held, so that two runs that end together do not overwrite each other's index.

    Raises
    ------
    IntegrityError
        If the store is damaged or is none of ours.
    LocalEnvironmentError
        If the store is locked, or the disk refuses.
    """
    own = workspace.calibration if workspace.calibration.is_file() else None
    if not workspace.database.exists() and not workspace.ledger.exists():
        with workspace.writing():
            return build_site((), site, ledger_head=None, calibration=own)
    with workspace.writing(), Store(workspace.database) as store:
        latest = [run.run_id for run in store.list_latest()]
        hashes = {numbered.entry["run_id"]: numbered.entry["record_sha256"] for numbered in store.ledger_entries()}
        _, head = store.ledger_head()
        memory = workspace.hidden / "site-memory.json" if site == workspace.site else None
        own = workspace.calibration if workspace.calibration.is_file() else None
        return build_site(
            _records(store, latest, hashes),
            site,
            ledger_head=head,
            memory=memory,
            calibration=own,
            kept_file=partial(kept_file, workspace),
        )


def _records(store: Store, run_ids: list[str], hashes: dict[str, str]) -> Iterator[tuple[str, str, RunRecord]]:
    for run_id, record in store.load_many(run_ids):
        yield run_id, hashes[run_id], record
