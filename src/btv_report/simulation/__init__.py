"""Simulated scenes: a small text file becomes SPOC-form FITS files with a known truth."""
