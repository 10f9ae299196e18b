-- What ExoFOP itself says of a star: candidates, notes, summary tables, contrast curves and light curves of observers.
-- DuckDB adds columns at the end only, and `other` stands last in every table: the two that grow are made anew.

ALTER TABLE exofop RENAME TO exofop_before;
CREATE TABLE exofop (
    run_id VARCHAR NOT NULL,
    state VARCHAR,
    detail VARCHAR,
    n_files INTEGER,
    generated_at VARCHAR,
    manifest_sha256 VARCHAR,
    answers JSON,
    n_listed INTEGER,
    disagreements VARCHAR[],
    other JSON
);
INSERT INTO exofop BY NAME SELECT * FROM exofop_before;
DROP TABLE exofop_before;

ALTER TABLE exofop_file RENAME TO exofop_file_before;
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
    tag VARCHAR,
    user_name VARCHAR,
    content VARCHAR,
    older_versions VARCHAR[],
    published BOOLEAN,
    other JSON
);
INSERT INTO exofop_file BY NAME SELECT * FROM exofop_file_before;
DROP TABLE exofop_file_before;

CREATE TABLE exofop_candidate (
    run_id VARCHAR NOT NULL,
    ordinal INTEGER NOT NULL,
    name VARCHAR,
    source VARCHAR,
    used BOOLEAN,
    reason VARCHAR,
    period_days DOUBLE,
    epoch_btjd DOUBLE,
    duration_hours DOUBLE,
    depth_ppm DOUBLE,
    radius_earth DOUBLE,
    disposition_tess VARCHAR,
    disposition_tfopwg VARCHAR,
    sectors INTEGER[],
    updated VARCHAR,
    comments VARCHAR,
    other JSON
);

CREATE TABLE exofop_note (
    run_id VARCHAR NOT NULL,
    ordinal INTEGER NOT NULL,
    note_id BIGINT,
    user_name VARCHAR,
    group_name VARCHAR,
    tag VARCHAR,
    date VARCHAR,
    text VARCHAR,
    n_left_out INTEGER,
    is_disposition BOOLEAN,
    other JSON
);

CREATE TABLE exofop_table (
    run_id VARCHAR NOT NULL,
    ordinal INTEGER NOT NULL,
    name VARCHAR,
    column_names VARCHAR[],
    cells JSON,
    n_rows INTEGER,
    n_rejected INTEGER,
    other JSON
);

CREATE TABLE contrast_curve (
    run_id VARCHAR NOT NULL,
    ordinal INTEGER NOT NULL,
    file_id BIGINT,
    filename VARCHAR,
    sha256 VARCHAR,
    layout VARCHAR,
    instrument VARCHAR,
    filter VARCHAR,
    date VARCHAR,
    separation_arcsec DOUBLE[],
    delta_mag DOUBLE[],
    other JSON
);

CREATE TABLE external_light_curve (
    run_id VARCHAR NOT NULL,
    ordinal INTEGER NOT NULL,
    file_id BIGINT,
    filename VARCHAR,
    sha256 VARCHAR,
    layout VARCHAR,
    instrument VARCHAR,
    filter VARCHAR,
    time_system VARCHAR,
    n_points INTEGER,
    candidate VARCHAR,
    transit_number INTEGER,
    hours_from_mid DOUBLE[],
    flux_relative DOUBLE[],
    flux_relative_err DOUBLE[],
    reason VARCHAR,
    other JSON
);

