"""
The run record: everything that one run was asked, was answered, computed and decided, as JSON values.

A record is a plain dictionary of this shape, so that the same bytes can be written by the pipeline, stored in DuckDB, read
back, hashed and rendered. Fields may be added; none changes its meaning. A value that was not measured is absent or null,
never NaN.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

SCHEMA_VERSION = 1

# The two kinds of stamps.
FLOAT32 = "<f4"
MASK = "|u1"


class Stamp(TypedDict):
    """A small image as base64 of little-endian values, row 0 first; NaN marks pixels without a value."""

    dtype: str  # FLOAT32, or MASK for masks
    shape: list[int]  # [n_row, n_column]
    data: str


class MetricValue(TypedDict):
    """A number and its unit."""

    value: float | int
    unit: str


class RunInfo(TypedDict):
    """Who ran what, when, with which code."""

    started_at: str  # UTC, to the second: 2026-11-21T01:45:00Z
    command: list[str]  # as typed, with folders reduced to their last name
    parameters: dict[str, Any]
    versions: dict[str, str]
    simulated: bool


class PositionValue(TypedDict):
    """Catalogue position and motion; see targets.SkyPosition."""

    ra_deg: float
    dec_deg: float
    pmra_mas_per_yr: float
    pmdec_mas_per_yr: float
    ref_epoch_year: float
    pm_known: bool


class TargetValue(TypedDict):
    """The star."""

    tic_id: int
    position: PositionValue | None
    tmag: float | None
    stellar: dict[str, float | None]  # fields of targets.StellarParameters
    source: str
    aliases: dict[str, str]


class CandidateValue(TypedDict):
    """One ephemeris that was asked about."""

    name: str
    period_days: float
    epoch_btjd: float
    duration_hours: float
    source: str


class AnswerValue(TypedDict):
    """One answer of a place that was asked; see archive.states."""

    service: str  # "mirror", "mast", "exofop"
    endpoint: str  # what was asked for, such as "light curves and pixel files of TIC 1"
    state: str
    asked_at: str
    detail: str  # a sentence


class ProductValue(TypedDict):
    """
    One product; the fields of contracts.md, then provenance.

    A product that an archive offers and whose bytes are not here has no sha256 and no fits_sum; its state says why.
    """

    kind: str
    sector: int | None
    pipeline: str
    exptime_s: float | None
    uri: str | None
    file: str
    sha256: str | None
    fits_sum: str | None
    state: str
    used: bool
    reason: str
    bytes: int | None
    mission: str | None
    camera: int | None
    ccd: int | None
    obs_id: str | None
    origin: str | None
    creator: str | None
    procver: str | None
    date: str | None
    simulated: bool
    retrieved: str  # UTC, and `, from HOST` where it is known; `from mirror`; `not fetched`
    provenance: dict[str, Any]  # LightCurveProvenance or the pixel file's counts; {} when the product was not read


class TimeOffsetValue(TypedDict):
    """
    Times of a light curve that is at hand minus those of the used one of its sector; see products.time_offsets.

    The numbers are absent where the cadences of the two stand in no fixed relation.
    """

    sector: int
    pipeline: str
    procver: str | None
    file: str
    sha256: str
    against_pipeline: str
    against_procver: str | None
    against_sha256: str
    offset_s: NotRequired[float]
    spread_s: NotRequired[float]
    n_pairs: NotRequired[int]


class LightCurveValue(TypedDict):
    """
    A light curve as it is drawn: binned; the bytes it came from are named by sha256.

    `flux_ppm` is (flux / median - 1) x 1e6 averaged in bins of `bin_days` starting at `start_btjd`; empty bins are NaN
    (float32, base64, shape [1, n]).
    """

    product_sha256: str
    sector: int
    pipeline: str
    flux_column: str
    exptime_s: float | None
    start_btjd: float
    bin_days: float
    flux_ppm: Stamp
    scatter_ppm: float  # of a cadence, point to point: 1.4826 x MAD of the differences / sqrt 2
    n_used: int


class FoldValue(TypedDict):
    """
    All used light curves of one candidate folded on it, binned in hours from mid-transit.

    Each transit is divided by the median of its own surroundings. One series for odd and one for even transit numbers; shape
    [1, n] stamps; `err_ppm` is the standard error in a bin. Depths are means over the transits in |dt| <= 0.45 durations;
    their errors, from the scatter of the single transits, stand from three transits on.
    """

    candidate: str
    start_hours: float
    bin_hours: float
    odd_ppm: Stamp
    odd_err_ppm: Stamp
    even_ppm: Stamp
    even_err_ppm: Stamp
    n_odd_transits: int
    n_even_transits: int
    sectors: list[int]
    odd_depth_ppm: NotRequired[float]
    odd_depth_err_ppm: NotRequired[float]
    even_depth_ppm: NotRequired[float]
    even_depth_err_ppm: NotRequired[float]


class StarOnStamp(TypedDict):
    """A star placed on a stamp; rows and columns 0-based."""

    star_id: str
    row: float
    column: float
    magnitude: float | None
    separation_arcsec: float


class PixelView(TypedDict):
    """What the pixels of one sector look like, with or without an ephemeris."""

    sector: int
    product_sha256: str
    control_image: Stamp  # mean of the used cadences (out of all candidates' transits)
    image_unit: str
    aperture_mask: Stamp | None
    corner_row: int | None
    corner_column: int | None
    target_row: float | None
    target_column: float | None
    sky_per_pixel_arcsec: list[list[float]] | None  # see checks.inputs.PixelStack
    neighbours: list[StarOnStamp]  # the brightest whose light reaches the stamp, nearest first
    n_neighbours: NotRequired[int]  # how many there are; absent in records that list all of them
    neighbours_known: bool
    wcs_note: str  # empty, or a sentence when the WCS is missing or disagrees
    crowdsap: float | None
    n_used: int


class CheckValue(TypedDict):
    """One check result; see checks.result.CheckResult. `plot_data` stamps stand under `stamps`."""

    check_id: str
    candidate: str
    sector: int | None
    verdict: str
    summary: str
    reason: str | None
    metrics: dict[str, MetricValue]
    flags: list[str]
    thresholds: dict[str, dict[str, Any]]
    parameters: dict[str, Any]
    method_version: str
    inputs: list[str]  # sha256 of the products
    details: dict[str, Any]
    stamps: dict[str, Stamp]


class MaskRowValue(TypedDict):
    """What the checks say under the masks that leave the same cadences; see checks.mask_sensitivity.MaskRow."""

    masks: list[int]
    n_cadences: int
    n_transits: int
    verdicts: dict[str, str]
    metrics: dict[str, MetricValue]


class MaskSensitivityValue(TypedDict):
    """One candidate in one sector under several quality masks; one row where all leave the same cadences."""

    candidate: str
    sector: int
    quality_mask: int  # the run's own
    sentence: str
    rows: list[MaskRowValue]


class DvImageValue(TypedDict):
    """
    One difference image of a DV report: SPOC's numbers, and ours fitted to the same pixels.

    `spoc` and `ours` hold `row`, `column`, `row_err`, `column_err` (pixels, CCD coordinates as SPOC prints them), `quality`,
    and `tic_offset_...` and `control_offset_...` (arcsec): what was not measured is absent.
    """

    sector: NotRequired[int]
    status: str  # ok, not_run
    reason: NotRequired[str]
    overlapped_transits: NotRequired[bool]
    spoc: dict[str, float]
    ours: NotRequired[dict[str, float]]
    distance_px: NotRequired[float]
    prf: NotRequired[dict[str, Any]]
    flags: NotRequired[list[str]]


class SpocDvValue(TypedDict):
    """A threshold-crossing event of an SPOC DV report that is one of our candidates; `numbers` are over SPOC's sectors."""

    candidate: str
    match: str  # how period and epoch agree, a phrase
    file: str
    sha256: str
    planet_number: int
    toi: NotRequired[str]
    sectors: list[int]
    period_days: float
    epoch_btjd: float
    duration_hours: NotRequired[float]
    fit: str
    numbers: dict[str, float]  # depth_ppm, mes, ghost_core, ghost_halo, tic_offset_arcsec ... with _err, _significance
    images: list[DvImageValue]


