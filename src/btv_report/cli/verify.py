"""`btv-report verify`: hold everything in a workspace against everything else."""

from __future__ import annotations

import os
from pathlib import Path

import click

from btv_report import exit_codes
from btv_report.cli.outcome import errors_become_sentences, printable, stop


@click.command("verify")
@click.option(
    "--mirror",
    "mirrors",
    multiple=True,
    type=click.Path(path_type=Path, readable=False),
    metavar="DIR",
    help="Look for cited files here, too; repeatable.",
)
@click.option("--workspace", type=click.Path(path_type=Path), metavar="DIR", help="The workspace to verify.")
@click.option("-v", "--verbose", is_flag=True, help="Show tracebacks.")
def verify_command(mirrors: tuple[Path, ...], workspace: Path | None, verbose: bool) -> None:
    """
    Check records against hashes, the ledger's chain, the store and the site, and name what does not hold.

    The files that the runs cite are looked for in the cache, and in the mirrors that are named, and their bytes are held against
    the records. A file that is not here is told and is no violation: its bytes may lie elsewhere.
    """
    with errors_become_sentences(verbose=verbose):
        from btv_report.cli.workspaces import existing_workspace
        from btv_report.render.verify import verify_site
        from btv_report.stages.cited_bytes import find_cited_bytes
        from btv_report.store.verify import verify_workspace
        from btv_report.store.workspace import cache_folder

        place = existing_workspace(workspace)
        problems = [*verify_workspace(place), *verify_site(place.site)]
        found = find_cited_bytes(place, cache_folder(place, os.environ), [mirror.expanduser() for mirror in mirrors])
        problems += found.problems
        for problem in problems:
            click.echo(printable(problem))
        if not problems:
            click.echo("Everything holds: records, ledger, store and site.")
        if found.summary:
            click.echo(printable(found.summary))
    stop(exit_codes.INTEGRITY if problems else exit_codes.DONE)
