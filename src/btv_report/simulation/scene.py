"""
What a scene is: stars, signals, noise and mishaps, from which SPOC-form files are made.

A scene says everything that the pixels depend on, the seed included; `scene_file.load_scene` reads one from TOML.
All positions are 0-based stamp positions `(row, column)` with pixel centres at integers; all times are BTJD.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from btv_report.ephemeris import Ephemeris
from btv_report.simulation.geometry import StampProjection
from btv_report.targets import SkyPosition, StellarParameters
from btv_report.time_systems import julian_year

TARGET_ID = "target"
"""Name by which a signal says that it is on the target."""

TESS_ZERO_POINT_MAG = 20.44
"""TESS magnitude of one electron per second (TESS Instrument Handbook 2018): Tmag 10 gives 1.5e4 e-/s."""


def flux_of_tmag(tmag: float) -> float:
    """Flux in electron/s, over the whole PRF, of a star of TESS magnitude `tmag`."""
    return float(10.0 ** (0.4 * (TESS_ZERO_POINT_MAG - tmag)))


@dataclass(frozen=True)
class Span:
    """A stretch of time, BTJD, `start` included and `end` not."""

    start_btjd: float
    end_btjd: float


@dataclass(frozen=True)
class SceneStar:
    """
    A star of the scene.

    Attributes
    ----------
    star_id : name in the catalogue
    position : catalogue position, epoch 2000.0
    tmag : TESS magnitude
    """

    star_id: str
    position: SkyPosition
    tmag: float


@dataclass(frozen=True)
class SceneTarget:
    """The star that the stamp is centred on, with what its FITS headers say of it."""

    tic_id: int
    position: SkyPosition
    tmag: float
    stellar: StellarParameters

    @property
    def as_star(self) -> SceneStar:
        """The target as one of the stars."""
        return SceneStar(f"TIC {self.tic_id}", self.position, self.tmag)


@dataclass(frozen=True)
class SceneSector:
    """
    One sector's observation.

    Attributes
    ----------
    number, camera, ccd : sector 1-9999, camera 1-4, CCD 1-4
    start_btjd, length_days : first cadence starts here; length includes the gap
    cadence_s : 20 or 120
    gap : the downlink pause between the orbits, or None; its cadences have neither time nor flux, and bit 4 (Earth point)
    corner_row, corner_column : detector row and column of stamp pixel [0, 0]
    target_row, target_column : where the target falls on the stamp at the sector's mid-time
    east_angle_deg : direction of east on the stamp, counter-clockwise from increasing column
    """

    number: int
    camera: int
    ccd: int
    start_btjd: float
    length_days: float
    cadence_s: int
    gap: Span | None
    corner_row: int
    corner_column: int
    target_row: float
    target_column: float
    east_angle_deg: float

    @property
    def end_btjd(self) -> float:
        """End of the last cadence."""
        return self.start_btjd + self.length_days

    @property
    def mid_btjd(self) -> float:
        """Middle of the sector, where proper motion is evaluated."""
        return self.start_btjd + 0.5 * self.length_days


@dataclass(frozen=True)
class Signal:
    """
    A periodic dimming of one star or ghost.

    The dip is a trapezoid: `ingress_fraction` of the duration is ingress, as much is egress. 0.5 makes a V, as a grazing binary
    shows. A secondary eclipse of depth `secondary_depth` lies half a period later.

    Attributes
    ----------
    source : `target`, a star's id, or a ghost's id
    ephemeris : true period, mid-time and duration
    depth : fractional dip at mid-transit, of that star's own light
    ingress_fraction : 0 < f <= 0.5
    secondary_depth : fractional dip half a period later; 0 for none
    """

    source: str
    ephemeris: Ephemeris
    depth: float
    ingress_fraction: float
    secondary_depth: float


@dataclass(frozen=True)
class Ghost:
    """
    A broad, diffuse patch of light from a bright star elsewhere, reflected inside the camera.

    Attributes
    ----------
    ghost_id : name for signals
    peak_e_per_s : brightness at its centre, electron/s per pixel
    fwhm_px : full width at half maximum of its Gaussian profile
    row_offset_px, column_offset_px : centre relative to the target
    """

    ghost_id: str
    peak_e_per_s: float
    fwhm_px: float
    row_offset_px: float
    column_offset_px: float


@dataclass(frozen=True)
class PointSpread:
    """
    Pixel response: a Gaussian core and a wider Gaussian wing, both integrated over pixels.

    Attributes
    ----------
    fwhm_px, wing_fwhm_px : widths before integration over the pixel
    wing_fraction : share of the light in the wing
    """

    fwhm_px: float
    wing_fwhm_px: float
    wing_fraction: float


@dataclass(frozen=True)
class Noise:
    """
    Noise and pointing besides photon noise, which always applies.

    Attributes
    ----------
    background_e_per_s : sky per pixel, electron/s, subtracted as the pipeline does; its photons still are noise
    read_noise_e : electrons per read
    jitter_px : standard deviation per axis of the slow pointing jitter. The centroid of a Tmag 8.3 star in sector 83
        wanders by 0.0002 px between two-hour means, which 0.0004 px of this jitter gives; early sectors were several times worse
    jitter_hours : its correlation time (first-order autoregression)
    fast_jitter_px : standard deviation per axis of the jitter that is new in each cadence (0.003 px in the same data)
    drift_row_px_per_day, drift_column_px_per_day : steady motion of all stars, zero at the sector's mid-time
    """

    background_e_per_s: float
    read_noise_e: float
    jitter_px: float
    jitter_hours: float
    fast_jitter_px: float
    drift_row_px_per_day: float
    drift_column_px_per_day: float


@dataclass(frozen=True)
class MomentumDumps:
    """Reaction-wheel desaturations: for `n_cadences` the pointing is off by up to `kick_px`, and bit 6 is set."""

    first_btjd: float
    every_days: float
    n_cadences: int
    kick_px: float


@dataclass(frozen=True)
class FlaggedStretch:
    """Cadences that carry the given quality bits (numbers from 1)."""

    span: Span
    bits: tuple[int, ...]


@dataclass(frozen=True)
class ScatteredLight:
    """
    Earth or Moon light that rises over a stretch.

    The pipeline subtracts it but for `residual_fraction`; cadences in which it is above half its peak carry `bits`.
    """

    span: Span
    peak_e_per_s: float
    residual_fraction: float
    bits: tuple[int, ...]


@dataclass(frozen=True)
class Scene:
    """
    Everything the simulated files depend on.

    Attributes
    ----------
    name : short name, such as `planet-on-target`
    title : what the scene shows, a sentence
    seed : of the noise
    date : DATE of the FITS files (never the clock)
    n_row, n_column : stamp shape
    pixel_scale_arcsec : arcsec per pixel
    target, stars, signals, ghosts, sectors, prf, noise : see their classes; `stars` does not hold the target
    ephemerides : what a search would have reported, and what the demo passes
    dumps, flagged, scattered_light, missing : mishaps; `missing` stretches have NaN flux
    """

    name: str
    title: str
    seed: int
    date: str
    n_row: int
    n_column: int
    pixel_scale_arcsec: float
    target: SceneTarget
    sectors: tuple[SceneSector, ...]
    prf: PointSpread
    noise: Noise
    ephemerides: tuple[Ephemeris, ...]
    stars: tuple[SceneStar, ...] = ()
    signals: tuple[Signal, ...] = ()
    ghosts: tuple[Ghost, ...] = ()
    dumps: tuple[MomentumDumps, ...] = ()
    flagged: tuple[FlaggedStretch, ...] = ()
    scattered_light: tuple[ScatteredLight, ...] = ()
    missing: tuple[Span, ...] = field(default=())

    @property
    def all_stars(self) -> tuple[SceneStar, ...]:
        """The target first, then the others."""
        return (self.target.as_star, *self.stars)

    def projection(self, sector: SceneSector) -> StampProjection:
        """Projection of a sector's stamp: tangent at the target as it stands at the sector's mid-time."""
        return project(self.target, sector, self.pixel_scale_arcsec)


def project(target: SceneTarget, sector: SceneSector, pixel_scale_arcsec: float) -> StampProjection:
    """Projection of a sector's stamp, tangent at the target moved to the sector's mid-time."""
    there = target.position.at_year(julian_year(sector.mid_btjd))
    return StampProjection(
        there.ra_deg, there.dec_deg, sector.target_row, sector.target_column, sector.east_angle_deg, pixel_scale_arcsec
    )
