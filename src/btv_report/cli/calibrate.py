"""`btv-report calibrate`: the truth tables, printed, recorded and put into a site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from btv_report.calibration.registry import TABLES
from btv_report.cli.outcome import errors_become_sentences, printable, say
from btv_report.cli.progress import story
from btv_report.cli.workspaces import find_workspace

if TYPE_CHECKING:
    from collections.abc import Collection

    from btv_report.store.workspace import Workspace


@click.command("calibrate")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Folder of real files, any layout; tables that need them are left out without it.",
)
@click.option(
    "--table", "keys", multiple=True, type=click.Choice(list(TABLES)), help="Only this table, printed. Repeatable."
)
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

    The tables go to calibration.json in the workspace and to the page methods/calibration/ of its site. Where that page would
    lose tables that it shows (--table), they are only printed, or go to the file of --output. Seeds follow from the version of
    the methods: the same version gives the same tables.

    \b
    Examples:
      btv-report calibrate --quick
      btv-report calibrate --data ~/tess --table power --processes 2
    """
    with errors_become_sentences(verbose=verbose):
        from btv_report.calibration.record import make_record, record_bytes
        from btv_report.calibration.run import QUICK_SHARE, calibrate
        from btv_report.calibration.trials import Effort, RealData

        goes_to = _destination(output, workspace, keys or tuple(TABLES))
        effort = Effort(QUICK_SHARE if quick else 1.0, processes)
        with story(quiet=quiet) as tell:
            tables = calibrate(effort, RealData(data.absolute()) if data else None, keys, tell)
        record = make_record(tables, effort.share)
        if as_json:
            click.echo(record_bytes(record).decode("utf-8"), nl=False)
        else:
            from btv_report.dossier.calibration import finding, table_text

            click.echo("\n\n".join(printable(table_text(table, record["effort_share"])) for table in record["tables"]))
            click.echo(f"\n{finding(record)}")
        if goes_to is not None:
            say(f"written to {_write(record_bytes(record), goes_to)}")


def _destination(output: Path | None, workspace: Path | None, keys: Collection[str]) -> Path | Workspace | None:
    """Where the record goes, told before the work: a file, a workspace with its site, or nowhere since its page would lose."""
    if output is not None:
        return output.absolute()
    place, note = find_workspace(workspace)
    if note:
        say(note)
    lost = _tables_lost(place, keys)
    if not lost:
        return place
    shown = (
        f"{place.calibration}" if place.calibration.is_file() else "the record of this release, which the site shows,"
    )
    say(
        f"The tables are only printed: {shown} also holds {', '.join(lost)}, and would be replaced. Give --output FILE to keep "
        "these tables."
    )
    return None


def _tables_lost(place: Workspace, keys: Collection[str]) -> list[str]:
    """Tables that the workspace's site shows and that are none of `keys`; a damaged record shows nothing."""
    from btv_report.calibration.record import RELEASE_FILE, read_record
    from btv_report.errors import IntegrityError

    try:
        shown = read_record(place.calibration if place.calibration.is_file() else RELEASE_FILE)
    except IntegrityError:
        return []
    return [table["key"] for table in shown["tables"] if table["key"] not in keys]


def _write(content: bytes, goes_to: Path | Workspace) -> Path:
    """Write the record into a file, or into a workspace and its site; what to tell the reader."""
    from btv_report.atomic import make_folder, write_atomic
    from btv_report.stages.publish import render_site

    if isinstance(goes_to, Path):
        make_folder(goes_to.parent, private=False)
        write_atomic(goes_to, content, private=False)
        return goes_to
    with goes_to.writing():
        write_atomic(goes_to.calibration, content, private=False)
    render_site(goes_to, goes_to.site)
    return goes_to.site / "methods" / "calibration" / "index.html"
