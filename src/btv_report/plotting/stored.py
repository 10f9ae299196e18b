"""What a check result holds for its picture: stamps in memory, as lists, or in base64 as a run record keeps them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from btv_report.checks.result import CheckResult, Metric, Verdict
from btv_report.dossier.figures.pixels import BoolImage, FloatImage
from btv_report.errors import PlotError
from btv_report.record import MASK, CheckValue
from btv_report.stamps import decode_stamp

PLOT_DATA = "plot_data"
_NEEDED = {"check_id", "candidate", "sector", "verdict", "summary", "reason", "metrics", "flags"}


def result_from_record(check: CheckValue) -> CheckResult:
    """
    A check of a run record, or a row of `check --json`, as the `CheckResult` it was made from.

    A row of `check --json` has stamps and metrics, but no details, thresholds or parameters: pictures are drawn without what
    only those hold. Floats of `details` come back with the nine digits that the record keeps; masks are bool again. `inputs`,
    the hashes of the products, stay with the record.

    Raises
    ------
    ValueError
        If a stamp is damaged, the verdict is none that is known, or it is no check result at all (PlotError).
    """
    missing = sorted(_NEEDED - set(check))
    if missing:
        raise PlotError(
            f"What was given is no check result: it has no {', '.join(missing)}.",
            hint="Give one item of `checks` of a run record or of `btv-report check --json`.",
        )
    details = dict(check.get("details") or {})
    if stamps := check.get("stamps"):
        details[PLOT_DATA] = {name: _decoded(stamp) for name, stamp in stamps.items()}
    return CheckResult(
        check_id=check["check_id"],
        candidate=check["candidate"],
        sector=check["sector"],
        verdict=Verdict(check["verdict"]),
        summary=check["summary"],
        reason=check["reason"],
        metrics={name: Metric(metric["value"], metric["unit"]) for name, metric in check["metrics"].items()},
        flags=tuple(check["flags"]),
        thresholds=check.get("thresholds") or {},
        parameters=check.get("parameters") or {},
        method_version=check.get("method_version") or "",
        details=details,
    )


def _decoded(stamp: Mapping[str, Any]) -> NDArray[Any]:
    """A stamp of a record as an array; masks as bool."""
    image = decode_stamp(cast(Any, stamp))
    return image > 0 if stamp["dtype"] == MASK else image


def result_of(result: CheckResult | CheckValue, check_id: str, function: str) -> CheckResult:
    """
    The result that a plotting function was given, in one form.

    Raises
    ------
    PlotError
        If it is the result of another check.
    """
    one = result_from_record(result) if isinstance(result, Mapping) else result
    if one.check_id != check_id:
        raise PlotError(
            f"{function} draws results of {check_id}, and was given one of {one.check_id} ({place_words(one)}).",
            hint=f"Give it the {check_id} result of the same candidate and sector.",
        )
    return one


def place_words(result: CheckResult) -> str:
    """`candidate 1262.01, sector 83`."""
    where = "all sectors combined" if result.sector is None else f"sector {result.sector}"
    return f"candidate {result.candidate}, {where}"


def place_of(result: CheckResult, name: str) -> Mapping[str, Any] | None:
    """A place of the details such as `target`, else out of the metrics, such as `target_row` and `target_column`."""
    if place := result.details.get(name):
        return cast(Mapping[str, Any], place)
    row, column = (result.metrics.get(f"{name}_{axis}") for axis in ("row", "column"))
    return None if row is None or column is None else {"row": row.value, "column": column.value}


def stored_image(result: CheckResult, name: str) -> FloatImage | None:
    """
    A stored stamp, float32, shape (n_row, n_column), infinities as NaN; None where it is not stored or nothing is finite.

    Raises
    ------
    PlotError
        If what is stored under the name is no image.
    """
    value = result.details.get(PLOT_DATA, {}).get(name)
    if value is None:
        return None
    image = np.array(_decoded(value) if isinstance(value, Mapping) else value, dtype=np.float32)
    if image.ndim != 2:
        raise PlotError(f"The stamp {name} of {result.check_id} has the shape {image.shape}, not rows x columns.")
    image[~np.isfinite(image)] = np.nan
    return image if np.isfinite(image).any() else None


def stored_mask(result: CheckResult, name: str, shape: tuple[int, ...]) -> BoolImage | None:
    """A stored mask; None where there is none of that shape or it is empty."""
    image = stored_image(result, name)
    if image is None or image.shape != shape:
        return None
    mask = np.asarray(np.nan_to_num(image) > 0, dtype=np.bool_)
    return mask if mask.any() else None


def image_to_draw(result: CheckResult, name: str, tpf_data: ArrayLike | None) -> tuple[FloatImage, bool]:
    """
    The stored stamp of that name, else the median over the cadences of `tpf_data`.

    Returns
    -------
    image : float32, shape (n_row, n_column)
    stored : whether it is the stamp that was asked for, and not the median

    Raises
    ------
    PlotError
        If there is neither, or `tpf_data` is no cube with a finite value, or its pixels are not those of the stored stamps.
    """
    image = stored_image(result, name)
    if tpf_data is not None:
        _require_shape(result, tpf_data)
    if image is not None:
        return image, True
    if tpf_data is not None:
        return median_image(tpf_data), False
    raise PlotError(
        f"The {result.check_id} result of {place_words(result)} holds no {name}, and no tpf_data was given.{why_not_run(result)}",
        hint="Run the check with store_plot_data=True or give tpf_data (cadences x rows x columns)."
        if result.sector is not None
        else "Give the result of one sector: the combination of sectors has no pixels.",
    )


def why_not_run(result: CheckResult) -> str:
    """Why the check was not run, a sentence that begins with a space; empty where it was."""
    return f" The check was not run: {result.reason.rstrip('.')}." if result.reason else ""


def _require_shape(result: CheckResult, tpf_data: ArrayLike) -> None:
    """
    Refuse pixels of another shape than the stamps of the result: they are of another file.

    Raises
    ------
    PlotError
        Naming both shapes.
    """
    shape = np.shape(tpf_data)
    for name in result.details.get(PLOT_DATA, {}):
        stamp = stored_image(result, name)
        if stamp is not None and (len(shape) != 3 or shape[1:] != stamp.shape):
            raise PlotError(
                f"tpf_data has the shape {shape}, but the stamps of the {result.check_id} result of {place_words(result)} have "
                f"{stamp.shape[0]} rows x {stamp.shape[1]} columns.",
                hint="Give the flux of the pixel file that was checked (cadences x rows x columns).",
            )


def median_image(tpf_data: ArrayLike) -> FloatImage:
    """
    Median over the cadences, pixel by pixel, NaN left out.

    Parameters
    ----------
    tpf_data : shape (n_cadence, n_row, n_column); a masked array counts as NaN where it is masked

    Raises
    ------
    PlotError
        If it has another number of axes, or no finite value.
    """
    if isinstance(tpf_data, np.ma.MaskedArray):
        tpf_data = np.ma.filled(tpf_data.astype(np.float32), np.nan)
    cube = np.asarray(tpf_data, dtype=np.float32)
    if cube.ndim != 3 or not np.isfinite(cube).any():
        raise PlotError(
            f"tpf_data has the shape {cube.shape}" + (" and no finite value." if cube.ndim == 3 else "."),
            hint="Give the flux of a pixel file: cadences x rows x columns.",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a pixel without any value stays NaN, and is drawn as a gap
        return np.asarray(np.nanmedian(np.where(np.isfinite(cube), cube, np.nan), axis=0), dtype=np.float32)
