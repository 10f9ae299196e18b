"""
SPOC Data Validation (DV) reports, `*_dvr.xml`: what SPOC itself measured, and the pixels of its difference images.

The XML carries no schema that is published; what is read here was seen in reports of 2018 to 2025 and is told by names, so that
elements which come or go do no harm. Numbers that SPOC did not compute (an error or significance of -1) are absent, not -1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element  # the type only: defusedxml parses

import numpy as np

from btv_report.errors import ProductCorruptError, ProductRefusedError
from btv_report.fits.local_file import FileBytes, decompress, read_file
from btv_report.products.dv_model import (
    DvCentroid,
    DvDifferenceImage,
    DvOffset,
    DvPlanet,
    DvQuality,
    DvReport,
    Measured,
    Significance,
)
from btv_report.products.dv_xml import HINT, Node, Reader, shown
from btv_report.targets import MAX_SECTOR

ROOT_ELEMENT = "dvTargetResults"
MAX_DV_BYTES = 64_000_000
"""Largest report, as it lies and decompressed; 21 difference images take 1.6 MB."""
MAX_CCD_COORDINATE = 4096
MAX_STAMP_PIXELS = 250_000
MAX_PLANETS = 100
MAX_TRANSITS = 100_000
N_CAMERAS, N_CCDS = 4, 4
SMALLEST_PERIOD_DAYS = 1e-6
"""Far below any orbit; shorter ones leave the range of floats in ratios."""


def read_dv_report(path: Path) -> DvReport:
    """
    Read one `*_dvr.xml`, plain or gzipped.

    Raises
    ------
    LocalEnvironmentError
        If the file cannot be read.
    ProductRefusedError
        If it is no DV report, is too large, declares a document type or entities, or states a number that is none.
    ProductCorruptError
        If the XML is damaged or ends early.
    """
    try:
        source = read_file(path, max_bytes=MAX_DV_BYTES)
    except ProductRefusedError as error:
        raise _too_large(Reader(path)) from error
    return parse_dv_report(source)


def parse_dv_report(source: FileBytes) -> DvReport:
    """The report in a file already read; see `read_dv_report` for the errors."""
    reader = Reader(source.path)
    root = Node(_root_element(source), reader)
    if root.name != ROOT_ELEMENT:
        raise reader.refused(f"its root element is {shown(root.name)}, not {ROOT_ELEMENT!r}")
    tic_id = root.integer("ticId")
    if tic_id is None or tic_id <= 0:
        raise reader.refused("it names no TIC number" if tic_id is None else f"{tic_id} is no TIC number")
    magnitude = root.child("tessMag")
    toi = root.name_of("toiId")
    return DvReport(
        file=source.path.name,
        sha256=source.sha256,
        tic_id=tic_id,
        toi=toi.lstrip("0") or None if toi else None,
        sectors=_sectors(root),
        tmag=magnitude.number("value") if magnitude else None,
        planets=_planets(root),
    )


def _sectors(root: Node) -> tuple[int, ...]:
    """The sectors that `sectorsObserved` names: a 0 or 1 for each, from a sector 0 on, which there is not."""
    bits = root.text("sectorsObserved") or ""
    if set(bits) - {"0", "1"}:
        raise root.reader.refused(f"sectorsObserved is {shown(bits)}, not a 0 or 1 for each sector")
    last = bits.rfind("1")
    if last > MAX_SECTOR or bits.startswith("1"):
        claimed = last if last > MAX_SECTOR else 0
        raise root.reader.refused(f"it claims to be of sector {claimed:,}, which TESS does not have")
    return tuple(place for place, bit in enumerate(bits[: last + 1]) if bit == "1")


def _too_large(reader: Reader) -> ProductRefusedError:
    return reader.refused(f"it has more than {MAX_DV_BYTES:,} bytes, and no DV report comes near that")


def _root_element(source: FileBytes) -> Element:
    """Parse the bytes; whatever an XML file can do to its reader is refused, whatever is damaged is said to be."""
    from defusedxml import DefusedXmlException, ElementTree

    name = source.path.name
    content = source.raw
    if source.compressed:
        try:
            content = decompress(source.raw, source.path, max_bytes=MAX_DV_BYTES)
        except ProductRefusedError as error:
            raise _too_large(Reader(source.path)) from error
    if not content.strip():
        raise ProductCorruptError(f"{name} is empty.", hint=HINT, path=source.path)
    try:
        root: Element = ElementTree.fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise ProductRefusedError(
            f"{name} is refused: it declares a document type or entities, which no DV report does.",
            hint="Do not use this file; fetch the DV report from the archive.",
            path=source.path,
        ) from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise ProductCorruptError(f"{name} is damaged or no XML: {error}.", hint=HINT, path=source.path) from error
    return root


def _planets(root: Node) -> tuple[DvPlanet, ...]:
    planets = tuple(_planet(node) for node in root.children("planetResults"))
    numbers = [planet.planet_number for planet in planets]
    if len(set(numbers)) < len(numbers):
        raise root.reader.refused("two of its planetResults have the same planetNumber")
    return planets


def _planet(node: Node) -> DvPlanet:
    number = node.integer_within("planetNumber", 1, MAX_PLANETS)
    if number is None:
        raise node.reader.refused("one of its planetResults has no planetNumber")
    candidate = node.child("planetCandidate")
    motion = node.child("centroidResults", "differenceImageMotionResults")
    return DvPlanet(
        planet_number=number,
        toi=node.name_of("toiId"),
        **_signal(node, candidate),
        mes=candidate.number("maxMultipleEventSigma") if candidate else None,
        ghost_core=_significance(node.child("ghostDiagnosticResults", "coreApertureCorrelationStatistic")),
        ghost_halo=_significance(node.child("ghostDiagnosticResults", "haloApertureCorrelationStatistic")),
        tic_offset=_offset(motion.child("msTicCentroidOffsets") if motion else None, "mean"),
        control_offset=_offset(motion.child("msControlCentroidOffsets") if motion else None, "mean"),
        difference_images=_images(node),
    )


def _signal(node: Node, candidate: Node | None) -> dict[str, Any]:
    """Period, epoch, duration and depth of the best fit that has them, and which one that is."""
    for name, label in (("allTransitsFit", "transit model"), ("trapezoidalFit", "trapezoid")):
        fit = node.child(name)
        if fit is None or fit.flag("fullConvergence") is False:
            continue
        found = {item.text("name"): item for item in _parameters(fit)}
        period = _positive(found, "orbitalPeriodDays", SMALLEST_PERIOD_DAYS)
        epoch = found["transitEpochBtjd"].number("value") if "transitEpochBtjd" in found else None
        if period is None or epoch is None:
            continue
        return {
            "period_days": period,
            "epoch_btjd": epoch,
            "duration_hours": _positive(found, "transitDurationHours"),
            "depth_ppm": _fitted(found.get("transitDepthPpm")),
            "fit": label,
        }
    period = candidate.number("orbitalPeriodInDays") if candidate else None
    searched = candidate is not None and period is not None and period >= SMALLEST_PERIOD_DAYS
    return {
        "period_days": period if searched else None,
        "epoch_btjd": candidate.number("epochTjd") if candidate and searched else None,
        "duration_hours": candidate.number("trialTransitPulseDurationInHours") if candidate and searched else None,
        "depth_ppm": None,
        "fit": "search" if searched else "",
    }


def _parameters(fit: Node) -> Iterator[Node]:
    table = fit.child("modelParameters")
    return table.children("modelParameter") if table else iter(())


def _positive(found: dict[str | None, Node], name: str, least: float = 0.0) -> float | None:
    value = found[name].number("value") if name in found else None
    return value if value is not None and value > 0 and value >= least else None


def _fitted(node: Node | None) -> Measured | None:
    """A parameter of a fit; the trapezoid states -1 for errors that it does not have."""
    value = node.number("value") if node else None
    error = node.number("uncertainty") if node else None
    return None if value is None else Measured(value, error if error is not None and error > 0 else None)


def _significance(node: Node | None) -> Significance | None:
    """A statistic; None where SPOC did not compute it (significance -1)."""
    value = node.number("value") if node else None
    significance = node.number("significance") if node else None
    if value is None or (significance is not None and significance < 0):
        return None
    return Significance(value, significance)


def _offset(node: Node | None, prefix: str = "") -> DvOffset:
    """An offset; SPOC calls the mean over sectors `meanRaOffset` and that of one sector `raOffset`."""

    def part(name: str) -> Measured | None:
        item = node.child(f"mean{name}" if prefix else name[0].lower() + name[1:]) if node else None
        return item.measured() if item else None

    return DvOffset(
        row_px=part("RowOffset"),
        column_px=part("ColumnOffset"),
        ra_arcsec=part("RaOffset"),
        dec_arcsec=part("DecOffset"),
        sky_arcsec=part("SkyOffset"),
    )


def _images(node: Node) -> tuple[DvDifferenceImage, ...]:
    """The difference images of an event, of which a sector has one."""
    images = tuple(image for item in node.children("differenceImageResults") if (image := _image(item)) is not None)
    if len({image.sector for image in images}) < len(images):
        raise node.reader.refused("two difference images of one of its planetResults are of the same sector")
    return images


def _image(node: Node) -> DvDifferenceImage | None:
    """One difference image; None where SPOC made none (no pixels)."""
    pixels = list(node.children("differenceImagePixelData"))
    if not pixels:
        return None
    rows, columns = (np.array([_coordinate(item, name) for item in pixels]) for name in ("ccdRow", "ccdColumn"))
    corner_row, corner_column = int(rows.min()), int(columns.min())
    shape = (int(rows.max()) - corner_row + 1, int(columns.max()) - corner_column + 1)
    if shape[0] * shape[1] > MAX_STAMP_PIXELS:
        raise node.reader.refused(f"a difference image spans {shape[0]:,} by {shape[1]:,} pixels")
    if len(set(zip(rows.tolist(), columns.tolist(), strict=True))) < len(pixels):
        raise node.reader.refused("a difference image names one pixel twice")
    images = {name: np.full((2, *shape), np.nan) for name in _PIXEL_VALUES}
    for item, row, column in zip(pixels, rows - corner_row, columns - corner_column, strict=True):
        for name, element in _PIXEL_VALUES.items():
            flux = item.child(element)
            measured = flux.measured() if flux else None
            if measured is not None:
                images[name][:, row, column] = measured.value, math.nan if measured.error is None else measured.error
    ccd = node.child("ccd")
    return DvDifferenceImage(
        sector=node.integer_within("sector", 1, MAX_SECTOR),
        camera=ccd.integer_within("cameraNumber", 1, N_CAMERAS) if ccd else None,
        ccd=ccd.integer_within("ccdNumber", 1, N_CCDS) if ccd else None,
        n_transits=node.integer_within("numberOfTransits", 0, MAX_TRANSITS),
        overlapped_transits=node.flag("overlappedTransits"),
        corner_row=corner_row,
        corner_column=corner_column,
        **{name: image[0] for name, image in images.items()},
        **{f"{name}_err": image[1] for name, image in images.items()},
        control_centroid=_centroid(node.child("controlImageCentroid")),
        difference_centroid=_centroid(node.child("differenceImageCentroid")),
        tic_reference=_centroid(node.child("ticReferenceCentroid")),
        tic_offset=_offset(node.child("ticCentroidOffsets")),
        control_offset=_offset(node.child("controlCentroidOffsets")),
        quality=_quality(node.child("qualityMetric")),
    )


_PIXEL_VALUES = {
    "control": "meanFluxOutOfTransit",
    "in_transit": "meanFluxInTransit",
    "difference": "meanFluxDifference",
}


def _coordinate(node: Node, name: str) -> int:
    value = node.integer(name)
    if value is None or not 0 <= value <= MAX_CCD_COORDINATE:
        raise node.reader.refused(f"a pixel has no {name}" if value is None else f"{name} of a pixel is {value}")
    return value


def _centroid(node: Node | None) -> DvCentroid | None:
    row, column = (node.child(name) if node else None for name in ("row", "column"))
    measured = (row.measured() if row else None), (column.measured() if column else None)
    if node is None or measured[0] is None or measured[1] is None:
        return None
    sky = [item.measured() if (item := node.child(name)) else None for name in ("raDegrees", "decDegrees")]
    ra, dec = (value.value if value else None for value in sky)
    return DvCentroid(measured[0], measured[1], ra, dec)


def _quality(node: Node | None) -> DvQuality:
    valid = bool(node and node.flag("valid"))
    return DvQuality(
        value=node.number("value") if node and valid else None,
        valid=valid,
        attempted=bool(node and node.flag("attempted")),
    )
