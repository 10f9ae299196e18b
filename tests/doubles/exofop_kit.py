"""
The fixture kit of the loopback ExoFOP: answers byte by byte, as stored copies of real ones show them.

Each has its kind: V holds values of a stored copy, S its shape with made-up values, G is a guess until somebody has asked the
service itself. `KIT` names them all, with the endpoint that gives them.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.doubles import exofop_pages as pages
from tests.doubles.exofop_tables import TABLES, TOI_2021, render

_NOTES = TABLES["obsnotes"].columns
_NOTES_PIPE = "|".join(_NOTES)
_SPECT_PIPE = "|".join(TABLES["spect"].columns)

TOI_127_01 = {
    "TIC ID": "231702397", "TOI": "127.01", "Master": "5", "TESS Disposition": "PC", "TFOPWG Disposition": "PC",
    "Pipeline Signal ID": "1", "Source": "spoc", "Epoch (BJD)": "2458326.00912", "Period (days)": "3.54112",
    "Duration (hours)": ".386554", "Depth (ppm)": "1234.50000000000012", "RA": "00:12:34.56", "Dec": "-55:52:18.71",
    "Sectors": "1,27,67", "Date Modified": "2021-07-29 12:01:54", "Comments": "a comment, with a comma",
}  # fmt: skip
"""Made-up values in the shapes that are seen: no leading zero, 17 digits, sexagesimal without a plus sign, lists of sectors."""

TOI_1262_01 = {
    "TIC ID": "365938305", "TOI": "1262.01", "Master": "1", "SG1A": "4", "SG1B": "1", "SG2": "2", "SG3": "3", "SG4": "4",
    "SG5": "4", "ESM": "1.3", "TSM": "31.9", "Time Series Observations": "0", "Spectroscopy Observations": "5",
    "Imaging Observations": "2", "TESS Disposition": "PC", "TFOPWG Disposition": "PC", "TESS Mag": "9.5966",
    "TESS Mag err": "0.006", "Pipeline Signal ID": "1", "Source": "qlp-s74-ffi", "Detection": "SPOC/QLP",
    "RA": "12:02:54.36", "Dec": "74:03:39.63", "Epoch (BJD)": "2460322.358008", "Epoch (BJD) err": "0.0042434",
    "Period (days)": "20.8774413", "Period (days) err": "0.0001096", "Duration (hours)": "3.562",
    "Duration (hours) err": "0.306", "Depth (mmag)": "0.837425", "Depth (mmag) err": "0.033844", "Depth (ppm)": "771.0",
    "Depth (ppm) err": "31.1713", "Planet Radius (R_Earth)": "2.16145", "Planet Radius (R_Earth) err": "0.134898",
    "Stellar Eff Temp (K)": "5396", "Stellar log(g) (cm/s^2)": "4.50457", "Stellar Radius (R_Sun)": "0.9",
    "Stellar Mass (M_Sun)": "0.94", "Sectors": "14,20,21,40,41,47,48,60,74", "Date TOI Alerted (UTC)": "2019-10-17",
    "Date TOI Updated (UTC)": "2024-04-01", "Comments": "",
}  # fmt: skip

_SPECT_ROW = "231702397|||Magellan (Baade) (6.5 m)|FIRE|6000|0.82 to 2.51 microns|||N|2018-12-22|feinstein||1494|"


_LISTS = (
    "ctois", "planet_parameters", "stellar_parameters", "stellar_companions", "magnitudes", "imaging", "spectroscopy",
    "time_series", "files",
)  # fmt: skip


def _notes(*lines: str) -> bytes:
    return "".join(line + "\r\n" for line in (_NOTES_PIPE, *lines)).encode()


def _target_json(notes: str, encoding: str, **lists: Any) -> bytes:
    value = {
        "basic_info": {"tic_id": "365938305", "star_names": "TIC 365938305, TOI-1262, HD 104654"},
        "coordinates": {"ra": "180.726500000", "dec": "74.061008333"},
        "tois": [{"toi": "1262.01", "disp_tfop": "PC", "disp_tess": "PC", "notes": notes}],
        **{key: [] for key in _LISTS},
        **lists,
    }
    return json.dumps(value, ensure_ascii=False).encode(encoding)


_FILE_ROWS = [
    {"Type": "Image", "File Name": "TOI1262I-dc20200607-562_sensitivity.dat", "File ID": "441891", "TIC": "365938305",
     "TOI": "TOI 1262", "Date": "2020-06-08", "User": "observer", "Group": "tfopwg", "Tag": "7652",
     "Description": "Sensitivity, 562 nm"},
    {"Type": "Spectrum", "File Name": "TRES, first; 1|2.pdf", "File ID": "441892", "TIC": "365938305", "TOI": "TOI 1262.01",
     "Date": "2020-01-13", "User": "observer", "Group": "", "Tag": "1494", "Description": ""},
]  # fmt: skip
_FILE_ROWS_PIPE = [{**row, "File Name": row["File Name"].replace("|", "_")} for row in _FILE_ROWS]
_FILE_COLUMNS = TABLES["filelist"].columns
_WITHOUT_TIC = tuple(name for name in _FILE_COLUMNS if name != "TIC")
_LONG_NOTE = (
    "<!DOCTYPE html><html><head><title>m</title></head><body><p>4 RV epochs, 162 m/s scatter.</p></body></html>"
)
_CSV_NOTE = {
    "ID": "23968",
    "TIC ID": "68646526",
    "Username": "latham",
    "TAG ID": "1573",
    "Lastmod": "2021-11-30 12:20:55",
}


@dataclass(frozen=True)
class KitRow:
    """One fixture: the endpoint that gives it, its bytes, and its kind (V, S or G)."""

    endpoint: str
    content: bytes
    kind: str


def zip_of(members: Iterable[tuple[str, bytes]], *, folder: str | None = None) -> bytes:
    """A zip archive of these members in this order, all in one top folder where one is given; duplicates are kept."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.NameToInfo.clear()  # else a duplicate is warned about
            entry = zipfile.ZipInfo(f"{folder}/{name}" if folder else name, (2021, 6, 7, 0, 0, 0))
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


