-- The index over the run records. Every row here can be made again from runs/**/*.json and runs/ledger.jsonl.
-- A column named `other` holds, as JSON, the fields of a row that its columns cannot hold exactly: fields this version
-- does not know, whole numbers where a column has floats, and the like. With it, records come back byte for byte.

CREATE TABLE run (
    run_id VARCHAR NOT NULL PRIMARY KEY,
    tic_id BIGINT NOT NULL,
    started_at VARCHAR NOT NULL,
    status VARCHAR,
    simulated BOOLEAN,
    record_schema_version INTEGER,
    record_sha256 VARCHAR NOT NULL,
    command VARCHAR[],
    parameters JSON,
    versions JSON,
    warnings VARCHAR[],
    other JSON
);

CREATE TABLE target (
    run_id VARCHAR NOT NULL,
    tic_id BIGINT NOT NULL,
    ra_deg DOUBLE,
    dec_deg DOUBLE,
    pmra_mas_per_yr DOUBLE,
    pmdec_mas_per_yr DOUBLE,
    ref_epoch_year DOUBLE,
    pm_known BOOLEAN,
    tmag DOUBLE,
    teff_k DOUBLE,
    logg_cgs DOUBLE,
    radius_rsun DOUBLE,
    mass_msun DOUBLE,
    luminosity_lsun DOUBLE,
    metallicity_dex DOUBLE,
    distance_pc DOUBLE,
    contamination DOUBLE,
    source VARCHAR,
    aliases JSON,
    other JSON
);

CREATE TABLE candidate (
    run_id VARCHAR NOT NULL,
    ordinal INTEGER NOT NULL,
    name VARCHAR,
    period_days DOUBLE,
    epoch_btjd DOUBLE,
    duration_hours DOUBLE,
    source VARCHAR,
    other JSON
);

CREATE TABLE remote_answer (
    run_id VARCHAR NOT NULL,
    ordinal INTEGER NOT NULL,
    service VARCHAR,
    endpoint VARCHAR,
    state VARCHAR,
    asked_at VARCHAR,
    detail VARCHAR,
    other JSON
);

CREATE TABLE product (
    run_id VARCHAR NOT NULL,
    ordinal INTEGER NOT NULL,
    kind VARCHAR,
    sector INTEGER,
    pipeline VARCHAR,
    exptime_s DOUBLE,
    uri VARCHAR,
    file VARCHAR,
    sha256 VARCHAR,
    fits_sum VARCHAR,
    state VARCHAR,
    used BOOLEAN,
    reason VARCHAR,
    bytes BIGINT,
    mission VARCHAR,
    camera INTEGER,
    ccd INTEGER,
    obs_id VARCHAR,
    origin VARCHAR,
    creator VARCHAR,
    procver VARCHAR,
    date VARCHAR,
    simulated BOOLEAN,
    retrieved VARCHAR,
    provenance JSON,
    other JSON
);

CREATE TABLE light_curve (
    run_id VARCHAR NOT NULL,
    ordinal INTEGER NOT NULL,
    product_sha256 VARCHAR,
    sector INTEGER,
    pipeline VARCHAR,
    flux_column VARCHAR,
    exptime_s DOUBLE,
    start_btjd DOUBLE,
    bin_days DOUBLE,
    flux_ppm FLOAT[],
    scatter_ppm DOUBLE,
    n_used INTEGER,
    other JSON
);

CREATE TABLE fold (
    run_id VARCHAR NOT NULL,
    ordinal INTEGER NOT NULL,
    candidate VARCHAR,
    start_hours DOUBLE,
    bin_hours DOUBLE,
    odd_ppm FLOAT[],
    odd_err_ppm FLOAT[],
    even_ppm FLOAT[],
    even_err_ppm FLOAT[],
    n_odd_transits INTEGER,
    n_even_transits INTEGER,
    sectors INTEGER[],
    other JSON
);

