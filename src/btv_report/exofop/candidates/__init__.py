"""Candidates and the star, from the rows of ExoFOP's tables."""
