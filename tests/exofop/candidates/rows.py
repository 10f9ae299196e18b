"""Tables as ExoFOP gives them, built row by row."""

from __future__ import annotations

from typing import Any

from btv_report.exofop.types import ExoFopTable

TIC_ID = 365938305
TOI_ROW = {
    "TIC ID": "365938305",
    "TOI": "1262.01",
    "TESS Disposition": "PC",
    "TFOPWG Disposition": "PC",
    "Epoch (BJD)": "2460322.358008",
    "Epoch (BJD) err": ".0042434",
    "Period (days)": "20.8774413",
    "Period (days) err": "0.0001096",
    "Duration (hours)": "3.562",
    "Duration (hours) err": ".306",
    "Depth (mmag)": ".837425",
    "Depth (mmag) err": ".033844",
    "Depth (ppm)": "771",
    "Depth (ppm) err": "31.1713",
    "Planet Radius (R_Earth)": "2.16145",
    "Planet Radius (R_Earth) err": ".134898",
    "Stellar Distance (pc)": "",
    "Stellar Eff Temp (K)": "5396",
    "Stellar log(g) (cm/s^2)": "4.50457",
    "Stellar log(g) (cm/s^2) err": ".08",
    "Stellar Radius (R_Sun)": ".9",
    "Stellar Radius (R_Sun) err": "0.05",
    "Stellar Metallicity": "",
    " Stellar Metallicity err": "",
    "Stellar Mass (M_Sun)": ".94",
    "Stellar Mass (M_Sun) err": "",
    "Sectors": "14,20,21,40,41,47,48,60,74",
    "Date TOI Alerted (UTC)": "2019-10-17",
    "Date TOI Updated (UTC)": "2024-04-01",
    "Comments": "",
}
CTOI_ROW = {
    "TIC ID": "365938305",
    "CTOI": "365938305.01",
    "Promoted to TOI": "",
    "User Disposition": "PC",
    "TFOPWG Disposition": "",
    "Transit Epoch (BJD)": "2458700.5",
    "Transit Epoch (BJD) err": "0.01",
    "Period (days)": "10.5",
    "Period (days) Error": "0.001",
    "Depth mmag": "",
    "Depth mmag Error": "",
    "Depth ppm": "900",
    "Depth ppm Error": "50",
    "Duration (hrs)": "3.0",
    "Duration (hrs) Error": "0.2",
    "Planet Radius (R_Earth)": "3.1",
    "Stellar Radius (R_Sun)": "0.9",
    "CTOI lastmod": "2020-08-10 07:20:18",
    "Notes": "single sector",
}
PLANET_ROW = {
    "Table": "Exoplanet Archive",
    "Name": "HD 104654 b",
    "TOI": "",
    "Disposition": "CP",
    "Epoch (BJD)": "2458700.1",
    "Epoch (BJD) err": "0.01",
    "Period (days)": "7.25",
    "Period (days) err": "0.001",
    "Duration (hours)": "2.5",
    "Depth (ppm)": "650",
    "Radius (R_Earth)": "2.0",
    "Date": "2023-01-02",
    "User": "someone",
    "Tag": "1",
}
STELLAR_ROW = {
    "Table": "TIC",
    "Teff (K)": "5400",
    "Teff (K) err": "120",
    "log(g)": "4.5",
    "log(g) err": "0.08",
    "Radius (R_Sun)": "0.91",
    "Radius (R_Sun) err": "0.05",
    "Mass (M_Sun)": "0.95",
    "Mass (M_Sun) err": "0.1",
    "Density (g/cm^3)": "1.9",
    "Luminosity (L_Sun)": ".64",
    "Distance (pc)": "43.2",
    "Date": "2019-04-15",
}


def table(name: str, first: dict[str, str], *rows: dict[str, Any]) -> ExoFopTable:
    """A table with the columns of `first`; each row is `first` with changes, and may bring columns of its own."""
    columns = tuple(dict.fromkeys([*first, *(column for row in rows for column in row)]))
    cells = [tuple(str({**first, **row}.get(column, "")) for column in columns) for row in rows]
    return ExoFopTable(name, columns, tuple(cells))


def toi_table(*rows: dict[str, Any]) -> ExoFopTable:
    """TOI rows, each TOI 1262.01's with changes; none given is a header alone."""
    return table("toi", TOI_ROW, *rows)


def renamed(given: ExoFopTable, old: str, new: str) -> ExoFopTable:
    """The table with another header over one column."""
    return ExoFopTable(given.name, tuple(new if column == old else column for column in given.columns), given.rows)
