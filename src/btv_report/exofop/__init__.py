"""ExoFOP artefacts as the cache holds them."""
