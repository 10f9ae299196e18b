"""
Draws thumbnails of foreign files, in a process of its own: what reads a foreign picture or document may crash, or never end.

Run as a script, with the largest number of pixels and then a kind and a path for each file. For each file it writes to its
standard output the length of a PNG as four bytes, high byte first, and the PNG; the length is 0 where there is none. Nothing of
the package is imported. The process may neither write a file nor grow without bound; pypdfium2's own builds of PDFium hold no
JavaScript and no way to a network, and forms are not filled in.
"""

from __future__ import annotations

import contextlib
import io
import os
import resource
import sys
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from PIL.Image import Image

SIZE_PX = (200, 150)
MAX_BYTES = 8_000
MEMORY_BYTES = 1_000_000_000
CPU_S = 10
PDF = "PDF"
_TRIES = ((1.0, 32), (1.0, 16), (0.75, 32), (0.75, 16), (0.5, 32), (0.5, 16), (0.5, 8))
"""Of the full size, and colours; the first that is small enough is taken."""
_GREY_MODES = frozenset({"I", "F", "I;16", "I;16L", "I;16B", "I;16N"})
_SHARPER = 2.0
"""A page is drawn larger than it is shown, and reduced: its letters come out clearer."""


def main(words: list[str]) -> None:
    """Draw one file after another."""
    out = _only_way_out()
    _limit_process()
    max_pixels = int(words[0])
    for kind, path in zip(words[1::2], words[2::2], strict=True):
        _limit_time()
        drawn = draw(kind, path, max_pixels) or b""
        out.write(len(drawn).to_bytes(4, "big") + drawn)
        out.flush()


def _only_way_out() -> io.BufferedWriter:
    """The standard output for what is drawn alone: what a library prints goes nowhere."""
    handle = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return os.fdopen(handle, "wb")


def _limit_process() -> None:
    limits = {resource.RLIMIT_AS: MEMORY_BYTES, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
    for what, most in limits.items():
        with contextlib.suppress(ValueError, OSError):  # macOS does not limit address space
            resource.setrlimit(what, (most, most))


def _limit_time() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + CPU_S, hard))


def draw(kind: str, path: str, max_pixels: int) -> bytes | None:
    """
    The thumbnail of a file as PNG; None where none can be drawn, for whatever reason.

    Parameters
    ----------
    kind : `PNG`, `JPEG`, `GIF` or `TIFF`, of which the first picture is drawn, or `PDF`, of which the first page is
    path : of the file
    max_pixels : a larger picture is not opened
    """
    try:
        image = _first_page(path) if kind == PDF else _picture(kind, path, max_pixels)
        return None if image is None else _small_png(image)
    except Exception:  # whatever a foreign file makes a decoder raise, there is no thumbnail of it
        return None


def _picture(kind: str, path: str, max_pixels: int) -> Image | None:
    from PIL import Image as Images
    from PIL import TiffImagePlugin  # noqa: F401 - the one of the four that Pillow does not register by itself

    Images.MAX_IMAGE_PIXELS = max_pixels
    image = Images.open(path, formats=[kind])
    if image.width * image.height > max_pixels:
        return None
    image.draft("RGB", (2 * SIZE_PX[0], 2 * SIZE_PX[1]))  # a JPEG can be read at a fraction of its size
    return _flat(image)


def _flat(image: Image) -> Image:
    """In RGB at the size of a thumbnail: what is transparent lies on white, numbers beyond 8 bits are stretched to them."""
    from PIL import Image as Images

    if image.mode in _GREY_MODES:
        grey = _shrunk(image.convert("F"))
        low, high = cast(tuple[float, float], grey.getextrema())
        factor = 255.0 / (high - low) if high > low else 0.0
        return grey.point(lambda value: value * factor - low * factor).convert("RGB")
    if not image.has_transparency_data:
        return _shrunk(image.convert("RGB"))
    layer = _shrunk(image.convert("RGBA"))
    paper = Images.new("RGBA", layer.size, "white")
    return Images.alpha_composite(paper, layer).convert("RGB")


def _shrunk(image: Image, factor: float = 1.0) -> Image:
    from PIL import Image as Images

    image.thumbnail((SIZE_PX[0] * factor, SIZE_PX[1] * factor), Images.Resampling.LANCZOS, reducing_gap=3.0)
    return image


def _first_page(path: str) -> Image:
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    page = document[0]
    width, height = page.get_size()
    scale = _SHARPER * min(SIZE_PX[0] / width, SIZE_PX[1] / height)
    image: Image = page.render(scale=scale, may_draw_forms=False).to_pil()
    return _flat(image)


def _small_png(image: Image) -> bytes | None:
    """A PNG with a palette and without remarks; None where it cannot be made small."""
    from PIL import Image as Images

    for factor, n_colours in _TRIES:
        shrunk = _shrunk(image.copy(), factor)
        reduced = shrunk.quantize(n_colours, Images.Quantize.MEDIANCUT, dither=Images.Dither.NONE)
        reduced.info = {}
        content = io.BytesIO()
        reduced.save(content, "PNG", optimize=True)
        if content.tell() <= MAX_BYTES:
            return content.getvalue()
    return None


if __name__ == "__main__":
    main(sys.argv[1:])
