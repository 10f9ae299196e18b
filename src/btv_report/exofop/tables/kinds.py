"""What is known of each of ExoFOP's tables: the columns it must have, what must stand in them, and the names seen so far."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from btv_report.exofop.tables.cells import begins_with_date, number, text_or_none, whole_number

_CANDIDATE = re.compile(r"(?:C?TOI[\s-]*)?\d{1,11}\.\d{1,3}", re.IGNORECASE | re.ASCII)


class Fit(Enum):
    """What a cell must be; all but KEY and CANDIDATE may be blank, and None, nan and null count as blank."""

    KEY = "a whole number"
    WHOLE = "a whole number or nothing"
    NUMBER = "a number or nothing"
    DATE = "a date or nothing"
    CANDIDATE = "a number such as 1262.01"

    def takes(self, cell: str) -> bool:
        """Whether a cell can stand in such a column."""
        text = text_or_none(cell)
        if text is None:
            return self not in {Fit.KEY, Fit.CANDIDATE}
        match self:
            case Fit.KEY | Fit.WHOLE:
                return whole_number(text) is not None
            case Fit.NUMBER:
                return number(text) is not None
            case Fit.DATE:
                return begins_with_date(text)
            case Fit.CANDIDATE:
                return _CANDIDATE.fullmatch(text) is not None


@dataclass(frozen=True)
class TableKind:
    """
    One of ExoFOP's tables.

    Attributes
    ----------
    needed : groups of names of one column each, the usual name first; without one of each group a header is not this table's
    fits : column to what must stand in it, where the column is there
    known : other names that the table is known to have; empty where its columns are not known well enough to call one new
    free_text : names of columns of people's words; the last column, if one of these, may hold delimiters and line ends
    """

    needed: tuple[tuple[str, ...], ...]
    fits: Mapping[str, Fit] = field(default_factory=dict)
    known: tuple[str, ...] = ()
    free_text: tuple[str, ...] = ("Notes", "Description", "Comments")

    def fit_of(self, column: str) -> Fit | None:
        """What must stand in a column."""
        return next((fit for name, fit in self.fits.items() if column_key(name) == column_key(column)), None)

    def is_free_text(self, column: str) -> bool:
        """Whether a column holds people's words."""
        return column_key(column) in {column_key(name) for name in self.free_text}

    def missing(self, columns: tuple[str, ...]) -> list[str]:
        """The usual names of needed columns that are not there."""
        present = {column_key(name) for name in columns}
        return [names[0] for names in self.needed if not present & {column_key(name) for name in names}]

    def unknown(self, columns: tuple[str, ...]) -> list[str]:
        """Columns that nobody had seen in this table."""
        seen = {
            column_key(name) for name in (*self.known, *self.fits, *(name for names in self.needed for name in names))
        }
        return [name.strip() for name in columns if column_key(name) not in seen] if self.known else []


def column_key(name: str) -> str:
    """A column's name without case, spaces and punctuation, which differ between documents, years and tables."""
    return re.sub(r"[\W_]+", "", name.casefold())


def _split(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split("|"))


