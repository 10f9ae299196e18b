"""
Light curves that observers on the ground upload to ExoFOP, with their time system as stated, and never a guessed one.

A light curve whose times are not BJD in TDB, or count from a day that is not stated, is loaded and can be looked at; it is not
folded on an ephemeris (`time_btjd` is None and `why_not_btjd` says why).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from btv_report.exofop.curves.light_curve_columns import (
    TDB_SYSTEM,
    UNLABELLED,
    PhotometryColumns,
    TimeColumn,
    photometry_columns,
)
from btv_report.exofop.curves.text_tables import LEAST_ROWS, Block, TextTable, read_text_table
from btv_report.exofop.curves.upload_facts import observation_of
from btv_report.time_systems import BTJD_REFERENCE_DAYS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatColumn = NDArray[np.float64]

WHAT = "light curve"
_HINT = "It stays a file to look at; a table with a named time (such as BJD_TDB), flux and error is read."
_FIRST_JD, _LAST_JD = 2_400_000.0, 2_500_000.0
_MAX_OTHERS = 64


@dataclass(frozen=True, eq=False)
class ExternalLightCurve:
    """
    One light curve of one file.

    Attributes
    ----------
    time_days : float64 ndarray, shape (n,), days, as in the file and in its order
    time_system : `BJD_TDB`, `BJD_UTC`, `BJD`, `HJD_UTC`, `JD_UTC` ... as the file states it, or `unlabelled`
    zero_days : what must be added to `time_days` to give a Julian date; None where the file does not say
    flux : float64 ndarray, shape (n,), relative: the target over its comparison stars, on the file's own scale (the median is not
        1 in AstroImageJ's `rel_flux_T1`); magnitudes were turned into fluxes of median 1
    flux_err : float64 ndarray, shape (n,), as `flux`, NaN where a row gives none; None where no column does
    columns : name, as in the file, to what else was measured, such as airmass or position: float64 ndarrays, shape (n,)
    filter, telescope, date : as the file or its name states them, the date as `2022-03-17`; None where neither does
    layout : how the file is laid out, a phrase
    source : name of the file
    sha256 : of its bytes
    notes : sentences about what was left out or changed
    """

    time_days: FloatColumn
    time_system: str
    zero_days: float | None
    flux: FloatColumn
    flux_err: FloatColumn | None
    filter: str | None
    telescope: str | None
    date: str | None
    layout: str
    source: str
    sha256: str
    columns: Mapping[str, FloatColumn] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def time_btjd(self) -> FloatColumn | None:
        """Times in BTJD; None where the file does not state that they are BJD in TDB, and from which day they count."""
        if self.time_system != TDB_SYSTEM or self.zero_days is None:
            return None
        return self.time_days + (self.zero_days - BTJD_REFERENCE_DAYS)

    @property
    def why_not_btjd(self) -> str:
        """A sentence that says why there is no `time_btjd`; empty where there is."""
        if self.time_system == UNLABELLED:
            return "The file does not state its time system."
        if self.time_system != TDB_SYSTEM:
            return f"Its times are {self.time_system}, not BJD_TDB."
        return "" if self.zero_days is not None else "Its times count from a day that it does not state."


def load_external_light_curve(path: Path) -> ExternalLightCurve:
    """
    Read a light curve from an observer's text file, whatever its suffix and layout.

    Rows without a time or a flux, and a last line without a line end, which may be cut, are left out; `notes` say how many.

    Raises
    ------
    ProductRefusedError
        If the file is no light curve, or does not say which of its numbers are the target's; the message says why.
    LocalEnvironmentError
        If it cannot be read.
    """
    table = read_text_table(path, what=WHAT, hint=_HINT)
    block = _one_block(table)
    columns = photometry_columns(block) if isinstance(block, Block) else block
    if isinstance(block, str) or isinstance(columns, str):
        raise table.refused(str(columns), WHAT, _HINT)
    curve = _light_curve(table, block, columns)
    if len(curve.flux) < LEAST_ROWS:
        raise table.refused(f"fewer than {LEAST_ROWS} of its rows have a time and a flux", WHAT, _HINT)
    if not _median(curve.flux) > 0:
        raise table.refused("the median of its flux is not above zero", WHAT, _HINT)
    return curve


def _one_block(table: TextTable) -> Block | str:
    if any("AstroImageJ Saved Apertures" in line for line in table.lines[:3]):
        return "it holds AstroImageJ's settings and the places of the apertures, and no photometry"
    if not table.blocks:
        return f"it has no table of at least {LEAST_ROWS} rows of numbers"
    if len(table.blocks) > 1:
        return f"it has {len(table.blocks)} tables of numbers, and does not say which is the light curve"
    return table.blocks[0]


def _light_curve(table: TextTable, block: Block, columns: PhotometryColumns) -> ExternalLightCurve:
    import numpy as np

    time, flux = np.array(block.numbers(columns.time.index)), np.array(block.numbers(columns.flux))
    kept = np.isfinite(time) & np.isfinite(flux)
    error = None if columns.flux_err is None else np.array(block.numbers(columns.flux_err))[kept]
    time, flux = time[kept], flux[kept]
    notes = _notes(table, block.n_rejected + int((~kept).sum()))
    if columns.mag_per_unit is not None:
        flux, error = _flux_of_magnitudes(flux * columns.mag_per_unit, error, columns.mag_per_unit)
        notes = (*notes, "Its magnitudes were turned into fluxes of median 1.")
    for values in (time, flux, error):
        if values is not None:
            values.flags.writeable = False
    seen = observation_of(table, is_imaging=False)
    return ExternalLightCurve(
        time,
        columns.time.system,
        _zero_days(columns.time, time),
        flux,
        error,
        filter=seen.filter,
        telescope=seen.telescope,
        date=seen.date,
        layout=columns.layout,
        source=table.path.name,
        sha256=table.sha256,
        columns=_others(block, columns, kept),
        notes=notes,
    )


def _zero_days(column: TimeColumn, time: FloatColumn) -> float | None:
    """
    What makes the times Julian dates of our age; None where the name does not say, or numbers and name contradict each other.

    Whole Julian dates say it themselves: nothing else that is observed has numbers between 2.4 and 2.5 million.
    """
    if not len(time):
        return None
    zero = column.zero_days or 0.0
    is_julian = float(time.min()) + zero >= _FIRST_JD and float(time.max()) + zero < _LAST_JD
    return zero if is_julian and column.system != UNLABELLED else None


def _flux_of_magnitudes(
    magnitudes: FloatColumn, error: FloatColumn | None, mag_per_unit: float
) -> tuple[FloatColumn, FloatColumn | None]:
    """Fluxes relative to the median magnitude: 10^(-0.4 (m - median)); a fainter magnitude is a larger number."""
    import numpy as np

    exponent = np.clip(-0.4 * (magnitudes - (_median(magnitudes) if len(magnitudes) else 0.0)), -50, 50)
    flux = 10**exponent
    return flux, None if error is None else flux * error * mag_per_unit * 0.4 * math.log(10)


def _others(block: Block, columns: PhotometryColumns, kept: NDArray[np.bool_]) -> Mapping[str, FloatColumn]:
    import numpy as np

    found: dict[str, FloatColumn] = {}
    for name, index in columns.others.items():
        values = np.array(block.numbers(index))[kept]
        if len(found) < _MAX_OTHERS and np.isfinite(values).any():
            values.flags.writeable = False
            found[name] = values
    return MappingProxyType(found)


def _notes(table: TextTable, n_left_out: int) -> tuple[str, ...]:
    notes = []
    if table.last_line_left_out:
        notes.append("The file does not end with a line end, so its last line may be cut and is not used.")
    if n_left_out:
        notes.append(f"Rows without a time or a flux were left out: {n_left_out}.")
    return tuple(notes)


def _median(values: FloatColumn) -> float:
    import numpy as np

    return float(np.median(values))
