"""Tables of observers: contrast curves and light curves from the ground, in every layout."""
