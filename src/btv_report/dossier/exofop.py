"""What ExoFOP holds on the star: its state, its candidates, its files by name and hash, and links to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from btv_report.dossier import links
from btv_report.dossier.follow_up import FollowUp, build_follow_up
from btv_report.dossier.labels import state_words
from btv_report.dossier.numbers import exact, integer, quantity
from btv_report.dossier.results import Figures
from btv_report.dossier.tables import (
    Cell,
    CellKind,
    Column,
    Picture,
    Table,
    code_cell,
    number_cell,
    text_cell,
    without_empty,
)
from btv_report.dossier.text import clipped, plural, sentence_case
from btv_report.dossier.thumbnails import thumbnail_content, thumbnail_name
from btv_report.exofop.asking.endpoints import FILE_LIST
from btv_report.exofop.payloads.published_names import is_published_name
from btv_report.record import ExoFopCandidateValue, ExoFopFileValue, ExoFopValue, RunRecord

PROVEN_STATES = frozenset({"OK", "EMPTY", "NOT_FOUND"})
TEXT_SHOWN = 400
"""Characters of a description or comment that the page shows; `dossier.json` holds all of it."""
_ROWS_OF = {"exofop_toi": "TOI", "exofop_ctoi": "community TOI", "exofop_planet": "planet"}
_SILENT = "ExoFOP does not state it"
_UNUSABLE = "ExoFOP does not state it, or not so that it can be used: see below"
_BYTES_STAY = "Names and descriptions are their authors' own words. The bytes stay at ExoFOP; the links lead there."
_BYTES_COPIED = (
    "Names and descriptions are their authors' own words. The bytes stay at ExoFOP, where the links lead; those with a "
    "copy to download stand in this site as well."
)
_AGAIN = "a run with `--publish-files` makes them again."
_NO_LIST = "Which files ExoFOP has of this star is not known from this run, because their list was not had"
_SHOWN_AT = 0.5  # of its size: sharp on screens with two points a pixel, and small in a table
_DISPOSITIONS = (
    "Values are those of ExoFOP's rows; the checks are about the rows that are used. A disposition is the opinion of the people "
    "who gave it, and no result of this page."
)


@dataclass(frozen=True)
class ExoFopSection:
    """State in words, what it means, the candidates and the files, and the follow-up of observers."""

    state: str
    sentence: str
    detail: str
    generated_at: str
    manifest_sha256: str
    candidates: Table | None
    remarks: tuple[str, ...]
    disagreements: tuple[str, ...]
    files: Table | None
    answers: Table | None
    follow_up: FollowUp


def build_exofop(record: RunRecord, figures: Figures) -> ExoFopSection:
    """Collect the ExoFOP section; "nothing known" is only said when the server proved it."""
    exofop = record["exofop"]
    state = exofop["state"]
    return ExoFopSection(
        state=f"{state}: {state_words(state)}",
        sentence=_sentence(exofop),
        detail=exofop["detail"],
        generated_at=exofop["generated_at"] or "",
        manifest_sha256=exofop["manifest_sha256"] or "",
        candidates=_candidates(exofop.get("candidates", [])),
        remarks=_remarks(exofop.get("candidates", [])),
        disagreements=tuple(exofop.get("disagreements", [])),
        files=_files(exofop["files"]),
        answers=_answers(record),
        follow_up=build_follow_up(record, figures),
    )


def _sentence(exofop: ExoFopValue) -> str:
    """What the state means for this star."""
    state, n_files = exofop["state"], exofop["n_files"]
    if state not in {"OK", "STALE"}:
        if state in PROVEN_STATES:
            return "ExoFOP answered that it has nothing on this star."
        return "Whether ExoFOP has anything on this star is not known from this run."
    if not _is_list_known(exofop):
        if not n_files:
            return f"{_NO_LIST}; what its other services answered stands below."
        return f"{_NO_LIST}; {plural(n_files, 'file')} of it {'stands' if n_files == 1 else 'stand'} below."
    n_listed = exofop.get("n_listed", n_files)
    age = _age_of_list(exofop)
    if n_listed > n_files:
        rows = plural(n_listed, "row")
        return f"ExoFOP's list of public files has {rows}{age}; {integer(n_files)} files of this star stand below."
    return f"{plural(n_files, 'public file')} of this star at ExoFOP{age}."


def _is_list_known(exofop: ExoFopValue) -> bool:
    """Whether the number of files is that of ExoFOP's list; where it is not told how that ended, files prove that it was had."""
    answer = exofop["answers"].get(FILE_LIST)
    if answer is None:
        return bool(exofop["files"])
    return answer.get("state") in PROVEN_STATES | {"STALE"}


