"""FITS bytes to a `LightCurve` with its provenance, for the columns of SPOC, TESS-SPOC, QLP and TGLC."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from btv_report.errors import ProductRefusedError, UsageError
from btv_report.fits.blocks import walk_hdus
from btv_report.fits.headers import header_fraction, is_repacked
from btv_report.fits.model import ProductHeader, ProductKind
from btv_report.fits.table import BinaryTable, read_table
from btv_report.products.cadences import read_cadences
from btv_report.products.model import LightCurve, LightCurveProvenance, ProductFile
from btv_report.quality import DEFAULT_QUALITY_MASK

FLUX_KINDS = ("pdcsap", "sap")
FluxChoice = tuple[str, NDArray[np.float64], str]

# Columns that mean the same thing stand in one group, best first; the next group is a fallback that is always said.
_CORRECTED = {
    "QLP": ("KSPSAP_FLUX", "DET_FLUX", "SYS_RM_FLUX"),
    "TGLC": ("CAL_PSF_FLUX", "CAL_APER_FLUX"),
    "": ("PDCSAP_FLUX", "KSPSAP_FLUX", "DET_FLUX", "CAL_PSF_FLUX", "CAL_APER_FLUX", "CORR_FLUX"),
}
_APERTURE = {
    "QLP": ("SAP_FLUX",),
    "TGLC": ("APERTURE_FLUX", "PSF_FLUX"),
    "": ("SAP_FLUX", "APERTURE_FLUX", "PSF_FLUX", "RAW_FLUX", "FLUX"),
}
_TGLC_ERROR_KEYWORDS = {
    "CAL_PSF_FLUX": "CPSF_ERR",
    "CAL_APER_FLUX": "CAPE_ERR",
    "PSF_FLUX": "PSF_ERR",
    "APERTURE_FLUX": "APER_ERR",
}
_SCATTER_METHOD = "estimated from scatter (1.4826 x median absolute first difference / sqrt 2)"


def read_light_curve(
    product: ProductFile,
    content: bytes,
    *,
    flux: str = "pdcsap",
    quality_mask: int = DEFAULT_QUALITY_MASK,
    normalise: bool = True,
    exptime_asked_s: float | None = None,
) -> LightCurve:
    """
    Read a light curve.

    Parameters
    ----------
    product : the file, inspected
    content : its decompressed bytes
    flux : `pdcsap` (systematics-corrected) or `sap` (aperture sum); other pipelines' nearest column stands in, and is named
    quality_mask : integer mask in TESS bits; cadences with a masked bit are kept in the arrays, but not `used`
    normalise : divide by the median of the used cadences, when it is positive
    exptime_asked_s : `--exptime`, for the provenance

    Returns
    -------
    LightCurve
        Every cadence of the file, in its order.

    Raises
    ------
    ProductRefusedError
        If the file is no light curve, its times are not BTJD, or no cadence can be used.
    ProductCorruptError
        If its table does not add up.
    """
    header = light_curve_header(product)
    table = _light_curve_table(product, content)
    cadences = read_cadences(table, header, quality_mask)
    column, raw, note = choose_flux(table, header, flux, cadences.kept)
    used = cadences.kept & np.isfinite(raw)
    if not used.any():
        raise ProductRefusedError(
            f"{product.path.name} has no usable cadence: {no_cadence_reason(cadences.kept, column)}."
        )
    errors, error_source = _flux_errors(table, header, column, raw, _in_time(cadences.time_btjd, used))
    divisor, normalisation_note = _divisor(raw[used], normalise=normalise)
    unit = _unit(table, header, column)
    scale = 1.0 if divisor is None else divisor
    provenance = LightCurveProvenance(
        flux_asked=flux,
        flux_column=column,
        flux_unit=unit if divisor is None else "relative",
        quality_mask=cadences.quality_mask,
        quality_column=cadences.quality_column,
        removed_by_bit=cadences.removed_by_bit,
        flagged_by_bit=cadences.flagged_by_bit,
        n_cadences=int(raw.size),
        n_used=int(np.count_nonzero(used)),
        n_nonfinite_time=int(np.count_nonzero(~np.isfinite(cadences.time_btjd))) - cadences.n_impossible_times,
        n_nonfinite_flux=int(np.count_nonzero(~np.isfinite(raw))),
        exptime_asked_s=exptime_asked_s,
        exptime_header_s=header.exptime_s,
        cadence_measured_s=cadences.cadence_measured_s,
        normalised=divisor is not None,
        divisor=divisor,
        divisor_unit=unit,
        normalisation_note=normalisation_note,
        flux_err_source=error_source,
        time_reference=header.time_reference,
        flux_note=note,
        n_absent_cadences=cadences.n_absent,
        n_repeated_times=cadences.n_repeated_times,
        n_impossible_times=cadences.n_impossible_times,
        times_in_order=cadences.times_in_order,
        repacked=is_repacked(header),
        crowdsap=header_fraction(header, "CROWDSAP"),
        removed_by_column=cadences.removed_by_column,
    )
    return LightCurve(product, cadences.time_btjd, raw / scale, errors / scale, cadences.quality, used, provenance)


def light_curve_header(product: ProductFile) -> ProductHeader:
    """The header of a light curve whose times are BTJD; refuses anything else."""
    name, header = product.path.name, product.header
    if header is None or header.kind is not ProductKind.LIGHT_CURVE:
        raise ProductRefusedError(f"{name} is no light curve.", path=product.path)
    reason = header.time_reference.reason_not_btjd()
    if reason is not None:
        raise ProductRefusedError(f"{name} is refused: {reason}.", path=product.path)
    return header


def _light_curve_table(product: ProductFile, content: bytes) -> BinaryTable:
    hdus = list(walk_hdus(content))
    return read_table(content, hdus[1], product.path.name)


def choose_flux(table: BinaryTable, header: ProductHeader, flux: str, kept: NDArray[np.bool_]) -> FluxChoice:
    """
    Pick the flux column: the first of the kind asked for that has a finite value in a kept cadence.

    Only when the file has no column of that kind at all, the other kind is used, and a note says so: a corrected flux that
    is all NaN was withdrawn by its pipeline, and is not replaced silently.

    Returns
    -------
    name, values (float64, shape (n,)), note (empty, or a phrase)
    """
    if flux not in FLUX_KINDS:
        raise UsageError(f"{flux!r} is not a kind of flux.", hint="Give --flux pdcsap or --flux sap.")
    corrected = _CORRECTED.get(header.pipeline, _CORRECTED[""])
    aperture = _APERTURE.get(header.pipeline, _APERTURE[""])
    groups = (corrected, aperture) if flux == "pdcsap" else (aperture, corrected)
    for number, group in enumerate(groups):
        present = [name for name in group if name in table.columns and table.columns[name].shape == ()]
        if present:
            note = f"{flux} was asked for, but the file has no such column; {present[0]} was used" if number else ""
            return _first_finite(table, present, kept, note)
    names = ", ".join(sorted(table.columns))
    raise ProductRefusedError(f"{table.file_name} has no flux column that is known here (it has {names}).")


def _first_finite(table: BinaryTable, names: list[str], kept: NDArray[np.bool_], note: str) -> FluxChoice:
    first = np.asarray(table.read(names[0]), dtype=np.float64)
    if np.isfinite(first[kept]).any():
        return names[0], first, note
    for name in names[1:]:
        values = np.asarray(table.read(name), dtype=np.float64)
        if np.isfinite(values[kept]).any():
            return name, values, f"{names[0]} has no finite value; {name} was used"
    return names[0], first, note


def no_cadence_reason(kept: NDArray[np.bool_], column: str) -> str:
    """Why no cadence is left: flags and times, or the flux."""
    if not kept.any():
        return f"all {kept.size:,} cadences are flagged or without a time"
    return f"{column} has no finite value in the {int(np.count_nonzero(kept)):,} cadences that are not flagged"


def _in_time(time_btjd: NDArray[np.float64], used: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Where the used cadences stand in the file, earliest first."""
    places = np.flatnonzero(used)
    return places[np.argsort(time_btjd[places], kind="stable")]