_MEMBERS = [(row["File Name"], b"content of " + row["File ID"].encode()) for row in _FILE_ROWS_PIPE]

KIT: Mapping[str, KitRow] = {
    "gototicid_ok.json": KitRow("gototicid.php", b'{"status": "OK", "num": 1, "TIC": "138969239"}', "V"),
    "gototicid_err.json": KitRow("gototicid.php", b'{"status": "ERROR", "message": "No object found."}', "V"),
    "gototicid_many.html": KitRow("gototicid.php", pages.pick_list([(231702397, "TOI 127"), (68646526, "HD 1")]), "S"),
    "obsnotes_none.pipe": KitRow("download_obsnotes.php", _notes(), "V"),
    "obsnotes_throttle": KitRow("download_obsnotes.php", b"", "V"),
    "obsnotes.csv": KitRow("download_obsnotes.php", render(_NOTES, [{**_CSV_NOTE, "notes": _LONG_NOTE}], "csv"), "V"),
    "obsnotes_tfopwg.pipe": KitRow(
        "download_obsnotes.php",
        _notes("22840|311703724|mlund|tfopwg|3059|2021-07-29 12:01:54|TOI3680.01:V-shaped; found in faint-star QLP s"),
        "V",
    ),
    "obsnotes_pipe_first.pipe": KitRow(
        "download_obsnotes.php",
        _notes(
            "30001|462715015|observer||11|2022-01-02 03:04:05|FWHM 1.4 | airmass 1.2 | clear",
            "30002|462715015|observer||11|2022-01-03 03:04:05|nothing to add",
        ),
        "S",
    ),
    "obsnotes_pipe_later.pipe": KitRow(
        "download_obsnotes.php",
        _notes(
            "30003|70513361|observer||12|2022-02-02 03:04:05|first night",
            "30004|70513361|observer||12|2022-02-03 03:04:05|depth 1.1 ppt | no shift",
        ),
        "S",
    ),
    "obsnotes_newline.pipe": KitRow(
        "download_obsnotes.php",
        _notes(
            "30005|70513361|observer||13|2022-03-02 03:04:05|first line\nsecond line\n\nsecond paragraph",
            "30006|70513361|observer||13|2022-03-03 03:04:05|last",
        ),
        "S",
    ),
    "obsnotes_unclosed_tag.pipe": KitRow(
        "download_obsnotes.php",
        _notes('30007|70513361|observer||14|2022-04-02 03:04:05|<p>see the plot</p> <a target="_blank"'),
        "S",
    ),
    "obsnotes_nbsp.pipe": KitRow(
        "download_obsnotes.php",
        _notes("30008|70513361|observer||15|2022-05-02 03:04:05|&nbsp;on time&nbsp;&amp;&nbsp;on target&nbsp;"),
        "S",
    ),
    "imaging.pipe": KitRow(
        "download_imaging.php",
        (
            "|".join(TABLES["imaging"].columns)
            + "\n468472950||TOI 1395|Gemini (8 m)|NIRI|Brgamma|AO|0.0219|||2019-11-13|matthews|tfopwg|7652|"
            "2 visual companions: sep=0.250arcsec\n"
        ).encode(),
        "V",
    ),
    "spect.pipe": KitRow(
        "download_spect.php",
        "\n".join([_SPECT_PIPE, *[_SPECT_ROW] * 8, _SPECT_ROW.replace("microns", "nm"), *[""] * 6]).encode(),
        "V",
    ),
    "toi_2021.pipe": KitRow("download_toi.php", render(TOI_2021, [TOI_127_01], "pipe"), "S"),
    "toi_2025.csv": KitRow("download_toi.php", render(TABLES["toi"].columns, [TOI_127_01, TOI_1262_01], "csv"), "V"),
    "toi_bad.html": KitRow("download_toi.php", pages.invalid_toi(), "V"),
    "target_none": KitRow("target.php", b"No TIC object found", "V"),
    "target_365938305.json": KitRow("target.php", _target_json("", "utf-8"), "S"),
    "target_365938305_null.json": KitRow(
        "target.php", _target_json("", "utf-8", files=None, imaging=None, ctois=None, planet_parameters=None), "S"
    ),
    "target_365938305_latin1.json": KitRow("target.php", _target_json("Gonz\u00e1lez-\u00c5lvarez", "latin-1"), "S"),
    "target_365938305_mixed.json": KitRow(
        "target.php",
        _target_json("Gonz\u00e1lez, 2\u03c3, @", "utf-8").replace(b"@", "\u00c5lvarez".encode("latin-1")),
        "S",
    ),
    "filelist.csv": KitRow("download_filelist.php", render(_FILE_COLUMNS, _FILE_ROWS, "csv"), "S"),
    "filelist.pipe": KitRow("download_filelist.php", render(_FILE_COLUMNS, _FILE_ROWS_PIPE, "pipe"), "S"),
    "filelist_without_tic.csv": KitRow("download_filelist.php", render(_WITHOUT_TIC, _FILE_ROWS, "csv"), "S"),
    "filelist_without_tic.pipe": KitRow("download_filelist.php", render(_WITHOUT_TIC, _FILE_ROWS_PIPE, "pipe"), "S"),
    "login_bad.html": KitRow("password_check.php", pages.wrong_password(), "V"),
    "login_page.html": KitRow("login.php", pages.login_page(), "G"),
    "restricted_row_missing.csv": KitRow("download_filelist.php", render(_FILE_COLUMNS, _FILE_ROWS[:1], "csv"), "G"),
    "restricted_login.html": KitRow("get_file.php", pages.login_page(), "G"),
    "restricted_empty": KitRow("get_file.php", b"", "G"),
    "restricted_without_member.zip": KitRow("download_files_zip.php", zip_of(_MEMBERS[:1]), "G"),
    "files_flat.zip": KitRow("download_files_zip.php", zip_of(_MEMBERS), "G"),
    "files_in_folder.zip": KitRow("download_files_zip.php", zip_of(_MEMBERS, folder="tic_365938305"), "S"),
    "files_missing.zip": KitRow("download_files_zip.php", zip_of(_MEMBERS[1:]), "S"),
    "files_extra.zip": KitRow("download_files_zip.php", zip_of([*_MEMBERS, ("stranger.txt", b"no row")]), "S"),
    "files_duplicate.zip": KitRow("download_files_zip.php", zip_of([*_MEMBERS, (_MEMBERS[0][0], b"another")]), "S"),
    "files_hostile.zip": KitRow(
        "download_files_zip.php",
        zip_of([*_MEMBERS, ("../outside.txt", b"x"), ("/outside.txt", b"x"), ("C:\\outside.txt", b"x")]),
        "S",
    ),
}
