"""Where bytes come from: MAST and local mirrors, the one fetch function, caches, and the states of answers."""
