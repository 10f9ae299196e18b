"""
Which columns of an observer's table are time, flux and error, and what its times count.

Names are read by their words. AstroImageJ (Collins et al. 2017, AJ 153, 77) writes `rel_flux_T1` for the target's flux over that
of the comparison stars, `rel_flux_err_T1` for its error and `BJD_TDB` for mid-exposure; the target is aperture T1 by the
follow-up groups' convention, or the only T there is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from btv_report.exofop.curves.text_tables import Block, listed, words_of
from btv_report.time_systems import BTJD_REFERENCE_DAYS

UNLABELLED = "unlabelled"
TDB_SYSTEM = "BJD_TDB"
MJD_REFERENCE_DAYS = 2400000.5

_BEST_FIRST = (
    *(TDB_SYSTEM, "BJD_UTC", "BJD", "HJD_TDB", "HJD_UTC", "HJD", "JD_TDB", "JD_UTC", "JD", "MJD_TDB", "MJD_UTC", "MJD"),
    UNLABELLED,
)
_SCALES = ("tdb", "utc", "tt", "tai")
_NO_TIME = frozenset({"corr", "correction", "err", "error", "offset", "exposure", "exp", "exptime", "duration"})
_ERROR = frozenset(
    {"e", "err", "error", "errors", "unc", "uncertainty", "uncertainties", "sigma", "std"}
    | {"fluxerr", "ferr", "errflux"}
)
_FLUX = frozenset({"flux", "relflux", "normflux", "nflux"})
_MAGNITUDE = frozenset({"mag", "mags", "mmag", "mmags", "dmag", "magnitude", "magnitudes"})
_NO_TARGET_FLUX = frozenset(
    {"star", "stars", "sky", "background", "bg", "snr", "comp", "comparison", "model", "trend", "peak"}
)
_OTHER_SCALES = frozenset({"ppt", "ppm", "percent"})
_ZERO_POINT = re.compile(r"24[0-9]{5}(?:\.[0-9]+)?")
_TARGET_FLUX = re.compile(r"rel_flux_T([0-9]+)")
_PER_STAR = re.compile(r".*_[TC][0-9]+(?:_\w+)?")


@dataclass(frozen=True)
class TimeColumn:
    """
    A column of times.

    Attributes
    ----------
    index : of the column
    system : `BJD_TDB`, `BJD_UTC`, `BJD`, `HJD_UTC`, ..., or `unlabelled`; never more than the name says
    zero_days : what the name says must be added to give a Julian date; None where it says nothing
    """

    index: int
    system: str
    zero_days: float | None


@dataclass(frozen=True)
class PhotometryColumns:
    """
    Columns of a light curve by number.

    Attributes
    ----------
    time : the times
    flux, flux_err : of the target; `flux_err` None where there is none
    mag_per_unit : None for a flux; for magnitudes what one unit is (0.001 for mmag)
    others : name to number of what else was measured with the target, such as the airmass
    layout : how the file is laid out, a phrase
    """

    time: TimeColumn
    flux: int
    flux_err: int | None
    mag_per_unit: float | None
    others: dict[str, int]
    layout: str


def photometry_columns(block: Block) -> PhotometryColumns | str:
    """The columns of the target's light curve in a table, or a clause that says why there is none."""
    if block.names is None:
        return _unnamed(block)
    time = _time_column(block)
    if time is None:
        return "none of its columns is named as a time: " + listed(block.names)
    targets = {int(match[1]): i for i, name in enumerate(block.names) if (match := _TARGET_FLUX.fullmatch(name))}
    return _astroimagej(block, time, targets) if targets else _named(block, time)


def time_system(name: str) -> tuple[str, float | None] | None:
    """
    What the name of a column says of its times: their system, and what must be added for a Julian date.

    `BJD / days (TDB_MID)` is BJD_TDB, a bare `BJD` is `BJD` (its scale is not stated), `J.D.-2400000` is JD with 2400000 to add,
    `time` is unlabelled; None where the name is no time's.
    """
    words = set(words_of(name))
    if words & (_NO_TIME | _FLUX):
        return None
    stated = _ZERO_POINT.search(name)
    zero = float(stated[0]) if stated else None
    if "btjd" in words:
        return TDB_SYSTEM, float(BTJD_REFERENCE_DAYS)
    if "bjdtdb" in words:
        return TDB_SYSTEM, zero
    scale = next((f"_{scale.upper()}" for scale in _SCALES if scale in words), "")
    for kind in ("bjd", "hjd", "mjd", "jd"):
        if kind in words or (kind == "jd" and {"j", "d"} <= words):
            return kind.upper() + scale, MJD_REFERENCE_DAYS if kind == "mjd" else zero
    return (UNLABELLED, zero) if words & {"time", "times"} or words == {"t"} else None


def _time_column(block: Block) -> TimeColumn | None:
    """The best labelled column that holds times: barycentric before heliocentric before geocentric, TDB before the rest."""
    columns = [
        TimeColumn(index, *label)
        for index, name in enumerate(block.names or ())
        if (label := time_system(name)) and _is_filled(block.numbers(index))
    ]
    return min(columns, key=lambda column: _rank(column.system), default=None)


