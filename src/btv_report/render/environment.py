"""The Jinja2 environment: always escaping, always strict, and the one place where our own markup is marked as such."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from btv_report import __file__ as package_file
from btv_report._version import __version__
from btv_report.dossier.figures.figure import Figure
from btv_report.dossier.text import shown
from btv_report.render.shared_parts import SharedParts

NOT_FOUND_STYLE = (
    ":root{color-scheme:light dark}body{font:1.05rem/1.6 system-ui,sans-serif;max-width:38rem;margin:18vh auto;padding:0 1rem}"
    "h1{font:600 2rem/1.2 Georgia,serif}"
)


def content_security_policy(style_hashes: Iterable[str]) -> str:
    """
    The policy of all pages: no third-party host, no inline script, no eval.

    Plotly draws heat maps as data: images, sets style attributes and inserts the style elements of these hashes.
    """
    hashes = " ".join(f"'{expression}'" for expression in style_hashes)
    return (
        f"default-src 'none'; script-src 'self'; style-src-elem 'self' {hashes}; style-src-attr 'unsafe-inline'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'"
    )


def templates_folder() -> Path:
    """
    Where the templates lie: inside the installed package, or at the top of a source checkout (editable install).

    Raises
    ------
    FileNotFoundError
        If neither is there: the installation is broken.
    """
    package = Path(package_file or "").resolve().parent
    for folder in (package / "templates", package.parents[1] / "templates"):
        if (folder / "base.html.j2").is_file():
            return folder
    raise FileNotFoundError("The page templates are missing from this installation of btv-report; install it again.")


def style_hash(style: str) -> str:
    """The source expression that lets a Content-Security-Policy accept one inline style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode('ascii')}"


@cache
def environment() -> jinja2.Environment:
    """The environment of all pages. Undefined names are errors; every text is escaped and made visible."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_folder()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    made.globals.update(version=__version__)
    made.filters.update(picture=_picture, island=_island, defs=_defs, values=_values, bytes_of=bytes_of)
    return made


def _finalize(value: Any) -> Any:
    """Make deceiving characters of any text visible (F-130); markup made by templates passes."""
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _picture(figure: Figure) -> Markup:
    """The SVG that our own figure code drew."""
    return Markup(figure.picture)  # noqa: S704 - made by dossier.figures, which escapes every text in it


def _island(figure: Figure) -> Markup:
    """The figure's JSON; no `<` can end the script element it stands in (F-121)."""
    return Markup(figure.plotly_json.replace("<", "\\u003c"))  # noqa: S704 - JSON, and free of markup


def _defs(shared: SharedParts) -> Markup:
    """Parts of those pictures."""
    return Markup(shared.pictures)  # noqa: S704 - taken out of pictures that our own figure code drew


def _values(shared: SharedParts) -> Markup:
    """Values that the figures' JSON names; no `<` can end the script element it stands in (F-121)."""
    return Markup(shared.values.replace("<", "\\u003c"))  # noqa: S704 - JSON, and free of markup


def bytes_of(text: str) -> str:
    """Size of a text as a file, in words."""
    size = len(text.encode())
    return f"{size} bytes" if size < 1000 else f"{size / 1000:.1f} kB"
