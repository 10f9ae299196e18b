"""From the text that names a target to its TIC number, and the archive that a run asks."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from btv_report.answer_states import AnswerState
from btv_report.archive.addresses import exofop_url, mast_url
from btv_report.archive.limits import Limits
from btv_report.archive.mast_archive import MastArchive
from btv_report.archive.mast_names import TargetQuery, parse_target
from btv_report.archive.mast_types import ResolvedTarget
from btv_report.archive.progress import ProgressCallback, say_nothing
from btv_report.errors import ArchiveUnreachableError, NameResolutionError
from btv_report.stages.neighbours import require_table
from btv_report.stages.request import ReportRequest
from btv_report.store.workspace import Workspace, cache_folder

LIMITS = Limits()
"""Of every question and file of a run."""


def make_request(
    text: str,
    workspace: Path,
    *,
    accept_nearest: bool = False,
    progress: ProgressCallback = say_nothing,
    **options: Any,
) -> ReportRequest:
    """
    The request for a target as a user names it; a name or position is resolved, which may ask the archive.

    Parameters
    ----------
    text : `TIC n`, a bare number, a TOI, a name or a position
    workspace : folder of records, store and site
    accept_nearest : take the nearest of several stars that answer to a name or position
    progress : called while the archive is asked
    options : of `ReportRequest`

    Raises
    ------
    UsageError
        If the text names no target, or there is no such table of neighbours.
    AmbiguousTargetError, NameResolutionError, TargetNotFoundError, ArchiveUnreachableError
        If it cannot be resolved.
    """
    query = parse_target(text)
    options.setdefault("mast_url", mast_url(os.environ))
    options.setdefault("exofop_url", exofop_url(os.environ))
    require_table(options.get("neighbours"))
    if query.tic_id is not None:
        return ReportRequest(query.tic_id, workspace, **options)
    request = ReportRequest(0, workspace, **options)
    if (tic_id := _by_number(query, request)) is not None:
        return replace(request, tic_id=tic_id, resolved=ResolvedTarget(tic_id, query.text, None))
    answered = open_archive(request, progress=progress).resolve(query, accept_nearest=accept_nearest)
    if answered.value is None:
        raise ArchiveUnreachableError(
            f"{query.text!r} has to be looked up, and --offline was given{request.offline_from}; it was not looked up before.",
            hint=f"Give `TIC n`, or look it up once without --offline{request.offline_from}.",
            state=AnswerState.SKIPPED,
            service="name service",
        )
    resolved = answered.value
    if answered.trouble is not None:
        old = f"{query.text!r} is taken as it was looked up on {answered.asked_at}: {answered.trouble.message}"
        resolved = replace(resolved, warning=" ".join(filter(None, (resolved.warning, old))))
    return replace(request, tic_id=resolved.tic_id, resolved=resolved)


def _by_number(query: TargetQuery, request: ReportRequest) -> int | None:
    """
    The star of a TOI as ExoFOP lists it; None where it was not asked or does not say, and the position has to tell.

    Raises
    ------
    AmbiguousTargetError
        If ExoFOP lists several.
    """
    if query.toi is None or not request.exofop:
        return None
    from btv_report.exofop.client import ExoFopClient

    client = ExoFopClient(
        cache_dir=cache_folder(Workspace(request.workspace), os.environ),
        base_url=request.exofop_url,
        offline=request.offline,
        limits=LIMITS,
    )
    try:
        return client.resolve_target(query.text).tic_id
    except (ArchiveUnreachableError, NameResolutionError):
        return None


def open_archive(request: ReportRequest, *, progress: ProgressCallback = say_nothing) -> MastArchive:
    """The archive of a run, behind the workspace's cache; nothing is opened before it is asked."""
    return MastArchive(
        cache_folder(Workspace(request.workspace), os.environ),
        base_url=request.mast_url,
        offline=request.offline,
        refresh=request.refresh,
        keep_answers=not request.dry_run,
        limits=LIMITS,
        progress=progress,
    )


def resolution_words(resolved: ResolvedTarget) -> str:
    """What a name or position was resolved to, for the terminal."""
    if resolved.separation_arcsec is None:
        return f"{resolved.target_input} is TIC {resolved.tic_id}, by ExoFOP's list of TOIs."
    return (
        f"{resolved.target_input} is TIC {resolved.tic_id}, {resolved.separation_arcsec:.1f} arcsec from that position."
    )
