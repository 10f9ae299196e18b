"""
Writes a scene as SPOC-form target pixel files and light curves, laid out as lightkurve's cache lays out the archive's.

No clock and no path enters the bytes: the same scene gives the same sha256. Each file appears under its name only when it
is whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from btv_report.ephemeris import Ephemeris
from btv_report.errors import LocalEnvironmentError
from btv_report.simulation.fits_headers import (
    Card,
    aperture_cards,
    column_wcs_cards,
    extension_cards,
    primary_cards,
    time_cards,
)
from btv_report.simulation.light_curve import extract_light_curve
from btv_report.simulation.neighbours import neighbours_csv
from btv_report.simulation.pixels import SimulatedSector, simulate
from btv_report.simulation.scene import Scene

ELECTRONS_PER_COUNT = 5.2
_COLLECTED, _OPTIMAL_APERTURE, _CENTROID = 1, 2, 8
_OUTPUT_BITS = ((556, 32), (1068, 64), (1580, 128), (2092, 256))
"""Last detector column of the CCD outputs A, B, C, D, and their bits in the APERTURE image."""

OWN_PREFIX = "simulated-"
"""How the name of every file of a scene begins."""

_Column = tuple[str, str, tuple[int, ...], str, NDArray[Any]]

_COMMENTS = (
    "SIMULATED: these numbers were computed from a scene file of btv-report.",
    "No star was observed; the TIC number is fictitious.",
    "TIME is already barycentric: TIMECORR is zero.",
)


@dataclass(frozen=True)
class WrittenScene:
    """
    The files of a written scene.

    Attributes
    ----------
    scene : what was written
    folder : folder that can be given as `--mirror`
    light_curves, target_pixel_files : one each a sector, in time order
    neighbours : catalogue of the scene's stars, csv, for `--neighbours`
    ephemerides : what a search would have reported
    """

    scene: Scene
    folder: Path
    light_curves: tuple[Path, ...]
    target_pixel_files: tuple[Path, ...]
    neighbours: Path
    ephemerides: tuple[Ephemeris, ...]


def write_scene(scene: Scene, folder: Path) -> WrittenScene:
    """
    Simulate a scene and write its files below `folder`; files of the same names are replaced.

    Raises
    ------
    LocalEnvironmentError
        If the folder cannot be made or written.
    """
    light_curves, pixel_files = [], []
    try:
        for sector in simulate(scene).sectors:
            obs_id = (
                f"{OWN_PREFIX}s{sector.sector.number:04d}-{scene.target.tic_id:016d}-{sector.sector.cadence_s:04d}-s"
            )
            home = folder / "mastDownload" / "TESS" / obs_id
            home.mkdir(parents=True, exist_ok=True)
            light_curves.append(home / f"{obs_id}_lc.fits")
            _write_light_curve(light_curves[-1], scene, sector)
            pixel_files.append(home / f"{obs_id}_tp.fits")
            _write_target_pixels(pixel_files[-1], scene, sector)
        neighbours = folder / f"{OWN_PREFIX}{scene.name}-neighbours.csv"
        with _whole_or_absent(neighbours) as temporary:
            temporary.write_text(neighbours_csv(scene), encoding="utf-8")
    except OSError as error:
        raise LocalEnvironmentError(
            f"The scene {scene.name} cannot be written to {folder} ({error.strerror or error}).",
            hint="Give a folder that you may write to, with 60 MB free for each sector.",
            path=folder,
        ) from error
    return WrittenScene(scene, folder, tuple(light_curves), tuple(pixel_files), neighbours, scene.ephemerides)


def _write_target_pixels(path: Path, scene: Scene, sector: SimulatedSector) -> None:
    n, n_row, n_column = sector.flux.shape
    total = (sector.flux + sector.background) * np.float32(sector.exposure_s / ELECTRONS_PER_COUNT)
    raw_counts = np.where(np.isfinite(total), np.rint(total), -1.0).astype(np.int32)
    stamp = (n_row, n_column)
    columns: list[_Column] = [
        _time_column(sector),
        ("TIMECORR", "f4", (), "d", np.zeros(n)),
        ("CADENCENO", "i4", (), "", sector.cadence_number),
        ("RAW_CNTS", "i4", stamp, "count", raw_counts),
        ("FLUX", "f4", stamp, "e-/s", sector.flux),
        ("FLUX_ERR", "f4", stamp, "e-/s", sector.flux_err),
        ("FLUX_BKG", "f4", stamp, "e-/s", sector.background),
        ("FLUX_BKG_ERR", "f4", stamp, "e-/s", sector.background_err),
        ("QUALITY", "i4", (), "", sector.quality),
        ("POS_CORR1", "f4", (), "pixel", sector.column_shift_px),
        ("POS_CORR2", "f4", (), "pixel", sector.row_shift_px),
    ]
    wcs = [card for number in range(4, 9) for card in column_wcs_cards(scene, sector, number)]
    cards = [*wcs, *extension_cards(scene, sector, "PIXELS"), *time_cards(sector)]
    _write(path, scene, sector, "TargetPixelExporter", _table(columns, cards, {"RAW_CNTS": -1}))


def _write_light_curve(path: Path, scene: Scene, sector: SimulatedSector) -> None:
    curve = extract_light_curve(sector)
    n = sector.time_btjd.size
    nothing = np.full(n, np.nan)
    where = sector.sector
    columns: list[_Column] = [
        _time_column(sector),
        ("TIMECORR", "f4", (), "d", np.zeros(n)),
        ("CADENCENO", "i4", (), "", sector.cadence_number),
        ("SAP_FLUX", "f4", (), "e-/s", curve.sap_flux),
        ("SAP_FLUX_ERR", "f4", (), "e-/s", curve.sap_flux_err),
        ("SAP_BKG", "f4", (), "e-/s", curve.sap_background),
        ("SAP_BKG_ERR", "f4", (), "e-/s", curve.sap_background_err),
        ("PDCSAP_FLUX", "f4", (), "e-/s", curve.pdcsap_flux),
        ("PDCSAP_FLUX_ERR", "f4", (), "e-/s", curve.pdcsap_flux_err),
        ("QUALITY", "i4", (), "", sector.quality),
        # SPOC fills these for a few bright stars only.
        ("PSF_CENTR1", "f8", (), "pixel", nothing),
        ("PSF_CENTR1_ERR", "f4", (), "pixel", nothing),
        ("PSF_CENTR2", "f8", (), "pixel", nothing),
        ("PSF_CENTR2_ERR", "f4", (), "pixel", nothing),
        ("MOM_CENTR1", "f8", (), "pixel", where.corner_column + curve.column_centroid),
        ("MOM_CENTR1_ERR", "f4", (), "pixel", curve.column_centroid_err),
        ("MOM_CENTR2", "f8", (), "pixel", where.corner_row + curve.row_centroid),
        ("MOM_CENTR2_ERR", "f4", (), "pixel", curve.row_centroid_err),
        ("POS_CORR1", "f4", (), "pixels", sector.column_shift_px),
        ("POS_CORR2", "f4", (), "pixels", sector.row_shift_px),
    ]
    cards = [*extension_cards(scene, sector, "LIGHTCURVE"), *time_cards(sector)]
    _write(path, scene, sector, "LightCurveExporter", _table(columns, cards, {}))


def _time_column(sector: SimulatedSector) -> _Column:
    return ("TIME", "f8", (), "BJD - 2457000, days", sector.time_btjd)


def _table(columns: Sequence[_Column], cards: Sequence[Card], nulls: Mapping[str, int]) -> Any:
    """
    Make a binary table from columns given as (name, type, shape of a cell, unit, values).

    The rows are laid out big-endian at once, so that astropy neither converts nor copies them.
    """
    from astropy.io import fits

    n = len(columns[0][-1])
    rows = np.zeros(n, dtype=[(name, f">{kind}", shape) for name, kind, shape, _, _ in columns])
    for name, _, _, _, values in columns:
        rows[name] = values
    hdu = fits.BinTableHDU(data=rows)
    for number, (name, _, _, unit, _) in enumerate(columns, start=1):
        # Column and header are both told: some versions of astropy order these keywords by the one, some by the other.
        if name in nulls:
            hdu.columns[name].null = nulls[name]
            hdu.header.insert(f"TFORM{number}", (f"TNULL{number}", nulls[name], "null value"), after=True)
        if unit:
            hdu.columns[name].unit = unit
            hdu.header.insert(f"TFORM{number}", (f"TUNIT{number}", unit, "column units"), after=True)
    hdu.header.extend(cards)
    return hdu


def _aperture_bits(sector: SimulatedSector) -> NDArray[np.int32]:
    """APERTURE image: every pixel was collected; the optimal aperture also gives the centroids; CCD output by column."""
    bits = np.full(sector.aperture.shape, _COLLECTED, dtype=np.int32)
    bits[sector.aperture] |= _OPTIMAL_APERTURE | _CENTROID
    for offset in range(sector.aperture.shape[1]):
        column = sector.sector.corner_column + offset
        bits[:, offset] |= next(bit for last, bit in _OUTPUT_BITS if column <= last)
    return bits


def _write(path: Path, scene: Scene, sector: SimulatedSector, exporter: str, table: Any) -> None:
    from astropy.io import fits

    primary = fits.PrimaryHDU()
    primary.header.extend(primary_cards(scene, sector, exporter))
    for line in _COMMENTS:
        primary.header.add_comment(line)
    aperture = fits.ImageHDU(data=_aperture_bits(sector))
    aperture.header.extend(aperture_cards(scene, sector))
    hdus = fits.HDUList([primary, table, aperture])
    for hdu in hdus:
        # The stamp of time goes into the comment of CHECKSUM and DATASUM; the clock would make each run's bytes differ.
        hdu.add_checksum(when=f"{scene.date}T00:00:00")
    with _whole_or_absent(path) as temporary:
        hdus.writeto(temporary, overwrite=True)


@contextmanager
def _whole_or_absent(path: Path) -> Iterator[Path]:
    """Give a temporary path in the same folder, and move it to `path` once the block has ended well."""
    temporary = path.with_name(f".{path.name}.part-{os.getpid()}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