def _age_of_list(exofop: ExoFopValue) -> str:
    """From when the list is, where it was asked for again and not had; a phrase that begins with a comma."""
    answer = exofop["answers"].get(FILE_LIST, {})
    if answer.get("state") != "STALE":
        return ""
    return f", by the list of {answer.get('answered_at') or 'an earlier run'}, which was asked for again and not had"


def _candidates(candidates: list[ExoFopCandidateValue]) -> Table | None:
    """ExoFOP's own rows of candidates, used or not, with the columns that any of them fills."""
    if not candidates:
        return None
    columns = (
        Column("Candidate"),
        Column("Table"),
        Column("Used"),
        Column("Period (days)", CellKind.NUMBER),
        Column("Mid-transit (BTJD)", CellKind.NUMBER),
        Column("Duration (h)", CellKind.NUMBER),
        Column("Depth (ppm)", CellKind.NUMBER),
        Column("Radius (R⊕)", CellKind.NUMBER),
        Column("TESS disposition"),
        Column("TFOPWG disposition"),
        Column("Sectors"),
        Column("Changed"),
    )
    rows = tuple(_candidate_row(candidate) for candidate in candidates)
    table = Table("exofop-candidates", "Candidates by ExoFOP", columns, rows, _DISPOSITIONS, listed=True)
    return without_empty(table)


def _candidate_row(candidate: ExoFopCandidateValue) -> tuple[Cell, ...]:
    return (
        Cell(candidate["name"]),
        Cell(_ROWS_OF.get(candidate["source"], candidate["source"])),
        Cell("yes" if candidate["used"] else "no"),
        _given(candidate.get("period_days")),
        _given(candidate.get("epoch_btjd"), decimals=5),
        _given(candidate.get("duration_hours")),
        number_cell(quantity(candidate.get("depth_ppm"), digits=4, reason=_SILENT)),
        number_cell(quantity(candidate.get("radius_earth"), digits=3, reason=_SILENT)),
        text_cell(candidate.get("disposition_tess"), reason=_SILENT),
        text_cell(candidate.get("disposition_tfopwg"), reason=_SILENT),
        text_cell(", ".join(str(sector) for sector in candidate.get("sectors", [])), reason=_SILENT),
        text_cell(candidate.get("updated"), reason=_SILENT),
    )


def _remarks(candidates: list[ExoFopCandidateValue]) -> tuple[str, ...]:
    """Why rows are not used, and what they remark: too long for a cell."""
    remarks = []
    for candidate in candidates:
        if not candidate["used"]:
            reason = clipped(candidate["reason"], TEXT_SHOWN) or "no reason was recorded"
            remarks.append(sentence_case(f"{candidate['name']} is not used: {reason}"))
        comment = candidate.get("comments")
        if comment:
            remarks.append(f"{candidate['name']}, ExoFOP's comment: {clipped(comment, TEXT_SHOWN)}")
    return tuple(remarks)


def _given(value: float | None, *, decimals: int | None = None) -> Cell:
    """A number as it was given."""
    if value is None:
        return Cell("—", CellKind.NUMBER, reason=_UNUSABLE)
    if decimals is not None:
        return number_cell(quantity(value, decimals=decimals))
    return Cell(exact(value), CellKind.NUMBER, sort=repr(value))


def _files(files: list[ExoFopFileValue]) -> Table | None:
    if not files:
        return None
    columns = (
        Column("File"),
        Column("Type"),
        Column("Date"),
        Column("Group"),
        Column("Tag"),
        Column("Size (bytes)", CellKind.NUMBER),
        Column("Bytes are"),
        Column("State"),
        Column("Copy"),
        Column("SHA-256", CellKind.CODE),
        Column("Before (SHA-256)", CellKind.CODE),
        Column("Description"),
    )
    rows = tuple(_file_row(file) for file in sorted(files, key=lambda file: file["file_id"]))
    table = Table(
        "exofop-files", "Files of the ExoFOP manifest", columns, rows, _files_note(files), sortable=len(rows) > 5
    )
    return without_empty(table, only=("Tag", "Bytes are", "Copy", "Before (SHA-256)"))


