"""What readers must know of a file that was read: cadences that are not used or not there, odd times, stars without a place."""

from __future__ import annotations

from btv_report.products.cadences import LONGEST_REACH_DAYS
from btv_report.products.model import LightCurve, LightCurveProvenance, ProductFile, TargetPixelFile
from btv_report.stages.neighbours import FoundNeighbours
from btv_report.targets import Target


def light_curve_notes(curve: LightCurve, *, normalise: bool) -> list[str]:
    """What readers must know of a light curve; how it was normalised only where that was asked for."""
    name, how = curve.product.path.name, curve.provenance
    notes = cadence_notes(curve.product, how)
    if how.flux_note:
        notes.append(f"{name}: {how.flux_note}")
    if how.normalisation_note and normalise:
        notes.append(f"{name}: {how.normalisation_note}")
    return notes


def cadence_notes(product: ProductFile, how: LightCurveProvenance | TargetPixelFile) -> list[str]:
    """What readers must know of a file's cadences: dropped before we saw it, without flags, empty, or with odd times."""
    name = product.path.name
    absence = _absence_note(product, how.repacked, how.n_absent_cadences)
    notes = [absence] if absence else []
    if not how.quality_column:
        notes.append(f"{name} has no QUALITY column: no cadence could be left out for its flags.")
    if how.n_repeated_times:
        notes.append(
            f"{name}: the times of {how.n_repeated_times:,} cadences repeat that of an earlier one; they were left out. Times "
            "that repeat are a sign of a damaged or re-written file: hold them against another copy."
        )
    if how.n_impossible_times:
        notes.append(
            f"{name}: cadences left out because their times cannot be of this sector, being more than {LONGEST_REACH_DAYS:g} d "
            f"from the other ones: {how.n_impossible_times:,}."
        )
    if not how.times_in_order:
        notes.append(
            f"{name}: the times are not in ascending order, and were sorted for the checks. No pipeline writes them so: hold "
            "the file against another copy."
        )
    if isinstance(how, TargetPixelFile) and how.n_empty_cadences:
        notes.append(
            f"{name}: cadences left out because every pixel of theirs is exactly 0, so that nothing was measured: "
            f"{how.n_empty_cadences:,}."
        )
    return notes


def _absence_note(product: ProductFile, repacked: bool, n_absent: int | None) -> str:
    """A sentence about cadences that somebody dropped before we saw the file; empty when there are none."""
    if not repacked and not n_absent:
        return ""
    name = product.path.name
    origin = f"{name} is a re-packed copy, not the pipeline's own file" if repacked else name
    if not n_absent:
        return f"{origin}."
    joint = "; it" if repacked else ""
    return f"{origin}{joint} leaves out {n_absent} cadences between its first and last, so their quality flags are unknown."


def unplaced_note(tpf: TargetPixelFile, target: Target, neighbours: FoundNeighbours) -> str:
    """A sentence where a catalogue is at hand and its stars cannot be put on the stamp, else empty."""
    if not neighbours.stars or (tpf.wcs is not None and target.position is not None):
        return ""
    why = "the file has no usable coordinates" if tpf.wcs is None else "the target's own position is not known"
    return f"{tpf.product.path.name}: the stars of the catalogue cannot be placed on the stamp ({why}); no neighbour is weighed."
