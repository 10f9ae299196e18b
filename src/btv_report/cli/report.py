"""`btv-report TIC 365938305`: the main job."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import click
from click.core import ParameterSource

from btv_report.cli.outcome import errors_become_sentences, printable, say, stop
from btv_report.cli.progress import story
from btv_report.cli.workspaces import find_workspace, settings_folder
from btv_report.errors import AmbiguousTargetError, BtvReportError, UsageError
from btv_report.fits.headers import PIPELINES

ORIGINS = "btv_report.origins"
_SOUTHERN = re.compile(r"-\d", re.ASCII)


class ReportCommand(click.Command):
    """A command whose defaults come from variables and btv-report.toml."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Look up the defaults before the flags are read: flag > variable > file > default."""
        from btv_report.settings import given_to_report

        if {"--help", "-h"} & set(args):
            return super().parse_args(ctx, args)
        with errors_become_sentences():
            given = given_to_report(os.environ, settings_folder(_workspace_option(args)))
        ctx.default_map = {name: value.value for name, value in given.items()}
        ctx.meta[ORIGINS] = {name: value.origin for name, value in given.items()}
        try:
            return super().parse_args(ctx, southern_positions(args, self.params))
        except click.BadParameter as error:
            name = error.param.name if error.param is not None else None
            if name not in given or ctx.get_parameter_source(name) is not ParameterSource.DEFAULT_MAP:
                raise
            words = f"{error.message} It comes from the {given[name].origin}."
            raise click.BadParameter(words, ctx, error.param) from error


def southern_positions(args: list[str], parameters: Sequence[click.Parameter]) -> list[str]:
    """The words with those behind `--` that are a negative declination and no option, such as -80.469; in their order."""
    options = [item for item in parameters if isinstance(item, click.Option)]
    with_value = {name for item in options if not item.is_flag for name in item.opts}
    words: list[str] = []
    target: list[str] = []
    rest = iter(args)
    for word in rest:
        if word == "--":
            return [*words, "--", *target, *rest]
        if word in with_value:
            words += [word, *islice(rest, 1)]
        elif _SOUTHERN.match(word) or (target and not word.startswith("-")):
            target.append(word)
        else:
            words.append(word)
    return [*words, "--", *target] if target else words


def origin_of(ctx: click.Context, parameter: str) -> str:
    """Where a setting that no flag gave comes from, such as ` (variable BTV_REPORT_EXPTIME)`; empty for a flag."""
    if ctx.get_parameter_source(parameter) is not ParameterSource.DEFAULT_MAP:
        return ""
    return f" ({ctx.meta[ORIGINS][parameter]})"


def _workspace_option(args: list[str]) -> Path | None:
    """The folder behind the last `--workspace`, read before click reads it: the settings may stand there."""
    found = None
    for number, word in enumerate(args):
        if word == "--":
            break
        if word.startswith("--workspace="):
            found = Path(word.partition("=")[2])
        elif word == "--workspace" and number + 1 < len(args):
            found = Path(args[number + 1])
    return found


@click.command(
    "report",
    cls=ReportCommand,
    epilog="The ephemeris is BTJD = BJD(TDB) - 2457000; all three of --period, --epoch and --duration, or none.",
)
@click.argument("target", nargs=-1, required=True)
@click.option(
    "--mirror",
    "mirrors",
    multiple=True,
    type=click.Path(),
    metavar="DIR",
    help="Folder tree of FITS files, any layout, plain or gzipped, found by header. Repeatable.",
)
@click.option("--offline", is_flag=True, help="Open no socket: use mirrors and what is in the cache.")
@click.option("--refresh", is_flag=True, help="Ask the archive again, and fetch again, what is in the cache.")
@click.option(
    "--accept-nearest", is_flag=True, help="Where several stars answer to a name or position, take the nearest."
)
@click.option("--sector", "sectors", multiple=True, type=click.IntRange(1, 9999), help="Only this sector. Repeatable.")
@click.option(
    "--pipeline",
    "pipelines",
    multiple=True,
    type=click.Choice(PIPELINES, case_sensitive=False),
    help="Only products of this pipeline; repeat in order of preference.",
)
@click.option("--exptime", "exptime_s", type=float, metavar="S", help="Only this exposure time, seconds (within 1 s).")
@click.option("--period", "period_days", type=float, metavar="D", help="Orbital period, days.")
@click.option("--epoch", "epoch_btjd", type=float, metavar="BTJD", help="Mid-transit time, BTJD.")
@click.option("--duration", "duration_hours", type=float, metavar="H", help="Transit duration, hours.")
@click.option(
    "--flux",
    type=click.Choice(("pdcsap", "sap")),
    default="pdcsap",
    show_default=True,
    help="Which flux of the light curves.",
)
@click.option(
    "--quality-mask",
    default="default",
    show_default=True,
    metavar="INT|WORD",
    help="Cadences with any of these bits are not used: an integer, or default (17087), hard, hardest, none.",
)
@click.option("--no-normalise", is_flag=True, help="Keep the light curves in the unit of the file.")
@click.option(
    "--neighbours",
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE",
    help="Stars around the target: csv, ecsv or VOTable with id, ra, dec (deg), tmag or gmag, pmra, pmdec, ref_epoch.",
)
@click.option(
    "--prf",
    type=click.Path(path_type=Path, readable=False),
    metavar="DIR",
    help="Folder tree of TESS PRF files; the set that describes the star best is used.  [default: prf/ in the cache]",
)
@click.option("--no-plot-data", is_flag=True, help="Keep numbers only, no stamps.")
@click.option("--no-exofop", is_flag=True, help="Leave ExoFOP out.")
@click.option(
    "--cookie-jar",
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE",
    help="Login at ExoFOP: a cookie jar of curl or wget. What only it shows stays in the cache, in a tree of its own.",
)
@click.option(
    "--publish-files", is_flag=True, help="Copy observers' public files into the site; else it links to them at ExoFOP."
)
@click.option(
    "--publish-files-mb",
    type=click.FloatRange(min=0),
    default=900,
    show_default=True,
    metavar="MB",
    help="Copy no more once the whole site has so many MB; GitHub Pages serves 1 GB.",
)
@click.option("--dry-run", is_flag=True, help="Say which files would be used and fetched, and why; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@click.option(
    "--workspace",
    type=click.Path(path_type=Path, readable=False),
    metavar="DIR",
    help="Where records, store and site go.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show tracebacks.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing on stderr but errors.")
