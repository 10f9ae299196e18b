"""The times of the light curves of one sector held against each other: measured and shown, never corrected."""

from __future__ import annotations

from collections.abc import Sequence

from btv_report.errors import BtvReportError
from btv_report.fits.model import ProductKind
from btv_report.products.inspect import content_of
from btv_report.products.light_curve import read_light_curve
from btv_report.products.model import LightCurve, ProductFile, ProductState
from btv_report.products.time_offsets import measure_time_offset
from btv_report.record import TimeOffsetValue
from btv_report.stages.request import ReportRequest


def compare_times(
    request: ReportRequest, products: Sequence[ProductFile], used: Sequence[LightCurve]
) -> list[TimeOffsetValue]:
    """Every other sound light curve of a sector at hand against the used one of that sector."""
    values = []
    for curve in used:
        header = curve.product.header
        for other in products:
            if header is None or not _is_other_curve(other, curve):
                continue
            values.append(_compare(request, other, curve))
    return [value for value in values if value is not None]


def _is_other_curve(product: ProductFile, used: LightCurve) -> bool:
    header, mine = product.header, used.product.header
    return (
        product.state is ProductState.OK
        and header is not None
        and mine is not None
        and header.kind is ProductKind.LIGHT_CURVE
        and header.sector == mine.sector
        and product.sha256 != used.product.sha256
        and header.simulated == mine.simulated
    )


def _compare(request: ReportRequest, other: ProductFile, used: LightCurve) -> TimeOffsetValue | None:
    try:
        curve = read_light_curve(
            other,
            content_of(other),
            flux=request.flux,
            quality_mask=request.quality_mask,
            normalise=False,
            exptime_asked_s=None,
        )
    except BtvReportError:
        return None  # what is wrong with it stands in its own entry
    cadences = (curve.provenance.cadence_measured_s, used.provenance.cadence_measured_s)
    if cadences[0] is None or cadences[1] is None or other.header is None or used.product.header is None:
        return None
    offset = measure_time_offset(curve.time_btjd, used.time_btjd, min(cadences[0], cadences[1]))
    value: TimeOffsetValue = {
        "sector": used.product.header.sector or 0,
        "pipeline": other.header.pipeline,
        "procver": other.header.procver,
        "file": other.path.name,
        "sha256": other.sha256,
        "against_pipeline": used.product.header.pipeline,
        "against_procver": used.product.header.procver,
        "against_sha256": used.product.sha256,
    }
    if offset is not None:
        value["offset_s"] = offset.offset_s
        value["spread_s"] = offset.spread_s
        value["n_pairs"] = offset.n_pairs
    return value
