"""What a tree of artefacts holds: tables that hold, curves up to a number, and a sentence for all that is not read."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from tests.exofop.follow_up.conftest import GEMINI, MUSCAT

from btv_report.answer_states import AnswerState
from btv_report.exofop import contrast_curves
from btv_report.exofop.artefacts import MAX_CURVES, lost_answers, read_artefacts
from btv_report.exofop.given import as_given
from btv_report.exofop.types import ExoFopFile, ExoFopManifest

TIC_ID = 9000000001
IMAGING = "download_imaging.php"
TABLE = (
    b"TIC ID,TOI,Telescope,Instrument,Filter,Image Type,Obs Date,Notes\n"
    b"9000000001,,Gemini,Zorro,562nm,Speckle,2022-02-02 02:02:02,none\n"
)


def manifest(folder: Path, *files: ExoFopFile, **answers: Any) -> ExoFopManifest:
    named = {f"{name}.php": answer for name, answer in answers.items()}
    return ExoFopManifest(folder / "manifest.json", "0" * 64, None, False, files, answers=named)


def file(folder: Path, number: int, content: str, kind: str = "Image") -> ExoFopFile:
    path = folder / f"{number}_upload.dat"
    path.write_text(content)
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    return ExoFopFile(number, "upload.dat", kind, None, None, len(content), sha256, None, AnswerState.OK, path)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "summaries" / "imaging.csv"
    path.parent.mkdir()
    path.write_bytes(TABLE)
    return path


def answer(content: bytes = TABLE, **more: Any) -> dict[str, Any]:
    return {"state": "OK", "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), **more}


def test_table_that_holds_is_read_without_a_word(tmp_path: Path, table: Path) -> None:
    found = read_artefacts(manifest(tmp_path, download_imaging=answer()), TIC_ID)
    assert (list(found.tables), list(found.warnings)) == (["imaging"], [])


@pytest.mark.parametrize("fault", ["changed", "missing"])
@pytest.mark.parametrize("state", ["OK", "STALE"])
def test_table_that_does_not_hold_is_named(tmp_path: Path, table: Path, fault: str, state: str) -> None:
    if fault == "missing":
        table.unlink()
    else:
        table.write_bytes(TABLE.replace(b"Zorro", b"Alope"))
    tree = manifest(tmp_path, download_imaging=answer(state=state))
    found = read_artefacts(tree, TIC_ID)
    assert not found.tables
    ((name, words),) = lost_answers(tree).items()
    assert name == IMAGING
    assert [words in warning and str(TIC_ID) in warning for warning in found.warnings] == [True]


def test_answer_without_bytes_cannot_be_lost(tmp_path: Path) -> None:
    tree = manifest(tmp_path, download_imaging={"state": "EMPTY"}, download_spect={"state": "THROTTLED", "sha256": "x"})
    assert lost_answers(tree) == {}


@pytest.mark.parametrize("odd", [[], {}, 7, True, ["OK"], {"a": []}, "LOST"])
def test_odd_states_in_a_manifest_are_no_crash(tmp_path: Path, table: Path, odd: Any) -> None:
    for more in ({"last_state": odd}, {"state": odd}):
        tree = manifest(tmp_path, download_imaging=answer(**more))
        given = as_given(tree)
        assert AnswerState(str(given.answers[IMAGING]["state"])) is AnswerState(
            "OK" if "last_state" in more else "CORRUPT"
        )
        read_artefacts(tree, TIC_ID)
        assert bool(read_artefacts(given, TIC_ID).tables) is ("last_state" in more)
    assert as_given(manifest(tmp_path, download_imaging=answer(sha256=odd))).answers[IMAGING]["state"] == "OK"
    assert not read_artefacts(manifest(tmp_path, download_imaging=answer(sha256=odd)), TIC_ID).tables


@pytest.mark.parametrize(("kind", "content"), [("Image", GEMINI), ("Light_Curve", MUSCAT)])
def test_curves_beyond_the_number_that_is_read_are_counted(tmp_path: Path, kind: str, content: str) -> None:
    files = [file(tmp_path, number, content, kind) for number in range(MAX_CURVES + 5)]
    for n_files, n_left in ((MAX_CURVES, 0), (MAX_CURVES + 5, 5)):
        found = read_artefacts(manifest(tmp_path, *files[:n_files]), TIC_ID)
        assert len(found.contrast_curves) + len(found.light_curves) == MAX_CURVES
        assert [f"{n_left} more files" in words for words in found.warnings] == [True] * bool(n_left)


def test_contrast_curve_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    load = contrast_curves.load_exofop_contrast_curve_dat

    def count(path: Path) -> contrast_curves.ContrastCurve:
        read.append(path)
        return load(path)

    monkeypatch.setattr(contrast_curves, "load_exofop_contrast_curve_dat", count)
    found = read_artefacts(manifest(tmp_path, file(tmp_path, 1, GEMINI)), TIC_ID)
    assert (len(found.contrast_curves), len(read)) == (1, 1)


@pytest.mark.parametrize(
    "more", [{"last_state": AnswerState.AUTH_REQUIRED}, {"state": AnswerState.AUTH_REQUIRED}, {"is_listed": False}]
)
def test_f062_sentence_about_a_file_that_is_restricted_now_is_withheld(tmp_path: Path, more: dict[str, Any]) -> None:
    named: dict[str, Any] = {"state": AnswerState.NOT_FOUND, **more}
    hidden = ExoFopFile(11, "SECRET_spectrum.txt", "Spectrum", None, None, 1, "0" * 64, None, **named)
    shown = ExoFopFile(12, "open.txt", "Spectrum", None, None, 1, "0" * 64, None, AnswerState.NOT_FOUND)
    words = tuple(
        f"ExoFOP file {one.file_id} ({one.filename}) of TIC 1 is missing in the cache." for one in (hidden, shown)
    )
    tree = ExoFopManifest(tmp_path / "manifest.json", "0" * 64, None, False, (hidden, shown), warnings=words)
    assert as_given(tree).warnings == words[1:]


def test_notes_of_a_tool_that_asked_for_pipes_are_read(tmp_path: Path) -> None:
    notes = tmp_path / "summaries" / "obsnotes.pipe"
    notes.parent.mkdir()
    notes.write_text(
        "ID|TIC ID|Username|Groupname|TAG ID|Lastmod|notes\n7|9000000001|observer||12|2021-11-30 12:20:55|4 RV epochs | quiet\n"
    )
    (found,) = read_artefacts(manifest(tmp_path), TIC_ID).tables.values()
    assert (found.name, found.rows[0][-1]) == ("obsnotes", "4 RV epochs | quiet")
