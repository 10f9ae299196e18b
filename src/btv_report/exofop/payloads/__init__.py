"""Observers' files: what their bytes are, whether they are whole, archives of them, names and thumbnails."""
