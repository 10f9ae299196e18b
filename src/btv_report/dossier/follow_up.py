"""What observers left at ExoFOP: imaging, light curves of other telescopes, summary tables and notes, cut to a page's size."""

from __future__ import annotations

import re
from dataclasses import dataclass

from btv_report.dossier import links
from btv_report.dossier.figures.figure import Figure
from btv_report.dossier.numbers import MINUS, integer
from btv_report.dossier.results import Figures
from btv_report.dossier.tables import Cell, CellKind, Column, Table, code_cell, text_cell
from btv_report.dossier.text import clipped, plural, sentence_case, slug
from btv_report.record import ExoFopNoteValue, ExoFopTableValue, ExternalLightCurveValue, RunRecord

CELL_SHOWN, ROWS_SHOWN = 120, 25
NOTE_SHOWN, ALL_NOTES_SHOWN = 4_000, 24_000
"""Characters of one note, and of all notes together, that the page shows; `dossier.json` holds what the record does."""
NAMES_SHOWN, BEGINNING_SHOWN = 4, 60
_TABLE_TITLES = {
    "spect": "Spectroscopy",
    "imaging": "High-resolution imaging",
    "tseries": "Time series",
    "stellar": "Stellar parameters",
    "planet": "Planet parameters",
    "uploads": "Uploads",
    "toi": "TOI rows",
    "ctoi": "Community TOI rows",
}
_DISPOSITION = "This note sums up dispositions: the opinion of the people who gave them, and no observation."
_NO_CURVE = "No contrast curve could be drawn; the numbers of each stand in dossier.json."


@dataclass(frozen=True)
class Note:
    """An observer's note: who and when, its paragraphs as lines, and what of it is not shown."""

    title: str
    label: str
    paragraphs: tuple[tuple[str, ...], ...]
    left_out: str


