"""What a fetch came to, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from btv_report.answer_states import AnswerState
from btv_report.atomic import make_folder
from btv_report.exofop.asking.endpoints import TARGET
from btv_report.exofop.contrast_curves import (
    find_contrast_curves,
    load_exofop_contrast_curve_dat,
    unread_contrast_curves,
)
from btv_report.exofop.payloads.file_names import shown_name
from btv_report.exofop.types import ExoFopFetchResult, ExoFopFileListing, ExoFopFileRow

SCHEMA_VERSION = 1
UNREAD_SHOWN = 8
_KNOWLEDGE = frozenset({AnswerState.OK, AnswerState.EMPTY, AnswerState.STALE})


def status_of(result: ExoFopFetchResult) -> str:
    """
    `complete`, `gaps` or `nothing`.

    Complete is also what has nothing on the star, once ExoFOP has proved it; nothing is where no question was answered, or
    ExoFOP knows no such star.
    """
    if not _KNOWLEDGE & set(result.answers.values()):
        return "nothing"
    return "gaps" if result.errors else "complete"


def fetch_answer(result: ExoFopFetchResult) -> dict[str, Any]:
    """The object of `exofop fetch --json`, as the contracts fix it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tic_id": result.target.tic_id,
        "toi": result.target.toi,
        "aliases": result.target.aliases,
        "manifest": str(result.manifest_path) if _has_manifest(result) else None,
        "public_manifest": str(result.public_manifest_path) if result.public_manifest_path else None,
        "cache_root": str(result.cache_root),
        "status": status_of(result),
        "answers": {name: str(state) for name, state in result.answers.items()},
        "n_files": len(result.files_downloaded),
        **({} if result.n_listed is None else {"n_listed": result.n_listed}),
        "files": [str(path) for path in result.files_downloaded],
        "files_skipped": result.files_skipped,
        "n_requests": result.n_connections,
        "warnings": [*result.warnings, *result.unmatched],
        "errors": result.errors,
    }


def fetch_text(result: ExoFopFetchResult) -> str:
    """The same for a reader at a terminal."""
    skipped = result.files_skipped
    toi = f" (TOI {result.target.toi})" if result.target.toi else ""
    without = f", {len(skipped)} wanted and not had" if skipped else ""
    number = result.n_connections
    asked = f"{number} request{'' if number == 1 else 's'}" if number else "no request was needed"
    lines = [f"TIC {result.target.tic_id}{toi}: {_files_text(result)}{without}; {asked}."]
    lines += [f"  {words}" for words in result.unmatched]
    lines += [f"  not had: {words}" for words in skipped]
    if status_of(result) == "nothing":
        lines.append(_why_nothing(result))
    lines += [f"Cache: {result.cache_root}"]
    if _has_manifest(result):
        lines.append(f"Manifest: {result.manifest_path}")
    return "\n".join(lines)


def _files_text(result: ExoFopFetchResult) -> str:
    """How many files are at hand; that there are none is said together with how many are listed, or that this is not known."""
    number = len(result.files_downloaded)
    if number:
        return f"{number} file{'' if number == 1 else 's'} in the cache"
    if result.n_listed is None:
        is_no_star = result.answers.get(TARGET) is AnswerState.NOT_FOUND
        return "no file" if is_no_star else "no file in the cache, and which there are is not known"
    return f"no file in the cache, of {result.n_listed} that ExoFOP lists"


def _has_manifest(result: ExoFopFetchResult) -> bool:
    return result.holds_manifest and result.manifest_path.exists()


def _why_nothing(result: ExoFopFetchResult) -> str:
    if result.answers.get(TARGET) is AnswerState.NOT_FOUND:
        return "ExoFOP says that it has no such star."
    if not result.answers:
        return "Nothing of this star is in the cache, and nothing was asked."
    return "ExoFOP gave no usable answer, so that nothing is known of what it has. Run the command again later."


