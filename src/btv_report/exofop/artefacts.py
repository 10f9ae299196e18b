"""What a tree of artefacts holds, read: its tables, and the files that are curves of a kind that we know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btv_report.answer_states import AnswerState
from btv_report.archive.limits import Limits
from btv_report.archive.stored_files import hash_file, open_regular
from btv_report.errors import BtvReportError
from btv_report.exofop.asking.endpoints import CTOI_TABLE, FILES, SUMMARIES, TARGET, TARGET_FILE, TOI_TABLE
from btv_report.exofop.contrast_curves import ContrastCurve, contrast_curves_of
from btv_report.exofop.curves.external_light_curves import ExternalLightCurve, load_external_light_curve
from btv_report.exofop.manifest import folder_words
from btv_report.exofop.tables.of_star import read_star_table
from btv_report.exofop.tables.reading import TableError
from btv_report.exofop.types import ExoFopFile, ExoFopManifest, ExoFopTable

LIGHT_CURVE_TYPE = "light_curve"
_KEPT = frozenset({AnswerState.OK, AnswerState.STALE})
_ANSWER_FILES = {
    TARGET: TARGET_FILE,
    **{table.name: table.file for table in (FILES, *SUMMARIES, TOI_TABLE, CTOI_TABLE)},
}
"""Service to the file in which its answer is kept."""
MAX_CURVES = 40
"""Curves of one kind that are read; a star that everybody observes has a few dozen."""


@dataclass(frozen=True)
class Artefacts:
    """
    What a manifest's tree holds.

    Attributes
    ----------
    tables : by their names, such as `toi` and `obsnotes`
    contrast_curves, light_curves : with the file that each comes from
    warnings : sentences about what is there and could not be read
    """

    tables: Mapping[str, ExoFopTable]
    contrast_curves: Sequence[tuple[ExoFopFile, ContrastCurve]]
    light_curves: Sequence[tuple[ExoFopFile, ExternalLightCurve]]
    warnings: Sequence[str]


def read_artefacts(manifest: ExoFopManifest, tic_id: int) -> Artefacts:
    """Read a tree; what cannot be read leaves a sentence."""
    warnings = [f"TIC {tic_id}: {words}" for words in lost_answers(manifest).values()]
    return Artefacts(
        _tables(manifest, tic_id, warnings),
        _contrast_curves(manifest, tic_id, warnings),
        _light_curves(manifest, tic_id, warnings),
        warnings,
    )


def lost_answers(manifest: ExoFopManifest) -> dict[str, str]:
    """Services whose kept answer is missing, or has other bytes than were recorded, each with a sentence."""
    lost = {}
    for name, file in _ANSWER_FILES.items():
        answer = manifest.answers.get(name, {})
        fault = _fault(manifest.path.parent / file, answer.get("sha256")) if _is_kept(answer) else ""
        if fault:
            place = folder_words(manifest.path.parent)
            lost[name] = f"ExoFOP's {file}, which was kept in {place}, {fault}; nothing of it is used. Fetch it again."
    return lost


def _is_kept(answer: Mapping[str, Any]) -> bool:
    """Whether the manifest says that an answer of this service lies beside it."""
    return str(answer.get("state")) in _KEPT


def _fault(path: Path, sha256: object) -> str:
    """What is wrong with the bytes of an answer, a clause; empty where nothing is, or no digest was recorded."""
    if sha256 is None:
        return ""
    try:
        found, _ = hash_file(path)
    except OSError:
        return "is missing"
    return "" if found == sha256 else "does not have its recorded sha256"


def _tables(manifest: ExoFopManifest, tic_id: int, warnings: list[str]) -> dict[str, ExoFopTable]:
    tables = {}
    for endpoint in (*SUMMARIES, TOI_TABLE, CTOI_TABLE):
        answer = manifest.answers.get(endpoint.name)
        content = None
        if answer is None or _is_kept(answer):
            found = (_content(manifest.path.parent / file, answer or {}) for file in _spellings(endpoint.file))
            content = next((bytes_ for bytes_ in found if bytes_ is not None), None)
        if content is None:
            continue
        try:
            tables[endpoint.table] = read_star_table(content, endpoint.table, tic_id)
        except TableError as error:
            warnings.append(f"ExoFOP's {endpoint.file} of TIC {tic_id} cannot be read: {error.words}.")
    return tables


def _spellings(file: str) -> tuple[str, str]:
    """The name that we give a table, and the one of a tool that asked for the other format: the header line tells which it is."""
    stem = file.rpartition(".")[0]
    return file, f"{stem}.csv" if file.endswith(".pipe") else f"{stem}.pipe"


def _content(path: Path, answer: Mapping[str, Any]) -> bytes | None:
    """The bytes of a kept table; None where there are none, or they are not those that were recorded."""
    import hashlib

    try:
        with open_regular(path) as file:
            content = file.read(Limits.table_bytes + 1)
    except OSError:
        return None
    recorded = answer.get("sha256")
    return content if recorded is None or recorded == hashlib.sha256(content).hexdigest() else None


def _contrast_curves(
    manifest: ExoFopManifest, tic_id: int, warnings: list[str]
) -> list[tuple[ExoFopFile, ContrastCurve]]:
    found, n_left = contrast_curves_of(manifest.files, MAX_CURVES)
    if n_left:
        warnings.append(_left_out(tic_id, "contrast curves", n_left))
    return found


def _light_curves(
    manifest: ExoFopManifest, tic_id: int, warnings: list[str]
) -> list[tuple[ExoFopFile, ExternalLightCurve]]:
    """Files that are listed as light curves and are tables; plots of light curves are listed as such, too."""
    found: list[tuple[ExoFopFile, ExternalLightCurve]] = []
    n_left = 0
    for file in manifest.files:
        is_listed = file.type.casefold().replace(" ", "_") == LIGHT_CURVE_TYPE
        if file.path is None or not is_listed or not _is_text(file):
            continue
        if len(found) == MAX_CURVES:
            n_left += 1
            continue
        try:
            found.append((file, load_external_light_curve(file.path)))
        except BtvReportError as error:
            warnings.append(f"ExoFOP file {file.file_id}: {error.message}")
    if n_left:
        warnings.append(_left_out(tic_id, "light curves", n_left))
    return found


def _left_out(tic_id: int, what: str, n_left: int) -> str:
    more = "1 more file that may be one is" if n_left == 1 else f"{n_left} more files that may be such are"
    return f"TIC {tic_id}: the first {MAX_CURVES} {what} at ExoFOP are read; {more} not read."


def _is_text(file: ExoFopFile) -> bool:
    return file.content is None or "text" in file.content.casefold() or "table" in file.content.casefold()