CREATE TABLE pixel_view (
    run_id VARCHAR NOT NULL,
    ordinal INTEGER NOT NULL,
    sector INTEGER,
    product_sha256 VARCHAR,
    n_row INTEGER,
    n_column INTEGER,
    control_image FLOAT[],
    image_unit VARCHAR,
    aperture_mask UTINYINT[],
    corner_row INTEGER,
    corner_column INTEGER,
    target_row DOUBLE,
    target_column DOUBLE,
    sky_per_pixel_arcsec JSON,
    neighbours_known BOOLEAN,
    wcs_note VARCHAR,
    crowdsap DOUBLE,
    n_used INTEGER,
    other JSON
);

CREATE TABLE neighbour (
    run_id VARCHAR NOT NULL,
    view_ordinal INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    sector INTEGER,
    star_id VARCHAR,
    stamp_row DOUBLE,
    stamp_column DOUBLE,
    magnitude DOUBLE,
    separation_arcsec DOUBLE,
    other JSON
);

CREATE TABLE check_result (
    run_id VARCHAR NOT NULL,
    ordinal INTEGER NOT NULL,
    check_id VARCHAR,
    candidate VARCHAR,
    sector INTEGER,
    verdict VARCHAR,
    summary VARCHAR,
    reason VARCHAR,
    flags VARCHAR[],
    thresholds JSON,
    parameters JSON,
    method_version VARCHAR,
    inputs VARCHAR[],
    details JSON,
    other JSON
);

CREATE TABLE metric (
    run_id VARCHAR NOT NULL,
    check_id VARCHAR,
    candidate VARCHAR,
    sector INTEGER,
    name VARCHAR NOT NULL,
    value DOUBLE,
    unit VARCHAR,
    check_ordinal INTEGER NOT NULL,
    other JSON
);

CREATE TABLE stamp (
    run_id VARCHAR NOT NULL,
    check_id VARCHAR,
    candidate VARCHAR,
    sector INTEGER,
    name VARCHAR NOT NULL,
    unit VARCHAR,
    n_row INTEGER,
    n_column INTEGER,
    corner_row INTEGER,
    corner_column INTEGER,
    pixels FLOAT[],
    dtype VARCHAR,
    check_ordinal INTEGER NOT NULL,
    other JSON
);

CREATE TABLE transit (
    run_id VARCHAR NOT NULL,
    ordinal INTEGER NOT NULL,
    candidate VARCHAR,
    sector INTEGER,
    number INTEGER,
    mid_btjd DOUBLE,
    used BOOLEAN,
    reason VARCHAR,
    depth_ppm DOUBLE,
    depth_ppm_err DOUBLE,
    peak_row INTEGER,
    peak_column INTEGER,
    other JSON
);

CREATE TABLE exofop (
    run_id VARCHAR NOT NULL,
    state VARCHAR,
    detail VARCHAR,
    n_files INTEGER,
    generated_at VARCHAR,
    manifest_sha256 VARCHAR,
    answers JSON,
    other JSON
);

CREATE TABLE exofop_file (
    run_id VARCHAR NOT NULL,
    ordinal INTEGER NOT NULL,
    file_id BIGINT,
    filename VARCHAR,
    type VARCHAR,
    date VARCHAR,
    group_name VARCHAR,
    bytes BIGINT,
    sha256 VARCHAR,
    description VARCHAR,
    state VARCHAR,
    other JSON
);

CREATE TABLE ledger (
    position INTEGER NOT NULL,
    run_id VARCHAR NOT NULL,
    tic_id BIGINT NOT NULL,
    record_sha256 VARCHAR NOT NULL,
    previous VARCHAR NOT NULL,
    entry_sha256 VARCHAR NOT NULL
);