def _files_note(files: list[ExoFopFileValue]) -> str:
    """Where the bytes are; copies that should be in the site and are not there."""
    note = _BYTES_COPIED if any(file.get("published") for file in files) else _BYTES_STAY
    n_missing = sum("published_as" in file and not file.get("published") for file in files)
    if not n_missing:
        return note
    copies = plural(n_missing, "copy", "copies")
    return f"{note} {copies} of this run {'is' if n_missing == 1 else 'are'} not in this workspace any more: {_AGAIN}"


def _file_row(file: ExoFopFileValue) -> tuple[Cell, ...]:
    size = Cell("—", CellKind.NUMBER, reason=_SILENT)
    if file["bytes"] is not None:
        size = Cell(integer(file["bytes"]), CellKind.NUMBER, sort=str(file["bytes"]))
    before = ", ".join(f"{sha256[:12]}…" for sha256 in file.get("older_versions", []))
    description = file["description"]
    return (
        _name_cell(file),
        text_cell(file["type"], reason=_SILENT),
        text_cell(file["date"], reason=_SILENT),
        text_cell(", ".join(part for part in (file["group"], file.get("user")) if part), reason=_SILENT),
        text_cell(file.get("tag"), reason=_SILENT),
        size,
        text_cell(file.get("content"), reason="not fetched"),
        Cell(f"{file['state']}: {clipped(file.get('reason', ''), TEXT_SHOWN) or state_words(file['state'])}"),
        _copy_cell(file),
        code_cell(_short(file["sha256"]), reason="not fetched"),
        code_cell(before, reason="no other bytes were seen before"),
        text_cell(description if description is None else clipped(description, TEXT_SHOWN), reason=_SILENT),
    )


def _name_cell(file: ExoFopFileValue) -> Cell:
    """The name with what the file looks like, if it looks like anything; a link to ExoFOP."""
    cell = text_cell(file["filename"], href=links.exofop_file(file["file_id"]))
    if thumbnail_content(file) is None:
        return cell
    width, height = (max(1, round(file["thumbnail"][side] * _SHOWN_AT)) for side in ("width", "height"))
    return replace(cell, picture=Picture(f"files/{thumbnail_name(file['file_id'])}", width, height))


def _copy_cell(file: ExoFopFileValue) -> Cell:
    """The copy in this site, where there is one."""
    name = file.get("published_as", "")
    if not file.get("published") or not is_published_name(name):
        return text_cell(None, reason="its bytes stay at ExoFOP")
    return Cell("download", href=f"files/{name}", download=True)


def _short(sha256: str | None) -> str | None:
    return f"{sha256[:12]}…" if sha256 else None


def _answers(record: RunRecord) -> Table | None:
    """What each endpoint answered, and when."""
    answers = record["exofop"]["answers"]
    if not answers:
        return None
    columns = (
        Column("Endpoint"),
        Column("State"),
        Column("Asked (UTC)"),
        Column("Rows", CellKind.NUMBER),
        Column("Rows not readable", CellKind.NUMBER),
    )
    rows = tuple(_answer_row(name, answers[name]) for name in sorted(answers))
    table = Table("exofop-answers", "Answers of ExoFOP", columns, rows)
    return without_empty(table, only=("Rows not readable",))


def _answer_row(name: str, answer: Mapping[str, Any]) -> tuple[Cell, ...]:
    state = str(answer.get("state") or "not recorded")
    return (
        code_cell(name),
        Cell(f"{state}: {state_words(state)}"),
        text_cell(str(answer.get("asked_at") or ""), reason="not recorded"),
        _count(answer.get("n_rows"), "no table"),
        _count(answer.get("n_rejected") or None, "none"),
    )


def _count(value: object, reason: str) -> Cell:
    """A count; an em dash with a reason when there is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Cell(integer(value), CellKind.NUMBER)
    return Cell("—", CellKind.NUMBER, reason=reason)
