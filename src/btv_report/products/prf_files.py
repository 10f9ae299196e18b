"""
Folders of TESS PRF files to `PrfGrid`s: one grid per camera, CCD and release.

The files are told by what they hold: a primary header with DATATYPE 'PRF', CAM, CCD, CCD_RREF, CCD_CREF, NSAMP and DATE. All
files of a release at hand share their DATE (30-Jan-2019 for sectors 1-3, 01-May-2019 from sector 4 on); names and folders do
not count.
"""

from __future__ import annotations

import hashlib
import stat
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from btv_report.checks.prf_grid import PrfGrid
from btv_report.errors import LocalEnvironmentError, ProductCorruptError, ProductRefusedError, UsageError
from btv_report.fits.blocks import BLOCK_BYTES, Hdu
from btv_report.fits.local_file import GZIP_MAGIC, FileBytes, decompress, read_file
from btv_report.fits.model import FitsSum
from btv_report.fits.sums import check_fits

MAX_PRF_BYTES = 20_000_000
N_CAMERAS, N_CCDS = 4, 4
_SUFFIXES = (".fits", ".fits.gz", ".fit", ".fit.gz")
_DTYPES = {-64: ">f8", -32: ">f4"}
_DIMMEST, _BRIGHTEST = 1e-30, 1e30
"""Peak of an image in any unit; beyond, sums over it leave the range of floats."""
_NEGATIVE_SHARE = 1e-3
"""Light below zero, over the brightest sample, that still counts as rounding; the 50 real images at hand hold none at all."""


@dataclass(frozen=True)
class PrfFolder:
    """
    What a folder held.

    Attributes
    ----------
    grids : usable sets, by release, camera and CCD
    warnings : sentences about files and sets that were not used
    """

    grids: tuple[PrfGrid, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Node:
    """One file: where on which detector, and its samples; `sha256` of its bytes, decompressed."""

    sha256: str
    release: str
    camera: int
    ccd: int
    row: float
    column: float
    n_per_pixel: int
    samples: NDArray[np.float64]


def read_prf_folder(folder: Path) -> PrfFolder:
    """
    Read every PRF file of a folder tree.

    Raises
    ------
    UsageError
        If the folder does not exist or is none.
    ProductRefusedError
        If it holds no usable set of PRF files; the sentence says what stood in the way.
    ProductCorruptError
        The same where its PRF files are damaged.
    """
    if not folder.is_dir():
        raise UsageError(
            f"The PRF folder {folder} does not exist or is no folder.",
            hint="Give the folder that holds the TESS PRF files, such as those of "
            "https://archive.stsci.edu/missions/tess/models/prf_fitsfiles.",
            path=folder,
        )
    nodes, warnings, damaged = [], [], False
    for path in _candidates(folder):
        try:
            nodes.append(_read_node(read_file(path, max_bytes=MAX_PRF_BYTES)))
        except (LocalEnvironmentError, ProductRefusedError, ProductCorruptError) as error:
            damaged = damaged or isinstance(error, ProductCorruptError)
            warnings.append(str(error))
    made = [_grid(group) for group in _groups(nodes)]
    warnings += [sentence for sentence in made if isinstance(sentence, str)]
    grids = tuple(grid for grid in made if isinstance(grid, PrfGrid))
    if not grids:
        raise _no_grid(folder, warnings, damaged=damaged)
    return PrfFolder(grids, tuple(warnings))


def _no_grid(folder: Path, warnings: Sequence[str], *, damaged: bool) -> ProductCorruptError | ProductRefusedError:
    kind = ProductCorruptError if damaged else ProductRefusedError
    detail = f" {warnings[0]}" if warnings else " No FITS file in it says DATATYPE = 'PRF' in its header."
    return kind(
        f"{folder.name} holds no usable set of TESS PRF files.{detail}",
        hint="Give the folder that holds the 25 files of a camera and CCD, or leave --prf out.",
        path=folder,
    )


def _candidates(folder: Path) -> list[Path]:
    """FITS files of the tree that are PRF files, in an order that does not depend on the file system."""
    return sorted(path for path in folder.rglob("*") if path.name.lower().endswith(_SUFFIXES) and _says_prf(path))


def _says_prf(path: Path) -> bool:
    """Whether the first header block, plain or gzip, says that it is a PRF, or the name does (so that damage is told)."""
    by_name = "-prf-" in path.name.lower()
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        with path.open("rb") as stream:
            head = stream.read(BLOCK_BYTES)
        if head.startswith(GZIP_MAGIC):
            head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, BLOCK_BYTES)
    except (OSError, zlib.error):
        return by_name
    return by_name or b"DATATYPE= 'PRF " in head


def _read_node(file: FileBytes) -> _Node:
    """
    One file.

    Raises
    ------
    ProductCorruptError
        If it is truncated, is no FITS at all, or fails a sum that it carries.
    ProductRefusedError
        If it is sound and no PRF of a star.
    """
    content = decompress(file.raw, file.path, max_bytes=MAX_PRF_BYTES) if file.compressed else file.raw
    check = check_fits(content)
    if check.state is FitsSum.BAD:
        raise ProductCorruptError(
            f"The PRF file {file.path.name} is damaged: {check.reason}.", hint="Fetch the file again.", path=file.path
        )
    try:
        node = _node(file, check.hdus[0], content)
    except (KeyError, ValueError, OverflowError) as error:
        raise ProductRefusedError(
            f"The PRF file {file.path.name} does not say camera, CCD, place and sampling as PRF files do ({error}).",
            path=file.path,
        ) from error
    reason = _oddity(node)
    if reason:
        raise ProductRefusedError(f"The PRF file {file.path.name} is not used: {reason}.", path=file.path)
    return node


