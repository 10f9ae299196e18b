"""The pixel checks: pure functions from arrays to results. Nothing here knows of files, network, SQL or HTML."""
