"""`btv-report exofop`: a star's artefacts at ExoFOP, without a dossier; also `python -m btv_report.exofop`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from btv_report import exit_codes
from btv_report.cli.outcome import errors_become_sentences, printable, say, stop
from btv_report.cli.progress import story
from btv_report.cli.workspaces import find_workspace

if TYPE_CHECKING:
    from btv_report.exofop.client import ExoFopClient
    from btv_report.exofop.types import ExoFopFetchResult, ExoFopSelectors

_SEPARATOR = re.compile(r"\s*,\s*")
_TOI = re.compile(r"TOI-\d{1,6}(\.\d{1,2})?", re.ASCII)
_TOI_PREFIX = re.compile(r"toi[\s_-]*", re.IGNORECASE)


class ManyWords(click.Command):
    """A command whose `--types` and `--tag` take several words: with spaces, with commas, or repeated."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option before each of its words."""
        return super().parse_args(ctx, _repeated(args, {"--types", "--tag"}))


def _repeated(args: Sequence[str], options: set[str]) -> list[str]:
    words: list[str] = []
    current = None
    for number, word in enumerate(args):
        if word == "--":
            return [*words, *args[number:]]
        name, equals, value = word.partition("=")
        if equals and name in options:
            current = name
            words += [name, value]
        elif word.startswith("-") and not word.lstrip("-").isdecimal():
            current = word if word in options else None
            if current is None:
                words.append(word)
        elif current is not None:
            words += [current, word]
        else:
            words.append(word)
    return words


