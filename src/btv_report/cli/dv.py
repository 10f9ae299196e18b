"""`btv-report dv FILE...`: SPOC's difference images, its centroids beside ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from btv_report import exit_codes
from btv_report.cli.outcome import errors_become_sentences, printable, say, stop
from btv_report.cli.workspaces import current_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from btv_report.checks.prf_grid import PrfGrid


@click.command("dv", epilog="The exit code is that of the worst file; every file is answered.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--prf",
    "prf_folder",
    type=click.Path(path_type=Path, readable=False),
    metavar="DIR",
    help="Folder tree of TESS PRF files; the set that describes the star's image best is used, else a Gaussian.  "
    "[default: prf/ in the cache]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line and difference image.")
@click.option("-v", "--verbose", is_flag=True, help="Show tracebacks.")
def dv_command(files: tuple[str, ...], prf_folder: Path | None, as_json: bool, verbose: bool) -> None:
    """
    Fit the difference images of SPOC Data Validation reports (*_dvr.xml), and put the answers beside SPOC's.

    \b
    Examples:
      btv-report dv tess2018235142541-s0002-s0002-0000000307210830-00109_dvr.xml
      btv-report dv *_dvr.xml --prf ~/tess/prf --json
    """
    worst = exit_codes.DONE
    with errors_become_sentences(verbose=verbose):
        from btv_report.stages.dv_table import dv_table

        grids = _grids(prf_folder)
        lines: list[dict[str, Any]] = []
        for name in files:
            code, found = _answer(name, grids)
            worst = max(worst, code)
            lines += found
            if as_json:
                for line in found:
                    click.echo(json.dumps(line, ensure_ascii=True, allow_nan=False))
        if not as_json:
            click.echo(printable(dv_table(lines)))
    stop(worst)


def _grids(folder: Path | None) -> Sequence[PrfGrid]:
    from btv_report.stages.prf_sets import find_prf_sets

    found = find_prf_sets(folder, current_folder())
    for warning in found.warnings:
        say(f"Warning: {warning}")
    return found.grids


def _answer(name: str, grids: Sequence[PrfGrid]) -> tuple[int, list[dict[str, Any]]]:
    """The lines of one argument and the worst exit code among its files."""
    from btv_report.checks.dv_comparison import compare_report
    from btv_report.errors import BtvReportError
    from btv_report.products.dv_report import read_dv_report
    from btv_report.stages.dv_values import comparison_value, refusal_value, without_images_value

    worst = exit_codes.DONE
    lines: list[dict[str, Any]] = []
    for path in _files(name):
        try:
            report = read_dv_report(_existing(path))
        except BtvReportError as error:
            say(f"Error: {error}")
            lines.append(refusal_value(path.name, error))
            worst = max(worst, error.exit_code)
            continue
        values = [comparison_value(report, planet, comparison) for planet, comparison in compare_report(report, grids)]
        lines += values or [without_images_value(report)]
    return worst, lines


def _files(name: str) -> Iterator[Path]:
    """The file of an argument; a pattern that the shell left alone stands for all that it matches."""
    path = Path(name).expanduser()
    if path.exists() or not any(sign in name for sign in "*?["):
        yield path
        return
    import glob

    yield from [Path(found) for found in sorted(glob.glob(str(path)))] or [path]  # noqa: PTH207 - a pattern may be absolute


def _existing(path: Path) -> Path:
    """
    The path, if a file can be read there.

    Raises
    ------
    UsageError
        If there is nothing, or a folder.
    """
    from btv_report.errors import UsageError

    if path.is_dir():
        raise UsageError(f"{path.name or path} is a folder.", hint="Name the *_dvr.xml files in it.", path=path)
    if not path.exists():
        raise UsageError(f"There is no file {path.name}.", hint="Name SPOC DV reports, *_dvr.xml.", path=path)
    return path
