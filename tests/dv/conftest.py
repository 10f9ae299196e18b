"""Small SPOC DV reports with a known truth, written as XML: one planet, one sector, a Gaussian star on 11 x 11 pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SHARED_DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
DvXml = Callable[..., bytes]
CORNER_ROW, CORNER_COLUMN = 333, 659
SHAPE = (11, 11)


def star(row: float, column: float, flux: float, sigma: float = 0.75) -> np.ndarray:
    """A Gaussian star integrated over the pixels."""

    def share(n: int, centre: float) -> np.ndarray:
        edges = [0.5 * math.erf((k - 0.5 - centre) / (sigma * math.sqrt(2))) for k in range(n + 1)]
        return np.diff(edges)

    return flux * np.outer(share(SHAPE[0], row), share(SHAPE[1], column))


def make_dv_xml(
    *,
    tic_id: str = "307210830",
    target: tuple[float, float] = (5.2, 5.4),
    source: tuple[float, float] = (5.2, 5.4),
    depth: float = 0.01,
    period_days: float = 3.69,
    sector: int = 2,
    tmag: float = 9.4,
    control: np.ndarray | None = None,
    edit: Callable[[str], str] = lambda text: text,
    namespace: str = "http://www.nasa.gov/2018/TESS/DV",
) -> bytes:
    """A report as SPOC writes it; rows and columns are 0-based places on the stamp, `edit` changes the text at the end."""
    flux = 1e6
    image = star(*target, flux) + 1000.0 if control is None else control
    missing = star(*source, flux * depth)
    pixels = "".join(
        f'<dv:differenceImagePixelData ccdRow="{CORNER_ROW + row}" ccdColumn="{CORNER_COLUMN + column}">'
        f'<dv:meanFluxInTransit value="{image[row, column] - missing[row, column]}" uncertainty="20.0"/>'
        f'<dv:meanFluxOutOfTransit value="{image[row, column]}" uncertainty="10.0"/>'
        f'<dv:meanFluxDifference value="{missing[row, column]}" uncertainty="22.0"/>'
        "</dv:differenceImagePixelData>"
        for row in range(SHAPE[0])
        for column in range(SHAPE[1])
    )
    values: dict[str, Any] = {
        "target": _centroid("ticReferenceCentroid", *target),
        "control": _centroid("controlImageCentroid", *target),
        "difference": _centroid("differenceImageCentroid", *source),
        "offsets": _offsets(source[0] - target[0], source[1] - target[1]),
    }
    text = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<dv:dvTargetResults ticId="{tic_id}" toiId="00175" sectorsObserved="{"0" * sector}1" xmlns:dv="{namespace}">
<dv:tessMag provenance="TIC7" value="{tmag}" uncertainty="0.02"/>
<dv:planetResults planetNumber="1" toiId="175.01">
<dv:allTransitsFit fullConvergence="true"><dv:modelParameters>
<dv:modelParameter name="transitEpochBtjd" uncertainty="5.3E-4" value="1356.2039"/>
<dv:modelParameter name="orbitalPeriodDays" uncertainty="2.9E-5" value="{period_days}"/>
<dv:modelParameter name="transitDurationHours" uncertainty="0.11" value="1.27"/>
<dv:modelParameter name="transitDepthPpm" uncertainty="59.3" value="{depth * 1e6}"/>
</dv:modelParameters></dv:allTransitsFit>
<dv:centroidResults><dv:differenceImageMotionResults>
<dv:msTicCentroidOffsets><dv:meanRaOffset value="1.0" uncertainty="2.51"/><dv:meanDecOffset value="-2.0" uncertainty="2.52"/>
<dv:meanSkyOffset value="2.24" uncertainty="2.52"/></dv:msTicCentroidOffsets>
<dv:msControlCentroidOffsets><dv:meanRaOffset value="0.0" uncertainty="-1.0"/>
<dv:meanDecOffset value="0.0" uncertainty="-1.0"/><dv:meanSkyOffset value="0.0" uncertainty="-1.0"/></dv:msControlCentroidOffsets>
</dv:differenceImageMotionResults></dv:centroidResults>
<dv:differenceImageResults sector="{sector}" numberOfTransits="6" overlappedTransits="false">
<dv:ccd ccdNumber="3" cameraNumber="4"/>{values["control"]}{values["difference"]}{values["target"]}{values["offsets"]}
{pixels}<dv:qualityMetric attempted="true" valid="true" value="0.97"/>
</dv:differenceImageResults>
<dv:ghostDiagnosticResults><dv:coreApertureCorrelationStatistic value="14.5" significance="1.0"/>
<dv:haloApertureCorrelationStatistic value="-0.32" significance="0.37"/></dv:ghostDiagnosticResults>
<dv:planetCandidate epochTjd="1356.2" maxMultipleEventSigma="29.5" orbitalPeriodInDays="3.6905"
 trialTransitPulseDurationInHours="1.0"/>
</dv:planetResults></dv:dvTargetResults>"""
    return edit(text).encode()


def _sky(row: float, column: float) -> tuple[float, float]:
    """RA and Dec (deg) of a place on the stamp: 21 arcsec a pixel, turned by 30 degrees."""
    offset = 21.0 * complex(column, row) * complex(math.cos(math.radians(30)), math.sin(math.radians(30)))
    return 120.0 + offset.real / 3600 / math.cos(math.radians(-60.0)), -60.0 + offset.imag / 3600


def _centroid(name: str, row: float, column: float) -> str:
    ra, dec = _sky(row, column)
    return (
        f'<dv:{name}><dv:row value="{CORNER_ROW + row}" uncertainty="0.03"/>'
        f'<dv:column value="{CORNER_COLUMN + column}" uncertainty="0.02"/>'
        f'<dv:raDegrees value="{ra!r}" uncertainty="0.0"/><dv:decDegrees value="{dec!r}" uncertainty="0.0"/></dv:{name}>'
    )


def _offsets(row: float, column: float) -> str:
    size = 21.0 * math.hypot(row, column)
    return "".join(
        f'<dv:{name}><dv:rowOffset value="{row}" uncertainty="0.03"/><dv:columnOffset value="{column}" uncertainty="0.02"/>'
        f'<dv:skyOffset value="{size}" uncertainty="0.5"/></dv:{name}>'
        for name in ("ticCentroidOffsets", "controlCentroidOffsets")
    )


@pytest.fixture(scope="session")
def dv_xml() -> DvXml:
    """Writes a report; see `make_dv_xml`."""
    return make_dv_xml


@pytest.fixture(scope="session")
def star_image() -> Callable[..., np.ndarray]:
    """Draws a star; see `star`."""
    return star


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real data beside the checkout."""
    if not (SHARED_DATA / "dv").is_dir():
        pytest.skip("the real data are not beside this checkout (../shared/data)")
    return SHARED_DATA
