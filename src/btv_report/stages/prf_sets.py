"""The calibrated PRFs of a run: from the folder that was given, else from the cache."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from btv_report.checks.run import SectorChecks
from btv_report.errors import BtvReportError
from btv_report.products.prf_files import PrfFolder, read_prf_folder
from btv_report.store.workspace import Workspace, cache_folder

CACHED_PRF = "prf"
NO_SETS = PrfFolder((), ())


def find_prf_sets(given: Path | None, workspace: Path) -> PrfFolder:
    """
    Read the PRF files of `--prf`, else those in the folder `prf` of the cache; no sets where there is neither.

    Parameters
    ----------
    given : `--prf`
    workspace : whose cache; see `store.workspace.cache_folder`

    Raises
    ------
    BtvReportError
        If the folder that was given cannot be used. A cached folder that cannot be used costs the sets, with a warning.
    """
    if given is not None:
        return read_prf_folder(given)
    cached = cache_folder(Workspace(workspace), os.environ) / CACHED_PRF
    if not cached.is_dir():
        return NO_SETS
    try:
        return read_prf_folder(cached)
    except BtvReportError as error:
        return PrfFolder((), (f"The PRF files in the cache are not used. {error}",))


def unused_sets(done: SectorChecks) -> list[str]:
    """Sentences where PRF sets are at hand and another PRF was used, or one of another detector."""
    notes = {
        result.details["prf"]["note"]: f"Sector {result.sector}: {result.details['prf']['note']}"
        for result in done.results
        if result.details.get("prf", {}).get("note")
    }
    return list(notes.values())


def prf_parameters(sets: PrfFolder) -> dict[str, Any]:
    """Which sets a run had at hand, as JSON values: name and the digest of their files; empty without one."""
    return {"prf_sets": [{"name": grid.name, "sha256": grid.sha256} for grid in sets.grids]} if sets.grids else {}
