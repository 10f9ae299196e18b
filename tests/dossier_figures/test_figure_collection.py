"""All figures of a record: sections, missing parts, hostile text, and bytes that never change."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from btv_report.dossier.figures.collect import all_figures
from btv_report.dossier.figures.figure import Figure
from btv_report.record import RunRecord

SECTIONS = {
    ("light_curve", 83),
    ("fold", "1262.01"),
    ("stamps", "1262.01", 83),
    ("centroid", "1262.01", 83),
    ("aperture", "1262.01", 83),
    ("ghost", "1262.01", 83),
}
HOSTILE = '</script><script>alert(1)</script><a href="javascript:alert(1)">x</a>"\'&\x00\u202e=1+1'


def _flat(record: RunRecord) -> list[Figure]:
    return [figure for figures in all_figures(record).values() for figure in figures]


def test_every_section_of_a_full_record_has_figures(planet: RunRecord) -> None:
    assert set(all_figures(planet)) == SECTIONS


def test_without_a_candidate_light_curve_and_control_image_remain(own_planet: RunRecord) -> None:
    own_planet["candidates"] = []
    own_planet["checks"], own_planet["transits"], own_planet["folds"] = [], [], []
    figures = all_figures(own_planet)
    assert set(figures) == {("light_curve", 83), ("control", 83)}
    assert "no predicted transit" in figures["light_curve", 83][0].alt


def test_an_empty_record_has_no_figure() -> None:
    assert all_figures({}) == {}  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    "part", ["run", "candidates", "products", "light_curves", "folds", "pixel_views", "checks", "transits"]
)
def test_f165_a_missing_part_takes_only_its_own_figures(own_planet: RunRecord, part: str) -> None:
    del own_planet[part]  # type: ignore[misc]
    left = set(all_figures(own_planet))
    by_part: dict[str, set[Any]] = {
        "light_curves": {("light_curve", 83)},
        "folds": {("fold", "1262.01")},
        "checks": {key for key in SECTIONS if len(key) == 3},
    }
    assert left - {("control", 83)} == SECTIONS - by_part.get(part, set())


@pytest.mark.parametrize("check", range(4))
@pytest.mark.parametrize("part", ["details", "stamps", "metrics"])
def test_f165_a_check_without_a_part_draws_what_is_left(own_planet: RunRecord, check: int, part: str) -> None:
    own_planet["checks"][check][part] = {}  # type: ignore[literal-required]
    assert {("light_curve", 83), ("fold", "1262.01")} <= set(all_figures(own_planet))


def test_f165_each_single_detail_and_stamp_may_be_missing(planet: RunRecord) -> None:
    for number, check in enumerate(planet["checks"]):
        parts: list[tuple[str, str]] = [("details", key) for key in check["details"]]
        parts += [("stamps", key) for key in check["stamps"]]
        for part, key in parts:
            for gone in (True, False):
                record: Any = copy.deepcopy(planet)
                if gone:
                    del record["checks"][number][part][key]
                else:
                    record["checks"][number][part][key] = None
                assert len(_flat(record)) >= 8, (number, part, key)


def test_every_check_that_was_not_run_draws_nothing(own_planet: RunRecord) -> None:
    for check in own_planet["checks"]:
        check["verdict"], check["reason"] = "not_run", "no usable transit"
        check["details"], check["stamps"], check["metrics"] = {}, {}, {}
    assert set(all_figures(own_planet)) == {("light_curve", 83), ("fold", "1262.01"), ("control", 83)}


def test_pictures_are_well_formed_named_and_their_ids_unique(
    planet: RunRecord, make_record: Callable[..., RunRecord]
) -> None:
    ids: list[str] = []
    for figure in _flat(planet) + [
        f for f in _flat(make_record(off_target=True, candidate="user")) if "user" in f.figure_id
    ]:
        root = ET.fromstring(figure.picture)  # noqa: S314 - our own markup
        assert root.attrib["role"] == "img"
        title = root.find("{http://www.w3.org/2000/svg}title")
        assert title is not None
        assert title.text == figure.alt
        assert root.attrib["viewBox"] == f"0 0 {figure.width} {figure.height}"
        inside = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
        assert all(ident.startswith(f"{figure.figure_id}-") for ident in inside)
        used = re.findall(r"url\(#([^)]*)\)|<use href=\"#([^\"]*)\"", figure.picture)
        assert {a or b for a, b in used} <= set(inside)
        ids += [figure.figure_id, *inside]
    assert len(ids) == len(set(ids))


def test_f127_pictures_need_no_style_script_or_other_host(planet: RunRecord) -> None:
    for figure in _flat(planet):
        assert not re.search(r"<style|<script|style=|\son\w+=|@import", figure.picture)
        assert set(re.findall(r"https?://[^\"]*", figure.picture)) == {"http://www.w3.org/2000/svg"}
        assert "http" not in figure.plotly_json


def test_plotly_accepts_every_figure_and_no_template_rides_along(planet: RunRecord) -> None:
    import plotly.graph_objects as go

    for figure in _flat(planet):
        value = json.loads(figure.plotly_json)
        assert "template" not in value["layout"]
        assert {trace["type"] for trace in value["data"]} <= {"heatmap", "scatter"}
        go.Figure(value)  # plotly's validators raise on any unknown property or value


def test_f129_no_figure_holds_a_bare_nan(planet: RunRecord) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    for figure in _flat(planet):
        json.loads(figure.plotly_json, parse_constant=refuse)
        assert not re.search(r"\b(nan|inf)\b", figure.picture + figure.csv, re.IGNORECASE)
        assert not any("nan" in cell.lower() for row in figure.table.rows for cell in row)


def _hostile(record: RunRecord) -> RunRecord:
    """Every text that reaches a figure from outside replaced by hostile text."""
    value: Any = copy.deepcopy(record)
    for product in value["products"]:
        product["pipeline"] = HOSTILE
    for curve in value["light_curves"]:
        curve["pipeline"] = curve["flux_column"] = HOSTILE
    for view in value["pixel_views"]:
        view["image_unit"] = HOSTILE
        for star in view["neighbours"]:
            star["star_id"] = HOSTILE
    for check in value["checks"]:
        check["candidate"] = HOSTILE
        check["verdict"], check["reason"] = "not_run", HOSTILE
        for curve in check["details"].get("predicted_neighbours", []):
            curve["star_id"] = HOSTILE
    for item in (*value["candidates"], *value["transits"], *value["folds"]):
        item["name" if "name" in item else "candidate"] = HOSTILE
    return value  # type: ignore[no-any-return]


def test_f120_f121_hostile_text_stays_text(planet: RunRecord) -> None:
    figures = _flat(_hostile(planet))
    assert len(figures) == len(_flat(planet))
    for figure in figures:
        root = ET.fromstring(figure.picture)  # noqa: S314 - our own markup
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert not tags & {"script", "a", "foreignObject", "style"}
        assert "<" not in figure.plotly_json
        assert re.fullmatch(r"[a-z0-9-]+", figure.figure_id)
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", figure.picture + figure.csv + figure.caption)


def test_f122_hover_texts_and_names_are_literal(planet: RunRecord) -> None:
    for figure in _flat(_hostile(planet)):
        for trace in json.loads(figure.plotly_json)["data"]:
            texts = [
                *trace.get("text", []),
                *trace.get("hovertext", []),
                trace.get("hovertemplate", "").replace("<extra></extra>", ""),
            ]
            for text in [trace.get("name", ""), *texts]:
                assert "<" not in text
            title = trace.get("colorbar", {}).get("title", {}).get("text", "")
            assert "<" not in title


def test_f121_a_backslash_before_an_escape_survives(own_planet: RunRecord) -> None:
    own_planet["pixel_views"][0]["neighbours"][0]["star_id"] = r"a\u002fb\\/c"
    figure = all_figures(own_planet)["stamps", "1262.01", 83][0]
    stars = next(t for t in json.loads(figure.plotly_json)["data"] if "a\\" in str(t.get("hovertext")))
    assert r"a\u002fb\\/c" in stars["hovertext"][0]


def test_f163_f160_bytes_depend_on_neither_hash_seed_nor_locale() -> None:
    code = (
        "import importlib.util, hashlib, sys\n"
        "spec = importlib.util.spec_from_file_location('records', sys.argv[1])\n"
        "records = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(records)\n"
        "from btv_report.dossier.figures.collect import all_figures\n"
        "print(hashlib.sha256(repr(all_figures(records.make_record())).encode()).hexdigest())\n"
    )
    conftest = str(Path(__file__).with_name("conftest.py"))
    digests = set()
    for seed, locale in (("1", "C"), ("2", "tr_TR.UTF-8")):
        environment = os.environ | {"PYTHONHASHSEED": seed, "LC_ALL": locale}
        done = subprocess.run(
            [sys.executable, "-c", code, conftest], env=environment, capture_output=True, text=True, check=True
        )
        digests.add(done.stdout)
    assert len(digests) == 1


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, btv_report.dossier.figures; print(sorted({'numpy', 'plotly'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
