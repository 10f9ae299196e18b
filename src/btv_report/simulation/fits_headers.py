"""
Header cards of simulated SPOC-form files.

Keywords, order and comments follow the TESS Science Data Products Description Document (EXP-TESS-ARC-ICD-0014). SIMDATA
is SPOC's own word for simulated data; SIMULATED, OBJECT and COMMENT say it again for whoever reads only one of them.
Keywords about detector electronics and PDC goodness, which a simulation does not have, are left out.
"""

from __future__ import annotations

import numpy as np

from btv_report.simulation.observing import SECONDS_PER_DAY
from btv_report.simulation.pixels import FRAME_S, INTEGRATION_S, SimulatedSector
from btv_report.simulation.scene import Scene
from btv_report.targets import SkyPosition
from btv_report.time_systems import julian_year

Card = tuple[str, str | int | float | bool, str]

ORIGIN = "btv-report simulation"
SIMULATION_VERSION = "btv-report-simulation-1"
"""Written as PROCVER; raised when the same scene gives other pixels."""

_READTIME_S = FRAME_S - INTEGRATION_S


def object_name(scene: Scene) -> str:
    """OBJECT: the star's name, never without the word."""
    return f"TIC {scene.target.tic_id} (SIMULATED)"


def primary_cards(scene: Scene, sector: SimulatedSector, exporter: str) -> list[Card]:
    """Cards of the primary HDU; positions are the catalogue's, epoch 2000.0."""
    target, where = scene.target, scene.target.position
    start, stop = time_range(sector)
    cards: list[Card] = [
        ("NEXTEND", 2, "number of standard extensions"),
        ("EXTNAME", "PRIMARY", "name of extension"),
        ("EXTVER", 1, "extension version number (not format version)"),
        ("SIMDATA", True, "file is based on simulated data"),
        ("HIERARCH SIMULATED", True, "no photon was observed"),
        ("SCENE", scene.name, "scene that was simulated"),
        ("SEED", scene.seed, "seed of the noise"),
        ("ORIGIN", ORIGIN, "what created this file"),
        ("DATE", scene.date, "date that the scene states"),
        ("TSTART", start, "[d] observation start time in BTJD"),
        ("TSTOP", stop, "[d] observation stop time in BTJD"),
        ("CREATOR", f"{exporter} ({ORIGIN})", "form of this file"),
        ("PROCVER", SIMULATION_VERSION, "version of the simulation"),
        ("FILEVER", "1.0", "file format version"),
        ("TIMVERSN", "OGIP/93-003", "OGIP memo number for file format"),
        ("TELESCOP", "TESS", "telescope that is simulated"),
        ("INSTRUME", "TESS Photometer", "detector type that is simulated"),
        ("DATA_REL", 0, "data release version number"),
        ("OBJECT", object_name(scene), "string version of target id"),
        ("TICID", target.tic_id, "fictitious target identifier"),
        ("SECTOR", sector.sector.number, "Observing sector"),
        ("CAMERA", sector.sector.camera, "Camera number"),
        ("CCD", sector.sector.ccd, "CCD chip number"),
        ("RADESYS", "ICRS", "reference frame of celestial coordinates"),
        ("RA_OBJ", where.ra_deg, "[deg] right ascension"),
        ("DEC_OBJ", where.dec_deg, "[deg] declination"),
        ("EQUINOX", 2000.0, "equinox of celestial coordinate system"),
        ("PMRA", where.pmra_mas_per_yr, "[mas/yr] RA proper motion"),
        ("PMDEC", where.pmdec_mas_per_yr, "[mas/yr] Dec proper motion"),
        ("TESSMAG", target.tmag, "[mag] TESS magnitude"),
    ]
    stellar = target.stellar
    for key, value, comment in (
        ("TEFF", stellar.teff_k, "[K] Effective temperature"),
        ("LOGG", stellar.logg_cgs, "[cm/s2] log10 surface gravity"),
        ("MH", stellar.metallicity_dex, "[log10([M/H])] metallicity"),
        ("RADIUS", stellar.radius_rsun, "[solar radii] stellar radius"),
    ):
        if value is not None:
            cards.append((key, value, comment))
    return cards


