"""
Which numbers of an observer's text file are a contrast curve: separations in arcsec and limits in magnitudes.

Only what the file states, or what nothing else could look like, is taken. Gemini's speckle files have two sections of numbers:
annuli (inner edge, outer edge, centre, limit) and a fit of the limit against separation. The fit is the curve that observers
publish and that others use; the first two columns of the annuli are two edges, and read as a curve they would be nonsense.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from btv_report.exofop.curves.text_tables import LEAST_ROWS, Block, TextTable, listed, words_of

MAX_SEPARATION_ARCSEC = 60.0
"""Larger numbers without a unit are milliarcseconds, pixels or no separations at all."""

MAX_DELTA_MAG = 30.0
_NOISE_MAG = 0.3  # limits this little on the wrong side of zero stand in the target's own light, and limit nothing
LEAST_DEPTH_MAG = 1.5
"""A table without names that never gets this deep could be many things, such as a normalised light curve."""

_ARCSEC_PER_UNIT = {
    **dict.fromkeys(("arcsec", "arcsecs", "arcsecond", "arcseconds", "asec"), 1.0),
    **dict.fromkeys(("mas", "milliarcsec", "milliarcsecond", "milliarcseconds"), 1e-3),
}
_OTHER_UNITS = {"au": "AU", "pix": "pixels", "pixel": "pixels", "pixels": "pixels", "px": "pixels", "deg": "degrees"}
_SEPARATION = frozenset({"sep", "separation", "separations", "angsep", "rho", "ang"})
_MAGNITUDE = frozenset(
    {"dmag", "deltamag", "mag", "mags", "magnitude", "magnitudes", "deltam", "dm", "δmag", "δm", "δ"}
)
_LIMIT = frozenset({"contrast", "limit", "sensitivity"})
_NO_LIMIT = frozenset(
    {"err", "error", "rms", "dmrms", "std", "unc", "uncertainty", "sig", "inner", "outer", "mass", "flux", "ratio"}
    | {"fwhm", "psf", "log"}
)
_SOMETHING_ELSE = frozenset(
    {"wavelength", "lambda", "flux", "time", "bjd", "hjd", "jd", "phase", "rv", "velocity", "frequency", "ra", "dec"}
    | {"period", "mass", "ratio", *_OTHER_UNITS}
)


@dataclass(frozen=True)
class CurveColumns:
    """
    Two columns of a block of numbers.

    Attributes
    ----------
    separation, delta_mag : as in the file
    arcsec_per_unit : what a separation of 1 is
    layout : how the file is laid out, a phrase
    states_magnitudes : the file says that the limits are magnitudes; otherwise the numbers must leave no doubt
    n_rejected : lines among the rows that do not fit
    """

    separation: list[float]
    delta_mag: list[float]
    arcsec_per_unit: float
    layout: str
    states_magnitudes: bool
    n_rejected: int


def curve_columns(table: TextTable) -> CurveColumns | str:
    """The columns of the one curve in a file, or a clause that says why there is none."""
    fits = [block for block in table.blocks if _says(block, "fit", "separation")]
    annuli = [block for block in table.blocks if _says(block, "annulus")]
    if len(fits) == 1 and fits[0].n_columns == 2:
        return _columns(fits[0], 0, 1, 1.0, "Gemini speckle text, fit section", states_magnitudes=True)
    if annuli and not fits:
        return "it has a section of annuli and not the fit of limit against separation that belongs below it, so it may be cut"
    if not table.blocks:
        return f"it has no table of at least {LEAST_ROWS} rows of numbers"
    if len(table.blocks) > 1:
        return f"it has {len(table.blocks)} tables of numbers, and does not say which is the curve"
    block = table.blocks[0]
    return _named(block, table) if block.names else _unnamed(block)


def why_no_curve(columns: CurveColumns) -> str:
    """A clause that says why the numbers can be no contrast curve; empty when they can. Rows without a number do not count."""
    pairs = [pair for pair in zip(columns.separation, columns.delta_mag, strict=True) if not any(map(math.isnan, pair))]
    if len(pairs) < LEAST_ROWS:
        return f"fewer than {LEAST_ROWS} of its rows have two numbers"
    separation = [x * columns.arcsec_per_unit for x, _ in pairs]
    limits = [y for _, y in pairs]
    return _why_no_separations(separation) or _why_no_limits(limits, states_magnitudes=columns.states_magnitudes)


def _why_no_separations(separation: Sequence[float]) -> str:
    """They lie within the field of an imager, and rise or fall: turning back is another curve."""
    if min(separation) < 0:
        return "it has negative separations"
    if max(separation) > MAX_SEPARATION_ARCSEC:
        return f"its separations reach {max(separation):.6g}, which cannot be arcsec, and it states no other unit"
    steps = [after - before for before, after in pairwise(separation)]
    if any(step > 0 for step in steps) and any(step < 0 for step in steps):
        return "its separations go up and down, so it holds several curves or none"
    return ""


def _why_no_limits(limits: Sequence[float], *, states_magnitudes: bool) -> str:
    """They are magnitudes of one sign, and where nothing says so, deep enough to be nothing else."""
    faintest = max(abs(limit) for limit in limits)
    if faintest > MAX_DELTA_MAG:
        return f"its limits reach {faintest:.6g}, which cannot be magnitudes"
    if min(max(limits), -min(limits)) > _NOISE_MAG:
        return "its limits have both signs"
    if faintest <= 1.0 and abs(limits[-1]) < abs(limits[0]):
        return "its limits fall outwards and are below 1, so they may be flux ratios, not magnitudes"
    if not states_magnitudes and faintest < LEAST_DEPTH_MAG:
        return f"it does not say that its limits are magnitudes, and they stay below {LEAST_DEPTH_MAG}, which many things do"
    if not states_magnitudes and max(limits) <= 0:
        return "it does not say that its limits are magnitudes, and they are negative, so they may be logarithms of a contrast"
    return ""


def _says(block: Block, *words: str) -> bool:
    """Whether the line right above a block holds these words."""
    return bool(block.heading) and set(words) <= set(words_of(block.heading[-1]))


def _columns(
    block: Block, separation: int, delta_mag: int, arcsec_per_unit: float, layout: str, *, states_magnitudes: bool
) -> CurveColumns:
    return CurveColumns(
        block.numbers(separation),
        block.numbers(delta_mag),
        arcsec_per_unit,
        layout,
        states_magnitudes,
        block.n_rejected,
    )


def _unnamed(block: Block) -> CurveColumns | str:
    if block.n_columns != 2:
        return f"its {block.n_columns} columns have no names"
    return _columns(block, 0, 1, 1.0, "two columns without names", states_magnitudes=False)


def _named(block: Block, table: TextTable) -> CurveColumns | str:
    names = block.names or ()
    described = [set(words_of(name)) | set(words_of(unit)) for name, unit in zip(names, block.units, strict=True)]
    separations = [index for index, words in enumerate(described) if _is_separation(words)]
    limits = [index for index, words in enumerate(described) if _is_limit(words) and index not in separations]
    if (not separations or not limits) and block.n_columns == 2 and not set().union(*described) & _SOMETHING_ELSE:
        return _unnamed(block)  # two words of a title look like two names
    if not separations or not limits:
        return "none of its columns is named as a separation and a magnitude difference: " + listed(names)
    in_angle = [index for index in separations if _arcsec_per_unit(described[index])]
    angular = [index for index in separations if "ang" in described[index] or "angsep" in described[index]]
    best = in_angle or angular or [index for index in separations if not _other_unit(described[index])]
    if not best:
        return f"its separations are in {_other_unit(described[separations[0]])}, and not in arcsec"
    if len(limits) > 1:
        return "several of its columns are named as limits: " + listed([names[index] for index in limits])
    unit = _arcsec_per_unit(described[best[0]]) or 1.0
    layout = "lines of key = value, then named columns" if table.facts else "named columns"
    states_magnitudes = _is_magnitude(described[limits[0]])
    return _columns(block, best[0], limits[0], unit, layout, states_magnitudes=states_magnitudes)


def _is_separation(words: set[str]) -> bool:
    return bool(words & (_SEPARATION | _ARCSEC_PER_UNIT.keys())) and not words & _NO_LIMIT


def _is_limit(words: set[str]) -> bool:
    return (bool(words & _LIMIT) or _is_magnitude(words)) and not words & _NO_LIMIT


def _is_magnitude(words: set[str]) -> bool:
    return bool(words & _MAGNITUDE) or {"delta", "m"} <= words


def _arcsec_per_unit(words: set[str]) -> float | None:
    return next((_ARCSEC_PER_UNIT[word] for word in words if word in _ARCSEC_PER_UNIT), None)


def _other_unit(words: set[str]) -> str | None:
    return next((_OTHER_UNITS[word] for word in words if word in _OTHER_UNITS), None)