@click.pass_context
def report_command(
    ctx: click.Context,
    *,
    target: tuple[str, ...],
    mirrors: tuple[str, ...],
    offline: bool,
    refresh: bool,
    accept_nearest: bool,
    sectors: tuple[int, ...],
    pipelines: tuple[str, ...],
    exptime_s: float | None,
    period_days: float | None,
    epoch_btjd: float | None,
    duration_hours: float | None,
    flux: str,
    quality_mask: str,
    no_normalise: bool,
    neighbours: Path | None,
    prf: Path | None,
    no_plot_data: bool,
    no_exofop: bool,
    cookie_jar: Path | None,
    publish_files: bool,
    publish_files_mb: float,
    dry_run: bool,
    as_json: bool,
    workspace: Path | None,
    verbose: bool,
    quiet: bool,
) -> None:
    """
    Make the dossier of a target and the index of all dossiers in the workspace.

    \b
    Examples:
      btv-report TIC 365938305
      btv-report 84.29 -80.469
      btv-report TIC 188646744 --mirror ~/tess --offline
      btv-report 188646744 --mirror ~/tess --period 14.2423724 --epoch 3540.26317 --duration 4.046 --json
    """

    def answer_nothing(error: BtvReportError) -> None:
        if as_json and (isinstance(error, AmbiguousTargetError) or not isinstance(error, UsageError)):
            from btv_report.stages.answer import nothing_answer

            click.echo(json.dumps(nothing_answer(error), ensure_ascii=True))

    with errors_become_sentences(verbose=verbose, on_error=answer_nothing):
        from btv_report.ephemeris import ephemeris_from_options
        from btv_report.pipeline import run_report
        from btv_report.quality import resolve_quality_mask
        from btv_report.settings_doubts import require_exptime
        from btv_report.stages.target import make_request, resolution_words

        if exptime_s is not None:
            require_exptime(exptime_s, origin_of(ctx, "exptime_s"))
        ephemeris = ephemeris_from_options(period_days, epoch_btjd, duration_hours)
        place, note = find_workspace(workspace)
        if note and not quiet:
            say(note)
        with story(quiet=quiet) as tell:
            request = make_request(
                " ".join(target),
                place.root,
                accept_nearest=accept_nearest,
                progress=tell.progress,
                mirrors=_folders(mirrors),
                offline=offline,
                offline_from=origin_of(ctx, "offline"),
                refresh=refresh,
                sectors=sectors,
                pipelines=pipelines,
                exptime_s=exptime_s,
                ephemeris=ephemeris,
                flux=flux,
                quality_mask=resolve_quality_mask(quality_mask),
                normalise=not no_normalise,
                neighbours=neighbours,
                prf=prf,
                store_plot_data=not no_plot_data,
                exofop=not no_exofop,
                cookie_jar=cookie_jar,
                publish_files=publish_files,
                publish_files_mb=publish_files_mb,
                dry_run=dry_run,
                command=("btv-report", *sys.argv[1:]),
            )
            outcome = run_report(request, tell=tell, progress=tell.progress)
        if request.resolved is not None and not quiet:
            say(resolution_words(request.resolved))
        for warning in (*outcome.answer["warnings"], *outcome.private_words):
            if not quiet:
                say(f"Warning: {warning}")
        if as_json:
            click.echo(json.dumps(outcome.answer, ensure_ascii=True, allow_nan=False))
        else:
            click.echo(printable(outcome.text))
    stop(outcome.exit_code)


def _folders(mirrors: tuple[str, ...]) -> tuple[Path, ...]:
    """The mirrors as paths; an empty text is no folder (it would silently be the current one)."""
    if any(not mirror.strip() for mirror in mirrors):
        raise UsageError("--mirror is empty.", hint="Give the folder that holds the FITS files.")
    return tuple(Path(mirror).expanduser() for mirror in mirrors)
