"""`btv-report store ...`: the DuckDB index over the run records."""

from __future__ import annotations

from pathlib import Path

import click

from btv_report import exit_codes
from btv_report.cli.outcome import errors_become_sentences, printable, say, stop


@click.group("store")
def store_group() -> None:
    """Look after the DuckDB store, which is an index over the run records."""


@store_group.command("rebuild")
@click.option("--workspace", type=click.Path(path_type=Path), metavar="DIR", help="The workspace.")
@click.option("-v", "--verbose", is_flag=True, help="Show tracebacks.")
def rebuild_command(workspace: Path | None, verbose: bool) -> None:
    """Make the store again from the run records, equal row by row; the old one is kept beside it."""
    with errors_become_sentences(verbose=verbose):
        from btv_report.cli.workspaces import existing_workspace
        from btv_report.store.rebuild import rebuild_store

        place = existing_workspace(workspace)
        report = rebuild_store(place)
        for problem in report.problems:
            say(f"Warning: {problem}")
        if report.adopted:
            say(f"{len(report.adopted)} records were not in the ledger and got an entry.")
        if report.set_aside:
            say(f"The old database lies in {report.set_aside}.")
        click.echo(printable(f"{report.n_runs} run{'' if report.n_runs == 1 else 's'} in {place.database}"))
    stop(exit_codes.INTEGRITY if report.problems else exit_codes.DONE)
