"""Reads a scene from TOML and refuses what would not make an honest file, in sentences that name the key."""

from __future__ import annotations

import math
import re
from datetime import date
from itertools import pairwise
from pathlib import Path

from btv_report.ephemeris import Ephemeris
from btv_report.errors import UsageError
from btv_report.simulation.geometry import StampProjection
from btv_report.simulation.scene import (
    TARGET_ID,
    FlaggedStretch,
    Ghost,
    MomentumDumps,
    Noise,
    PointSpread,
    ScatteredLight,
    Scene,
    SceneSector,
    SceneStar,
    SceneTarget,
    Signal,
    Span,
    project,
)
from btv_report.simulation.toml_table import TomlTable
from btv_report.targets import MAX_TIC_ID, SkyPosition, StellarParameters
from btv_report.time_systems import julian_year

FIRST_FICTITIOUS_TIC_ID = 9_000_000_000
"""Simulated stars are numbered from here: real TIC numbers stay far below, so no simulated file can pass for a real star."""

CATALOGUE_EPOCH_YEAR = 2000.0
_MAX_STAMP = 41
_BTJD = {"at_least": 0.0, "at_most": 20000.0}


def load_scene(path: Path) -> Scene:
    """
    Read and check a scene file.

    Raises
    ------
    UsageError
        If the file is absent, is no TOML, or a key is missing, unknown or out of range; the message names file and key.
    LocalEnvironmentError
        If the file cannot be read.
    """
    root = TomlTable.read(path)
    name = root.text("name")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise root.error("name", f"{name!r} is not lower-case words joined by hyphens")
    stamp = root.table("stamp")
    n_row = stamp.integer("rows", 11, at_least=5, at_most=_MAX_STAMP)
    n_column = stamp.integer("columns", 11, at_least=5, at_most=_MAX_STAMP)
    scale = stamp.number("pixel_scale_arcsec", 20.9, at_least=19.0, at_most=23.0)
    stamp.finish()
    target = _target(root.table("target"))
    sectors = _sectors(root, n_row, n_column)
    first = sectors[0]
    projection = project(target, first, scale)
    stars = tuple(_star(table, target, first, projection) for table in root.tables("stars"))
    ghosts = tuple(_ghost(table) for table in root.tables("ghosts"))
    sources = _distinct_sources(root, target, stars, ghosts)
    scene = Scene(
        name=name,
        title=root.text("title"),
        seed=root.integer("seed", at_least=0, at_most=2**63 - 1),
        date=_date(root),
        n_row=n_row,
        n_column=n_column,
        pixel_scale_arcsec=scale,
        target=target,
        sectors=sectors,
        prf=_prf(root.table("prf")),
        noise=_noise(root.table("noise")),
        ephemerides=_ephemerides(root),
        stars=stars,
        signals=tuple(_signal(table, sources) for table in root.tables("signals")),
        ghosts=ghosts,
        dumps=tuple(_dumps(table) for table in root.tables("momentum_dumps")),
        flagged=tuple(_flagged(table, sectors) for table in root.tables("flagged")),
        scattered_light=tuple(_scattered_light(table, sectors) for table in root.tables("scattered_light")),
        missing=tuple(_missing(table, sectors) for table in root.tables("missing")),
    )
    root.finish()
    return scene


def _date(root: TomlTable) -> str:
    text = root.text("date")
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise root.error("date", f"{text!r} is not a date such as 2026-01-31") from error


def _target(table: TomlTable) -> SceneTarget:
    tic_id = table.integer("tic_id", at_least=1, at_most=MAX_TIC_ID - 1)
    if tic_id < FIRST_FICTITIOUS_TIC_ID:
        raise table.error(
            "tic_id",
            f"{tic_id} could be a real star",
            f"Simulated stars are numbered from {FIRST_FICTITIOUS_TIC_ID}, so that no simulated file is mistaken for data.",
        )
    moves = "pmra_mas_per_yr" in table or "pmdec_mas_per_yr" in table
    target = SceneTarget(
        tic_id,
        SkyPosition(
            table.number("ra_deg", at_least=0.0, at_most=360.0) % 360.0,
            # The projection and RA offsets degenerate at the poles; no example needs them.
            table.number("dec_deg", at_least=-89.0, at_most=89.0),
            table.number("pmra_mas_per_yr", 0.0, at_least=-11000.0, at_most=11000.0),
            table.number("pmdec_mas_per_yr", 0.0, at_least=-11000.0, at_most=11000.0),
            CATALOGUE_EPOCH_YEAR,
            moves,
        ),
        table.number("tmag", at_least=4.0, at_most=18.0),
        StellarParameters(
            teff_k=table.optional_number("teff_k", above=0.0),
            logg_cgs=table.optional_number("logg_cgs"),
            radius_rsun=table.optional_number("radius_rsun", above=0.0),
            metallicity_dex=table.optional_number("metallicity_dex"),
        ),
    )
    table.finish()
    return target


