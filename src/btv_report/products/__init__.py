"""FITS files to light curves and target pixel files: native arrays with units, time scale and provenance."""
