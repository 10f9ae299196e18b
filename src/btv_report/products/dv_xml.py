"""Elements of SPOC's XML: attributes are texts that must be what they stand for, or the file is refused with a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element  # the type only: defusedxml parses

from btv_report.errors import ProductRefusedError
from btv_report.products.dv_model import Measured

LARGEST_VALUE = 3e38
LARGEST_INTEGER = 1e15
LONGEST_NAME = 20
"""Characters; those of TOIs have up to eight."""
SHOWN_CHARACTERS = 40
HINT = "Fetch the DV report again, or leave it out."


def shown(text: str) -> str:
    """A text of a file in quotes, of which a long one is cut."""
    return repr(text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…")


@dataclass(frozen=True)
class Reader:
    """Names the file in what is said about it."""

    path: Path

    def refused(self, what: str) -> ProductRefusedError:
        """The error that `what`, a phrase, is the reason of."""
        return ProductRefusedError(f"{self.path.name} is refused: {what}.", hint=HINT, path=self.path)


@dataclass(frozen=True)
class Node:
    """An element of which the namespace does not matter."""

    element: Element
    reader: Reader

    @property
    def name(self) -> str:
        """Its name without the namespace."""
        return self.element.tag.rpartition("}")[2]

    def children(self, name: str) -> Iterator[Node]:
        """The elements of a name right below it."""
        for element in self.element:
            if element.tag.rpartition("}")[2] == name:
                yield Node(element, self.reader)

    def child(self, *path: str) -> Node | None:
        """The first element at a path of names, None where there is none."""
        node: Node | None = self
        for name in path:
            node = next(node.children(name), None) if node else None
        return node

    def text(self, attribute: str) -> str | None:
        """An attribute, None where it is absent or blank."""
        return (self.element.get(attribute) or "").strip() or None

    def name_of(self, attribute: str) -> str | None:
        """A short text, such as the number of a TOI; a long one is refused."""
        text = self.text(attribute)
        if text is not None and len(text) > LONGEST_NAME:
            raise self.reader.refused(f"{attribute} of <{self.name}> has {len(text):,} characters: {shown(text)}")
        return text

    def number(self, attribute: str) -> float | None:
        """A finite number; None where there is none, or SPOC wrote NaN or what no float32 holds."""
        text = self.text(attribute)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            raise self.reader.refused(f"{attribute} of <{self.name}> is {shown(text)}, not a number") from None
        # Beyond what a float32 holds nothing was measured; such numbers overflow in the fit.
        return value if abs(value) <= LARGEST_VALUE else None

    def integer(self, attribute: str) -> int | None:
        """A whole number; None where the attribute is absent."""
        text, value = self.text(attribute), self.number(attribute)
        if text is None:
            return None
        if value is None or value != int(value) or abs(value) > LARGEST_INTEGER:
            raise self.reader.refused(f"{attribute} of <{self.name}> is {shown(text)}, not a whole number")
        return int(value)

    def integer_within(self, attribute: str, first: int, last: int) -> int | None:
        """A whole number of a range, both ends included; None where the attribute is absent, refused where it lies outside."""
        value = self.integer(attribute)
        if value is not None and not first <= value <= last:
            raise self.reader.refused(
                f"{attribute} of <{self.name}> is {value:,}, which is not within {first} and {last:,}"
            )
        return value

    def flag(self, attribute: str) -> bool | None:
        """A truth value; None where it is neither."""
        text = (self.text(attribute) or "").lower()
        return {"true": True, "1": True, "false": False, "0": False}.get(text)

    def measured(self) -> Measured | None:
        """`value` with `uncertainty`; None where SPOC says that it measured nothing (an uncertainty of -1)."""
        value, error = self.number("value"), self.number("uncertainty")
        if value is None or (error is not None and error < 0):
            return None
        return Measured(value, error)
