"""Contrast curves as arrays, and what depth of a transit says of the companions that could make it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from btv_report.dossier.figures.text import plain_text
from btv_report.record import ContrastCurveValue, RunRecord

MAX_SEPARATION_ARCSEC, MAX_MAG = 3600.0, 40.0  # beyond: no contrast curve, whatever its file says
MAX_LABEL = 44  # characters that a line of the key has room for on a phone


@dataclass(frozen=True)
class Sensitivity:
    """
    One contrast curve.

    Attributes
    ----------
    label : filter, instrument and date as far as they are stated; the file's name where there is no instrument
    file_id : ExoFOP's number of the file
    separation_arcsec, delta_mag : float arrays of one length (2 or more), separations ascending
    """

    label: str
    file_id: int
    separation_arcsec: NDArray[np.float64]
    delta_mag: NDArray[np.float64]

    def at(self, separation_arcsec: float) -> float | None:
        """Contrast at a separation, interpolated linearly; None outside the curve."""
        inner, outer = self.separation_arcsec[0], self.separation_arcsec[-1]
        if not inner <= separation_arcsec <= outer:
            return None
        return float(np.interp(separation_arcsec, self.separation_arcsec, self.delta_mag))

    def reaches(self, delta_mag: float) -> tuple[float, float] | None:
        """The widest range of separations, arcsec, over which the curve is at least that deep; None where it never is."""
        ranges = []
        points = [(float(x), float(y)) for x, y in zip(self.separation_arcsec, self.delta_mag, strict=True)]
        numbered = list(enumerate(y >= delta_mag for _, y in points))
        for deep, run in groupby(numbered, key=lambda item: item[1]):
            places = [place for place, _ in run]
            if deep:
                ranges.append(
                    (_crossing(points, places[0], -1, delta_mag), _crossing(points, places[-1], 1, delta_mag))
                )
        return max(ranges, key=lambda ends: ends[1] - ends[0], default=None)


def _crossing(points: Sequence[tuple[float, float]], place: int, step: int, delta_mag: float) -> float:
    """Where the curve passes a contrast between a point that is as deep and its shallower neighbour; the end without one."""
    x, y = points[place]
    if not 0 <= place + step < len(points):
        return x
    other_x, other_y = points[place + step]
    return x + (other_x - x) * (y - delta_mag) / (y - other_y)


def covered(ranges: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same ranges without overlaps, ascending."""
    merged: list[tuple[float, float]] = []
    for inner, outer in sorted(ranges):
        if merged and inner <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], outer)
        else:
            merged.append((inner, outer))
    return merged


@dataclass(frozen=True)
class RequiredContrast:
    """
    The faintest companion that could be the host of a candidate's signal.

    Attributes
    ----------
    candidate : its name
    depth_ppm : depth of the signal in the light of all stars together
    source : where the depth comes from, a phrase
    delta_mag : magnitudes fainter than the other light; a companion that is wholly eclipsed makes the depth there
    """

    candidate: str
    depth_ppm: float
    source: str
    delta_mag: float


def required_contrast(depth_ppm: float) -> float | None:
    """
    Largest contrast of a companion that can make a transit of that depth, magnitudes; None for depths outside 0...1e6 ppm.

    A companion of contrast dm holds 10^(-0.4 dm) / (1 + 10^(-0.4 dm)) of the light, and cannot lose more than that.
    """
    depth = depth_ppm / 1e6
    return -2.5 * math.log10(depth / (1 - depth)) if 0 < depth < 1 else None


def sensitivities(record: RunRecord) -> tuple[Sensitivity, ...]:
    """The contrast curves of a record that have two points or more, the deepest first."""
    curves = [_sensitivity(value) for value in record.get("exofop", {}).get("contrast_curves", [])]
    found = [curve for curve in curves if curve is not None]
    return tuple(sorted(found, key=lambda curve: (-float(curve.delta_mag.max()), curve.file_id, curve.label)))


def _sensitivity(value: ContrastCurveValue) -> Sensitivity | None:
    """A curve of its possible points."""
    pairs = zip(value["separation_arcsec"], value["delta_mag"], strict=False)
    known = sorted(
        {x: y for x, y in pairs if _within(x, 0, MAX_SEPARATION_ARCSEC) and _within(y, -MAX_MAG, MAX_MAG)}.items()
    )
    if len(known) < 2:
        return None
    separation, contrast = np.array(known, dtype=float).T
    return Sensitivity(_label(value), value["file_id"], separation, contrast)


def _label(value: ContrastCurveValue) -> str:
    """What tells a curve from others: without an instrument that takes the name of its file."""
    stated = [part for part in (value["filter"], value["instrument"], value["date"]) if part]
    if not value["instrument"]:
        stated.append(value["filename"])
    return plain_text(", ".join(stated), limit=MAX_LABEL)


def _within(value: object, low: float, high: float) -> bool:
    """Whether a value is a number in a range; NaN never is."""
    return isinstance(value, int | float) and low <= value <= high


def required_contrasts(record: RunRecord) -> tuple[RequiredContrast, ...]:
    """Of each candidate of the run whose depth is known."""
    found = []
    for candidate in record.get("candidates", []):
        depth_ppm, source = depth_of(record, candidate["name"])
        contrast = None if depth_ppm is None else required_contrast(depth_ppm)
        if depth_ppm is not None and contrast is not None:
            found.append(RequiredContrast(plain_text(candidate["name"], limit=16), depth_ppm, source, contrast))
    return tuple(found)


def depth_of(record: RunRecord, name: str) -> tuple[float | None, str]:
    """
    Depth of a candidate in TESS, ppm, and where it is from, a phrase: ExoFOP's row, else the folded light curves.

    None and an empty phrase where neither gives one between 0 and 1e6.
    """
    for depth_ppm, source in (_listed_depth(record, name), _folded_depth(record, name)):
        if depth_ppm is not None and 0 < depth_ppm < 1e6:
            return depth_ppm, source
    return None, ""


def _listed_depth(record: RunRecord, name: str) -> tuple[float | None, str]:
    """The depth that ExoFOP's row of a candidate gives."""
    rows = record.get("exofop", {}).get("candidates", [])
    depths = (row.get("depth_ppm") for row in rows if row["name"] == name and row["used"])
    return next((depth for depth in depths if depth is not None), None), "by ExoFOP"


def _folded_depth(record: RunRecord, name: str) -> tuple[float | None, str]:
    """The mean of the depths of odd and even transits, weighted with their numbers."""
    fold = next((fold for fold in record.get("folds", []) if fold["candidate"] == name), None)
    if fold is None:
        return None, ""
    parts = [
        (fold.get("odd_depth_ppm"), fold["n_odd_transits"]),
        (fold.get("even_depth_ppm"), fold["n_even_transits"]),
    ]
    known = [(depth, max(number, 1)) for depth, number in parts if depth is not None]
    if not known:
        return None, ""
    mean = sum(depth * number for depth, number in known) / sum(number for _, number in known)
    return mean, "by the folded light curves"