def _flux_errors(
    table: BinaryTable, header: ProductHeader, column: str, flux: NDArray[np.float64], used: NDArray[np.intp]
) -> tuple[NDArray[np.float64], str]:
    for name in (f"{column}_ERR", "FLUX_ERR"):
        if name in table.columns and table.columns[name].shape == ():
            errors = np.asarray(table.read(name), dtype=np.float64)
            if np.isfinite(errors[used]).any():
                return errors, name
    keyword = _TGLC_ERROR_KEYWORDS.get(column, "")
    stated = header.keywords.get(keyword)
    if isinstance(stated, float) and np.isfinite(stated) and stated > 0:
        return np.full(flux.shape, stated), f"header {keyword}, the same for all cadences"
    return np.full(flux.shape, scatter(flux[used])), _SCATTER_METHOD


def scatter(flux: NDArray[np.float64]) -> float:
    """
    White-noise scatter: 1.4826 times the median absolute first difference over sqrt 2, blind to slow variation.

    `flux` is in the order of time.
    """
    if flux.size < 2:
        return float("nan")
    return float(1.4826 * np.median(np.abs(np.diff(flux))) / np.sqrt(2.0))


def _divisor(used_flux: NDArray[np.float64], *, normalise: bool) -> tuple[float | None, str]:
    if not normalise:
        return None, "not asked for (--no-normalise)"
    median = float(np.median(used_flux))
    if not np.isfinite(median) or median <= 0:
        return None, f"the median flux is not positive ({median:.6g}): dividing by it would turn the curve upside down"
    return median, ""


def _unit(table: BinaryTable, header: ProductHeader, column: str) -> str:
    unit = table.columns[column].unit
    if unit:
        return unit
    if header.pipeline == "QLP" or column.startswith("CAL_"):
        return "relative"
    return "e-/s" if header.pipeline == "TGLC" else "not stated"
