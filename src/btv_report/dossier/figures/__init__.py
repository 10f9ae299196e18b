"""Figures: a small deterministic picture first, the same data as Plotly JSON beside it, and a table of key values."""
