"""
Local mirrors: folder trees of FITS files in any layout, searched by header, never by name.

The answer accounts for every FITS file of the trees: each is a product of the target, a file that may be one (its header
cannot be read), or counted as something else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from btv_report.answer_states import AnswerState
from btv_report.archive.header_index import HeaderEntry, HeaderIndex
from btv_report.errors import UsageError
from btv_report.fits.blocks import NOT_FITS
from btv_report.sky_distance import separation_arcsec
from btv_report.targets import SkyPosition
from btv_report.time_systems import julian_year

CUTOUT_RADIUS_ARCSEC = 10.0
"""A cut-out without a TIC number is the target's when its centre lies this close: half a TESS pixel."""

MAX_EXAMPLES = 5
_FITS_NAME = re.compile(r".+\.(fits|fit)(\.gz)?", re.IGNORECASE | re.DOTALL)
_XML_NAME = re.compile(r".+\.xml(\.gz)?", re.IGNORECASE | re.DOTALL)
# `tess2018206045859-s0001-0000000025155310-0120-s_lc.fits`, `hlsp_..._00055652896-s01_...`, `TIC 25155310.fits`
_NUMBER_IN_NAME = re.compile(
    r"(?<!\d)(?:(?P<padded>\d{16}|0\d{8,14})(?!\d)|(?<![a-z])tic[\s_-]*(?P<tic>\d+))", re.IGNORECASE
)
# `tic_25155310_neighbours.csv` anywhere, or `neighbours/tic_25155310.csv`
_NEIGHBOUR_TABLE = re.compile(
    r"tic[_-]?0*(?P<tic>\d{1,11})(?P<word>[_-]neighbou?rs)?\.(csv|ecsv|vot|votable|xml)", re.IGNORECASE | re.ASCII
)
_NEIGHBOUR_FOLDERS = {"neighbours", "neighbors"}
_CATALOGUE_EPOCHS = (2000.0, 2015.5, 2016.0)


class Claim(StrEnum):
    """Why a file is taken to concern the target."""

    HEADER = "header"
    POSITION = "position"
    NAME = "name"
    POSSIBLE = "possible"
    OTHER_MISSION = "other mission"


@dataclass(frozen=True)
class MirrorFile:
    """A file that concerns the target: `claim` says why, `note` in words (empty when its header names the target)."""

    path: Path
    claim: Claim
    note: str = ""


@dataclass(frozen=True)
class MirrorAnswer:
    """
    Everything that the mirrors hold on a target, and what else they hold.

    Attributes
    ----------
    tic_id : the target
    folders : the trees, as given
    files : what concerns the target, sound or damaged, in a stable order; all of it is to be inspected
    n_fits : FITS files that could be opened
    n_other_targets : of them, sound files of other TIC numbers
    n_other : of them, files that cannot concern the target for another reason (other missions, no product, no position)
    examples : up to five (file name, reason) of files that are not the target's
    unreadable : a sentence for each file or folder that could not be opened
    exofop_folders : folders `exofop/tic_<id>` of the target that hold a manifest.json
    position : the target's catalogue position, from its products' headers or as given
    xml_files : every XML file of the trees, of whatever kind and target
    neighbour_tables : tables of the stars around the target, in the order of the trees, by their names: `tic_<id>_neighbours`
        anywhere or `tic_<id>` in a folder `neighbours`, as csv, ecsv or VOTable
    """

    tic_id: int
    folders: tuple[Path, ...]
    files: tuple[MirrorFile, ...]
    n_fits: int
    n_other_targets: int
    n_other: int
    examples: tuple[tuple[str, str], ...]
    unreadable: tuple[str, ...]
    exofop_folders: tuple[Path, ...]
    position: SkyPosition | None
    xml_files: tuple[Path, ...] = ()
    neighbour_tables: tuple[Path, ...] = ()

    @property
    def state(self) -> AnswerState:
        """EMPTY when everything could be looked at and nothing concerns the target; UNREACHABLE when something could not."""
        if self.files:
            return AnswerState.OK
        return AnswerState.UNREACHABLE if self.unreadable else AnswerState.EMPTY

    def sentence(self) -> str:
        """What was found, in words for the record and for a reader whose target is not here."""
        where = " and ".join(folder.name or str(folder) for folder in self.folders)
        if self.files:
            concern = f"{_count(len(self.files), 'file')} of {self.n_fits:,} in {where} concern TIC {self.tic_id}."
            return " ".join([concern, *self.unreadable])
        if self.n_fits == 0:
            nothing = (
                f"No FITS file in {where} could be read." if self.unreadable else f"There is no FITS file in {where}."
            )
            return " ".join([nothing, *self.unreadable])
        listed = "; ".join(f"{name}: {reason}" for name, reason in self.examples)
        dots = "; ..." if self.n_fits > len(self.examples) else ""
        none = f"None of the {_count(self.n_fits, 'FITS file')} in {where} is of TIC {self.tic_id}"
        return " ".join([f"{none} ({listed}{dots}).", *self.unreadable])