def _target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How every command of the family names its star and its places."""
    options = (
        click.argument("target", nargs=-1),
        click.option("--tic", type=click.IntRange(min=1), metavar="N", help="The star, by its TIC number."),
        click.option("--toi", metavar="TOI", help="The star, by its TOI, such as 1262 or 1262.01."),
        click.option("--name", metavar="NAME", help="The star, by a name that ExoFOP knows."),
        click.option(
            "--cookie-jar",
            type=click.Path(path_type=Path, readable=False),
            metavar="FILE",
            help="Login at ExoFOP: a cookie jar as curl or wget write it.",
        ),
        click.option("--offline", is_flag=True, help="Open no socket: use what is in the cache."),
        click.option(
            "--workspace",
            type=click.Path(path_type=Path, readable=False),
            metavar="DIR",
            help="Whose cache is used, where BTV_REPORT_CACHE_DIR names none.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout."),
        click.option("-v", "--verbose", is_flag=True, help="Show tracebacks."),
        click.option("-q", "--quiet", is_flag=True, help="Say nothing on stderr but errors."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How files are chosen."""
    options = (
        click.option(
            "--types", multiple=True, metavar="TYPE...", help="Only files of these types, such as Image Spectrum."
        ),
        click.option(
            "--regex", metavar="REGEX", help=r"Only files whose name holds this, such as 'sensitivity\.(dat|pdf)$'."
        ),
        click.option("--tag", "tags", multiple=True, metavar="N...", help="Only files of these tags, by number."),
        click.option("--max-files", type=click.IntRange(min=0), metavar="N", help="At most so many, by File ID."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group("exofop")
def exofop_group() -> None:
    """Fetch what observers have uploaded to ExoFOP-TESS on a star: files, summary tables, notes."""


@exofop_group.command("fetch", cls=ManyWords, short_help="Fetch files, tables and notes, with a manifest.")
@_target_options
@_selection_options
@click.option("--no-summaries", is_flag=True, help="Leave the summary tables and notes out.")
@click.option("--refresh", "--force-refresh", is_flag=True, help="Ask again for what is in the cache.")
def fetch_command(
    *,
    types: tuple[str, ...],
    regex: str | None,
    tags: tuple[str, ...],
    max_files: int | None,
    no_summaries: bool,
    refresh: bool,
    as_json: bool,
    verbose: bool,
    quiet: bool,
    **place: Any,
) -> None:
    """
    Fetch a star's files, tables and notes into the cache, and write a manifest of them.

    \b
    Examples:
      btv-report exofop fetch --tic 365938305
      btv-report exofop fetch TOI-1262 --types Image Spectrum --regex 'sensitivity\\.(dat|pdf)$'
      btv-report exofop fetch --tic 365938305 --cookie-jar ~/exofop.jar --json

    A second run opens no connection, unless --refresh is given. With a cookie jar the manifest is that of what members may
    see; it and everything restricted stay in a tree of their own.
    """
    with errors_become_sentences(verbose=verbose):
        from btv_report.exofop.outcome import fetch_answer, fetch_text, status_of

        selectors = _selectors(types, regex, tags, max_files)
        with story(quiet=quiet) as tell:
            client, target = _client(place, tell)
            result = client.fetch(
                target=target, selectors=selectors, include_summaries=not no_summaries, force_refresh=refresh
            )
        status = status_of(result)
        if not quiet:
            _tell_troubles(result)
        if as_json:
            click.echo(json.dumps(fetch_answer(result), ensure_ascii=True, allow_nan=False))
        else:
            click.echo(printable(fetch_text(result)))
    stop({"complete": exit_codes.DONE, "gaps": exit_codes.GAPS, "nothing": exit_codes.NOTHING_USABLE}[status])


@exofop_group.command("files", cls=ManyWords, short_help="List the files; none is fetched.")
@_target_options
@_selection_options
def files_command(
    *,
    types: tuple[str, ...],
    regex: str | None,
    tags: tuple[str, ...],
    max_files: int | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
    **place: Any,
) -> None:
    """
    List the files of a star by type, date and name; none is fetched.

    \b
    Example:
      btv-report exofop files TOI-1262 --types Image
    """
    with errors_become_sentences(verbose=verbose):
        from btv_report.exofop.outcome import listing_answer, listing_text
        from btv_report.exofop.unmatched import unmatched

        selectors = _selectors(types, regex, tags, max_files)
        with story(quiet=quiet) as tell:
            client, target = _client(place, tell)
            star = client.resolve_target(target)
            listing = client.list_files(tic_id=star.tic_id)
            rows, why_none = selectors.select(listing.rows), unmatched(selectors, listing.rows)
        if listing.state.is_gap and not quiet:
            say(f"Warning: the file list of TIC {star.tic_id} is {listing.state}: {listing.detail}.")
        if as_json:
            answer = listing_answer(star.tic_id, listing, rows, why_none)
            click.echo(json.dumps(answer, ensure_ascii=True, allow_nan=False))
        else:
            click.echo(printable(listing_text(star.tic_id, rows, why_none)))
    stop(exit_codes.GAPS if listing.state.is_gap else exit_codes.DONE)


@exofop_group.command("contrast-curves", short_help="Show contrast curves; write them for TRICERATOPS.")
@_target_options
@click.option(
    "--triceratops",
    type=click.Path(path_type=Path, readable=False),
    metavar="DIR",
    help="Write each curve as the two columns that TRICERATOPS reads, one file a curve, in this folder.",
)
def contrast_curves_command(
    *, triceratops: Path | None, as_json: bool, verbose: bool, quiet: bool, **place: Any
) -> None:
    """
    Show the contrast curves among a star's fetched files, and write them for TRICERATOPS.

    \b
    Example:
      btv-report exofop contrast-curves --tic 365938305 --triceratops curves

    Only files in the cache are looked at: run `btv-report exofop fetch` first.
    """
    with errors_become_sentences(verbose=verbose):
        from btv_report.exofop.outcome import curve_values, curves_text

        place["offline"] = True
        with story(quiet=quiet) as tell:
            client, target = _client(place, tell)
            result = client.fetch(target=target)
            curves = curve_values(result, triceratops)
        if not quiet:
            _tell_troubles(replace(result, n_unasked=0))  # offline is this command's own way
        if as_json:
            answer = {"schema_version": 1, "tic_id": result.target.tic_id, "contrast_curves": curves}
            click.echo(json.dumps(answer, ensure_ascii=True, allow_nan=False))
        else:
            click.echo(printable(curves_text(result, curves)))
    stop(exit_codes.DONE if curves else exit_codes.NOTHING_USABLE)


def _client(place: dict[str, Any], tell: Callable[[str], None]) -> tuple[ExoFopClient, str | int]:
    """The client that the options name, and the star."""
    from btv_report.archive.addresses import exofop_url
    from btv_report.exofop.client import ExoFopClient
    from btv_report.store.workspace import cache_folder

    target = _target(place)
    workspace, _ = find_workspace(place["workspace"])
    jar = place["cookie_jar"] or os.environ.get("BTV_REPORT_COOKIE_JAR")
    client = ExoFopClient(
        cache_dir=cache_folder(workspace, os.environ),
        cookie_jar_path=jar or None,
        base_url=exofop_url(os.environ),
        offline=place["offline"],
        tell=tell,
    )
    return client, target


def _target(place: dict[str, Any]) -> str | int:
    """
    The one star that is meant.

    Raises
    ------
    UsageError
        If none is named, or more than one.
    """
    from btv_report.errors import UsageError

    words = " ".join(place["target"]).strip()
    toi = f"TOI-{_TOI_PREFIX.sub('', place['toi'].strip())}" if place["toi"] else None
    if toi is not None and not _TOI.fullmatch(toi):
        raise UsageError(f"--toi {place['toi']!r} is no number of a TOI.", hint="Give one such as 1262 or 1262.01.")
    named = [value for value in (place["tic"], toi, place["name"], words or None) if value is not None]
    if len(named) != 1:
        raise UsageError(
            "One star has to be named." if not named else "The star is named more than once.",
            hint="Give --tic 365938305, --toi 1262.01, --name 'pi Men', or the target by itself, before --types and --tag.",
        )
    return named[0] if isinstance(named[0], int) else str(named[0])


def _selectors(types: Sequence[str], regex: str | None, tags: Sequence[str], max_files: int | None) -> ExoFopSelectors:
    from btv_report.errors import UsageError
    from btv_report.exofop.types import ExoFopSelectors

    names = {name for word in types for name in _SEPARATOR.split(word.strip()) if name}
    numbers = {number for word in tags for number in _SEPARATOR.split(word.strip()) if number}
    wrong = sorted(number for number in numbers if not (number.isascii() and number.isdecimal() and len(number) < 16))
    if wrong:
        raise UsageError(
            f"--tag {wrong[0]!r} is no number of a tag.", hint="`btv-report exofop files` lists the files."
        )
    return ExoFopSelectors(
        types=names or None,
        filename_regex=regex,
        tag_ids={int(number) for number in numbers} or None,
        max_files=max_files,
    )


def _tell_troubles(result: ExoFopFetchResult) -> None:
    for words in (*result.warnings, *result.errors):
        say(f"Warning: {words}")
    if result.n_unasked:
        say(f"Not asked, because of --offline: {result.n_unasked} of the questions.")
