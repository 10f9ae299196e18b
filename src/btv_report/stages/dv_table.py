"""The answer of `btv-report dv` for a reader at a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

GOOD_QUALITY = 0.7
_HEADINGS = (
    "TIC", "pl", "sector", "SPOC row", "column", "our row", "column", "apart px", "SPOC arcsec", "ours arcsec", "quality",
    "ours", "PRF",
)  # fmt: skip
_UNKNOWN = "-"


def dv_table(lines: Sequence[Mapping[str, Any]]) -> str:
    """
    A table of all difference images and a line on how well the answers agree.

    Where there are several files, each one's rows stand below its name: reports of one star for different spans of sectors have
    the same planets and sectors.

    Parameters
    ----------
    lines : the objects of `dv --json`
    """
    images = [line for line in lines if "spoc" in line]
    rows = [_HEADINGS, *(_row(line) for line in images)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEADINGS))]
    table = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    several = len({line["file"] for line in images}) > 1
    if several:
        table = _under_file_names(table, [line["file"] for line in images])
    notes = [f"* {_name(line, in_file=several)}: {line['reason']}." for line in images if line.get("reason")]
    return "\n".join([*(table if images else []), *notes, agreement(images)])


def _under_file_names(table: Sequence[str], files: Sequence[str]) -> list[str]:
    """The rows of a table with headings, each file's below a line with its name; `files` names the file of each row."""
    shown = [table[0]]
    for place, (row, file) in enumerate(zip(table[1:], files, strict=True)):
        if place == 0 or file != files[place - 1]:
            shown.append(file)
        shown.append(row)
    return shown


def _row(line: Mapping[str, Any]) -> tuple[str, ...]:
    spoc, ours = line["spoc"], line.get("ours", {})
    return (
        str(line["tic_id"]),
        str(line["planet_number"]),
        str(line.get("sector", _UNKNOWN)),
        _number(spoc, "row", 2),
        _number(spoc, "column", 2),
        _number(ours, "row", 2),
        _number(ours, "column", 2),
        _number(line, "distance_px", 3),
        _with_error(spoc),
        _with_error(ours),
        _number(spoc, "quality", 2),
        _number(ours, "quality", 2),
        str(line.get("prf", {}).get("kind", _UNKNOWN)) + (" *" if line["status"] == "not_run" else ""),
    )


def _number(value: Mapping[str, Any], name: str, decimals: int) -> str:
    return f"{value[name]:.{decimals}f}" if name in value else _UNKNOWN


def _with_error(value: Mapping[str, Any]) -> str:
    offset = _number(value, "tic_offset_arcsec", 1)
    error = _number(value, "tic_offset_arcsec_err", 1)
    return offset if error == _UNKNOWN else f"{offset} ± {error}"


def _name(line: Mapping[str, Any], *, in_file: bool) -> str:
    file = f"{line['file']}, " if in_file else ""
    return f"{file}TIC {line['tic_id']}, planet {line['planet_number']}, sector {line.get('sector', 'unknown')}"


def agreement(images: Sequence[Mapping[str, Any]]) -> str:
    """How far apart SPOC and we are, over the images that both call good."""
    if not images:
        return "No difference image was found."
    good = [
        line["distance_px"]
        for line in images
        if line["status"] == "ok" and "distance_px" in line and line["spoc"].get("quality", 0) >= GOOD_QUALITY
    ]
    count = f"{len(images)} difference image{'' if len(images) == 1 else 's'}"
    if not good:
        return f"{count}; none is judged and has an SPOC quality of at least {GOOD_QUALITY}."
    from statistics import median

    return (
        f"{count}. Of the {len(good)} judged ones with an SPOC quality of at least {GOOD_QUALITY}, our position is "
        f"{median(good):.3f} px from SPOC's in the median and {max(good):.3f} px at most."
    )