def find_products(
    folders: Sequence[Path], tic_id: int, *, cache_folder: Path | None = None, position: SkyPosition | None = None
) -> MirrorAnswer:
    """
    Find everything on a target in one or more folder trees.

    Parameters
    ----------
    folders : roots of the trees
    tic_id : the target
    cache_folder : where the header index is kept; None reads every header
    position : the target's position when it is known from elsewhere; else the one in its products' headers is used to find
        cut-outs that name no TIC number

    Raises
    ------
    UsageError
        If a folder does not exist or is none.
    """
    for folder in folders:
        if not folder.is_dir():
            what = "is a file, not a folder" if folder.is_file() else "does not exist"
            raise UsageError(
                f"The mirror {folder} {what}.",
                hint="Give --mirror the folder that holds the FITS files.",
                path=folder,
            )
    index = HeaderIndex(cache_folder)
    survey = _Survey(tic_id)
    for folder in folders:
        survey.add_tree(folder, index)
    for folder in folders:
        index.forget_missing(folder, survey.fits_paths)
    index.save()
    return survey.answer(tuple(folders), position)


@dataclass
class _Survey:
    """Collects while the trees are walked; sorts once the target's position is known."""

    tic_id: int
    entries: list[tuple[Path, HeaderEntry]] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    exofop_folders: list[Path] = field(default_factory=list)
    seen: set[tuple[int, int]] = field(default_factory=set)
    fits_paths: set[str] = field(default_factory=set)
    xml_files: list[Path] = field(default_factory=list)
    neighbour_tables: list[Path] = field(default_factory=list)

    def add_tree(self, folder: Path, index: HeaderIndex) -> None:
        for current, names in _walk(folder, self.seen, self.unreadable):
            if current.name == f"tic_{self.tic_id}" and current.parent.name == "exofop" and "manifest.json" in names:
                self.exofop_folders.append(current)
            for name in names:
                if _FITS_NAME.fullmatch(name):
                    path = current / name
                    self.fits_paths.add(str(path.absolute()))
                    self._add_file(path, index)
                elif _is_neighbour_table(current, name, self.tic_id):
                    self.neighbour_tables.append(current / name)
                elif _XML_NAME.fullmatch(name):
                    self.xml_files.append(current / name)

    def _add_file(self, path: Path, index: HeaderIndex) -> None:
        try:
            status = path.stat()
            if (status.st_dev, status.st_ino) in self.seen:
                return  # the same file by another link, or by an overlapping tree
            entry = index.entry(path)
        except OSError as error:
            self.unreadable.append(f"{path.name} cannot be read: {error.strerror or error}.")
            return
        self.seen.add((status.st_dev, status.st_ino))
        if entry is not None:
            self.entries.append((path, entry))

    def answer(self, folders: tuple[Path, ...], position: SkyPosition | None) -> MirrorAnswer:
        position = position or _position(self.entries, self.tic_id)
        files: list[MirrorFile] = []
        others: list[tuple[Path, HeaderEntry, str]] = []
        for path, entry in self.entries:
            claimed, reason = _claim(path, entry, self.tic_id, position)
            if claimed is not None:
                files.append(MirrorFile(path, claimed, reason))
            else:
                others.append((path, entry, reason))
        if not files and others and all(_is_other_mission(entry) for _, entry, _ in others):
            files = [MirrorFile(path, Claim.OTHER_MISSION, reason) for path, _, reason in others]
            others = []
        n_targets = sum(entry.tic_id is not None for _, entry, _ in others)
        return MirrorAnswer(
            tic_id=self.tic_id,
            folders=folders,
            files=tuple(files),
            n_fits=len(self.entries),
            n_other_targets=n_targets,
            n_other=len(others) - n_targets,
            examples=tuple((path.name, reason) for path, _, reason in others[:MAX_EXAMPLES]),
            unreadable=tuple(self.unreadable),
            exofop_folders=tuple(self.exofop_folders),
            position=position,
            xml_files=tuple(self.xml_files),
            neighbour_tables=tuple(self.neighbour_tables),
        )


def _is_neighbour_table(folder: Path, name: str, tic_id: int) -> bool:
    match = _NEIGHBOUR_TABLE.fullmatch(name)
    return (
        match is not None
        and int(match["tic"]) == tic_id
        and (match["word"] is not None or folder.name.lower() in _NEIGHBOUR_FOLDERS)
    )


