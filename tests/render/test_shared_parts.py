"""What the figures of a page share: put back together, every picture and every interactive figure is the one that was drawn."""

from __future__ import annotations

import base64
import io
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from btv_report.dossier.figures.collect import all_figures
from btv_report.dossier.figures.figure import Figure
from btv_report.dossier.figures.png import data_uri, palette_png, read_palette_png
from btv_report.dossier.shared_values import restore_values, share_values
from btv_report.record import RunRecord
from btv_report.render.environment import templates_folder
from btv_report.render.islands import share_islands
from btv_report.render.picture_parts import STYLE_OF_CLASS, share_parts

SVG = "http://www.w3.org/2000/svg"
XMLNS = f'xmlns="{SVG}"'
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text().filter(lambda key: key != "$"), inner),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def figures(make_record: Callable[..., RunRecord]) -> list[Figure]:
    """All figures of two sectors."""
    return [figure for found in all_figures(make_record()).values() for figure in found]


def drawn(element: ET.Element, parts: dict[str, ET.Element]) -> Iterator[ET.Element]:
    """Every element that is drawn, those that are named too."""
    tag = element.tag.rpartition("}")[2]
    if tag == "use":
        yield from drawn(parts[element.attrib["href"][1:]], parts)
    elif tag not in {"clipPath", "marker"}:
        yield element
        for child in element:
            yield from drawn(child, parts)


def uses(element: ET.Element, parts: dict[str, ET.Element]) -> Iterator[ET.Element]:
    """Every element that names a part, those within parts too."""
    for found in element.iter(f"{{{SVG}}}use"):
        yield found
        yield from uses(parts[found.attrib["href"][1:]], parts)


def strokes(root: ET.Element, parts: dict[str, ET.Element]) -> Counter[str]:
    """What paths and texts are drawn, how often."""
    return Counter(
        f"{element.attrib.get('d', '')} {element.text or ''}"
        for element in drawn(root, parts)
        if element.tag.rpartition("}")[2] in {"path", "text", "tspan"}
    )


def shared_pictures(figures: list[Figure]) -> tuple[dict[str, ET.Element], list[ET.Element]]:
    """Parts by id, and the pictures."""
    markup, pictures = share_parts([figure.picture for figure in figures])
    parts = ET.fromstring(f"<defs {XMLNS}>{markup}</defs>")  # noqa: S314 - our own markup
    roots = [ET.fromstring(text.replace("<svg", f"<svg {XMLNS}", 1)) for text in pictures]  # noqa: S314
    return {element.attrib["id"]: element for element in parts}, roots


def test_every_picture_is_drawn_as_before(figures: list[Figure]) -> None:
    parts, pictures = shared_pictures(figures)
    for figure, picture in zip(figures, pictures, strict=True):
        root = ET.fromstring(figure.picture)  # noqa: S314 - our own markup
        own = {element.attrib["id"]: element for element in root.iter() if "id" in element.attrib}
        assert strokes(picture, parts) == strokes(root, own), figure.figure_id
        assert picture.attrib["viewBox"] == root.attrib["viewBox"]
        assert picture.attrib["role"] == "img"
        named = re.findall(r"url\(#([^)]*)\)", ET.tostring(picture, "unicode"))
        assert set(named) <= set(parts)


def test_what_the_interactive_version_hides_keeps_its_mark(figures: list[Figure]) -> None:
    parts, pictures = shared_pictures(figures)
    assert not any("live" in element.get("class", "").split() for part in parts.values() for element in part.iter())
    for figure, picture in zip(figures, pictures, strict=True):
        marked = [element for element in picture.iter() if "live" in element.get("class", "").split()]
        assert len(marked) == len(re.findall(r'class="live', figure.picture))


def test_stamps_keep_their_colours_on_the_sheet(figures: list[Figure]) -> None:
    parts, pictures = shared_pictures(figures)
    n_stamps = 0
    for figure, picture in zip(figures, pictures, strict=True):
        found = re.search(r'image-rendering="pixelated" href="data:image/png;base64,([^"]*)"', figure.picture)
        if found is None:
            continue
        n_stamps += 1
        before = rgba(found.group(1))
        (use,) = [element for element in uses(picture, parts) if element.attrib["href"].startswith("#px")]
        sheet = parts[use.attrib["href"][1:]].attrib
        after = rgba(sheet["href"].partition(",")[2])
        assert (int(sheet["height"]), int(sheet["width"])) == after.shape[:2]
        alone = re.search(r'<image x="([^"]*)" y="([^"]*)"[^>]* image-rendering', figure.picture)
        assert alone
        height, width = before.shape[:2]
        top = float(alone.group(2)) - float(use.attrib["y"])
        assert (float(use.attrib["x"]), top % 1) == (float(alone.group(1)), 0)
        np.testing.assert_array_equal(after[int(top) : int(top) + height, :width], before)
        edges = after[[int(top) - 1, int(top) + height], :width]  # where a printer may round to
        np.testing.assert_array_equal(edges, before[[0, -1]])
    assert n_stamps > 10


