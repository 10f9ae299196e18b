"""`btv-report verify`: hold everything in a workspace against everything else."""

from __future__ import annotations

from pathlib import Path

import click

from btv_report import exit_codes
from btv_report.cli.outcome import errors_become_sentences, printable, stop


@click.command("verify")
@click.option("--workspace", type=click.Path(path_type=Path), metavar="DIR", help="The workspace to verify.")
@click.option("-v", "--verbose", is_flag=True, help="Show tracebacks.")
def verify_command(workspace: Path | None, verbose: bool) -> None:
    """Check records against hashes, the ledger's chain, the store and the site, and name what does not hold."""
    with errors_become_sentences(verbose=verbose):
        from btv_report.cli.workspaces import existing_workspace
        from btv_report.render.verify import verify_site
        from btv_report.store.verify import verify_workspace

        place = existing_workspace(workspace)
        problems = [*verify_workspace(place), *verify_site(place.site)]
        for problem in problems:
            click.echo(printable(problem))
        if not problems:
            click.echo("Everything holds: records, ledger, store and site.")
    stop(exit_codes.INTEGRITY if problems else exit_codes.DONE)
