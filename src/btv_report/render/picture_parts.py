"""
What the pictures of a page have in common, once on the page: axes, colour bars, legends, outlines, and all pixels in one image.

Every picture comes from the figure code whole and is drawn the same here. An element that several pictures hold stands among the
page's parts, and the pictures name it (`<use>`); ids are replaced by short ones that equal parts share; what the style sheet says
anyway is left out.
"""

from __future__ import annotations

import html
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from btv_report.dossier.figures.stamp_picture import DARK, HOT, LIGHT
from btv_report.dossier.figures.svg import num
from btv_report.render.stamp_sheet import SHEET_ID, StampSheet, gather_stamps, png_of_href

Attributes = tuple[tuple[str, str], ...]
_XMLNS = "{http://www.w3.org/2000/svg}"
_ROOT_KEPT = frozenset({"class", "role", "viewBox"})
"""Attributes of a picture that the style sheet does not know."""
STYLE_OF_CLASS: dict[str, Attributes] = {
    "axis": (("fill", "none"), ("stroke", "currentColor")),
    "grid": (("fill", "none"), ("stroke", "currentColor"), ("stroke-opacity", ".15")),
    "over": (("fill", "none"), ("stroke-linecap", "square"), ("transform", "scale(1-1)")),
    "casing": (("stroke", LIGHT), ("stroke-opacity", ".8")),
    "dark": (("stroke", DARK),),
    "hot": (("stroke", HOT),),
}
"""Attributes that the style sheet gives to a class."""
_LEAST_GAIN = 8  # bytes; below, a part is not worth its place


@dataclass(frozen=True)
class Node:
    """An element that can be compared and counted; texts stand among its children."""

    tag: str
    attributes: Attributes
    children: tuple[Node | str, ...]

    def get(self, name: str) -> str | None:
        """The value of an attribute."""
        return dict(self.attributes).get(name)

    def elements(self) -> Iterator[Node]:
        """This element and all within."""
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.elements()

    def without(self, *names: str) -> Node:
        """The element without some of its attributes."""
        return Node(self.tag, tuple(item for item in self.attributes if item[0] not in names), self.children)

    def markup(self) -> str:
        """The element as markup."""
        attributes = "".join(f' {name}="{html.escape(value)}"' for name, value in self.attributes)
        if not self.children:
            return f"<{self.tag}{attributes}/>"
        inside = "".join(
            child.markup() if isinstance(child, Node) else html.escape(child, quote=False) for child in self.children
        )
        return f"<{self.tag}{attributes}>{inside}</{self.tag}>"


@dataclass
class _Ids:
    """Short ids of parts: equal parts have one, whichever picture they come from."""

    of_part: dict[Node, str] = field(default_factory=dict)

    def of(self, part: Node) -> str:
        """The id of a part, a new one at its first appearance."""
        return self.of_part.setdefault(part, f"p{len(self.of_part) + 1}")


def share_parts(pictures: Sequence[str]) -> tuple[str, list[str]]:
    """
    Take what is common out of the pictures of a page.

    Parameters
    ----------
    pictures : SVG documents as the figure code writes them

    Returns
    -------
    parts : markup for the `<defs>` of one SVG element of the page; empty without pictures
    pictures : markup of each picture, to stand in the same page
    """
    roots = [_node(ET.fromstring(picture)) for picture in pictures]  # noqa: S314 - our own markup
    sheet = gather_stamps(_pixel_images(roots))
    ids = _Ids()
    plain = [_with_common_ids(_cropped(root, sheet), ids) for root in roots]
    counted = _counts(plain)
    hoisted = {node: ids.of(node) for node, count in counted.items() if _gain(node, count) > _LEAST_GAIN}
    parts = [_identified(node, ident, hoisted) for node, ident in ids.of_part.items()]
    images = [Node("image", attributes, ()).markup() for attributes in sheet.images()]
    written = [_root(node, hoisted).markup() for node in plain]
    return "".join(images + [part.markup() for part in parts]), written


def _node(element: ET.Element) -> Node:
    """An element of a picture; what the style sheet gives to its class is only for a picture that stands alone."""
    given = STYLE_OF_CLASS.get(element.get("class", ""), ())
    fallback = "color" if "class" in element.attrib else ""
    attributes = tuple(item for item in element.items() if item not in given and item[0] != fallback)
    children: list[Node | str] = [element.text] if element.text else []
    for child in element:
        children.append(_node(child))
        if child.tail:
            children.append(child.tail)
    return Node(element.tag.removeprefix(_XMLNS), attributes, tuple(children))


