"""A cache of one host that is asked for another host's answers: neither is taken for the other's, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_toi_1262 import TIC_ID, add_toi_1262
from tests.exofop.client.conftest import CURVE, NOTES, MakeClient, entries_of, manifest_of, tree

from btv_report.answer_states import AnswerState
from btv_report.errors import FetchError
from btv_report.exofop.outcome import curve_values, fetch_answer, fetch_text

NOBODY = "http://127.0.0.1:9/"


@pytest.fixture
def other() -> Iterator[ExoFopDouble]:
    """A second host, where the notes of the same number are other bytes, and which has one more note on the star."""
    with ExoFopDouble() as running:
        add_toi_1262(running)
        running.remove_file(NOTES)
        running.add_file(TIC_ID, "TIC365938305-01_notes.txt", b"Another host's words.\n", file_id=NOTES)
        running.add_note(TIC_ID, "one more")
        yield running


def test_host_that_is_down_takes_nothing_from_what_another_has_given(make_client: MakeClient) -> None:
    first = make_client().fetch(target=TIC_ID)
    before = tree(first.cache_root)
    result = make_client(base_url=NOBODY).fetch(target=TIC_ID)
    assert (result.files_downloaded, result.holds_manifest, result.public_manifest_path) == ([], False, None)
    assert result.errors
    assert tree(first.cache_root) == before
    again = make_client(offline=True).fetch(target=TIC_ID)
    assert (again.files_downloaded, again.warnings, again.holds_manifest) == (first.files_downloaded, [], True)


def test_nothing_of_another_host_is_given_offline(make_client: MakeClient) -> None:
    make_client().fetch(target=TIC_ID)
    result = make_client(base_url=NOBODY, offline=True).fetch(target=TIC_ID)
    assert (result.answers, result.files_downloaded, result.holds_manifest) == ({}, [], False)
    assert result.n_unasked
    assert result.manifest_path.exists()
    assert curve_values(result, None) == []
    assert fetch_answer(result)["manifest"] is None
    assert "Manifest" not in fetch_text(result)
    (warning,) = result.warnings
    assert "another host" in warning
    assert "asked again" not in warning


def test_manifest_and_bytes_of_another_host_are_put_aside_and_not_overwritten(
    make_client: MakeClient, other: ExoFopDouble
) -> None:
    first = make_client().fetch(target=TIC_ID)
    old_files, old_answers = entries_of(first), manifest_of(first)["answers"]
    result = make_client(base_url=other.url).fetch(target=TIC_ID)
    assert (len(result.files_downloaded), result.errors, result.holds_manifest) == (6, [], True)
    assert "superseded" not in entries_of(result)[CURVE]
    (aside,) = result.cache_root.glob("manifest-*.json")
    assert {entry["file_id"]: entry for entry in json.loads(aside.read_bytes())["files"]} == old_files
    assert any(aside.name in warning for warning in result.warnings)
    spare = result.cache_root / f"files/superseded/{old_files[NOTES]['sha256'][:16]}_{NOTES}_TIC365938305-01_notes.txt"
    assert spare.read_bytes() == b"Clear night, no gaps.\n"
    digest = old_answers["download_obsnotes.php"]["sha256"]
    assert (result.cache_root / f"summaries/superseded/{digest[:16]}_obsnotes.csv").is_file()
    assert make_client(base_url=other.url, offline=True).fetch(target=TIC_ID).warnings == []


def test_archive_of_another_host_is_not_given_out_as_this_ones(make_client: MakeClient, other: ExoFopDouble) -> None:
    path = make_client().download_all_files_zip(tic_id=TIC_ID)
    first = path.read_bytes()
    with pytest.raises(FetchError, match="of another host") as caught:
        make_client(base_url=other.url, offline=True).download_all_files_zip(tic_id=TIC_ID)
    assert (caught.value.state, path.read_bytes()) == (AnswerState.SKIPPED, first)
    assert make_client(base_url=other.url).download_all_files_zip(tic_id=TIC_ID) == path
    assert path.read_bytes() != first
    assert make_client(base_url=other.url, offline=True).download_all_files_zip(tic_id=TIC_ID) == path
    assert make_client().download_all_files_zip(tic_id=TIC_ID).read_bytes() == first


@pytest.mark.parametrize("description", [None, b"", b"[]", b"{"])
def test_archive_of_which_no_host_is_known_is_asked_for_again(
    make_client: MakeClient, exofop: ExoFopDouble, description: bytes | None
) -> None:
    path = make_client().download_all_files_zip(tic_id=TIC_ID)
    beside = path.with_name("files.zip.json")
    if description is None:
        beside.unlink()
    else:
        beside.write_bytes(description)
    with pytest.raises(FetchError, match="of none that is known"):
        make_client(offline=True).download_all_files_zip(tic_id=TIC_ID)
    make_client().download_all_files_zip(tic_id=TIC_ID)
    assert len(exofop.asked("download_files_zip.php")) == 2
    assert make_client(offline=True).download_all_files_zip(tic_id=TIC_ID) == path
