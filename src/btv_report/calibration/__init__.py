"""Truth tables: the checks held against injected truth, real pixels and SPOC's own numbers."""
