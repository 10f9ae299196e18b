"""Where bytes come from: mirrors, hashes, FITS sums, states of answers."""
