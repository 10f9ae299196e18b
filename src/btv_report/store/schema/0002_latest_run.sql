-- What an index page or a person asks first: the latest run of each target.

CREATE VIEW latest_run AS
SELECT run.*
FROM run LEFT JOIN ledger USING (run_id)
QUALIFY row_number() OVER (
    PARTITION BY run.tic_id ORDER BY run.started_at DESC, ledger.position DESC NULLS LAST, run.run_id DESC
) = 1;

COMMENT ON VIEW latest_run IS 'The latest run of each target: by start, then by place in the ledger';
