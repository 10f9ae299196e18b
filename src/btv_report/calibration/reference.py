"""
Table 7: known answers. A real sector whose numbers were measured before by other code, and a cube known by hand.

The real sector is sector 83 of TIC 188646744 (TOI-5807.01): two transits, shallow, a case in which a careful vetter promises
nothing. The cube is noiseless: Gaussians of sigma 1.5 px, a target that loses 0.2 % or a neighbour that loses 80 %.
"""

from __future__ import annotations

import math

import numpy as np

from btv_report.calibration.cubes import real_sector
from btv_report.calibration.table import Column, Row, Table, Value
from btv_report.calibration.trials import Effort, RealData
from btv_report.checks.apertures import FloatArray
from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.inputs import PixelStack
from btv_report.checks.result import CheckResult, Verdict
from btv_report.checks.run import run_pixel_checks
from btv_report.ephemeris import Ephemeris

KEY = "reference"
TITLE = "Known answers"
ASKED = (
    "Sector 83 of TIC 188646744: transits of 219 and 270 ppm, each known to 64 ppm; their own peaks at (row 6, column 6) and "
    "(6, 4), the mean difference image's at (6, 5); the catalogue position at row 5.667, column 4.533; a source found at an SNR "
    "of 5 to 6.5 and called weak; nothing that fails. The cube known by hand: peaks at (5, 5) and (7, 7)."
)
METHOD = "The checks as in any report; the cube by their difference images alone."
COLUMNS = (
    Column("what", "Quantity"),
    Column("unit", "Unit"),
    Column("expected", "Expected"),
    Column("measured", "Measured"),
)
DEPTHS_PPM, DEPTH_ERR_PPM = (219.0, 270.0), 64.0
DEPTH_TOLERANCE_PPM, ERR_TOLERANCE_PPM = 5.0, 8.0
PEAKS = ((6, 6), (6, 4))
CATALOGUE, CATALOGUE_TOLERANCE_PX = (5.667, 4.533), 0.002
WEAK_SNR = (5.0, 6.5)
HAND_EPHEMERIS = Ephemeris(1.5, 1800.3, 2.0)


def reference_table(effort: Effort, data: RealData | None) -> Table:
    """Make table 7; the real sector only where the data folder holds it. Effort does not matter."""
    del effort
    sector = real_sector(data)
    rows = [*_hand_rows()]
    notes: tuple[str, ...] = ("The real sector is left out: the data folder does not hold it.",)
    samples = {}
    if sector is not None and sector.tic_id == 188646744:
        rows = [*_real_rows(sector.stack, sector.signals[0]), *rows]
        notes, samples = (), {"files": [sector.file_entry]}
    return Table(KEY, TITLE, ASKED, METHOD, COLUMNS, tuple(rows), notes=notes, samples=samples)


def _row(what: str, unit: str, expected: str, measured: Value, met: bool) -> Row:
    return Row({"what": what, "unit": unit, "expected": expected, "measured": measured}, bool(met))


def _real_rows(stack: PixelStack, signal: Ephemeris) -> list[Row]:
    done = run_pixel_checks(stack, signal)
    checks = {result.check_id: result for result in done.results}
    used = [transit for transit in done.transits if transit.used]
    rows = [_row("transits used", "", "2", len(used), len(used) == len(DEPTHS_PPM))]
    for i, (transit, depth_ppm, peak) in enumerate(zip(used, DEPTHS_PPM, PEAKS, strict=False), start=1):
        depth, error = transit.depth_ppm or math.nan, transit.depth_ppm_err or math.nan
        near = abs(depth - depth_ppm) <= DEPTH_TOLERANCE_PPM
        rows.append(_row(f"depth of transit {i}", "ppm", f"{depth_ppm:g}", round(depth, 1), near))
        near = abs(error - DEPTH_ERR_PPM) <= ERR_TOLERANCE_PPM
        rows.append(_row(f"error of depth {i}", "ppm", f"{DEPTH_ERR_PPM:g}", round(error, 1), near))
        seen = (transit.peak_row, transit.peak_column)
        rows.append(
            _row(f"peak of transit {i}", "row, column", f"{peak[0]}, {peak[1]}", f"{seen[0]}, {seen[1]}", seen == peak)
        )
    return [*rows, *_source_rows(checks["V09"]), *_verdict_rows(checks)]


def _source_rows(source: CheckResult) -> list[Row]:
    metrics = {name: metric.value for name, metric in source.metrics.items()}
    peak = (metrics["peak_row"], metrics["peak_column"])
    place = (metrics["target_row"], metrics["target_column"])
    near = math.dist(place, CATALOGUE) <= CATALOGUE_TOLERANCE_PX
    snr = metrics["snr"]
    return [
        _row("peak of the mean difference image", "row, column", "6, 5", f"{peak[0]}, {peak[1]}", peak == (6, 5)),
        _row("catalogue position", "row, column", "5.667, 4.533", f"{place[0]:.3f}, {place[1]:.3f}", near),
        _row("signal-to-noise of the source", "", "5 to 6.5", round(snr, 2), WEAK_SNR[0] <= snr <= WEAK_SNR[1]),
        _row("said to be weak", "", "yes", "yes" if "weak" in source.summary else "no", "weak" in source.summary),
    ]


def _verdict_rows(checks: dict[str, CheckResult]) -> list[Row]:
    return [
        _row(f"verdict of {check_id}", "", "not fail", str(result.verdict), result.verdict is not Verdict.FAIL)
        for check_id, result in checks.items()
    ]


def _hand_rows() -> list[Row]:
    rows = []
    for name, factors, expected in (
        ("target dimmed", (0.998, 1.0), (5, 5)),
        ("neighbour dimmed", (1.0, 0.2), (7, 7)),
    ):
        measurement = measure_pixels(hand_cube(*factors), HAND_EPHEMERIS)
        image = measurement.image(measurement.difference)
        row, column = np.unravel_index(int(np.nanargmax(image)), image.shape)
        seen = (int(row), int(column))
        where = f"{expected[0]}, {expected[1]}"
        rows.append(_row(f"cube, {name}: peak", "row, column", where, f"{seen[0]}, {seen[1]}", seen == expected))
    return rows


def hand_cube(target_in_transit: float, neighbour_in_transit: float) -> PixelStack:
    """
    A noiseless cube: 2,000 cadences of 2 min from BTJD 1800.0, 11 x 11 pixels, 50 units of sky a pixel.

    The target stands at (5, 5) with a peak of 10,000 units, the neighbour at (7, 7) with 500; in transit each is multiplied by
    its factor.
    """
    time = 1800.0 + np.arange(2000) / 720
    phase = (time - HAND_EPHEMERIS.epoch_btjd + 0.75) % 1.5 - 0.75
    inside = (np.abs(phase) <= HAND_EPHEMERIS.duration_days / 2)[:, None, None]
    flux = 50 + _gaussian(5, 5, 10000) * np.where(inside, target_in_transit, 1.0)
    flux = flux + _gaussian(7, 7, 500) * np.where(inside, neighbour_in_transit, 1.0)
    return PixelStack(
        sector=14,
        time_btjd=time,
        flux=flux.astype(np.float32),
        flux_err=None,
        used=np.ones(len(time), bool),
        quality=np.zeros(len(time), np.int32),
        cadence_s=120.0,
        target_row=5.0,
        target_column=5.0,
    )


def _gaussian(row: int, column: int, peak: float) -> FloatArray:
    rows, columns = np.indices((11, 11))
    return np.asarray(peak * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * 1.5**2)))
