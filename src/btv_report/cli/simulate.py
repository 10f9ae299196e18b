"""`btv-report simulate SCENE`: a simulated star as FITS files, to try the checks on a known truth."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from btv_report.cli.outcome import errors_become_sentences, printable, stop
from btv_report.errors import UsageError

if TYPE_CHECKING:
    from btv_report.simulation.fits_files import WrittenScene


@click.command("simulate")
@click.argument("scene", required=False)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the files go; a folder with the scene's name by default.",
)
@click.option("--list", "as_list", is_flag=True, help="List the shipped scenes.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@click.option("-v", "--verbose", is_flag=True, help="Show tracebacks.")
def simulate_command(scene: str | None, out: Path | None, as_list: bool, as_json: bool, verbose: bool) -> None:
    """
    Write a scene as target pixel files and light curves, with its catalogue of stars; print the command for its dossier.

    SCENE is the name of a shipped scene or a scene file (TOML). The same scene gives the same bytes. All files say SIMULATED.

    \b
    Examples:
      btv-report simulate --list
      btv-report simulate planet-on-target --out ~/scene
    """
    with errors_become_sentences(verbose=verbose):
        if as_list:
            click.echo("\n".join(_shipped(as_json=as_json)))
        elif scene is None:
            raise UsageError(
                "No scene is named.", hint="Give the name of a shipped scene (see --list) or a scene file."
            )
        else:
            from btv_report.simulation.request import simulate_scene

            written = simulate_scene(scene, out)
            answer = _answer(written)
            click.echo(json.dumps(answer, ensure_ascii=True) if as_json else printable(_text(answer)))
    stop(0)


def _shipped(*, as_json: bool) -> list[str]:
    """A line for each shipped scene."""
    from btv_report.simulation.catalogue import scene_paths
    from btv_report.simulation.scene_file import load_scene

    scenes = [load_scene(path) for path in scene_paths()]
    if as_json:
        return [json.dumps({"scene": scene.name, "title": scene.title}, ensure_ascii=True) for scene in scenes]
    width = max((len(scene.name) for scene in scenes), default=0)
    return [f"{scene.name:<{width}}  {scene.title}" for scene in scenes]


def _answer(written: WrittenScene) -> dict[str, Any]:
    from btv_report.record import SCHEMA_VERSION
    from btv_report.simulation.request import scene_command

    return {
        "schema_version": SCHEMA_VERSION,
        "scene": written.scene.name,
        "title": written.scene.title,
        "tic_id": written.scene.target.tic_id,
        "folder": str(written.folder),
        "light_curves": [str(path) for path in written.light_curves],
        "target_pixel_files": [str(path) for path in written.target_pixel_files],
        "neighbours": str(written.neighbours),
        "command": shlex.join(scene_command(written)),
    }


def _text(answer: dict[str, Any]) -> str:
    curves, pixels = len(answer["light_curves"]), len(answer["target_pixel_files"])
    lines = (
        f"{answer['scene']}: {answer['title']}.",
        f"TIC {answer['tic_id']} (SIMULATED), {curves} light curve{'' if curves == 1 else 's'} and {pixels} target pixel "
        f"file{'' if pixels == 1 else 's'} in {answer['folder']}.",
        "Its dossier:",
        f"  {answer['command']}",
    )
    return "\n".join(lines)
