"""The pages as markup: valid, linked, free of foreign scripts and of what authors of remote text would like to run."""

from __future__ import annotations

import copy
import json
import re
import warnings
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from btv_report.dossier.links import safe_href
from btv_report.record import RunRecord
from btv_report.render.environment import environment, templates_folder
from btv_report.render.links import check_links, check_site_links
from btv_report.render.pages import dossier_files

PAYLOADS = (
    "<script>window.__pwned=1</script>",
    "\"><img src=x onerror='window.__pwned=1'>",
    "'><svg onload=window.__pwned=1>",
    "</script><script>window.__pwned=1</script><!--",
    "</title></textarea></style><script>window.__pwned=1</script>",
    "javascript:window.__pwned=1",
    "{{ 7*7 }}{% raw %}",
    "\u202egnp.exe\u2028\x1b[31m",
    '<a href="javascript:window.__pwned=1">click</a>',
    "]]><!--<x>&lt;&amp;",
)
_FREE = re.compile(r"[0-9a-f]{64}|20\d\d-.*Z")


def pages_of(site: Path) -> dict[str, str]:
    """Every page of a site."""
    return {path.relative_to(site).as_posix(): path.read_text() for path in sorted(site.rglob("*.html"))}


def parse(text: str) -> Any:
    """Parse as a browser does; any parse error fails the test."""
    html5lib = pytest.importorskip("html5lib", reason="html5lib is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def elements(tree: Any, name: str) -> list[Any]:
    """All elements of a name, those inside SVG too."""
    return [element for element in tree.iter() if str(element.tag).rpartition("}")[2] == name]


def test_pages_parse_without_an_error(site: Path) -> None:
    for text in pages_of(site).values():
        parse(text)


def test_every_link_and_fragment_resolves_at_all_depths(site: Path) -> None:
    assert check_site_links(site) == []
    assert {name.count("/") for name in pages_of(site)} == {0, 1, 2}


def test_link_check_sees_what_is_wrong() -> None:
    page = (
        b'<a href="../x.html">a</a><a href="#no">b</a><img src="/abs.png">'
        b'<script src="https://cdn.example/x.js"></script><p id=a><p id=a>'
    )
    problems = check_links({"tic/1/index.html": page}, [])
    assert len(problems) == 5
    assert any("twice" in problem for problem in problems)


def test_pages_have_one_h1_landmarks_and_a_skip_link(site: Path) -> None:
    for name, text in pages_of(site).items():
        tree = parse(text)
        assert len(elements(tree, "h1")) == 1, name
        assert len(elements(tree, "main")) == 1, name
        if name != "404.html":
            assert 'class="skip" href="#main"' in text
            levels = [int(element.tag[1]) for element in tree.iter() if re.fullmatch(r"h\d", str(element.tag))]
            assert all(after - before <= 1 for before, after in pairwise(levels)), name


def test_figcaption_stands_last_and_pictures_have_names(site: Path) -> None:
    tree = parse(pages_of(site)["tic/188646744/index.html"])
    figures = elements(tree, "figure")
    assert len(figures) > 10
    for figure in figures:
        assert figure[-1].tag == "figcaption"
        picture = elements(figure, "svg")[0]
        assert picture.get("role") == "img"
        assert picture[0].tag.endswith("title")
        assert picture[0].text


def test_tables_have_captions_or_names_and_scopes(site: Path) -> None:
    for text in pages_of(site).values():
        tree = parse(text)
        assert all(heading.get("scope") in {"col", "row"} for heading in elements(tree, "th"))
        for region in tree.iter("div"):
            if region.get("role") == "region":
                assert region.get("tabindex") == "0"
                assert region.get("aria-labelledby") or region.get("aria-label")


def test_f127_policy_allows_no_inline_script_and_no_eval(site: Path) -> None:
    for name, text in pages_of(site).items():
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
        assert policy, name
        assert "default-src &#39;none&#39;" in policy.group(1)
        assert "unsafe-eval" not in policy.group(1)
        assert re.search(r"script-src[^;]*unsafe-inline", policy.group(1)) is None
        assert not re.findall(r"\son[a-z]+=", re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))
        for script in elements(parse(text), "script"):
            assert script.get("src") or script.get("type") == "application/json"


def test_f137_no_page_names_a_foreign_host_but_in_links_of_the_field(site: Path) -> None:
    for text in pages_of(site).values():
        for element in parse(text).iter():
            for name in ("src", "href", "srcset", "action"):
                value = element.get(name)
                if value and re.match(r"\w+:|//", value):
                    assert (element.tag == "a" and safe_href(value)) or value.startswith("data:"), value
    own = [path for path in (site / "assets").iterdir() if not path.name.startswith("plotly")]
    assert not any(re.search(r"https?://(?!www\.w3\.org/)", path.read_text()) for path in own)