def extension_cards(scene: Scene, sector: SimulatedSector, name: str) -> list[Card]:
    """Cards that every extension carries; positions are moved to the sector's mid-time, as SPOC does."""
    there = moved_target(scene, sector)
    return [
        ("INHERIT", True, "inherit the primary header"),
        ("EXTNAME", name, "name of extension"),
        ("EXTVER", 1, "extension version number (not format version)"),
        ("SIMDATA", True, "file is based on simulated data"),
        ("TELESCOP", "TESS", "telescope that is simulated"),
        ("INSTRUME", "TESS Photometer", "detector type that is simulated"),
        ("OBJECT", object_name(scene), "string version of target id"),
        ("TICID", scene.target.tic_id, "fictitious target identifier"),
        ("RADESYS", "ICRS", "reference frame of celestial coordinates"),
        ("RA_OBJ", there.ra_deg, "[deg] right ascension"),
        ("DEC_OBJ", there.dec_deg, "[deg] declination"),
        ("EQUINOX", 2000.0, "equinox of celestial coordinate system"),
    ]


def time_cards(sector: SimulatedSector) -> list[Card]:
    """Cards on time and photometry of a table extension."""
    start, stop = time_range(sector)
    cadence_s = sector.sector.cadence_s
    dead_time = sector.exposure_s / cadence_s
    n_with_light = int(np.isfinite(sector.flux[:, 0, 0]).sum())
    return [
        ("EXPOSURE", n_with_light * sector.exposure_s / SECONDS_PER_DAY, "[d] time on source"),
        ("TIMEREF", "SOLARSYSTEM", "barycentric correction applied to times"),
        ("TASSIGN", "SPACECRAFT", "where time is assigned"),
        ("TIMESYS", "TDB", "time system is Barycentric Dynamical Time (TDB)"),
        ("BJDREFI", 2457000, "integer part of BTJD reference date"),
        ("BJDREFF", 0.0, "fraction of the day in BTJD reference date"),
        ("TIMEUNIT", "d", "time unit for TIME, TSTART and TSTOP"),
        ("TELAPSE", stop - start, "[d] TSTOP - TSTART"),
        ("LIVETIME", (stop - start) * dead_time, "[d] TELAPSE multiplied by DEADC"),
        ("TSTART", start, "[d] observation start time in BTJD"),
        ("TSTOP", stop, "[d] observation stop time in BTJD"),
        ("DEADC", dead_time, "deadtime correction"),
        ("TIMEPIXR", 0.5, "bin time beginning=0 middle=0.5 end=1"),
        ("INT_TIME", INTEGRATION_S, "[s] photon accumulation time per frame"),
        ("READTIME", _READTIME_S, "[s] readout time per frame"),
        ("FRAMETIM", FRAME_S, "[s] frame time (INT_TIME + READTIME)"),
        ("NUM_FRM", round(cadence_s / FRAME_S), "number of frames per time stamp"),
        ("TIMEDEL", cadence_s / SECONDS_PER_DAY, "[d] time resolution of data"),
        ("BACKAPP", True, "background is subtracted"),
        ("DEADAPP", True, "deadtime applied"),
        ("VIGNAPP", True, "vignetting or collimator correction applied"),
        ("CROWDSAP", sector.crowdsap, "Ratio of target flux to total flux in op. ap."),
        ("FLFRCSAP", sector.flfrcsap, "Frac. of target flux w/in the op. aperture"),
    ]


def column_wcs_cards(scene: Scene, sector: SimulatedSector, column: int) -> list[Card]:
    """Sky and detector coordinates of the stamps in table column number `column`."""
    n, where = column, sector.sector
    cards: list[Card] = [
        (f"WCSN{n}P", "PHYSICAL", "table column WCS name"),
        (f"WCAX{n}P", 2, "table column physical WCS dimensions"),
        (f"1CTY{n}P", "RAWX", "table column physical WCS axis 1 type, CCD col"),
        (f"2CTY{n}P", "RAWY", "table column physical WCS axis 2 type, CCD row"),
        (f"1CUN{n}P", "PIXEL", "table column physical WCS axis 1 unit"),
        (f"2CUN{n}P", "PIXEL", "table column physical WCS axis 2 unit"),
        (f"1CRV{n}P", where.corner_column, "table column physical WCS ax 1 ref value"),
        (f"2CRV{n}P", where.corner_row, "table column physical WCS ax 2 ref value"),
        (f"1CDL{n}P", 1.0, "table column physical WCS a1 step"),
        (f"2CDL{n}P", 1.0, "table column physical WCS a2 step"),
        (f"1CRP{n}P", 1, "table column physical WCS a1 reference"),
        (f"2CRP{n}P", 1, "table column physical WCS a2 reference"),
        (f"WCAX{n}", 2, "number of WCS axes"),
    ]
    template = {
        "CTYPE1": f"1CTYP{n}",
        "CTYPE2": f"2CTYP{n}",
        "CRPIX1": f"1CRPX{n}",
        "CRPIX2": f"2CRPX{n}",
        "CRVAL1": f"1CRVL{n}",
        "CRVAL2": f"2CRVL{n}",
        "CUNIT1": f"1CUNI{n}",
        "CUNIT2": f"2CUNI{n}",
        "CDELT1": f"1CDLT{n}",
        "CDELT2": f"2CDLT{n}",
        "PC1_1": f"11PC{n}",
        "PC1_2": f"12PC{n}",
        "PC2_1": f"21PC{n}",
        "PC2_2": f"22PC{n}",
    }
    return cards + [(template[key], value, comment) for key, value, comment in sky_cards(scene, sector)]