COMMENT ON TABLE exofop IS 'What is known of ExoFOP: one row a run';
COMMENT ON COLUMN exofop.run_id IS 'Run';
COMMENT ON COLUMN exofop.state IS 'State of the answers together';
COMMENT ON COLUMN exofop.detail IS 'A sentence';
COMMENT ON COLUMN exofop.n_files IS 'Files in the manifest that need no login';
COMMENT ON COLUMN exofop.generated_at IS 'When the manifest was made, UTC';
COMMENT ON COLUMN exofop.manifest_sha256 IS 'SHA-256 of the manifest';
COMMENT ON COLUMN exofop.answers IS 'State, time and counts by endpoint';
COMMENT ON COLUMN exofop.n_listed IS 'Rows of the file list; NULL where it was not read in this run';
COMMENT ON COLUMN exofop.disagreements IS 'Sentences: what ExoFOP says in one place and not in another';
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
COMMENT ON COLUMN exofop_file.tag IS 'Tag, in the words of ExoFOP';
COMMENT ON COLUMN exofop_file.user_name IS 'Who uploaded it, in the words of ExoFOP';
COMMENT ON COLUMN exofop_file.content IS 'What the bytes are, such as PDF';
COMMENT ON COLUMN exofop_file.older_versions IS 'SHA-256 of bytes that ExoFOP gave for this file before';
COMMENT ON COLUMN exofop_file.published IS 'Whether its bytes stand in the site';
COMMENT ON COLUMN exofop_file.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE exofop_candidate IS 'Candidates as rows of ExoFOP give them, used or not';
COMMENT ON COLUMN exofop_candidate.run_id IS 'Run';
COMMENT ON COLUMN exofop_candidate.ordinal IS 'Position in the record, from 0';
COMMENT ON COLUMN exofop_candidate.name IS 'Name, such as 1262.01';
COMMENT ON COLUMN exofop_candidate.source IS 'exofop_toi, exofop_ctoi or exofop_planet';
COMMENT ON COLUMN exofop_candidate.used IS 'Whether the checks of the run are about it';
COMMENT ON COLUMN exofop_candidate.reason IS 'Why it is not used; empty when it is';
COMMENT ON COLUMN exofop_candidate.period_days IS 'Period, days';
COMMENT ON COLUMN exofop_candidate.epoch_btjd IS 'Mid-transit time of transit 0, BTJD: BJD(TDB) - 2457000, days';
COMMENT ON COLUMN exofop_candidate.duration_hours IS 'Duration, hours';
COMMENT ON COLUMN exofop_candidate.depth_ppm IS 'Depth, ppm';
COMMENT ON COLUMN exofop_candidate.radius_earth IS 'Radius, Earth radii';
COMMENT ON COLUMN exofop_candidate.disposition_tess IS 'Disposition of the TESS project: an opinion';
COMMENT ON COLUMN exofop_candidate.disposition_tfopwg IS 'Disposition of the follow-up working group: an opinion';
COMMENT ON COLUMN exofop_candidate.sectors IS 'TESS sectors, by ExoFOP';
COMMENT ON COLUMN exofop_candidate.updated IS 'When the row was changed, in the words of ExoFOP';
COMMENT ON COLUMN exofop_candidate.comments IS 'Comments, in the words of ExoFOP';
COMMENT ON COLUMN exofop_candidate.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE exofop_note IS 'Notes of observers, as plain text';
COMMENT ON COLUMN exofop_note.run_id IS 'Run';
COMMENT ON COLUMN exofop_note.ordinal IS 'Position in the record, from 0';
COMMENT ON COLUMN exofop_note.note_id IS 'ExoFOP note id';
COMMENT ON COLUMN exofop_note.user_name IS 'Author, in the words of ExoFOP';
COMMENT ON COLUMN exofop_note.group_name IS 'Group, in the words of ExoFOP';
COMMENT ON COLUMN exofop_note.tag IS 'Tag, in the words of ExoFOP';
COMMENT ON COLUMN exofop_note.date IS 'Date, in the words of ExoFOP';
COMMENT ON COLUMN exofop_note.text IS 'The note without markup';
COMMENT ON COLUMN exofop_note.n_left_out IS 'Characters of the note beyond those of text';
COMMENT ON COLUMN exofop_note.is_disposition IS 'Whether it sums up dispositions: an opinion, no observation';
COMMENT ON COLUMN exofop_note.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE exofop_table IS 'Summary tables as ExoFOP gave them: foreign text, verbatim';
COMMENT ON COLUMN exofop_table.run_id IS 'Run';
COMMENT ON COLUMN exofop_table.ordinal IS 'Position in the record, from 0';
COMMENT ON COLUMN exofop_table.name IS 'spect, imaging, tseries, stellar, planet, uploads, toi ...';
COMMENT ON COLUMN exofop_table.column_names IS 'Headings';
COMMENT ON COLUMN exofop_table.cells IS 'Rows of texts, one a heading';
COMMENT ON COLUMN exofop_table.n_rows IS 'Rows of the answer; more than cells holds where the table was cut';
COMMENT ON COLUMN exofop_table.n_rejected IS 'Rows that could not be read';
COMMENT ON COLUMN exofop_table.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE contrast_curve IS 'Sensitivity of high-resolution imaging against separation, from files of ExoFOP';
COMMENT ON COLUMN contrast_curve.run_id IS 'Run';
COMMENT ON COLUMN contrast_curve.ordinal IS 'Position in the record, from 0';
COMMENT ON COLUMN contrast_curve.file_id IS 'ExoFOP file id';
COMMENT ON COLUMN contrast_curve.filename IS 'File name';
COMMENT ON COLUMN contrast_curve.sha256 IS 'SHA-256 of the file';
COMMENT ON COLUMN contrast_curve.layout IS 'How the file is laid out';
COMMENT ON COLUMN contrast_curve.instrument IS 'Instrument, where stated';
COMMENT ON COLUMN contrast_curve.filter IS 'Filter, where stated';
COMMENT ON COLUMN contrast_curve.date IS 'Date of the observation, where stated';
COMMENT ON COLUMN contrast_curve.separation_arcsec IS 'Separations from the star, arcsec, ascending';
COMMENT ON COLUMN contrast_curve.delta_mag IS 'Faintest companion that would be seen there, magnitudes fainter than the star';
COMMENT ON COLUMN contrast_curve.other IS 'Fields of the record that no column holds exactly';

