"""What an archive lists, held against what a header says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from btv_report.fits.model import ProductKind
from btv_report.products.inspect import inspect_file
from btv_report.products.listing import Listing
from btv_report.products.model import ProductState
from btv_report.targets import SkyPosition

CURVE = ProductKind.LIGHT_CURVE


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        (Listing(CURVE, 7, "SPOC", 120.0), ""),
        (Listing(CURVE, None, "GSFC-ELEANOR-LITE", None), ""),
        (Listing(CURVE, 7, "spoc", 158.0), ""),  # with the dead time or without
        (Listing(CURVE, 8, "SPOC", 120.0), "the archive lists it as sector 8, its header says 7"),
        (Listing(CURVE, 7, "QLP", 120.0), "the archive lists it as pipeline QLP, its header says SPOC"),
        (Listing(CURVE, 7, "SPOC", 20.0), "the archive lists it with an exposure time of 20 s, its header says 120 s"),
        (
            Listing(ProductKind.TARGET_PIXEL_FILE, 7, "SPOC", 120.0),
            "the archive lists it as a target pixel file, and it is a light curve",
        ),
    ],
)
def test_f093_light_curve_whose_header_contradicts_the_list_is_refused(
    write_lc: Any, listed: Listing, reason: str
) -> None:
    product = inspect_file(write_lc(), tic_id=42, listed=listed).product
    assert (product.state is ProductState.REJECTED, product.reason) == (bool(reason), reason)


@pytest.mark.parametrize(
    ("camera", "ccd", "reason"),
    [
        (1, 2, ""),
        (None, None, ""),
        (3, 2, "the archive lists it as camera 3, its header says 1"),
        (1, 4, "the archive lists it as CCD 4, its header says 2"),
    ],
)
def test_f093_cutout_of_another_detector_is_refused(
    write_tpf: Any, tmp_path: Path, camera: int | None, ccd: int | None, reason: str
) -> None:
    path = write_tpf(creator="astrocut", TICID=None)
    listed = Listing(ProductKind.CUTOUT, 7, "TESScut", None, camera, ccd)
    assert inspect_file(path, tic_id=42, listed=listed).product.reason == reason


@pytest.mark.parametrize(
    ("ra_deg", "reason"),
    [
        (120.0, ""),
        (120.002, ""),  # 6.8 arcsec at declination -20
        (120.0031, "it was asked for about another position: its header says one 10.5 arcsec away"),
    ],
)
def test_f093_cutout_about_another_position_is_refused(write_tpf: Any, ra_deg: float, reason: str) -> None:
    path = write_tpf(creator="astrocut", TICID=None)
    listed = Listing(ProductKind.CUTOUT, 7, "TESScut", None, 1, 2, SkyPosition(ra_deg, -20.0))
    assert inspect_file(path, tic_id=42, listed=listed).product.reason == reason
