"""
Contrast curves of high-resolution imaging: how faint a companion could hide at which separation.

Read from the text files that observers upload to ExoFOP, in every layout of `contrast_columns`, and written as TRICERATOPS
(Giacalone et al. 2021, AJ 161, 24) reads them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from btv_report.atomic import write_atomic
from btv_report.errors import BtvReportError, ProductCorruptError
from btv_report.exofop.curves.contrast_columns import CurveColumns, curve_columns, why_no_curve
from btv_report.exofop.curves.text_tables import LEAST_ROWS, read_text_table
from btv_report.exofop.curves.upload_facts import observation_of
from btv_report.exofop.manifest import MAX_MANIFEST_BYTES, read_manifest
from btv_report.exofop.types import ExoFopFile
from btv_report.fits.local_file import read_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WHAT = "contrast curve"
_HINT = "Its numbers stay in the file; open it to see what it holds, or give a table of separation (arcsec) and delta magnitude."
_TEXT_SUFFIXES = frozenset({".dat", ".tbl", ".csv", ".txt", ".tsv", ".tab", ".asc", ".ascii", ".cc", ""})
_NAMED_SO = re.compile(r"sensitivity|contrast|(?:^|[_-])cc(?:[_.-]|$)", re.IGNORECASE)
_OTHER_TYPES = frozenset({"light_curve", "light curve", "spectrum", "time_series", "observing_note"})


@dataclass(frozen=True, eq=False)
class ContrastCurve:
    """
    The limits of one image.

    Attributes
    ----------
    separation_arcsec : float64 ndarray, shape (n,), arcsec, strictly increasing, above 0
    delta_mag : float64 ndarray, shape (n,), mag, above 0: a companion that much fainter than the target would just be seen
    filter, instrument, date : as the file or its name states them, the date as `2022-03-17`; None where neither does. Gemini's
        speckle files state telescope and camera, and never the instrument's name
    layout : how the file is laid out, a phrase
    source : name of the file
    sha256 : of its bytes
    notes : sentences about what was left out or changed
    """

    separation_arcsec: NDArray[np.float64]
    delta_mag: NDArray[np.float64]
    filter: str | None
    instrument: str | None
    date: str | None
    layout: str
    source: str
    sha256: str
    notes: tuple[str, ...] = ()

    def to_triceratops(self, path: Path) -> Path:
        """
        Write the curve as a `contrast_curve_file` of TRICERATOPS, and give back the path.

        Two columns with a comma, arcsec and mag, below one line of comment. TRICERATOPS reads them with `numpy.loadtxt`, and
        looks up the separation of a limit with `numpy.interp`, which is only defined where the limits never fall outwards; it
        takes a companion for ruled out everywhere beyond that separation. Where a limit falls again farther out, the inner
        ones are therefore lowered to it: fewer companions are ruled out than were, never more.

        Raises
        ------
        LocalEnvironmentError
            If the file cannot be written.
        """
        import numpy as np

        ruled_out_beyond = np.minimum.accumulate(self.delta_mag[::-1])[::-1]
        rows = [f"{x!r},{y!r}" for x, y in zip(self.separation_arcsec.tolist(), ruled_out_beyond.tolist(), strict=True)]
        heading = f"# separation (arcsec), delta magnitude; from a file with sha256 {self.sha256}"
        write_atomic(path, ("\n".join([heading, *rows]) + "\n").encode("ascii"), private=True)
        return path


def load_exofop_contrast_curve_dat(path: Path) -> ContrastCurve:
    """
    Read a contrast curve from an observer's text file, whatever its suffix and layout.

    Rows of zero separation or zero magnitudes state no limit and are left out, so are repeated separations (the shallower of
    two different limits stays) and a last line without a line end, which may be cut; `notes` say how many.

    Raises
    ------
    ProductRefusedError
        If the file is no contrast curve, or does not say which of its numbers are one; the message says why.
    LocalEnvironmentError
        If it cannot be read.
    """
    table = read_text_table(path, what=WHAT, hint=_HINT)
    columns = curve_columns(table)
    reason = columns if isinstance(columns, str) else why_no_curve(columns)
    if isinstance(columns, str) or reason:
        raise table.refused(reason, WHAT, _HINT)
    separation, delta_mag, notes = _clean(columns)
    if len(separation) < LEAST_ROWS:
        raise table.refused(f"fewer than {LEAST_ROWS} of its rows state a limit", WHAT, _HINT)
    if table.last_line_left_out:
        notes = ("The file does not end with a line end, so its last line may be cut and is not used.", *notes)
    seen = observation_of(table, is_imaging=True)
    return ContrastCurve(
        separation,
        delta_mag,
        filter=seen.filter,
        instrument=seen.telescope,
        date=seen.date,
        layout=columns.layout,
        source=path.name,
        sha256=table.sha256,
        notes=notes,
    )


def find_contrast_curves(manifest_path: Path) -> list[Path]:
    """
    The files of a manifest that are contrast curves, in the order of their File IDs.

    Files that are listed as something else, or have no text suffix, are not opened; of the others those count that load and
    whose bytes have the recorded sha256. The name helps only where the type does not say `Image`.

    Raises
    ------
    ProductCorruptError
        If the manifest is none of schema version 1.
    LocalEnvironmentError
        If it cannot be read.
    """
    manifest = read_manifest(manifest_path, tic_id=_tic_id(manifest_path))
    curves, _ = contrast_curves_of(manifest.files)
    return [file.path for file, _ in curves if file.path is not None]


def unread_contrast_curves(manifest_path: Path) -> list[str]:
    """
    Names of files of a manifest that may be contrast curves by name and type, are at hand, and cannot be read as such.

    Raises
    ------
    ProductCorruptError, LocalEnvironmentError
        As `find_contrast_curves`.
    """
    manifest = read_manifest(manifest_path, tic_id=_tic_id(manifest_path))
    possible = (file for file in manifest.files if file.path is not None and _may_be(file))
    return [file.filename for file in possible if _curve(file) is None]


def contrast_curves_of(
    files: Sequence[ExoFopFile], most: int | None = None
) -> tuple[list[tuple[ExoFopFile, ContrastCurve]], int]:
    """
    The contrast curves among a manifest's files, each read once.

    Parameters
    ----------
    files : of a manifest that was held against its bytes
    most : curves that are read; None for all

    Returns
    -------
    list of (ExoFopFile, ContrastCurve), int
        The curves in the order of the files, and how many files that may be curves were not opened any more.
    """
    possible = [file for file in files if file.path is not None and _may_be(file)]
    found: list[tuple[ExoFopFile, ContrastCurve]] = []
    for number, file in enumerate(possible):
        if len(found) == most:
            return found, len(possible) - number
        curve = _curve(file)
        if curve is not None:
            found.append((file, curve))
    return found, 0


def _clean(columns: CurveColumns) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[str, ...]]:
    """Separations that rise and limits above zero, with sentences about what was left out."""
    import numpy as np

    separation = np.array(columns.separation) * columns.arcsec_per_unit
    delta_mag = np.array(columns.delta_mag)
    notes = []
    is_number = np.isfinite(separation) & np.isfinite(delta_mag)
    n_odd = columns.n_rejected + int((~is_number).sum())
    if n_odd:
        notes.append(f"Rows that are not two numbers were left out: {n_odd}.")
    if columns.arcsec_per_unit != 1:
        notes.append("The separations are given in milliarcseconds and were turned into arcsec.")
    if not (delta_mag[is_number] > 0).any() and (delta_mag[is_number] < 0).any():
        notes.append("The limits are given as negative magnitudes and were turned positive.")
        delta_mag = -delta_mag
    is_limit = is_number & (separation > 0) & (delta_mag > 0)
    if n_zero := int((is_number & ~is_limit).sum()):
        notes.append(f"Rows of zero separation or zero magnitudes state no limit and were left out: {n_zero}.")
    # By separation, then the shallower limit first, which is the one that is kept.
    order = np.lexsort((delta_mag[is_limit], separation[is_limit]))
    separation, delta_mag = separation[is_limit][order], delta_mag[is_limit][order]
    is_first = np.append(True, np.diff(separation) > 0)[: len(separation)]
    if n_repeated := int((~is_first).sum()):
        notes.append(f"Repeated separations were left out: {n_repeated}.")
    separation, delta_mag = separation[is_first], delta_mag[is_first]
    separation.flags.writeable = delta_mag.flags.writeable = False
    return separation, delta_mag, tuple(notes)


def _may_be(file: ExoFopFile) -> bool:
    """Whether a file's name and type leave room for a curve; the type that ExoFOP lists is an open set."""
    if Path(file.filename).suffix.casefold() not in _TEXT_SUFFIXES:
        return False
    return file.type.casefold() not in _OTHER_TYPES or bool(_NAMED_SO.search(file.filename))


def _curve(file: ExoFopFile) -> ContrastCurve | None:
    """The curve in a file that is here; None where it is none."""
    try:
        return load_exofop_contrast_curve_dat(file.path) if file.path is not None else None
    except BtvReportError:
        return None


def _tic_id(manifest_path: Path) -> int:
    """The target that a manifest is of, as it says itself."""
    file = read_file(manifest_path, max_bytes=MAX_MANIFEST_BYTES)
    try:
        tic_id = json.loads(file.raw)["target"]["tic_id"]
    except (ValueError, RecursionError, KeyError, TypeError):
        tic_id = None
    if isinstance(tic_id, bool) or not isinstance(tic_id, int):
        raise ProductCorruptError(
            f"The ExoFOP manifest {manifest_path.name} does not say of which target it is.",
            hint="Fetch it again.",
            path=manifest_path,
        )
    return tic_id
