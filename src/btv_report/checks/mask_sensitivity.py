"""
Does the quality mask matter? Offset, depth and ghost under several masks side by side.

The masks are those that readers meet elsewhere: nothing masked, the defaults of lightkurve before and since 2.6 (the latter
is also ours), and every bit. Whatever the mask, cadences without a time or without any finite pixel are not used, and a
transit is dropped when a window holds an anomaly bit (`quality.ANOMALY_MASK`): the masks differ in single cadences, such as
momentum dumps, cosmic rays and stray light.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from btv_report.checks.inputs import PixelStack
from btv_report.checks.result import CheckResult, Metric, Verdict
from btv_report.checks.run import SectorChecks, run_pixel_checks
from btv_report.checks.transits import BoolArray
from btv_report.ephemeris import Ephemeris
from btv_report.quality import DEFAULT_QUALITY_MASK

FLAG = "MASK_SENSITIVE"
MASKS: Mapping[int, str] = MappingProxyType(
    {
        0: "nothing masked",
        175: "lightkurve's default up to 2.5",
        DEFAULT_QUALITY_MASK: "default of btv-report, and of lightkurve since 2.6",
        65535: "hardest: every bit",
    }
)
"""The masks that are compared, each with what it is; lightkurve: `TessQualityFlags` of 2.5.0 and 2.6.0."""

COMPARED_METRICS = (
    "offset_arcsec",
    "offset_err_arcsec",
    "depth_ppm_pipeline",
    "depth_ppm_pipeline_err",
    "depth_ppm_r2.0",
    "depth_ppm_r2.0_err",
    "core_correlation",
    "halo_correlation",
    "halo_excess_sigma",
)
"""Offset (V09), depth (V10; within 2 px where the file names no aperture) and ghost (V20), by the names of their checks."""


@dataclass(frozen=True)
class MaskRow:
    """
    What the checks say with one set of cadences.

    Attributes
    ----------
    masks : the masks that leave just these cadences, ascending
    n_cadences : cadences they leave
    n_transits : transits that could be used
    verdicts : check id to Verdict
    metrics : those of `COMPARED_METRICS` that were measured
    """

    masks: tuple[int, ...]
    n_cadences: int
    n_transits: int
    verdicts: Mapping[str, Verdict]
    metrics: Mapping[str, Metric]


@dataclass(frozen=True)
class MaskComparison:
    """
    One candidate in one sector under several quality masks.

    Attributes
    ----------
    candidate, sector : what was checked
    quality_mask : the run's own mask
    rows : one for each set of cadences that the masks leave, by their first mask
    n_flagged : cadences with a time that carry any bit of any of the masks
    """

    candidate: str
    sector: int
    quality_mask: int
    rows: tuple[MaskRow, ...]
    n_flagged: int

    @property
    def own_row(self) -> MaskRow:
        """The row of the run's own mask."""
        return next(row for row in self.rows if self.quality_mask in row.masks)

    @property
    def sentence(self) -> str:
        """The finding, for readers."""
        masks = word_list(sorted(mask for row in self.rows for mask in row.masks))
        if len(self.rows) == 1 and self.n_flagged == 0:
            return f"The quality mask does not matter in sector {self.sector}: no cadence carries a bit of the masks {masks}."
        if len(self.rows) == 1:
            return (
                f"The quality mask does not matter in sector {self.sector}: the masks {masks} leave the same cadences, "
                "because those that carry their bits hold no flux."
            )
        if all(verdict is Verdict.NOT_RUN for row in self.rows for verdict in row.verdicts.values()):
            return f"No check gives a verdict in sector {self.sector} under any quality mask ({masks})."
        changed = [
            f"{check_id} ({self.outcomes(check_id)})" for check_id in self.own_row.verdicts if self.is_open(check_id)
        ]
        if not changed:
            return f"No verdict in sector {self.sector} depends on the quality mask ({masks})."
        return f"In sector {self.sector} the verdict depends on the quality mask: {'; '.join(changed)}."

    def is_open(self, check_id: str) -> bool:
        """Whether the masks under which a check was run disagree about its verdict."""
        verdicts = {row.verdicts[check_id] for row in self.rows if check_id in row.verdicts}
        return len(verdicts - {Verdict.NOT_RUN}) > 1

    def outcomes(self, check_id: str) -> str:
        """The verdicts of a check with the masks that give them: `fail under 0, pass under 175 and 17087`."""
        masks: dict[Verdict, list[int]] = {}
        for row in self.rows:
            if check_id in row.verdicts:
                masks.setdefault(row.verdicts[check_id], []).extend(row.masks)
        return ", ".join(
            f"{verdict.value.replace('_', ' ')} under {word_list(sorted(found))}" for verdict, found in masks.items()
        )