def listing_answer(
    tic_id: int, listing: ExoFopFileListing, rows: Sequence[ExoFopFileRow], why_none: Sequence[str]
) -> dict[str, Any]:
    """The object of `exofop files --json`: the chosen rows, and of how many."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tic_id": tic_id,
        "state": str(listing.state),
        "n_listed": len(listing.rows),
        "files": [asdict(row) for row in rows],
        "warnings": list(why_none),
    }


def listing_text(tic_id: int, rows: Sequence[ExoFopFileRow], why_none: Sequence[str]) -> str:
    """The same for a reader at a terminal."""
    if why_none:
        return "\n".join([f"TIC {tic_id}: {why_none[0]}", *(f"  {words}" for words in why_none[1:])])
    lines = [f"TIC {tic_id}: {len(rows)} file{'' if len(rows) == 1 else 's'}"]
    for row in rows:
        date = (row.date_utc or "").partition(" ")[0]
        lines.append(f"  {row.file_id:>9}  {date:<10}  {row.type:<12}  {row.filename}")
    return "\n".join(lines)


def curve_values(result: ExoFopFetchResult, folder: Path | None) -> list[dict[str, Any]]:
    """
    The contrast curves among the fetched files.

    Parameters
    ----------
    result : of a fetch
    folder : where each is written for TRICERATOPS, made where it is not there; None to write none

    Raises
    ------
    LocalEnvironmentError
        If they cannot be written there.
    """
    if not _has_manifest(result):
        return []
    values = []
    for path in find_contrast_curves(result.manifest_path):
        curve = load_exofop_contrast_curve_dat(path)
        value: dict[str, Any] = {
            "file": str(path),
            "instrument": curve.instrument,
            "filter": curve.filter,
            "date": curve.date,
            "layout": curve.layout,
            "separation_arcsec": [float(number) for number in curve.separation_arcsec],
            "delta_mag": [float(number) for number in curve.delta_mag],
        }
        if folder is not None:
            make_folder(folder.expanduser(), private=False)
            value["triceratops"] = str(curve.to_triceratops(folder.expanduser() / f"{path.stem}.csv"))
        values.append(value)
    return values


def curves_text(result: ExoFopFetchResult, curves: Sequence[dict[str, Any]]) -> str:
    """The same for a reader at a terminal."""
    if not curves:
        return _no_curve_text(result)
    lines = [f"TIC {result.target.tic_id}: {len(curves)} contrast curve{'' if len(curves) == 1 else 's'}"]
    for curve in curves:
        which = " ".join(str(curve[name]) for name in ("instrument", "filter", "date") if curve[name]) or "not labelled"
        separations = curve["separation_arcsec"]
        lines.append(
            f"  {Path(curve['file']).name}: {which}; {len(separations)} points, {separations[0]:g} to "
            f"{separations[-1]:g} arcsec, up to {max(curve['delta_mag']):.1f} mag"
        )
        if "triceratops" in curve:
            lines.append(f"    for TRICERATOPS: {curve['triceratops']}")
    return "\n".join(lines)


def _no_curve_text(result: ExoFopFetchResult) -> str:
    """That there is no curve, and what may be one and cannot be read, or was never fetched."""
    tic_id, n_files = result.target.tic_id, len(result.files_downloaded)
    unread = unread_contrast_curves(result.manifest_path) if _has_manifest(result) else []
    if unread:
        more = f" and {len(unread) - UNREAD_SHOWN} more" if len(unread) > UNREAD_SHOWN else ""
        named = ", ".join(map(shown_name, unread[:UNREAD_SHOWN]))
        return f"TIC {tic_id}: no contrast curve could be read; by name and type these may be such: {named}{more}."
    words = (
        f"no contrast curve among {n_files} fetched files"
        if n_files
        else "no file is fetched, so that no curve is known"
    )
    return f"TIC {tic_id}: {words}. Run `btv-report exofop fetch --tic {tic_id}` first."