COMMENT ON TABLE external_light_curve IS 'Light curves of other telescopes, from files of ExoFOP';
COMMENT ON COLUMN external_light_curve.run_id IS 'Run';
COMMENT ON COLUMN external_light_curve.ordinal IS 'Position in the record, from 0';
COMMENT ON COLUMN external_light_curve.file_id IS 'ExoFOP file id';
COMMENT ON COLUMN external_light_curve.filename IS 'File name';
COMMENT ON COLUMN external_light_curve.sha256 IS 'SHA-256 of the file';
COMMENT ON COLUMN external_light_curve.layout IS 'How the file is laid out';
COMMENT ON COLUMN external_light_curve.instrument IS 'Instrument, where stated';
COMMENT ON COLUMN external_light_curve.filter IS 'Filter, where stated';
COMMENT ON COLUMN external_light_curve.time_system IS 'BJD_TDB, BJD_UTC, HJD, JD_UTC ... or unlabelled';
COMMENT ON COLUMN external_light_curve.n_points IS 'Points in the file';
COMMENT ON COLUMN external_light_curve.candidate IS 'Candidate it is folded on; NULL where it is not';
COMMENT ON COLUMN external_light_curve.transit_number IS 'Number of the predicted transit, from the reference epoch';
COMMENT ON COLUMN external_light_curve.hours_from_mid IS 'Bin middles, hours from the predicted mid-transit';
COMMENT ON COLUMN external_light_curve.flux_relative IS 'Flux in the bins, median 1';
COMMENT ON COLUMN external_light_curve.flux_relative_err IS 'Errors of flux_relative';
COMMENT ON COLUMN external_light_curve.reason IS 'Why it is not folded';
COMMENT ON COLUMN external_light_curve.other IS 'Fields of the record that no column holds exactly';
