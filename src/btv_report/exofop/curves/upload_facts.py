"""
Where, when and through which filter an observer's file was made, as its text and its name state it.

The TESS follow-up groups name their uploads target, date, observatory, filter and kind, such as
`TIC1234-01_20230428_LCO-MCD-1m0_gp_measurements.tbl`; imagers write `I`, initials, date and filter. Only words that can mean
nothing else are taken; everything else stays unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath

from btv_report.exofop.curves.text_tables import TextTable

_DATE = re.compile(r"(?<![0-9])(20[0-9]{2})[-.]?([01][0-9])[-.]?([0-3][0-9])(?![0-9])")
_STATED_DATE = re.compile(r"(?<![0-9])(20[0-9]{2})[-./ ]([01]?[0-9])[-./ ]([0-3]?[0-9])(?![0-9])")
_FILE_ID = re.compile(r"^[0-9]+_")
_SPECKLE_NM = re.compile(r"([4-8][0-9]{2})(?:nm)?")
_IMAGING_FILTERS = frozenset({"brgamma", "brg", "hcont", "jcont", "kcont", "feii"})
_BANDS = frozenset(
    {"U", "B", "V", "R", "I", "Rc", "Ic", "Y", "J", "H", "K", "Ks", "Kp", "u", "g", "r", "i", "z", "y"}
    | {"up", "gp", "rp", "ip", "zp", "zs", "clear", "PPSTSS"}
)
_KINDS = frozenset(
    {"measurements", "measurement", "aij", "raw", "detrended", "cleaned", "lightcurve", "lc", "lcs", "bjd", "tdb"}
    | {"data", "photometry", "table", "plot", "sensitivity", "contrast", "curve", "cc", "band", "full", "notes"}
    | {"normalized", "norm", "apertures", "final"}
)


@dataclass(frozen=True)
class Observation:
    """
    What a file and its name state; None where neither does.

    Attributes
    ----------
    date : `2023-04-28`; the night as the observer writes it
    filter : as written, such as `gp` or `562 nm`
    telescope : with instrument and camera as far as they are stated, such as `Palomar-5m, PHARO` or `LCO-MCD-1m0`
    """

    date: str | None
    filter: str | None
    telescope: str | None


def observation_of(table: TextTable, *, is_imaging: bool) -> Observation:
    """What a text file states of its observation in lines such as `Filter = Hcont`, and in its name where it does not."""
    name = observation_of_name(table.path.name, is_imaging=is_imaging)
    filter_stated = table.fact("filter", "wavelength", "band")
    date_stated = next((value for key, value in table.facts.items() if "date" in key.split()), "")
    camera = table.fact("camera")
    parts = [table.fact("telescope", "observatory"), table.fact("instrument"), camera and f"camera {camera}"]
    telescope = ", ".join(bare for part in parts if part and (bare := part.split("(")[0].strip()))
    return Observation(
        iso_date(date_stated) or name.date,
        _with_space(filter_stated) if filter_stated else name.filter,
        telescope or name.telescope,
    )


def observation_of_name(filename: str, *, is_imaging: bool) -> Observation:
    """
    Read a file's name; our own number in front of it (`441891_...`) does not count.

    Parameters
    ----------
    filename : name or path
    is_imaging : numbers such as 562 are wavelengths in nm then, and no word is taken for a telescope
    """
    stem = PurePath(_FILE_ID.sub("", PurePath(filename).name)).stem
    match = _DATE.search(stem)
    words = [word for word in re.split(r"[_ ]+", stem[match.end() :] if match else stem) if word.strip("-")]
    if is_imaging:
        words = [part for word in words for part in word.split("-") if part]
    taken, band = next(
        ((word, band) for word in words if (band := _filter_of(word, is_imaging=is_imaging))), (None, None)
    )
    telescopes = (
        [word for word in words if word != taken and _may_be_telescope(word)] if match and not is_imaging else []
    )
    return Observation(iso_date("-".join(match.groups())) if match else None, band, " ".join(telescopes) or None)


def iso_date(text: str) -> str | None:
    """The first date of a text as `2022-03-17`; None where there is none that exists."""
    match = _STATED_DATE.search(text)
    if match is None:
        return None
    try:
        return date(*(int(part) for part in match.groups())).isoformat()
    except ValueError:
        return None


def _with_space(text: str) -> str:
    """`562nm` as `562 nm`; every other text as it is."""
    match = re.fullmatch(r"([0-9]{3,4}(?:\.[0-9]+)?) ?nm", text.strip(), re.IGNORECASE)
    return f"{match[1]} nm" if match else text.strip()


def _filter_of(word: str, *, is_imaging: bool) -> str | None:
    if word in _BANDS or (is_imaging and word.casefold() in _IMAGING_FILTERS):
        return word
    match = _SPECKLE_NM.fullmatch(word) if is_imaging else None
    return f"{match[1]} nm" if match else None


def _may_be_telescope(word: str) -> bool:
    """Whether a word after the date names where it was observed: letters, and none of the words for kinds of files."""
    return bool(re.search(r"[A-Za-z]{2}", word)) and not set(word.casefold().split("-")) & _KINDS
