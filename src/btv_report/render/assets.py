"""The shared files of a site under names that carry their content: an old page never meets a new script."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from functools import cache
from pathlib import Path

from btv_report.render.environment import style_hash, templates_folder

OWN_ASSETS = ("figures.js", "icon.svg", "site.css", "tables.js", "theme.js")
PLOTLY = "plotly.min.js"
_HASH_LENGTH = 10
_STYLE_ELEMENT = 'createElement("style")'
# The element, its id, and a text in single quotes that holds no escape (one that does would hash differently).
_STYLE_TEXT = re.compile(r"""createElement\("style"\);\w+\.id="\w+",\w+\.textContent='([^'\\]*)'""")


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
def plotly_style_hashes() -> tuple[str, ...]:
    """
    Source expressions of the style elements that the Plotly bundle inserts: an empty one, and those of its map library.

    Without them the policy would block styles that do no harm, and each page would log an error.
    """
    bundle = _plotly_bundle().read_text("utf-8")
    styles = [""]
    start = bundle.find(_STYLE_ELEMENT)
    while start >= 0:
        text = _STYLE_TEXT.match(bundle, start)
        if text:
            styles.append(text.group(1))
        start = bundle.find(_STYLE_ELEMENT, start + 1)
    return tuple(style_hash(style) for style in styles)


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
