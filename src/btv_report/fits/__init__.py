"""Bytes of FITS files to HDUs, sums, headers and tables: pure, and knowing nothing of missions beyond their keywords."""
