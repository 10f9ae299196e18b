"""`btv-report calibrate`: the truth tables, printed, recorded and put into a site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from btv_report.calibration.registry import TABLES
from btv_report.cli.outcome import errors_become_sentences, printable, say
from btv_report.cli.progress import story
from btv_report.cli.workspaces import current_folder

if TYPE_CHECKING:
    from btv_report.calibration.record import CalibrationRecord


@click.command("calibrate")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Folder of real files, any layout; tables that need them are left out without it.",
)
@click.option("--table", "keys", multiple=True, type=click.Choice(list(TABLES)), help="Only this table. Repeatable.")
@click.option("--quick", is_flag=True, help="A twentieth of the trials: minutes instead of most of an hour.")
@click.option(
    "--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="How many work side by side."
)
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the record here, no page."
)
@click.option("--workspace", type=click.Path(path_type=Path), metavar="DIR", help="Whose site shows the tables.")
@click.option("-v", "--verbose", is_flag=True, help="Show tracebacks.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def calibrate_command(
    *,
    data: Path | None,
    keys: tuple[str, ...],
    quick: bool,
    processes: int,
    as_json: bool,
    output: Path | None,
    workspace: Path | None,
    verbose: bool,
    quiet: bool,
) -> None:
    """
    Hold the pixel checks against injected truth, and print what they reach beside what was asked.

    The tables go to calibration.json in the workspace and to the page methods/calibration/ of its site, unless tables that are
    there would be lost (--table): then they are only printed, or go to --output. Seeds follow from the version of the methods:
    the same version gives the same tables.

    \b
    Examples:
      btv-report calibrate --quick
      btv-report calibrate --data ~/tess --table power --processes 2
    """
    with errors_become_sentences(verbose=verbose):
        from btv_report.calibration.record import make_record, record_bytes
        from btv_report.calibration.run import QUICK_SHARE, calibrate
        from btv_report.calibration.trials import Effort, RealData

        effort = Effort(QUICK_SHARE if quick else 1.0, processes)
        with story(quiet=quiet) as tell:
            tables = calibrate(effort, RealData(data.absolute()) if data else None, keys, tell)
        record = make_record(tables, effort.share)
        place = _write(record, output, workspace)
        if as_json:
            click.echo(record_bytes(record).decode("utf-8"), nl=False)
        else:
            from btv_report.dossier.calibration import finding, table_text

            click.echo("\n\n".join(printable(table_text(table, record["effort_share"])) for table in record["tables"]))
            click.echo(f"\n{finding(record)}")
        if place is not None:
            say(f"written to {place}")


def _write(record: CalibrationRecord, output: Path | None, workspace: Path | None) -> Path | None:
    """Write to the file that was asked for, or into the workspace and its site; None where that would lose tables."""
    from btv_report.atomic import make_folder, write_atomic
    from btv_report.calibration.record import record_bytes

    content = record_bytes(record)
    if output is not None:
        make_folder(output.absolute().parent, private=False)
        write_atomic(output.absolute(), content, private=False)
        return output
    from btv_report.stages.publish import render_site
    from btv_report.store.workspace import locate_workspace

    place, note = locate_workspace(workspace, current_folder())
    if note:
        say(note)
    if lost := _tables_lost(place.calibration, record):
        say(
            f"Nothing was written: {place.calibration} also holds {', '.join(lost)}. Give --output FILE to keep these tables."
        )
        return None
    with place.writing():
        write_atomic(place.calibration, content, private=False)
    render_site(place, place.site)
    return place.site / "methods" / "calibration" / "index.html"


def _tables_lost(path: Path, record: CalibrationRecord) -> list[str]:
    """Keys of the tables of an existing record that a new one does not hold; a damaged record loses nothing."""
    from btv_report.calibration.record import read_record
    from btv_report.errors import IntegrityError

    if not path.exists():
        return []
    new = {table["key"] for table in record["tables"]}
    try:
        return [table["key"] for table in read_record(path)["tables"] if table["key"] not in new]
    except IntegrityError:
        return []
