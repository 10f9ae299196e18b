"""What a loopback ExoFOP holds on one star, and the object that `target.php?id=...&json` makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, str]


@dataclass(frozen=True)
class Entry:
    """A row of a table by column name; a restricted one is shown to a session only."""

    values: Row
    restricted: bool = False


@dataclass(frozen=True)
class StoredFile:
    """A file; `disposition` is the whole Content-Disposition header where it is to lie."""

    file_id: int
    filename: str
    content: bytes
    type: str
    restricted: bool
    row: Row
    disposition: str | None = None


@dataclass
class Star:
    """
    One target.

    Attributes
    ----------
    toi : its first TOI, such as `1262.01`
    names : of other catalogues, such as `HD 104654` or `Gaia DR2 1625068...`
    tables : table name to its rows; `filelist` and `uploads` are made of the files and rows
    """

    tic_id: int
    toi: str | None
    names: tuple[str, ...]
    tables: dict[str, list[Entry]] = field(default_factory=dict)
    files: list[StoredFile] = field(default_factory=list)

    @property
    def toi_text(self) -> str:
        """As observation tables write it: `TOI 1262`."""
        return f"TOI {self.toi.split('.')[0]}" if self.toi else ""

    @property
    def catalogues(self) -> dict[str, str]:
        """Its numbers in other catalogues by the keys of `jsonext`."""
        known = {"GAIADR2": "Gaia DR2 ", "KIC": "KIC ", "EPIC": "EPIC "}
        return {
            key: next((name.removeprefix(prefix) for name in self.names if name.startswith(prefix)), "")
            for key, prefix in known.items()
        }

    def rows(self, table: str, *, insider: bool) -> list[Row]:
        """The rows that this caller may see."""
        return [entry.values for entry in self.tables.get(table, []) if insider or not entry.restricted]

    def answers_to(self, name: str) -> bool:
        """Whether it is meant: its number, its TOI with prefix, or one of its names; case and spaces do not count."""
        asked = _folded(name)
        tois = {_folded(f"TOI{row['TOI']}") for row in self.rows("toi", insider=True)}
        tois |= {toi.split(".")[0] for toi in tois}
        own = {str(self.tic_id), f"tic{self.tic_id}", _folded(self.toi_text), *map(_folded, self.names)}
        return bool(asked) and asked in own | tois

    def uploads(self, *, insider: bool, n_files: int) -> Row:
        """Its row of counts."""
        counted = {
            "Time Series": "tseries", "Spectroscopy": "spect", "Imaging": "imaging", "Stellar Companions": "stellarcomp",
            "Observing Notes": "obsnotes", "Stellar Parameters": "stellar", "Planet Parameters": "planet",
        }  # fmt: skip
        counts = {column: str(len(self.rows(table, insider=insider))) for column, table in counted.items()}
        return {"TIC ID": str(self.tic_id), "TOI": self.toi_text, "Files": str(n_files), **counts}


_OBSERVATION = {"User": "user", "Group": "group", "Tag": "tag", "Notes": "notes"}
_IMAGING = {
    "Telescope": "itel", "Instrument": "iinst", "Filter": "ifilt", "Image Type": "itype", "Pixel Scale": "ipix",
    "PSF": "ipsf", "Contrast": "icont", "Obs Date": "idate",
}  # fmt: skip
_SPECTROSCOPY = {
    "Telescope": "stel", "Instrument": "sinst", "Spectral resolution": "ssres", "Wavelength coverage": "swave",
    "SNR/resolution": "ssnr1", "SNR wavelength": "ssnr2", "Appropriate to PRV": "sapp", "Obs Date": "sdate",
}  # fmt: skip
_TIME_SERIES = {
    "Telescope": "tstel", "Camera": "tscam", "Filter": "tsfilt", "Pixel Scale": "tspix", "PSF": "tspsf",
    "Phot Aperture Rad": "tspar", "Transit Coverage": "tstcov", "Delta Mag": "tsmag", "Obs Date": "tsdate",
    "Obs Duration": "tsdur", "Num Obs": "tsnum", "Obs Type": "tstype",
}  # fmt: skip
_COMPANIONS = {
    "Separation (arcsec)": "sep", "Separation (arcsec) Error": "sep_e", "Pos Angle E of N (deg)": "pa",
    "Pos Angle E of N (deg) Error": "pa_e", "Filter": "filt", "Delta Mag": "dmag", "Delta Mag Error": "dmag_e",
    "Observation Date (UT)": "odate",
}  # fmt: skip
_FILES = {
    "File ID": "fid", "File Name": "fname", "Type": "ftype", "TOI": "ftoi", "Date": "fdate", "User": "fuser",
    "Group": "fgroup", "Tag": "ftag", "Description": "fdesc",
}  # fmt: skip
_TOIS = {"TOI": "toi", "TFOPWG Disposition": "disp_tfop", "TESS Disposition": "disp_tess", "Comments": "notes"}
_CTOIS = {"CTOI": "ctoi", "TFOPWG Disposition": "disp_tfop", "User Disposition": "disp_user", "Notes": "notes"}
_PLANETS = {
    "Name": "name", "TOI": "toi", "Epoch (BJD)": "epoch", "Epoch (BJD) err": "epoch_e", "Period (days)": "per",
    "Period (days) err": "per_e", "Duration (hours)": "dur", "Duration (hours) err": "dur_e", "Depth (mmag)": "dep_m",
    "Depth (mmag) err": "dep_m_e", "Depth (ppm)": "dep_p", "Depth (ppm) err": "dep_p_e", "Radius (R_Earth)": "rad",
    "Radius (R_Earth) err": "rad_e", "a/Rad_s": "ar", "Rad_p/Rad_s": "rr", "Impact Parameter b": "imp",
    "Fitted Stellar Density (g/cm3)": "dens", "Date": "pdate", "User": "puser", "Tag": "ptag",
}  # fmt: skip
_STARS = {
    "Teff (K)": "teff", "Teff (K) Error": "teff_e", "log(g)": "logg", "log(g) Error": "logg_e", "Radius (R_Sun)": "srad",
    "Radius (R_Sun) Error": "srad_e", "Mass (M_Sun)": "mass", "Mass (M_Sun) Error": "mass_e", "Density (g/cm^3)": "dens",
    "Density (g/cm^3) Error": "dens_e", "Distance (pc)": "dist", "Distance (pc) Error": "dist_e", "Date": "sdate",
    "User": "suser", "Tag": "stag",
}  # fmt: skip


def target_object(star: Star, file_rows: Sequence[Row], *, insider: bool) -> dict[str, Any]:
    """
    The JSON object of one target, as one caller sees it.

    Keys of `files`, `tois`, `planet_parameters` and `stellar_parameters` and all top-level ones are known from stored copies; who
    and when of the observation lists are guesses after the pattern of those.
    """

    def listed(table: str, keys: Mapping[str, str], prefix: str = "") -> list[dict[str, str]]:
        more = {column: prefix + key for column, key in _OBSERVATION.items()} if prefix else {}
        return [_renamed(row, {**keys, **more}) for row in star.rows(table, insider=insider)]

    toi = next(iter(star.rows("toi", insider=True)), {})
    return {
        "basic_info": {
            "tic_id": str(star.tic_id),
            "star_names": ", ".join(name for name in (f"TIC {star.tic_id}", star.toi_text, *star.names) if name),
            "confirmed_planets": "",
            "k2_campaign": "",
            "tic_contamination_ratio": "",
        },
        "coordinates": {"ra": _degrees(toi.get("RA", ""), 15), "dec": _degrees(toi.get("Dec", ""), 1)},
        "tois": listed("toi", _TOIS),
        "ctois": listed("ctoi", _CTOIS),
        "planet_units": {"epoch": "BJD", "per": "days", "dep_m": "mmag", "dep_p": "ppm", "dur": "hrs", "rad": "R_Earth"},
        "planet_parameters": _with_source(listed("planet", _PLANETS)),
        "stellar_units": {"teff": "K", "srad": "R_Sun", "mass": "M_Sun", "dens": "g/cm^3", "dist": "pc"},
        "stellar_parameters": _with_source(listed("stellar", _STARS)),
        "stellar_companions_units": {"sep": "arcsec", "pa": "E of N (deg)", "filt": "", "dmag": "", "odate": "UT"},
        "stellar_companions": listed("stellarcomp", _COMPANIONS, "c"),
        "magnitudes": [{"band": "TESS", "value": toi.get("TESS Mag", ""), "value_e": toi.get("TESS Mag err", "")}],
        "imaging": listed("imaging", _IMAGING, "i"),
        "spectroscopy": listed("spect", _SPECTROSCOPY, "s"),
        "time_series": listed("tseries", _TIME_SERIES, "ts"),
        "files": [_renamed(row, _FILES) for row in file_rows],
    }  # fmt: skip


def _with_source(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Rows behind the line that names where they come from, which stands in the same list."""
    return [{"prov": "tic", "prov_title": "TESS Input Catalog", "prov_num": str(len(rows))}, *rows] if rows else []


def _renamed(row: Row, keys: Mapping[str, str]) -> dict[str, str]:
    return {key: row.get(column, "") for column, key in keys.items()}


def _degrees(sexagesimal: str, scale: int) -> str:
    if not sexagesimal:
        return ""
    whole, minutes, seconds = (abs(float(part)) for part in sexagesimal.split(":"))
    sign = "-" if sexagesimal.startswith("-") else ""
    return f"{sign}{scale * (whole + minutes / 60 + seconds / 3600):.9f}"


def _folded(name: str) -> str:
    return "".join(name.casefold().replace("-", "").split())