COMMENT ON TABLE run IS 'One run: who was asked about, when, how, and with which code';
COMMENT ON COLUMN run.run_id IS 'UTC start to the second, a hyphen, 8 hexadecimal digits of record_sha256';
COMMENT ON COLUMN run.tic_id IS 'TESS Input Catalog number';
COMMENT ON COLUMN run.started_at IS 'UTC, ISO 8601, to the second';
COMMENT ON COLUMN run.status IS 'complete, gaps or nothing';
COMMENT ON COLUMN run.simulated IS 'Whether any input was simulated';
COMMENT ON COLUMN run.record_schema_version IS 'Version of the form of the run record';
COMMENT ON COLUMN run.record_sha256 IS 'SHA-256 of the record file runs/<tic_id>/<run_id>.json';
COMMENT ON COLUMN run.command IS 'Command as typed, folders reduced to their last name';
COMMENT ON COLUMN run.parameters IS 'What the run was asked to do, resolved';
COMMENT ON COLUMN run.versions IS 'Program and library versions by name';
COMMENT ON COLUMN run.warnings IS 'Sentences, in the order in which they arose';
COMMENT ON COLUMN run.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE target IS 'The star of a run: one row a run';
COMMENT ON COLUMN target.run_id IS 'Run';
COMMENT ON COLUMN target.tic_id IS 'TESS Input Catalog number';
COMMENT ON COLUMN target.ra_deg IS 'Right ascension, ICRS at ref_epoch_year, degrees';
COMMENT ON COLUMN target.dec_deg IS 'Declination, ICRS at ref_epoch_year, degrees';
COMMENT ON COLUMN target.pmra_mas_per_yr IS 'Proper motion in right ascension times cos(declination), mas/yr';
COMMENT ON COLUMN target.pmdec_mas_per_yr IS 'Proper motion in declination, mas/yr';
COMMENT ON COLUMN target.ref_epoch_year IS 'Epoch of the position, Julian year';
COMMENT ON COLUMN target.pm_known IS 'Whether the proper motion is known (0 stands for unknown otherwise)';
COMMENT ON COLUMN target.tmag IS 'TESS magnitude';
COMMENT ON COLUMN target.teff_k IS 'Effective temperature, K';
COMMENT ON COLUMN target.logg_cgs IS 'Decimal logarithm of the surface gravity in cm/s2';
COMMENT ON COLUMN target.radius_rsun IS 'Radius, solar radii';
COMMENT ON COLUMN target.mass_msun IS 'Mass, solar masses';
COMMENT ON COLUMN target.luminosity_lsun IS 'Luminosity, solar luminosities';
COMMENT ON COLUMN target.metallicity_dex IS '[M/H], dex';
COMMENT ON COLUMN target.distance_pc IS 'Distance, parsec';
COMMENT ON COLUMN target.contamination IS 'TIC contamination ratio: flux of neighbours over flux of the star';
COMMENT ON COLUMN target.source IS 'Where position and parameters came from';
COMMENT ON COLUMN target.aliases IS 'Names by catalogue';
COMMENT ON COLUMN target.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE candidate IS 'The ephemerides that were asked about';
COMMENT ON COLUMN candidate.run_id IS 'Run';
COMMENT ON COLUMN candidate.ordinal IS 'Position in the record, from 0';
COMMENT ON COLUMN candidate.name IS 'Name, such as 1262.01 or user';
COMMENT ON COLUMN candidate.period_days IS 'Period, days';
COMMENT ON COLUMN candidate.epoch_btjd IS 'Mid-transit time of transit 0, BTJD: BJD(TDB) - 2457000, days';
COMMENT ON COLUMN candidate.duration_hours IS 'First to last contact, hours';
COMMENT ON COLUMN candidate.source IS 'user, exofop_toi, exofop_ctoi or exofop_planet';
COMMENT ON COLUMN candidate.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE remote_answer IS 'What each asked place answered';
COMMENT ON COLUMN remote_answer.run_id IS 'Run';
COMMENT ON COLUMN remote_answer.ordinal IS 'Position in the record, from 0';
COMMENT ON COLUMN remote_answer.service IS 'mirror, mast or exofop';
COMMENT ON COLUMN remote_answer.endpoint IS 'What was asked for';
COMMENT ON COLUMN remote_answer.state IS 'OK, EMPTY, NOT_FOUND, AUTH_REQUIRED, THROTTLED, UNREACHABLE, CORRUPT, REJECTED, STALE or SKIPPED';
COMMENT ON COLUMN remote_answer.asked_at IS 'UTC, ISO 8601';
COMMENT ON COLUMN remote_answer.detail IS 'A sentence';
COMMENT ON COLUMN remote_answer.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE product IS 'Files that were considered, used or not';
COMMENT ON COLUMN product.run_id IS 'Run';
COMMENT ON COLUMN product.ordinal IS 'Position in the record, from 0';
COMMENT ON COLUMN product.kind IS 'light_curve, target_pixel_file, cutout or dv_report';
COMMENT ON COLUMN product.sector IS 'TESS sector; NULL for several or none';
COMMENT ON COLUMN product.pipeline IS 'SPOC, TESS-SPOC, QLP, TGLC, TESScut or unknown; by header';
COMMENT ON COLUMN product.exptime_s IS 'Exposure time of a cadence, seconds';
COMMENT ON COLUMN product.uri IS 'Archive URI where known';
COMMENT ON COLUMN product.file IS 'File name';
COMMENT ON COLUMN product.sha256 IS 'SHA-256 of the bytes as they lie';
COMMENT ON COLUMN product.fits_sum IS 'ok, bad or not_checkable';
COMMENT ON COLUMN product.state IS 'OK, CORRUPT or REJECTED';
COMMENT ON COLUMN product.used IS 'Whether it feeds the dossier';
COMMENT ON COLUMN product.reason IS 'Why it is not used, or what is noteworthy';
COMMENT ON COLUMN product.bytes IS 'Size, bytes';
COMMENT ON COLUMN product.mission IS 'Mission, by header';
COMMENT ON COLUMN product.camera IS 'TESS camera, 1 to 4';
COMMENT ON COLUMN product.ccd IS 'CCD of the camera, 1 to 4';
COMMENT ON COLUMN product.obs_id IS 'Observation id, by header or file name';
COMMENT ON COLUMN product.origin IS 'ORIGIN of the header';
COMMENT ON COLUMN product.creator IS 'CREATOR of the header';
COMMENT ON COLUMN product.procver IS 'PROCVER of the header';
COMMENT ON COLUMN product.date IS 'DATE of the header';
COMMENT ON COLUMN product.simulated IS 'Whether the header says that the data are simulated';
COMMENT ON COLUMN product.retrieved IS 'from mirror, or UTC time of the download';
COMMENT ON COLUMN product.provenance IS 'How it was read: masks, counts, time reference';
COMMENT ON COLUMN product.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE light_curve IS 'Light curves as drawn: binned';
COMMENT ON COLUMN light_curve.run_id IS 'Run';
COMMENT ON COLUMN light_curve.ordinal IS 'Position in the record, from 0';
COMMENT ON COLUMN light_curve.product_sha256 IS 'SHA-256 of the product it came from';
COMMENT ON COLUMN light_curve.sector IS 'TESS sector';
COMMENT ON COLUMN light_curve.pipeline IS 'Pipeline';
COMMENT ON COLUMN light_curve.flux_column IS 'Column of the file';
COMMENT ON COLUMN light_curve.exptime_s IS 'Exposure time of a cadence, seconds';
COMMENT ON COLUMN light_curve.start_btjd IS 'Left edge of the first bin, BTJD, days';
COMMENT ON COLUMN light_curve.bin_days IS 'Width of a bin, days';
COMMENT ON COLUMN light_curve.flux_ppm IS '(flux / median - 1) x 1e6 averaged in bins, ppm; NaN in empty bins';
COMMENT ON COLUMN light_curve.scatter_ppm IS 'scatter of a cadence, point to point: 1.4826 x MAD of the differences / sqrt 2, ppm';
COMMENT ON COLUMN light_curve.n_used IS 'Cadences used';
COMMENT ON COLUMN light_curve.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE fold IS 'Light curves folded on a candidate, odd and even transits apart';
COMMENT ON COLUMN fold.run_id IS 'Run';
COMMENT ON COLUMN fold.ordinal IS 'Position in the record, from 0';
COMMENT ON COLUMN fold.candidate IS 'Name of the candidate';
COMMENT ON COLUMN fold.start_hours IS 'Left edge of the first bin, hours from mid-transit';
COMMENT ON COLUMN fold.bin_hours IS 'Width of a bin, hours';
COMMENT ON COLUMN fold.odd_ppm IS 'Odd transit numbers, ppm; NaN in empty bins';
COMMENT ON COLUMN fold.odd_err_ppm IS 'Standard error of odd_ppm, ppm';
COMMENT ON COLUMN fold.even_ppm IS 'Even transit numbers, ppm; NaN in empty bins';
COMMENT ON COLUMN fold.even_err_ppm IS 'Standard error of even_ppm, ppm';
COMMENT ON COLUMN fold.n_odd_transits IS 'Odd transits with data';
COMMENT ON COLUMN fold.n_even_transits IS 'Even transits with data';
COMMENT ON COLUMN fold.sectors IS 'TESS sectors that were folded';
COMMENT ON COLUMN fold.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE pixel_view IS 'The pixels of a sector; images as lists, row 0 first, n_column values a row';
COMMENT ON COLUMN pixel_view.run_id IS 'Run';
COMMENT ON COLUMN pixel_view.ordinal IS 'Position in the record, from 0';
COMMENT ON COLUMN pixel_view.sector IS 'TESS sector';
COMMENT ON COLUMN pixel_view.product_sha256 IS 'SHA-256 of the product it came from';
COMMENT ON COLUMN pixel_view.n_row IS 'Rows of the stamp, pixels';
COMMENT ON COLUMN pixel_view.n_column IS 'Columns of the stamp, pixels';
COMMENT ON COLUMN pixel_view.control_image IS 'Mean of the cadences outside every transit, in image_unit; NaN without a value';
COMMENT ON COLUMN pixel_view.image_unit IS 'Unit of control_image';
COMMENT ON COLUMN pixel_view.aperture_mask IS '1 where the pipeline summed; NULL when unknown';
COMMENT ON COLUMN pixel_view.corner_row IS 'CCD row of pixel [0, 0]';
COMMENT ON COLUMN pixel_view.corner_column IS 'CCD column of pixel [0, 0]';
COMMENT ON COLUMN pixel_view.target_row IS 'Catalogue position at mid-sector, stamp row from 0, pixel centres at integers';
COMMENT ON COLUMN pixel_view.target_column IS 'Catalogue position at mid-sector, stamp column from 0, pixel centres at integers';
COMMENT ON COLUMN pixel_view.sky_per_pixel_arcsec IS '[[dE/dcolumn, dE/drow], [dN/dcolumn, dN/drow]], arcsec per pixel';
COMMENT ON COLUMN pixel_view.neighbours_known IS 'Whether a catalogue of neighbours was asked';
COMMENT ON COLUMN pixel_view.wcs_note IS 'Empty, or a sentence about a missing or disagreeing WCS';
COMMENT ON COLUMN pixel_view.crowdsap IS 'CROWDSAP: share of the target in the aperture flux';
COMMENT ON COLUMN pixel_view.n_used IS 'Cadences used';
COMMENT ON COLUMN pixel_view.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE neighbour IS 'Catalogued stars placed on a pixel view';
COMMENT ON COLUMN neighbour.run_id IS 'Run';
COMMENT ON COLUMN neighbour.view_ordinal IS 'ordinal of the pixel view';
COMMENT ON COLUMN neighbour.ordinal IS 'Position in the record, from 0';
COMMENT ON COLUMN neighbour.sector IS 'TESS sector of the pixel view';
COMMENT ON COLUMN neighbour.star_id IS 'Identifier as the catalogue gives it';
COMMENT ON COLUMN neighbour.stamp_row IS 'Stamp row from 0, pixel centres at integers';
COMMENT ON COLUMN neighbour.stamp_column IS 'Stamp column from 0, pixel centres at integers';
COMMENT ON COLUMN neighbour.magnitude IS 'TESS magnitude, else Gaia G';
COMMENT ON COLUMN neighbour.separation_arcsec IS 'Distance from the target, arcsec';
COMMENT ON COLUMN neighbour.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE check_result IS 'Outcome of a check for a candidate, in a sector or combined';
COMMENT ON COLUMN check_result.run_id IS 'Run';
COMMENT ON COLUMN check_result.ordinal IS 'Position in the record, from 0';
COMMENT ON COLUMN check_result.check_id IS 'V08, V09, V10 or V20';
COMMENT ON COLUMN check_result.candidate IS 'Name of the candidate';
COMMENT ON COLUMN check_result.sector IS 'TESS sector; NULL: all sectors combined';
COMMENT ON COLUMN check_result.verdict IS 'pass, warn, fail or not_run; never a disposition';
COMMENT ON COLUMN check_result.summary IS 'The finding as a sentence';
COMMENT ON COLUMN check_result.reason IS 'Why the check was not run';
COMMENT ON COLUMN check_result.flags IS 'Stable upper-case words';
COMMENT ON COLUMN check_result.thresholds IS 'Thresholds held against, each with value and source';
COMMENT ON COLUMN check_result.parameters IS 'What the check was run with';
COMMENT ON COLUMN check_result.method_version IS 'Changes whenever a number could';
COMMENT ON COLUMN check_result.inputs IS 'SHA-256 of the products it was computed from';
COMMENT ON COLUMN check_result.details IS 'Further values of the check';
COMMENT ON COLUMN check_result.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE metric IS 'Measured numbers of checks; what was not measured has no row';
COMMENT ON COLUMN metric.run_id IS 'Run';
COMMENT ON COLUMN metric.check_id IS 'Check';
COMMENT ON COLUMN metric.candidate IS 'Name of the candidate';
COMMENT ON COLUMN metric.sector IS 'TESS sector; NULL: all sectors combined';
COMMENT ON COLUMN metric.name IS 'Name; ends in its unit where it has one';
COMMENT ON COLUMN metric.value IS 'Value, in unit';
COMMENT ON COLUMN metric.unit IS 'Unit of value';
COMMENT ON COLUMN metric.check_ordinal IS 'ordinal of the check result';
COMMENT ON COLUMN metric.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE stamp IS 'Images of checks as lists, row 0 first, n_column values a row';
COMMENT ON COLUMN stamp.run_id IS 'Run';
COMMENT ON COLUMN stamp.check_id IS 'Check';
COMMENT ON COLUMN stamp.candidate IS 'Name of the candidate';
COMMENT ON COLUMN stamp.sector IS 'TESS sector; NULL: all sectors combined';
COMMENT ON COLUMN stamp.name IS 'Name, such as difference_image';
COMMENT ON COLUMN stamp.unit IS 'Unit of pixels; NULL when it is not known';
COMMENT ON COLUMN stamp.n_row IS 'Rows, pixels';
COMMENT ON COLUMN stamp.n_column IS 'Columns, pixels';
COMMENT ON COLUMN stamp.corner_row IS 'CCD row of pixel [0, 0], from the pixel view of the sector';
COMMENT ON COLUMN stamp.corner_column IS 'CCD column of pixel [0, 0], from the pixel view of the sector';
COMMENT ON COLUMN stamp.pixels IS 'Values in unit; NaN without a value; masks as 0 and 1';
COMMENT ON COLUMN stamp.dtype IS 'Form in the record: <f4, or |u1 for masks';
COMMENT ON COLUMN stamp.check_ordinal IS 'ordinal of the check result';
COMMENT ON COLUMN stamp.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE transit IS 'Every predicted transit: kept, or dropped and why';
COMMENT ON COLUMN transit.run_id IS 'Run';
COMMENT ON COLUMN transit.ordinal IS 'Position in the record, from 0';
COMMENT ON COLUMN transit.candidate IS 'Name of the candidate';
COMMENT ON COLUMN transit.sector IS 'TESS sector';
COMMENT ON COLUMN transit.number IS 'Epochs since the reference epoch';
COMMENT ON COLUMN transit.mid_btjd IS 'Predicted mid-transit time, BTJD, days';
COMMENT ON COLUMN transit.used IS 'Whether the checks used it';
COMMENT ON COLUMN transit.reason IS 'Why it was dropped; empty when used';
COMMENT ON COLUMN transit.depth_ppm IS 'Depth in the pipeline aperture, ppm; NULL when dropped';
COMMENT ON COLUMN transit.depth_ppm_err IS 'Error of depth_ppm from matched windows, ppm';
COMMENT ON COLUMN transit.peak_row IS 'Brightest pixel of its difference image, stamp row from 0';
COMMENT ON COLUMN transit.peak_column IS 'Brightest pixel of its difference image, stamp column from 0';
COMMENT ON COLUMN transit.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE exofop IS 'What is known of ExoFOP: one row a run';
COMMENT ON COLUMN exofop.run_id IS 'Run';
COMMENT ON COLUMN exofop.state IS 'State of the answers together';
COMMENT ON COLUMN exofop.detail IS 'A sentence';
COMMENT ON COLUMN exofop.n_files IS 'Files in the manifest';
COMMENT ON COLUMN exofop.generated_at IS 'When the manifest was made, UTC';
COMMENT ON COLUMN exofop.manifest_sha256 IS 'SHA-256 of the manifest';
COMMENT ON COLUMN exofop.answers IS 'State, time and counts by endpoint';
COMMENT ON COLUMN exofop.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE exofop_file IS 'Files that ExoFOP lists for the target';
COMMENT ON COLUMN exofop_file.run_id IS 'Run';
COMMENT ON COLUMN exofop_file.ordinal IS 'Position in the record, from 0';
COMMENT ON COLUMN exofop_file.file_id IS 'ExoFOP file id';
COMMENT ON COLUMN exofop_file.filename IS 'File name';
COMMENT ON COLUMN exofop_file.type IS 'Type, in the words of ExoFOP';
COMMENT ON COLUMN exofop_file.date IS 'Date, in the words of ExoFOP';
COMMENT ON COLUMN exofop_file.group_name IS 'Group, in the words of ExoFOP';
COMMENT ON COLUMN exofop_file.bytes IS 'Size, bytes';
COMMENT ON COLUMN exofop_file.sha256 IS 'SHA-256 of the file as fetched';
COMMENT ON COLUMN exofop_file.description IS 'Description, in the words of ExoFOP';
COMMENT ON COLUMN exofop_file.state IS 'State of the answer';
COMMENT ON COLUMN exofop_file.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE ledger IS 'The chain of record hashes, as in runs/ledger.jsonl';
COMMENT ON COLUMN ledger.position IS 'Line of the ledger, from 1';
COMMENT ON COLUMN ledger.run_id IS 'Run';
COMMENT ON COLUMN ledger.tic_id IS 'TESS Input Catalog number';
COMMENT ON COLUMN ledger.record_sha256 IS 'SHA-256 of the record file';
COMMENT ON COLUMN ledger.previous IS 'entry_sha256 of the line before; 64 zeros in the first line';
COMMENT ON COLUMN ledger.entry_sha256 IS 'SHA-256 of the canonical JSON of the other four fields';