def compare_masks(
    stack: PixelStack,
    ephemeris: Ephemeris,
    own: SectorChecks,
    *,
    quality_mask: int,
    others: Sequence[Ephemeris] = (),
    masks: Iterable[int] = MASKS,
) -> MaskComparison:
    """
    Run the checks under several quality masks; masks that leave the same cadences are run once.

    Parameters
    ----------
    stack : pixels with `used` as `quality_mask` leaves it. Where no pipeline subtracted the sky it stays as it was measured
        with that mask
    ephemeris, others : as for `run_pixel_checks`
    own : what `run_pixel_checks` gave with the run's own mask, which is not run again
    quality_mask : the run's own mask
    masks : masks to compare with
    """
    every = sorted({quality_mask, *masks})
    available = _available(stack, quality_mask)
    sets: list[tuple[BoolArray, list[int]]] = [(stack.used, [quality_mask])]
    for mask in every:
        if mask == quality_mask:
            continue
        used = available & ((stack.quality & np.int32(mask)) == 0)
        same = next((found for kept, found in sets if np.array_equal(kept, used)), None)
        if same is None:
            sets.append((used, [mask]))
        else:
            same.append(mask)
    rows = []
    for used, found in sets:
        done = own
        if quality_mask not in found:
            done = run_pixel_checks(replace(stack, used=used), ephemeris, others=others, store_plot_data=False)
        rows.append(_row(found, used, done))
    return MaskComparison(
        candidate=ephemeris.name,
        sector=stack.sector,
        quality_mask=quality_mask,
        rows=tuple(sorted(rows, key=lambda row: row.masks)),
        n_flagged=int(np.count_nonzero(np.isfinite(stack.time_btjd) & ((stack.quality & _union(every)) != 0))),
    )


def flag_mask_sensitive(results: Iterable[CheckResult], comparison: MaskComparison) -> tuple[CheckResult, ...]:
    """The run's own results of one sector; a verdict that other masks do not share gets the flag and a sentence."""
    return tuple(
        result
        if result.verdict is Verdict.NOT_RUN or not comparison.is_open(result.check_id)
        else _flagged(result, comparison)
        for result in results
    )


def _flagged(result: CheckResult, comparison: MaskComparison) -> CheckResult:
    said = f"The verdict depends on the quality mask ({comparison.outcomes(result.check_id)})."
    return replace(result, flags=(*result.flags, FLAG), summary=f"{result.summary} {said}")


def _available(stack: PixelStack, quality_mask: int) -> BoolArray:
    """Cadences with a time and a finite pixel: those that are used, and those that only the run's own mask left out."""
    available = stack.used.copy()
    masked = np.flatnonzero(np.isfinite(stack.time_btjd) & ((stack.quality & np.int32(quality_mask)) != 0))
    available[masked] = np.isfinite(stack.flux[masked]).any(axis=(1, 2))
    return available


def _union(masks: Sequence[int]) -> np.int32:
    union = 0
    for mask in masks:
        union |= mask
    return np.int32(union)


def _row(masks: Sequence[int], used: BoolArray, done: SectorChecks) -> MaskRow:
    measured = {name: metric for result in done.results for name, metric in result.metrics.items()}
    return MaskRow(
        masks=tuple(sorted(masks)),
        n_cadences=int(np.count_nonzero(used)),
        n_transits=sum(row.used for row in done.transits),
        verdicts={result.check_id: result.verdict for result in done.results},
        metrics={name: measured[name] for name in COMPARED_METRICS if name in measured},
    )


def word_list(masks: Iterable[int]) -> str:
    """Masks in words: `0, 175 and 17087`."""
    words = [str(mask) for mask in masks]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