def _rank(system: str) -> int:
    return _BEST_FIRST.index(system) if system in _BEST_FIRST else len(_BEST_FIRST) - 2


def _is_filled(values: Sequence[float]) -> bool:
    """Whether at least half of a column are numbers that are not 0 (AstroImageJ fills what it does not know with NaN or 0)."""
    return 2 * sum(1 for value in values if not math.isnan(value) and value) >= len(values)


def _astroimagej(block: Block, time: TimeColumn, targets: dict[int, int]) -> PhotometryColumns | str:
    names = block.names or ()
    if 1 not in targets and len(targets) > 1:
        return "it has the fluxes of several targets and no rel_flux_T1, and does not say which is the star"
    number = 1 if 1 in targets else next(iter(targets))
    error = f"rel_flux_err_T{number}"
    flux_err = names.index(error) if error in names else None
    own = re.compile(rf".*_T{number}(?:_\w+)?")
    taken = {time.index, targets[number], flux_err}
    others = {
        name: index
        for index, name in enumerate(names)
        if name
        and index not in taken
        and time_system(name) is None
        and (own.fullmatch(name) or not _PER_STAR.fullmatch(name))
    }
    return PhotometryColumns(time, targets[number], flux_err, None, others, f"AstroImageJ columns, target T{number}")


def _named(block: Block, time: TimeColumn) -> PhotometryColumns | str:
    names = block.names or ()
    words = [set(words_of(name)) for name in names]
    fluxes = [i for i, said in enumerate(words) if said & _FLUX and not said & (_ERROR | _NO_TARGET_FLUX)]
    magnitudes = [i for i, said in enumerate(words) if said & _MAGNITUDE and not said & (_ERROR | _NO_TARGET_FLUX)]
    chosen = [i for i in fluxes if words[i] == {"flux"}] or fluxes or magnitudes
    if not chosen:
        stars = sum(1 for said in words if "flux" in said and "star" in said)
        if stars:
            return f"it has the raw counts of {stars} stars, and none relative to comparison stars, nor which star is the target"
        return "none of its columns is named as a flux: " + listed(names)
    if len(chosen) > 1:
        return "several of its columns are named as fluxes: " + listed([names[index] for index in chosen])
    flux = chosen[0]
    if words[flux] & _OTHER_SCALES:
        return f"its flux is in {min(words[flux] & _OTHER_SCALES)}, of which the zero point is not stated"
    flux_err = _error_column(words, flux)
    is_magnitude = not words[flux] & _FLUX
    milli = bool(words[flux] & {"mmag", "mmags"})
    others = {name: i for i, name in enumerate(names) if name and i not in {time.index, flux, flux_err}}
    mag_per_unit = (0.001 if milli else 1.0) if is_magnitude else None
    return PhotometryColumns(time, flux, flux_err, mag_per_unit, others, "named columns")


def _error_column(words: Sequence[set[str]], flux: int) -> int | None:
    """The error of the flux: the one column that is an error and names nothing else; None where none or several do."""
    errors = [
        i for i, said in enumerate(words) if said & _ERROR and not said & _NO_TARGET_FLUX and _may_be_flux_error(said)
    ]
    close = [i for i in errors if words[i] - _ERROR - {"in"} == words[flux]] or errors
    return close[0] if len(close) == 1 else None


def _may_be_flux_error(words: set[str]) -> bool:
    return bool(words <= _ERROR or words & (_FLUX | _MAGNITUDE) or words & {"fluxerr", "ferr", "errflux"})


def _unnamed(block: Block) -> PhotometryColumns | str:
    """Time, flux near 1 and its error are known by their numbers; their time system is not."""
    if block.n_columns not in {2, 3}:
        return f"its {block.n_columns} columns have no names"
    time, flux, *rest = (block.numbers(index) for index in range(block.n_columns))
    if not _are_days(time):
        return "its columns have no names, and the first one does not look like days"
    if not 0.5 < _middle(flux) < 1.5:
        return "its columns have no names, and the second one is not near 1, so it may be magnitudes or counts"
    if rest and not 0 < _middle(rest[0]) < 0.5:
        return "its columns have no names, and the third one does not look like an error"
    layout = f"{block.n_columns} columns without names"
    return PhotometryColumns(TimeColumn(0, UNLABELLED, None), 1, 2 if rest else None, None, {}, layout)


def _are_days(values: Sequence[float]) -> bool:
    """Julian dates, or a shortened form of them within three days: a spectrum's wavelengths go farther."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return False
    low, high = min(known), max(known)
    return (low >= 2_400_000 and high < 2_500_000) or (low >= 1000 and high < 100_000 and high - low < 3)


def _middle(values: Sequence[float]) -> float:
    known = sorted(value for value in values if not math.isnan(value))
    return known[len(known) // 2] if known else float("nan")