def _node(file: FileBytes, hdu: Hdu, content: bytes) -> _Node:
    """The primary image and its keywords; a KeyError or ValueError names what is missing or senseless."""
    cards = hdu.header.cards
    if cards["DATATYPE"].strip().upper() != "PRF":
        raise ValueError(f"DATATYPE is {cards['DATATYPE']!r}")
    shape = int(cards["NAXIS2"]), int(cards["NAXIS1"])
    values = np.frombuffer(content, _DTYPES[int(cards["BITPIX"])], shape[0] * shape[1], hdu.data_start)
    return _Node(
        sha256=hashlib.sha256(content).hexdigest(),
        release=cards.get("DATE") or "unstated date",
        camera=_whole(cards, "CAM"),
        ccd=_whole(cards, "CCD"),
        row=float(cards["CCD_RREF"]),
        column=float(cards["CCD_CREF"]),
        n_per_pixel=_whole(cards, "NSAMP"),
        samples=values.reshape(shape).astype(np.float64),
    )


def _whole(cards: Mapping[str, str], keyword: str) -> int:
    """A whole number, which these files write as a float."""
    value = float(cards[keyword])
    if not value.is_integer():
        raise ValueError(f"{keyword} is {cards[keyword]}")
    return int(value)


def _oddity(node: _Node) -> str:
    """Why a file cannot be the PRF of a star, a phrase; empty where it can."""
    shape = node.samples.shape
    if not (1 <= node.camera <= N_CAMERAS and 1 <= node.ccd <= N_CCDS and np.isfinite([node.row, node.column]).all()):
        return f"camera {node.camera}, CCD {node.ccd}, row {node.row:g}, column {node.column:g} is no place on a TESS detector"
    if shape[0] != shape[1] or shape[0] % 2 == 0 or not 0 < node.n_per_pixel < shape[0]:
        return f"its image of {shape[0]} x {shape[1]} samples, {node.n_per_pixel} a pixel, has no middle sample"
    brightest = float(node.samples.max())
    if not np.isfinite(node.samples).all() or not _DIMMEST < brightest < _BRIGHTEST:
        return "its image is not finite and positive"
    if node.samples.min() < -_NEGATIVE_SHARE * brightest or node.samples.sum() <= 0:
        return "its image holds negative light"
    return ""


def _groups(nodes: Iterable[_Node]) -> list[list[_Node]]:
    """
    Files of the same camera, CCD, sampling and DATE, by place; the same bytes at hand twice count once.

    Dates of one detector that share no place are one release, written over more than one day: two releases have the same
    places.
    """
    by_detector: dict[tuple[int, int, int, int], dict[str, dict[str, _Node]]] = {}
    for node in nodes:
        detector = (node.camera, node.ccd, node.n_per_pixel, len(node.samples))
        by_detector.setdefault(detector, {}).setdefault(node.release, {})[node.sha256] = node
    groups: list[list[_Node]] = []
    for _, dates in sorted(by_detector.items()):
        releases: list[list[_Node]] = []
        for _, files in sorted(dates.items()):
            apart = (release for release in releases if not _places(release) & _places(files.values()))
            same = next(apart, None)
            if same is None:
                releases.append(list(files.values()))
            else:
                same.extend(files.values())
        groups += [sorted(release, key=lambda node: (node.row, node.column, node.sha256)) for release in releases]
    return sorted(groups, key=lambda group: (group[0].release, group[0].camera, group[0].ccd))


def _places(nodes: Iterable[_Node]) -> set[tuple[float, float]]:
    return {(node.row, node.column) for node in nodes}


def _grid(group: Sequence[_Node]) -> PrfGrid | str:
    """One grid, or a sentence why there is none: its places must fill rows and columns without a hole, each once."""
    first = group[0]
    dates = " and ".join(sorted({node.release for node in group}))
    name = f"of {dates} (camera {first.camera}, CCD {first.ccd})"
    places = _places(group)
    rows = np.array(sorted({row for row, _ in places}))
    columns = np.array(sorted({column for _, column in places}))
    if len(places) != len(group):
        return (
            f"The PRF set {name} is not used: {len(group)} files with different bytes share {len(places)} places of it."
        )
    if len(rows) * len(columns) != len(group):
        return (
            f"The PRF set {name} is not used: of the {len(rows)} x {len(columns)} places of its grid only {len(group)} have "
            "a file."
        )
    samples = np.stack([node.samples for node in group]).reshape(len(rows), len(columns), *first.samples.shape)
    digest = hashlib.sha256("".join(sorted(node.sha256 for node in group)).encode()).hexdigest()
    return PrfGrid(name, first.camera, first.ccd, rows, columns, samples, first.n_per_pixel, digest)
