"""What `target.php` and `gototicid.php` say of a star: its TIC number, its other names, its TOIs and its files."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from btv_report.answer_states import AnswerState
from btv_report.archive.limits import Limits
from btv_report.archive.web_pages import safe_excerpt
from btv_report.exofop.tables.cells import text_or_none, whole_number
from btv_report.exofop.tables.file_rows import rows_of_files
from btv_report.exofop.tables.reading import TableError, looks_like_login, refuse_other_than_data
from btv_report.exofop.tables.text import decode
from btv_report.exofop.types import ExoFopFileRow, RejectedRow
from btv_report.targets import MAX_TIC_ID

_NO_OBJECT = re.compile(rb"No (?:TIC )?object found", re.IGNORECASE)
_PICK_LIST = re.compile(
    r"<table\b[^>]{0,500}\bclass\s*=\s*[\"']?[^\"'>]{0,200}\btfop\b(.*?)(?:</table|\Z)", re.I | re.S
)
_PICK_ROW = re.compile(r"<tr\b[^>]{0,500}>", re.IGNORECASE)
_PICK_CELL = re.compile(r"</t[dh]\s*>", re.IGNORECASE)
_LINK = re.compile(r"target\.php\?id=0*([1-9]\d{0,11})(?!\d)", re.ASCII)
_SENT_ON = re.compile(
    r"(?:http-equiv\s*=\s*[\"']?refresh[^>]{0,100}?url\s*=\s*|location(?:\.href)?\s*=\s*|location\.(?:replace|assign)\(\s*)"
    r"[\"']?[^\"'<>]{0,100}?target\.php\?id=0*([1-9]\d{0,11})(?!\d)",
    re.IGNORECASE | re.ASCII,
)
_MARKUP = re.compile(r"<[^<>]*>")
_CATALOGUE = re.compile(r"(Gaia\s?E?DR\d|\d?[A-Za-z]+\d?)(?=[\s-]*\S*\d)", re.IGNORECASE)
_MAX_NAMES = 200
_MAX_PAGE_BYTES = 500_000
_FILE_KEYS = {
    "file_id": "fid",
    "filename": "fname",
    "type": "ftype",
    "toi": "ftoi",
    "date_utc": "fdate",
    "tag": "ftag",
    "description": "fdesc",
    "user": "fuser",
    "group": "fgroup",
}
_LISTS = {
    "files": "filelist",
    "tois": "toi",
    "ctois": "ctoi",
    "imaging": "imaging",
    "spectroscopy": "spect",
    "time_series": "tseries",
    "stellar_companions": "stellarcomp",
    "stellar_parameters": "stellar",
    "planet_parameters": "planet",
}
"""List of the JSON to the table that has the same rows."""


@dataclass(frozen=True)
class TargetJson:
    """
    The JSON of a target; all texts are foreign.

    Attributes
    ----------
    tic_id : as asked for, and as it says
    tois, ctois : its TOIs, such as `1262.01`, and those of the community, in their order there
    aliases : catalogue (`hd`, `gaia_dr3`, `2mass`...) to name; identifiers are text, so that no digit is lost (F-046)
    files : its entries of files, as the file list has them
    rejected_files : those that could not be read; `line` is the number of the entry
    counts : name of a table (`filelist`, `imaging`, `spect`...) to the number of its rows here; a table of which the JSON has no
        list is absent
    encoding : what the bytes were decoded as
    """

    tic_id: int
    tois: tuple[str, ...] = ()
    ctois: tuple[str, ...] = ()
    aliases: dict[str, str] = field(default_factory=dict)
    files: tuple[ExoFopFileRow, ...] = ()
    rejected_files: tuple[RejectedRow, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    encoding: str = "utf-8"


def read_target_json(content: bytes, tic_id: int) -> TargetJson:
    """
    Read the answer of `target.php?id=<TIC>&json`.

    Raises
    ------
    TableError
        NOT_FOUND when it says that there is no such object (F-044); CORRUPT when it is of another star or of another form;
        AUTH_REQUIRED, THROTTLED and REJECTED as for tables.
    """
    answer, encoding = _object(content, f"the JSON of TIC {tic_id}")
    basic = answer.get("basic_info")
    if basic is None:
        _refuse_no_object(content)
    said = basic.get("tic_id") if isinstance(basic, dict) else None
    if whole_number(_text(said)) != tic_id:
        of = f"is of TIC {_text(said)[:20]!r}" if said is not None else "does not say of which star it is"
        raise TableError(AnswerState.CORRUPT, f"the answer for TIC {tic_id} {of}")
    lists = {key: value or [] for key, value in answer.items() if value is None or isinstance(value, list)}
    files, rejected = _files(lists.get("files", []), tic_id)
    return TargetJson(
        tic_id=tic_id,
        tois=_names(lists.get("tois", []), "toi"),
        ctois=_names(lists.get("ctois", []), "ctoi"),
        aliases=aliases_of(_text(basic.get("star_names")).split(",") if isinstance(basic, dict) else []),
        files=files,
        rejected_files=rejected,
        counts={table: _n_rows(lists[key]) for key, table in _LISTS.items() if key in lists},
        encoding=encoding,
    )


def read_gototicid(content: bytes) -> list[tuple[int, str]]:
    """
    Read the answer of `gototicid.php`: with `json`, with `jsonext`, a page that leads on to a target, or a list to pick from.

    Returns
    -------
    list of (int, str)
        TIC numbers, each with what the list to pick from says of it. More than one where a name stands for several stars: nobody
        may guess which is meant (F-043).

    Raises
    ------
    TableError
        NOT_FOUND when nobody knows the name; UNREACHABLE when the service reports another error; CORRUPT for what cannot be
        read, or counts more stars than it names: the one that is named may not be the one that is meant; AUTH_REQUIRED,
        THROTTLED and REJECTED as for tables.
    """
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" and not looks_like_login(content):
        return _picked(content)
    answer, _ = _object(content, "the TIC number of a name")
    summary = answer.get("summary")
    answer = summary if isinstance(summary, dict) else answer
    if _text(answer.get("status")).casefold() == "error":
        message = _text(answer.get("message")).strip()
        if _NO_OBJECT.search(message.encode("utf-8", "replace")):
            raise TableError(AnswerState.NOT_FOUND, "ExoFOP knows no star of this name")
        raise TableError(AnswerState.UNREACHABLE, f"ExoFOP reports an error ({_safe(message)!r})")
    given = answer.get("TIC")
    numbers = [_text(one) for one in given] if isinstance(given, list) else re.split(r"[,;\s]+", _text(given).strip())
    tic_ids = [_tic_id(one) for one in numbers if one.strip()]
    if not tic_ids or None in tic_ids:
        raise TableError(
            AnswerState.CORRUPT, f"ExoFOP's answer to a name gives no TIC number ({_safe(_text(given))!r})"
        )
    distinct = dict.fromkeys(tic_id for tic_id in tic_ids if tic_id is not None)
    counted = _text(answer.get("num")).strip()
    if counted and whole_number(counted) not in {len(tic_ids), len(distinct)}:
        named = ", ".join(f"TIC {tic_id}" for tic_id in distinct)
        words = f"ExoFOP's answer to a name counts {_safe(counted)!r} stars and names {named}"
        raise TableError(AnswerState.CORRUPT, f"{words}, so that it is not known which is meant")
    return [(tic_id, "") for tic_id in distinct]


def aliases_of(names: list[str]) -> dict[str, str]:
    """
    Names by catalogue: `HD 104654` under `hd`, `Gaia DR3 4677...` under `gaia_dr3`; others under `name`.

    A second name of one catalogue stands under `wise_2`. TIC and TOI numbers are left out.
    """
    aliases: dict[str, str] = {}
    for name in names[:_MAX_NAMES]:
        shown = text_or_none(name)
        if shown is None or len(shown) > Limits.shown_name_length:
            continue
        match = _CATALOGUE.match(shown)
        key = re.sub(r"gaia\s?", "gaia_", match[1].casefold()) if match else "name"
        if key in {"tic", "toi", "ctoi"} or shown in aliases.values():
            continue
        n_same = sum(
            other == key or (other.startswith(f"{key}_") and other[len(key) + 1 :].isdecimal()) for other in aliases
        )
        aliases[f"{key}_{n_same + 1}" if n_same else key] = shown
    return aliases


def plain_toi(text: str | None) -> str | None:
    """`1262.01` from `TOI 1262.01`, `TOI-1262.01`, `CTOI 1262.01` or `1262.01`; None for anything else."""
    match = re.fullmatch(r"(?:C?TOI)?[\s_-]*(\d{1,11}(?:\.\d{1,2})?)", (text or "").strip(), re.IGNORECASE | re.ASCII)
    return match[1] if match else None


def _object(content: bytes, what: str) -> tuple[dict[str, Any], str]:
    """An answer that is a JSON object; numbers in it stay text, so that no digit is lost."""
    if len(content) <= Limits.note_bytes and not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        _refuse_no_object(content)
    refuse_other_than_data(content, what, Limits.json_bytes)
    text, encoding = decode(content)
    try:
        answer = json.loads(text, strict=False, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        words = f"what came where {what} was due is no JSON, or cut ({_safe(text)!r})"
        raise TableError(AnswerState.CORRUPT, words) from None
    if not isinstance(answer, dict):
        raise TableError(AnswerState.CORRUPT, f"what came where {what} was due is no JSON object ({_safe(text)!r})")
    return answer, encoding


def _refuse_no_object(content: bytes) -> None:
    if _NO_OBJECT.search(content):
        raise TableError(AnswerState.NOT_FOUND, "ExoFOP knows no such star")


def _names(entries: list[Any], key: str) -> tuple[str, ...]:
    given = (plain_toi(_text(entry.get(key))) for entry in entries if isinstance(entry, dict))
    return tuple(dict.fromkeys(name for name in given if name is not None))


def _n_rows(entries: list[Any]) -> int:
    """Rows of a list; an entry that only says where the next ones come from is none."""
    return sum(not (isinstance(entry, dict) and "prov" in entry) for entry in entries)


def _files(entries: list[Any], tic_id: int) -> tuple[tuple[ExoFopFileRow, ...], tuple[RejectedRow, ...]]:
    fields = [
        {name: _text(entry[key]) for name, key in _FILE_KEYS.items() if key in entry} if isinstance(entry, dict) else {}
        for entry in entries
    ]
    return rows_of_files(fields, tic_id, [_text(entry) for entry in entries])


def _text(value: Any) -> str:
    """A value as text: nothing for null, JSON for what is nested; half of a character that is none becomes a mark."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def _tic_id(text: str) -> int | None:
    tic_id = whole_number(text)
    return tic_id if tic_id is not None and 0 < tic_id < MAX_TIC_ID else None