def rgba(data: str) -> np.ndarray[Any, Any]:
    """The colours of a PNG in base64; what is transparent has none."""
    pixels = np.array(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA"))
    pixels[pixels[..., 3] == 0] = 0
    return pixels


@pytest.mark.parametrize("n_colours", [1, 2, 5, 17, 254])
@pytest.mark.parametrize("gap", [False, True])
def test_a_palette_is_read_back_as_it_was_written(n_colours: int, gap: bool) -> None:
    palette = [(k, 255 - k, k // 2) for k in range(n_colours)]
    levels = np.arange(13 * 11).reshape(13, 11) % n_colours
    levels[3, 4] = -1 if gap else levels[3, 4]
    read, colours = read_palette_png(palette_png(levels, palette))
    named = np.array([*colours, (-1, -1, -1)])[read]
    np.testing.assert_array_equal(named, np.array([*palette, (-1, -1, -1)])[levels])


def test_stamps_that_do_not_fit_on_one_sheet_get_another() -> None:
    def picture(number: int) -> str:
        palette = [(number, k, 255 - k) for k in range(200)]
        png = palette_png(np.arange(200).reshape(10, 20), palette)
        image = f'<image x="1" y="2" width="20" height="10" image-rendering="pixelated" href="{data_uri(png)}"/>'
        return f'<svg {XMLNS} class="figure" role="img" viewBox="0 0 30 30"><title>{number}</title>{image}</svg>'

    markup, pictures = share_parts([picture(number) for number in range(3)])
    assert re.findall(r'<image id="(px\d)"', markup) == ["px0", "px1", "px2"]
    assert ['href="#px2"' in text for text in pictures] == [False, False, True]


def plain(value: Any) -> Any:
    """A value in which short integers are numbers again, as the page's script makes them, and typed arrays lists."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "bdata" in value:
        array = np.frombuffer(base64.b64decode(value["bdata"]), f"<{value['dtype']}").astype(float)
        return [None if np.isnan(number) else number for number in array.tolist()]
    if "q" not in value:
        return {key: plain(item) for key, item in value.items()}
    count = int(np.prod(value["shape"])) if "shape" in value else value["n"]
    bits = "".join(f"{byte:08b}" for byte in base64.b64decode(value["q"]))
    integers = [int(bits[k * value["b"] : (k + 1) * value["b"]], 2) for k in range(count)]
    start, step = value["s"]
    return [None if k == 2 ** value["b"] - 1 else round(start + k * step, 9) for k in integers]


def close(one: Any, other: Any, allowed: float) -> bool:
    """Whether two values are the same but for rounding."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key], allowed) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(close(a, b, allowed) for a, b in zip(one, other, strict=True))
    if isinstance(one, float | int) and isinstance(other, float | int):
        return abs(one - other) <= allowed + 1e-9
    return bool(one == other)


def test_every_interactive_figure_is_the_same_to_the_digits_it_shows(figures: list[Figure]) -> None:
    shared, islands = share_islands([figure.plotly_json for figure in figures])
    assert len(shared) + sum(map(len, islands)) < 0.5 * sum(len(figure.plotly_json) for figure in figures)
    for figure, island in zip(figures, islands, strict=True):
        made = plain(restore_values(json.loads(shared), json.loads(island)))
        value = json.loads(figure.plotly_json)
        assert close(made["layout"], value["layout"], 0)
        for trace, original in zip(made["data"], value["data"], strict=True):
            shown = re.search(r"%\{[yz]:,\.(\d)f\}", original.get("hovertemplate", ""))
            assert close(trace, plain(original), 0.5 * 10.0 ** -int(shown.group(1)) if shown else 0), figure.figure_id


def test_f121_no_island_ends_its_script() -> None:
    shared, (island,) = share_islands(['{"data": [{"name": "</script>\\u2028"}], "layout": {"title": "</script>"}}'])
    assert "<" not in shared + island
    assert "\u2028" not in island


@given(JSON)
def test_shared_values_put_back_give_the_same_value(value: Any) -> None:
    shared, named = share_values([value, value])
    assert restore_values(shared, named) == [value, value]


def test_a_name_of_a_value_cannot_be_forged() -> None:
    with pytest.raises(ValueError, match="cannot be told from the name of a shared value"):
        share_values([{"$": 0}])


def test_a_shared_value_stands_once() -> None:
    long = {"source": "a sentence of some length that stands in several places"}
    shared, named = share_values({"one": long, "two": [long, 1], "three": {**long, "own": 3}})
    assert json.dumps([shared, named]).count("a sentence") == 1
    assert restore_values(shared, named)["three"] == {**long, "own": 3}


@pytest.mark.parametrize("name", sorted(STYLE_OF_CLASS))
def test_what_is_left_out_of_pictures_is_what_the_style_sheet_gives(name: str) -> None:
    sheet = (templates_folder() / "assets" / "site.css").read_text()
    rule = re.search(rf"^\.{name} {{ (.*) }}$", sheet, re.MULTILINE)
    assert rule
    given = dict(part.strip().split(": ", 1) for part in rule[1].split(";") if part.strip())
    for attribute, value in STYLE_OF_CLASS[name]:
        numbers = re.findall(r"-?\d*\.?\d+", given[attribute])
        if numbers and not given[attribute].startswith("#"):
            assert [float(number) for number in numbers] == [float(n) for n in re.findall(r"-?\d*\.?\d+", value)]
        else:
            assert given[attribute] == value