class TransitValue(TypedDict):
    """One predicted transit; the optional fields are absent when it was dropped."""

    candidate: str
    sector: int
    number: int
    mid_btjd: float
    used: bool
    reason: str
    depth_ppm: NotRequired[float]
    depth_ppm_err: NotRequired[float]
    peak_row: NotRequired[int]
    peak_column: NotRequired[int]


class ThumbnailValue(TypedDict):
    """A small picture of a file, drawn by us: base64 of a PNG, and its size in pixels."""

    width: int
    height: int
    png: str


class ExoFopFileValue(TypedDict):
    """One file of an ExoFOP manifest; the optional fields are absent in records before ExoFOP was asked itself."""

    file_id: int
    filename: str
    type: str
    date: str | None
    group: str | None
    bytes: int | None
    sha256: str | None
    description: str | None
    state: str
    reason: NotRequired[str]  # what was found where its bytes should be, where they are not
    tag: NotRequired[str | None]
    user: NotRequired[str | None]
    content: NotRequired[str]  # what the bytes are: `PDF`, `PNG image`, `text`, `unknown`...
    older_versions: NotRequired[list[str]]  # sha256 of bytes that ExoFOP gave for this file before
    published: NotRequired[bool]  # its bytes stand in the site (--publish-files)
    published_as: NotRequired[str]  # under this name in the target's `files/`
    thumbnail: NotRequired[ThumbnailValue]  # in the site a file of its own, and no part of `dossier.json`


