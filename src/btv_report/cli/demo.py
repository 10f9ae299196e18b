"""`btv-report demo`: the main job on the shipped scenes, without network or data."""

from __future__ import annotations

from pathlib import Path

import click

from btv_report.cli.outcome import errors_become_sentences, printable, say, stop
from btv_report.cli.progress import story


@click.command("demo")
@click.option(
    "--workspace",
    type=click.Path(path_type=Path),
    default=Path("demo"),
    show_default=True,
    metavar="DIR",
    help="Where the simulated files, records, store and site go.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show tracebacks.")
@click.option("-q", "--quiet", is_flag=True, help="Print the path of the site only.")
def demo_command(workspace: Path, verbose: bool, quiet: bool) -> None:
    """
    Simulate four stars, make a dossier of each, and print the path of the site.

    The scenes are a planet on the target, an eclipsing binary two pixels away, scattered light that mimics a transit, and a
    single transit. All their files and pages say SIMULATED.
    """
    with errors_become_sentences(verbose=verbose):
        from btv_report.demo import run_demo

        with story(quiet=quiet) as tell:
            dossiers = run_demo(workspace.absolute(), tell=tell)
        if not quiet:
            for scene, outcome in dossiers.outcomes:
                say(f"{scene}: {printable(outcome.text)}")
        click.echo(printable(str(dossiers.index)))
    stop(max(outcome.exit_code for _, outcome in dossiers.outcomes))