def _sectors(root: TomlTable, n_row: int, n_column: int) -> tuple[SceneSector, ...]:
    sectors = tuple(_sector(table, n_row, n_column) for table in root.tables("sectors"))
    if not sectors:
        raise root.error("sectors", "there is none", "Add a [[sectors]] table.")
    for before, after in pairwise(sectors):
        if after.number <= before.number or after.start_btjd < before.end_btjd:
            raise root.error("sectors", f"sector {after.number} does not come after sector {before.number}")
    return sectors


def _sector(table: TomlTable, n_row: int, n_column: int) -> SceneSector:
    start = table.number("start_btjd", **_BTJD)
    length = table.number("length_days", above=0.0, at_most=30.0)
    cadence_s = table.integer("cadence_s", 120, at_least=20, at_most=120)
    if cadence_s not in {20, 120}:
        raise table.error("cadence_s", f"SPOC makes 20-s and 120-s files, not {cadence_s}-s ones")
    gap = None
    if "gap_start_btjd" in table or "gap_days" in table:
        gap_start = table.number("gap_start_btjd", at_least=start, at_most=start + length)
        gap = Span(gap_start, gap_start + table.number("gap_days", above=0.0, at_most=length))
    sector = SceneSector(
        number=table.integer("number", at_least=1, at_most=9999),
        camera=table.integer("camera", at_least=1, at_most=4),
        ccd=table.integer("ccd", at_least=1, at_most=4),
        start_btjd=start,
        length_days=length,
        cadence_s=cadence_s,
        gap=gap,
        # Science pixels: columns 45-2092, rows 1-2048 (TESS Instrument Handbook).
        corner_row=table.integer("corner_row", at_least=1, at_most=2048 - n_row + 1),
        corner_column=table.integer("corner_column", at_least=45, at_most=2092 - n_column + 1),
        target_row=table.number("target_row", (n_row - 1) / 2, at_least=1.0, at_most=n_row - 2.0),
        target_column=table.number("target_column", (n_column - 1) / 2, at_least=1.0, at_most=n_column - 2.0),
        east_angle_deg=table.number("east_angle_deg", at_least=-360.0, at_most=360.0),
    )
    table.finish()
    return sector


def _star(table: TomlTable, target: SceneTarget, sector: SceneSector, projection: StampProjection) -> SceneStar:
    """Place a star by its offset from the target at the first sector's mid-time, and move it back to the catalogue epoch."""
    star_id = table.text("id")
    in_pixels = "row_offset_px" in table or "column_offset_px" in table
    on_sky = "east_arcsec" in table or "north_arcsec" in table
    if in_pixels == on_sky:
        raise table.error(
            "id", f"star {star_id} needs row_offset_px and column_offset_px, or east_arcsec and north_arcsec, not both"
        )
    if in_pixels:
        d_row, d_column = table.number("row_offset_px"), table.number("column_offset_px")
        plane = projection.pixel_to_plane(sector.target_row + d_row, sector.target_column + d_column)
    else:
        plane = table.number("east_arcsec"), table.number("north_arcsec")
    if math.hypot(*plane) > 1200.0:
        raise table.error("id", f"star {star_id} lies more than 20 arcmin from the target", "Check its offsets.")
    moves = "pmra_mas_per_yr" in table or "pmdec_mas_per_yr" in table
    pmra = table.number("pmra_mas_per_yr", 0.0, at_least=-11000.0, at_most=11000.0)
    pmdec = table.number("pmdec_mas_per_yr", 0.0, at_least=-11000.0, at_most=11000.0)
    ra_deg, dec_deg = projection.plane_to_sky(*plane)
    # A star that stands still is at its place at any epoch.
    year = julian_year(sector.mid_btjd) if moves else CATALOGUE_EPOCH_YEAR
    there = SkyPosition(ra_deg, dec_deg, pmra, pmdec, year, moves)
    star = SceneStar(star_id, there.at_year(CATALOGUE_EPOCH_YEAR), table.number("tmag", at_least=2.0, at_most=22.0))
    table.finish()
    return star


def _ghost(table: TomlTable) -> Ghost:
    ghost = Ghost(
        table.text("id"),
        table.number("peak_e_per_s", above=0.0),
        table.number("fwhm_px", at_least=4.0, at_most=1000.0),
        table.number("row_offset_px", 0.0),
        table.number("column_offset_px", 0.0),
    )
    table.finish()
    return ghost


