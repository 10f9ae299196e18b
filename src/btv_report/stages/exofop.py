"""What the mirrors hold of ExoFOP for the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from btv_report.answer_states import AnswerState
from btv_report.errors import ProductCorruptError
from btv_report.exofop.manifest import read_manifest
from btv_report.exofop.types import ExoFopManifest
from btv_report.stages.request import ReportRequest


@dataclass(frozen=True)
class ExoFopLook:
    """
    One state, a sentence, and the manifest when there is a usable one.

    `warnings` are sentences about entries whose files are missing or changed.
    """

    state: AnswerState
    detail: str
    manifest: ExoFopManifest | None = None
    warnings: tuple[str, ...] = ()


def look_at_exofop(request: ReportRequest, manifests: Sequence[Path]) -> ExoFopLook:
    """
    Read the first usable manifest among those the mirrors hold.

    ExoFOP itself is not asked. Without a manifest the state is SKIPPED: nothing is known, which is not the same as
    "nothing there".
    """
    if not request.exofop:
        return ExoFopLook(AnswerState.SKIPPED, "ExoFOP was left out as asked (--no-exofop).")
    faults: list[str] = []
    for path in manifests:
        try:
            manifest = read_manifest(path, tic_id=request.tic_id)
        except ProductCorruptError as error:
            faults.append(str(error))
            continue
        if manifest.private:
            return ExoFopLook(
                AnswerState.SKIPPED,
                "The mirror's ExoFOP manifest was made with a cookie jar or does not say that it was not; "
                "nothing of it is shown.",
                manifest,
            )
        state = AnswerState.OK if manifest.files else AnswerState.EMPTY
        detail = f"Read from a mirror: {len(manifest.files)} files"
        when = f", listed {manifest.generated_at}." if manifest.generated_at else "."
        return ExoFopLook(state, detail + when, manifest, (*faults, *manifest.warnings))
    if faults:
        return ExoFopLook(AnswerState.CORRUPT, faults[0], None, tuple(faults))
    return ExoFopLook(
        AnswerState.SKIPPED,
        "ExoFOP was not asked, and no mirror holds its files; what it knows of the target is unknown.",
    )
