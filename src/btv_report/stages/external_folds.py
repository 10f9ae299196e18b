"""Light curves from the ground beside a predicted transit: those whose times are on the scale of TESS, binned to be drawn."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from btv_report.ephemeris import HOURS_PER_DAY, Ephemeris
from btv_report.exofop.curves.external_light_curves import ExternalLightCurve
from btv_report.exofop.types import ExoFopFile
from btv_report.record import ExternalLightCurveValue

MOST_POINTS = 120
_GAP_DAYS = 0.25
"""Observations that are parted by more are of different nights: no mean is taken over both, and each covers its own transits."""
_PLANET = re.compile(r"(?:TIC|TOI)[ _-]?\d+[.-](\d\d)(?!\d)", re.IGNORECASE)
"""The number of the planet, as observers write it into names of files: `TIC123-02_...`, `TOI-1262.01`."""
_MARGIN_DAYS = 0.05
"""A transit that is predicted so shortly before or after the observations belongs to them: ephemerides drift."""


def external_light_curve_value(
    file: ExoFopFile, curve: ExternalLightCurve, candidates: Sequence[Ephemeris]
) -> ExternalLightCurveValue:
    """
    A light curve as it is drawn: hours from the predicted mid-transit that it covers, flux over its median.

    Of observations over several transits those are taken that are less than half a period from the one that is chosen.

    Parameters
    ----------
    file : where it comes from
    curve : as read
    candidates : of those with a transit in the observations the one that name or description of the file give is taken, else
        the one whose transit is nearest to the middle of a night, in durations
    """
    value: ExternalLightCurveValue = {
        "file_id": file.file_id,
        "filename": file.filename,
        "sha256": curve.sha256,
        "layout": curve.layout,
        "instrument": curve.telescope,
        "filter": curve.filter,
        "time_system": curve.time_system,
        "n_points": int(curve.flux.size),
    }
    time_btjd = curve.time_btjd
    if time_btjd is None:
        return {**value, "reason": curve.why_not_btjd}
    covered = _covered(time_btjd, candidates, _planet(file))
    if covered is None:
        why = "No transit of a candidate is predicted for the time of these observations."
        return {**value, "reason": why if candidates else "No candidate is known."}
    candidate, number = covered
    days = time_btjd - candidate.mid_btjd(number)
    chosen = np.abs(days) <= candidate.period_days / 2
    hours, flux, err = _binned(days * HOURS_PER_DAY, curve, chosen)
    if not chosen.all():
        value["n_folded"] = int(chosen.sum())
    value |= {
        "candidate": candidate.name,
        "transit_number": number,
        "hours_from_mid": [round(float(item), 4) for item in hours],
        "flux_relative": [round(float(item), 6) for item in flux],
    }
    if err is not None:
        value["flux_relative_err"] = [round(float(item), 6) for item in err]
    return value


def _planet(file: ExoFopFile) -> str | None:
    """The number of the planet, such as `02`, that the file's name gives, or else its description; None without one."""
    found = _PLANET.search(file.filename) or _PLANET.search(file.description or "")
    return found[1] if found else None


def _covered(
    time_btjd: NDArray[np.float64], candidates: Sequence[Ephemeris], planet: str | None
) -> tuple[Ephemeris, int] | None:
    """The candidate and the number of its transit that the observations were made for; None where they cover none."""
    times = np.sort(time_btjd[np.isfinite(time_btjd)])
    if not times.size:
        return None
    whole_middle = (times[0] + times[-1]) / 2
    covering: list[tuple[tuple[float, ...], Ephemeris, int]] = []
    for night in np.split(times, np.flatnonzero(np.diff(times) > _GAP_DAYS) + 1):
        first, last = float(night[0]), float(night[-1])
        middle = (first + last) / 2
        for candidate in candidates:
            number = round((middle - candidate.epoch_btjd) / candidate.period_days)
            mid = candidate.mid_btjd(number)
            reach = candidate.duration_days / 2 + _MARGIN_DAYS
            if first - reach <= mid <= last + reach:
                is_other = candidate.name.rpartition(".")[2] != planet
                away = round(abs(mid - middle) / candidate.duration_days, 2)
                covering.append(((is_other, away, abs(mid - whole_middle)), candidate, number))
    if not covering:
        return None
    _, candidate, number = min(covering, key=lambda item: item[0])
    return candidate, number


def _binned(
    hours: NDArray[np.float64], curve: ExternalLightCurve, chosen: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]:
    """
    Means of the chosen points in order of time, over equal numbers of points within a night, shape (<= 120,) each.

    Flux and error are over the median flux of these points. The error of a mean is that of its points, added in squares; None
    where the file gives none.
    """
    order = np.flatnonzero(chosen)[np.argsort(hours[chosen], kind="stable")]
    scale = float(np.nanmedian(curve.flux[order]))
    parts = _parts(order, hours)
    mean_hours = np.array([hours[part].mean() for part in parts])
    flux = np.array([curve.flux[part].mean() for part in parts]) / scale
    if curve.flux_err is None or not np.isfinite(curve.flux_err).all():
        return mean_hours, flux, None
    err = np.array([np.sqrt(np.sum(curve.flux_err[part] ** 2)) / part.size for part in parts]) / scale
    return mean_hours, flux, err


def _parts(order: NDArray[np.intp], hours: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Points in order of time as at most `MOST_POINTS` groups, each within one night unless there are more nights than that."""
    nights = np.split(order, np.flatnonzero(np.diff(hours[order]) > _GAP_DAYS * HOURS_PER_DAY) + 1)
    if len(nights) > MOST_POINTS:
        nights = [order]
    free = MOST_POINTS - len(nights)
    parts: list[NDArray[np.intp]] = []
    for night in nights:
        parts += np.array_split(night, min(night.size, 1 + free * night.size // order.size))
    return parts
