"""Asking ExoFOP: services, what is held of their answers, one pass over a star, one call."""
