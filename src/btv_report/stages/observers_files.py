"""Observers' files as the record holds them: with our own thumbnails, and with copies for the site where asked for."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from btv_report.answer_states import AnswerState
from btv_report.errors import IntegrityError
from btv_report.exofop.cache import TargetFolder
from btv_report.exofop.payloads.judging import judge_payload
from btv_report.exofop.payloads.kept_thumbnails import kept_or_drawn
from btv_report.exofop.payloads.published_names import published_name
from btv_report.exofop.payloads.thumbnails import png_size
from btv_report.exofop.types import ExoFopFile, ExoFopManifest
from btv_report.record import ExoFopFileValue
from btv_report.stages.request import ReportRequest
from btv_report.stages.site_room import SiteRoom, site_room
from btv_report.stages.values import exofop_file_value
from btv_report.store.kept_files import keep_file
from btv_report.store.workspace import Workspace, cache_folder


def observers_files(request: ReportRequest, manifest: ExoFopManifest) -> tuple[list[ExoFopFileValue], list[str]]:
    """
    The files of a manifest of what anybody may see.

    Thumbnails and copies are made once a File ID; in a dry run, which writes nothing, none are.

    Returns
    -------
    list of ExoFopFileValue, list of str
        The files, and sentences about those that were not copied, and about a site that has become large.

    Raises
    ------
    LocalEnvironmentError
        If the machine does not let the copies be kept.
    """
    files = [exofop_file_value(file) for file in manifest.files]
    if request.dry_run or manifest.private:
        return files, []
    warnings: list[str] = []
    at_hand: dict[int, ExoFopFile] = {}
    for file in manifest.files:
        if file.state is AnswerState.OK:
            at_hand.setdefault(file.file_id, file)
    room = site_room(request) if request.publish_files else None
    drawn = _thumbnails(request, at_hand.values())
    for value, file in zip(files, manifest.files, strict=True):
        if at_hand.get(file.file_id) is file:
            _add_thumbnail(value, file, drawn)
            if room is not None:
                _publish(value, file, request, room, warnings)
    return files, [*warnings, *(room.sentences(request.tic_id) if room is not None else ())]


def _thumbnails(request: ReportRequest, files: Iterable[ExoFopFile]) -> dict[Path, bytes]:
    """Thumbnails by path, kept in the cache beside what anybody may have."""
    cache = cache_folder(Workspace(request.workspace), os.environ)
    digests = {file.path: file.sha256 for file in files if file.path and file.sha256}
    return kept_or_drawn(digests, cache, TargetFolder(cache, request.tic_id).root)


def _add_thumbnail(value: ExoFopFileValue, file: ExoFopFile, drawn: Mapping[Path, bytes]) -> None:
    content = drawn.get(file.path) if file.path else None
    if content is not None:
        width, height = png_size(content)
        value["thumbnail"] = {"width": width, "height": height, "png": base64.b64encode(content).decode("ascii")}


def _publish(
    value: ExoFopFileValue, file: ExoFopFile, request: ReportRequest, room: SiteRoom, warnings: list[str]
) -> None:
    """Keep a copy for the site; a file that is not what it should be, or for which there is no room, is only named."""
    if file.path is None or file.sha256 is None:
        return
    payload = judge_payload(file.path, file.filename)
    named = f"ExoFOP file {file.file_id} ({file.filename}) of TIC {request.tic_id}"
    if payload.fault:
        warnings.append(f"{named} is not copied into the site: {payload.fault}.")
        return
    if not room.takes(file, file.path.stat().st_size):
        return
    try:
        name = published_name(file.file_id, file.filename, payload.kind)
        keep_file(Workspace(request.workspace), request.tic_id, file.path, file.sha256)
    except (ValueError, IntegrityError) as error:
        warnings.append(f"{named} is not copied into the site: {error}")
        return
    value |= {"published": True, "published_as": name}