def _picked(content: bytes) -> list[tuple[int, str]]:
    """The stars that a web page leads on to, or lets its reader pick from."""
    page, _ = decode(content[:_MAX_PAGE_BYTES])
    if table := _PICK_LIST.search(page):
        targets: dict[int, str] = {}
        for row in _PICK_ROW.split(table[1])[1:]:
            if (link := _LINK.search(row)) and (tic_id := _tic_id(link[1])):
                targets.setdefault(tic_id, _row_words(row))
        if targets:
            return list(targets.items())
    if (sent := _SENT_ON.search(page)) and (tic_id := _tic_id(sent[1])):
        return [(tic_id, "")]
    _refuse_no_object(content)
    what = "the TIC number of a name"
    refuse_other_than_data(content, what, Limits.json_bytes)
    raise TableError(AnswerState.CORRUPT, f"a web page without a star came where {what} was due")


def _row_words(row: str) -> str:
    """The cells of a row of a page as one phrase."""
    cells = (" ".join(html.unescape(_MARKUP.sub(" ", cell)).split()) for cell in _PICK_CELL.split(row))
    return "; ".join(cell for cell in cells if cell)[: Limits.shown_name_length]


def _safe(text: str) -> str:
    return safe_excerpt(text[:1000].encode("utf-8", "replace"))