_TIC = ("TIC ID", "TIC")
_OBSERVATION = "TIC ID|TIC|TOI|Telescope|Instrument|Obs Date|Date (UT)|User|Group|Tag|Notes"
_TOI = (
    "Previous CTOI|Master|SG1A|SG1B|SG2|SG3|SG4|SG5|ACWG|ACWG ESM|ACWG TSM|ESM|TSM|Predicted Mass (M_Earth)|"
    "Predicted RV Semi-amplitude (m/s)|Time Series Observations|Spectroscopy Observations|Imaging Observations|"
    "TESS Disposition|TFOPWG Disposition|TESS Mag|TESS Mag err|Planet Name|Pipeline Signal ID|Source|Detection|RA|Dec|"
    "PM RA (mas/yr)|PM RA err (mas/yr)|PM Dec (mas/yr)|PM Dec err (mas/yr)|Epoch (BJD)|Epoch (BJD) err|Period (days)|"
    "Period (days) err|Duration (hours)|Duration (hours) err|Depth (mmag)|Depth (mmag) err|Depth (ppm)|Depth (ppm) err|"
    "Planet Radius (R_Earth)|Planet Radius (R_Earth) err|Planet Insolation (Earth Flux)|Planet Equil Temp (K)|Planet SNR|"
    "Stellar Distance (pc)|Stellar Distance (pc) err|Stellar Eff Temp (K)|Stellar Eff Temp (K) err|"
    "Stellar log(g) (cm/s^2)|Stellar log(g) (cm/s^2) err|Stellar Radius (R_Sun)|Stellar Radius (R_Sun) err|"
    "Stellar Metallicity|Stellar Metallicity err|Stellar Mass (M_Sun)|Stellar Mass (M_Sun) err|Sectors|"
    "Date TOI Alerted (UTC)|Date TOI Updated (UTC)|Date Modified|Comments"
)
_CTOI = (
    "Promoted to TOI|Master|SG1A|SG1B|SG2|SG3|SG4|SG5|User Disposition|TFOPWG Disposition|TESS Mag|TESS Mag err|RA|Dec|"
    "PM RA (mas/yr)|PM RA err (mas/yr)|PM Dec (mas/yr)|PM Dec err (mas/yr)|Transit Epoch (BJD)|Transit Epoch (BJD) err|"
    "Period (days)|Period (days) Error|Depth mmag|Depth mmag Error|Depth ppm|Depth ppm Error|Duration (hrs)|"
    "Duration (hrs) Error|Inclination (deg)|Inclination (deg) Error|Impact Param|Impact Param Error|Rad_p/Rad_s|"
    "Rad_p/Rad_s Error|a/Rad_s|a/Rad_s Error|Planet Radius (R_Earth)|Planet Radius (R_Earth) Error|Mass (M_Earth)|"
    "Mass (M_Earth) Error|Insolation (Earth Flux)|Insolation (Earth Flux) Error|Equilibrium Temp (K)|"
    "Equilibrium Temp (K) Error|Fitted Stellar Density (g/cm^3)|Fitted Stellar Density (g/cm^3) Error|"
    "Semi-Major Axis (AU)|Semi-Major Axis (AU) Error|Eccentricity|Eccentricity (Error)|Arg of Periastron|"
    "Arg of Periastron Error|Time of Periastron (BJD)|Time of Periastron (BJD) Error|Velocity Semi-amp (m/s)|"
    "Velocity Semi-amp (m/s) Error|Stellar Distance (pc)|Stellar Distance (pc) err|Stellar Eff Temp (K)|"
    "Stellar Eff Temp (K) err|Stellar log(g) (cm/s^2)|Stellar log(g) (cm/s^2) err|Stellar Radius (R_Sun)|"
    "Stellar Radius (R_Sun) err|CTOI lastmod|User|Group|Tag|Notes"
)

