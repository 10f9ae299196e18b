-- What people say about a run. A review never changes a verdict.

CREATE TABLE review (
    run_id VARCHAR NOT NULL,
    written_at VARCHAR NOT NULL,
    author VARCHAR,
    check_id VARCHAR,
    candidate VARCHAR,
    sector INTEGER,
    text VARCHAR NOT NULL
);

COMMENT ON TABLE review IS 'Remarks of reviewers on a run or one of its check results';
COMMENT ON COLUMN review.run_id IS 'Run';
COMMENT ON COLUMN review.written_at IS 'UTC, ISO 8601, to the second';
COMMENT ON COLUMN review.author IS 'Reviewer, as given';
COMMENT ON COLUMN review.check_id IS 'Check the remark is about; NULL: the whole run';
COMMENT ON COLUMN review.candidate IS 'Candidate the remark is about; NULL: all';
COMMENT ON COLUMN review.sector IS 'TESS sector the remark is about; NULL: all';
COMMENT ON COLUMN review.text IS 'The remark';