def _distinct_sources(
    root: TomlTable, target: SceneTarget, stars: tuple[SceneStar, ...], ghosts: tuple[Ghost, ...]
) -> frozenset[str]:
    ids = [TARGET_ID, *(star.star_id for star in stars), *(ghost.ghost_id for ghost in ghosts)]
    twice = next((item for item in ids if ids.count(item) > 1 or item == f"TIC {target.tic_id}"), None)
    if twice is not None:
        raise root.error("stars", f"the id {twice!r} is given twice or belongs to the target")
    return frozenset(ids)


def _ephemeris(table: TomlTable, name: str) -> Ephemeris:
    values = (table.number("period_days"), table.number("epoch_btjd", **_BTJD), table.number("duration_hours"))
    try:
        return Ephemeris(*values, name=name)
    except UsageError as error:
        raise table.error("period_days", error.message.rstrip("."), error.hint) from error


def _ephemerides(root: TomlTable) -> tuple[Ephemeris, ...]:
    ephemerides = []
    for table in root.tables("ephemerides"):
        ephemerides.append(_ephemeris(table, table.text("name", "user")))
        table.finish()
    if not ephemerides:
        raise root.error(
            "ephemerides", "there is none", "Add [[ephemerides]]: the period, epoch and duration to check."
        )
    if len({item.name for item in ephemerides}) < len(ephemerides):
        raise root.error("ephemerides", "two have the same name", "Give each a `name`.")
    return tuple(ephemerides)


def _signal(table: TomlTable, sources: frozenset[str]) -> Signal:
    source = table.text("source")
    if source not in sources:
        raise table.error("source", f"there is no star or ghost {source!r}", f"Known: {', '.join(sorted(sources))}.")
    signal = Signal(
        source,
        _ephemeris(table, f"of {source}"),
        table.number("depth", above=0.0, at_most=1.0),
        table.number("ingress_fraction", 0.12, above=0.0, at_most=0.5),
        table.number("secondary_depth", 0.0, at_least=0.0, at_most=1.0),
    )
    table.finish()
    return signal


def _prf(table: TomlTable) -> PointSpread:
    prf = PointSpread(
        table.number("fwhm_px", 1.7, at_least=0.5, at_most=6.0),
        table.number("wing_fwhm_px", 4.5, at_least=0.5, at_most=20.0),
        table.number("wing_fraction", 0.12, at_least=0.0, at_most=0.9),
    )
    table.finish()
    return prf


def _noise(table: TomlTable) -> Noise:
    noise = Noise(
        background_e_per_s=table.number("background_e_per_s", 90.0, at_least=0.0),
        read_noise_e=table.number("read_noise_e", 10.0, at_least=0.0),
        jitter_px=table.number("jitter_px", 0.001, at_least=0.0, at_most=0.5),
        jitter_hours=table.number("jitter_hours", 3.3, above=0.0),
        fast_jitter_px=table.number("fast_jitter_px", 0.003, at_least=0.0, at_most=0.5),
        drift_row_px_per_day=table.number("drift_row_px_per_day", 0.0, at_least=-0.1, at_most=0.1),
        drift_column_px_per_day=table.number("drift_column_px_per_day", 0.0, at_least=-0.1, at_most=0.1),
    )
    table.finish()
    return noise


def _dumps(table: TomlTable) -> MomentumDumps:
    dumps = MomentumDumps(
        table.number("first_btjd", **_BTJD),
        table.number("every_days", above=0.1),
        table.integer("n_cadences", 4, at_least=1, at_most=100),
        table.number("kick_px", at_least=0.0, at_most=2.0),
    )
    table.finish()
    return dumps


def _span(table: TomlTable, sectors: tuple[SceneSector, ...]) -> Span:
    start, end = table.number("start_btjd", **_BTJD), table.number("end_btjd", **_BTJD)
    if end <= start:
        raise table.error("end_btjd", f"{end:g} is not after start_btjd, {start:g}")
    if not any(start < sector.end_btjd and end > sector.start_btjd for sector in sectors):
        raise table.error("start_btjd", f"no sector is observed between {start:g} and {end:g}")
    return Span(start, end)


def _flagged(table: TomlTable, sectors: tuple[SceneSector, ...]) -> FlaggedStretch:
    flagged = FlaggedStretch(_span(table, sectors), table.integers("bits", at_least=1, at_most=16))
    table.finish()
    return flagged


def _scattered_light(table: TomlTable, sectors: tuple[SceneSector, ...]) -> ScatteredLight:
    light = ScatteredLight(
        _span(table, sectors),
        table.number("peak_e_per_s", above=0.0),
        table.number("residual_fraction", 0.01, at_least=0.0, at_most=1.0),
        table.integers("bits", at_least=1, at_most=16),
    )
    table.finish()
    return light


def _missing(table: TomlTable, sectors: tuple[SceneSector, ...]) -> Span:
    span = _span(table, sectors)
    table.finish()
    return span