@dataclass(frozen=True)
class FollowUp:
    """The parts of the section; each is empty where there is nothing. The sentences say why a figure is missing."""

    contrast: tuple[Figure, ...] = ()
    contrast_note: str = ""
    light_curves: tuple[Figure, ...] = ()
    light_curve_notes: tuple[str, ...] = ()
    light_curve_table: Table | None = None
    tables: tuple[Table, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures in the order of the page."""
        return (*self.contrast, *self.light_curves)


def build_follow_up(record: RunRecord, figures: Figures) -> FollowUp:
    """Collect what the record holds of observers' work; empty for records before ExoFOP was asked itself."""
    exofop = record["exofop"]
    contrast = tuple(figures.get(("contrast",), ()))
    panels = tuple(figures.get(("external_light_curves",), ()))
    light_curves = exofop.get("light_curves", [])
    tables = (_summary(table, number, record) for number, table in enumerate(exofop.get("tables", []), start=1))
    return FollowUp(
        contrast=contrast,
        contrast_note=_NO_CURVE if exofop.get("contrast_curves") and not contrast else "",
        light_curves=panels,
        light_curve_notes=_not_drawn(light_curves, len(panels)),
        light_curve_table=_light_curve_table(light_curves),
        tables=tuple(table for table in tables if table is not None),
        notes=_notes(exofop.get("notes", [])),
    )


def _not_drawn(light_curves: list[ExternalLightCurveValue], n_drawn: int) -> tuple[str, ...]:
    """A sentence for each reason that light curves have no figure, with their names."""
    sentences = []
    more = sum("candidate" in value for value in light_curves) - n_drawn
    if more > 0:
        verb = "is" if more == 1 else "are"
        sentences.append(f"{plural(more, 'folded light curve')} {verb} not drawn; the values stand in dossier.json.")
    by_reason: dict[str, list[str]] = {}
    for value in light_curves:
        if "candidate" not in value:
            by_reason.setdefault(value.get("reason") or "no reason was recorded", []).append(value["filename"])
    for reason, names in by_reason.items():
        others = f" and {integer(len(names) - NAMES_SHOWN)} more" if len(names) > NAMES_SHOWN else ""
        named = ", ".join(clipped(name, CELL_SHOWN) for name in names[:NAMES_SHOWN])
        sentences.append(f"Not folded: {named}{others}. {sentence_case(clipped(reason, 400))}")
    return tuple(sentences)


def _light_curve_table(light_curves: list[ExternalLightCurveValue]) -> Table | None:
    """What each file of a light curve is."""
    if not light_curves:
        return None
    columns = (
        Column("File"),
        Column("Instrument"),
        Column("Filter"),
        Column("Times are"),
        Column("Points", CellKind.NUMBER),
        Column("Folded on"),
        Column("Laid out as"),
        Column("SHA-256", CellKind.CODE),
    )
    rows = tuple(_light_curve_row(value) for value in light_curves)
    return Table("exofop-light-curve-files", "Light curves of other telescopes at ExoFOP", columns, rows, listed=True)


def _light_curve_row(value: ExternalLightCurveValue) -> tuple[Cell, ...]:
    silent = "the file does not state it"
    folded_on = value.get("candidate")
    if folded_on and "transit_number" in value:
        folded_on = f"{folded_on}, transit {str(value['transit_number']).replace('-', MINUS)}"
    return (
        text_cell(value["filename"], href=links.exofop_file(value["file_id"])),
        text_cell(value["instrument"], reason=silent),
        text_cell(value["filter"], reason=silent),
        text_cell(value["time_system"], reason=silent),
        Cell(integer(value["n_points"]), CellKind.NUMBER),
        text_cell(folded_on, reason="not folded; see above"),
        text_cell(value["layout"]),
        code_cell(f"{value['sha256'][:12]}…"),
    )


def _summary(table: ExoFopTableValue, number: int, record: RunRecord) -> Table | None:
    """A summary table with the columns that say something, cells and rows cut; None without a row."""
    rows = [row for row in table["rows"] if any(cell.strip() for cell in row)]
    if not rows:
        return None
    width = max(len(table["columns"]), *(len(row) for row in rows))
    names = [*table["columns"], *("" for _ in range(width - len(table["columns"])))]
    filled = [[*row, *("" for _ in range(width - len(row)))] for row in rows]
    kept = [place for place in range(width) if _says_something(filled, place, record["target"]["tic_id"])] or [0]
    shown = filled[:ROWS_SHOWN]
    return Table(
        table_id=f"exofop-table-{number}-{slug(table['name'])}",
        caption=f"{_TABLE_TITLES.get(table['name'], table['name'])} ({plural(table['n_rows'], 'row')})",
        columns=tuple(Column(clipped(names[place], CELL_SHOWN) or "(no heading)") for place in kept),
        rows=tuple(tuple(Cell(clipped(row[place], CELL_SHOWN)) for place in kept) for row in shown),
        note=_summary_note(table, len(shown), width - len(kept)),
        sortable=len(shown) > 5,
    )


def _says_something(rows: list[list[str]], place: int, tic_id: int) -> bool:
    """Whether a column is neither empty nor the number of the star in every row."""
    cells = {row[place].strip() for row in rows}
    return bool(cells - {"", str(tic_id), f"TIC {tic_id}"})


def _summary_note(table: ExoFopTableValue, n_shown: int, n_left_out: int) -> str:
    """What of the answer is not on the page."""
    words = ["ExoFOP's own words; what is empty here is empty there."]
    if n_shown < table["n_rows"]:
        words.append(f"{integer(n_shown)} of {plural(table['n_rows'], 'row')} are shown.")
    if n_left_out:
        words.append(f"Without {plural(n_left_out, 'column')} of nothing but the star's number or empty cells.")
    if table["n_rejected"]:
        words.append(f"{plural(table['n_rejected'], 'row')} could not be read.")
    if n_shown < table["n_rows"] or n_left_out or any(len(cell) > CELL_SHOWN for row in table["rows"] for cell in row):
        words.append("dossier.json holds all that this run kept, uncut.")
    return " ".join(words)


def _notes(notes: list[ExoFopNoteValue]) -> tuple[Note, ...]:
    """All notes in the order of the record, for as long as the page has room for their texts."""
    room = ALL_NOTES_SHOWN
    made = []
    for note in notes:
        text = note["text"].strip()[: min(NOTE_SHOWN, room)]
        room -= len(text)
        made.append(_note(note, text))
    return tuple(made)


def _note(note: ExoFopNoteValue, text: str) -> Note:
    by = ", ".join(part for part in (note["date"], note["user"], note["group"]) if part) or "no date, no author"
    about = f" (tag {clipped(note['tag'], 20)})" if note["tag"] else ""
    paragraphs = _paragraphs(text)
    first = clipped(" ".join(" ".join(paragraphs[0]).split()), BEGINNING_SHOWN) if paragraphs else "no text"
    return Note(
        title=f"{clipped(by, CELL_SHOWN)}{about}: {'dispositions' if note['is_disposition'] else first}",
        label=_DISPOSITION if note["is_disposition"] else "",
        paragraphs=paragraphs,
        left_out=_left_out(note, len(text)),
    )


def _paragraphs(text: str) -> tuple[tuple[str, ...], ...]:
    """Paragraphs, separated by empty lines, as lines of text."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    paragraphs = (part.strip("\n") for part in re.split(r"\n[ \t]*\n", lines))
    return tuple(
        tuple(line.strip() for line in part.split("\n") if line.strip()) for part in paragraphs if part.strip()
    )


def _left_out(note: ExoFopNoteValue, n_shown: int) -> str:
    """How much of a note is not shown, and where it is."""
    in_record = len(note["text"].strip()) - n_shown
    words = []
    if in_record > 0:
        words.append(f"{plural(in_record, 'more character')} in dossier.json.")
    if note["n_left_out"]:
        words.append(f"{plural(note['n_left_out'], 'more character')} at ExoFOP only.")
    return " ".join(words)