class ExoFopTableValue(TypedDict):
    """A summary table as ExoFOP gave it: foreign text, verbatim."""

    name: str  # spect, imaging, tseries, stellar, planet, uploads, toi
    columns: list[str]
    rows: list[list[str]]
    n_rows: int  # of the answer; more than stand here where a table was cut for the page
    n_rejected: int  # rows that could not be read


class ExoFopNoteValue(TypedDict):
    """An observer's note as plain text."""

    note_id: int | None
    user: str | None
    group: str | None
    tag: str | None
    date: str | None
    text: str
    n_left_out: int  # characters beyond those that are shown
    is_disposition: bool  # a machine summary of dispositions: an opinion, no observation


class ExoFopCandidateValue(TypedDict):
    """A candidate as a row of ExoFOP gives it; what the row does not give is absent."""

    name: str  # 1262.01
    source: str  # exofop_toi, exofop_ctoi, exofop_planet
    used: bool
    reason: str  # why it is not used; empty when it is
    period_days: NotRequired[float]
    epoch_btjd: NotRequired[float]
    duration_hours: NotRequired[float]
    depth_ppm: NotRequired[float]
    radius_earth: NotRequired[float]
    disposition_tess: NotRequired[str]
    disposition_tfopwg: NotRequired[str]
    sectors: NotRequired[list[int]]
    updated: NotRequired[str]
    comments: NotRequired[str]


class ContrastCurveValue(TypedDict):
    """A high-resolution imaging sensitivity curve of an ExoFOP file."""

    file_id: int
    filename: str
    sha256: str
    layout: str  # how the file is laid out, a phrase
    instrument: str | None
    filter: str | None
    date: str | None
    separation_arcsec: list[float]
    delta_mag: list[float]


class ExternalLightCurveValue(TypedDict):
    """A ground-based light curve of an ExoFOP file; folded on a candidate only where its time system is stated."""

    file_id: int
    filename: str
    sha256: str
    layout: str
    instrument: str | None
    filter: str | None
    time_system: str  # BJD_TDB, BJD_UTC, HJD, JD_UTC, ... or `unlabelled`
    n_points: int
    n_folded: NotRequired[int]  # of these points, where others lie more than half a period from the transit
    candidate: NotRequired[str]  # folded on this one
    transit_number: NotRequired[int]
    hours_from_mid: NotRequired[list[float]]  # binned
    flux_relative: NotRequired[list[float]]  # median 1
    flux_relative_err: NotRequired[list[float]]
    reason: NotRequired[str]  # why it is not folded


class ExoFopValue(TypedDict):
    """
    What is known of ExoFOP. The optional fields are absent in records before ExoFOP was asked itself.

    Only what an anonymous request was given stands here.
    """

    state: str
    detail: str
    n_files: int  # those of `files` that need no login; they stand on the page
    generated_at: str | None
    manifest_sha256: str | None
    files: list[ExoFopFileValue]
    answers: dict[str, dict[str, Any]]
    n_listed: NotRequired[
        int
    ]  # rows of the file list, absent where not known; more than `files` where only some were wanted
    tables: NotRequired[list[ExoFopTableValue]]
    notes: NotRequired[list[ExoFopNoteValue]]
    candidates: NotRequired[list[ExoFopCandidateValue]]
    disagreements: NotRequired[list[str]]  # sentences: rows, or ExoFOP and MAST, that do not agree
    contrast_curves: NotRequired[list[ContrastCurveValue]]
    light_curves: NotRequired[list[ExternalLightCurveValue]]


class RunRecord(TypedDict):
    """One run, whole."""

    schema_version: int
    run: RunInfo
    target: TargetValue
    status: str  # complete, gaps, nothing
    candidates: list[CandidateValue]
    answers: list[AnswerValue]
    products: list[ProductValue]
    light_curves: list[LightCurveValue]
    folds: list[FoldValue]
    pixel_views: list[PixelView]
    checks: list[CheckValue]
    mask_sensitivity: NotRequired[list[MaskSensitivityValue]]  # absent in records before it was measured
    spoc_dv: NotRequired[list[SpocDvValue]]  # absent where no DV report of the target was at hand
    time_offsets: NotRequired[list[TimeOffsetValue]]  # absent where no sector has two light curves at hand
    transits: list[TransitValue]
    exofop: ExoFopValue
    warnings: list[str]
