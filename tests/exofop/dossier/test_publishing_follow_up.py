"""What of ExoFOP reaches a page: nothing restricted, no address, no markup of authors, no byte for older records."""

from __future__ import annotations

import copy
import itertools
import json
import re
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.exofop.dossier.follow_up_factory import CANARY_MAIL

from btv_report.dossier.publish import publishable
from btv_report.dossier.text import without_paths
from btv_report.render.links import check_links
from btv_report.render.pages import dossier_files

FOLDER = "tic/188646744"
ACTIVE = {"script", "img", "a", "iframe", "object", "embed"}
PAYLOADS = (
    "<script>window.__pwned=1</script>",
    "\"><img src=x onerror='window.__pwned=1'>",
    "</script><script>window.__pwned=1</script><!--",
    "</title></textarea></style></details></table><script>window.__pwned=1</script>",
    "javascript:window.__pwned=1",
    "{{ 7*7 }}{% raw %}",
    "\u202egnp.exe\u2028\x1b[31m",
    "%{x}<a href='javascript:1'>",
    "]]><!--<x>&lt;&amp;",
)


def built(record: Any) -> dict[str, bytes]:
    return dossier_files("20261121T014500Z-1a2b3c4d", "ab" * 32, record)


def elements(page: bytes) -> Iterator[Any]:
    """All elements as a browser sees them; any parse error fails the test."""
    html5lib = pytest.importorskip("html5lib", reason="html5lib is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page.decode())
    yield from tree.iter()


def test_f060_f061_a_locked_file_leaves_no_name_count_or_derived_value(record: Any) -> None:
    """Neither its row, nor a curve, light curve or note made of it, nor the difference of two counts."""
    for value in (record["exofop"]["contrast_curves"][0], record["exofop"]["light_curves"][0]):
        value |= {"file_id": 987_654_321, "filename": "secret_name.dat", "instrument": "Secret instrument"}
    record["exofop"]["notes"][0] |= {"private": True, "text": "secret words"}
    record["exofop"]["answers"]["download_imaging.php"] = {"state": "OK", "private": True}
    exofop = publishable(record)["exofop"]
    assert exofop["n_files"] == 2
    assert exofop["n_listed"] == 8
    for name, data in built(record).items():
        text = data.decode().lower()
        for word in ("secret", "987654321", "locked", "download_imaging.php"):
            assert word not in text, (name, word)


def test_f061_publishing_a_cookie_run_gives_no_more_than_an_anonymous_one(record: Any) -> None:
    """Restricted parts besides the public ones change no byte of the page."""
    anonymous = copy.deepcopy(record)
    anonymous["exofop"]["files"] = anonymous["exofop"]["files"][:2]
    anonymous["exofop"] |= {"n_files": 2, "n_listed": 8}
    for key in ("notes", "candidates", "tables", "contrast_curves", "light_curves"):
        extra = copy.deepcopy(record["exofop"][key][0])
        record["exofop"][key].append({**extra, "private": True, "file_id": 9, "name": "hidden", "text": "hidden"})
    assert built(record) == built(anonymous)


def test_a_record_marked_private_publishes_nothing_of_exofop(record: Any) -> None:
    record["exofop"]["private"] = True
    exofop: Any = publishable(record)["exofop"]
    assert exofop["state"] == "SKIPPED"
    assert set(exofop) == {"state", "detail", "n_files", "generated_at", "manifest_sha256", "files", "answers"}


def test_unknown_fields_are_not_published(record: Any) -> None:
    record["exofop"]["cookie"] = "value"
    assert "cookie" not in publishable(record)["exofop"]


def test_no_address_reaches_a_file_of_the_site(record: Any) -> None:
    for place in ("candidates", "notes", "tables", "light_curves", "contrast_curves"):
        put_everywhere(record["exofop"][place], lambda: CANARY_MAIL)
    for name, data in built(record).items():
        assert b"observatory.edu" not in data, name


@pytest.mark.parametrize(
    "written",
    ["a.b@c.edu", "a.b&#64;c.edu", "a.b&#x40;c.ac.uk", "a.b%40c.edu", "mailto:a.b@c.edu", "a.b (at) c (dot) edu", "a.b[at]c.edu"],
)  # fmt: skip
def test_addresses_are_masked_however_they_are_written(written: str) -> None:
    masked = without_paths(f"Ask {written} about it.")
    assert "c.edu" not in masked
    assert "a.b" not in masked
    assert masked.endswith("about it.")
    assert "masked" in masked


@pytest.mark.parametrize("text", ["at 5 sigma", "SNR @ 5500 A", "TOI-1262.01", "seeing (at zenith) 1.2", "x@y"])
def test_words_that_are_no_address_stay(text: str) -> None:
    assert without_paths(text) == text


@pytest.mark.parametrize("text", ["a" * 8_000, "a@" * 4_000, "a." * 4_000, "(at)" * 4_000, "/a" * 4_000])
def test_masking_takes_no_time_on_long_runs(text: str) -> None:
    start = time.process_time()
    without_paths(text)
    assert time.process_time() - start < 0.3


@pytest.mark.parametrize("first", [0, 4])
def test_f120_f121_f122_foreign_text_is_text_wherever_it_stands(record: Any, first: int) -> None:
    plain = sum(1 for element in elements(built(record)[f"{FOLDER}/index.html"]) if element.tag in ACTIVE)
    turn = itertools.islice(itertools.cycle(PAYLOADS), first, None)
    for key in ("files", "candidates", "notes", "tables", "light_curves", "contrast_curves", "disagreements"):
        put_everywhere(record["exofop"][key], lambda: next(turn))
    page = built(record)[f"{FOLDER}/index.html"]
    found = list(elements(page))
    assert sum(1 for element in found if element.tag in ACTIVE) <= plain
    for element in found:
        assert not any(str(name).lower().startswith("on") for name in element.attrib)
        if element.tag == "a":
            assert str(element.get("href")).startswith(("https://", "#", "../", "files/", "dossier.json"))
        if element.tag == "script" and not element.get("src"):
            json.loads(element.text)
    assert b"window.__pwned" in page
    assert "\u202e".encode() not in page


def test_f124_links_lead_to_exofop_only(record: Any) -> None:
    page = built(record)[f"{FOLDER}/index.html"].decode()
    section = page.split('aria-labelledby="exofop"')[1].split('aria-labelledby="citation"')[0]
    hrefs = set(re.findall(r'href="([^"#][^"]*)"', section))
    outside = {href for href in hrefs if not href.startswith("files/")}
    assert outside
    assert all(href.startswith("https://exofop.ipac.caltech.edu/tess/get_file.php?id=") for href in outside)


def test_every_figure_has_its_data_file_and_every_fragment_its_place(record: Any) -> None:
    files = built(record)
    assert f"{FOLDER}/files/exofop-contrast.csv" in files
    assert f"{FOLDER}/files/exofop-lc-8001-1.csv" in files
    pages = {name: data for name, data in files.items() if name.endswith(".html")}
    problems = check_links(pages, list(files))
    assert not [problem for problem in problems if "exofop" in problem]


def test_f163_same_record_same_bytes(record: Any) -> None:
    assert built(record) == built(copy.deepcopy(record))


def test_follow_up_of_a_real_size_fits_the_budget_of_a_page(record: Any, before: Any) -> None:
    """A curve, two light curves, three notes and two tables take less than the 50 kB that a page has besides sectors."""
    page, plain = (len(built(item)[f"{FOLDER}/index.html"]) for item in (record, before))
    assert page - plain < 50_000


def put_everywhere(value: Any, text: Callable[[], str]) -> None:
    """Replace every text in lists and dictionaries, but those that decide what a value is."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        if isinstance(item, str) and key not in {"state", "sha256", "candidate"}:
            value[key] = text()
        elif isinstance(item, dict | list):
            put_everywhere(item, text)