def sky_cards(scene: Scene, sector: SimulatedSector) -> list[Card]:
    """Sky coordinates of a stamp as an image WCS: tangent at the target, 1-based reference pixel."""
    projection = scene.projection(sector.sector)
    (pc11, pc12), (pc21, pc22) = projection.pc_matrix()
    scale_deg = projection.pixel_scale_arcsec / 3600.0
    return [
        ("CTYPE1", "RA---TAN", "right ascension coordinate type"),
        ("CTYPE2", "DEC--TAN", "declination coordinate type"),
        ("CRPIX1", projection.column + 1.0, "[pixel] reference pixel along image axis 1"),
        ("CRPIX2", projection.row + 1.0, "[pixel] reference pixel along image axis 2"),
        ("CRVAL1", projection.ra_deg, "[deg] right ascension at reference pixel"),
        ("CRVAL2", projection.dec_deg, "[deg] declination at reference pixel"),
        ("CUNIT1", "deg", "physical unit in column dimension"),
        ("CUNIT2", "deg", "physical unit in row dimension"),
        ("CDELT1", -scale_deg, "[deg] pixel scale in RA dimension"),
        ("CDELT2", scale_deg, "[deg] pixel scale in Dec dimension"),
        ("PC1_1", pc11, "linear transformation element"),
        ("PC1_2", pc12, "linear transformation element"),
        ("PC2_1", pc21, "linear transformation element"),
        ("PC2_2", pc22, "linear transformation element"),
    ]


def aperture_cards(scene: Scene, sector: SimulatedSector) -> list[Card]:
    """Cards of the APERTURE image."""
    where = sector.sector
    return [
        *extension_cards(scene, sector, "APERTURE"),
        ("WCSAXES", 2, "number of WCS axes"),
        *sky_cards(scene, sector),
        ("WCSNAMEP", "PHYSICAL", "name of world coordinate system alternate P"),
        ("WCSAXESP", 2, "number of WCS physical axes"),
        ("CTYPE1P", "RAWX", "physical WCS axis 1 type CCD col"),
        ("CUNIT1P", "PIXEL", "physical WCS axis 1 unit"),
        ("CRPIX1P", 1, "reference CCD column"),
        ("CRVAL1P", where.corner_column, "value at reference CCD column"),
        ("CDELT1P", 1.0, "physical WCS axis 1 step"),
        ("CTYPE2P", "RAWY", "physical WCS axis 2 type CCD row"),
        ("CUNIT2P", "PIXEL", "physical WCS axis 2 units"),
        ("CRPIX2P", 1, "reference CCD row"),
        ("CRVAL2P", where.corner_row, "value at reference CCD row"),
        ("CDELT2P", 1.0, "physical WCS axis 2 step"),
        ("NPIXSAP", int(sector.aperture.sum()), "Number of pixels in optimal aperture"),
        ("NPIXMISS", 0, "Number of op. aperture pixels not collected"),
    ]


def moved_target(scene: Scene, sector: SimulatedSector) -> SkyPosition:
    """The target's position at the sector's mid-time."""
    return scene.target.position.at_year(julian_year(sector.sector.mid_btjd))


def time_range(sector: SimulatedSector) -> tuple[float, float]:
    """Start of the first and end of the last cadence, BTJD."""
    length = sector.time_btjd.size * sector.sector.cadence_s / SECONDS_PER_DAY
    return sector.sector.start_btjd, sector.sector.start_btjd + length
