"""The shared files of a site under names that carry their content: an old page never meets a new script."""

from __future__ import annotations

import hashlib
import importlib.util
from functools import cache
from pathlib import Path

from btv_report.render.environment import templates_folder

OWN_ASSETS = ("figures.js", "icon.svg", "site.css", "tables.js", "theme.js")
PLOTLY = "plotly.min.js"
_HASH_LENGTH = 10


def _plotly_bundle() -> Path:
    """The script inside the installed plotly package; found without importing plotly."""
    spec = importlib.util.find_spec("plotly")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        bundle = Path(folder) / "package_data" / PLOTLY
        if bundle.is_file():
            return bundle
    raise FileNotFoundError(
        "The plotly package has no package_data/plotly.min.js; install btv-report's dependencies again."
    )


@cache
def assets() -> tuple[dict[str, str], dict[str, bytes]]:
    """
    All shared files.

    Returns
    -------
    names : plain name (`site.css`) to path in the site (`assets/site.1a2b3c4d5e.css`)
    contents : path in the site to bytes
    """
    folder = templates_folder() / "assets"
    sources = {name: folder / name for name in OWN_ASSETS} | {PLOTLY: _plotly_bundle()}
    names: dict[str, str] = {}
    contents: dict[str, bytes] = {}
    for name in sorted(sources):
        data = sources[name].read_bytes()
        stem, _, ending = name.rpartition(".")
        path = f"assets/{stem}.{hashlib.sha256(data).hexdigest()[:_HASH_LENGTH]}.{ending}"
        names[name] = path
        contents[path] = data
    return names, contents
