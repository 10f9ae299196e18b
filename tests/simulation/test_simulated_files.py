"""The written files are SPOC-form, say SIMULATED, carry good sums, and hold no clock."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from btv_report.errors import LocalEnvironmentError
from btv_report.simulation.fits_files import WrittenScene, write_scene
from btv_report.simulation.light_curve import extract_light_curve
from btv_report.simulation.pixels import simulate
from btv_report.simulation.scene import Scene
from btv_report.targets import Target
from btv_report.time_systems import julian_year, time_reference

MakeScene = Callable[..., Scene]

PIXEL_COLUMNS = "TIME TIMECORR CADENCENO RAW_CNTS FLUX FLUX_ERR FLUX_BKG FLUX_BKG_ERR QUALITY POS_CORR1 POS_CORR2"
CURVE_COLUMNS = (
    "TIME TIMECORR CADENCENO SAP_FLUX SAP_FLUX_ERR SAP_BKG SAP_BKG_ERR PDCSAP_FLUX PDCSAP_FLUX_ERR QUALITY "
    "PSF_CENTR1 PSF_CENTR1_ERR PSF_CENTR2 PSF_CENTR2_ERR MOM_CENTR1 MOM_CENTR1_ERR MOM_CENTR2 MOM_CENTR2_ERR "
    "POS_CORR1 POS_CORR2"
)


@pytest.fixture
def written(small_scene: Scene, tmp_path: Path) -> WrittenScene:
    """The small scene on disk."""
    return write_scene(small_scene, tmp_path / "out")


def test_files_lie_as_lightkurves_cache_lays_them_out(written: WrittenScene) -> None:
    obs_id = "simulated-s0020-0000009000000099-0120-s"
    home = written.folder / "mastDownload" / "TESS" / obs_id
    assert written.light_curves == (home / f"{obs_id}_lc.fits",)
    assert written.target_pixel_files == (home / f"{obs_id}_tp.fits",)
    assert sorted(path.name for path in home.iterdir()) == [f"{obs_id}_lc.fits", f"{obs_id}_tp.fits"]
    assert written.neighbours == written.folder / "simulated-small-neighbours.csv"
    assert written.ephemerides[0].period_days == 0.9


def test_every_sum_of_every_hdu_is_right(written: WrittenScene) -> None:
    for path in written.light_curves + written.target_pixel_files:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with fits.open(path, checksum=True) as hdus:
                for hdu in hdus:
                    assert hdu.verify_checksum() == 1, (path.name, hdu.name)
                    assert hdu.verify_datasum() == 1, (path.name, hdu.name)


def test_the_same_scene_gives_the_same_bytes(small_scene: Scene, written: WrittenScene, tmp_path: Path) -> None:
    again = write_scene(small_scene, tmp_path / "elsewhere")
    for one, other in zip(
        (*written.light_curves, *written.target_pixel_files, written.neighbours),
        (*again.light_curves, *again.target_pixel_files, again.neighbours),
        strict=True,
    ):
        assert hashlib.sha256(one.read_bytes()).hexdigest() == hashlib.sha256(other.read_bytes()).hexdigest(), one.name


def test_no_clock_and_no_path_is_in_the_bytes(written: WrittenScene, tmp_path: Path) -> None:
    for path in written.light_curves + written.target_pixel_files:
        with fits.open(path) as hdus:
            for hdu in hdus:
                for card in hdu.header.cards:
                    assert str(tmp_path) not in str(card)
                assert hdu.header.comments["CHECKSUM"] == "2026-01-01T00:00:00"
                assert hdu.header.comments["DATASUM"] == "2026-01-01T00:00:00"
            assert hdus[0].header["DATE"] == "2026-01-01"


@pytest.mark.parametrize(
    ("kind", "extension", "columns", "creator"),
    [
        ("target_pixel_files", "PIXELS", PIXEL_COLUMNS, "TargetPixelExporter (btv-report simulation)"),
        ("light_curves", "LIGHTCURVE", CURVE_COLUMNS, "LightCurveExporter (btv-report simulation)"),
    ],
)
def test_form_is_spocs_and_simulated_is_said(
    written: WrittenScene, kind: str, extension: str, columns: str, creator: str
) -> None:
    (path,) = getattr(written, kind)
    assert path.name.startswith("simulated")
    with fits.open(path) as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", extension, "APERTURE"]
        assert hdus[1].columns.names == columns.split()
        head = hdus[0].header
        assert head["SIMULATED"] is True
        assert head["SIMDATA"] is True
        assert head["OBJECT"] == hdus[1].header["OBJECT"] == "TIC 9000000099 (SIMULATED)"
        assert "SIMULATED" in str(head["COMMENT"])
        assert head["ORIGIN"] == "btv-report simulation"
        assert head["CREATOR"] == creator
        expected = {"TELESCOP": "TESS", "SECTOR": 20, "CAMERA": 1, "CCD": 4, "TICID": 9000000099, "TEFF": 5700.0}
        assert {key: head[key] for key in expected} == expected
        assert "RADIUS" not in head  # the scene does not know it
        assert time_reference(hdus[1].header).reason_not_btjd() is None
        assert hdus[1].header["TIMEDEL"] == pytest.approx(120 / 86400)
        assert hdus[2].data.dtype.kind == "i"


def test_the_target_is_read_back_from_the_header(written: WrittenScene, small_scene: Scene) -> None:
    with fits.open(written.target_pixel_files[0]) as hdus:
        target = Target.from_header(hdus[0].header, tic_id=9000000099, source="test")
    assert target.position == small_scene.target.position
    assert target.tmag == 9.0
    assert target.stellar == small_scene.target.stellar


def test_arrays_are_read_back_as_they_were_simulated(written: WrittenScene, small_scene: Scene) -> None:
    sector = simulate(small_scene).sectors[0]
    curve = extract_light_curve(sector)
    with fits.open(written.target_pixel_files[0]) as hdus:
        data: Any = hdus["PIXELS"].data
        np.testing.assert_array_equal(data["FLUX"], sector.flux)
        np.testing.assert_array_equal(data["FLUX_ERR"], sector.flux_err)
        np.testing.assert_array_equal(data["FLUX_BKG"], sector.background)
        np.testing.assert_array_equal(data["TIME"], sector.time_btjd)
        np.testing.assert_array_equal(data["QUALITY"], sector.quality)
        np.testing.assert_array_equal(data["POS_CORR1"], sector.column_shift_px.astype(np.float32))
        counts = (sector.flux + sector.background) * sector.exposure_s / 5.2
        np.testing.assert_allclose(data["RAW_CNTS"], counts, atol=0.51, rtol=1e-6)
        assert data["TIME"].dtype.itemsize == 8
        np.testing.assert_array_equal((hdus["APERTURE"].data & 2) > 0, sector.aperture)
        pixel_sum = data["FLUX"][:, sector.aperture].sum(axis=1, dtype=np.float64)
    with fits.open(written.light_curves[0]) as hdus:
        data = hdus["LIGHTCURVE"].data
        np.testing.assert_allclose(data["SAP_FLUX"], pixel_sum, rtol=1e-6)
        np.testing.assert_allclose(data["PDCSAP_FLUX"], curve.pdcsap_flux, rtol=1e-6)
        # Detector coordinates: the corner is column 1575, row 100.
        np.testing.assert_allclose(data["MOM_CENTR1"], 1575 + curve.column_centroid, rtol=1e-9)
        np.testing.assert_allclose(data["MOM_CENTR2"], 100 + curve.row_centroid, rtol=1e-9)


def test_the_ccd_output_changes_between_columns_1580_and_1581(written: WrittenScene) -> None:
    with fits.open(written.target_pixel_files[0]) as hdus:
        bits = hdus["APERTURE"].data
    assert set((bits[:, :6] & 480).ravel().tolist()) == {128}
    assert set((bits[:, 6:] & 480).ravel().tolist()) == {256}


def flux_column_wcs(table: Any) -> dict[str, Any]:
    """The WCS of table column 5, FLUX, as the image keywords that mean the same."""
    names = {"CTYP": "CTYPE", "CRPX": "CRPIX", "CRVL": "CRVAL", "CUNI": "CUNIT", "CDLT": "CDELT"}
    image = {f"{long}{axis}": table[f"{axis}{short}5"] for short, long in names.items() for axis in (1, 2)}
    return image | {f"PC{i}_{j}": table[f"{i}{j}PC5"] for i in (1, 2) for j in (1, 2)}


def test_both_wcs_forms_put_the_star_on_its_pixel(written: WrittenScene, small_scene: Scene) -> None:
    star = small_scene.stars[0]
    there = star.position.at_year(julian_year(small_scene.sectors[0].mid_btjd))
    with fits.open(written.target_pixel_files[0]) as hdus:
        table = hdus["PIXELS"].header
        for wcs in (WCS(hdus["APERTURE"].header), WCS(flux_column_wcs(table))):
            column, row = wcs.all_world2pix(there.ra_deg, there.dec_deg, 0)
            assert (float(row), float(column)) == pytest.approx((4.3, 4.9), abs=1e-5)
        assert (table["1CRV5P"], table["2CRV5P"]) == (1575, 100)


def test_the_neighbour_catalogue_holds_the_target_and_every_star(written: WrittenScene, small_scene: Scene) -> None:
    with written.neighbours.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["id"] for row in rows] == ["TIC 9000000099", "SIM 99-1"]
    assert list(rows[0]) == ["id", "ra", "dec", "tmag", "pmra", "pmdec", "ref_epoch"]
    assert float(rows[1]["ra"]) == pytest.approx(small_scene.stars[0].position.ra_deg, abs=1e-9)
    assert (rows[1]["pmra"], rows[1]["pmdec"], rows[1]["ref_epoch"]) == ("-300.000", "150.000", "2000.0")


def test_a_star_without_known_motion_has_empty_fields(make_scene: MakeScene, tmp_path: Path) -> None:
    scene = make_scene(("pmra_mas_per_yr = -300.0\npmdec_mas_per_yr = 150.0\n", ""))
    text = write_scene(scene, tmp_path / "out").neighbours.read_text(encoding="utf-8")
    assert text.splitlines()[2].endswith(",11.000,,,2000.0")


def test_writing_over_a_file_replaces_it_whole(written: WrittenScene, small_scene: Scene) -> None:
    path = written.target_pixel_files[0]
    before = path.read_bytes()
    path.write_bytes(b"torn")
    write_scene(small_scene, written.folder)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_named_and_nothing_is_left(small_scene: Scene, tmp_path: Path) -> None:
    obstacle = tmp_path / "file"
    obstacle.write_text("", encoding="utf-8")
    with pytest.raises(LocalEnvironmentError, match=r"scene small cannot be written to .*file"):
        write_scene(small_scene, obstacle)


def test_a_full_disk_leaves_no_half_file(small_scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(self: Path, target: Path) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "replace", no_space)
    with pytest.raises(LocalEnvironmentError, match="No space left on device"):
        write_scene(small_scene, tmp_path / "out")
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []


def test_lightkurve_reads_both_files(written: WrittenScene) -> None:
    import lightkurve

    pixels = lightkurve.read(str(written.target_pixel_files[0]))
    try:
        assert type(pixels).__name__ == "TessTargetPixelFile"
        assert (pixels.sector, pixels.camera, pixels.ccd) == (20, 1, 4)
        assert (pixels.column, pixels.row) == (1575, 100)
        assert pixels.targetid == 9000000099
        assert pixels.time.format == "btjd"
        assert pixels.time.scale == "tdb"
        aperture = pixels.pipeline_mask
        summed = pixels.to_lightcurve(aperture_mask=aperture)
        column, row = pixels.wcs.all_world2pix(pixels.ra, pixels.dec, 0)
        curve = lightkurve.read(str(written.light_curves[0]))
        assert type(curve).__name__ == "TessLightCurve"
        np.testing.assert_allclose(summed.flux.value, curve["sap_flux"].value, rtol=1e-6)
        np.testing.assert_allclose(summed.time.value, curve.time.value)
        # lightkurve's ra and dec are the catalogue's, so the star is off by its proper motion: 1.09 px.
        assert np.hypot(row - 6.3, column - 4.4) == pytest.approx(1.09, abs=0.02)
    finally:
        pixels.hdu.close()


def test_the_bytes_do_not_depend_on_the_processors_vector_units(
    written: WrittenScene, scene_path: Callable[..., Path], tmp_path: Path
) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from btv_report.simulation.fits_files import write_scene\n"
        "from btv_report.simulation.scene_file import load_scene\n"
        "write_scene(load_scene(Path(sys.argv[1])), Path(sys.argv[2]))\n"
    )
    # numpy names the groups differently from version to version; names it does not know only make it warn.
    disabled = "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX X86_V3 X86_V4 AVX512_ICL AVX512_SPR"
    command = [sys.executable, "-W", "ignore", "-c", script, str(scene_path()), str(tmp_path / "plain")]
    subprocess.run(command, env={**os.environ, "NPY_DISABLE_CPU_FEATURES": disabled}, check=True, timeout=120)
    for path in written.light_curves + written.target_pixel_files:
        plain = tmp_path / "plain" / path.relative_to(written.folder)
        assert plain.read_bytes() == path.read_bytes(), path.name
