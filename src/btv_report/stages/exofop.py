"""What ExoFOP has on the target: from a mirror, from the cache, or asked; and the state that it ended in."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from btv_report.answer_states import AnswerState
from btv_report.errors import ProductCorruptError
from btv_report.exofop.asking.endpoints import FILE_LIST, SUMMARIES, TARGET, TOI, UPLOADS
from btv_report.exofop.given import as_given
from btv_report.exofop.manifest import read_manifest
from btv_report.exofop.types import ExoFopFetchResult, ExoFopManifest
from btv_report.stages.request import ReportRequest
from btv_report.stages.target import LIMITS
from btv_report.store.workspace import Workspace, cache_folder

if TYPE_CHECKING:
    from btv_report.exofop.client import ExoFopClient

_KNOWLEDGE = frozenset({AnswerState.OK, AnswerState.EMPTY, AnswerState.NOT_FOUND})
_OF_STAR = frozenset({FILE_LIST, TOI, *(table.name for table in SUMMARIES)} - {UPLOADS})
"""Services that must have said "nothing" before ExoFOP has nothing on a star; the table of uploads counts to nought then."""
_UNKNOWN = "ExoFOP gave no usable answer, so that what it has is not known."


@dataclass(frozen=True)
class ExoFopLook:
    """
    What came of looking at ExoFOP.

    Attributes
    ----------
    state : one, of the whole
    detail : a sentence
    manifest : of what anybody may see; None where there is none
    warnings : sentences about what is missing or has changed
    gaps : services whose question went without an answer: name, state, sentence
    private_words : sentences for the terminal alone: what a login showed is in no record
    is_login_over : whether a login was given that has run out, so that parts were not asked for
    """

    state: AnswerState
    detail: str
    manifest: ExoFopManifest | None = None
    warnings: tuple[str, ...] = ()
    gaps: tuple[tuple[str, AnswerState, str], ...] = ()
    private_words: tuple[str, ...] = ()
    is_login_over: bool = False


def look_at_exofop(
    request: ReportRequest, manifests: Sequence[Path], *, tell: Callable[[str], None] = lambda step: None
) -> ExoFopLook:
    """
    The first manifest of the mirrors that holds an answer; else what the cache holds, and ExoFOP gives.

    Without an answer the state is SKIPPED or a gap: nothing is known, which is not the same as "nothing there". What went wrong
    when a mirror was filled is told where cache and ExoFOP have no more.

    Raises
    ------
    LocalEnvironmentError
        If disk, permission or lock stand in the way.
    UsageError
        If the cookie jar is none that may be used.
    """
    if not request.exofop:
        return ExoFopLook(AnswerState.SKIPPED, "ExoFOP was left out as asked (--no-exofop).")
    mirrored, unanswered, faults = _from_mirrors(request, manifests)
    if mirrored is not None:
        return mirrored
    asked = _from_service(request, tell)
    if asked.manifest is None and unanswered is not None:
        return replace(unanswered, private_words=asked.private_words, is_login_over=asked.is_login_over)
    if faults and asked.manifest is None:
        return ExoFopLook(AnswerState.CORRUPT, faults[0], None, tuple(faults))
    return asked


def _from_mirrors(
    request: ReportRequest, manifests: Sequence[Path]
) -> tuple[ExoFopLook | None, ExoFopLook | None, list[str]]:
    """What a mirror holds; else what the first holds in which nothing was answered; sentences about unreadable manifests."""
    faults: list[str] = []
    unanswered: ExoFopLook | None = None
    for path in manifests:
        try:
            manifest = as_given(read_manifest(path, tic_id=request.tic_id))
        except ProductCorruptError as error:
            faults.append(str(error))
            continue
        if manifest.private:
            words = (
                "The mirror's ExoFOP manifest was made with a cookie jar or does not say that it was not; "
                "nothing of it is shown."
            )
            unanswered = unanswered or ExoFopLook(AnswerState.SKIPPED, words, manifest)
            continue
        gaps = tuple(_gaps(manifest))
        state = _state(manifest, gaps)
        if state in _KNOWLEDGE:
            detail = f"Read from a mirror: {_listed(manifest)}."
            return ExoFopLook(state, detail, manifest, (*faults, *manifest.warnings), gaps), None, faults
        if state is not None and unanswered is None:
            words = "The mirror's ExoFOP manifest holds no usable answer, so that what ExoFOP has is not known."
            unanswered = ExoFopLook(state, words, manifest, (*faults, *manifest.warnings), gaps)
    return None, unanswered, faults


def _from_service(request: ReportRequest, tell: Callable[[str], None]) -> ExoFopLook:
    """What the cache holds and, where it may be asked, ExoFOP gives."""
    client = _client(request, tell)
    result = client.fetch(target=request.tic_id, force_refresh=request.refresh)
    public = result.public_manifest_path
    manifest = _readable(public, request.tic_id) if public is not None else None
    is_login_over = client.cookies is not None and client.cookies.is_expired
    private_words = tuple(result.private_words)
    gaps = tuple(_gaps(manifest)) if manifest is not None else ()
    state = _state(manifest, gaps) if manifest is not None else None
    if manifest is None or state is None:
        if unanswered := [(name, state) for name, state in result.answers.items() if state.is_gap]:
            gaps = tuple((name, state, "no usable answer was given.") for name, state in unanswered)
            return ExoFopLook(
                gaps[0][1], _UNKNOWN, None, tuple(result.public_warnings), gaps, private_words, is_login_over
            )
        why = "--offline" if request.offline else "a dry run"
        kept = manifest if manifest is not None and manifest.answers else None
        held = (
            "neither a mirror nor the cache holds its files"
            if kept is None
            else f"of it there is only: {_listed(kept)}"
        )
        detail = f"ExoFOP was not asked ({why}), and {held}; what it knows is unknown."
        warnings = tuple(result.public_warnings)
        return ExoFopLook(AnswerState.SKIPPED, detail, kept, warnings, (), private_words, is_login_over)
    return ExoFopLook(
        state,
        _detail(state, manifest, result, request),
        manifest,
        (*result.public_warnings, *manifest.warnings),
        gaps,
        private_words,
        is_login_over,
    )


def _readable(path: Path, tic_id: int) -> ExoFopManifest | None:
    """The manifest of the cache; None where there is none, or one that cannot be read, as the client has said by then."""
    try:
        return as_given(read_manifest(path, tic_id=tic_id)) if path.exists() else None
    except ProductCorruptError:
        return None


def _client(request: ReportRequest, tell: Callable[[str], None]) -> ExoFopClient:
    from btv_report.exofop.client import ExoFopClient

    return ExoFopClient(
        cache_dir=cache_folder(Workspace(request.workspace), os.environ),
        cookie_jar_path=request.cookie_jar,
        base_url=request.exofop_url,
        offline=request.offline or request.dry_run,
        limits=LIMITS,
        tell=tell,
    )


def _gaps(manifest: ExoFopManifest) -> list[tuple[str, AnswerState, str]]:
    """Services that gave no answer, or whose kept one is lost, and in one line the files that were not had."""
    from btv_report.exofop.artefacts import lost_answers

    gaps = []
    for name, answer in sorted(manifest.answers.items()):
        state = AnswerState(str(answer.get("state")))
        if state.is_gap:
            gaps.append((name, state, f"{answer.get('detail', 'no usable answer')}."))
    gaps += [(name, AnswerState.CORRUPT, words) for name, words in lost_answers(manifest).items()]
    if len(manifest.open_files) < len(manifest.files):
        words = "Files are listed that only members may have."  # which, and how many, stays off the page
        gaps.append(("get_file.php", AnswerState.AUTH_REQUIRED, words))
    without = [file for file in manifest.open_files if file.state.is_gap]
    if without:
        named = ", ".join(f"{file.file_id} ({file.state})" for file in without[:5])
        more = f" and {len(without) - 5} more" if len(without) > 5 else ""
        words = f"{_files(len(without))} of {len(manifest.open_files)} were not had: {named}{more}."
        gaps.append(("get_file.php", without[0].state, words))
    return gaps


def _state(manifest: ExoFopManifest, gaps: Sequence[tuple[str, AnswerState, str]]) -> AnswerState | None:
    """
    OK where anything is known to be there; else the first gap; EMPTY where all services said so, NOT_FOUND where the star is.

    None where the answers prove nothing. That the star has a page does not: every star of the TIC has one. Nor does an empty
    list of files while the tables and notes were not asked for.
    """
    states = {name: AnswerState(str(answer.get("state"))) for name, answer in manifest.answers.items()}
    if manifest.files or any(states[name] in {AnswerState.OK, AnswerState.STALE} for name in states if name != TARGET):
        return AnswerState.OK
    if gaps:
        return gaps[0][1]
    if all(states.get(name) in {AnswerState.EMPTY, AnswerState.NOT_FOUND} for name in _OF_STAR):
        return AnswerState.EMPTY
    return AnswerState.NOT_FOUND if states.get(TARGET) is AnswerState.NOT_FOUND else None


def _detail(state: AnswerState, manifest: ExoFopManifest, result: ExoFopFetchResult, request: ReportRequest) -> str:
    if state in _KNOWLEDGE:
        how = "Kept from an earlier run" if not result.n_public_connections else "Asked in this run"
        left = " Not all of it was asked (--offline)." if result.n_public_unasked and request.offline else ""
        return f"{how}: {_listed(manifest)}.{left}"
    return _UNKNOWN


def _listed(manifest: ExoFopManifest) -> str:
    """How many files are shown, and when ExoFOP listed them; else from when the manifest is."""
    answer = manifest.answers.get(FILE_LIST, {})
    listed_at = answer.get("answered_at", answer.get("asked_at"))
    files = _files(len(manifest.open_files))
    if manifest.answers and not answer:
        return f"{files}, and their list was not asked for"
    state = AnswerState(str(answer.get("state", AnswerState.OK)))
    if state.is_gap and state is not AnswerState.STALE:
        return f"{files}, and their list was not had"
    if isinstance(listed_at, str):
        return f"{files}, listed {listed_at}"
    return f"{files}, by a manifest of {manifest.generated_at}" if manifest.generated_at else files


def _files(number: int) -> str:
    return f"{number} file{'' if number == 1 else 's'}"
