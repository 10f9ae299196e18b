"""`btv-report render`: the site again, from the store alone."""

from __future__ import annotations

from pathlib import Path

import click

from btv_report.cli.outcome import errors_become_sentences, printable, say


@click.command("render")
@click.option("--workspace", type=click.Path(path_type=Path), metavar="DIR", help="The workspace.")
@click.option(
    "--site", type=click.Path(path_type=Path), metavar="DIR", help="Write the site here instead of WORKSPACE/site."
)
@click.option("-v", "--verbose", is_flag=True, help="Show tracebacks.")
def render_command(workspace: Path | None, site: Path | None, verbose: bool) -> None:
    """
    Render all dossiers and the index from the store; no network, no FITS file.

    The same store gives the same bytes on any day and machine.
    """
    with errors_become_sentences(verbose=verbose):
        from btv_report.cli.workspaces import existing_workspace
        from btv_report.stages.publish import render_site

        place = existing_workspace(workspace)
        build = render_site(place, site.absolute() if site else place.site)
        say(f"{len(build.written)} files written, {build.unchanged} unchanged, {len(build.removed)} removed")
        click.echo(printable(str(build.index)))
