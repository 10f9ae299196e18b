"""Run records, the ledger, and the DuckDB index over them."""
