"""The command line: parses, calls one function, maps the outcome to output and exit code."""
