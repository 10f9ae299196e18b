"""Jinja2 pages, the site build and its atomic swap."""