TABLE_KINDS: dict[str, TableKind] = {
    "filelist": TableKind(
        needed=(("File ID",), ("File Name", "Filename"), ("Type", "File Type"), ("Description",)),
        fits={"File ID": Fit.KEY, "TIC": Fit.WHOLE, "TIC ID": Fit.WHOLE, "Date": Fit.DATE},
        known=_split("Type|File Name|File ID|TIC|TIC ID|TOI|Date|User|Group|Tag|Description"),
    ),
    "toi": TableKind(
        needed=(_TIC, ("TOI", "Full TOI ID"), ("Period (days)",), ("Epoch (BJD)",), ("Comments",)),
        fits={
            "TIC ID": Fit.KEY,
            "TOI": Fit.CANDIDATE,
            "Epoch (BJD)": Fit.NUMBER,
            "Period (days)": Fit.NUMBER,
            "Duration (hours)": Fit.NUMBER,
            "Depth (ppm)": Fit.NUMBER,
            "Date TOI Alerted (UTC)": Fit.DATE,
            "Date Modified": Fit.DATE,
        },
        known=_split(_TOI),
    ),
    "ctoi": TableKind(
        needed=(_TIC, ("CTOI",), ("Period (days)",), ("Transit Epoch (BJD)", "Epoch (BJD)"), ("Notes",)),
        fits={
            "TIC ID": Fit.KEY,
            "CTOI": Fit.CANDIDATE,
            "Transit Epoch (BJD)": Fit.NUMBER,
            "Period (days)": Fit.NUMBER,
            "Duration (hrs)": Fit.NUMBER,
            "CTOI lastmod": Fit.DATE,
            "Tag": Fit.WHOLE,
        },
        known=_split(_CTOI),
    ),
    "spect": TableKind(
        needed=(_TIC, ("Telescope",), ("Instrument",), ("Obs Date", "Date (UT)"), ("Notes",)),
        fits={"TIC ID": Fit.KEY, "Obs Date": Fit.DATE, "Date (UT)": Fit.DATE, "Tag": Fit.WHOLE},
        known=_split(
            f"{_OBSERVATION}|Spectral resolution|Wavelength coverage|SNR/resolution|SNR wavelength|Appropriate to PRV"
        ),
    ),
    "imaging": TableKind(
        needed=(_TIC, ("Telescope",), ("Instrument",), ("Obs Date", "Date (UT)"), ("Notes",)),
        fits={"TIC ID": Fit.KEY, "Obs Date": Fit.DATE, "Date (UT)": Fit.DATE, "Tag": Fit.WHOLE},
        known=_split(f"{_OBSERVATION}|Filter|Image Type|Pixel Scale|PSF|Contrast"),
    ),
    "tseries": TableKind(
        needed=(_TIC, ("Telescope",), ("Filter",), ("Obs Date", "Date (UT)"), ("Notes",)),
        fits={"TIC ID": Fit.KEY, "Obs Date": Fit.DATE, "Date (UT)": Fit.DATE, "Tag": Fit.WHOLE},
        known=_split(
            f"{_OBSERVATION}|Camera|Filter|Pixel Scale|Pix Scale (arcsec)|PSF|PSF (arcsec)|Phot Aperture Rad|"
            "Phot Aperture Rad (pix)|Obs Duration|Duration (m)|Num Obs|# of Obs|Obs Type|Type|Transit Coverage|Delta Mag"
        ),
    ),
    "obsnotes": TableKind(
        needed=(("ID",), _TIC, ("Username", "User"), ("Lastmod",), ("notes",)),
        fits={"ID": Fit.KEY, "TIC ID": Fit.KEY, "TAG ID": Fit.WHOLE, "Lastmod": Fit.DATE},
        known=_split("ID|TIC ID|Username|Groupname|TAG ID|Lastmod|notes"),
    ),
    "stellar": TableKind(
        needed=(("Teff (K)", "Stellar Eff Temp (K)"),),
        fits={"Teff (K)": Fit.NUMBER, "Radius (R_Sun)": Fit.NUMBER, "Mass (M_Sun)": Fit.NUMBER, "Date": Fit.DATE},
    ),
    "planet": TableKind(
        needed=(("Name", "Planet Name"), ("Disposition",)),
        fits={"Depth (ppm)": Fit.NUMBER, "Radius (R_Earth)": Fit.NUMBER, "Date": Fit.DATE},
    ),
    "uploads": TableKind(needed=(("TIC ID", "TIC", "Target", "Name", "TOI"),)),
    "stellarcomp": TableKind(
        needed=(_TIC, ("Separation (arcsec)",), ("Filter",), ("Delta Mag",), ("Notes",)),
        fits={
            "TIC ID": Fit.KEY,
            "Separation (arcsec)": Fit.NUMBER,
            "Delta Mag": Fit.NUMBER,
            "Observation Date (UT)": Fit.DATE,
            "Date": Fit.DATE,
            "Tag": Fit.WHOLE,
        },
        known=_split(
            "TOI|Separation (arcsec) Error|Pos Angle E of N (deg)|Pos Angle E of N (deg) Error|Filter|Delta Mag Error|User|"
            "Group|Tag|Notes"
        ),
    ),
    "nearby": TableKind(
        needed=(_TIC, ("RA",), ("Dec",), ("Separation (arcsec)",)),
        fits={"TIC ID": Fit.KEY, "Separation (arcsec)": Fit.NUMBER},
        known=_split(
            "TOI|RA|Dec|TESS Mag|GAIA DR2|GAIA Mag|Distance (pc)|Distance Err (pc)|PM RA (mas/yr)|PM RA Err|PM Dec (mas/yr)|"
            "PM Dec Err|Separation (arcsec)|Position Angle (deg E. of N.)"
        ),
    ),
}
