"""The main job on the shipped scenes; also what renews the published showcase."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from btv_report.pipeline import Outcome, run_report
from btv_report.simulation.catalogue import scene_paths
from btv_report.simulation.fits_files import WrittenScene, write_scene
from btv_report.simulation.request import scene_command
from btv_report.simulation.scene_file import load_scene
from btv_report.stages.request import ReportRequest
from btv_report.store.workspace import Workspace

MIRROR = "mirror"


@dataclass(frozen=True)
class Demo:
    """
    What the demo made.

    Attributes
    ----------
    outcomes : pairs of a scene's name and its run
    index : the site's index page
    """

    outcomes: tuple[tuple[str, Outcome], ...]
    index: Path


def run_demo(workspace: Path, *, tell: Callable[[str], None] = lambda step: None) -> Demo:
    """
    Simulate every shipped scene into `workspace/mirror` and make its dossier.

    Raises
    ------
    LocalEnvironmentError
        If the workspace cannot be written.
    """
    place = Workspace(workspace)
    place.ensure_writable()
    outcomes = []
    for path in scene_paths():
        tell(f"simulating {path.stem}")
        written = write_scene(load_scene(path), workspace / MIRROR / path.stem)
        outcomes.append((path.stem, run_report(scene_request(written, workspace), tell=tell)))
    return Demo(tuple(outcomes), place.site / "index.html")


def scene_request(written: WrittenScene, workspace: Path) -> ReportRequest:
    """The run that a user would type for the files of a scene."""
    return ReportRequest(
        tic_id=written.scene.target.tic_id,
        workspace=workspace,
        mirrors=(written.folder,),
        offline=True,
        ephemeris=written.ephemerides[0],
        neighbours=written.neighbours,
        command=scene_command(written),
    )
