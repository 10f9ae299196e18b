"""`btv-report check FILE...`: the pixel checks on files, without a workspace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from btv_report import exit_codes
from btv_report.cli.outcome import errors_become_sentences, printable, say, stop
from btv_report.cli.workspaces import current_folder

if TYPE_CHECKING:
    from btv_report.stages.check_files import CheckRequest

# What is printed beside the sentence of a check.
KEY_METRICS = {
    "V08": ("centroid_shift_px", "significance_sigma"),
    "V09": ("offset_arcsec", "offset_sigma", "snr", "target_probability"),
    "V10": ("depth_ppm_pipeline", "chi2_p_value"),
    "V20": ("core_correlation", "halo_correlation", "halo_excess_sigma"),
}

MAX_DROPPED = 10
"""Transits that were not used, listed one by one."""


@click.command("check", epilog="The exit code is that of the worst file; every file is answered.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False), metavar="FILE...")
@click.option("--period", "period_days", type=float, metavar="D", help="Orbital period, days. Required.")
@click.option("--epoch", "epoch_btjd", type=float, metavar="BTJD", help="Mid-transit time, BTJD. Required.")
@click.option("--duration", "duration_hours", type=float, metavar="H", help="Transit duration, hours. Required.")
@click.option(
    "--quality-mask",
    default="default",
    show_default=True,
    metavar="INT|WORD",
    help="Cadences with any of these bits are not used: an integer, or default (17087), hard, hardest, none.",
)
@click.option(
    "--neighbours",
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE",
    help="Stars around the target: csv, ecsv or VOTable with our columns, those of the TIC or those of Gaia.",
)
@click.option(
    "--prf",
    type=click.Path(path_type=Path, readable=False),
    metavar="DIR",
    help="Folder tree of TESS PRF files; the set that describes the star best is used.  [default: prf/ in the cache]",
)
@click.option("--no-plot-data", is_flag=True, help="Leave the stamps out of the JSON.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line and file on stdout.")
@click.option("-v", "--verbose", is_flag=True, help="Show tracebacks.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing on stderr but errors.")
def check_command(
    *,
    files: tuple[Path, ...],
    period_days: float | None,
    epoch_btjd: float | None,
    duration_hours: float | None,
    quality_mask: str,
    neighbours: Path | None,
    prf: Path | None,
    no_plot_data: bool,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> None:
    """
    Run the pixel checks on target pixel files or cut-outs. No workspace is touched, nothing is written.

    \b
    Examples:
      btv-report check *_tp.fits --period 14.2423724 --epoch 3540.26317 --duration 4.046
      btv-report check cutout.fits.gz --period 3.1 --epoch 1817.3 --duration 4 --json
    """
    worst = exit_codes.DONE
    with errors_become_sentences(verbose=verbose):
        from btv_report.stages.check_files import check_file

        request = _request(
            period_days=period_days,
            epoch_btjd=epoch_btjd,
            duration_hours=duration_hours,
            quality_mask=quality_mask,
            neighbours=neighbours,
            prf=prf,
            store_plot_data=not no_plot_data,
        )
        for path in files:
            checked = check_file(path, request)
            worst = max(worst, checked.exit_code)
            if as_json:
                click.echo(json.dumps(checked.answer, ensure_ascii=True, allow_nan=False))
            elif checked.error is None:
                click.echo(printable(_text(checked.answer)))
            if checked.error is not None:
                say(f"Error: {checked.error}")
            elif not quiet:
                for warning in checked.answer["warnings"]:
                    say(f"Warning: {warning}")
    stop(worst)


def _request(
    *,
    period_days: float | None,
    epoch_btjd: float | None,
    duration_hours: float | None,
    quality_mask: str,
    neighbours: Path | None,
    prf: Path | None,
    store_plot_data: bool,
) -> CheckRequest:
    """The question, refused before any file is read where it makes no sense."""
    from btv_report.ephemeris import ephemeris_from_options
    from btv_report.errors import UsageError
    from btv_report.products.neighbours import read_neighbours
    from btv_report.quality import resolve_quality_mask
    from btv_report.stages.check_files import CheckRequest
    from btv_report.stages.prf_sets import find_prf_sets

    ephemeris = ephemeris_from_options(period_days, epoch_btjd, duration_hours)
    if ephemeris is None:
        raise UsageError(
            "The checks compare images in and out of transit, so they need an ephemeris.",
            hint="Give --period (days), --epoch (BTJD) and --duration (hours).",
        )
    if neighbours is not None:
        read_neighbours(neighbours)
    sets = find_prf_sets(prf, current_folder())
    for warning in sets.warnings:
        say(f"Warning: {warning}")
    return CheckRequest(ephemeris, resolve_quality_mask(quality_mask), neighbours, sets, store_plot_data)


def _dropped_lines(transits: list[dict[str, Any]]) -> list[str]:
    """Which predicted transits were not used, and why."""
    dropped = [transit for transit in transits if not transit["used"]]
    lines = [
        f"  transit {one['number']} at BTJD {one['mid_btjd']:.4f}: {one['reason']}" for one in dropped[:MAX_DROPPED]
    ]
    if len(dropped) > MAX_DROPPED:
        lines.append(f"  and {len(dropped) - MAX_DROPPED} more that were not used; --json lists all")
    return lines


def _text(answer: dict[str, Any]) -> str:
    """The answer for a reader at a terminal."""
    from btv_report.dossier.labels import metric_label
    from btv_report.dossier.results import metric_quantity
    from btv_report.stages.answer import check_lines, wrapped

    star = "no TIC number" if answer["tic_id"] is None else f"TIC {answer['tic_id']}"
    used = sum(transit["used"] for transit in answer["transits"])
    lines = [
        f"{answer['file']}: {star}, sector {answer['sector']}, {used} of {len(answer['transits'])} predicted "
        f"transit{'' if len(answer['transits']) == 1 else 's'} used"
    ]
    lines += _dropped_lines(answer["transits"])
    for check in answer["checks"]:
        lines += check_lines(check)
        for name in KEY_METRICS.get(check["check_id"], ()):
            if name in check["metrics"]:
                value = metric_quantity(name, check["metrics"])
                error = f" ± {value.error}" if value.error else ""
                lines.append(f"{'':16}{metric_label(name)}: {value.text}{error} {value.unit}".rstrip())
    return "\n".join([*lines, *wrapped("  ", answer["mask_sensitivity"]["sentence"])])
