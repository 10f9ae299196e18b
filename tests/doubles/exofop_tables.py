"""The tables of ExoFOP: what stands in their headers, how they are asked for, and how their rows look on the wire."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_OBSERVED = "TIC ID,TIC,TOI,Telescope"
_FILED = "User,Group,Tag"

_TOI_2021 = (
    "TIC ID|TOI|Previous CTOI|Master|SG1A|SG1B|SG2|SG3|SG4|SG5|ACWG ESM|ACWG TSM|Time Series Observations|"
    "Spectroscopy Observations|Imaging Observations|TESS Disposition|TFOPWG Disposition|TESS Mag|TESS Mag err|"
    "Planet Name|Pipeline Signal ID|Source|RA|Dec|PM RA (mas/yr)|PM RA err (mas/yr)|PM Dec (mas/yr)|"
    "PM Dec err (mas/yr)|Epoch (BJD)|Epoch (BJD) err|Period (days)|Period (days) err|Duration (hours)|"
    "Duration (hours) err|Depth (mmag)|Depth (mmag) err|Depth (ppm)|Depth (ppm) err|Planet Radius (R_Earth)|"
    "Planet Radius (R_Earth) err|Planet Insolation (Earth Flux)|Planet Equil Temp (K)|Planet SNR|"
    "Stellar Distance (pc)|Stellar Distance (pc) err|Stellar Eff Temp (K)|Stellar Eff Temp (K) err|"
    "Stellar log(g) (cm/s^2)|Stellar log(g) (cm/s^2) err|Stellar Radius (R_Sun)|Stellar Radius (R_Sun) err|"
    "Stellar Metallicity| Stellar Metallicity err|Sectors|Date TOI Alerted (UTC)|Date TOI Updated (UTC)|"
    "Date Modified|Comments"
)
TOI_2021 = tuple(_TOI_2021.split("|"))
"""58 names; one begins with a space."""


def _toi_2025() -> list[str]:
    """63 names: the order is that of 2021 with two columns renamed and five more."""
    names = [{"ACWG ESM": "ESM", "ACWG TSM": "TSM"}.get(name, name.strip()) for name in TOI_2021]
    for after, more in (
        ("TSM", ["Predicted Mass (M_Earth)", "Predicted RV Semi-amplitude (m/s)"]),
        ("Source", ["Detection"]),
        ("Stellar Metallicity err", ["Stellar Mass (M_Sun)", "Stellar Mass (M_Sun) err"]),
    ):
        at = names.index(after) + 1
        names[at:at] = more
    return names


@dataclass(frozen=True)
class TableKind:
    """
    One table.

    Attributes
    ----------
    columns : in the order of the header; that of stellar, planet and uploads is a guess
    parameters : names that choose rows; any other name is not understood, and the header comes alone
    default : `csv`, `pipe` or `text`, what comes where `output` is not given
    fixed : `output` is ignored
    newline : between lines
    """

    columns: tuple[str, ...]
    parameters: tuple[str, ...]
    default: str = "text"
    fixed: bool = False
    newline: str = "\n"


def _kind(columns: str | Sequence[str], *parameters: str, default: str = "text", fixed: bool = False) -> TableKind:
    names = columns.split(",") if isinstance(columns, str) else columns
    return TableKind(tuple(names), parameters, default, fixed)


TABLES: Mapping[str, TableKind] = {
    "toi": _kind(_toi_2025(), "toi"),
    "ctoi": _kind(
        "TIC ID,CTOI,Promoted to TOI,MASTER,SG1A,SG1B,SG2,SG3,SG4,SG5,User Disposition,TFOPWG Disposition,TESS Mag,"
        "TESS Mag err,RA,Dec,Transit Epoch (BJD),Transit Epoch (BJD) err,Period (days),Period (days) Error,Depth mmag,"
        "Depth mmag Error,Depth ppm,Depth ppm Error,Duration (hrs),Duration (hrs) Error,Impact Param,Impact Param Error,"
        "Planet Radius (R_Earth),Planet Radius (R_Earth) Error,CTOI lastmod,User,Group,Tag,Notes",
        "ctoi",
    ),
    "filelist": _kind(f"Type,File Name,File ID,TIC,TOI,Date,{_FILED},Description", "id", "toi", default="pipe"),
    "imaging": _kind(
        f"{_OBSERVED},Instrument,Filter,Image Type,Pixel Scale,PSF,Contrast,Obs Date,{_FILED},Notes", "target", "tag"
    ),
    "spect": _kind(
        f"{_OBSERVED},Instrument,Spectral resolution,Wavelength coverage,SNR/resolution,SNR wavelength,"
        f"Appropriate to PRV,Obs Date,{_FILED},Notes",
        "target",
        "tag",
    ),
    "tseries": _kind(
        f"{_OBSERVED},Camera,Filter,Pixel Scale,PSF,Phot Aperture Rad,Obs Date,Obs Duration,Num Obs,Obs Type,"
        f"Transit Coverage,Delta Mag,{_FILED},Notes",
        "target",
        "tag",
    ),
    "stellarcomp": _kind(
        "TIC ID,TOI,Separation (arcsec),Separation (arcsec) Error,Pos Angle E of N (deg),Pos Angle E of N (deg) Error,"
        f"Filter,Delta Mag,Delta Mag Error,Observation Date (UT),Date,{_FILED},Notes",
        "target",
        "tag",
    ),
    "obsnotes": TableKind(
        ("ID", "TIC ID", "Username", "Groupname", "TAG ID", "Lastmod", "notes"), ("tid", "tag", "id"), "csv", newline="\r\n"
    ),
    "nearby": _kind(
        "TIC ID,TOI,RA,Dec,TESS Mag,GAIA DR2,GAIA Mag,Distance(pc),Distance Err (pc),PM RA (mas/yr),PM RA Err,"
        "PM Dec (mas/yr),PM Dec Err,Separation (arcsec),Position Angle (deg E. of N.)",
        "id",
    ),
    "stellar": _kind(
        "TIC ID,Table,Teff (K),Teff (K) Error,log(g),log(g) Error,Radius (R_Sun),Radius (R_Sun) Error,Mass (M_Sun),"
        "Mass (M_Sun) Error,Density (g/cm^3),Density (g/cm^3) Error,Distance (pc),Distance (pc) Error,Date,User,Tag",
        "id",
        default="pipe",
        fixed=True,
    ),
    "planet": _kind(
        "TIC ID,Name,TOI,Disposition,Table,Epoch (BJD),Epoch (BJD) err,Period (days),Period (days) err,Duration (hours),"
        "Duration (hours) err,Depth (mmag),Depth (mmag) err,Depth (ppm),Depth (ppm) err,Radius (R_Earth),"
        "Radius (R_Earth) err,a/Rad_s,Rad_p/Rad_s,Impact Parameter b,Fitted Stellar Density (g/cm3),Date,User,Tag",
        "id",
        default="pipe",
        fixed=True,
    ),
    "uploads": _kind(
        "TIC ID,TOI,Files,Time Series,Spectroscopy,Imaging,Stellar Companions,Observing Notes,Stellar Parameters,"
        "Planet Parameters",
        "target",
    ),
}  # fmt: skip

ENDPOINTS: Mapping[str, str] = {
    f"download_{'nearbytarget' if name == 'nearby' else name}.php": name for name in TABLES
}  # fmt: skip
"""Endpoint to table."""


def render(columns: Sequence[str], rows: Sequence[Mapping[str, str]], output: str, newline: str = "\n") -> bytes:
    """
    A table in one of the three formats, UTF-8.

    Pipes and newlines within a cell stand as they are in the pipe format, which is what makes it hard to read; the text
    format (columns padded to one width) is a guess.
    """
    lines = [list(columns), *([row.get(name.strip(), "") for name in columns] for row in rows)]
    if output == "csv":
        stream = io.StringIO()
        csv.writer(stream, lineterminator=newline).writerows(lines)
        return stream.getvalue().encode()
    if output == "pipe":
        return "".join("|".join(line) + newline for line in lines).encode()
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
    return "".join(line + newline for line in padded).encode()
