"""The stories that the client was written for: everything, a choice, a second run that asks nothing, curves for TRICERATOPS."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_toi_1262 import TIC_ID
from tests.doubles.scripted_server import Reply
from tests.exofop.client.conftest import (
    CURVE,
    LIGHT_CURVE,
    NOTES,
    OTHER,
    PLOT,
    TRES_2019,
    TRES_2020,
    MakeClient,
    asked_files,
    entries_of,
    manifest_of,
    tree,
)  # fmt: skip

from btv_report.answer_states import AnswerState
from btv_report.errors import ArchiveUnreachableError, FetchError, NameResolutionError, UsageError
from btv_report.exofop.client import ExoFopClient
from btv_report.exofop.contrast_curves import find_contrast_curves, load_exofop_contrast_curve_dat
from btv_report.exofop.types import ExoFopSelectors

ALL = [CURVE, PLOT, TRES_2019, TRES_2020, LIGHT_CURVE, NOTES]


def test_all_files_of_a_star_are_fetched_and_listed_in_a_manifest(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    result = client.fetch(target=TIC_ID)
    assert (result.errors, result.warnings, result.files_skipped) == ([], [], [])
    sent = {file.file_id: file.content for file in exofop.stars[TIC_ID].files}
    entries = entries_of(result)
    assert list(entries) == ALL == asked_files(exofop)
    for path, file_id in zip(result.files_downloaded, ALL, strict=True):
        assert path.read_bytes() == sent[file_id]
        assert path == result.cache_root / entries[file_id]["path"]
        assert entries[file_id]["sha256"] == hashlib.sha256(sent[file_id]).hexdigest()
        assert (entries[file_id]["bytes"], entries[file_id]["state"]) == (len(sent[file_id]), "OK")


def test_f046_target_carries_toi_and_names_of_other_catalogues(client: ExoFopClient) -> None:
    target = client.fetch(target=TIC_ID).target
    assert (target.tic_id, target.toi, target.aliases["hd"]) == (TIC_ID, "1262.01", "HD 104654")
    assert target.aliases["gaia_dr2"].endswith("1625068456789012345")  # all nineteen digits


def test_only_contrast_curves_and_spectra_are_fetched_for_a_toi(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    selectors = ExoFopSelectors(types={"Image", "Spectrum"}, filename_regex=r"sensitivity\.(dat|pdf)$|tres")
    result = client.fetch(target="TOI-1262", selectors=selectors)
    assert result.target.tic_id == TIC_ID
    assert asked_files(exofop) == [CURVE, TRES_2019, TRES_2020]
    assert [path.name.split("_")[0] for path in result.files_downloaded] == [str(CURVE), str(TRES_2019), str(TRES_2020)]
    assert sorted(entries_of(result)) == [CURVE, TRES_2019, TRES_2020]
    assert manifest_of(result)["filelist"]["n_rows"] == 6  # the list is whole whatever is wanted of it


def test_tables_and_notes_are_kept_as_they_came(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    result = client.fetch(target=TIC_ID)
    summaries = manifest_of(result)["summaries"]
    assert sorted(summaries) == ["imaging", "obsnotes", "planet", "spect", "stellar", "toi", "tseries", "uploads"]
    for request in exofop.asked(""):
        name = request.path.rpartition("/")[2].removeprefix("download_").removesuffix(".php")
        if name in summaries:
            kept = (result.cache_root / summaries[name]).read_bytes()
            assert kept == getattr(exofop.answer(request), "body"), name  # noqa: B009 - the double's reply
    assert (result.cache_root / "filelist.csv").read_bytes().startswith(b"Type,File Name,File ID")
    assert {request.query.get("toi") for request in exofop.asked("download_toi.php")} == {"1262"}


def test_summaries_can_be_left_out(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    result = client.fetch(target=TIC_ID, include_summaries=False)
    assert sorted(result.answers) == ["download_filelist.php", "target.php"]
    assert len(result.files_downloaded) == 6
    assert {request.path.rpartition("/")[2] for request in exofop.asked("")} == {
        "target.php", "download_filelist.php", "get_file.php",
    }  # fmt: skip


@pytest.mark.parametrize("target", [TIC_ID, f"TIC {TIC_ID}", "TOI-1262", "HD 104654"])
def test_second_run_opens_no_connection(
    client: ExoFopClient,
    make_client: MakeClient,
    exofop: ExoFopDouble,
    cache: Path,
    no_sockets: Callable[[], None],
    target: str | int,
) -> None:
    first = client.fetch(target=target)
    before, written = exofop.n_connections, tree(cache)
    no_sockets()
    again = make_client().fetch(target=target)
    assert (exofop.n_connections, again.n_connections, again.n_unasked) == (before, 0, 0)
    assert (again.files_downloaded, again.answers, again.target) == (
        first.files_downloaded,
        first.answers,
        first.target,
    )
    assert (again.errors, again.warnings) == ([], [])
    assert tree(cache) == written  # bytes and times


def test_guard_itself_notices_a_connection(client: ExoFopClient, no_sockets: Callable[[], None]) -> None:
    no_sockets()
    with pytest.raises(pytest.fail.Exception, match="a socket was opened"):
        client.fetch(target=TIC_ID)
    assert socket.socket.connect.__name__ == "refuse"


def test_refresh_asks_everything_again(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    client.fetch(target=TIC_ID)
    before = len(exofop.asked(""))
    result = client.fetch(target=TIC_ID, force_refresh=True)
    assert len(exofop.asked("")) == 2 * before == before + result.n_connections
    assert (result.warnings, result.errors) == ([], [])


def test_empty_answers_are_final_until_refresh(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    assert client.fetch(target=OTHER).answers["download_obsnotes.php"] is AnswerState.EMPTY
    exofop.add_note(OTHER, "new")
    before = exofop.n_connections
    assert client.fetch(target=OTHER).answers["download_obsnotes.php"] is AnswerState.EMPTY
    assert exofop.n_connections == before
    assert client.fetch(target=OTHER, force_refresh=True).answers["download_obsnotes.php"] is AnswerState.OK


def test_offline_run_with_a_cold_cache_asks_nothing_and_writes_nothing(
    make_client: MakeClient, exofop: ExoFopDouble, cache: Path, no_sockets: Callable[[], None]
) -> None:
    no_sockets()
    result = make_client(offline=True).fetch(target=TIC_ID)
    assert (result.answers, result.files_downloaded) == ({}, [])
    assert result.n_unasked > 0
    assert exofop.n_connections == 0
    assert not cache.exists()


def test_offline_wins_over_refresh(client: ExoFopClient, make_client: MakeClient, exofop: ExoFopDouble) -> None:
    client.fetch(target=TIC_ID)
    before = exofop.n_connections
    result = make_client(offline=True).fetch(target=TIC_ID, force_refresh=True)
    assert (exofop.n_connections, len(result.files_downloaded)) == (before, 6)


def test_offline_name_that_was_never_looked_up_is_told(make_client: MakeClient) -> None:
    with pytest.raises(ArchiveUnreachableError, match="nothing is asked offline"):
        make_client(offline=True).fetch(target="TOI-1262")


def test_contrast_curves_of_a_manifest_are_found_and_written_for_triceratops(
    client: ExoFopClient, tmp_path: Path
) -> None:
    result = client.fetch(target=TIC_ID)
    (path,) = find_contrast_curves(result.manifest_path)
    curve = load_exofop_contrast_curve_dat(path)
    assert path.name.startswith(f"{CURVE}_")
    written = np.loadtxt(curve.to_triceratops(tmp_path / "curve.csv"), delimiter=",")
    assert written.shape == (curve.separation_arcsec.size, 2)
    assert np.all(np.diff(written[:, 0]) > 0)


def test_resolve_target_costs_a_question_for_a_name_only_once(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    assert client.resolve_target(TIC_ID).tic_id == TIC_ID
    assert client.resolve_target(str(TIC_ID)).tic_id == TIC_ID
    assert exofop.n_connections == 0
    assert {client.resolve_target("TOI 1262.01").toi for _ in range(3)} == {"1262.01"}
    (asked,) = exofop.asked("gototicid.php")
    assert asked.query["target"] == "TOI1262.01"


def test_name_that_nobody_has_is_told_and_kept(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    for _ in range(2):
        with pytest.raises(NameResolutionError, match="knows no star"):
            client.resolve_target("TOI-99999")
    assert len(exofop.asked("gototicid.php")) == 1


def test_position_is_not_looked_up_at_exofop(client: ExoFopClient) -> None:
    with pytest.raises(UsageError, match="no positions"):
        client.resolve_target("12:02:54.4 +74:03:39.6")


@pytest.mark.parametrize("target", ["TIC ../../x", "TOI-1/../../", "TIC 365938305/../1", 0, -1, 10**12, True])
def test_f081_target_that_is_none_is_refused_before_anything_is_asked(
    client: ExoFopClient, exofop: ExoFopDouble, cache: Path, target: str | int
) -> None:
    with pytest.raises(UsageError):
        client.fetch(target=target)
    assert exofop.n_connections == 0
    assert not cache.exists()


def test_f045_short_and_long_tic_numbers_are_fetched(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    for tic_id in (1234, 1234567890):
        exofop.add_target(tic_id, notes=["of this star"])
        result = client.fetch(target=tic_id)
        assert (result.cache_root.name, result.errors) == (f"tic_{tic_id}", [])


def test_file_list_gives_rows_and_fetches_no_file(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    rows = client.file_list(tic_id=TIC_ID)
    assert [row.file_id for row in rows] == ALL
    assert (rows[0].type, rows[0].tag, rows[0].toi, rows[0].group) == ("Image", 7652, "TOI 1262", "tfopwg")
    assert asked_files(exofop) == []
    assert {row.tic_id for row in rows} == {TIC_ID}


def test_file_list_that_was_not_had_is_an_error_with_its_state(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    exofop.play("download_filelist.php", Reply(status=503))
    exofop.play("target.php", Reply(status=503))
    with pytest.raises(FetchError, match="file list") as caught:
        client.file_list(tic_id=TIC_ID)
    assert caught.value.state is AnswerState.UNREACHABLE


def test_zip_of_all_files_is_had_once(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    path = client.download_all_files_zip(tic_id=TIC_ID)
    assert path.name == "files.zip"
    assert path.read_bytes().startswith(b"PK")
    assert client.download_all_files_zip(tic_id=TIC_ID) == path
    assert len(exofop.asked("download_files_zip.php")) == 1
    client.download_all_files_zip(tic_id=TIC_ID, force=True)
    assert len(exofop.asked("download_files_zip.php")) == 2


def test_zip_that_was_not_had_leaves_the_old_one(client: ExoFopClient, exofop: ExoFopDouble) -> None:
    path = client.download_all_files_zip(tic_id=TIC_ID)
    old = path.read_bytes()
    exofop.play("download_files_zip.php", Reply(status=404))
    with pytest.raises(FetchError) as caught:
        client.download_all_files_zip(tic_id=TIC_ID, force=True)
    assert caught.value.state is AnswerState.UNREACHABLE
    assert path.read_bytes() == old


def test_zip_is_not_asked_for_offline(make_client: MakeClient, exofop: ExoFopDouble) -> None:
    with pytest.raises(FetchError, match="offline") as caught:
        make_client(offline=True).download_all_files_zip(tic_id=TIC_ID)
    assert caught.value.state is AnswerState.SKIPPED
    assert exofop.n_connections == 0
    path = make_client().download_all_files_zip(tic_id=TIC_ID)
    assert make_client(offline=True).download_all_files_zip(tic_id=TIC_ID) == path


def test_list_is_not_asked_for_offline(make_client: MakeClient, exofop: ExoFopDouble) -> None:
    with pytest.raises(FetchError) as caught:
        make_client(offline=True).file_list(tic_id=TIC_ID)
    assert caught.value.state is AnswerState.SKIPPED
    assert exofop.n_connections == 0


def test_client_takes_the_arguments_of_the_specification(exofop: ExoFopDouble, tmp_path: Path) -> None:
    from btv_report import ExoFopClient as Exported

    client = Exported(
        cache_dir=str(tmp_path / "cache"),
        cookie_jar_path=None,
        user_agent="mine",
        timeout_seconds=0.3,
        base_url=exofop.url,
    )
    exofop.play("target.php", Reply(silent=True))
    began = time.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("btv_report.archive.clock.SystemClock.sleep", lambda *_: None)
        result = client.fetch(target=OTHER, include_summaries=False)
    assert time.monotonic() - began < 20
    assert result.answers["target.php"] is AnswerState.UNREACHABLE
    assert "no answer came in time" in result.errors[-1]


def test_toi_and_names_of_what_is_held_are_known_offline(
    make_client: MakeClient, client: ExoFopClient, exofop: ExoFopDouble
) -> None:
    client.fetch(target=TIC_ID)
    offline = make_client(offline=True)
    for name in ("TOI-1262", "TOI 1262.01", "HD 104654", "hd104654"):
        assert offline.resolve_target(name).tic_id == TIC_ID
    with pytest.raises(ArchiveUnreachableError, match="not looked up before"):
        offline.resolve_target("TOI-1263")


def test_client_asks_the_address_of_the_variable(
    tmp_path: Path, exofop: ExoFopDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BTV_REPORT_EXOFOP_URL", exofop.url)
    assert ExoFopClient(cache_dir=tmp_path).base_url == f"{exofop.url}/tess/"
