"""ExoFOP's tables and the JSON of a star, from bytes to values."""
