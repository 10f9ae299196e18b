"""What a file is, told by its headers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from astropy.io import fits

from btv_report.fits.blocks import walk_hdus
from btv_report.fits.headers import header_values, product_header
from btv_report.fits.local_file import read_file
from btv_report.fits.model import ProductHeader, ProductKind


def header_of(path: Path) -> ProductHeader:
    hdus = list(walk_hdus(read_file(path).content()))
    return product_header([hdu.header.raw for hdu in hdus[:2]])


@pytest.mark.parametrize(
    ("keywords", "exptime_s", "pipeline"),
    [
        ({"ORIGIN": "NASA/Ames", "CREATOR": "1 LightCurveExporterPipelineModule"}, 120, "SPOC"),
        ({"ORIGIN": "NASA/Ames", "CREATOR": "1 LightCurveExporterPipelineModule"}, 20, "SPOC"),
        ({"ORIGIN": "NASA/Ames", "CREATOR": "1 LightCurveExporterPipelineModule"}, 200, "TESS-SPOC"),
        ({"ORIGIN": "NASA/Ames", "CREATOR": "1 LightCurveExporterPipelineModule"}, 1800, "TESS-SPOC"),
        ({"ORIGIN": "repacked from SPOC", "CREATOR": "repacked after LightCurveExporter"}, 120, "SPOC"),
        ({"ORIGIN": "MIT/QLP", "CREATOR": None}, 200, "QLP"),
        ({"ORIGIN": "UCSB/TGLC", "CREATOR": None}, 600, "TGLC"),
        ({"ORIGIN": "someone", "CREATOR": "something"}, 120, "unknown"),
    ],
)
def test_pipeline_is_told_by_header(write_lc: Any, keywords: dict[str, Any], exptime_s: int, pipeline: str) -> None:
    header = header_of(write_lc(times={"TIMEDEL": exptime_s / 86400}, **keywords))
    assert (header.pipeline, header.exptime_s, header.kind) == (pipeline, exptime_s, ProductKind.LIGHT_CURVE)


@pytest.mark.parametrize(
    "marks",
    [
        {"ORIGIN": "btv-report simulation", "creator": "TargetPixelExporter (btv-report simulation)"},
        {"SIMDATA": True},
        {"HIERARCH SIMULATED": True},
    ],
)
def test_simulated_file_is_spoc_in_form_and_says_that_it_is_simulated(write_tpf: Any, marks: dict[str, Any]) -> None:
    header = header_of(write_tpf(times={"TIMEDEL": 1800 / 86400}, **marks))
    assert (header.simulated, header.pipeline, header.exptime_s) == (True, "SPOC", 1800)
    assert not header_of(write_tpf(SIMDATA=False)).simulated


def test_cutout_and_eleanor_are_told_apart_by_structure(write_tpf: Any, write_lc: Any) -> None:
    cutout = header_of(write_tpf(creator="astrocut", TICID=""))
    assert (cutout.kind, cutout.pipeline, cutout.tic_id) == (ProductKind.CUTOUT, "TESScut", None)
    eleanor = header_of(write_lc(columns={"CORR_FLUX": [1.0] * 40}, CREATOR="astrocut", TICID=None, TIC_ID=42))
    assert (eleanor.kind, eleanor.pipeline, eleanor.tic_id) == (ProductKind.LIGHT_CURVE, "unknown", 42)


@pytest.mark.parametrize(
    ("keywords", "tic_id"),
    [
        ({"TICID": 42}, 42),
        ({"TICID": "218795833"}, 218795833),
        ({"TICID": "", "OBJECT": "TIC 0007"}, 7),
        ({"TICID": 0}, None),
        ({"TICID": None, "OBJECT": "Gaia DR3 5707485527450614656"}, None),
        ({"TICID": 42, "TELESCOP": "Kepler"}, None),
    ],
)
def test_tic_number(write_lc: Any, keywords: dict[str, Any], tic_id: int | None) -> None:
    assert header_of(write_lc(**keywords)).tic_id == tic_id


def test_tglc_exposure_time_is_not_its_mean_spacing(write_lc: Any) -> None:
    path = write_lc(ORIGIN="UCSB/TGLC", times={"TIMEDEL": 0.0223584, "XPTIME": 1800})
    assert header_of(path).exptime_s == 1800


def test_position_is_that_of_the_catalogue_not_the_moved_one_of_the_extension(write_lc: Any) -> None:
    path = write_lc(RA_OBJ=63.37389, DEC_OBJ=-69.226789, times={"RA_OBJ": 63.3748, "DEC_OBJ": -69.2265})
    header = header_of(path)
    assert (header.ra_deg, header.keywords["RA_OBJ"]) == (63.37389, 63.37389)
    without = header_of(write_lc(times={"RA_OBJ": 63.3748, "DEC_OBJ": -69.2265}))
    assert without.ra_deg is None
    assert "RA_OBJ" not in without.keywords


def test_time_reference_comes_from_the_table_or_else_from_the_primary_header(write_lc: Any) -> None:
    assert header_of(write_lc()).time_reference.reason_not_btjd() is None
    nothing = {"BJDREFI": None, "BJDREFF": None, "TIMESYS": None, "TIMEUNIT": None}
    assert header_of(write_lc(times=nothing)).time_reference.bjdrefi is None
    primary = header_of(write_lc(times=nothing, BJDREFI=2457000, TIMESYS="TDB", TIMEUNIT="d"))
    assert primary.time_reference.reason_not_btjd() is None


def test_undefined_value_is_none_and_an_unreadable_card_is_absent() -> None:
    header = fits.Header([("SIMPLE", True), ("BITPIX", 8), ("NAXIS", 0), ("PMRA", None), ("TESSMAG", 5), ("TICID", 6)])
    raw = header.tostring().encode().replace(b"TESSMAG =                    5", b"TESSMAG =               'open5")
    values = header_values(raw)
    assert values["PMRA"] is None
    assert values["TICID"] == 6
    assert "TESSMAG" not in values


@pytest.mark.data
def test_every_real_file_is_what_its_folder_says(shared_data: Path) -> None:
    found: Counter[tuple[str, str, str, float | None]] = Counter()
    for path in sorted((shared_data / "lc").glob("*/*.fits*")) + sorted((shared_data / "tpf").glob("*.fits*")):
        header = header_of(path)
        found[path.parent.name, str(header.kind), header.pipeline, header.exptime_s] += 1
    assert found == {
        ("aux", "None", "unknown", None): 1,
        ("hlsp", "light_curve", "QLP", 1800.0): 2,
        ("hlsp", "light_curve", "TESS-SPOC", 1800.0): 4,
        ("hlsp", "light_curve", "TESS-SPOC", 600.0): 2,
        ("hlsp", "light_curve", "TESS-SPOC", 200.0): 2,
        ("hlsp", "light_curve", "TGLC", 1800.0): 2,
        ("hlsp", "light_curve", "TGLC", 600.0): 1,
        ("hlsp", "light_curve", "unknown", 1800.0): 2,
        ("spoc", "light_curve", "SPOC", 120.0): 27,
        ("tpf", "cutout", "TESScut", 1800.0): 4,
        ("tpf", "target_pixel_file", "SPOC", 120.0): 3,
        ("tpf", "target_pixel_file", "unknown", 1765.463): 2,
    }