def _pixel_images(roots: Sequence[Node]) -> list[bytes]:
    """The PNGs that are drawn pixel by pixel, in order, each as often as it is drawn."""
    images = (node for root in roots for node in root.elements() if node.tag == "image")
    return [png_of_href(node.get("href") or "") for node in images if node.get("image-rendering") == "pixelated"]


def _cropped(node: Node, sheet: StampSheet) -> Node:
    """The element with each image of pixels replaced by the sheet, moved so that its pixels are in the image's place."""
    if node.tag == "image" and node.get("image-rendering") == "pixelated":
        place = sheet.place(png_of_href(node.get("href") or ""))
        if place is None:
            return node
        y = num(float(node.get("y") or 0) - place.top)
        return Node("use", (("href", f"#{SHEET_ID}{place.sheet}"), ("x", node.get("x") or "0"), ("y", y)), ())
    children = tuple(_cropped(child, sheet) if isinstance(child, Node) else child for child in node.children)
    return Node(node.tag, node.attributes, children)


def _with_common_ids(root: Node, ids: _Ids) -> Node:
    """A picture in which what carries an id has gone to the parts, and is named by its new id."""
    names: dict[str, str] = {}

    def moved(node: Node) -> Node | None:
        children = []
        for child in node.children:
            kept = moved(child) if isinstance(child, Node) else child
            if kept is not None:
                children.append(kept)
        made = Node(node.tag, _renamed(node.attributes, names), tuple(children))
        ident = made.get("id")
        if ident is None:
            return made
        part = made.without("id")
        names[ident] = ids.of(part)
        if node.tag in {"marker", "clipPath"}:
            return None  # drawn only where it is named
        return Node("use", (("href", f"#{names[ident]}"),), ())

    return moved(root) or root


def _renamed(attributes: Attributes, names: Mapping[str, str]) -> Attributes:
    """Attributes with references to the new ids; in our pictures a part stands before what names it."""
    return tuple((name, _reference(value, names)) for name, value in attributes)


def _reference(value: str, names: Mapping[str, str]) -> str:
    if value.startswith("url(#"):
        return f"url(#{names[value[5:-1]]})"
    return f"#{names[value[1:]]}" if value[:1] == "#" and value[1:] in names else value


def _counts(roots: Sequence[Node]) -> Counter[Node]:
    """How often each element would stand on the page when what it lies in stands there once."""
    counts: Counter[Node] = Counter()

    def visit(node: Node) -> None:
        counts[node] += 1
        if counts[node] == 1 or not _may_be_shared(node):
            for child in node.children:
                if isinstance(child, Node):
                    visit(child)

    for root in roots:
        for child in root.children:
            if isinstance(child, Node):
                visit(child)
    return counts


def _may_be_shared(node: Node) -> bool:
    """What the interactive version hides carries its class itself, and a title names its own picture."""
    return "live" not in (node.get("class") or "").split() and node.tag not in {"title", "use", "tspan"}


def _gain(node: Node, count: int) -> int:
    """Bytes that are saved when an element of `count` appearances becomes a part."""
    if count < 2 or not _may_be_shared(node):
        return 0
    size = len(node.markup())
    return (count - 1) * size - count * len('<use href="#p99"/>') - len(' id="p99"')


def _shared(node: Node, hoisted: Mapping[Node, str]) -> Node:
    """The element, or its name when it is a part."""
    if node in hoisted:
        return Node("use", (("href", f"#{hoisted[node]}"),), ())
    return _inside(node, hoisted)


def _inside(node: Node, hoisted: Mapping[Node, str]) -> Node:
    """The element with its parts named."""
    children = tuple(_shared(child, hoisted) if isinstance(child, Node) else child for child in node.children)
    return Node(node.tag, node.attributes, children)


def _identified(part: Node, ident: str, hoisted: Mapping[Node, str]) -> Node:
    made = _inside(part, hoisted)
    return Node(made.tag, (("id", ident), *made.attributes), made.children)


def _root(node: Node, hoisted: Mapping[Node, str]) -> Node:
    made = _inside(node, hoisted)
    kept = tuple(item for item in made.attributes if item[0] in _ROOT_KEPT)
    return Node(made.tag, kept, made.children)