def test_f125_templates_escape_and_never_mark_text_safe() -> None:
    assert environment().autoescape is True
    for path in templates_folder().rglob("*.j2"):
        text = path.read_text()
        assert not re.search(r"\|\s*safe\b|autoescape\s+false|\bMarkup\b", text), path.name
        assert re.match(r"\{#", text), f"{path.name} opens by saying its role"
        for tag in re.findall(r"<[a-z][^>]*\{\{[^>]*>", text):
            assert not re.search(r"=\s*\{\{", tag), f"{path.name}: unquoted attribute in {tag}"


def test_simulated_star_says_so_in_title_heading_and_banner(site: Path) -> None:
    tree = parse(pages_of(site)["tic/9000000001/index.html"])
    assert (elements(tree, "title")[0].text or "").startswith("SIMULATED")
    assert "SIMULATED" in "".join(elements(tree, "h1")[0].itertext())
    assert any("SIMULATED" in "".join(p.itertext()) for p in tree.iter("p") if p.get("class") == "banner")


def test_site_without_ephemeris_shows_light_curve_and_control_image(site: Path) -> None:
    text = pages_of(site)["tic/301/index.html"]
    assert "Checks not run: no ephemeris." in text
    assert len(elements(parse(text), "figure")) == 2


def test_f129_json_in_pages_and_files_is_strict(site: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    islands = 0
    for text in pages_of(site).values():
        for source in re.findall(r'<script type="application/json">(.*?)</script>', text, re.DOTALL):
            json.loads(source, parse_constant=refuse)
            islands += 1
    assert islands > 10
    for path in site.rglob("*.json"):
        json.loads(path.read_text(), parse_constant=refuse)


def text_places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of every text of a record that another might have written."""
    if isinstance(value, dict):
        if set(value) == {"dtype", "shape", "data"}:
            return
        for key, item in value.items():
            yield from text_places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from text_places(item, (*path, index))
    elif isinstance(value, str) and not _FREE.fullmatch(value):
        yield path


def poisoned(record: RunRecord, payload: str, *, wanted: Callable[[tuple[Any, ...]], bool]) -> RunRecord:
    """A copy with the payload in every text field that is wanted."""
    changed = copy.deepcopy(record)
    for path in text_places(record):
        if not wanted(path):
            continue
        place: Any = changed
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = payload
    return changed


@pytest.fixture(scope="module")
def small(make_record: Callable[..., RunRecord]) -> RunRecord:
    """One sector; not to be changed."""
    return make_record(sectors=(83,))


@pytest.fixture(scope="module")
def clean_counts(small: RunRecord) -> dict[str, int]:
    """How many elements that could run or load something the page of `small` has."""
    tree = parse(page_text(small))
    names = ("script", "img", "iframe", "object", "embed", "base", "form", "style", "link", "meta")
    return {name: len(elements(tree, name)) for name in names}


def page_text(record: RunRecord) -> str:
    """The dossier page of a record."""
    return dossier_files("20261121T014500Z-1a2b3c4d", "ab" * 32, record)["tic/188646744/index.html"].decode()


IDENTITIES = {"candidate", "name", "check_id", "verdict", "kind"}


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("identities", [False, True])
def test_f120_f121_f124_payload_in_every_text_field_is_text(
    small: RunRecord, clean_counts: dict[str, int], payload: str, identities: bool
) -> None:
    text = page_text(poisoned(small, payload, wanted=lambda path: identities or path[-1] not in IDENTITIES))
    tree = parse(text)
    assert {name: count for name, count in clean_counts.items() if len(elements(tree, name)) > count} == {}
    for element in tree.iter():
        assert not [key for key in element.attrib if str(key).lower().startswith("on")]
        href = element.get("href")
        if href and element.tag == "a":
            assert href.startswith("#") or safe_href(href) or re.fullmatch(r"[\w./#-]+", href), href
    assert "{{" not in payload or "49" not in "".join(elements(tree, "h1")[0].itertext())
    assert not re.search(r"[\u202a-\u202e\u2028\u2029\x00-\x08\x0b-\x1f]", text)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_f123_identities_become_slugs(small: RunRecord, payload: str) -> None:
    tree = parse(page_text(poisoned(small, payload, wanted=lambda path: path[-1] in {"candidate", "name"})))
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) > 20
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in ids)
    assert len(set(ids)) == len(ids)


def test_link_of_a_remote_uri_cannot_leave_the_archive(small: RunRecord) -> None:
    record = copy.deepcopy(small)
    record["products"][0]["uri"] = "javascript:window.__pwned=1"
    text = page_text(record)
    assert 'href="javascript' not in text
    assert "javascript:window.__pwned=1" in text
