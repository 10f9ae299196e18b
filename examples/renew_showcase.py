"""
Renews the published showcase: `make site`.

Runs the main job on the shipped scenes, keeps the run records in `examples/showcase/` and renders `site/` from them. The
clock of the records is fixed, so that renewing twice changes nothing.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from btv_report.demo import run_demo
from btv_report.stages.publish import render_site
from btv_report.store.rebuild import rebuild_store
from btv_report.store.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
SHOWCASE = ROOT / "examples" / "showcase"
SITE = ROOT / "site"
RECORDS_DATED = "1767225600"  # 2026-01-01T00:00:00Z, the date of the scenes


def main() -> None:
    """Simulate, report, keep the records, render."""
    os.environ["SOURCE_DATE_EPOCH"] = RECORDS_DATED
    with tempfile.TemporaryDirectory() as folder:
        run_demo(Path(folder), tell=print)
        shutil.rmtree(SHOWCASE, ignore_errors=True)
        shutil.copytree(Path(folder) / "runs", SHOWCASE / "runs")
    render_showcase(SHOWCASE, SITE)
    print(SITE / "index.html")


def render_showcase(records: Path, site: Path) -> None:
    """Render a site from the records alone, by way of a store that is made from them and thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        shutil.copytree(records / "runs", workspace.runs)
        rebuild_store(workspace)
        render_site(workspace, site)


if __name__ == "__main__":
    main()