def _walk(folder: Path, seen: set[tuple[int, int]], unreadable: list[str]) -> Iterator[tuple[Path, list[str]]]:
    """Folders and their file names in a stable order; links to folders are followed, but no folder is entered twice."""
    pending = [folder]
    while pending:
        current = pending.pop()
        try:
            status = current.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(current) as listing:
                items = sorted((item.name, _is_folder(item)) for item in listing)
        except OSError as error:
            unreadable.append(f"The folder {current.name} cannot be read: {error.strerror or error}.")
            continue
        pending.extend(current / name for name, is_folder in reversed(items) if is_folder)
        yield current, [name for name, is_folder in items if not is_folder]


def _is_folder(item: os.DirEntry[str]) -> bool:
    """Whether an entry leads to a folder; a link that leads nowhere, or to itself, does not."""
    try:
        return item.is_dir()
    except OSError:
        return False


def _claim(path: Path, entry: HeaderEntry, tic_id: int, position: SkyPosition | None) -> tuple[Claim | None, str]:
    """Whether and why a file concerns the target; (None, why not) otherwise."""
    if entry.tic_id is not None:
        return (Claim.HEADER, "") if entry.tic_id == tic_id else (None, f"TIC {entry.tic_id}")
    if _is_other_mission(entry):
        number = f" (KIC {entry.kepler_id})" if entry.kepler_id is not None else ""
        reason = f"a {entry.mission} file{number}"
        return (Claim.OTHER_MISSION, reason) if entry.kepler_id == tic_id else (None, reason)
    if entry.fault:
        return _claim_of_damaged(path, entry, tic_id)
    if entry.kind != "cutout":
        return None, "names no TIC number" if entry.kind else "neither a light curve nor a pixel file"
    return _claim_of_cutout(entry, tic_id, position)


def _claim_of_damaged(path: Path, entry: HeaderEntry, tic_id: int) -> tuple[Claim | None, str]:
    numbers = {int(match["padded"] or match["tic"]) for match in _NUMBER_IN_NAME.finditer(path.name)}
    if tic_id in numbers:
        return Claim.NAME, f"its header cannot be read ({entry.fault}); its name carries the number of TIC {tic_id}"
    if numbers:
        return None, f"damaged; TIC {min(numbers)} by its name"
    if entry.size == 0 or entry.fault.startswith(NOT_FITS):
        return None, entry.fault
    return Claim.POSSIBLE, f"its header cannot be read ({entry.fault}), so it could be of TIC {tic_id}"


def _claim_of_cutout(entry: HeaderEntry, tic_id: int, position: SkyPosition | None) -> tuple[Claim | None, str]:
    if entry.ra_deg is None or entry.dec_deg is None:
        return None, "a cut-out that states neither TIC number nor position"
    if position is None:
        return None, f"a cut-out without TIC number, and the position of TIC {tic_id} is not known"
    centre = SkyPosition(entry.ra_deg, entry.dec_deg)
    # Whoever asked for the cut-out gave a position of some epoch: of a catalogue, or of the sector.
    years = [*_CATALOGUE_EPOCHS, *([julian_year(entry.start_btjd)] if entry.start_btjd is not None else [])]
    nearest = min(separation_arcsec(centre, position.at_year(year)) for year in years)
    if nearest <= CUTOUT_RADIUS_ARCSEC:
        return Claim.POSITION, f"a cut-out without TIC number, centred {nearest:.1f} arcsec from TIC {tic_id}"
    return None, f"a cut-out without TIC number, {_angle(nearest)} from TIC {tic_id}"


def _position(entries: Sequence[tuple[Path, HeaderEntry]], tic_id: int) -> SkyPosition | None:
    """Catalogue position of the target from the first of its headers that states one, with proper motion if possible."""
    best: SkyPosition | None = None
    for _, entry in entries:
        if entry.tic_id != tic_id or entry.ra_deg is None or entry.dec_deg is None:
            continue
        pmra, pmdec = entry.pmra_mas_per_yr, entry.pmdec_mas_per_yr
        if pmra is not None and pmdec is not None and (pmra or pmdec):
            return SkyPosition(entry.ra_deg, entry.dec_deg, pmra, pmdec, 2000.0, True)
        best = best or SkyPosition(entry.ra_deg, entry.dec_deg)
    return best


def _is_other_mission(entry: HeaderEntry) -> bool:
    return entry.mission not in {None, "TESS"}


def _angle(arcsec: float) -> str:
    if arcsec < 60:
        return f"{arcsec:.1f} arcsec"
    return f"{arcsec / 60:.1f} arcmin" if arcsec < 3600 else f"{arcsec / 3600:.1f} degrees"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
