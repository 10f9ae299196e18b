"""What ExoFOP holds on the star: its state, its files by name and hash, and links to them."""

from __future__ import annotations

from dataclasses import dataclass

from btv_report.dossier import links
from btv_report.dossier.labels import state_words
from btv_report.dossier.numbers import integer
from btv_report.dossier.tables import Cell, CellKind, Column, Table, code_cell, text_cell
from btv_report.record import ExoFopFileValue, RunRecord

PROVEN_STATES = frozenset({"OK", "EMPTY", "NOT_FOUND"})


@dataclass(frozen=True)
class ExoFopSection:
    """State in words, what it means, and the files."""

    state: str
    sentence: str
    detail: str
    generated_at: str
    manifest_sha256: str
    files: Table | None
    answers: Table | None


def build_exofop(record: RunRecord) -> ExoFopSection:
    """Collect the ExoFOP section; "nothing known" is only said when the server proved it."""
    exofop = record["exofop"]
    state = exofop["state"]
    if state in {"OK", "STALE"}:
        n_files = exofop["n_files"]
        sentence = f"{n_files} public file{'' if n_files == 1 else 's'} of this star at ExoFOP."
    elif state in PROVEN_STATES:
        sentence = "ExoFOP answered that it has nothing on this star."
    else:
        sentence = "Whether ExoFOP has anything on this star is not known from this run."
    return ExoFopSection(
        state=f"{state}: {state_words(state)}",
        sentence=sentence,
        detail=exofop["detail"],
        generated_at=exofop["generated_at"] or "",
        manifest_sha256=exofop["manifest_sha256"] or "",
        files=_files(exofop["files"]),
        answers=_answers(record),
    )


def _files(files: list[ExoFopFileValue]) -> Table | None:
    if not files:
        return None
    columns = (
        Column("File"),
        Column("Type"),
        Column("Date"),
        Column("Group"),
        Column("Size (bytes)", CellKind.NUMBER),
        Column("State"),
        Column("SHA-256", CellKind.CODE),
        Column("Description"),
    )
    rows = tuple(_file_row(file) for file in sorted(files, key=lambda file: file["file_id"]))
    note = "Names and descriptions are their authors' own words. The bytes stay at ExoFOP; the links lead there."
    return Table("exofop-files", "Files of the ExoFOP manifest", columns, rows, note, sortable=len(rows) > 5)


def _file_row(file: ExoFopFileValue) -> tuple[Cell, ...]:
    silent = "ExoFOP does not state it"
    size = Cell("—", CellKind.NUMBER, reason=silent)
    if file["bytes"] is not None:
        size = Cell(integer(file["bytes"]), CellKind.NUMBER, sort=str(file["bytes"]))
    sha256 = file["sha256"]
    return (
        text_cell(file["filename"], href=links.exofop_file(file["file_id"])),
        text_cell(file["type"], reason=silent),
        text_cell(file["date"], reason=silent),
        text_cell(file["group"], reason=silent),
        size,
        Cell(f"{file['state']}: {state_words(file['state'])}"),
        code_cell(f"{sha256[:12]}…" if sha256 else None, reason="not fetched"),
        text_cell(file["description"], reason=silent),
    )


def _answers(record: RunRecord) -> Table | None:
    answers = record["exofop"]["answers"]
    if not answers:
        return None
    rows = []
    for name in sorted(answers):
        answer = answers[name]
        state = str(answer.get("state") or "not recorded")
        rows.append(
            (
                code_cell(name),
                Cell(f"{state}: {state_words(state)}"),
                text_cell(str(answer.get("asked_at") or ""), reason="not recorded"),
                Cell(
                    _count(answer.get("n_rows")),
                    CellKind.NUMBER,
                    reason="" if _is_count(answer.get("n_rows")) else "no table",
                ),
            )
        )
    columns = (Column("Endpoint"), Column("State"), Column("Asked (UTC)"), Column("Rows", CellKind.NUMBER))
    return Table("exofop-answers", "Answers of ExoFOP", columns, tuple(rows))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _count(value: object) -> str:
    return integer(value) if isinstance(value, int) and not isinstance(value, bool) else "—"
