"""Exit codes of the command line; the table stands in the README."""

DONE = 0
BUG = 1
USAGE = 2
GAPS = 3
NOTHING_USABLE = 4
INTEGRITY = 5
LOCAL_ENVIRONMENT = 6
INTERRUPTED = 130
