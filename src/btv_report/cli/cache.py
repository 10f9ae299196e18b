"""`btv-report cache list|clean`: what was fetched, what cites it, and how it goes."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from btv_report.cli.outcome import errors_become_sentences, printable, say
from btv_report.cli.workspaces import find_workspace, named_workspace

if TYPE_CHECKING:
    from btv_report.archive.cache_listing import CacheEntry, CacheListing
    from btv_report.archive.product_cache import ProductCache

_workspace = click.option(
    "--workspace",
    type=click.Path(path_type=Path, readable=False),
    metavar="DIR",
    help="Whose cache, where no variable names one.  [default: the current folder]",
)


@click.group("cache")
def cache_group() -> None:
    """
    Look after the cache of fetched products.

    \b
    Examples:
      btv-report cache list
      btv-report cache clean --tic 365938305 --dry-run
    """


@cache_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@_workspace
def list_command(*, as_json: bool, workspace: Path | None) -> None:
    """List products, their sizes, and the runs that cite them."""
    with errors_become_sentences(verbose=False):
        from btv_report.archive.cache_listing import list_cache

        listing = list_cache(_cache(workspace))
        click.echo(json.dumps(_as_json(listing)) if as_json else printable(_as_text(listing)))


@cache_group.command("clean")
@click.option("--tic", "tic_ids", multiple=True, type=click.IntRange(1), metavar="N", help="This target. Repeatable.")
@click.option("--older-than", "days", type=click.FloatRange(0), metavar="DAYS", help="Products fetched longer ago.")
@click.option("--quarantine", is_flag=True, help="Damaged files that were put aside, and unfinished downloads.")
@click.option("--all", "everything", is_flag=True, help="All products and answers, and what was put aside.")
@click.option("--include-cited", is_flag=True, help="Also what runs cite, which only the archive can give again.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed; remove nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_workspace
def clean_command(
    *,
    tic_ids: tuple[int, ...],
    days: float | None,
    quarantine: bool,
    everything: bool,
    include_cited: bool,
    dry_run: bool,
    yes: bool,
    workspace: Path | None,
) -> None:
    """Remove what was selected; what a run cites stays unless --include-cited is given."""
    with errors_become_sentences(verbose=False):
        from btv_report.archive.cache_cleaning import plan_cleaning, remove

        cache = _cache(workspace)
        cleaning = plan_cleaning(
            cache,
            tic_ids=tic_ids,
            older_than_days=days,
            everything=everything,
            quarantine=quarantine,
            include_cited=include_cited,
        )
        for entry in cleaning.kept_cited:
            say(f"{entry.product.path.name} stays: {_runs(entry.cited_by)}.")
        kept = {_place(cache.folder, path): runs for path, runs in cleaning.kept_others.items()}
        for place, runs in kept.items():
            say(f"{place} stays: {_runs(runs)}.")
        number = len(cleaning.files)
        if dry_run:
            click.echo(_amount("Would free", number, cleaning.n_bytes) + ".")
            return
        if not number:
            click.echo("Nothing to remove.")
            return
        if not yes and not _agrees(_amount("Remove", number, cleaning.n_bytes) + "?"):
            say("Nothing was removed.")
            return
        removed = remove(cleaning)
        for path in removed.busy:
            say(f"{path.name} stays: it is being fetched, or was replaced or cited just now.")
        click.echo(_amount("Freed", removed.n_files, removed.n_bytes) + ".")


def _place(folder: Path, path: Path) -> Path:
    """Where a file of the cache lies in it; of the answers about a star, which stay together, their folder."""
    place = path.relative_to(folder)
    return place.parent if place.parts[0] == "answers" and place.parts[1] != "names" else place


def _agrees(question: str) -> bool:
    """
    Ask on a terminal.

    Raises
    ------
    UsageError
        Elsewhere, where nobody can answer.
    """
    if not sys.stdin.isatty():
        from btv_report.errors import UsageError

        raise UsageError(
            f"{question} Nobody can answer here, so nothing was removed.",
            hint="Give --yes to remove it without a question.",
        )
    try:
        return click.confirm(question, err=True)
    except click.Abort as error:
        raise KeyboardInterrupt from error


def _cache(workspace: Path | None) -> ProductCache:
    from btv_report.archive.cache_folder import named_cache_folder
    from btv_report.archive.product_cache import ProductCache
    from btv_report.errors import UsageError
    from btv_report.store.workspace import cache_folder

    place, _ = find_workspace(workspace)
    if named_workspace(workspace) is not None and named_cache_folder(os.environ) is None and not place.root.is_dir():
        raise UsageError(
            f"There is no folder {place.root}.",
            hint="Name the workspace whose cache is meant with --workspace.",
            path=place.root,
        )
    return ProductCache(cache_folder(place, os.environ))


def _as_json(listing: CacheListing) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "folder": str(listing.folder),
        "product_bytes": listing.product_bytes,
        "other_bytes": listing.side_bytes,
        "products": [_entry_json(entry) for entry in listing.entries],
        "superseded": [_entry_json(entry) for entry in listing.superseded],
        "damaged_pins": [path.name for path in listing.damaged_pins],
    }


def _entry_json(entry: CacheEntry) -> dict[str, Any]:
    product = entry.product.product
    values = {
        "tic_id": product.tic_id,
        "sector": product.sector,
        "kind": product.kind,
        "pipeline": product.pipeline,
        "file": entry.product.path.name,
        "uri": entry.product.uri,
        "bytes": entry.product.n_bytes,
        "sha256": entry.product.sha256,
        "retrieved_at": entry.product.retrieved_at,
        "cited_by": list(entry.cited_by),
    }
    return {name: value for name, value in values.items() if value is not None}


def _as_text(listing: CacheListing) -> str:
    absent = "" if os.path.isdir(listing.folder) else ", which is not there yet"  # noqa: PTH112 - Path.is_dir may raise
    lines = [f"Cache {listing.folder}{absent}"]
    for entry in listing.entries:
        product = entry.product.product
        sector = f"sector {product.sector}" if product.sector is not None else "several sectors"
        lines.append(
            f"  TIC {product.tic_id}  {sector}  {product.kind} {product.pipeline}  {entry.product.n_bytes / 1e6:.1f} MB  "
            f"{entry.product.retrieved_at}  {entry.product.path.name}  ({_runs(entry.cited_by)})"
        )
    number = len(listing.entries)
    lines.append(f"{number} product{'' if number == 1 else 's'}, {listing.product_bytes / 1e6:.1f} MB.")
    lines += [f"{name}: {size / 1e6:.1f} MB." for name, size in listing.side_bytes.items()]
    lines += [f"Damaged: pins/{path.name} does not say what its run cites any more." for path in listing.damaged_pins]
    return "\n".join(lines)


def _runs(run_ids: tuple[str, ...]) -> str:
    if not run_ids:
        return "cited by no run"
    more = f" and {len(run_ids) - 1} more" if len(run_ids) > 1 else ""
    return f"cited by run {run_ids[-1]}{more}"


def _amount(verb: str, number: int, n_bytes: int) -> str:
    return f"{verb} {number} file{'' if number == 1 else 's'}, {n_bytes / 1e6:.1f} MB"
