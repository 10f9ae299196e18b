"""Link check of a site: every href, src and fragment leads somewhere, by a relative path, inside the site."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from btv_report.dossier.links import safe_href

_LINKING = {"href", "src", "srcset", "action", "formaction", "poster", "data-plotly", "xlink:href"}


class _PageLinks(HTMLParser):
    """Ids and links of one page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: list[str] = []
        self.links: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the id and the links of a tag."""
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            elif name in _LINKING and value is not None:
                self.links.append((tag, value))


def check_links(pages: Mapping[str, bytes], paths: Iterable[str]) -> list[str]:
    """
    Problems of the links of some pages of a site.

    Parameters
    ----------
    pages : path in the site to HTML
    paths : all paths of the site, these pages included

    Returns
    -------
    list of str
        One sentence a problem, empty when all hold. Links to pages outside `pages` are checked without their fragment.
    """
    known = {*paths, *pages}
    parsed: dict[str, _PageLinks] = {}
    problems = []
    for path in sorted(pages):
        parsed[path] = _PageLinks()
        parsed[path].feed(pages[path].decode())
        repeated = sorted({name for name in parsed[path].ids if parsed[path].ids.count(name) > 1})
        problems += [f"{path}: the id {name!r} stands twice." for name in repeated]
    ids = {path: frozenset(page.ids) for path, page in parsed.items()}
    for path in sorted(pages):
        for tag, link in parsed[path].links:
            problem = _problem(path, tag, link, known, ids)
            if problem:
                problems.append(f"{path}: {problem}")
    return problems


def _problem(page: str, tag: str, link: str, known: set[str], ids: Mapping[str, frozenset[str]]) -> str:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        if tag == "a" and safe_href(link):
            return ""
        inside = (tag, link) == ("link", "data:,") or (tag == "image" and link.startswith("data:image/png;base64,"))
        return "" if inside else f"{link[:80]!r} in <{tag}> leads outside the site."
    if link.startswith("/"):
        return f"{link!r} in <{tag}> is not relative."
    target = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(parts.path))) if parts.path else page
    if target not in known:
        return f"{link!r} in <{tag}> leads to nothing."
    if parts.fragment and target in ids and unquote(parts.fragment) not in ids[target]:
        return f"{link!r} in <{tag}> names a place that {target} does not have."
    return ""


def check_site_links(site: Path) -> list[str]:
    """Problems of all pages of a built site."""
    paths = [path.relative_to(site).as_posix() for path in sorted(site.rglob("*")) if path.is_file()]
    return check_links({path: (site / path).read_bytes() for path in paths if path.endswith(".html")}, paths)
